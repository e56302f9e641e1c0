"""Token buckets and the memory of nonces: right, and bounded whoever comes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.api.replay import MemoryFull, NonceMemory
from node.fairness import address_of
from node.rates import Buckets

KEY = bytes(32)


def test_a_burst_and_then_the_rate() -> None:
    buckets = Buckets(per_s=2, burst=3, names_max=10)
    assert [buckets.take("a", now_s=0) for _ in range(3)] == [0, 0, 0]
    assert buckets.take("a", now_s=0) == pytest.approx(0.5)
    assert buckets.wait_s("a", now_s=0.25) == pytest.approx(0.25)
    assert buckets.take("a", now_s=0.5) == 0
    assert buckets.take("b", now_s=0.5) == 0


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 5)), max_size=60))
def test_nobody_gets_more_than_burst_and_rate(steps: list[tuple[str, float]]) -> None:
    buckets = Buckets(per_s=3, burst=4, names_max=100)
    taken = dict.fromkeys("abcdef", 0)
    now_s = 0.0
    for name, pause_s in steps:
        now_s += pause_s
        taken[name] += buckets.take(name, now_s=now_s) == 0
        assert taken[name] <= 4 + 3 * now_s + 1e-6


def test_what_costs_more_is_paid_for_afterwards() -> None:
    buckets = Buckets(per_s=2, burst=4, names_max=10)
    assert buckets.take("a", now_s=0) == 0
    buckets.charge("a", 5, now_s=0)
    assert buckets.take("a", now_s=0) == pytest.approx(1.5)
    assert buckets.take("a", now_s=1.5) == 0
    buckets.charge("a", 1000, now_s=1.5)
    assert buckets.wait_s("a", now_s=1.5) == pytest.approx(2.5), "nobody is shut out for longer than a burst and one"


def test_the_names_remembered_are_bounded() -> None:
    buckets = Buckets(per_s=1, burst=1, names_max=3)
    for number in range(100):
        buckets.take(str(number), now_s=0)
    assert len(buckets) == 3


def used_first(memory: NonceMemory, nonce: str, *, now_s: float, caller: str = "a", key: bytes = KEY) -> bool:
    """Use a nonce; whether that was the first time."""
    if memory.knows(caller, key, nonce, now_s=now_s):
        return False
    memory.add(caller, key, nonce, now_s=now_s)
    return True


def test_a_nonce_counts_once_per_key_for_as_long_as_its_signature_lives() -> None:
    memory = NonceMemory(window_s=60, caller_max=100)
    assert used_first(memory, "a", now_s=1000)
    assert not used_first(memory, "a", now_s=1000)
    assert not used_first(memory, "a", now_s=1119)
    assert used_first(memory, "a", key=b"\x01" * 32, now_s=1119)
    assert not used_first(memory, "a", now_s=1120)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 100)), max_size=80))
def test_no_nonce_is_forgotten_within_two_windows(steps: list[tuple[int, int]]) -> None:
    memory = NonceMemory(window_s=60, caller_max=1000)
    used: dict[int, int] = {}
    now_s = 10_000
    for nonce, pause_s in steps:
        now_s += pause_s
        first = used_first(memory, str(nonce), now_s=now_s)
        if nonce in used and now_s - used[nonce] < 120:
            assert not first
        if first:
            used[nonce] = now_s


def test_a_full_memory_takes_nothing_and_forgets_nothing_and_is_the_callers_own() -> None:
    memory = NonceMemory(window_s=60, caller_max=3)
    for nonce in "abc":
        assert used_first(memory, nonce, now_s=0)
    with pytest.raises(MemoryFull):
        memory.add("a", KEY, "d", now_s=0)
    assert not used_first(memory, "a", now_s=0)
    assert len(memory) == 3
    assert used_first(memory, "d", caller="b", key=b"\x01" * 32, now_s=0)


def test_one_ipv6_subscriber_is_one_address() -> None:
    assert address_of("2001:db8::1") == address_of("2001:db8::ffff:2")
    assert address_of("2001:db8::1") != address_of("2001:db8:0:1::1")
    assert address_of("192.0.2.1") != address_of("192.0.2.2")
    assert address_of("testclient") == "testclient"
