"""Runs `consensus.following`: messages, time and commits in, its actions done. All rules of fetching are in there.

Ranges are read from snapshots of the store in the reader's thread; blocks that come in are executed and written by the
ledger's thread, which says when each has become final, whoever decided it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import structlog

from consensus.errors import MessageError
from consensus.following import (
    Add,
    Drop,
    Event,
    Following,
    Grown,
    Heard,
    Joined,
    Kept,
    Lacking,
    Left,
    Missed,
    Say,
    Serve,
    Served,
    Turned,
    Wake,
    Woken,
)
from consensus.ranges import (
    RANGE_BYTES_MAX,
    RANGE_HEIGHTS_MAX,
    RANGE_MESSAGE_MAX,
    Ask,
    Blocks,
    Tip,
    encode_range_message,
)
from node.chain import Committed
from node.checkpoints import Checkpoints
from node.layout import first_kept
from node.ledger import Ledger
from node.network import PAYLOAD_MAX, Channel, Mesh, Peer, ProtocolViolation
from node.snapshots.fetching import FAR_BEHIND
from node.snapshots.messages import Cosigned, decode_sync, is_answer
from node.snapshots.serving import StateServer
from node.store import Store
from node.views import decided
from node.worker import Worker
from registry.codec import encode

__all__ = ["Progress", "Synchroniser"]

REPORT_EVERY_S = 2.0
assert PAYLOAD_MAX[Channel.SYNC] >= RANGE_MESSAGE_MAX

_log = structlog.get_logger(room="sync")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a node that fetches has come. `target` is what enough connected authorities claim to have."""

    height: int
    target: int
    blocks_per_s: float


