"""What every command needs: the genesis file, the nodes, who acts and with which key; and errors for people.

Exit codes: 0 done; 1 not done, one line on standard error says why; 2 wrong usage (Typer's); 3 done, and something
needs a person's eye: an invoice that was not registered, a match that a search found.
"""

from __future__ import annotations

import json
import os
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from clients.base import Client
from clients.books import SHARES, share_of
from clients.checkpoints import read_checkpoints
from clients.errors import ClientError
from clients.files import sync_folder
from clients.keys import load_signing_key
from clients.submission import Submission, submission_to_json
from consensus.checkpoints import KeptCheckpoint
from registry.documents import ColumnMap, column_map_of
from registry.errors import FieldError, RegistryError
from registry.genesis import Genesis
from registry.keys import Signer
from registry.money import WHOLE, percent

__all__ = [
    "CHECKPOINTS_VARIABLE",
    "EXIT_LOOK",
    "SETTINGS",
    "ColumnsOption",
    "GenesisOption",
    "JsonOption",
    "KeyOption",
    "OptionalGenesis",
    "OptionalKey",
    "OptionalUrl",
    "PartyOption",
    "UrlOption",
    "access",
    "bytes_of",
    "column_map_in",
    "console",
    "errors",
    "fail",
    "kept_checkpoints",
    "load_genesis",
    "owner_signer",
    "percent",
    "plain",
    "problems",
    "progress_bar",
    "share",
    "show",
    "signing_key_of",
    "subject",
    "tabulate",
    "text_of",
    "unguarded_access",
    "wanted",
    "write_private",
]

