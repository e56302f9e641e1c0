"""A node as a process: configuration and keys in, network and API up, and an orderly end.

It ends in one of three ways: asked to (SIGTERM, SIGINT), it finishes the commit under way and closes its store; with a
configuration that it cannot start with, it says what to change; and when it contradicts itself it halts at once with
`EXIT_HALTED`, and must not be restarted before somebody knows why.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import resource
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import structlog
import uvicorn

from node.api.app import create_app
from node.api.connections import BoundedHttp
from node.config import NodeConfig
from node.errors import ConfigError, UpgradeNeeded
from node.genesis import read_genesis
from node.guard import GUARD_NAME
from node.keystore import load_key
from node.logs import configure_logs
from node.network import Credentials, split_address
from node.node import Identity, Node
from node.pruning import DAY_MS
from node.snapshots.joining import join
from node.snapshots.landing import is_new
from node.store import Store, open_store
from registry.genesis import AuthorityEntry, Genesis, ObserverEntry
from registry.keys import SigningKey

__all__ = ["EXIT_FAILED", "EXIT_HALTED", "EXIT_OK", "EXIT_OUTDATED", "load_identity", "run_node"]

EXIT_OK = 0
EXIT_FAILED = 1  # could not start, or could not do what was asked: the message says why
EXIT_OUTDATED = 69  # the network uses a protocol version that this software does not know (EX_UNAVAILABLE)
EXIT_HALTED = 70  # contradicted itself (EX_SOFTWARE); a supervisor must not restart it

API_GRACE_S = 3  # for requests under way when the node stops
KEEP_ALIVE_S = 65  # longer than the idle timeout of usual proxies
BACKLOG = 512
JOIN_PAUSE_S = 10.0  # before a state is looked for a third time; then twice as long each time
JOIN_PAUSE_MAX_S = 300.0
FILES_WANTED = 4_096  # open at a time: LevelDB 1,000, the API 1,000 connections, the rest peers
COLLECTOR = (50_000, 20, 100)
"""When to look for reference cycles. The caches hold hundreds of thousands of objects that are in none: by Python's
own thresholds the collector walked them again and again, 25 us a registration and up to 100 ms at a time."""

_log = structlog.get_logger(room="process")


def load_identity(config: NodeConfig, genesis: Genesis, passphrase: bytes) -> Identity:
    """The node's keys. Which of them count is for the ledger to say; genesis only knows who was there at first.

    Raises `KeyFileError`, `ConfigError` if genesis has the certificate for another party.
    """

    def consensus_key(path: Path | None) -> SigningKey | None:
        return None if path is None else load_key(path, passphrase, kind="consensus").signing_key

    transport = load_key(config.keys.transport, passphrase, kind="transport")
    founders: tuple[AuthorityEntry | ObserverEntry, ...] = (*genesis.authorities, *genesis.observers)
    for entry in founders:
        if entry.transport_certificate == transport.public and entry.party != config.party:
            raise ConfigError(config.file, "node.party", f"genesis has this certificate for {entry.party}")
    return Identity(
        name=config.name,
        transport=Credentials(transport.public, transport.secret),
        consensus=consensus_key(config.keys.consensus),
        next_consensus=consensus_key(config.keys.next_consensus),
        checkpoint=_checkpoint_key(config, genesis, passphrase),
    )


def _checkpoint_key(config: NodeConfig, genesis: Genesis, passphrase: bytes) -> SigningKey | None:
    """The key that an observer cosigns checkpoints with, if it does."""
    if config.keys.checkpoint is None:
        return None
    key = load_key(config.keys.checkpoint, passphrase, kind="checkpoint").signing_key
    if key.public_key not in {entry.checkpoint_key for entry in genesis.observers if entry.party == config.party}:
        raise ConfigError(config.file, "keys.checkpoint", f"is not a checkpoint key of {config.party} in genesis")
    return key


def run_node(config: NodeConfig, passphrase: bytes) -> int:
    """Run a node until it is told to stop. Returns the exit code. Raises `NodeError` if it cannot start."""
    configure_logs(level=config.log.level, form=config.log.format)
    genesis = read_genesis(config.genesis)
    identity = load_identity(config, genesis, passphrase)
    _allow_files()
    store = open_store(config.data_dir, config.engine)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(_serve(config, genesis, identity, store))
    finally:
        store.close()


async def _serve(config: NodeConfig, genesis: Genesis, identity: Identity, store: Store) -> int:
    stopping = _told_to_stop()
    pauses = _pauses()
    while True:
        pause_s = None
        if config.sync == "snapshot" and is_new(store):
            reason = await _join(config, genesis, identity, store, stopping)
            if stopping.is_set():
                return EXIT_OK  # it goes on next time
            if reason:
                pause_s = next(pauses)
                _log.warning("a state will be looked for again", reason=reason, not_before_s=pause_s)
        code = await _run(config, genesis, identity, store, stopping, pause_s)
        if code is not None:
            return code


def _pauses() -> Iterator[float]:
    """Seconds to wait before a state is looked for again: none at first, for then a peer that comes is news."""
    yield 0.0
    pause_s = JOIN_PAUSE_S
    while True:
        yield pause_s
        pause_s = min(2 * pause_s, JOIN_PAUSE_MAX_S)


async def _run(
    config: NodeConfig,
    genesis: Genesis,
    identity: Identity,
    store: Store,
    stopping: asyncio.Event,
    pause_s: float | None,
) -> int | None:
    """Run a node until it must end; its exit code, or None if it had better begin with a state after all.

    That is looked at after `pause_s`; None: not at all.
    """
    node = Node(
        genesis=genesis,
        identity=identity,
        store=store,
        bounds=config.mempool,
        addresses=config.network.peers,
        keep_ms=config.keep_days * DAY_MS or None,
        guard=config.data_dir / GUARD_NAME,
    )
    loop = asyncio.get_running_loop()
    gc.collect()
    gc.freeze()  # what was imported stays
    gc.set_threshold(*COLLECTOR)
    try:
        api = _api(config, node)
        await node.start(config.network.listen)
    except BaseException:
        await node.stop()  # it holds the store already, which would wait for it instead of saying what is wrong
        raise
    serving = loop.create_task(_run_api(api))
    asked = loop.create_task(stopping.wait())
    sync = node.service.sync
    wanted = loop.create_future() if pause_s is None else loop.create_task(sync.state_wanted(after_s=pause_s))
    waited: set[asyncio.Future[Any]] = {serving, asked, node.failed, wanted}
    await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
    _log.info("stopping", asked=stopping.is_set(), failed=node.failed.done(), for_a_state=wanted.done())
    code = None if wanted.done() else EXIT_FAILED
    api.should_exit = True
    if node.failed.done():
        api.force_exit = True
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.wait({serving}), API_GRACE_S + 1)
    for task in (asked, wanted):
        task.cancel()
    await node.stop()
    if node.failed.done():
        return EXIT_OUTDATED if isinstance(node.failed.result(), UpgradeNeeded) else EXIT_HALTED
    return EXIT_OK if stopping.is_set() else code


def _told_to_stop() -> asyncio.Event:
    """Set by SIGTERM and SIGINT from now on, for good: so it does not matter at which moment they come."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    return stopping


