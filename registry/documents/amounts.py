"""Amounts as tables write them: decimal comma, grouping, brackets or a trailing minus for negative ones."""

from __future__ import annotations

import re

from registry.documents.columns import DecimalMark
from registry.money import AMOUNT_CHARS_MAX, Money, MoneyError, exponent_of

__all__ = ["parse_amount"]

_MINUS = str.maketrans({"\u2212": "-", "\u2013": "-"})  # minus sign, en dash
_BLANKS = re.compile(r"[\s\u00a0\u202f\u2009]+")
_GROUPED = re.compile(r"[0-9]{1,3}(?:([., '’])[0-9]{3})(?:\1[0-9]{3})*|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}")


def parse_amount(text: str, *, currency: str, mark: DecimalMark) -> Money:
    """The amount that a cell states. Raises `MoneyError` where two readings are possible.

    Accepted: "1.234,50" / "1,234.50" / "1 234.50" / "1'234.50" / "12,34,567.00" by `mark`; "(12.00)", "12.00-" and
    "-12.00" for minus twelve; the row's own currency code before or after the number.
    """
    if len(text) > AMOUNT_CHARS_MAX:
        raise MoneyError("amount", f"longer than {AMOUNT_CHARS_MAX} characters")
    body = _BLANKS.sub(" ", text.strip().translate(_MINUS))
    body = body.removeprefix(currency).removesuffix(currency).strip()
    negative = False
    if body.startswith("(") and body.endswith(")"):
        body, negative = body[1:-1].strip(), True
    elif body.endswith("-"):
        body, negative = body[:-1].strip(), True
    elif body.startswith(("-", "+")):
        body, negative = body[1:].strip(), body[0] == "-"
    units, separator, decimals = body.partition(mark.value)
    plain = _ungroup(units, alone=not separator, text=text, currency=currency, mark=mark)
    _check_decimals(decimals, text=text, currency=currency)
    return Money.parse(("-" if negative else "") + plain + ("." + decimals if separator else ""), currency=currency)


def _ungroup(units: str, *, alone: bool, text: str, currency: str, mark: DecimalMark) -> str:
    if units.isdigit() or not units:
        return units
    found = _GROUPED.fullmatch(units)
    if found is None or mark.value in units:
        raise MoneyError("amount", f"{text!r} is no number with the decimal mark {mark.value!r}")
    separators = re.sub(r"[0-9]", "", units)
    if alone and len(separators) == 1 and separators in ".," and exponent_of(currency) == 3:
        raise MoneyError("amount", f"{text!r} in {currency} can be read in two ways")
    return re.sub(r"[^0-9]", "", units)


def _check_decimals(decimals: str, *, text: str, currency: str) -> None:
    """ "1.500" in a currency of two decimals is one thousand five hundred to half of the world."""
    if len(decimals) == 3 and exponent_of(currency) < 3:
        raise MoneyError("amount", f"{text!r} in {currency} can be read in two ways")
