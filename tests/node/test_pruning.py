"""What a node forgets, what it keeps, and that it says so; and old facts that are proved without what was forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from clients.errors import ProofInvalid
from clients.history import verify_ancestor
from consensus.blocks import Header
from node import layout
from node.api.problems import problem_of
from node.chain import Chain
from node.errors import NotFound, Pruned
from node.layout import EVENTS_OF, FIRST_KEY, first_kept, first_known
from node.pruning import Pruner
from node.store import MemoryStore
from node.verification import verify_chain
from node.views import decided, open_view
from registry.codec import encode
from registry.merkle.log import entry_hash, verify_inclusion
from registry.transactions.envelope import subject_id
from tests.conftest import eventually
from tests.node.chainworld import commit, registration
from tests.node.network_of_nodes import Net
from tests.node.test_sync import grow
from tests.registry.world import genesis

BLOCKS = 30  # a second apart
KEPT_MS = 9_500


def chain_of(*, keep_ms: int | None) -> MemoryStore:
    store = MemoryStore()
    chain = Chain.open(store, genesis())
    pruner = None if keep_ms is None else Pruner(store, keep_ms=keep_ms)
    for height in range(1, BLOCKS + 1):
        before = chain.tip
        commit(chain, registration(height))
        if pruner is not None:
            pruner.grown(before, chain.tip)
    return store


def test_bodies_receipts_and_events_go_and_headers_certificates_and_state_stay() -> None:
    archive, store = chain_of(keep_ms=None), chain_of(keep_ms=KEPT_MS)
    first = BLOCKS - KEPT_MS // 1_000
    assert first_kept(store) == (first, first)
    assert first_kept(archive) == (1, 1)
    assert (first_known(archive), first_known(store)) == (1, 1), "transactions are forgotten, their ids are not"
    gone = dict(archive.scan(b"")).keys() - dict(store.scan(b"")).keys()
    kinds = {key[:2] for key in gone}
    assert kinds == {layout.BLOCK, layout.RECEIPTS, layout.EVENTS, EVENTS_OF[:2]}
    assert {key for key in gone if key.startswith(layout.BLOCK)} == {
        layout.at_height(layout.BLOCK, height) for height in range(1, first)
    }
    for height in range(1, BLOCKS + 1):
        assert store.get(layout.at_height(layout.HEIGHT, height)) == archive.get(
            layout.at_height(layout.HEIGHT, height)
        )
        assert (decided(store, height) is None) is (height < first)
    assert Chain.open(store, genesis()).tip == Chain.open(archive, genesis()).tip


def test_who_began_with_a_state_knows_ids_from_there_on_also_when_it_has_pruned_what_followed() -> None:
    store = chain_of(keep_ms=None)
    store.write({FIRST_KEY: encode([9, 12])}, sync=True)  # as `Landing.finish` leaves it
    assert first_known(store) == 9
    tip = Chain.open(store, genesis()).tip
    for keep_ms in (KEPT_MS, KEPT_MS // 2):
        for _ in range(BLOCKS):
            Pruner(store, keep_ms=keep_ms).grown(tip, tip)
        assert first_kept(store)[0] == BLOCKS - keep_ms // 1_000
        assert first_known(store) == 9
    with store.snapshot() as reader:
        view = open_view(reader)
        assert view.unknown(bytes(32))["known_since_ms"] == view.block(9)["timestamp_ms"]


def test_what_was_pruned_is_called_pruned_and_not_unknown() -> None:
    store = chain_of(keep_ms=KEPT_MS)
    first = first_kept(store)[0]
    with store.snapshot() as reader:
        view = open_view(reader)
        old, new = registration(1), registration(BLOCKS)
        assert view.is_final(old.id)
        with pytest.raises(Pruned, match=f"from height {first} on") as raised:
            view.receipts(old.id)
        assert (problem_of(raised.value).code, problem_of(raised.value).status) == ("pruned", 410)
        with pytest.raises(Pruned):
            view.events_at(1)
        with pytest.raises(Pruned):
            view.check_events(0)
        view.check_events(first)
        with pytest.raises(NotFound):
            view.receipts(registration(999).id)
        assert view.receipts(new.id)["height"] == BLOCKS
        assert view.block(1)["transactions"] is None
        assert view.block(1)["finality"]
        assert view.block(first)["transactions"]
        assert [height for height, _ in view.events_of(subject_id(new.id, 0))] == [BLOCKS]


def test_an_archives_receipt_is_proved_by_a_pruned_nodes_newest_header() -> None:
    """The archive's certificate for the old block is not looked at: the history of the newest header is enough."""
    with chain_of(keep_ms=None).snapshot() as archive, chain_of(keep_ms=KEPT_MS).snapshot() as pruned:
        answer = open_view(archive).receipts(registration(3).id)
        newest = open_view(pruned)
        assert newest.tip is not None
        old = verify_ancestor(Header.decode(newest.tip.header), answer["height"], newest.ancestry(answer["height"]))
    entry = answer["receipts"][0]
    assert verify_inclusion(
        root=old.results_root,
        leaf_hash=entry_hash(bytes.fromhex(entry["receipt"])),
        index=entry["index"],
        size=entry["size"],
        proof=[bytes.fromhex(node) for node in entry["path"]],
    )


