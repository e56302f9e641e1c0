"""`nemodat transaction ...`: what a command left undecided."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clients import reads
from clients.base import Client
from clients.cli.context import (
    SETTINGS,
    GenesisOption,
    KeyOption,
    PartyOption,
    UrlOption,
    access,
    problems,
    show,
    text_of,
)
from clients.errors import ClientError, Rejected
from clients.submission import submission_from_json

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, epilog=SETTINGS)


@app.command()
def resume(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What the command kept.", exists=True, dir_okay=False)],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """Send again what a command could not see the end of, and say what became of it.

    However often: it takes effect once. If it can never take effect any more, the command may be typed again.

    Example: nemodat transaction resume nemodat-9f86...0a08.transaction
    """
    with problems(may_repeat=True), Client(**access(genesis, url, party, key)) as client:
        submission = submission_from_json(text_of(file, "a transaction"), client.genesis.id)
        try:
            final = client.resume(submission)
        except Rejected as error:
            if not client.call(reads.lapsed, submission):
                raise
            raise ClientError(f"{file}: its time is over, it never took effect: type the command again") from error
        outcomes = [{"code": str(receipt.code), "subject": receipt.subject.hex()} for receipt in final.receipts]
        show({"transaction": final.transaction_id.hex(), "height": final.height, "outcomes": outcomes})
