"""What a hostile member can make a node do: counted by what is read and done, and in which order, never by time."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import msgpack
import pytest

from consensus.authorities import AUTHORITIES_MAX
from consensus.blocks import HEIGHT_MAX
from consensus.engine import Engine
from consensus.events import Event, Received
from consensus.messages import (
    SKIPS_MAX,
    VOTES_MAX,
    BlockRequest,
    Bundle,
    DecidedRequest,
    HeldVotes,
    Resend,
    VotesRequest,
    decode_message,
    encode_message,
)
from consensus.ranges import RANGE_HEIGHTS_MAX, Ask, Blocks, Tip
from consensus.votes import Certificate, Kind, Vote
from node import intake, runtime
from node.network import PAYLOAD_MAX, Channel, Credentials, Mesh, ProtocolViolation
from node.network.connection import FRAMES_AT_ONCE, Connection
from node.network.frames import encode_frame, encode_hello
from node.network.holdoff import FORGIVEN_AFTER_S, HELD_OFF_FIRST_S, HELD_OFF_MOST_S, HoldOff
from node.network.tls import build_contexts
from node.snapshots.messages import (
    OFFERS_MAX,
    AskHeld,
    AskManifest,
    AskPart,
    Cosigned,
    Gone,
    Held,
    ManifestOf,
    PartOf,
    decode_sync,
    encode_sync,
)
from registry.codec import encode
from tests import holding_off
from tests.conftest import PATIENCE_S, eventually
from tests.node.network_of_nodes import Net, running

MIB = 1024 * 1024
TINY_LISTS = encode([["abcdefg"]] * (5 * MIB // 9))
SIGNATURE = bytes(64)


def certificate(kind: Kind) -> Certificate:
    """As large as one may be: all of 64 authorities have signed, and every number has its longest form."""
    block = None if kind is Kind.NULLIFY else bytes(32)
    signatures = (SIGNATURE,) * AUTHORITIES_MAX
    return Certificate(kind, HEIGHT_MAX, HEIGHT_MAX, block, b"\xff" * (AUTHORITIES_MAX // 8), signatures)


VOTE = Vote(Kind.NOTARIZE, HEIGHT_MAX, HEIGHT_MAX, bytes(32), bytes(32), SIGNATURE)
BUNDLE = Bundle(certificate(Kind.NOTARIZE), (certificate(Kind.NULLIFY),) * SKIPS_MAX)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each decoding reads, in order."""
    sizes: list[int] = []
    unpack: Callable[..., object] = msgpack.unpackb

    def noted(data: bytes, **how: object) -> object:
        sizes.append(len(data))
        return unpack(data, **how)

    monkeypatch.setattr(msgpack, "unpackb", noted)
    return sizes


# --- bounds of each kind --------------------------------------------------------------------------------------------


def test_the_largest_honest_messages_of_64_authorities_are_read() -> None:
    votes = (VOTE,) * VOTES_MAX
    height = HEIGHT_MAX
    for message in (
        VOTE,
        certificate(Kind.FINALIZE),
        Resend(height, votes, BUNDLE),
        HeldVotes(height, votes),
        DecidedRequest(height),
        BlockRequest(height, bytes(32)),
        VotesRequest(height),
    ):
        assert decode_message(encode_message(message)) == message
    finality = encode(certificate(Kind.FINALIZE).to_value())
    for said in (
        Tip(height, height),
        Ask(height, height),
        Blocks(height - RANGE_HEIGHTS_MAX, ((bytes(20_000), finality),) * RANGE_HEIGHTS_MAX),
        AskHeld(),
        Held(((height, bytes(32)),) * OFFERS_MAX),
        AskManifest(height),
        ManifestOf(height, bytes(5 * MIB)),
        AskPart(height, 16, 65_535),
        PartOf(height, 65_535, ((bytes(33), bytes(30)),) * 60_000),
        Gone(height),
        Cosigned(bytes(256)),
    ):
        assert decode_sync(encode_sync(said)) == said


@pytest.mark.parametrize(
    "payload",
    [
        TINY_LISTS,
        encode([2, *[["abcdefg"]] * 500_000]),
        encode([2, [["abcdefg"]] * 500_000]),
        encode([4, 1, [], [["abcdefg"]] * 500_000]),
        encode([11, bytes(5 * MIB)]),
        encode(bytes(5 * MIB)),
    ],
    ids=["no message", "many fields", "a vote", "a resend", "unheard of", "bytes"],
)
async def test_a_consensus_message_too_large_for_its_kind_is_refused_unread(reads: list[int], payload: bytes) -> None:
    async with running(Net()) as net:
        target, peer = net[0].service.runtime, net[1].service.mesh.me
        assert target is not None
        reads.clear()
        with pytest.raises(ProtocolViolation):
            target.received(peer, payload)
        assert not reads


