"""`nemodat receivable ...`"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track
from rich.table import Table

from clients import debtor as debtors
from clients import notices
from clients.base import Client
from clients.cli.context import (
    EXIT_LOOK,
    SETTINGS,
    ColumnsOption,
    GenesisOption,
    KeyOption,
    PartyOption,
    UrlOption,
    access,
    column_map_in,
    console,
    errors,
    percent,
    plain,
    problems,
    share,
    show,
    subject,
    tabulate,
    text_of,
)
from clients.debtor import DebtorClient
from clients.documents import listing_of
from clients.dossier import Dossier
from clients.errors import ClientError
from clients.exporter import ExporterClient, Listing, Registration, canonical_listings
from clients.exporter import Refusal as Refused
from clients.external import to_look_at
from clients.matches import matches
from registry.documents import (
    DOCUMENT_BYTES_MAX,
    Assigned,
    BrokenDocument,
    ColumnMap,
    DocumentError,
    Reading,
    Receivable,
    Refusal,
    read_each,
    receivable_of,
)
from registry.money import WHOLE, Money, claim_share
from registry.reasons import DUPLICATE
from registry.transactions.receivables import NO_DIGEST

__all__ = ["app"]

# It speaks of broken PDFs on its own, in its authors' words; the table says what counts.
logging.getLogger("pypdf").addHandler(logging.NullHandler())

app = typer.Typer(no_args_is_help=True, epilog=SETTINGS)

ShareOption = Annotated[
    int,
    typer.Option(
        parser=share, metavar="SHARE", show_default="100%", help=f"A percentage such as 80%, or parts of {WHOLE}."
    ),
]
DossierArgument = Annotated[Path, typer.Argument(metavar="DOSSIER", help="The receivable's dossier (JSON).")]
ReceivableArgument = Annotated[str, typer.Argument(metavar="RECEIVABLE", help="The receivable's id.")]


@app.command()
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
) -> None:
    """As the seller: register every receivable found in the files; one bad file stops nothing.

    Each gets a dossier, which the debtor needs to confirm it: there is no other copy.

    If the command is interrupted, run it again: nothing is registered twice.

    Exit code 3 if something in the files could not be registered.

    Example: nemodat receivable register invoices/ --debtor lei:984500DEIMPORT000108
    """
    with problems():
        readings = _readings(_paths(files), column_map_in(columns))
        listings, table, failures = _read(readings, seller=party, debtor=debtor, debtor_country=debtor_country)
        if supersedes is not None:
            if len(listings) != 1:
                raise ClientError(f"--supersedes is for one invoice, there are {len(listings)}")
            ((file, listing),) = listings
            listings = [(file, replace(listing, supersedes=subject(supersedes, "supersedes")))]
        if not dry_run and listings:
            with ExporterClient(**access(genesis, url, party, key)) as client:
                failures += _register(client, listings, table, dossiers)
        elif dry_run:
            for file, listing in listings:
                _row(table, file, listing.particulars.number, "would be registered", "", "")
        tabulate(table)
    if failures:
        raise typer.Exit(EXIT_LOOK)


@app.command()
def confirm(
    dossier: DossierArgument,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    share: ShareOption = WHOLE,
    waive_defences: Annotated[
        bool, typer.Option("--waive-defences", help="Give up defences and set-off against whoever finances it.")
    ] = False,
    account: Annotated[
        str | None, typer.Option(help="The account that you will pay to, an IBAN or words; only its digest is sent.")
    ] = None,
    text: Annotated[
        Path | None, typer.Option(help="The wording that you agree to; only its digest goes on the ledger.")
    ] = None,
    language: Annotated[str, typer.Option(help="The language of the wording, as en or zh.")] = "en",
) -> None:
    """As the debtor: confirm a receivable, or a share of it.

    Example: nemodat receivable confirm dossier.json --share 80%

    Example: nemodat receivable confirm dossier.json --waive-defences --account "DE89 3704 0044 0532 0130 00" \
--text confirmation.txt --language en
    """
    with problems(), DebtorClient(**access(genesis, url, party, key)) as client:
        known = _dossier(dossier)
        receipt = client.confirm(
            known,
            share=share,
            text=NO_DIGEST if text is None else hashlib.sha256(text.read_bytes()).digest(),
            waives_defences=waive_defences,
            account=NO_DIGEST if account is None else known.account_commitment(account),
            language=language,
        )
        show({"confirmed": receipt.subject.hex(), "transaction": receipt.transaction.hex()} | _named(known))


@app.command()
def reject(
    dossier: DossierArgument,
    reason: Annotated[str, typer.Option(help="Why, in words; only its digest goes on the ledger.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """As the debtor: reject a receivable; no new claims are possible on it.

    Example: nemodat receivable reject dossier.json --reason "never ordered"
    """
    with problems(), DebtorClient(**access(genesis, url, party, key)) as client:
        known = _dossier(dossier)
        receipt = client.reject(known, reason=hashlib.sha256(reason.encode()).digest())
        show({"rejected": receipt.subject.hex(), "transaction": receipt.transaction.hex()} | _named(known))


@app.command()
def deem(
    notice: Annotated[str, typer.Argument(metavar="NOTICE", help="The id of the notice that the debtor received.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """As the seller or the holder: record that the debtor's silence counts as acceptance, where its law says so.

    Refused as `too_early` until its period is over, and as `no_deemed_acceptance` where there is no such rule.

    Example: nemodat receivable deem 2c26...e7ae
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        receipt = client.call(notices.deem, subject(notice, "notice"))
        show({"deemed": receipt.subject.hex(), "transaction": receipt.transaction.hex()})


