"""Claims, and THE INVARIANT that stops double financing (registry.md 4 and 5).

    On a receivable, its ancestors and its descendants:   direct + down + up <= collectible

`overfull` below is that sentence; `lineage` defines its terms. It is asked whenever a share is taken (reserve) and
again when money has moved (fund); nothing else in the registry lets a claim take up a share. If less is collectible
later, claims stay as they are and `consequences.over_advanced` says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias

from registry.events import Event
from registry.limits import CLAIMS_MAX, HOLDERS_MAX
from registry.reasons import (
    ALREADY_DONE,
    ATTESTATION_LAPSED,
    BAD_STATE,
    DOUBLE_CONFIRMED,
    IMPOSSIBLE_TIME,
    LIMIT_REACHED,
    NOT_AUTHORISED,
    NOT_FOUND,
    NOT_HOLDER,
    NOT_OFFERED,
    OFFER_EXPIRED,
    OVER_RESIDUAL,
    SUSPENDED,
    UNACKNOWLEDGED_MATCH,
    UNKNOWN_PARTY,
)
from registry.records import Claim, Receivable, revised
from registry.records.notices import Notified
from registry.rules.attestations import lapsed
from registry.rules.blankets import blanket_in_the_way, blankets_to_look_at
from registry.rules.consequences import (
    close_if_done,
    holders_of_live,
    lineage_puts,
    live_in_lineage,
    parties_concerned,
    with_claim,
)
from registry.rules.double_confirmation import confirmed_elsewhere
from registry.rules.external_claims import to_look_at
from registry.rules.lineage import Encumbrance, ancestors, came_to_nothing, descendants, finder
from registry.rules.listing import relisted
from registry.rules.matches import matches_to_look_at, standing_at
from registry.rules.roles import may
from registry.rules.suspension import disputes_to_look_at, suspended
from registry.rules.transitions import DENIED, OPEN, claim_obstacle
from registry.rules.verdicts import Call, Effects, Refusal, Verdict, first, together
from registry.state import State, claim_key, receivable_key
from registry.transactions.claims import Cover, Discharge, Fund, Offer, Reassign, Release, Reserve, Revoke
from registry.transactions.fields import Ref

__all__ = [
    "cover",
    "discharge",
    "fund",
    "fund_at_once",
    "offer",
    "overfull",
    "reassign",
    "release",
    "reserve",
    "revoke",
]

_Step: TypeAlias = "Refusal | tuple[Claim, Receivable]"  # claim and receivable as they become


def overfull(receivable: Receivable, state: State, now_ms: int) -> Receivable | None:
    """THE INVARIANT: the first record on which claims would exceed what is collectible, None if all is well.

    `receivable` is the record as it would be with the claim in question. Ancestors count whatever their state: an
    instalment is worth no more than what is left of its invoice, and nothing is left of a cancelled one. Descendants
    that take no claims any more are left out: nothing is lent on them again, and a cancelled invoice gives its part of
    the order back; what was paid or claimed on them still counts for the others.
    """
    find = finder(state, receivable)
    claimed = Encumbrance(find, now_ms)
    below = [one for one in descendants(receivable, find) if one.state in OPEN and not came_to_nothing(one, claimed)]
    for record in (receivable, *ancestors(receivable, find), *below):
        if claimed.on(record) > record.collectible:
            return record
    return None


def offer(call: Call, operation: Offer) -> Verdict:
    """The registrant offers a share to a financier. Takes up nothing yet: several may be offered the same."""
    made = _offered(call, operation)
    return made if isinstance(made, Refusal) else _changed(call, *made, "offered")


def _offered(call: Call, operation: Offer) -> _Step:
    subject = call.resolve(operation.receivable)
    receivable = call.state.receivable(subject)
    if receivable is None:
        return Refusal(NOT_FOUND, subject)
    assignor = call.signer(receivable.registrant)
    if assignor is None or not may(assignor, "offer"):
        return Refusal(NOT_AUTHORISED, subject)
    financier = call.state.party(operation.to)
    if financier is None:
        return Refusal(UNKNOWN_PARTY, subject)
    if financier.suspended:
        return Refusal(SUSPENDED, subject)
    if not may(financier, "hold"):
        return Refusal(NOT_AUTHORISED, subject)
    if operation.import_factor and (obstacle := _no_import_factor(call, operation)) is not None:
        return Refusal(obstacle, subject)
    closed = _closed(call, receivable, subject)
    if closed is not None:
        return closed
    if operation.valid_until_ms < call.now_ms:
        return Refusal(OFFER_EXPIRED, subject)
    disputed = suspended(call, receivable, subject)
    if disputed is not None:
        return disputed
    if operation.concluded_ms > call.now_ms:
        return Refusal(IMPOSSIBLE_TIME, subject)
    if len(receivable.claims) >= CLAIMS_MAX:
        return Refusal(LIMIT_REACHED, subject)
    claim = Claim(
        id=call.created_id(),
        receivable=subject,
        assignor=assignor.id,
        holder=financier.id,
        share=operation.share,
        state="offered",
        terms_digest=operation.terms_digest,
        form=operation.form,
        import_factor=operation.import_factor,
        covered=0,
        concluded_ms=operation.concluded_ms,
        offer_valid_until_ms=operation.valid_until_ms,
        reserved_until_ms=0,
        funded_ms=0,
        holders=(),
    )
    return claim, revised(receivable, claims=(*receivable.claims, claim.id))


def revoke(call: Call, operation: Revoke) -> Verdict:
    """The assignor takes back an offer that nobody has reserved."""
    found = _found(call, operation.claim)
    if isinstance(found, Refusal):
        return found
    claim, _ = found
    assignor = call.signer(claim.assignor)
    if assignor is None or not may(assignor, "revoke"):
        return Refusal(NOT_AUTHORISED, claim.id)
    obstacle = claim_obstacle(claim, "revoke", call.now_ms)
    if obstacle is not None:
        return Refusal(obstacle, claim.id)
    return _changed(call, revised(claim, state="revoked"), None, "revoked")


def reserve(call: Call, operation: Reserve) -> Verdict:
    """The financier takes up its offer, if the share is still free: whoever is finalised first."""
    found = _found(call, operation.claim)
    made = found if isinstance(found, Refusal) else _reserved(call, *found, operation.ttl_ms)
    return made if isinstance(made, Refusal) else _changed(call, *made, "reserved")


def _reserved(call: Call, claim: Claim, receivable: Receivable, ttl_ms: int) -> _Step:
    financier = call.signer(claim.holder)
    if financier is None:
        return Refusal(NOT_OFFERED, claim.id)
    if not may(financier, "hold"):
        return Refusal(NOT_AUTHORISED, claim.id)
    obstacle = claim_obstacle(claim, "reserve", call.now_ms)
    if obstacle is not None:
        return Refusal(obstacle, claim.id)
    if claim.offer_valid_until_ms < call.now_ms:
        return Refusal(OFFER_EXPIRED, claim.id)
    closed = _closed(call, receivable, claim.id)
    if closed is not None:
        return closed
    disputed = suspended(call, receivable, claim.id, claim)
    if disputed is not None:
        return disputed
    reserved = revised(claim, state="reserved", reserved_until_ms=call.now_ms + ttl_ms, reserved_ms=call.now_ms)
    covered = blanket_in_the_way(call, reserved, receivable)
    if covered is not None:
        return covered
    encumbered = with_claim(call, receivable, reserved)
    broken = overfull(encumbered, call.state, call.now_ms)
    if broken is not None:
        return _in_the_way(call, reserved, broken)
    return reserved, encumbered


def fund(call: Call, operation: Fund) -> Verdict:
    """The financier has paid out on its reservation, having looked at matches, claims outside and disputes that run."""
    found = _held(call, operation.claim, "fund")
    made = found if isinstance(found, Refusal) else _funded(call, *found, operation.acknowledged)
    return made if isinstance(made, Refusal) else _financed(call, *made)


def _financed(call: Call, claim: Claim, receivable: Receivable, *, before: tuple[Event, ...] = ()) -> Verdict:
    """The effects of funding, after which whoever has a fingerprint in common finds the receivable in any case."""
    lists = relisted(call, receivable)
    if isinstance(lists, Refusal):
        return lists
    puts, events = lists
    funded = _changed(call, claim, receivable, "funded", before=before, events=tuple(events))
    return replace(funded, puts=(*funded.puts, *puts, *lineage_puts(call, receivable)))


def _funded(call: Call, claim: Claim, receivable: Receivable, looked_at: tuple[Ref, ...]) -> _Step:
    financier = call.signer(claim.holder)
    assert financier is not None, "the holder has signed"
    if not may(financier, "hold"):
        return Refusal(NOT_AUTHORISED, claim.id)
    closed = _closed(call, receivable, claim.id)
    if closed is not None:
        return closed
    disputed = suspended(call, receivable, claim.id, claim)
    if disputed is not None:
        return disputed
    assignor = call.state.party(claim.assignor)
    assert assignor is not None, "an assignor is a party"
    if assignor.suspended:
        return Refusal(SUSPENDED, claim.id)
    if lapsed(assignor, call.now_ms) or lapsed(financier, call.now_ms):
        return Refusal(ATTESTATION_LAPSED, claim.id)
    matches = matches_to_look_at(receivable, call.state, call.now_ms)
    if matches is None:
        return Refusal(LIMIT_REACHED, claim.id)
    twins = confirmed_elsewhere(receivable, matches, call.state)
    if twins:
        concerned = [party for twin in twins for party in (twin.debtor, *parties_concerned(call, twin.id))]
        parties = together(claim.assignor, claim.holder, *concerned)
        event = Event("refused_claim", claim.id, parties, DOUBLE_CONFIRMED)
        return Refusal(DOUBLE_CONFIRMED, claim.id, first(twin.id for twin in twins), (event,))
    acknowledged = {call.resolve(ref) for ref in looked_at}
    beside = blankets_to_look_at(call.state, receivable, claim.holder, call.now_ms)
    disputes = disputes_to_look_at(call.state, receivable, call.now_ms)
    review = standing_at(matches, receivable, claim.reserved_ms, call.state)
    wanted = (*matches.blocking, *review, *to_look_at(call.state, receivable), *disputes, *beside)
    missing = first(other for other in wanted if other not in acknowledged)
    if missing:
        parties = together(claim.assignor, claim.holder)
        event = Event("refused_claim", claim.id, parties, UNACKNOWLEDGED_MATCH)
        return Refusal(UNACKNOWLEDGED_MATCH, claim.id, missing, (event,))
    funded = revised(claim, state="funded", funded_ms=call.now_ms, holders=(claim.holder,))
    encumbered = with_claim(call, receivable, funded)
    broken = overfull(encumbered, call.state, call.now_ms)
    if broken is not None:
        return _in_the_way(call, funded, broken)
    return funded, encumbered


def fund_at_once(call: Call, operation: Offer, acknowledged: tuple[Ref, ...]) -> Verdict:
    """Offered, reserved and funded in one operation that both sides sign, by the rules of all three: or not at all."""
    made = _offered(call, operation)
    if not isinstance(made, Refusal):
        made = _reserved(call, *made, ttl_ms=0)
    if not isinstance(made, Refusal):
        made = _funded(call, *made, acknowledged)
    if isinstance(made, Refusal):
        return made
    claim, _ = made
    offered = Event("offered", claim.id, together(claim.assignor, claim.holder), str(claim.share))
    return _financed(call, *made, before=(offered,))


def cover(call: Call, operation: Cover) -> Verdict:
    """The import factor says for how much of the claim it bears the credit risk; that may change while it is live."""
    found = _found(call, operation.claim)
    if isinstance(found, Refusal):
        return found
    claim, _ = found
    if not claim.import_factor or call.signer(claim.import_factor) is None:
        return Refusal(NOT_AUTHORISED, claim.id)
    obstacle = claim_obstacle(claim, "cover", call.now_ms)
    if obstacle is not None:
        return Refusal(obstacle, claim.id)
    if operation.share > claim.share:
        return Refusal(OVER_RESIDUAL, claim.id)
    covered = revised(claim, covered=operation.share)
    event = Event(
        "covered", claim.id, together(claim.assignor, claim.holder, claim.import_factor), str(operation.share)
    )
    return Effects(claim.id, puts=((claim_key(claim.id), covered),), events=(event,))


def reassign(call: Call, operation: Reassign) -> Verdict:
    """A funded claim goes to another financier, or back to the assignor (recourse); holder and taker have signed.

    From the assignor it goes no further: that would be new money, for which it is released and offered anew.
    """
    found = _held(call, operation.claim, "reassign")
    if isinstance(found, Refusal):
        return found
    claim, receivable = found
    if claim.holder == claim.assignor:
        return Refusal(BAD_STATE, claim.id)
    if call.state.party(operation.to) is None:
        return Refusal(UNKNOWN_PARTY, claim.id)
    if operation.to == claim.holder:
        return Refusal(ALREADY_DONE, claim.id)
    taker = call.signer(operation.to)
    if taker is None or not (may(taker, "hold") or taker.id == claim.assignor):
        return Refusal(NOT_AUTHORISED, claim.id)
    if len(claim.holders) >= HOLDERS_MAX:
        return Refusal(LIMIT_REACHED, claim.id)
    disputed = suspended(call, receivable, claim.id, claim, below=False)
    if disputed is not None:
        return disputed
    reassigned = revised(claim, holder=taker.id, holders=(*claim.holders, taker.id))
    if taker.id == claim.import_factor:  # nobody covers its own risk
        reassigned = revised(reassigned, import_factor="", covered=0)
    return _changed(call, reassigned, None, "reassigned", claim.holder)


def release(call: Call, operation: Release) -> Verdict:
    """The holder gives the claim up; its share is free again."""
    found = _held(call, operation.claim, "release")
    if isinstance(found, Refusal):
        return found
    claim, receivable = found
    released = revised(claim, state="released")
    closed, closing = close_if_done(call, with_claim(call, receivable, released))
    effects = _changed(call, released, closed, "released", events=closing)
    return replace(effects, puts=(*effects.puts, *lineage_puts(call, closed)))


def discharge(call: Call, operation: Discharge) -> Verdict:
    """The debtor has paid the holder: the share is no longer outstanding, nor collectible, nor free."""
    found = _held(call, operation.claim, "discharge")
    if isinstance(found, Refusal):
        return found
    claim, receivable = found
    outstanding = claim.share - operation.share
    if outstanding < 0:
        return Refusal(OVER_RESIDUAL, claim.id)
    discharged = revised(
        claim,
        share=outstanding,
        covered=min(claim.covered, outstanding),
        state="funded" if outstanding else "discharged",
    )
    paid = revised(
        with_claim(call, receivable, discharged),
        collectible=max(0, receivable.collectible - operation.share),  # below zero only if over-advanced
        paid=receivable.paid + operation.share,
    )
    closed, closing = close_if_done(call, paid)
    return _changed(call, discharged, closed, "discharged", events=closing)


def _closed(call: Call, receivable: Receivable, subject: bytes) -> Refusal | None:
    """The refusal of a claim on what takes none any more, or is a part of what was rejected or voided (listed).

    A part that is owed all the same is registered anew, by a correction without that link: then who finances it is
    shown what was rejected.
    """
    if receivable.state not in OPEN:
        return Refusal(BAD_STATE, subject)
    above = ancestors(receivable, finder(call.state, receivable))
    denied = first(one.id for one in above if one.state in DENIED)
    return Refusal(BAD_STATE, subject, denied) if denied else None


def _no_import_factor(call: Call, operation: Offer) -> str | None:
    """Why the party named may not be the import factor of this claim."""
    factor = call.state.party(operation.import_factor)
    if factor is None:
        return UNKNOWN_PARTY
    if factor.suspended:
        return SUSPENDED
    return None if may(factor, "hold") and factor.id != operation.to else NOT_AUTHORISED


def _found(call: Call, ref: Ref) -> Refusal | tuple[Claim, Receivable]:
    subject = call.resolve(ref)
    claim = call.state.claim(subject)
    if claim is None:
        return Refusal(NOT_FOUND, subject)
    receivable = call.state.receivable(claim.receivable)
    assert receivable is not None, "a claim is on a receivable that is not there"
    return claim, receivable


def _held(call: Call, ref: Ref, operation: str) -> Refusal | tuple[Claim, Receivable]:
    """The claim of a holder who has signed, in a state that allows the operation."""
    found = _found(call, ref)
    if isinstance(found, Refusal):
        return found
    claim, _ = found
    if call.signer(claim.holder) is None:
        return Refusal(NOT_HOLDER, claim.id)
    obstacle = claim_obstacle(claim, operation, call.now_ms)
    return Refusal(obstacle, claim.id) if obstacle is not None else found


def _changed(
    call: Call,
    claim: Claim,
    receivable: Receivable | None,
    kind: str,
    *parties: str,
    before: tuple[Event, ...] = (),
    events: tuple[Event, ...] = (),
) -> Effects:
    """The effects of a change of a claim (and of its receivable): both sides of it hear of it, and `parties`."""
    others = (*((claim.import_factor,) if claim.import_factor else ()), *_debtor_told(call, claim), *parties)
    event = Event(kind, claim.id, together(claim.assignor, claim.holder, *others), str(claim.share))
    puts = ((claim_key(claim.id), claim),)
    if receivable is None:
        return Effects(claim.id, puts=puts, events=(*before, event, *events))
    return Effects(
        claim.id, puts=(*puts, (receivable_key(receivable.id), receivable)), events=(*before, event, *events)
    )


def _debtor_told(call: Call, claim: Claim) -> tuple[str, ...]:
    """The debtor, once known, of a claim of which it was given notice: it must know whom to pay. Of no other claim."""
    if call.state.find(Notified, claim.id) is None:
        return ()
    receivable = call.state.receivable(claim.receivable)
    assert receivable is not None, "a claim is on a receivable that is not there"
    return (receivable.debtor,) if receivable.debtor else ()


def _in_the_way(call: Call, claim: Claim, broken: Receivable) -> Refusal:
    """The refusal of a claim that would break the invariant: evidence for the first holders and for the applicant.

    It names the record that would be overfull and the live claims that weigh on it.
    """
    others = [live for live in live_in_lineage(call, broken) if live.claim != claim.id]
    related = first((broken.id, *(live.claim for live in others)))
    parties = together(claim.assignor, claim.holder, *holders_of_live(call, others))
    event = Event("refused_claim", claim.id, parties, OVER_RESIDUAL)
    return Refusal(OVER_RESIDUAL, claim.id, related, (event,))
