"""A newcomer that fetches a state from peers with real stores, in virtual time and without sockets: `World`."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from functools import cache

from consensus.ranges import Ask, Blocks, Tip
from node.authorities import authority_set
from node.chain import Chain
from node.layout import first_kept
from node.snapshots.events import (
    Begin,
    Drop,
    Enough,
    Event,
    Finish,
    Heard,
    Joined,
    Keep,
    Left,
    Missed,
    Say,
    Started,
    Store,
    Stored,
    Wake,
    Woken,
)
from node.snapshots.fetching import Fetching
from node.snapshots.held import HeldStates
from node.snapshots.landing import Landing
from node.snapshots.messages import (
    AskHeld,
    AskManifest,
    AskPart,
    Gone,
    Held,
    ManifestOf,
    PartOf,
    SyncMessage,
    decode_sync,
    encode_sync,
)
from node.store import MemoryStore
from node.store import Store as NodeStore
from node.views import decided
from tests.node.chainworld import build, certificate_of, proposer_of, registration
from tests.registry.world import START_MS, genesis

MINUTE_MS = 60_000
LAST = 40  # height of the chain that peers have


@cache
def written(last: int = LAST) -> NodeStore:
    """A chain of so many blocks, five minutes apart, some registrations in the first. Never changed: see `copy`."""
    store = MemoryStore()
    chain = Chain.open(store, genesis())
    for height in range(1, last + 1):
        transactions = [registration(height * 10 + number) for number in range(3)] if height <= 5 else []
        block = chain.build(transactions, proposer=proposer_of(height), now_ms=START_MS + height * 5 * MINUTE_MS)
        chain.commit(block, certificate_of(block), puts={})
    return store


def copy(store: NodeStore) -> MemoryStore:
    made = MemoryStore()
    made.write(dict(store.scan(b"")), sync=True)
    return made


class Peer:
    """Serves a state and blocks; `lie` changes what it says (None: nothing); `manifest_ms`: longer for a manifest."""

    def __init__(
        self,
        store: NodeStore,
        lie: Callable[[SyncMessage], SyncMessage | None] = lambda said: said,
        *,
        manifest_ms: int = 0,
    ) -> None:
        self.store = store
        self.lie = lie
        self.manifest_ms = manifest_ms
        self.asked: list[SyncMessage] = []
        self.held = HeldStates(store)
        self.height = Chain.open(store, genesis()).tip.height
        self.held.begin(Chain.open(store, genesis()).tip)

    def answer(self, message: SyncMessage) -> SyncMessage | None:
        said = self._honest(message)
        return None if said is None else self.lie(said)

    def _honest(self, message: SyncMessage) -> SyncMessage | None:
        match message:
            case AskHeld():
                return Held(self.held.offers())
            case AskManifest(height):
                manifest = self.held.manifest(height)
                return Gone(height) if manifest is None else ManifestOf(height, manifest.encode())
            case AskPart(height, bits, number):
                entries = self.held.part(height, bits, number)
                return Gone(height) if entries is None else PartOf(height, number, entries)
            case Ask(first, last):
                found = (decided(self.store, height) for height in range(first, last + 1))
                return Blocks(first, tuple(pair for pair in found if pair is not None))
        return None


class World:
    """One newcomer, until it has what it starts with."""

    def __init__(
        self, store: NodeStore, peers: dict[bytes, Peer], *, far_behind: int = 10, delay_ms: int = 10, disk_ms: int = 1
    ) -> None:
        """`delay_ms`: from a question to its answer. `disk_ms`: until a part is durable; one after the other."""
        self.store = store
        self.delay_ms = delay_ms
        self.disk_ms = disk_ms
        self._disk_free_at_ms = 0
        self.peers = peers
        self.landing = Landing(store, genesis().id, authority_set(genesis()))
        begun = self.landing.unfinished()
        self.core = Fetching(
            genesis_id=genesis().id,
            authorities=authority_set(genesis()),
            alone=not peers,
            now_ms=0,
            far_behind=far_behind,
            resumed=None if begun is None else begun[0],
            done=() if begun is None else begun[1],
        )
        self.now_ms = 0
        self.stored: list[int] = []
        self.kept: list[int] = []
        self.begun = 0
        self.dropped: dict[bytes, str] = {}
        self.missed: list[bytes] = []
        self.ended: Finish | Enough | None = None
        self._numbers = itertools.count()
        self._due: list[tuple[int, int, Event]] = []
        for name, peer in peers.items():
            self.later(0, Joined(name, True))
            self.later(1, Heard(name, Tip(first_kept(peer.store)[0], peer.height)))

    def later(self, delay_ms: int, event: Event) -> None:
        heapq.heappush(self._due, (self.now_ms + delay_ms, next(self._numbers), event))

    def run(self, *, parts: int | None = None, limit_ms: int = 600_000) -> Finish | Enough | None:
        """Until the end, or until so many parts have been stored."""
        self.later(0, Woken())
        while self.ended is None and (parts is None or len(self.stored) < parts):
            self.now_ms, _, event = heapq.heappop(self._due)
            assert self.now_ms <= limit_ms, f"no end: {self.core.phase} after {self.now_ms} ms"
            for action in self.core.handle(event, now_ms=self.now_ms):
                self._do(action)
        return self.ended

    def _later_on_disk(self, event: Event) -> None:
        self._disk_free_at_ms = max(self._disk_free_at_ms, self.now_ms) + self.disk_ms
        self.later(self._disk_free_at_ms - self.now_ms, event)

    def _do(self, action: object) -> None:
        match action:
            case Say(peer, message):
                assert decode_sync(encode_sync(message)) == message
                self.peers[peer].asked.append(message)
                said = self.peers[peer].answer(message)
                if said is not None:
                    longer_ms = self.peers[peer].manifest_ms if isinstance(said, ManifestOf) else 0
                    self.later(self.delay_ms + longer_ms, Heard(peer, decode_sync(encode_sync(said))))
            case Begin(manifest):
                self.landing.begin(manifest)
                self.begun += 1
                self._later_on_disk(Started())
            case Store(number, entries):
                self.landing.store_part(number, entries)
                self.stored.append(number)
                self._later_on_disk(Stored(number))
            case Keep(blocks):
                self.landing.keep(blocks)
                self.kept += [block.height for block in blocks]
            case Finish(manifest, first):
                self.landing.finish(manifest, first)
                self.ended = action
            case Enough():
                self.ended = action
            case Drop(peer, reason):
                self.dropped[peer] = reason
                self.later(0, Left(peer))
            case Missed(peer):
                self.missed.append(peer)
            case Wake(at_ms):
                self.later(max(1, at_ms - self.now_ms), Woken())


__all__ = ["LAST", "MINUTE_MS", "Peer", "World", "build", "copy", "written"]
