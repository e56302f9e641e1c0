"""The state tree cut into parts: all nodes of one level, which together make the root, and each the leaves below it.

Whoever has the root can check the cut as a whole, and then each part by itself, in any order and from anybody: that
its entries are exactly those of the state, none changed, added or left out. This is how a state travels.

A part is named by its number, which is the first `bits` bits of the paths in it. In a cut it is

- b"" where there is no leaf,
- path and value hash (64 bytes) of a lone leaf, which says more than its hash: a node cannot pass for a leaf,
- the hash of the node (32 bytes) over two leaves or more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from itertools import groupby, pairwise

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
    own_hash,
    split_leaves,
)

__all__ = ["CUT_BITS", "Entry", "check_part", "cut", "cut_root", "part_bounds"]

CUT_BITS = (0, 4, 8, 12, 16)  # where a tree can be cut: at its pages
_LEAF = 2 * HASH_BYTES
Entry = tuple[bytes, bytes]  # state key, value


def cut(source: PageSource, bits: int) -> tuple[bytes, ...]:
    """All parts of a stored tree at a level. Raises `PageError` on damage."""
    assert bits in CUT_BITS
    parts = [b""] * (1 << bits)
    _collect(source, ROOT_PAGE, 0, bits, parts)
    return tuple(parts)


def cut_root(bits: int, parts: Sequence[bytes]) -> bytes:
    """The root of the tree with this cut. Raises `ProofError` for what is no cut at that level."""
    if bits not in CUT_BITS or len(parts) != 1 << bits:
        raise ProofError("parts: not as many as there are nodes at the level")
    row = [_node(number, part, bits) for number, part in enumerate(parts)]
    while len(row) > 1:
        row = [_above(row[index], row[index + 1]) for index in range(0, len(row), 2)]
    return row[0][0]


def check_part(bits: int, number: int, part: bytes, entries: Sequence[Entry]) -> None:
    """Return if these are all entries of a part, in the order of their paths. Raises `ProofError`."""
    leaves = [_leaf(key, value) for key, value in entries]
    paths = [leaf[:HASH_BYTES] for leaf in leaves]
    if any(before >= after for before, after in pairwise(paths)):
        raise ProofError("entries: not in the order of their paths")
    if any(_number(path, bits) != number for path in paths):
        raise ProofError("entries: one belongs to another part")
    if leaves_root(bits, leaves) != _node(number, part, bits)[0]:
        raise ProofError("entries: not those of this state")


def part_bounds(bits: int, number: int) -> tuple[bytes, bytes | None]:
    """The lowest path in a part, and the lowest above it (None: there is none above)."""
    shift = PATH_BITS - bits
    lowest, above = number << shift, number + 1 << shift
    return lowest.to_bytes(HASH_BYTES, "big"), above.to_bytes(HASH_BYTES, "big") if above >> PATH_BITS == 0 else None


def _collect(source: PageSource, page_id: int, level: int, bits: int, parts: list[bytes]) -> None:
    """Fill in the parts below a page at `level`, which is not below the cut."""
    page = source.page(page_id)
    if page is None:
        if page_id != ROOT_PAGE:
            raise PageError("page: one is missing below a branch")
        return
    if page[0]:
        _place(split_leaves(page), bits, parts)
        return
    if level == bits:
        parts[page_id - (1 << bits)] = own_hash(page)
        return
    _, occupied, lone = BRANCH_HEAD.unpack_from(page)
    for slot in range(PAGE_WIDTH):
        child = page_id << PAGE_LEVELS | slot
        if occupied >> slot & 1 == 0:
            continue
        if level + PAGE_LEVELS == bits and lone >> slot & 1 == 0:
            parts[child - (1 << bits)] = node_of(page, PAGE_WIDTH + slot)
        else:
            _collect(source, child, level + PAGE_LEVELS, bits, parts)


def _place(leaves: Iterable[bytes], bits: int, parts: list[bytes]) -> None:
    for number, group in groupby(leaves, key=lambda leaf: _number(leaf, bits)):
        together = list(group)
        parts[number] = together[0][:_LEAF] if len(together) == 1 else leaves_root(bits, together)


def _node(number: int, part: bytes, bits: int) -> tuple[bytes, bool]:
    """The hash of a part, and whether it is a lone leaf."""
    match len(part):
        case 0:
            return EMPTY, False
        case 64 if _number(part, bits) == number:
            return leaf_hash(part[:HASH_BYTES], part[HASH_BYTES:]), True
        case 32 if part != EMPTY:
            return part, False
        case _:
            raise ProofError("parts: one is neither empty, a leaf of its own, nor a hash")


def _above(left: tuple[bytes, bool], right: tuple[bytes, bool]) -> tuple[bytes, bool]:
    """A lone leaf sits as high as it can; every other node is the hash of its children."""
    if left[0] == EMPTY and (right[1] or right[0] == EMPTY):
        return right
    if right[0] == EMPTY and left[1]:
        return left
    return node_hash(left[0], right[0]), False


def _number(path: bytes, bits: int) -> int:
    return int.from_bytes(path[:2], "big") >> 16 - bits


def _leaf(key: bytes, value: bytes) -> bytes:
    path, value_hash = path_of(key), sha256(value).digest()
    return path + value_hash + leaf_hash(path, value_hash)
