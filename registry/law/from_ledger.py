"""From the records of one receivable, and what a party knows beside them, to the case that the laws are asked about.

The ledger says who holds what since when, what was filed, and which notices were received. It does not say amounts,
when the parties concluded, a ban on assignment, or who knew of whom: whoever asks adds that as a `Case` of its own, in
which a claim on the ledger is named by its id in hex, and any other claim is one outside this ledger.

- A claim competes if it is funded, or if the asking party says that it was concluded and it is not over: an offer
  alone assigns nothing. Without better knowledge it was concluded when the record says, else when it was funded. What
  the record says is only what its two sides told: `shown_ms` is since when the ledger itself shows the claim, and from
  when it counts against others. Who has proof of the older date says so, as that party's own knowledge.
  Of holder and time of funding the ledger knows better than the party; filings and notices of both count together.
- A place on this ledger is the place among the claims ever offered on the receivable: records do not say the height.
- A blanket over the receivable competes, from when it began (`Facility.blanket_since_ms`) unless the asking party knows
  better: where it is filed, say, or that it was on this debtor before it was on others. Where its financier has a claim
  of its own as well, that is the one that competes, and was concluded with the blanket if that is older.
- An external claim that stands competes as what it is said to be, marked as asserted: with the dates that were told, by
  the register that it is said to stand in, or as notified if a notice is its source. If nobody said when it was
  concluded, it was there when it was entered, at the latest when it was recorded here.
- Only notices that name the holder of today count for it: who takes a claim over gives notice anew.
- A filing is pinned by digest, which stands for its number. Who ended a filing is treated as if it had made none.
- Without amounts the receivable stands for 100 units of its currency, and what was financed is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from registry.errors import FieldError
from registry.law import case
from registry.law.case import Case, Place
from registry.law.profiles import Profile
from registry.money import Money, exponent_of
from registry.records import Claim, Receivable
from registry.records.external_claims import SOURCES, ExternalClaim
from registry.records.facilities import Facility
from registry.records.filings import Filing
from registry.records.notices import Notice

__all__ = ["case_from_ledger", "register_code"]

OVER: Final = frozenset({"released", "discharged", "revoked"})
UNITS: Final = 100  # what a receivable of unknown amount stands for


@dataclass(frozen=True, slots=True)
class _Ledger:
    """The records by claim; `places` are those of all claims ever offered, also of those that are not shown."""

    claims: Mapping[str, Claim]
    places: Mapping[str, Place]
    filings: tuple[Filing, ...]
    notices: tuple[Notice, ...]
    external: tuple[ExternalClaim, ...]
    blankets: tuple[Facility, ...]
    profiles: tuple[Profile, ...]


def case_from_ledger(
    receivable: Receivable,
    claims: Iterable[Claim],
    filings: Iterable[Filing],
    notices: Iterable[Notice],
    *,
    external: Iterable[ExternalClaim] = (),
    facilities: Iterable[Facility] = (),
    profiles: Iterable[Profile],
    now_ms: int,
    known: Case | None = None,
) -> Case:
    """The case of a receivable as of `now_ms`, or as of when `known` says; under its own laws, or those of `known`.

    `external` are claims outside, `facilities` those of the seller from which the receivable was not carved out.
    Raises `FieldError`: the receivable was voided; no claim competes; `known` is in another currency, or names a claim
    that is over.
    """
    if receivable.state == "voided":
        raise FieldError("receivable", "was voided: its registration was found false, so there is nothing to rank")
    as_of_ms = now_ms if known is None else known.as_of_ms
    ledger = _Ledger(
        claims={claim.id.hex(): claim for claim in claims},
        places={claim.hex(): Place(0, index) for index, claim in enumerate(receivable.claims)},
        filings=tuple(filings),
        notices=tuple(notices),
        external=tuple(external),
        blankets=tuple([one for one in facilities if one.blanket_stands(as_of_ms) and one.covers(receivable)]),
        profiles=tuple(profiles),
    )
    of_claims = [(claim.id, claim.receivable) for claim in ledger.claims.values()]
    for id_, of in (*of_claims, *((claim.id, claim.receivable) for claim in ledger.external)):
        if of != receivable.id:
            raise FieldError("claims", f"{id_.hex()} is on another receivable")
    if known is not None and known.amount.currency != receivable.currency:
        raise FieldError("currency", f"is {known.amount.currency}, the receivable is in {receivable.currency}")
    competing = _competing(ledger, () if known is None else known.claims, as_of_ms)
    if not competing:
        raise FieldError("claims", "none is funded, asserted or a blanket, and none is known to have been concluded")
    if known is not None:
        return replace(known, claims=competing, laws=known.laws or receivable.laws)
    return Case(
        reference=receivable.id.hex(),
        amount=Money(receivable.currency, UNITS * 10 ** exponent_of(receivable.currency)),
        as_of_ms=as_of_ms,
        claims=competing,
        laws=receivable.laws,
    )


def register_code(register: str, profiles: Iterable[Profile]) -> str:
    """The code by which a law knows the register of a filing: CN:ZHONGDENG is zhongdeng, US-NY:UCC1 is ucc-1.

    A register that the law it names does not count keeps its whole name, and so counts under no law.
    """
    law, _, name = register.partition(":")
    for profile in profiles:
        for code in profile.registers if profile.code == law else ():
            if _bare(code) == _bare(name):
                return code
    return f"{law}-{name}".lower()


def _bare(name: str) -> str:
    return name.replace("-", "").lower()


def _competing(ledger: _Ledger, known: Iterable[case.Claim], as_of_ms: int) -> tuple[case.Claim, ...]:
    """In the order of the ledger, its blankets after its claims, and then those outside it."""
    said = {claim.id: claim for claim in known}
    found = []
    for id_ in ledger.places:
        claim, facts = ledger.claims.get(id_), said.pop(id_, None)
        if claim is None:
            if facts is not None:  # on the ledger, and not shown to whoever asks
                found.append(replace(facts, here=ledger.places[id_]))
        elif claim.state in OVER:
            if facts is not None:
                raise FieldError("claims", f"{id_} is over: it was {claim.state}")
        elif facts is not None or (claim.state == "funded" and claim.funded_ms <= as_of_ms):
            found.append(_competitor(ledger, claim, facts))
    own = {claim.claimant for claim in found}
    for index, blanket in enumerate(ledger.blankets):
        facts = said.pop(blanket.id.hex(), None)
        if facts is not None or (blanket.financier not in own and blanket.blanket_since_ms <= as_of_ms):
            found.append(_blanket(blanket, facts, Place(0, len(ledger.places) + index)))
    for outside in ledger.external:
        facts = said.pop(outside.id.hex(), None)
        if outside.stands and (facts is not None or _concluded_ms(outside) <= as_of_ms):
            found.append(_outside(ledger, outside, facts))
    return (*found, *said.values())


def _competitor(ledger: _Ledger, claim: Claim, facts: case.Claim | None) -> case.Claim:
    id_ = claim.id.hex()
    if facts is None:
        since = [one.blanket_since_ms for one in ledger.blankets if one.financier == claim.holder]
        shown_ms = min([claim.funded_ms, *since])
        concluded_ms = min(claim.concluded_ms or shown_ms, shown_ms)
        told = shown_ms if concluded_ms < shown_ms else None
        facts = case.Claim(id=id_, claimant=claim.holder, concluded_ms=concluded_ms, shown_ms=told)
    notices = [notice for notice in ledger.notices if (notice.claim, notice.holder) == (claim.id, claim.holder)]
    acknowledged = [notice.acknowledged_ms for notice in notices if notice.acknowledged_ms]
    if facts.acknowledged_ms is not None:
        acknowledged.append(facts.acknowledged_ms)
    filings = [one for one in ledger.filings if one.claim == claim.id and one.state == "live"]
    return replace(
        facts,
        claimant=claim.holder,
        funded_ms=claim.funded_ms or facts.funded_ms,
        here=ledger.places[id_],
        filings=(*(_filing(one, ledger.profiles) for one in filings), *facts.filings),
        notices=(*(_notice(one) for one in notices), *facts.notices),
        acknowledged_ms=min(acknowledged, default=None),
    )


def _blanket(facility: Facility, facts: case.Claim | None, here: Place) -> case.Claim:
    made = facts or case.Claim(id=facility.id.hex(), claimant="", concluded_ms=facility.blanket_since_ms)
    return replace(made, claimant=facility.financier, blanket=True, here=here)


def _concluded_ms(claim: ExternalClaim) -> int:
    return claim.concluded_ms or claim.entered_ms or claim.recorded_ms


def _outside(ledger: _Ledger, claim: ExternalClaim, facts: case.Claim | None) -> case.Claim:
    filings: tuple[case.Filing, ...] = ()
    notices: tuple[case.Notice, ...] = ()
    if claim.entered_ms and claim.source == "notice":
        notices = (case.Notice(received_ms=claim.entered_ms, digest=claim.reference),)
    elif claim.entered_ms and claim.source not in SOURCES:
        register = register_code(claim.source, ledger.profiles)
        filings = (case.Filing(register=register, number=claim.reference.hex(), at_ms=claim.entered_ms),)
    made = facts or case.Claim(id=claim.id.hex(), claimant="", concluded_ms=_concluded_ms(claim))
    return replace(
        made,
        claimant=_assignee(claim),
        asserted=claim.source,
        filings=(*filings, *made.filings),
        notices=(*notices, *made.notices),
    )


def _assignee(claim: ExternalClaim) -> str:
    """The member, or what tells somebody outside from others: the beginning of the commitment to it."""
    if not isinstance(claim.assignee, bytes):
        return claim.assignee
    return f"outside:{claim.assignee.hex()[:16]}" if any(claim.assignee) else "outside:not named"


def _filing(filing: Filing, profiles: Iterable[Profile]) -> case.Filing:
    return case.Filing(
        register=register_code(filing.register, profiles),
        number=filing.digests[-1].hex(),
        at_ms=filing.filed_ms,
        lapses_ms=filing.lapses_ms or None,
    )


def _notice(notice: Notice) -> case.Notice:
    return case.Notice(
        received_ms=notice.received_ms or None,
        sent_ms=notice.sent_ms,
        channel=notice.channel,
        digest=notice.text_digest,
    )
