"""The state tree: a compact binary sparse Merkle tree over SHA-256 of the key.

1. A leaf hashes to SHA-256(0x00 || path || SHA-256(value)), its path being SHA-256(key).
2. A subtree without a leaf is 32 zero bytes; one with exactly one leaf is that leaf's hash, so a lone leaf sits
   as high as it can; any other is SHA-256(0x01 || left || right), the most significant bit of the path choosing
   at the top.

The root is therefore a pure function of the set of (key, value) pairs, whatever the order and the history.
A block's changes are applied at once: they are sorted by path and walk down the pages (`pages`) together, so a
page is read, hashed and written once for all of them. Where only one change is left below a page, `_walk_one`
takes it the rest of the way. The functions named `..._paths` take paths and value hashes, the others raw keys
and values.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from registry.merkle.bucket import bucket_root, change_one, leaves_root
from registry.merkle.hashing import EMPTY, HASH_BYTES, PATH_BITS, PathOf, path_of
from registry.merkle.pages import (
    BRANCH_HEAD,
    BUCKET,
    BUCKET_LEAVES_MAX,
    LEAF_BYTES,
    PAGE_LEVELS,
    PAGE_WIDTH,
    ROOT_PAGE,
    SLOTS_ALL,
    Page,
    PageError,
    PageSource,
    change_full_slot,
    change_slot,
    join_leaves,
    open_branch,
    own_hash,
    records,
    seal_branch,
    split_leaves,
)

__all__ = ["TreeUpdate", "rebuild", "root", "root_of", "update", "update_paths"]

_TOP = 1 << PATH_BITS  # the leading 1 that makes a page id of a path when shifted right


@dataclass(frozen=True, slots=True)
class TreeUpdate:
    """The outcome of a set of changes: the new root, and the pages to put or (None) to delete."""

    root: bytes
    pages: Mapping[int, Page | None]

    def records(self) -> Iterator[tuple[bytes, bytes | None]]:
        """What the store must write: page key, and the bytes to put or None to delete."""
        return records(self.pages)


def update(source: PageSource, changes: Mapping[bytes, bytes | None], path_of: PathOf = path_of) -> TreeUpdate:
    """Set (value) or remove (None) raw state keys; nothing is stored, see `TreeUpdate`. `PageError` on damage."""
    hashed = {path_of(key): None if value is None else sha256(value).digest() for key, value in changes.items()}
    return update_paths(source, hashed)


def update_paths(source: PageSource, changes: Mapping[bytes, bytes | None]) -> TreeUpdate:
    """Like `update`, from 32-byte paths to value hashes (32 bytes, or None to remove)."""
    if not changes:
        return TreeUpdate(root=root(source), pages={})
    paths = sorted(changes)
    from_bytes = int.from_bytes
    batch = _Batch(
        load=source.page,
        keys=[_TOP | from_bytes(path, "big") for path in paths],
        leaves=[_leaf(path, changes[path]) for path in paths],
        written={},
    )
    top, _, _ = _descend(batch, ROOT_PAGE, 0, 0, len(paths))
    return TreeUpdate(root=top, pages=batch.written)


def root(source: PageSource) -> bytes:
    """The root of the stored tree, 32 bytes; `EMPTY` for a tree without a leaf."""
    page = source.page(ROOT_PAGE)
    if page is None:
        return EMPTY
    return bucket_root(0, page) if page[0] else own_hash(page)


def rebuild(items: Iterable[tuple[bytes, bytes]]) -> TreeUpdate:
    """The whole tree of these (key, value) pairs from nothing, to check a store or to load a snapshot."""
    return update(_Nothing(), dict(items))


def root_of(items: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The root over these (key, value) pairs, computed from nothing and without pages."""
    leaves = sorted(_leaf(path_of(key), sha256(value).digest()) for key, value in dict(items).items())
    return leaves_root(0, leaves)


@dataclass(frozen=True, slots=True)
class _Batch:
    """The changes of one update, sorted by path, and what they have led to so far."""

    load: Callable[[int], Page | None]
    keys: list[int]
    leaves: list[bytes]  # path, value hash and leaf hash; the path alone: remove
    written: dict[int, Page | None]


# What became of a subtree: its hash (EMPTY: no leaf), whether it is one lone leaf, whether it lost a leaf.
_Part = tuple[bytes, bool, bool]


class _Nothing:
    __slots__ = ()

    def page(self, page_id: int, /) -> Page | None:
        return None


def _leaf(path: bytes, value_hash: bytes | None) -> bytes:
    if value_hash is None:
        return path
    leaf = path + value_hash
    return leaf + sha256(b"\x00" + leaf).digest()


def _descend(batch: _Batch, page_id: int, level: int, low: int, high: int) -> _Part:
    """Apply the changes low..high to a page that is there, or to the root's."""
    page = batch.load(page_id)
    if page is None or page[0]:
        if page is None and page_id != ROOT_PAGE:
            raise PageError("page: one is missing below a branch")
        return _change_bucket(batch, page_id, level, page, batch.leaves[low:high])
    _, occupied, lone = BRANCH_HEAD.unpack_from(page)
    nodes = open_branch(page)
    keys = batch.keys
    level += PAGE_LEVELS
    shift = PATH_BITS - level
    changed = 0
    shrunk = False
    while low < high:
        child = keys[low] >> shift
        end = low + 1
        if end < high and keys[end] >> shift == child:
            end = bisect_left(keys, child + 1 << shift, end, high)
        slot = child & PAGE_WIDTH - 1
        bit = 1 << slot
        if end - low == 1:
            part = _walk_one(batch, child, level, low, batch.load(child) if occupied & bit else BUCKET)
        elif not occupied & bit:
            part = _change_bucket(batch, child, level, None, batch.leaves[low:end])
        else:
            part = _descend(batch, child, level, low, end)
        node, alone, lost = part
        nodes[PAGE_WIDTH + slot] = node
        changed |= bit
        occupied = occupied & ~bit if node is EMPTY else occupied | bit
        lone = lone | bit if alone else lone & ~bit
        shrunk |= lost
        low = end
    if shrunk and (few := _few_leaves(batch, page_id, occupied, lone)) is not None:
        return _collapse(batch, page_id, few)
    batch.written[page_id], node = seal_branch(nodes, occupied, lone, changed)
    return node, False, shrunk


