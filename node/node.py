"""One node, assembled: store, chain, engine, network, and the handle that its API uses. Nothing is global.

Everything that runs on the loop runs in tasks that are watched here: if one of them ends with an error, or a worker
thread raises, the node has failed, and whoever runs it must stop it and exit.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import structlog

from consensus.blocks import VERSION
from consensus.engine import Engine
from consensus.parameters import Parameters
from node.accuser import Accuser
from node.authorities import MemberNode
from node.certificates import certificate_key
from node.chain import Chain, Committed
from node.checkpoints import Checkpoints
from node.errors import KeyFileError
from node.guard import VoteGuard
from node.hub import Hub
from node.intake import Intake
from node.ledger import Ledger, Pace
from node.mempool import Bounds, Mempool
from node.network import Channel, Credentials, Directory, Mesh, Peer, ProtocolViolation
from node.pruning import Pruner
from node.runtime import Runtime, Verifying
from node.service import NodeService
from node.snapshots.held import HeldStates
from node.snapshots.serving import StateServer
from node.store import Store
from node.sync import Synchroniser
from node.watch import Watch
from node.worker import Worker
from registry.codec import digest
from registry.genesis import Genesis
from registry.keys import SigningKey

__all__ = ["Identity", "Node", "directory_of", "itself"]

SWITCH_INTERVAL_S = 0.0005  # between threads: the loop must get its turn while the ledger thread computes
AUTHORITY_LAG = 3  # heights: so far behind the engine catches up by itself
OBSERVER_LAG = 1

MakeEngine: TypeAlias = Callable[..., Engine]  # the network's parameters, then signers; `verifier`

_log = structlog.get_logger(room="node")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What makes a node this node: its name in logs, its connection keys, and its consensus keys if it votes.

    `next_consensus` takes over from `consensus` at the height at which the ledger says so; `checkpoint` is the key that
    a regulator's observer cosigns with.
    """

    name: str
    transport: Credentials
    consensus: SigningKey | None
    next_consensus: SigningKey | None = None
    checkpoint: SigningKey | None = None

    @property
    def signers(self) -> tuple[SigningKey, ...]:
        """The consensus keys."""
        return tuple([key for key in (self.consensus, self.next_consensus) if key is not None])


def directory_of(members: Iterable[MemberNode], addresses: Mapping[str, str]) -> Directory:
    """The nodes let in as peers; `addresses` replaces addresses of the ledger, by name.

    An authority is named by its party; observers by party, "/observer" and a number if the party has several. Raises
    nothing, whatever the ledger lets in, for it does not look into certificates: one that is none is left out, and so
    is a node whose id is that of one before it (seats come first).
    """
    peers: dict[bytes, Peer] = {}
    count: dict[str, int] = {}
    for each in members:
        if each.consensus_key:
            name, role, id_ = each.party, "authority", each.consensus_key
        else:
            number = count[each.party] = count.get(each.party, 0) + 1
            name, role = f"{each.party}/observer" + (str(number) if number > 1 else ""), "observer"
            id_ = digest(each.certificate)
        if reason := "its id is another node's" if id_ in peers else _useless(each.certificate):
            _log.warning("a node on the ledger is of no use", node=name, reason=reason)
            continue
        peers[id_] = Peer(id_, name, role, addresses.get(name, each.address), each.certificate)
    return Directory(peers.values())


def _useless(certificate: bytes) -> str:
    """Why nobody can be let in by this certificate; empty if somebody can."""
    try:
        certificate_key(certificate)
    except KeyFileError as error:
        return str(error)
    return ""


