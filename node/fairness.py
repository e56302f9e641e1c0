"""Room and turns, shared so that nobody takes what is there for all. Pure, bounded, single-threaded.

One rule of room stands everywhere: *nobody may hold more than is left free*. One who asks for all gets half, two get a
third each, k get 1 / (k + 1) each, and as much is always left for whoever comes next. Nothing that was let in has to be
thrown out again for that, so no answer that was given is taken back.
"""

from __future__ import annotations

import ipaddress
from collections import deque
from typing import Generic, TypeVar

__all__ = ["FairQueue", "Room", "address_of"]

T = TypeVar("T")


class Room:
    """How much of something each one holds: at most `each_max`, and never more than is left free of `most`."""

    def __init__(self, *, most: int, each_max: int) -> None:
        self._most = most
        self._each_max = each_max
        self._held: dict[str, int] = {}
        self.total = 0
        """What all hold together."""

    def held(self, name: str) -> int:
        """What this one holds."""
        return self._held.get(name, 0)

    def fits(self, name: str, size: int) -> bool:
        """Whether this one may hold `size` more."""
        own = self.held(name) + size
        return own <= self._each_max and own <= self._most - self.total - size

    def is_full(self, size: int) -> bool:
        """Whether not even one who holds nothing may hold `size`."""
        return not size <= self._most - self.total - size

    def take(self, name: str, size: int) -> None:
        """It holds `size` more, whether that fits or not."""
        self._held[name] = self.held(name) + size
        self.total += size

    def give_back(self, name: str, size: int) -> None:
        """It holds `size` less."""
        left = self._held[name] - size
        assert left >= 0, "only what was taken is given back"
        if left:
            self._held[name] = left
        else:
            del self._held[name]
        self.total -= size


class FairQueue(Generic[T]):
    """Items wait by source and leave in turns, one of each source: what one source sends delays its own items.

    An item waits for at most one item of every other source, beside those of its own source before it.
    """

    def __init__(self) -> None:
        self._queues: dict[str, deque[T]] = {}  # in the order of their turns; none is empty
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def waiting(self, source: str) -> int:
        """How many items of this source wait."""
        return len(self._queues.get(source, ()))

    def drop(self, source: str) -> None:
        """Let no item of this source wait any more."""
        self._length -= len(self._queues.pop(source, ()))

    def put(self, source: str, item: T) -> None:
        """Let an item wait behind the others of its source."""
        self._queues.setdefault(source, deque()).append(item)
        self._length += 1

    def take(self) -> T:
        """The next item; its source's next turn comes after all others. Raises `StopIteration` if nothing waits."""
        source = next(iter(self._queues))
        queue = self._queues.pop(source)
        item = queue.popleft()
        if queue:
            self._queues[source] = queue
        self._length -= 1
        return item


def address_of(host: str) -> str:
    """The address by which a caller without a name is counted: one subscriber owns a whole IPv6 /64."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 4:
        return host
    return str(ipaddress.ip_network((address, 64), strict=False))
