"""A disk that forgets: what was not synced is gone after a crash."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["Disk"]


class Disk:
    """Keys and values, atomic batches; only synced ones survive a crash."""

    __slots__ = ("_durable", "_unsynced")

    def __init__(self) -> None:
        self._durable: dict[bytes, bytes] = {}
        self._unsynced: dict[bytes, bytes | None] = {}

    def write(self, puts: Iterable[tuple[bytes, bytes]], deletes: Iterable[bytes]) -> None:
        """Write a batch, not yet durably."""
        self._unsynced.update(puts)
        self._unsynced.update(dict.fromkeys(deletes))

    def sync(self) -> None:
        """All that was written is durable."""
        for key, value in self._unsynced.items():
            if value is None:
                self._durable.pop(key, None)
            else:
                self._durable[key] = value
        self._unsynced.clear()

    def crash(self) -> None:
        """What was not synced is lost."""
        self._unsynced.clear()

    def wipe(self) -> None:
        """The disk is lost."""
        self._unsynced.clear()
        self._durable.clear()

    def get(self, key: bytes) -> bytes | None:
        """The value of a key, synced or not."""
        return self._unsynced[key] if key in self._unsynced else self._durable.get(key)

    def durable(self, key: bytes) -> bytes | None:
        """The value of a key that a crash now would leave."""
        return self._durable.get(key)

    def under(self, prefix: bytes) -> dict[bytes, bytes]:
        """Everything durable under a prefix, by the rest of its key."""
        return {key[len(prefix) :]: value for key, value in self._durable.items() if key.startswith(prefix)}
