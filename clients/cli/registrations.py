"""`nemodat receivable register`: whatever is found in files, onto the ledger, with a dossier of each."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import track
from rich.table import Table

from clients.cli.context import (
    EXIT_LOOK,
    ColumnsOption,
    JsonOption,
    OptionalGenesis,
    OptionalKey,
    OptionalUrl,
    PartyOption,
    access,
    column_map_in,
    errors,
    problems,
    tabulate,
    wanted,
)
from clients.cli.dry_runs import show_dry_run
from clients.cli.found import Found, Sides, found_in, row
from clients.cli.stated import (
    AccountOption,
    KindOption,
    LawOption,
    ParentOption,
    SupersedesOption,
    asked,
    fitting,
    stated,
)
from clients.dossier import Dossier
from clients.errors import ClientError
from clients.exporter import ExporterClient, Registration, canonical_listings
from clients.exporter import Refusal as Refused
from clients.files import private_folder, sync_folder
from registry.reasons import DUPLICATE

__all__ = ["register", "register_listings"]


def register(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Invoices (XML, PDF, OFD, CSV, XLSX), or folders.")
    ],
    party: PartyOption,
    debtor: Annotated[str | None, typer.Option(help="The buyer's party id, as lei:... or uscc:...")] = None,
    seller: Annotated[
        str | None, typer.Option(help="The supplier's party id, in place of --debtor: you are the buyer (payables).")
    ] = None,
    genesis: OptionalGenesis = None,
    url: OptionalUrl = None,
    key: OptionalKey = None,
    debtor_country: Annotated[str | None, typer.Option(help="If the documents do not say it (ISO 3166).")] = None,
    kind: KindOption = None,
    parent: ParentOption = None,
    law: LawOption = None,
    account: AccountOption = False,
    dossiers: Annotated[Path, typer.Option(help="Folder to keep the dossiers in.")] = Path("dossiers"),
    columns: ColumnsOption = None,
    supersedes: SupersedesOption = None,
    dry_run: Annotated[
        bool, typer.Option(help="Show what would be registered or refused, and send nothing; works without a node too.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """As the seller: register every receivable found in the files; one bad file stops nothing. Look at what is noted.

    Each gets a dossier, which the debtor needs to confirm it: there is no other copy.

    A document is left out if its seller or buyer has an LEI, USCC, VAT or register number that is not the party's; to
    admit another number of a party, an authority adds it to the party's ids.

    As the buyer: --seller in place of --debtor registers what you owe, as payables.

    A dry run asks a node, if it has one, for the parties' ids, certain duplicates and the parents; not whether anything
    is in the way of a correction, nor what is alike and for people to look at.

    If the command is interrupted, run it again: nothing is registered twice.

    Exit code 3 if something in the files was not registered: what is no receivable, such as a credit note, too.

    Example: nemodat receivable register invoices/ --debtor lei:984500DEIMPORT000108

    Example: nemodat receivable register orders.csv --kind purchase_order --debtor lei:984500DEIMPORT000108 --law CN

    Example: nemodat receivable register bill.xml --debtor lei:984500DEIMPORT000108 --parent 9f86...0a08=60% --account

    Example: nemodat receivable register owed.csv --kind payable --seller lei:984500TJEXPORT000197 --dry-run
    """
    sides = _sides(party, seller, debtor, kind)
    if not dry_run:
        wanted(genesis, url, key)
    with problems(may_repeat=True):
        said = stated(
            kind="payable" if seller else kind,
            parents=parent or (),
            laws=law or (),
            account=account,
            supersedes=supersedes,
            dossiers=dossiers,
        )
        found, table, failures = found_in(files, column_map_in(columns), sides, debtor_country=debtor_country)
        if supersedes is not None and len(found) != 1:
            raise ClientError(f"--supersedes is for one invoice, there are {len(found)}")
        if dry_run:
            node = access(genesis, url, party, key) if found and genesis and url and key else None
            failures += show_dry_run(table, found, said, sides, node, dossiers)
        elif found:
            network, nodes, signing = wanted(genesis, url, key)
            with ExporterClient(**access(network, nodes, party, signing)) as client:
                ours = fitting(table, found, said, asked(client, said, sides))
                failures += len(found) - len(ours)
                failures += register_listings(client, ours, table, dossiers, as_json=as_json)
        tabulate(table, as_json=as_json)
    if failures:
        raise typer.Exit(EXIT_LOOK)


def _sides(party: str, seller: str | None, debtor: str | None, kind: str | None) -> Sides:
    """Who they are, one of whom acts. Raises `typer.BadParameter`."""
    if (seller is None) == (debtor is None):
        raise typer.BadParameter("name the buyer, or as the buyer the --seller", param_hint="--debtor")
    if (kind or "payable") != "payable" if seller else kind == "payable":
        raise typer.BadParameter("a payable is registered by the buyer, who names the --seller", param_hint="--kind")
    return Sides(seller, party) if seller else Sides(party, debtor or "")


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


def _path_of(folder: Path, receivable: bytes) -> Path:
    return folder / f"{receivable.hex()}.json"


def _keep(folder: Path, dossier: Dossier) -> None:
    """On the disk when the folder is synced. Dossiers are confidential: readable by their owner only."""
    descriptor = os.open(_path_of(folder, dossier.receivable), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(dossier.to_json() + "\n")
        file.flush()
        os.fsync(file.fileno())