def _walk_one(batch: _Batch, page_id: int, level: int, at: int, page: Page | None) -> _Part:
    """`_descend` for a single change: down from this page to its bucket, and back up."""
    key = batch.keys[at]
    load = batch.load
    shift = PATH_BITS - level
    trail: list[tuple[Page, int, int]] = []
    while page and not page[0]:
        _, occupied, lone = BRANCH_HEAD.unpack_from(page)
        trail.append((page, occupied, lone))
        shift -= PAGE_LEVELS
        page_id = key >> shift
        page = load(page_id) if occupied >> (page_id & PAGE_WIDTH - 1) & 1 else BUCKET
    if page is None:
        raise PageError("page: one is missing below a branch")
    leaf = batch.leaves[at]
    changed = change_one(PATH_BITS - shift, page, leaf)
    if changed is None:
        node, alone, shrunk = _change_bucket(batch, page_id, PATH_BITS - shift, page, [leaf])
    else:
        batch.written[page_id], node, alone = changed
        shrunk = len(leaf) == HASH_BYTES
    settled = False  # the child was a branch and still is: its slot was and is neither empty nor a lone leaf
    while trail:
        page, occupied, lone = trail.pop()
        slot = page_id & PAGE_WIDTH - 1
        page_id >>= PAGE_LEVELS
        if settled and occupied == SLOTS_ALL:
            batch.written[page_id], node = change_full_slot(page, slot, node)
            continue
        bit = 1 << slot
        occupied = occupied & ~bit if node is EMPTY else occupied | bit
        lone = lone | bit if alone else lone & ~bit
        if shrunk and (few := _few_leaves(batch, page_id, occupied, lone)) is not None:
            node, alone, shrunk = _collapse(batch, page_id, few)
        else:
            batch.written[page_id], node = change_slot(page, slot, node, occupied, lone)
            settled, alone = True, False
    return node, alone, shrunk


def _change_bucket(batch: _Batch, page_id: int, level: int, bucket: bytes | None, changes: list[bytes]) -> _Part:
    """As `_descend`, for a page that is a bucket or not there yet; it may grow into branches."""
    before = {} if bucket is None else {leaf[:HASH_BYTES]: leaf for leaf in split_leaves(bucket)}
    after = before.copy()
    shrunk = False
    for leaf in changes:
        if len(leaf) == LEAF_BYTES:
            after[leaf[:HASH_BYTES]] = leaf
        elif after.pop(leaf, None):
            shrunk = True
    leaves = sorted(after.values())
    if len(leaves) > BUCKET_LEAVES_MAX:
        return _grow(batch, page_id, level, leaves), False, shrunk
    if leaves:
        batch.written[page_id] = join_leaves(leaves)
    elif before:
        batch.written[page_id] = None
    return leaves_root(level, leaves), len(leaves) == 1, shrunk


def _grow(batch: _Batch, page_id: int, level: int, leaves: list[bytes]) -> bytes:
    """Write the branch over more leaves than a bucket holds, and all below it; return its hash."""
    nodes = [EMPTY] * (2 * PAGE_WIDTH)
    lone = low = occupied = 0
    level += PAGE_LEVELS
    shift = PATH_BITS - level
    keys = [_TOP | int.from_bytes(leaf[:HASH_BYTES], "big") for leaf in leaves]
    while low < len(leaves):
        child = keys[low] >> shift
        end = bisect_left(keys, child + 1 << shift, low)
        slot = child & PAGE_WIDTH - 1
        nodes[PAGE_WIDTH + slot], alone, _ = _change_bucket(batch, child, level, None, leaves[low:end])
        lone |= alone << slot
        occupied |= 1 << slot
        low = end
    batch.written[page_id], node = seal_branch(nodes, occupied, lone, occupied)
    return node


def _few_leaves(batch: _Batch, page_id: int, occupied: int, lone: int) -> list[bytes] | None:
    """The leaves below a branch that lost some, or None if there are still too many for a bucket."""
    if occupied.bit_count() + (occupied & ~lone).bit_count() > BUCKET_LEAVES_MAX:
        return None  # two or more below a slot that is not lone
    leaves: list[bytes] = []
    for slot in range(PAGE_WIDTH):
        if occupied >> slot & 1:
            child = page_id << PAGE_LEVELS | slot
            bucket = batch.written[child] if child in batch.written else batch.load(child)
            if not bucket:
                raise PageError("page: one is missing below a branch")
            if not bucket[0]:
                return None
            leaves += split_leaves(bucket)
    return leaves if len(leaves) <= BUCKET_LEAVES_MAX else None


def _collapse(batch: _Batch, page_id: int, leaves: list[bytes]) -> _Part:
    """Put a bucket in the place of a branch, whose children have become few leaves."""
    for slot in range(PAGE_WIDTH):
        child = page_id << PAGE_LEVELS | slot
        batch.written.pop(child, None)
        if batch.load(child) is not None:
            batch.written[child] = None
    batch.written[page_id] = join_leaves(leaves) if leaves else None
    return leaves_root(page_id.bit_length() - 1, leaves), len(leaves) == 1, True
