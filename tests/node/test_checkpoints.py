"""A regulator's observer cosigns, all nodes pass it on, and a client that keeps it refuses a past signed anew."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from clients.checkpoints import checked, read_checkpoints, written_checkpoints
from clients.errors import ClientError, ProofInvalid
from clients.exchange import Procedure, Reply
from clients.session import Session
from clients.verify import Trust
from consensus.blocks import Header
from consensus.checkpoints import Checkpoint, KeptCheckpoint, cosign
from node import checkpoints as room
from node.api.metrics import Metrics
from node.chain import Chain
from node.checkpoints import newest_checkpoints
from node.errors import NotFound
from node.layout import CHECKPOINT, HEIGHT, at_height
from node.service import NodeService
from node.snapshots.messages import Cosigned, decode_snapshot_message
from node.store import MemoryStore
from node.store import Store as NodeStore
from node.views import open_view
from registry.genesis import Genesis, ObserverEntry
from registry.keys import SigningKey
from tests.conftest import eventually
from tests.node.chainworld import commit, registration
from tests.node.network_of_nodes import Net, party
from tests.node.test_sync import grow
from tests.registry.world import genesis, key_of

KEY, SECOND = SigningKey.from_seed(b"c" * 32), SigningKey.from_seed(b"d" * 32)


# --- over sockets ---------------------------------------------------------------------------------------------------


def watched() -> Net:
    """A network with a regulator's observer, which cosigns."""
    net = Net(observers=1)
    regulator = party(200, "regulator")
    (observer,) = net.genesis.observers
    net.genesis = replace(
        net.genesis,
        observers=(replace(observer, party=regulator.id, checkpoint_key=KEY.public_key),),
        parties=(*net.genesis.parties, regulator),
    )
    net.members[4].identity = replace(net.members[4].identity, checkpoint=KEY)
    return net


async def test_what_an_observer_cosigns_reaches_every_node_also_one_that_comes_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "PERIOD_MS", 1)
    net = watched()
    try:
        await net.start(0, 1, 2, 4)
        await grow(net, 3)
        await net.until_agreed()
        newest = kept(net, 4)[0]
        await eventually(lambda: all(newest in kept(net, number) for number in (0, 1, 2)))
        await net.start(3)
        await eventually(lambda: newest in kept(net, 3))
        for number in range(5):
            for checkpoint in kept(net, number):
                checkpoint.verify(net.genesis.id, {KEY.public_key})
                with net.members[number].store.snapshot() as reader:
                    block = open_view(reader).block(checkpoint.height)
                assert block["block_hash"] == checkpoint.block_hash.hex()
    finally:
        await asyncio.wait_for(net.stop(), 20)


def kept(net: Net, number: int) -> list[Checkpoint]:
    return list(newest_checkpoints(net.members[number].store, 100))


async def test_that_a_regulators_observer_saw_another_ledger_is_the_alarm_of_a_node_that_goes_on_voting() -> None:
    net = watched()
    try:
        await net.start(0, 1, 2, 3)
        await grow(net, 2)
        await net.until_agreed()
        node = net[0].service
        with node.snapshot() as reader:
            header = Header.decode(bytes.fromhex(open_view(reader).block(2)["header"]))
        assert (node.status()["alarm"], sampled(node)) == ("", 0.0)
        other = cosign(net.genesis.id, replace(header, state_root=bytes(32)), KEY)
        node.checkpoints.received(PEER, Cosigned(other.encode()))
        regulator = net.genesis.observers[0].party
        assert node.status()["alarm"].startswith(f"checkpoint_contradicted: {regulator} ")
        assert sampled(node) == 1.0
        assert node.status()["voting"]
        assert node.ready(), "which of both ledgers is the true one is not this node's to judge"
        assert net[1].service.status()["alarm"] == ""
    finally:
        await asyncio.wait_for(net.stop(), 20)


def sampled(node: NodeService) -> float:
    """What Prometheus hears of the alarm."""
    found = re.search(r"^nemodat_alarm (\S+)$", Metrics(node).exposition().decode(), re.MULTILINE)
    assert found is not None
    return float(found[1])


# --- one node's room ------------------------------------------------------------------------------------------------


