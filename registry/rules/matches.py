"""Matches: other receivables that hold the same fingerprints (registry.md 7).

Only certain identity (`gov`, `exact`) blocks a registration; everything else, and whatever stands in a receivable's
way later, is listed for people to look at. A rejected receivable blocks no more, except for its own registrant while
claims on it are live: rejection and a new registration must not free what a financier has paid for. A voided one
(`resolution`) is no match at all, except that its own author may not register that identity again.

The registrant's own lineage is no match, because links already make one claim weigh on both ends:

- an ancestor or a descendant by declared links;
- a sibling, if the common parent holds that very fingerprint (two invoices under one order, two instalments of one
  invoice): then the parent's parts count them. A sibling that is alike in anything else is a match.

A link only explains if it carries the weight: the child comes wholly from that parent, and where the fingerprint has
the amount in it, so that both amounts are the same, it is the whole of that parent too. Else one could hide a second
copy behind a link that carries next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from registry.fingerprint import LEVELS
from registry.limits import MATCHES_MAX
from registry.money import WHOLE
from registry.records import Link, Receivable
from registry.rules.lineage import Find, finder, live_at
from registry.rules.transitions import BLOCKING, OPEN, RECALLED
from registry.state import State

__all__ = ["OF_ONE_AMOUNT", "Matches", "matches_of"]


@dataclass(frozen=True, slots=True)
class Matches:
    """Ids of other receivables, in the order of the fingerprints and then by age, no id twice.

    `kinds` says for each of them by which kinds of fingerprint it was found.
    """

    blocking: tuple[bytes, ...] = ()
    review: tuple[bytes, ...] = ()
    kinds: Mapping[bytes, tuple[str, ...]] = field(default_factory=dict)


_NONE = Matches()
OF_ONE_AMOUNT = frozenset({"exact", "particulars", "window", "debtor_side", "debtor_number"})  # the amount is in them


def matches_of(
    candidate: Receivable, state: State, now_ms: int, *, replaced: tuple[Receivable, ...] = ()
) -> Matches | None:
    """What holds the fingerprints of `candidate`, which itself may or may not be recorded already.

    `replaced` are records as they will be with it: one that it supersedes is no match of it.
    None if more than MATCHES_MAX match: too many for people to look at. What is cancelled is no match, and crowds
    nobody out; what a node has to read is bounded by the holders of each fingerprint.
    """
    holders = [
        (kind, value, other)
        for kind, value in candidate.fingerprints
        for other in state.holders(kind, value)
        if other != candidate.id
    ]
    if not holders:
        return _NONE
    find = finder(state, candidate, *replaced)
    related = {kind: _related(candidate, find, kind) for kind in dict.fromkeys(kind for kind, _, _ in holders)}
    blocking: dict[bytes, None] = {}
    review: dict[bytes, None] = {}
    found_by: dict[bytes, dict[str, None]] = {}
    for kind, value, other in holders:
        found = find(other)
        if found.state == "voided" and found.registrant == candidate.registrant and LEVELS[kind] == "block":
            blocking[other] = None
            continue
        if found.state not in RECALLED or _came_to_nothing(found, now_ms) or other in related[kind]:
            continue
        if _explained_by_parent(candidate, find, (kind, value), other):
            continue
        found_by.setdefault(other, {})[kind] = None
        if LEVELS[kind] == "block" and _blocks(found, candidate, now_ms):
            blocking[other] = None
        else:
            review[other] = None
    if len(blocking.keys() | review.keys()) > MATCHES_MAX:
        return None
    return Matches(
        tuple(blocking),
        tuple([other for other in review if other not in blocking]),
        {other: tuple(kinds) for other, kinds in found_by.items()},
    )


def _came_to_nothing(other: Receivable, now_ms: int) -> bool:
    """Cancelled in effect: credited away under a reservation, which lapsed by time alone and so closed nothing."""
    return other.state in OPEN and not other.collectible and not other.paid and not live_at(other, now_ms)


def _blocks(other: Receivable, candidate: Receivable, now_ms: int) -> bool:
    """Whether a certain fingerprint of `other` refuses the candidate."""
    return other.state in BLOCKING or (other.registrant == candidate.registrant and bool(live_at(other, now_ms)))


def _related(candidate: Receivable, find: Find, kind: str) -> set[bytes]:
    """The ids of ancestors and descendants over links that explain a match of this kind."""
    related: set[bytes] = set()
    for upwards in (True, False):
        queue = [candidate]
        for one in queue:  # grows while it is walked
            for link in one.parents if upwards else one.children:
                if _explains(link, kind) and link.receivable not in related:
                    related.add(link.receivable)
                    queue.append(find(link.receivable))
    return related


def _explained_by_parent(candidate: Receivable, find: Find, fingerprint: tuple[str, bytes], other: bytes) -> bool:
    kind, _ = fingerprint
    for to_parent in candidate.parents:
        parent = find(to_parent.receivable)
        if fingerprint not in parent.fingerprints or not _explains(to_parent, kind):
            continue
        if any(child.receivable == other and _explains(child, kind) for child in parent.children):
            return True
    return False


def _explains(link: Link, kind: str) -> bool:
    return link.part_of_child == WHOLE and (link.part_of_parent == WHOLE or kind not in OF_ONE_AMOUNT)
