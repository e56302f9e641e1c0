"""The README's map is true: what it names is there, and every rule, room and key of the state stands in its list."""

from __future__ import annotations

import re
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

import registry
from registry import records, state

HOME = Path(registry.__path__[0])
README = (HOME / "README.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in README.split("## Where each rule is")[1].split("##")[0].splitlines()
    if re.match(r"\| [0-9]", line)
]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_what_the_map_names_is_there(row: list[str]) -> None:
    named = re.findall(r"`([a-z_0-9/]+(?:\.py|/))`", " ".join(row[1:]))
    assert named
    for path in named:
        assert (HOME / path).exists(), path


def test_the_map_has_every_section_with_rules() -> None:
    sections = [row[0].split()[0] for row in ROWS]
    assert sections == ["3", "4", "5", "6.1", "6.2", "6.3", "6.4", "7", "8", "9", "10", "11"]


def test_every_rule_is_on_the_map() -> None:
    table = " ".join(" ".join(row[1:]) for row in ROWS)
    rules = {path.name for path in (HOME / "rules").glob("*.py")} - {"__init__.py"}
    assert {name for name in rules if f"`rules/{name}`" not in table} == set()


def test_every_room_is_in_the_list_of_rooms() -> None:
    modules = {path.name for path in HOME.glob("*.py")} - {"__init__.py"}
    folders = {f"{path.parent.name}/" for path in HOME.glob("*/__init__.py")}
    assert {name for name in modules | folders if name not in README} == set()


def test_every_kind_of_record_is_in_the_list_of_keys() -> None:
    rooms = [import_module(f"registry.records.{found.name}") for found in iter_modules(records.__path__)]
    kinds = [kind for room in rooms for kind in vars(room).values() if is_dataclass(kind)]
    prefixes = {kind.PREFIX.decode() for kind in kinds if hasattr(kind, "PREFIX")}
    assert len(prefixes) > 10
    assert state.__doc__ is not None
    assert {prefix for prefix in prefixes if f"    {prefix}" not in state.__doc__} == set()
