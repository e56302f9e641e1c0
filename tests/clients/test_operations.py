"""Every operation and every change has a procedure that makes it and a command for people; `nemodat operation`."""

from __future__ import annotations

import importlib
import inspect
import json
from types import ModuleType

import pytest
from typer.testing import CliRunner

from clients.operations import SURFACE
from node import cli
from registry.reference import described, names
from registry.transactions.governance import CHANGES
from registry.transactions.operations import OPERATIONS
from tests.clients.test_cli_help import COMMANDS


def module_of(name: str) -> ModuleType:
    return importlib.import_module(f"clients.{SURFACE[name].procedure.partition(':')[0]}")


def test_the_table_has_all_of_them_and_no_other() -> None:
    assert set(SURFACE) == set(OPERATIONS) | set(CHANGES) == set(names())


@pytest.mark.parametrize("name", names())
def test_a_procedure_makes_it(name: str) -> None:
    procedure = getattr(module_of(name), SURFACE[name].procedure.partition(":")[2])
    assert inspect.isfunction(procedure)
    assert procedure.__doc__
    kind = (OPERATIONS.get(name) or CHANGES[name]).__name__
    made_here = kind in vars(module_of(name))
    generic = {"Change", "Propose"} <= set(vars(module_of(name)))  # any change is handed in
    handed_in = kind in str(inspect.signature(procedure))
    assert made_here or handed_in or (name in CHANGES and generic), f"{procedure.__qualname__} knows no {kind}"


@pytest.mark.parametrize("name", names())
def test_a_command_is_there_for_people(name: str) -> None:
    command = COMMANDS[SURFACE[name].command]
    assert module_of(name) is not None
    assert command.help


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli.app, ["operation", *words])
    return result.exit_code, result.output


def test_all_are_listed_with_their_command() -> None:
    code, output = run("list", "--json")
    rows = json.loads(output)
    assert code == 0
    assert [row["name"] for row in rows] == list(names())
    assert {row["kind"] for row in rows} == {"operation", "change"}
    assert rows[names().index("deem")]["command"] == "nemodat receivable deem"


def test_one_is_shown_with_fields_roles_and_reasons() -> None:
    code, output = run("show", "reserve", "--json")
    shown = json.loads(output)
    assert code == 0
    assert shown["procedure"] == "clients.financier:reserve"
    assert shown["may"] == {"hold": ["financier"]}
    assert [field["name"] for field in shown["fields"]] == ["claim", "ttl_ms"]
    assert shown["reasons"] == dict(described("reserve").reasons)
    code, output = run("show", "reserve")
    assert code == 0
    for word in ("nemodat claim reserve", "ttl_ms", "900000", "over_residual", "financier"):
        assert word in output, word


def test_a_name_that_is_none_is_refused_by_name() -> None:
    code, output = run("show", "reserv")
    assert code == 1
    assert "reserv: no such operation" in output
