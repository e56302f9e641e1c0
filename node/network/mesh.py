"""The mesh: listens, dials, keeps one connection to each peer, and hands frames on.

Both sides dial. When two connections to a peer come up at nearly the same time, both ends keep the one that the peer
with the smaller certificate opened; a later one replaces the older, for a peer that has a live connection does not
dial. A connection is that of a certificate: who stands behind it, by which key and in which role, follows the ledger.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from node.fairness import Room, address_of
from node.network.connection import Connection
from node.network.directory import Directory, Peer, split_address
from node.network.frames import Channel, Frame
from node.network.holdoff import HoldOff
from node.network.tls import Contexts, Credentials, build_contexts
from node.rates import Buckets

__all__ = ["Handler", "Mesh", "PeerStatus"]

TLS_HANDSHAKE_TIMEOUT_S = 5.0
TLS_SHUTDOWN_TIMEOUT_S = 1.0
DIAL_TIMEOUT_S = 5.0
BACKOFF_MIN_S = 0.1
BACKOFF_MAX_S = 5.0
STEADY_AFTER_S = 5.0  # a connection that lived this long resets the backoff
SIMULTANEOUS_S = 2.0  # two connections within this time are a simultaneous dial
HANDSHAKES_MAX = 64  # TLS handshakes of strangers at a time; of one address, no more than are left free
REFUSALS_LOGGED_PER_S = 5
REFUSALS_LOGGED_BURST = 50
CONNECTIONS_MAX = 8  # to one peer, without a hello yet or being closed; one of them is used
LISTEN_BACKLOG = 128
TICK_S = 1.0
HELD_OFF = "is held off"
NOT_LET_IN = "is not let in any more"

_log = structlog.get_logger(room="network")


class Handler(Protocol):
    """Who uses the mesh. Called on the event loop; must return quickly."""

    def connected(self, peer: Peer) -> None:
        """There is a connection to `peer`; called again when a newer connection replaced it."""

    def disconnected(self, peer: Peer) -> None:
        """There is no connection to `peer` any more."""

    def received(self, peer: Peer, channel: Channel, payload: bytes) -> None:
        """A message. Raises `ProtocolViolation` if no honest peer sends it: the peer is disconnected."""


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """What is known of the connection to a peer, for operators."""

    peer: Peer
    connected: bool
    round_trip_ms: float | None
    gossip_dropped: int
    last_error: str


class Mesh:
    """All connections of one node. `me` is its own entry in the directory, or what it calls itself without one."""

    def __init__(
        self, *, genesis_id: bytes, directory: Directory, me: Peer, credentials: Credentials, handler: Handler
    ) -> None:
        self.genesis_id = genesis_id
        self.directory = directory
        self.me = me
        self._handler = handler
        self._credentials = credentials
        self._contexts: Contexts = build_contexts(credentials, directory.by_certificate)
        self._open: dict[bytes, Connection] = {}  # these four by the peer's certificate
        self._lost: dict[bytes, asyncio.Event] = {}
        self._errors: dict[bytes, str] = {}
        self._dialling: dict[bytes, asyncio.Task[None]] = {}
        self._held_off = HoldOff()
        self._all: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._handshakes = Room(most=HANDSHAKES_MAX, each_max=HANDSHAKES_MAX)  # by address
        self._refusals = Buckets(per_s=REFUSALS_LOGGED_PER_S, burst=REFUSALS_LOGGED_BURST, names_max=1)
        self.refused = 0
        """Connections of strangers that were refused, whether that was logged or not."""
        self._listener: socket.socket | None = None
        self._all_closed = asyncio.Event()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def watch(self) -> None:
        """Wait for ever, or raise what a task in here has died of: without it nobody would be heard any more."""
        await self._failed

    async def start(self, listen: str) -> int:
        """Listen at `listen` (`host:port`), then dial. Returns the port. Raises `OSError`, `AddressError`."""
        host, port = split_address(listen)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=LISTEN_BACKLOG)
        self._listener.setblocking(False)
        self._spawn(self._accept(self._listener))
        self._spawn(self._tick())
        self._dial_members()
        return int(self._listener.getsockname()[1])

    def follow(self, directory: Directory, me: Peer) -> None:
        """Let in exactly these from now on: connections of others end, those that stay may be another peer's by name.

        `me` is this node as the others see it now.
        """
        self._contexts = build_contexts(self._credentials, directory.by_certificate)
        self.directory, self.me = directory, me
        self._held_off.keep(directory.by_certificate)
        # Whoever leaves is told before anybody who comes: an id may pass from one connection to another.
        renamed: list[Connection] = []
        for connection in tuple(self._all):
            former = connection.peer
            if former is None:
                continue
            peer = directory.by_certificate.get(former.certificate)
            if peer is None:
                self._leave(connection, former, NOT_LET_IN)
                connection.abort(NOT_LET_IN)
            elif peer != former:
                connection.peer = peer
                if self._open.get(peer.certificate) is connection:
                    self._handler.disconnected(former)
                    renamed.append(connection)
        for connection in renamed:
            if connection.peer is not None and self._open.get(connection.peer.certificate) is connection:
                self._handler.connected(connection.peer)
        if self._listener is not None:
            self._dial_members()

    async def stop(self) -> None:
        """Close everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for connection in tuple(self._all):
            connection.close("this node stops")
        if self._all:
            self._all_closed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_closed.wait(), TLS_SHUTDOWN_TIMEOUT_S)
        for connection in tuple(self._all):
            connection.abort("this node stops")

    def send(self, peer_id: bytes, channel: Channel, payload: bytes) -> bool:
        """Send to one peer. False if it is not connected (the message is lost)."""
        connection = self._connection(peer_id)
        return connection is not None and connection.send(channel, payload)

    def broadcast(self, channel: Channel, payload: bytes, *, role: str) -> None:
        """Send to every connected peer of a role."""
        for connection in tuple(self._open.values()):
            if connection.peer is not None and connection.peer.role == role:
                connection.send(channel, payload)

    def disconnect(self, peer_id: bytes, reason: str) -> None:
        """Close the connection to a peer that did what no honest peer does, if there is one, and hold the peer off."""
        connection = self._connection(peer_id)
        if connection is not None:
            connection.abort(reason, broke_a_rule=True)

    def connected(self) -> tuple[Peer, ...]:
        """The peers that there is a connection to."""
        return tuple(connection.peer for connection in self._open.values() if connection.peer is not None)

    def status(self) -> tuple[PeerStatus, ...]:
        """One entry for each other member."""
        return tuple(self._status(peer) for peer in self.directory.members if not _same(peer, self.me))

    # what a connection calls

    def made(self, connection: Connection) -> None:
        """Remember a connection, so that it is closed when the node stops; of one peer only so many."""
        self._all.add(connection)
        if self._holds_off(connection.peer):
            connection.abort(HELD_OFF)
        elif sum(_same(other.peer, connection.peer) for other in self._all) > CONNECTIONS_MAX:
            connection.abort("too many connections")

    def opened(self, connection: Connection) -> None:
        """Keep the connection, or close it as the duplicate of one that is to stay."""
        peer = connection.peer
        assert peer is not None, "an open connection has a peer"
        if self._holds_off(peer):  # it broke a rule on another connection, after this one was made
            connection.abort(HELD_OFF)
            return
        older = self._open.get(peer.certificate)
        if older is not None and not self._replaces(connection, older):
            connection.close("duplicate of a connection that stays")
            return
        self._open[peer.certificate] = connection
        if older is not None:
            older.close("replaced by another connection")
        self._errors.pop(peer.certificate, None)
        _log.info("peer connected", peer=peer.name, dialled=connection.dialled)
        self._handler.connected(peer)

    def received(self, connection: Connection, frame: Frame) -> None:
        """Hand a message on."""
        assert connection.peer is not None, "frames come after the hello"
        if self._open.get(connection.peer.certificate) is connection:
            self._handler.received(connection.peer, frame.channel, frame.payload)

    def closed(self, connection: Connection, reason: str) -> None:
        """Forget a connection."""
        self._all.discard(connection)
        if not self._all:
            self._all_closed.set()
        peer = connection.peer
        if peer is None:
            self._refuse("", reason)
            return
        if connection.broke_a_rule:
            self._hold_off(peer, reason)
        if not self._leave(connection, peer, reason):
            if reason == HELD_OFF:
                self._refuse("", f"{peer.name} {reason}")
            elif peer.certificate not in self._open and peer.certificate in self.directory.by_certificate:
                self._note_error(peer, reason)
        if peer.certificate in self._lost:
            self._lost[peer.certificate].set()

    # inside

    def _leave(self, connection: Connection, peer: Peer, reason: str) -> bool:
        """Say that the peer has left, if it is this connection that it was heard on."""
        if self._open.get(peer.certificate) is not connection:
            return False
        del self._open[peer.certificate]
        self._errors[peer.certificate] = reason
        _log.info("peer disconnected", peer=peer.name, reason=reason)
        self._handler.disconnected(peer)
        return True

    def _hold_off(self, peer: Peer, reason: str) -> None:
        length_s = self._held_off.broke(peer.certificate, now_s=asyncio.get_running_loop().time())
        _log.warning("peer broke a rule and is held off", peer=peer.name, reason=reason, for_s=length_s)

    def _holds_off(self, peer: Peer | None) -> bool:
        now_s = asyncio.get_running_loop().time()
        return peer is not None and self._held_off.left_s(peer.certificate, now_s=now_s) > 0

    def _connection(self, peer_id: bytes) -> Connection | None:
        peer = self.directory.by_id.get(peer_id)
        return None if peer is None else self._open.get(peer.certificate)

    def _dial_members(self) -> None:
        """Dial those that are to be dialled, at the address they have now, and no others any more."""
        wanted = {peer.certificate: peer for peer in self.directory.members if self._dials(peer)}
        for certificate in [each for each in self._dialling if each not in wanted]:
            self._dialling.pop(certificate).cancel()
            del self._lost[certificate]
        for certificate in wanted:
            if certificate not in self._dialling:
                self._lost[certificate] = asyncio.Event()
                self._dialling[certificate] = self._spawn(self._keep_dialling(certificate))

    def _dials(self, peer: Peer) -> bool:
        """Authorities dial authorities, observers dial everyone: an observer may sit where nobody can reach it."""
        return not _same(peer, self.me) and (peer.role == "authority" or self.me.role == "observer")

    def _replaces(self, newer: Connection, older: Connection) -> bool:
        assert newer.peer is not None, "an open connection has a peer"
        if newer.dialled == older.dialled or newer.opened_at - older.opened_at > SIMULTANEOUS_S:
            return True
        return newer.dialled == (self.me.certificate < newer.peer.certificate)

    def _status(self, peer: Peer) -> PeerStatus:
        connection = self._open.get(peer.certificate)
        if connection is None:
            return PeerStatus(peer, False, None, 0, self._errors.get(peer.certificate, ""))
        trip = connection.round_trip_s
        return PeerStatus(peer, True, None if trip is None else round(trip * 1000, 3), connection.dropped, "")

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None and not self._failed.done():
            self._failed.set_exception(error)

    def _note_error(self, peer: Peer, reason: str) -> None:
        if self._errors.get(peer.certificate) != reason:  # once, not at every attempt
            _log.info("peer not reachable", peer=peer.name, reason=reason)
        self._errors[peer.certificate] = reason

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                stranger, address = await loop.sock_accept(listener)
            except OSError as error:  # out of descriptors, say: others may be closing
                _log.warning("cannot accept", reason=str(error))
                await asyncio.sleep(BACKOFF_MIN_S)
                continue
            host = address_of(str(address[0]))
            if not self._handshakes.fits(host, 1):
                stranger.close()
                continue
            self._handshakes.take(host, 1)
            _no_delay(stranger)
            self._spawn(self._welcome(stranger, host))

    async def _welcome(self, stranger: socket.socket, address: str) -> None:
        connection = Connection(self, expected=None)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection,
                stranger,
                ssl=self._contexts.server,
                ssl_handshake_timeout=TLS_HANDSHAKE_TIMEOUT_S,
                ssl_shutdown_timeout=TLS_SHUTDOWN_TIMEOUT_S,
            )
        except Exception as error:  # noqa: BLE001 - whatever a stranger does costs its connection only
            stranger.close()
            self._refuse(address, f"TLS: {str(error) or 'the connection ended during the handshake'}")
        finally:
            self._handshakes.give_back(address, 1)

    def _refuse(self, address: str, reason: str) -> None:
        """Count it, and say so, unless so many were refused just now that the log would fill the disk."""
        self.refused += 1
        if self._refusals.take("", now_s=asyncio.get_running_loop().time()) == 0:
            _log.warning("connection refused", address=address, reason=reason, so_far=self.refused)

    async def _keep_dialling(self, certificate: bytes) -> None:
        loop = asyncio.get_running_loop()
        lost = self._lost[certificate]
        backoff = BACKOFF_MIN_S
        while True:
            if certificate in self._open:
                since = loop.time()
                lost.clear()
                await lost.wait()
                if loop.time() - since > STEADY_AFTER_S:
                    backoff = BACKOFF_MIN_S
                continue
            if (held_off_s := self._held_off.left_s(certificate, now_s=loop.time())) > 0:
                await asyncio.sleep(held_off_s)
                continue
            await self._dial(self.directory.by_certificate[certificate])
            await asyncio.sleep(backoff * random.uniform(0.8, 1.2))  # noqa: S311 - spreads load, hides nothing
            backoff = min(backoff * 2, BACKOFF_MAX_S)

    async def _dial(self, peer: Peer) -> None:
        connection = Connection(self, expected=peer)
        try:
            host, port = split_address(peer.address)
            async with asyncio.timeout(DIAL_TIMEOUT_S):
                await asyncio.get_running_loop().create_connection(
                    lambda: connection,
                    host,
                    port,
                    ssl=self._contexts.client,
                    server_hostname="",
                    ssl_handshake_timeout=TLS_HANDSHAKE_TIMEOUT_S,
                    ssl_shutdown_timeout=TLS_SHUTDOWN_TIMEOUT_S,
                )
        except Exception as error:  # noqa: BLE001 - whatever is wrong with an address, dialling goes on
            self._note_error(peer, str(error) or type(error).__name__)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            now = asyncio.get_running_loop().time()
            for connection in tuple(self._open.values()):
                connection.tick(now)


def _same(one: Peer | None, other: Peer | None) -> bool:
    """Whether these are the same node, whatever it is called."""
    return (one and one.certificate) == (other and other.certificate)


def _no_delay(stream: socket.socket) -> None:
    with contextlib.suppress(OSError):
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
