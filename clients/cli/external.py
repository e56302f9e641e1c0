"""`nemodat external ...`"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from clients import external, reads
from clients.base import Client
from clients.cli.context import (
    EXIT_LOOK,
    SETTINGS,
    GenesisOption,
    JsonOption,
    KeyOption,
    PartyOption,
    UrlOption,
    access,
    bytes_of,
    percent,
    plain,
    problems,
    show,
    subject,
    tabulate,
    text_of,
)
from clients.cli.receivables import ShareOption
from clients.dossier import Dossier
from clients.errors import ClientError
from clients.external_documents import Stated, commitment_to, stated_in
from registry.documents import DOCUMENT_BYTES_MAX, Invoice, read
from registry.money import WHOLE
from registry.reasons import ALREADY_DONE, OK
from registry.records.external_claims import END_GROUNDS, SOURCES, ExternalClaim
from registry.transactions.external_claims import RecordExternalClaim
from registry.transactions.receivables import NO_DIGEST

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, epilog=SETTINGS)

ExternalArgument = Annotated[str, typer.Argument(metavar="EXTERNAL", help="The external claim's id.")]
EnteredOption = Annotated[
    datetime.datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"], help="When it was registered there or, for a notice, received by the debtor (UTC)."
    ),
]
DossierOption = Annotated[
    Path | None,
    typer.Option(help="The receivable's dossier: shows standing as the debtor, or as a financier that searches."),
]


@app.command()
def record(
    receivable: Annotated[str, typer.Argument(metavar="RECEIVABLE", help="The receivable's id.")],
    source: Annotated[
        str, typer.Option(help=f"Law and register, as CN:ZHONGDENG or US-NY:UCC1; or {', '.join(SOURCES)}.")
    ],
    document: Annotated[Path, typer.Option(help="The extract, notice or contract; only its digest is recorded.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    assignee: Annotated[
        str, typer.Option(help="Who has the claim, as scheme:VALUE: named if a member, else committed to.")
    ] = "",
    share: ShareOption = WHOLE,
    concluded: Annotated[
        datetime.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="When it was concluded (UTC).")
    ] = None,
    entered: EnteredOption = None,
    grade: Annotated[
        str, typer.Option(help="self_asserted, document; or, as the debtor alone, debtor_confirmed.")
    ] = "document",
    dossier: DossierOption = None,
) -> None:
    """Record that a claim is asserted in another register or document. It blocks nothing: who funds must look at it.

    As the seller, the debtor, a financier with an offer, a claim or a blanket, or one that searches by the invoice.

    Example: nemodat external record 9f86...0a08 --source CN:ZHONGDENG --document extract.pdf
    --assignee uscc:91110000600037341L --entered 2026-05-04
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        data = bytes_of(document, DOCUMENT_BYTES_MAX)
        id_ = subject(receivable, "receivable")
        known = client.call(reads.party_named, assignee) if assignee else None
        receipt = client.call(
            external.record,
            RecordExternalClaim(
                receivable=id_,
                shown=_shown(client, dossier),
                source=source,
                reference=hashlib.sha256(data).digest(),
                assignee=known or (commitment_to(assignee, data) if assignee else NO_DIGEST),
                share=share,
                concluded_ms=_ms(concluded),
                entered_ms=_ms(entered),
                grade=grade,
            ),
        )
        show({"external": receipt.subject.hex(), "assignee": known, "transaction": receipt.transaction.hex()})


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A record of assignments (AEC), or an invoice.")],
    receivable: Annotated[str, typer.Option(help="The receivable's id.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    entered: EnteredOption = None,
    dossier: DossierOption = None,
    dry_run: Annotated[bool, typer.Option(help="Show what would be recorded, and send nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Record what a document says: the assignments of a Chilean AEC, or the factor that an invoice names.

    Imported twice, nothing is recorded twice. Exit code 3 if something was refused.

    Example: nemodat external import aec.xml --receivable 9f86...0a08 --entered 2026-04-04
    """
    with problems():
        id_ = subject(receivable, "receivable")
        data = bytes_of(file, DOCUMENT_BYTES_MAX)
        invoice, stated = _stated(file, data)
        codes, refused = ["would be recorded"] * len(stated), False
        if not dry_run:
            with Client(**access(genesis, url, party, key)) as client:
                by_document = client.call(external.shown_by_document, id_, invoice) if dossier is None else ()
                shown = _shown(client, dossier) or by_document
                receipts = client.call(external.record_stated, id_, stated, shown=shown, entered_ms=_ms(entered))
            codes = [one.subject.hex() if one.done else one.code for one in receipts]
            refused = any(one.code not in (OK, ALREADY_DONE) for one in receipts)
        table = Table("recorded", "source", "assignee", "share", "concluded", "says")
        for code, one in zip(codes, stated, strict=True):
            whose = ", ".join(one.identifiers) or "not named"
            row = (code, one.source, whose, percent(one.share), _time(one.concluded_ms), one.said)
            table.add_row(*map(plain, row))
        tabulate(table, as_json=as_json)
    if refused:
        raise typer.Exit(EXIT_LOOK)


@app.command()
def end(
    external_claim: ExternalArgument,
    ground: Annotated[str, typer.Option(help=f"One of {', '.join(END_GROUNDS)}.")],
    evidence: Annotated[Path, typer.Option(help="What shows it; only its digest goes on the ledger.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """As who recorded it, or as the member that it is of: say that it is over, and why.

    Example: nemodat external end 9f86...0a08 --ground released --evidence release.pdf
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        digest = hashlib.sha256(bytes_of(evidence, DOCUMENT_BYTES_MAX)).digest()
        receipt = client.call(external.end, subject(external_claim, "external"), ground=ground, evidence=digest)
        show({"ended": receipt.subject.hex(), "ground": ground, "transaction": receipt.transaction.hex()})


@app.command("show")
def show_external(
    external_claim: ExternalArgument,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    document: Annotated[
        Path | None, typer.Option(help="What it refers to: checks that, and says whom it commits to, if read.")
    ] = None,
) -> None:
    """The record, proved against genesis; with its document, who is behind the commitment.

    Example: nemodat external show 9f86...0a08 --document aec.xml
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        found = client.call(reads.record, ExternalClaim, subject(external_claim, "external"))
        if found is None:
            raise ClientError("no such external claim, or none that this party may see")
        shape = _shape(found)
        if document is not None:
            data = bytes_of(document, DOCUMENT_BYTES_MAX)
            if hashlib.sha256(data).digest() != found.reference:
                raise ClientError(f"{document}: is not the document that this external claim refers to")
            _, stated = _stated(document, data)
            shape["opens"] = next((list(one.identifiers) for one in stated if one.commitment == found.assignee), None)
        show(shape)


@app.command("list")
def list_external(
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    receivable: Annotated[str | None, typer.Option(help="Those that stand on this receivable.")] = None,
    as_json: JsonOption = False,
) -> None:
    """The claims outside that concern this party, or all that stand on a receivable, each proved.

    Example: nemodat external list --receivable 9f86...0a08
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        if receivable is None:
            found = client.call(reads.own_records, ExternalClaim)
        else:
            found = client.call(external.of_receivable, subject(receivable, "receivable"))
        _table(found, as_json=as_json)


def _table(found: Sequence[ExternalClaim], *, as_json: bool) -> None:
    table = Table("id", "source", "assignee", "share", "evidence", "concluded", "entered", "state")
    for one in found:
        dates = (_time(one.concluded_ms), _time(one.entered_ms))
        row = (one.id.hex(), one.source, _assignee(one), percent(one.share), one.grade, *dates, one.ground or "stands")
        table.add_row(*map(plain, row))
    tabulate(table, as_json=as_json)


def _shape(found: ExternalClaim) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "id": found.id.hex(),
        "receivable": found.receivable.hex(),
        "recorded_by": found.by,
        "recorded_as": found.capacity,
        "recorded": _time(found.recorded_ms),
        "source": found.source,
        "reference": found.reference.hex(),
        "assignee": _assignee(found),
        "share": found.share,
        "concluded": _time(found.concluded_ms),
        "entered": _time(found.entered_ms),
        "grade": found.grade,
        "state": found.ground or "stands",
    }
    if not found.stands:
        shape |= {"ended_by": found.ended_by, "ended": _time(found.ended_ms), "evidence": found.end_digest.hex()}
    return shape


def _assignee(found: ExternalClaim) -> str:
    if isinstance(found.assignee, str):
        return found.assignee
    return "not named" if found.assignee == NO_DIGEST else found.assignee.hex()


def _stated(file: Path, data: bytes) -> tuple[Invoice, tuple[Stated, ...]]:
    """The one invoice in a file, and what it states. Raises `ClientError`, `DocumentError`."""
    invoices = read(str(file), data)
    if len(invoices) != 1:
        raise ClientError(f"{file}: holds {len(invoices)} invoices: one is expected")
    stated = stated_in(invoices[0], data)
    if not stated:
        raise ClientError(f"{file}: records no assignment, and nothing in it speaks of a financier")
    return invoices[0], stated


def _shown(client: Client, dossier: Path | None) -> Any:
    if dossier is None:
        return ()
    return client.call(external.shown_by_dossier, Dossier.from_json(text_of(dossier, "a dossier")))


def _ms(day: datetime.datetime | None) -> int:
    return 0 if day is None else int(day.replace(tzinfo=datetime.UTC).timestamp()) * 1000


def _time(time_ms: int) -> str:
    if not time_ms:
        return "not known"
    return datetime.datetime.fromtimestamp(time_ms // 1000, tz=datetime.UTC).isoformat()
