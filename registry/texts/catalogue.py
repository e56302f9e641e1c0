"""The standard texts as data: one TOML file each, in this folder, both languages beside each other.

A file says its id and version, the sources of what it says, its parameters with their kinds, the words of its choices,
and a title and a body per language. Placeholders are `{name}`. A lawyer changes a text here and nowhere else; whoever
changes words raises `version`, because digests of what was signed lie on ledgers for years.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, get_args

from registry.errors import FieldError
from registry.tables import Table
from registry.texts.parameters import KINDS, Kind

__all__ = [
    "LANGUAGES",
    "PLACEHOLDER",
    "Language",
    "StandardText",
    "UnknownText",
    "parse_text",
    "standard_text",
    "text_ids",
]

Language: TypeAlias = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)

PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
_ID = re.compile(r"[a-z]+(?:-[a-z]+)*", re.ASCII)
_FIELDS = ("id", "version", "sources", "parameters", "choices", *LANGUAGES)


class UnknownText(FieldError):
    """There is no standard text of that id, or not in that language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardText:
    """One text of the catalogue.

    `parameters` gives the kind of each by name, in the order of the file; `choices[parameter][value][language]` the
    words of those of kind "choice"; `titles` and `bodies` go by language and have the same placeholders.
    """

    id: str
    version: int
    sources: tuple[str, ...]
    parameters: Mapping[str, Kind]
    choices: Mapping[str, Mapping[str, Mapping[str, str]]]
    titles: Mapping[str, str]
    bodies: Mapping[str, str]


@cache
def text_ids() -> tuple[str, ...]:
    """The ids of all standard texts, sorted."""
    names = (entry.name for entry in files(__package__).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


@cache
def standard_text(text_id: str) -> StandardText:
    """The text of that id. Raises `UnknownText`."""
    if text_id not in text_ids():
        raise UnknownText("id", f"there is no standard text {text_id[:60]!r}")
    found = parse_text((files(__package__) / f"{text_id}.toml").read_text(encoding="utf-8"))
    assert found.id == text_id, f"{text_id}.toml says that it is {found.id}"
    return found


def parse_text(toml: str) -> StandardText:
    """The text that a file of the catalogue says. Raises `FieldError` naming the place in the file."""
    table = Table.parse(toml, _FIELDS)
    if not _ID.fullmatch(table.text("id")):
        raise FieldError("id", "must be small letters in words joined by hyphens")
    parameters = _parameters(table)
    spoken = {language: table.table(language, ("title", "body")) for language in LANGUAGES}
    text = StandardText(
        id=table.text("id"),
        version=table.integer("version"),
        sources=table.texts("sources"),
        parameters=parameters,
        choices=_choices(table, parameters),
        titles=MappingProxyType({language: part.text("title") for language, part in spoken.items()}),
        bodies=MappingProxyType({language: part.text("body").strip("\n") for language, part in spoken.items()}),
    )
    _check_placeholders(text)
    return text


def _parameters(table: Table) -> Mapping[str, Kind]:
    kinds: dict[str, Kind] = {}
    for index, line in enumerate(table.texts("parameters")):
        name, _, kind = line.partition(": ")
        if kind not in KINDS or name in kinds:
            raise FieldError(f"parameters[{index}]", f"must be a new name, and one of {', '.join(KINDS)}")
        kinds[name] = kind
    if kinds.get("document") != "token":
        raise FieldError("parameters", "must have document, a token: without it a digest could be guessed")
    return MappingProxyType(kinds)


def _choices(table: Table, parameters: Mapping[str, Kind]) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    words: dict[str, dict[str, Mapping[str, str]]] = {}
    for option in table.tables("choices", ("parameter", "value", *LANGUAGES)):
        spoken: dict[str, str] = {language: option.text(language) for language in LANGUAGES}
        words.setdefault(option.text("parameter"), {})[option.text("value")] = MappingProxyType(spoken)
    if set(words) != {name for name, kind in parameters.items() if kind == "choice"}:
        raise FieldError("choices", "must be there for every parameter of kind choice, and for no other")
    return MappingProxyType({name: MappingProxyType(options) for name, options in words.items()})


def _check_placeholders(text: StandardText) -> None:
    """Both languages say every parameter, and nothing else stands in braces."""
    for language, body in text.bodies.items():
        if set(PLACEHOLDER.findall(body)) != set(text.parameters):
            odd = ", ".join(sorted(set(PLACEHOLDER.findall(body)) ^ set(text.parameters)))
            raise FieldError(f"{language}.body", f"placeholders and parameters differ: {odd}")
        if re.search(r"[{}]", PLACEHOLDER.sub("", body)) or re.search(r"[{}]", text.titles[language]):
            raise FieldError(f"{language}.body", "has a brace that is no placeholder")
