"""The kinds of parameters of a standard text: one spelling each, and its words in each language.

| kind   | given as                                      | said as (en / zh)                  |
| ------ | --------------------------------------------- | ---------------------------------- |
| text   | 1 to 2000 characters, clean (`is_clean_text`) | as given                           |
| date   | 2026-07-31                                    | 31 July 2026 / 2026年7月31日       |
| money  | USD 100000.00, all decimals of the currency   | USD 100,000.00                     |
| share  | parts of WHOLE: 800000000000                  | 80%                                |
| id     | 64 lower-case hex digits                      | as given                           |
| token  | 32 lower-case hex digits, drawn at random     | as given                           |
| choice | one of the values that the text lists         | the words that the text has for it |

One spelling each, so that one document is not signed under two digests.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, get_args

from registry.errors import FieldError
from registry.money import WHOLE, Money, MoneyError, percent
from registry.normalise import is_clean_text

__all__ = [
    "KINDS",
    "TEXT_CHARS_MAX",
    "BadParameter",
    "Kind",
    "grouped",
    "spoken_date",
    "words_of",
]

Kind: TypeAlias = Literal["text", "date", "money", "share", "id", "token", "choice"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
TEXT_CHARS_MAX = 2000  # characters of one parameter

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


class BadParameter(FieldError):
    """A parameter of a text does not have the one spelling of its kind."""


def words_of(name: str, kind: Kind, value: str, language: str, choices: Mapping[str, Mapping[str, str]]) -> str:
    """What a text says where parameter `name` stands. `choices` are the words by value, for kind "choice".

    Raises `BadParameter`.
    """
    if not isinstance(value, str) or len(value) > TEXT_CHARS_MAX:
        raise BadParameter(name, f"must be text of at most {TEXT_CHARS_MAX} characters")
    if kind == "choice":
        if value not in choices:
            raise BadParameter(name, f"must be one of {', '.join(choices)}")
        return choices[value][language]
    return _SAY[kind](name, value, language)


def spoken_date(date: datetime.date, language: str) -> str:
    """A date in words: 31 July 2026, 2026年7月31日. No locale is asked."""
    if language == "zh":
        return f"{date.year}年{date.month}月{date.day}日"
    return f"{date.day} {_MONTHS[date.month - 1]} {date.year}"


def grouped(money: Money) -> str:
    """An amount for people: USD 100,000.00."""
    units, point, decimals = money.text.partition(".")
    return f"{money.currency} {int(units):,}{point}{decimals}"


def _text(name: str, value: str, language: str) -> str:
    if not is_clean_text(value, size_max=TEXT_CHARS_MAX):
        raise BadParameter(name, f"must be 1 to {TEXT_CHARS_MAX} characters, NFC, trimmed, without control characters")
    return value


def _date(name: str, value: str, language: str) -> str:
    try:
        if _DATE.fullmatch(value):
            return spoken_date(datetime.date.fromisoformat(value), language)
    except ValueError:
        pass  # month 13 and its like: said below
    raise BadParameter(name, "must be a date such as 2026-07-31")


def _money(name: str, value: str, language: str) -> str:
    currency, _, amount = value.partition(" ")
    try:
        money = Money.parse(amount, currency=currency)
    except MoneyError as error:
        raise BadParameter(name, f"must be an amount such as USD 100000.00: {error.reason}") from error
    if money.minor < 0 or str(money) != value:
        raise BadParameter(name, "must be an amount such as USD 100000.00, not negative, with all decimals")
    return grouped(money)


def _share(name: str, value: str, language: str) -> str:
    parts = int(value) if value.isascii() and value.isdigit() and len(value) <= len(str(WHOLE)) else 0
    if not 1 <= parts <= WHOLE or str(parts) != value:
        raise BadParameter(name, f"must be a share of 1 to {WHOLE} parts, such as 800000000000 for 80%")
    return percent(parts)


def _hex(digits: int, what: str) -> Callable[[str, str, str], str]:
    form = re.compile(f"[0-9a-f]{{{digits}}}", re.ASCII)

    def say(name: str, value: str, language: str) -> str:
        if not form.fullmatch(value):
            raise BadParameter(name, f"must be {what}: {digits} lower-case hexadecimal digits")
        return value

    return say


_SAY: Mapping[Kind, Callable[[str, str, str], str]] = MappingProxyType(
    {
        "text": _text,
        "date": _date,
        "money": _money,
        "share": _share,
        "id": _hex(64, "an id or digest"),
        "token": _hex(32, "a number drawn at random"),
    }
)
