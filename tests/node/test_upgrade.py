"""A rolling upgrade of whole nodes: new software one node after the other, then a height from which all use it."""

from __future__ import annotations

import secrets

from consensus.blocks import VERSION, Block
from node.clock import clock_ms
from node.errors import UpgradeNeeded
from node.node import Node
from node.process import EXIT_OUTDATED
from node.views import decided
from registry.limits import UPGRADE_NOTICE_MIN
from registry.transactions.envelope import draft, sign, subject_id, transaction_id
from registry.transactions.governance import Approve, Propose
from registry.transactions.operations import Operation
from registry.transactions.upgrades import ScheduleUpgrade
from tests.conftest import eventually
from tests.node.network_of_nodes import Net, signing_key

NEXT = VERSION + 1


def wire(net: Net, number: int, operation: Operation) -> tuple[bytes, bytes]:
    """A transaction of the party of authority `number`, and its id."""
    key = signing_key(net.genesis.authorities[number].party)
    payload = draft(net.genesis.id, [key.public_key], secrets.token_bytes(16), clock_ms() + 600_000, [operation])
    return sign(payload, net.genesis.id, [key]), transaction_id(payload)


async def final(net: Net, node: Node, sent: bytes, id_: bytes) -> None:
    assert await node.service.submit([sent], by="test") == [id_]
    assert await node.service.wait_final(id_, 20)


async def grow(net: Net, node: Node, height: int) -> None:
    """Blocks, one registration each, until this height."""
    while node.service.ledger.tip.height < height:
        (id_,) = await node.service.submit([net.registration()], by="test")
        assert isinstance(id_, bytes)
        assert await node.service.wait_final(id_, 20)


def version_of(node: Node, height: int) -> int:
    with node.service.snapshot() as reader:
        found = decided(reader, height)
    assert found is not None
    return Block.decode(found[0]).header.version


async def test_a_network_is_upgraded_while_it_runs_and_who_is_left_behind_stops_and_comes_back() -> None:
    net = Net()
    try:
        await net.start()
        await grow(net, net[0], 1)
        for number in range(3):  # new software on three of four, one after the other; blocks go on meanwhile
            await net.stop(number)
            await net.start(number, known_version=NEXT)
            await grow(net, net[3], net[3].service.ledger.tip.height + 1)
        from_height = net[3].service.ledger.tip.height + 6 + UPGRADE_NOTICE_MIN
        sent, id_ = wire(net, 0, Propose(ScheduleUpgrade(NEXT, from_height)))
        await final(net, net[0], sent, id_)
        for number in (1, 2):
            await final(net, net[0], *wire(net, number, Approve(subject_id(id_, 0))))
        await net.until_agreed()
        assert net[3].service.status()["protocol"] == {
            "version": VERSION,
            "known": VERSION,
            "next_version": NEXT,
            "from_height": from_height,
        }
        await grow(net, net[0], from_height + 1)
        assert [version_of(net[0], height) for height in (from_height - 1, from_height)] == [VERSION, NEXT]
        behind = net[3]
        await eventually(behind.failed.done)
        assert isinstance(behind.failed.result(), UpgradeNeeded)
        assert "install a newer version" in str(behind.failed.result())
        assert behind.service.ledger.tip.height == from_height - 1
        assert EXIT_OUTDATED == 69
        await net.stop(3, failed=True)
        await net.start(3, known_version=NEXT)
        await net.until_height(from_height + 1)
        await net.until_agreed()
    finally:
        await net.stop()
