"""`nemodat events`"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from clients import events as heard
from clients.base import Client
from clients.cli.context import (
    GenesisOption,
    JsonOption,
    KeyOption,
    PartyOption,
    UrlOption,
    access,
    plain,
    problems,
    tabulate,
    text_of,
)
from clients.errors import ClientError

__all__ = ["events"]


def events(
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    since: Annotated[int, typer.Option(help="Begin with the events of this height.", min=0)] = 0,
    cursor: Annotated[
        Path | None, typer.Option(help="File that keeps how far you have read: begin there, and go on there next time.")
    ] = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait if there is nothing new yet.", min=0, max=30)] = 0,
    as_json: JsonOption = False,
) -> None:
    """What has happened that concerns this party, the oldest first.

    With a cursor file nothing is shown twice and nothing is missed, whichever node answers.

    Example: nemodat events --cursor events.cursor --wait 30 --json
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        begin = since if cursor is None else _kept(cursor, since)
        table = Table("height", "kind", "severity", "subject", "detail")
        more = True
        while more:
            page = client.call(heard.page, since=begin, wait_s=0.0 if table.rows else wait)
            for one in page.events:
                table.add_row(str(one.height), *map(plain, (one.kind, one.severity, one.subject.hex(), one.detail)))
            begin, more = page.following, page.more
        tabulate(table, as_json=as_json)
        if cursor is not None:
            cursor.write_text(f"{begin}\n", encoding="utf-8")


def _kept(cursor: Path, since: int) -> int:
    """The height in a cursor file; `since` if there is no file yet. Raises `ClientError`."""
    with contextlib.suppress(FileNotFoundError):
        kept = text_of(cursor, "a cursor").strip()
        if not (kept.isascii() and kept.isdigit()):
            raise ClientError(f"{cursor}: is not a cursor of events")
        return int(kept)
    return since
