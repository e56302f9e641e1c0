"""Double confirmation: one debt that its debtor confirmed on two records (registry.md 6.1 and S6).

Two records are taken for one debt if they match in a fingerprint with the amount in it, if different parties
registered them (the seller its invoice, the buyer its payable; one seller under two ids), and if the same debtor
confirmed both. Two invoices of one seller over the same amount stay a match for review: a debtor owes many a seller
the same sum every month, and each has a number of its own.

The second confirmation raises the alarm. From then on funding is refused on the younger record, and on the older one
too if the younger has been financed already: acknowledging the match is not enough any more. Neither may be superseded,
because what takes its place would be unconfirmed. If they are two debts after all, the debtor says so (`distinguish`),
which binds it to both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from registry.events import Event
from registry.limits import MATCHES_MAX, TIME_MAX_MS
from registry.reasons import ALREADY_DONE, BAD_STATE, NOT_AUTHORISED, NOT_FOUND
from registry.records import Receivable
from registry.records.distinctions import Distinction
from registry.rules.consequences import parties_concerned
from registry.rules.lineage import Encumbrance, finder, weighed_with
from registry.rules.matches import OF_ONE_AMOUNT, Matches, matches_of
from registry.rules.roles import may
from registry.rules.transitions import BLOCKING
from registry.rules.verdicts import Call, Effects, Refusal, Verdict, together
from registry.state import State, put_of
from registry.transactions.receivables import Distinguish

__all__ = ["confirmed_elsewhere", "confirmed_twice", "distinguish", "twins"]


def confirmed_twice(call: Call, receivable: Receivable) -> tuple[Event, ...]:
    """The alarms that follow from confirming `receivable` (as it is now): to the debtor and all on both sides."""
    matches = matches_of(receivable, call.state, call.now_ms)
    if matches is None:
        return ()  # more than can be compared with: nothing can be funded on it
    sides = parties_concerned(call, receivable.id)
    return tuple(
        [
            Event(
                "double_confirmation",
                receivable.id,
                together(receivable.debtor, *sides, *parties_concerned(call, twin.id)),
                twin.id.hex(),
            )
            for twin, _ in islice(_twins([receivable], matches, call.state), MATCHES_MAX)
        ]
    )


def twins(receivable: Receivable, matches: Matches, state: State) -> tuple[bytes, ...]:
    """All other records of the same debt that its debtor confirmed too."""
    return tuple([twin.id for twin, _ in _twins([receivable], matches, state)])


def confirmed_elsewhere(receivable: Receivable, matches: Matches, state: State) -> tuple[Receivable, ...]:
    """The records that block its funding: of the same debt as it, or as what a claim on it weighs on too, and standing
    before that one: older, or financed already. `matches` are all of these (`matches_to_look_at`)."""
    members = weighed_with(receivable, finder(state, receivable))
    return tuple([twin for twin, older in _twins(members, matches, state) if older or _financed(twin, state)])


def distinguish(call: Call, operation: Distinguish) -> Verdict:
    """The debtor that confirmed both says that they are two debts, and that it owes both."""
    ids = (call.resolve(operation.receivable), call.resolve(operation.other))
    found = [call.state.receivable(subject) for subject in ids]
    records = [record for record in found if record is not None]
    if len(records) < 2:
        return Refusal(NOT_FOUND, ids[0], (ids[1],))
    debtor = call.signer(records[0].debtor)
    if debtor is None or records[1].debtor != debtor.id or not may(debtor, operation.NAME):
        return Refusal(NOT_AUTHORISED, ids[0], (ids[1],))
    if not all(map(_confirmed, records)):
        return Refusal(BAD_STATE, ids[0], (ids[1],))
    subject = Distinction.id_of(*ids)
    if call.state.find(Distinction, subject) is not None:
        return Refusal(ALREADY_DONE, ids[0], (ids[1],))
    stated = Distinction(subject, tuple(sorted(ids)), debtor.id, operation.text_digest, operation.language, call.now_ms)
    parties = together(debtor.id, *(party for one in ids for party in parties_concerned(call, one)))
    event = Event("distinguished", ids[0], parties, ids[1].hex())
    return Effects(ids[0], puts=(put_of(stated),), related=(ids[1],), events=(event,))


def _twins(members: Iterable[Receivable], matches: Matches, state: State) -> Iterator[tuple[Receivable, bool]]:
    """Other records of what looks like the same debt as one of these, each once, and whether they are older."""
    holding: dict[tuple[str, bytes], list[Receivable]] = {}
    for member in members:
        for fingerprint in member.fingerprints if _confirmed(member) else ():
            if fingerprint[0] in OF_ONE_AMOUNT:
                holding.setdefault(fingerprint, []).append(member)
    for other in (*matches.blocking, *matches.review) if holding else ():
        twin = state.receivable(other)
        assert twin is not None, "a match is a receivable that is there"
        of = {
            member.id: fingerprint
            for fingerprint in twin.fingerprints
            for member in holding.get(fingerprint, ())
            if _same_debt(member, twin, state)
        }
        if of:
            yield twin, any(_is_older(other, than, state.holders(*by)) for than, by in of.items())


def _is_older(one: bytes, other: bytes, holders: Iterable[bytes]) -> bool:
    """Holders of a fingerprint are in the order of registration."""
    return next((holder for holder in holders if holder in (one, other)), other) == one


def _same_debt(one: Receivable, other: Receivable, state: State) -> bool:
    return (
        _confirmed(other)
        and other.debtor == one.debtor
        and other.registrant != one.registrant
        and state.find(Distinction, Distinction.id_of(one.id, other.id)) is None
    )


def _confirmed(receivable: Receivable) -> bool:
    """Whether the debtor's own word stands: it confirmed, and what it confirmed is owed or paid."""
    return receivable.confirmed_ms > 0 and receivable.state in BLOCKING


def _financed(receivable: Receivable, state: State) -> bool:
    """Whether somebody has paid out on it or through its lineage, or was paid; a mere reservation lapses."""
    funded = Encumbrance(finder(state, receivable), TIME_MAX_MS)  # when every reservation has lapsed
    return receivable.paid > 0 or funded.on(receivable) > 0
