"""The leaves of a bucket and the hash above them: the lowest levels of the tree, computed afresh each time.

A bucket holds so few leaves that hashing all of them again costs less than keeping and looking up what is
between: n leaves need about 1.4 n hashes.
"""

from __future__ import annotations

from bisect import bisect_left
from hashlib import sha256
from struct import Struct

from registry.merkle.hashing import EMPTY, HASH_BYTES, PATH_BITS
from registry.merkle.pages import BUCKET_LEAVES_MAX, LEAF_BYTES, Page, split_leaves

__all__ = ["bucket_root", "change_one", "leaves_root"]

_HEAD_BITS = 64  # enough of a path to tell the leaves of nearly every bucket apart, in a machine word
_FIELDS = tuple(Struct(">x" + "Q56x32s" * leaves) for leaves in range(BUCKET_LEAVES_MAX + 1))
_PREFIX = b"\x01"
_EMPTY_LEFT = _PREFIX + EMPTY


def bucket_root(level: int, bucket: Page) -> bytes:
    """The hash of the node at `level` (0 is the root) over the leaves of a bucket."""
    return leaves_root(level, split_leaves(bucket))


def leaves_root(level: int, leaves: list[bytes]) -> bytes:
    """The hash of the node at `level` over sorted leaves that share their first `level` bits."""
    if not leaves:
        return EMPTY
    keys = [int.from_bytes(leaf[:HASH_BYTES], "big") for leaf in leaves]
    return _fold(keys, [leaf[2 * HASH_BYTES :] for leaf in leaves], PATH_BITS - level)


def change_one(level: int, bucket: Page, leaf: bytes) -> tuple[Page, bytes, bool] | None:
    """Put a leaf (path, value hash, leaf hash) into a bucket, or remove the one whose path this is.

    Returns the new bucket, its hash and whether it is one lone leaf; or None for the rare cases that are left to
    the general way: no room, nothing left or nothing to remove, paths too alike.
    """
    fields = _FIELDS[len(bucket) // LEAF_BYTES].unpack(bucket)
    heads = [*fields[::2]]
    hashes = [*fields[1::2]]
    head = int.from_bytes(leaf[:8], "big")
    index = bisect_left(heads, head)
    start = end = 1 + index * LEAF_BYTES
    found = head in heads
    if found:
        if bucket[start : start + HASH_BYTES] != leaf[:HASH_BYTES]:
            return None
        end += LEAF_BYTES
        del heads[index], hashes[index]
    if len(leaf) == LEAF_BYTES:
        heads.insert(index, head)
        hashes.insert(index, leaf[2 * HASH_BYTES :])
    elif found:
        leaf = b""
    else:
        return None
    if not 0 < len(hashes) <= BUCKET_LEAVES_MAX or level >= _HEAD_BITS:
        return None
    bucket = bucket[:start] + leaf + bucket[end:]
    node = hashes[0] if len(hashes) == 1 else _fold(heads, hashes, _HEAD_BITS - level)
    return bucket, node or bucket_root(level, bucket), len(hashes) == 1


def _fold(keys: list[int], hashes: list[bytes], top: int) -> bytes:
    """The hash of the node whose branching bit is the `top`-th from the right, over leaves sorted by key.

    Goes from left to right with a stack of open left subtrees, each waiting for what is right of its fork: a
    fork deeper than the next one is complete. b"" if two keys are equal.
    """
    lefts: list[bytes] = []
    forks = [top + 2]  # never reached: the stack needs no check for being empty
    keys.append(keys[-1] ^ 1 << top)  # forks off above the top, so that it completes everything
    for index, node in enumerate(hashes):
        key = keys[index]
        fork = (key ^ keys[index + 1]).bit_length()
        if not fork:
            return b""
        if forks[-1] < fork:
            height = forks.pop()  # the bit that `node` branches on, counted from the right
            node = sha256(_PREFIX + lefts.pop() + node).digest()
            while forks[-1] < fork:
                join = forks.pop()
                node = sha256(_PREFIX + lefts.pop() + _lift(node, key, height, join - 1)).digest()
                height = join
            node = _lift(node, key, height, fork - 1)
        lefts.append(node)
        forks.append(fork)
    return lefts[0]


def _lift(node: bytes, key: int, height: int, top: int) -> bytes:
    """The hash `top - height` levels above an inner node that has only empty neighbours up there."""
    for bit in range(height, top):
        node = sha256(_EMPTY_LEFT + node if key >> bit & 1 else _PREFIX + node + EMPTY).digest()
    return node
