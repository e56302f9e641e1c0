"""The states that a node serves: snapshots of its store, held for a while, while blocks go on.

All nodes hold the state after the first block of each period of block time, so that a newcomer finds the same state at
several of them; a node that starts holds the state of its tip until then. The newest two are held: whoever fetches
has at least a period for it. A held snapshot costs the store what was overwritten since.

LMDB serves none: a reader that stays for half an hour would keep it from growing its map.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Lock

from consensus.blocks import Header
from consensus.votes import Certificate
from node.authorities import changes_after
from node.errors import StoreDamaged
from node.layout import HEIGHT, PAGE, STATE, HeightRecord, at_height, state_entry
from node.recovery import Tip, read_history
from node.snapshots.manifest import Manifest
from node.snapshots.messages import PART_BYTES_MAX
from node.store import Reader, Store
from registry.codec import decode
from registry.merkle.pages import PageCache
from registry.merkle.parts import CUT_BITS, Entry, cut, part_bounds

__all__ = ["HELD_MAX", "PERIOD_MS", "HeldStates"]

PERIOD_MS = 15 * 60_000  # of block time
HELD_MAX = 2
PART_BYTES_MEANT = 256 * 1024  # a state is cut until its first part is no larger
PAGES_CACHED_MAX = 256


@dataclass(slots=True)
class _HeldState:
    """A snapshot of the store after the block of a height. One thread at a time reads it: `lock`.

    The manifest is made when it is needed first, and kept: cutting a state takes a while.
    """

    height: int
    block_hash: bytes
    reader: Reader
    closing: ExitStack
    made: Manifest | None = None
    lock: Lock = field(default_factory=Lock)


class HeldStates:
    """See the module. `grown` is called in the thread that commits, the rest from any."""

    def __init__(self, store: Store, *, period_ms: int = PERIOD_MS) -> None:
        self._store = store
        self._period_ms = period_ms
        self._held: dict[int, _HeldState] = {}

    def begin(self, tip: Tip) -> None:
        """Hold the state that this node starts with."""
        if tip.height and self._store.engine != "lmdb":
            self._hold(tip)

    def grown(self, before: Tip, tip: Tip) -> None:
        """A block has just been committed, and the next one has not."""
        if tip.timestamp_ms // self._period_ms > before.timestamp_ms // self._period_ms:
            self.begin(tip)

    def offers(self) -> tuple[tuple[int, bytes], ...]:
        """Height and block hash of each state."""
        return tuple((held.height, held.block_hash) for held in list(self._held.values()))

    def manifest(self, height: int) -> Manifest | None:
        """The manifest of a state that is held. Raises `StoreDamaged`."""
        held = self._held.get(height)
        if held is None:
            return None
        with held.lock:
            return None if height not in self._held else self._manifest_of(held)

    def part(self, height: int, bits: int, number: int) -> tuple[Entry, ...] | None:
        """A part of a state that is held; None if it is not, or is cut otherwise, or the part is too large to send."""
        held = self._held.get(height)
        if held is None or number >> bits:
            return None
        with held.lock:
            if height not in self._held or bits != self._manifest_of(held).bits:
                return None
            return _part(held.reader, bits, number, PART_BYTES_MAX)

    def close(self) -> None:
        """Let go of all."""
        for height in list(self._held):
            self._release(height)

    def _manifest_of(self, held: _HeldState) -> Manifest:
        """With its lock."""
        if held.made is None:
            held.made = _manifest(held.reader, held.height)
        return held.made

    def _hold(self, tip: Tip) -> None:
        closing = ExitStack()
        reader = closing.enter_context(self._store.snapshot())
        self._held[tip.height] = _HeldState(tip.height, tip.block_hash, reader, closing)
        for height in sorted(self._held)[:-HELD_MAX]:
            self._release(height)

    def _release(self, height: int) -> None:
        held = self._held.pop(height)
        with held.lock:
            held.closing.close()


def _manifest(reader: Reader, height: int) -> Manifest:
    stored = reader.get(at_height(HEIGHT, height))
    if stored is None:
        raise StoreDamaged(f"height {height} is the tip of a snapshot, but its header is missing on disk")
    record = HeightRecord.decode(stored)
    bits = next((bits for bits in CUT_BITS if _part(reader, bits, 0, PART_BYTES_MEANT) is not None), CUT_BITS[-1])
    older, recent = read_history(reader, height - 1)
    pages = PageCache(lambda key: reader.get(PAGE + key), branches_max=PAGES_CACHED_MAX, buckets_max=PAGES_CACHED_MAX)
    return Manifest(
        header=Header.decode(record.header),
        certificate=Certificate.from_value(decode(record.certificate)),
        changes=tuple(change for change in changes_after(reader, 0) if change.header.height < height),
        older=older,
        recent=recent,
        bits=bits,
        parts=cut(pages, bits),
    )


def _part(reader: Reader, bits: int, number: int, bytes_max: int) -> tuple[Entry, ...] | None:
    lowest, above = part_bounds(bits, number)
    entries: list[Entry] = []
    size = 0
    for place, stored in reader.scan(STATE, start=STATE + lowest):
        if above is not None and place >= STATE + above:
            break
        size += len(stored)
        if size > bytes_max:
            return None
        entries.append(state_entry(stored))
    return tuple(entries)
