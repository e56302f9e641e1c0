"""Attacks on one real node, each a function that goes on until it is told to stop.

The attackers are a member that signs what it likes, strangers, the observer whose certificate was stolen, and an
authority that is as hostile as one may be (f = 1 of four). What they get back is of no interest, only that the node
goes on; the honest ones are measured elsewhere.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from random import Random

import httpx

from node.network import Channel
from registry.codec import encode
from tests.cast import EXP_VN, key_of
from tests.fuzzing.mutations import bytes_changed, mutated
from tests.fuzzing.targets import TARGETS
from tests.node.api.signing import SignedBy
from tests.scenarios.bad_input.network import Network, invoice
from tests.scenarios.bad_input.peers import frame, member

__all__ = ["ATTACKS", "Attack", "Stage"]

ENDED = (ssl.SSLError, OSError, httpx.HTTPError)
PER_REQUEST = 200
SLOW_CONNECTIONS = 150
FRAMES_AT_ONCE = 20


class Stage:
    """Whom it is about, and when it is over. `authority` and `observer` are members whose own nodes do not run."""

    def __init__(self, network: Network, node: str, *, authority: str, observer: str) -> None:
        self.network, self.node = network, node
        self.authority, self.observer = authority, observer
        self.over = threading.Event()
        self.url = network.devnet.url(node)


Attack = Callable[[Stage, Random], None]


def flood_of_a_member(stage: Stage, random: Random) -> None:
    """Good registrations of one member, as many as it can sign."""
    with httpx.Client(auth=SignedBy(key_of(EXP_VN)), timeout=10) as http:
        while not stage.over.is_set():
            wires = [stage.network.wire(EXP_VN, invoice(f"flood {random.random()}")) for _ in range(PER_REQUEST)]
            for _ in range(3):  # what was sent before is verified again, or found
                with contextlib.suppress(*ENDED):
                    http.post(
                        f"{stage.url}/v1/transactions",
                        content=encode(wires),
                        headers={"content-type": "application/msgpack"},
                    )


def large_bodies(stage: Stage, random: Random) -> None:
    """Signed bodies as large as they may be, of things that are no transactions."""
    body = encode([random.randbytes(60_000)] * 64)
    with httpx.Client(auth=SignedBy(key_of(EXP_VN)), timeout=10) as http:
        while not stage.over.is_set():
            with contextlib.suppress(*ENDED):
                http.post(f"{stage.url}/v1/transactions", content=body, headers={"content-type": "application/msgpack"})


def heavy_reads(stage: Stage, random: Random) -> None:
    """Large answers in parallel, most of which nobody reads."""
    with httpx.Client(auth=SignedBy(key_of(EXP_VN)), timeout=10) as http:
        while not stage.over.is_set():
            with contextlib.ExitStack() as held, contextlib.suppress(*ENDED):
                for _ in range(20):
                    path = random.choice(
                        ["/v1/receivables?limit=1000", "/v1/parties", "/v1/genesis", "/v1/events?since=0"]
                    )
                    held.enter_context(http.stream("GET", stage.url + path))
                stage.over.wait(1)


def slow_loris(stage: Stage, random: Random) -> None:
    """Connections that say a little now and then."""
    while not stage.over.is_set():
        with contextlib.ExitStack() as held:
            made = []
            for _ in range(SLOW_CONNECTIONS):
                with contextlib.suppress(OSError):
                    made.append(held.enter_context(socket.create_connection(stage.network.address(stage.node), 2)))
            for _ in range(8):
                for each in made:
                    with contextlib.suppress(OSError):
                        each.sendall(b"GET / HT" if random.random() < 0.2 else b"X")
                if stage.over.wait(0.5):
                    return


def hostile_http(stage: Stage, random: Random) -> None:
    """Heads without an end, thousands of headers, thousands of early requests, and noise."""
    request = b"GET /v1/genesis HTTP/1.1\r\nHost: x\r\n"
    kinds = [
        request + b"a:b\r\n" * 20_000 + b"\r\n",
        (request + b"\r\n") * 5_000,
        request + b"X: " + b"a" * 200_000,
        b"POST /v1/search HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n" + b"a" * 100_000,
        b"POST /v1/search HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + b"ffff\r\n" + b"a" * 65_535,
    ]
    while not stage.over.is_set():
        data = random.choice(kinds)
        if random.random() < 0.3:
            data = bytes_changed(data, random)
        with (
            contextlib.suppress(OSError),
            socket.create_connection(stage.network.address(stage.node), 2) as made,
        ):
            made.sendall(data)
            made.recv(100)


def half_open_tls(stage: Stage, random: Random) -> None:
    """Connections to the peers' port that never shake hands, or badly."""
    while not stage.over.is_set():
        with contextlib.ExitStack() as held:
            for _ in range(100):
                with contextlib.suppress(OSError):
                    made = held.enter_context(socket.create_connection(stage.network.peer_address(stage.node), 2))
                    if random.random() < 0.5:
                        made.sendall(random.randbytes(random.randint(1, 2_000)))
            stage.over.wait(1)


def _as_peer(stage: Stage, who: str, send: Callable[[ssl.SSLSocket], None]) -> None:
    while not stage.over.is_set():
        with contextlib.suppress(*ENDED), member(stage.network, who, stage.node) as tls:
            tls.settimeout(2)
            send(tls)
        stage.over.wait(0.05)


def hostile_observer(stage: Stage, random: Random) -> None:
    """Sync messages with changes in them, many questions, and frames that never end; nothing is read."""
    seeds = list(TARGETS["sync"].seeds())

    def send(tls: ssl.SSLSocket) -> None:
        for _ in range(FRAMES_AT_ONCE):
            tls.sendall(frame(Channel.SYNC, mutated("msgpack", random.choice(seeds), random)))
        tls.sendall(frame(Channel.SYNC, encode(["ask", 1, 64])) * 3)
        tls.sendall(frame(Channel.SYNC, bytes(5_000_000))[: random.randint(1, 5_000_000)])
        stage.over.wait(1)

    _as_peer(stage, stage.observer, send)


def hostile_authority(stage: Stage, random: Random) -> None:
    """Consensus messages and gossip with changes in them, floods of empty transactions; nothing is read."""
    seeds = list(TARGETS["message"].seeds())

    def send(tls: ssl.SSLSocket) -> None:
        for _ in range(FRAMES_AT_ONCE):
            tls.sendall(frame(Channel.CONSENSUS, random.choice(seeds)))
        tls.sendall(frame(Channel.TRANSACTIONS, encode([b""] * 4_096)) * 3)
        tls.sendall(frame(Channel.TRANSACTIONS, encode([random.randbytes(500_000)])) * 3)
        tls.sendall(frame(Channel.CONSENSUS, mutated("msgpack", random.choice(seeds), random)))
        time.sleep(0.05)

    _as_peer(stage, stage.authority, send)


ATTACKS: dict[str, Attack] = {
    "a member floods": flood_of_a_member,
    "a member sends large bodies": large_bodies,
    "a member asks for much and reads little": heavy_reads,
    "strangers are slow": slow_loris,
    "strangers send noise": hostile_http,
    "strangers do not shake hands": half_open_tls,
    "an observer is hostile": hostile_observer,
    "an authority is hostile": hostile_authority,
}
