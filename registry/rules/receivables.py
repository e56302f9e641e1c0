"""Receivables: registration, the debtor's answer, credit notes (registry.md 4).

A debtor answers once. What it does not confirm is not collectible (no more than an accepted dispute is), so a part
confirmation lowers `collectible` to the share confirmed and leaves the rest to be settled between the parties.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from registry.events import Event
from registry.limits import CHILDREN_MAX, FAMILY_MAX, LINEAGE_DEPTH_MAX, MATCHES_MAX, RELATED_MAX, UNLINKED_MAX
from registry.money import WHOLE
from registry.parties import Party
from registry.reasons import (
    ALREADY_DONE,
    ATTESTATION_LAPSED,
    BAD_STATE,
    DISPUTED,
    DOUBLE_CONFIRMED,
    DUPLICATE,
    ENCUMBERED,
    GRADE_UNPROVEN,
    LIMIT_REACHED,
    NO_PARENT,
    NOT_AUTHORISED,
    NOT_FOUND,
    OTHER_PARTICULARS,
    OVER_PARENT,
    OVER_RESIDUAL,
)
from registry.records import Link, Receivable, revised
from registry.records.credit_notes import CreditNote
from registry.rules.attestations import lapsed
from registry.rules.blankets import blanket_events
from registry.rules.consequences import (
    credited,
    holders_of_live,
    lineage_financed,
    live_in_lineage,
    over_advanced,
    sides_of,
    standing_on,
)
from registry.rules.debtors import debtor_of
from registry.rules.double_confirmation import confirmed_twice, twins
from registry.rules.external_claims import carried_over
from registry.rules.lineage import Encumbrance, ancestors, family, finder, levels, live_at, vacated
from registry.rules.listing import answered, listed
from registry.rules.matches import matches_of
from registry.rules.roles import may
from registry.rules.suspension import open_on
from registry.rules.transitions import DENIED, OPEN, RECEIVABLE_STEPS, receivable_obstacle
from registry.rules.verdicts import Call, Effects, Refusal, Verdict, first, together
from registry.state import Put, put_of, receivable_key
from registry.transactions.fields import Ref
from registry.transactions.receivables import Adjust, Confirm, Register, Reject

__all__ = ["adjust", "confirm", "register", "reject"]

SELF_STATED_GRADES = frozenset({"self_asserted", "document"})  # what a registrant may say of itself


def register(call: Call, operation: Register) -> Verdict:
    """The sender registers a receivable, unless it is a certain duplicate; what is alike is listed."""
    registrant = call.sender
    if not may(registrant, "register_payable" if operation.kind == "payable" else "register"):
        return Refusal(NOT_AUTHORISED)
    if lapsed(registrant, call.now_ms):
        return Refusal(ATTESTATION_LAPSED)
    if operation.grade not in SELF_STATED_GRADES:
        return Refusal(GRADE_UNPROVEN)
    if operation.kind == "instalment" and not operation.parents:
        return Refusal(NO_PARENT)
    receivable = _new(call, operation, registrant)
    replaced = _superseded(call, operation, operation.supersedes) if operation.supersedes is not None else ()
    if isinstance(replaced, Refusal):
        return replaced
    adopted = _adopted(call, receivable, replaced) if receivable.parents else ()
    if isinstance(adopted, Refusal) and adopted.code != OVER_PARENT:
        return adopted
    matches = matches_of(receivable, call.state, call.now_ms, replaced=replaced)
    if matches is None:
        return Refusal(LIMIT_REACHED)
    if matches.blocking:
        told = matches.blocking[:MATCHES_MAX]
        sides = sides_of(call, told, {registrant.id})
        refused = [
            Event("refused_duplicate", other, together(registrant.id, *side))
            for other, side in zip(told, sides, strict=True)
        ]
        return Refusal(DUPLICATE, related=first(matches.blocking), events=tuple(refused))
    if isinstance(adopted, Refusal):  # a copy takes up its parent once more, and is refused as what it is
        return adopted
    if replaced:
        receivable = revised(receivable, unlinked=_unlinked(call, receivable, *replaced))
        if len(receivable.unlinked) > UNLINKED_MAX:
            return Refusal(LIMIT_REACHED, related=first(receivable.unlinked))
    if receivable.parents and lineage_financed(call, receivable):
        receivable = revised(receivable, lineage_financed=True)
    puts: list[Put] = [(receivable_key(receivable.id), receivable), *adopted, *map(put_of, replaced)]
    lists = listed(call, receivable, [old.id for old in replaced])
    if isinstance(lists, Refusal):
        return lists
    puts += lists[0]
    related = first(matches.review)
    events = [Event("registered", receivable.id, (registrant.id,)), *blanket_events(call, receivable), *lists[1]]
    for old in replaced:
        puts += carried_over(call.state, old, receivable.id)
        events.append(Event("superseded", old.id, standing_on(call, old), receivable.id.hex()))
    events += _matched(call, receivable, matches.review[:MATCHES_MAX])
    return Effects(receivable.id, puts=tuple(puts), related=related, events=tuple(events))


def _matched(call: Call, receivable: Receivable, review: Sequence[bytes]) -> Iterator[Event]:
    """The events of what is alike: all that concern anybody but who has to do with the new one; of others a few do."""
    if not review:
        return
    find = finder(call.state)
    known = {receivable.registrant, *holders_of_live(call, live_in_lineage(call, receivable, find))}
    usual = together(*known)
    for place, (other, side) in enumerate(zip(review, sides_of(call, review, known), strict=True)):
        sides = together(*known, *side)
        if place < RELATED_MAX or sides != usual:
            yield Event("matched", receivable.id, sides, other.hex())


def confirm(call: Call, operation: Confirm) -> Verdict:
    """The debtor confirms a share; less than what is collectible makes it part_confirmed and lowers that.

    Of what it registered itself it confirms less only with all who have claims on it, as in `adjust`.
    """
    found = _answered(call, operation)
    if isinstance(found, Refusal):
        return found
    receivable, debtor = found
    if operation.commitment != receivable.commitment:
        return Refusal(OTHER_PARTICULARS, receivable.id)
    whole = operation.share >= receivable.collectible
    state = "confirmed" if whole else "part_confirmed"
    if state not in RECEIVABLE_STEPS[receivable.state, operation.NAME]:
        return Refusal(BAD_STATE, receivable.id)
    if not whole and (unheard := _unheard_by_debtor(call, receivable)):
        return Refusal(NOT_AUTHORISED, receivable.id, unheard)
    confirmed = revised(
        receivable,
        state=state,
        collectible=min(receivable.collectible, operation.share),
        confirmed_share=operation.share,
        debtor=debtor.id,
        grade="debtor_confirmed",
        confirmed_ms=call.now_ms,
        waives_defences=operation.waives_defences,
        account_digest=operation.account_digest,
        language=operation.language,
        text_digest=operation.text_digest,
    )
    events = [Event("confirmed", receivable.id, standing_on(call, confirmed), str(operation.share))]
    if not whole:
        events += over_advanced(call, confirmed)
    events += confirmed_twice(call, confirmed)
    lists, unlisted = answered(call, confirmed)
    puts = (put_of(confirmed), *lists)
    return Effects(receivable.id, puts=puts, events=(*events, *unlisted))


def reject(call: Call, operation: Reject) -> Verdict:
    """The debtor denies the debt: no new claim, and no certain fingerprint of it blocks another any more.

    What it registered itself it denies only with all who have claims on it, as in `adjust`.
    """
    found = _answered(call, operation)
    if isinstance(found, Refusal):
        return found
    receivable, debtor = found
    if unheard := _unheard_by_debtor(call, receivable):
        return Refusal(NOT_AUTHORISED, receivable.id, unheard)
    rejected = revised(receivable, state="rejected", debtor=debtor.id)
    event = Event("rejected", receivable.id, standing_on(call, rejected))
    lists, unlisted = answered(call, rejected)
    return Effects(receivable.id, puts=(put_of(rejected), *lists), events=(event, *unlisted))


def adjust(call: Call, operation: Adjust) -> Verdict:
    """The registrant's credit note: less is collectible. Claims keep their share and priority, see `over_advanced`.

    A seller's, which is its own act. What a buyer has registered itself it lowers with all who have claims on it. One
    document lowers one receivable once, whatever has become of that since.
    """
    subject = call.resolve(operation.receivable)
    receivable = call.state.receivable(subject)
    if receivable is None:
        return Refusal(NOT_FOUND, subject)
    registrant = call.signer(receivable.registrant)
    if registrant is None or not may(registrant, "adjust"):
        return Refusal(NOT_AUTHORISED, subject)
    note = CreditNote(
        id=CreditNote.id_of(subject, operation.document_digest),
        receivable=subject,
        document_digest=operation.document_digest,
        reduction_share=operation.reduction_share,
    )
    if call.state.find(CreditNote, note.id) is not None:
        return Refusal(ALREADY_DONE, subject)
    obstacle = receivable_obstacle(receivable, "adjust")
    if obstacle is not None:
        return Refusal(obstacle, subject)
    if operation.reduction_share > receivable.collectible:
        return Refusal(OVER_RESIDUAL, subject)
    unheard = _unheard_by_debtor(call, receivable)
    if unheard:
        return Refusal(NOT_AUTHORISED, subject, unheard)
    closed, events = credited(call, receivable, operation.reduction_share)
    return Effects(subject, puts=(put_of(closed), put_of(note)), events=events)


def _unheard_by_debtor(call: Call, receivable: Receivable) -> tuple[bytes, ...]:
    """The live claims weighing on a buyer's own payable whose holders have not signed. None on what a seller has."""
    if receivable.kind != "payable":
        return ()
    live = live_in_lineage(call, receivable)
    holders = holders_of_live(call, live)
    return first(one.claim for one, holder in zip(live, holders, strict=True) if call.signer(holder) is None)


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
        parents=_links(call, operation),
        children=(),
        live=(),
        claims=(),
        references=operation.references,
        registered_ms=call.now_ms,
    )


