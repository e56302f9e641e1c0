"""Presence and absence proofs: true ones verify, every touched one fails, nothing hostile raises."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.merkle.hashing import ProofError, leaf_hash, path_of
from registry.merkle.pages import PageCache
from registry.merkle.proofs import (
    Proof,
    decode_proof,
    prove,
    prove_path,
    verify_absence,
    verify_absence_path,
    verify_presence,
    verify_presence_path,
)
from registry.merkle.tree import rebuild, update_paths
from tests.registry.merkle.reference import MemoryPages
from tests.registry.merkle.test_tree import paths, value_hashes

trees = st.dictionaries(paths, value_hashes, max_size=50)


def tree_of(entries: dict[bytes, bytes]) -> tuple[bytes, PageCache]:
    pages = MemoryPages()
    outcome = update_paths(PageCache(pages.read), entries)
    pages.write(outcome.records())
    return outcome.root, PageCache(pages.read)


@settings(max_examples=80, deadline=None)
@given(trees, paths)
def test_each_path_is_proved_one_way_and_not_the_other(entries, stranger):
    root, source = tree_of(entries)
    value = sha256(b"any").digest()
    for path in [*entries, stranger]:
        proof = decode_proof(prove_path(source, path).encode())
        assert proof == prove_path(source, path)
        present = path in entries
        assert verify_presence_path(root, path, entries.get(path, value), proof) is present
        assert verify_absence_path(root, path, proof) is not present
        assert not verify_presence_path(root, path, value, proof)


@settings(max_examples=80, deadline=None)
@given(trees, paths, st.integers(0), st.data())
def test_any_flipped_bit_fails(entries, stranger, where, data):
    root, source = tree_of(entries)
    path = data.draw(st.sampled_from([*entries, stranger]))
    proof = prove_path(source, path)
    value = entries.get(path)
    parts = [root, path, *proof.siblings, *(proof.other or ()), *([value] if value else [])]
    chosen = where % len(parts)
    flipped = int.from_bytes(parts[chosen], "big") ^ 1 << data.draw(st.integers(0, 255))
    parts[chosen] = flipped.to_bytes(32, "big")
    root, path, *rest = parts
    depth = len(proof.siblings)
    other = (rest[depth], rest[depth + 1]) if proof.other else None
    forged = Proof(tuple(rest[:depth]), other)
    if value is not None:
        assert not verify_presence_path(root, path, rest[-1], forged)
    elif (
        chosen != 1 or path in entries
    ):  # an absence proof holds for every path through its spot, but never for a present one
        assert not verify_absence_path(root, path, forged)


@settings(max_examples=50, deadline=None)
@given(trees.filter(bool), st.integers(0, 255), st.data())
def test_neighbours_of_a_present_path_are_absent(entries, bit, data):
    root, source = tree_of(entries)
    path = data.draw(st.sampled_from(sorted(entries)))
    neighbour = (int.from_bytes(path, "big") ^ 1 << bit).to_bytes(32, "big")
    proof = prove_path(source, neighbour)
    assert verify_absence_path(root, neighbour, proof) is (neighbour not in entries)
    assert not verify_absence_path(root, path, proof)


def test_raw_keys():
    entries = {b"key%d" % i: b"value%d" % i for i in range(500)}
    pages = MemoryPages()
    outcome = rebuild(entries.items())
    pages.write(outcome.records())
    source = PageCache(pages.read)
    for key, value in entries.items():
        proof = prove(source, key)
        assert verify_presence(outcome.root, key, value, proof)
        assert not verify_presence(outcome.root, key, value + b".", proof)
        assert not verify_absence(outcome.root, key, proof)
    for i in range(500):
        proof = prove(source, b"other%d" % i)
        assert verify_absence(outcome.root, b"other%d" % i, proof)
        assert not verify_presence(outcome.root, b"other%d" % i, b"", proof)


def test_the_other_leaf_must_lie_on_the_path():
    """A leaf of another corner of the tree says nothing about this spot."""
    here, there = bytes(32), b"\x80" + bytes(31)
    value = sha256(b"v").digest()
    root, source = tree_of({here: value, there: value})
    honest = prove_path(source, b"\x01" + bytes(31))
    assert verify_absence_path(root, b"\x01" + bytes(31), honest)
    assert not verify_absence_path(root, b"\x81" + bytes(31), honest)
    assert not verify_absence_path(root, here, Proof(honest.siblings, (there, value)))


garbage = st.recursive(
    st.one_of(st.none(), st.integers(), st.binary(max_size=40), st.text(max_size=3), st.just(bytes(32))),
    lambda inner: st.lists(inner, max_size=5),
)


@given(garbage, garbage, garbage, garbage)
def test_hostile_input_is_false_or_a_proof_error(root, key, value, encoded):
    try:
        proof = decode_proof(encoded)
    except ProofError:
        proof = encoded
    assert verify_presence(root, key, value, proof) is False
    assert verify_presence_path(root, key, value, proof) is False
    if root != key:
        assert verify_absence(root, key, proof) in (False, root == bytes(32))


@given(st.integers(0, 5), st.binary(max_size=2), st.lists(st.just(b"s" * 32), max_size=5), st.integers(0, 2))
def test_one_encoding_for_each_proof(depth, bitmap, siblings, others):
    encoded = [depth, bitmap, siblings, [b"o" * 32] * others]
    try:
        proof = decode_proof(encoded)
    except ProofError:
        return
    assert proof.encode() == encoded


@pytest.mark.parametrize(
    "encoded",
    [
        [257, bytes(33), [], []],
        [True, b"\x01", [b"s" * 32], []],
        [1, b"\x02", [b"s" * 32], []],
        [1, b"\x01", [bytes(32)], []],
        [1, b"\x01", [b"s" * 31], []],
        [1, b"\x00", [b"s" * 32], []],
        [1, b"\x01", [b"s" * 32], [b"o" * 32]],
        [1, b"\x01", [b"s" * 32], [b"o" * 32, "text"]],
        [0, b"", [], [], []],
    ],
)
def test_malformed_encodings(encoded):
    with pytest.raises(ProofError):
        decode_proof(encoded)


def test_a_node_is_not_taken_for_a_leaf():
    value = sha256(b"v").digest()
    root, _ = tree_of({bytes(32): value, b"\xff" * 32: value})
    left, right = leaf_hash(bytes(32), value), leaf_hash(b"\xff" * 32, value)
    assert not verify_presence_path(root, left, right, Proof(()))
    assert not verify_presence(root, b"", b"", Proof((path_of(b""),)))
