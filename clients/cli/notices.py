"""`nemodat notice ...`"""

from __future__ import annotations

import datetime
import hashlib
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from clients import notices, reads
from clients.base import Client
from clients.cli.claims import ClaimArgument
from clients.cli.context import (
    SETTINGS,
    GenesisOption,
    JsonOption,
    KeyOption,
    PartyOption,
    UrlOption,
    access,
    plain,
    problems,
    show,
    subject,
    tabulate,
    text_of,
)
from clients.dossier import Dossier
from clients.errors import ClientError
from registry.records.notices import CHANNELS, Notice

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, epilog=SETTINGS)

NoticeArgument = Annotated[str, typer.Argument(metavar="NOTICE", help="The notice's id.")]
DossierOption = Annotated[Path, typer.Option(help="The receivable's dossier (JSON).")]
AccountOption = Annotated[str, typer.Option(help="The account to pay, an IBAN or words; only its digest is sent.")]
TextOption = Annotated[Path, typer.Option(help="The text of the notice; only its digest goes on the ledger.")]
LanguageOption = Annotated[str, typer.Option(help="The language of the text, as en or zh.")]


@app.command()
def send(
    claim: ClaimArgument,
    dossier: DossierOption,
    account: AccountOption,
    text: TextOption,
    channel: Annotated[str, typer.Option(help=f"How the debtor gets it: {', '.join(CHANNELS)}.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    language: LanguageOption = "en",
) -> None:
    """As the assignor or the holder: give the debtor notice of a claim, and record it.

    Hand the text, the account and the notice's id to the debtor by the channel you name: the ledger does not.

    Example: nemodat notice send 9f86...0a08 --dossier dossier.json --account "DE89 3704 0044 0532 0130 00" \
--text notice.txt --channel courier
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        made = client.call(
            notices.notify,
            subject(claim, "claim"),
            channel=channel,
            text=_digest(text),
            account=_dossier(dossier).account_commitment(account),
            language=language,
        )
        show({"notice": made.hex(), "claim": claim, "channel": channel, "language": language})


@app.command()
def acknowledge(
    notice: NoticeArgument,
    dossier: DossierOption,
    account: AccountOption,
    text: TextOption,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    accept: Annotated[bool, typer.Option(help="Promise to pay the claim's holder to that account.")] = False,
) -> None:
    """As the debtor: acknowledge a notice that you were given, with this text and this account.

    Refused as `other_notice` if the notice on the ledger has another text or another account.

    Example: nemodat notice acknowledge 2c26...e7ae --dossier dossier.json --account "DE89 3704 0044 0532 0130 00" \
--text notice.txt --accept
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        known = _dossier(dossier)
        receipt = client.call(
            notices.acknowledge,
            subject(notice, "notice"),
            text=_digest(text),
            account=known.account_commitment(account),
            dossier=known,
            accepts=accept,
        )
        show({"acknowledged": notice, "accepted": accept, "transaction": receipt.transaction.hex()})


@app.command()
def prove(
    notice: NoticeArgument,
    received: Annotated[str, typer.Option(help="When it arrived: 2026-05-04T16:30:00Z, or with +08:00 and the like.")],
    evidence: Annotated[Path, typer.Option(help="Courier's slip or EDI receipt; only its digest goes on the ledger.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """As the sender: prove when the debtor received a notice.

    Example: nemodat notice prove 2c26...e7ae --received 2026-05-04T16:30:00+02:00 --evidence slip.pdf
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        receipt = client.call(
            notices.prove_receipt,
            subject(notice, "notice"),
            received_ms=_milliseconds(received),
            evidence=_digest(evidence),
        )
        show({"proved": notice, "transaction": receipt.transaction.hex()})


@app.command("list")
def list_notices(
    genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption, as_json: JsonOption = False
) -> None:
    """The notices that concern this party: those received first on top, those not received last.

    Example: nemodat notice list
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        table = Table("id", "to pay", "channel", "sent", "received", "by", "accepted")
        found = client.call(reads.own_records, Notice)
        for one in sorted(found, key=lambda one: (not one.received_ms, one.received_ms, one.sent_ms)):
            cells = (one.id.hex(), one.holder, one.channel, _time(one.sent_ms))
            table.add_row(*map(plain, (*cells, _time(one.received_ms), _by(one), _time(one.accepted_ms))))
        tabulate(table, as_json=as_json)


@app.command("show")
def show_notice(
    notice: NoticeArgument, genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption
) -> None:
    """The record, proved against genesis.

    Example: nemodat notice show 2c26...e7ae
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        record = client.call(reads.record, Notice, subject(notice, "notice"))
        if record is None:
            raise ClientError("no such notice, or none that this party may see")
        show(_shown(record))


def _shown(notice: Notice) -> dict[str, Any]:
    return {
        "id": notice.id.hex(),
        "claim": notice.claim.hex(),
        "receivable": notice.receivable.hex(),
        "sender": notice.sender,
        "holder": notice.holder,
        "debtor": notice.debtor,
        "channel": notice.channel,
        "language": notice.language,
        "text_digest": notice.text_digest.hex(),
        "account_digest": notice.account_digest.hex(),
        "sent": _time(notice.sent_ms),
        "received": _time(notice.received_ms),
        "received_by": _by(notice),
        "evidence_digest": notice.evidence_digest.hex(),
        "acknowledged": _time(notice.acknowledged_ms),
        "accepted": _time(notice.accepted_ms),
    }


def _by(notice: Notice) -> str:
    """What the time of receipt rests on."""
    if not notice.received_ms:
        return ""
    return "evidence" if notice.received_ms == notice.proved_ms else "acknowledgement"


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


def _dossier(path: Path) -> Dossier:
    return Dossier.from_json(text_of(path, "a dossier"))


def _time(time_ms: int) -> str:
    """ISO 8601 in UTC, to the millisecond; empty for a time that is not there yet."""
    if not time_ms:
        return ""
    moment = datetime.datetime.fromtimestamp(time_ms // 1000, datetime.UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ms % 1000:03d}Z"


def _milliseconds(text: str) -> int:
    """Milliseconds since 1970 of an ISO 8601 time that says its zone. Raises `ClientError`."""
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise ClientError(f"received: {error}") from error
    if moment.tzinfo is None:
        raise ClientError("received: the time zone is missing: add Z, or +08:00 and the like")
    return (moment - datetime.datetime.fromtimestamp(0, datetime.UTC)) // datetime.timedelta(milliseconds=1)
