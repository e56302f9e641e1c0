"""Expiry: what is over without having been claimed, paid or credited here in full (registry.md 4).

The seller was paid by its buyer itself, an order was never fulfilled, a buyer has paid what it registered: nothing else
ends such a record. Its registrant says so once the month in which it is due is over. Then it takes no claim any more,
gives its part of its parent back and blocks nobody. It hides nothing by that: it comes back as a match to whoever is
alike (a cancelled one does not), and nobody expires

- what is claimed, on it or through its lineage, or was paid through that, or is claimed outside (`encumbered`);
- what has parts that are not over (`encumbered`): claims on them would not weigh on what takes its place;
- what is in dispute (`disputed`), or confirmed on another record too (`double_confirmed`).

What is claimed on its lineage later blocks its own registrant, as with a cancelled one (`matches`).

What was paid on it in part does not expire: it is settled, by the same rules. Financed and paid for 80 %, of which
the seller got the rest from its buyer, it has no other end. As what was paid in full it blocks others, stays a match,
and keeps its part of its parent; and nothing of it is left to finance.
"""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Final

from registry.events import Event
from registry.reasons import (
    DISPUTED,
    DOUBLE_CONFIRMED,
    ENCUMBERED,
    LIMIT_REACHED,
    NOT_AUTHORISED,
    NOT_FOUND,
    TOO_EARLY,
)
from registry.records import Receivable
from registry.rules.blankets import beside, carved_out, covering
from registry.rules.consequences import live_in_lineage, standing_on
from registry.rules.double_confirmation import twins
from registry.rules.external_claims import to_look_at
from registry.rules.lineage import Encumbrance, ancestors, descendants, finder, vacated
from registry.rules.matches import matches_of
from registry.rules.roles import may
from registry.rules.suspension import open_on
from registry.rules.transitions import RECEIVABLE_STEPS, receivable_obstacle
from registry.rules.verdicts import Call, Effects, Refusal, Verdict, first, together
from registry.state import put_of
from registry.transactions.receivables import Expire

__all__ = ["expire"]

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_LATEST_ZONE: Final = datetime.timedelta(hours=12)  # how long after UTC a month ends somewhere


def expire(call: Call, operation: Expire) -> Verdict:
    """The registrant says that it is over: after its due month, with nothing claimed, in dispute or below it."""
    subject = call.resolve(operation.receivable)
    receivable = call.state.receivable(subject)
    if receivable is None:
        return Refusal(NOT_FOUND, subject)
    registrant = call.signer(receivable.registrant)
    if registrant is None or not may(registrant, operation.NAME):
        return Refusal(NOT_AUTHORISED, subject)
    obstacle = receivable_obstacle(receivable, operation.NAME)
    if obstacle is not None:
        return Refusal(obstacle, subject)
    if not receivable.due_month or call.now_ms < _over_ms(receivable.due_month):
        return Refusal(TOO_EARLY, subject)
    disputes = first(open_on(call, receivable))
    if disputes:
        return Refusal(DISPUTED, subject, disputes)
    hanging = _hanging_on(call, receivable)
    if hanging is not None:
        return Refusal(ENCUMBERED, subject, hanging)
    if receivable.confirmed_ms:
        matches = matches_of(receivable, call.state, call.now_ms)
        if matches is None:
            return Refusal(LIMIT_REACHED, subject)
        if also := twins(receivable, matches, call.state):
            return Refusal(DOUBLE_CONFIRMED, subject, first(also))
    state = "settled" if receivable.paid else "expired"
    assert state in RECEIVABLE_STEPS[receivable.state, operation.NAME], "both follow from whatever is open"
    over = replace(receivable, state=state, collectible=0 if receivable.paid else receivable.collectible)
    found = (*covering(call.state, receivable, call.now_ms), *beside(call.state, receivable, call.now_ms))
    blankets = [facility.financier for facility in found if not carved_out(call.state, facility, receivable)]
    parties = together(*standing_on(call, receivable), *blankets)
    return Effects(subject, puts=(put_of(over),), events=(Event(state, subject, parties),))


def _over_ms(due_month: int) -> int:
    """When a month (yyyymm) is over in every time zone, in ms UTC."""
    year, month = divmod(due_month, 100)
    following = datetime.datetime(year + month // 12, month % 12 + 1, 1, tzinfo=datetime.UTC)
    return (following + _LATEST_ZONE - _EPOCH) // datetime.timedelta(milliseconds=1)


def _hanging_on(call: Call, receivable: Receivable) -> tuple[bytes, ...] | None:
    """What keeps it: live claims that weigh on it, relatives that were paid or are not over, claims outside.

    None if nothing does. What was paid on it alone does not.
    """
    find = finder(call.state, receivable)
    above, below = ancestors(receivable, find), descendants(receivable, find)
    taken = Encumbrance(find, call.now_ms)
    parts = [one.id for one in below if not vacated(one, taken)]
    outside = to_look_at(call.state, receivable)
    if not (parts or outside or taken.on(receivable)):
        return None
    claims = [live.claim for live in live_in_lineage(call, receivable)]
    paid = [one.id for one in (receivable, *above, *below) if one.paid]
    return first((*claims, *parts, *paid, *outside))
