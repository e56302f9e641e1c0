"""One node, assembled: store, chain, engine, network, and the handle that its API uses. Nothing is global.

Everything that runs on the loop runs in tasks that are watched here: if one of them ends with an error, or a worker
thread raises, the node has failed, and whoever runs it must stop it and exit.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog

from consensus.engine import Engine
from consensus.parameters import Parameters
from node.certificates import certificate_key
from node.chain import Chain
from node.hub import Hub
from node.intake import Intake
from node.ledger import Ledger, Pace
from node.mempool import Bounds, Mempool
from node.network import Channel, Credentials, Directory, Mesh, Peer, ProtocolViolation
from node.pruning import Pruner
from node.runtime import Runtime
from node.service import NodeService
from node.snapshots.held import HeldStates
from node.snapshots.serving import StateServer
from node.store import Store
from node.sync import Synchroniser
from node.watch import Watch
from node.worker import Worker
from registry.genesis import Genesis
from registry.keys import SigningKey

__all__ = ["Identity", "Node", "directory_of"]

SWITCH_INTERVAL_S = 0.0005  # between threads: the loop must get its turn while the ledger thread computes
AUTHORITY_LAG = 3  # heights: so far behind the engine catches up by itself
OBSERVER_LAG = 1

_log = structlog.get_logger(room="node")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What makes a node this node: its name in logs, its connection keys, its consensus key if it votes,
    and its checkpoint key if it cosigns."""

    name: str
    transport: Credentials
    consensus: SigningKey | None
    checkpoint: SigningKey | None = None


def directory_of(genesis: Genesis, addresses: Mapping[str, str]) -> Directory:
    """The members of genesis as peers; `addresses` replaces addresses of genesis, by name.

    An authority is named by its party; observers by party, "/observer" and a number if the party has several.
    """
    peers = [
        Peer(each.consensus_key, each.party, "authority", each.address, each.transport_certificate)
        for each in genesis.authorities
    ]
    count: dict[str, int] = {}
    for each in genesis.observers:
        number = count[each.party] = count.get(each.party, 0) + 1
        name = f"{each.party}/observer" + (str(number) if number > 1 else "")
        key = certificate_key(each.transport_certificate)
        peers.append(Peer(key, name, "observer", each.address, each.transport_certificate))
    return Directory(
        Peer(each.id, each.name, each.role, addresses.get(each.name, each.address), each.certificate) for each in peers
    )


