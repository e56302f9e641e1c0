"""What the operator's commands do: ask a running node how it is, copy its ledger, make a data folder anew."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, BinaryIO

import httpx
from rich.table import Table

from node.backup import Head, backup_frames, burn, read_head, restore
from node.chain import Chain
from node.clock import clock_ms
from node.config import NodeConfig, read_secret_file
from node.errors import BackupError, NodeError, StoreError, StoreLocked
from node.genesis import read_genesis
from node.keystore import read_public
from node.store import open_store
from node.store.folder import FolderLock, holds_store, resetting, sync_folder

__all__ = ["back_up", "node_status", "reset_node", "restore_node", "status_table"]

ASK_TIMEOUT_S = 10.0
STALLED_S = 60.0  # a running node that sends nothing of a backup for so long
READ_BYTES = 1024 * 1024

Progress = Callable[[int], None]


def node_status(config: NodeConfig) -> dict[str, Any]:
    """What the running node of this configuration says of itself. Raises `NodeError` if it cannot be asked."""
    with _client(config) as client, _reached(config):
        answer = client.get("/v1/status")
        _check(answer)
        status: dict[str, Any] = answer.json()
    return status


def status_table(status: dict[str, Any]) -> Table:
    """The members of the network as this node sees them."""
    table = Table("member", "role", "connected", "height", "round trip", "votes in time", "failed views", "last error")
    for peer in status["peers"]:
        trip, votes = peer["round_trip_ms"], peer["votes_in_time"]
        table.add_row(
            peer["name"],
            peer["role"],
            "yes" if peer["connected"] else "NO",
            "" if peer["height"] is None else str(peer["height"]),
            "" if trip is None else f"{trip:.1f} ms",
            "" if votes is None else f"{votes:.0%}",
            str(peer["failed_views"]),
            peer["last_error"],
        )
    return table


def back_up(config: NodeConfig, file: Path, progress: Progress) -> Head:
    """Write a backup of the node's ledger to the new file `file`, while the node runs or while it is stopped.

    `progress` hears how many bytes are written. The file appears whole or not at all, and is on the disk when this
    returns. Raises `BackupError`, or another `NodeError` if a running node cannot be asked.
    """
    if file.exists():
        raise BackupError(f"{file}: exists already: move it away first")
    part = file.with_name(file.name + ".part")
    try:
        with open(os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as out:
            done = 0
            for data in _backup_of(config):
                out.write(data)
                done += len(data)
                progress(done)
            out.flush()
            os.fsync(out.fileno())
            out.seek(0)
            head = read_head(out)
        part.rename(file)
        sync_folder(file.parent)
    except OSError as error:
        raise BackupError(f"{file}: {error.strerror}: choose another place") from error
    finally:
        part.unlink(missing_ok=True)
    return head


def restore_node(config: NodeConfig, file: Path, progress: Progress) -> Head:
    """Make the node's data folder of a backup. The folder must not exist, or be empty; it appears whole or not at all.

    The consensus keys that the configuration names never vote again from there. Raises `BackupError`, `StoreDamaged`.
    """
    folder = config.data_dir
    if folder.exists() and any(folder.iterdir()):
        raise BackupError(f"{folder}: is not empty: move it away first")
    voted_with = _voted_with(config)
    genesis = read_genesis(config.genesis)
    fresh = folder.with_name(folder.name + ".restoring")
    try:
        shutil.rmtree(fresh, ignore_errors=True)  # of an earlier attempt that was cut off
        with _opened(file) as source:
            store = open_store(fresh, config.engine)
            try:
                head = restore(source, store, genesis, voted_with=voted_with, progress=progress)
            finally:
                store.close()
        with contextlib.suppress(FileNotFoundError):
            folder.rmdir()
        fresh.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise BackupError(f"{folder}: {error.strerror}: check space and permissions") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return head


def reset_node(config: NodeConfig) -> Path | None:
    """Begin again with an empty ledger; what was in the data folder is moved beside it. Where to, or None.

    For a folder that is damaged or lost. The consensus keys that the configuration names never vote again: what they
    signed may be in nobody's record any more. Cut off at any moment, it has not happened, or the folder can only be
    reset again. Raises `StoreLocked` while the node runs, `KeyFileError`, `StoreError`.
    """
    folder = config.data_dir
    genesis, voted_with = read_genesis(config.genesis), _voted_with(config)
    lock = FolderLock(folder) if folder.exists() else None
    fresh = resetting(folder)
    try:
        _emptied(fresh)  # it stays: without it the next attempt that is cut off would leave no trace
        store = open_store(fresh, config.engine)
        try:
            Chain.open(store, genesis)
            burn(store, voted_with)
        finally:
            store.close()
        aside = None if lock is None else _set_aside(folder)
        fresh.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror}: check space and permissions") from error
    finally:
        if holds_store(folder):  # else what is made so far says that this was not finished (`require_no_reset`)
            shutil.rmtree(fresh, ignore_errors=True)
        if lock is not None:
            lock.release()
    return aside


def _emptied(folder: Path) -> None:
    """Make a folder, or forget what an earlier attempt left in it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for each in folder.iterdir():
        if each.is_dir():
            shutil.rmtree(each)
        else:
            each.unlink()


def _set_aside(folder: Path) -> Path:
    """Move a data folder to the first free name beside it."""
    for number in count(1):
        aside = folder.with_name(f"{folder.name}.damaged-{number}")
        if not aside.exists():
            break
    folder.rename(aside)
    return aside


def _voted_with(config: NodeConfig) -> list[bytes]:
    """The consensus keys that a configuration names."""
    files = [file for file in (config.keys.consensus, config.keys.next_consensus) if file is not None]
    return [read_public(file, kind="consensus") for file in files]


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    try:
        with file.open("rb") as source:
            yield source
    except FileNotFoundError:
        raise BackupError(f"{file}: no such file: check the path") from None


def _backup_of(config: NodeConfig) -> Iterator[bytes]:
    """From the data folder if nobody has it open, else from the running node."""
    try:
        store = open_store(config.data_dir, config.engine)
    except StoreLocked:
        yield from _backup_of_running(config)
        return
    try:
        with store.snapshot() as reader:
            yield from backup_frames(reader, made_ms=clock_ms())
    finally:
        store.close()


def _backup_of_running(config: NodeConfig) -> Iterator[bytes]:
    with _client(config) as client, _reached(config), client.stream("GET", "/v1/backup", timeout=STALLED_S) as answer:
        if not answer.is_success:
            answer.read()
        _check(answer)
        yield from answer.iter_bytes(READ_BYTES)


def _client(config: NodeConfig) -> httpx.Client:
    """A client of the node's API with the operator's token."""
    file = config.api.operator_token_file
    if file is None:
        raise NodeError(
            f"{config.file}: api.operator_token_file is not set, so the running node cannot be asked: make a file with"
            " `openssl rand -hex 32`, mode 0600, name it there, and restart the node"
        )
    token = read_secret_file(config.file, "api.operator_token_file", file).decode(errors="replace")
    host, _, port = config.api.listen.rpartition(":")
    reach = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104 - where everybody listens, we ask home
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=f"http://{reach}:{port}", headers=headers, timeout=ASK_TIMEOUT_S, trust_env=False)


@contextmanager
def _reached(config: NodeConfig) -> Iterator[None]:
    try:
        yield
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise NodeError(f"the node does not answer at {config.api.listen} ({reason}): is it running?") from error


def _check(answer: httpx.Response) -> None:
    if not answer.is_success:
        raise NodeError(f"the node answers {answer.status_code}: {answer.text[:500]}")
