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

from collections.abc import Iterator

from registry.events import Event
from registry.reasons import ALREADY_DONE, BAD_STATE, NOT_AUTHORISED, NOT_FOUND
from registry.records import Receivable
from registry.records.distinctions import Distinction
from registry.rules.consequences import parties_concerned
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
        return ()  # so many that nothing can be funded on it
    sides = parties_concerned(call, receivable.id)
    return tuple(
        [
            Event(
                "double_confirmation",
                receivable.id,
                together(receivable.debtor, *sides, *parties_concerned(call, twin.id)),
                twin.id.hex(),
            )
            for twin, _ in _twins(receivable, matches, call.state)
        ]
    )


def twins(receivable: Receivable, matches: Matches, state: State) -> tuple[bytes, ...]:
    """All other records of the same debt that its debtor confirmed too."""
    return tuple([twin.id for twin, _ in _twins(receivable, matches, state)])


def confirmed_elsewhere(receivable: Receivable, matches: Matches, state: State) -> tuple[bytes, ...]:
    """The records of the same debt that stand before this one: older, or financed already. They block its funding."""
    return tuple([twin.id for twin, older in _twins(receivable, matches, state) if older or _financed(twin)])


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


def _twins(receivable: Receivable, matches: Matches, state: State) -> Iterator[tuple[Receivable, bool]]:
    """Other records of what looks like the same debt, each once, and whether they are older. All were read before."""
    if not _confirmed(receivable):
        return
    left = {*matches.blocking, *matches.review}
    for kind, value in receivable.fingerprints:
        if kind not in OF_ONE_AMOUNT or not left:
            continue
        older = True  # holders of a fingerprint are in the order of registration
        for other in state.holders(kind, value):
            older = older and other != receivable.id
            twin = state.receivable(other) if other in left else None
            if twin is not None and _same_debt(receivable, twin, state):
                left.discard(other)
                yield twin, older


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


def _financed(receivable: Receivable) -> bool:
    """Whether somebody has paid out on it, or been paid on it; a mere reservation lapses."""
    return receivable.paid > 0 or any(live.until_ms == 0 for live in receivable.live)
