"""Who has priority: the families of rules of `registry.md` 10, one pure function each.

A family puts all claims in one total order; a profile chooses the family, its options and its registers. Whatever the
law of a family leaves open (the same instant, several claims without notice) is settled by age, `Seen.age`, and said.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType
from typing import Final, TypeAlias

from registry.law.seen import Seen
from registry.law.wording import Reason, Words, instant, reason
from registry.money import Money

__all__ = ["FAMILIES", "NOTICE_COMPLETES", "WITHOUT_EFFECT", "Contest", "Effect", "Family", "Order", "Standing"]

WITHOUT_EFFECT: Final = "unregistered_without_effect"  # option: an unregistered claim has none against third parties
NOTICE_COMPLETES: Final = "notice_completes"  # option: notice to the debtor completes an assignment like registration


class Effect(StrEnum):
    """Whether a claim counts against the others at all."""

    RANKS = "ranks"
    NO_EFFECT = "no_effect"  # against third parties
    FORBIDDEN = "forbidden"  # the financing is


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a claim stands: claims of one tier share. `tier` counts from 1 and follows the order."""

    claim: str
    tier: int
    effect: Effect
    reason: Reason


@dataclass(frozen=True, slots=True)
class Order:
    """All claims in order, and what is doubtful about it."""

    standings: tuple[Standing, ...]
    remarks: tuple[Reason, ...] = ()

    @property
    def winners(self) -> tuple[str, ...]:
        """The claims of the first tier, if it ranks."""
        return tuple(each.claim for each in self.standings if each.tier == 1 and each.effect is Effect.RANKS)


@dataclass(frozen=True, slots=True)
class Contest:
    """The claims as the law sees them, oldest first; the receivable's amount; names of registers; the law's options."""

    claims: tuple[Seen, ...]
    amount: Money
    registers: Mapping[str, Words]
    options: Collection[str] = ()


_Place: TypeAlias = tuple[Seen, Effect, Reason]


def registered_then_notified_then_pro_rata(contest: Contest) -> Order:
    """Registered before unregistered, by time; then by receipt of notice; the rest share. Civil Code of the PRC 768."""
    registered = _by(contest.claims, lambda each: each.registered_ms)
    notified = _by((each for each in contest.claims if each.registered_ms is None), lambda each: each.notified_ms)
    rest = [each for each in contest.claims if each.registered_ms is None and each.notified_ms is None]
    places = [_ranks(each, _registered("registered", each, contest)) for each in registered]
    places += [_ranks(each, _notified("notified", each)) for each in notified]
    sharing = [_ranks(each, reason("neither_shares", claimant=each.claim.claimant)) for each in rest]
    standings = _row(places) + tuple(Standing(e.claim.id, len(places) + 1, effect, why) for e, effect, why in sharing)
    return Order(standings, _same(registered, lambda e: e.registered_ms) + _same(notified, lambda e: e.notified_ms))


def first_to_file(contest: Contest) -> Order:
    """By registration, which may come before the assignment; knowledge is irrelevant. UCC 9-322(a)."""
    registered = _by(contest.claims, lambda each: each.registered_ms)
    rest = [each for each in contest.claims if each.registered_ms is None]
    places = [_ranks(each, _registered("registered", each, contest)) for each in registered]
    if WITHOUT_EFFECT in contest.options:
        places += [_without_effect(each, "unregistered_without_effect") for each in rest]
    else:
        places += [_ranks(each, _concluded("unregistered_by_conclusion", each)) for each in rest]
    return Order(_row(places), _same(registered, lambda each: each.registered_ms))


def first_notice(contest: Contest) -> Order:
    """By receipt of notice, but nobody overtakes a claim it knew of; the rest by conclusion. Dearle v Hall.

    Knowledge can make the order circular (A before B, who knew of it; B before C by notice; C before A by notice):
    then B waits for A, and the order says that it is doubtful.
    """
    waiting = _by(contest.claims, lambda each: each.notified_ms)
    waiting += [each for each in contest.claims if each.notified_ms is None]
    by_notice = tuple(waiting)
    placed: list[Seen] = []
    while waiting:  # an age is above that of all it may wait for, so somebody can always be placed
        upcoming = next(each for each in waiting if not any(each.knew_of(other) for other in waiting))
        placed.append(upcoming)
        waiting.remove(upcoming)
    places = [_ranks(each, _why_notice(each, by_notice)) for each in placed]
    remarks = _same(tuple(each for each in placed if each.notified_ms is not None), lambda each: each.notified_ms)
    return Order(_row(places), remarks + ((reason("circular"),) if _is_circular(placed, by_notice) else ()))


def first_in_time(contest: Contest) -> Order:
    """By conclusion of the assignment; notice only protects the debtor. BGB 398; Code civil 1325."""
    places = [_ranks(each, _why_first(each)) for each in contest.claims]
    return Order(_row(places), _same(contest.claims, lambda each: each.claim.since_ms))


def registration_constitutive(contest: Contest) -> Order:
    """By completion; without it no effect on third parties. Lei 10.931 art. 63-A; by choice, Scotland 2023 Act s. 3."""
    by_notice = NOTICE_COMPLETES in contest.options
    completed = _by(contest.claims, lambda each: _completed_ms(each, by_notice))
    places = [_ranks(each, _why_completed(each, by_notice, contest)) for each in completed]
    rest = [each for each in contest.claims if _completed_ms(each, by_notice) is None]
    places += [_without_effect(each, "not_completed") for each in rest]
    return Order(_row(places), _same(completed, lambda each: _completed_ms(each, by_notice)))


