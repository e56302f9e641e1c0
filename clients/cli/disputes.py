"""`nemodat dispute ...`"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from clients import disputes, reads
from clients.base import Client
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
    subject,
    tabulate,
    text_of,
)
from clients.cli.countersigning import countersigned, first_signed, passed_on
from clients.cli.receivables import ReceivableArgument, ShareOption
from clients.dossier import Dossier
from clients.errors import ClientError
from registry.money import WHOLE
from registry.receipts import Receipt
from registry.records import Dispute
from registry.records.disputes import FORUMS, GROUNDS, OUTCOMES, other_side
from registry.transactions.disputes import DecideDispute, SettleDispute, Standing
from registry.transactions.governance import Award
from registry.transactions.operations import Operation

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, epilog=SETTINGS)

DisputeArgument = Annotated[str, typer.Argument(metavar="DISPUTE", help="The dispute's id.")]
TextOption = Annotated[Path, typer.Option(help="What is said, in a file; only its digest goes on the ledger.")]
AwardOption = Annotated[Path, typer.Option("--award", help="The award; only its digest goes on the ledger.")]
LanguageOption = Annotated[str, typer.Option(help="The language of the text, as in ISO 639-1: en, zh, ...")]
OutcomeOption = Annotated[str, typer.Option(help=f"One of: {', '.join(OUTCOMES)}.")]
ReductionOption = Annotated[
    str, typer.Option(metavar="SHARE", help='By how much less is collectible: "20%"; 0 for nothing.')
]
WithOption = Annotated[
    list[str], typer.Option("--with", help="A party that signs too; repeat it if holders of claims must.")
]
OutputOption = Annotated[Path, typer.Option("--output", "-o", help="Where to write the draft.")]


@app.command("raise")
def raise_(
    receivable: ReceivableArgument,
    ground: Annotated[str, typer.Option(help=f"One of: {', '.join(GROUNDS)}.")],
    text: TextOption,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    share: ShareOption = WHOLE,
    language: LanguageOption = "en",
    dossier: Annotated[Path | None, typer.Option(help="As the debtor: the dossier that opens the record.")] = None,
    claim: Annotated[str, typer.Option(help="As a financier: the id of your own claim or offer.")] = "",
    own: Annotated[str, typer.Option(help="As another seller: the id of your own registration that is alike.")] = "",
    refused: Annotated[
        Path | None, typer.Option(help="As another seller: the dossier of what was refused as a duplicate of it.")
    ] = None,
) -> None:
    """Dispute a share of a receivable: until it is over nobody takes a new claim on it.

    The registrant, and the debtor that has confirmed, need no option; others say what gives them standing.

    Example: nemodat dispute raise 9f86...0a08 --ground set_off --share 30% --text letter.pdf --dossier a.dossier.json
    """
    given = [option for option in (dossier, claim, own, refused) if option]
    if len(given) > 1:
        raise typer.BadParameter("one of --dossier, --claim, --own and --refused gives standing, not several")
    said: dict[str, Any] = {"ground": ground, "share": share, "text": _digest(text), "language": language}
    with problems(), Client(**access(genesis, url, party, key)) as client:
        target = subject(receivable, "receivable")
        if refused is not None:
            particulars = Dossier.from_json(text_of(refused, "a dossier")).particulars
            receipt = client.call(disputes.raise_as_refused, target, particulars, **said)
        else:
            standing = _standing(dossier, claim, own)
            receipt = client.call(disputes.raise_dispute, target, standing=standing, **said)
        _done(receipt, "raised")


@app.command()
def answer(
    dispute: DisputeArgument,
    text: TextOption,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    language: LanguageOption = "en",
) -> None:
    """Answer in the rung's time, as the side that is waited for (the seller, or a holder of a claim).

    Example: nemodat dispute answer 9f86...0a08 --text answer.pdf --language zh
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        said = {"text": _digest(text), "language": language}
        _done(client.call(disputes.answer, subject(dispute, "dispute"), **said), "answered")  # type: ignore[arg-type]


