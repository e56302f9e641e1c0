"""`nemodat operation ...`: what can be done on the ledger, by whom, how, and why it may be refused. Offline."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from clients.cli.context import SETTINGS, JsonOption, console, plain, problems, show, tabulate
from clients.errors import ClientError
from clients.operations import BY_NODES, SURFACE
from registry.reference import Described, described, names

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, epilog=SETTINGS)


@app.command("list")
def list_operations(as_json: JsonOption = False) -> None:
    """Every operation, and every change that authorities propose: what it is for, and the command for it.

    Example: nemodat operation list
    """
    table = Table("name", "kind", "command", "meaning")
    for name in names():
        one = described(name)
        table.add_row(*map(plain, (name, one.kind, _how(name)[0], one.meaning)))
    tabulate(table, as_json=as_json)


@app.command("show")
def show_operation(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `nemodat operation list` has it.")],
    as_json: JsonOption = False,
) -> None:
    """One operation: its fields with types, units and bounds, who may do it, every reason why it may be refused.

    Example: nemodat operation show reserve

    Example: nemodat operation show confirm --json
    """
    with problems():
        if name not in names():
            raise ClientError(f"{name}: no such operation; `nemodat operation list` shows them")
        one = described(name)
        if as_json:
            show(_value(one))
        else:
            _tell(one)


def _how(name: str) -> tuple[str, str]:
    """The command and the procedure; where nodes do it by themselves, that, and no procedure."""
    if name in BY_NODES:
        return BY_NODES[name], ""
    return f"nemodat {SURFACE[name].command}", f"clients.{SURFACE[name].procedure}"


def _value(one: Described) -> dict[str, Any]:
    command, procedure = _how(one.name)
    return {
        "name": one.name,
        "kind": one.kind,
        "meaning": one.meaning,
        "rule": one.rule,
        "fields": [field._asdict() for field in one.fields],
        "may": {action: list(roles) for action, roles in one.may.items()},
        "reasons": dict(one.reasons),
        "procedure": procedure,
        "command": command,
    }


def _tell(one: Described) -> None:
    lines = [f"{one.name} ({one.kind})", one.meaning, one.rule, "      ".join(_how(one.name))]
    for line in (*lines, *(f"{action}: {', '.join(roles)}" for action, roles in one.may.items())):
        console.print(plain(line))  # line by line, for `plain` leaves no line break in what it is given
    fields = Table("field", "type", "meaning", "must be", "if left out", title="fields")
    for field in one.fields:
        fields.add_row(*map(plain, field))
    console.print(fields)
    reasons = Table("code", "meaning", title="may be refused with these reasons, and no other")
    for code, meaning in one.reasons.items():
        reasons.add_row(code, meaning)
    console.print(reasons)
