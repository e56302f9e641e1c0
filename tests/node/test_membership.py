"""Who decides changes while the network runs: real nodes, real TLS, clients that submit all the time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

from registry.errors import TransactionError
from registry.keys import SigningKey
from registry.transactions.authorities import AdmitNode, SeatAuthority, UnseatAuthority
from registry.transactions.governance import Admit
from tests.conftest import eventually
from tests.node.network_of_nodes import Member, Net, party, running, seed

REASON = bytes(32)
FIFTH = party(7, "authority", "financier")


def seat_of(member: Member, party_id: str, key: SigningKey | None = None) -> SeatAuthority:
    consensus = key or member.identity.consensus
    assert consensus is not None
    return SeatAuthority(party_id, consensus.public_key, member.identity.transport.certificate, member.address)


async def admit(net: Net) -> Member:
    """A fifth party and its node, which follows."""
    member = net.newcomer()
    await net.govern(Admit(FIFTH))
    await net.govern(AdmitNode(FIFTH.id, member.identity.transport.certificate, member.address))
    return member


class Clients:
    """Somebody who registers receivables through one node after the other, and wants each to become final."""

    def __init__(self, net: Net, *nodes: int) -> None:
        self._net = net
        self._nodes = nodes
        self.final = 0

    async def run(self) -> None:
        while True:
            for number in self._nodes:
                service = self._net[number].service
                (result,) = await service.submit([self._net.registration()])
                assert not isinstance(result, TransactionError), result
                assert await service.wait_final(result, 20.0)
                self.final += 1


@contextlib.asynccontextmanager
async def clients(net: Net, *nodes: int) -> AsyncIterator[Clients]:
    made = Clients(net, *nodes)
    task = asyncio.create_task(made.run())
    try:
        yield made
        before = made.final
        await eventually(lambda: made.final > before or task.done())
    finally:
        task.cancel()
        (result,) = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(result, asyncio.CancelledError), result


def voters(net: Net) -> list[str]:
    return [node.service.name for node in net.running if node.service.status()["voting"]]


async def test_an_authority_is_added_another_re_keyed_one_removed_and_all_restart() -> None:
    async with running(Net(4)) as net:
        async with clients(net, 0, 2):
            member = await admit(net)
            await net.start(4)
            node = net[4]
            await eventually(lambda: node.service.ledger.tip.height >= net[0].service.ledger.tip.height - 1)
            assert node.service.role == "observer"
            assert not node.service.status()["voting"]

            await net.govern(seat_of(member, FIFTH.id))
            await eventually(lambda: node.service.status()["voting"])
            assert node.service.role == "authority"
            assert [peer.role for peer in net[0].service.mesh.connected()] == ["authority"] * 4

            second = SigningKey.from_seed(seed("second"))
            rotated = net.members[1]
            await net.stop(1)
            rotated.identity = replace(rotated.identity, next_consensus=second)
            await net.start(1)
            await eventually(lambda: net[1].service.status()["voting"])
            await net.govern(seat_of(rotated, net[1].service.mesh.me.name, second))
            await eventually(lambda: net[1].service.mesh.me.id == second.public_key)
            await eventually(lambda: net[1].service.status()["voting"])
            await net.govern(UnseatAuthority(net[3].service.mesh.me.name, REASON))
            await eventually(lambda: not net[3].service.status()["voting"])
            assert net[3].service.role == "observer"
            height = net[0].service.ledger.tip.height
            await eventually(lambda: net[3].service.ledger.tip.height > height)  # it follows
        root = await net.until_agreed()
        names = [member.name for member in net[0].service.ledger.authorities]
        await net.stop()
        await net.start()
        assert await net.until_agreed() == root
        assert [member.name for member in net[0].service.ledger.authorities] == names
        async with clients(net, 0, 1, 2, 4) as again:
            await eventually(lambda: len(voters(net)) == 4)
            await eventually(lambda: again.final > 8)
        assert all(not node.failed.done() for node in net.running)


async def test_a_removed_authority_takes_no_transactions() -> None:
    async with running(Net(5)) as net:
        await net.govern(UnseatAuthority(net[4].service.mesh.me.name, REASON))
        await eventually(lambda: net[4].service.role == "observer")
        (result,) = await net[4].service.submit([net.registration()])
        assert isinstance(result, TransactionError)
        assert result.code == "read_only"
        height = await net.govern(Admit(FIFTH))
        await eventually(lambda: net[4].service.ledger.tip.height >= height)
