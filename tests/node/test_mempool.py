"""The pool: turns by party, within its bounds, nothing half-applied."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.mempool import Bounds, Mempool
from registry.errors import TransactionError
from registry.limits import OPERATIONS_MAX
from registry.transactions.claims import Revoke
from registry.transactions.envelope import Transaction
from tests.node.chainworld import registration, transaction_of
from tests.registry.world import START_MS, invoice, mark


def refused(pool: Mempool, transaction: Transaction, sender: str = "cn") -> str:
    size, length = pool.size_bytes, len(pool)
    with pytest.raises(TransactionError) as error:
        pool.add(transaction, sender)
    assert (pool.size_bytes, len(pool)) == (size, length)
    return error.value.code


def revokes(sender: str, number: int, operations: int) -> Transaction:
    """A transaction with so many small operations, signed once for all tests."""
    return transaction_of("EXP_CN", *(Revoke(mark(f"{sender} {number} {each}")) for each in range(operations)))


class RemovedMeanwhile(dict[bytes, str]):
    """What another thread sees when the loop removes a transaction between two of its steps."""

    def __init__(self, pool: Mempool) -> None:
        super().__init__(pool._sender_of)
        self._pool = pool

    def get(self, id_: bytes, default: Any = None) -> Any:
        found = super().get(id_, default)
        self._pool._sender_of = dict(self)
        self._pool.remove([id_])
        return found


def test_a_reader_in_another_thread_finds_a_transaction_or_nothing() -> None:
    for others in (0, 1):
        pool = Mempool(Bounds())
        for number in range(others + 1):
            pool.add(registration(number), "cn")
        pool._sender_of = RemovedMeanwhile(pool)
        assert pool.get(registration(0).id) is None
        assert len(pool) == others


def test_what_is_added_is_taken_in_order_until_it_is_removed() -> None:
    pool = Mempool(Bounds())
    waiting = [registration(number) for number in range(5)]
    for transaction in waiting:
        pool.add(transaction, "cn")
    assert pool.take() == pool.take() == waiting
    assert (len(pool), pool.size_bytes) == (5, sum(len(each.wire) for each in waiting))
    assert pool.get(waiting[3].id) == waiting[3]
    assert refused(pool, waiting[0]) == "duplicate_pending"
    pool.remove([waiting[1].id, bytes(32), waiting[1].id])
    assert pool.take() == [waiting[0], *waiting[2:]]
    assert waiting[1].id not in pool
    pool.add(waiting[1], "cn")
    assert pool.take()[-1] == waiting[1]
    pool.remove(each.id for each in waiting)
    assert (len(pool), pool.size_bytes, pool.take()) == (0, 0, [])


def test_a_party_may_have_as_much_as_is_left_free() -> None:
    many = [registration(number) for number in range(6)]
    size = max(len(each.wire) for each in many)
    for bounds in (Bounds(transactions_max=7), Bounds(bytes_max=7 * size)):
        pool = Mempool(bounds)
        for transaction in many[:3]:
            pool.add(transaction, "flood")
        assert refused(pool, many[3], "flood") == "sender_full", "four of seven were more than the three that are left"
        pool.add(many[3], "member")
        pool.add(many[4], "member")
        assert refused(pool, many[5], "member") == "sender_full"
        pool.add(many[5], "third")
        assert refused(pool, registration(6), "fourth") == "mempool_full"
    by_sender = Mempool(Bounds(per_sender_max=1))
    by_sender.add(many[0], "cn")
    assert refused(by_sender, many[1]) == "sender_full"
    by_sender.add(many[1], "vn")
    by_sender.remove([many[0].id])
    by_sender.add(many[2], "cn")


def test_turns_go_by_party_and_not_by_key() -> None:
    pool = Mempool(Bounds())
    flood = [registration(number, by=key) for number in range(3) for key in ("EXP_CN", "EXP_VN")]
    for transaction in flood:
        pool.add(transaction, "two keys")
    mine = registration(9)
    pool.add(mine, "one key")
    assert pool.take() == [flood[0], mine, *flood[1:]]


def test_a_turn_is_worth_operations_and_not_transactions() -> None:
    pool = Mempool(Bounds())
    batches = [revokes("batch", number, 10) for number in range(2)]
    small = [registration(number) for number in range(12)]
    for transaction in batches:
        pool.add(transaction, "batches")
    for transaction in small:
        pool.add(transaction, "small")
    assert pool.take() == [batches[0], *small[:10], batches[1], *small[10:]]


def test_who_comes_later_is_owed_nothing_for_the_time_before() -> None:
    pool = Mempool(Bounds())
    early = [registration(number) for number in range(9)]
    for transaction in early:
        pool.add(transaction, "early")
    pool.remove(each.id for each in early[:5])
    late = [registration(number, by="EXP_VN") for number in range(3)]
    for transaction in late:
        pool.add(transaction, "late")
    assert pool.take() == [early[5], late[0], early[6], late[1], early[7], late[2], early[8]]


def test_who_empties_its_queue_has_not_begun_anew() -> None:
    """Or one who sends large ones one by one would always be as far as those who had nothing."""
    pool = Mempool(Bounds())
    batch, again = revokes("batch", 0, 5), revokes("batch", 1, 5)
    small = [registration(number) for number in range(7)]
    pool.add(batch, "batches")
    for transaction in small:
        pool.add(transaction, "small")
    pool.remove([batch.id])
    pool.add(again, "batches")
    assert pool.take() == [*small[:6], again, small[6]]
    pool.remove(each.id for each in (*small, again))
    pool.add(batch, "batches")
    pool.add(small[0], "small")
    assert pool.take() == [batch, small[0]], "once nobody waits, nobody is owed anything"


def test_one_that_does_not_fit_ends_the_list_and_the_first_is_always_there() -> None:
    pool = Mempool(Bounds())
    small, other = registration(1), registration(2)
    batch = transaction_of("EXP_CN", *(invoice(f"batch {number}") for number in range(10)))
    for transaction in (small, batch, other):
        pool.add(transaction, "cn")
    assert pool.take(operations_max=10) == [small]
    assert pool.take(operations_max=11) == [small, batch]
    assert pool.take(bytes_max=len(small.wire) + len(batch.wire) - 1) == [small]
    assert pool.take() == [small, batch, other]
    pool.remove([small.id])
    assert pool.take(operations_max=3) == [batch], "or it would wait for ever"


def test_what_was_in_a_proposal_that_failed_comes_after_all_others() -> None:
    pool = Mempool(Bounds())
    slow, own, other = registration(1), registration(2), registration(3, by="EXP_VN")
    for transaction, sender in ((slow, "cn"), (own, "cn"), (other, "vn")):
        pool.add(transaction, sender)
    assert pool.take(operations_max=1) == [slow]
    assert pool.take(operations_max=1, behind={slow.id}) == [other]
    assert pool.take(behind={slow.id}) == [other, own, slow]
    assert pool.take(behind={slow.id, own.id, other.id}) == pool.take() == [slow, other, own]


def test_the_largest_transaction_always_fits_a_block_of_its_own() -> None:
    pool = Mempool(Bounds())
    largest = revokes("largest", 0, OPERATIONS_MAX)
    pool.add(largest, "cn")
    pool.add(registration(1), "cn")
    assert pool.take() == [largest]


def test_what_no_later_block_may_hold_is_forgotten() -> None:
    pool = Mempool(Bounds())
    waiting = [transaction_of("EXP_CN", invoice(str(ms)), until_ms=START_MS + ms) for ms in (300, 100, 200)]
    for transaction in waiting:
        pool.add(transaction, "cn")
    assert pool.expire(START_MS + 100) == []
    assert pool.expire(START_MS + 101) == [waiting[1].id]
    assert pool.expire(START_MS + 101) == []
    assert pool.expire(START_MS + 10_000) == [waiting[0].id, waiting[2].id]
    assert pool.expire(START_MS + 10_000) == []
    pool.add(waiting[1], "cn")
    assert pool.expire(START_MS + 10_000) == [waiting[1].id]


_ALL = [
    transaction_of("EXP_CN", invoice(str(number)), nonce=number, until_ms=START_MS + number) for number in range(12)
]
_STEPS = st.lists(
    st.tuples(st.just("add"), st.integers(0, 11))
    | st.tuples(st.just("remove"), st.integers(0, 11))
    | st.tuples(st.just("expire"), st.integers(0, 12)),
    max_size=40,
)


@given(steps=_STEPS)
def test_it_agrees_with_plain_lists(steps: list[tuple[str, int]]) -> None:
    """What waits, how much of it, for whom there is room, and the order within a party."""
    pool = Mempool(Bounds(transactions_max=9, per_sender_max=3))
    model: dict[str, list[Transaction]] = {"cn": [], "vn": [], "us": []}
    for action, number in steps:
        transaction, sender = _ALL[number % 12], ("cn", "vn", "us")[number % 3]
        if action == "add":
            own, all_ = model[sender], sum(map(len, model.values()))
            if transaction not in own and len(own) < 3 and len(own) + 1 <= 9 - all_ - 1:
                pool.add(transaction, sender)
                own.append(transaction)
            else:
                refused(pool, transaction, sender)
        elif action == "remove":
            pool.remove([transaction.id])
            model[sender] = [each for each in model[sender] if each != transaction]
        else:
            gone = [each for of in model.values() for each in of if each.valid_until_ms < START_MS + number]
            assert sorted(pool.expire(START_MS + number)) == sorted(each.id for each in gone)
            model = {name: [each for each in of if each not in gone] for name, of in model.items()}
        taken = pool.take()
        for own in model.values():
            assert [each for each in taken if each in own] == own
        assert len(taken) == len(pool) == sum(map(len, model.values()))
        assert pool.size_bytes == sum(len(each.wire) for each in taken)


_BATCHES = [
    [revokes(sender, number, operations) for number, operations in enumerate((1, 2, 7, 20) * 3)] for sender in "abcd"
]
_PARTY_OF = {each.id: f"flood {party}" for party, batches in enumerate(_BATCHES) for each in batches}
_FLOODS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 11)), max_size=30)


@given(before=_FLOODS, blocks=st.integers(0, 4), operations_max=st.integers(1, 25), after=_FLOODS)
def test_a_newcomer_waits_for_one_of_every_other_party_at_most(
    before: list[tuple[int, int]], blocks: int, operations_max: int, after: list[tuple[int, int]]
) -> None:
    """The bound that the module states, whatever the others send, before it comes and while it waits."""

    def flood(sent: list[tuple[int, int]]) -> None:
        for party, number in sent:
            if _BATCHES[party][number].id not in pool:
                pool.add(_BATCHES[party][number], f"flood {party}")

    def senders(taken: list[Transaction]) -> list[str]:
        return [_PARTY_OF.get(each.id, "newcomer") for each in taken]

    pool, mine = Mempool(Bounds()), registration(1)
    flood(before)
    for _ in range(blocks):
        pool.remove([each.id for each in pool.take(operations_max)])
    pool.add(mine, "newcomer")
    everything = pool.take()
    others = set(senders(everything)) - {"newcomer"}
    ahead = senders(everything[: everything.index(mine)])
    assert len(ahead) == len(set(ahead)), "one of each at most"
    waited = 1
    while mine not in (block := pool.take(operations_max)):
        pool.remove([each.id for each in block])
        flood(after)
        waited += 1
    assert waited <= 1 + len(others)


@given(operations_max=st.integers(1, 40), flood=st.lists(st.integers(0, 11), max_size=12, unique=True))
def test_of_two_who_wait_all_the_time_none_has_much_more(operations_max: int, flood: list[int]) -> None:
    pool = Mempool(Bounds())
    sent = {"a": [_BATCHES[0][number] for number in flood], "b": [_BATCHES[1][number] for number in range(12)]}
    for sender, batches in sent.items():
        for transaction in batches:
            pool.add(transaction, sender)
    had = dict.fromkeys("ab", 0)
    while all(any(each.id in pool for each in batches) for batches in sent.values()):
        assert abs(had["a"] - had["b"]) <= 20, "the largest transaction here"
        block = pool.take(operations_max)
        for sender, batches in sent.items():
            had[sender] += sum(len(each.operations) for each in batches if each in block)
        pool.remove([each.id for each in block])
