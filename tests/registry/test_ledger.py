"""The door: batches, all-or-nothing, replay, unknown and suspended senders, roots, determinism."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from registry.codec import decode, encode
from registry.errors import CodecError, FieldError, InvalidBlock
from registry.genesis import Genesis
from registry.ledger import RULES, BlockContext, execute, genesis_state
from registry.limits import OPERATIONS_MAX
from registry.merkle import log
from registry.parties import Party
from registry.reasons import REASONS
from registry.receipts import Receipt
from registry.records import Claim, Network, Proposal, Receivable, decode_record, encode_record
from registry.state import NETWORK_KEY, State, holders_of, key_key, party_key, print_key, receivable_key
from registry.transactions.claims import Fund, Offer, Release, Reserve
from registry.transactions.governance import Admit, Propose, Suspend
from registry.transactions.operations import OPERATIONS
from tests.registry.world import (
    AUTHORITIES,
    MEMBERS,
    PERCENT,
    START_MS,
    STEP_MS,
    World,
    created,
    genesis,
    invoice,
    key_of,
    mark,
    name_id,
    party_of,
)

VECTORS = Path(__file__).parent / "vectors" / "receipts.json"


@pytest.fixture
def world() -> World:
    return World()


def test_every_operation_has_a_rule() -> None:
    assert set(RULES) == set(OPERATIONS.values())


def test_genesis_state_holds_every_party_under_id_key_and_alias() -> None:
    state = genesis_state(genesis())
    assert list(state) == sorted(state)
    # of a party: itself, two keys, one identifier; of an authority also its key, the heights of that, and its node
    assert len(state) == 4 * len(MEMBERS) + 3 * len(AUTHORITIES) + 1
    for name, (identifier, _, roles) in MEMBERS.items():
        party = Party.decode(decode(state[party_key(identifier)]))
        assert (party.name, party.roles) == (name, roles)
        assert decode(state[key_key(key_of(name).public_key)]) == identifier
        assert decode(state[key_key(key_of(f"owner {name}").public_key)]) == identifier
        assert decode(state[b"alias/" + identifier.encode()]) == identifier
    network = decode_record(Network, state[NETWORK_KEY])
    assert (network.name, network.authorities) == ("test", tuple(map(name_id, AUTHORITIES)))
    assert [seat.consensus_key for seat in network.seats] == [
        key_of(f"consensus {name}").public_key for name in AUTHORITIES
    ]


def test_genesis_with_a_key_of_two_parties_is_a_bug_that_stops() -> None:
    twice = replace(genesis(), parties=(*genesis().parties, party_of("EXP_CN", "lei:X", "US", ("debtor",))))
    assert isinstance(twice, Genesis)
    with pytest.raises(AssertionError, match="two parties"):
        genesis_state(twice)


def test_in_a_batch_every_operation_stands_alone(world: World) -> None:
    receipts = world.do("EXP_CN", invoice("a"), invoice("a"), invoice("b"))
    assert [(receipt.operation, receipt.code) for receipt in receipts] == [(0, "ok"), (1, "duplicate"), (2, "ok")]
    assert receipts[1].related == (receipts[0].subject,)


def test_all_or_nothing(world: World) -> None:
    before = dict(world.state)
    receipts = world.do("EXP_CN", invoice("a"), invoice("b"), invoice("a"), invoice("c"), mode="all")
    assert [receipt.code for receipt in receipts] == ["rolled_back", "rolled_back", "duplicate", "rolled_back"]
    assert world.state == before
    assert [event.kind for event in world.last.events] == ["refused_duplicate"]  # type: ignore[union-attr]
    assert [receipt.code for receipt in world.do("EXP_CN", invoice("a"), invoice("b"), mode="all")] == ["ok", "ok"]


def test_a_rollback_goes_back_to_what_the_block_had_done_so_far(world: World) -> None:
    first = world.transaction("EXP_CN", invoice("a"))
    receivable = created(first)
    until = world.now_ms + 10**6
    offer = Offer(receivable, name_id("F_CN"), PERCENT, mark("terms"), until)
    second = world.transaction("EXP_CN", offer, offer, invoice("a"), mode="all")
    third = world.transaction("EXP_CN", offer)
    outcome = world.block([first, second, third])
    assert [receipt.code for receipt in outcome.receipts] == ["ok", "rolled_back", "rolled_back", "duplicate", "ok"]
    assert world.receivable(receivable).claims == (created(third),)


def test_register_offer_reserve_and_fund_in_one_transaction(world: World) -> None:
    until = world.now_ms + 10**6
    steps = (invoice("a"), Offer(0, name_id("F_CN"), PERCENT, mark("terms"), until), Reserve(1, 60_000), Fund(1))
    transaction = world.transaction(("EXP_CN", "F_CN"), *steps, mode="all")
    assert [receipt.code for receipt in world.block([transaction]).receipts] == ["ok"] * 4
    assert world.claim(created(transaction, 1)).state == "funded"


def test_a_reference_to_what_was_refused_finds_nothing(world: World) -> None:
    world.registered("a")
    receipts = world.do("EXP_CN", invoice("a"), Offer(0, name_id("F_CN"), 1, mark("terms"), world.now_ms + 10**6))
    assert [receipt.code for receipt in receipts] == ["duplicate", "not_found"]


def test_unknown_signers_are_refused_as_a_whole(world: World) -> None:
    receipts = world.do("stranger", invoice("a"), invoice("b"))
    assert [receipt.code for receipt in receipts] == ["unknown_party"] * 2
    receipts = world.do(("EXP_CN", "stranger"), invoice("a"))
    assert [receipt.code for receipt in receipts] == ["unknown_party"]
    assert world.last is not None
    assert world.last.writes == {}


def test_suspended_parties_do_nothing_and_are_offered_nothing(world: World) -> None:
    for name in ("EXP_VN", "F_BR"):
        world.govern(Suspend(name_id(name), mark("reason")))
    assert world.one("EXP_VN", invoice("a")).code == "suspended"
    assert world.one(("EXP_CN", "EXP_VN"), invoice("a")).code == "suspended"
    receivable = world.registered("a")
    offer = Offer(receivable, name_id("F_BR"), 1, mark("terms"), world.now_ms + 10**6)
    assert world.one("EXP_CN", offer).code == "suspended"


def test_a_block_with_what_may_not_stand_in_it_is_invalid(world: World) -> None:
    transaction = world.transaction("EXP_CN", invoice("a"))

    def context(timestamp_ms: int) -> BlockContext:
        return BlockContext(world.genesis.id, 1, timestamp_ms)

    now = context(START_MS + STEP_MS)
    with pytest.raises(InvalidBlock, match="replayed"):
        execute(world.state.get, now, [transaction, transaction], lambda _: False)
    with pytest.raises(InvalidBlock, match="replayed"):
        execute(world.state.get, now, [transaction], lambda _: True)
    with pytest.raises(InvalidBlock, match="expired"):
        execute(world.state.get, context(START_MS + 10**9), [transaction], lambda _: False)
    with pytest.raises(InvalidBlock, match="too_far_ahead"):
        execute(world.state.get, context(START_MS - 10**9), [transaction], lambda _: False)


def test_an_empty_block_changes_nothing(world: World) -> None:
    outcome = world.block([])
    assert (outcome.receipts, outcome.writes, outcome.events) == ((), {}, ())
    assert outcome.transactions_root == outcome.results_root == log.EMPTY_LOG_ROOT


def test_roots_prove_transactions_and_receipts(world: World) -> None:
    transactions = [world.transaction("EXP_CN", invoice(tag)) for tag in "aab"]
    outcome = world.block(transactions)
    wires = [transaction.wire for transaction in transactions]
    receipts = [receipt.encode() for receipt in outcome.receipts]
    assert outcome.transactions_root == log.root(wires)
    path = log.prove_inclusion(receipts, 1)
    assert log.verify_inclusion(
        root=outcome.results_root, leaf_hash=log.entry_hash(receipts[1]), index=1, size=3, proof=path
    )
    assert Receipt.decode(receipts[1]).code == "duplicate"


def test_writes_are_sorted_and_hold_only_what_changed(world: World) -> None:
    receivable = world.registered("a")
    assert world.last is not None
    keys = [receivable_key(receivable), *(print_key(kind, value) for kind, value in invoice("a").fingerprints)]
    assert list(world.last.writes) == sorted(keys)
    world.one("EXP_CN", invoice("a"))
    assert world.last.writes == {}


def test_execution_is_a_function_of_its_inputs(world: World) -> None:
    """Twice, and on a state whose keys were inserted in another order: the same bytes."""
    receivable = world.registered("a")
    claims = [world.offered(receivable, to=name, percent=50) for name in ("F_CN", "F_SG", "F_DE")]
    transactions = [
        *(world.transaction(name, Reserve(claim, 60_000)) for name, claim in zip(AUTHORITIES, claims, strict=False)),
        world.transaction("EXP_CN", *(invoice(tag) for tag in "abcb")),
        world.transaction(("F_CN", "EXP_CN"), Release(claims[0]), invoice("b"), mode="all"),
    ]
    context = BlockContext(world.genesis.id, world.height + 1, world.now_ms + STEP_MS)
    items = list(world.state.items())
    random.Random(7).shuffle(items)
    first = execute(world.state.get, context, transactions, lambda _: False)
    second = execute(dict(items).get, context, transactions, lambda _: False)
    assert first == second
    assert list(first.writes) == list(second.writes)


def test_records_are_read_once_per_block(world: World) -> None:
    receivable = world.registered("a")
    claim = world.offered(receivable)
    reads: list[bytes] = []

    def read(key: bytes) -> bytes | None:
        reads.append(key)
        return world.state.get(key)

    context = BlockContext(world.genesis.id, world.height + 1, world.now_ms + STEP_MS)
    steps = [world.transaction("F_CN", step) for step in (Reserve(claim, 1000), Fund(claim), Release(claim))]
    outcome = execute(read, context, steps, lambda _: False)
    assert [receipt.code for receipt in outcome.receipts] == ["ok"] * 3
    assert len(reads) == len(set(reads))


def test_damaged_state_stops_execution(world: World) -> None:
    receivable = world.registered("a")
    world.state[receivable_key(receivable)] = b"\x90"
    with pytest.raises(CodecError, match="Receivable"):
        world.one("EXP_CN", Offer(receivable, name_id("F_CN"), 1, mark("terms"), world.now_ms + 10**6))


def test_records_come_back_as_they_were_encoded(world: World) -> None:
    parent = world.registered("order", kind="purchase_order")
    child = world.registered("a", parents=((parent, PERCENT, 10**12),))
    claim = world.funded(child)
    world.one("F_CN", Propose(Admit(party_of("NEW", "lei:984500USIMPORT000143", "US", ("debtor",)))))
    kinds = {b"receivable/": Receivable, b"claim/": Claim, b"proposal/": Proposal, b"network": Network}
    checked = set()
    for key, data in world.state.items():
        for prefix, kind in kinds.items():
            if key.startswith(prefix):
                record = decode_record(kind, data)
                assert encode_record(record) == data
                assert hash(record) == hash(decode_record(kind, data))
                checked.add(prefix)
    assert checked == set(kinds)
    assert world.claim(claim).receivable == child
    assert holders_of(world.state[print_key(*invoice("a").fingerprints[0])]) == (child,)


def test_all_or_nothing_does_not_nest() -> None:
    state = State({}.get)
    state.begin()
    with pytest.raises(AssertionError):
        state.begin()
    with pytest.raises(AssertionError):
        state.writes()
    state.commit()
    with pytest.raises(AssertionError):
        state.rollback()


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ([mark("t"), 0, "ok", b""], "receipt"),
        ([b"", 0, "ok", b"", []], r"receipt\.transaction"),
        ([mark("t"), OPERATIONS_MAX, "ok", b"", []], r"receipt\.operation"),
        ([mark("t"), True, "ok", b"", []], r"receipt\.operation"),
        ([mark("t"), 0, "fine", b"", []], r"receipt\.code"),
        ([mark("t"), 0, "ok", b"x", []], r"receipt\.subject"),
        ([mark("t"), 0, "ok", b"", [b"x"]], r"receipt\.related"),
        ([mark("t"), 0, "ok", b"", [mark(str(i)) for i in range(65)]], r"receipt\.related"),
    ],
)
def test_what_is_no_receipt(value: list[object], problem: str) -> None:
    with pytest.raises((FieldError, CodecError), match=problem):
        Receipt.decode(encode(value))  # type: ignore[arg-type]


def golden() -> list[dict[str, object]]:
    """One receipt for every code, with and without a subject and related ids."""
    rows = []
    for index, code in enumerate(sorted(REASONS)):
        related = tuple(mark(f"related {i}") for i in range(index % 3))
        receipt = Receipt(mark("transaction"), index, code, mark("subject") if index % 2 else b"", related)
        rows.append(
            {
                "transaction": receipt.transaction.hex(),
                "operation": receipt.operation,
                "code": receipt.code,
                "subject": receipt.subject.hex(),
                "related": [one.hex() for one in receipt.related],
                "encoded": receipt.encode().hex(),
            }
        )
    return rows


def test_golden_receipts() -> None:
    """Bytes that another implementation must reproduce: receipts and the root over them."""
    vectors = json.loads(VECTORS.read_text())
    assert vectors["receipts"] == golden()
    encoded = [bytes.fromhex(row["encoded"]) for row in vectors["receipts"]]
    assert vectors["results_root"] == log.root(encoded).hex()
    assert [Receipt.decode(data).encode() for data in encoded] == encoded
