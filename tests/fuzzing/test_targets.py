"""Every decoder under Hypothesis: it gives the value whose encoding the input is, or its documented error."""

from __future__ import annotations

import time
from random import Random

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.fuzzing.mutations import mutated
from tests.fuzzing.samples import chain_id
from tests.fuzzing.targets import TARGETS, Target, check

INPUT_WITHIN_S = 2.0  # any one small input, on a busy machine

HARD = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
EACH = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)


def checked(target: Target, data: bytes) -> bool:
    """The property, and that it takes no time to speak of."""
    began = time.process_time()
    accepted = check(target, data)
    assert time.process_time() - began < INPUT_WITHIN_S, f"{len(data)} bytes took {time.process_time() - began:.1f} s"
    return accepted


@EACH
def test_honest_inputs_decode(target: Target) -> None:
    seeds = list(target.seeds())
    accepted = [checked(target, seed) for seed in seeds]
    if target.name == "answer":
        assert accepted == [False], "it is not final under the authorities of the world's genesis"
    elif target.name == "codec":
        assert accepted.count(True) > 20, "and the golden refusals are refused"
        assert accepted.count(False) > 20
    else:
        assert accepted == [True] * len(seeds)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("hello", b"\x93\xa5hello\xc3\xc4\x20" + chain_id()),  # true for the version 1: equal, and not the same
        ("control", b"\x92\xa4ping\xc3"),
    ],
)
def test_what_broke_something_once_is_refused(name: str, data: bytes) -> None:
    assert not checked(TARGETS[name], data)


@EACH
@settings(HARD, max_examples=30)
@given(data=st.binary(max_size=400))
@example(data=b"")
@example(data=b"\xc1")
@example(data=b"[" * 100_000)
@example(data=b"\x91" * 100_000)
@example(data=b'{"a":' * 50_000)
@example(data=b"9" * 100_000)
@example(data=b"\xff\xfe<\x00")
def test_any_bytes(target: Target, data: bytes) -> None:
    checked(target, data)


@EACH
@settings(HARD, max_examples=60)
@given(seed=st.integers(0, 2**16), random=st.randoms(use_true_random=False))
def test_honest_inputs_with_changes(target: Target, seed: int, random: Random) -> None:
    seeds = list(target.seeds())
    checked(target, mutated(target.form, seeds[seed % len(seeds)], random))
