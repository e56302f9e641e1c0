"""The pool: first come, first served, within its bounds, nothing half-applied."""

from __future__ import annotations

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


def refused(pool: Mempool, transaction: Transaction) -> str:
    size, length = pool.size_bytes, len(pool)
    with pytest.raises(TransactionError) as error:
        pool.add(transaction)
    assert (pool.size_bytes, len(pool)) == (size, length)
    return error.value.code


def test_what_is_added_is_taken_in_order_until_it_is_removed() -> None:
    pool = Mempool(Bounds())
    waiting = [registration(number) for number in range(5)]
    for transaction in waiting:
        pool.add(transaction)
    assert pool.take() == pool.take() == waiting
    assert (len(pool), pool.size_bytes) == (5, sum(len(each.wire) for each in waiting))
    assert pool.get(waiting[3].id) == waiting[3]
    assert refused(pool, waiting[0]) == "duplicate_pending"
    pool.remove([waiting[1].id, bytes(32), waiting[1].id])
    assert pool.take() == [waiting[0], *waiting[2:]]
    assert waiting[1].id not in pool
    pool.add(waiting[1])
    assert pool.take()[-1] == waiting[1]
    pool.remove(each.id for each in waiting)
    assert (len(pool), pool.size_bytes, pool.take()) == (0, 0, [])


def test_it_is_bounded_in_count_and_bytes_and_for_each_sender() -> None:
    one, two, three = (registration(number) for number in range(3))
    other = registration(1, by="EXP_VN")
    by_count = Mempool(Bounds(transactions_max=2))
    by_bytes = Mempool(Bounds(bytes_max=len(one.wire) + len(two.wire)))
    by_sender = Mempool(Bounds(per_sender_max=2))
    for pool in (by_count, by_bytes, by_sender):
        pool.add(one)
        pool.add(two)
    assert refused(by_count, three) == refused(by_bytes, three) == "mempool_full"
    assert refused(by_sender, three) == "sender_full"
    by_sender.add(other)
    by_sender.remove([one.id])
    by_sender.add(three)
    assert by_sender.take() == [two, other, three]


def test_one_that_does_not_fit_the_block_ends_the_list() -> None:
    pool = Mempool(Bounds())
    small, other = registration(1), registration(2)
    batch = transaction_of("EXP_CN", *(invoice(f"batch {number}") for number in range(10)))
    for transaction in (small, batch, other):
        pool.add(transaction)
    assert pool.take(operations_max=10) == [small]
    assert pool.take(operations_max=11) == [small, batch]
    assert pool.take(bytes_max=len(small.wire) + len(batch.wire) - 1) == [small]
    assert pool.take(operations_max=0) == []
    assert pool.take() == [small, batch, other]


def test_the_largest_transaction_always_fits_a_block_of_its_own() -> None:
    pool = Mempool(Bounds())
    largest = transaction_of("EXP_CN", *(Revoke(mark(str(number))) for number in range(OPERATIONS_MAX)))
    pool.add(largest)
    pool.add(registration(1))
    assert pool.take() == [largest]


def test_what_no_later_block_may_hold_is_forgotten() -> None:
    pool = Mempool(Bounds())
    waiting = [transaction_of("EXP_CN", invoice(str(ms)), until_ms=START_MS + ms) for ms in (300, 100, 200)]
    for transaction in waiting:
        pool.add(transaction)
    assert pool.expire(START_MS + 100) == []
    assert pool.expire(START_MS + 101) == [waiting[1].id]
    assert pool.expire(START_MS + 101) == []
    assert pool.expire(START_MS + 10_000) == [waiting[0].id, waiting[2].id]
    assert pool.expire(START_MS + 10_000) == []
    pool.add(waiting[1])
    assert pool.expire(START_MS + 10_000) == [waiting[1].id]


_ALL = [
    transaction_of("EXP_CN" if number % 3 else "EXP_VN", invoice(str(number)), nonce=number, until_ms=START_MS + number)
    for number in range(12)
]
_STEPS = st.lists(
    st.tuples(st.just("add"), st.integers(0, 11))
    | st.tuples(st.just("remove"), st.integers(0, 11))
    | st.tuples(st.just("expire"), st.integers(0, 12)),
    max_size=40,
)


@given(steps=_STEPS)
def test_it_agrees_with_a_plain_list(steps: list[tuple[str, int]]) -> None:
    bounds = Bounds(transactions_max=6, per_sender_max=4)
    pool = Mempool(bounds)
    model: list[Transaction] = []
    for action, number in steps:
        transaction = _ALL[number % 12]
        if action == "add":
            of_sender = sum(each.signers == transaction.signers for each in model)
            fits = transaction not in model and len(model) < 6 and of_sender < 4
            if fits:
                pool.add(transaction)
                model.append(transaction)
            else:
                refused(pool, transaction)
        elif action == "remove":
            pool.remove([transaction.id])
            model = [each for each in model if each != transaction]
        else:
            gone = [each for each in model if each.valid_until_ms < START_MS + number]
            assert pool.expire(START_MS + number) == [each.id for each in gone]
            model = [each for each in model if each not in gone]
        assert pool.take() == model
        assert pool.size_bytes == sum(len(each.wire) for each in model)
