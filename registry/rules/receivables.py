"""Receivables: registration, the debtor's answer, credit notes (registry.md 4).

A debtor answers once. What it does not confirm is not collectible (no more than an accepted dispute is), so a part
confirmation lowers `collectible` to the share confirmed and leaves the rest to be settled between the parties.
"""

from __future__ import annotations

from dataclasses import replace

from registry.events import Event
from registry.fingerprint import ACCOUNT
from registry.limits import CHILDREN_MAX, FAMILY_MAX, LINEAGE_DEPTH_MAX, PRINT_HOLDERS_MAX
from registry.money import WHOLE
from registry.parties import Party
from registry.reasons import (
    BAD_STATE,
    DUPLICATE,
    GRADE_UNPROVEN,
    LIMIT_REACHED,
    NOT_AUTHORISED,
    NOT_DEBTOR,
    NOT_FOUND,
    OTHER_PARTICULARS,
    OVER_PARENT,
    OVER_RESIDUAL,
)
from registry.records import Link, Receivable
from registry.rules.blankets import blanket_events
from registry.rules.consequences import close_if_done, over_advanced, parties_concerned
from registry.rules.lineage import family, finder, levels
from registry.rules.matches import matches_of
from registry.rules.roles import may
from registry.rules.transitions import OPEN, VACATED, receivable_obstacle
from registry.rules.verdicts import Call, Effects, Refusal, Verdict, first, together
from registry.state import Put, print_key, receivable_key
from registry.transactions.receivables import Adjust, Confirm, Register, Reject, debtor_commitment

__all__ = ["adjust", "confirm", "register", "reject"]

SELF_STATED_GRADES = frozenset({"self_asserted", "document"})  # what a registrant may say of itself


def register(call: Call, operation: Register) -> Verdict:
    """The sender registers a receivable, unless it is a certain duplicate; what is alike is listed."""
    registrant = call.sender
    if not may(registrant, "register_payable" if operation.kind == "payable" else "register"):
        return Refusal(NOT_AUTHORISED)
    if operation.grade not in SELF_STATED_GRADES:
        return Refusal(GRADE_UNPROVEN)
    receivable = _new(call, operation, registrant)
    adopted = _adopted(call, receivable) if receivable.parents else ()
    if isinstance(adopted, Refusal):
        return adopted
    matches = matches_of(receivable, call.state, call.now_ms)
    if matches is None:
        return Refusal(LIMIT_REACHED)
    if matches.blocking:
        related = first(matches.blocking)
        events = [
            Event("refused_duplicate", other, together(registrant.id, *parties_concerned(call, other)))
            for other in related
        ]
        return Refusal(DUPLICATE, related=related, events=tuple(events))
    puts: list[Put] = [(receivable_key(receivable.id), receivable), *adopted]
    for kind, value in receivable.fingerprints:
        if kind == ACCOUNT:
            continue
        holders = call.state.holders(kind, value)
        if len(holders) >= PRINT_HOLDERS_MAX:
            return Refusal(LIMIT_REACHED, related=first(holders))
        puts.append((print_key(kind, value), (*holders, receivable.id)))
    related = first(matches.review)
    events = [Event("registered", receivable.id, (registrant.id,)), *blanket_events(call, receivable)]
    for other in related:
        sides = together(registrant.id, *parties_concerned(call, other))
        events.append(Event("matched", receivable.id, sides, other.hex()))
    return Effects(receivable.id, puts=tuple(puts), related=related, events=tuple(events))


def confirm(call: Call, operation: Confirm) -> Verdict:
    """The debtor confirms a share; less than what is collectible makes it part_confirmed and lowers that."""
    found = _answered(call, operation)
    if isinstance(found, Refusal):
        return found
    receivable, debtor = found
    if operation.commitment != receivable.commitment:
        return Refusal(OTHER_PARTICULARS, receivable.id)
    whole = operation.share >= receivable.collectible
    confirmed = replace(
        receivable,
        state="confirmed" if whole else "part_confirmed",
        collectible=min(receivable.collectible, operation.share),
        confirmed_share=operation.share,
        debtor=debtor.id,
        grade="debtor_confirmed",
    )
    concerned = together(debtor.id, *parties_concerned(call, receivable.id))
    events = [Event("confirmed", receivable.id, concerned, str(operation.share))]
    if not whole:
        events += over_advanced(call, confirmed)
    return Effects(receivable.id, puts=((receivable_key(receivable.id), confirmed),), events=tuple(events))


def reject(call: Call, operation: Reject) -> Verdict:
    """The debtor denies the debt: no new claim, and no certain fingerprint of it blocks another any more."""
    found = _answered(call, operation)
    if isinstance(found, Refusal):
        return found
    receivable, debtor = found
    rejected = replace(receivable, state="rejected", debtor=debtor.id)
    concerned = together(debtor.id, *parties_concerned(call, receivable.id))
    event = Event("rejected", receivable.id, concerned)
    return Effects(receivable.id, puts=((receivable_key(receivable.id), rejected),), events=(event,))


