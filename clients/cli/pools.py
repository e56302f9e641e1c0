"""`nemodat pool ...`: what two sides sign is written by one and accepted by the other, who types the same command."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from clients import pools, reads
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
    progress_bar,
    show,
    subject,
    tabulate,
)
from clients.cli.pool_files import (
    RULES_TEMPLATE,
    accepted_drafts,
    amended_scope,
    base_of,
    described,
    digest_of,
    end_of_day_ms,
    facility_of,
    rows_of,
    rules_of,
    scope_of,
    show_base,
    two_sided,
    until_text,
    write_drafts,
    write_outcomes,
)
from clients.cli.receivables import ShareOption
from clients.errors import ClientError
from clients.financier import FinancierClient
from clients.pools import Drawing, Drawn, NotDrawn
from registry.money import WHOLE
from registry.records.facilities import Facility
from registry.transactions.envelope import EACH

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, epilog=SETTINGS)

FacilityArgument = Annotated[str, typer.Argument(metavar="FACILITY", help="The facility's id.")]
PoolArgument = Annotated[Path, typer.Argument(metavar="POOL", help="The pool's rows (CSV or XLSX).")]
RulesOption = Annotated[Path, typer.Option("--rules", help="The agreed rules (TOML), see `nemodat pool rules`.")]
TermsOption = Annotated[Path, typer.Option("--terms", help="The contract; only its digest goes on the ledger.")]
DraftsOption = Annotated[
    Path, typer.Option("--drafts", help="Folder for what the other side must sign too, within ten minutes.")
]
AcceptOption = Annotated[
    bool,
    typer.Option("--accept", help="Sign and send the other side's drafts, if they are what this command would write."),
]
BlanketOption = Annotated[
    str, typer.Option("--blanket", help="none, all, or debtors' party ids separated by commas.", metavar="SCOPE")
]
FilingOption = Annotated[Path | None, typer.Option("--filing", help="The official filing's reference (its digest).")]
UntilOption = Annotated[
    datetime.datetime | None, typer.Option("--until", formats=["%Y-%m-%d"], help="The blanket's last day (UTC).")
]
AsOfOption = Annotated[datetime.datetime, typer.Option("--as-of", formats=["%Y-%m-%d"], help="The day of the base.")]
DrawnOption = Annotated[str, typer.Option("--drawn", help="What is drawn, in the base's currency (412250.00).")]
RateOption = Annotated[list[str], typer.Option("--rate", help="CUR=N/D in minor units: JPY=65/100; repeat it.")]
NONE: list[str] = []  # Typer wants a list here, and never changes it


@app.command()
def rules(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The rules (TOML).")],
    new: Annotated[bool, typer.Option("--new", help="Write a document to fill in, with a salt of its own.")] = False,
) -> None:
    """Check a rules document and show its digest; nothing here touches the network.

    Example: nemodat pool rules rules.toml --new
    """
    with problems():
        if new:
            with file.open("x", encoding="utf-8") as created:
                created.write(RULES_TEMPLATE.format(salt=secrets.token_hex(32)))
        agreed = rules_of(file)
        show({"rules": str(file), "digest": agreed.digest.hex(), "advance_rate": percent(agreed.advance_rate)})


@app.command("open")
def open_(
    seller: Annotated[str, typer.Option(help="The seller's party id.")],
    financier: Annotated[str, typer.Option(help="The financier's party id.")],
    terms: TermsOption,
    rules: RulesOption,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    blanket: BlanketOption = "none",
    filing: FilingOption = None,
    until: UntilOption = None,
    drafts: DraftsOption = Path("drafts"),
    accept: AcceptOption = False,
) -> None:
    """As either side: agree on a facility; one writes a draft, the other accepts it.

    Example: nemodat pool open --seller lei:984500VNEXPORT000180 --financier lei:984500GBBANK00000140
    --terms contract.pdf --rules rules.toml --blanket all --filing ucc-1.txt --until 2031-06-01
    """
    with problems(), FinancierClient(**(settings := access(genesis, url, party, key))) as client:
        scope = scope_of(settings, seller, blanket, filing, until)
        digests = {"terms": digest_of(terms), "rules": rules_of(rules).digest}
        steps = pools.opening(seller=seller, financier=financier, blanket=scope, **digests)
        other = financier if party == seller else seller
        two_sided(client, settings, other, steps, drafts, accept, "opened")


@app.command()
def amend(
    facility: FacilityArgument,
    terms: TermsOption,
    rules: RulesOption,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    blanket: Annotated[
        str, typer.Option(help="keep, none, all, or debtors' party ids separated by commas.", metavar="SCOPE")
    ] = "keep",
    filing: FilingOption = None,
    until: UntilOption = None,
    drafts: DraftsOption = Path("drafts"),
    accept: AcceptOption = False,
) -> None:
    """As either side: put other terms and rules in the place of a facility's, and another blanket, if you name one.

    Without --blanket it stays as it is; --blanket none takes it away: the financier loses its rank over what comes.

    Example: nemodat pool amend 9f86...0a08 --terms contract-2.pdf --rules rules-2.toml
    """
    with problems(), FinancierClient(**(settings := access(genesis, url, party, key))) as client:
        record = facility_of(client, facility)
        scope = amended_scope(settings, record, blanket, filing, until)
        steps = pools.amendment(record.id, terms=digest_of(terms), rules=rules_of(rules).digest, blanket=scope)
        two_sided(client, settings, pools.other_side(record, party), steps, drafts, accept, "amended")


@app.command("list")
def list_(
    genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption, as_json: JsonOption = False
) -> None:
    """This party's facilities.

    Example: nemodat pool list
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        table = Table("id", "state", "seller", "financier", "blanket", "until", "base", "finding")
        for record in client.call(reads.own_records, Facility):
            row = described(record)
            cells = (*(row[name] for name in ("id", "state", "seller", "financier", "blanket")), until_text(record))
            table.add_row(*map(plain, (*cells, str(record.base_as_of or ""), record.base_finding)))
        tabulate(table, as_json=as_json)


