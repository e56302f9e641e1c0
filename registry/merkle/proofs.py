"""Proofs that a key is in the state tree with a value, or that it is not there at all.

A proof holds the siblings on the way from the root to the spot where the key's path ends, and, if another leaf
sits at that spot, that leaf. With the key and the value it shows presence; with the key alone absence: the spot
is empty, or the leaf in it has another path. Nothing else is needed but the root.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from registry.merkle.bucket import leaves_root
from registry.merkle.hashing import EMPTY, HASH_BYTES, PATH_BITS, ProofError, leaf_hash, node_hash, path_of
from registry.merkle.pages import (
    BRANCH_HEAD,
    PAGE_LEVELS,
    PAGE_WIDTH,
    ROOT_PAGE,
    PageError,
    PageSource,
    node_of,
    slots_below,
    split_leaves,
)

__all__ = [
    "Proof",
    "decode_proof",
    "prove",
    "prove_path",
    "verify_absence",
    "verify_absence_path",
    "verify_presence",
    "verify_presence_path",
]

_PATH_BYTES = PATH_BITS // 8


@dataclass(frozen=True, slots=True)
class Proof:
    """The siblings from the root down, at most 256 hashes of 32 bytes (`EMPTY` where there is no leaf), and the
    path and value hash of the other leaf that sits where the key would be, or None.

    `ProofError` when the parts have the wrong type or size, so every `Proof` is well formed.
    """

    siblings: tuple[bytes, ...]
    other: tuple[bytes, bytes] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.siblings, tuple) or len(self.siblings) > PATH_BITS:
            raise ProofError("siblings: not a tuple of at most 256 hashes")
        if not all(_is_hash(sibling) for sibling in self.siblings):
            raise ProofError("siblings: not all are 32 bytes")
        if self.other is None:
            return
        if not isinstance(self.other, tuple) or len(self.other) != 2 or not all(map(_is_hash, self.other)):
            raise ProofError("other: not a path and a value hash")

    def encode(self) -> list[object]:
        """[depth, bitmap of the siblings that are not empty (first sibling: lowest bit of the first byte), those
        siblings, the other leaf as [path, value hash] or []]: one list for each proof."""
        bitmap = sum(1 << i for i, sibling in enumerate(self.siblings) if sibling != EMPTY)
        return [
            len(self.siblings),
            bitmap.to_bytes((len(self.siblings) + 7) // 8, "little"),
            [sibling for sibling in self.siblings if sibling != EMPTY],
            list(self.other or ()),
        ]


def decode_proof(encoded: object) -> Proof:
    """The proof encoded by `Proof.encode`; `ProofError` on anything else, also a second spelling of a proof."""
    if not isinstance(encoded, list | tuple) or len(encoded) != 4:
        raise ProofError("proof: not a list of four")
    depth, bitmap, kept, other = encoded
    if type(depth) is not int or not 0 <= depth <= PATH_BITS:
        raise ProofError("depth: not a number of 0 to 256")
    if not isinstance(bitmap, bytes) or len(bitmap) != (depth + 7) // 8:
        raise ProofError("bitmap: length does not fit the depth")
    bits = int.from_bytes(bitmap, "little")
    if bits >> depth or not isinstance(kept, list | tuple) or len(kept) != bits.bit_count():
        raise ProofError("bitmap: does not fit the siblings")
    if EMPTY in kept or not isinstance(other, list | tuple) or len(other) not in (0, 2):
        raise ProofError("siblings or other: not as encoded")
    siblings = iter(kept)
    return Proof(
        tuple(next(siblings) if bits >> i & 1 else EMPTY for i in range(depth)),
        (other[0], other[1]) if other else None,
    )


def verify_presence(root: bytes, key: bytes, value: bytes, proof: Proof) -> bool:
    """Whether the tree with this root has exactly this value under the raw key. Never raises."""
    if not isinstance(key, bytes) or not isinstance(value, bytes):
        return False
    return verify_presence_path(root, path_of(key), sha256(value).digest(), proof)


def verify_absence(root: bytes, key: bytes, proof: Proof) -> bool:
    """Whether the tree with this root has no value under the raw key. Never raises."""
    return isinstance(key, bytes) and verify_absence_path(root, path_of(key), proof)


def verify_presence_path(root: bytes, path: bytes, value_hash: bytes, proof: Proof) -> bool:
    """As `verify_presence`, from the path and the value's hash."""
    if not (_is_hash(root) and _is_hash(path) and _is_hash(value_hash) and isinstance(proof, Proof)):
        return False
    return proof.other is None and _fold(path, leaf_hash(path, value_hash), proof.siblings) == root


