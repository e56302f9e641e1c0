"""Real sockets, real TLS: who gets in, who does not, and what a hostile peer can do."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.certificates import make_certificate
from node.devnet import free_ports
from node.network import (
    PAYLOAD_MAX,
    Channel,
    Credentials,
    Directory,
    FrameError,
    HandshakeError,
    Mesh,
    Peer,
    ProtocolViolation,
    split_address,
)
from node.network import connection as connection_module
from node.network import mesh as mesh_module
from node.network.connection import HELLO_BYTES_MAX, HELLO_TIMEOUT_S, PING_AFTER_S
from node.network.errors import AddressError
from node.network.frames import (
    Frame,
    FrameReader,
    check_hello,
    control,
    encode_frame,
    encode_hello,
    encode_ping,
    encode_pong,
)
from node.network.mesh import CONNECTIONS_MAX
from node.network.outbox import FRAME_COST_BYTES, Outbox
from node.network.tls import build_contexts
from node.rates import Buckets
from tests import holding_off
from tests.conftest import PATIENCE_S, eventually

GENESIS = bytes(range(32))


def credentials(name: str, number: int) -> Credentials:
    seed = number.to_bytes(32, "big")
    return Credentials(make_certificate(seed, name), seed)


KEYS = [credentials(f"node {number}", number) for number in range(4)]
NAMESAKES = [credentials("node", number) for number in (10, 11, 12, 12)]  # the last has the key of the one before


def member(number: int, *, port: int = 1, role: str = "authority") -> Peer:
    return Peer(bytes([number]) * 32, f"node {number}", role, f"127.0.0.1:{port}", KEYS[number].certificate)


@dataclass
class Recorder:
    """A handler that remembers, and refuses what it is told to refuse."""

    up: list[str] = field(default_factory=list)
    down: list[str] = field(default_factory=list)
    told: list[tuple[bool, Peer]] = field(default_factory=list)
    messages: list[tuple[str, Channel, bytes]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    greets: Callable[[Peer], object] = lambda peer: None

    def connected(self, peer: Peer) -> None:
        self.greets(peer)
        self.up.append(peer.name)
        self.told.append((True, peer))
        self.changed.set()

    def disconnected(self, peer: Peer) -> None:
        self.down.append(peer.name)
        self.told.append((False, peer))
        self.changed.set()

    def received(self, peer: Peer, channel: Channel, payload: bytes) -> None:
        if payload == b"nonsense":
            raise ProtocolViolation("nonsense")
        self.messages.append((peer.name, channel, payload))
        self.changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


@dataclass
class Node:
    mesh: Mesh
    seen: Recorder
    port: int


Start = Callable[..., Awaitable[Node]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts a mesh with the given members; all are stopped at the end."""
    nodes: list[Node] = []

    async def begin(me: Peer, members: list[Peer], *, genesis_id: bytes = GENESIS, greeting: bytes = b"") -> Node:
        seen = Recorder()
        own = next(keys for keys in (*KEYS, *NAMESAKES) if keys.certificate == me.certificate)
        mesh = Mesh(genesis_id=genesis_id, directory=Directory(members), me=me, credentials=own, handler=seen)
        if greeting:
            seen.greets = lambda peer: mesh.send(peer.id, Channel.TRANSACTIONS, greeting)
        node = Node(mesh, seen, await mesh.start(me.address))
        nodes.append(node)
        return node

    yield begin
    for node in nodes:
        await node.mesh.stop()


async def pair(start: Start, *, second_genesis: bytes = GENESIS) -> tuple[Node, Node]:
    """Two nodes, the second dials the first."""
    listener = await start(member(0, port=0), [member(0, port=0), member(1)])
    me = member(1, port=0)
    return listener, await start(me, [member(0, port=listener.port), me], genesis_id=second_genesis)


async def test_members_of_genesis_connect_and_talk(start: Start) -> None:
    a, b = await pair(start)
    await a.seen.until(lambda: a.seen.up == ["node 1"])
    await b.seen.until(lambda: b.seen.up == ["node 0"])
    large = bytes(PAYLOAD_MAX[Channel.CONSENSUS])
    assert a.mesh.send(member(1).id, Channel.CONSENSUS, large)
    b.mesh.broadcast(Channel.TRANSACTIONS, b"wires", role="authority")
    b.mesh.broadcast(Channel.SYNC, b"nobody", role="observer")
    await b.seen.until(lambda: b.seen.messages == [("node 0", Channel.CONSENSUS, large)])
    await a.seen.until(lambda: a.seen.messages == [("node 1", Channel.TRANSACTIONS, b"wires")])
    assert not a.mesh.send(member(2).id, Channel.CONSENSUS, b"unknown")
    assert [status.connected for status in a.mesh.status()] == [True]


