"""What all commands of operators share: their arguments, how they print, how they end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from node.errors import Inconsistent, NodeError

__all__ = ["EXIT_CODES", "FILE", "AsJson", "ConfigPath", "bytes_bar", "print_json", "told"]

EXIT_FAILED = 1  # could not start, or could not do what was asked: the message says why
EXIT_INCONSISTENT = 70  # what is on disk contradicts itself
EXIT_CODES = """Exit codes: 0 done; 1 not done, one line on standard error says why; 2 wrong usage; 3 done, and \
something needs a person's eye; 69 the network uses a newer protocol: install newer software; 70 the node contradicted \
itself: look at its log before you start it again."""

FILE = {"exists": True, "dir_okay": False}
ConfigPath = Annotated[Path, typer.Argument(metavar="CONFIG", help="The node's node.toml.", **FILE)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")]


@contextmanager
def told() -> Iterator[None]:
    """Errors that a person can do something about, as one line and an exit code."""
    try:
        yield
    except Inconsistent as error:
        typer.echo(f"inconsistent: {_plain(error)}", err=True)
        raise typer.Exit(EXIT_INCONSISTENT) from error
    except (NodeError, OSError) as error:
        typer.echo(f"error: {_plain(error)}", err=True)
        raise typer.Exit(EXIT_FAILED) from error


def _plain(error: Exception) -> str:
    """What an error says, which may quote a file of others: on one line, and nothing in it that steers a terminal."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(error))


@contextmanager
def bytes_bar(text: str) -> Iterator[Callable[[int], None]]:
    """Shows how many bytes are done."""
    columns = (TextColumn(text), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(text, total=None)
        yield lambda done: bar.update(task, completed=done)


def print_json(**values: object) -> None:
    typer.echo(json.dumps(values, indent=2, ensure_ascii=False))
