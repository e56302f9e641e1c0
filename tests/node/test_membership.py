"""Who decides changes while the network runs: real nodes, real TLS, clients that submit all the time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

from consensus.engine import Engine
from consensus.events import Action, Broadcast, Event
from consensus.evidence import Evidence
from consensus.parameters import Parameters
from consensus.votes import Kind, Verifier, Vote, signed_bytes
from node.authorities import MemberNode
from node.certificates import make_certificate
from node.layout import EVIDENCE
from node.network import Credentials
from node.node import directory_of
from node.store import MemoryStore, open_store
from node.views import open_view
from registry.codec import digest
from registry.errors import TransactionError
from registry.keys import DOMAIN_VOTE, SigningKey, prove_possession
from registry.records import Misbehaviour
from registry.state import State
from registry.transactions.authorities import AdmitNode, SeatAuthority, UnseatAuthority
from registry.transactions.governance import admission
from registry.transactions.parties import SetHome
from tests.conftest import eventually
from tests.node.network_of_nodes import Member, Net, forged_certificate, owner_key, party, running, seed, signing_key

REASON = bytes(32)
FIFTH = party(7, "authority", "financier")


def seat_of(net: Net, member: Member, party_id: str, key: SigningKey | None = None) -> SeatAuthority:
    consensus = key or member.identity.consensus
    assert consensus is not None
    certificate = member.identity.transport.certificate
    proof = prove_possession(consensus, net.genesis.id, party_id, SeatAuthority.NAME)
    return SeatAuthority(party_id, consensus.public_key, certificate, member.address, proof)


async def admit(net: Net) -> Member:
    """A fifth party and its node, which follows."""
    member = net.newcomer()
    await net.govern(admission(FIFTH, [signing_key(FIFTH.id), owner_key(FIFTH.id)], net.genesis.id))
    await net.govern(AdmitNode(FIFTH.id, member.identity.transport.certificate, member.address))
    return member


def on_disk(members: Sequence[Member], folder: Path) -> None:
    """Give these nodes the stores in this folder, as they are there."""
    for member in members:
        member.store = open_store(folder / member.name)


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
                (result,) = await service.submit([self._net.registration()], by="a test")
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


async def test_an_authority_is_added_another_re_keyed_one_removed_and_all_restart(tmp_path: Path) -> None:
    net = Net(4)
    on_disk(net.members, tmp_path)
    async with running(net):
        async with clients(net, 0, 2):
            member = await admit(net)
            on_disk([member], tmp_path)
            await net.start(4)
            node = net[4]
            await eventually(lambda: node.service.ledger.tip.height >= net[0].service.ledger.tip.height - 1)
            assert node.service.role == "observer"
            assert not node.service.status()["voting"]

            await net.govern(seat_of(net, member, FIFTH.id))
            await eventually(lambda: node.service.status()["voting"])
            assert node.service.role == "authority"
            assert [peer.role for peer in net[0].service.mesh.connected()] == ["authority"] * 4

            second = SigningKey.from_seed(seed("second"))
            rotated = net.members[1]
            await net.stop(1)
            rotated.identity = replace(rotated.identity, next_consensus=second)
            await net.start(1)
            await eventually(lambda: net[1].service.status()["voting"])
            await net.govern(seat_of(net, rotated, net[1].service.mesh.me.name, second))
            await eventually(lambda: net[1].service.mesh.me.id == second.public_key)
            await eventually(lambda: net[1].service.status()["voting"])
            await net.govern(UnseatAuthority(net[3].service.mesh.me.name, REASON))
            await eventually(lambda: not net[3].service.status()["voting"])
            assert net[3].service.role == "observer"
            height = net[0].service.ledger.tip.height
            await eventually(lambda: net[3].service.ledger.tip.height > height)  # it follows
        await net.until_agreed()
        ledgers = [node.service.ledger for node in net.running]
        names = [member.name for member in ledgers[0].authorities]
        await net.stop()
        root = max(
            (ledger.tip for ledger in ledgers), key=lambda tip: tip.height
        ).state_root  # what still waited is in it
        for each in net.members:
            each.store.close()
        on_disk(net.members, tmp_path)
        await net.start()
        assert await net.until_agreed() == root
        assert [member.name for member in net[0].service.ledger.authorities] == names
        async with clients(net, 0, 1, 2, 4) as again:
            await eventually(lambda: len(voters(net)) == 4)
            await eventually(lambda: again.final > 8)
        assert all(not node.failed.done() for node in net.running)
    for each in net.members:
        each.store.close()


async def test_a_removed_authority_takes_no_transactions() -> None:
    async with running(Net(5)) as net:
        await net.govern(UnseatAuthority(net[4].service.mesh.me.name, REASON))
        await eventually(lambda: net[4].service.role == "observer")
        (result,) = await net[4].service.submit([net.registration()], by="a test")
        assert isinstance(result, TransactionError)
        assert result.code == "read_only"
        height = await net.govern(admission(FIFTH, [signing_key(FIFTH.id), owner_key(FIFTH.id)], net.genesis.id))
        await eventually(lambda: net[4].service.ledger.tip.height >= height)


class TwoFaced(Engine):
    """An engine whose key runs twice: it says of every block that it finalizes that it finalizes another one too."""

    def __init__(self, parameters: Parameters, signer: SigningKey, *, verifier: Verifier) -> None:
        super().__init__(parameters, signer, verifier=verifier)
        self._chain_id = parameters.genesis_id
        self._key = signer

    def handle(self, event: Event) -> tuple[Action, ...]:
        made: list[Action] = []
        for action in super().handle(event):
            made.append(action)
            if isinstance(action, Broadcast) and isinstance(action.message, Vote):
                vote = action.message
                if vote.kind is Kind.FINALIZE:
                    said = signed_bytes(vote.kind, vote.height, vote.view, REASON)
                    signature = self._key.sign(DOMAIN_VOTE, self._chain_id, said)
                    lie = Vote(vote.kind, vote.height, vote.view, REASON, vote.signer, signature)
                    made.append(Broadcast(lie))
        return tuple(made)


def recorded(net: Net, key: bytes, *, on: int = 0) -> Misbehaviour | None:
    """What the ledger of this node has against a consensus key."""
    with net[on].service.snapshot() as reader:
        return State(open_view(reader).state).find(Misbehaviour, key)


async def test_who_equivocates_is_recorded_and_out_at_the_next_height_and_the_network_goes_on() -> None:
    net = Net(5)
    net.members[4].make_engine = TwoFaced
    accused = net.members[4].identity.consensus
    assert accused is not None
    async with running(net):
        async with clients(net, 0, 1) as made:
            await eventually(lambda: recorded(net, accused.public_key) is not None)
            record = recorded(net, accused.public_key)
            assert record is not None
            assert record.removed
            assert Evidence.decode(record.evidence).accused == accused.public_key
            await eventually(
                lambda: all(accused.public_key not in node.service.ledger.authorities for node in net.running)
            )
            since = made.final
            await eventually(lambda: made.final > since + 5)
            assert voters(net) == [net.members[number].name for number in range(4)]
        await net.until_agreed()
        heard = [event for event in events(net) if event[0] in ("misbehaviour", "authority_unseated")]
        assert [kind for kind, _ in heard] == ["misbehaviour", "authority_unseated"]  # once, whoever reported it
        await eventually(lambda: all(not list(member.store.scan(EVIDENCE)) for member in net.members[:4]))


def events(net: Net) -> list[tuple[str, str]]:
    """All events on the first node, in order."""
    with net[0].service.snapshot() as reader:
        view = open_view(reader)
        return [(event.kind, event.detail) for height in range(1, view.height + 1) for event in view.events_at(height)]


async def test_evidence_survives_a_restart_of_the_node_that_has_it() -> None:
    net = Net(5)
    key = net.members[4].identity.consensus
    assert key is not None
    votes = []
    for block in (bytes(32), bytes([1]) * 32):
        said = signed_bytes(Kind.FINALIZE, 1, 0, block)
        signature = key.sign(DOMAIN_VOTE, net.genesis.id, said)
        votes.append(Vote(Kind.FINALIZE, 1, 0, block, key.public_key, signature))
    evidence = Evidence(*votes)
    async with running(net):
        await net.do(net.exporter.id, SetHome("https://node.example:8443"))  # a first block
        await net.stop(0)
        net.members[0].store.write({EVIDENCE + key.public_key: evidence.encode()}, sync=True)
        await net.start(0)
        await eventually(lambda: recorded(net, key.public_key) is not None)
        record = recorded(net, key.public_key)
        assert record is not None
        assert (record.evidence, record.reported_by) == (evidence.encode(), net[0].service.mesh.me.name)
        await eventually(lambda: not list(net.members[0].store.scan(EVIDENCE)))


async def test_an_authority_that_lost_its_disk_follows_and_comes_back_with_a_new_key() -> None:
    """Its votes of the height in progress are known to others: it must not sign with the old key again."""
    async with running(Net(4)) as net:
        async with clients(net, 0, 1) as made:
            await eventually(lambda: made.final > 3)
            lost, party_id = net.members[3], net[3].service.mesh.me.name
            await net.stop(3)
            lost.store = MemoryStore()
            second = SigningKey.from_seed(seed("after the loss"))
            lost.identity = replace(lost.identity, next_consensus=second)
            await net.start(3)
            await net.govern(seat_of(net, lost, party_id, second))
            await eventually(lambda: net[3].service.mesh.me.id == second.public_key)
            await eventually(lambda: net[3].service.status()["voting"])
            assert net[3].service.status()["alarm"] == ""
        await net.until_agreed()


async def test_certificates_of_keys_in_use_harm_nobody_and_a_renewed_one_connects() -> None:
    """The ledger does not look into a certificate: whatever it lets in, the nodes go on, and begin again."""
    net = Net(5)
    async with running(net):
        observer = net.newcomer()
        owner, leaver = net[1].service.mesh.me.name, net[4].service.mesh.me.name
        key, first = observer.identity.transport.seed, observer.identity.transport.certificate
        renewed = Credentials(make_certificate(key, observer.name), key)
        authority = net.members[0].identity
        assert authority.consensus is not None
        forged = forged_certificate(authority.consensus.public_key)
        for number, certificate in enumerate((first, renewed.certificate, forged)):
            await net.govern(AdmitNode(owner, certificate, f"127.0.0.1:{9 + number}"))

        observer.identity = replace(observer.identity, transport=renewed)
        await net.start(5)
        await eventually(lambda: len(net[5].service.mesh.connected()) == 5)
        assert renewed.certificate in {peer.certificate for peer in net[0].service.mesh.connected()}

        left = net.members[4]
        seed_of = left.identity.transport.seed
        left.identity = replace(left.identity, transport=Credentials(make_certificate(seed_of, "left"), seed_of))
        await net.govern(seat_of(net, left, leaver))
        await net.govern(UnseatAuthority(leaver, REASON))  # both certificates of its key are observers' now
        await net.until_agreed()
        await net.stop()
        await net.start()
        assert len(net[0].service.mesh.directory.members) == 4 + 2 + 2, "all but the forged one"
        async with clients(net, 0, 1) as made:
            await eventually(lambda: made.final > 3)


def test_the_directory_has_whatever_the_ledger_lets_in_and_a_seat_comes_first() -> None:
    """A consensus key can be any 32 bytes that governance seats, also those that stand for another node."""
    seed_of = seed("observer")
    certificates = [make_certificate(seed_of, name) for name in ("first", "second")]
    voter = MemberNode("lei:A", make_certificate(seed("voter"), "voter"), "a:1", digest(certificates[0]))
    members = [
        voter,
        *(MemberNode("lei:O", each, "o:1", b"") for each in certificates),
        MemberNode("X", b"", "x:1", b""),
    ]
    directory = directory_of(members, {})
    assert [(peer.name, peer.role) for peer in directory.members] == [
        ("lei:A", "authority"),
        ("lei:O/observer2", "observer"),
    ]
    assert directory.by_id[digest(certificates[1])].certificate == certificates[1]


async def test_a_key_that_votes_already_is_refused_by_a_second_node() -> None:
    """A copy of an authority with an empty disk and its own transport key listens, sees its key vote, and stops."""
    async with running(Net(4)) as net:
        copy = net.newcomer()
        copy.identity = replace(copy.identity, consensus=net.members[3].identity.consensus)
        await net.govern(AdmitNode(net[3].service.mesh.me.name, copy.identity.transport.certificate, copy.address))
        async with clients(net, 0, 1):
            await net.start(4)
            await eventually(lambda: net[4].service.ledger.tip.height >= net[0].service.ledger.tip.height - 1)
            await eventually(lambda: "key_in_use_elsewhere" in net[4].service.status()["alarm"])
            assert not net[4].service.status()["voting"]
            assert not net[0].service.status()["accused"]  # it said nothing
        await net.until_agreed()
