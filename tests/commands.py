"""Command lines in this process, as people type them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import click
import typer
from click.testing import CliRunner, Result
from typer.main import get_command

__all__ = ["Result", "invoke"]


def invoke(app: typer.Typer, words: Iterable[object], **environment: str) -> Result:
    """Run `app` with these words; whatever comes out of it but an orderly end is `Result.exception`."""
    return CliRunner().invoke(_command(app), [str(word) for word in words], env=environment)


@cache
def _command(app: typer.Typer) -> click.Command:
    """Typer's own runner makes all the commands of an application anew for each line, which takes longer than most."""
    return get_command(app)