def adjust(call: Call, operation: Adjust) -> Verdict:
    """The registrant's credit note: less is collectible. Claims keep their share and priority, see `over_advanced`."""
    subject = call.resolve(operation.receivable)
    receivable = call.state.receivable(subject)
    if receivable is None:
        return Refusal(NOT_FOUND, subject)
    registrant = call.signer(receivable.registrant)
    if registrant is None or not may(registrant, "adjust"):
        return Refusal(NOT_AUTHORISED, subject)
    obstacle = receivable_obstacle(receivable, "adjust")
    if obstacle is not None:
        return Refusal(obstacle, subject)
    if operation.reduction_share > receivable.collectible:
        return Refusal(OVER_RESIDUAL, subject)
    adjusted = replace(receivable, collectible=receivable.collectible - operation.reduction_share)
    concerned = parties_concerned(call, subject)
    events = [Event("adjusted", subject, concerned, str(adjusted.collectible)), *over_advanced(call, adjusted)]
    closed, closing = close_if_done(call, adjusted)
    return Effects(subject, puts=((receivable_key(subject), closed),), events=(*events, *closing))


def _new(call: Call, operation: Register, registrant: Party) -> Receivable:
    return Receivable(
        id=call.created_id(),
        registrant=registrant.id,
        kind=operation.kind,
        state="registered",
        collectible=WHOLE,
        paid=0,
        confirmed_share=0,
        commitment=operation.commitment,
        debtor_commitment=operation.debtor_commitment,
        debtor="",
        seller_country=operation.seller_country,
        debtor_country=operation.debtor_country,
        laws=operation.laws,
        currency=operation.currency,
        due_month=operation.due_month,
        grade=operation.grade,
        fingerprints=operation.fingerprints,
        parents=tuple([Link(call.resolve(parent), up, down) for parent, up, down in operation.parents]),
        children=(),
        live=(),
        claims=(),
        references=operation.references,
    )


def _adopted(call: Call, child: Receivable) -> Refusal | tuple[Put, ...]:
    """The parents with their new child, or why they cannot have it."""
    parents: list[Receivable] = []
    for link in child.parents:
        parent = call.state.receivable(link.receivable)
        if parent is None:
            return Refusal(NOT_FOUND, related=(link.receivable,))
        if parent.registrant != child.registrant:
            return Refusal(NOT_AUTHORISED, related=(parent.id,))
        if parent.state not in OPEN:
            return Refusal(BAD_STATE, related=(parent.id,))
        parents.append(parent)
    find = finder(call.state, child)
    if levels(child, find) > LINEAGE_DEPTH_MAX or len(family(parents, find)) >= FAMILY_MAX:
        return Refusal(LIMIT_REACHED, related=first(parent.id for parent in parents))
    puts: list[Put] = []
    for parent, link in zip(parents, child.parents, strict=True):
        if len(parent.children) >= CHILDREN_MAX:
            return Refusal(LIMIT_REACHED, related=(parent.id,))
        fulfilled = sum(
            other.part_of_parent for other in parent.children if find(other.receivable).state not in VACATED
        )
        if fulfilled + link.part_of_parent > WHOLE:
            return Refusal(OVER_PARENT, related=(parent.id,))
        to_child = Link(child.id, link.part_of_parent, link.part_of_child)
        puts.append((receivable_key(parent.id), replace(parent, children=(*parent.children, to_child))))
    return tuple(puts)


def _answered(call: Call, operation: Confirm | Reject) -> Refusal | tuple[Receivable, Party]:
    """The receivable and the debtor that answers for it, which opens its commitment, or why it may not."""
    subject = call.resolve(operation.receivable)
    receivable = call.state.receivable(subject)
    if receivable is None:
        return Refusal(NOT_FOUND, subject)
    opened = debtor_commitment(salt=operation.salt, identifier=operation.identifier)
    named = call.state.party_of_alias(operation.identifier)
    debtor = None if named is None else call.signer(named.id)
    if opened != receivable.debtor_commitment or debtor is None:
        return Refusal(NOT_DEBTOR, subject)
    # A seller that names itself as debtor would vouch for its own invoice; a payable is the debtor's own word.
    own_word = debtor.id == receivable.registrant and receivable.kind != "payable"
    if own_word or not may(debtor, operation.NAME):
        return Refusal(NOT_AUTHORISED, subject)
    obstacle = receivable_obstacle(receivable, operation.NAME)
    return Refusal(obstacle, subject) if obstacle is not None else (receivable, debtor)
