"""`nemodat receivable register`: whatever is found in files, onto the ledger, with a dossier of each."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.progress import track
from rich.table import Table

from clients.cli.context import (
    EXIT_LOOK,
    ColumnsOption,
    GenesisOption,
    JsonOption,
    KeyOption,
    PartyOption,
    UrlOption,
    access,
    column_map_in,
    errors,
    plain,
    problems,
    subject,
    tabulate,
)
from clients.documents import contradiction, ids_of, listing_of
from clients.dossier import Dossier
from clients.errors import ClientError
from clients.exporter import ExporterClient, Listing, Registration, canonical_listings
from clients.exporter import Refusal as Refused
from clients.files import private_folder, sync_folder
from registry import normalise
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
from registry.money import Money
from registry.reasons import DUPLICATE

__all__ = ["Found", "register", "register_listings", "row"]

# It speaks of broken PDFs on its own, in its authors' words; the table says what counts.
logging.getLogger("pypdf").addHandler(logging.NullHandler())


def register(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Invoices (XML, PDF, OFD, CSV, XLSX), or folders.")
    ],
    debtor: Annotated[str, typer.Option(help="The buyer's party id, as lei:... or uscc:...")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    debtor_country: Annotated[str | None, typer.Option(help="If the documents do not say it (ISO 3166).")] = None,
    dossiers: Annotated[Path, typer.Option(help="Folder to keep the dossiers in.")] = Path("dossiers"),
    columns: ColumnsOption = None,
    supersedes: Annotated[
        str | None, typer.Option(help="The id of your own registration that the one invoice in FILE corrects.")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Show what would be registered, and send nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """As the seller: register every receivable found in the files; one bad file stops nothing. Look at what is noted.

    Each gets a dossier, which the debtor needs to confirm it: there is no other copy.

    A document is left out if its seller or buyer has an LEI, USCC, VAT or register number that is not the party's; to
    admit another number of a party, an authority adds it to the party's ids. A dry run knows only the ids given here.

    If the command is interrupted, run it again: nothing is registered twice.

    Exit code 3 if something in the files was not registered: what is no receivable, such as a credit note, too.

    Example: nemodat receivable register invoices/ --debtor lei:984500DEIMPORT000108
    """
    with problems(may_repeat=True):
        readings = _readings(_paths(files), column_map_in(columns))
        listings, table, failures = _read(readings, seller=party, debtor=debtor, debtor_country=debtor_country)
        if supersedes is not None:
            if len(listings) != 1:
                raise ClientError(f"--supersedes is for one invoice, there are {len(listings)}")
            (found,) = listings
            corrected = replace(found.listing, supersedes=subject(supersedes, "supersedes"))
            listings = [found._replace(listing=corrected)]
        if dry_run:
            ours = _of_the_parties(table, listings, seller={party}, debtor={debtor})
            failures += len(listings) - len(ours)
            _would_register(table, ours)
        elif listings:
            with ExporterClient(**access(genesis, url, party, key)) as client:
                seller_ids, debtor_ids = client.call(ids_of, party), client.call(ids_of, debtor)
                ours = _of_the_parties(table, listings, seller=seller_ids, debtor=debtor_ids)
                failures += len(listings) - len(ours)
                failures += register_listings(client, ours, table, dossiers, as_json=as_json)
        tabulate(table, as_json=as_json)
    if failures:
        raise typer.Exit(EXIT_LOOK)


class Found(NamedTuple):
    """A receivable found in a file, and what a person should look at in the document before it is registered."""

    file: str
    listing: Listing
    notes: tuple[str, ...] = ()
    invoice: Invoice | None = None  # as the document has it, where that is still to be compared


def _of_the_parties(
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


def _would_register(table: Table, listings: Sequence[Found]) -> None:
    """A row for each, with what an ERP's export most often has wrong: one number on several rows."""
    numbers = Counter(normalise.canonical_number(found.listing.particulars.number) for found in listings)
    for file, listing, notes, invoice in listings:
        said = listing.particulars
        due = f", due {said.due_date}" if said.due_date else ""
        if (often := numbers[normalise.canonical_number(said.number)]) > 1:
            notes = (f"{often} have this number", *notes)
        amount = Money(said.currency, said.amount_minor)
        sides = f", {invoice.seller.name or 'unnamed'} to {invoice.buyer.name or 'unnamed'}" if invoice else ""
        row(table, file, said.number, "would be registered", f"{amount}{due}{sides}", "; ".join(notes))


def _read(
    readings: Iterable[tuple[str, Reading]], *, seller: str, debtor: str, debtor_country: str | None
) -> tuple[list[Found], Table, int]:
    """What can be registered, and a table that already has what cannot."""
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
                listing = listing_of(made, seller=seller, debtor=debtor, debtor_country=debtor_country)
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


def register_listings(
    client: ExporterClient, listings: list[Found], table: Table, dossiers: Path, *, as_json: bool
) -> int:
    """Registers, with a row for each; how many were refused. Every dossier is on the disk before anything is sent."""
    batches = client.prepare(client.call(canonical_listings, [found.listing for found in listings]))
    private_folder(dossiers)
    for batch in batches:
        for dossier in batch.dossiers:
            _keep(dossiers, dossier)
    sync_folder(dossiers)
    files = iter(listings)
    failures = 0
    for batch in track(batches, description="Registering", console=errors, disable=not errors.is_terminal):
        try:
            outcomes = client.submit(batch)
        except ClientError:
            tabulate(table, as_json=as_json)
            errors.print("What is not in the table may be registered or not: run the command again.")
            raise
        named = islice(files, len(batch.listings))
        for dossier, outcome, found in zip(batch.dossiers, outcomes, named, strict=True):
            failures += _told(table, found, outcome, dossiers, dossier)
    return failures


def _told(table: Table, found: Found, outcome: Registration | Refused, dossiers: Path, dossier: Dossier) -> int:
    """A row for one outcome; 1 if it is a failure. A dossier of nothing does not stay."""
    file, number = found.file, found.listing.particulars.number
    if isinstance(outcome, Registration):
        similar = (f"{len(outcome.matches)} similar",) if outcome.matches else ()
        row(table, file, number, "registered", outcome.receivable.hex(), "; ".join((*similar, *found.notes)))
        return 0
    _path_of(dossiers, dossier.receivable).unlink(missing_ok=True)
    known = [id_ for id_ in outcome.related if _path_of(dossiers, id_).exists()]
    if outcome.code == DUPLICATE and known:
        row(table, file, number, "registered before", known[0].hex(), "")
        return 0
    row(table, file, number, "refused", outcome.code, ", ".join(id_.hex() for id_ in outcome.related))
    return 1


def _named(dossier: Dossier) -> dict[str, str]:
    """Which invoice it is, for people."""
    known = dossier.particulars
    return {"number": known.number, "amount": str(Money(known.currency, known.amount_minor))}


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


def _path_of(folder: Path, receivable: bytes) -> Path:
    return folder / f"{receivable.hex()}.json"


def _keep(folder: Path, dossier: Dossier) -> None:
    """On the disk when the folder is synced. Dossiers are confidential: readable by their owner only."""
    descriptor = os.open(_path_of(folder, dossier.receivable), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(dossier.to_json() + "\n")
        file.flush()
        os.fsync(file.fileno())