async def test_a_message_too_large_for_its_channel_is_lost_and_nothing_else(start: Start) -> None:
    a, b = await pair(start)
    await a.seen.until(lambda: a.seen.up == ["node 1"])
    large = bytes(PAYLOAD_MAX[Channel.TRANSACTIONS] + 1)
    assert not a.mesh.send(member(1).id, Channel.TRANSACTIONS, large)
    a.mesh.broadcast(Channel.TRANSACTIONS, large, role="authority")
    assert a.mesh.send(member(1).id, Channel.TRANSACTIONS, b"small")
    await b.seen.until(lambda: b.seen.messages == [("node 0", Channel.TRANSACTIONS, b"small")])
    assert b.seen.up == ["node 0"]
    assert not b.seen.down


async def test_a_lost_connection_is_dialled_again(start: Start) -> None:
    a, b = await pair(start)
    await a.seen.until(lambda: a.seen.up == ["node 1"])
    a.mesh.disconnect(member(1).id, "a test")
    await b.seen.until(lambda: b.seen.up == ["node 0", "node 0"])
    await a.seen.until(lambda: a.seen.up == ["node 1", "node 1"])


async def test_simultaneous_dials_leave_one_connection(start: Start) -> None:
    ports = free_ports(2)
    members = [member(0, port=ports[0]), member(1, port=ports[1])]
    a, b = await asyncio.gather(*(start(me, members) for me in members))
    for number in range(20):
        await eventually(lambda: a.mesh.connected() and b.mesh.connected())
        a.mesh.send(members[1].id, Channel.CONSENSUS, bytes([number]))
        await asyncio.sleep(0.01)
    assert len(a.mesh._all) == len(b.mesh._all) == 1
    assert len(b.seen.messages) >= 15


