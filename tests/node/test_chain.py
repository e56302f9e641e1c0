"""The chain: what is built, checked and committed, what is refused, and what a crash leaves behind."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.blocks import Block, Header
from consensus.votes import Kind
from node import layout
from node.authorities import authority_set
from node.chain import CLOCK_TOLERANCE_MS, Chain
from node.errors import GenesisMismatch, Inconsistent, StoreDamaged, StoreError
from node.store import MemoryStore, Store, open_store
from registry.codec import encode
from registry.errors import TransactionError
from registry.ledger import genesis_state
from registry.merkle import tree
from registry.merkle.log import EMPTY_LOG_ROOT, entry_hash, inclusion_proof, root, verify_inclusion
from registry.order import DRAWN_FROM
from registry.state import receivable_key
from registry.transactions import operations
from registry.transactions.claims import Offer
from registry.transactions.envelope import Transaction, open_transaction, subject_id
from registry.transactions.governance import Admit, Propose
from registry.transactions.receivables import Expire
from tests.node.chainworld import (
    STEP_MS,
    build,
    certificate_of,
    commit,
    proposer_of,
    registration,
    transaction_of,
)
from tests.node.snapshots.world import copy
from tests.registry.world import MEMBERS, PERCENT, START_MS, genesis, invoice, mark, name_id, party_of


@pytest.fixture
def store() -> Store:
    return MemoryStore()


@pytest.fixture
def chain(store: Store) -> Chain:
    return Chain.open(store, genesis())


def state_of(store: Store) -> dict[bytes, bytes]:
    return dict(layout.state_entry(stored) for _, stored in store.scan(layout.STATE))


def assert_sound(store: Store, chain: Chain) -> None:
    """The tree on disk, the state on disk and the header of the tip say the same."""
    assert tree.root_of(state_of(store).items()) == chain.tip.state_root
    assert dict(store.scan(layout.PAGE)) == {
        layout.PAGE + key: page for key, page in tree.rebuild(state_of(store).items()).records() if page is not None
    }
    reopened = Chain.open(store, genesis())
    assert reopened.tip == chain.tip
    headers = [layout.HeightRecord.decode(value) for _, value in store.scan(layout.HEIGHT)]
    assert len(headers) == chain.tip.height
    hashes = [record.block_hash for record in headers]
    if chain.tip.header is not None:
        assert chain.tip.header.history_root == root(hashes[:-1])
        for index, block_hash in enumerate(hashes[:-1]):
            path = inclusion_proof(
                lambda level, index: store.get(layout.log_key(level, index)) or b"", index=index, size=len(hashes) - 1
            )
            assert verify_inclusion(
                root=chain.tip.header.history_root,
                leaf_hash=entry_hash(block_hash),
                index=index,
                size=len(hashes) - 1,
                proof=path,
            )


def test_an_empty_store_begins_at_genesis(store: Store, chain: Chain) -> None:
    assert state_of(store) == genesis_state(genesis())
    assert (chain.tip.height, chain.tip.block_hash, chain.tip.header) == (0, genesis().id, None)
    assert chain.tip.timestamp_ms == START_MS
    assert chain.authorities == authority_set(genesis())
    assert_sound(store, chain)


def test_a_block_becomes_final_with_all_that_belongs_to_it(store: Store, chain: Chain) -> None:
    one = registration(1)
    two = transaction_of("EXP_CN", *(invoice(f"batch {number}") for number in range(3)), nonce=2)
    record = {layout.CONSENSUS + b"vote": b"own votes"}
    store.write(record, sync=True)
    block = build(chain, [one, two])
    certificate = certificate_of(block)
    committed = chain.commit(block, certificate, puts={layout.CONSENSUS + b"vote": None})
    assert (committed.height, committed.block_hash, committed.transactions) == (1, block.hash, (one.id, two.id))
    assert [receipt.code for receipt in committed.outcome.receipts] == ["ok"] * 4
    header = block.header
    assert (header.parent, header.history_root, header.timestamp_ms) == (genesis().id, EMPTY_LOG_ROOT, START_MS + 1000)
    assert (chain.tip.height, chain.tip.block_hash, chain.tip.header) == (1, block.hash, header)
    assert store.get(layout.CONSENSUS + b"vote") is None
    stored = layout.HeightRecord.decode(store.get(layout.at_height(layout.HEIGHT, 1)) or b"")
    assert stored == layout.HeightRecord(block.hash, header.encode(), certificate)
    assert Block.decode(store.get(layout.at_height(layout.BLOCK, 1)) or b"") == block
    receipts = layout.read_list(store.get(layout.at_height(layout.RECEIPTS, 1)) or b"", "receipts")
    assert receipts == [receipt.encode() for receipt in committed.outcome.receipts]
    assert root(receipts) == header.results_root
    place = layout.Place.decode(store.get(layout.TRANSACTION + two.id) or b"")
    assert place == layout.Place(height=1, index=1, first_receipt=1, receipts=3)
    assert receivable_key(subject_id(one.id, 0)) in state_of(store)
    assert_sound(store, chain)


def test_blocks_follow_each_other_and_empty_ones_are_blocks_too(store: Store, chain: Chain) -> None:
    for height in range(1, 8):
        transactions = [registration(10 * height + number) for number in range(height % 3)]
        assert commit(chain, *transactions).height == height
    assert_sound(store, chain)


def test_a_block_built_by_one_node_is_good_for_another(chain: Chain) -> None:
    other_store = MemoryStore()
    other = Chain.open(other_store, genesis())
    for height in range(1, 4):
        block = Block.decode(build(chain, [registration(height), registration(height + 100)]).encode())
        now_ms = block.header.timestamp_ms
        assert other.check(block, now_ms=now_ms + CLOCK_TOLERANCE_MS) is None
        certificate = certificate_of(block)
        assert other.commit(block, certificate, puts={}) == chain.commit(block, certificate, puts={})
        assert other.tip == chain.tip
    assert_sound(other_store, other)


def test_the_next_time_is_later_than_the_parents_whatever_the_clock_says(chain: Chain) -> None:
    commit(chain)
    block = chain.build([], proposer=proposer_of(2), now_ms=START_MS - 50_000)
    assert block.header.timestamp_ms == chain.tip.timestamp_ms + 1
    assert chain.check(block, now_ms=None) is None
    chain.commit(block, certificate_of(block), puts={})


def test_what_may_not_stand_in_a_block_is_left_out_of_it(chain: Chain) -> None:
    final = registration(1)
    commit(chain, final)
    now_ms = chain.tip.timestamp_ms + STEP_MS
    expired = transaction_of("EXP_CN", invoice("expired"), until_ms=now_ms - 1)
    far = transaction_of("EXP_CN", invoice("far"), until_ms=now_ms + 3_600_001)
    good = registration(2)
    block = build(chain, [final, expired, far, good, good])
    assert block.transactions == (good.wire,)


def test_a_block_holds_no_more_than_genesis_allows(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    few = replace(genesis(), parameters=replace(genesis().parameters, block_operations_max=4, block_bytes_max=4_000))
    chain = Chain.open(store, few)
    batch = transaction_of("EXP_CN", *(invoice(f"batch {number}") for number in range(3)), network=few)
    singles = [transaction_of("EXP_CN", invoice(str(number)), nonce=number, network=few) for number in range(9)]
    block = build(chain, [batch, *singles])
    assert len(block.transactions) == 2
    references = tuple(mark(str(number)) for number in range(16))
    fat = [transaction_of("EXP_CN", invoice(f"f{n}", references=references), network=few) for n in range(4)]
    block = build(chain, fat)
    assert len(block.transactions) == 3
    assert len(block.encode()) <= 4_000

    # Whoever thinks that more is allowed builds a block that is refused.
    monkeypatch.setattr(chain, "_genesis", SimpleNamespace(id=few.id, parameters=genesis().parameters))
    over = build(chain, [batch, *singles[:2]])
    larger = build(chain, fat)
    monkeypatch.undo()
    chain._executed.clear()
    assert "more operations than genesis allows" in (chain.check(over, now_ms=None) or "")
    assert "genesis allows 4000" in (chain.check(larger, now_ms=None) or "")


def forged(block: Block, **changes: Any) -> Block:
    fields = {name: getattr(block.header, name) for name in Header.__dataclass_fields__ if name != "hash"}
    transactions = changes.pop("transactions", block.transactions)
    return Block(Header(**(fields | changes)), transactions)


WRONG: dict[str, Callable[[Block], dict[str, Any]]] = {
    "genesis_id": lambda _: {"genesis_id": mark("another")},
    "parent": lambda _: {"parent": mark("another")},
    "does not follow": lambda block: {"height": block.header.height + 1},
    "not later than": lambda block: {"timestamp_ms": block.header.timestamp_ms - STEP_MS},
    "proposer": lambda _: {"proposer": bytes(32)},
    "authorities": lambda _: {"authorities": mark("another")},
    "next_authorities": lambda _: {"next_authorities": mark("another")},
    "transactions_root": lambda _: {"transactions_root": mark("another")},
    "results_root": lambda _: {"results_root": mark("another")},
    "state_root": lambda _: {"state_root": mark("another")},
    "history_root": lambda _: {"history_root": mark("another")},
    "malformed": lambda _: {"transactions": (b"junk",)},
    "replayed": lambda block: {"transactions": block.transactions * 2},
}


@pytest.mark.parametrize("reason", WRONG)
def test_a_wrong_block_is_refused_with_a_reason_and_halts_a_node_if_certified(reason: str, chain: Chain) -> None:
    commit(chain, registration(1))
    good = build(chain, [registration(2)])
    bad = forged(good, **WRONG[reason](good))
    before = chain.tip
    assert reason in (chain.check(bad, now_ms=None) or "")
    with pytest.raises(Inconsistent, match=f"height {bad.header.height}"):
        chain.commit(bad, certificate_of(bad), puts={})
    assert chain.tip == before
    assert chain.check(good, now_ms=None) is None
    assert chain.commit(good, certificate_of(good), puts={}).height == 2


def test_expired_and_replayed_transactions_of_others_are_refused(chain: Chain) -> None:
    final = registration(1)
    commit(chain, final)
    good = build(chain, [])
    expired = transaction_of("EXP_CN", invoice("expired"), until_ms=good.header.timestamp_ms - 1)
    for transaction, reason in ((final, "replayed"), (expired, "expired")):
        assert reason in (chain.check(forged(good, transactions=(transaction.wire,)), now_ms=None) or "")
    stolen = forged(good, transactions=(bytes(final.wire[:-64]) + bytes(64),))
    assert "bad_signature" in (chain.check(stolen, now_ms=None) or "")


def test_a_fresh_block_is_within_two_seconds_of_the_own_clock(chain: Chain) -> None:
    block = build(chain, [])
    time_ms = block.header.timestamp_ms
    for offset_ms, good in ((0, True), (2_000, True), (-2_000, True), (2_001, False), (-2_001, False)):
        assert (chain.check(block, now_ms=time_ms + offset_ms) is None) == good


def test_only_a_certified_block_with_its_own_body_is_committed(store: Store, chain: Chain) -> None:
    block = build(chain, [registration(1)])
    good = certificate_of(block)
    other = build(chain, [])
    everything = list(store.scan(b""))
    for certificate in (
        certificate_of(block, signers=(0, 1)),
        certificate_of(block, kind=Kind.NOTARIZE),
        certificate_of(other),
        good[:-1] + bytes([good[-1] ^ 1]),
        b"junk",
        encode([]),
    ):
        with pytest.raises(Inconsistent, match="without a certificate"):
            chain.commit(block, certificate, puts={})
    with pytest.raises(Inconsistent, match="transactions_root"):
        chain.commit(forged(block, transactions=()), good, puts={})
    with pytest.raises(AssertionError, match="record"):
        chain.commit(block, good, puts={layout.state_key(b"party/x"): b"forged"})
    assert list(store.scan(b"")) == everything
    chain.commit(block, good, puts={})
    with pytest.raises(Inconsistent, match="does not follow the tip"):
        chain.commit(block, good, puts={})
    assert_sound(store, chain)


def test_a_block_is_executed_once(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    execute = Chain._execute

    def counted(self: Chain, *arguments: Any) -> Any:
        calls.append(1)
        return execute(self, *arguments)

    monkeypatch.setattr(Chain, "_execute", counted)
    other = Chain.open(MemoryStore(), genesis())
    block = build(chain, [registration(1)])
    assert chain.check(block, now_ms=None) is None
    chain.commit(block, certificate_of(block), puts={})
    assert len(calls) == 1
    assert [other.check(block, now_ms=None) for _ in range(3)] == [None] * 3
    other.commit(block, certificate_of(block), puts={})
    assert len(calls) == 2
    late = Chain.open(MemoryStore(), genesis())
    late.commit(block, certificate_of(block), puts={})
    assert len(calls) == 3


def test_no_more_outcomes_are_remembered_than_the_bound(chain: Chain) -> None:
    for offset_ms in range(1, 10):
        chain.build([], proposer=proposer_of(1), now_ms=START_MS + offset_ms)
    assert len(chain._executed) == 4


def test_a_failed_write_changes_nothing_in_memory(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    block = build(chain, [registration(1)])
    before = chain.tip

    def full(*_: Any, **__: Any) -> None:
        raise StoreError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(chain._store, "write", full)
        with pytest.raises(StoreError, match="disk full"):
            chain.commit(block, certificate_of(block), puts={})
    assert chain.tip == before
    assert not chain.is_final(registration(1).id)
    assert chain.commit(block, certificate_of(block), puts={}).height == 1


def test_signatures_are_verified_once(chain: Chain) -> None:
    transaction = registration(1)
    opened = chain.opened(transaction.wire)
    assert opened == transaction
    assert chain.opened(bytes(bytearray(transaction.wire))) is opened
    with pytest.raises(TransactionError, match="bad_signature"):
        chain.opened(transaction.wire[:-1] + bytes([transaction.wire[-1] ^ 1]))


def test_only_registered_parties_wait_for_a_block(chain: Chain) -> None:
    now_ms = START_MS + 5
    good = registration(1)
    assert chain.admitted(good, now_ms=now_ms) == name_id("EXP_CN"), "it counts for the party, whatever its key"
    stranger = transaction_of("NOBODY", invoice("x"))
    half = transaction_of(["EXP_CN", "NOBODY"], invoice("x"))
    late = transaction_of("EXP_CN", invoice("x"), until_ms=now_ms - 1)
    far = transaction_of("EXP_CN", invoice("x"), until_ms=now_ms + 7_200_000)
    commit(chain, registration(2))
    cases: list[tuple[Transaction, str]] = [
        (stranger, "unknown_party"),
        (half, "unknown_party"),
        (late, "expired"),
        (registration(2), "replayed"),
    ]
    for transaction, code in cases:
        with pytest.raises(TransactionError) as error:
            chain.admitted(transaction, now_ms=chain.tip.timestamp_ms)
        assert error.value.code == code
    with pytest.raises(TransactionError, match="too_far_ahead"):
        chain.admitted(far, now_ms=now_ms)


def test_what_a_later_version_brings_waits_for_no_block_and_stands_in_none(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New software on some of the nodes: it offers no block that the others cannot read, and accepts none."""
    newer = transaction_of("EXP_CN", Expire(mark("a receivable")), nonce=2)
    careless = build(Chain.open(MemoryStore(), genesis()), [newer])
    monkeypatch.setattr(operations, "SINCE", MappingProxyType({Expire: 2}))
    with pytest.raises(TransactionError, match=r"unknown_operation.*protocol version 2"):
        chain.admitted(newer, now_ms=START_MS)
    assert "unknown_operation" in (chain.check(careless, now_ms=None) or "")
    assert build(chain, [registration(1), newer]).transactions == (registration(1).wire,)


