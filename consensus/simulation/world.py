"""Nodes, a network and Byzantine actors under one virtual clock; every event is checked against the invariants."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from consensus.authorities import Authority, AuthoritySet
from consensus.events import Commit, Report
from consensus.messages import Message, encode_message
from consensus.parameters import Parameters
from consensus.simulation.actors import Actor
from consensus.simulation.chance import Chance
from consensus.simulation.clock import Clock
from consensus.simulation.disk import Disk
from consensus.simulation.invariants import Broken, Invariants
from consensus.simulation.network import Network
from consensus.simulation.node import Crash, Node
from registry.codec import digest
from registry.keys import SigningKey

__all__ = ["GENESIS_ID", "TRANSCRIPT_LINES_MAX", "World", "key_of"]

GENESIS_ID = digest(b"the genesis of simulated chains")
TRANSCRIPT_LINES_MAX = 5_000


def key_of(number: int) -> SigningKey:
    """The key of the authority (or observer) of this number."""
    return SigningKey.from_seed(digest(b"simulated key %d" % number))


class World:
    """A chain of `n` authorities. `byzantine` maps numbers of authorities to what acts in their place.

    `twins` are authorities whose key runs in two nodes: node n + i is the second of the i-th.
    """

    def __init__(
        self,
        *,
        n: int,
        seed: int,
        base_ms: int = 1_000,
        heartbeat_ms: int = 60_000,
        byzantine: dict[int, Callable[[World, SigningKey], Actor]] | None = None,
        twins: tuple[int, ...] = (),
        observers: int = 0,
    ) -> None:
        self.clock = Clock()
        self.chance = Chance(seed)
        self.network = Network(self.clock, self.chance, self._deliver)
        self.parameters = Parameters(
            genesis_id=GENESIS_ID, base_ms=base_ms, cap_ms=8 * base_ms, heartbeat_ms=heartbeat_ms
        )
        self.authorities = AuthoritySet(
            tuple(Authority(f"authority-{number}", key_of(number).public_key) for number in range(n))
        )
        self.transcript: list[str] = []
        self.crash_percent = 0
        """How likely a node is to crash at each sync."""
        self.down_ms = 3_000
        """The longest time that a crashed node stays down."""
        self.evidence: list[tuple[Node, Report]] = []
        self.on_commit: Callable[[Node, Commit], None] | None = None
        faulty = byzantine or {}
        self._actors = {number: make(self, key_of(number)) for number, make in faulty.items()}
        signers = [number for number in range(n) if number not in faulty] + list(twins)
        self.nodes: list[Node] = []
        for place, number in enumerate(signers):
            twin = "" if place < n - len(faulty) else " again"
            self._add_node(f"authority {number}{twin}", key_of(number).public_key, key_of(number))
        for number in range(observers):
            self._add_node(f"observer {number}", digest(b"observer %d" % number), None)
        self.honest = [node for node in self.nodes if node.key not in {key_of(number).public_key for number in twins}]
        self.invariants = Invariants(GENESIS_ID, self.authorities, frozenset(node.key for node in self.honest))
        self._sequence = 0

    def _add_node(self, name: str, key: bytes, signer: SigningKey | None) -> None:
        node = Node(
            name=name,
            number=len(self.nodes),
            signer=signer,
            key=key,
            parameters=self.parameters,
            authorities=self.authorities,
            world=self,
            disk=Disk(),
        )
        self.nodes.append(node)

    # --- what runs do -------------------------------------------------------------------------------------------

    def start(self) -> World:
        """Start every node."""
        for node in self.nodes:
            node.start()
        return self

    def offer(self) -> bytes:
        """Give a new transaction to every node."""
        self._sequence += 1
        transaction = b"transaction %d" % self._sequence
        for node in self.nodes:
            node.offer(transaction)
        return transaction

    def offer_every(self, interval_ms: int) -> None:
        """Keep giving transactions, for ever."""
        self.offer()
        self.clock.after(interval_ms, lambda: self.offer_every(interval_ms))

    def run_until(self, done: Callable[[], bool], *, within_ms: int) -> None:
        """Let time pass until `done`. Raises `Broken` if it is not within that time."""
        deadline_ms = self.clock.now_ms + within_ms
        while not done():
            if not self.clock.step() or self.clock.now_ms > deadline_ms:
                raise Broken(f"not done within {within_ms} ms: heights {[node.height for node in self.nodes]}")

    def run_for(self, duration_ms: int) -> None:
        """Let time pass."""
        over: list[bool] = []
        self.clock.after(duration_ms, lambda: over.append(True))
        while not over:
            self.clock.step()

    def part(self, *sides: Iterable[int]) -> None:
        """Part the network."""
        self.network.weather.sides = {node: side for side, nodes in enumerate(sides) for node in nodes}

    def heal(self) -> None:
        """Good weather, no crashes, everybody up and connected."""
        self.crash_percent = 0
        self.network.calm()
        for node in self.nodes:
            if node.engine is None:
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
        if node in self.honest:
            self.invariants.sent(message)
        for actor in self._actors.values():
            actor.observe(message)
        data = encode_message(message)
        for other in self.nodes:
            if other.key != node.key and peer in (None, other.key):
                self.network.send(node.number, other.number, type(message).__name__, data)

    def inject(self, number: int, targets: Iterable[Node], message: Message) -> None:
        """An actor's send, under the key of authority `number`."""
        for target in targets:
            self.network.send(-1 - number, target.number, type(message).__name__, encode_message(message))

    def _deliver(self, source: int, target: int, data: bytes) -> None:
        key = key_of(-1 - source).public_key if source < 0 else self.nodes[source].key
        self.nodes[target].receive(key, data)

    def syncs(self, node: Node) -> None:
        """A node may crash whenever it syncs."""
        if self.crash_percent and self.chance.happens(self.crash_percent):
            life = node.life
            self.clock.after(self.chance.between(1, self.down_ms), lambda: self._restart(node, life))
            raise Crash

    def _restart(self, node: Node, life: int) -> None:
        if node.engine is None and node.life == life:
            node.start()
            for other in self.nodes:
                if other.key != node.key and other.engine is not None:
                    node.connect(other.key)
                    other.connect(node.key)

    def committed(self, node: Node, action: Commit) -> None:
        """A node has committed."""
        if node in self.honest:
            self.invariants.committed(action.block, action.certificate)
        if self.on_commit is not None:
            self.on_commit(node, action)

    def reported(self, node: Node, action: Report) -> None:
        """A node accuses."""
        self.evidence.append((node, action))
        if node in self.honest:
            self.invariants.reported(action.evidence)

    def number_of(self, key: SigningKey) -> int:
        """The place of an authority's key in the set."""
        number = self.authorities.index_of(key.public_key)
        assert number is not None
        return number

    def note(self, node: Node, what: str) -> None:
        """A line of the transcript."""
        if len(self.transcript) < TRANSCRIPT_LINES_MAX:
            self.transcript.append(f"{self.clock.now_ms:6} ms  {node.name}  {what}")