def verify_absence_path(root: bytes, path: bytes, proof: Proof) -> bool:
    """As `verify_absence`, from the path."""
    if not (_is_hash(root) and _is_hash(path) and isinstance(proof, Proof)):
        return False
    if proof.other is None:
        return _fold(path, EMPTY, proof.siblings) == root
    other, value_hash = proof.other
    differing = int.from_bytes(path, "big") ^ int.from_bytes(other, "big")
    shared = PATH_BITS - differing.bit_length()
    if other == path or shared < len(proof.siblings):
        return False
    return _fold(path, leaf_hash(other, value_hash), proof.siblings) == root


def prove(source: PageSource, key: bytes) -> Proof:
    """The proof of presence or absence of a raw key, whichever is true of the tree; `PageError` on damage."""
    return prove_path(source, path_of(key))


def prove_path(source: PageSource, path: bytes) -> Proof:
    """As `prove`, from the 32-byte path."""
    assert len(path) == _PATH_BYTES
    page_id, level = ROOT_PAGE, 0
    siblings: list[bytes] = []
    while (page := source.page(page_id)) and not page[0]:
        _, occupied, lone = BRANCH_HEAD.unpack_from(page)
        node = 1
        for depth in range(level, level + PAGE_LEVELS):
            node = node << 1 | _bit(path, depth)
            siblings.append(node_of(page, node ^ 1))
            below = occupied & slots_below(node)
            if not below:
                return Proof(tuple(siblings))
            if below & below - 1 == 0 and below & lone:
                bucket = source.page(page_id << PAGE_LEVELS | below.bit_length() - 1)
                if not bucket or not bucket[0]:
                    raise PageError("page: a bucket is missing below a branch")
                return Proof(tuple(siblings), _unless_same(bucket[1:], path))
        page_id = page_id << PAGE_LEVELS | node & PAGE_WIDTH - 1
        level += PAGE_LEVELS
    if page is None:
        if page_id != ROOT_PAGE:
            raise PageError("page: one is missing below a branch")
        return Proof(())
    return _prove_in_bucket(split_leaves(page), level, path, siblings)


def _prove_in_bucket(leaves: list[bytes], level: int, path: bytes, siblings: list[bytes]) -> Proof:
    while len(leaves) > 1:
        sides: tuple[list[bytes], list[bytes]] = ([], [])
        for leaf in leaves:
            sides[_bit(leaf, level)].append(leaf)
        side = _bit(path, level)
        level += 1
        siblings.append(leaves_root(level, sides[1 - side]))
        leaves = sides[side]
    return Proof(tuple(siblings), _unless_same(leaves[0], path) if leaves else None)


def _bit(path: bytes, level: int) -> int:
    return path[level >> 3] >> (7 - (level & 7)) & 1


def _unless_same(leaf: bytes, path: bytes) -> tuple[bytes, bytes] | None:
    """Path and value hash of the leaf that sits where the path would be."""
    if leaf[:HASH_BYTES] == path:
        return None
    return leaf[:HASH_BYTES], leaf[HASH_BYTES : 2 * HASH_BYTES]


def _fold(path: bytes, node: bytes, siblings: tuple[bytes, ...]) -> bytes:
    """The root above `node`, which lies at depth len(siblings) on the path."""
    bits = int.from_bytes(path, "big") >> PATH_BITS - len(siblings)
    for sibling in reversed(siblings):
        node = node_hash(sibling, node) if bits & 1 else node_hash(node, sibling)
        bits >>= 1
    return node


def _is_hash(value: object) -> bool:
    return isinstance(value, bytes) and len(value) == HASH_BYTES
