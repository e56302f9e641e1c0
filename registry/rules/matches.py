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
copy behind a link that carries next to nothing. And no link explains everything, it only blocks no more:

- a sibling is for review as soon as anything is claimed or was paid on it or below it: the parts of a parent are only
  its seller's word, for shares cannot count what no amount backs, and nobody looks at a parent that nobody finances;
- what the debtor denied is for review, whatever it hangs together with;
- what was paid below, or on another part of the same debt, is for review, like it or not (`_collected`).

An honest seller has hundreds of invoices under one order, and an invoice over several orders. Of its own that are alike
in one order or one transport alone, so many count as one list has of it (`_counted`), what was paid first. That hides
no second financing: one debt under two records has its number, its amount and day or its official id in common, or a
link; its parts have order and transport. What claims weigh on, and what was denied, counts always, however little is
alike; and of two of which neither is financed, whoever is financed second is shown the first, on which there is a claim
by then. The price: beyond 256 that were paid, one that was paid, and is alike in one order alone, is not shown.

What a stranger's record costs a search does not depend on what hangs on it: else a few with big families used up the
work of everybody who must search. So each record says itself whether its lineage is financed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from registry.fingerprint import LEVELS, Level
from registry.limits import (
    COLLECTED_MAX,
    HOLDERS_READ_MAX,
    MATCHES_BY_MAX,
    MATCHES_MAX,
    PRINT_HOLDERS_BY_MAX,
    TIME_MAX_MS,
)
from registry.money import WHOLE
from registry.records import Link, Receivable
from registry.rules.lineage import Encumbrance, Find, came_to_nothing, descendants, finder, weighed_with
from registry.rules.transitions import BLOCKING, DENIED, OPEN, RECALLED
from registry.state import State

__all__ = ["OF_MANY_DEBTS", "OF_ONE_AMOUNT", "Matches", "matches_of", "matches_to_look_at", "standing_at"]


@dataclass(frozen=True, slots=True)
class Matches:
    """Ids of other receivables, no id twice: those that block in the order of the fingerprints and then by age, those
    for review with the weightiest first (`_counted`), then likewise.

    `kinds` says for each of them by which kinds of fingerprint it was found: by none if by a link, one that was taken
    back or one from what was paid.
    """

    blocking: tuple[bytes, ...] = ()
    review: tuple[bytes, ...] = ()
    kinds: Mapping[bytes, tuple[str, ...]] = field(default_factory=dict)


_NONE = Matches()
_NO_DEBT = frozenset({"purchase_order", "shipment"})
OF_MANY_DEBTS = frozenset({"order", "transport"})  # by which alone nothing is taken for one debt
OF_ONE_AMOUNT = frozenset({"exact", "particulars", "window", "debtor_side", "debtor_number"})  # the amount is in them


def matches_of(
    candidate: Receivable, state: State, now_ms: int, *, replaced: tuple[Receivable, ...] = ()
) -> Matches | None:
    """What holds the fingerprints of `candidate`, which itself may or may not be recorded already.

    `replaced` are records as they will be with it: one that it supersedes is no match of it.
    However many they are: what is too many for people to look at is asked when it is funded. None if they are more
    than can be compared with at once, which the holders of each fingerprint bound.
    """
    return _search([candidate], finder(state, candidate, *replaced), state, now_ms)


def matches_to_look_at(receivable: Receivable, state: State, now_ms: int) -> Matches | None:
    """What must be acknowledged to fund a claim on `receivable`: what matches it, or what such a claim weighs on too.

    Else what matches an invoice would be lost sight of by financing its instalment, or its order. None if they are
    too many to look at, or to read.
    """
    find = finder(state, receivable)
    members = weighed_with(receivable, find)
    found = _search(members, find, state, now_ms)
    if found is None:
        return None
    beside: dict[bytes, tuple[str, ...]] = dict.fromkeys((*_cut_off(members, find), *_collected(receivable, find)), ())
    review = tuple(dict.fromkeys((*found.review, *(other for other in beside if other not in found.blocking))))
    if len(found.blocking) + len(review) > MATCHES_MAX:
        return None
    return Matches(found.blocking, review, {**beside, **found.kinds})


def _cut_off(members: Sequence[Receivable], find: Find) -> list[bytes]:
    """What corrections have cut these off from, and is no part of the lineage otherwise: it stands, or was denied."""
    inside = {member.id for member in members}
    others = [other for member in members for other in member.unlinked if other not in inside]
    return [other for other in others if find(other).state in RECALLED | DENIED]


def _collected(receivable: Receivable, find: Find) -> list[bytes]:
    """What was paid below it, or beside it on parts of one debt, and takes no claims any more.

    `claims.overfull` counts that upwards by the part that its seller said it is, and by nothing else. So of very many
    those come first that are said to be the least. An order is no debt, and what is beside it is another one.
    """
    tops = [receivable, *(one for link in receivable.parents if (one := find(link.receivable)).kind not in _NO_DEBT)]
    below = {one.id: one for top in tops for one in descendants(top, find) if one.paid and one.state not in OPEN}
    below.pop(receivable.id, None)
    found = sorted(below.values(), key=lambda one: min(link.part_of_parent for link in one.parents))
    return [one.id for one in found[:COLLECTED_MAX]]


