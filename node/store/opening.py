"""Which engine opens a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path

from node.errors import StoreError
from node.store.folder import FolderLock, read_engine, require_no_reset, write_engine
from node.store.memory import MemoryStore
from node.store.protocol import Reader, Store

__all__ = ["ENGINES", "open_store"]

ENGINES = ("auto", "leveldb", "lmdb", "memory")


class _LockedStore:
    """A store in a folder that is held until it is closed."""

    def __init__(self, store: Store, lock: FolderLock) -> None:
        self._store = store
        self._lock = lock
        self.engine = store.engine
        self.get = store.get
        self.write = store.write

    def scan(
        self, prefix: bytes, *, reverse: bool = False, start: bytes | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        return self._store.scan(prefix, reverse=reverse, start=start)

    def snapshot(self) -> AbstractContextManager[Reader]:
        return self._store.snapshot()

    def close(self) -> None:
        self._store.close()
        self._lock.release()


def open_store(path: Path, engine: str = "auto") -> Store:
    """The store in folder `path`, created if it is not there; `store.engine` says which engine was picked.

    "auto" stays with the engine that wrote the folder; for a new one it takes LevelDB where plyvel is installed, else
    LMDB. Raises `StoreLocked` if another process has the folder, `StoreDamaged`, or `StoreError` for a folder that
    another engine wrote, or that a reset has moved away: opening that one empty would forget votes.
    """
    if engine not in ENGINES:
        raise StoreError(f"engine {engine!r} is not known: one of {', '.join(ENGINES)}")
    if engine == "memory":
        return MemoryStore()
    require_no_reset(path)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}: choose another data_dir") from error
    lock = FolderLock(path)
    try:
        chosen = _choose(path, engine)
        store = _open(path, chosen)
    except BaseException:
        lock.release()
        raise
    return _LockedStore(store, lock)


def _choose(path: Path, engine: str) -> str:
    written_by = read_engine(path)
    if written_by is None:
        chosen = engine if engine != "auto" else ("leveldb" if find_spec("plyvel") else "lmdb")
        write_engine(path, chosen)
        return chosen
    if engine not in ("auto", written_by):
        raise StoreError(f"{path} was written by {written_by}, the configuration says {engine}: set engine to auto")
    return written_by


def _open(path: Path, engine: str) -> Store:
    """Engines are imported when they are used: either library may be missing."""
    try:
        if engine == "leveldb":
            from node.store.leveldb import LevelDbStore

            return LevelDbStore(path / engine)
        if engine == "lmdb":
            from node.store.lmdb import LmdbStore

            return LmdbStore(path / engine)
    except ImportError as error:
        raise StoreError(f"{path} needs {engine}, which is not installed here ({error}): install it") from error
    raise StoreError(f"{path} was written by {engine!r}, which this version does not know")