class Synchroniser:
    """Fetches what is missing and serves what others miss. `lag`: how far behind is the engine's at first."""

    def __init__(
        self,
        *,
        genesis_id: bytes,
        ledger: Ledger,
        store: Store,
        mesh: Mesh,
        reader: Worker,
        states: StateServer,
        checkpoints: Checkpoints,
        lag: Callable[[], int],
    ) -> None:
        self._ledger = ledger
        self._store = store
        self._mesh = mesh
        self._reader = reader
        self._states = states
        self._checkpoints = checkpoints
        self._first = first_kept(store)[0]
        self._lag_of, self._lag = lag, lag()
        self._core = Following(
            genesis_id=genesis_id,
            height=ledger.tip.height,
            authorities=ledger.authorities,
            first=self._first,
            lag=self._lag,
        )
        self._events: deque[Event] = deque()
        self._handling = False
        self._wake_at_ms = 0
        self._wake_moved = asyncio.Event()
        self._seeks_state = self._may_turn_back = False
        self._turned_back = asyncio.Event()
        self._since = (time.monotonic(), ledger.tip.height)
        self._rate = 0.0
        ledger.listen(self._committed)

    # --- what the node calls --------------------------------------------------------------------------------------

    def connected(self, peer: Peer) -> None:
        """There is a connection to `peer`."""
        self._tell(Joined(peer.id, peer.role == "authority"))
        self._checkpoints.connected(peer)

    def disconnected(self, peer: Peer) -> None:
        """There is no connection to `peer` any more."""
        self._tell(Left(peer.id))

    def received(self, peer: Peer, payload: bytes) -> None:
        """A message on the sync channel. Raises `ProtocolViolation`.

        An answer about states that comes after this node has started is let pass unread: it may be large.
        """
        if is_answer(payload):
            return
        try:
            message = decode_sync(payload)
        except MessageError as error:
            raise ProtocolViolation(str(error)) from error
        if isinstance(message, Tip | Ask | Blocks):
            self._tell(Heard(peer.id, message))
        elif isinstance(message, Cosigned):
            self._checkpoints.received(peer, message)
        else:
            self._states.received(peer, message)

    async def run(self) -> None:
        """Fetch for as long as the node lives."""
        while True:
            self._wake_moved.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout((self._wake_at_ms - _now_ms()) / 1000):
                    await self._wake_moved.wait()
            if self._wake_at_ms <= _now_ms():
                self._tell(Woken())

    async def state_wanted(self, *, after_s: float) -> None:
        """Return when a node without a block had better begin with a state, in `after_s` seconds at the earliest.

        Somebody is far ahead then, or the first block is not to be had. From then on nothing is fetched here: whoever
        runs the node stops it and joins by a state. Never returns once there is a block.
        """
        self._seeks_state = True
        await asyncio.sleep(after_s)
        self._may_turn_back = True
        self._turn_back()
        await self._turned_back.wait()

    def progress(self) -> Progress:
        """For operators."""
        progress = self._core.progress()
        return Progress(self._ledger.tip.height, progress.target, round(self._rate, 1))

    @property
    def alarm(self) -> str:
        """Why this node cannot go on, and what to do or what it waits for; or empty."""
        seeks = self._seeks_state and self._ledger.tip.height == 0
        needed = self._ledger.authorities.f + 1
        if seeks and (there := sum(peer.role == "authority" for peer in self._mesh.connected())) < needed:
            return f"nobody_to_fetch_from: waiting for authorities to connect: {there} of at least {needed} are there"
        height = self._core.lacking
        if height is None:
            return ""
        if seeks:
            return f"blocks_not_kept: no connected node gives block {height}: waiting for one, or for a state"
        way = "restart this one" if height == 1 else "`nemodat node reset` this one"
        way += ' with sync = "snapshot", to begin with a state'
        return f"blocks_not_kept: no connected node gives block {height}: connect one that keeps it, or {way}"

    def claim(self, peer: Peer) -> int | None:
        """The height that a peer says it has."""
        return self._core.claim(peer.id)

    # --- events and actions ---------------------------------------------------------------------------------------

    def _tell(self, event: Event) -> None:
        """Hand an event to the core and do what it says. What an action brings about comes after the actions."""
        self._events.append(event)
        if self._handling or self._turned_back.is_set():
            return
        self._handling = True
        try:
            while self._events:
                actions = self._core.handle(self._events.popleft(), now_ms=_now_ms())
                if self._turn_back():
                    return
                for action in actions:
                    self._actions[type(action)](self, action)
        finally:
            self._handling = False

    def _turn_back(self) -> bool:
        """Whether to begin with a state instead. One peer's word is enough to try: joining believes no word."""
        if self._may_turn_back and self._ledger.tip.height == 0:
            heights = [self.claim(peer) or 0 for peer in self._mesh.connected() if peer.role == "authority"]
            if max(heights, default=0) >= FAR_BEHIND or self._core.lacking is not None:
                self._turned_back.set()
        return self._turned_back.is_set()

    def _say(self, action: Say) -> None:
        self._mesh.send(action.peer, Channel.SYNC, encode_range_message(action.message))

    def _serve(self, action: Serve) -> None:
        def answer(payload: bytes) -> None:
            self._mesh.send(action.peer, Channel.SYNC, payload)
            self._tell(Served(action.peer))

        first, last = action.first, action.last
        self._reader.do(lambda: _read_range(self._store, first, last), answer, source=action.peer.hex())

    def _add(self, action: Add) -> None:
        self._ledger.add_final(action.decided.block, encode(action.decided.certificate.to_value()))

    def _drop(self, action: Drop) -> None:
        _log.warning("blocks refused", peer=self._name(action.peer), reason=action.reason)
        self._mesh.disconnect(action.peer, f"blocks refused: {action.reason}")

    def _missed(self, action: Missed) -> None:
        _log.info("no answer, another peer is asked", peer=self._name(action.peer))

    def _lacking(self, action: Lacking) -> None:
        _log.error("this node cannot catch up", height=action.height - 1, reason=self.alarm)

    def _wake(self, action: Wake) -> None:
        self._wake_at_ms = action.at_ms
        self._wake_moved.set()

    _actions: ClassVar[dict[type, Callable[[Synchroniser, Any], None]]] = {
        Say: _say,
        Serve: _serve,
        Add: _add,
        Drop: _drop,
        Missed: _missed,
        Lacking: _lacking,
        Wake: _wake,
    }

    def _committed(self, committed: Committed) -> None:
        """The ledger has a new block."""
        then, height = self._since
        now = time.monotonic()
        if now - then >= REPORT_EVERY_S:
            self._rate = (committed.height - height) / (now - then)
            self._since = (now, committed.height)
            target = self._core.progress().target
            if target > committed.height + RANGE_HEIGHTS_MAX:
                _log.info("catching up", height=committed.height, target=target, blocks_per_s=round(self._rate))
        first = first_kept(self._store)[0]
        if first != self._first:
            self._first = first
            self._tell(Kept(first))
        self._tell(Grown(committed.height, self._ledger.authorities))
        if (lag := self._lag_of()) != self._lag:
            self._lag = lag
            self._tell(Turned(lag))

    def _name(self, peer: bytes) -> str:
        known = self._mesh.directory.by_id.get(peer)
        return peer.hex() if known is None else known.name


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def _read_range(store: Store, first: int, last: int) -> bytes:
    """The answer to a question: as many of these blocks as there are and as one message carries."""
    pairs: list[tuple[bytes, bytes]] = []
    size = 0
    with store.snapshot() as reader:
        for height in range(first, last + 1):
            found = decided(reader, height)
            if found is None:
                break
            size += len(found[0]) + len(found[1])
            if pairs and size > RANGE_BYTES_MAX:
                break
            pairs.append(found)
    return encode_range_message(Blocks(first, tuple(pairs)))
