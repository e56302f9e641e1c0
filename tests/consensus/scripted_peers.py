"""A node that follows, and peers who say what their script says, in virtual time: `World`."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any, TypeAlias

from consensus.authorities import AuthoritySet
from consensus.blocks import Block, Header, transactions_root
from consensus.following import Add, Drop, Event, Following, Grown, Heard, Joined, Left, Missed, Say, Wake, Woken
from consensus.messages import Decided
from consensus.ranges import RANGE_HEIGHTS_MAX, Ask, Blocks, RangeMessage, Tip
from consensus.votes import Kind
from registry.codec import encode
from tests.consensus.fixtures import GENESIS_ID, authorities_of, certificate_of, key_of

Pairs = tuple[tuple[bytes, bytes], ...]
Answer: TypeAlias = "Callable[[int, int], RangeMessage | None]"
LIMIT_MS = 3_600_000
EXECUTION_MS = 5


def set_at(height: int, changes_at: int) -> AuthoritySet:
    """Four authorities, and seven from the height above `changes_at` on."""
    return authorities_of(4 if height <= changes_at else 7)


@cache
def chain(length: int, changes_at: int = 10**9, body: int = 20) -> Pairs:
    """`length` final blocks with their certificates, in canonical bytes."""
    pairs = []
    parent = GENESIS_ID
    for height in range(1, length + 1):
        authorities, coming = set_at(height, changes_at), set_at(height + 1, changes_at)
        transactions = (sha256(b"%d" % height).digest() * (body // 32 + 1),)
        root = transactions_root(transactions)
        header = Header(
            genesis_id=GENESIS_ID,
            height=height,
            parent=parent,
            proposer=key_of(height % 4).public_key,
            timestamp_ms=1_700_000_000_000 + height,
            transactions_root=root,
            results_root=root,
            state_root=root,
            history_root=root,
            authorities=authorities.digest,
            next_authorities=coming.digest,
        )
        block = Block(header, transactions)
        signers = tuple(range(authorities.quorum))
        certificate = certificate_of(Kind.FINALIZE, height, 0, block.hash, signers, authorities.n)
        pairs.append((block.encode(), encode(certificate.to_value())))
        parent = block.hash
    return tuple(pairs)


@dataclass(slots=True)
class Peer:
    """Claims what it likes and answers by its script, `delay_ms` after it was asked; None: never."""

    answer: Answer
    claim: tuple[int, int]
    delay_ms: int = 30
    votes: bool = True
    asked: list[tuple[int, int]] = field(default_factory=list)


def honest(pairs: Pairs, *, most: int = RANGE_HEIGHTS_MAX, **kwargs: Any) -> Peer:
    """A peer that has all of a chain."""
    return Peer(
        lambda first, last: Blocks(first, pairs[first - 1 : min(last, first + most - 1)]), (1, len(pairs)), **kwargs
    )


class World:
    """Runs one `Following` against peers until it has a height, in order of virtual time."""

    def __init__(self, peers: dict[bytes, Peer], *, changes_at: int = 10**9, lag: int = 1, height: int = 0) -> None:
        self.peers = peers
        self.changes_at = changes_at
        self.now_ms = 0
        self.height = height
        self.added: list[Decided] = []
        self.dropped: list[tuple[bytes, str]] = []
        self.missed: list[bytes] = []
        self.waiting_bytes_max = 0
        self.core = Following(genesis_id=GENESIS_ID, height=height, authorities=set_at(height + 1, changes_at), lag=lag)
        self._numbers = itertools.count()
        self._due: list[tuple[int, int, Event]] = []
        self._wake: int | None = None
        self._free_at_ms = 0
        for peer in peers:
            self.join(peer)

    def join(self, peer: bytes) -> None:
        """The peer connects (again) and says what it claims to have."""
        self.later(0, Joined(peer, self.peers[peer].votes))
        self.later(0, Heard(peer, Tip(*self.peers[peer].claim)))

    def later(self, delay_ms: int, event: Event) -> None:
        heapq.heappush(self._due, (self.now_ms + delay_ms, next(self._numbers), event))

    def run(self, *, to: int, limit_ms: int = LIMIT_MS) -> int:
        """Until the height is reached; returns the virtual time, or fails when the limit is."""
        while self.height < to:
            assert self.now_ms <= limit_ms, f"no progress: height {self.height} after {self.now_ms} ms"
            self.step_next()
        return self.now_ms

    def step_next(self) -> None:
        """What is due next happens."""
        at_ms, number, event = heapq.heappop(self._due)
        self.now_ms = max(self.now_ms, at_ms)
        if not isinstance(event, Woken) or number == self._wake:
            self.step(event)

    def step(self, event: Event) -> None:
        if isinstance(event, Grown):
            self.height = event.height
        for action in self.core.handle(event, now_ms=self.now_ms):
            match action:
                case Say(peer, Ask(first, last)):
                    self._ask(peer, first, last)
                case Add(decided):
                    self._add(decided)
                case Drop(peer, reason):
                    self.dropped.append((peer, reason))
                    self.later(0, Left(peer))
                    self.later(1_000, Joined(peer, self.peers[peer].votes))  # and it comes back
                    self.later(1_000, Heard(peer, Tip(*self.peers[peer].claim)))
                case Missed(peer):
                    self.missed.append(peer)
                case Wake(at_ms):
                    self._wake = next(self._numbers)
                    heapq.heappush(self._due, (max(at_ms, self.now_ms + 1), self._wake, Woken()))
                case _:
                    pass
        self.waiting_bytes_max = max(self.waiting_bytes_max, self.core.waiting_bytes)

    def _ask(self, name: bytes, first: int, last: int) -> None:
        peer = self.peers[name]
        peer.asked.append((first, last))
        answer = peer.answer(first, last)
        if answer is not None:
            self.later(peer.delay_ms, Heard(name, answer))

    def _add(self, decided: Decided) -> None:
        """One thread executes: each block after the one before."""
        assert decided.height == (self.added[-1].height if self.added else self.height) + 1, "in order, without a gap"
        self.added.append(decided)
        self._free_at_ms = max(self._free_at_ms, self.now_ms) + EXECUTION_MS
        grown = Grown(decided.height, set_at(decided.height + 1, self.changes_at))
        self.later(self._free_at_ms - self.now_ms, grown)
