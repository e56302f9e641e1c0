"""What is found in files that could be registered, and a table that already says what could not."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.progress import track
from rich.table import Table

from clients.cli.context import errors, plain
from clients.documents import contradiction, listing_of
from clients.errors import ClientError
from clients.exporter import Listing
from registry.documents import (
    DOCUMENT_BYTES_MAX,
    Assigned,
    BrokenDocument,
    ColumnMap,
    DocumentError,
    Invoice,
    Reading,
    Receivable,
    Refusal,
    read_each,
    receivable_of,
)

__all__ = ["Found", "Sides", "found_in", "of_the_parties", "row"]

# It speaks of broken PDFs on its own, in its authors' words; the table says what counts.
logging.getLogger("pypdf").addHandler(logging.NullHandler())


class Sides(NamedTuple):
    """Whose receivables they are, and who owes them: party ids."""

    seller: str
    debtor: str


class Found(NamedTuple):
    """A receivable found in a file, and what a person should look at in the document before it is registered."""

    file: str
    listing: Listing
    notes: tuple[str, ...] = ()
    invoice: Invoice | None = None  # as the document has it, where that is still to be compared


def found_in(
    files: Iterable[Path], column_map: ColumnMap | None, sides: Sides, *, debtor_country: str | None
) -> tuple[list[Found], Table, int]:
    """What can be registered, a table that already has what cannot, and how much that is. Raises `ClientError`."""
    readings = _readings(_paths(files), column_map)
    table = Table("file", "number", "outcome", "id or reason", "note")
    listings: list[Found] = []
    failures = 0
    for file, reading in readings:
        if isinstance(reading, DocumentError):
            failures += 1
            row(table, file, "", "unreadable", reading.reason, reading.element)
            continue
        made = receivable_of(reading)
        if isinstance(made, Receivable):
            try:
                listing = listing_of(made, seller=sides.seller, debtor=sides.debtor, debtor_country=debtor_country)
                notes = tuple(f"{one.code}: {one.text}" for one in made.warnings)
                listings.append(Found(file, listing, notes, reading))
            except ClientError as error:
                failures += 1
                row(table, file, reading.number, "no receivable", str(error), "")
        elif isinstance(made, Refusal):
            failures += 1
            row(table, file, reading.number, "no receivable", made.detail, made.element)
        elif isinstance(made, Assigned):
            failures += 1
            holder = made.claims[-1].assignee.name
            row(table, file, reading.number, "assigned", f"to {holder}", f"recorded in {made.claims[-1].register}")
        else:
            failures += 1
            named_invoices = ", ".join(reference.number for reference in made.adjusts)
            row(table, file, reading.number, "credit note", f"adjusts {named_invoices}", "nemodat receivable adjust")
    return listings, table, failures


def of_the_parties(
    table: Table, listings: Sequence[Found], *, seller: Collection[str], debtor: Collection[str]
) -> list[Found]:
    """Those whose documents do not name other parties; a row for each of the rest."""
    ours = []
    for found in listings:
        reason = contradiction(found.invoice, seller=seller, debtor=debtor) if found.invoice else ""
        if reason:
            row(table, found.file, found.listing.particulars.number, "other parties", reason, "")
        else:
            ours.append(found)
    return ours


def _paths(files: Iterable[Path]) -> list[Path]:
    """The files, and those in folders, sorted. Raises `ClientError` for a name that nothing has."""
    found: set[Path] = set()
    for file in files:
        if not file.exists():
            raise ClientError(f"{file}: no such file or folder")
        found |= set(file.rglob("*")) if file.is_dir() else {file}
    return sorted(path for path in found if path.is_file())


def _readings(paths: Sequence[Path], column_map: ColumnMap | None) -> Iterator[tuple[str, Reading]]:
    """What each file holds; one that cannot be opened stops nothing either."""
    for path in track(paths, description="Reading", console=errors, disable=not errors.is_terminal):
        try:
            with path.open("rb") as file:
                data = file.read(DOCUMENT_BYTES_MAX + 1)  # one more, so that the reader sees that it is too much
        except OSError as error:
            unread = BrokenDocument(file=str(path), element="", reason=f"cannot be opened: {error.strerror}")
            yield str(path), unread
            continue
        for reading in read_each(str(path), data, column_map):
            yield str(path), reading


def row(table: Table, *cells: str) -> None:
    """A row of texts, which may be others'."""
    table.add_row(*map(plain, cells))
