"""Notices a store that has lost votes: a count of the writes of votes, in the store and in a file beside it.

LevelDB takes a log whose tail is missing for one that a crash cut short, and goes on without it. For a node that means
votes forgotten, which it could cast again. So each write of the engine's record carries its number, and once it is on
the disk the number is written to the file too: a store that knows fewer writes than its file has lost some.

The file is synced when it is opened, before there can be a vote, and then no more. After a power cut it may know fewer
writes than the store, which proves nothing and does no harm: what it is there for is damage to the store's own files.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

from node.errors import StoreDamaged, StoreError
from node.layout import VOTED
from node.store import Store
from node.store.folder import sync_folder

__all__ = ["GUARD_NAME", "VoteGuard"]

GUARD_NAME = "voted"  # in the data folder
_NUMBER_BYTES = 8
_SLOT_BYTES = 16  # a number, and the beginning of its SHA-256
_KEY = VOTED + b"writes"


class VoteGuard:
    """See the module. Used by the one thread that writes the record; `file` None (a store in memory) guards nothing."""

    def __init__(self, store: Store, file: Path | None) -> None:
        """Raises `StoreDamaged` if the store has lost votes, or the file is missing beside a store with votes."""
        self._count = int.from_bytes(store.get(_KEY) or b"", "big")
        self._descriptor = -1
        if file is None:
            return
        noted = _noted(file)
        if noted is None and self._count:
            raise StoreDamaged(f"{file}: is missing, though this node has voted: was the folder copied in parts? {_DO}")
        if noted is not None and noted > self._count:
            lost = noted - self._count
            raise StoreDamaged(f"{file.parent}: the store has lost this node's last votes ({lost} writes). {_DO}")
        try:
            self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._write(self._count)
            os.fsync(self._descriptor)
            sync_folder(file.parent)
        except OSError as error:
            raise StoreError(f"{file}: {error.strerror}: check free space and permissions") from error

    def put(self) -> tuple[bytes, bytes]:
        """What goes into the same batch as the votes."""
        return _KEY, (self._count + 1).to_bytes(_NUMBER_BYTES, "big")

    def written(self) -> None:
        """That batch is on the disk. Raises `StoreError`."""
        self._count += 1
        if self._descriptor >= 0:
            try:
                self._write(self._count)
            except OSError as error:
                raise StoreError(f"{GUARD_NAME}: {error.strerror}: check free space and the disk") from error

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, count: int) -> None:
        """In two slots by turns, so that one is whole whenever the other is being written."""
        number = count.to_bytes(_NUMBER_BYTES, "big")
        os.pwrite(self._descriptor, number + sha256(number).digest()[:_NUMBER_BYTES], count % 2 * _SLOT_BYTES)


_DO = (
    "Check the disk; then `nemodat node reset` moves the damaged data away, the ledger is fetched again from the"
    " others, and an authority needs a new consensus key (`nemodat node renew`)."
)


def _noted(file: Path) -> int | None:
    """The highest number in the file; None if there is no file, or nothing readable in it."""
    try:
        data = file.read_bytes()[: 2 * _SLOT_BYTES]
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{file}: cannot be read: {error.strerror}") from error
    found: list[int] = []
    for start in range(0, len(data), _SLOT_BYTES):
        number, check = data[start : start + _NUMBER_BYTES], data[start + _NUMBER_BYTES : start + _SLOT_BYTES]
        if check and sha256(number).digest()[:_NUMBER_BYTES] == check:
            found.append(int.from_bytes(number, "big"))
    return max(found, default=None)