@pytest.mark.parametrize("first", [None, [1, 9]], ids=["pruned", "begun with a state, all blocks fetched"])
def test_a_check_from_genesis_says_that_it_needs_all_blocks_and_not_that_the_disk_is_bad(
    first: list[int] | None,
) -> None:
    store = chain_of(keep_ms=KEPT_MS if first is None else None)
    if first is not None:
        store.write({layout.FIRST_KEY: encode([*first])}, sync=True)
    kept = max(first_kept(store))
    assert kept > 1
    with store.snapshot() as reader, pytest.raises(Pruned, match=f"from height {kept} on.*needs all"):
        verify_chain(reader, genesis(), scratch=MemoryStore(), progress=lambda *_: None)


def test_every_header_is_in_the_history_of_the_newest() -> None:
    with chain_of(keep_ms=KEPT_MS).snapshot() as reader:
        view = open_view(reader)
        assert view.tip is not None
        tip = Header.decode(view.tip.header)
        for height in range(1, BLOCKS + 1):
            assert verify_ancestor(tip, height, view.ancestry(height)).height == height
        for within in (1, 2, 5, BLOCKS):
            newer = Header.decode(bytes.fromhex(view.block(within)["header"]))
            for height in range(1, within + 1):
                answer = view.ancestry(height, within)
                assert verify_ancestor(newer, height, answer).height == height
                assert answer["header"] == newer.encode().hex()
        with pytest.raises(NotFound, match="block 3 is not in the history of block 2"):
            view.ancestry(3, 2)


LIES: dict[str, Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]] = {
    "another header": lambda answer, other: answer | {"ancestor": other["ancestor"]},
    "another path": lambda answer, other: answer | {"path": other["path"]},
    "no path": lambda answer, other: answer | {"path": []},
    "no header": lambda answer, other: answer | {"ancestor": "00"},
    "not hexadecimal": lambda answer, other: answer | {"path": ["x"]},
    "not text": lambda answer, other: answer | {"path": [7]},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_header_that_is_not_in_the_history_is_refused(lie: str) -> None:
    with chain_of(keep_ms=None).snapshot() as reader:
        view = open_view(reader)
        assert view.tip is not None
        tip = Header.decode(view.tip.header)
        answer, other = view.ancestry(5), view.ancestry(20)
    with pytest.raises(ProofInvalid):
        verify_ancestor(tip, 5, LIES[lie](answer, other))


async def test_a_pruned_node_serves_what_it_has_and_others_serve_the_rest() -> None:
    net = Net(observers=1)
    try:
        await net.start(0, 1, 2)
        await net.start(3, keep_ms=1)
        await grow(net, 8)
        await net.until_agreed()
        await eventually(lambda: first_kept(net.members[3].store)[0] > 5)
        assert decided(net.members[3].store, 1) is None
        await net.start(4)
        await eventually(lambda: net[4].service.ledger.tip.height >= 8)
        await net.until_agreed()
        assert decided(net.members[4].store, 1) == decided(net.members[0].store, 1)
        await net.stop(0)  # the pruned one is needed for every block now
        await grow(net, 2, at=1)
        await net.until_agreed()
    finally:
        await asyncio.wait_for(net.stop(), 20)
