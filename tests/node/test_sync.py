"""Late nodes and observers: everything is fetched, nothing is believed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from consensus import following, sources
from node import sync
from node.authorities import member_nodes
from node.network import Channel, Mesh, Peer
from node.node import directory_of
from node.runtime import Runtime
from node.store import MemoryStore
from node.views import decided
from registry.codec import Value, decode, encode
from registry.errors import TransactionError
from registry.ledger import genesis_state
from tests.conftest import PATIENCE_S, eventually
from tests.node.network_of_nodes import Member, Net


async def grow(net: Net, blocks: int, *, at: int = 0) -> None:
    """Make `blocks` blocks, one after the other."""
    service = net[at].service
    for _ in range(blocks):
        (id_,) = await service.submit([net.registration()], by="test")
        assert isinstance(id_, bytes), id_
        assert await service.wait_final(id_, 10)


@pytest.fixture
async def net() -> object:
    """Four authorities and an observer, not started; whatever was started is stopped."""
    made = Net(observers=1)
    yield made
    await asyncio.wait_for(made.stop(), 20)


async def test_a_late_observer_fetches_everything_and_then_follows(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "RANGE_HEIGHTS_MAX", 5)
    await net.start(0, 1, 2, 3)
    await grow(net, 17)
    await net.start(4)
    observer = net[4].service
    await eventually(lambda: observer.ledger.tip.height >= 17)
    await net.until_agreed()
    assert observer.role == "observer"
    assert observer.status()["view"] is None
    (refused,) = await observer.submit([net.registration()], by="test")
    assert isinstance(refused, TransactionError)
    assert refused.code == "read_only"
    (id_,) = await net[2].service.submit([net.registration()], by="test")
    assert isinstance(id_, bytes)
    assert await observer.wait_final(id_, 10)
    assert observer.ready()


async def test_a_node_is_ready_when_more_authorities_than_may_lie_say_how_far_the_network_is(net: Net) -> None:
    await net.start(0, 4)
    observer = net[4].service
    await eventually(lambda: len(observer.mesh.connected()) == 1)
    assert not observer.ready()
    await net.start(1)
    await eventually(observer.ready)


async def test_a_stopped_authority_catches_up_and_goes_on_voting(net: Net) -> None:
    await net.start(0, 1, 2, 3)
    await grow(net, 2)
    await net.stop(3)
    await grow(net, 8)
    await net.start(3)
    await eventually(lambda: net[3].service.ledger.tip.height >= 10)
    await net.stop(0)  # from here on its vote is needed
    await grow(net, 2, at=1)
    await net.until_agreed()


async def test_a_restarted_observer_continues_where_it_was(net: Net) -> None:
    await net.start(0, 1, 2, 3, 4)
    await grow(net, 3)
    await eventually(lambda: net[4].service.ledger.tip.height >= 3)
    await net.stop(4)
    await grow(net, 3)
    await net.start(4)
    assert net[4].service.ledger.tip.height >= 3
    await eventually(lambda: net[4].service.ledger.tip.height >= 6)
    await net.until_agreed()


async def test_an_authority_whose_engine_does_not_catch_up_is_not_left_a_block_behind(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "PATIENCE_MS", 200)
    await net.start(0, 1, 2, 3)
    await net.stop(3)
    await grow(net, 1)
    monkeypatch.setattr(Runtime, "received", lambda self, peer, payload: None)
    await net.start(3)
    await eventually(lambda: net[3].service.ledger.tip.height == net[0].service.ledger.tip.height)


@pytest.mark.parametrize("blocks", [1, 8])
async def test_an_authority_that_lost_its_disk_follows_and_never_votes_again(blocks: int) -> None:
    net = Net(authorities=3)  # the vote of each is in every certificate
    try:
        await net.start()
        await grow(net, blocks)
        await net.until_agreed()
        await net.stop(2)
        net.members[2].store = MemoryStore()
        await net.start(2)
        await net.until_agreed()
        lost = net[2].service
        await eventually(lambda: lost.status()["alarm"])
        assert not lost.status()["voting"]
        assert lost.status()["alarm"].startswith("key_in_use_elsewhere")
    finally:
        await asyncio.wait_for(net.stop(), 20)


# --- liars ----------------------------------------------------------------------------------------------------------


@dataclass
class Liar:
    """A member of genesis that claims a great height, and answers questions by `answer`."""

    answer: Callable[[int, int], Value]
    first: int = 1
    mesh: Mesh | None = None
    asked: list[tuple[int, int]] = field(default_factory=list)

    async def start(self, net: Net, member: Member) -> None:
        directory = directory_of(member_nodes(genesis_state(net.genesis).get), {})
        me = directory.identify(member.identity.transport.certificate)
        self.mesh = Mesh(
            genesis_id=net.genesis.id,
            directory=directory,
            me=me,
            credentials=member.identity.transport,
            handler=self,
        )
        await self.mesh.start(member.address)

    def connected(self, peer: Peer) -> None:
        self._send(peer, ["tip", self.first, 1_000])

    def disconnected(self, peer: Peer) -> None:
        pass

    def received(self, peer: Peer, channel: Channel, payload: bytes) -> None:
        if channel is not Channel.SYNC:
            return
        message = decode(payload)
        assert isinstance(message, list)
        if message[0] == "ask":
            self.asked.append((message[1], message[2]))
            self._send(peer, self.answer(message[1], message[2]))

    def _send(self, peer: Peer, message: Value) -> None:
        assert self.mesh is not None
        if message is not None:
            self.mesh.send(peer.id, Channel.SYNC, encode(message))


def tampered(net: Net, change: Callable[[list[Value]], list[Value]]) -> Callable[[int, int], Value]:
    """Answers from node 0's store, after `change`."""

    def answer(first: int, last: int) -> Value:
        with net[0].service.snapshot() as reader:
            found = [decided(reader, height) for height in range(first, min(last, 6) + 1)]
        return ["blocks", first, change([list(pair) for pair in found if pair is not None])]

    return answer


