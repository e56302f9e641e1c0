"""`nemodat portfolio ...`: an existing portfolio onto the ledger, by both of its sides."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from clients.backfill import Row, open_offers, take_up
from clients.base import Client
from clients.cli.context import (
    EXIT_LOOK,
    SETTINGS,
    ColumnsOption,
    GenesisOption,
    JsonOption,
    KeyOption,
    PartyOption,
    UrlOption,
    access,
    column_map_in,
    console,
    errors,
    plain,
    problems,
    progress_bar,
    subject,
    tabulate,
)
from clients.cli.receivables import ShareOption
from clients.portfolios import Unusable, read_portfolio, rows_in
from clients.runs import Run
from clients.runs import backfill as run_backfill
from registry.documents import ColumnMap
from registry.money import WHOLE
from registry.reasons import OK

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, epilog=SETTINGS)

SHOWN_MAX = 200  # rows that need a person's eye, on the screen; the run's folder has them all
FilesArgument = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE", help="CSV (of any length) or XLSX tables, in this order.", exists=True, dir_okay=False
    ),
]


@app.command()
def backfill(
    files: FilesArgument,
    to: Annotated[str, typer.Option(help="The financier to whom they were assigned, by any id it has on the ledger.")],
    terms: Annotated[Path, typer.Option(help="The agreement; only its digest goes on the ledger.", exists=True)],
    run: Annotated[Path, typer.Option(help="Folder of this backfill: dossiers, what was sent, what came of it.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    debtor: Annotated[str | None, typer.Option(help="Who owes what a table names no buyer's id for.")] = None,
    share: ShareOption = WHOLE,
    columns: ColumnsOption = None,
    as_json: JsonOption = False,
) -> None:
    """As the seller: register and offer what was assigned to a financier before it was on the ledger.

    Columns beside those of an invoice table: share (80%) and concluded (the assignment's date, today at the latest).

    Interrupted at any moment, the same command goes on where it was; nothing is registered twice.

    Exit code 3 if some rows could not be registered.

    Example: nemodat portfolio backfill book/*.csv --to lei:984500CNFACTOR000128 --terms agreement.pdf --run run-2026
    """
    with problems(may_repeat=True), Client(**access(genesis, url, party, key)) as client:
        column_map = column_map_in(columns) or ColumnMap()
        total = _row_count(files, column_map)
        unusable: list[Unusable] = []
        digest = hashlib.sha256(terms.read_bytes()).digest()
        book = _book(files, columns, client.genesis.id, party, to, digest, debtor, share)
        with Run(run, book=book) as folder, progress_bar() as progress:
            task = progress.add_task("Backfilling", total=total, completed=folder.counted.total())
            rows = _rows(files, column_map, party, debtor, share, folder.begun_ms, unusable)
            client.call(
                run_backfill,
                folder,
                rows,
                to=to,
                terms=digest,
                progress=lambda done: progress.update(task, completed=done + len(unusable)),
            )
    _told(folder, unusable, as_json=as_json)


@app.command("take-up")
def take_up_claims(
    seller: Annotated[str, typer.Option("--from", help="The seller that offered them, by any id it has.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    acknowledged: Annotated[list[str], typer.Option(help="A similar receivable that was looked at; repeat it.")] = [],  # noqa: B006
    as_json: JsonOption = False,
) -> None:
    """As the financier: reserve and fund everything that a seller has offered, as far as nothing is in the way.

    What needs a person's eye is listed and left alone: look at it, then run the command again with --acknowledged.

    Exit code 3 if anything is left; 1 if the seller offers nothing now, and not because all of it was taken up before.

    Example: nemodat portfolio take-up --from lei:984500TJEXPORT000197 --acknowledged 2c26...e7ae
    """
    with problems(may_repeat=True), Client(**access(genesis, url, party, key)) as client:
        offers = client.call(open_offers, seller, now_ms=time.time_ns() // 1_000_000)
        seen = [subject(text, "acknowledged") for text in acknowledged]
        with progress_bar() as progress:
            task = progress.add_task("Taking up", total=len(offers))
            done = client.call(
                take_up,
                offers,
                acknowledged=seen,
                progress=lambda decided, _: progress.update(task, completed=decided),
            )
    if done.refused or as_json:
        table = Table("claim", "refused", "see")
        for claim, code, related in done.refused[:SHOWN_MAX]:
            table.add_row(claim.hex(), code, ", ".join(other.hex() for other in related))
        tabulate(table, as_json=as_json)
    said = f"{len(done.funded)} funded, {len(done.refused)} left"
    none = "" if offers else ": nothing is offered that is not taken up"
    (errors if as_json else console).print(said + none)
    if done.refused:
        raise typer.Exit(EXIT_LOOK)


def _rows(
    files: Sequence[Path],
    column_map: ColumnMap,
    seller: str,
    debtor: str | None,
    share: int,
    now_ms: int,
    unusable: list[Unusable],
) -> Iterator[Row]:
    """The rows that can be registered, file by file; the others go to `unusable`."""
    for file in files:
        with file.open("rb") as stream:
            for found in read_portfolio(
                str(file), stream, column_map, seller=seller, debtor=debtor, share=share, now_ms=now_ms
            ):
                if isinstance(found, Row):
                    yield found
                else:
                    unusable.append(found)


def _row_count(files: Sequence[Path], column_map: ColumnMap) -> int:
    """How many rows there are, after reading all of them: a broken file is heard of before anything is sent."""
    rows = 0
    for file in files:
        with file.open("rb") as stream:
            rows += rows_in(str(file), stream, column_map)
    return rows


def _book(files: Sequence[Path], columns: Path | None, *settings: bytes | str | int | None) -> str:
    """A digest of everything that decides which rows are in which batch, whose they are and where they go."""
    digest = hashlib.sha256()
    for path in (*files, *([columns] if columns else [])):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    digest.update(repr(settings).encode())
    return digest.hexdigest()


def _told(run: Run, unusable: Sequence[Unusable], *, as_json: bool) -> None:
    refused = run.counted.total() - run.counted[OK]
    if refused or unusable or as_json:
        table = Table("row", "not registered because", "see")
        for row in unusable[:SHOWN_MAX]:
            table.add_row(plain(row.place), plain(row.reason), "")
        for outcome in islice((each for each in run.outcomes() if each.code != OK), SHOWN_MAX):
            table.add_row(plain(outcome.place), outcome.code, ", ".join(other.hex() for other in outcome.related))
        tabulate(table, as_json=as_json)
    (errors if as_json else console).print(
        f"{run.counted[OK]} registered and offered, {refused} refused, {len(unusable)} not usable"
    )
    if refused or unusable:
        raise typer.Exit(EXIT_LOOK)
