"""Contacts: the two sides of a match learn who the other is by consent of both, or by order of a regulator.

- A side of a receivable is its registrant and whoever holds an offered, reserved or funded claim on it.
- Who stands on a receivable may ask about another one only if that is among what must be looked at to fund it
  (`matches_to_look_at`: like it or its lineage): a token is no means to ask about what one merely knows the id of.
- Who is bound to both sides (a seller that registered both) neither asks nor answers: it would consent in the place of
  others. An offer binds nobody it is made to, else a seller could shut out whom it likes by an offer.
- To ask and to accept is each party's own act: an acceptance makes the asker and who accepts known to each other, and
  nobody else of either side. A seller that accepts must not tell a rival who finances it, nor by being quick keep its
  financier from answering: the others may answer for themselves until the time is over. The contact is declined when
  all who may answer have declined. An order opens all.
- What is not answered in CONTACT_WAITS_MS lapses. Until then it counts, whatever the answer, against the bounds: one of
  each asker about one receivable, so many about a receivable, so many of an asker.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from registry.events import Event
from registry.limits import CONTACT_STEPS_MAX, CONTACT_WAITS_MS, CONTACTS_ABOUT_MAX, CONTACTS_BY_MAX
from registry.reasons import (
    ALREADY_DONE,
    BAD_STATE,
    EXPIRED,
    LIMIT_REACHED,
    NO_MATCH,
    NOT_AUTHORISED,
    NOT_FOUND,
    UNKNOWN_PARTY,
)
from registry.records import Claim, Receivable
from registry.records.contacts import AskedAbout, AskedBy, Contact, Opening, Request, Step
from registry.rules.lineage import finder, weighed_with
from registry.rules.matches import matches_to_look_at
from registry.rules.verdicts import Call, Effects, Refusal, Verdict, first, together
from registry.state import State, put_of
from registry.transactions.contacts import AnswerContact, AskContact, OpenContact

__all__ = ["answer_contact", "ask_contact", "open_obstacle", "opened", "side_of"]

_PRINTS_LOOKED_UP = 16  # for one unit of work


def side_of(state: State, receivable: Receivable, now_ms: int) -> tuple[str, ...]:
    """Who stands on a receivable at block time `now_ms`: its registrant, and the holders of claims that still run."""
    offered = [
        claim.holder
        for claim in _claims(state, receivable)
        if claim.state == "offered" and claim.offer_valid_until_ms >= now_ms
    ]
    return together(*_bound(state, receivable, now_ms), *offered)


def _bound(state: State, receivable: Receivable, now_ms: int) -> tuple[str, ...]:
    """Those of a side who stand there by an act of their own: an offer is the seller's act alone."""
    taken = [claim.holder for claim in _claims(state, receivable) if claim.state_at(now_ms) in ("reserved", "funded")]
    return together(receivable.registrant, *taken)


def _claims(state: State, receivable: Receivable) -> list[Claim]:
    found = [state.claim(claim) for claim in receivable.claims]
    return [claim for claim in found if claim is not None]


def ask_contact(call: Call, operation: AskContact) -> Verdict:
    """The event goes to those who may answer, and does not show who asks."""
    subject = call.resolve(operation.receivable)
    own = call.state.receivable(subject)
    if own is None:
        return Refusal(NOT_FOUND, subject)
    asking = side_of(call.state, own, call.now_ms)
    if call.sender.id not in asking:
        return Refusal(NOT_AUTHORISED, subject)
    about = call.resolve(operation.about)
    other = call.state.receivable(about)
    if other is None or not _may_be_found(call, own, other):
        return Refusal(NO_MATCH, subject)
    found = matches_to_look_at(own, call.state, call.now_ms)
    if found is None:
        return Refusal(LIMIT_REACHED, subject)
    if about not in found.kinds:
        return Refusal(NO_MATCH, subject)
    if call.sender.id in _bound(call.state, _receivable(call.state, about), call.now_ms):
        return Refusal(NOT_AUTHORISED, about)
    contact = Contact(
        id=call.created_id(),
        receivable=own.id,
        about=about,
        kinds=found.kinds[about],
        state="waiting",
        until_ms=call.now_ms + CONTACT_WAITS_MS,
        steps=(_step(call, "asked", operation),),
    )
    able = _able(call.state, contact, call.now_ms)
    if not able:
        return Refusal(BAD_STATE, about)
    books = _booked(call, contact)
    if isinstance(books, Refusal):
        return books
    events = (
        Event("contact_asked", contact.id, able, about.hex()),
        Event("contact_sent", contact.id, asking, own.id.hex()),
    )
    puts = (put_of(contact), *(put_of(book) for book in books))
    return Effects(contact.id, puts=puts, related=(own.id, about), events=events)


