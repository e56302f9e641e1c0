"""Which signed requests were seen before, for as long as their signatures could be believed again.

Each caller has a memory of its own, of bounded size, so that nobody fills the memory of others; callers are registered
parties, so there are no more memories than parties.

Kept in memory: a request captured before a restart could be replayed within its window after it. That shows no more
than its sender saw, to whoever could read the answer then, and changes nothing, for transactions have their own ids.
"""

from __future__ import annotations

from hashlib import blake2b

__all__ = ["MemoryFull", "NonceMemory"]


class MemoryFull(Exception):
    """More requests of one caller in one window than are remembered: forgetting some would let them be replayed."""


class NonceMemory:
    """Two generations of (key, nonce) per caller; the older is dropped when no signature in it is in its window.

    `window_s` is how far `created` may lie from the clock either way, so a signature lives for twice that.
    `caller_max` is how many one caller may have in a generation.
    """

    def __init__(self, *, window_s: float, caller_max: int) -> None:
        self._life_s = 2 * window_s
        self._caller_max = caller_max
        self._young: dict[str, set[bytes]] = {}
        self._old: dict[str, set[bytes]] = {}
        self._since_s = 0.0

    def __len__(self) -> int:
        return sum(map(len, self._young.values())) + sum(map(len, self._old.values()))

    def knows(self, caller: str, public_key: bytes, nonce: str, *, now_s: float) -> bool:
        """Whether this key of the caller has used this nonce."""
        self._age(now_s)
        entry = _entry(public_key, nonce)
        return entry in self._young.get(caller, ()) or entry in self._old.get(caller, ())

    def add(self, caller: str, public_key: bytes, nonce: str, *, now_s: float) -> None:
        """Remember a nonce. Raises `MemoryFull`: of this caller, nothing to others."""
        self._age(now_s)
        own = self._young.setdefault(caller, set())
        if len(own) >= self._caller_max:
            raise MemoryFull
        own.add(_entry(public_key, nonce))

    def _age(self, now_s: float) -> None:
        age_s = now_s - self._since_s
        if age_s < self._life_s:
            return
        self._old = self._young if age_s < 2 * self._life_s else {}
        self._young = {}
        self._since_s = now_s


def _entry(public_key: bytes, nonce: str) -> bytes:
    return blake2b(public_key + nonce.encode(), digest_size=16).digest()  # a key has 32 bytes: no two pairs alike