async def _join(config: NodeConfig, genesis: Genesis, identity: Identity, store: Store, stopping: asyncio.Event) -> str:
    """Until the store is one to start with, or this process is told to stop. Returns what `join` does."""
    loop = asyncio.get_running_loop()
    network = config.network
    joining = loop.create_task(
        join(genesis=genesis, identity=identity, store=store, addresses=network.peers, listen=network.listen)
    )
    asked = loop.create_task(stopping.wait())
    await asyncio.wait((joining, asked), return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    joining.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        return await joining
    return ""


async def _run_api(api: uvicorn.Server) -> None:
    """Serve until told to stop. Returns early if it cannot listen: the reason is in the log."""
    with contextlib.suppress(SystemExit):  # uvicorn's, which would tear the loop down under the ledger thread
        await api.serve()


class _Server(uvicorn.Server):
    """Uvicorn without signal handlers: the node decides when it stops."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _api(config: NodeConfig, node: Node) -> uvicorn.Server:
    host, port = split_address(config.api.listen)
    settings = uvicorn.Config(
        create_app(node.service, config.api),
        http=BoundedHttp,
        ws="none",
        host=host,
        port=port,
        backlog=BACKLOG,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=API_GRACE_S,
    )
    return _Server(settings)


def _allow_files() -> None:
    """Raise the limit of open files as far as is needed and allowed: a store that cannot open a file halts the node."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_WANTED if hard == resource.RLIM_INFINITY else min(FILES_WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if wanted < FILES_WANTED:
        _log.warning("few files may be open: raise `ulimit -n`", allowed=wanted, wanted=FILES_WANTED)


def _loop_factory() -> type[asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # not made for Windows
        return None
    return uvloop.Loop
