"""What one law sees of a claim at one moment: since when registered where it counts, since when notified.

What happens after the moment is not seen. A lapsed filing is none; filings that follow each other without a gap count
from the first of them (UCC 9-322(a)(1); the same is assumed elsewhere).
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from registry.law.case import Case, Claim, Filing, Place

__all__ = ["NOWHERE", "Seen", "in_order", "lapse_of", "see"]

NOWHERE: Final = Place(2**63 - 1, 0)  # the place of a claim outside this ledger: after all that are on it

NEVER_MS: Final = 2**63 - 1  # after every time
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MS = datetime.timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Seen:
    """A claim as one law sees it. `filing` is the first of an unbroken row of filings that is still in force."""

    claim: Claim
    filing: Filing | None
    notified_ms: int | None

    @property
    def registered_ms(self) -> int | None:
        """Since when it has been registered without a gap."""
        return None if self.filing is None else self.filing.at_ms

    @property
    def age(self) -> tuple[int, Place, str]:
        """The total order that settles whatever a law leaves open: conclusion, then place on this ledger, then id.

        A conclusion that was only told counts from when this ledger shows it.
        """
        return (self.claim.since_ms, self.claim.here or NOWHERE, self.claim.id)

    def knew_of(self, other: Seen) -> bool:
        """Whether it knew of the other, earlier claim when it was concluded or, if later, when it paid."""
        taken_ms = max(self.claim.since_ms, self.claim.funded_ms or 0)
        return other.age < self.age and any(
            known.claim == other.claim.id and known.since_ms <= taken_ms for known in self.claim.knew_of
        )


def see(case: Case, *, registers: Collection[str], filing_years: int) -> tuple[Seen, ...]:
    """The claims, oldest first, as a law sees them that counts filings in `registers` (see `lapse_of`)."""
    seen = (_see(claim, case.as_of_ms, registers, filing_years) for claim in case.claims)
    return tuple(sorted(seen, key=lambda each: each.age))


def lapse_of(filing: Filing, filing_years: int) -> int | None:
    """When a filing lapses: as it says, else so many calendar years after it was made; None if 0: never."""
    if filing.lapses_ms is not None or filing_years == 0:
        return filing.lapses_ms
    made = _EPOCH + filing.at_ms * _MS
    leap_day = made.month == 2 and made.day == 29
    lapses = made.replace(year=made.year + filing_years, day=28 if leap_day else made.day)
    return (lapses - _EPOCH) // _MS


def in_order(filings: Iterable[Filing]) -> list[Filing]:
    """By time, then by whatever tells them apart: the order in which a case lists them says nothing."""
    return sorted(filings, key=lambda each: (each.at_ms, each.register, each.number, each.lapses_ms or NEVER_MS))


def _see(claim: Claim, as_of_ms: int, registers: Collection[str], filing_years: int) -> Seen:
    counted = (filing for filing in claim.filings if filing.register in registers and filing.at_ms <= as_of_ms)
    filing = _unbroken(counted, as_of_ms, filing_years)
    received = [notice.received_ms for notice in claim.notices if notice.received_ms is not None]
    if claim.acknowledged_ms is not None:  # who acknowledges a notice has received it
        received.append(claim.acknowledged_ms)
    return Seen(
        claim=claim,
        filing=filing,
        notified_ms=min((at_ms for at_ms in received if at_ms <= as_of_ms), default=None),
    )


def _unbroken(filings: Iterable[Filing], as_of_ms: int, filing_years: int) -> Filing | None:
    """The first of the filings that cover the time up to `as_of_ms` without a gap."""
    first: Filing | None = None
    covered_ms: int | None = 0  # up to where the row reaches; None: for ever
    for filing in in_order(filings):
        lapses_ms = lapse_of(filing, filing_years)
        if first is None or (covered_ms is not None and covered_ms < filing.at_ms):
            first, covered_ms = filing, lapses_ms
        elif covered_ms is not None:
            covered_ms = None if lapses_ms is None else max(covered_ms, lapses_ms)
    return first if covered_ms is None or as_of_ms < covered_ms else None
