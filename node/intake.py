"""Transactions come in: from this node's own API and from other authorities; each is verified once, then pooled.

Verifying is what a flood would use up, so sources take turns at it, a chunk each: every caller of the API is a source,
and so is every authority that gossips. A chunk waits for at most one of every other source, and no source may have more
waiting than is left free for others (`fairness.Room`).

What was submitted here is gossiped to every authority at once; what came by gossip is not passed on, for authorities
are a full mesh. What stays in the pool too long is sent once more, in case a peer never got it: a leader that does not
know of a transaction does not propose it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from node.fairness import FairQueue, Room
from node.ledger import Ledger, OnLedger, Opened
from node.network import PAYLOAD_MAX, Channel, Mesh, Peer, ProtocolViolation
from registry.codec import decode, encode
from registry.errors import CodecError, TransactionError
from registry.limits import WIRE_BYTES_MAX
from registry.transactions.envelope import CODES

__all__ = ["Intake", "Submitted", "wires_in"]

CHUNK_WIRES_MAX = 32  # verified in one go: about 2 ms, for as long as which a proposal may have to wait
CHUNK_BYTES_MAX = 64 * 1024
WAITING_BYTES_MAX = 32 * 1024 * 1024  # of transactions that wait to be verified
WAITING_EACH_MAX = 8 * 1024 * 1024  # bytes, of one source
WIRE_COST_BYTES = 64  # of memory, for each transaction that waits, however small it is
GOSSIP_WIRES_MAX = 4096  # in one gossip message
GOSSIP_BYTES_MAX = 256 * 1024  # a message is sent when this much has come together
GOSSIP_EVERY_S = 0.004  # messages are sent no more often: transactions that come meanwhile travel together
AGAIN_AFTER_S = 1.0  # what is oldest in the pool for so long is gossiped again
AGAIN_WIRES_MAX = 256
AGAIN_BYTES_MAX = 64 * 1024
BAD_MAX = 100  # transactions that no honest peer passes on (`_FAULTS`), before it is disconnected

_log = structlog.get_logger(room="intake")
Submitted = bytes | TransactionError
"""The transaction's id: it is pending or final; or why it is neither."""


@dataclass(slots=True)
class _Chunk:
    """Transactions that wait to be verified together: of a peer's gossip, or of a submission that is waited for."""

    source: str
    wires: list[bytes]
    peer: Peer | None
    results: asyncio.Future[list[Submitted]] | None

    @property
    def size(self) -> int:
        """What it counts in the room for what waits."""
        return _size(self.wires)