@app.command("show")
def show_(
    facility: FacilityArgument, genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption
) -> None:
    """The record of a facility, proved against genesis.

    Example: nemodat pool show 9f86...0a08
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        show(described(facility_of(client, facility)))


@app.command()
def base(
    facility: FacilityArgument,
    pool: PoolArgument,
    rules: RulesOption,
    as_of: AsOfOption,
    drawn: DrawnOption,
    rate: RateOption = NONE,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write every row's outcome (CSV).")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compute the borrowing base from your own rows; nothing here touches the network.

    The file's columns: receivable, debtor, debtor_country, currency, amount, issue_date, due_date;
    these may be left out, and are then: kind (invoice), grade (document), state (registered), disputed (no),
    paid (0), contra (0), credit_notes (none; as 2026-05-01:100.00;2026-05-09:20.00).

    Exit code 3 if what is drawn is not covered.

    Example: nemodat pool base 9f86...0a08 pool.xlsx --rules rules.toml --as-of 2026-05-20 --drawn 412250.00
    """
    with problems():
        found = base_of(facility, pool, rules, as_of, drawn, rate)
        show_base(found, as_json=as_json)
        if output is not None:
            write_outcomes(found, output)
    if found.shortfall:
        raise typer.Exit(EXIT_LOOK)


@app.command()
def certify(
    facility: FacilityArgument,
    pool: PoolArgument,
    rules: RulesOption,
    as_of: AsOfOption,
    drawn: DrawnOption,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    rate: RateOption = NONE,
    drafts: DraftsOption = Path("drafts"),
    accept: AcceptOption = False,
) -> None:
    """As either side: compute the base and sign its digest; the other signs if its own rows give the same.

    Example: nemodat pool certify 9f86...0a08 pool.xlsx --rules rules.toml --as-of 2026-05-20 --drawn 412250.00 --accept
    """
    with problems(), FinancierClient(**(settings := access(genesis, url, party, key))) as client:
        record = facility_of(client, facility)
        if rules_of(rules).digest != record.rules_digest:
            raise ClientError(f"{rules}: is not the rules document that the facility names")
        found = base_of(facility, pool, rules, as_of, drawn, rate)
        two_sided(
            client, settings, pools.other_side(record, party), pools.certification(found), drafts, accept, found.finding
        )


@app.command()
def draw(
    facility: FacilityArgument,
    pool: PoolArgument,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    share: ShareOption = WHOLE,
    acknowledged: Annotated[
        list[str], typer.Option(help="The id of a similar receivable that was looked at; repeat it for each.")
    ] = NONE,
    drafts: DraftsOption = Path("drafts"),
    accept: AcceptOption = False,
    as_json: JsonOption = False,
) -> None:
    """As either side: put every receivable of the file into the pool; one writes the drafts, the other accepts them.

    Exit code 3 if some were refused: they are listed with the reason, and stop nothing.

    Example: nemodat pool draw 9f86...0a08 new.csv --share 100% --accept
    """
    with problems(may_repeat=True), FinancierClient(**(settings := access(genesis, url, party, key))) as client:
        record = facility_of(client, facility)
        seen = tuple(subject(each, "acknowledged") for each in acknowledged)
        drawings = [Drawing(row.receivable, share, seen) for row in rows_of(pool)]
        batches = [operations for _, operations in pools.drawing_batches(record, drawings)]
        if not accept:
            write_drafts(client, settings, pools.other_side(record, party), batches, drafts, EACH)
            return
        accepted = accepted_drafts(settings, batches, drafts, EACH)
        with progress_bar() as bar:
            task = bar.add_task("drawn", total=len(drawings))
            try:
                outcomes = client.call(
                    pools.send_drawings,
                    record,
                    drawings,
                    accepted,
                    progress=lambda done, _: bar.update(task, completed=done),
                )
            except pools.DrawingsInterrupted as stopped:
                _show_drawings(stopped.outcomes, as_json=as_json)
                again = "run the command again with the same drafts: nothing is drawn twice"
                raise ClientError(f"{len(stopped.left)} are left ({stopped}): {again}") from stopped
    _show_drawings(outcomes, as_json=as_json)
    if not all(isinstance(outcome, Drawn) for outcome in outcomes):
        raise typer.Exit(EXIT_LOOK)


