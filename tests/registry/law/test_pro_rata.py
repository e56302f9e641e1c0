"""Sharing out to the last minor unit: exact, proportional, and the same whoever computes it."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from registry.law.pro_rata import pro_rata

wholes = st.integers(0, 10**18 - 1)
weights = st.lists(st.integers(0, 10**18 - 1), min_size=1, max_size=64)


def test_odd_cents() -> None:
    assert pro_rata(100_000_000, [80_000_000, 60_000_000, 43_333_333]) == (43_636_364, 32_727_273, 23_636_363)


def test_of_equal_remainders_the_earlier_wins() -> None:
    assert pro_rata(100, [1, 1, 1]) == (34, 33, 33)
    assert pro_rata(2, [1, 1, 1]) == (1, 1, 0)


def test_nothing_to_share_and_nothing_to_share_by() -> None:
    assert pro_rata(0, [3, 4]) == (0, 0)
    assert pro_rata(10, [0, 5]) == (0, 10)
    assert pro_rata(10, [0, 0]) is None


@given(wholes, weights)
def test_sums_exactly_and_strays_less_than_one_unit(whole: int, given_weights: list[int]) -> None:
    parts = pro_rata(whole, given_weights)
    if parts is None:
        assert sum(given_weights) == 0
        return
    assert sum(parts) == whole
    for part, weight in zip(parts, given_weights, strict=True):
        assert abs(part - Fraction(whole * weight, sum(given_weights))) < 1


@given(wholes, weights)
def test_more_financing_never_gets_less(whole: int, given_weights: list[int]) -> None:
    parts = pro_rata(whole, sorted(given_weights, reverse=True))
    assert parts is None or list(parts) == sorted(parts, reverse=True)
