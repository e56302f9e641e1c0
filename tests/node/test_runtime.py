"""Whole nodes: consensus over real connections, one ledger on all of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from consensus.blocks import Block, Header, transactions_root
from consensus.engine import Engine
from consensus.events import Event, Received
from consensus.messages import Body, DecidedRequest, VotesRequest, decode_message, encode_message
from node import hub, intake, layout, runtime
from node.chain import Chain
from node.clock import clock_ms
from node.errors import Inconsistent
from node.intake import BAD_MAX, Submitted
from node.network import Channel, Peer
from node.network.connection import Connection
from node.views import decided
from registry.codec import Value, encode
from registry.errors import TransactionError
from registry.genesis import Parameters
from registry.limits import NONCE_BYTES, WIRE_BYTES_MAX
from registry.state import party_key
from registry.transactions import envelope
from registry.transactions.envelope import open_transaction, sign
from registry.transactions.receivables import Register
from tests import holding_off
from tests.conftest import eventually
from tests.node.network_of_nodes import Net, running, signing_key
from tests.node.test_sync import grow


async def test_what_is_submitted_is_final_on_all_with_one_state_root() -> None:
    async with running(Net()) as net:
        wires = [net.registration() for _ in range(20)]
        results = await net[1].service.submit(wires, by="test")
        ids = [id_ for id_ in results if isinstance(id_, bytes)]
        assert len(ids) == 20, results
        assert all(await asyncio.gather(*(net[1].service.wait_final(id_, 10) for id_ in ids)))
        await net.until_agreed()
        for node in net.running:
            assert all(node.service.store.get(layout.TRANSACTION + id_) for id_ in ids)


async def test_bad_transactions_are_named_and_good_ones_beside_them_are_final() -> None:
    async with running(Net()) as net:
        good = net.registration()
        stranger = Net().registration()  # of another network
        forged = bytearray(net.registration())
        forged[-1] ^= 1
        late = net.registration(valid_for_ms=-60_000)
        results = await net[0].service.submit([b"", b"\xc1", stranger, bytes(forged), late, good, good], by="test")
        codes = [each.code if isinstance(each, TransactionError) else "ok" for each in results]
        assert codes == ["malformed", "malformed", "wrong_chain", "bad_signature", "expired", "ok", "ok"]
        assert isinstance(results[-1], bytes)
        assert await net[0].service.wait_final(results[-1], 10)
        assert await net[0].service.submit([good], by="test") == [results[-1]], (
            "what is final already is accepted again"
        )
        assert not net[0].service.is_pending(results[-1])


async def test_concurrent_submissions_at_all_nodes_are_each_executed_once() -> None:
    async with running(Net()) as net:
        wires = [net.registration() for _ in range(60)]
        answers = await asyncio.gather(*(node.service.submit(wires, by="test") for node in net.running))
        assert all(answer == answers[0] for answer in answers)
        ids = [id_ for id_ in answers[0] if isinstance(id_, bytes)]
        assert all(await asyncio.gather(*(net[3].service.wait_final(id_, 10) for id_ in ids)))
        await net.until_agreed()
        height = net[0].service.ledger.tip.height
        blocks = [decided(net[0].service.store, each + 1) for each in range(height)]
        final = [wire for found in blocks if found for wire in Block.decode(found[0]).transactions]
        assert sorted(final) == sorted(wires)
        await eventually(lambda: not any(len(node.service.ledger.pool) for node in net.running))
        await asyncio.sleep(0.3)  # nothing is left to do: nothing may happen
        assert net[0].service.ledger.tip.height == height, "an idle network makes no blocks"


async def test_what_expires_on_a_silent_chain_is_forgotten_without_a_block() -> None:
    net = Net()
    try:
        await net.start(0)  # alone: no block will ever carry the transaction, nor a later block's time end it
        (id_,) = await net[0].service.submit([net.registration(valid_for_ms=100)], by="test")
        assert isinstance(id_, bytes)
        await eventually(lambda: not net[0].service.is_pending(id_))
        assert net[0].service.ledger.tip.height == 0
    finally:
        await net.stop()


async def test_a_new_network_makes_its_first_block_at_once_and_then_rests() -> None:
    async with running(Net()) as net:  # its heartbeat is a minute
        await net.until_height(1)
        await net.until_agreed()
        await asyncio.sleep(0.3)  # nothing is left to do: nothing may happen
        assert net[0].service.ledger.tip.height == 1
        found = decided(net[0].service.store, 1)
        assert found is not None
        assert not Block.decode(found[0]).transactions


async def test_an_idle_network_makes_a_block_at_each_heartbeat() -> None:
    async with running(Net(parameters=Parameters(base_ms=100, cap_ms=1000, heartbeat_ms=200))) as net:
        await net.until_height(3)
        await net.until_agreed()


async def test_events_reach_those_whom_they_concern() -> None:
    async with running(Net()) as net:
        service = net[2].service
        mine = service.subscribe([net.exporter.id])
        others = service.subscribe(["lei:nobody"])
        heard = [asyncio.ensure_future(anext(each)) for each in (mine, others)]
        await eventually(lambda: service.hub.subscribers == 2)
        (id_,) = await net[0].service.submit([net.registration()], by="test")
        assert isinstance(id_, bytes)
        first = await asyncio.wait_for(heard[0], 10)
        assert (first.event.kind, first.height) == ("registered", service.ledger.tip.height)
        assert not heard[1].done()
    assert isinstance(heard[1].exception(), StopAsyncIteration), "a stopping node ends its subscriptions"


async def test_a_subscriber_that_does_not_read_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "QUEUE_MAX", 3)
    async with running(Net()) as net:
        service = net[0].service
        slow = service.subscribe(None)
        first = asyncio.ensure_future(anext(slow))
        await eventually(lambda: service.hub.subscribers == 1)
        heights = []
        for _ in range(6):
            (id_,) = await service.submit([net.registration()], by="test")
            assert isinstance(id_, bytes)
            assert await service.wait_final(id_, 10)
            heights.append(service.ledger.tip.height)
        assert service.hub.subscribers == 0
        assert (await first).event.kind == "registered"
        rest = [heard.height async for heard in slow]
        assert rest == heights[1:4], "what it had room for, without a gap: it knows where to go on"


async def test_a_node_whose_state_is_wrong_halts_and_the_others_go_on() -> None:
    net = Net()
    key = party_key(net.exporter.id)
    spoilt = net.members[3].store
    Chain.open(spoilt, net.genesis)
    spoilt.write(layout.state_puts({key: encode(replace(net.exporter, suspended=True).encode())}), sync=True)
    try:
        await net.start()
        (id_,) = await net[0].service.submit([net.registration()], by="test")
        assert isinstance(id_, bytes)
        assert await net[0].service.wait_final(id_, 20)
        failed = net[3].failed
        assert isinstance(await asyncio.wait_for(failed, 20), Inconsistent)
        await net[3].stop()
        net.members[3].node = None
        (id_,) = await net[1].service.submit([net.registration()], by="test")
        assert isinstance(id_, bytes)
        assert await net[1].service.wait_final(id_, 20)
        await net.until_agreed()
    finally:
        await net.stop()


@pytest.mark.parametrize(
    ("channel", "payload"),
    [
        (Channel.CONSENSUS, b"\x00"),
        (Channel.CONSENSUS, encode([2, []])),
        (Channel.TRANSACTIONS, b"\xc1"),
        (Channel.TRANSACTIONS, encode([])),
        (Channel.TRANSACTIONS, encode(["text"])),
        (Channel.SYNC, encode(["ask", 0, 5])),
        (Channel.SYNC, encode(["ask", 5, 4])),
        (Channel.SYNC, encode(["tip", -1])),
        (Channel.SYNC, encode(["unheard of"])),
        (Channel.SYNC, encode(True)),
    ],
)
async def test_messages_that_no_honest_node_sends_cost_the_connection_only(channel: Channel, payload: bytes) -> None:
    async with running(Net()) as net:
        await eventually(lambda: all(len(node.service.mesh.connected()) == 3 for node in net.running))
        sender, target = net[1].service.mesh, net[0].service.mesh
        assert sender.send(target.me.id, channel, payload)
        await eventually(lambda: sender.me not in target.connected())
        await eventually(lambda: sender.me in target.connected())
        (id_,) = await net[0].service.submit([net.registration()], by="test")
        assert isinstance(id_, bytes)
        assert await net[0].service.wait_final(id_, 10)


async def test_who_passes_on_bad_transactions_is_disconnected() -> None:
    async with running(Net()) as net:
        await eventually(lambda: all(len(node.service.mesh.connected()) == 3 for node in net.running))
        sender, target = net[1].service.mesh, net[0].service.mesh
        wires = [Net().registration() for _ in range(BAD_MAX)]
        assert sender.send(target.me.id, Channel.TRANSACTIONS, encode(wires))
        await eventually(lambda: sender.me not in target.connected())
        assert not len(net[0].service.ledger.pool)


@pytest.mark.parametrize(
    ("newer", "code"),
    [
        ((envelope.VERSION, [["register_better", 1]]), "unknown_operation"),
        ((envelope.VERSION, [[Register.NAME, 1]]), "malformed"),
        ((envelope.VERSION + 1, []), "wrong_version"),
        ((envelope.VERSION, [[Register.NAME, bytes(WIRE_BYTES_MAX)]]), "too_large"),
    ],
)
async def test_who_passes_on_what_newer_software_may_read_is_not_blamed_for_it(
    newer: tuple[int, list[Value]], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while nodes are upgraded one by one, and a client sends a new operation to one that is."""
    holding_off.for_an_hour(monkeypatch)
    monkeypatch.setattr(intake, "BAD_MAX", 2)
    async with running(Net()) as net:
        await eventually(lambda: all(len(node.service.mesh.connected()) == 3 for node in net.running))
        key, (version, operations) = signing_key(net.exporter.id), newer
        until_ms = clock_ms() + 600_000
        payload = encode(
            [version, net.genesis.id, [key.public_key], bytes(NONCE_BYTES), until_ms, envelope.EACH, operations]
        )
        wire = sign(payload, net.genesis.id, [key])
        with pytest.raises(TransactionError, match=code):
            open_transaction(wire, net.genesis.id)
        sender, target, good = net[1].service, net[0].service, net.registration()
        for each in (wire, wire, wire, good):
            assert sender.mesh.send(target.mesh.me.id, Channel.TRANSACTIONS, encode([each]))
        id_ = open_transaction(good, net.genesis.id).id
        await eventually(lambda: target.ledger.is_final(id_))
        assert sender.mesh.me in target.mesh.connected()


