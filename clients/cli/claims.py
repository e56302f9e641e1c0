"""`nemodat claim ...`"""

from __future__ import annotations

import datetime
import hashlib
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from clients import exporter
from clients.cli.context import (
    SETTINGS,
    GenesisOption,
    JsonOption,
    KeyOption,
    PartyOption,
    UrlOption,
    access,
    percent,
    plain,
    problems,
    share,
    show,
    signing_key_of,
    subject,
    tabulate,
)
from clients.cli.countersigning import countersigned, first_signed, passed_on
from clients.cli.receivables import ReceivableArgument, ShareOption
from clients.errors import ClientError
from clients.exporter import ExporterClient
from clients.financier import RESERVE_MS, FinancierClient
from registry.limits import RESERVATION_MAX_MS
from registry.money import WHOLE
from registry.receipts import Receipt
from registry.records import FORMS, Claim
from registry.transactions.claims import Reassign

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, epilog=SETTINGS)

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
HOURS_MAX = 24 * 365
ClaimArgument = Annotated[str, typer.Argument(metavar="CLAIM", help="The claim's id.")]
AcknowledgedOption = Annotated[
    list[str], typer.Option(help="The id of a similar receivable that was looked at; repeat it for each.")
]
DraftArgument = Annotated[Path, typer.Argument(metavar="DRAFT", help="The draft that the holder has signed (JSON).")]


def _form(given: str) -> str:
    """A form of financing. Raises `typer.BadParameter`."""
    if given not in FORMS:
        raise typer.BadParameter(f"one of {', '.join(FORMS)} is expected")
    return given