EXIT_FAILED = 1
EXIT_LOOK = 3
WIDTH_UNREAD = 250  # characters of a line that no terminal shows: ids stay whole
TEXT_BYTES_MAX = 4 * 1024 * 1024
SETTINGS = (
    "Settings that every command needs can stand in the environment: NEMODAT_GENESIS, NEMODAT_URL, NEMODAT_PARTY, \
NEMODAT_KEY, NEMODAT_PASSPHRASE; NEMODAT_CHECKPOINTS, if set, is the file of `nemodat certificate checkpoints`: what \
nodes say is then held against it. What shows one thing prints JSON, what lists several a table, or JSON with --json. \
Exit codes: 0 done; 1 not done, standard error says why; 2 wrong usage; 3 done, and something needs a person's eye."
)
CHECKPOINTS_VARIABLE = "NEMODAT_CHECKPOINTS"
GENESIS_BYTES_MAX = 32 * 1024 * 1024
_DECIMALS = len(str(WHOLE // 100)) - 1  # of a percentage that is a whole number of parts
PASSPHRASE_VARIABLE = "NEMODAT_PASSPHRASE"  # noqa: S105 (the name of a variable, not a secret)
OWNER_PASSPHRASE_VARIABLE = "NEMODAT_OWNER_PASSPHRASE"  # noqa: S105 (the same)

_GENESIS = "The network's genesis file."
_URL = "A node's URL; repeat it, your own first, for failover."
_KEY = "The party's signing key file."
GenesisOption = Annotated[Path, typer.Option("--genesis", envvar="NEMODAT_GENESIS", help=_GENESIS)]
UrlOption = Annotated[list[str], typer.Option("--url", envvar="NEMODAT_URL", help=_URL)]
PartyOption = Annotated[str, typer.Option("--party", envvar="NEMODAT_PARTY", help="Who acts, as lei:... or uscc:...")]
ColumnsOption = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="Column map of tables (TOML): \\[columns] field = header, \\[constants], date_order (ymd, dmy, mdy), "
        "decimal_mark, encoding, delimiter, sheet.",
    ),
]
# What a command that also runs without a node takes in their place; `wanted` is for its other runs.
OptionalGenesis = Annotated[Path | None, typer.Option("--genesis", envvar="NEMODAT_GENESIS", help=_GENESIS)]
OptionalUrl = Annotated[list[str] | None, typer.Option("--url", envvar="NEMODAT_URL", help=_URL)]
OptionalKey = Annotated[Path | None, typer.Option("--key", envvar="NEMODAT_KEY", help=_KEY)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
KeyOption = Annotated[Path, typer.Option("--key", envvar="NEMODAT_KEY", help=_KEY)]

# Much of what is shown comes from others' files: brackets in it are text, not markup.
console = Console(markup=False, emoji=False)
errors = Console(stderr=True, markup=False, emoji=False)


def plain(text: str) -> str:
    """Text of others as it may go to a terminal: nothing in it that moves the cursor or cannot be written."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def fail(message: str) -> NoReturn:
    """Say what is wrong and end with exit code 1."""
    errors.print(Text.assemble(("error:", "bold red"), " ", plain(message)), highlight=False, soft_wrap=True)
    raise typer.Exit(EXIT_FAILED)


class Undecided:
    """The transactions of one command whose outcome is not known: each in a file of the current folder meanwhile."""

    def __init__(self) -> None:
        self._files: dict[bytes, Path] = {}

    def sending(self, submission: Submission) -> None:
        """On the disk, before it is sent. Raises `OSError`: then it is not sent."""
        path = Path(f"nemodat-{submission.transaction_id.hex()}.transaction")
        write_private(path, submission_to_json(submission).encode() + b"\n")
        self._files[submission.transaction_id] = path

    def settled(self, submission: Submission) -> None:
        """There is nothing to resume any more."""
        if (path := self._files.pop(submission.transaction_id, None)) is not None:
            path.unlink(missing_ok=True)

    def said(self, what: str) -> str:
        """What to say of an end that leaves them undecided."""
        if not self._files:
            return what
        commands = " and ".join(f"`nemodat transaction resume {path}`" for path in self._files.values())
        return f"{what}; it may yet take effect: type {commands}, not this command again"


_undecided: ContextVar[Undecided | None] = ContextVar("undecided", default=None)


@contextmanager
def problems(*, may_repeat: bool = False) -> Iterator[None]:
    """Turns the SDK's errors into one line and exit code 1.

    A transaction that may yet take effect is kept in a file of the current folder from before it is sent until its
    outcome is known, to be resumed: the same command typed again would make a second one. Commands that go on where
    they were say so with `may_repeat`.
    """
    undecided = Undecided()
    token = _undecided.set(None if may_repeat else undecided)
    try:
        yield
    except ClientError as error:
        fail(undecided.said(str(error)))
    except RegistryError as error:
        fail(str(error))
    except OSError as error:
        fail(undecided.said(f"{error.filename or ''}: {error.strerror}".lstrip(": ")))
    except KeyboardInterrupt:
        fail(undecided.said("interrupted"))
    finally:
        _undecided.reset(token)


def write_private(path: Path, data: bytes) -> None:
    """A file that its owner alone can read, on the disk when this returns. Raises `OSError`."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        os.fchmod(file.fileno(), 0o600)  # it may have been there before
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def progress_bar() -> Progress:
    """A bar with the time that is left, on standard error, so that results can be piped."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=errors)


def load_genesis(path: Path) -> Genesis:
    """The genesis in a file; ends the command if it is none. Raises `OSError`."""
    with path.open("rb") as file:
        data = file.read(GENESIS_BYTES_MAX + 1)
    if len(data) > GENESIS_BYTES_MAX:
        fail(f"{path}: larger than {GENESIS_BYTES_MAX} bytes: not a genesis file")
    try:
        return Genesis.from_toml(data.decode())
    except UnicodeDecodeError:
        fail(f"{path}: not text: not a genesis file")
    except FieldError as error:
        fail(f"{path}: {error}")


def access(genesis: Path, url: list[str], party: str, key: Path) -> dict[str, Any]:
    """The arguments of a role client, guarded by the checkpoints that the environment names. Raises `ClientError`.

    What it sends is kept as `problems` says, which is around it.
    """
    made = unguarded_access(genesis, url, party, key) | {"keeper": _undecided.get()}
    file = os.environ.get(CHECKPOINTS_VARIABLE)
    return made | {"checkpoints": kept_checkpoints(Path(file), made["genesis"])} if file else made


def wanted(genesis: Path | None, url: list[str] | None, key: Path | None) -> tuple[Path, list[str], Path]:
    """The settings of whatever asks a node. Raises `typer.BadParameter` naming the first that is missing."""
    needed = "is needed, but for a dry run"
    if genesis is None:
        raise typer.BadParameter(needed, param_hint="--genesis")
    if not url:
        raise typer.BadParameter(needed, param_hint="--url")
    if key is None:
        raise typer.BadParameter(needed, param_hint="--key")
    return genesis, url, key


def unguarded_access(genesis: Path, url: list[str], party: str, key: Path) -> dict[str, Any]:
    """The same without checkpoints, for the command that fetches them."""
    return {"genesis": load_genesis(genesis), "urls": url, "party": party, "signer": _signer(key)}


def kept_checkpoints(file: Path, network: Genesis) -> tuple[KeptCheckpoint, ...]:
    """The checkpoints in a file, at least one: none would guard nobody. Raises `ClientError`, `OSError`."""
    kept = read_checkpoints(text_of(file, "checkpoints"), network)
    if not kept:
        raise ClientError(f"{file}: no checkpoint is in it, so nothing is guarded by it")
    return kept


def bytes_of(path: Path, most: int, what: str = "") -> bytes:
    """The bytes in a file, no more of it read than is taken. Raises `ClientError`, `OSError`."""
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ClientError(f"{path}: larger than {most} bytes" + (f": not {what}" if what else ""))
    return data


def text_of(path: Path, what: str) -> str:
    """The text in a file. Raises `ClientError`, `OSError`."""
    data = bytes_of(path, TEXT_BYTES_MAX, what)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ClientError(f"{path}: not text: not {what}") from error


def tabulate(table: Table, *, as_json: bool) -> None:
    """Print a table; where no terminal is, in lines wide enough for whole ids.

    As JSON it is a list of objects, one for each row: the same cells, by their column's header.
    """
    if as_json:
        console.print_json(json.dumps(rows_of(table), ensure_ascii=False))
        return
    if not console.is_terminal:
        console.width = max(console.width, WIDTH_UNREAD)
    console.print(table)


def rows_of(table: Table) -> list[dict[str, Any]]:
    """The rows of a table: the same cells, by their column's header."""
    names = [str(column.header).replace(" ", "_") for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*(column.cells for column in table.columns), strict=True)]