def test_a_suspended_party_does_not_wait_for_a_block(store: Store) -> None:
    suspended = party_of("EXP_CN", name_id("EXP_CN"), "CN", ("exporter",), suspended=True)
    parties = tuple(suspended if party.id == suspended.id else party for party in genesis().parties)
    network = replace(genesis(), parties=parties)
    chain = Chain.open(store, network)
    with pytest.raises(TransactionError, match="suspended"):
        chain.admitted(transaction_of("EXP_CN", invoice("x"), network=network), now_ms=START_MS)


def test_the_store_of_another_network_is_refused(store: Store, chain: Chain) -> None:
    commit(chain, registration(1))
    other = replace(genesis(), name="another")
    with pytest.raises(GenesisMismatch, match=f"(?s){genesis().id.hex()}.*{other.id.hex()}.*another data_dir"):
        Chain.open(store, other)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda store: {layout.VERSION_KEY: b"9"}, "another version"),
        (lambda store: {layout.TIP_KEY: b"junk"}, "tip"),
        (lambda store: {layout.TIP_KEY: None}, "tip"),
        (lambda store: {layout.GENESIS_KEY: None}, "not empty"),
        (lambda store: {layout.at_height(layout.HEIGHT, 2): None}, "height record"),
        (
            lambda store: {layout.at_height(layout.HEIGHT, 2): store.get(layout.at_height(layout.HEIGHT, 1))},
            "names another block",
        ),
        (lambda store: {next(store.scan(layout.PAGE))[0]: None}, "state tree"),
        (lambda store: {layout.TIP_KEY: encode([1, [bytes(8)]])}, "history has 0 headers"),
        (lambda store: {layout.log_key(0, 0): None}, "node of the history"),
        (lambda store: {layout.log_key(0, 0): bytes(32)}, "history on disk is not the one the header names"),
    ],
)
def test_a_store_whose_parts_do_not_fit_is_refused(
    damage: Callable[[Store], dict[bytes, bytes | None]], reason: str, store: Store, chain: Chain
) -> None:
    commit(chain, registration(1))
    commit(chain, registration(2))
    store.write(damage(store), sync=True)
    with pytest.raises((StoreDamaged, StoreError, Inconsistent), match=reason):
        Chain.open(store, genesis())


