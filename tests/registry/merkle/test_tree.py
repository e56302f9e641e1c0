"""The state tree against its definition: whatever the batches, the pages and the root are those of the set."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from registry.merkle.hashing import EMPTY, leaf_hash, path_of
from registry.merkle.pages import (
    BUCKET_LEAVES_MAX,
    PageCache,
    PageError,
    PageOverlay,
    decode_page,
    encode_page,
    join_leaves,
)
from registry.merkle.tree import rebuild, root, root_of, update, update_paths
from tests.registry.merkle.reference import MemoryPages, reference_root


def near(prefix_bits: int, tail: int) -> bytes:
    """A path that shares its first bits with its like, then goes its own way in the following byte."""
    return ((tail << (248 - prefix_bits)) if prefix_bits <= 248 else tail).to_bytes(32, "big")


# Uniform paths, and crowds that share 0 to 248 bits: chains of pages, buckets that split late, lifted leaves.
paths = st.one_of(
    st.integers(0, 40).map(lambda i: sha256(bytes([i])).digest()),
    st.builds(near, st.sampled_from([0, 1, 2, 3, 5, 9, 64, 65, 190, 248]), st.integers(0, 15)),
)
value_hashes = st.integers(1, 3).map(lambda i: sha256(b"value%d" % i).digest())
batches = st.dictionaries(paths, st.one_of(value_hashes, value_hashes, st.none()), max_size=40)


def applied(entries: dict[bytes, bytes], batch: dict[bytes, bytes | None]) -> dict[bytes, bytes]:
    merged = {**entries, **batch}
    return {path: value for path, value in merged.items() if value is not None}


class TreeMachine(RuleBasedStateMachine):
    """Commits, speculative updates that are dropped, and a small cache, against a plain dict."""

    def __init__(self) -> None:
        super().__init__()
        self.pages = MemoryPages()
        self.cache = PageCache(self.pages.read, branches_max=3, buckets_max=3)
        self.entries: dict[bytes, bytes] = {}

    @rule(batch=batches)
    def commit(self, batch):
        outcome = update_paths(self.cache, batch)
        self.pages.write(outcome.records())
        self.cache.commit(outcome.pages)
        self.entries = applied(self.entries, batch)
        assert outcome.root == reference_root(self.entries)

    @rule(first=batches, second=batches)
    def speculate(self, first, second):
        one = update_paths(self.cache, first)
        two = update_paths(PageOverlay(self.cache, one.pages), second)
        assert two.root == reference_root(applied(applied(self.entries, first), second))
        top = PageOverlay(PageOverlay(self.cache, one.pages), two.pages)
        assert root(top) == two.root

    @rule(first=batches, second=batches)
    def commit_two_in_turn(self, first, second):
        one = update_paths(self.cache, first)
        two = update_paths(PageOverlay(self.cache, one.pages), second)
        for outcome in (one, two):
            self.pages.write(outcome.records())
            self.cache.commit(outcome.pages)
        self.entries = applied(applied(self.entries, first), second)

    @invariant()
    def stored_pages_are_a_function_of_the_set(self):
        fresh = MemoryPages()
        fresh.write(update_paths(PageCache(fresh.read), self.entries).records())
        assert self.pages.stored == fresh.stored
        assert root(self.cache) == reference_root(self.entries)


TestTreeMachine = TreeMachine.TestCase
TestTreeMachine.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.binary(max_size=4), st.binary(max_size=4), max_size=60), st.randoms())
def test_root_depends_on_the_set_only(entries, random):
    expected = reference_root({path_of(k): sha256(v).digest() for k, v in entries.items()})
    assert rebuild(entries.items()).root == root_of(entries.items()) == expected
    pages = MemoryPages()
    keys = list(entries)
    random.shuffle(keys)
    for start in range(0, len(keys), 7):
        some = {key: entries[key] for key in keys[start : start + 7]}
        outcome = update(PageCache(pages.read), {**some, b"not there": None})
        pages.write(outcome.records())
    assert root(PageCache(pages.read)) == expected
    emptied = update(PageCache(pages.read), dict.fromkeys(keys))
    pages.write(emptied.records())
    assert emptied.root == EMPTY
    assert pages.stored == {}


def test_empty_lone_and_lifted():
    pages = MemoryPages()
    cache = PageCache(pages.read)
    assert root(cache) == EMPTY
    assert update(cache, {}).root == EMPTY
    assert update(cache, {b"k": None}).pages == {}
    lone = update(cache, {b"k": b"v"})
    assert lone.root == leaf_hash(path_of(b"k"), sha256(b"v").digest())
    # Two leaves that part only at the last bit, then one of them goes: the other is lifted over 255 levels.
    left, right = bytes(32), bytes(31) + b"\x01"
    value = sha256(b"v").digest()
    both = update_paths(cache, {left: value, right: value})
    pages.write(both.records())
    assert update_paths(cache, {left: None}).root == leaf_hash(right, value)


def test_crowd_behind_a_long_prefix():
    crowd = {near(200, tail): sha256(b"%d" % tail).digest() for tail in range(4 * BUCKET_LEAVES_MAX)}
    pages = MemoryPages()
    outcome = update_paths(PageCache(pages.read), crowd)
    pages.write(outcome.records())
    assert outcome.root == reference_root(crowd)
    gone = update_paths(PageCache(pages.read), dict.fromkeys(list(crowd)[1:]))
    pages.write(gone.records())
    assert gone.root == reference_root(dict(list(crowd.items())[:1]))
    assert len(pages.stored) == 1


def test_large_batch_then_small_ones():
    entries = {b"key%d" % i: b"value%d" % i for i in range(3000)}
    pages = MemoryPages()
    cache = PageCache(pages.read)
    for step in range(0, 3000, 500):
        some = dict(list(entries.items())[step : step + 500])
        outcome = update(cache, some)
        pages.write(outcome.records())
        cache.commit(outcome.pages)
    changes = {b"key%d" % i: (None if i % 3 else b"new%d" % i) for i in range(0, 3000, 7)}
    outcome = update(cache, changes)
    entries = {k: v for k, v in {**entries, **changes}.items() if v is not None}
    assert outcome.root == reference_root({path_of(k): sha256(v).digest() for k, v in entries.items()})
    pages.write(outcome.records())
    cache.commit(outcome.pages)
    # The cost of one key is a path of pages, not the tree.
    assert len(update(cache, {b"one more": b"x"}).pages) <= 6


@given(st.dictionaries(paths, value_hashes, min_size=1, max_size=BUCKET_LEAVES_MAX))
def test_a_bucket_is_stored_without_what_its_leaves_tell(entries):
    leaves = [path + value + leaf_hash(path, value) for path, value in sorted(entries.items())]
    stored = encode_page(join_leaves(leaves))
    assert stored == b"\x01" + b"".join(path + value for path, value in sorted(entries.items()))
    assert decode_page(stored) == join_leaves(leaves)


@pytest.mark.parametrize("leaves", [0, BUCKET_LEAVES_MAX + 1])
def test_a_bucket_of_too_many_or_no_leaves_is_damaged(leaves):
    with pytest.raises(PageError):
        decode_page(b"\x01" + bytes(64 * leaves))


@given(st.one_of(st.binary(max_size=300), st.binary(min_size=128, max_size=128).map(b"\x01".__add__)))
def test_damaged_pages_are_refused(stored):
    try:
        page = decode_page(stored)
    except PageError:
        return
    assert encode_page(page) == stored


def test_a_missing_page_is_noticed():
    pages = MemoryPages()
    outcome = rebuild((b"%d" % i, b"") for i in range(200))
    pages.write(outcome.records())
    pages.stored = {key: page for key, page in pages.stored.items() if key == b"\x01"}
    with pytest.raises(PageError):
        update(PageCache(pages.read), {b"%d" % i: b"new" for i in range(200)})