async def test_who_is_blamed_for_bad_transactions_and_for_which(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its certificate, not its name; and nobody for knowing more operations, as newer software does."""
    async with running(Net(1)) as net:
        target = net[0]._intake
        assert target is not None
        ended: list[tuple[bytes, str]] = []
        monkeypatch.setattr(target._mesh, "disconnect", lambda peer, reason: ended.append((peer, reason)))
        former, successor = (Peer(bytes([n]) * 32, "party", "authority", "", bytes([n])) for n in (1, 2))
        newer: list[Submitted] = [
            TransactionError("unknown_operation", "operations[0]", "is not known") for _ in range(BAD_MAX)
        ]
        target._blame(former, newer)
        bad = TransactionError("bad_signature", "signatures[0]", "does not verify")
        target._blame(former, [bad] * (BAD_MAX - 1))
        target._blame(successor, [bad])
        assert not ended
        target._blame(former, [bad])
        assert ended == [(former.id, "passes on bad transactions")]


async def test_a_transaction_gossiped_while_a_node_was_away_reaches_it_when_it_comes() -> None:
    net = Net()
    try:
        await net.start(0, 1)  # no quorum
        (id_,) = await net[0].service.submit([net.registration()], by="test")
        assert isinstance(id_, bytes)
        await net.start(2)
        assert await net[0].service.wait_final(id_, 20)
        await net.start(3)
        await net.until_agreed()
    finally:
        await net.stop()


async def test_tiny_transactions_cannot_fill_the_memory() -> None:
    async with running(Net()) as net:
        intake, peer = net[0].service.intake, net[1].service.mesh.me
        assert intake is not None
        for _ in range(200):  # the loop has no turn meanwhile: nothing is verified
            intake.received(peer, encode([b""] * 4096))
        assert intake.dropped > 0.5 * 200 * 4096
        good = intake.dropped
        intake.received(net[2].service.mesh.me, encode([net.registration()]))
        assert intake.dropped == good, "one peer's flood does not cost another's gossip"


async def test_a_flood_of_gossip_does_not_hold_up_a_submission() -> None:
    async with running(Net()) as net:
        intake, peer = net[0].service.intake, net[1].service.mesh.me
        assert intake is not None
        for _ in range(25):
            intake.received(peer, encode([b"no transaction"] * 4096))
        waiting = len(intake._waiting)
        assert waiting > 3_000, "chunks, and nothing was dropped"
        assert intake.dropped == 0
        (id_,) = await net[0].service.submit([net.registration()], by="member")
        assert isinstance(id_, bytes)
        assert len(intake._waiting) > waiting - 10, "it was verified in its turn, after one chunk of the flood"


async def test_consensus_messages_of_one_peer_wait_in_bounds_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(Net()) as net:
        handled: list[Event] = []
        target, other, flood = net[0].service.runtime, net[2].service.mesh.me, net[1].service.mesh.me
        assert target is not None
        handle = Engine.handle
        monkeypatch.setattr(Engine, "handle", lambda engine, event: handled.append(event) or handle(engine, event))
        await eventually(lambda: len(net[0].service.mesh.connected()) == 3)
        handled.clear()
        large = encode_message(Body(block_of_size(net, 1024 * 1024)))
        for _ in range(100):  # the loop has no turn meanwhile
            target.received(flood, large)
        for _ in range(20_000):
            target.received(flood, encode_message(VotesRequest(7)))
        target.received(other, encode_message(VotesRequest(7)))
        await eventually(lambda: Received(other.id, VotesRequest(7)) in handled)
        taken = [event for event in handled if isinstance(event, Received) and event.peer == flood.id]
        assert len([event for event in taken if isinstance(event.message, Body)]) <= runtime.WAITING_BYTES_MAX // len(
            large
        )
        assert len(taken) < 10_000
        handled.clear()
        target.received(flood, large)
        await eventually(lambda: Received(flood.id, decode_message(large)) in handled)


def block_of_size(net: Net, size: int) -> Block:
    """A block of a height that is never reached, with one transaction of this size."""
    header = Header(
        genesis_id=net.genesis.id,
        height=1_000,
        parent=bytes(32),
        proposer=bytes(32),
        timestamp_ms=0,
        transactions_root=transactions_root((bytes(size),)),
        results_root=bytes(32),
        state_root=bytes(32),
        history_root=bytes(32),
        authorities=bytes(32),
        next_authorities=bytes(32),
    )
    return Block(header, (bytes(size),))


async def test_decided_blocks_are_read_for_a_peer_a_few_at_a_time() -> None:
    async with running(Net()) as net:
        for _ in range(12):
            (id_,) = await net[0].service.submit([net.registration()], by="test")
            assert isinstance(id_, bytes)
            assert await net[0].service.wait_final(id_, 10)
        await net.until_agreed()
        waiting: list[object] = []
        reader = net[0]._reader
        do = reader.do
        reader.do = lambda job, then, source: waiting.append((job, then))  # type: ignore[method-assign]
        target, peer = net[0].service.runtime, net[1].service.mesh.me
        assert target is not None
        for height in range(1, 11):
            target.received(peer, encode_message(DecidedRequest(height)))
        target.received(net[2].service.mesh.me, encode_message(DecidedRequest(3)))
        await eventually(lambda: len(waiting) > runtime.ANSWERS_MAX)
        assert len(waiting) == runtime.ANSWERS_MAX + 1
        reader.do = do  # type: ignore[method-assign]
        for job, then in waiting:  # type: ignore[misc]
            reader.do(job, then)
        waiting.clear()
        target.received(net[3].service.mesh.me, encode_message(DecidedRequest(3)))
        target.received(peer, encode_message(DecidedRequest(11)))
        await eventually(lambda: not target.answering)


async def test_a_task_of_the_network_that_dies_stops_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    net = Net()
    try:
        await net.start()

        def broken(self: Connection, now: float) -> None:
            raise RuntimeError("a bug")

        monkeypatch.setattr(Connection, "tick", broken)
        assert isinstance(await asyncio.wait_for(net[0].failed, 10), RuntimeError)
    finally:
        for member in net.members:
            if member.node is not None:
                await member.node.stop()


async def test_a_view_has_failed_when_a_quorum_gave_it_up_and_not_because_it_was_left_for_the_next_block() -> None:
    net = Net(parameters=Parameters(base_ms=1_000, heartbeat_ms=60_000))
    try:
        await net.start(0, 1, 2)  # authority 3 is away: each view that it leads is given up
        await grow(net, 2)
        watches = [node.service.watch for node in net.running]
        before = [Counter(watch.failed_views) for watch in watches]
        await grow(net, 8)
        await net.until_agreed()
        away = net.genesis.authorities[3].consensus_key
        for watch, former in zip(watches, before, strict=True):
            assert {leader: count >= 2 for leader, count in (watch.failed_views - former).items()} == {away: True}
        recent = list(watches[0].view_changes)[-2:]
        assert [each.leader for each in recent] == [away, away]
        assert len({(each.height, each.view) for each in recent}) == 2, "each once"
    finally:
        await net.stop()


async def test_what_no_leader_may_include_yet_does_not_make_the_network_spin() -> None:
    """As after a clock was set back: it waits in every pool, and every builder leaves it out."""
    async with running(Net()) as net:
        await net.until_height(1)
        ahead = net.registration(valid_for_ms=2 * 3_600_000)
        for node in net.running:
            node.service.ledger.pool.add(open_transaction(ahead, net.genesis.id), net.exporter.id)
            assert node.service.runtime is not None
            node.service.runtime.work()
        await net.until_height(2)
        before = net[0].service.ledger.tip.height
        await asyncio.sleep(1)
        assert net[0].service.ledger.tip.height - before < 4 / runtime.EMPTY_PAUSE_S, "a hundred without the pause"
        (id_,) = await net[0].service.submit([net.registration()], by="test")
        assert isinstance(id_, bytes)
        assert await net[0].service.wait_final(id_, 10), "and holds up nothing else"


async def test_every_authority_that_has_a_transaction_gives_its_word_for_it() -> None:
    net = Net()
    try:
        await net.start(0, 1)  # two of four: nothing is decided
        await eventually(lambda: all(node.service.mesh.connected() for node in net.running))
        (waiting,) = await net[0].service.submit([net.registration()], by="test")
        assert isinstance(waiting, bytes)
        await eventually(lambda: net[1].service.is_pending(waiting))
        receipts = [node.service.inclusion(waiting) for node in net.running]
        assert all(receipt is not None and receipt.holds(net.genesis.id) for receipt in receipts)
        assert len({receipt.authority for receipt in receipts if receipt is not None}) == 2
        await net.start(2, 3)
        assert await net[0].service.wait_final(waiting, 20)
        assert net[0].service.inclusion(waiting) is None
    finally:
        await net.stop()