class Surroundings:
    """What the room knows of its node: its tip, and when there is a commit. What the room broadcasts is noted."""

    def __init__(self, store: NodeStore) -> None:
        self._store = store
        self.listeners: list[Callable[[object], None]] = []
        self.said: list[Checkpoint] = []

    @property
    def tip(self) -> SimpleNamespace:
        with self._store.snapshot() as reader:
            return SimpleNamespace(height=open_view(reader).height)

    def witness(self, witness: object) -> None:
        """Without a key the room has nothing to cosign."""

    def listen(self, listener: Callable[[object], None]) -> None:
        self.listeners.append(listener)

    def broadcast(self, channel: object, payload: bytes, *, role: str) -> None:
        message = decode_snapshot_message(payload)
        assert isinstance(message, Cosigned)
        self.said.append(Checkpoint.decode(message.checkpoint))

    def send(self, peer: bytes, channel: object, payload: bytes) -> None:
        self.broadcast(channel, payload, role="")


def of_store(store: NodeStore) -> tuple[room.Checkpoints, Surroundings]:
    """The room of a node with this store, and what it says."""
    around: Any = Surroundings(store)
    return room.Checkpoints(genesis=supervised(), store=store, ledger=around, mesh=around, key=None), around


PEER: Any = SimpleNamespace(name="a peer", id=bytes(32))


def test_that_a_signer_saw_another_ledger_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has such a checkpoint could fill the log of every node with it; with two of them, by turns."""
    said: list[str] = []
    monkeypatch.setattr(room._log, "critical", lambda event, *, reason, **_: said.append(reason), raising=False)
    other = chain_of(1, 102, 103)
    here, around = of_store(chain_of(1, 2, 3))
    for _ in range(3):
        for key in (KEY, SECOND):
            for height in (2, 3):
                here.received(PEER, Cosigned(seen(other, height, key).encode()))
    assert [key.public_key.hex()[:16] in reason for key, reason in zip((KEY, SECOND), said, strict=True)] == [True] * 2
    assert here.contradicted == {KEY.public_key, SECOND.public_key}
    assert here.alarm.startswith("checkpoint_contradicted: lei:R ")
    assert around.said == []


def test_who_connects_is_told_the_newest_of_each_signer_however_long_ago_that_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "KEPT_MAX", 3)
    store = chain_of(*range(1, 9))
    here, around = of_store(store)
    rare, *often = seen(store, 1, SECOND), *(seen(store, height) for height in range(2, 9))
    for checkpoint in (rare, *often):
        here.received(PEER, Cosigned(checkpoint.encode()))
    around.said.clear()
    here.connected(PEER)
    assert around.said == [often[-1], rare]


def test_what_is_older_than_all_that_are_kept_of_its_signer_is_not_passed_on_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else each member could send what all have kept and forgotten round and round, and each node to all others."""
    monkeypatch.setattr(room, "KEPT_MAX", 3)
    store = chain_of(*range(1, 9))
    newest = [seen(store, height) for height in range(8, 5, -1)]
    for node in range(2):  # the second one begins with a store in which they are
        here, around = of_store(store)
        for _ in range(2):
            for height in range(1, 9):
                here.received(PEER, Cosigned(seen(store, height).encode()))
        assert list(newest_checkpoints(store, 9)) == newest
        assert len(around.said) == (0 if node else 2 * 8), "each once, to authorities and to observers"
    here.received(PEER, Cosigned(seen(store, 1, SECOND).encode()))
    assert len(around.said) == 2, "of another signer it is the newest"


@pytest.mark.parametrize("repeated", [2, 6], ids=["one whose header is not kept here", "one that is ahead, but less"])
def test_an_older_true_checkpoint_does_not_take_the_place_of_one_that_waits(repeated: int) -> None:
    """Any member has the old ones of all signers, and may repeat them whenever it likes."""
    true, store = chain_of(*range(1, 8)), chain_of(*range(1, 6))
    store.write({at_height(HEIGHT, 2): None}, sync=True)  # as in a node that began with a state
    here, around = of_store(store)
    for height in (7, repeated):
        here.received(PEER, Cosigned(seen(true, height).encode()))
    store.write(dict(true.scan(b"")), sync=True)
    for listener in around.listeners:
        listener(None)
    assert list(newest_checkpoints(store, 9)) == [seen(true, 7)]


def test_a_checkpoint_that_is_ahead_of_the_node_waits_for_its_block() -> None:
    true = chain_of(*range(1, 9))
    ahead, further = seen(true, 4), seen(true, 6)
    store = MemoryStore()
    chain = Chain.open(store, genesis())
    commit(chain, registration(1))
    here, around = of_store(store)
    for checkpoint in (ahead, further):
        here.received(PEER, Cosigned(checkpoint.encode()))
    for number in range(2, 9):
        assert list(newest_checkpoints(store, 9)) == ([] if number <= 6 else [further])
        commit(chain, registration(number))
        for listener in around.listeners:
            listener(None)
    assert around.said == [further, further], "passed on once, to authorities and to observers"
    assert not here.contradicted


# --- a client that keeps them ---------------------------------------------------------------------------------------


