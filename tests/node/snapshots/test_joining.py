"""Joining by a state over real sockets: whole nodes, TLS, a liar among them, and a newcomer that is interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from consensus.authorities import Authority, AuthoritySet
from consensus.light import CHANGES_MAX, Change
from node import layout
from node.layout import JOINED_PART, first_kept
from node.snapshots import fetching, held, joining
from node.snapshots.held import HeldStates
from node.snapshots.landing import Landing, is_new
from node.snapshots.manifest import Manifest
from node.snapshots.messages import Gone, Held, PartOf, SnapshotMessage
from node.snapshots.serving import StateServer
from node.store import MemoryStore
from registry.keys import SigningKey
from tests.conftest import eventually
from tests.node.network_of_nodes import Net, party, seed
from tests.node.test_sync import grow


@pytest.fixture
async def net(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Net]:
    """Four authorities with some blocks that serve the state of their tip; the observer is not started."""
    monkeypatch.setattr(held, "PART_BYTES_MEANT", 4_000)
    made = Net(observers=1)
    await made.start(0, 1, 2, 3)
    await grow(made, 8)
    await made.until_agreed()
    await made.stop(0, 1, 2, 3)
    await made.start(0, 1, 2, 3)
    yield made
    await asyncio.wait_for(made.stop(), 20)


async def join(net: Net, number: int, *, far_behind: int = 3) -> None:
    member = net.members[number]
    await asyncio.wait_for(
        joining.join(
            genesis=net.genesis,
            identity=member.identity,
            store=member.store,
            addresses={},
            listen=member.address,
            far_behind=far_behind,
        ),
        30,
    )


async def test_an_observer_begins_with_the_state_and_follows(net: Net) -> None:
    await join(net, 4)
    assert not is_new(net.members[4].store)
    await net.start(4)
    observer = net[4].service
    assert observer.ledger.tip.height >= 8
    assert observer.ledger.tip.block_hash == net[0].service.ledger.tip.block_hash
    await grow(net, 2)
    await eventually(lambda: observer.ledger.tip.height >= 10)
    assert await net.until_agreed() == net[0].service.ledger.tip.state_root
    assert first_kept(net.members[4].store)[1] == 9, "receipts begin above the state"


async def test_an_authority_that_lost_its_disk_begins_with_the_state_and_does_not_vote(net: Net) -> None:
    await net.stop(3)
    net.members[3].store = MemoryStore()
    await join(net, 3)
    await net.start(3)
    lost = net[3].service
    await grow(net, 2)
    await net.until_agreed()
    assert lost.ledger.tip.height >= 10
    assert first_kept(net.members[3].store)[1] == 9


async def test_who_is_close_begins_with_blocks(net: Net) -> None:
    await join(net, 4, far_behind=1_000)
    assert is_new(net.members[4].store)
    assert next(net.members[4].store.scan(b""), None) is None, "nothing was written"


async def test_an_interrupted_newcomer_goes_on_where_it_was(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    store_part = Landing.store_part
    stored: list[int] = []

    def few(self: Landing, number: int, entries: tuple[tuple[bytes, bytes], ...]) -> None:
        if len(stored) == 5:
            raise OSError("the power is gone")
        stored.append(number)
        store_part(self, number, entries)

    monkeypatch.setattr(Landing, "store_part", few)
    with pytest.raises(OSError, match="power"):
        await join(net, 4)
    store = net.members[4].store
    assert is_new(store)
    assert len(list(store.scan(JOINED_PART))) == 5
    again: list[int] = []

    def rest(self: Landing, number: int, entries: tuple[tuple[bytes, bytes], ...]) -> None:
        again.append(number)
        store_part(self, number, entries)

    monkeypatch.setattr(Landing, "store_part", rest)
    await join(net, 4)
    assert not set(again) & set(stored)
    assert len(again) + len(stored) == 16
    await net.start(4)
    await net.until_agreed()


async def test_a_state_that_was_begun_and_that_nobody_serves_any_more_is_cleared_and_blocks_are_fetched(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = StateServer._send
    gone: list[int] = []

    def no_more(self: StateServer, peer: object, message: SnapshotMessage) -> None:
        if isinstance(message, PartOf):
            gone.append(message.number)
            message = Gone(message.height)
        elif isinstance(message, Held) and gone:
            message = Held(())
        send(self, peer, message)  # type: ignore[arg-type]

    monkeypatch.setattr(StateServer, "_send", no_more)
    monkeypatch.setattr(fetching, "PATIENCE_MS", 1_000)
    await join(net, 4)
    assert gone
    assert is_new(net.members[4].store)
    await net.start(4)
    await net.until_agreed()


async def test_a_lying_peer_is_dropped_and_the_state_comes_from_others(
    net: Net, monkeypatch: pytest.MonkeyPatch
) -> None:
    lied: list[bytes] = []
    send = StateServer._send
    liar = net[1].service.mesh

    def lie(self: StateServer, peer: object, message: SnapshotMessage) -> None:
        if isinstance(message, PartOf) and message.entries and self._mesh is liar:
            lied.append(message.entries[0][0])
            message = replace(message, entries=((message.entries[0][0], b"forged"), *message.entries[1:]))
        send(self, peer, message)  # type: ignore[arg-type]

    monkeypatch.setattr(StateServer, "_send", lie)
    await join(net, 4)
    assert len(lied) == 1, "it was not asked again"
    assert dict(net.members[4].store.scan(layout.STATE)) == dict(net.members[0].store.scan(layout.STATE))


@pytest.mark.parametrize(
    ("changes", "authorities"),
    [
        pytest.param(1_700, 64, id="more bytes than a message has"),
        pytest.param(CHANGES_MAX + 1, 1, id="more changes than a newcomer follows"),
    ],
)
async def test_a_history_of_authorities_too_long_for_a_manifest_ends_nobody_and_blocks_are_fetched(
    net: Net, monkeypatch: pytest.MonkeyPatch, changes: int, authorities: int
) -> None:
    keys = (SigningKey.from_seed(seed("former", number)).public_key for number in range(authorities))
    members = AuthoritySet(tuple(Authority(party(number).id, key) for number, key in enumerate(keys)))
    manifest, send = HeldStates.manifest, StateServer._send
    answers: set[type[SnapshotMessage]] = set()

    def of_an_old_network(self: HeldStates, height: int) -> Manifest | None:
        made = manifest(self, height)
        assert made is not None
        return replace(made, changes=(Change(made.header, made.certificate, members),) * changes)

    def heard(self: StateServer, peer: object, message: SnapshotMessage) -> None:
        answers.add(type(message))
        send(self, peer, message)  # type: ignore[arg-type]

    monkeypatch.setattr(HeldStates, "manifest", of_an_old_network)
    monkeypatch.setattr(StateServer, "_send", heard)
    monkeypatch.setattr(fetching, "PATIENCE_MS", 1_000)
    await join(net, 4)
    assert answers == {Held, Gone}
    assert is_new(net.members[4].store)
    await net.start(4)
    await net.until_agreed()
    assert not any(node.failed.done() for node in net.running)
