"""A node of the simulation: the runner of `consensus.events`' contract, with a disk and a ledger of a few lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from consensus.authorities import AuthoritySet
from consensus.blocks import Block
from consensus.engine import Engine
from consensus.events import (
    Alarm,
    Broadcast,
    Build,
    Built,
    Check,
    Checked,
    Commit,
    Committed,
    Connected,
    Event,
    Persist,
    Received,
    Report,
    Send,
    SendDecided,
    SetTimer,
    Start,
    Timer,
    Verdict,
    Work,
)
from consensus.messages import Decided, Message, decode_message, encode_message
from consensus.parameters import Parameters
from consensus.simulation.clock import Clock
from consensus.simulation.disk import Disk
from consensus.simulation.ledger import EPOCH_MS, build, judge
from registry.keys import Signer

__all__ = ["Node", "Surroundings"]

_RECORD, _CHAIN, _TIP = b"record/", b"chain/", b"tip"
_THINKING_MS = 2  # to build or check a block
_SYNC_MS = 1  # to make a block durable
_TRANSACTIONS_PER_BLOCK = 8


class Surroundings(Protocol):
    """What a node sees of the world."""

    clock: Clock

    def carry(self, node: Node, peer: bytes | None, message: Message) -> None:
        """Send to one peer, or to all if it is None."""

    def syncs(self, node: Node) -> None:
        """The node is about to sync its disk, or has just done so: it may crash here (by raising `Crash`)."""

    def note(self, node: Node, what: str) -> None:
        """A line of the transcript."""

    def committed(self, node: Node, action: Commit) -> None:
        """The node has made a block final."""

    def reported(self, node: Node, action: Report) -> None:
        """The node accuses someone."""


class Crash(Exception):
    """The node has lost power in the middle of its actions."""


@dataclass(slots=True)
class Node:
    """One simulated node. `signer` None is an observer."""

    name: str
    """For the transcript."""
    number: int
    """Its place among the nodes of the world; not that of its key among the authorities."""
    signer: Signer | None
    key: bytes
    """The name that its peers know it by."""
    parameters: Parameters
    authorities: AuthoritySet
    world: Surroundings
    disk: Disk
    drift_ms: int = 0
    engine: Engine | None = None
    """None while the node is down."""
    life: int = 0
    """How often it was started: what was scheduled in an earlier life does not happen."""
    pool: list[bytes] | None = None
    alarms: tuple[Alarm, ...] = ()

    def start(self) -> None:
        """Switch on, with what is on the disk."""
        assert self.engine is None
        self.disk.crash()
        self.life += 1
        self.pool = []
        self.engine = Engine(self.parameters, self.signer)
        tip = self.tip()
        tip_hash = self.parameters.genesis_id if tip is None else tip.block.hash
        height = 0 if tip is None else tip.height
        self.world.note(self, f"starts at height {height}")
        record = self.disk.under(_RECORD)
        self.handle(Start(tip_height=height, tip=tip_hash, authorities=self.authorities, record=record))

    def stop(self) -> None:
        """Switch off, at once."""
        if self.engine is not None:
            self.world.note(self, "stops")
        self.engine = None

    @property
    def height(self) -> int:
        """How many blocks are final here."""
        return int.from_bytes(self.disk.get(_TIP) or b"", "big")

    def decided(self, height: int) -> Decided | None:
        """The final block of a height."""
        data = self.disk.get(_CHAIN + height.to_bytes(8, "big"))
        return None if data is None else _decided(data)

    def tip(self) -> Decided | None:
        """The latest final block."""
        return self.decided(self.height)

    def offer(self, transaction: bytes) -> None:
        """A transaction to include."""
        if self.pool is not None and self.engine is not None:
            self.pool.append(transaction)
            self.handle(Work(True))

    def receive(self, peer: bytes, data: bytes) -> None:
        """Bytes have arrived."""
        self.handle(Received(peer, decode_message(data)))

    def connect(self, peer: bytes) -> None:
        """A connection was made."""
        self.handle(Connected(peer))

    def handle(self, event: Event) -> None:
        """Give an event to the engine and do what it says, in order."""
        if self.engine is None:
            return
        try:
            for action in self.engine.handle(event):
                _DOERS[type(action)](self, action)
        except Crash:
            self.stop()
            self.disk.crash()

    def _later(self, delay_ms: int, event: Callable[[], Event]) -> None:
        life = self.life

        def happen() -> None:
            if self.engine is not None and self.life == life:
                self.handle(event())

        self.world.clock.after(delay_ms, happen)

    def _sync(self, puts: tuple[tuple[bytes, bytes], ...], deletes: tuple[bytes, ...]) -> None:
        self.disk.write(puts, deletes)
        self.world.syncs(self)  # a crash here loses the write
        self.disk.sync()

    def _now_ms(self) -> int:
        return EPOCH_MS + self.world.clock.now_ms + self.drift_ms

    def _parent_time_ms(self) -> int:
        tip = self.tip()
        return EPOCH_MS if tip is None else tip.block.header.timestamp_ms

    def _judge(self, block: Block) -> Verdict:
        return judge(block, parent_time_ms=self._parent_time_ms(), time_ms=self._now_ms())

    def _persist(self, action: Persist) -> None:
        puts = tuple((_RECORD + key, value) for key, value in action.puts)
        self._sync(puts, tuple(_RECORD + key for key in action.deletes))
        self.world.syncs(self)  # a crash here loses what should have followed

    def _send(self, action: Send) -> None:
        self.world.carry(self, action.peer, action.message)

    def _broadcast(self, action: Broadcast) -> None:
        self.world.note(self, f"says {describe(action.message)}")
        self.world.carry(self, None, action.message)

    def _send_decided(self, action: SendDecided) -> None:
        decided = self.decided(action.height)
        if decided is not None:
            self.world.carry(self, action.peer, decided)

    def _set_timer(self, action: SetTimer) -> None:
        self._later(action.delay_ms, lambda: Timer(action.name, action.token))

    def _build(self, action: Build) -> None:
        block = build(
            genesis_id=self.parameters.genesis_id,
            authorities=self.authorities,
            height=action.height,
            parent=action.parent,
            parent_time_ms=self._parent_time_ms(),
            proposer=action.proposer,
            time_ms=self._now_ms(),
            transactions=(self.pool or [])[:_TRANSACTIONS_PER_BLOCK],
        )
        self._later(_THINKING_MS, lambda: Built(block))

    def _check(self, action: Check) -> None:
        self._later(_THINKING_MS, lambda: Checked(action.block.hash, self._judge(action.block)))

    def _commit(self, action: Commit) -> None:
        assert self._judge(action.block) is not Verdict.INVALID, "the final block does not execute to its roots"
        height = action.block.header.height
        decided = encode_message(Decided(action.block, action.certificate))
        key = height.to_bytes(8, "big")
        self._sync(((_CHAIN + key, decided), (_TIP, key)), tuple(_RECORD + key for key in action.clears))
        self.world.note(self, f"commits height {height}, block {action.block.hash.hex()[:8]}")
        self.world.committed(self, action)
        self.world.syncs(self)
        self.pool = [transaction for transaction in self.pool or [] if transaction not in action.block.transactions]
        committed = Committed(height=height, block=action.block.hash, next_authorities=self.authorities)
        self._later(_SYNC_MS, lambda: committed)
        self._later(_SYNC_MS, lambda: Work(bool(self.pool)))

    def _report(self, action: Report) -> None:
        self.world.note(self, f"accuses {action.evidence.accused.hex()[:8]}")
        self.world.reported(self, action)

    def _alarm(self, action: Alarm) -> None:
        self.world.note(self, f"alarms: {action.code.value}")
        self.alarms = (*self.alarms, action)


def describe(message: Message) -> str:
    """A few words about a message."""
    name = type(message).__name__.lower()
    kind = getattr(message, "kind", None)
    view = getattr(message, "view", None)
    block = getattr(message, "block", None)
    words = [name] if kind is None else [name, kind.name]
    words.append(f"h{message.height}")
    if view is not None:
        words.append(f"v{view}")
    if hasattr(message, "vote"):
        words.append(f"v{message.vote.view}")
    if isinstance(block, bytes):
        words.append(block.hex()[:8])
    elif block is not None:
        words.append(block.hash.hex()[:8])
    return " ".join(words)


def _decided(data: bytes) -> Decided:
    message = decode_message(data)
    assert isinstance(message, Decided)
    return message


_DOERS: dict[type, Callable[[Node, Any], None]] = {
    Persist: Node._persist,
    Send: Node._send,
    Broadcast: Node._broadcast,
    SendDecided: Node._send_decided,
    SetTimer: Node._set_timer,
    Build: Node._build,
    Check: Node._check,
    Commit: Node._commit,
    Report: Node._report,
    Alarm: Node._alarm,
}