async def test_what_is_too_large_for_its_kind_is_refused_unread_on_the_sync_channel(reads: list[int]) -> None:
    async with running(Net()) as net:
        target, peer = net[0]._sync, net[1].service.mesh.me
        reads.clear()
        lists = [["abcdefg"]] * 500_000
        small = [[name, lists] for name in ("tip", "ask", "held?", "manifest?", "part?", "checkpoint", "unheard of")]
        for value in (*small, lists):
            with pytest.raises(ProtocolViolation):
                target.received(peer, encode(value))
        for value in (["part", 1, 0, lists], ["manifest", lists], ["held", lists], ["gone", lists]):
            target.received(peer, encode(value))  # late answers: this node has started
        assert not reads


async def test_large_messages_have_as_many_items_as_their_kind_has(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(Net()) as net:
        peer = net[1].service.mesh.me
        lists: list[int] = []
        hooked: Callable[..., object] = msgpack.unpackb

        def counted(data: bytes, *, list_hook: Callable[[list[object]], object] | None = None, **how: object) -> object:
            def count(item: list[object]) -> object:
                lists.append(len(item))
                return item if list_hook is None else list_hook(item)

            return hooked(data, list_hook=count, **how)

        monkeypatch.setattr(msgpack, "unpackb", counted)
        with pytest.raises(ProtocolViolation):
            net[0]._sync.received(peer, encode(["blocks", 1, [[[]] * 200] * 2_000]))
        assert sum(lists) < 1_000
        lists.clear()
        with pytest.raises(ProtocolViolation):
            intake.wires_in(encode([[[]] * 4_000] * 100))
        assert sum(lists) < 10_000


# --- turns ----------------------------------------------------------------------------------------------------------


@dataclass
class Watched:
    """What one node's engine handles, and how often the loop came round between."""

    engine: Engine | None = None
    handled: list[Event] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)
    now: int = 0

    def turn(self) -> None:
        """Count how often the loop comes round."""
        self.now += 1
        asyncio.get_running_loop().call_soon(self.turn)

    def senders(self) -> list[bytes]:
        """Whose messages were handled, in order."""
        return [event.peer for event in self.handled if isinstance(event, Received)]


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    seen, handle = Watched(), Engine.handle

    def noted(engine: Engine, event: Event) -> object:
        if engine is seen.engine:
            seen.handled.append(event)
            seen.rounds.append(seen.now)
        return handle(engine, event)

    monkeypatch.setattr(Engine, "handle", noted)
    return seen


async def quiet(net: Net) -> None:
    """Return when all are connected and nothing is under way."""
    await eventually(lambda: all(len(node.service.mesh.connected()) == 3 for node in net.running))
    await net.until_height(1)
    await net.until_agreed()


async def test_messages_are_taken_in_turns_and_the_sockets_have_theirs_between(watched: Watched) -> None:
    async with running(Net()) as net:
        await quiet(net)
        target, flood, other = net[0].service.runtime, net[1].service.mesh.me, net[2].service.mesh.me
        assert target is not None
        watched.engine = target._engine
        watched.turn()
        for _ in range(500):  # the loop has no turn meanwhile
            target.received(flood, encode_message(VotesRequest(7)))
        target.received(other, encode_message(VotesRequest(7)))
        await eventually(lambda: watched.handled.count(Received(flood.id, VotesRequest(7))) == 500)
        place = watched.handled.index(Received(other.id, VotesRequest(7)))
        assert watched.senders()[:place].count(flood.id) < 10, "it waits for a turn of the other, not for 500 messages"
        assert all(before < after for before, after in pairwise(watched.rounds)), "the loop came round between any two"


async def test_what_is_too_much_is_dropped_undecoded(reads: list[int], watched: Watched) -> None:
    async with running(Net()) as net:
        await quiet(net)
        target, flood = net[0].service.runtime, net[1].service.mesh.me
        assert target is not None
        watched.engine = target._engine
        reads.clear()
        for _ in range(10 * runtime.WAITING_MAX):
            target.received(flood, encode_message(VotesRequest(7)))
        assert not reads, "nothing is decoded before its turn"
        await eventually(lambda: not target._events.waiting(flood.id.hex()))
        taken = watched.handled.count(Received(flood.id, VotesRequest(7)))
        assert runtime.WAITING_MAX - 10 < taken <= runtime.WAITING_MAX, "some of its own may have waited before"


async def test_a_connection_hands_on_some_frames_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(Net(1, observers=1)) as net:
        observer = net[1].service.mesh
        await eventually(lambda: net[0].service.mesh.connected() and observer.connected())
        (connection,) = net[0].service.mesh._open.values()
        counts: Counter[int] = Counter()
        watched = Watched()
        watched.turn()
        monkeypatch.setattr(net[0].service.mesh, "received", lambda *_: counts.update([watched.now]))
        connection.data_received(encode_frame(Channel.SYNC, encode_sync(Tip(1, 1))) * 1_000)
        assert counts.total() == FRAMES_AT_ONCE
        await eventually(lambda: counts.total() >= 1_000)
        assert max(counts.values()) == FRAMES_AT_ONCE


