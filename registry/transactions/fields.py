"""Readers of single fields: each returns the value it was given, typed and bounded, or raises `FieldError`.

Only shape is checked here, never the world: a currency is three letters, whether ISO 4217 lists it this year is not
for consensus to depend on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from registry.codec import DIGEST_SIZE, Value
from registry.errors import FieldError
from registry.keys import SIGNATURE_SIZE
from registry.limits import OPERATIONS_MAX, TIME_MAX_MS
from registry.money import WHOLE

__all__ = [
    "NO_PROOF",
    "Field",
    "Reader",
    "Ref",
    "country",
    "currency",
    "digest",
    "integer",
    "items",
    "language",
    "law",
    "one_of",
    "party_id",
    "party_id_or_none",
    "ref",
    "row",
    "share",
    "share_or_none",
    "signature",
    "text",
    "time_ms",
    "truth",
    "year_month",
]

T = TypeVar("T")
Reader: TypeAlias = Callable[[Value, str], T]

# A receivable, claim or proposal: its 32-byte id or, if an operation of this same transaction creates it, the index
# of that operation (the id depends on the transaction's id, so it cannot stand inside the transaction).
Ref: TypeAlias = bytes | int

NO_PROOF: Final = bytes(SIGNATURE_SIZE)  # where a new key proves nothing

_COUNTRY = re.compile(r"[A-Z]{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")
_LANGUAGE = re.compile(r"[a-z]{2}")
_LAW = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_PARTY = re.compile(r"[a-z][a-z0-9-]{1,15}:[!-~]{1,64}")


class Field(NamedTuple):
    """One field of an operation, in the order of the encoding: its name and how it is read."""

    name: str
    read: Reader[Any]


def digest(value: Value, field: str) -> bytes:
    """32 bytes: a digest, a commitment, a salt, an id."""
    if type(value) is not bytes or len(value) != DIGEST_SIZE:
        raise FieldError(field, f"is {DIGEST_SIZE} bytes")
    return value


def signature(value: Value, field: str) -> bytes:
    """64 bytes: an Ed25519 signature."""
    if type(value) is not bytes or len(value) != SIGNATURE_SIZE:
        raise FieldError(field, f"is {SIGNATURE_SIZE} bytes")
    return value


def ref(value: Value, field: str) -> Ref:
    """A 32-byte id, or the index of the operation of this transaction that creates the subject."""
    if type(value) is int:
        return integer(value, field, low=0, high=OPERATIONS_MAX - 1)
    if type(value) is not bytes or len(value) != DIGEST_SIZE:
        raise FieldError(field, f"is {DIGEST_SIZE} bytes, or the index of an earlier operation")
    return value


def integer(value: Value, field: str, *, low: int, high: int) -> int:
    """An integer from `low` to `high`, both allowed; true and false are not integers."""
    if type(value) is not int or not low <= value <= high:
        raise FieldError(field, f"is an integer from {low} to {high}")
    return value


def share(value: Value, field: str) -> int:
    """A share of a receivable, from 1 to WHOLE."""
    if type(value) is not int or not 1 <= value <= WHOLE:
        raise FieldError(field, f"is a share from 1 to {WHOLE}")
    return value


def share_or_none(value: Value, field: str) -> int:
    """A share of a receivable, from 0 to WHOLE."""
    return integer(value, field, low=0, high=WHOLE)


def time_ms(value: Value, field: str) -> int:
    """A point in time in milliseconds since 1970-01-01 UTC."""
    return integer(value, field, low=0, high=TIME_MAX_MS)


def year_month(value: Value, field: str) -> int:
    """A month as yyyymm, or 0 for none."""
    if value == 0 and type(value) is int:
        return 0
    month = integer(value, field, low=190001, high=299912)
    if not 1 <= month % 100 <= 12:
        raise FieldError(field, "is a month as yyyymm, or 0")
    return month


def text(value: Value, field: str, *, pattern: re.Pattern[str], what: str) -> str:
    """Text that `pattern` matches as a whole; `what` describes it in the error."""
    if type(value) is not str or pattern.fullmatch(value) is None:
        raise FieldError(field, f"is {what}")
    return value


def country(value: Value, field: str) -> str:
    """Two capital letters, as in ISO 3166."""
    return text(value, field, pattern=_COUNTRY, what="a country code of two capital letters")


def currency(value: Value, field: str) -> str:
    """Three capital letters, as in ISO 4217."""
    return text(value, field, pattern=_CURRENCY, what="a currency code of three capital letters")


def law(value: Value, field: str) -> str:
    """A governing law: a country or a part of one ("CN", "US-NY", "GB-EW")."""
    return text(value, field, pattern=_LAW, what="a law such as CN or US-NY")


def language(value: Value, field: str) -> str:
    """The language of a text: two small letters, as in ISO 639-1 and at the front of a BCP 47 tag ("en", "zh")."""
    return text(value, field, pattern=_LANGUAGE, what="a language of two small letters such as en or zh")


def truth(value: Value, field: str) -> bool:
    """True or false, and no number in their place."""
    if type(value) is not bool:
        raise FieldError(field, "is true or false")
    return value


def party_id(value: Value, field: str) -> str:
    """A party's id or identifier, "scheme:VALUE"."""
    return text(value, field, pattern=_PARTY, what="an identifier as scheme:VALUE")


def party_id_or_none(value: Value, field: str) -> str:
    """A party's id, or "" for none."""
    return "" if value == "" and type(value) is str else party_id(value, field)


def one_of(values: Sequence[str], what: str) -> Reader[str]:
    """A reader of one of these words."""
    words = frozenset(values)

    def read(value: Value, field: str) -> str:
        if type(value) is not str or value not in words:
            raise FieldError(field, f"is no {what} that is known")
        return value

    read.__doc__ = f"One of: {', '.join(values)}."  # `registry.reference` shows it
    return read


def row(value: Value, field: str, *, width: int) -> Sequence[Value]:
    """A list of exactly `width` values."""
    if type(value) is not list or len(value) != width:
        raise FieldError(field, f"is a list of {width}")
    return value


def items(value: Value, field: str, read: Reader[T], *, most: int) -> tuple[T, ...]:
    """A list of at most `most` different values, each read by `read`."""
    if type(value) is not list:
        raise FieldError(field, "is a list")
    if len(value) > most:
        raise FieldError(field, f"has {len(value)} entries, at most {most} are allowed")
    try:
        found = tuple([read(item, field) for item in value])
    except FieldError:
        # Read again to name the entry: names are only made for errors, they would cost more than the reading.
        for index, item in enumerate(value):
            read(item, f"{field}[{index}]")
        raise
    if len(found) > 1 and len(set(found)) != len(found):
        raise FieldError(field, "names something twice")
    return found