def no_over_financing(contest: Contest) -> Order:
    """By conclusion, each only within what earlier ones left free; beyond it, financing is forbidden. Circular 20/2024.

    A blanket claim takes all that is free, and so does one whose financing is not known.
    """
    free = contest.amount.minor
    allowed: list[_Place] = []
    forbidden: list[_Place] = []
    for each in contest.claims:
        funded = None if each.claim.blanket else each.claim.funded
        takes = (free or contest.amount.minor) if funded is None else funded.minor
        within = takes <= free
        told = reason(
            "within_free_value" if within else "beyond_free_value",
            claimant=each.claim.claimant,
            funded=str(Money(contest.amount.currency, takes)),
            free=str(Money(contest.amount.currency, free)),
        )
        (allowed if within else forbidden).append((each, Effect.RANKS if within else Effect.FORBIDDEN, told))
        free -= takes if within else 0
    return Order(_row(allowed + forbidden), _same(contest.claims, lambda each: each.claim.since_ms))


@dataclass(frozen=True, slots=True)
class Family:
    """A rule of priority, and the options that a profile may set."""

    order: Callable[[Contest], Order]
    options: frozenset[str] = frozenset()


FAMILIES: Final[Mapping[str, Family]] = MappingProxyType(
    {
        "registered_then_notified_then_pro_rata": Family(registered_then_notified_then_pro_rata),
        "first_to_file": Family(first_to_file, frozenset({WITHOUT_EFFECT})),
        "first_notice": Family(first_notice),
        "first_in_time": Family(first_in_time),
        "registration_constitutive": Family(registration_constitutive, frozenset({NOTICE_COMPLETES})),
        "no_over_financing": Family(no_over_financing),
    }
)


def _by(claims: Iterable[Seen], time: Callable[[Seen], int | None]) -> list[Seen]:
    """Those that have this time, by it; at the same time by age."""
    timed = ((at_ms, each.age, each) for each in claims if (at_ms := time(each)) is not None)
    return [each for _, _, each in sorted(timed, key=lambda entry: entry[:2])]


def _row(places: Iterable[_Place]) -> tuple[Standing, ...]:
    return tuple(Standing(each.claim.id, tier, effect, why) for tier, (each, effect, why) in enumerate(places, start=1))


def _same(claims: Collection[Seen], time: Callable[[Seen], int | None]) -> tuple[Reason, ...]:
    """A remark for each two neighbours with the same time: no law says who of them comes first."""
    ordered = tuple(claims)
    return tuple(
        reason("same_time", claimant=one.claim.claimant, other=two.claim.claimant, at=instant(at_ms))
        for one, two in pairwise(ordered)
        if (at_ms := time(one)) is not None and at_ms == time(two)
    )


def _ranks(each: Seen, why: Reason) -> _Place:
    return (each, Effect.RANKS, why)


def _without_effect(each: Seen, code: str) -> _Place:
    return (each, Effect.NO_EFFECT, reason(code, claimant=each.claim.claimant))


def _concluded(code: str, each: Seen) -> Reason:
    return reason(code, claimant=each.claim.claimant, at=instant(each.claim.since_ms))


def _why_first(each: Seen) -> Reason:
    if each.claim.since_ms == each.claim.concluded_ms:
        return _concluded("concluded", each)
    told = instant(each.claim.concluded_ms)
    return reason("concluded_as_shown", claimant=each.claim.claimant, at=instant(each.claim.since_ms), told=told)


def _notified(code: str, each: Seen) -> Reason:
    assert each.notified_ms is not None, each.claim.id
    return reason(code, claimant=each.claim.claimant, at=instant(each.notified_ms))


def _registered(code: str, each: Seen, contest: Contest) -> Reason:
    assert each.filing is not None, each.claim.id
    return reason(
        code,
        claimant=each.claim.claimant,
        at=instant(each.filing.at_ms),
        register=contest.registers[each.filing.register],
        number=each.filing.number,
    )


def _completed_ms(each: Seen, by_notice: bool) -> int | None:
    """When the assignment and one of the acts that complete it are both there."""
    times = [each.registered_ms, each.notified_ms if by_notice else None]
    done_ms = min((at_ms for at_ms in times if at_ms is not None), default=None)
    return None if done_ms is None else max(done_ms, each.claim.since_ms)


def _why_completed(each: Seen, by_notice: bool, contest: Contest) -> Reason:
    notified_ms = each.notified_ms if by_notice else None
    if each.registered_ms is None or (notified_ms is not None and notified_ms < each.registered_ms):
        return _notified("completed_by_notice", each)
    return _registered("completed_by_registration", each, contest)


def _why_notice(each: Seen, by_notice: tuple[Seen, ...]) -> Reason:
    if each.notified_ms is None:
        return _concluded("no_notice", each)
    behind = by_notice[by_notice.index(each) + 1 :]
    known = next((other for other in behind if each.knew_of(other)), None)
    if known is None:
        return _notified("notice_first", each)
    return reason(
        "notice_held_back",
        claimant=each.claim.claimant,
        at=instant(each.notified_ms),
        earlier=known.claim.claimant,
    )


def _is_circular(placed: list[Seen], by_notice: tuple[Seen, ...]) -> bool:
    """Whether somebody is before a claim that had notice first and did not know of it."""
    return any(
        by_notice.index(later) < by_notice.index(earlier) and not later.knew_of(earlier)
        for position, earlier in enumerate(placed)
        for later in placed[position + 1 :]
    )
