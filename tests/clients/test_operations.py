"""Every operation and every change has a procedure that makes it and a command for people; `nemodat operation`."""

from __future__ import annotations

import importlib
import inspect
import json
from types import ModuleType

import pytest

from clients.operations import BY_NODES, SURFACE
from node import accuser, cli
from registry.reference import described, names
from registry.transactions.governance import CHANGES
from registry.transactions.operations import OPERATIONS
from tests.clients.test_cli_help import COMMANDS
from tests.commands import invoke


def module_of(name: str) -> ModuleType:
    return importlib.import_module(f"clients.{SURFACE[name].procedure.partition(':')[0]}")


def test_the_table_has_all_of_them_and_no_other() -> None:
    assert {*SURFACE, *BY_NODES} == {*OPERATIONS, *CHANGES} == set(names())
    assert not set(SURFACE) & set(BY_NODES)


def test_what_only_nodes_do_is_made_by_a_node_and_by_no_command() -> None:
    """Shorter than one thinks: whoever adds to it gives the reason there."""
    assert set(BY_NODES) == {"report_misbehaviour"}
    assert "ReportMisbehaviour" in vars(accuser)
    assert "authority misbehaviour" in BY_NODES["report_misbehaviour"]
    assert "authority misbehaviour" in COMMANDS
    assert run("show", "report_misbehaviour")[0] == 0


@pytest.mark.parametrize("name", SURFACE)
def test_a_procedure_makes_it(name: str) -> None:
    procedure = getattr(module_of(name), SURFACE[name].procedure.partition(":")[2])
    assert inspect.isfunction(procedure)
    assert procedure.__doc__
    kind = (OPERATIONS.get(name) or CHANGES[name]).__name__
    made_here = kind in vars(module_of(name))
    generic = {"Change", "Propose"} <= set(vars(module_of(name)))  # any change is handed in
    handed_in = kind in str(inspect.signature(procedure))
    assert made_here or handed_in or (name in CHANGES and generic), f"{procedure.__qualname__} knows no {kind}"


@pytest.mark.parametrize("name", SURFACE)
def test_a_command_is_there_for_people(name: str) -> None:
    command = COMMANDS[SURFACE[name].command]
    assert command.help


def run(*words: str) -> tuple[int, str]:
    result = invoke(cli.app, ["operation", *words])
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
    assert output.splitlines()[0] == "reserve (operation)"
    assert "\N{REPLACEMENT CHARACTER}" not in output


def test_a_name_that_is_none_is_refused_by_name() -> None:
    code, output = run("show", "reserv")
    assert code == 1
    assert "reserv: no such operation" in output
