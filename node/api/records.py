"""Receivables and claims as one caller may see them: found, judged by `access`, shown with proof."""

from __future__ import annotations

from typing import Any

from consensus.blocks import Header
from node.api.access import Caller, may_see_claim, may_see_receivable
from node.api.context import proof_of
from node.api.models import OutsideClaim, RunningDispute
from node.api.problems import Problem
from node.api.shapes import claim_json, receivable_json, record_json
from node.views import View
from registry.fingerprint import SEVERITIES, severity_of
from registry.limits import MATCHES_MAX
from registry.records import Claim, Dispute, Receivable
from registry.records.external_claims import ExternalClaim
from registry.rules.blankets import beside, blankets_to_look_at, covering
from registry.rules.external_claims import to_look_at
from registry.rules.matches import Matches, matches_to_look_at, standing_at
from registry.rules.suspension import disputes_to_look_at
from registry.state import State, claim_key, receivable_key

__all__ = ["Records", "now_ms_of"]


def now_ms_of(view: View) -> int:
    """The time of the newest block. Raises `Problem` before the first one."""
    if view.tip is None:
        raise Problem("not_ready", "no block is final yet, so there are no records")
    return Header.decode(view.tip.header).timestamp_ms


class Records:
    """The receivables and claims of one view, for one caller."""

    def __init__(self, view: View, caller: Caller) -> None:
        self._view = view
        self._caller = caller
        self._state = State(view.state)

    def receivable(self, id_: bytes) -> Receivable:
        """The receivable. Raises `Problem`: the same whether there is none or the caller may not see it."""
        found = self._state.receivable(id_)
        if found is None or not self.may_see_receivable(id_):
            raise Problem("not_found", "no such receivable, or not for this caller", field="id")
        return found

    def may_see_receivable(self, id_: bytes) -> bool:
        """Whether there is this receivable, and the caller may see it."""
        found = self._state.receivable(id_)
        if found is None:
            return False
        return may_see_receivable(self._caller, found, self._claims(found)) or self._has_blanket_over(found)

    def claim(self, id_: bytes) -> Claim:
        """The claim. Raises `Problem` likewise."""
        found = self._state.claim(id_)
        if found is None or not self._sees(found):
            raise Problem("not_found", "no such claim, or not for this caller", field="id")
        return found

    def claims(self, receivable: Receivable) -> list[Claim]:
        """The claims on a receivable that the caller may see, in the order of their offers."""
        return [claim for claim in self._claims(receivable) if self._sees(claim)]

    def matches(self, id_: bytes) -> list[dict[str, Any]]:
        """What looks like a receivable that the caller may see, the worst first. Raises `Problem`.

        With it, which of that the caller must acknowledge to fund what it has reserved, the last of it; or else what it
        reserves now.
        """
        receivable, now_ms = self.receivable(id_), self._now_ms()
        found = matches_to_look_at(receivable, self._state, now_ms)
        if found is None:
            raise Problem("too_large", f"more than {MATCHES_MAX} receivables look like this one", field="id")
        held = [claim for claim in self._claims(receivable) if claim.holder == self._caller.name]
        reserved = [claim.reserved_ms for claim in held if claim.state_at(now_ms) == "reserved"]
        review = standing_at(found, receivable, max(reserved, default=now_ms), self._state)
        wanted = {*found.blocking, *review}
        shown = [self._match(receivable, other, "block", found) for other in found.blocking]
        shown += [self._match(receivable, other, "review", found) for other in found.review]
        for match, other in zip(shown, (*found.blocking, *found.review), strict=True):
            match["to_acknowledge"] = other in wanted
        return sorted(shown, key=lambda match: SEVERITIES.index(match["severity"]))

    def external_claims(self, id_: bytes) -> list[dict[str, Any]]:
        """What is asserted outside of a receivable that the caller may see, and of its lineage. Raises `Problem`."""
        return [self._outside(claim) for claim in to_look_at(self._state, self.receivable(id_))]

    def disputes(self, id_: bytes) -> list[dict[str, Any]]:
        """The disputes that run on a receivable that the caller may see, and on its lineage. Raises `Problem`."""
        found = disputes_to_look_at(self._state, self.receivable(id_), self._now_ms())
        return [self._running(dispute) for dispute in found]

    def blankets_beside(self, id_: bytes) -> list[str]:
        """The others' facilities that the caller must acknowledge to fund a payable. Raises `Problem`."""
        found = blankets_to_look_at(self._state, self.receivable(id_), self._caller.name, self._now_ms())
        return [facility.hex() for facility in found]

    def own(self, party: str, ids: tuple[bytes, ...]) -> list[Receivable]:
        """Those of these receivables that `party` registered, or is the debtor of."""
        found = [self._state.receivable(id_) for id_ in ids]
        return [one for one in found if one is not None and party in (one.registrant, one.debtor)]

    def own_claims(self, party: str, ids: tuple[bytes, ...]) -> list[Claim]:
        """Those of these claims that `party` assigned, was offered, or ever held."""
        found = [self._state.claim(id_) for id_ in ids]
        return [
            one
            for one in found
            if one is not None and party in (one.assignor, one.holder, one.import_factor, *one.holders)
        ]

    def receivable_shown(self, receivable: Receivable) -> dict[str, Any]:
        """Record and proof."""
        return {"record": receivable_json(receivable), "proof": proof_of(self._view, receivable_key(receivable.id))}

    def claim_shown(self, claim: Claim) -> dict[str, Any]:
        """Record, as of the time of the newest block, and proof."""
        proof = proof_of(self._view, claim_key(claim.id))
        return {"record": claim_json(claim, now_ms=self._now_ms()), "proof": proof}

    def _match(self, receivable: Receivable, other: bytes, level: str, found: Matches) -> dict[str, Any]:
        record = self._state.receivable(other)
        assert record is not None, "a fingerprint leads to a receivable that is there"
        return {
            "id": other.hex(),
            "level": level,
            "severity": severity_of(found.kinds[other]),
            "kinds": list(found.kinds[other]),
            "state": record.state,
            "own": record.registrant == receivable.registrant,
        }

    def _outside(self, claim: bytes) -> dict[str, Any]:
        record = self._state.find(ExternalClaim, claim)
        assert record is not None, "the list of a receivable names external claims that are there"
        shape = record_json(record)
        return {name: shape[name] for name in OutsideClaim.model_fields}

    def _running(self, dispute: bytes) -> dict[str, Any]:
        record = self._state.find(Dispute, dispute)
        assert record is not None, "a receivable names disputes that are there"
        shape = record_json(record)
        return {name: shape[name] for name in RunningDispute.model_fields}

    def _has_blanket_over(self, receivable: Receivable) -> bool:
        """Whether it is under a blanket of the caller, or beside one, who was told of it when it was registered."""
        found = (*covering(self._state, receivable, self._now_ms()), *beside(self._state, receivable, self._now_ms()))
        return any(facility.financier == self._caller.name for facility in found)

    def _now_ms(self) -> int:
        return now_ms_of(self._view)

    def _claims(self, receivable: Receivable) -> list[Claim]:
        found = [self._state.claim(id_) for id_ in receivable.claims]
        return [claim for claim in found if claim is not None]

    def _sees(self, claim: Claim) -> bool:
        receivable = self._state.receivable(claim.receivable)
        assert receivable is not None, "a claim's receivable is in the state"
        return may_see_claim(self._caller, claim, receivable)
