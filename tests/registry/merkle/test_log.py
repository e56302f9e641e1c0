"""The log against RFC 9162, section 2.1, written down as its recursions say."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.merkle import log
from registry.merkle.hashing import ProofError

ENTRIES = [b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", b"@ABC", b"PQRSTUVW", b"`abcdefghijklmno"]
# Roots of the first 1..8 of these entries, as pinned by the test data of Certificate Transparency.
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def split(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def mth(entries):
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = split(len(entries))
    return sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def path(m, entries):
    if len(entries) == 1:
        return []
    k = split(len(entries))
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def subproof(m, entries, whole):
    if m == len(entries):
        return [] if whole else [mth(entries)]
    k = split(len(entries))
    if m <= k:
        return [*subproof(m, entries[:k], whole), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], False), mth(entries[:k])]


def entries_of(size):
    return [b"entry %d" % i for i in range(size)]


def test_pinned_roots():
    assert log.root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert [log.root(ENTRIES[: i + 1]).hex() for i in range(8)] == ROOTS


@pytest.mark.parametrize("size", [*range(1, 20), 31, 32, 33])
def test_proofs_are_those_of_the_rfc_and_verify(size):
    entries = entries_of(size)
    root = log.root(entries)
    assert root == mth(entries)
    for index in range(size):
        proof = log.prove_inclusion(entries, index)
        assert list(proof) == path(index, entries)
        leaf = log.entry_hash(entries[index])
        assert log.verify_inclusion(root=root, leaf_hash=leaf, index=index, size=size, proof=proof)
        for wrong in {0, index - 1, index + 1, size} - {index}:
            assert not log.verify_inclusion(root=root, leaf_hash=leaf, index=wrong, size=size, proof=proof)
        assert not log.verify_inclusion(root=root, leaf_hash=leaf, index=index, size=size, proof=[*proof, bytes(32)])
        assert not proof or not log.verify_inclusion(
            root=root, leaf_hash=leaf, index=index, size=size, proof=proof[:-1]
        )
    for earlier in range(1, size + 1):
        proof = log.prove_consistency(entries, earlier)
        assert list(proof) == subproof(earlier, entries, True)
        known = mth(entries[:earlier])
        given_ = {"earlier_size": earlier, "root": root, "size": size}
        assert log.verify_consistency(earlier_root=known, proof=proof, **given_)
        assert not log.verify_consistency(earlier_root=bytes(32), proof=proof, **given_)
        assert not log.verify_consistency(earlier_root=known, proof=[*proof, bytes(32)], **given_)


@given(st.integers(1, 70))
def test_a_log_that_keeps_only_perfect_nodes_grows_and_proves(size):
    stored: dict[tuple[int, int], bytes] = {}
    grown = log.CompactRange()
    roots = []
    for entry in entries_of(size):
        leaf = log.entry_hash(entry)
        for level, index, node in log.completed_nodes(grown, leaf):
            assert (level, index) not in stored  # written once, never changed
            stored[level, index] = node
        grown = log.CompactRange.decode(grown.append(leaf).encode())
        roots.append(grown.root())
        assert len(stored) < 2 * grown.size
    assert roots[-1] == log.root(entries_of(size))
    for earlier in (1, size // 2 + 1, size):
        reads: list[tuple[int, int]] = []

        def node(level, index, reads=reads):
            reads.append((level, index))
            return stored[level, index]

        proof = log.inclusion_proof(node, index=earlier - 1, size=size)
        assert len(reads) <= 2 * size.bit_length()
        leaf = stored[0, earlier - 1]
        assert log.verify_inclusion(root=roots[-1], leaf_hash=leaf, index=earlier - 1, size=size, proof=proof)
        proof = log.consistency_proof(node, earlier_size=earlier, size=size)
        assert log.verify_consistency(
            earlier_root=roots[earlier - 1], earlier_size=earlier, root=roots[-1], size=size, proof=proof
        )


@given(st.integers(1, 40), st.data())
def test_any_flipped_bit_fails(size, data):
    entries = entries_of(size)
    index = data.draw(st.integers(0, size - 1))
    parts = [log.root(entries), log.entry_hash(entries[index]), *log.prove_inclusion(entries, index)]
    chosen = data.draw(st.integers(0, len(parts) - 1))
    flipped = int.from_bytes(parts[chosen], "big") ^ 1 << data.draw(st.integers(0, 255))
    parts[chosen] = flipped.to_bytes(32, "big")
    assert not log.verify_inclusion(root=parts[0], leaf_hash=parts[1], index=index, size=size, proof=parts[2:])


garbage = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=2), st.binary(max_size=33), st.just(bytes(32)),
    st.lists(st.one_of(st.just(bytes(32)), st.binary(max_size=3), st.integers()), max_size=4),
)  # fmt: skip


@settings(max_examples=200)
@given(garbage, garbage, garbage, garbage, garbage)
def test_hostile_input_is_false(root, leaf, index, size, proof):
    if root != leaf:
        assert not log.verify_inclusion(root=root, leaf_hash=leaf, index=index, size=size, proof=proof)
        assert not log.verify_consistency(earlier_root=root, earlier_size=index, root=leaf, size=size, proof=proof)
    encoded = [root, leaf] if isinstance(proof, bytes) else proof
    try:
        decoded = log.CompactRange.decode(encoded)
    except ProofError:
        return
    assert decoded.encode() == encoded


def test_outside_the_log():
    with pytest.raises(ValueError, match="index"):
        log.prove_inclusion([b"a"], 1)
    with pytest.raises(ValueError, match="earlier_size"):
        log.prove_consistency([b"a"], 0)
