"""Nodes, a network and Byzantine actors under one virtual clock; every event is checked against the invariants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from consensus.authorities import Authority, AuthoritySet
from consensus.events import Report
from consensus.messages import Decided, Message, Proposal
from consensus.parameters import Parameters
from consensus.ranges import RangeMessage
from consensus.simulation.actors import Actor
from consensus.simulation.chance import Chance
from consensus.simulation.clock import Clock
from consensus.simulation.disk import Disk
from consensus.simulation.follower import BadSource, Fetcher, Follower
from consensus.simulation.insight import Insight
from consensus.simulation.invariants import Broken, Invariants
from consensus.simulation.ledger import CLOCK_RULE_MS, EPOCH_MS
from consensus.simulation.memo import Memo, RememberedSigner
from consensus.simulation.network import Network
from consensus.simulation.node import Crash, Node, describe
from registry.codec import digest
from registry.keys import SigningKey

__all__ = ["GENESIS_ID", "TRANSCRIPT_LINES_MAX", "Deeds", "World", "authority_of", "key_of"]

GENESIS_ID = digest(b"the genesis of simulated chains")
TRANSCRIPT_LINES_MAX = 5_000
_RANGE = b"\x00"  # begins what is not for the engine: no canonical list does
CLOCKS_APART_MS = 2_000  # by which the clocks of honest nodes may be ahead of the world's


@cache
def key_of(number: int) -> SigningKey:
    """The key of the authority of this number."""
    return SigningKey.from_seed(digest(b"simulated key %d" % number))


def authority_of(number: int) -> Authority:
    """The authority of this number."""
    return Authority(f"authority-{number}", key_of(number).public_key)


@dataclass(slots=True)
class Deeds:
    """What a run has exercised: counts."""

    fetched: int = 0
    """Blocks that nodes got by `consensus.following`."""
    liars_dropped: int = 0

    delivered: int = 0
    view_changes: int = 0
    carried: int = 0
    """Proposals of a block that was notarized before (R2)."""
    crashes: int = 0
    restarts: int = 0
    lost_disks: int = 0
    injected: int = 0
    """Messages of Byzantine actors."""
    accusations: int = 0
    alarms: int = 0


class World:
    """A chain of `n` authorities. `byzantine` maps numbers of authorities to what acts in their place.

    `twins` are authorities whose key runs in two nodes: node n + i is the second of the i-th. `observers` have no key,
    `spares` have one that is not in the genesis set: a change of the set may bring it in. `transcribe` False saves the
    time that it takes to put everything into words. `following`: nodes also catch up by `consensus.following`.
    """

    def __init__(
        self,
        *,
        n: int,
        seed: int,
        base_ms: int = 1_000,
        heartbeat_ms: int = 60_000,
        byzantine: Mapping[int, Callable[[World, SigningKey], Actor]] | None = None,
        twins: tuple[int, ...] = (),
        observers: int = 0,
        spares: int = 0,
        transcribe: bool = True,
        following: bool = False,
    ) -> None:
        self.clock = Clock()
        self.chance = Chance(seed)
        self.memo = Memo()
        self.network = Network(self.clock, self.chance, self._deliver)
        self.parameters = Parameters(
            genesis_id=GENESIS_ID, base_ms=base_ms, cap_ms=8 * base_ms, heartbeat_ms=heartbeat_ms
        )
        self.authorities = AuthoritySet(tuple(authority_of(number) for number in range(n)))
        self.deeds = Deeds()
        self.transcript: list[str] = []
        self._transcribe = transcribe
        self.crash_percent = 0
        """How likely a node is to crash at each sync."""
        self.down_ms = 3_000
        """The longest time that a crashed node stays down."""
        self.evidence: list[tuple[Node, Report]] = []
        self.on_commit: Callable[[Node, Decided], None] | None = None
        faulty = byzantine or {}
        signers = [number for number in range(n) if number not in faulty] + list(twins)
        self.nodes: list[Node] = []
        self._by_key: dict[bytes, list[Node]] = {}
        for place, number in enumerate(signers):
            twin = "" if place < n - len(faulty) else " again"
            node = self._add_node(f"authority {number}{twin}", key_of(number).public_key, key_of(number))
            node.honest = number not in twins
        for number in range(observers):
            self._add_node(f"observer {number}", digest(b"observer %d" % number), None)
        for number in range(n, n + spares):
            self._add_node(f"authority {number}", key_of(number).public_key, key_of(number))
        self._keys = {node.number: node.key for node in self.nodes}
        self._keys |= {-1 - number: key_of(number).public_key for number in faulty}
        """Who speaks from each number; numbers below 0 are Byzantine."""
        self._numbers = {key: [node.number for node in nodes] for key, nodes in self._by_key.items()}
        self._others = {key: [node.number for node in self.nodes if node.key != key] for key in self._by_key}
        """Whom the holder of each key sends a broadcast to."""
        self.spares = [authority_of(number) for number in range(n, n + spares)]
        self.honest = [node for node in self.nodes if node.honest]
        honest_keys = frozenset(node.key for node in self.honest)
        self.invariants = Invariants(GENESIS_ID, self.authorities, honest_keys, self.memo)
        self.insight = Insight(self)
        self._actors = [make(self, key_of(number)) for number, make in faulty.items()]
        self._sequence = 0
        self._following = following
        self._fetchers: dict[int, Fetcher] = {}
        self._fetchers_of = self._numbers.copy()
        self._bad_sources = [BadSource(self, key_of(number)) for number in faulty] if following else []
        for number, source in zip(faulty, self._bad_sources, strict=False):
            self._fetchers[-1 - number] = source
            self.clock.after(1, source.begin)
            self._fetchers_of[key_of(number).public_key] = [-1 - number]

    def _add_node(self, name: str, key: bytes, signer: SigningKey | None) -> Node:
        node = Node(
            name=name,
            number=len(self.nodes),
            signer=None if signer is None else RememberedSigner(signer, self.memo),
            key=key,
            parameters=self.parameters,
            genesis=self.authorities,
            world=self,
            disk=Disk(),
        )
        self.nodes.append(node)
        self._by_key.setdefault(key, []).append(node)
        return node

    # --- what runs do -------------------------------------------------------------------------------------------

    def start(self) -> World:
        """Start every node."""
        for node in self.nodes:
            node.start()
        return self

    def offer(self, transaction: bytes | None = None) -> None:
        """Give a transaction to every node, a new one if none is named."""
        self._sequence += 1
        for node in self.nodes:
            node.offer(transaction or b"transaction %d" % self._sequence)

    def offer_every(self, interval_ms: int) -> None:
        """Keep giving transactions, for ever."""
        self.offer()
        self.clock.after(interval_ms, self.offer_every, interval_ms)

    def run_until(self, done: Callable[[], bool], *, within_ms: int) -> None:
        """Let time pass until `done`. Raises `Broken` if it is not within that time."""
        deadline_ms = self.clock.now_ms + within_ms
        while not done():
            if not self.clock.step() or self.clock.now_ms > deadline_ms:
                raise Broken(f"not done within {within_ms} ms: heights {[node.height for node in self.nodes]}")

    def run_for(self, duration_ms: int) -> None:
        """Let time pass."""
        over: list[bool] = []
        self.clock.after(duration_ms, over.append, True)
        while not over:
            self.clock.step()

    def part(self, *sides: Iterable[int]) -> None:
        """Part the network."""
        self.network.weather.sides = {node: side for side, nodes in enumerate(sides) for node in nodes}

    def lose_disk(self, node: Node) -> None:
        """A node loses its disk, and is down until something starts it."""
        self.deeds.lost_disks += 1
        node.lose_disk()
        self.invariants.lost(node)

    def restart(self, node: Node) -> None:
        """Start a node that is down, and connect it."""
        if node.engine is None:
            self.deeds.restarts += 1
            node.start()
            for other in self.nodes:
                if other.key != node.key and other.engine is not None:
                    node.connect(other.key)
                    other.connect(node.key)

    def heal(self) -> None:
        """Good weather, no crashes, everybody up and connected."""
        self.crash_percent = 0
        self.network.calm()
        for node in self.nodes:
            if node.engine is None:
                self.deeds.restarts += 1
                node.start()
        self.reconnect()

    def reconnect(self) -> None:
        """Every node hears that it is connected to every other."""
        for node in self.nodes:
            for other in self.nodes:
                if other.key != node.key and other.engine is not None:
                    node.connect(other.key)

    # --- what nodes and actors see --------------------------------------------------------------------------------

    def carry(self, node: Node, peer: bytes | None, message: Message) -> None:
        """A node's send or broadcast."""
        if node.honest:
            self.invariants.sent(node, message)
        else:
            self.invariants.injected(message)
        if isinstance(message, Proposal) and message.bundle.parent is not None:
            self.deeds.carried += 1
        if self._actors:
            self.insight.observe(message)
            for actor in self._actors:
                actor.observe(message)
        assert peer != node.key, "an engine never sends to itself"
        targets = self._others[node.key] if peer is None else self._numbers.get(peer, ())
        self.network.send(node.number, targets, type(message).__name__, self.memo.encode(message))

    def inject(self, key: SigningKey, targets: Iterable[Node], message: Message) -> None:
        """An actor's send, under the key of its authority."""
        self.invariants.injected(message)
        numbers = [target.number for target in targets]
        self.deeds.injected += len(numbers)
        self.network.send(-1 - self.number_of(key), numbers, type(message).__name__, self.memo.encode(message))

    def _deliver(self, source: int, target: int, data: bytes) -> None:
        self.deeds.delivered += 1
        key = self._keys[source]
        if data.startswith(_RANGE):
            fetcher = self._fetchers.get(target)
            if fetcher is not None:
                fetcher.receive(key, data[len(_RANGE) :])
            return
        node = self.nodes[target]
        message = node.receive(key, data)
        if message is not None and self.invariants.forgetful and node.honest:
            self.invariants.delivered(node, message)

    def syncs(self, node: Node) -> None:
        """A node may crash whenever it syncs."""
        if self.crash_percent and self.chance.happens(self.crash_percent):
            self.deeds.crashes += 1
            self.clock.after(self.chance.between(1, self.down_ms), self._restart_life, node, node.life)
            raise Crash

    def _restart_life(self, node: Node, life: int) -> None:
        if node.life == life:
            self.restart(node)

    def started(self, node: Node) -> None:
        """A node has read its disk."""
        if node.honest:
            self.invariants.started(node)
        if self._following:
            follower = self._fetchers[node.number] = Follower(self, node)
            for source in self._bad_sources:
                self.clock.after(0, follower.join, source.key)
                self.clock.after(1, source.greet, node.key)

    def handled(self, node: Node) -> None:
        """A node has handled an event."""
        if node.honest:
            self.deeds.view_changes += self.invariants.after(node)

    def tell(self, source: int, peer: bytes, message: RangeMessage) -> None:
        """A range message, to a node or to a Byzantine source; sources below 0 are Byzantine."""
        data = _RANGE + self.memo.encode_range(message)
        self.network.send(source, self._fetchers_of.get(peer, ()), type(message).__name__, data)

    def dropped(self, node: Node, peer: bytes, reason: str) -> None:
        """A node has cut the connection to a peer that lied."""
        self.deeds.liars_dropped += 1
        self.note(node, f"drops {peer.hex()[:8]}: {reason}")
        if node.honest and any(other.honest for other in self._by_key.get(peer, ())):
            raise Broken(f"an honest peer is dropped: {reason}")

    def connected(self, node: Node, peer: bytes) -> None:
        """A node has a connection to a peer."""
        follower = self._fetchers.get(node.number)
        if isinstance(follower, Follower):
            follower.join(peer)

    def committed(self, node: Node, decided: Decided, following: AuthoritySet) -> None:
        """A node has committed."""
        if node.honest:
            latest_ms = EPOCH_MS + self.clock.now_ms + CLOCK_RULE_MS + CLOCKS_APART_MS
            self.invariants.committed(node, decided, following, latest_ms=latest_ms)
        if self.on_commit is not None:
            self.on_commit(node, decided)
        follower = self._fetchers.get(node.number)
        if isinstance(follower, Follower):
            follower.grown()

    def reported(self, node: Node, action: Report) -> None:
        """A node accuses."""
        self.evidence.append((node, action))
        self.deeds.accusations += 1
        if node.honest:
            self.invariants.reported(action.evidence)

    def node_of(self, number: int) -> Node:
        """The (first) node of an authority."""
        return self._by_key[key_of(number).public_key][0]

    def number_of(self, key: SigningKey) -> int:
        """The place of an authority's key in the first set, which is its number."""
        number = self.authorities.index_of(key.public_key)
        assert number is not None
        return number

    def says(self, node: Node, message: Message) -> None:
        """A line of the transcript about a broadcast."""
        if self._transcribe:
            self.note(node, f"says {describe(message)}")

    def note(self, node: Node, what: str) -> None:
        """A line of the transcript."""
        if self._transcribe and len(self.transcript) < TRANSCRIPT_LINES_MAX:
            self.transcript.append(f"{self.clock.now_ms:6} ms  {node.name}  {what}")
