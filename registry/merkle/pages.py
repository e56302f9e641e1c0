"""Pages: how the state tree lies in a key-value store, and the bounded cache of decoded pages.

A page covers the `PAGE_LEVELS` levels below one node and is keyed by that node's PATH alone: newest version only,
overwritten in place (as NOMT does). Old versions are read from snapshots of the store, so no version is part
of the key: an update writes only the pages it touches and nothing is ever pruned.

Two forms, decided by the number of leaves below the page's node alone, so that the stored pages, like the root,
are a pure function of the set of entries:

- up to `BUCKET_LEAVES_MAX` leaves: a *bucket*, the sorted leaves themselves, path and value hash of each;
- more: a *branch*, the hashes of its `PAGE_WIDTH` slots, the nodes one page further down.

The hashes of leaves and the rows between a branch and its slots are not stored (a stored hash costs as much in
compaction as computing it again) but kept in memory.

A page id is the integer 1 followed by the bits of the path, so the root page is 1. No leaves, no page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from itertools import islice
from struct import Struct
from typing import Protocol

from registry.merkle.hashing import EMPTY, HASH_BYTES, PATH_BITS, MerkleError, leaf_hash

__all__ = [
    "BRANCHES_CACHED_MAX",
    "BRANCH_HEAD",
    "BUCKET",
    "BUCKETS_CACHED_MAX",
    "BUCKET_LEAVES_MAX",
    "LEAF_BYTES",
    "PAGE_KEY_BYTES_MAX",
    "PAGE_LEVELS",
    "PAGE_WIDTH",
    "ROOT_PAGE",
    "SLOTS_ALL",
    "Page",
    "PageCache",
    "PageError",
    "PageOverlay",
    "PageReader",
    "PageSource",
    "change_full_slot",
    "change_slot",
    "decode_page",
    "encode_page",
    "join_leaves",
    "node_of",
    "open_branch",
    "own_hash",
    "page_key",
    "records",
    "seal_branch",
    "slots_below",
    "split_leaves",
]

PAGE_LEVELS = 4
PAGE_WIDTH = 1 << PAGE_LEVELS
BUCKET_LEAVES_MAX = 8
BRANCHES_CACHED_MAX = 1 << 16  # about 1.1 kB each: 70 MB, reached near a million entries
BUCKETS_CACHED_MAX = 1 << 16  # about 0.7 kB each: 45 MB, reached near 350,000 entries
PAGE_KEY_BYTES_MAX = PATH_BITS // 8 + 1
ROOT_PAGE = 1

# A bucket in memory is the byte 1, then its leaves sorted by path. A branch in memory is one flat string (a list of
# hashes would be scattered over memory and cost a cache miss for each): the head, then its nodes in heap order without
# the page's own, EMPTY where there is no leaf, the slots last. Stored are the head and the slots.
Page = bytes

LEAF_BYTES = 3 * HASH_BYTES  # path, SHA-256 of the value, leaf hash
BUCKET = b"\x01"
BRANCH_HEAD = Struct(">BHH")  # 0, bitmap of occupied slots, bitmap of slots whose subtree is one lone leaf
_ROWS_END = BRANCH_HEAD.size + HASH_BYTES * (PAGE_WIDTH - 2)
_BRANCH_BYTES = _ROWS_END + HASH_BYTES * PAGE_WIDTH
_STORED_BRANCH_BYTES = BRANCH_HEAD.size + HASH_BYTES * PAGE_WIDTH
_STORED_LEAF_BYTES = 2 * HASH_BYTES  # path, SHA-256 of the value
_STORED_BUCKET_BYTES = tuple(1 + _STORED_LEAF_BYTES * leaves for leaves in range(1, BUCKET_LEAVES_MAX + 1))
_STORED_OF_LEAVES = tuple(Struct("x" + "64s32x" * leaves) for leaves in range(BUCKET_LEAVES_MAX + 1))
_NODES = Struct(f"{BRANCH_HEAD.size}x" + "32s" * (2 * PAGE_WIDTH - 2))
SLOTS_ALL = (1 << PAGE_WIDTH) - 1
_HALF_WIDTH = PAGE_WIDTH // 2
_HALF = (1 << _HALF_WIDTH) - 1
_PREFIX = b"\x01"

PageReader = Callable[[bytes], bytes | None]


class PageError(MerkleError):
    """A stored page that does not decode or does not fit its parent: the store is damaged, the caller must stop."""


class PageSource(Protocol):
    """Where an update or a proof finds pages: a `PageCache`, or a `PageOverlay` on one."""

    def page(self, page_id: int, /) -> Page | None: ...


def page_key(page_id: int) -> bytes:
    """The store key of a page, 1 to 33 bytes."""
    return page_id.to_bytes((page_id.bit_length() + 7) // 8, "big")


def split_leaves(bucket: Page) -> list[bytes]:
    """The leaves of a bucket, sorted: path, value hash and leaf hash in 96 bytes each."""
    return [bucket[at : at + LEAF_BYTES] for at in range(1, len(bucket), LEAF_BYTES)]


def join_leaves(leaves: list[bytes]) -> Page:
    """The bucket of these sorted leaves."""
    return BUCKET + b"".join(leaves)


def node_of(branch: Page, node: int) -> bytes:
    """A node of a branch by heap index: 2 and 3 are the children of the page's own, slots start at PAGE_WIDTH."""
    return branch[_slice(node)]


