"""What follows from a change: who is concerned, who is over-advanced, when a receivable is over."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from registry.events import Event
from registry.limits import FAMILY_MAX, TIME_MAX_MS
from registry.records import Claim, Live, Receivable, revised
from registry.rules.contacts import side_of
from registry.rules.lineage import Encumbrance, Find, ancestors, descendants, finder, live_at
from registry.rules.transitions import RECEIVABLE_STEPS
from registry.rules.verdicts import Call, together
from registry.state import Put, put_of

__all__ = [
    "close_if_done",
    "credited",
    "holders_of_live",
    "lineage_financed",
    "lineage_puts",
    "live_in_lineage",
    "over_advanced",
    "parties_concerned",
    "sides_of",
    "standing_on",
    "with_claim",
]

_RELATIVE_WRITTEN: Final = 128  # units of work: one claim may change a whole family of the largest records


def parties_concerned(call: Call, receivable: bytes, find: Find | None = None) -> tuple[str, ...]:
    """The registrant of a recorded receivable and the holders of all live claims that weigh on it.

    `find` is given where many are asked about, so that what they have in common is read once.
    """
    found = call.state.receivable(receivable)
    assert found is not None, "only asked of receivables that are there"
    return together(found.registrant, *holders_of_live(call, live_in_lineage(call, found, find)))


def standing_on(call: Call, receivable: Receivable) -> tuple[str, ...]:
    """Who hears how the receivable itself changes: its debtor once known, its side, and who has claims through it.

    Also who has an offer that stands: what it may reserve is not what it was.
    """
    known = (receivable.debtor,) if receivable.debtor else ()
    holders = holders_of_live(call, live_in_lineage(call, receivable))
    return together(*known, *side_of(call.state, receivable, call.now_ms), *holders)


def holders_of_live(call: Call, claims: Iterable[Live]) -> list[str]:
    """The holders of these claims."""
    return [_claim(call, live.claim).holder for live in claims]


def live_in_lineage(call: Call, receivable: Receivable, find: Find | None = None) -> list[Live]:
    """The live claims that weigh on the receivable: its own, then its ancestors' and descendants'."""
    find = find or finder(call.state, receivable)
    return [live for record in _lineage(receivable, find) for live in live_at(record, call.now_ms)]


def sides_of(call: Call, receivables: Iterable[bytes], own: Collection[str]) -> Iterator[tuple[str, ...]]:
    """For each of these as `parties_concerned`; whose registrant is not in `own` is a stranger.

    Of the families of one stranger no more is read than one family may have: beyond that of each only its own holders.
    """
    find = finder(call.state)
    read: dict[str, set[bytes]] = {}
    for one in map(find, receivables):
        known = read.setdefault(one.registrant, set())
        lineage: Sequence[Receivable] = (one,)
        if one.registrant in own or len(known) < FAMILY_MAX:
            lineage = _lineage(one, find)
            known.update(each.id for each in lineage)
        live = [live for record in lineage for live in live_at(record, call.now_ms)]
        yield together(one.registrant, *holders_of_live(call, live))


def _lineage(receivable: Receivable, find: Find) -> tuple[Receivable, ...]:
    return (receivable, *ancestors(receivable, find), *descendants(receivable, find))


def lineage_financed(call: Call, receivable: Receivable) -> bool:
    """What a new receivable says of its lineage: whether there is money in what it hangs under."""
    return Encumbrance(finder(call.state, receivable), TIME_MAX_MS).down(receivable) > 0


def lineage_puts(call: Call, receivable: Receivable) -> list[Put]:
    """The relatives that say something else of their lineage, now that `receivable` is as it becomes by a claim."""
    find = finder(call.state, receivable)
    funded = Encumbrance(find, TIME_MAX_MS)  # when every reservation has lapsed
    puts: list[Put] = []
    for one in _lineage(receivable, find)[1:]:
        financed = funded.up(one) + funded.down(one) > 0
        if financed != one.lineage_financed:
            call.state.spend(_RELATIVE_WRITTEN)
            puts.append(put_of(revised(one, lineage_financed=financed)))
    return puts


def credited(call: Call, receivable: Receivable, share: int) -> tuple[Receivable, tuple[Event, ...]]:
    """The receivable with `share` less to collect, by a credit note or a dispute, and all that follows from it."""
    lowered = revised(receivable, collectible=receivable.collectible - share)
    adjusted = Event("adjusted", receivable.id, standing_on(call, receivable), str(lowered.collectible))
    events = over_advanced(call, lowered)
    closed, closing = close_if_done(call, lowered)
    return closed, (adjusted, *events, *closing)


def over_advanced(call: Call, receivable: Receivable) -> tuple[Event, ...]:
    """What its holders must hear when less is collectible now than they have claims on; `receivable` as it becomes.

    Their claims keep share and priority; `claims.overfull` refuses every new one.
    """
    on_it = Encumbrance(finder(call.state, receivable), call.now_ms).on(receivable)
    if on_it <= receivable.collectible:
        return ()
    holders = holders_of_live(call, live_in_lineage(call, receivable))
    parties = together(receivable.registrant, *holders)
    return (Event("over_advanced", receivable.id, parties, str(on_it - receivable.collectible)),)


def close_if_done(call: Call, receivable: Receivable) -> tuple[Receivable, tuple[Event, ...]]:
    """The receivable, over if nothing is left to collect and no claim is live, with the event that says so.

    It is settled if any of it was paid, cancelled if credit notes took it all.
    """
    if receivable.collectible > 0 or live_at(receivable, call.now_ms):
        return receivable, ()
    state = "settled" if receivable.paid else "cancelled"
    if state not in RECEIVABLE_STEPS.get((receivable.state, "settle"), ()):
        return receivable, ()
    return revised(receivable, state=state), (Event(state, receivable.id, standing_on(call, receivable)),)


def with_claim(call: Call, receivable: Receivable, claim: Claim) -> Receivable:
    """The receivable with its list of live claims brought up to date: this claim as it is now, no lapsed ones."""
    live = [one for one in live_at(receivable, call.now_ms) if one.claim != claim.id]
    if claim.state in ("reserved", "funded"):
        live.append(Live(claim.id, claim.share, claim.reserved_until_ms if claim.state == "reserved" else 0))
    return revised(receivable, live=tuple(live))


def _claim(call: Call, claim: bytes) -> Claim:
    found = call.state.claim(claim)
    assert found is not None, "a receivable names a claim that is not there"
    return found
