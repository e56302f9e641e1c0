"""What the ledger thread has seen lately: bounded, and never older than what was committed."""

from __future__ import annotations

import secrets

from hypothesis import given
from hypothesis import strategies as st

from node.cache import OpenedCache, StateCache
from registry.keys import SigningKey
from registry.limits import VALIDITY_MAX_MS
from registry.transactions.claims import Release
from registry.transactions.envelope import draft, sign

CHAIN = bytes(32)
SIGNER = SigningKey.from_seed(bytes(32))

keys = st.integers(0, 40).map(lambda number: b"k%d" % number)
steps = st.lists(st.tuples(keys, st.one_of(st.none(), st.binary(max_size=3))), max_size=200)


@given(steps)
def test_a_read_shows_what_was_committed_last_however_small_the_cache(
    history: list[tuple[bytes, bytes | None]],
) -> None:
    stored: dict[bytes, bytes | None] = {}
    cache = StateCache(stored.get, values_max=8)
    for key, value in history:
        stored[key] = value
        cache.commit({key: value})
        for other in (key, b"k0", b"k1"):
            assert cache.get(other) == stored.get(other)
        assert len(cache._values) <= 8


def test_what_is_read_often_is_read_from_the_store_once() -> None:
    reads: list[bytes] = []

    def read(key: bytes) -> bytes:
        reads.append(key)
        return key

    cache = StateCache(read, values_max=8)
    for number in range(100):
        cache.get(b"often")
        cache.get(b"%d" % number)
    assert reads.count(b"often") == 1


def _wire() -> bytes:
    payload = draft(CHAIN, [SIGNER.public_key], secrets.token_bytes(16), VALIDITY_MAX_MS, [Release(bytes(32))])
    return sign(payload, CHAIN, [SIGNER])


def test_a_transaction_is_opened_once_while_it_is_remembered() -> None:
    cache = OpenedCache(CHAIN)
    wire = _wire()
    assert cache.open(wire) is cache.open(bytes(bytearray(wire)))


def test_opened_transactions_are_bounded_in_count_and_bytes() -> None:
    wires = [_wire() for _ in range(60)]
    size = len(wires[0])
    for cache in (
        OpenedCache(CHAIN, count_max=10),
        OpenedCache(CHAIN, bytes_max=10 * size),
        OpenedCache(CHAIN, bytes_max=1),
    ):
        for wire in wires:
            assert cache.open(wire).wire == wire
            assert len(cache._opened) <= 10
            assert cache._bytes == sum(map(len, cache._opened))
