"""The facts of one receivable that several claims compete for, also claims and filings outside this ledger.

Facts only: what follows from them is for the laws. All times are milliseconds UTC; what happened after `as_of_ms` has
not happened yet. The reader of files is `case_file`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from registry.errors import FieldError
from registry.limits import BLANKETS_MAX, CLAIMS_MAX, EXTERNAL_CLAIMS_MAX, FILINGS_MAX, HOLDERS_MAX
from registry.money import Money

__all__ = [
    "COMPETITORS_MAX",
    "ENTRIES_MAX",
    "REGISTER_CODE",
    "SELLER_SIZES",
    "Case",
    "Claim",
    "Contract",
    "Filing",
    "Knowledge",
    "Notice",
    "Place",
]

COMPETITORS_MAX: Final = CLAIMS_MAX + EXTERNAL_CLAIMS_MAX + BLANKETS_MAX  # claims of one case: all that a ledger knows
ENTRIES_MAX: Final = 2 * HOLDERS_MAX * FILINGS_MAX  # filings, and notices, of one claim: a ledger's, and as many beside
REGISTER_CODE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)  # of an official register: zhongdeng, ucc-1
SELLER_SIZES: Final = ("small_or_medium", "large")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """An entry in an official register, by code (`zhongdeng`, ...). Without `lapses_ms` the law says when it lapses."""

    register: str
    number: str
    at_ms: int
    lapses_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice of the assignment to the debtor. Only its receipt counts; `digest` is the SHA-256 of its text."""

    received_ms: int | None
    sent_ms: int | None = None
    channel: str = ""
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The claimant knew of another claim, since when; a search certificate that shows it is such knowledge."""

    claim: str
    since_ms: int


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a claim stands on this ledger."""

    height: int
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One financier's claim. `here` is None outside this ledger; `blanket`: on all receivables of a description.

    `funded` is what it financed; for a factor that gives service and no finance, its fee (Civil Code of the PRC 768).
    `shown_ms`: since when this ledger itself shows it, where `concluded_ms` is earlier and only what its sides told:
    a fact to be proved, by which it outranks nobody.
    `asserted` names what merely asserts the claim, a register or a document outside; "" for one known otherwise.
    """

    id: str
    claimant: str
    concluded_ms: int
    funded: Money | None = None
    funded_ms: int | None = None
    blanket: bool = False
    here: Place | None = None
    filings: tuple[Filing, ...] = ()
    notices: tuple[Notice, ...] = ()
    acknowledged_ms: int | None = None
    knew_of: tuple[Knowledge, ...] = ()
    asserted: str = ""
    shown_ms: int | None = None

    @property
    def since_ms(self) -> int:
        """From when it counts against others: from its conclusion, but not before this ledger shows what was told."""
        return self.concluded_ms if self.shown_ms is None else max(self.concluded_ms, self.shown_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """The contract that the receivable comes from, as far as a ban on assignment depends on it. None: not known."""

    ban: bool | None = None
    concluded_ms: int | None = None
    seller_size: str | None = None
    between_businesses: bool | None = None
    ban_in_document: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One receivable and the claims on it. `collected` is what there is to share out, if anything was paid in."""

    reference: str
    amount: Money
    as_of_ms: int
    claims: tuple[Claim, ...]
    collected: Money | None = None
    contract: Contract = Contract()
    laws: tuple[str, ...] = ()  # the candidate laws; none named: all there are

    def __post_init__(self) -> None:
        """Raises `FieldError` naming the claim and the field for facts that contradict each other."""
        if not 1 <= len(self.claims) <= COMPETITORS_MAX:
            raise FieldError("claims", f"must be 1 to {COMPETITORS_MAX}")
        if self.amount.minor <= 0:
            raise FieldError("amount", "must be more than nothing")
        _check_money("collected", self.collected, self.amount)
        if self.collected is not None and self.collected.minor > self.amount.minor:
            raise FieldError("collected", "is more than the amount")
        for index, law in enumerate(self.laws):
            if law in self.laws[:index]:
                raise FieldError(f"laws[{index}]", f"{law} stands twice")
        ids = Counter(claim.id for claim in self.claims)
        for index, claim in enumerate(self.claims):
            if ids[claim.id] > 1:
                raise FieldError(f"claims[{index}].id", f"{claim.id} stands twice")
            _check_claim(f"claims[{index}]", claim, self, ids.keys())


def _check_claim(place: str, claim: Claim, case: Case, ids: Collection[str]) -> None:
    if claim.concluded_ms > case.as_of_ms:
        raise FieldError(f"{place}.concluded", "lies after as_of")
    _check_money(f"{place}.funded", claim.funded, case.amount)
    for name, entries in (("filings", claim.filings), ("notices", claim.notices)):
        if len(entries) > ENTRIES_MAX:
            raise FieldError(f"{place}.{name}", f"must be at most {ENTRIES_MAX}")
    for index, filing in enumerate(claim.filings):
        if filing.lapses_ms is not None and filing.lapses_ms <= filing.at_ms:
            raise FieldError(f"{place}.filings[{index}].lapses", "does not lie after the filing")
    for index, known in enumerate(claim.knew_of):
        if known.claim == claim.id or known.claim not in ids:
            raise FieldError(f"{place}.knew_of[{index}].claim", "is no other claim of this case")


def _check_money(place: str, money: Money | None, whole: Money) -> None:
    if money is None:
        return
    if money.currency != whole.currency:
        raise FieldError(place, f"is in {money.currency}, the receivable in {whole.currency}")
    if money.minor < 0:
        raise FieldError(place, "is negative")
