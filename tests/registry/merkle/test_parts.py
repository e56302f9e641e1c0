"""A state that travels in parts: the cut makes the root, and each part is checked by itself."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.merkle import tree
from registry.merkle.hashing import EMPTY, ProofError, leaf_hash, path_of
from registry.merkle.pages import PageCache
from registry.merkle.parts import CUT_BITS, Entry, check_part, cut, cut_root, part_bounds


def state_of(count: int) -> dict[bytes, bytes]:
    return {b"key/%d" % number: b"value %d" % number for number in range(count)}


def source_of(state: dict[bytes, bytes]) -> PageCache:
    stored = dict(tree.rebuild(state.items()).records())
    return PageCache(stored.get)


def entries_of(state: dict[bytes, bytes], bits: int, number: int) -> list[Entry]:
    lowest, above = part_bounds(bits, number)
    within = ((key, value) for key, value in state.items() if lowest <= path_of(key) < (above or b"\xff" * 33))
    return sorted(within, key=lambda entry: path_of(entry[0]))


@settings(max_examples=40, deadline=None)
@given(count=st.integers(0, 300), bits=st.sampled_from([0, 4, 8]))
def test_a_cut_makes_the_root_and_every_part_is_the_states(count: int, bits: int) -> None:
    state = state_of(count)
    parts = cut(source_of(state), bits)
    assert cut_root(bits, parts) == tree.root_of(state.items())
    total = 0
    for number, part in enumerate(parts):
        entries = entries_of(state, bits, number)
        check_part(bits, number, part, entries)
        total += len(entries)
    assert total == count


def test_a_small_tree_can_be_cut_anywhere() -> None:
    state = state_of(3)
    for bits in CUT_BITS:
        assert cut_root(bits, cut(source_of(state), bits)) == tree.root_of(state.items())
    assert cut_root(0, cut(source_of({}), 0)) == EMPTY


def test_parts_put_together_are_the_tree_again_page_by_page() -> None:
    state = state_of(500)
    stored: dict[bytes, bytes | None] = {}
    pages = PageCache(lambda key: stored.get(key))
    for number in range(16):
        update = tree.update(pages, dict(entries_of(state, 4, number)))
        stored.update(update.records())
        pages.commit(update.pages)
    assert {key: page for key, page in stored.items() if page} == dict(tree.rebuild(state.items()).records())


BITS, NUMBER = 4, 3
LIES: dict[str, Callable[[list[Entry]], list[Entry]]] = {
    "one left out": lambda entries: entries[1:],
    "nothing": lambda entries: [],
    "one more": lambda entries: sorted([*entries, _another()], key=lambda entry: path_of(entry[0])),
    "a changed value": lambda entries: [(entries[0][0], b"mine"), *entries[1:]],
    "another order": lambda entries: entries[::-1],
    "one twice": lambda entries: [entries[0], *entries],
    "those of the next part": lambda entries: entries_of(state_of(200), BITS, NUMBER + 1),
}


def _another() -> Entry:
    numbers = range(1_000, 2_000)
    return next((b"key/%d" % n, b"x") for n in numbers if path_of(b"key/%d" % n)[0] >> 4 == NUMBER)


@pytest.mark.parametrize("lie", LIES)
def test_a_part_that_is_not_exactly_the_states_is_refused(lie: str) -> None:
    state = state_of(200)
    parts = cut(source_of(state), BITS)
    entries = entries_of(state, BITS, NUMBER)
    check_part(BITS, NUMBER, parts[NUMBER], entries)
    with pytest.raises(ProofError):
        check_part(BITS, NUMBER, parts[NUMBER], LIES[lie](entries))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 40])
def test_any_other_cut_has_another_root_or_none(count: int) -> None:
    state = state_of(count)
    right = cut(source_of(state), 4)
    root = tree.root_of(state.items())
    others = [b"", sha256(b"x").digest(), root, root + root, *(part[:32] for part in right if len(part) == 64)]
    for number, part in enumerate(right):
        for other in others:
            if other == part:
                continue
            wrong = (*right[:number], other, *right[number + 1 :])
            try:
                assert cut_root(4, wrong) != root
            except ProofError:
                continue


def test_a_lone_leaf_that_is_given_by_its_hash_alone_does_not_block_its_honest_part() -> None:
    state = state_of(12)
    parts = cut(source_of(state), 4)
    number = next(n for n, part in enumerate(parts) if len(part) == 64 and parts[n ^ 1])
    part = parts[number]
    by_hash = (*parts[:number], leaf_hash(part[:32], part[32:]), *parts[number + 1 :])
    assert cut_root(4, by_hash) == tree.root_of(state.items()), "beside a neighbour both spellings make the root"
    check_part(4, number, by_hash[number], entries_of(state, 4, number))


def test_an_inner_node_does_not_pass_for_a_lone_leaf() -> None:
    """Two leaves at level 4 under one node: a cut that hides them behind one hash must not have the same root."""
    state = state_of(2)
    root = tree.root_of(state.items())
    for number in range(16):
        parts = [b""] * 16
        parts[number] = root
        assert cut_root(4, parts) != root


def test_a_cut_of_the_wrong_size_is_refused() -> None:
    for bits, parts in ((4, [b""] * 15), (3, [b""] * 8), (0, [b"x"]), (0, [])):
        with pytest.raises(ProofError):
            cut_root(bits, parts)
