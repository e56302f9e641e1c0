"""What a caller may hold at a time, so that no member takes what the node has for all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from node.api.problems import Problem
from node.fairness import FairQueue, Room

__all__ = ["Shares", "Turns"]


class Shares:
    """How much of something each caller holds: at most `each_max`, and no more than is left free of `most`.

    Used on the event loop only.
    """

    def __init__(self, what: str, *, most: int, each_max: int) -> None:
        self._what = what
        self._each_max = each_max
        self._room = Room(most=most, each_max=each_max)

    @contextmanager
    def hold(self, caller: str, count: int) -> Iterator[None]:
        """Hold `count` more until the context is left. Raises `Problem` if that were too many."""
        if not self._room.fits(caller, count):
            if self._room.is_full(count):
                raise Problem("busy", f"this node has no {self._what} left")
            reason = f"at most {self._each_max} {self._what} at a time, and no more than this node has left"
            raise Problem("rate_limited", reason)
        self._room.take(caller, count)
        try:
            yield
        finally:
            self._room.give_back(caller, count)


class Turns:
    """So much is done at a time, and callers take turns: one who asks for much waits for others, not they for it."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: FairQueue[asyncio.Future[None]] = FairQueue()

    @asynccontextmanager
    async def turn(self, caller: str) -> AsyncIterator[None]:
        """Wait for a turn, and have it until the context is left."""
        if self._free:
            self._free -= 1
        else:
            mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.put(caller, mine)
            try:
                await mine
            except asyncio.CancelledError:
                if mine.done() and not mine.cancelled():
                    self._pass_on()
                raise
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        """The next one that still waits, if any."""
        while len(self._waiting):
            following = self._waiting.take()
            if not following.done():
                following.set_result(None)
                return
        self._free += 1