def standing_at(matches: Matches, receivable: Receivable, reserved_ms: int, state: State) -> tuple[bytes, ...]:
    """Those for review that who reserved a claim on `receivable` at this block time must have looked at.

    Not what a stranger registered afterwards, or one copy in front of each funding refused it for ever. Whoever
    finances such a copy has reserved it later still, and must have looked at `receivable`. But whatever is already
    financed or paid, was confirmed by the same debtor or registered by it, or is alike in a certain identity counts.
    """
    if not matches.review:
        return ()
    find = finder(state, receivable)
    taken = Encumbrance(find, TIME_MAX_MS)  # a mere reservation is no money, and lapses by then

    def counts(one: Receivable) -> bool:
        if one.registered_ms <= reserved_ms or one.registrant in (receivable.registrant, receivable.debtor):
            return True
        if one.confirmed_ms or taken.taken(one) or one.lineage_financed:
            return True
        return any(LEVELS[kind] == "block" for kind in matches.kinds[one.id])

    return tuple([other for other in matches.review if counts(find(other))])


def _search(members: Sequence[Receivable], find: Find, state: State, now_ms: int) -> Matches | None:
    """What matches any of these, of which the first is what is asked about, and the others are of its lineage."""
    searched = dict.fromkeys(chain.from_iterable([member.fingerprints for member in members]))
    found_under = {fingerprint: holders for fingerprint in searched if (holders := state.holders(*fingerprint))}
    if not found_under:  # of an honest invoice nearly always
        return _NONE
    holding: dict[tuple[str, bytes], list[Receivable]] = {}
    for member in members:
        for fingerprint in member.fingerprints:
            holding.setdefault(fingerprint, []).append(member)
    asked, taken = members[0], Encumbrance(find, now_ms)
    judge = _Judge(find, taken)
    inside = judge.weighing(members)
    blocking: dict[bytes, None] = {}
    review: dict[bytes, None] = {}
    found_by: dict[bytes, dict[str, None]] = {}
    done: dict[str, set[bytes]] = {}  # others of which a kind says no more
    linked: dict[str, set[tuple[bytes, bytes]]] = {}  # pairs of which it says no more either: a link explains it
    compared = 0
    for (kind, value), holders in found_under.items():
        alike = holding[kind, value]
        own = [member for member in alike if member is asked]
        skip = done.setdefault(kind, set())
        explained = linked.setdefault(kind, set())
        for other in holders:
            if other in skip:
                continue
            level: Level | None = None
            for member in own if other in inside else alike:
                if member.id == other or level == LEVELS[kind]:
                    continue
                compared += 1
                if (pair := (member.id, other)) in explained:
                    continue
                found = judge.level(member, (kind, value), find(other))
                level = found or level
                if member.parents or member.children:  # links are followed to see what they explain
                    state.spend(2)
                    if found is None and other in judge.related(member, kind):
                        explained.add(pair)
            if compared > HOLDERS_READ_MAX:
                return None
            if level is None:
                continue
            if level == LEVELS[kind]:
                skip.add(other)
            found_by.setdefault(other, {})[kind] = None
            (blocking if level == "block" else review)[other] = None
    if not found_by:
        return _NONE
    looked_at = _counted(members, [find(other) for other in review if other not in blocking], found_by, taken)
    return Matches(tuple(blocking), looked_at, {other: tuple(kinds) for other, kinds in found_by.items()})


def _counted(
    members: Sequence[Receivable],
    found: Sequence[Receivable],
    found_by: Mapping[bytes, Collection[str]],
    taken: Encumbrance,
) -> tuple[bytes, ...]:
    """Those for review that count, the weightiest first: what is claimed or was paid, itself or else through its
    lineage, then what others registered.

    Of one stranger so many at most, or a few of them made anything unfundable. Not so of the registrant itself, and of
    what the same debtor confirmed: there each may be the one that was financed already. But of what it has in common
    with an order or a transport alone no more than of one such list: see the head of this module.
    """
    if len(found) < 2:
        return tuple([one.id for one in found])
    own = {member.registrant for member in members}
    debtors = {member.debtor for member in members if member.debtor}
    counts: dict[str, int] = {}
    counted: list[bytes] = []
    loose = 0

    def weight(one: Receivable) -> tuple[bool, bool, bool]:
        return not taken.taken(one), not one.lineage_financed, one.registrant in own

    for one in sorted(found, key=weight):
        if one.registrant not in own and not (one.confirmed_ms and one.debtor in debtors):
            counts[one.registrant] = counts.get(one.registrant, 0) + 1
            if counts[one.registrant] > MATCHES_BY_MAX:
                continue
        elif one.registrant in own and _is_loose(one, found_by[one.id], taken):
            loose += 1
            if loose > PRINT_HOLDERS_BY_MAX:
                continue
        counted.append(one.id)
    return tuple(counted)


