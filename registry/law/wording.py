"""What an opinion says: codes with named parameters, turned into English or Chinese by texts that are data.

The rules answer with `Reason`s and know no language. `CODES` is the closed list of what may be said and with which
parameters; `texts/en.toml` and `texts/zh.toml` say each of them in words.
"""

from __future__ import annotations

import datetime
import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from registry.errors import FieldError
from registry.law.codes import CODES

__all__ = ["LANGUAGES", "Language", "Reason", "Texts", "Words", "instant", "reason"]

Language: TypeAlias = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_DAY_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Words:
    """The same in English and in Chinese."""

    en: str
    zh: str

    def of(self, language: Language) -> str:
        """In this language."""
        return self.en if language == "en" else self.zh


@dataclass(frozen=True, slots=True)
class Reason:
    """One statement: a code of `CODES`, and its parameters by name, sorted."""

    code: str
    parameters: tuple[tuple[str, str | Words], ...] = ()

    @property
    def values(self) -> dict[str, str | Words]:
        """The parameters by name."""
        return dict(self.parameters)


def reason(code: str, **parameters: str | Words) -> Reason:
    """A statement; its parameters are exactly those that `CODES` lists."""
    assert set(parameters) == set(CODES[code]), (code, sorted(parameters))
    return Reason(code, tuple(sorted(parameters.items())))


def instant(time_ms: int) -> str:
    """A time as text: the day alone at midnight UTC, else the day and the time of day to the millisecond."""
    moment = _EPOCH + datetime.timedelta(milliseconds=time_ms)
    if time_ms % _DAY_MS == 0:
        return moment.date().isoformat()
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


@dataclass(frozen=True, slots=True)
class Texts:
    """The words of one language for every code."""

    language: Language
    templates: Mapping[str, str]

    @classmethod
    def parse(cls, text: str, language: Language) -> Texts:
        """The texts in a TOML file: one for each code, with each of its parameters. Raises `FieldError`."""
        try:
            found = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise FieldError("file", f"is not TOML: {error}") from error
        for code in sorted(CODES.keys() - found.keys()):
            raise FieldError(code, "has no text")
        for code, template in found.items():
            if code not in CODES:
                raise FieldError(code[:100], "is not a known code")
            if not isinstance(template, str):
                raise FieldError(code, "must be text")
            _check_parameters(code, template)
        return cls(language, MappingProxyType(found))

    def say(self, said: Reason) -> str:
        """A statement in this language."""
        shown = {
            name: value.of(self.language) if isinstance(value, Words) else value for name, value in said.parameters
        }
        return self.templates[said.code].format_map(shown)


def _check_parameters(code: str, template: str) -> None:
    try:
        named = {name for _, name, form, _ in string.Formatter().parse(template) if name is not None and not form}
    except ValueError as error:
        raise FieldError(code, f"is no template: {error}") from error
    if named != set(CODES[code]):
        raise FieldError(code, f"must name exactly {', '.join(CODES[code]) or 'no parameter'}")
