"""Following: late nodes and observers fetch ranges of decided blocks, and believe nothing that they have not checked.

Peers say how high their tip is; that is a hint whom to ask, never a fact. Ranges are asked of several peers at a time,
a few ahead of what is being committed. Each block must carry a FINALIZE certificate of the authorities known from the
block below (`consensus.light.verify_decided`), and executing it must give its roots. A peer that does not answer, or
answers with something else, is passed over for a while and the range is asked of another.

An observer does nothing else: when an authority has a new block it says so, and the block is fetched. What is committed
is on disk, so a restart continues where it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from consensus.blocks import Block
from consensus.errors import ConsensusError
from consensus.light import verify_decided
from consensus.messages import Decided
from consensus.votes import Certificate
from node.chain import Committed
from node.ledger import Ledger
from node.network import PAYLOAD_MAX, Channel, Mesh, Peer, ProtocolViolation
from node.store import Store
from node.views import decided
from node.worker import Worker
from registry.codec import Value, decode, encode
from registry.errors import CodecError

__all__ = ["RANGE_HEIGHTS_MAX", "Progress", "Synchroniser"]

RANGE_HEIGHTS_MAX = 64  # blocks in one answer
RANGE_BYTES_MAX = 2 * 1024 * 1024  # of blocks in one answer; one block may be larger
RANGES_AHEAD_MAX = 4  # asked for or waiting to be committed
ARRIVED_BYTES_MAX = 32 * 1024 * 1024  # of blocks that wait to be committed; then nothing more is asked for
ANSWER_TIMEOUT_S = 5.0
PASS_OVER_S = 10.0  # a peer that failed is not asked again for so long
ANNOUNCE_EVERY_S = 1.0  # to authorities, who hear of new blocks by themselves
ENGINE_PATIENCE_S = 3.0  # the engine's time for the last blocks; what it has not got by then is fetched here
SERVED_MAX = 4  # questions of one peer being answered
REPORT_EVERY_S = 2.0
HEIGHT_MAX = 2**53 - 1

_log = structlog.get_logger(room="sync")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a node that fetches has come. `target` is what enough connected authorities claim to have."""

    height: int
    target: int
    blocks_per_s: float


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question under way: heights `first` to `last`, unanswered until loop time `deadline`."""

    first: int
    last: int
    deadline: float


class Synchroniser:
    """Fetches what is missing and serves what others miss. `lag`: how far behind is the engine's at first."""

    def __init__(
        self, *, genesis_id: bytes, ledger: Ledger, store: Store, mesh: Mesh, reader: Worker, lag: Callable[[], int]
    ) -> None:
        self._genesis_id = genesis_id
        self._ledger = ledger
        self._store = store
        self._mesh = mesh
        self._reader = reader
        self._lag = lag
        self._claims: dict[bytes, int] = {}
        self._asked: dict[bytes, _Asked] = {}
        self._arrived: dict[int, tuple[Block, bytes, Peer]] = {}
        self._passed_over: dict[bytes, float] = {}
        self._serving: dict[bytes, int] = {}
        self._changed = asyncio.Event()
        self._announce_at = 0.0
        self._behind_since = 0.0  # loop time, 0 while nothing is missing
        self._since = (time.monotonic(), ledger.tip.height)
        self._rate = 0.0
        ledger.listen(self._committed)

    # --- what the node calls --------------------------------------------------------------------------------------

    def connected(self, peer: Peer) -> None:
        """Tell the peer how far this node is."""
        self._tell(peer.id)

    def disconnected(self, peer: Peer) -> None:
        """Ask somebody else."""
        self._claims.pop(peer.id, None)
        self._asked.pop(peer.id, None)
        self._changed.set()

    def received(self, peer: Peer, payload: bytes) -> None:
        """A message on the sync channel. Raises `ProtocolViolation`."""
        try:
            value = decode(payload, size_max=PAYLOAD_MAX[Channel.SYNC])
        except CodecError as error:
            raise ProtocolViolation(f"sync message: {error}") from error
        match value:
            case ["tip", int(height)] if 0 <= height <= HEIGHT_MAX:
                self._claims[peer.id] = height
                self._changed.set()
            case ["ask", int(first), int(last)] if 1 <= first <= last <= HEIGHT_MAX:
                self._serve(peer, first, min(last, first + RANGE_HEIGHTS_MAX - 1))
            case ["blocks", int(first), list(blocks)]:
                self._take(peer, first, blocks)
            case _:
                raise ProtocolViolation("sync: not a message of this protocol")

    async def run(self) -> None:
        """Fetch and commit for as long as the node lives."""
        while True:
            self._give_up_late_ones()
            ready = self._ready()
            if ready:
                await self._commit(ready)
                continue
            self._ask()
            if time.monotonic() >= self._announce_at:
                self._announce_at = time.monotonic() + ANNOUNCE_EVERY_S
                self._announce(role="authority")
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ANNOUNCE_EVERY_S):
                    await self._changed.wait()

    def progress(self) -> Progress:
        """For operators."""
        return Progress(self._ledger.tip.height, self._vouched(), round(self._rate, 1))

    def claim(self, peer: Peer) -> int | None:
        """The height that a peer says it has."""
        return self._claims.get(peer.id)

    def _vouched(self) -> int:
        """The height that more connected authorities claim than may lie: one alone cannot make this node look late."""
        connected = (peer for peer in self._mesh.connected() if peer.role == "authority")
        claims = sorted((self._claims.get(peer.id, 0) for peer in connected), reverse=True)
        return claims[min(self._ledger.authorities.f, len(claims) - 1)] if claims else 0

    # --- asking ---------------------------------------------------------------------------------------------------

    def _target(self) -> int:
        return max((self._claims.get(peer.id, 0) for peer in self._mesh.connected()), default=0)

    def _ask(self) -> None:
        """Ask idle peers for the ranges that are neither here nor asked for, lowest first."""
        tip, target = self._ledger.tip.height, self._target()
        self._arrived = {height: each for height, each in self._arrived.items() if height > tip}
        held = sum(len(block.encode()) for block, _, _ in self._arrived.values())
        now = asyncio.get_running_loop().time()
        if not self._is_missing(target - tip, now) or (held > ARRIVED_BYTES_MAX and self._is_covered(tip + 1)):
            return
        first = tip + 1
        for peer in sorted(self._mesh.connected(), key=lambda each: -self._claims.get(each.id, 0)):
            if peer.id in self._asked or self._passed_over.get(peer.id, 0.0) > now:
                continue
            while first <= target and self._is_covered(first):
                first += 1
            last = min(first + RANGE_HEIGHTS_MAX - 1, self._claims.get(peer.id, 0))
            if last < first or first > tip + RANGES_AHEAD_MAX * RANGE_HEIGHTS_MAX:
                return
            last = min([last, *(asked.first - 1 for asked in self._asked.values() if asked.first > first)])
            self._asked[peer.id] = _Asked(first, last, now + ANSWER_TIMEOUT_S)
            self._send(peer.id, ["ask", first, last])

    def _is_missing(self, heights: int, now: float) -> bool:
        """Whether so many heights are to be fetched: the last few are the engine's at first."""
        if heights <= 0:
            self._behind_since = 0.0
            return False
        self._behind_since = self._behind_since or now
        return heights >= self._lag() or now - self._behind_since >= ENGINE_PATIENCE_S

    def _is_covered(self, height: int) -> bool:
        return height in self._arrived or any(each.first <= height <= each.last for each in self._asked.values())

    def _give_up_late_ones(self) -> None:
        now = asyncio.get_running_loop().time()
        for peer_id in [each for each, asked in self._asked.items() if asked.deadline <= now]:
            del self._asked[peer_id]
            self._passed_over[peer_id] = now + PASS_OVER_S
            _log.info("no answer, another peer is asked", peer=self._mesh.directory.by_id[peer_id].name)

    def _take(self, peer: Peer, first: int, blocks: list[Value]) -> None:
        """An answer: decode it, keep what fits the question. Raises `ProtocolViolation`."""
        asked = self._asked.pop(peer.id, None)
        self._changed.set()
        if asked is None or first != asked.first:
            return  # too late: the range was asked of another
        if not blocks:
            self._claims[peer.id] = min(self._claims.get(peer.id, 0), first - 1)
            return
        if len(blocks) > asked.last - asked.first + 1:
            raise ProtocolViolation("sync: more blocks than asked for")
        for height, item in enumerate(blocks, start=first):
            match item:
                case [bytes(block), bytes(certificate)]:
                    self._arrived[height] = (_block(block, height), certificate, peer)
                case _:
                    raise ProtocolViolation("sync: a block and its certificate are expected")

    # --- committing -----------------------------------------------------------------------------------------------

    def _ready(self) -> list[tuple[Block, bytes, Peer]]:
        """What can be committed now: the blocks above the tip, without a gap."""
        ready: list[tuple[Block, bytes, Peer]] = []
        while (each := self._arrived.pop(self._ledger.tip.height + 1 + len(ready), None)) is not None:
            ready.append(each)
        return ready

    async def _commit(self, ready: list[tuple[Block, bytes, Peer]]) -> None:
        self._ask()
        for block, certificate, peer in ready:
            if block.header.height <= self._ledger.tip.height:
                continue
            try:
                self._verify(block, certificate)
            except (ConsensusError, CodecError) as error:
                self._refuse(peer, str(error))
                return
            await self._ledger.add_final(block, certificate)

    def _verify(self, block: Block, certificate: bytes) -> None:
        finality = Decided(block, Certificate.from_value(decode(certificate)))
        verify_decided(self._genesis_id, self._ledger.authorities, finality)

    def _refuse(self, peer: Peer, reason: str) -> None:
        self._passed_over[peer.id] = asyncio.get_running_loop().time() + PASS_OVER_S
        self._arrived = {height: each for height, each in self._arrived.items() if each[2] != peer}
        _log.warning("blocks refused", peer=peer.name, reason=reason)
        self._mesh.disconnect(peer.id, f"blocks refused: {reason}")

    def _committed(self, committed: Committed) -> None:
        """The ledger has a new block: tell observers at once, they wait for it."""
        self._announce(role="observer")
        self._behind_since = 0.0
        self._changed.set()
        then, height = self._since
        now = time.monotonic()
        if now - then >= REPORT_EVERY_S:
            self._rate = (committed.height - height) / (now - then)
            self._since = (now, committed.height)
            if self._target() > committed.height + RANGE_HEIGHTS_MAX:
                _log.info("catching up", height=committed.height, target=self._target(), blocks_per_s=round(self._rate))

    # --- serving --------------------------------------------------------------------------------------------------

    def _serve(self, peer: Peer, first: int, last: int) -> None:
        if self._serving.get(peer.id, 0) >= SERVED_MAX:
            raise ProtocolViolation("sync: too many questions at a time")
        self._serving[peer.id] = self._serving.get(peer.id, 0) + 1

        def answer(payload: bytes) -> None:
            self._serving[peer.id] -= 1
            self._mesh.send(peer.id, Channel.SYNC, payload)

        self._reader.do(lambda: _read_range(self._store, first, last), answer)

    def _announce(self, *, role: str) -> None:
        self._mesh.broadcast(Channel.SYNC, encode(["tip", self._ledger.tip.height]), role=role)

    def _tell(self, peer_id: bytes) -> None:
        self._send(peer_id, ["tip", self._ledger.tip.height])

    def _send(self, peer_id: bytes, message: Value) -> None:
        self._mesh.send(peer_id, Channel.SYNC, encode(message))


def _block(data: bytes, height: int) -> Block:
    try:
        block = Block.decode(data)
    except ConsensusError as error:
        raise ProtocolViolation(f"sync: {error}") from error
    if block.header.height != height:
        raise ProtocolViolation(f"sync: a block of height {block.header.height} where {height} was asked for")
    return block


def _read_range(store: Store, first: int, last: int) -> bytes:
    """The answer to a question: as many of these blocks as there are and as one message carries."""
    blocks: list[Value] = []
    size = 0
    with store.snapshot() as reader:
        for height in range(first, last + 1):
            found = decided(reader, height)
            if found is None:
                break
            block, certificate = found
            size += len(block) + len(certificate)
            if blocks and size > RANGE_BYTES_MAX:
                break
            blocks.append([block, certificate])
    return encode(["blocks", first, blocks])