def _links(call: Call, operation: Register) -> tuple[Link, ...]:
    return tuple([Link(call.resolve(parent), up, down) for parent, up, down in operation.parents])


def _superseded(call: Call, operation: Register, ref: Ref) -> Refusal | tuple[Receivable]:
    """The registration that is replaced, as it will be, or why it may not be.

    A correction hides nothing: what was rejected, confirmed in part, confirmed twice, credited or paid stays, and so
    does what has claims on it or through it. Claims through its parents go on, so the new one has the same links.
    """
    subject = call.resolve(ref)
    old = call.state.receivable(subject)
    if old is None:
        return Refusal(NOT_FOUND, related=(subject,))
    if old.registrant != call.sender.id or (old.kind == "payable") != (operation.kind == "payable"):
        return Refusal(NOT_AUTHORISED, related=(subject,))
    obstacle = receivable_obstacle(old, "supersede")
    if obstacle is not None:
        return Refusal(obstacle, related=(subject,))
    if old.paid or old.collectible != WHOLE:
        return Refusal(BAD_STATE, related=(subject,))
    disputes = tuple(open_on(call, old))
    if disputes:  # a correction is no way out of one
        return Refusal(DISPUTED, related=first((subject, *disputes)))
    if old.confirmed_ms:
        matches = matches_of(old, call.state, call.now_ms)
        if matches is None:
            return Refusal(LIMIT_REACHED, related=(subject,))
        if also := twins(old, matches, call.state):
            return Refusal(DOUBLE_CONFIRMED, related=first((subject, *also)))
    find = finder(call.state, old)
    taken = Encumbrance(find, call.now_ms)
    heirs = [link.receivable for link in old.children if not vacated(find(link.receivable), taken)]
    if heirs or taken.direct(old) or taken.up(old):
        return Refusal(
            ENCUMBERED, related=first((subject, *(live.claim for live in live_at(old, call.now_ms)), *heirs))
        )
    if taken.down(old) and _links(call, operation) != old.parents:
        return Refusal(ENCUMBERED, related=first((subject, *(link.receivable for link in old.parents))))
    return (revised(old, state="superseded"),)


