"""Lineage: how receivables hang together, and how much of one is taken up through the others (registry.md 4).

Links only ever lead from a new receivable to existing ones, so there are no cycles. Depth, width and the size of a
family are bounded when a receivable is registered.

    direct(r) = live claims (reserved and funded) on r itself
    taken(r)  = direct(r) + what was paid on r: paid or claimed, a relative has used it up
    down(r)   = over its parents,  (taken + down)(parent) * part_of_child, rounded up
    up(r)     = over its children, (taken + up)(child) * part_of_parent, rounded up

`direct` alone stands against what is collectible of r itself, because paying lowers that by the same share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from registry.limits import FAMILY_MAX, LINEAGE_DEPTH_MAX
from registry.money import WHOLE
from registry.records import Link, Live, Receivable
from registry.rules.transitions import OPEN, VACATED
from registry.state import State

__all__ = [
    "Encumbrance",
    "Find",
    "ancestors",
    "came_to_nothing",
    "descendants",
    "family",
    "finder",
    "levels",
    "live_at",
    "vacated",
    "weighed_with",
]

Find: TypeAlias = Callable[[bytes], Receivable]


def finder(state: State, *candidates: Receivable) -> Find:
    """How to find receivables as if `candidates` were already recorded."""

    known = {candidate.id: candidate for candidate in candidates}

    def find(receivable: bytes) -> Receivable:
        found = known.get(receivable)
        if found is None:
            found = state.receivable(receivable)
            assert found is not None, "a link leads to a receivable that is not there"
            known[receivable] = found
        else:
            state.spend(1)  # there are many ways through a family, and as many comparisons with one record
        return found

    return find


def live_at(receivable: Receivable, now_ms: int) -> tuple[Live, ...]:
    """The claims that are live at block time `now_ms`: funded, or reserved and not lapsed."""
    if not receivable.live:
        return ()
    return tuple([live for live in receivable.live if live.until_ms == 0 or live.until_ms >= now_ms])


def ancestors(receivable: Receivable, find: Find) -> list[Receivable]:
    """Parents, their parents and so on, nearest first, each once."""
    return _all([receivable], find, lambda one: one.parents)[1:] if receivable.parents else []


def descendants(receivable: Receivable, find: Find) -> list[Receivable]:
    """Children, their children and so on, nearest first, each once."""
    return _all([receivable], find, lambda one: one.children)[1:] if receivable.children else []


def weighed_with(receivable: Receivable, find: Find) -> list[Receivable]:
    """What a claim on the receivable is a claim on: itself first, its ancestors, its descendants that are not over."""
    below = [one for one in descendants(receivable, find) if one.state not in VACATED]
    return [receivable, *ancestors(receivable, find), *below]


def family(members: Iterable[Receivable], find: Find) -> list[Receivable]:
    """Everything connected to `members` by links in any direction, themselves included; stops beyond FAMILY_MAX."""
    return _reach(list(members), find, lambda one: (*one.parents, *one.children))


def levels(receivable: Receivable, find: Find) -> int:
    """The receivables in the longest chain from an origin down to this one, both included."""
    level = [receivable]
    count = 0
    while level and count <= LINEAGE_DEPTH_MAX:
        count += 1
        level = list({link.receivable: find(link.receivable) for one in level for link in one.parents}.values())
    return count


class Encumbrance:
    """How much of each receivable of one family is taken up at one block time. Computed once for each."""

    __slots__ = ("_direct", "_down", "_find", "_now_ms", "_up")

    def __init__(self, find: Find, now_ms: int) -> None:
        self._find = find
        self._now_ms = now_ms
        self._direct: dict[bytes, int] = {}
        self._down: dict[bytes, int] = {}
        self._up: dict[bytes, int] = {}

    def on(self, receivable: Receivable) -> int:
        """direct + down + up: all that weighs on the receivable."""
        return self.direct(receivable) + self.down(receivable) + self.up(receivable)

    def direct(self, receivable: Receivable) -> int:
        """The share under live claims on the receivable itself."""
        if not receivable.live:
            return 0
        known = self._direct.get(receivable.id)
        if known is None:
            known = sum([live.share for live in live_at(receivable, self._now_ms)])
            self._direct[receivable.id] = known
        return known

    def taken(self, receivable: Receivable) -> int:
        """The share under live claims on the receivable itself, and the share paid."""
        return self.direct(receivable) + receivable.paid

    def down(self, receivable: Receivable) -> int:
        """The share taken through the parents: who claimed the order has a claim on the invoice."""
        if not receivable.parents:
            return 0
        known = self._down.get(receivable.id)
        if known is None:
            known = 0
            for link in receivable.parents:
                parent = self._find(link.receivable)
                known += _part(self.taken(parent) + self.down(parent), link.part_of_child)
            self._down[receivable.id] = known
        return known

    def up(self, receivable: Receivable) -> int:
        """The share taken through the children: who claimed the invoice has used up that much of the order."""
        if not receivable.children:
            return 0
        known = self._up.get(receivable.id)
        if known is None:
            known = 0
            for link in receivable.children:
                child = self._find(link.receivable)
                known += _part(self.taken(child) + self.up(child), link.part_of_parent)
            self._up[receivable.id] = known
        return known


def came_to_nothing(receivable: Receivable, taken: Encumbrance) -> bool:
    """Cancelled, or so in effect: credited away under a reservation that lapsed by time alone and so closed nothing.

    It stays so: nothing is left on which a claim could be reserved.
    """
    if receivable.state in OPEN:
        return not receivable.collectible and not receivable.paid and not taken.direct(receivable)
    return receivable.state == "cancelled"


def vacated(receivable: Receivable, taken: Encumbrance) -> bool:
    """Whether its part of the parent may be fulfilled anew."""
    return receivable.state in VACATED or came_to_nothing(receivable, taken)


def _part(share: int, part: int) -> int:
    """`part` of `share`, rounded up as claims are."""
    return -(-share * part // WHOLE)


def _all(start: list[Receivable], find: Find, links: Callable[[Receivable], Sequence[Link]]) -> list[Receivable]:
    reached = _reach(start, find, links)
    assert len(reached) <= FAMILY_MAX, "a family is larger than registration allows"
    return reached


def _reach(start: list[Receivable], find: Find, links: Callable[[Receivable], Sequence[Link]]) -> list[Receivable]:
    reached = {one.id: one for one in start}
    queue = list(reached.values())
    for one in queue:  # grows while it is walked
        if len(queue) > FAMILY_MAX:
            break
        for link in links(one):
            if link.receivable not in reached:
                reached[link.receivable] = find(link.receivable)
                queue.append(reached[link.receivable])
    return queue
