"""A store in memory: for tests, and for executing a chain again without touching its disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock

from node.errors import StoreError
from node.store.protocol import Reader, check_batch, key_range

__all__ = ["MemoryStore"]


class _MemoryReader:
    """A map that is never changed while anyone else may read it."""

    def __init__(self, items: dict[bytes, bytes]) -> None:
        self.items = items

    def get(self, key: bytes) -> bytes | None:
        return self.items.get(key)

    def scan(
        self, prefix: bytes, *, reverse: bool = False, start: bytes | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        first, end = key_range(prefix, reverse=reverse, start=start)
        found = [item for item in list(self.items.items()) if first <= item[0] and (end is None or item[0] < end)]
        yield from sorted(found, reverse=reverse)


class MemoryStore:
    """See `Store`. Nothing is durable; a write copies the map if a snapshot of it was taken."""

    engine = "memory"

    def __init__(self) -> None:
        self._current = _MemoryReader({})
        self._shared = False
        self._closed = False
        self._lock = Lock()

    def get(self, key: bytes) -> bytes | None:
        return self._open().items.get(key)

    def scan(
        self, prefix: bytes, *, reverse: bool = False, start: bytes | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        return self._open().scan(prefix, reverse=reverse, start=start)

    def write(self, puts: Mapping[bytes, bytes | None], *, sync: bool) -> None:
        del sync  # nothing to sync
        check_batch(puts)
        with self._lock:
            items = self._open().items
            if self._shared:
                items = dict(items)
                self._current = _MemoryReader(items)
                self._shared = False
            for key, value in puts.items():
                if value is None:
                    items.pop(key, None)
                else:
                    items[key] = value

    @contextmanager
    def snapshot(self) -> Iterator[Reader]:
        with self._lock:
            reader = self._open()
            self._shared = True
        yield reader

    def close(self) -> None:
        self._closed = True

    def _open(self) -> _MemoryReader:
        if self._closed:
            raise StoreError("the store is closed")
        return self._current
