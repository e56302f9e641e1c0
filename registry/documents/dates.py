"""Calendar dates as documents write them. A date that could be read two ways is refused, never guessed."""

from __future__ import annotations

import datetime
import re
from enum import StrEnum

from registry.errors import FieldError

__all__ = [
    "YEAR_MAX",
    "YEAR_MIN",
    "DateError",
    "DateOrder",
    "parse_basic",
    "parse_iso",
    "parse_local",
    "parse_timestamp",
]

YEAR_MIN = 1970  # no receivable that anybody finances is older
YEAR_MAX = 2199

_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T[0-9:.]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})?")
_BASIC = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:[0-9]{4}(?:[0-9]{2})?)?")
_YEAR_FIRST = re.compile(r"([0-9]{4})([-/.年])([0-9]{1,2})([-/.月])([0-9]{1,2})日?")
_YEAR_LAST = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})")
_TIME_OF_DAY = re.compile(r"[T ][0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?$")


class DateError(FieldError):
    """The text is no calendar date in the expected form, or its year is out of bounds."""

    def __init__(self, reason: str) -> None:
        super().__init__("date", reason)


class DateOrder(StrEnum):
    """The order in which a table's dates name year, month and day."""

    YEAR_MONTH_DAY = "ymd"
    DAY_MONTH_YEAR = "dmy"
    MONTH_DAY_YEAR = "mdy"


def parse_iso(text: str) -> datetime.date:
    """xsd:date or xsd:dateTime: `2026-07-31`. Time and zone are dropped, the day is the sender's. `DateError` else."""
    found = _ISO.fullmatch(text)
    if found is None:
        raise DateError(f"{text!r} is no date of the form YYYY-MM-DD")
    return _date(found[1], found[2], found[3], text)


def parse_timestamp(text: str) -> datetime.datetime:
    """xsd:dateTime: `2026-07-31T09:09:52`, without a zone if none is written. Raises `DateError`."""
    day = parse_iso(text)
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise DateError(f"{text!r} is no moment of the form YYYY-MM-DDThh:mm:ss") from error
    if "T" not in text or moment.date() != day:
        raise DateError(f"{text!r} states no time of day")
    return moment


def parse_basic(text: str) -> datetime.date:
    """`20260731`, optionally with hhmm or hhmmss (UNTDID 2379 formats 102, 203, 204). Raises `DateError`."""
    found = _BASIC.fullmatch(text)
    if found is None:
        raise DateError(f"{text!r} is no date of the form YYYYMMDD")
    return _date(found[1], found[2], found[3], text)


def parse_local(text: str, *, order: DateOrder) -> datetime.date:
    """A date in a table. A four-digit year in front is year, month, day in any order; else `order` decides.

    Two-digit years, and a year at the end where `order` says it comes first, are refused. Raises `DateError`.
    """
    day_part = _TIME_OF_DAY.sub("", text.strip())
    if _BASIC.fullmatch(day_part) and len(day_part) == 8:
        return parse_basic(day_part)
    first = _YEAR_FIRST.fullmatch(day_part)
    if first is not None:
        return _date(first[1], first[3], first[5], text)
    last = _YEAR_LAST.fullmatch(day_part)
    if last is None or order is DateOrder.YEAR_MONTH_DAY:
        raise DateError(f"{text!r} is no date in the order {order.value}")
    day, month = (last[1], last[3]) if order is DateOrder.DAY_MONTH_YEAR else (last[3], last[1])
    return _date(last[4], month, day, text)


def _date(year: str, month: str, day: str, text: str) -> datetime.date:
    if not YEAR_MIN <= int(year) <= YEAR_MAX:
        raise DateError(f"the year of {text!r} is not between {YEAR_MIN} and {YEAR_MAX}")
    try:
        return datetime.date(int(year), int(month), int(day))
    except ValueError as error:
        raise DateError(f"{text!r} is no day of the calendar") from error
