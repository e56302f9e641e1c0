"""The default engine: LevelDB through plyvel.

Opened with `paranoid_checks`, every block read is checked against its checksum, and nothing is ever repaired:
LevelDB's repair drops damaged log bytes silently, which for a node means forgetting votes (consensus.md 3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any, NoReturn

import plyvel

from node.errors import StoreDamaged, StoreError
from node.store.gate import ReaderGate
from node.store.protocol import Reader, check_batch, key_range

__all__ = ["LevelDbStore"]

# Tuned for blocks of small random writes, most of them tree pages, in CPU time of compaction per registration: snappy
# cost 90 us to save a third of the disk (most bytes are hashes), a buffer of 16 instead of 32 MiB 30 us.
WRITE_BUFFER_BYTES = 32 * 1024 * 1024  # twice that in memory while one is being written out
FILE_BYTES = 8 * 1024 * 1024
BLOCK_CACHE_BYTES = 32 * 1024 * 1024
BLOOM_BITS_PER_KEY = 10  # one false disk read in a hundred for keys that are not there
OPEN_FILES_MAX = 512


class _LevelDbReader:
    """A database or a snapshot of it: both have `get` and `iterator`."""

    def __init__(self, source: Any, path: Path) -> None:
        self._source = source
        self._path = path

    def get(self, key: bytes) -> bytes | None:
        try:
            value: bytes | None = self._source.get(key, verify_checksums=True)
        except plyvel.Error as error:
            _raise(self._path, error)
        except RuntimeError as error:
            raise StoreError("the store is closed") from error
        return value

    def scan(
        self, prefix: bytes, *, reverse: bool = False, start: bytes | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        first, end = key_range(prefix, reverse=reverse, start=start)
        lower = None if reverse else first  # backwards, plyvel passes over a lower bound that is the range's one key
        try:
            with self._source.iterator(start=lower, stop=end, reverse=reverse, verify_checksums=True) as items:
                yield from takewhile(lambda item: item[0] >= first, items) if reverse else items
        except plyvel.Error as error:
            _raise(self._path, error)
        except RuntimeError as error:
            raise StoreError("the store is closed") from error


class LevelDbStore:
    """See `Store`."""

    engine = "leveldb"

    def __init__(self, path: Path) -> None:
        """Open or create. Raises `StoreDamaged` or `StoreError`."""
        self._path = path
        self._gate = ReaderGate()
        self._failed = False
        try:
            self._db = plyvel.DB(
                str(path),
                create_if_missing=True,
                paranoid_checks=True,
                write_buffer_size=WRITE_BUFFER_BYTES,
                max_file_size=FILE_BYTES,
                compression=None,
                lru_cache_size=BLOCK_CACHE_BYTES,
                bloom_filter_bits=BLOOM_BITS_PER_KEY,
                max_open_files=OPEN_FILES_MAX,
            )
        except plyvel.Error as error:
            _raise(path, error)
        self._reader = _LevelDbReader(self._db, path)
        self.get = self._reader.get
        self.scan = self._reader.scan

    def write(self, puts: Mapping[bytes, bytes | None], *, sync: bool) -> None:
        check_batch(puts)
        if self._failed or self._gate.closed:
            raise StoreError(f"{self._path}: closed, or an earlier write failed: restart the node")
        batch = self._db.write_batch(sync=sync)  # as a context it would write again after an error
        put, delete = batch.put, batch.delete
        for key, value in puts.items():
            if value is None:
                delete(key)
            else:
                put(key, value)
        try:
            batch.write()
        except plyvel.Error as error:
            self._failed = True
            _raise(self._path, error)

    @contextmanager
    def snapshot(self) -> Iterator[Reader]:
        with self._gate.reading(), self._db.snapshot() as source:
            yield _LevelDbReader(source, self._path)

    def close(self) -> None:
        self._gate.close()
        with self._gate.alone():
            self._db.close()


def _raise(path: Path, error: Exception) -> NoReturn:
    reason = str(error)
    if isinstance(error, plyvel.CorruptionError) or "orruption" in reason or "missing files" in reason:
        raise StoreDamaged(
            f"{path}: LevelDB reports damage ({reason}). It is not repaired, because a repair can drop votes this node"
            " has cast. Check the disk; then start with an empty data_dir (the chain is fetched again) and, for an"
            " authority, a new consensus key."
        ) from error
    raise StoreError(f"{path}: LevelDB: {reason}: check free space, permissions and the disk") from error
