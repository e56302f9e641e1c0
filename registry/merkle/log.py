"""The append-only Merkle log of RFC 9162, section 2.1: roots, proofs, and the compact range that grows it.

A leaf hashes to SHA-256(0x00 || entry), a node to SHA-256(0x01 || left || right), and an empty log to SHA-256 of
nothing. The left subtree of n leaves holds the largest power of two below n. Proofs read *perfect* subtrees
only, so a log is stored as those: an append writes the few nodes it completes (`completed_nodes`), and a proof
reads O(log n) of them, whatever the size at which it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from registry.merkle.hashing import HASH_BYTES, ProofError, node_hash

__all__ = [
    "EMPTY_LOG_ROOT",
    "LOG_LEVELS_MAX",
    "CompactRange",
    "NodeReader",
    "completed_nodes",
    "consistency_proof",
    "entry_hash",
    "inclusion_proof",
    "nodes_of",
    "prove_consistency",
    "prove_inclusion",
    "root",
    "verify_consistency",
    "verify_inclusion",
]

LOG_LEVELS_MAX = 48  # a log of at most 2**48 entries: bounds every proof and range
EMPTY_LOG_ROOT = sha256(b"").digest()

# Where the perfect subtree of 2**level leaves that starts at leaf index << level is kept: (level, index) -> hash.
NodeReader = Callable[[int, int], bytes]


def entry_hash(entry: bytes) -> bytes:
    """The leaf hash of a log entry, 32 bytes."""
    return sha256(b"\x00" + entry).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over these entries (not hashes), 32 bytes."""
    row = [sha256(b"\x00" + entry).digest() for entry in leaves]
    if not row:
        return EMPTY_LOG_ROOT
    while len(row) > 1:
        pairs = [sha256(b"\x01" + row[i] + row[i + 1]).digest() for i in range(0, len(row) - 1, 2)]
        row = pairs + row[len(row) & ~1 :]  # an odd last node moves up as it is
    return row[0]


@dataclass(frozen=True, slots=True)
class CompactRange:
    """A log reduced to what its growth needs: its size and the roots of its perfect subtrees, largest first.

    `ProofError` when the parts do not fit each other, so every range is well formed.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if type(self.size) is not int or not 0 <= self.size < 1 << LOG_LEVELS_MAX:
            raise ProofError("size: not a number of entries")
        if len(self.peaks) != self.size.bit_count() or not all(map(_is_hash, self.peaks)):
            raise ProofError("peaks: not one hash for each bit of the size")

    def append(self, leaf_hash: bytes) -> CompactRange:
        """The range with one more entry, given by its `entry_hash`."""
        peaks = list(self.peaks)
        node = leaf_hash
        size = self.size
        while size & 1:
            node = node_hash(peaks.pop(), node)
            size >>= 1
        return CompactRange(self.size + 1, (*peaks, node))

    def root(self) -> bytes:
        """The root of the log so far."""
        if not self.peaks:
            return EMPTY_LOG_ROOT
        node = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            node = node_hash(peak, node)
        return node

    def encode(self) -> list[bytes]:
        """[size in 8 bytes big-endian, peaks...]"""
        return [self.size.to_bytes(8, "big"), *self.peaks]

    @classmethod
    def decode(cls, encoded: object) -> CompactRange:
        """The range encoded by `encode`; `ProofError` on anything else."""
        if not isinstance(encoded, list | tuple) or not 1 <= len(encoded) <= LOG_LEVELS_MAX + 1:
            raise ProofError("range: not a list of a size and its peaks")
        if not isinstance(encoded[0], bytes) or len(encoded[0]) != 8:
            raise ProofError("size: not 8 bytes")
        return cls(int.from_bytes(encoded[0], "big"), tuple(encoded[1:]))


def completed_nodes(before: CompactRange, leaf_hash: bytes) -> list[tuple[int, int, bytes]]:
    """The perfect subtrees that appending this leaf completes, as (level, index, hash): what to store."""
    node, index, level = leaf_hash, before.size, 0
    nodes = [(level, index, node)]
    peaks = list(before.peaks)
    while index & 1:
        node = node_hash(peaks.pop(), node)
        index >>= 1
        level += 1
        nodes.append((level, index, node))
    return nodes


def nodes_of(leaf_hashes: Sequence[bytes]) -> NodeReader:
    """A reader of the nodes over leaf hashes held in memory, for small logs such as a block's."""
    rows = [list(leaf_hashes)]
    while len(rows[-1]) > 1:
        row = rows[-1]
        rows.append([node_hash(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)])
    return lambda level, index: rows[level][index]