def test_governance_is_in_force_at_the_next_height(chain: Chain) -> None:
    newcomer = party_of("EXP_NEW", "lei:984500USIMPORT000143", "US", ("exporter",))
    commit(chain, transaction_of("F_CN", Propose(Admit(newcomer))))
    with pytest.raises(TransactionError, match="unknown_party"):
        chain.admitted(transaction_of("EXP_NEW", invoice("x")), now_ms=START_MS)


@settings(max_examples=15, deadline=None)
@given(
    blocks=st.lists(st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=5), max_size=5),
)
def test_any_chain_is_sound_and_the_same_on_another_engine(blocks: list[list[tuple[int, bool]]]) -> None:
    store, other_store = MemoryStore(), MemoryStore()
    chain, other = Chain.open(store, genesis()), Chain.open(other_store, genesis())
    for choices in blocks:
        transactions = []
        for number, offers in choices:
            registered = registration(number)
            offer = Offer(subject_id(registered.id, 0), name_id("F_CN"), 10 * PERCENT, mark("terms"), START_MS + 10**7)
            transactions.append(transaction_of("EXP_CN", offer, nonce=number) if offers else registered)
        block = build(chain, transactions)
        assert other.check(block, now_ms=None) is None
        certificate = certificate_of(block)
        chain.commit(block, certificate, puts={})
        other.commit(block, certificate, puts={})
    assert list(store.scan(b"")) == list(other_store.scan(b""))
    assert_sound(store, chain)


