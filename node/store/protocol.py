"""What every engine does, and the limits that hold for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from node.errors import StoreError

__all__ = ["KEY_SIZE_MAX", "VALUE_SIZE_MAX", "Reader", "Store", "check_batch", "key_range"]

KEY_SIZE_MAX = 511  # bytes: LMDB's own limit, held by all engines so that data can move between them
VALUE_SIZE_MAX = 256 * 1024 * 1024  # bytes; above the receipts of the fullest block that genesis can allow


class Reader(Protocol):
    """Reading, from the store as it is now or from a snapshot of it. Both methods raise `StoreDamaged`."""

    def get(self, key: bytes) -> bytes | None:
        """The value under `key`, or None."""

    def scan(
        self, prefix: bytes, *, reverse: bool = False, start: bytes | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Keys that begin with `prefix`, with their values, ascending (or descending).

        `start` is a whole key to begin at: the first one not below it (descending: not above it). What is written
        after the first item was taken is not seen.
        """


class Store(Reader, Protocol):
    """An ordered map on a disk (or in memory). Any thread may read and write; writes queue up."""

    @property
    def engine(self) -> str:
        """ "leveldb", "lmdb" or "memory"."""

    def write(self, puts: Mapping[bytes, bytes | None], *, sync: bool) -> None:
        """Write all of `puts` or nothing; None deletes. With `sync` it is on the disk when this returns.

        Raises `StoreError` (disk full, closed, key or value out of bounds). After a failed write nothing more can be
        written until the store is opened again.
        """

    def snapshot(self) -> AbstractContextManager[Reader]:
        """The store as it is now, unmoved by later writes, until the context is left."""

    def close(self) -> None:
        """Wait for open snapshots (a few seconds), then let go of the folder. A closed store only raises."""


def check_batch(puts: Mapping[bytes, bytes | None]) -> None:
    """Raise `StoreError` unless every key and value is within the limits."""
    sizes = set(map(len, puts))
    if sizes and not (min(sizes) > 0 and max(sizes) <= KEY_SIZE_MAX):
        raise StoreError(f"a key has 1 to {KEY_SIZE_MAX} bytes")
    longest = max(map(len, filter(None, puts.values())), default=0)
    if longest > VALUE_SIZE_MAX:
        raise StoreError(f"a value has at most {VALUE_SIZE_MAX} bytes, not {longest}")


def key_range(prefix: bytes, *, reverse: bool, start: bytes | None) -> tuple[bytes, bytes | None]:
    """`(first, end)` of a scan: keys `first <= key < end` (None: no end)."""
    first, end = prefix, _after(prefix)
    if start is not None and reverse:
        beyond = start + b"\x00"  # the very next key there can be
        end = beyond if end is None else min(end, beyond)
    elif start is not None:
        first = max(first, start)
    return first, end


def _after(prefix: bytes) -> bytes | None:
    """The first key above all that begin with `prefix`."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes((kept[-1] + 1,)) if kept else None
