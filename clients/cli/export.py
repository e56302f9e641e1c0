"""`nemodat export ...`: an assignment for other systems and official registers; nothing here touches the network."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated

import typer

from clients.cli.context import errors, plain, problems, text_of, write_private
from registry.outgoing import (
    Assignment,
    FilingText,
    Financing,
    Ground,
    Letter,
    acknowledgement,
    assignment_from_json,
    notification,
    request,
    status,
    ucc1,
    zhongdeng,
)

__all__ = ["app"]

SCHEMA = """\
ASSIGNMENT is a JSON object:

{"claim": "64 hex digits",
 "seller": {"name": "...", "country": "CN",
            "identifiers": ["uscc:...", "lei:..."]},
 "debtor": {...}, "financier": {...},
 "agreement": "ST-2026-09", "concluded": "2026-05-01",
 "invoice": "TJ-2026-00417",
 "issued": "2026-05-02", "due": "2026-07-31",
 "currency": "USD", "exponent": 2, "amount_minor": 10000000,
 "share": 800000000000, "law": "SG"}

and, where known:

 "tax_minor": 0, "advance_minor": 7200000, "account": "DE89...",
 "notice": {"reference": "...", "digest": "64 hex digits"},
 "filing": {"register": "...", "number": "..."}

Amounts are in minor units, exponent says how many decimals the currency has;
share is of 1000000000000 parts. Messages need tax_minor (0 if there is none).
"""

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback(epilog=SCHEMA)
def _group() -> None:
    """Write an assignment as an ISO 20022 message or as text for an official register."""


AssignmentArgument = Annotated[
    Path, typer.Argument(metavar="ASSIGNMENT", help="The assignment (JSON); `nemodat export --help` shows its fields.")
]
IdOption = Annotated[str, typer.Option("--id", help="The message's id: a letter and up to 34 more characters.")]
DateOption = Annotated[
    datetime.datetime, typer.Option("--date", formats=["%Y-%m-%d"], help="The day on which it is sent.")
]
ReplyOption = Annotated[str, typer.Option("--replies-to", help="The id of the message that this one answers.")]
OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="Where to write it; standard output if left out.")
]


@app.command()
def tsin006(assignment: AssignmentArgument, id_: IdOption, date: DateOption, output: OutputOption = None) -> None:
    """The seller asks the financier to take an assignment (InvoiceAssignmentRequest).

    Example: nemodat export tsin006 assignment.json --id TJ-417-1 --date 2026-05-04 -o tsin006.xml
    """
    with problems():
        _write(request(_read(assignment), Letter(id=id_, sent=date.date())), output)


@app.command()
def tsin007(
    assignment: AssignmentArgument,
    id_: IdOption,
    date: DateOption,
    outcome: Annotated[Financing, typer.Option(help="What became of the request.")],
    reason: Annotated[str, typer.Option(help="The code of a refusal, such as duplicate.")] = "",
    replies_to: ReplyOption = "",
    output: OutputOption = None,
) -> None:
    """The financier says what became of the request (InvoiceAssignmentStatus).

    Example: nemodat export tsin007 assignment.json --id ST-7 --date 2026-05-05 --outcome funded --replies-to TJ-417-1
    """
    with problems():
        letter = Letter(id=id_, sent=date.date(), replies_to=replies_to)
        _write(status(_read(assignment), letter, outcome=outcome, reason=reason), output)


@app.command()
def tsin008(assignment: AssignmentArgument, id_: IdOption, date: DateOption, output: OutputOption = None) -> None:
    """The financier notifies the debtor (InvoiceAssignmentNotification).

    Example: nemodat export tsin008 assignment.json --id ST-8 --date 2026-05-04 -o tsin008.xml
    """
    with problems():
        _write(notification(_read(assignment), Letter(id=id_, sent=date.date())), output)


@app.command()
def tsin013(
    assignment: AssignmentArgument,
    id_: IdOption,
    date: DateOption,
    replies_to: ReplyOption = "",
    objection: Annotated[Ground | None, typer.Option(help="The ground of an objection.")] = None,
    particulars: Annotated[str, typer.Option(help="What the objection is about.")] = "",
    output: OutputOption = None,
) -> None:
    """The debtor acknowledges the notification, or objects (InvoiceAssignmentAcknowledgement).

    Example: nemodat export tsin013 assignment.json --id IM-1 --date 2026-05-05 --replies-to ST-8
    """
    with problems():
        letter = Letter(id=id_, sent=date.date(), replies_to=replies_to)
        _write(acknowledgement(_read(assignment), letter, objection=objection, particulars=particulars), output)


@app.command("zhongdeng")
def export_zhongdeng(
    assignment: AssignmentArgument,
    gloss: Annotated[bool, typer.Option("--gloss", help="In English, for whoever checks the Chinese.")] = False,
    output: OutputOption = None,
) -> None:
    """The description for a registration of assigned receivables at Zhongdeng (中登网), in Chinese.

    What is still to be done is said on standard error.

    Example: nemodat export zhongdeng assignment.json
    """
    with problems():
        made = zhongdeng(_read(assignment))
        _file(made, made.gloss if gloss else made.text, output)


@app.command("ucc1")
def export_ucc1(assignment: AssignmentArgument, output: OutputOption = None) -> None:
    """The description of the collateral for a UCC-1 financing statement.

    What is still to be done is said on standard error.

    Example: nemodat export ucc1 assignment.json
    """
    with problems():
        made = ucc1(_read(assignment))
        _file(made, made.text, output)


def _read(path: Path) -> Assignment:
    return assignment_from_json(text_of(path, "an assignment"))


def _file(made: FilingText, text: str, output: Path | None) -> None:
    _write(f"{text}\n".encode(), output)
    errors.print(plain(made.note), soft_wrap=True, highlight=False)


def _write(data: bytes, output: Path | None) -> None:
    if output is None:
        typer.echo(data, nl=False)
    else:
        write_private(output, data)