_COMMITTER = """
import sys
from pathlib import Path
from node.chain import Chain
from node.store import open_store
from tests.node.chainworld import commit, registration
from tests.registry.world import genesis
chain = Chain.open(open_store(Path(sys.argv[1]), sys.argv[2]), genesis())
while True:
    height = chain.tip.height + 1
    commit(chain, *(registration(10 * height + number) for number in range(5)))
    print(height, flush=True)
"""


@pytest.mark.parametrize("engine", ["leveldb", "lmdb"])
def test_kill_9_at_any_moment_leaves_a_whole_chain(engine: str, tmp_path: Path) -> None:
    if engine == "leveldb":
        pytest.importorskip("plyvel")
    chance = random.Random(engine)
    promised = 0
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", _COMMITTER, str(tmp_path), engine],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        assert process.stdout is not None
        until = promised + chance.randint(5, 25)
        for line in process.stdout:
            promised = int(line)
            if promised >= until:
                break
        process.send_signal(signal.SIGKILL)
        promised = max([promised, *(int(line) for line in process.stdout)])
        process.wait()
        process.stdout.close()
        store = open_store(tmp_path)
        chain = Chain.open(store, genesis())
        assert chain.tip.height in (promised, promised + 1)
        assert_sound(store, chain)
        store.close()


