"""The real command line, and what it may come to."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from typer import Typer

from clients.cli import context
from tests.cast import EXP_CN, IMP_DE
from tests.commands import invoke

ENDS_WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command came to."""

    code: int
    out: str
    err: str


def nemodat(*arguments: object) -> Ended:
    """The command as a shell runs it."""
    command = [sys.executable, "-m", "node.cli", *map(str, arguments)]
    environment = {**os.environ, "COLUMNS": "400", "NEMODAT_PASSPHRASE": "a passphrase", "NO_COLOR": "1"}
    done = subprocess.run(
        command, capture_output=True, timeout=ENDS_WITHIN_S, env=environment, stdin=subprocess.DEVNULL, check=False
    )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


def inside(app: Typer, *arguments: object) -> Ended:
    """The same without a process of its own; an exception would come out."""
    context.console._width = None  # so that COLUMNS counts: a command before it in this process may have set one
    done = invoke(app, arguments, COLUMNS="400", NEMODAT_PASSPHRASE="a passphrase")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Ended(done.exit_code, done.stdout, done.stderr)


def one_message(ended: Ended) -> str:
    """The one line that a failed command says."""
    assert ended.code == 1, ended
    assert ended.out == "", ended
    line, *more = ended.err.splitlines()
    assert more == [], ended
    assert line.startswith("error: "), ended
    assert line.isprintable(), ended
    assert "Traceback" not in line, ended
    return line.removeprefix("error: ")


def register(*files: Path, genesis: Path | str = "genesis.toml", key: Path | str = "key.json") -> list[object]:
    """The command that registers what is in these files."""
    access = ["--genesis", genesis, "--url", "http://127.0.0.1:1", "--party", EXP_CN, "--key", key]
    return ["receivable", "register", *files, "--debtor", IMP_DE, *access]


def looked_at(*files: Path) -> list[object]:
    """The command that shows what would be registered of these files, without a node."""
    return ["receivable", "register", *files, "--debtor", IMP_DE, "--party", EXP_CN, "--dry-run"]
