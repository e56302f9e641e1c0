"""Who is reading right now, so that nobody takes the floor away under a reader."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from node.errors import StoreError

__all__ = ["READERS_WAIT_S", "ReaderGate"]

READERS_WAIT_S = 10.0  # seconds; a snapshot is meant to live for one request


class ReaderGate:
    """Counts readers; lets one caller in alone once they have left. Thread-safe."""

    def __init__(self, *, wait_s: float = READERS_WAIT_S) -> None:
        self._changed = Condition()
        self._readers = 0
        self._closed = False
        self._wait_s = wait_s

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Be counted as a reader. Raises `StoreError` once closed."""
        with self._changed:
            if self._closed:
                raise StoreError("the store is closed")
            self._readers += 1
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until nobody reads, and keep readers out meanwhile. Raises `StoreError` if one stays too long."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._readers == 0, self._wait_s):
                raise StoreError(f"{self._readers} readers of the store did not finish within {self._wait_s:.0f} s")
            yield

    def close(self) -> None:
        """Let no new reader in."""
        with self._changed:
            self._closed = True

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed
