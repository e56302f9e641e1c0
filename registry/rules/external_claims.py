"""External claims: what the network knows of assignments made outside it (registry.md 1, 10, 11).

Other registers are islands, and what stands in them is not this ledger's to decide. An external claim takes up no
share, stops nothing and ranks nobody: it is what a financier must look at. Who funds says so of every one that stands
on the receivable or its lineage, by the same list in which it acknowledges matches (`claims.fund`, `to_look_at` here).

Who may record one, with its name, because a word about somebody else's claim is only worth its author:

- the registrant: it knows to whom it has assigned;
- the debtor, known already or opening the registration's commitment: it was given notice;
- a financier with an offer, a claim or a blanket on it: it looks into registers before it pays and while it holds;
- a financier that searches: who has the invoice before it shows the certain fingerprint of it.

A recorder may state the grades that a registrant may; that the debtor confirms it, only the debtor says. Each speaks
for itself: several may record the same claim, and ending one's own record leaves the others'. It is ended, with the
ground, by who recorded it or by the member that the claim is said to be of, and stays readable for good. How many stand
is bounded, of a receivable and in it of one recorder, and registrant and debtor have places of their own, so that a few
cannot keep others out.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import Final

from registry.events import Event
from registry.limits import EXTERNAL_CLAIMS_BY_MAX, EXTERNAL_CLAIMS_MAX, EXTERNAL_LOOKED_AT_MAX
from registry.reasons import (
    ALREADY_DONE,
    BAD_STATE,
    GRADE_UNPROVEN,
    IMPOSSIBLE_TIME,
    LIMIT_REACHED,
    NOT_AUTHORISED,
    NOT_DEBTOR,
    NOT_FOUND,
    UNKNOWN_PARTY,
)
from registry.records import Receivable
from registry.records.external_claims import Asserted, ExternalClaim, ExternalClaims
from registry.rules.blankets import carved_out, covering
from registry.rules.consequences import holders_of_live, live_in_lineage
from registry.rules.contacts import side_of
from registry.rules.debtors import debtor_of
from registry.rules.lineage import ancestors, descendants, finder
from registry.rules.roles import may
from registry.rules.transitions import OPEN, VACATED
from registry.rules.verdicts import Call, Effects, Refusal, Verdict, together
from registry.state import Put, State, put_of
from registry.transactions.external_claims import EndExternalClaim, RecordExternalClaim, Shown

__all__ = ["carried_over", "end_external_claim", "record_external_claim", "to_look_at"]

# Others may not use up what whoever stands in the debt may say of it.
_WITH_PLACES: Final = frozenset({"registrant", "debtor"})
_OTHERS_MAX: Final = EXTERNAL_CLAIMS_MAX - len(_WITH_PLACES) * EXTERNAL_CLAIMS_BY_MAX

STATED_GRADES = frozenset({"self_asserted", "document"})  # what anybody may say of its own evidence


def to_look_at(state: State, receivable: Receivable) -> tuple[bytes, ...]:
    """The external claims that stand on a receivable, then those on its lineage: what funding must acknowledge.

    Relatives that are over have nothing left that anybody could claim. Of very many the first ones stand for the rest.
    """
    find = finder(state, receivable)
    relatives = [*ancestors(receivable, find), *descendants(receivable, find)]
    members = (receivable, *(one for one in relatives if one.state not in VACATED))
    standing = (claim for member in members for claim in _listed(state, member.id).standing)
    return tuple(islice(standing, EXTERNAL_LOOKED_AT_MAX))


def record_external_claim(call: Call, operation: RecordExternalClaim) -> Verdict:
    """The sender says what is asserted elsewhere; who stands on the receivable hears of it."""
    subject = call.resolve(operation.receivable)
    receivable = call.state.receivable(subject)
    if receivable is None:
        return Refusal(NOT_FOUND, subject)
    capacity = _capacity(call, receivable, operation.shown)
    if isinstance(capacity, Refusal):
        return capacity
    if receivable.state not in OPEN:
        return Refusal(BAD_STATE, subject)
    if not (operation.grade in STATED_GRADES or (capacity == "debtor" and operation.grade == "debtor_confirmed")):
        return Refusal(GRADE_UNPROVEN, subject)
    if max(operation.concluded_ms, operation.entered_ms) > call.now_ms:
        return Refusal(IMPOSSIBLE_TIME, subject)
    if isinstance(operation.assignee, str) and call.state.party(operation.assignee) is None:
        return Refusal(UNKNOWN_PARTY, subject)
    listed = _listed(call.state, subject)
    standing = [_claim(call.state, claim) for claim in listed.standing]
    own = [one for one in standing if one.by == call.sender.id]
    others = [one for one in standing if one.capacity not in _WITH_PLACES]
    full = len(others) >= _OTHERS_MAX if capacity not in _WITH_PLACES else len(standing) >= EXTERNAL_CLAIMS_MAX
    if full or len(own) >= EXTERNAL_CLAIMS_BY_MAX:
        return Refusal(LIMIT_REACHED, subject)
    same = [one.id for one in own if _is_same(one, operation)]
    if same:
        return Refusal(ALREADY_DONE, subject, tuple(same))
    claim = ExternalClaim(
        id=call.created_id(),
        receivable=subject,
        by=call.sender.id,
        capacity=capacity,
        source=operation.source,
        reference=operation.reference,
        assignee=operation.assignee,
        share=operation.share,
        concluded_ms=operation.concluded_ms,
        entered_ms=operation.entered_ms,
        grade=operation.grade,
        recorded_ms=call.now_ms,
    )
    kept = [one for one in listed.claims if one.stands]
    longer = replace(listed, claims=(*kept, Asserted(claim.id, claim.by, stands=True)))
    event = Event("external_claim_recorded", claim.id, _concerned(call, claim, receivable), claim.source)
    return Effects(claim.id, puts=(put_of(claim), put_of(longer)), related=(subject,), events=(event,))


def end_external_claim(call: Call, operation: EndExternalClaim) -> Verdict:
    """It asks for no attention any more, whatever has become of the receivable meanwhile."""
    subject = call.resolve(operation.external_claim)
    claim = call.state.find(ExternalClaim, subject)
    if claim is None:
        return Refusal(NOT_FOUND, subject)
    if call.sender.id not in (claim.by, claim.member):
        return Refusal(NOT_AUTHORISED, subject)
    if not claim.stands:
        return Refusal(ALREADY_DONE, subject)
    ended = replace(
        claim,
        ground=operation.ground,
        ended_by=call.sender.id,
        ended_ms=call.now_ms,
        end_digest=operation.evidence_digest,
    )
    listed = _listed(call.state, claim.receivable)
    kept = tuple([one._replace(stands=False) if one.claim == subject else one for one in listed.claims])
    receivable = call.state.receivable(claim.receivable)
    assert receivable is not None, "an external claim is on a receivable that is not there"
    event = Event("external_claim_ended", subject, _concerned(call, claim, receivable), ended.ground)
    puts = (put_of(ended), put_of(replace(listed, claims=kept)))
    return Effects(subject, puts=puts, related=(claim.receivable,), events=(event,))


def carried_over(state: State, old: Receivable, heir: bytes) -> tuple[Put, ...]:
    """A correction hides nothing: what stands on the superseded registration stands on the one in its place."""
    listed = _listed(state, old.id)
    if not listed.claims:
        return ()
    moved = [replace(_claim(state, claim), receivable=heir) for claim in listed.standing]
    return (put_of(replace(listed, id=heir)), *map(put_of, moved))


def _capacity(call: Call, receivable: Receivable, shown: Shown) -> str | Refusal:
    """As whom the sender may say something of the receivable: the rule at the top of this module."""
    sender = call.sender
    if not may(sender, "record_external"):
        return Refusal(NOT_AUTHORISED, receivable.id)
    match shown:
        case ("debtor", bytes(salt), str(identifier)):
            debtor = debtor_of(call, receivable, salt=salt, identifier=identifier, action="record_external")
            if isinstance(debtor, Refusal):
                return debtor
            return "debtor" if debtor.id == sender.id else Refusal(NOT_DEBTOR, receivable.id)
        case ("fingerprint", kind, value):
            if may(sender, "hold") and (kind, value) in receivable.fingerprints:
                return "searcher"
        case ():
            if sender.id == receivable.debtor or (sender.id == receivable.registrant and receivable.kind == "payable"):
                return "debtor"
            if sender.id == receivable.registrant:
                return "registrant"
            if sender.id in (*side_of(call.state, receivable, call.now_ms), *_with_blanket(call, receivable)):
                return "financier"
    return Refusal(NOT_AUTHORISED, receivable.id)


def _concerned(call: Call, claim: ExternalClaim, receivable: Receivable) -> tuple[str, ...]:
    """Who hears of it: its two sides, the receivable's, and whose claims or blankets weigh on that."""
    parties = [*claim.concerns(), *side_of(call.state, receivable, call.now_ms), *_with_blanket(call, receivable)]
    parties += holders_of_live(call, live_in_lineage(call, receivable))
    return together(*parties, *((receivable.debtor,) if receivable.debtor else ()))


def _with_blanket(call: Call, receivable: Receivable) -> list[str]:
    covered = covering(call.state, receivable, call.now_ms)
    return [one.financier for one in covered if not carved_out(call.state, one, receivable)]


def _is_same(claim: ExternalClaim, operation: RecordExternalClaim) -> bool:
    """Whether the operation says again what was recorded: of one document, who has what."""
    recorded = (claim.source, claim.reference, claim.assignee, claim.share)
    return recorded == (operation.source, operation.reference, operation.assignee, operation.share)


def _listed(state: State, receivable: bytes) -> ExternalClaims:
    return state.find(ExternalClaims, receivable) or ExternalClaims(receivable, ())


def _claim(state: State, claim: bytes) -> ExternalClaim:
    found = state.find(ExternalClaim, claim)
    assert found is not None, "a receivable's list names an external claim that is not there"
    return found