def column_map_in(path: Path | None) -> ColumnMap | None:
    """The column map in a TOML file; None for none. Raises `ClientError`, `FieldError`, `OSError`."""
    if path is None:
        return None
    try:
        return column_map_of(tomllib.loads(text_of(path, "a column map")))
    except (ValueError, RecursionError) as error:
        raise ClientError(f"{path}: not TOML: {error}") from error


def share(given: str | int) -> int:
    """A share: parts of WHOLE, or percent as "80%" or "12.5%". Raises `typer.BadParameter`."""
    parts = share_of(str(given))  # Typer passes an option's default too
    if parts is None:
        raise typer.BadParameter(SHARES)
    return parts


def subject(text: str, name: str) -> bytes:
    """An id of 32 bytes given as 64 hexadecimal digits."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != 32:
        fail(f"{name}: 64 hexadecimal digits are expected")
    return found


def signing_key_of(client: Client, party: str) -> bytes:
    """A signing key of a party, proved to be on the ledger. Raises `ClientError`."""
    record = client.party(party)
    if record is None:
        raise ClientError(f"{party}: no such party")
    return record.sign_keys[0]


def show(value: dict[str, Any]) -> None:
    """One result as JSON, for people and programs."""
    console.print_json(json.dumps(value, ensure_ascii=False))


def owner_signer(key: Path) -> Signer:
    """The owner key in a file, which has a passphrase of its own. Raises `ClientError`."""
    return load_signing_key(key, _passphrase(key, OWNER_PASSPHRASE_VARIABLE), use="owner")


def _signer(key: Path) -> Signer:
    return load_signing_key(key, _passphrase(key, PASSPHRASE_VARIABLE))


def _passphrase(key: Path, variable: str) -> bytes:
    given = os.environ.get(variable)
    if given is not None:
        return os.fsencode(given)
    if not sys.stdin.isatty():
        fail(f"{key}: no passphrase: set the variable {variable}")
    asked: str = typer.prompt(f"Passphrase of {key}", hide_input=True, err=True)
    return asked.encode()