def _may_be_found(call: Call, own: Receivable, other: Receivable) -> bool:
    """Whether a search can find `other` for `own` at all: that is said without one, which costs far more."""
    wanted = set(other.fingerprints)
    for member in weighed_with(own, finder(call.state, own)):
        call.state.spend(len(member.fingerprints) // _PRINTS_LOOKED_UP)
        if other.id in member.unlinked or not wanted.isdisjoint(member.fingerprints):
            return True
    return False


def answer_contact(call: Call, operation: AnswerContact) -> Verdict:
    """Each of the asked side answers once, for itself, as long as there is time."""
    subject = call.resolve(operation.contact)
    contact = call.state.find(Contact, subject)
    if contact is None:
        return Refusal(NOT_FOUND, subject)
    able = _able(call.state, contact, call.now_ms)
    if call.sender.id not in able:
        return Refusal(NOT_AUTHORISED, subject)
    if contact.until_ms < call.now_ms:
        return Refusal(EXPIRED, subject)
    if contact.ordered or call.sender.id in contact.answerers:
        return Refusal(ALREADY_DONE, subject)
    if len(contact.steps) >= CONTACT_STEPS_MAX:
        return Refusal(LIMIT_REACHED, subject)
    if operation.answer == "accept":
        return _accepted(call, contact, _step(call, "accepted", operation))
    declined = replace(contact, steps=(*contact.steps, _step(call, "declined", operation)))
    if set(able) <= set(declined.decliners):
        declined = replace(declined, state="declined")
    asking, asked = _sides(call.state, contact, call.now_ms)
    events = (Event("contact_declined", contact.id, together(*asking, *asked), declined.state),)
    return Effects(contact.id, puts=(put_of(declined),), events=events)


def open_obstacle(call: Call, change: OpenContact) -> Refusal | None:
    """Why the authorities cannot execute this order, None if they can. No answer and no lapse stands in its way."""
    contact = call.state.find(Contact, change.contact)
    if contact is None:
        return Refusal(NOT_FOUND)
    regulator = call.state.party(change.regulator)
    if regulator is None:
        return Refusal(UNKNOWN_PARTY)
    if "regulator" not in regulator.roles:
        return Refusal(NOT_AUTHORISED)
    return Refusal(ALREADY_DONE) if contact.ordered else None


def opened(call: Call, change: OpenContact) -> Effects:
    """What the order does, once a quorum of the authorities executes it."""
    contact = call.state.find(Contact, change.contact)
    assert contact is not None, "open_obstacle has found it"
    asking, asked = _sides(call.state, contact, call.now_ms)
    known = call.state.find(Opening, contact.id)  # of earlier acceptances: who they opened may stand there no more
    if known is not None:
        asked = together(*asked, *known.asked)
    step = Step(change.regulator, "ordered", change.order_digest, "", call.now_ms)
    return _open(contact, _opening(contact, step, together(*asking, contact.asker), asked), step)


def _accepted(call: Call, contact: Contact, step: Step) -> Effects:
    """The asker and who accepts are known to each other; the first acceptance stays the one that opened it."""
    known = call.state.find(Opening, contact.id)
    if known is None:
        return _open(contact, _opening(contact, step, (contact.asker,), (step.by,)), step)
    return _open(contact, replace(known, asked=together(*known.asked, step.by)), step)


def _opening(contact: Contact, step: Step, asking: tuple[str, ...], asked: tuple[str, ...]) -> Opening:
    return Opening(
        id=contact.id,
        receivable=contact.receivable,
        about=contact.about,
        asker=contact.asker,
        asking=asking,
        asked=asked,
        by=step.by,
        by_step=step.step,
        text_digest=step.text_digest,
        opened_ms=step.at_ms,
    )


def _open(contact: Contact, opening: Opening, step: Step) -> Effects:
    changed = replace(contact, state="open", steps=(*contact.steps, step))
    events = (Event("contact_opened", contact.id, together(*opening.asking, *opening.asked), step.step),)
    related = first((contact.receivable, contact.about))
    return Effects(contact.id, puts=(put_of(changed), put_of(opening)), related=related, events=events)


def _booked(call: Call, contact: Contact) -> tuple[AskedAbout, AskedBy] | Refusal:
    """The books of the receivable that is asked about and of the asker, with one more contact in each."""
    asker, about = contact.asker, contact.about
    of_receivable = call.state.find(AskedAbout, about) or AskedAbout(about, ())
    of_asker = call.state.find(AskedBy, asker.encode()) or AskedBy(asker.encode(), ())
    received, sent = (_running(book.requests, call.now_ms) for book in (of_receivable, of_asker))
    for request in received:
        if request.by == asker:
            return Refusal(ALREADY_DONE, request.contact)
    if len(received) >= CONTACTS_ABOUT_MAX or len(sent) >= CONTACTS_BY_MAX:
        return Refusal(LIMIT_REACHED, about)
    request = Request(contact.id, asker, contact.until_ms)
    return replace(of_receivable, requests=(*received, request)), replace(of_asker, requests=(*sent, request))


def _running(requests: Iterable[Request], now_ms: int) -> tuple[Request, ...]:
    return tuple([request for request in requests if request.until_ms >= now_ms])


def _able(state: State, contact: Contact, now_ms: int) -> tuple[str, ...]:
    """Who may answer: of the side that is asked, all but the asker and those bound to the side that asks."""
    barred = (contact.asker, *_bound(state, _receivable(state, contact.receivable), now_ms))
    side = side_of(state, _receivable(state, contact.about), now_ms)
    return tuple([party for party in side if party not in barred])


def _sides(state: State, contact: Contact, now_ms: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Who stands on the asking and on the asked side now."""
    asking, asked = (side_of(state, _receivable(state, one), now_ms) for one in (contact.receivable, contact.about))
    return asking, asked


def _receivable(state: State, receivable: bytes) -> Receivable:
    found = state.receivable(receivable)
    assert found is not None, "what matches, and what a contact names, is in the state"
    return found


def _step(call: Call, step: str, operation: AskContact | AnswerContact) -> Step:
    return Step(call.sender.id, step, operation.text_digest, operation.language, call.now_ms)
