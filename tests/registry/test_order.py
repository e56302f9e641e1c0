"""The order within a block: whoever proposes has no say in it, and each party orders its own."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.codec import digest
from registry.merkle.log import entry_hash
from registry.order import DRAWN_FROM, in_order, seed_of
from registry.transactions.envelope import Transaction
from tests.node.chainworld import transaction_of
from tests.registry.world import START_MS, genesis, invoice, key_of

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


# --- the lot ----------------------------------------------------------------------------------------------------------

TRIALS = 2_000  # hashes that a maker finds in a moment: one for each timestamp that is notarized


def leaf(*numbers: int) -> bytes:
    """A leaf of the history that nobody chose; another for other numbers."""
    return entry_hash(digest(b"block" + b"".join(number.to_bytes(8, "big") for number in numbers)))


def drawn(height: int, recent: Sequence[bytes]) -> bytes:
    return seed_of(genesis().id, height, recent)


def first_in(seed: bytes) -> str:
    return OWNERS[ordered(WAITING, seed)[0].signers[0]]


def test_the_seed_as_it_is_written_down() -> None:
    """Three blocks, with the bits 1, 0 and 1, below which stand the last 61 bits of the genesis id."""
    recent = [bytes(31) + b"\x03", b"\xff" * 31 + b"\x02", bytes(31) + b"\x81"]
    bits = (int(genesis().id.hex(), 16) % 2**61 * 8 + 0b101).to_bytes(8, "big")
    parts = (b"NEMODAT-v1-lot", (5).to_bytes(8, "big"), bits)
    written = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    assert drawn(5, recent) == hashlib.sha256(written).digest()


@pytest.mark.parametrize("below", [0, 1, DRAWN_FROM - 2, DRAWN_FROM - 1, DRAWN_FROM, 200])
def test_over_all_blocks_that_its_maker_could_make_there_are_two_lots(below: int) -> None:
    recent = [leaf(number) for number in range(below)]
    tried = {drawn(below + 3, [*recent, leaf(below, trial)]) for trial in range(TRIALS)}
    assert len(tried) == 2


@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=70), st.binary(min_size=32, max_size=32))
def test_whatever_the_hashes_the_last_chooses_between_two_orders(below: list[bytes], last: bytes) -> None:
    two = {0: drawn(99, [*below, bytes(32)]), 1: drawn(99, [*below, bytes(31) + b"\x01"])}
    assert drawn(99, [*below, last]) == two[last[-1] & 1]
    assert two[0] != two[1]


@pytest.mark.parametrize("makers", [1, 2, 3, 5])
def test_who_makes_the_last_k_together_chooses_among_two_to_the_k_lots(makers: int) -> None:
    recent = [leaf(number) for number in range(100)]
    ends = product((bytes(32), bytes(31) + b"\x01"), repeat=makers)
    lots = {drawn(103, [*recent[:-makers], *end]) for end in ends}
    assert len(lots) == 2**makers
    tried = {
        drawn(103, [*recent[:-makers], *(leaf(number, trial) for number in range(makers))]) for trial in range(TRIALS)
    }
    assert tried == lots


def test_each_of_the_last_blocks_counts_and_none_before_them() -> None:
    recent = [leaf(number) for number in range(DRAWN_FROM + 10)]
    seed = drawn(90, recent)
    for index, entry in enumerate(recent):
        turned = [*recent[:index], entry[:-1] + bytes([entry[-1] ^ 1]), *recent[index + 1 :]]
        assert (drawn(90, turned) != seed) == (index >= 10)
    assert drawn(90, recent[-DRAWN_FROM:]) == seed
    assert drawn(91, recent) != seed, "another lot each height"


def test_before_there_are_so_many_blocks_the_genesis_has_its_part() -> None:
    for blocks in (0, 1, DRAWN_FROM - 1, DRAWN_FROM):
        recent = [leaf(number) for number in range(blocks)]
        other = genesis().id[:-8] + bytes(byte ^ 0xFF for byte in genesis().id[-8:])
        assert (seed_of(other, 7, recent) == drawn(7, recent)) == (blocks == DRAWN_FROM)


def test_a_maker_that_tries_many_hashes_comes_first_as_often_as_with_the_better_of_two_lots() -> None:
    """1 - (1 - 1/n)^2 of the time among n = 4, which is 7 of 16, and an honest one 1/4."""
    heights = 400
    honest = ground = 0
    recent = [leaf(number) for number in range(DRAWN_FROM)]
    for height in range(heights):
        seeds = {drawn(height, [*recent, leaf(height, trial)]) for trial in range(32)}
        honest += first_in(drawn(height, [*recent, leaf(height, 0)])) == "F_CN"
        ground += any(first_in(seed) == "F_CN" for seed in seeds)
        recent = [*recent[1:], leaf(height, 0)]
    assert abs(honest / heights - 1 / 4) < 0.06
    assert abs(ground / heights - 7 / 16) < 0.06
