"""Reads the fields of a TOML table strictly: a wrong type, a value out of bounds or an unknown key is an error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from node.errors import ConfigError
from node.network import AddressError, split_address

__all__ = ["Fields"]

_MISSING: Any = object()
TEXT_CHARS_MAX = 4096
PEERS_MAX = 1024

_T = TypeVar("_T")


class Fields:
    """One table of a file. Every reader raises `ConfigError`, naming the file and the whole key."""

    def __init__(self, file: Path, place: str, values: Mapping[str, Any]) -> None:
        self._file = file
        self._place = place
        self._left = dict(values)

    def error(self, key: str, reason: str) -> ConfigError:
        """The error that says `reason` about a key of this table."""
        return ConfigError(self._file, f"{self._place}.{key}" if self._place else key, reason)

    def table(self, key: str) -> Fields:
        """The table under `key`; an empty one if it is not there."""
        place = f"{self._place}.{key}" if self._place else key
        return Fields(self._file, place, self._take(key, dict, "a table", default={}))

    def tables(self, key: str, *, count_max: int) -> list[Fields]:
        """The tables of an array of tables."""
        rows = self._take(key, list, "an array of tables", default=[])
        if len(rows) > count_max or not all(isinstance(row, dict) for row in rows):
            raise self.error(key, f"must be an array of at most {count_max} tables")
        place = f"{self._place}.{key}" if self._place else key
        return [Fields(self._file, f"{place}[{index}]", row) for index, row in enumerate(rows)]

    def text(self, key: str, *, chars_max: int = TEXT_CHARS_MAX, default: str = _MISSING) -> str:
        """Text of 1 to `chars_max` characters without control characters."""
        value = self._take(key, str, "text", default=default)
        if not 0 < len(value) <= chars_max or not value.isprintable():
            raise self.error(key, f"must have 1 to {chars_max} printable characters")
        return value

    def texts(self, key: str, *, count_max: int, default: Sequence[str] = _MISSING) -> tuple[str, ...]:
        """An array of such texts."""
        values = self._take(key, list, "an array of texts", default=default)
        if len(values) > count_max or not all(isinstance(value, str) and value.isprintable() for value in values):
            raise self.error(key, f"must be an array of at most {count_max} texts")
        return tuple(values)

    def choice(self, key: str, choices: Sequence[str], *, default: str = _MISSING) -> Any:
        """One of `choices`."""
        value = self._take(key, str, "text", default=default)
        if value not in choices:
            raise self.error(key, f"must be one of {', '.join(choices)}, not {value[:40]!r}")
        return value

    def integer(self, key: str, least: int, most: int, *, default: int = _MISSING) -> int:
        """A whole number from `least` to `most`."""
        value = self._take(key, int, "a whole number", default=default)
        if not least <= value <= most:
            raise self.error(key, f"must be from {least} to {most}, not {value}")
        return value

    def boolean(self, key: str, *, default: bool = _MISSING) -> bool:
        """true or false."""
        return self._take(key, bool, "true or false", default=default)

    def path(self, key: str) -> Path:
        """A path; relative ones begin at the file's folder."""
        return self._resolved(key, self.text(key))

    def optional_path(self, key: str) -> Path | None:
        """A path, or None if the key is not there."""
        return self._resolved(key, self.text(key)) if key in self._left else None

    def address(self, key: str) -> str:
        """`host:port`."""
        return self._address(key, self.text(key))

    def addresses(self, key: str) -> Mapping[str, str]:
        """A table of name = "host:port"; empty if it is not there."""
        values = self._take(key, dict, "a table", default={})
        if len(values) > PEERS_MAX:
            raise self.error(key, f"must have at most {PEERS_MAX} entries")
        for name, value in values.items():
            if not isinstance(value, str):
                raise self.error(f"{key}.{name}", 'must be "host:port"')
            self._address(f"{key}.{name}", value)
        return MappingProxyType(values)

    def done(self) -> None:
        """Raise if a key was not read: it is unknown."""
        for key in self._left:
            raise self.error(str(key)[:80], "is not known here: correct its spelling, or remove it")

    def _take(self, key: str, kind: type[_T], what: str, *, default: Any) -> _T:
        value = self._left.pop(key, default)
        if value is _MISSING:
            raise self.error(key, f"is missing: add it ({what})")
        if type(value) is not kind and value is not default:
            raise self.error(key, f"must be {what}, not {type(value).__name__}")
        return value

    def _address(self, key: str, text: str) -> str:
        try:
            _, port = split_address(text)
        except AddressError:
            port = 0
        if port == 0:
            raise self.error(key, f'must be "host:port" with a port from 1 to 65535, not {text[:80]!r}')
        return text

    def _resolved(self, key: str, text: str) -> Path:
        try:
            return (self._file.parent / Path(text).expanduser()).absolute()
        except RuntimeError:
            raise self.error(key, f"{text}: no such user") from None