def prove_inclusion(leaves: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """The inclusion proof of entry `index` (from 0) among these entries."""
    return inclusion_proof(nodes_of([entry_hash(entry) for entry in leaves]), index=index, size=len(leaves))


def prove_consistency(leaves: Sequence[bytes], earlier_size: int) -> tuple[bytes, ...]:
    """The proof that the log of the first `earlier_size` of these entries is a prefix of the whole."""
    nodes = nodes_of([entry_hash(entry) for entry in leaves])
    return consistency_proof(nodes, earlier_size=earlier_size, size=len(leaves))


def inclusion_proof(node: NodeReader, *, index: int, size: int) -> tuple[bytes, ...]:
    """The inclusion path of RFC 9162, 2.1.3.1, leaf to root, in the log of `size` entries; ValueError outside."""
    if not 0 <= index < size < 1 << LOG_LEVELS_MAX:
        raise ValueError("index: not an entry of the log")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(_range_root(node, middle, end))
            end = middle
        else:
            proof.append(_range_root(node, start, middle))
            start = middle
    return tuple(reversed(proof))


def consistency_proof(node: NodeReader, *, earlier_size: int, size: int) -> tuple[bytes, ...]:
    """The consistency path of RFC 9162, 2.1.4.1, between two sizes of one log; ValueError outside 1..size."""
    if not 0 < earlier_size <= size < 1 << LOG_LEVELS_MAX:
        raise ValueError("earlier_size: not a size the log has had")
    proof: list[bytes] = []
    start, end = 0, size
    while earlier_size != end:
        middle = start + _split(end - start)
        if earlier_size <= middle:
            proof.append(_range_root(node, middle, end))
            end = middle
        else:
            proof.append(_range_root(node, start, middle))
            start = middle
    if start > 0:
        proof.append(_range_root(node, start, end))
    return tuple(reversed(proof))


def verify_inclusion(*, root: bytes, leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes]) -> bool:
    """Whether the log of `size` entries with this root has this leaf hash at `index`: RFC 9162, 2.1.3.2.

    Never raises, whatever the arguments.
    """
    if not (_is_index(index) and _is_index(size) and index < size and _is_path(proof)):
        return False
    if not _is_hash(root) or not _is_hash(leaf_hash):
        return False
    position, last = index, size - 1
    node = leaf_hash
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            node = node_hash(node, sibling)
        position >>= 1
        last >>= 1
    return last == 0 and node == root


def verify_consistency(
    *, earlier_root: bytes, earlier_size: int, root: bytes, size: int, proof: Sequence[bytes]
) -> bool:
    """Whether the log of `size` entries with `root` extends the one of `earlier_size` with `earlier_root`.

    RFC 9162, 2.1.4.2. Never raises. Sizes count from 1: an empty log is a prefix of any and proves nothing.
    """
    if not (_is_index(earlier_size) and _is_index(size) and 0 < earlier_size <= size and _is_path(proof)):
        return False
    if not _is_hash(earlier_root) or not _is_hash(root):
        return False
    if earlier_size == size:
        return not proof and earlier_root == root
    path = list(proof)
    if earlier_size & earlier_size - 1 == 0:
        path.insert(0, earlier_root)
    if not path:
        return False
    position, last = earlier_size - 1, size - 1
    while position & 1:
        position >>= 1
        last >>= 1
    earlier = later = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            earlier = node_hash(sibling, earlier)
            later = node_hash(sibling, later)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            later = node_hash(later, sibling)
        position >>= 1
        last >>= 1
    return last == 0 and earlier == earlier_root and later == root


def _split(size: int) -> int:
    """The largest power of two below `size` (at least 2)."""
    return 1 << (size - 1).bit_length() - 1


def _perfect(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The perfect subtrees (level, index) that make up leaves start..end, where start is aligned to them all."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _range_root(node: NodeReader, start: int, end: int) -> bytes:
    *larger, last = (node(level, index) for level, index in _perfect(start, end))
    root = last
    for peak in reversed(larger):
        root = node_hash(peak, root)
    return root


def _is_hash(value: object) -> bool:
    return isinstance(value, bytes) and len(value) == HASH_BYTES


def _is_index(value: object) -> bool:
    return type(value) is int and 0 <= value < 1 << LOG_LEVELS_MAX


def _is_path(proof: object) -> bool:
    return isinstance(proof, list | tuple) and len(proof) <= LOG_LEVELS_MAX + 1 and all(map(_is_hash, proof))