LIES = {
    "silence": lambda pairs: None,
    "nothing": lambda pairs: [],
    "no blocks": lambda pairs: [b"x"],
    "garbage": lambda pairs: [[b"x", b"y"]],
    "another order": lambda pairs: pairs[::-1],
    "swapped certificates": lambda pairs: [[a[0], b[1]] for a, b in zip(pairs, pairs[1:] + pairs[:1], strict=True)],
    "truncated certificates": lambda pairs: [[block, certificate[:-1]] for block, certificate in pairs],
    "a list for a message": lambda pairs: [[pairs]],
}


@pytest.mark.parametrize("lie", LIES)
async def test_a_liar_is_passed_over_and_the_truth_comes_from_others(
    net: Net, lie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "ANSWER_TIMEOUT_MS", 200)
    await net.start(0, 1, 2)
    await grow(net, 6)
    change = LIES[lie]
    answer = tampered(net, change)
    liar = Liar((lambda first, last: None) if lie == "silence" else answer)
    try:
        await liar.start(net, net.members[3])
        await net.start(4)
        observer = net[4].service
        await eventually(lambda: liar.asked or observer.ledger.tip.height >= 6)
        await eventually(lambda: observer.ledger.tip.height >= 6)
        assert not net[4].failed.done()
    finally:
        assert liar.mesh is not None
        await liar.mesh.stop()
    assert observer.ledger.tip.block_hash == net[0].service.ledger.tip.block_hash


async def test_a_node_whose_next_block_nobody_keeps_says_so_once_and_is_not_ready(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LACKING_MS", 100)
    peers = [Liar(lambda first, last: None, first=990) for _ in range(2)]  # honest ones that have pruned
    try:
        for peer, member in zip(peers, net.members, strict=False):
            await peer.start(net, member)
        with capture_logs() as said:
            await net.start(4)
            observer = net[4].service
            await eventually(lambda: observer.status()["alarm"])
        assert observer.status()["alarm"].startswith("blocks_not_kept: no connected node gives block 1:")
        assert not observer.ready()
        (line,) = [each for each in said if each["event"] == "this node cannot catch up"]
        assert line["log_level"] == "error"
        assert line["height"] == 0
        assert not any(peer.asked for peer in peers)
    finally:
        for peer in peers:
            assert peer.mesh is not None
            await peer.mesh.stop()


@pytest.mark.parametrize(
    "first", [pytest.param(1, id="far ahead, with all blocks"), pytest.param(990, id="far ahead, pruned")]
)
async def test_a_newcomer_that_found_nobody_turns_back_for_a_state_when_a_peer_that_is_far_ahead_comes(
    net: Net, first: int
) -> None:
    peer = Liar(lambda first, last: None, first=first)
    await net.start(4)
    observer = net[4].service
    wanted = asyncio.ensure_future(observer.sync.state_wanted(after_s=0))
    try:
        await eventually(lambda: observer.status()["alarm"])
        assert observer.status()["alarm"].endswith("waiting for authorities to connect: 0 of at least 2 are there")
        await peer.start(net, net.members[0])
        await eventually(wanted.done)
        assert wanted.exception() is None
        assert not peer.asked, "a block would make it go on with blocks"
    finally:
        wanted.cancel()
        assert peer.mesh is not None
        await peer.mesh.stop()


async def test_a_newcomer_among_pruned_peers_says_what_it_waits_for_and_tries_again_after_a_pause(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "LACKING_MS", 100)
    monkeypatch.setattr(sync, "FAR_BEHIND", 1_001)  # further than they claim
    peers = [Liar(lambda first, last: None, first=990) for _ in range(2)]
    await net.start(4)
    observer = net[4].service
    wanted = asyncio.ensure_future(observer.sync.state_wanted(after_s=3_600))
    try:
        for peer, member in zip(peers, net.members, strict=False):
            await peer.start(net, member)
        await eventually(lambda: observer.status()["alarm"].startswith("blocks_not_kept"))
        assert "waiting for one, or for a state" in observer.status()["alarm"]
        assert not wanted.done(), "not before its time"
        await asyncio.wait_for(observer.sync.state_wanted(after_s=0), PATIENCE_S)
    finally:
        wanted.cancel()
        for peer in peers:
            assert peer.mesh is not None
            await peer.mesh.stop()


async def test_a_newcomer_that_is_close_goes_on_with_blocks(net: Net) -> None:
    await net.start(4)
    observer = net[4].service
    wanted = asyncio.ensure_future(observer.sync.state_wanted(after_s=0))
    await net.start(0, 1, 2, 3)
    assert observer.status()["height"] == 0
    await eventually(lambda: observer.status()["alarm"] == "")
    await grow(net, 3)
    await eventually(lambda: observer.ledger.tip.height >= 3)
    assert not wanted.done()
    wanted.cancel()
