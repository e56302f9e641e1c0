"""`nemodat reconcile ...`"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from clients import reads
from clients.aliases import ids_of
from clients.books import BREAK_COLUMNS, break_row, breaks_xlsx, read_book
from clients.cli.context import (
    EXIT_LOOK,
    SETTINGS,
    GenesisOption,
    JsonOption,
    KeyOption,
    PartyOption,
    UrlOption,
    access,
    console,
    plain,
    problems,
    tabulate,
    write_private,
)
from clients.financier import FinancierClient
from clients.reconciliation import Break, Entry, compare, entries_of
from registry.documents import DateOrder

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, epilog=SETTINGS)

BookArgument = Annotated[Path, typer.Argument(metavar="BOOK", help="CSV or XLSX.", exists=True, dir_okay=False)]
OrderOption = Annotated[DateOrder, typer.Option(help="How the book writes dates.")]
OutputOption = Annotated[Path | None, typer.Option("--output", "-o", help="Write the breaks to this XLSX too.")]


@app.command()
def ledger(
    book: BookArgument,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    date_order: OrderOption = DateOrder.YEAR_MONTH_DAY,
    output: OutputOption = None,
    as_json: JsonOption = False,
) -> None:
    """As a financier: compare your book with the ledger. Exit code 3 if anything differs.

    The book's columns, in any order: claim or receivable (ids), share, state, holder, date (of funding).

    What it leaves empty is not compared; a holder may stand there under any of its identifiers.

    That the node lists all of your claims is its word; each is proved.

    Example: nemodat reconcile ledger book.xlsx --date-order dmy -o breaks.xlsx
    """
    with problems():
        here = _book(book, date_order)
        with FinancierClient(**access(genesis, url, party, key)) as client:
            names = client.call(ids_of, [entry.holder for entry in here])
            here = [replace(entry, holder=names[entry.holder]) for entry in here]
            there = entries_of(client.call(reads.own_claims), party=party, now_ms=time.time_ns() // 1_000_000)
        _report(compare(here, there, party=party), len(here), output, as_json=as_json)


@app.command()
def books(
    book: BookArgument,
    other: Annotated[Path, typer.Argument(metavar="OTHER", help="The other side's.", exists=True, dir_okay=False)],
    party: PartyOption,
    date_order: OrderOption = DateOrder.YEAR_MONTH_DAY,
    output: OutputOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two books, such as those of a pool's two sides; no node is asked. Exit code 3 if anything differs.

    `--party` is the holder whose claims both books are about.

    Example: nemodat reconcile books ours.csv theirs.csv --party lei:984500CNFACTOR000128
    """
    with problems():
        here = _book(book, date_order)
        _report(compare(here, _book(other, date_order), party=party), len(here), output, as_json=as_json)


def _book(path: Path, date_order: DateOrder) -> list[Entry]:
    with path.open("rb") as file:
        return read_book(str(path), file, date_order=date_order)


def _report(breaks: list[Break], entries: int, output: Path | None, *, as_json: bool) -> None:
    rows = [break_row(found) for found in breaks]
    if output is not None:
        write_private(output, breaks_xlsx(breaks))
    if as_json:
        listed = [dict(zip(BREAK_COLUMNS, row, strict=True)) for row in rows]
        console.print_json(json.dumps({"entries": entries, "breaks": listed}))
    else:
        if rows:
            table = Table(*BREAK_COLUMNS)
            for row in rows:
                table.add_row(*map(plain, row))
            tabulate(table, as_json=False)
        console.print(f"{entries} entries, {len(rows)} breaks")
    if rows:
        raise typer.Exit(EXIT_LOOK)
