"""Joins a network by its state: what a node does before it starts, if it has no block yet (`sync = "snapshot"`).

It speaks with the members on a network of its own, which ends with it; then the node starts as after any stop. A node
that is close behind, or finds nobody who serves a state, starts with blocks; if that is for want of peers, whoever runs
it comes back later (`node.process`).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import structlog

from consensus.errors import MessageError
from node.authorities import authority_set, member_nodes
from node.network import Channel, Mesh, Peer, ProtocolViolation
from node.node import Identity, directory_of, itself
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
from node.snapshots.fetching import FAR_BEHIND, Fetching, Phase
from node.snapshots.landing import Landing
from node.snapshots.messages import decode_sync, encode_sync
from node.store import Store as NodeStore
from node.worker import Worker
from registry.genesis import Genesis
from registry.ledger import genesis_state

__all__ = ["Joiner", "join"]

REPORT_EVERY_S = 2.0
_log = structlog.get_logger(room="join")


async def join(
    *,
    genesis: Genesis,
    identity: Identity,
    store: NodeStore,
    addresses: Mapping[str, str],
    listen: str,
    far_behind: int = FAR_BEHIND,
) -> str:
    """Fetch a state into a store without blocks, unless starting with blocks is as well. Until then it is no chain.

    Returns why to look for a state again later, though the node can start; empty if there is no need. Raises what the
    store or the network fails with. May be cancelled, and goes on the next time.
    """
    directory = directory_of(member_nodes(genesis_state(genesis).get), addresses)
    me = itself(identity, directory)
    others = [peer for peer in directory.members if peer.role == "authority" and peer != me]
    joiner = Joiner(genesis=genesis, store=store, alone=not others, far_behind=far_behind)
    mesh = Mesh(genesis_id=genesis.id, directory=directory, me=me, credentials=identity.transport, handler=joiner)
    return await joiner.run(mesh, listen)


class Joiner:
    """One attempt, made inside the event loop. It is the handler of the mesh that `run` is given."""

    def __init__(self, *, genesis: Genesis, store: NodeStore, alone: bool, far_behind: int) -> None:
        authorities = authority_set(genesis)
        self._landing = Landing(store, genesis.id, authorities)
        unfinished = self._landing.unfinished()
        self._has_begun = unfinished is not None
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
        self._failure: BaseException | None = None
        self._worker = Worker("joining", self._fail)
        self._events: deque[Event] = deque()
        self._handling = False
        self._wake_at_ms = 0
        self._moved = asyncio.Event()
        self._ended = False
        self._again = ""
        self._reported_at = 0.0

    async def run(self, mesh: Mesh, listen: str) -> str:
        """Until the store is one that a node can start with; returns and raises what `join` does."""
        self._mesh = mesh
        await mesh.start(listen)
        watched = asyncio.ensure_future(mesh.watch())
        watched.add_done_callback(self._mesh_ended)
        try:
            while not self._ended:
                self._moved.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout((self._wake_at_ms - _now_ms()) / 1000):
                        await self._moved.wait()
                if self._failure is not None:
                    raise self._failure
                if self._wake_at_ms <= _now_ms():
                    self._tell(Woken())
        finally:
            watched.cancel()
            await mesh.stop()
            await self._worker.close()
        return self._again

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
        self._has_begun = True
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
        self._again = action.reason if action.again else ""
        if self._has_begun:
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
        self._failure = self._failure or error
        self._moved.set()


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
