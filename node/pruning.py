"""Forgets old blocks: bodies, receipts and events older than a horizon of block time. Headers and certificates stay.

What stays is enough to prove that anything kept elsewhere is true: an old header is in the history of every newer one
(`View.ancestry`), and a receipt of an archive leads to the old header. The id of a pruned transaction stays too, so
that this node says that it is pruned and not that it is unknown.

State tree pages are overwritten in place, so there are no stale versions of them to prune: an old state is read from
a snapshot of the store, or nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from consensus.blocks import Header
from node.layout import (
    BLOCK,
    EVENTS,
    FIRST_KEY,
    HEIGHT,
    KNOWN_KEY,
    RECEIPTS,
    HeightRecord,
    at_height,
    event_key,
    first_kept,
    first_known,
    read_list,
)
from node.recovery import Tip
from node.store import Store
from registry.codec import encode

__all__ = ["DAY_MS", "Pruner"]

DAY_MS = 86_400_000  # the least that is kept: whoever begins with a state needs the blocks of an hour and a half
_AT_ONCE = 16  # heights, after each block: keeps up with any chain, and never takes long


class Pruner:
    """See the module. `grown` is called in the thread that commits."""

    def __init__(self, store: Store, *, keep_ms: int) -> None:
        """`keep_ms`: how long, in block time, a block is kept after its successors."""
        self._store = store
        self._keep_ms = keep_ms

    def grown(self, _before: Tip, tip: Tip) -> None:
        """Forget some of what is too old, as of the new tip."""
        first, receipts = first_kept(self._store)
        batch: dict[bytes, bytes | None] = {}
        height = first
        while height < min(tip.height, first + _AT_ONCE) and self._is_old(height, tip):
            batch.update(dict.fromkeys(self._keys(height)))
            height += 1
        if batch:
            batch[FIRST_KEY] = encode([height, max(receipts, height)])
            batch[KNOWN_KEY] = encode([first_known(self._store)])
            self._store.write(batch, sync=False)  # what a power cut undoes is pruned again

    def _is_old(self, height: int, tip: Tip) -> bool:
        record = HeightRecord.decode(self._store.get(at_height(HEIGHT, height)) or b"")
        return Header.decode(record.header).timestamp_ms < tip.timestamp_ms - self._keep_ms

    def _keys(self, height: int) -> Iterator[bytes]:
        """Everything there is of a height but its header, its certificate and its transactions' ids."""
        yield from (at_height(kind, height) for kind in (BLOCK, RECEIPTS, EVENTS))
        events = self._store.get(at_height(EVENTS, height))
        for number, row in enumerate([] if events is None else read_list(events, "events")):
            yield event_key(row[1], height, number)
