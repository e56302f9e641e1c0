"""`nemodat receivable instalments`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from clients.cli.context import (
    EXIT_LOOK,
    JsonOption,
    OptionalGenesis,
    OptionalKey,
    OptionalUrl,
    PartyOption,
    access,
    percent,
    problems,
    tabulate,
    text_of,
    wanted,
)
from clients.cli.found import Found, row
from clients.cli.receivables import DossierArgument
from clients.cli.registrations import register_listings
from clients.dossier import Dossier
from clients.errors import ClientError
from clients.exporter import ExporterClient
from clients.instalments import instalment_listings
from registry.documents import DOCUMENT_BYTES_MAX, read
from registry.money import Money

__all__ = ["instalments"]


def instalments(
    dossier: DossierArgument,
    document: Annotated[Path, typer.Argument(metavar="FILE", help="The invoice that the dossier is of.")],
    party: PartyOption,
    genesis: OptionalGenesis = None,
    url: OptionalUrl = None,
    key: OptionalKey = None,
    debtor_country: Annotated[str | None, typer.Option(help="If the document does not say it (ISO 3166).")] = None,
    dossiers: Annotated[Path, typer.Option(help="Folder to keep the dossiers in.")] = Path("dossiers"),
    dry_run: Annotated[bool, typer.Option(help="Show what would be registered, and send nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """As the seller: register the instalments of your invoice as receivables of their own, under it.

    Read from NF-e (duplicatas) and FatturaPA. Whoever finances one takes up as much of the invoice, and the reverse.

    Exit code 3 if one of them was refused.

    Example: nemodat receivable instalments dossiers/9f86...0a08.json nfe.xml --dry-run
    """
    with problems(may_repeat=True):
        known = Dossier.from_json(text_of(dossier, "a dossier"))
        with document.open("rb") as opened:
            readings = read(str(document), opened.read(DOCUMENT_BYTES_MAX + 1))
        invoice = next((one for one in readings if one.number == known.particulars.number), None)
        if invoice is None:
            raise ClientError(f"{document}: has no invoice {known.particulars.number}, which the dossier is of")
        listings = instalment_listings(known, invoice, debtor_country=debtor_country)
        failures = 0
        if dry_run:
            table = Table("number", "due", "amount", "share of the invoice")
            for one in listings:
                said = one.particulars
                amount = Money(said.currency, said.amount_minor)
                row(table, said.number, str(said.due_date), str(amount), percent(one.parents[0][1]))
        else:
            table = Table("file", "number", "outcome", "id or reason", "note")
            network, nodes, signing = wanted(genesis, url, key)
            with ExporterClient(**access(network, nodes, party, signing)) as client:
                named = [Found(str(document), one) for one in listings]
                failures = register_listings(client, named, table, dossiers, as_json=as_json)
        tabulate(table, as_json=as_json)
    if failures:
        raise typer.Exit(EXIT_LOOK)