async def test_honest_peers_that_dial_each_other_and_send_at_once_are_not_held_off(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As under load: whoever is connected sends what waits, also over the connection that the other side gives up."""
    holding_off.for_an_hour(monkeypatch)
    members = [member(number, port=port) for number, port in enumerate(free_ports(4))]
    nodes = await asyncio.gather(*(start(me, members, greeting=bytes(20_000)) for me in members))
    await eventually(lambda: all(len(node.mesh.connected()) == 3 and len(node.mesh._all) == 3 for node in nodes))
    assert not [(node.mesh.me.name, peer.name) for node in nodes for peer in members if node.mesh._holds_off(peer)]


def told(seen: Recorder) -> set[bytes]:
    """Whom the handler thinks to be connected, by what it was told, in order."""
    connected: set[bytes] = set()
    for is_up, peer in seen.told:
        assert (peer.id in connected) != is_up, "told twice that one came, or that one left who is not there"
        (connected.add if is_up else connected.remove)(peer.id)
    return connected


async def seat_and_observer(start: Start) -> Node:
    """A node that is connected with the node that has a seat, and with another one of the same party."""
    host = await start(member(0, port=0), [member(0, port=0), *seated(1)])
    for number in (1, 2):
        me = member(number, port=0, role="observer")
        await start(me, [me, member(0, port=host.port)])
    await host.seen.until(lambda: len(host.seen.up) == 2)
    return host


SEAT, SEATLESS = bytes([7]) * 32, bytes([8]) * 32


def seated(holder: int) -> list[Peer]:
    """Nodes 1 and 2, as the ledger has them while `holder` has the seat: it has the consensus key's id."""
    other = 3 - holder
    return [
        replace(member(holder), id=SEAT, name="party"),
        replace(member(other, role="observer"), id=SEATLESS, name="party/observer"),
    ]


async def test_a_seat_that_moves_between_two_connected_nodes_leaves_both_connected(start: Start) -> None:
    """There and back, so that whichever of them comes first, the seat is once its successor's before it is left."""
    host = await seat_and_observer(start)
    for holder in (2, 1):
        host.mesh.follow(Directory([member(0, port=0), *seated(holder)]), member(0, port=0))
        assert told(host.seen) == {SEAT, SEATLESS} == {peer.id for peer in host.mesh.connected()}
        assert host.mesh.send(SEAT, Channel.SYNC, b"")


async def test_a_seat_that_moves_from_a_node_that_is_let_in_no_more_is_not_left(start: Start) -> None:
    host = await seat_and_observer(start)
    (holder, _) = seated(2)
    host.mesh.follow(Directory([member(0, port=0), holder]), member(0, port=0))
    assert told(host.seen) == {SEAT}
    await eventually(lambda: len(host.mesh._all) == 1)  # the other connection has ended
    assert told(host.seen) == {SEAT} == {peer.id for peer in host.mesh.connected()}


async def test_nodes_of_one_name_all_connect_also_with_two_certificates_of_one_key(start: Start) -> None:
    ports = free_ports(len(NAMESAKES))
    members = [
        Peer(bytes([number]) * 32, f"m{number}", "authority", f"127.0.0.1:{port}", keys.certificate)
        for number, (port, keys) in enumerate(zip(ports, NAMESAKES, strict=True))
    ]
    nodes = [await start(me, members) for me in members]
    await eventually(lambda: all(len(node.mesh.connected()) == len(members) - 1 for node in nodes))
    assert [status.last_error for node in nodes for status in node.mesh.status()] == [""] * 12


async def test_a_namesake_of_a_member_is_still_refused(start: Start) -> None:
    namesake = Peer(bytes([9]) * 32, "m", "authority", "127.0.0.1:1", NAMESAKES[0].certificate)
    a = await start(member(0, port=0), [member(0, port=0), namesake])
    for impostor in (NAMESAKES[1], credentials("node", 10)):  # another key; the same key, a certificate nobody admitted
        reader, writer = await stranger(a.port, impostor)
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            writer.write(encode_hello(GENESIS))
            assert await closed(reader) == b""
        writer.close()
    await eventually(lambda: a.mesh.refused == 2)
    assert not a.seen.up


async def test_nobody_is_held_off_for_what_others_do_in_its_name(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by its name on another certificate, nor by its address, nor by another member that answers there."""
    holding_off.for_an_hour(monkeypatch)
    a = await start(member(0, port=0), [member(0, port=0), member(1), member(2)])
    garbage = b"\xff" * 64
    for keys in (credentials("node 1", 9), KEYS[2]):  # who is not let in, and who is held off from now on
        reader, writer = await stranger(a.port, keys)
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            writer.write(encode_hello(GENESIS) + garbage)
            await closed(reader)
        writer.close()
    await eventually(lambda: a.mesh.refused and a.seen.down == ["node 2"])
    me = member(1, port=0)
    b = await start(me, [me, member(0, port=a.port), member(2, port=a.port)])  # of node 2 it thinks that it is there
    await eventually(lambda: any("answers at the address" in status.last_error for status in b.mesh.status()))
    await b.seen.until(lambda: b.seen.up == ["node 0"])
    await a.seen.until(lambda: a.seen.up == ["node 2", "node 1"])


async def test_another_genesis_is_refused_by_both(start: Start) -> None:
    a, b = await pair(start, second_genesis=bytes(32))
    await eventually(lambda: a.mesh.status()[0].last_error and b.mesh.status()[0].last_error)
    errors = a.mesh.status()[0].last_error + b.mesh.status()[0].last_error
    assert "another network" in errors
    assert not a.seen.up
    assert not b.seen.up


async def stranger(port: int, keys: Credentials) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    contexts = build_contexts(keys, [each.certificate for each in KEYS])
    return await asyncio.open_connection("127.0.0.1", port, ssl=contexts.client, server_hostname="")


async def closed(reader: asyncio.StreamReader) -> bytes:
    """What is read until the other side closes."""
    async with asyncio.timeout(PATIENCE_S):
        try:
            return await reader.read()
        except (ssl.SSLError, ConnectionError):
            return b""


async def test_a_certificate_that_is_not_in_genesis_is_refused(start: Start) -> None:
    a = await start(member(0, port=0), [member(0, port=0), member(1)])
    reader, writer = await stranger(a.port, KEYS[3])
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        writer.write(encode_hello(GENESIS))
        assert await closed(reader) == b""
    writer.close()
    assert not a.seen.up


async def test_no_certificate_and_no_tls_are_refused(start: Start) -> None:
    a = await start(member(0, port=0), [member(0, port=0), member(1)])
    reader, writer = await asyncio.open_connection("127.0.0.1", a.port)
    writer.write(encode_hello(GENESIS) * 100)
    await closed(reader)
    writer.close()
    anonymous = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anonymous.check_hostname = False
    anonymous.verify_mode = ssl.CERT_NONE
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        reader, writer = await asyncio.open_connection("127.0.0.1", a.port, ssl=anonymous, server_hostname="")
        await closed(reader)
        writer.close()
    assert not a.seen.up


async def test_tls_1_2_is_refused(start: Start) -> None:
    a = await start(member(0, port=0), [member(0, port=0), member(1)])
    old = build_contexts(KEYS[1], [KEYS[0].certificate]).client
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection("127.0.0.1", a.port, ssl=old, server_hostname="")


async def test_the_wrong_member_at_an_address_is_refused(start: Start) -> None:
    a = await start(member(0, port=0), [member(0, port=0), member(1), member(2)])
    me = member(1, port=0)
    b = await start(me, [me, member(2, port=a.port)])
    await eventually(lambda: b.mesh.status()[0].last_error)
    assert not b.seen.up


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x00" * 64, id="zeros"),
        pytest.param(b"\xff" * 64, id="length of 4 GB"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="http"),
        pytest.param((1).to_bytes(4, "big") + b"\x09", id="unknown channel"),
        pytest.param((PAYLOAD_MAX[Channel.TRANSACTIONS] + 2).to_bytes(4, "big") + b"\x03", id="oversize"),
        pytest.param(encode_frame(Channel.CONTROL, b"\x93\xa4ping\x01\x02"), id="control with too much"),
        pytest.param(encode_frame(Channel.CONTROL, b"\xc1"), id="control that does not decode"),
        pytest.param(encode_frame(Channel.CONSENSUS, b"nonsense"), id="refused by the handler"),
        pytest.param(encode_hello(GENESIS), id="second hello"),
    ],
)
async def test_garbage_ends_the_connection_and_nothing_else(start: Start, data: bytes) -> None:
    a = await start(member(0, port=0), [member(0, port=0), member(1), member(2, role="observer")])
    me = member(2, port=0, role="observer")
    honest = await start(me, [member(0, port=a.port), me])
    await honest.seen.until(lambda: honest.seen.up == ["node 0"])
    reader, writer = await stranger(a.port, KEYS[1])
    writer.write(encode_hello(GENESIS) + data)
    await a.seen.until(lambda: a.seen.down == ["node 1"])
    assert (await closed(reader)).startswith(encode_hello(GENESIS))
    writer.close()
    assert honest.mesh.send(member(0).id, Channel.SYNC, b"still here")
    await a.seen.until(lambda: ("node 2", Channel.SYNC, b"still here") in a.seen.messages)


async def test_a_message_before_the_hello_is_refused(start: Start) -> None:
    a = await start(member(0, port=0), [member(0, port=0), member(1)])
    reader, writer = await stranger(a.port, KEYS[1])
    writer.write(encode_frame(Channel.CONSENSUS, b"x"))
    await closed(reader)
    writer.close()
    assert not a.seen.up
    assert not a.seen.messages


async def test_a_large_message_before_the_hello_is_not_waited_for(start: Start) -> None:
    a = await start(member(0, port=0), [member(0, port=0), member(1)])
    reader, writer = await stranger(a.port, KEYS[1])
    frame = encode_frame(Channel.SYNC, bytes(PAYLOAD_MAX[Channel.SYNC]))
    writer.write(frame[: HELLO_BYTES_MAX + 100])
    async with asyncio.timeout(HELLO_TIMEOUT_S / 2):
        await closed(reader)
    writer.close()


async def test_a_member_has_few_connections_however_many_it_opens(start: Start) -> None:
    a = await start(member(0, port=0), [member(0, port=0), member(1), member(2)])
    streams = [await stranger(a.port, KEYS[1]) for _ in range(CONNECTIONS_MAX + 3)]
    for reader, _ in streams[CONNECTIONS_MAX:]:
        async with asyncio.timeout(HELLO_TIMEOUT_S / 2):
            await closed(reader)
    _, other = await stranger(a.port, KEYS[2])
    other.write(encode_hello(GENESIS))
    await a.seen.until(lambda: a.seen.up == ["node 2"])
    streams[0][1].write(encode_hello(GENESIS))
    await a.seen.until(lambda: a.seen.up == ["node 2", "node 1"])
    for _, writer in (*streams, (None, other)):
        writer.close()


async def test_strangers_who_do_not_shake_hands_leave_room_for_others(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mesh_module, "HANDSHAKES_MAX", 8)
    a = await start(member(0, port=0), [member(0, port=0), member(1)])
    silent = [await asyncio.open_connection("127.0.0.1", a.port) for _ in range(20)]
    for reader, _ in silent[4:]:
        async with asyncio.timeout(PATIENCE_S):
            assert await reader.read() == b"", "one too many of one address is closed at once"
    assert a.mesh._handshakes.total == 4, "half of what there is"
    assert a.mesh._handshakes.fits("192.0.2.1", 1), "and another address finds the other half"
    for _, writer in silent:
        writer.close()
    await eventually(lambda: a.mesh._handshakes.total == 0)
    _, good = await stranger(a.port, KEYS[1])
    good.write(encode_hello(GENESIS))
    await a.seen.until(lambda: a.seen.up == ["node 1"])
    good.close()


async def test_refusals_do_not_fill_the_log(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(mesh_module._log, "warning", lambda event, **_: said.append(event), raising=False)
    a = await start(member(0, port=0), [member(0, port=0), member(1)])
    a.mesh._refusals = Buckets(per_s=0.001, burst=3, names_max=1)
    for _ in range(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", a.port)
        writer.write(b"no TLS at all" * 10)
        await closed(reader)
        writer.close()
    await eventually(lambda: a.mesh.refused == 10)
    assert said == ["connection refused"] * 3


async def test_half_open_connections_are_given_up(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "HELLO_TIMEOUT_S", 0.05)
    monkeypatch.setattr(connection_module, "IDLE_TIMEOUT_S", 0.05)
    a = await start(member(0, port=0), [member(0, port=0), member(1)])
    reader, writer = await stranger(a.port, KEYS[1])  # never says hello
    await closed(reader)
    writer.close()
    assert not a.seen.up
    reader, writer = await stranger(a.port, KEYS[1])  # says hello and falls silent
    writer.write(encode_hello(GENESIS))
    await a.seen.until(lambda: a.seen.up == ["node 1"])
    await a.seen.until(lambda: a.seen.down == ["node 1"])
    assert "silent" in a.mesh.status()[0].last_error
    writer.close()


async def test_a_peer_that_does_not_read_is_given_up_and_nobody_waits(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    a = await start(member(0, port=0), [member(0, port=0), member(1)])
    _, writer = await stranger(a.port, KEYS[1])
    writer.write(encode_hello(GENESIS))
    await a.seen.until(lambda: a.seen.up == ["node 1"])
    gossip, block = bytes(PAYLOAD_MAX[Channel.TRANSACTIONS]), bytes(PAYLOAD_MAX[Channel.CONSENSUS])
    for _ in range(64):
        assert a.mesh.send(member(1).id, Channel.TRANSACTIONS, gossip)
    assert a.mesh.status()[0].gossip_dropped > 0, "gossip is dropped first"
    while a.mesh.send(member(1).id, Channel.CONSENSUS, block):
        pass
    await a.seen.until(lambda: a.seen.down == ["node 1"])
    assert "reads too slowly" in a.mesh.status()[0].last_error
    writer.close()


# --- pure parts -----------------------------------------------------------------------------------------------------


@given(
    payloads=st.lists(st.tuples(st.sampled_from(list(Channel)), st.binary(max_size=200)), max_size=8),
    cuts=st.lists(st.integers(1, 50), min_size=1),
)
def test_frames_survive_any_cutting(payloads: list[tuple[Channel, bytes]], cuts: list[int]) -> None:
    stream = b"".join(encode_frame(channel, payload) for channel, payload in payloads)
    reader, frames, at, turn = FrameReader(), [], 0, 0
    while at < len(stream):
        step = cuts[turn % len(cuts)]
        reader.feed(stream[at : at + step])
        at, turn = at + step, turn + 1
        while (frame := reader.next_frame()) is not None:
            frames.append(frame)
    assert frames == [Frame(channel, payload) for channel, payload in payloads]


@given(st.binary(max_size=300))
def test_any_bytes_are_frames_or_a_frame_error(data: bytes) -> None:
    reader = FrameReader()
    reader.feed(data)
    try:
        while (frame := reader.next_frame()) is not None:
            with contextlib.suppress(FrameError):
                control(frame)
            with contextlib.suppress(FrameError, HandshakeError):
                check_hello(frame, GENESIS)
    except FrameError:
        pass


def test_too_large_payloads_are_not_encoded() -> None:
    for channel, size in PAYLOAD_MAX.items():
        encode_frame(channel, bytes(size))
        with pytest.raises(FrameError):
            encode_frame(channel, bytes(size + 1))


def test_the_outbox_sends_votes_before_gossip_and_drops_the_oldest_gossip() -> None:
    each = 4 + FRAME_COST_BYTES
    box = Outbox(bytes_max=2 * each)
    assert box.put(Channel.TRANSACTIONS, b"old1")
    assert box.put(Channel.TRANSACTIONS, b"new1")
    assert box.put(Channel.CONSENSUS, b"vote")
    assert (box.dropped, box.size) == (1, 2 * each)
    assert [box.take(), box.take(), box.take(), box.size] == [b"vote", b"new1", None, 0]
    assert not box.put(Channel.CONSENSUS, bytes(2 * each + 1 - FRAME_COST_BYTES))


def test_the_smallest_frames_take_no_more_memory_than_the_outbox_counts() -> None:
    """As of a peer that pings and never reads."""
    box = Outbox(bytes_max=1_000_000)
    tracemalloc.start()
    try:
        while box.put(Channel.CONTROL, encode_pong(1)):
            pass
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 0.5 * box.size < taken <= box.size


def test_keys_and_certificates_must_belong_together() -> None:
    with pytest.raises(HandshakeError):
        build_contexts(Credentials(KEYS[0].certificate, KEYS[1].seed), [KEYS[0].certificate])
    with pytest.raises(HandshakeError):
        build_contexts(Credentials(b"not a certificate", KEYS[1].seed), [])
    with pytest.raises(HandshakeError):
        Directory([member(0), member(0)])
    assert KEYS[0].seed.hex() not in repr(KEYS[0])


def test_addresses() -> None:
    assert split_address("[::1]:7001") == ("::1", 7001)
    assert split_address("node.example:1") == ("node.example", 1)
    for wrong in ("", "host", ":1", "host:", "host:x", "host:65536", "host:-1"):
        with pytest.raises(AddressError):
            split_address(wrong)


def test_a_ping_is_not_a_hello() -> None:
    reader = FrameReader()
    reader.feed(encode_ping(1))
    frame = reader.next_frame()
    assert frame is not None
    with pytest.raises(FrameError):
        check_hello(frame, GENESIS)


@pytest.mark.parametrize("end", ["close", "abort"])
@pytest.mark.parametrize("ended_by", ["opened", "received"])
async def test_what_a_peer_sent_before_it_knew_that_this_side_ends_the_connection_breaks_no_rule(
    ended_by: str, end: str
) -> None:
    """`close`: it is the duplicate of one that stays; `abort`: what this side answers is not read."""
    owner: Any = SimpleNamespace(
        genesis_id=GENESIS,
        directory=SimpleNamespace(identify=lambda _: member(1)),
        made=lambda _: None,
        opened=lambda _: None,
        received=lambda *_: None,
    )
    connection = connection_module.Connection(owner, expected=None)
    setattr(owner, ended_by, lambda *_: getattr(connection, end)("this side has had enough"))
    connection.connection_made(MagicMock(asyncio.Transport))
    small, large = encode_frame(Channel.CONSENSUS, b"vote"), encode_frame(Channel.CONSENSUS, bytes(2 * HELLO_BYTES_MAX))
    connection.data_received(encode_hello(GENESIS) + small + large)
    assert (connection.reason, connection.broke_a_rule) == ("this side has had enough", False)


async def test_a_peer_that_was_paused_may_answer_every_ping_it_missed_and_no_other() -> None:
    connection = connection_module.Connection(Recorder(), expected=member(1))  # type: ignore[arg-type]
    connection.is_open = True
    now = asyncio.get_running_loop().time()
    connection.tick(now + PING_AFTER_S + 1)
    connection.tick(now + 2 * (PING_AFTER_S + 1))
    connection.data_received(encode_pong(0))
    assert connection.round_trip_s is None  # of a ping that is not the last
    connection.data_received(encode_pong(1))
    assert connection.round_trip_s is not None
    connection.round_trip_s = None
    connection.data_received(encode_pong(2))
    assert connection.round_trip_s is None
    assert connection.reason == "a pong without a ping"
