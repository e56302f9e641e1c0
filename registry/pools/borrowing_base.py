"""The borrowing base of a pool: what may be drawn on a day, what is drawn, and whether that is covered.

    gross      all that is outstanding
    - ineligible, by reason                                    = eligible
    - reserve    dilution of the window x factor, rounded up   = net
    x advance rate, rounded down, at most the limit            = available
    drawn - available, if above zero                           = shortfall: a breach

Both sides compute it from their own figures; equal figures have one digest, in whatever order their rows are.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from registry.codec import encode, tagged_digest
from registry.errors import FieldError
from registry.money import MINOR_MAX, WHOLE
from registry.pools.conversion import Conversion, Rate
from registry.pools.eligibility import REASONS, Assessed, assess
from registry.pools.rows import PoolRow
from registry.pools.rules import FacilityRules

__all__ = ["BorrowingBase", "borrowing_base"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BorrowingBase:
    """A facility's base as of a day; amounts in minor units of `currency`. `rows` by the receivables' ids.

    `ineligible` has the reasons that apply, in the order of REASONS, with their amounts. `digest` (32 bytes) is over
    the facility, the rules with their salt, the day, the rates, what is drawn, and every row with its outcome.
    """

    facility: bytes
    as_of: datetime.date
    currency: str
    rows: tuple[Assessed, ...]
    gross: int
    ineligible: tuple[tuple[str, int], ...]
    eligible: int
    reserve: int
    available: int
    drawn: int
    digest: bytes

    @property
    def shortfall(self) -> int:
        """What is drawn beyond what is available."""
        return max(0, self.drawn - self.available)

    @property
    def finding(self) -> str:
        """What the two sides certify: "covered" or "breach"."""
        return "breach" if self.shortfall else "covered"


def borrowing_base(
    facility: bytes,
    rules: FacilityRules,
    rows: Iterable[PoolRow],
    *,
    as_of: datetime.date,
    drawn_minor: int,
    rates: Sequence[Rate] = (),
) -> BorrowingBase:
    """The base of a facility (its id, 32 bytes) as of a day, given what is drawn in the base's currency.

    Raises `FieldError` for a negative drawing, two rows of one receivable, a currency without a rate.
    """
    if type(drawn_minor) is not int or not 0 <= drawn_minor <= MINOR_MAX:
        raise FieldError("drawn", f"is 0 to {MINOR_MAX} minor units")
    conversion = Conversion(rules.currency, rates)
    assessed = assess(rules, rows, conversion=conversion, as_of=as_of)
    sums = dict.fromkeys(REASONS, 0)
    for one in assessed:
        for reason, amount in one.excluded:
            sums[reason] += amount
    eligible = sum(one.eligible for one in assessed)
    reserve = _reserve(rules, assessed, eligible, conversion, as_of)
    available = min(rules.limit_minor, (eligible - reserve) * rules.advance_rate // WHOLE)
    gross = sum(one.outstanding for one in assessed)
    return BorrowingBase(
        facility=facility,
        as_of=as_of,
        currency=rules.currency,
        rows=assessed,
        gross=gross,
        ineligible=tuple((reason, amount) for reason, amount in sums.items() if amount),
        eligible=eligible,
        reserve=reserve,
        available=available,
        drawn=drawn_minor,
        digest=tagged_digest(
            b"NEMODAT-v1-borrowing-base",
            facility,
            rules.digest,
            rules.salt,
            encode([as_of.isoformat(), drawn_minor, available, reserve]),
            encode([[rate.currency, rate.numerator, rate.denominator] for rate in sorted(rates)]),
            encode([[*one.row.encode(), one.outstanding, one.eligible, one.excluded] for one in assessed]),
        ),
    )


def _reserve(
    rules: FacilityRules, assessed: Sequence[Assessed], eligible: int, conversion: Conversion, as_of: datetime.date
) -> int:
    """Kept back for credit notes to come, at most all; all, if there were credit notes and nothing was invoiced."""
    window = rules.dilution.window_days
    invoiced = credited = 0
    for row in (one.row for one in assessed):
        if 0 <= (as_of - row.issue_date).days < window:
            invoiced += conversion.down(row.amount_minor, row.currency)
        for note in row.credit_notes:
            if 0 <= (as_of - note.day).days < window:
                credited += conversion.up(note.minor, row.currency)
    if not credited or not rules.dilution.factor:
        return 0
    if not invoiced:
        return eligible
    return min(eligible, -(-eligible * credited * rules.dilution.factor // (invoiced * WHOLE)))
