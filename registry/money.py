"""Money in integer minor units of an ISO 4217 currency, and shares of a receivable.

No float and no ambient `decimal` context is involved: text is matched against one grammar and turned into an
integer, so every machine gets the same number. The ledger itself never sees an amount, only shares of `WHOLE`
(registry.md 2): claims round up, collectible shares round down, so rounding can never make room for more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from iso4217 import Currency

from registry.errors import FieldError

__all__ = [
    "AMOUNT_CHARS_MAX",
    "MINOR_MAX",
    "WHOLE",
    "Money",
    "MoneyError",
    "claim_share",
    "collectible_share",
    "exponent_of",
    "money_of_share",
    "percent",
]

WHOLE = 10**12  # the whole of a receivable, in shares
MINOR_MAX = 10**18 - 1  # minor units either side of zero; fits a signed 64-bit integer
AMOUNT_CHARS_MAX = 40  # characters of an amount, before anything looks at them

# The lexical form of xsd:decimal (XML Schema Part 2, 3.2.3), ASCII digits only: no exponent, NaN or infinity.
_DECIMAL = re.compile(r"(?P<sign>[+-]?)(?P<units>[0-9]*)(?:\.(?P<decimals>[0-9]*))?")


class MoneyError(FieldError):
    """An amount or a currency that is not exact, not known or out of bounds."""


@cache
def _exponents() -> dict[str, int]:
    return {entry.code: entry.exponent for entry in Currency if entry.exponent is not None}


def exponent_of(currency: str) -> int:
    """How many decimals `currency` has by ISO 4217 (JPY 0, USD 2, KWD 3).

    Raises `MoneyError` for a code that is not in force, or has no minor unit (XAU, XTS, XXX: nobody owes those).
    """
    exponent = _exponents().get(currency)
    if exponent is None:
        raise MoneyError("currency", f"{currency[:AMOUNT_CHARS_MAX]!r} is no ISO 4217 currency with a minor unit")
    return exponent


@dataclass(frozen=True, slots=True)
class Money:
    """`minor` minor units (cents, fils, ...) of `currency`. May be negative or zero: documents say such things."""

    currency: str
    minor: int

    def __post_init__(self) -> None:
        exponent_of(self.currency)
        if type(self.minor) is not int:
            raise MoneyError("amount", f"minor units are an integer, not {type(self.minor).__name__}")
        if abs(self.minor) > MINOR_MAX:
            raise MoneyError("amount", f"more than {MINOR_MAX} minor units")

    @classmethod
    def parse(cls, text: str, *, currency: str) -> Money:
        """Exactly the amount `text` says, in major units with a decimal point ("1234.50", "-3", "1.000" for KWD).

        Decimals beyond the currency's exponent must be zeros. Raises `MoneyError` for anything else: rounding an
        amount here would be a decision about money that nobody has taken.
        """
        exponent = exponent_of(currency)
        trimmed = text.strip(" \t\r\n")
        if len(trimmed) > AMOUNT_CHARS_MAX:
            raise MoneyError("amount", f"longer than {AMOUNT_CHARS_MAX} characters")
        found = _DECIMAL.fullmatch(trimmed)
        if found is None or not (found["units"] or found["decimals"]):
            raise MoneyError("amount", f"{trimmed!r} is no decimal number")
        decimals = found["decimals"] or ""
        kept, beyond = decimals[:exponent], decimals[exponent:]
        if beyond.strip("0"):
            raise MoneyError("amount", f"{trimmed} has more decimals than {currency} has ({exponent})")
        minor = int((found["units"] or "0") + kept.ljust(exponent, "0"))
        return cls(currency, -minor if found["sign"] == "-" else minor)

    @property
    def text(self) -> str:
        """The amount in major units, all decimals of the currency, no grouping: "1234.50"."""
        exponent = exponent_of(self.currency)
        digits = str(abs(self.minor)).rjust(exponent + 1, "0")
        sign = "-" if self.minor < 0 else ""
        if exponent == 0:
            return sign + digits
        return f"{sign}{digits[:-exponent]}.{digits[-exponent:]}"

    def __str__(self) -> str:
        return f"{self.currency} {self.text}"


def claim_share(part: Money, *, whole: Money) -> int:
    """The share of `whole` that a claim on `part` takes, rounded up, 0..WHOLE. Raises `MoneyError`."""
    _check_part(part, whole)
    return -(-part.minor * WHOLE // whole.minor)


def collectible_share(part: Money, *, whole: Money) -> int:
    """The share of `whole` that can still be collected when `part` can, rounded down, 0..WHOLE. Raises `MoneyError`."""
    _check_part(part, whole)
    return part.minor * WHOLE // whole.minor


def money_of_share(share: int, *, whole: Money) -> Money:
    """What `share` (0..WHOLE) of `whole` is worth, to the nearest minor unit, halves up.

    Undoes `claim_share` and `collectible_share` exactly as long as `whole` is below WHOLE / 2 minor units.
    """
    if not 0 <= share <= WHOLE:
        raise MoneyError("share", f"{share} is not between 0 and {WHOLE}")
    return Money(whole.currency, (2 * share * whole.minor + WHOLE) // (2 * WHOLE))


def percent(share: int) -> str:
    """A share (parts of WHOLE) for people, exact: "80%", "12.5%"."""
    units, rest = divmod(share, WHOLE // 100)
    decimals = str(rest).rjust(len(str(WHOLE // 100)) - 1, "0").rstrip("0")
    return f"{units}.{decimals}%" if decimals else f"{units}%"


def _check_part(part: Money, whole: Money) -> None:
    if part.currency != whole.currency:
        raise MoneyError("currency", f"a part in {part.currency} of a whole in {whole.currency}")
    if whole.minor <= 0:
        raise MoneyError("amount", f"a whole of {whole} has no shares")
    if not 0 <= part.minor <= whole.minor:
        raise MoneyError("amount", f"{part} is no part of {whole}")