def test_a_block_in_an_order_that_its_proposer_chose_is_refused(store: Store, chain: Chain) -> None:
    waiting = [registration(number, by=name) for number in range(3) for name in ("EXP_CN", "F_CN", "F_SG")]
    block = build(chain, waiting)
    assert {*block.transactions} == {each.wire for each in waiting}
    assert build(chain, waiting[::-1]).transactions == block.transactions
    other = Chain.open(MemoryStore(), genesis())
    turned = block.transactions[::-1]
    forged = Block(replace(block.header, transactions_root=root(turned)), turned)
    assert other.check(forged, now_ms=None) == "transactions: not in the order that the ledger's rule gives them"
    assert other.check(block, now_ms=None) is None


@pytest.mark.parametrize("first", range(4))
def test_a_block_has_no_more_work_than_all_can_check_in_time(
    store: Store, chain: Chain, monkeypatch: pytest.MonkeyPatch, first: int
) -> None:
    """What does not fit waits, but not what was first to be taken, wherever the ledger's rule puts it."""
    names = ("EXP_CN", "EXP_VN", "F_CN", "F_SG")
    waiting = [registration(1, by=name) for name in (*names[first:], *names[:first])]
    everything = build(Chain.open(MemoryStore(), genesis()), waiting)
    monkeypatch.setattr("registry.ledger.WORK_MAX", 100)
    monkeypatch.setattr("registry.ledger.BLOCK_WORK_MAX", 110)
    block = build(chain, waiting)
    assert waiting[0].wire in block.transactions
    assert len(block.transactions) < len(waiting)
    other = Chain.open(MemoryStore(), genesis())
    assert other.check(block, now_ms=None) is None
    assert other.check(everything, now_ms=None) == "transactions: more work than a block may be"
    chain.commit(block, certificate_of(block), puts={})
    assert_sound(store, chain)


