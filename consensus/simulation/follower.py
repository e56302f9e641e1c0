"""The runner of `consensus.following` for a simulated node, and the peers that lie to it, stall, dawdle and boast."""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from consensus.errors import MessageError
from consensus.following import (
    Action,
    Add,
    Drop,
    Event,
    Following,
    Grown,
    Heard,
    Joined,
    Say,
    Serve,
    Served,
    Wake,
    Woken,
)
from consensus.ranges import RANGE_HEIGHTS_MAX, Ask, Blocks, RangeMessage, Tip
from registry.codec import encode
from registry.keys import SigningKey

if TYPE_CHECKING:
    from consensus.simulation.node import Node
    from consensus.simulation.world import World

__all__ = ["BadSource", "Fetcher", "Follower"]

LAG = 2  # heights behind that are fetched at once
READING_MS = 2  # to read a range from the disk
REJOIN_MS = 5_000  # until a connection that was cut is made again
GREET_EVERY_MS = 1_500  # bad sources say what they have
SLOW_MS = 9_000  # more than a peer has for its answer


class Fetcher(Protocol):
    """Whatever receives range messages."""

    def receive(self, peer: bytes, data: bytes) -> None:
        """Bytes from this peer have arrived."""


class Follower:
    """One life of a node's `Following`."""

    def __init__(self, world: World, node: Node) -> None:
        self._world = world
        self._node = node
        self._life = node.life
        self._core = Following(
            genesis_id=node.parameters.genesis_id, height=node.height, authorities=node.authorities, lag=LAG
        )
        self._events: deque[Event] = deque()
        self._handling = False
        self._wakes = 0

    @property
    def _lives(self) -> bool:
        return self._node.engine is not None and self._node.life == self._life

    def join(self, peer: bytes) -> None:
        """There is a connection to this peer (again)."""
        self.handle(Joined(peer, votes=peer in self._node.authorities))

    def grown(self) -> None:
        """A block has become final."""
        self.handle(Grown(self._node.height, self._node.authorities))

    def receive(self, peer: bytes, data: bytes) -> None:
        """Bytes from this peer; what is no message is dropped."""
        try:
            message = self._world.memo.decode_range(data)
        except MessageError:
            return
        self.handle(Heard(peer, message))

    def handle(self, event: Event) -> None:
        """One event at a time, those that actions cause after it."""
        self._events.append(event)
        if self._handling:
            return
        self._handling = True
        while self._events and self._lives:
            for action in self._core.handle(self._events.popleft(), now_ms=self._world.clock.now_ms):
                self._act(action)
        self._handling = False

    def _act(self, action: Action) -> None:
        world, node = self._world, self._node
        match action:
            case Say(peer, message):
                world.tell(node.number, peer, message)
            case Serve(peer, first, last):
                world.clock.after(READING_MS, self._serve, peer, first, last)
            case Add(decided):
                world.deeds.fetched += 1
                node.add_final(decided)
            case Drop(peer, reason):
                world.dropped(node, peer, reason)
                world.clock.after(REJOIN_MS, self._rejoin, peer)
            case Wake(at_ms):
                self._wakes += 1
                world.clock.after(max(0, at_ms - world.clock.now_ms), self._wake, self._wakes)

    def _serve(self, peer: bytes, first: int, last: int) -> None:
        if self._lives:
            self._world.tell(self._node.number, peer, Blocks(first, pairs_of(self._node, first, last)))
            self.handle(Served(peer))

    def _wake(self, number: int) -> None:
        if self._lives and number == self._wakes:
            self.handle(Woken())

    def _rejoin(self, peer: bytes) -> None:
        if self._lives:
            self.join(peer)


class BadSource:
    """A Byzantine authority as a source of blocks: `stalls`, `slow`, `lies` about blocks, or `boasts` of heights."""

    def __init__(self, world: World, key: SigningKey) -> None:
        self._world = world
        self.key = key.public_key
        self._number = -1 - world.number_of(key)
        self._manner = world.chance.pick(("stalls", "slow", "lies", "boasts"))

    def begin(self) -> None:
        """Tell everybody what there is to get here, again and again."""
        for peer in dict.fromkeys(node.key for node in self._world.nodes):
            self.greet(peer)
        self._world.clock.after(GREET_EVERY_MS, self.begin)

    def greet(self, peer: bytes) -> None:
        """Tell a peer."""
        height = max(node.height for node in self._world.honest)
        self._world.tell(self._number, peer, Tip(1, 10**6 if self._manner == "boasts" else height + 2))

    def receive(self, peer: bytes, data: bytes) -> None:
        """Asked for a range."""
        message = self._world.memo.decode_range(data)
        if not isinstance(message, Ask) or self._manner == "stalls":
            return
        last = min(message.last, message.first + RANGE_HEIGHTS_MAX - 1)
        pairs = pairs_of(max(self._world.honest, key=lambda node: node.height), message.first, last)
        if self._manner == "slow":
            self._world.clock.after(SLOW_MS, self._world.tell, self._number, peer, Blocks(message.first, pairs))
        else:
            self._world.tell(self._number, peer, self._lie(message.first, pairs))

    def _lie(self, first: int, pairs: tuple[tuple[bytes, bytes], ...]) -> RangeMessage:
        """Blocks with each other's certificates, or under another height, or blocks that nobody has decided."""
        insight, key = self._world.insight, self.key
        if len(pairs) > 1 and self._world.chance.happens(50):
            return Blocks(first, tuple((block, other) for (block, _), (_, other) in pairwise(pairs)))
        if pairs and self._world.chance.happens(50):
            return Blocks(first, tuple((insight.fresh_block(key, b"lie").encode(), held) for _, held in pairs))
        return Blocks(first + 1, pairs)


def pairs_of(node: Node, first: int, last: int) -> tuple[tuple[bytes, bytes], ...]:
    """The blocks of a node from one height to another, with their certificates, as far as it has them."""
    found = [node.decided(height) for height in range(first, min(last, node.height) + 1)]
    return tuple((each.block.encode(), encode(each.certificate.to_value())) for each in found if each is not None)