@app.command()
def distinguish(
    receivable: ReceivableArgument,
    other: Annotated[str, typer.Argument(metavar="OTHER", help="The id of the one that looks like the same debt.")],
    statement: Annotated[Path, typer.Option(help="Why, in words; only its digest goes on the ledger.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    language: Annotated[str, typer.Option(help="The language of the statement, as en or zh.")] = "en",
) -> None:
    """As the debtor of both: state that two receivables you confirmed are two debts, and that you owe both.

    Example: nemodat receivable distinguish 9f86...0a08 2c26...e7ae --statement statement.txt
    """
    with problems(), DebtorClient(**access(genesis, url, party, key)) as client:
        ids = subject(receivable, "receivable"), subject(other, "other")
        digest = hashlib.sha256(statement.read_bytes()).digest()
        receipt = client.call(debtors.distinguish, *ids, text=digest, language=language)
        show({"distinguished": [one.hex() for one in ids], "transaction": receipt.transaction.hex()})


@app.command()
def adjust(
    dossier: DossierArgument,
    amount: Annotated[str, typer.Option(help="What the credit note takes, in the invoice's currency: 435.00")],
    document: Annotated[Path, typer.Option(help="The credit note; only its digest goes on the ledger.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """As the seller: record a credit note.

    Example: nemodat receivable adjust dossier.json --amount 435.00 --document credit-note.xml
    """
    with problems(), ExporterClient(**access(genesis, url, party, key)) as client:
        known = _dossier(dossier)
        particulars = known.particulars
        credit = Money.parse(amount, currency=particulars.currency)
        reduction = claim_share(credit, whole=Money(particulars.currency, particulars.amount_minor))
        digest = hashlib.sha256(document.read_bytes()).digest()
        receipt = client.adjust(known.receivable, reduction=reduction, document=digest)
        show({"adjusted": receipt.subject.hex(), "transaction": receipt.transaction.hex()} | _named(known))


@app.command("list")
def list_receivables(genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption) -> None:
    """What this party registered, or answered for as the debtor."""
    with problems(), ExporterClient(**access(genesis, url, party, key)) as client:
        table = Table("id", "state", "collectible", "taken", "currency", "due")
        for record in client.own_receivables():
            taken = sum(live.share for live in record.live)
            due = f"{record.due_month // 100}-{record.due_month % 100:02d}" if record.due_month else ""
            _row(
                table, record.id.hex(), record.state, percent(record.collectible), percent(taken), record.currency, due
            )
        tabulate(table)


@app.command("matches")
def list_matches(
    receivable: ReceivableArgument, genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption
) -> None:
    """What looks like a receivable, the most severe first, and what is asserted of it outside.

    Look at each before you fund, and acknowledge it. Exit code 3 if there is anything to look at.

    Example: nemodat receivable matches 9f86...0a08
    """
    with problems(), ExporterClient(**access(genesis, url, party, key)) as client:
        found = client.call(matches, subject(receivable, "receivable"))
        outside = client.call(to_look_at, subject(receivable, "receivable"))
    table = Table("id", "severity", "level", "found by", "state", "same registrant")
    for match in found:
        own = "yes" if match.own else "no"
        _row(table, match.receivable.hex(), match.severity, match.level, ", ".join(match.kinds), match.state, own)
    tabulate(table)
    if outside:
        table = Table("claim outside", "asserted by", "share", "evidence", "recorded by the", "on")
        for one in outside:
            row = (one.id.hex(), one.source, percent(one.share), one.grade, one.capacity, one.receivable.hex())
            _row(table, *row)
        tabulate(table)
    if found or outside:
        raise typer.Exit(EXIT_LOOK)


@app.command("show")
def show_receivable(
    receivable: ReceivableArgument,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """The record, proved against genesis."""
    with problems(), ExporterClient(**access(genesis, url, party, key)) as client:
        record = client.receivable(subject(receivable, "receivable"))
        if record is None:
            raise ClientError("no such receivable, or none that this party may see")
        show(
            {
                "id": record.id.hex(),
                "registrant": record.registrant,
                "debtor": record.debtor,
                "kind": record.kind,
                "state": record.state,
                "grade": record.grade,
                "confirmed_ms": record.confirmed_ms,
                "waives_defences": record.waives_defences,
                "account_digest": record.account_digest.hex(),
                "language": record.language,
                "collectible": record.collectible,
                "taken": sum(live.share for live in record.live),
                "paid": record.paid,
                "currency": record.currency,
                "due_month": record.due_month,
                "claims": [claim.hex() for claim in record.claims],
            }
        )


def _read(
    readings: Iterable[tuple[str, Reading]], *, seller: str, debtor: str, debtor_country: str | None
) -> tuple[list[tuple[str, Listing]], Table, int]:
    """What can be registered, and a table that already has what cannot."""
    table = Table("file", "number", "outcome", "id or reason", "note")
    listings: list[tuple[str, Listing]] = []
    failures = 0
    for file, reading in readings:
        if isinstance(reading, DocumentError):
            failures += 1
            _row(table, file, "", "unreadable", reading.reason, reading.element)
            continue
        made = receivable_of(reading)
        if isinstance(made, Receivable):
            try:
                listings.append((file, listing_of(made, seller=seller, debtor=debtor, debtor_country=debtor_country)))
            except ClientError as error:
                failures += 1
                _row(table, file, reading.number, "no receivable", str(error), "")
        elif isinstance(made, Refusal):
            failures += 1
            _row(table, file, reading.number, "no receivable", made.detail, made.element)
        elif isinstance(made, Assigned):
            holder = made.claims[-1].assignee.name
            _row(table, file, reading.number, "assigned", f"to {holder}", f"recorded in {made.claims[-1].register}")
        else:
            named_invoices = ", ".join(reference.number for reference in made.adjusts)
            _row(table, file, reading.number, "credit note", f"adjusts {named_invoices}", "nemodat receivable adjust")
    return listings, table, failures


def _register(client: ExporterClient, listings: list[tuple[str, Listing]], table: Table, dossiers: Path) -> int:
    """Registers, with a row for each; how many were refused. Every dossier is on the disk before anything is sent."""
    batches = client.prepare(client.call(canonical_listings, [listing for _, listing in listings]))
    for batch in batches:
        for dossier in batch.dossiers:
            _keep(dossiers, dossier)
    files = iter(listings)
    failures = 0
    for batch in track(batches, description="Registering", console=errors):
        try:
            outcomes = client.submit(batch)
        except ClientError:
            tabulate(table)
            errors.print("What is not in the table may be registered or not: run the command again.")
            raise
        named = islice(files, len(batch.listings))
        for dossier, outcome, (file, listing) in zip(batch.dossiers, outcomes, named, strict=True):
            failures += _told(table, file, listing, outcome, dossiers, dossier)
    return failures


def _told(
    table: Table, file: str, listing: Listing, outcome: Registration | Refused, dossiers: Path, dossier: Dossier
) -> int:
    """A row for one outcome; 1 if it is a failure. A dossier of nothing does not stay."""
    number = listing.particulars.number
    if isinstance(outcome, Registration):
        matches = f"{len(outcome.matches)} similar" if outcome.matches else ""
        _row(table, file, number, "registered", outcome.receivable.hex(), matches)
        return 0
    _path_of(dossiers, dossier.receivable).unlink(missing_ok=True)
    known = [id_ for id_ in outcome.related if _path_of(dossiers, id_).exists()]
    if outcome.code == DUPLICATE and known:
        _row(table, file, number, "registered before", known[0].hex(), "")
        return 0
    _row(table, file, number, "refused", outcome.code, ", ".join(id_.hex() for id_ in outcome.related))
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
    for path in track(paths, description="Reading", console=console):
        try:
            with path.open("rb") as file:
                data = file.read(DOCUMENT_BYTES_MAX + 1)  # one more, so that the reader sees that it is too much
        except OSError as error:
            unread = BrokenDocument(file=str(path), element="", reason=f"cannot be opened: {error.strerror}")
            yield str(path), unread
            continue
        for reading in read_each(str(path), data, column_map):
            yield str(path), reading


def _row(table: Table, *cells: str) -> None:
    """A row of texts, which may be others'."""
    table.add_row(*map(plain, cells))


def _dossier(path: Path) -> Dossier:
    return Dossier.from_json(text_of(path, "a dossier"))


def _path_of(folder: Path, receivable: bytes) -> Path:
    return folder / f"{receivable.hex()}.json"


def _keep(folder: Path, dossier: Dossier) -> None:
    """On the disk when this returns. Dossiers are confidential: readable by their owner only."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(_path_of(folder, dossier.receivable), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(dossier.to_json() + "\n")
        file.flush()
        os.fsync(file.fileno())
