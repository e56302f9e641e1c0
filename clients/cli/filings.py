"""`nemodat filing ...`"""

from __future__ import annotations

import datetime
import hashlib
import time
from typing import Annotated

import typer
from rich.table import Table

from clients import filings
from clients.cli.claims import ClaimArgument
from clients.cli.context import (
    EXIT_LOOK,
    SETTINGS,
    GenesisOption,
    JsonOption,
    KeyOption,
    PartyOption,
    UrlOption,
    access,
    console,
    plain,
    problems,
    show,
    subject,
    tabulate,
)
from clients.financier import FinancierClient
from registry.records.filings import Filing

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, epilog=SETTINGS)

DAY_MS = 86_400_000
FilingArgument = Annotated[str, typer.Argument(metavar="FILING", help="The filing's id.")]
NumberOption = Annotated[str, typer.Option(help="The official number; only its digest goes on the ledger.")]
Day = Annotated[datetime.datetime, typer.Option(formats=["%Y-%m-%d"], help="The day (UTC).")]
LapseOption = Annotated[
    datetime.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="When it lapses; never if left out.")
]


@app.command()
def record(
    claim: ClaimArgument,
    register: Annotated[str, typer.Option(help="Law and register, as CN:ZHONGDENG or US-NY:UCC1.")],
    number: NumberOption,
    filed: Day,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    lapses: LapseOption = None,
) -> None:
    """As the holder: record where a claim is filed officially.

    Example: nemodat filing record 9f86...0a08 --register US-NY:UCC1 --number 202605201234567 --filed 2026-05-20
    --lapses 2031-05-20
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        receipt = client.call(
            filings.record_filing,
            subject(claim, "claim"),
            register=register,
            number=_digest(number),
            filed_ms=_ms(filed),
            lapses_ms=_ms(lapses) if lapses else 0,
        )
        show({"filing": receipt.subject.hex(), "transaction": receipt.transaction.hex()})


@app.command("continue")
def continue_(
    filing: FilingArgument,
    number: NumberOption,
    lapses: Annotated[datetime.datetime, typer.Option(formats=["%Y-%m-%d"], help="When it lapses now.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """As the holder: record a continuation, before the filing lapses.

    Example: nemodat filing continue 9f86...0a08 --number 203103011234567 --lapses 2036-05-20
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        receipt = client.call(
            filings.continue_filing, subject(filing, "filing"), number=_digest(number), lapses_ms=_ms(lapses)
        )
        show({"continued": receipt.subject.hex(), "transaction": receipt.transaction.hex()})


@app.command()
def end(
    filing: FilingArgument,
    number: NumberOption,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """As the holder: record that it was taken off the official register.

    Example: nemodat filing end 9f86...0a08 --number 203201011234567
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        receipt = client.call(filings.end_filing, subject(filing, "filing"), number=_digest(number))
        show({"ended": receipt.subject.hex(), "transaction": receipt.transaction.hex()})


@app.command("list")
def list_filings(
    genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption, as_json: JsonOption = False
) -> None:
    """The filings of the claims that this party holds, also those that an earlier holder recorded.

    Example: nemodat filing list
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        _table(client.call(filings.own_filings), as_json=as_json)


@app.command()
def due(
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    days: Annotated[int, typer.Option(help="How far to look ahead.", min=0, max=3650)] = 180,
    as_json: JsonOption = False,
) -> None:
    """The filings that lapse soon, or have lapsed. Exit code 3 if there are any, for a daily job.

    UCC 9-515(d): a continuation is filed within six months before the lapse.

    Example: nemodat filing due --days 90
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        urgent = filings.due(client.call(filings.own_filings), now_ms=_now_ms(), within_ms=days * DAY_MS)
    if urgent or as_json:
        _table(urgent, as_json=as_json)
    else:
        console.print(f"none lapses within {days} days")
    if urgent:
        raise typer.Exit(EXIT_LOOK)


def _table(found: tuple[Filing, ...] | list[Filing], *, as_json: bool) -> None:
    table = Table("id", "register", "state", "filed", "lapses", "claim")
    for one in found:
        lapses = _day(one.lapses_ms) if one.lapses_ms else "never"
        cells = (one.id.hex(), one.register, one.state_at(_now_ms()), _day(one.filed_ms), lapses, one.claim.hex())
        table.add_row(*map(plain, cells))
    tabulate(table, as_json=as_json)


def _digest(number: str) -> bytes:
    return hashlib.sha256(number.encode()).digest()


def _ms(day: datetime.datetime) -> int:
    return int(day.replace(tzinfo=datetime.UTC).timestamp()) * 1000


def _day(time_ms: int) -> str:
    return datetime.datetime.fromtimestamp(time_ms // 1000, tz=datetime.UTC).date().isoformat()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
