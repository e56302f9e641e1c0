"""Joins a network by its state: what a node does before it starts, if it has no block yet (`sync = "snapshot"`).

It speaks with the members on a network of its own, which ends with it; then the node starts as after any stop. A node
that is close behind, or finds nobody who serves a state, starts with blocks.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from typing import Any, ClassVar

import structlog

from consensus.errors import MessageError
from consensus.following import Drop, Joined, Left, Missed, Wake, Woken
from consensus.ranges import decode_range_message, encode_range_message
from node.authorities import authority_set
from node.network import Channel, Mesh, Peer, ProtocolViolation
from node.snapshots.fetching import (
    FAR_BEHIND,
    Begin,
    Enough,
    Event,
    Fetching,
    Finish,
    Heard,
    Keep,
    Message,
    Phase,
    Say,
    Started,
    Store,
    Stored,
)
from node.snapshots.landing import Landing
from node.snapshots.messages import SnapshotMessage, decode_snapshot_message, encode_snapshot_message
from node.store import Store as NodeStore
from node.worker import Worker
from registry.codec import encode
from registry.genesis import Genesis

__all__ = ["Joiner", "decode_sync", "encode_sync"]

REPORT_EVERY_S = 2.0
_RANGE_TAGS = tuple(encode([tag])[1:] for tag in ("tip", "ask", "blocks"))

_log = structlog.get_logger(room="join")


def decode_sync(payload: bytes) -> Message:
    """Any message of the sync channel. Raises `MessageError`."""
    return decode_range_message(payload) if payload[1:].startswith(_RANGE_TAGS) else decode_snapshot_message(payload)


def encode_sync(message: Message) -> bytes:
    """The bytes of any message of the sync channel."""
    if isinstance(message, SnapshotMessage):
        return encode_snapshot_message(message)
    return encode_range_message(message)


class Joiner:
    """One attempt, made inside the event loop. It is the handler of the mesh that `run` is given."""

    def __init__(self, *, genesis: Genesis, store: NodeStore, alone: bool, far_behind: int = FAR_BEHIND) -> None:
        authorities = authority_set(genesis)
        self._landing = Landing(store, genesis.id, authorities)
        unfinished = self._landing.unfinished()
        self._had_begun = unfinished is not None
        self._core = Fetching(
            genesis_id=genesis.id,
            authorities=authorities,
            alone=alone,
            now_ms=_now_ms(),
            far_behind=far_behind,
            resumed=None if unfinished is None else unfinished[0],
            done=() if unfinished is None else unfinished[1],
        )
        self._mesh: Mesh | None = None
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._worker = Worker("joining", self._fail)
        self._events: deque[Event] = deque()
        self._handling = False
        self._wake_at_ms = 0
        self._moved = asyncio.Event()
        self._ended = False
        self._reported_at = 0.0

    async def run(self, mesh: Mesh, listen: str) -> None:
        """Until the store is one that a node can start with. Raises whatever a store or a network fails with."""
        self._mesh = mesh
        await mesh.start(listen)
        watched = asyncio.ensure_future(mesh.watch())
        watched.add_done_callback(self._mesh_ended)
        try:
            while not self._ended:
                self._moved.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout((self._wake_at_ms - _now_ms()) / 1000):
                        await asyncio.wait(
                            {asyncio.ensure_future(self._moved.wait()), self._failed},
                            return_when=asyncio.FIRST_COMPLETED,
                        )
                if self._failed.done():
                    self._failed.result()
                if self._wake_at_ms <= _now_ms():
                    self._tell(Woken())
        finally:
            watched.cancel()
            await mesh.stop()
            await self._worker.close()

    @property
    def phase(self) -> Phase:
        """Where it is."""
        return self._core.phase

    # --- what the mesh calls --------------------------------------------------------------------------------------

    def connected(self, peer: Peer) -> None:
        """There is a connection to `peer`."""
        self._tell(Joined(peer.id, peer.role == "authority"))

    def disconnected(self, peer: Peer) -> None:
        """There is no connection to `peer` any more."""
        self._tell(Left(peer.id))

    def received(self, peer: Peer, channel: Channel, payload: bytes) -> None:
        """A message; this node has no part in consensus yet. Raises `ProtocolViolation`."""
        if channel is not Channel.SYNC:
            return
        try:
            message = decode_sync(payload)
        except MessageError as error:
            raise ProtocolViolation(str(error)) from error
        self._tell(Heard(peer.id, message))

    # --- events and actions ---------------------------------------------------------------------------------------

    def _tell(self, event: Event) -> None:
        self._events.append(event)
        if self._handling:
            return
        self._handling = True
        try:
            while self._events and not self._ended:
                for action in self._core.handle(self._events.popleft(), now_ms=_now_ms()):
                    self._actions[type(action)](self, action)
        except Exception as error:  # noqa: BLE001 - a bug here: reported, and fatal
            self._fail(error)
        finally:
            self._handling = False

    def _say(self, action: Say) -> None:
        assert self._mesh is not None, "there are events once there is a network"
        self._mesh.send(action.peer, Channel.SYNC, encode_sync(action.message))

    def _drop(self, action: Drop) -> None:
        assert self._mesh is not None, "there are events once there is a network"
        _log.warning("a peer's state refused", peer=self._name(action.peer), reason=action.reason)
        self._mesh.disconnect(action.peer, f"state refused: {action.reason}")

    def _missed(self, action: Missed) -> None:
        _log.info("no answer, another peer is asked", peer=self._name(action.peer))

    def _wake(self, action: Wake) -> None:
        self._wake_at_ms = action.at_ms
        self._moved.set()

    def _begin(self, action: Begin) -> None:
        manifest = action.manifest
        _log.info("fetching a state", height=manifest.height, parts=len(manifest.parts))
        self._worker.do(lambda: self._landing.begin(manifest), lambda _: self._tell(Started()))

    def _store(self, action: Store) -> None:
        number, entries = action.number, action.entries
        self._worker.do(lambda: self._landing.store_part(number, entries), lambda _: self._stored(number))

    def _stored(self, number: int) -> None:
        if time.monotonic() - self._reported_at >= REPORT_EVERY_S:
            self._reported_at = time.monotonic()
            done, parts = self._core.progress()
            _log.info("fetching a state", parts_stored=done + 1, parts=parts)
        self._tell(Stored(number))

    def _keep(self, action: Keep) -> None:
        self._worker.do(lambda: self._landing.keep(action.blocks), lambda _: None)

    def _finish(self, action: Finish) -> None:
        _log.info("state complete", height=action.manifest.height, first_block=action.first)
        self._worker.do(lambda: self._landing.finish(action.manifest, action.first), lambda _: self._end())

    def _enough(self, action: Enough) -> None:
        _log.info("starting with blocks", reason=action.reason)
        if self._had_begun:
            self._worker.do(self._landing.clear, lambda _: self._end())
        else:
            self._end()

    _actions: ClassVar[dict[type, Callable[[Joiner, Any], None]]] = {
        Say: _say,
        Drop: _drop,
        Missed: _missed,
        Wake: _wake,
        Begin: _begin,
        Store: _store,
        Keep: _keep,
        Finish: _finish,
        Enough: _enough,
    }

    def _end(self) -> None:
        self._ended = True
        self._moved.set()

    def _name(self, peer: bytes) -> str:
        assert self._mesh is not None, "there are peers once there is a network"
        found = self._mesh.directory.by_id.get(peer)
        return peer.hex() if found is None else found.name

    def _mesh_ended(self, task: asyncio.Future[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if not self._failed.done():
            self._failed.set_exception(error)


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
