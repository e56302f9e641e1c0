"""The second engine, where plyvel does not install: LMDB, a memory-mapped B+ tree with copy on write.

Its map has a size that must be chosen; this one begins with room for years on a 64-bit machine (address space, not
disk) and doubles when it is full, once no reader has it open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import lmdb

from node.errors import StoreDamaged, StoreError
from node.store.gate import ReaderGate
from node.store.protocol import Reader, check_batch, key_range

__all__ = ["LmdbStore"]

MAP_BYTES = 16 * 1024 * 1024 * 1024
MAP_BYTES_MAX = 1 << 44  # bytes; the address space of a process ends somewhere above
READERS_MAX = 1024
_DAMAGE = (lmdb.CorruptedError, lmdb.PageNotFoundError, lmdb.PanicError, lmdb.InvalidError, lmdb.VersionMismatchError)


class _LmdbReader:
    """One read transaction, which is a snapshot."""

    def __init__(self, transaction: Any, path: Path) -> None:
        self._transaction = transaction
        self._path = path

    def get(self, key: bytes) -> bytes | None:
        try:
            value: bytes | None = self._transaction.get(key)
        except lmdb.Error as error:
            _raise(self._path, error)
        return value

    def scan(
        self, prefix: bytes, *, reverse: bool = False, start: bytes | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        first, end = key_range(prefix, reverse=reverse, start=start)
        try:
            with self._transaction.cursor() as cursor:
                yield from _descend(cursor, first, end) if reverse else _ascend(cursor, first, end)
        except lmdb.Error as error:
            _raise(self._path, error)


class LmdbStore:
    """See `Store`. Every write is synced: LMDB without it can lose the whole file in a power cut, not just a batch."""

    engine = "lmdb"

    def __init__(self, path: Path, *, map_bytes: int = MAP_BYTES) -> None:
        """Open or create. Raises `StoreDamaged` or `StoreError`."""
        self._path = path
        self._gate = ReaderGate()
        try:
            self._env = lmdb.open(str(path), map_size=map_bytes, max_readers=READERS_MAX, subdir=True)
        except lmdb.Error as error:
            _raise(path, error)

    def get(self, key: bytes) -> bytes | None:
        with self.snapshot() as reader:
            return reader.get(key)

    def scan(
        self, prefix: bytes, *, reverse: bool = False, start: bytes | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        with self.snapshot() as reader:
            yield from reader.scan(prefix, reverse=reverse, start=start)

    def write(self, puts: Mapping[bytes, bytes | None], *, sync: bool) -> None:
        del sync  # always
        check_batch(puts)
        if self._gate.closed:
            raise StoreError("the store is closed")
        while True:
            try:
                with self._env.begin(write=True) as transaction:
                    for key, value in puts.items():
                        if value is None:
                            transaction.delete(key)
                        else:
                            transaction.put(key, value)
                return
            except lmdb.MapFullError:
                self._grow()
            except lmdb.Error as error:
                _raise(self._path, error)

    @contextmanager
    def snapshot(self) -> Iterator[Reader]:
        with self._gate.reading():
            try:
                transaction = self._env.begin()
            except lmdb.Error as error:
                _raise(self._path, error)
            try:
                yield _LmdbReader(transaction, self._path)
            finally:
                transaction.abort()

    def close(self) -> None:
        self._gate.close()
        with self._gate.alone():
            self._env.close()

    def _grow(self) -> None:
        wanted = 2 * self._env.info()["map_size"]
        if wanted > MAP_BYTES_MAX:
            raise StoreError(f"{self._path}: larger than LMDB is allowed to grow ({MAP_BYTES_MAX} bytes)")
        with self._gate.alone():  # LMDB may not be remapped under a reader
            self._env.set_mapsize(wanted)


def _ascend(cursor: Any, first: bytes, end: bytes | None) -> Iterator[tuple[bytes, bytes]]:
    if not (cursor.set_range(first) if first else cursor.first()):
        return
    for key, value in cursor.iternext():
        if end is not None and key >= end:
            return
        yield key, value


def _descend(cursor: Any, first: bytes, end: bytes | None) -> Iterator[tuple[bytes, bytes]]:
    positioned = cursor.prev() if end is not None and cursor.set_range(end) else cursor.last()
    if not positioned:
        return
    for key, value in cursor.iterprev():
        if key < first:
            return
        yield key, value


def _raise(path: Path, error: Exception) -> NoReturn:
    if isinstance(error, _DAMAGE):
        raise StoreDamaged(
            f"{path}: LMDB reports damage ({error}). It is not repaired. Check the disk; then start with an empty"
            " data_dir (the chain is fetched again) and, for an authority, a new consensus key."
        ) from error
    raise StoreError(f"{path}: LMDB: {error}: check free space, permissions and the disk") from error