def _show_drawings(outcomes: Sequence[Drawn | NotDrawn], *, as_json: bool) -> None:
    table = Table("receivable", "outcome", "claim or what it is about")
    for outcome in outcomes:
        if isinstance(outcome, Drawn):
            table.add_row(outcome.receivable.hex(), "drawn", outcome.claim.hex())
        else:
            table.add_row(outcome.receivable.hex(), outcome.code, ", ".join(one.hex() for one in outcome.related))
    tabulate(table, as_json=as_json)


@app.command()
def substitute(
    facility: FacilityArgument,
    out: Annotated[str, typer.Option(help="The claim that leaves the pool.")],
    into: Annotated[str, typer.Option("--in", help="The receivable that comes in.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    share: ShareOption = WHOLE,
    drafts: DraftsOption = Path("drafts"),
    accept: AcceptOption = False,
) -> None:
    """As either side: take one receivable out and put another in, in one transaction: both or neither.

    Example: nemodat pool substitute 9f86...0a08 --out 2c26...e7ae --in fcde...2edb
    """
    with problems(), FinancierClient(**(settings := access(genesis, url, party, key))) as client:
        record = facility_of(client, facility)
        steps = pools.substitution(record, subject(out, "out"), Drawing(subject(into, "in"), share))
        two_sided(client, settings, pools.other_side(record, party), steps, drafts, accept, "substituted")


@app.command()
def release(
    claims: Annotated[list[str], typer.Argument(metavar="CLAIM", help="Claims to give up.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """As the financier: give up claims of the pool, many under one signature. Exit code 3 if some were refused.

    If the command is interrupted, run it again: what is given up already is refused then (`already_done`).

    Example: nemodat pool release 2c26...e7ae fcde...2edb
    """
    with problems(may_repeat=True), FinancierClient(**access(genesis, url, party, key)) as client:
        receipts = client.call(pools.release_from_pool, [subject(each, "claim") for each in claims])
        show({receipt.subject.hex(): receipt.code for receipt in receipts})
    if not all(receipt.done for receipt in receipts):
        raise typer.Exit(EXIT_LOOK)


@app.command()
def renew(
    facility: FacilityArgument,
    filing: Annotated[Path, typer.Option("--filing", help="The continuation's reference; only its digest is kept.")],
    until: Annotated[datetime.datetime, typer.Option(formats=["%Y-%m-%d"], help="The last day (UTC).")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """As the financier: continue a blanket before it lapses.

    Example: nemodat pool renew 9f86...0a08 --filing ucc-3.txt --until 2031-06-01
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        last_ms = end_of_day_ms(until)
        receipt = client.call(
            pools.renew_blanket, subject(facility, "facility"), filing=digest_of(filing), until_ms=last_ms
        )
        show({"renewed": receipt.subject.hex(), "until_ms": last_ms})


@app.command("carve-out")
def carve_out(
    facility: FacilityArgument,
    receivable: Annotated[str, typer.Argument(metavar="RECEIVABLE", help="The receivable's id.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """As the financier: let one receivable go from the blanket, for good: others may finance it.

    Example: nemodat pool carve-out 9f86...0a08 2c26...e7ae
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        client.call(pools.carve_out, subject(facility, "facility"), subject(receivable, "receivable"))
        show({"carved_out": receivable, "facility": facility})


@app.command()
def close(
    facility: FacilityArgument, genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption
) -> None:
    """As the financier: end the facility and its blanket. No new drawings; what was drawn runs off.

    Example: nemodat pool close 9f86...0a08
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        receipt = client.call(pools.close, subject(facility, "facility"))
        show({"closed": receipt.subject.hex(), "transaction": receipt.transaction.hex()})
