"""`nemodat inclusion ...`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from clients.cli.context import (
    EXIT_LOOK,
    SETTINGS,
    GenesisOption,
    KeyOption,
    PartyOption,
    UrlOption,
    access,
    problems,
    show,
    subject,
    text_of,
)
from clients.errors import ClientError
from clients.exporter import ExporterClient
from clients.inclusion import inclusion_receipts, report_exclusion
from registry.errors import FieldError
from registry.inclusion import InclusionReceipt

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, epilog=SETTINGS)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="Receipts as `inclusion collect` prints them.")]


@app.command()
def collect(
    transaction: Annotated[str, typer.Argument(metavar="TRANSACTION", help="The transaction's id.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """Ask all nodes for their signed word that they have a transaction that is not final yet.

    Exit code 3: nobody has it.

    Example: nemodat inclusion collect 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 > receipts.json
    """
    with problems(), ExporterClient(**access(genesis, url, party, key)) as client:
        receipts = client.call(inclusion_receipts, subject(transaction, "transaction"))
        show({"receipts": [receipt.to_json() for receipt in receipts]})
        if not receipts:
            raise typer.Exit(EXIT_LOOK)


@app.command()
def report(
    file: FileArgument,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """Put on the ledger that a transaction was kept out: f + 1 authorities had it, and it is in none of n blocks since.

    Example: nemodat inclusion report receipts.json
    """
    with problems(), ExporterClient(**access(genesis, url, party, key)) as client:
        receipt = client.call(report_exclusion, _receipts(file))
        show({"exclusion": receipt.subject.hex(), "transaction": receipt.transaction.hex()})


def _receipts(file: Path) -> list[InclusionReceipt]:
    try:
        value = json.loads(text_of(file, "inclusion receipts"))
        return [InclusionReceipt.from_json(each) for each in value["receipts"]]
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise ClientError(f"{file}: not what `nemodat inclusion collect` prints: {error}") from error
    except FieldError as error:
        raise ClientError(f"{file}: {error}") from error
