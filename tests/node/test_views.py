"""What a node answers is checked here as a client checks it: against genesis and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from clients.verify import Trust
from consensus.blocks import Block
from node import layout
from node.chain import Chain
from node.errors import Inconsistent, NotFound, StoreDamaged
from node.issued import Issued
from node.store import MemoryStore, Store
from node.verification import verify_chain
from node.views import ITEMS_MAX, View, decided, open_view
from registry.state import party_key, receivable_key
from registry.transactions.claims import Offer, Reserve
from registry.transactions.envelope import subject_id
from tests.node.chainworld import commit, registration, transaction_of
from tests.registry.world import PERCENT, START_MS, genesis, invoice, mark, name_id

TRUST = Trust(genesis())


@pytest.fixture
def store() -> Store:
    return MemoryStore()


@pytest.fixture
def chain(store: Store) -> Chain:
    return Chain.open(store, genesis())


@pytest.fixture
def view(store: Store, chain: Chain) -> Iterator[View]:
    """Three blocks: registrations, an offer with a batch, a reservation."""
    commit(chain, registration(1), registration(2), registration(3, by="EXP_VN"))
    commit(chain, OFFER, BATCH)
    commit(chain, transaction_of("F_CN", Reserve(subject_id(OFFER.id, 0), 600_000)))
    with store.snapshot() as reader:
        yield open_view(reader)


FIRST = subject_id(registration(1).id, 0)
OFFER = transaction_of("EXP_CN", Offer(FIRST, name_id("F_CN"), 80 * PERCENT, mark("terms"), START_MS + 10**7))
BATCH = transaction_of("EXP_CN", *(invoice(f"batch {number}") for number in range(5)), invoice("batch 2"))


def test_receipts_verify_against_genesis(view: View) -> None:
    for transaction, height, codes in (
        (registration(2), 1, ["ok"]),
        (OFFER, 2, ["ok"]),
        (BATCH, 2, ["ok"] * 5 + ["duplicate"]),
    ):
        answer = json.loads(json.dumps(view.receipts(transaction.id)))
        final = TRUST.receipts(transaction.id, len(transaction.operations), answer)
        assert (final.height, [receipt.code for receipt in final.receipts]) == (height, codes)
        assert (answer["status"], answer["transaction_id"]) == ("final", transaction.id.hex())
        assert view.is_final(transaction.id)
    assert not view.is_final(registration(9).id)
    with pytest.raises(NotFound, match="no final transaction"):
        view.receipts(registration(9).id)


def test_presence_and_absence_of_state_verify_against_genesis(view: View) -> None:
    for key in (party_key(name_id("F_CN")), receivable_key(FIRST), receivable_key(bytes(32))):
        answer = json.loads(json.dumps(view.state_proof(key)))
        proved = TRUST.state(key, answer)
        assert proved.value == view.state(key)
        assert proved.height == 3
    assert view.state(receivable_key(bytes(32))) is None


def test_a_search_certificate_verifies_and_is_found_again(view: View, store: Store) -> None:
    query = [("exact", mark("exact EXP_CN 1")), ("number", mark("nothing has this"))]
    certificate = view.search(query, genesis_id=genesis().id, requester=name_id("F_SG"), purpose="financing")
    checked = TRUST.search_certificate(json.loads(json.dumps(certificate)))
    assert checked.matches == {"block": (FIRST,), "review": ()}
    with pytest.raises(NotFound):
        view.issued_certificate(checked.number)
    Issued(store).keep(certificate)
    with store.snapshot() as reader:
        assert open_view(reader).issued_certificate(checked.number) == certificate


def test_a_block_is_shown_with_what_proves_it(view: View, store: Store, chain: Chain) -> None:
    shown = view.block(2)
    assert shown["transactions"] == [OFFER.id.hex(), BATCH.id.hex()]
    header = TRUST.header(shown)
    assert (header.hash.hex(), header.height) == (shown["block_hash"], 2)
    assert shown["state_root"] == header.state_root.hex()
    json.dumps(shown)
    found = decided(store, 2)
    assert found is not None
    assert (Block.decode(found[0]).hash, found[1].hex()) == (header.hash, shown["finality"])
    assert decided(store, 4) is None
    for height in (-1, 0, 4, 2**63):
        with pytest.raises(NotFound, match="the tip is at 3"):
            view.block(height)


def test_lists_are_paged_in_order(view: View) -> None:
    mine = view.receivables_of(name_id("EXP_CN")).ids
    assert set(mine) == {FIRST, subject_id(registration(2).id, 0), *(subject_id(BATCH.id, n) for n in range(5))}
    assert list(mine) == sorted(mine)
    gathered: list[bytes] = []
    after: bytes | None = None
    for _ in range(4):
        page = view.receivables_of(name_id("EXP_CN"), after=after, limit=2)
        gathered += page.ids
        after = page.after
    assert (tuple(gathered), after) == (mine, None)
    assert view.receivables_of(name_id("EXP_VN")).ids == (subject_id(registration(3, by="EXP_VN").id, 0),)
    assert view.receivables_of(name_id("EXP_CN")[:-1]).ids == ()
    claim = subject_id(OFFER.id, 0)
    assert view.claims_of(name_id("F_CN")).ids == view.claims_of(name_id("EXP_CN")).ids == (claim,)
    assert view.claims_of(name_id("F_SG")).ids == ()
    parties = view.parties(after=None).ids
    assert {key.decode() for key in parties} == {party.id for party in genesis().parties}
    assert view.parties(after=parties[1], limit=2).ids == parties[2:4]


def test_no_page_is_larger_than_the_bound(store: Store, chain: Chain) -> None:
    batches = [transaction_of("EXP_CN", *(invoice(f"{b} {n}") for n in range(150)), nonce=b) for b in range(2)]
    commit(chain, *batches)
    with store.snapshot() as reader:
        page = open_view(reader).receivables_of(name_id("EXP_CN"), limit=10**6)
        assert (len(page.ids), page.after) == (ITEMS_MAX, page.ids[-1])
        assert len(open_view(reader).receivables_of(name_id("EXP_CN"), after=page.after).ids) == 100


def test_events_are_found_by_subject_and_by_height(view: View) -> None:
    assert [event.kind for event in view.events_at(1)] == ["registered"] * 3
    assert [(height, event.kind) for height, event in view.events_of(FIRST)] == [(1, "registered")]
    claim = subject_id(OFFER.id, 0)
    assert [(height, event.kind) for height, event in view.events_of(claim)] == [(2, "offered"), (3, "reserved")]
    assert view.events_of(claim, limit=1)[0][1].kind == "offered"
    assert "refused_duplicate" in [event.kind for event in view.events_at(2)]
    assert view.events_at(99) == []


def test_a_view_stays_as_it_was_while_the_chain_goes_on(store: Store, chain: Chain) -> None:
    commit(chain, registration(1))
    with store.snapshot() as reader:
        before = open_view(reader)
        proof = before.state_proof(receivable_key(FIRST))
        for number in range(2, 30):
            commit(chain, registration(number))
        assert before.height == 1
        assert before.state_proof(receivable_key(FIRST)) == proof
        assert before.receivables_of(name_id("EXP_CN")).ids == (FIRST,)
        assert TRUST.state(receivable_key(FIRST), proof).height == 1


def test_before_the_first_block_there_is_state_but_no_proof(store: Store, chain: Chain) -> None:
    with store.snapshot() as reader:
        view = open_view(reader)
        stored = view.state(party_key(name_id("F_CN")))
        assert stored is not None
        assert view.height == 0
        with pytest.raises(NotFound, match="no block is final yet"):
            view.state_proof(party_key(name_id("F_CN")))
        with pytest.raises(NotFound):
            view.search([], genesis_id=genesis().id, requester="", purpose="")


def test_a_missing_part_is_damage(view: View, store: Store) -> None:
    store.write({layout.at_height(layout.BLOCK, 2): None}, sync=True)
    with store.snapshot() as reader, pytest.raises(StoreDamaged, match="height 2"):
        open_view(reader).block(2)
    with pytest.raises(StoreDamaged):
        open_view(MemoryStore())


def verified(store: Store) -> Any:
    steps: list[tuple[int, int]] = []
    with store.snapshot() as reader:
        result = verify_chain(
            reader, genesis(), scratch=MemoryStore(), progress=lambda height, tip: steps.append((height, tip))
        )
    assert steps == [(height, result.height) for height in range(1, result.height + 1)]
    return result


def test_a_whole_chain_verifies_from_genesis(view: View, store: Store, chain: Chain) -> None:
    store.write({layout.CONSENSUS + b"vote": b"own", layout.CERTIFICATE + b"1": b"own"}, sync=True)
    result = verified(store)
    assert (result.height, result.block_hash, result.state_root) == (3, chain.tip.block_hash, chain.tip.state_root)
    assert (result.transactions, result.receipts) == (6, 11)


@pytest.mark.parametrize(
    "prefix",
    [layout.STATE, layout.PAGE, layout.BLOCK, layout.HEIGHT, layout.RECEIPTS, layout.TRANSACTION, b"i/", b"e/"],
)
def test_any_byte_that_was_changed_is_found(prefix: bytes, view: View, store: Store) -> None:
    for key, value in list(store.scan(prefix))[:3]:
        changed = value[:-1] + bytes([value[-1] ^ 1]) if value else b"x"
        for damage in (changed, None):
            store.write({key: damage}, sync=True)
            with pytest.raises(Inconsistent):
                verified(store)
        store.write({key: value}, sync=True)
    store.write({prefix + b"more": b""}, sync=True)
    with pytest.raises(Inconsistent, match="differs"):
        verified(store)
