"""Agreed rates between the currencies of a pool and its base's: ratios of integers, so both sides get one number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from registry.errors import FieldError
from registry.money import exponent_of

__all__ = ["Conversion", "Rate", "rate_of"]

RATE_MAX = 10**12

_RATE = re.compile(r"([A-Z]{3})=([0-9]{1,13})/([0-9]{1,13})")


@dataclass(frozen=True, slots=True, order=True)
class Rate:
    """An agreed rate: `denominator` minor units of `currency` are `numerator` of the base's. Raises `FieldError`."""

    currency: str
    numerator: int
    denominator: int

    def __post_init__(self) -> None:
        exponent_of(self.currency)
        for name in ("numerator", "denominator"):
            value = getattr(self, name)
            if type(value) is not int or not 1 <= value <= RATE_MAX:
                raise FieldError(f"rate.{name}", f"is a whole number from 1 to {RATE_MAX}")


def rate_of(text: str) -> Rate:
    """A rate written CUR=N/D, as in "JPY=65/100" to a base in USD: 100 yen are 65 cents. Raises `FieldError`."""
    found = _RATE.fullmatch(text)
    if found is None:
        raise FieldError("rate", f"{text[:40]!r} is not of the form CUR=N/D, in minor units (JPY=65/100)")
    return Rate(found[1], int(found[2]), int(found[3]))


class Conversion:
    """Amounts of any agreed currency in the base's. Raises `FieldError` for a rate too many, or one that is missing."""

    def __init__(self, base: str, rates: Sequence[Rate]) -> None:
        self._ratios = {base: (1, 1)}
        for rate in rates:
            if rate.currency in self._ratios:
                raise FieldError("rates", f"{rate.currency} is the base's currency, or has two rates")
            self._ratios[rate.currency] = (rate.numerator, rate.denominator)

    def down(self, minor: int, currency: str) -> int:
        """What this many minor units of `currency` are, rounded down: for what one has."""
        numerator, denominator = self._ratio(currency)
        return minor * numerator // denominator

    def up(self, minor: int, currency: str) -> int:
        """The same, rounded up: for what is taken away from it."""
        numerator, denominator = self._ratio(currency)
        return -(-minor * numerator // denominator)

    def _ratio(self, currency: str) -> tuple[int, int]:
        found = self._ratios.get(currency)
        if found is None:
            raise FieldError("rates", f"{currency} has no agreed rate")
        return found
