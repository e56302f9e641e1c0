"""Matches: other receivables that hold the same fingerprints (registry.md 7).

Only certain identity (`gov`, `exact`) blocks a registration; everything else, and whatever stands in a receivable's way
later, is listed for people to look at. A rejected or expired receivable blocks no more, and a cancelled one is no match
at all, unless claims weigh on it, directly or through its lineage, that would not weigh on the candidate (`_escaped`):
then it is a match, and blocks its own registrant. Neither a rejection nor a credit note, and a new registration, must
free what a financier has paid for. A voided one (`resolution`) is no match, except that its own author may not register
that identity again; and its parts block nobody else.

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
from registry.rules.lineage import Encumbrance, Find, ancestors, finder
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
    taken = Encumbrance(find, now_ms)
    related = {kind: _related(candidate, find, kind) for kind in dict.fromkeys(kind for kind, _, _ in holders)}
    blocking: dict[bytes, None] = {}
    review: dict[bytes, None] = {}
    found_by: dict[bytes, dict[str, None]] = {}
    for kind, value, other in holders:
        found = find(other)
        if found.state == "voided" and found.registrant == candidate.registrant and LEVELS[kind] == "block":
            blocking[other] = None
            continue
        if other in related[kind] or not _comes_back(found, candidate, taken):
            continue
        if _explained_by_parent(candidate, find, (kind, value), other):
            continue
        found_by.setdefault(other, {})[kind] = None
        if LEVELS[kind] == "block" and _blocks(found, candidate, find, taken):
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


def _comes_back(other: Receivable, candidate: Receivable, taken: Encumbrance) -> bool:
    """Whether `other` is a match: it stands or was rejected, or what weighs on it would be lost sight of."""
    return _escaped(other, candidate, taken) if _came_to_nothing(other, taken) else other.state in RECALLED


def _blocks(other: Receivable, candidate: Receivable, find: Find, taken: Encumbrance) -> bool:
    """Whether a certain fingerprint of `other` refuses the candidate."""
    own = other.registrant == candidate.registrant
    if other.state in BLOCKING and not _came_to_nothing(other, taken):
        return own or all(one.state != "voided" for one in ancestors(other, find))
    return own and _escaped(other, candidate, taken)


def _came_to_nothing(other: Receivable, taken: Encumbrance) -> bool:
    """Cancelled, or so in effect: credited away under a reservation that lapsed by time alone and so closed nothing."""
    if other.state in OPEN:
        return not other.collectible and not other.paid and not taken.direct(other)
    return other.state == "cancelled"


def _escaped(other: Receivable, candidate: Receivable, taken: Encumbrance) -> bool:
    """Whether something is claimed or paid on `other` or through its lineage that would not weigh on the candidate.

    What comes down from parents weighs on a candidate with the same links as it does on `other`.
    """
    if taken.direct(other) or taken.up(other):
        return True
    return other.parents != candidate.parents and taken.down(other) > 0


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