class Node:
    """A running node. Made inside the event loop by `start`; `failed` says when it must be stopped at once."""

    def __init__(
        self,
        *,
        genesis: Genesis,
        identity: Identity,
        store: Store,
        bounds: Bounds,
        addresses: Mapping[str, str],
        keep_ms: int | None = None,
    ) -> None:
        """`keep_ms`: how long blocks are kept, in block time; None: for good."""
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        self._tasks: list[asyncio.Task[None]] = []
        self._ledger_worker = Worker("ledger", self._fail)
        self._journal = Worker("journal", self._fail)
        self._reader = Worker("reader", self._fail)
        self._store = store
        directory = directory_of(genesis, addresses)
        me = directory.identify(identity.transport.certificate)
        self._mesh = Mesh(
            genesis_id=genesis.id, directory=directory, me=me, credentials=identity.transport, handler=self
        )
        pool = Mempool(bounds)
        pace = Pace(base_ms=genesis.parameters.base_ms, operations_max=genesis.parameters.block_operations_max)
        chain = Chain.open(store, genesis)
        ledger = Ledger(store=store, chain=chain, pool=pool, worker=self._ledger_worker, pace=pace)
        self._hub = Hub()
        watch = Watch(ledger.authorities)
        self._runtime: Runtime | None = None
        self._intake: Intake | None = None
        if identity.consensus is not None:
            engine = Engine(_parameters(genesis), identity.consensus)
            self._runtime = Runtime(
                engine=engine,
                store=store,
                ledger=ledger,
                mesh=self._mesh,
                journal=self._journal,
                reader=self._reader,
                watch=watch,
            )
            self._intake = Intake(ledger, self._mesh, on_work=self._runtime.work)
        self._held = HeldStates(store)
        self._held.begin(chain.tip)
        ledger.witness(self._held.grown)
        if keep_ms is not None:
            ledger.witness(Pruner(store, keep_ms=keep_ms).grown)
        self._sync = Synchroniser(
            states=StateServer(self._held, self._mesh, self._reader),
            genesis_id=genesis.id,
            ledger=ledger,
            store=store,
            mesh=self._mesh,
            reader=self._reader,
            lag=OBSERVER_LAG if self._runtime is None else AUTHORITY_LAG,
        )
        ledger.listen(self._hub.committed)
        ledger.listen(lambda _: _watch_commit(watch, ledger))
        self.service = NodeService(
            name=identity.name,
            genesis=genesis,
            store=store,
            ledger=ledger,
            mesh=self._mesh,
            hub=self._hub,
            sync=self._sync,
            runtime=self._runtime,
            intake=self._intake,
            watch=watch,
        )

    async def start(self, listen: str) -> int:
        """Listen at `listen` (`host:port`), connect, run. Returns the port."""
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        port = await self._mesh.start(listen)
        self._watch(self._mesh.watch())
        self._watch(self._sync.run())
        if self._runtime is not None and self._intake is not None:
            self._watch(self._runtime.run())
            self._watch(self._intake.run_again())
        _log.info("node started", name=self.service.name, role=self.service.role, height=self.service.ledger.tip.height)
        return port

    async def stop(self) -> None:
        """Stop talking, finish the commit under way, let go of the threads. The store is the caller's to close."""
        self._hub.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._mesh.stop()
        for worker in (self._ledger_worker, self._journal, self._reader):
            await worker.close()
        self._held.close()
        _log.info("node stopped", name=self.service.name, height=self.service.ledger.tip.height)

    # --- what the mesh calls --------------------------------------------------------------------------------------

    def connected(self, peer: Peer) -> None:
        """There is a connection to `peer`."""
        with self._guarded():
            self._sync.connected(peer)
            if self._runtime is not None and self._intake is not None and peer.role == "authority":
                self._runtime.connected(peer)
                self._intake.connected(peer)

    def disconnected(self, peer: Peer) -> None:
        """There is no connection to `peer` any more."""
        with self._guarded():
            self._sync.disconnected(peer)

    def received(self, peer: Peer, channel: Channel, payload: bytes) -> None:
        """A message. Raises `ProtocolViolation`."""
        with self._guarded():
            if channel is Channel.SYNC:
                self._sync.received(peer, payload)
            elif self._runtime is None or self._intake is None:
                raise ProtocolViolation(f"{channel.name.lower()} sent to an observer")
            elif channel is Channel.CONSENSUS:
                self._runtime.received(peer, payload)
            else:
                self._intake.received(peer, payload)

    # --- inside ---------------------------------------------------------------------------------------------------

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """What a peer did wrong is the peer's; any other error is a bug here, and the node fails."""
        try:
            yield
        except ProtocolViolation:
            raise
        except Exception as error:  # noqa: BLE001 - reported, and fatal
            self._fail(error)

    def _watch(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if not self.failed.done():
            _log.critical("this node contradicts itself and halts", error=repr(error), exc_info=error)
            self.failed.set_result(error)


def _watch_commit(watch: Watch, ledger: Ledger) -> None:
    assert ledger.tip.certificate is not None, "what was committed has a certificate"
    watch.committed(ledger.tip.certificate, ledger.authorities)


def _parameters(genesis: Genesis) -> Parameters:
    return Parameters(
        genesis_id=genesis.id,
        base_ms=genesis.parameters.base_ms,
        cap_ms=genesis.parameters.cap_ms,
        heartbeat_ms=genesis.parameters.heartbeat_ms,
    )