def _is_loose(one: Receivable, kinds: Collection[str], taken: Encumbrance) -> bool:
    """Whether it is alike in an order or a transport alone, was not denied, and no claim weighs on it."""
    return len(kinds) == 1 and OF_MANY_DEBTS.issuperset(kinds) and one.state not in DENIED and not taken.on(one)


class _Judge:
    """Says of two receivables with a fingerprint in common what that means."""

    __slots__ = ("_find", "_related", "_taken", "_voided")

    def __init__(self, find: Find, taken: Encumbrance) -> None:
        self._find = find
        self._taken = taken
        self._related: dict[tuple[bytes, bool], set[bytes]] = {}
        self._voided: dict[bytes, bool] = {}

    def level(self, candidate: Receivable, fingerprint: tuple[str, bytes], other: Receivable) -> Level | None:
        """The level on which `other` is a match of the candidate by this fingerprint, None if it is none."""
        kind, _ = fingerprint
        linked = candidate.parents or candidate.children
        if not linked and LEVELS[kind] != "block" and other.state in OPEN and other.collectible:
            return "review"  # of many copies nearly all, and soon said
        if other.state == "voided" and other.registrant == candidate.registrant and LEVELS[kind] == "block":
            return "block"
        if not _comes_back(other, candidate, self._taken):
            return None
        related = other.id in self.related(candidate, kind)
        if related or _explained_by_parent(candidate, other, fingerprint, self._find):
            unexplained = other.state in DENIED or (not related and _used(other, self._taken))
            return "review" if unexplained else None
        return "block" if LEVELS[kind] == "block" and self._blocks(other, candidate) else "review"

    def related(self, candidate: Receivable, kind: str) -> set[bytes]:
        """The ids of ancestors and descendants over links that explain a match of this kind."""
        key = (candidate.id, kind in OF_ONE_AMOUNT)
        if key not in self._related:
            self._related[key] = _related(candidate, self._find, kind)
        return self._related[key]

    def weighing(self, members: Sequence[Receivable]) -> set[bytes]:
        """Those of a lineage that need no look although others of it are alike: a claim weighs wholly on both.

        Not what is claimed or paid: of that, its double must be known.
        """
        asked = members[0]
        wholly = self.related(asked, "order") if len(members) > 1 else set()
        return {asked.id, *(one.id for one in members if one.id in wholly and not _used(one, self._taken))}

    def _blocks(self, other: Receivable, candidate: Receivable) -> bool:
        """Whether a certain fingerprint of `other` refuses the candidate."""
        own = other.registrant == candidate.registrant
        if other.state in BLOCKING and not came_to_nothing(other, self._taken):
            return own or not self._part_of_voided(other)
        return own and _escaped(other, candidate, self._taken)

    def _part_of_voided(self, one: Receivable) -> bool:
        known = self._voided.get(one.id)
        if known is None:
            parents = [self._find(link.receivable) for link in one.parents]
            known = any(parent.state == "voided" or self._part_of_voided(parent) for parent in parents)
            self._voided[one.id] = known
        return known


def _comes_back(other: Receivable, candidate: Receivable, taken: Encumbrance) -> bool:
    """Whether `other` is a match: it stands or was rejected, or what weighs on it would be lost sight of."""
    return _escaped(other, candidate, taken) if came_to_nothing(other, taken) else other.state in RECALLED


def _escaped(other: Receivable, candidate: Receivable, taken: Encumbrance) -> bool:
    """Whether something is claimed or paid on `other` or through its lineage that would not weigh on the candidate.

    What comes down from parents weighs on a candidate with the same links as it does on `other`. A stranger's family is
    not walked for that: it counts what is funded there.
    """
    if other.registrant != candidate.registrant:
        return taken.direct(other) > 0 or other.lineage_financed
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


def _explained_by_parent(candidate: Receivable, other: Receivable, fingerprint: tuple[str, bytes], find: Find) -> bool:
    """Whether both are parts of one receivable that holds this very fingerprint."""
    kind, _ = fingerprint
    parents = {link.receivable for link in candidate.parents if _explains(link, kind)}
    common = [link.receivable for link in other.parents if link.receivable in parents and _explains(link, kind)]
    return any(fingerprint in find(parent).fingerprints for parent in common)


def _used(receivable: Receivable, taken: Encumbrance) -> bool:
    """Whether anything is claimed or was paid on the receivable itself, or through what is below it."""
    return taken.taken(receivable) > 0 or taken.up(receivable) > 0


def _explains(link: Link, kind: str) -> bool:
    return link.part_of_child == WHOLE and (link.part_of_parent == WHOLE or kind not in OF_ONE_AMOUNT)
