"""A node of the simulation: the runner of `consensus.events`' contract, with a disk and a ledger of a few lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from consensus.authorities import AuthoritySet
from consensus.blocks import Block
from consensus.engine import Engine
from consensus.errors import MessageError
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
from consensus.messages import Decided, Message
from consensus.parameters import Parameters
from consensus.simulation.clock import Clock
from consensus.simulation.disk import Disk
from consensus.simulation.ledger import EPOCH_MS, build, judge, next_set
from consensus.simulation.memo import Memo
from consensus.votes import Vote
from registry.keys import Signer

__all__ = ["Node", "Surroundings"]

_RECORD, _CHAIN, _TIP = b"record/", b"chain/", b"tip"
_THINKING_MS = 2  # to build or check a block
_SYNC_MS = 1  # to make a block durable
_TRANSACTIONS_PER_BLOCK = 8


class Surroundings(Protocol):
    """What a node sees of the world."""

    clock: Clock
    memo: Memo

    def carry(self, node: Node, peer: bytes | None, message: Message) -> None:
        """Send to one peer, or to all if it is None."""

    def syncs(self, node: Node) -> None:
        """The node is about to sync its disk, or has just done so: it may crash here (by raising `Crash`)."""

    def note(self, node: Node, what: str) -> None:
        """A line of the transcript."""

    def says(self, node: Node, message: Message) -> None:
        """The node tells this to everybody: another line, if somebody reads it."""

    def committed(self, node: Node, decided: Decided, following: AuthoritySet) -> None:
        """The node has made a block final, and knows the set that follows."""

    def reported(self, node: Node, action: Report) -> None:
        """The node accuses someone."""

    def started(self, node: Node) -> None:
        """The node has read its disk and is about to begin."""

    def connected(self, node: Node, peer: bytes) -> None:
        """The node has a connection to this peer (again)."""

    def handled(self, node: Node) -> None:
        """The node has done what an event asked of it."""


class Crash(Exception):
    """The node has lost power in the middle of its actions."""


@dataclass(slots=True, eq=False)
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
    genesis: AuthoritySet
    world: Surroundings
    disk: Disk
    honest: bool = True
    """Whether the invariants hold for it; they do not for a twin."""
    offset_ms: int = 0
    """How far its clock is ahead of the world's at first."""
    rate_permille: int = 0
    """How much faster than the world's its clock goes."""
    engine: Engine | None = None
    """None while the node is down."""
    life: int = 0
    """How often it was started: what was scheduled in an earlier life does not happen."""
    pool: list[bytes] = field(default_factory=list)
    """Transactions to include; in memory only."""
    alarms: tuple[Alarm, ...] = ()
    durable_votes: set[Vote] = field(default_factory=set)
    """Own votes that the invariants have seen on the disk in this life."""
    authorities: AuthoritySet = field(init=False)
    """In force at the height above the tip."""
    _tip: Decided | None = field(init=False, default=None)
    _committing: bool = field(init=False, default=False)
    """A block is final on the disk, and the engine has not been told."""

    def __post_init__(self) -> None:
        self.authorities = self.genesis

    def start(self) -> None:
        """Switch on, with what is on the disk."""
        assert self.engine is None
        self.disk.crash()
        self.life += 1
        self.pool.clear()
        self._committing = False
        self.durable_votes.clear()
        self.authorities = self._replay()
        self.world.started(self)
        self.engine = Engine(self.parameters, self.signer, verifier=self.world.memo.verify)
        tip = self._tip
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
        return 0 if self._tip is None else self._tip.height

    def decided(self, height: int) -> Decided | None:
        """The final block of a height."""
        data = self.disk.get(_CHAIN + height.to_bytes(8, "big"))
        if data is None:
            return None
        message = self.world.memo.decode(data)
        assert isinstance(message, Decided)
        return message

    def tip(self) -> Decided | None:
        """The latest final block."""
        return self._tip

    def record(self, key: bytes) -> bytes | None:
        """What the record has durably under this key."""
        return self.disk.durable(_RECORD + key)

    def lose_disk(self) -> None:
        """Switch off, and come back with nothing."""
        self.stop()
        self.disk.wipe()
        self._tip = None

    def offer(self, transaction: bytes) -> None:
        """A transaction to include."""
        if self.engine is not None:
            self.pool.append(transaction)
            self.handle(Work(True))

    def receive(self, peer: bytes, data: bytes) -> Message | None:
        """Bytes have arrived: the message that was handled. What is no message is dropped."""
        if self.engine is None:
            return None
        try:
            message = self.world.memo.decode(data)
        except MessageError:
            return None
        self.handle(Received(peer, message))
        return message

    def connect(self, peer: bytes) -> None:
        """A connection was made."""
        self.world.connected(self, peer)
        self.handle(Connected(peer))

    def handle(self, event: Event) -> None:
        """Give an event to the engine and do what it says, in order."""
        if self.engine is None:
            return
        try:
            for action in self.engine.handle(event):
                _DOERS[type(action)](self, action)
        except Crash:
            self._lose_power()
        else:
            self.world.handled(self)

    def add_final(self, decided: Decided) -> None:
        """Commit a block that was fetched and verified, unless it is here; later, if the engine is at it now."""
        if self._committing:
            self._later_do(_SYNC_MS, lambda: self.add_final(decided))
        elif self.engine is not None and decided.height == self.height + 1:
            try:
                self._make_final(decided, clears=(), fetched=True)
            except Crash:
                self._lose_power()
            else:
                self.world.handled(self)

    def _lose_power(self) -> None:
        self.stop()
        self.disk.crash()

    def _replay(self) -> AuthoritySet:
        """Read the chain on the disk: its tip, and the set in force above it."""
        authorities = self.genesis
        self._tip = None
        tip_height = int.from_bytes(self.disk.get(_TIP) or b"", "big")
        for height in range(1, tip_height + 1):
            self._tip = self.decided(height)
            assert self._tip is not None, "a block of the chain is missing"
            authorities = next_set(authorities, self._tip.block.transactions)
        return authorities

    def _later(self, delay_ms: int, event: Event | Callable[[], Event]) -> None:
        self.world.clock.after(delay_ms, self._happen, self.life, event)

    def _later_do(self, delay_ms: int, deed: Callable[[], None]) -> None:
        life = self.life
        self.world.clock.after(delay_ms, lambda: deed() if self.life == life else None)

    def _happen(self, life: int, event: Event | Callable[[], Event]) -> None:
        if self.engine is not None and self.life == life:
            self.handle(event() if callable(event) else event)

    def _sync(self, puts: tuple[tuple[bytes, bytes], ...], deletes: tuple[bytes, ...]) -> None:
        self.disk.write(puts, deletes)
        self.world.syncs(self)  # a crash here loses the write
        self.disk.sync()

    def _now_ms(self) -> int:
        now_ms = self.world.clock.now_ms
        return EPOCH_MS + self.offset_ms + now_ms + now_ms * self.rate_permille // 1_000

    def _parent_time_ms(self) -> int:
        return EPOCH_MS if self._tip is None else self._tip.block.header.timestamp_ms

    def _judge(self, block: Block) -> Verdict:
        return judge(block, authorities=self.authorities, parent_time_ms=self._parent_time_ms(), time_ms=self._now_ms())

    def _persist(self, action: Persist) -> None:
        puts = tuple((_RECORD + key, value) for key, value in action.puts)
        self._sync(puts, tuple(_RECORD + key for key in action.deletes))
        self.world.syncs(self)  # a crash here loses what should have followed

    def _send(self, action: Send) -> None:
        self.world.carry(self, action.peer, action.message)

    def _broadcast(self, action: Broadcast) -> None:
        self.world.says(self, action.message)
        self.world.carry(self, None, action.message)

    def _send_decided(self, action: SendDecided) -> None:
        decided = self.decided(action.height)
        if decided is not None:
            self.world.carry(self, action.peer, decided)

    def _set_timer(self, action: SetTimer) -> None:
        delay_ms = action.delay_ms * 1_000 // (1_000 + self.rate_permille)
        self._later(delay_ms, Timer(action.name, action.token))

    def _build(self, action: Build) -> None:
        block = build(
            genesis_id=self.parameters.genesis_id,
            authorities=self.authorities,
            height=action.height,
            parent=action.parent,
            parent_time_ms=self._parent_time_ms(),
            proposer=action.proposer,
            time_ms=self._now_ms(),
            transactions=self.pool[:_TRANSACTIONS_PER_BLOCK],
        )
        self._later(_THINKING_MS, Built(block))

    def _check(self, action: Check) -> None:
        self._later(_THINKING_MS, lambda: Checked(action.block.hash, self._judge(action.block)))

    def _commit(self, action: Commit) -> None:
        decided = Decided(action.block, action.certificate)
        if decided.height > self.height:
            self._make_final(decided, clears=action.clears, fetched=False)
            return
        kept = self.decided(decided.height)  # fetched while the engine decided it: it is told of that in a moment
        assert kept is not None
        assert kept.block.hash == action.block.hash, "two final blocks at one height: the ledger has forked"
        self._sync((), tuple(_RECORD + key for key in action.clears))

    def _make_final(self, decided: Decided, *, clears: tuple[bytes, ...], fetched: bool) -> None:
        block, height = decided.block, decided.height
        assert self._judge(block) is not Verdict.INVALID, "the final block does not execute to its roots"
        key = height.to_bytes(8, "big")
        puts = ((_CHAIN + key, self.world.memo.encode(decided)), (_TIP, key))
        self._sync(puts, tuple(_RECORD + key for key in clears))
        self.world.note(self, f"{'adds' if fetched else 'commits'} height {height}, block {block.hash.hex()[:8]}")
        self._tip = decided
        self.authorities = next_set(self.authorities, block.transactions)
        self._committing = True
        self.world.committed(self, decided, self.authorities)
        self.world.syncs(self)
        included = set(block.transactions)
        self.pool = [transaction for transaction in self.pool if transaction not in included]
        certificate = decided.certificate if fetched else None
        committed = Committed(
            height=height, block=block.hash, next_authorities=self.authorities, certificate=certificate
        )
        self._later(_SYNC_MS, lambda: self._told(committed))
        self._later(_SYNC_MS, lambda: Work(bool(self.pool)))

    def _told(self, committed: Committed) -> Committed:
        self._committing = False
        return committed

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
