"""Who waits for what: clients for the finality of a transaction, subscribers for events. Both bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field

from node.chain import Committed
from registry.events import Event

__all__ = ["Heard", "Hub", "TooManyWaiters"]

WAITERS_MAX = 100_000  # transactions waited for at a time
SUBSCRIBERS_MAX = 1_000  # both shared out among callers by `api.limits`
QUEUE_MAX = 1_000  # events that a subscriber may be behind


class TooManyWaiters(Exception):
    """Too many clients wait at this node already: try again later, or poll."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An event, and the height of the block that made it so."""

    height: int
    event: Event


@dataclass(slots=True, eq=False)
class _Subscriber:
    parties: frozenset[str] | None
    queue: asyncio.Queue[Heard | None] = field(default_factory=asyncio.Queue)

    def hear(self, heard: Heard) -> bool:
        """Whether the subscriber kept up."""
        if self.parties is None or not self.parties.isdisjoint(heard.event.parties):
            if self.queue.qsize() >= QUEUE_MAX:
                return False
            self.queue.put_nowait(heard)
        return True


class Hub:
    """Wakes those who wait. `committed` is called after each commit, on the event loop."""

    def __init__(self) -> None:
        self._waiters: dict[bytes, list[asyncio.Future[None]]] = {}
        self._waiting = 0
        self._subscribers: set[_Subscriber] = set()

    @property
    def subscribers(self) -> int:
        """How many listen to events."""
        return len(self._subscribers)

    def committed(self, committed: Committed) -> None:
        """Wake who waits for a transaction of this block, and hand its events on."""
        if self._waiters:
            for id_ in committed.transactions:
                for waiter in self._waiters.pop(id_, ()):
                    if not waiter.done():
                        waiter.set_result(None)
        for subscriber in tuple(self._subscribers):
            for event in committed.outcome.events:
                if not subscriber.hear(Heard(committed.height, event)):
                    self._drop(subscriber)
                    break

    async def final(self, transaction_id: bytes, *, timeout_s: float) -> bool:
        """Wait until the transaction is final; False if it is not in time. Raises `TooManyWaiters`."""
        if self._waiting >= WAITERS_MAX:
            raise TooManyWaiters(f"{WAITERS_MAX} transactions are waited for")
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(transaction_id, []).append(waiter)
        self._waiting += 1
        try:
            async with asyncio.timeout(timeout_s):
                await waiter
        except TimeoutError:
            return False
        finally:
            self._waiting -= 1
            self._forget(transaction_id, waiter)
        return True

    async def subscribe(self, parties: Collection[str] | None) -> AsyncIterator[Heard]:
        """Events that concern one of `parties` (None: all), from now on. Ends when the subscriber falls behind."""
        if len(self._subscribers) >= SUBSCRIBERS_MAX:
            raise TooManyWaiters(f"{SUBSCRIBERS_MAX} subscribers listen")
        subscriber = _Subscriber(None if parties is None else frozenset(parties))
        self._subscribers.add(subscriber)
        try:
            while (heard := await subscriber.queue.get()) is not None:
                yield heard
        finally:
            self._subscribers.discard(subscriber)

    def close(self) -> None:
        """End all subscriptions."""
        for subscriber in tuple(self._subscribers):
            self._drop(subscriber)

    def _drop(self, subscriber: _Subscriber) -> None:
        """End a subscription behind what waits: whoever reads too slowly misses what is newest, and has no gap."""
        self._subscribers.discard(subscriber)
        subscriber.queue.put_nowait(None)

    def _forget(self, transaction_id: bytes, waiter: asyncio.Future[None]) -> None:
        waiters = self._waiters.get(transaction_id)
        if waiters is not None:
            waiters.remove(waiter)
            if not waiters:
                del self._waiters[transaction_id]
