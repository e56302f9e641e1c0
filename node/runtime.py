"""Runs the consensus engine: events one at a time, actions in order, a Persist durable before what follows it.

What peers say waits undecoded, of each peer in bounds of its own, and is taken in turns, one message of each; the
sockets have their turn in between. Who says what no honest peer says is disconnected, and what else of it waits is
dropped: a message that does not decode, or a signature that is not its signer's, for a peer verifies what it passes on.

Three threads, each with one job. The event loop hands events to the engine. The *ledger* thread is the only one that
builds, checks, opens and commits: its results come back as events. The *journal* thread writes the record, so that a
slow disk holds up this node's votes but not its loop. The clock is read here and nowhere below.

Whatever the engine or the ledger raises means that this node contradicts itself: it halts.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import structlog

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
    TimerName,
    Verdict,
    Work,
)
from consensus.events import Committed as EngineCommitted
from consensus.evidence import Evidence
from consensus.messages import Decided, check_size, decode_message, encode_message
from consensus.votes import Certificate, Kind
from node import layout
from node.chain import CLOCK_TOLERANCE_MS, Committed
from node.clock import clock_ms
from node.fairness import FairQueue
from node.guard import VoteGuard
from node.ledger import Ledger
from node.network import Channel, Mesh, Peer, ProtocolViolation
from node.store import Store
from node.views import decided
from node.watch import Watch
from node.worker import Worker
from registry.codec import decode, encode
from registry.keys import SignatureInvalid, verify

__all__ = ["Runtime", "Verifying"]

WAITING_MAX = 2_000  # messages of one peer that wait for the engine; those beyond are dropped, they are sent again (R8)
WAITING_BYTES_MAX = 16 * 1024 * 1024  # of one peer's messages, as they came
EMPTY_PAUSE_S = 0.25  # after a block without transactions although some wait: its leader may not include them yet
ANSWERS_MAX = 4  # decided blocks being read for one peer; it asks again for what it does not get (R8)

_OWN = ""  # the source of events that no peer sent

_log = structlog.get_logger(room="consensus")


@dataclass(frozen=True, slots=True)
class _Unread:
    """A message of a peer as it came."""

    peer: bytes
    payload: bytes


class Verifying:
    """`registry.keys.verify` for an engine, and how many signatures have failed."""

    def __init__(self) -> None:
        self.failed = 0

    def __call__(self, public_key: bytes, domain: bytes, chain_id: bytes, message: bytes, signature: bytes) -> None:
        """Return if the signature is good. Raises `SignatureInvalid`."""
        try:
            verify(public_key, domain, chain_id, message, signature)
        except SignatureInvalid:
            self.failed += 1
            raise


class Runtime:
    """One engine and what it needs. `run` ends only by cancellation; an exception out of it means: halt."""

    def __init__(
        self,
        *,
        engine: Engine,
        verifying: Verifying,
        store: Store,
        ledger: Ledger,
        mesh: Mesh,
        journal: Worker,
        reader: Worker,
        watch: Watch,
        guard: VoteGuard,
        on_evidence: Callable[[Evidence], None],
    ) -> None:
        self._engine = engine
        self._verifying = verifying  # by which the engine verifies
        self._watch = watch
        self._guard = guard
        self._on_evidence = on_evidence
        self._store = store
        self._ledger = ledger
        self._mesh = mesh
        self._journal = journal
        self._reader = reader
        self._events: FairQueue[Event | _Unread] = FairQueue()
        self._bytes: Counter[str] = Counter()  # of each peer's messages among the events
        self._some = asyncio.Event()
        self._timers: dict[TimerName, asyncio.TimerHandle] = {}
        self._work_told = False
        self._started = False
        self._looked_at = (0, 0, 0)  # the place of the engine when the views of its height were looked at
        self._nullified: set[tuple[int, int]] = set()  # height and view of those that are counted
        self._alarm_said = ""
        self.accused: set[bytes] = set()
        """Consensus keys that provably misbehaved."""
        self.answering: Counter[bytes] = Counter()
        """Decided blocks that are being read, by the peer that asked."""
        ledger.listen(self._committed)

    @property
    def height(self) -> int:
        """The height in progress."""
        return self._ledger.tip.height + 1

    @property
    def view(self) -> int:
        """The view in progress."""
        return self._engine.view if self._started else 0

    @property
    def alarm(self) -> str:
        """Why this node has stopped voting, or empty."""
        return "" if self.votes else self._alarm_said

    @property
    def votes(self) -> bool:
        """Whether this node takes part."""
        return self._started and self._engine.votes

    async def run(self) -> None:
        """Start the engine on the tip and its record, and keep it running."""
        with self._store.snapshot() as reader:
            size = len(layout.CONSENSUS)
            record = {key[size:]: value for key, value in reader.scan(layout.CONSENSUS)}
        tip, authorities = self._ledger.tip, self._ledger.authorities
        await self._handle(Start(tip_height=tip.height, tip=tip.block_hash, authorities=authorities, record=record))
        self._started = True
        self._nullified = self._nullified_views()  # in the record: they failed before this process began
        if tip.height == 0:
            self.work()  # nothing can be proved before the first block: a heartbeat is due at once (R11)
        while True:
            while not self._events:
                self._some.clear()
                await self._some.wait()
            await self._take()
            await asyncio.sleep(0)  # an await of what is there does not let others go on

    def received(self, peer: Peer, payload: bytes) -> None:
        """A consensus message arrived. Raises `ProtocolViolation`.

        One from an observer is let pass unread: it may be an authority from the next height on, or think it still is.
        """
        if peer.role != "authority":
            return
        try:
            check_size(payload)
        except MessageError as error:
            raise ProtocolViolation(f"consensus message: {error}") from error
        source, size = peer.id.hex(), len(payload)
        if self._events.waiting(source) < WAITING_MAX and self._bytes[source] + size <= WAITING_BYTES_MAX:
            self._bytes[source] += size
            self._put(_Unread(peer.id, payload), source)

    def connected(self, peer: Peer) -> None:
        """There is a connection to an authority."""
        self._put(Connected(peer.id))

    def work(self) -> None:
        """Something to put into a block is at hand."""
        if not self._work_told:
            self._work_told = True
            self._put(Work(True))

    def _put(self, event: Event | _Unread, source: str = _OWN) -> None:
        self._events.put(source, event)
        self._some.set()

    async def _take(self) -> None:
        """Handle the next event."""
        event = self._events.take()
        if not isinstance(event, _Unread):
            await self._handle(event)
            return
        self._bytes[event.peer.hex()] -= len(event.payload)
        try:
            message = decode_message(event.payload)
        except MessageError as error:
            self._end(event.peer, f"consensus message: {error}")
        else:
            await self._handle(Received(event.peer, message))

    def _end(self, peer: bytes, reason: str) -> None:
        """No honest peer says this: nothing more of it is listened to."""
        self._mesh.disconnect(peer, reason)
        self._events.drop(peer.hex())
        del self._bytes[peer.hex()]

    async def _handle(self, event: Event) -> None:
        failed = self._verifying.failed
        actions = self._engine.handle(event)
        if isinstance(event, Received) and self._verifying.failed > failed:
            self._end(event.peer, "consensus message: a signature in it is not its signer's")
        if self._started:
            self._note_failed_views()
        for action in actions:
            if isinstance(action, Persist):
                await self._journal.run(partial(self._write, action))  # durable before the next action
            else:
                self._actions[type(action)](self, action)

    def _note_failed_views(self) -> None:
        """A view has failed once a quorum has given it up: what was only notarized is left (R4), and may be final."""
        place = self._engine.place
        if place == self._looked_at or self._engine.height != self.height:
            return
        self._looked_at = place
        nullified = self._nullified_views()
        for height, view in sorted(nullified - self._nullified):
            self._watch.view_failed(height, view, self._ledger.authorities)
        self._nullified = nullified

    def _nullified_views(self) -> set[tuple[int, int]]:
        """Those of the height in progress, each with its height."""
        held = self._engine.certificates()
        return {(each.height, each.view) for each in held if each.kind is Kind.NULLIFY}

    # --- what becomes of actions ----------------------------------------------------------------------------------

    def _write(self, action: Persist) -> None:
        puts: dict[bytes, bytes | None] = {layout.CONSENSUS + key: value for key, value in action.puts}
        puts.update({layout.CONSENSUS + key: None for key in action.deletes})
        key, value = self._guard.put()
        puts[key] = value
        self._store.write(puts, sync=True)
        self._guard.written()

    def _send(self, action: Send) -> None:
        self._mesh.send(action.peer, Channel.CONSENSUS, encode_message(action.message))

    def _broadcast(self, action: Broadcast) -> None:
        self._mesh.broadcast(Channel.CONSENSUS, encode_message(action.message), role="authority")

    def _send_decided(self, action: SendDecided) -> None:
        def read() -> bytes | None:
            with self._store.snapshot() as reader:
                found = decided(reader, action.height)
            if found is None:
                return None  # pruned: the peer fetches it from another (`consensus.following`)
            block, certificate = found
            return encode_message(Decided(Block.decode(block), Certificate.from_value(decode(certificate))))

        def send(payload: bytes | None) -> None:
            self.answering[action.peer] -= 1
            self.answering += Counter()  # without those that have none
            if payload is not None:
                self._mesh.send(action.peer, Channel.CONSENSUS, payload)

        if self.answering[action.peer] < ANSWERS_MAX:
            self.answering[action.peer] += 1
            self._reader.do(read, send, source=action.peer.hex())

    def _set_timer(self, action: SetTimer) -> None:
        pending = self._timers.pop(action.name, None)
        if pending is not None:
            pending.cancel()
        due = Timer(action.name, action.token)
        loop = asyncio.get_running_loop()
        self._timers[action.name] = loop.call_later(action.delay_ms / 1000, self._put, due)

    def _build(self, action: Build) -> None:
        self._ledger.build(proposer=action.proposer, then=self._built)

    def _built(self, block: Block) -> None:
        self._put(Built(block))

    def _check(self, action: Check) -> None:
        block, drift_ms = action.block, abs(action.block.header.timestamp_ms - clock_ms())

        def checked(reason: str | None) -> None:
            if reason is not None:
                verdict = Verdict.INVALID
            else:
                verdict = Verdict.VALID if drift_ms <= CLOCK_TOLERANCE_MS else Verdict.UNTIMELY
            if verdict is not Verdict.VALID:
                _log.warning("proposal refused", height=block.header.height, reason=reason, drift_ms=drift_ms)
            self._put(Checked(block.hash, verdict))

        self._ledger.check(block, checked)

    def _commit(self, action: Commit) -> None:
        clears: dict[bytes, bytes | None] = {layout.CONSENSUS + key: None for key in action.clears}
        self._ledger.commit(action.block, encode(action.certificate.to_value()), puts=clears)

    def _committed(self, committed: Committed) -> None:
        """The ledger has a new block, by the engine's `Commit` or by fetching."""
        tip = self._ledger.tip
        assert tip.block_hash == committed.block_hash, "heard of in order, one at a time"
        self._put(
            EngineCommitted(
                height=tip.height,
                block=tip.block_hash,
                next_authorities=self._ledger.authorities,
                certificate=tip.certificate,
            )
        )
        self._work_told = False
        if committed.transactions:
            self._work_if_any()
        else:
            asyncio.get_running_loop().call_later(EMPTY_PAUSE_S, self._work_if_any)

    def _work_if_any(self) -> None:
        if len(self._ledger.pool):
            self.work()

    def _report(self, action: Report) -> None:
        self.accused.add(action.evidence.accused)
        _log.error("an authority has provably misbehaved", accused=action.evidence.accused.hex())
        self._on_evidence(action.evidence)

    def _alarm(self, action: Alarm) -> None:
        self._alarm_said = f"{action.code.value}: {action.reason}"
        _log.critical("this node has stopped voting", code=action.code.value, reason=action.reason)

    _actions: ClassVar[dict[type, Callable[[Runtime, Any], None]]] = {
        Send: _send,
        Broadcast: _broadcast,
        SendDecided: _send_decided,
        SetTimer: _set_timer,
        Build: _build,
        Check: _check,
        Commit: _commit,
        Report: _report,
        Alarm: _alarm,
    }