# --- who breaks a rule ----------------------------------------------------------------------------------------------


async def test_a_bad_signature_ends_the_connection_and_what_else_waits_of_that_peer(watched: Watched) -> None:
    async with running(Net()) as net:
        await quiet(net)
        target, liar = net[0].service.runtime, net[1].service.mesh.me
        assert target is not None
        height = target.height
        votes = tuple(Vote(Kind.NULLIFY, height, view, None, liar.id, SIGNATURE) for view in range(4))
        watched.engine = target._engine
        lie = Resend(height, votes, Bundle(None, ()))
        for _ in range(1_000):  # the loop has no turn meanwhile
            target.received(liar, encode_message(lie))
        await eventually(lambda: liar not in net[0].service.mesh.connected())
        assert watched.handled.count(Received(liar.id, lie)) == 1
        await eventually(lambda: liar in net[0].service.mesh.connected())
        (id_,) = await net[0].service.submit([net.registration()], by="test")
        assert isinstance(id_, bytes)
        assert await net[0].service.wait_final(id_, 20), "it costs the liar, not the network"


async def test_a_message_that_does_not_decode_ends_the_connection_in_its_turn(watched: Watched) -> None:
    async with running(Net()) as net:
        await quiet(net)
        target, liar = net[0].service.runtime, net[1].service.mesh.me
        assert target is not None
        watched.engine = target._engine
        target.received(liar, encode([2, [1, 2, 3]]))
        for _ in range(100):
            target.received(liar, encode_message(VotesRequest(7)))
        await eventually(lambda: liar not in net[0].service.mesh.connected())
        assert Received(liar.id, VotesRequest(7)) not in watched.handled


async def test_who_broke_a_rule_is_not_let_in_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    holding_off.for_an_hour(monkeypatch)
    async with running(Net(1, observers=1)) as net:
        host, observer = net[0].service.mesh, net[1].service.mesh
        await eventually(lambda: host.connected() and observer.connected())
        opened: list[Connection] = []
        monkeypatch.setattr(host._handler, "connected", opened.append)
        observer.send(host.me.id, Channel.SYNC, encode(["unheard of"]))
        await eventually(lambda: not host.connected())
        refused = host.refused
        await eventually(lambda: host.refused >= refused + 2)  # the observer dials again and again
        assert not opened
        assert await said_to(host, net.members[1].identity.transport) == b"", "not even a hello"
        assert "not a message" in host.status()[0].last_error, "and the operator still reads why"


async def said_to(host: Mesh, keys: Credentials) -> bytes:
    """What a node says to who comes with these keys, until it ends the connection."""
    assert host._listener is not None
    context = build_contexts(keys, [host.me.certificate]).client
    reader, writer = await asyncio.open_connection(*host._listener.getsockname()[:2], ssl=context, server_hostname="")
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await reader.read()
    except (ssl.SSLError, ConnectionError):
        return b""
    finally:
        writer.close()


async def test_a_connection_made_before_does_not_get_around_the_hold_off(monkeypatch: pytest.MonkeyPatch) -> None:
    holding_off.for_an_hour(monkeypatch)
    async with running(Net(1, observers=1)) as net:
        host, observer = net[0].service.mesh, net[1].service.mesh
        await eventually(lambda: host.connected() and observer.connected())
        (connection,) = host._open.values()
        spare = Connection(host, expected=None)
        spare.peer = connection.peer
        connection.data_received(encode_frame(Channel.SYNC, encode(["unheard of"])))
        await eventually(lambda: not host.connected())
        spare._hello_timer = asyncio.get_running_loop().call_later(60, lambda: None)
        spare.data_received(encode_hello(net.genesis.id))
        assert not host.connected()
        assert spare.reason == "is held off"


def test_who_breaks_rules_again_and_again_is_held_off_longer_and_forgiven_in_the_end() -> None:
    held, now_s, lengths = HoldOff(), 0.0, []
    for _ in range(15):
        lengths.append(held.broke(b"liar", now_s=now_s))
        now_s += lengths[-1]
        assert held.left_s(b"liar", now_s=now_s) == 0.0
        assert held.left_s(b"liar", now_s=now_s - lengths[-1] / 2) == lengths[-1] / 2
    assert lengths[:4] == [HELD_OFF_FIRST_S * factor for factor in (1, 2, 4, 8)]
    assert lengths[-1] == HELD_OFF_MOST_S == 5 * 60.0
    assert held.left_s(b"other", now_s=0.0) == 0.0
    assert held.broke(b"liar", now_s=now_s + FORGIVEN_AFTER_S + 1) == HELD_OFF_FIRST_S
    held.keep([b"other"])
    assert held.left_s(b"liar", now_s=now_s + FORGIVEN_AFTER_S + 1) == 0.0


def test_every_channel_carries_what_its_kinds_need() -> None:
    assert len(encode_message(Resend(HEIGHT_MAX, (VOTE,) * VOTES_MAX, BUNDLE))) < PAYLOAD_MAX[Channel.CONSENSUS]
