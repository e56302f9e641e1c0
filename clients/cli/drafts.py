"""`nemodat draft ...`: transactions that several parties sign, one after the other."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

from clients.base import Client
from clients.cli.context import (
    SETTINGS,
    GenesisOption,
    KeyOption,
    PartyOption,
    UrlOption,
    access,
    load_genesis,
    problems,
    show,
)
from clients.cli.countersigning import anything, countersigned, operations_of, read_draft
from clients.drafts import draft_to_json
from clients.session import Draft
from registry.genesis import Genesis
from registry.transactions.operations import Operation

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, epilog=SETTINGS)

DraftArgument = Annotated[Path, typer.Argument(metavar="DRAFT", help="The draft (JSON).", exists=True, dir_okay=False)]


@app.command("show")
def show_draft(draft: DraftArgument, genesis: GenesisOption) -> None:
    """What a draft would do, until when, and who has signed: read it before you sign it.

    Example: nemodat draft show take-out.json
    """
    with problems():
        made, signatures = read_draft(draft)
        show(_described(made, signatures, load_genesis(genesis)))


@app.command()
def sign(draft: DraftArgument, genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption) -> None:
    """Add this party's signature to the draft's file; it is sent when all have signed.

    Example: nemodat draft sign take-out.json
    """
    with problems():
        settings = access(genesis, url, party, key)
        made, signatures = countersigned(draft, settings, anything, "a draft")
        draft.write_text(draft_to_json(made, signatures) + "\n", encoding="utf-8")
        show(_described(made, signatures, settings["genesis"]))


@app.command()
def send(draft: DraftArgument, genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption) -> None:
    """Submit a draft that all have signed, and wait until it is final.

    Example: nemodat draft send take-out.json
    """
    with problems(), Client(**(settings := access(genesis, url, party, key))) as client:
        made, signatures = read_draft(draft)
        final = client.resume(made.sealed(settings["genesis"], signatures))
        created = [receipt.subject.hex() for receipt in final.receipts]
        show({"transaction": final.transaction_id.hex(), "height": final.height, "subjects": created})


def _described(made: Draft, signatures: dict[bytes, bytes], genesis: Genesis) -> dict[str, Any]:
    valid_until_ms, mode, operations = operations_of(made, genesis)
    return {
        "mode": mode,
        "valid_until_ms": valid_until_ms,
        "operations": [_operation(operation) for operation in operations],
        "signers": {key.hex(): "signed" if key in signatures else "missing" for key in made.signers},
    }


def _operation(operation: Operation) -> dict[str, Any]:
    values = {field.name: _plain(getattr(operation, field.name)) for field in fields(operation)}
    return {"operation": operation.NAME, **values}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, int | str) or value is None else str(value)
