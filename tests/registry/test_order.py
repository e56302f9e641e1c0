"""The order within a block: whoever proposes has no say in it, and each party orders its own."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from registry.order import in_order
from registry.transactions.envelope import Transaction
from tests.node.chainworld import transaction_of
from tests.registry.world import START_MS, invoice, key_of

PARTIES = ("EXP_CN", "F_CN", "F_SG", "F_DE")
OWNERS = {key_of(name).public_key: name for name in PARTIES}
WAITING = [
    transaction_of(name, invoice(f"{name} {number}"), nonce=number, until_ms=START_MS + 60_000 + number)
    for name in PARTIES
    for number in range(4)
]


def ordered(transactions: list[Transaction], seed: bytes = bytes(32)) -> list[Transaction]:
    return in_order(seed, transactions, OWNERS.get)


@given(st.randoms(use_true_random=False), st.binary(min_size=32, max_size=32))
def test_however_they_come_they_stand_in_one_order_and_each_party_s_in_its_own(
    chance: random.Random, seed: bytes
) -> None:
    shuffled = list(WAITING)
    chance.shuffle(shuffled)
    found = ordered(shuffled, seed)
    assert found == ordered(WAITING, seed)
    parties = [OWNERS[each.signers[0]] for each in found]
    assert len({*pairwise(parties)} - {(party, party) for party in PARTIES}) == len(PARTIES) - 1
    for name in PARTIES:
        expiries = [each.valid_until_ms for each in found if OWNERS[each.signers[0]] == name]
        assert expiries == sorted(expiries)


def test_every_party_comes_first_as_often_as_another() -> None:
    first = Counter(OWNERS[ordered(WAITING, bytes([0, number]) * 16)[0].signers[0]] for number in range(200))
    assert min(first[name] for name in PARTIES) > 25, first


def test_a_second_key_is_no_second_lot() -> None:
    one = transaction_of("F_CN", invoice("one"), nonce=1)
    other = transaction_of("F_SG", invoice("other"), nonce=1)
    rival = transaction_of("EXP_CN", invoice("rival"), nonce=1)
    both = {**OWNERS, key_of("F_SG").public_key: "F_CN"}
    for number in range(32):
        found = in_order(number.to_bytes(32, "big"), [one, other, rival], both.get)
        assert found.index(rival) in (0, 2), "the rival never stands between the keys of one party"
