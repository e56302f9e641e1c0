"""Virtual time: what is due next. Nothing waits."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Any

__all__ = ["Clock"]


class Clock:
    """A queue of what is to happen, in order of time, and among equals in order of scheduling."""

    __slots__ = ("_due", "_order", "now_ms")

    def __init__(self) -> None:
        self.now_ms = 0
        self._due: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._order = 0

    def after(self, delay_ms: int, happening: Callable[..., None], *arguments: Any) -> None:
        """Let this happen `delay_ms` milliseconds from now."""
        self._order += 1
        heapq.heappush(self._due, (self.now_ms + delay_ms, self._order, happening, arguments))

    def step(self) -> bool:
        """Let the next thing happen. False if there is none."""
        if not self._due:
            return False
        self.now_ms, _, happening, arguments = heapq.heappop(self._due)
        happening(*arguments)
        return True
