"""What a caller may hold at a time, so that no member takes what the node has for all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from node.api.problems import Problem

__all__ = ["Shares"]


class Shares:
    """How many of something each caller holds, at most `most`. Used on the event loop only."""

    def __init__(self, what: str, *, most: int) -> None:
        self._what = what
        self._most = most
        self._held: Counter[str] = Counter()

    @contextmanager
    def hold(self, caller: str, count: int) -> Iterator[None]:
        """Hold `count` more until the context is left. Raises `Problem` if that were too many."""
        if self._held[caller] + count > self._most:
            raise Problem("rate_limited", f"at most {self._most} {self._what} at a time")
        self._held[caller] += count
        try:
            yield
        finally:
            self._held[caller] -= count
            if not self._held[caller]:
                del self._held[caller]
