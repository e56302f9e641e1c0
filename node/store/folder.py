"""A data folder belongs to one process at a time and to one engine for good."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from node.errors import StoreError, StoreLocked

__all__ = [
    "FolderLock",
    "holds_store",
    "read_engine",
    "require_no_reset",
    "resetting",
    "sync_folder",
    "write_engine",
]

LOCK_NAME = "lock"
ENGINE_NAME = "engine"
ENGINE_CHARS_MAX = 32


class FolderLock:
    """Holds a folder until `release` or the end of the process; the kernel lets go of it even after a `kill -9`."""

    def __init__(self, folder: Path) -> None:
        """Raises `StoreLocked` if another holder has it, `StoreError` if the folder cannot be used."""
        path = folder / LOCK_NAME
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"{path}: {error.strerror}: give this user the right to write there") from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._descriptor, ENGINE_CHARS_MAX, 0).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            who = f"process {holder}" if holder else "another process"
            raise StoreLocked(f"{folder} is in use by {who}: stop that node first, or use another data_dir") from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let go of the folder. Calling it twice does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def resetting(folder: Path) -> Path:
    """Where `nemodat node reset` makes the folder that will take the place of this one."""
    return folder.with_name(folder.name + ".resetting")


def holds_store(folder: Path) -> bool:
    """Whether a store was made in this folder: one that is there and empty may be anybody's."""
    return (folder / ENGINE_NAME).exists()


def require_no_reset(folder: Path) -> None:
    """Return unless a reset was cut off when it had moved this folder's store away: who then began with an empty one
    would forget which keys must not vote again. Raises `StoreError`."""
    if resetting(folder).exists() and not holds_store(folder):
        raise StoreError(f"{folder}: a reset was cut off: run `nemodat node reset` again")


def read_engine(folder: Path) -> str | None:
    """The engine that wrote this folder, None if it is new. Raises `StoreError`."""
    try:
        return (folder / ENGINE_NAME).read_text("ascii")[:ENGINE_CHARS_MAX].strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{folder / ENGINE_NAME}: cannot be read: {error}") from error


def write_engine(folder: Path, engine: str) -> None:
    """Say durably which engine writes this folder."""
    partial = folder / f"{ENGINE_NAME}.new"
    with partial.open("w", encoding="ascii") as file:
        file.write(engine + "\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(folder / ENGINE_NAME)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make names created or replaced in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