def waiting_of(names: Iterable[str], number: int) -> list[Transaction]:
    return [registration(number, by=name) for name in names]


def parties_in(block: Block) -> tuple[bytes, ...]:
    return tuple([open_transaction(wire, genesis().id).signers[0] for wire in block.transactions])


@pytest.mark.parametrize("below", [0, 70])
def test_whoever_makes_a_block_chooses_between_two_orders_two_heights_above(
    below: int, store: Store, chain: Chain
) -> None:
    """It tries the timestamps, and so the hashes, that every honest node notarizes, also as the next leader."""
    for _ in range(below):
        commit(chain)
    waiting = waiting_of(MEMBERS, 1)
    orders: Counter[tuple[bytes, ...]] = Counter()
    for trial in range(40):
        branch = Chain.open(copy(store), genesis())
        height, now_ms = branch.tip.height + 1, branch.tip.timestamp_ms + STEP_MS + trial
        block = branch.build([], proposer=proposer_of(height + trial % 2), now_ms=now_ms)
        branch.commit(block, certificate_of(block), puts={})
        commit(branch)
        orders[parties_in(build(branch, waiting))] += 1
    assert len(orders) == 2
    assert min(orders.values()) > 10, "each is to be had at the second try"


def test_who_makes_the_block_below_has_no_say(store: Store, chain: Chain) -> None:
    commit(chain)
    waiting = waiting_of(MEMBERS, 1)
    orders = set()
    for trial in range(20):
        branch = Chain.open(copy(store), genesis())
        now_ms = branch.tip.timestamp_ms + STEP_MS + trial
        block = branch.build([], proposer=proposer_of(2), now_ms=now_ms)
        branch.commit(block, certificate_of(block), puts={})
        orders.add(parties_in(build(branch, waiting)))
    assert len(orders) == 1


def test_a_node_that_starts_again_draws_as_one_that_ran_on(store: Store, chain: Chain) -> None:
    for height in range(1, DRAWN_FROM + 5):
        commit(chain)
        if height in (1, 2, 3, DRAWN_FROM, DRAWN_FROM + 1, DRAWN_FROM + 2, DRAWN_FROM + 4):
            block = build(chain, waiting_of(MEMBERS, height))
            assert Chain.open(copy(store), genesis()).check(block, now_ms=None) is None
