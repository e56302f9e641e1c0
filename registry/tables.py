"""Reading TOML that people write: every value by its type, no key unknown, and errors that name the place."""

from __future__ import annotations

import base64
import binascii
import re
import tomllib
from collections.abc import Collection, Iterator

from registry.errors import FieldError

__all__ = ["TEXT_CHARS_MAX", "Table"]

TEXT_CHARS_MAX = 16 * 1024 * 1024  # characters of one file

_HEX = re.compile(r"(?:[0-9a-f]{2})*", re.ASCII)


class Table:
    """A TOML table with the keys `names`, maybe `optional` ones, and no others. Every reader raises `FieldError` naming
    the place in the file."""

    def __init__(self, place: str, value: object, names: Collection[str], *, optional: Collection[str] = ()) -> None:
        if not isinstance(value, dict):
            raise FieldError(place, "must be a table")
        self._prefix = f"{place}." if place else ""
        for name in names:
            if name not in value:
                raise FieldError(self._prefix + name, "is missing")
        for name in value:
            if name not in names and name not in optional:
                raise FieldError(self._prefix + str(name)[:100], "is not a known field")
        self._values = value

    @classmethod
    def parse(cls, text: str, names: Collection[str], *, optional: Collection[str] = ()) -> Table:
        """The whole of a TOML text."""
        if len(text) > TEXT_CHARS_MAX:
            raise FieldError("file", f"has more than {TEXT_CHARS_MAX} characters")
        try:
            text.encode()  # a lone surrogate is not text
            return cls("", tomllib.loads(text), names, optional=optional)
        except (ValueError, RecursionError) as error:  # a date of month 13 is a plain ValueError
            raise FieldError("file", f"is not TOML: {error}") from error

    def has(self, name: str) -> bool:
        """Whether an optional key is there."""
        return name in self._values

    def text(self, name: str) -> str:
        """Text, as it stands."""
        return _as_text(self._prefix + name, self._values[name])

    def integer(self, name: str) -> int:
        """A whole number of TOML, 0 to 2**63 - 1."""
        value = self._values[name]
        if type(value) is not int or not 0 <= value < 2**63:
            raise FieldError(self._prefix + name, "must be a whole number from 0 below 2**63")
        return value

    def hex(self, name: str) -> bytes:
        """Bytes in lower-case hex."""
        return _as_hex(self._prefix + name, self._values[name])

    def base64(self, name: str) -> bytes:
        """Bytes in base64 on one line."""
        try:
            return base64.b64decode(self.text(name), validate=True)
        except (binascii.Error, ValueError) as error:
            raise FieldError(self._prefix + name, "must be base64") from error

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of text."""
        return tuple(_as_text(place, item) for place, item in self._list(name))

    def hexes(self, name: str) -> tuple[bytes, ...]:
        """A list of bytes in lower-case hex."""
        return tuple(_as_hex(place, item) for place, item in self._list(name))

    def table(self, name: str, names: Collection[str]) -> Table:
        """A table in this one, with exactly the keys `names`."""
        return Table(self._prefix + name, self._values[name], names)

    def tables(self, name: str, names: Collection[str]) -> Iterator[Table]:
        """A list of tables, each with exactly the keys `names`."""
        return (Table(place, item, names) for place, item in self._list(name))

    def _list(self, name: str) -> Iterator[tuple[str, object]]:
        value = self._values[name]
        if not isinstance(value, list):
            raise FieldError(self._prefix + name, "must be a list")
        return ((f"{self._prefix}{name}[{index}]", item) for index, item in enumerate(value))


def _as_text(place: str, value: object) -> str:
    if not isinstance(value, str):
        raise FieldError(place, "must be text")
    return value


def _as_hex(place: str, value: object) -> bytes:
    text = _as_text(place, value)
    if not _HEX.fullmatch(text):
        raise FieldError(place, "must be lower-case hex")
    return bytes.fromhex(text)
