"""A disk that forgets: what was not synced is gone after a crash."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["Disk"]


class Disk:
    """Keys and values, atomic batches; only synced ones survive a crash."""

    __slots__ = ("_cached", "_durable")

    def __init__(self) -> None:
        self._durable: dict[bytes, bytes] = {}
        self._cached: dict[bytes, bytes] = {}

    def write(self, puts: Iterable[tuple[bytes, bytes]], deletes: Iterable[bytes]) -> None:
        """Write a batch, not yet durably."""
        self._cached.update(puts)
        for key in deletes:
            self._cached.pop(key, None)

    def sync(self) -> None:
        """All that was written is durable."""
        self._durable = dict(self._cached)

    def crash(self) -> None:
        """What was not synced is lost."""
        self._cached = dict(self._durable)

    def wipe(self) -> None:
        """The disk is lost."""
        self._cached.clear()
        self._durable.clear()

    def get(self, key: bytes) -> bytes | None:
        """The value of a key."""
        return self._cached.get(key)

    def under(self, prefix: bytes) -> dict[bytes, bytes]:
        """Everything under a prefix, by the rest of its key."""
        return {key[len(prefix) :]: value for key, value in self._cached.items() if key.startswith(prefix)}
