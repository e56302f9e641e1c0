"""`nemodat receivable ...`"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from clients import debtor as debtors
from clients import exporter as exporters
from clients import notices
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
    percent,
    plain,
    problems,
    rows_of,
    share,
    show,
    subject,
    tabulate,
    text_of,
)
from clients.cli.registrations import register
from clients.debtor import DebtorClient
from clients.dossier import Dossier
from clients.errors import ClientError, Refused
from clients.exporter import ExporterClient
from clients.external import to_look_at
from clients.matches import to_acknowledge
from registry.money import WHOLE, Money, claim_share
from registry.reasons import ALREADY_DONE
from registry.transactions.receivables import NO_DIGEST

__all__ = ["DossierArgument", "app"]

app = typer.Typer(no_args_is_help=True, epilog=SETTINGS)

ShareOption = Annotated[
    int,
    typer.Option(
        parser=share, metavar="SHARE", show_default="100%", help=f"A percentage such as 80%, or parts of {WHOLE}."
    ),
]
DossierArgument = Annotated[Path, typer.Argument(metavar="DOSSIER", help="The receivable's dossier (JSON).")]
ReceivableArgument = Annotated[str, typer.Argument(metavar="RECEIVABLE", help="The receivable's id.")]


app.command()(register)


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

    One document lowers a receivable once: given again, it changes nothing and is said to be `already_done`. If a file
    holds several notes on the invoice, give what they take together.

    Example: nemodat receivable adjust dossier.json --amount 435.00 --document credit-note.xml
    """
    with problems(), ExporterClient(**access(genesis, url, party, key)) as client:
        known = _dossier(dossier)
        particulars = known.particulars
        credit = Money.parse(amount, currency=particulars.currency)
        reduction = claim_share(credit, whole=Money(particulars.currency, particulars.amount_minor))
        digest = hashlib.sha256(document.read_bytes()).digest()
        try:
            receipt = client.adjust(known.receivable, reduction=reduction, document=digest)
        except Refused as refusal:
            if refusal.code != ALREADY_DONE:
                raise
            show({"adjusted": known.receivable.hex(), ALREADY_DONE: True} | _named(known))
            return
        show({"adjusted": receipt.subject.hex(), "transaction": receipt.transaction.hex()} | _named(known))


@app.command()
def expire(
    receivable: ReceivableArgument, genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption
) -> None:
    """As who registered it: end what is over and nobody claims, such as an invoice that was paid to you.

    Refused as `too_early` until its due month is over, and as `encumbered` while something is claimed on it or its
    lineage, or parts of it are not over. It takes no claims any more, and comes back to who looks at what is like it.
    What was financed in part and paid to the financier is settled: the rest of it was paid to you.

    Example: nemodat receivable expire 9f86...0a08
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        receipt = client.call(exporters.expire, subject(receivable, "receivable"))
        show({"ended": receipt.subject.hex(), "transaction": receipt.transaction.hex()})


@app.command("list")
def list_receivables(
    genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption, as_json: JsonOption = False
) -> None:
    """What this party registered, or answered for as the debtor.

    Example: nemodat receivable list
    """
    with problems(), ExporterClient(**access(genesis, url, party, key)) as client:
        table = Table("id", "state", "collectible", "taken", "currency", "due")
        for record in client.own_receivables():
            taken = sum(live.share for live in record.live)
            due = f"{record.due_month // 100}-{record.due_month % 100:02d}" if record.due_month else ""
            cells = (record.id.hex(), record.state, percent(record.collectible), percent(taken), record.currency, due)
            table.add_row(*map(plain, cells))
        tabulate(table, as_json=as_json)


@app.command("matches")
def list_matches(
    receivable: ReceivableArgument,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    as_json: JsonOption = False,
) -> None:
    """What looks like a receivable or its lineage, the worst first, what is asserted outside, disputes and blankets.

    Look at each before you fund, and acknowledge it. What a stranger registered after you reserved is for information
    only, and says so. Exit code 3 if there is anything to look at.

    Example: nemodat receivable matches 9f86...0a08
    """
    with problems(), ExporterClient(**access(genesis, url, party, key)) as client:
        found = client.call(to_acknowledge, subject(receivable, "receivable"))
        outside = client.call(to_look_at, subject(receivable, "receivable"))
    table = Table("id", "severity", "level", "found by", "state", "same registrant", "to acknowledge")
    for match in found.matches:
        own = "yes" if match.own else "no"
        by = ", ".join(match.kinds) or "link taken back"
        needed = "yes" if match.to_acknowledge else "no, later than your reservation"
        cells = (match.receivable.hex(), match.severity, match.level, by, match.state, own, needed)
        table.add_row(*map(plain, cells))
    asserted = Table("claim outside", "asserted by", "share", "evidence", "recorded by the", "on")
    for one in outside:
        row = (one.id.hex(), one.source, percent(one.share), one.grade, one.capacity, one.receivable.hex())
        asserted.add_row(*map(plain, row))
    disputes = Table("dispute that runs", "ground", "raised by the", "share", "rung", "on")
    for each in found.disputes:
        line = (each.id.hex(), each.ground, each.capacity, percent(each.share), str(each.rung), each.receivable.hex())
        disputes.add_row(*map(plain, line))
    blankets = Table("blanket over what is owed to who registered this payable")
    for facility in found.blankets_beside:
        blankets.add_row(facility.hex())
    if as_json:
        rows = {"matches": rows_of(table), "claims_outside": rows_of(asserted), "disputes": rows_of(disputes)}
        show(rows | {"blankets_beside": [facility.hex() for facility in found.blankets_beside]})
    else:
        tabulate(table, as_json=False)
        for more in (asserted, disputes, blankets):
            if more.row_count:
                tabulate(more, as_json=False)
    if found.matches or outside or found.disputes or found.blankets_beside:
        raise typer.Exit(EXIT_LOOK)


@app.command("show")
def show_receivable(
    receivable: ReceivableArgument,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """The record, proved against genesis.

    Example: nemodat receivable show 9f86...0a08
    """
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


def _named(dossier: Dossier) -> dict[str, str]:
    """Which invoice it is, for people."""
    known = dossier.particulars
    return {"number": known.number, "amount": str(Money(known.currency, known.amount_minor))}


def _dossier(path: Path) -> Dossier:
    return Dossier.from_json(text_of(path, "a dossier"))