@app.command()
def escalate(
    dispute: DisputeArgument,
    text: TextOption,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    forum: Annotated[str, typer.Option(help=f"At the last rung, one of: {', '.join(FORUMS)}.")] = "",
    seat: Annotated[str, typer.Option(help="The country of the court, or of the seat, as DE.")] = "",
    language: LanguageOption = "en",
) -> None:
    """Take it to the next rung, when the answer is in or was missed.

    Example: nemodat dispute escalate 9f86...0a08 --text request.pdf --forum CIETAC --seat CN
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        receipt = client.call(
            disputes.escalate,
            subject(dispute, "dispute"),
            text=_digest(text),
            language=language,
            forum=forum,
            seat=seat,
        )
        _done(receipt, "escalated")


@app.command()
def withdraw(
    dispute: DisputeArgument,
    text: TextOption,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    language: LanguageOption = "en",
) -> None:
    """Give your own dispute up. The same ground is not heard again.

    Example: nemodat dispute withdraw 9f86...0a08 --text letter.pdf
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        said = {"text": _digest(text), "language": language}
        _done(client.call(disputes.withdraw, subject(dispute, "dispute"), **said), "withdrawn")  # type: ignore[arg-type]


@app.command()
def conclude(
    dispute: DisputeArgument, genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption
) -> None:
    """Put on record what missed clocks have decided; whoever is concerned may.

    Example: nemodat dispute conclude 9f86...0a08
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        _done(client.call(disputes.conclude, subject(dispute, "dispute")), "concluded")


@app.command()
def settle(
    dispute: DisputeArgument,
    text: TextOption,
    with_: WithOption,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    reduction: ReductionOption = "0",
    language: LanguageOption = "en",
    output: OutputOption = Path("draft.json"),
) -> None:
    """Sign a settlement, for the other side to sign within ten minutes: `nemodat dispute accept`.

    Example: nemodat dispute settle 9f86...0a08 --text agreement.pdf --reduction 20% --with lei:984500TJEXPORT000197
    """
    with problems(), Client(**(settings := access(genesis, url, party, key))) as client:
        draft = client.call(
            disputes.compose_settlement,
            subject(dispute, "dispute"),
            reduction=_reduction(reduction),
            text=_digest(text),
            language=language,
            others=with_,
        )
        first_signed(draft, settings, output)


@app.command()
def decide(
    dispute: DisputeArgument,
    outcome: OutcomeOption,
    award: AwardOption,
    with_: WithOption,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    reduction: ReductionOption = "0",
    language: LanguageOption = "en",
    output: OutputOption = Path("draft.json"),
) -> None:
    """Sign the award of the last rung's forum, for the other side to sign: `nemodat dispute accept`.

    If the other side does not, the authorities execute it: `nemodat dispute award`.

    Example: nemodat dispute decide 9f86...0a08 --outcome dismissed --award award.pdf --with lei:984500TJEXPORT000197
    """
    with problems(), Client(**(settings := access(genesis, url, party, key))) as client:
        draft = client.call(
            disputes.compose_decision,
            subject(dispute, "dispute"),
            outcome=outcome,
            reduction=_reduction(reduction),
            award=_digest(award),
            language=language,
            others=with_,
        )
        first_signed(draft, settings, output)


@app.command()
def accept(
    dispute: DisputeArgument,
    draft: Annotated[Path, typer.Argument(metavar="DRAFT", help="The draft that others have signed (JSON).")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    reduction: ReductionOption = "0",
    outcome: Annotated[str, typer.Option(help="Of an award; left out, a settlement is meant.")] = "",
) -> None:
    """Sign the settlement or award of this dispute, with exactly this reduction (and outcome), and submit it.

    If others have to sign as well, the draft with your signature is written back for them.

    Example: nemodat dispute accept 9f86...0a08 draft.json --reduction 20%
    """
    with problems(), Client(**(settings := access(genesis, url, party, key))) as client:
        expected = (subject(dispute, "dispute"), outcome, _reduction(reduction))
        what = "that settlement or award of that dispute"
        signed = countersigned(draft, settings, lambda _, operations: _meaning(operations) == expected, what)
        final = passed_on(client, draft, signed)
        if final is not None:
            _done(final.receipts[0], "decided" if outcome else "settled")


@app.command("award")
def award_(
    dispute: DisputeArgument,
    outcome: OutcomeOption,
    award: AwardOption,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    reduction: ReductionOption = "0",
    language: LanguageOption = "en",
) -> None:
    """As an authority: propose to execute an award. The others approve it: `nemodat party approve`.

    Example: nemodat dispute award 9f86...0a08 --outcome reduced --reduction 20% --award award.pdf
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        change = Award(subject(dispute, "dispute"), outcome, _reduction(reduction), _digest(award), language)
        show({"proposal": client.call(disputes.propose_award, change).hex()})