def own_hash(branch: Page) -> bytes:
    """The hash of the node that the branch lies below."""
    return sha256(_PREFIX + branch[_slice(2)] + branch[_slice(3)]).digest()


def encode_page(page: Page) -> bytes:
    """The stored form of a page."""
    if page[0]:
        return BUCKET + b"".join(_STORED_OF_LEAVES[len(page) // LEAF_BYTES].unpack(page))
    return page[: BRANCH_HEAD.size] + page[_ROWS_END:]


def decode_page(stored: bytes) -> Page:
    """The page stored as these bytes; `PageError` if they are not one."""
    if len(stored) in _STORED_BUCKET_BYTES and stored[0] == 1:
        return join_leaves([_leaf(stored, at) for at in range(1, len(stored), _STORED_LEAF_BYTES)])
    if len(stored) != _STORED_BRANCH_BYTES or stored[0] != 0:
        raise PageError("page: length does not fit its kind")
    _, occupied, lone = BRANCH_HEAD.unpack_from(stored)
    if lone & ~occupied:
        raise PageError("page: a lone leaf in an empty slot")
    rows = bytes(_ROWS_END - BRANCH_HEAD.size)
    nodes = open_branch(stored[: BRANCH_HEAD.size] + rows + stored[BRANCH_HEAD.size :])
    return seal_branch(nodes, occupied, lone, occupied)[0]


def _leaf(stored: bytes, at: int) -> bytes:
    """The leaf at this place of a stored bucket, with its hash."""
    path, value_hash = stored[at : at + HASH_BYTES], stored[at + HASH_BYTES : at + _STORED_LEAF_BYTES]
    return path + value_hash + leaf_hash(path, value_hash)


def open_branch(branch: Page) -> list[bytes]:
    """The nodes of a branch in heap order from [2], to change slots and hand to `seal_branch`."""
    return [b"", b"", *_NODES.unpack(branch)]


def seal_branch(nodes: list[bytes], occupied: int, lone: int, changed: int) -> tuple[Page, bytes]:
    """Hash again what lies above the slots of the bitmap `changed`: the branch, and its own hash."""
    for node, slots in (*_LEFT_PLANS[changed & _HALF], *_RIGHT_PLANS[changed >> _HALF_WIDTH], (1, SLOTS_ALL)):
        left = nodes[2 * node]
        right = nodes[2 * node + 1]
        below = occupied & slots
        if below & below - 1 or below & ~lone:
            nodes[node] = sha256(_PREFIX + left + right).digest()
        else:  # no leaf, or a lone one, which sits as high as it can
            nodes[node] = right if left == EMPTY else left
    return BRANCH_HEAD.pack(0, occupied, lone) + b"".join(nodes[2:]), nodes[1]


def change_slot(branch: Page, slot: int, node: bytes, occupied: int, lone: int) -> tuple[Page, bytes]:
    """`seal_branch` for one slot, without taking the branch apart: most branches of an update see one change."""
    pieces = [node]
    ways, (cut1, cut2, cut3, cut4, cut5) = _CHANGES[slot]
    for sibling, right, slots in ways:
        below = occupied & slots
        if below & below - 1 or below & ~lone:
            if right:
                node = sha256(_PREFIX + branch[sibling] + node).digest()
            else:
                node = sha256(_PREFIX + node + branch[sibling]).digest()
        elif node == EMPTY:
            node = branch[sibling]
        pieces.append(node)
    row4, row3, row2, row1, own = pieces
    head = BRANCH_HEAD.pack(0, occupied, lone)
    parts = (head, branch[cut1], row1, branch[cut2], row2, branch[cut3], row3, branch[cut4], row4, branch[cut5])
    return b"".join(parts), own


def change_full_slot(branch: Page, slot: int, node: bytes) -> tuple[Page, bytes]:
    """`change_slot` where no slot is empty before or after, and the changed one is not and was not a lone leaf."""
    (at4, right4), (at3, right3), (at2, right2), (at1, right1) = _SIBLINGS[slot]
    row4 = node
    sibling = branch[at4]
    row3 = sha256(_PREFIX + sibling + row4 if right4 else _PREFIX + row4 + sibling).digest()
    sibling = branch[at3]
    row2 = sha256(_PREFIX + sibling + row3 if right3 else _PREFIX + row3 + sibling).digest()
    sibling = branch[at2]
    row1 = sha256(_PREFIX + sibling + row2 if right2 else _PREFIX + row2 + sibling).digest()
    sibling = branch[at1]
    own = sha256(_PREFIX + sibling + row1 if right1 else _PREFIX + row1 + sibling).digest()
    cut1, cut2, cut3, cut4, cut5 = _FULL_CUTS[slot]
    parts = (branch[cut1], row1, branch[cut2], row2, branch[cut3], row3, branch[cut4], row4, branch[cut5])
    return b"".join(parts), own


def _slice(node: int) -> slice:
    start = BRANCH_HEAD.size + HASH_BYTES * (node - 2)
    return slice(start, start + HASH_BYTES)


def slots_below(node: int) -> int:
    """Bitmap of the slots below a heap index."""
    depth = PAGE_LEVELS + 1 - node.bit_length()
    return (1 << (1 << depth)) - 1 << (node << depth) - PAGE_WIDTH


def _change(slot: int) -> tuple[tuple[tuple[slice, bool, int], ...], tuple[slice, ...]]:
    """For each row from the lowest: the sibling's place, whether it is on the left, the slots below the parent;
    and the parts of a branch between the nodes on the way up."""
    way = [PAGE_WIDTH + slot >> up for up in range(PAGE_LEVELS)]
    steps = tuple((_slice(node ^ 1), bool(node & 1), slots_below(node >> 1)) for node in way)
    ends = [BRANCH_HEAD.size, *(_slice(node).stop for node in reversed(way))]
    starts = [*(_slice(node).start for node in reversed(way)), _BRANCH_BYTES]
    return steps, tuple(slice(end, start) for end, start in zip(ends, starts, strict=True))


def _plan(changed: int) -> tuple[tuple[int, int], ...]:
    """The inner nodes above these slots, lowest row first and without the page's own, with the slots below each."""
    row = {PAGE_WIDTH + slot for slot in range(PAGE_WIDTH) if changed >> slot & 1}
    steps: list[tuple[int, int]] = []
    for _ in range(PAGE_LEVELS - 1):
        row = {node >> 1 for node in row}
        steps += ((node, slots_below(node)) for node in sorted(row))
    return tuple(steps)


# The two halves of a branch do not meet below its own hash, so a table for each is enough.
_LEFT_PLANS = tuple(_plan(changed) for changed in range(_HALF + 1))
_RIGHT_PLANS = tuple(_plan(changed << _HALF_WIDTH) for changed in range(_HALF + 1))
_CHANGES = tuple(_change(slot) for slot in range(PAGE_WIDTH))
_SIBLINGS = tuple(tuple(way[:2] for way in ways) for ways, _ in _CHANGES)
_FULL_CUTS = tuple((slice(cuts[0].stop), *cuts[1:]) for _, cuts in _CHANGES)


class PageCache:
    """The pages of a store in memory, decoded once: branches and buckets, each up to a bound.

    `read` must always show the last committed state, and every write of pages must come through `commit`
    (after the store took them), so a cached page is by construction the stored one. One thread at a time.
    For a snapshot of the store make a cache of its own and never commit to it.
    """

    __slots__ = ("_branches", "_branches_max", "_buckets", "_buckets_max", "_read")

    def __init__(
        self, read: PageReader, *, branches_max: int = BRANCHES_CACHED_MAX, buckets_max: int = BUCKETS_CACHED_MAX
    ) -> None:
        assert branches_max > 0
        assert buckets_max > 0
        self._read = read
        self._branches_max = branches_max
        self._buckets_max = buckets_max
        self._branches: dict[int, Page] = {}  # oldest write first
        self._buckets: dict[int, Page] = {}

    def page(self, page_id: int, /) -> Page | None:
        """The committed page, or None; `PageError` if the store holds something else there."""
        page = self._branches.get(page_id) or self._buckets.get(page_id)
        if page is not None:
            return page
        stored = self._read(page_key(page_id))
        if stored is None:
            return None
        page = decode_page(stored)
        if page[0]:
            self._buckets[page_id] = page
        else:
            self._branches[page_id] = page
        self._shrink()
        return page

    def commit(self, pages: Mapping[int, Page | None]) -> None:
        """Take over the pages of an update that the store has just made durable."""
        branches, buckets = self._branches, self._buckets
        for page_id, page in pages.items():
            branches.pop(page_id, None)  # and to the young end: what is written often stays
            if page is None:
                buckets.pop(page_id, None)
            elif page[0]:
                buckets[page_id] = page
            else:
                buckets.pop(page_id, None)
                branches[page_id] = page
        self._shrink()

    def _shrink(self) -> None:
        """Many at a time: finding a dict's oldest key costs as much as was deleted before it."""
        for kept, most in ((self._branches, self._branches_max), (self._buckets, self._buckets_max)):
            if len(kept) > most:
                for oldest in list(islice(kept, len(kept) - most + most // 8)):
                    del kept[oldest]


class PageOverlay:
    """Pages of an update that is not committed yet, on top of another source; any number can be stacked."""

    __slots__ = ("_base", "_pages")

    def __init__(self, base: PageSource, pages: Mapping[int, Page | None]) -> None:
        self._base = base
        self._pages = pages

    def page(self, page_id: int, /) -> Page | None:
        """The overlaid page (None: deleted), else the one of the base."""
        if page_id in self._pages:
            return self._pages[page_id]
        return self._base.page(page_id)


def records(pages: Mapping[int, Page | None]) -> Iterator[tuple[bytes, bytes | None]]:
    """What to write for these pages: (store key, bytes to put, or None to delete)."""
    for page_id, page in pages.items():
        yield page_key(page_id), None if page is None else encode_page(page)