class Intake:
    """Verifies, pools and gossips. `on_work` is called whenever the pool has something."""

    def __init__(self, ledger: Ledger, mesh: Mesh, *, on_work: Callable[[], None]) -> None:
        self._ledger = ledger
        self._mesh = mesh
        self._on_work = on_work
        self._waiting: FairQueue[_Chunk] = FairQueue()
        self._room = Room(most=WAITING_BYTES_MAX, each_max=WAITING_EACH_MAX)
        self._verifying = False
        self._outgoing: list[bytes] = []
        self._outgoing_bytes = 0
        self._flushed_at = 0.0
        self._flush_timer: asyncio.TimerHandle | None = None
        self._oldest: set[bytes] = set()
        self.bad: Counter[bytes] = Counter()
        """Transactions that peers should not have passed on, by certificate: a name and a seat may pass to others."""
        self.dropped = 0
        """Gossiped transactions dropped because too many waited."""

    async def submit(self, wires: Sequence[bytes], *, by: str) -> list[Submitted]:
        """Verify, pool and gossip what the caller `by` sends; one result each, in order.

        What is pending or final already counts as accepted.
        """
        source = f"caller {by}"
        if not self._room.fits(source, _size(wires)):
            reason = "too much of this caller waits to be verified here: try again later, or at another node"
            return [TransactionError("mempool_full", "transaction", reason) for _ in wires]
        loop = asyncio.get_running_loop()
        chunks = [_Chunk(source, part, None, loop.create_future()) for part in _parts(wires)]
        for chunk in chunks:
            self._put(chunk)
        results: list[Submitted] = []
        for chunk in chunks:
            assert chunk.results is not None
            results += await chunk.results
        return results

    def received(self, peer: Peer, payload: bytes) -> None:
        """Gossip arrived. Raises `ProtocolViolation`. What an observer sends is let pass unread, as in `Runtime`."""
        if peer.role != "authority":
            return
        wires = wires_in(payload)
        source = f"peer {peer.name}"
        if not self._room.fits(source, _size(wires)):
            self.dropped += len(wires)
            return
        for part in _parts(wires):
            self._put(_Chunk(source, part, peer, None))

    def connected(self, peer: Peer) -> None:
        """There is a connection to an authority: it may have missed what waits here."""
        wires = [each.wire for each in self._ledger.pool.take(AGAIN_WIRES_MAX, AGAIN_BYTES_MAX)]
        if wires:
            self._mesh.send(peer.id, Channel.TRANSACTIONS, encode(wires))

    async def run_again(self) -> None:
        """Gossip again what has been the oldest in the pool for a while, and drop what has expired meanwhile."""
        while True:
            await asyncio.sleep(AGAIN_AFTER_S)
            self._ledger.forget_expired()
            pool = self._ledger.pool
            oldest = {each.id: each.wire for each in pool.take(AGAIN_WIRES_MAX, AGAIN_BYTES_MAX)}
            stuck = [wire for id_, wire in oldest.items() if id_ in self._oldest]
            self._oldest = set(oldest)
            for wire in stuck:
                self._gossip(wire)
            if stuck:
                self._on_work()

    def _put(self, chunk: _Chunk) -> None:
        self._waiting.put(chunk.source, chunk)
        self._room.take(chunk.source, chunk.size)
        if not self._verifying:
            self._verify_next()

    def _verify_next(self) -> None:
        """One chunk at a time, so that consensus never waits for more than one."""
        self._verifying = len(self._waiting) > 0
        if self._verifying:
            chunk = self._waiting.take()
            self._ledger.open(chunk.wires, lambda opened: self._verified(chunk, opened))

    def _verified(self, chunk: _Chunk, opened: list[Opened]) -> None:
        self._verify_next()
        self._room.give_back(chunk.source, chunk.size)
        results = [self._take_in(each, local=chunk.peer is None) for each in opened]
        if len(self._ledger.pool):
            self._on_work()
        if chunk.peer is not None:
            self._blame(chunk.peer, results)
        elif chunk.results is not None and not chunk.results.done():
            chunk.results.set_result(results)

    def _take_in(self, opened: Opened, *, local: bool) -> Submitted:
        if isinstance(opened, TransactionError):
            return opened
        if isinstance(opened, OnLedger):
            return opened.id
        try:
            self._ledger.pool.add(opened.transaction, opened.sender)
        except TransactionError as error:
            return opened.transaction.id if error.code == "duplicate_pending" else error
        if local:
            self._gossip(opened.transaction.wire)
        return opened.transaction.id

    def _blame(self, peer: Peer, results: list[Submitted]) -> None:
        """An honest peer has verified what it passes on.

        That a pool is full or a time has passed is no fault, nor that the peer's software is newer and knows more.
        """
        bad = [each for each in results if isinstance(each, TransactionError) and each.code in _FAULTS]
        if not bad:
            return
        self.bad[peer.certificate] += len(bad)
        _log.warning("bad transactions in gossip", peer=peer.name, count=len(bad), code=bad[0].code)
        if self.bad[peer.certificate] >= BAD_MAX:
            self.bad[peer.certificate] = 0
            self._mesh.disconnect(peer.id, "passes on bad transactions")

    def _gossip(self, wire: bytes) -> None:
        if self._outgoing_bytes + len(wire) > GOSSIP_BYTES_MAX or len(self._outgoing) == GOSSIP_WIRES_MAX:
            self._flush()
        self._outgoing.append(wire)
        self._outgoing_bytes += len(wire)
        if self._flush_timer is None:
            loop = asyncio.get_running_loop()
            self._flush_timer = loop.call_at(max(loop.time(), self._flushed_at + GOSSIP_EVERY_S), self._flush)

    def _flush(self) -> None:
        if self._flush_timer is not None:
            self._flush_timer.cancel()
            self._flush_timer = None
        if self._outgoing:
            self._flushed_at = asyncio.get_running_loop().time()
            self._mesh.broadcast(Channel.TRANSACTIONS, encode(self._outgoing), role="authority")
            self._outgoing = []
            self._outgoing_bytes = 0


_FAULTS = frozenset({"wrong_chain", "unsigned", "bad_signature"})
"""No software passes these on. What cannot be read here may be what newer software reads: nodes are upgraded one by one
while clients speak to all of them. It costs its sender's turn, and less than a signature."""
assert set(CODES) >= _FAULTS
assert PAYLOAD_MAX[Channel.TRANSACTIONS] > WIRE_BYTES_MAX + GOSSIP_BYTES_MAX


def _size(wires: Sequence[bytes]) -> int:
    """Bytes that the bounds count: those of the transactions, and what each costs beside them."""
    return sum(map(len, wires)) + WIRE_COST_BYTES * len(wires)


def _parts(wires: Sequence[bytes]) -> list[list[bytes]]:
    """Cut into chunks."""
    parts: list[list[bytes]] = []
    size = CHUNK_BYTES_MAX + 1
    for wire in wires:
        size += len(wire)
        if size > CHUNK_BYTES_MAX or len(parts[-1]) == CHUNK_WIRES_MAX:
            parts.append([])
            size = len(wire)
        parts[-1].append(wire)
    return parts


def wires_in(payload: bytes) -> list[bytes]:
    """The transactions in a gossip message. Raises `ProtocolViolation`."""
    try:
        value = decode(payload, size_max=PAYLOAD_MAX[Channel.TRANSACTIONS], items_max=GOSSIP_WIRES_MAX)
    except CodecError as error:
        raise ProtocolViolation(f"gossip: {error}") from error
    if not isinstance(value, list) or not 0 < len(value) <= GOSSIP_WIRES_MAX:
        raise ProtocolViolation(f"gossip: a list of 1 to {GOSSIP_WIRES_MAX} transactions is expected")
    wires = [wire for wire in value if type(wire) is bytes]
    if len(wires) != len(value):
        raise ProtocolViolation("gossip: a transaction is bytes")
    return wires