@app.command("list")
def list_disputes(
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    receivable: Annotated[str, typer.Option(help="Only the open ones of this receivable.")] = "",
    as_json: JsonOption = False,
) -> None:
    """The disputes that concern this party, and how each stands.

    Example: nemodat dispute list --receivable 2c26...e7ae
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        if receivable:
            found = client.call(disputes.open_disputes, subject(receivable, "receivable"))
        else:
            found = client.call(reads.own_records, Dispute)
        table = Table("id", "state", "ground", "share", "rung", "opener", "receivable")
        for record in found:
            cells = (
                record.id.hex(),
                record.state_at(_now_ms()),
                record.ground,
                percent(record.share),
                str(record.rung),
                record.opener,
                record.receivable.hex(),
            )
            table.add_row(*map(plain, cells))
        tabulate(table, as_json=as_json)


@app.command("show")
def show_dispute(
    dispute: DisputeArgument, genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption
) -> None:
    """The record, proved against genesis, and for whom it stands by this computer's clock.

    Example: nemodat dispute show 9f86...0a08
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        record = client.call(reads.record, Dispute, subject(dispute, "dispute"))
        if record is None:
            raise ClientError("no such dispute, or none that this party may see")
        show(
            {
                "id": record.id.hex(),
                "receivable": record.receivable.hex(),
                "opener": record.opener,
                "capacity": record.capacity,
                "ground": record.ground,
                "share": record.share,
                "rulebook": record.rulebook,
                "state": record.state_at(_now_ms()),
                "stands_for": record.stands_for(_now_ms()),
                "rung": record.rung,
                "waits_for": "award" if record.at_last_rung else other_side(record.mover),
                "answer_by_ms": record.answer_by_ms,
                "answered_ms": record.answered_ms,
                "closes_ms": record.closes_ms,
                "forum": record.forum,
                "seat": record.seat,
                "reduction": record.reduction,
                "award": record.award.hex(),
                "steps": [{**step._asdict(), "text_digest": step.text_digest.hex()} for step in record.steps],
            }
        )


def _standing(dossier: Path | None, claim: str, own: str) -> Standing:
    if dossier is not None:
        return disputes.as_debtor(Dossier.from_json(text_of(dossier, "a dossier")))
    if claim:
        return ("claim", subject(claim, "claim"))
    return ("receivable", subject(own, "own")) if own else ()


def _reduction(given: str) -> int:
    """A share, or 0."""
    return 0 if given == "0" else share(given)


def _digest(file: Path) -> bytes:
    return hashlib.sha256(file.read_bytes()).digest()


def _meaning(operations: tuple[Operation, ...]) -> tuple[bytes, str, int] | None:
    """The dispute, outcome ("" of a settlement) and reduction that signing these agrees to, and nothing else."""
    match operations:
        case [SettleDispute(bytes() as dispute, reduction)]:
            return dispute, "", reduction
        case [DecideDispute(bytes() as dispute, outcome, reduction)]:
            return dispute, outcome, reduction
    return None


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _done(receipt: Receipt, what: str) -> None:
    show({what: receipt.subject.hex(), "transaction": receipt.transaction.hex()})
