"""The words of printed documents that are no standard text, because what they list varies: `words/`, one file each.

A file has each word or sentence in both languages beside each other; placeholders are `{name}`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from registry.errors import FieldError
from registry.tables import Table
from registry.texts.catalogue import LANGUAGES, PLACEHOLDER, Language

__all__ = ["parse_words", "printed_words"]


@cache
def printed_words(document: str, language: Language) -> Mapping[str, str]:
    """The words of one language of a shipped document, such as "search-certificate"."""
    return parse_words((files("registry.texts") / "words" / f"{document}.toml").read_text(encoding="utf-8"), language)


def parse_words(toml: str, language: Language) -> Mapping[str, str]:
    """The words of one language that a file says. Raises `FieldError` naming the place in the file.

    Both languages say everything, with the same placeholders.
    """
    try:
        names = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise FieldError("file", f"is not TOML: {error}") from error
    table = Table("", names, names)
    spoken: dict[str, str] = {}
    for name in names:
        said = table.table(name, LANGUAGES)
        if len({frozenset(PLACEHOLDER.findall(said.text(each))) for each in LANGUAGES}) != 1:
            raise FieldError(name, "has other placeholders in one language than in the other")
        spoken[name] = said.text(language)
    return MappingProxyType(spoken)