def supervised() -> Genesis:
    """The world's genesis with observers that cosign, under the id of the world's: its chain is what is asked."""
    made = genesis()
    observers = tuple(
        ObserverEntry(party="lei:R", transport_certificate=b"", address="r:1", checkpoint_key=key.public_key)
        for key in (KEY, SECOND)
    )
    changed = replace(made, observers=observers)
    object.__setattr__(changed, "id", made.id)
    return changed


def chain_of(*numbers: int) -> NodeStore:
    store = MemoryStore()
    chain = Chain.open(store, genesis())
    for number in numbers:
        commit(chain, registration(number))
    return store


def header_of(store: NodeStore, height: int) -> Header:
    with store.snapshot() as reader:
        return Header.decode(bytes.fromhex(open_view(reader).block(height)["header"]))


def seen(store: NodeStore, height: int, key: SigningKey = KEY) -> Checkpoint:
    return cosign(genesis().id, header_of(store, height), key)


def remembered(store: NodeStore, height: int) -> KeptCheckpoint:
    """What a reader keeps of it."""
    return KeptCheckpoint(seen(store, height), header_of(store, height))


def keep(store: NodeStore, checkpoint: Checkpoint) -> None:
    store.write({at_height(CHECKPOINT, checkpoint.height) + checkpoint.signer: checkpoint.encode()}, sync=True)


def ask(store: NodeStore, procedure: Procedure[tuple[KeptCheckpoint, ...]]) -> tuple[KeptCheckpoint, ...]:
    """Answers a procedure as a node with this store does."""
    try:
        call = next(procedure)
        while True:
            with store.snapshot() as reader:
                found = re.fullmatch(r"/v1/blocks/(\d+)/ancestry", call.path)
                if found is not None:
                    body = open_view(reader).ancestry(int(found[1]))
                else:
                    assert call.path == "/v1/checkpoints"
                    body = {"checkpoints": [each.encode().hex() for each in newest_checkpoints(reader, 100)]}
            call = procedure.send(Reply(200, json.dumps(body).encode()))
    except StopIteration as end:
        result: tuple[KeptCheckpoint, ...] = end.value
        return result


def session() -> Session:
    return Session(genesis=supervised(), party="lei:R", signer=key_of("EXP_CN"))


def test_checkpoints_that_the_history_has_are_kept_the_newest_first() -> None:
    store = chain_of(*range(1, 9))
    for height in (3, 6, 8):
        keep(store, seen(store, height))
    found = ask(store, checked(session()))
    assert [each.height for each in found] == [8, 6, 3]
    text = written_checkpoints(found, supervised())
    assert read_checkpoints(text, supervised()) == found
    with pytest.raises(ClientError, match="another network"):
        read_checkpoints(text.replace(genesis().id.hex(), "00" * 32), supervised())


def test_a_past_that_leaked_keys_have_signed_anew_contradicts_a_checkpoint_that_was_kept() -> None:
    """The same authorities' keys certify both histories: from genesis alone nobody can tell which is true."""
    true, forged = chain_of(*range(1, 9)), chain_of(1, 2, 3, 104, 105, 106, 107, 108, 109)
    known = (remembered(true, 5),)
    assert ask(true, checked(session(), known)) == known
    assert ask(forged, checked(session())) == ()
    with pytest.raises(ProofInvalid, match="contradicts"):
        ask(forged, checked(session(), known))


def test_a_light_client_refuses_a_header_that_contradicts_its_checkpoint_whoever_signed_it() -> None:
    true, forged = chain_of(*range(1, 6)), chain_of(1, 2, 3, 104, 105)
    careful = Trust(supervised(), checkpoints=(remembered(true, 5),))
    for store in (true, forged):
        with store.snapshot() as reader:
            answer = open_view(reader).block(5)
        assert Trust(supervised()).header(answer).height == 5
        if store is true:
            assert careful.header(answer) == header_of(true, 5)
        else:
            with pytest.raises(ProofInvalid, match="contradicts"):
                careful.header(answer)


def test_a_checkpoint_of_a_key_that_genesis_does_not_name_is_refused() -> None:
    store = chain_of(1, 2)
    keep(store, seen(store, 2, key_of("consensus F_CN")))
    with pytest.raises(ProofInvalid, match="not a checkpoint key"):
        ask(store, checked(session()))


def test_a_checkpoint_above_the_nodes_tip_cannot_be_confirmed_there() -> None:
    longer, shorter = chain_of(*range(1, 9)), chain_of(1, 2)
    with pytest.raises(NotFound, match="no final block of height 7"):
        ask(shorter, checked(session(), (remembered(longer, 7),)))
