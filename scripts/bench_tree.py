"""What the state tree costs per key, by the number of keys in it, on the store that the node uses."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from node.store import Store, open_store
from registry.merkle.pages import PageCache
from registry.merkle.tree import update

BATCH = 1000  # keys per update: about what a full block touches
MEASURED = 8  # updates measured at each size
NEW_OF_TEN = 7  # inserts among ten changes; the others change what is there
FILL = 20_000  # keys per update while filling


def tree_us_per_key(sizes: tuple[int, ...]) -> dict[str, float]:
    """Microseconds per changed key, updates and their synced writes included, at each size."""
    costs: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="nemodat-bench-") as folder:
        store = open_store(Path(folder) / "tree")
        cache = PageCache(store.get)
        count = 0
        for size in sizes:
            while count < size:
                step = min(FILL, size - count)
                _apply(store, cache, {_key(number): b"filled" for number in range(count, count + step)})
                count += step
            spent = 0.0
            for changes in _batches(count):
                started = time.perf_counter()
                _apply(store, cache, changes)
                spent += time.perf_counter() - started
            count += MEASURED * BATCH * NEW_OF_TEN // 10
            costs[str(size)] = round(spent / (MEASURED * BATCH) * 1e6, 2)
        store.close()
    return costs


def _apply(store: Store, cache: PageCache, changes: dict[bytes, bytes | None]) -> None:
    made = update(cache, changes)
    store.write(dict(made.records()), sync=True)
    cache.commit(made.pages)


def _batches(count: int) -> Iterator[dict[bytes, bytes | None]]:
    fresh = BATCH * NEW_OF_TEN // 10
    for batch in range(MEASURED):
        old = {_key(secrets.randbelow(count)): secrets.token_bytes(8) for _ in range(BATCH - fresh)}
        start = count + batch * fresh
        yield {**old, **{_key(number): b"new" for number in range(start, start + fresh)}}


def _key(number: int) -> bytes:
    return b"bench/" + hashlib.sha256(number.to_bytes(8, "big")).digest()
