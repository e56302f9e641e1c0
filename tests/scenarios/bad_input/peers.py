"""A hostile peer: TLS connections to real nodes with whatever certificate, and frames with whatever in them."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

from node.network import Channel, Credentials
from node.network.frames import encode_frame, encode_hello
from node.network.tls import build_contexts
from registry.codec import encode
from tests.scenarios.bad_input.network import POLL_S, Network

__all__ = [
    "ENDED_BY",
    "INSIDER",
    "OUTSIDER",
    "Stage",
    "answered",
    "closed",
    "dial",
    "frame",
    "member",
    "refused_for",
    "sent",
]

OUTSIDER, INSIDER = "an observer", "an authority"
PATIENCE_S = 10.0
ATTEMPTS, ATTEMPT_S = 10, 0.5
ENDED_BY = (ssl.SSLError, ConnectionError, TimeoutError)


def client_context(network: Network, credentials: Credentials) -> ssl.SSLContext:
    """The settings of an honest node with these credentials."""
    authorities = [each.transport_certificate for each in network.genesis.authorities]
    observers = [each.transport_certificate for each in network.genesis.observers]
    return build_contexts(credentials, authorities + observers).client


@contextmanager
def dial(network: Network, node: str, context: ssl.SSLContext) -> Iterator[ssl.SSLSocket]:
    """A TLS connection; in TLS 1.3 a client learns only afterwards whether it is let in."""
    with (
        socket.create_connection(network.peer_address(node), timeout=PATIENCE_S) as plain,
        context.wrap_socket(plain, suppress_ragged_eofs=True) as tls,
    ):
        yield tls


@contextmanager
def member(network: Network, name: str, node: str, *, hello: bytes | None = None) -> Iterator[ssl.SSLSocket]:
    """A connection with a member's genuine certificate, the hello said unless another is given."""
    with dial(network, node, client_context(network, network.credentials(name))) as tls:
        tls.sendall(encode_hello(network.genesis.id) if hello is None else hello)
        yield tls


def frame(channel: int, payload: bytes) -> bytes:
    """A frame, with no regard to what is allowed."""
    if channel in list(Channel) and len(payload) <= 1024:
        return encode_frame(Channel(channel), payload)
    return (len(payload) + 1).to_bytes(4, "big") + bytes([channel]) + payload


def answered(made: socket.socket) -> None:
    """Return when a ping is answered: what was sent before it has been heard, and was no reason to end this."""
    number, data = 4711, b""
    made.sendall(frame(Channel.CONTROL, encode(["ping", number])))
    while encode(["pong", number]) not in data:
        part = made.recv(65_536)
        assert part, "the connection has ended"
        data += part


def closed(made: socket.socket, *, within_s: float = PATIENCE_S) -> bool:
    """Whether the other side ends the connection; what it still says is read."""
    made.settimeout(within_s)
    deadline = time.monotonic() + within_s
    try:
        while made.recv(65_536):
            if time.monotonic() > deadline:
                return False
    except TimeoutError:
        return False
    except (ssl.SSLError, ConnectionError):
        return True
    return True


def sent(made: socket.socket, parts: Iterable[bytes]) -> None:
    """Send the parts, or as many as are taken before the other side has had enough."""
    with contextlib.suppress(*ENDED_BY):
        for part in parts:
            made.sendall(part)


def refused_for(network: Network, node: str, since: int, reason: str) -> None:
    """Return when the node's log, after its first `since` bytes, gives this reason for ending a connection."""
    deadline = time.monotonic() + PATIENCE_S
    while not any(reason in said for said in network.reasons(node, since)):
        assert time.monotonic() < deadline, (reason, network.reasons(node, since))
        time.sleep(POLL_S)


@dataclass(frozen=True, slots=True)
class Stage:
    """The node that is attacked, where its log stood before, and whose stolen certificates are used.

    One is the observer's, which does not run; the other an authority's that runs itself, too. A new connection of that
    one always replaces the older one, whoever opened it, because the attacked node has the larger certificate.
    """

    network: Network
    node: str
    thieves: dict[str, str]
    since: int

    def at(self, turn: int) -> Stage:
        """The same at another node, by turns; not at that of the robbed authority."""
        nodes = [node for node in self.network.by_certificate() if node != self.thieves[INSIDER]]
        node = nodes[turn % len(nodes)]
        return replace(self, node=node, since=self.network.log_size(node))

    def let_in(self, who: str) -> None:
        """Return when the member is not held off for what it did before: then it hears a hello."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            with contextlib.suppress(*ENDED_BY), member(self.network, self.thieves[who], self.node) as tls:
                if tls.recv(5):
                    return
            assert time.monotonic() < deadline, f"{who} is not let in"
            time.sleep(POLL_S)

    def connection(self, who: str, frames: bytes = b"") -> AbstractContextManager[ssl.SSLSocket]:
        """A connection as a member that says hello and then this at once, when it is not held off any more."""
        self.let_in(who)
        return member(self.network, self.thieves[who], self.node, hello=encode_hello(self.network.genesis.id) + frames)

    def provoke(self, who: str, frames: bytes, reason: str) -> None:
        """Connect and send until the node ends a connection for this reason.

        Once is enough, unless the robbed authority connects again in the middle of it, and so replaces the thief; or
        more than once is needed to be too much.
        """
        for _ in range(ATTEMPTS):
            with self.connection(who, frames) as tls:
                closed(tls, within_s=ATTEMPT_S)
            if any(reason in said for said in self.network.reasons(self.node, self.since)):
                return
        self.ended_for(reason)

    def ended_for(self, reason: str) -> None:
        """Return when the node says that it has ended a connection for this reason."""
        refused_for(self.network, self.node, self.since, reason)
