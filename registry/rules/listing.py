"""Listing: which receivables a fingerprint names to whoever comes later. Everything is listed that there is room for.

- A registrant has room for PRINT_HOLDERS_BY_MAX of its own in each list, whoever else is in it, and is refused beyond
  (`limit_reached`): nobody takes that away from it, by having been first or by being many. But an honest seller has
  more than that under one order, in time: in the list of an order or transport what is beyond is merely not listed.
- What never comes back as a match (superseded, voided, cancelled without links) leaves a list that is that long.
- A list holds PRINT_HOLDERS_MAX. When it is full, who has the most in it makes room: the newest of its receivables on
  which nothing rests. So a few who act together push out each other, and nobody of whom there are fewer.
- A registration is not refused for that: it is recorded, and `unlisted` says so, if there is no room for it or as soon
  as it has made room. What is funded is listed, or is not funded: so of two that are alike and financed, whoever comes
  second is shown the first. So is all that the claim weighs on through links, and what is registered as a part of
  something claimed: a second order or invoice would be financed beside what an instalment has used up.
- Never unlisted is what is claimed or was paid, and what blocks by certain identity. What the debtor confirmed or
  denied, and what expired, makes room for nothing but what is claimed: of what is merely said there is no end, and two
  who confirm their own would keep a third from being financed. If it is financed itself, it is listed again.
- In a full list of an order or transport what was paid, and is over, makes room for what is claimed, if nothing else
  does, the oldest first. To hide one that was financed takes a list full of those, then as before. That what is over
  leaves such a list as soon as one registrant has many in it would hide it from whoever finances the next part of the
  same debt: a seller has as many as it likes registered, and takes them back.
- What the debtor answers is listed from then on, if it was not and there is room.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from registry.events import Event
from registry.fingerprint import ACCOUNT, LEVELS
from registry.limits import PRINT_HOLDERS_BY_MAX, PRINT_HOLDERS_MAX
from registry.reasons import LIMIT_REACHED
from registry.records import Receivable
from registry.rules.lineage import Encumbrance, Find, finder, weighed_with
from registry.rules.matches import OF_MANY_DEBTS
from registry.rules.transitions import BLOCKING, DENIED
from registry.rules.verdicts import Call, Refusal, first, together
from registry.state import Put, print_key

__all__ = ["Listed", "answered", "listed", "relisted"]

Listed = tuple[list[Put], list[Event]]  # the lists as they become, and who must hear of them


def listed(call: Call, receivable: Receivable, over: Collection[bytes] = ()) -> Listed | Refusal:
    """A new receivable in the lists of its fingerprints; those in `over` are superseded by it."""
    puts: list[Put] = []
    events: list[Event] = []
    find = finder(call.state, receivable)
    taken = Encumbrance(find, call.now_ms)
    for kind, value in receivable.fingerprints:
        if kind == ACCOUNT:
            continue
        key = print_key(kind, value)
        holders = call.state.holders_at(key)
        if len(holders) < PRINT_HOLDERS_BY_MAX:
            puts.append((key, (*holders, receivable.id)))
            continue
        there = _there(find, kind, holders, over)
        own = [one.id for one in there if one.registrant == receivable.registrant]
        claimed = taken.on(receivable) > 0
        if len(own) >= PRINT_HOLDERS_BY_MAX:
            if kind not in OF_MANY_DEBTS:
                return Refusal(LIMIT_REACHED, related=first(own))
            if not claimed:
                events.append(_unlisted(receivable, kind))
                continue
        there.append(receivable)
        if len(there) > PRINT_HOLDERS_MAX:
            leaves = _makes_room(kind, there[:-1], 0 if claimed else len(own), taken, claimed=claimed)
            if leaves is None and claimed:
                return Refusal(LIMIT_REACHED)
            leaves = leaves or receivable
            events.append(_unlisted(leaves, kind))
            there.remove(leaves)
        puts.append((key, tuple([one.id for one in there])))
    return puts, events


def relisted(call: Call, receivable: Receivable) -> Listed | Refusal:
    """What is funded now, and what that weighs on, in the lists that had no room for it, as the youngest.

    Mostly there is nothing to do. `receivable` is the record with the claim.
    """
    find = finder(call.state, receivable)
    lists, events, full = _in_lists(call, weighed_with(receivable, find), find, claimed=True)
    return Refusal(LIMIT_REACHED, receivable.id) if full else (lists, events)


def answered(call: Call, receivable: Receivable) -> Listed:
    """What its debtor has answered in the lists that had no room for it, as far as they have now."""
    lists, events, _ = _in_lists(call, [receivable], finder(call.state, receivable), claimed=False)
    return lists, events


def _in_lists(
    call: Call, members: Sequence[Receivable], find: Find, *, claimed: bool
) -> tuple[list[Put], list[Event], bool]:
    """The lists of these as they become, who must hear of that, and whether one of them had no room."""
    lists: dict[bytes, tuple[bytes, ...]] = {}  # two of one lineage may be missing in the same
    events: list[Event] = []
    full = False
    taken = Encumbrance(find, call.now_ms)
    for member in members:
        for kind, value in member.fingerprints:
            if kind == ACCOUNT or _is_gone(member, kind):
                continue
            key = print_key(kind, value)
            holders = lists.get(key) or call.state.holders_at(key)
            if member.id in holders:
                continue
            there = _there(find, kind, holders, ())
            if len(there) >= PRINT_HOLDERS_MAX:
                leaves = _makes_room(kind, there, 0, taken, claimed=claimed)
                if leaves is None:
                    full = True
                    continue
                events.append(_unlisted(leaves, kind))
                there.remove(leaves)
            lists[key] = (*(one.id for one in there), member.id)
    return list(lists.items()), events, full


def _there(find: Find, kind: str, holders: Sequence[bytes], over: Collection[bytes]) -> list[Receivable]:
    """Those of a list that may still come back as a match."""
    return [one for one in map(find, holders) if one.id not in over and not _is_gone(one, kind)]


def _is_gone(receivable: Receivable, kind: str) -> bool:
    """Whether it is no match for anybody any more. What hangs together with others may be claimed through them."""
    if receivable.state == "voided":  # its author may not register that certain identity again
        return LEVELS[kind] != "block"
    linked = receivable.parents or receivable.children
    return receivable.state == "superseded" or (receivable.state == "cancelled" and not linked)


def _makes_room(
    kind: str, there: Sequence[Receivable], own: int, taken: Encumbrance, *, claimed: bool
) -> Receivable | None:
    """Who leaves a full list for one more, which is `claimed` or not; its registrant has `own` in it; or None."""
    for registrant, count in Counter(one.registrant for one in there).most_common():
        if count <= own + 1:
            return None
        theirs = [one for one in there if one.registrant == registrant]
        for one in reversed(theirs):
            if not _rests_on(one, kind, taken, claimed=claimed):
                return one
        if claimed and kind in OF_MANY_DEBTS:
            for one in theirs:
                if one.state == "settled" and not one.lineage_financed:
                    return one
    return None


def _rests_on(one: Receivable, kind: str, taken: Encumbrance, *, claimed: bool) -> bool:
    """Whether something rests on it that keeps it in the list when another comes, which is `claimed` or not."""
    if LEVELS[kind] == "block" and (one.state in BLOCKING or one.state == "voided"):
        return True
    if taken.taken(one) or one.lineage_financed:
        return True
    return not claimed and (one.confirmed_ms > 0 or one.state in DENIED or one.state == "expired")


def _unlisted(receivable: Receivable, kind: str) -> Event:
    return Event("unlisted", receivable.id, together(receivable.registrant), kind)
