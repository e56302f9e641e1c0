"""Where a node keeps everything: ordered keys and values, atomic durable batches, snapshots.

    protocol    Reader and Store: what an engine must do, with limits
    leveldb     the default, by plyvel
    lmdb        where plyvel does not install
    memory      tests and re-execution
    folder      one process per folder, and which engine wrote it
    opening     open_store picks an engine

All engines pass the same tests. A batch is there whole or not at all; one written with `sync=True` survives a
`kill -9` and a power cut once `write` has returned. Nothing is ever repaired: a damaged store is an error for people.
"""

from node.store.memory import MemoryStore
from node.store.opening import ENGINES, open_store
from node.store.protocol import KEY_SIZE_MAX, VALUE_SIZE_MAX, Reader, Store

__all__ = ["ENGINES", "KEY_SIZE_MAX", "VALUE_SIZE_MAX", "MemoryStore", "Reader", "Store", "open_store"]