def _unlinked(call: Call, corrected: Receivable, old: Receivable) -> tuple[bytes, ...]:
    """What corrections have cut it off from: parents, and what was denied above them. Who finances it is shown them."""
    find = finder(call.state, corrected)
    kept = {one.id for one in ancestors(corrected, find)}
    denied = [one.id for one in ancestors(old, find) if one.state in DENIED]
    once = dict.fromkeys((*old.unlinked, *(link.receivable for link in old.parents), *denied))
    return tuple([one for one in once if one not in kept])


def _adopted(call: Call, child: Receivable, replaced: tuple[Receivable, ...]) -> Refusal | tuple[Put, ...]:
    """The parents with their new child, or why they cannot have it."""
    parents: list[Receivable] = []
    for link in child.parents:
        parent = call.state.receivable(link.receivable)
        if parent is None:
            return Refusal(NOT_FOUND, related=(link.receivable,))
        if parent.registrant != child.registrant or (parent.kind == "payable") != (child.kind == "payable"):
            return Refusal(NOT_AUTHORISED, related=(parent.id,))  # what one owes is no part of what one is owed
        if parent.state not in OPEN or any(parent.id == old.id for old in replaced):
            return Refusal(BAD_STATE, related=(parent.id,))
        parents.append(parent)
    find = finder(call.state, child, *replaced)
    if levels(child, find) > LINEAGE_DEPTH_MAX or len(family(parents, find)) >= FAMILY_MAX:
        return Refusal(LIMIT_REACHED, related=first(parent.id for parent in parents))
    taken = Encumbrance(find, call.now_ms)
    puts: list[Put] = []
    for parent, link in zip(parents, child.parents, strict=True):
        if len(parent.children) >= CHILDREN_MAX:
            return Refusal(LIMIT_REACHED, related=(parent.id,))
        fulfilled = sum(other.part_of_parent for other in parent.children if not vacated(find(other.receivable), taken))
        if fulfilled + link.part_of_parent > WHOLE:
            return Refusal(OVER_PARENT, related=(parent.id,))
        to_child = Link(child.id, link.part_of_parent, link.part_of_child)
        puts.append((receivable_key(parent.id), revised(parent, children=(*parent.children, to_child))))
    return tuple(puts)


def _answered(call: Call, operation: Confirm | Reject) -> Refusal | tuple[Receivable, Party]:
    """The receivable and the debtor that answers for it, which opens its commitment, or why it may not."""
    subject = call.resolve(operation.receivable)
    receivable = call.state.receivable(subject)
    if receivable is None:
        return Refusal(NOT_FOUND, subject)
    debtor = debtor_of(call, receivable, salt=operation.salt, identifier=operation.identifier, action=operation.NAME)
    if isinstance(debtor, Refusal):
        return debtor
    obstacle = receivable_obstacle(receivable, operation.NAME)
    return Refusal(obstacle, subject) if obstacle is not None else (receivable, debtor)