@app.command()
def offer(
    receivable: ReceivableArgument,
    to: Annotated[str, typer.Option(help="The financier's party id.")],
    terms: Annotated[Path, typer.Option(help="The agreed terms; only their digest goes on the ledger.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    share: ShareOption = WHOLE,
    hours: Annotated[float, typer.Option(help="How long the offer stands.", min=0.01, max=HOURS_MAX)] = 72,
    form: Annotated[str, typer.Option(parser=_form, metavar="FORM", help=f"One of {', '.join(FORMS)}.")] = "factoring",
    import_factor: Annotated[str, typer.Option(help="The import factor's party id, with two factors.")] = "",
) -> None:
    """As the seller: offer a share of a receivable to one financier.

    Example: nemodat claim offer 9f86...0a08 --to lei:984500SGBANK00000120 --share 80% --terms terms.pdf
    """
    with problems(), ExporterClient(**access(genesis, url, party, key)) as client:
        until_ms = time.time_ns() // 1_000_000 + int(hours * HOUR_MS)
        digest = hashlib.sha256(terms.read_bytes()).digest()
        made = client.call(
            exporter.offer,
            subject(receivable, "receivable"),
            to=to,
            share=share,
            terms=digest,
            valid_until_ms=until_ms,
            form=form,
            import_factor=import_factor,
        )
        show({"claim": made.claim.hex(), "to": made.to, "share": made.share, "valid_until_ms": until_ms})


@app.command()
def revoke(claim: ClaimArgument, genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption) -> None:
    """As the seller: withdraw an offer that nobody has reserved.

    Example: nemodat claim revoke 9f86...0a08
    """
    with problems(), ExporterClient(**access(genesis, url, party, key)) as client:
        _done(client.revoke(subject(claim, "claim")), "revoked")


@app.command()
def reserve(
    claim: ClaimArgument,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    minutes: Annotated[
        int, typer.Option(help="After so many it lapses by itself.", min=1, max=RESERVATION_MAX_MS // MINUTE_MS)
    ] = RESERVE_MS // MINUTE_MS,
) -> None:
    """As the financier: reserve an offer, before paying out.

    Example: nemodat claim reserve 9f86...0a08 --minutes 10
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        _done(client.reserve(subject(claim, "claim"), ttl_ms=minutes * MINUTE_MS), "reserved")


@app.command()
def fund(
    claim: ClaimArgument,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    acknowledged: AcknowledgedOption = [],  # noqa: B006 (Typer wants a list here, and never changes it)
) -> None:
    """As the financier: record the funding of a reserved claim.

    Refused as `unacknowledged_match` while similar receivables were not looked at; the refusal lists them.

    Example: nemodat claim fund 9f86...0a08 --acknowledged 2c26...e7ae
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        _done(client.fund(subject(claim, "claim"), acknowledged=_ids(acknowledged)), "funded")


@app.command()
def finance(
    claim: ClaimArgument,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    acknowledged: AcknowledgedOption = [],  # noqa: B006
) -> None:
    """As the financier: reserve and fund at once; both or neither.

    Example: nemodat claim finance 9f86...0a08 --acknowledged 2c26...e7ae
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        final = client.finance(subject(claim, "claim"), acknowledged=_ids(acknowledged))
        _done(final.receipts[-1], "funded")


@app.command()
def reassign(
    claim: ClaimArgument,
    to: Annotated[str, typer.Option(help="The party that takes it over.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    taker_key: Annotated[
        str | None, typer.Option(help="Its signing key in hex; the ledger's first if left out.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write the draft.")] = Path("draft.json"),
) -> None:
    """As the holder: sign a funded claim over to another party.

    The other party must sign it too, within ten minutes: `nemodat claim accept`.

    Example: nemodat claim reassign 9f86...0a08 --to lei:984500DEBANK00000124 -o draft.json
    """
    with problems(), FinancierClient(**(settings := access(genesis, url, party, key))) as client:
        taker = signing_key_of(client, to) if taker_key is None else subject(taker_key, "taker-key")
        draft = client.compose_reassignment(subject(claim, "claim"), to=to, taker_key=taker)
        first_signed(draft, settings, output)


@app.command()
def accept(
    claim: ClaimArgument,
    draft: DraftArgument,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """As the taker: sign the reassignment of this claim, and nothing else, and submit it.

    Example: nemodat claim accept 9f86...0a08 draft.json
    """
    with problems(), FinancierClient(**(settings := access(genesis, url, party, key))) as client:
        expected = (Reassign(claim=subject(claim, "claim"), to=party),)
        what = f"the reassignment of that claim to {party} alone"
        signed = countersigned(draft, settings, lambda _, operations: operations == expected, what)
        final = passed_on(client, draft, signed)
        if final is not None:
            _done(final.receipts[0], "reassigned")


@app.command()
def release(claim: ClaimArgument, genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption) -> None:
    """As the holder: give a claim up.

    Example: nemodat claim release 9f86...0a08
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        _done(client.release(subject(claim, "claim")), "released")


@app.command()
def discharge(
    claim: ClaimArgument,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    share: Annotated[
        int | None,
        typer.Option(parser=share, metavar="SHARE", help="What was paid; all that is outstanding if left out."),
    ] = None,
) -> None:
    """As the holder: record that the debtor paid, all or a share.

    Example: nemodat claim discharge 9f86...0a08 --share 40%
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        claim_id = subject(claim, "claim")
        _done(
            client.discharge(claim_id, share=_claim(client, claim_id).share if share is None else share), "discharged"
        )


@app.command("list")
def list_claims(
    receivable: ReceivableArgument,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    as_json: JsonOption = False,
) -> None:
    """The claims on a receivable that this party may see, in the order of their offers, and when open ones end.

    Example: nemodat claim list 2c26...e7ae
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        table = Table("id", "state", "ends", "share", "holder", "assignor")
        for record in client.claims(subject(receivable, "receivable")):
            cells = (record.id.hex(), _state(record), _ends(record), percent(record.share))
            table.add_row(*map(plain, (*cells, record.holder, record.assignor)))
        tabulate(table, as_json=as_json)


@app.command("show")
def show_claim(
    claim: ClaimArgument, genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption
) -> None:
    """The record, proved against genesis.

    Example: nemodat claim show 9f86...0a08
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        record = _claim(client, subject(claim, "claim"))
        show(
            {
                "id": record.id.hex(),
                "receivable": record.receivable.hex(),
                "assignor": record.assignor,
                "holder": record.holder,
                "form": record.form,
                "import_factor": record.import_factor,
                "covered": record.covered,
                "share": record.share,
                "state": _state(record),
                "offer_valid_until_ms": record.offer_valid_until_ms,
                "reserved_until_ms": record.reserved_until_ms,
                "concluded_ms": record.concluded_ms,
                "funded_ms": record.funded_ms,
                "holders": list(record.holders),
            }
        )


def _claim(client: FinancierClient, claim: bytes) -> Claim:
    record = client.claim(claim)
    if record is None:
        raise ClientError("no such claim, or none that this party may see")
    return record


def _ends(record: Claim) -> str:
    """When what is offered or reserved is over by time alone (UTC); "" for what is not."""
    end_ms = {"offered": record.offer_valid_until_ms, "reserved": record.reserved_until_ms}.get(record.state)
    return "" if end_ms is None else datetime.datetime.fromtimestamp(end_ms // 1_000, tz=datetime.UTC).isoformat()


def _state(record: Claim) -> str:
    return record.state_at(time.time_ns() // 1_000_000)


def _ids(texts: list[str]) -> list[bytes]:
    return [subject(text, "acknowledged") for text in texts]


def _done(receipt: Receipt, what: str) -> None:
    show({what: receipt.subject.hex(), "transaction": receipt.transaction.hex()})