def itself(identity: Identity, directory: Directory) -> Peer:
    """A node as the ledger has it, or as it calls itself while the ledger has not heard of it."""
    certificate = identity.transport.certificate
    unknown = Peer(digest(certificate), identity.name, "observer", "", certificate)
    return directory.by_certificate.get(certificate, unknown)


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
        make_engine: MakeEngine = Engine,
        known_version: int = VERSION,
        guard: Path | None = None,
    ) -> None:
        """`keep_ms`: how long blocks are kept, in block time (None: for good). `make_engine` is for tests that let a
        node misbehave, `known_version` for those that upgrade it. `guard`: the file of `node.guard`.
        """
        self.failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        self._tasks: list[asyncio.Task[None]] = []
        self._ledger_worker = Worker("ledger", self._fail)
        self._journal = Worker("journal", self._fail)
        self._reader = Worker("reader", self._fail)
        self._store = store
        self._identity = identity
        self._addresses = addresses
        pool = Mempool(bounds)
        pace = Pace(base_ms=genesis.parameters.base_ms, operations_max=genesis.parameters.block_operations_max)
        chain = Chain.open(store, genesis, known_version=known_version)
        self._members = chain.members
        directory = directory_of(self._members, addresses)
        self._mesh = Mesh(
            genesis_id=genesis.id,
            directory=directory,
            me=itself(identity, directory),
            credentials=identity.transport,
            handler=self,
        )
        ledger = Ledger(store=store, chain=chain, pool=pool, worker=self._ledger_worker, pace=pace)
        self._hub = Hub()
        watch = Watch(ledger.authorities)
        self._runtime: Runtime | None = None
        self._guard = VoteGuard(store, guard if identity.signers else None)
        self._intake: Intake | None = None
        self._accuser: Accuser | None = None
        ledger.listen(self._committed)  # first, so that the engine's messages go to those in force
        if identity.signers:
            self._make_voter(genesis, identity.signers, ledger, watch, make_engine)
        self._held = HeldStates(store)
        self._held.begin(chain.tip)
        ledger.witness(self._held.grown)
        if keep_ms is not None:
            ledger.witness(Pruner(store, keep_ms=keep_ms).grown)
        checkpoints = Checkpoints(genesis=genesis, store=store, ledger=ledger, mesh=self._mesh, key=identity.checkpoint)
        self._sync = Synchroniser(
            states=StateServer(self._held, self._mesh, self._reader),
            checkpoints=checkpoints,
            genesis_id=genesis.id,
            ledger=ledger,
            store=store,
            mesh=self._mesh,
            reader=self._reader,
            lag=self._lag,
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
            checkpoints=checkpoints,
            runtime=self._runtime,
            intake=self._intake,
            watch=watch,
            signers=identity.signers,
            known_version=known_version,
        )

    def _make_voter(
        self, genesis: Genesis, signers: tuple[SigningKey, ...], ledger: Ledger, watch: Watch, make_engine: MakeEngine
    ) -> None:
        """What only a node with a consensus key has: it takes transactions in, votes, and shows what it sees."""
        self._intake = Intake(ledger, self._mesh, on_work=self._work)
        self._accuser = Accuser(
            genesis_id=genesis.id,
            signers=signers,
            store=self._store,
            ledger=ledger,
            intake=self._intake,
            journal=self._journal,
        )
        verifying = Verifying()
        self._runtime = Runtime(
            engine=make_engine(_parameters(genesis), *signers, verifier=verifying),
            verifying=verifying,
            store=self._store,
            ledger=ledger,
            mesh=self._mesh,
            journal=self._journal,
            reader=self._reader,
            watch=watch,
            guard=self._guard,
            on_evidence=self._accuser.found,
        )

    async def start(self, listen: str) -> int:
        """Listen at `listen` (`host:port`), connect, run. Returns the port."""
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        port = await self._mesh.start(listen)
        self._watch(self._mesh.watch())
        self._watch(self._sync.run())
        if self._runtime is not None and self._intake is not None and self._accuser is not None:
            self._watch(self._runtime.run())
            self._watch(self._intake.run_again())
            self._watch(self._accuser.run())
        service = self.service
        _log.info("node started", name=service.name, role=service.role, height=service.ledger.tip.height)
        if self._runtime is not None and not self._may_vote():
            _log.warning("no consensus key of this node is in force: it follows", height=service.ledger.tip.height)
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
        self._guard.close()
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
                return  # a peer that does not know yet, or not any more, that this node only follows
            elif channel is Channel.CONSENSUS:
                self._runtime.received(peer, payload)
            else:
                self._intake.received(peer, payload)

    # --- inside ---------------------------------------------------------------------------------------------------

    def _committed(self, committed: Committed) -> None:
        """The ledger may let in other nodes from now on, or in other roles."""
        members = self.service.ledger.members
        if members != self._members:
            self._members = members
            directory = directory_of(members, self._addresses)
            me = itself(self._identity, directory)
            _log.info("other members", height=committed.height, members=len(directory.members), role=me.role)
            self._mesh.follow(directory, me)

    def _may_vote(self) -> bool:
        return any(key.public_key in self.service.ledger.authorities for key in self._identity.signers)

    def _lag(self) -> int:
        return AUTHORITY_LAG if self._mesh.me.role == "authority" else OBSERVER_LAG

    def _work(self) -> None:
        if self._runtime is not None:
            self._runtime.work()

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
