"""Which receivables of a pool count, and why the others do not (registry.md 6.2): a pure function of rules and rows.

Every row's outstanding amount is split, to the minor unit, into what is eligible and what is left out by reason.
The rules are asked in the order of REASONS, the first that applies wins:

1. what a row is by itself: kind, currency, country, state, dispute, evidence, tenor, overdue;
2. cross-ageing: a debtor with too large a share overdue is out with everything;
3. contra: what the seller owes the debtor is deducted, or puts the debtor out;
4. concentration: what exceeds a debtor's share of all that is still eligible is left out, latest due first.

Rounding: an amount in another currency is converted once, down; what is deducted is converted up; the cap of a debtor
is rounded down. So rounding never makes room for more.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from registry.errors import FieldError
from registry.money import WHOLE
from registry.pools.conversion import Conversion
from registry.pools.rows import PoolRow
from registry.pools.rules import FacilityRules
from registry.records import GRADES

__all__ = ["REASONS", "Assessed", "assess"]

REASONS: Final = (
    "kind",  # not a kind of receivable that is financed
    "currency",
    "country",  # of the debtor
    "state",  # rejected, settled, cancelled, expired
    "disputed",
    "evidence",  # a grade below the least one: unconfirmed, if that is debtor_confirmed
    "tenor",  # too long from issue to due
    "overdue",  # too long past due
    "cross_aged",
    "contra",
    "concentration",
)
OPEN_STATES: Final = frozenset({"registered", "part_confirmed", "confirmed", "deemed"})


@dataclass(frozen=True, slots=True)
class Assessed:
    """One row: `outstanding` is `eligible` plus the amounts of `excluded` (reason, amount), in the base's currency."""

    row: PoolRow
    outstanding: int
    eligible: int
    excluded: tuple[tuple[str, int], ...] = ()

    def less(self, reason: str, amount: int) -> Assessed:
        """With as much of this amount left out as is eligible."""
        taken = min(amount, self.eligible)
        if not taken:
            return self
        return replace(self, eligible=self.eligible - taken, excluded=(*self.excluded, (reason, taken)))


def assess(
    rules: FacilityRules, rows: Iterable[PoolRow], *, conversion: Conversion, as_of: datetime.date
) -> tuple[Assessed, ...]:
    """Every row assessed, by the receivables' ids, whatever order they come in.

    Raises `FieldError` if two rows are one receivable, or a row's currency has no agreed rate to the base's.
    """
    ordered = sorted(rows, key=lambda row: row.receivable)
    for one, other in pairwise(ordered):
        if one.receivable == other.receivable:
            raise FieldError("rows", f"{one.receivable.hex()} stands twice")
    assessed = [_alone(rules, row, conversion.down(row.outstanding_minor, row.currency), as_of) for row in ordered]
    assessed = _cross_aged(rules, assessed, as_of)
    assessed = _contra(rules, assessed, lambda row: conversion.up(row.contra_minor, row.currency))
    return tuple(_concentrated(rules, assessed))


def _alone(rules: FacilityRules, row: PoolRow, outstanding: int, as_of: datetime.date) -> Assessed:
    made = Assessed(row, outstanding, outstanding)
    reason = _own_reason(rules, row, as_of)
    return made if reason is None else made.less(reason, outstanding)


def _own_reason(rules: FacilityRules, row: PoolRow, as_of: datetime.date) -> str | None:
    asked = rules.eligibility
    if row.kind not in asked.kinds:
        return "kind"
    if row.currency not in asked.currencies:
        return "currency"
    if asked.debtor_countries and row.debtor_country not in asked.debtor_countries:
        return "country"
    if row.state not in OPEN_STATES:
        return "state"
    if row.disputed:
        return "disputed"
    if GRADES.index(row.grade) < GRADES.index(asked.grade_min):
        return "evidence"
    if (row.due_date - row.issue_date).days > asked.tenor_days_max:
        return "tenor"
    return "overdue" if _overdue(rules, row, as_of) else None


def _overdue(rules: FacilityRules, row: PoolRow, as_of: datetime.date) -> bool:
    return (as_of - row.due_date).days > rules.eligibility.overdue_days_max


def _cross_aged(rules: FacilityRules, assessed: list[Assessed], as_of: datetime.date) -> list[Assessed]:
    owed: defaultdict[str, int] = defaultdict(int)
    late: defaultdict[str, int] = defaultdict(int)
    for one in assessed:
        owed[one.row.debtor] += one.outstanding
        if _overdue(rules, one.row, as_of):
            late[one.row.debtor] += one.outstanding
    most = rules.eligibility.cross_ageing_max
    out = {debtor for debtor, amount in late.items() if amount * WHOLE > most * owed[debtor]}
    return [one.less("cross_aged", one.eligible) if one.row.debtor in out else one for one in assessed]


def _contra(rules: FacilityRules, assessed: list[Assessed], owed: Callable[[PoolRow], int]) -> list[Assessed]:
    how = rules.eligibility.contra
    if how == "ignore":
        return assessed
    if how == "deduct":
        return [one.less("contra", owed(one.row)) for one in assessed]
    out = {one.row.debtor for one in assessed if one.row.contra_minor}
    return [one.less("contra", one.eligible) if one.row.debtor in out else one for one in assessed]


def _concentrated(rules: FacilityRules, assessed: list[Assessed]) -> list[Assessed]:
    cap = sum(one.eligible for one in assessed) * rules.eligibility.concentration_max // WHOLE
    room: dict[str, int] = {}
    kept: dict[bytes, Assessed] = {}
    for one in sorted(assessed, key=lambda one: (one.row.due_date, one.row.receivable)):
        left = room.get(one.row.debtor, cap)
        kept[one.row.receivable] = one.less("concentration", max(0, one.eligible - left))
        room[one.row.debtor] = left - kept[one.row.receivable].eligible
    return [kept[one.row.receivable] for one in assessed]
