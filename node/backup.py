"""A copy of the ledger in one file, made while the node runs, and a data folder made of it again.

    MAGIC, then frames: 4 bytes big-endian length, canonical bytes of one of
    ["head", genesis id, height, block hash, layout version, made at (ms UTC)]
    ["part", [[key, value], ...]]         keys ascending over the whole file
    ["end", entries, SHA-256 of everything before this frame]

What a node has voted is left out: a vote that was cast after the copy would be forgotten and cast twice. So a node that
is restored has a key that never votes again (`consensus.journal.Standing.BURNT`); it follows, and its party enrols a
new key. A copy proves nothing by itself: `restore` checks that it is whole and that its tip is certified, and `nemodat
node check` executes it from genesis.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from consensus.journal import Standing, standing_put
from node.chain import Chain
from node.errors import BackupError
from node.layout import CONSENSUS, GENESIS_KEY, LAYOUT_VERSION, STATE, TIP_KEY, VOTED, state_entry
from node.store import KEY_SIZE_MAX, VALUE_SIZE_MAX, Reader, Store
from node.views import open_view
from registry.codec import CodecError, Value, decode, encode
from registry.genesis import Genesis
from registry.merkle import tree

__all__ = ["Head", "backup_frames", "burn", "read_head", "restore"]

MAGIC = b"NEMODAT-backup-1\n"
PART_BYTES = 1024 * 1024  # of keys and values after which a part ends
FRAME_BYTES_MAX = VALUE_SIZE_MAX + KEY_SIZE_MAX + PART_BYTES + 1024
_LENGTH_BYTES = 4
_VOTES = (CONSENSUS, VOTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What a backup is of, and when it was made (milliseconds UTC, by the clock of whoever made it)."""

    genesis_id: bytes
    height: int
    block_hash: bytes
    layout: bytes
    made_ms: int


def backup_frames(reader: Reader, *, made_ms: int) -> Iterator[bytes]:
    """The bytes of a backup of what `reader`, a snapshot of a node's store, shows. Raises `BackupError` without one."""
    genesis_id = reader.get(GENESIS_KEY)
    if genesis_id is None:
        raise BackupError("there is no chain to back up yet: run the node first")
    view = open_view(reader)
    block_hash = genesis_id if view.tip is None else view.tip.block_hash
    digest = hashlib.sha256(MAGIC)
    yield MAGIC
    head: list[Value] = ["head", genesis_id, view.height, block_hash, LAYOUT_VERSION, made_ms]
    yield _counted(digest, head)
    entries = 0
    for part in _parts(reader):
        entries += len(part)
        yield _counted(digest, ["part", part])
    yield _frame(["end", entries, digest.digest()])


def read_head(file: BinaryIO) -> Head:
    """What the backup in `file`, read from its beginning, is of. Raises `BackupError`."""
    return _head(_Frames(file).next())


def restore(
    file: BinaryIO, store: Store, genesis: Genesis, *, voted_with: Collection[bytes], progress: Callable[[int], None]
) -> Head:
    """Fill the empty `store` from a backup read from its beginning; `progress` hears how many bytes were read.

    `voted_with` are the consensus keys of the node: each is marked as one that never votes again. Raises
    `BackupError` for a file that is damaged, cut short, of another network or of another version; what is in the store
    then is worthless. Raises `StoreDamaged` or `Inconsistent` if its parts do not belong together.
    """
    frames = _Frames(file)
    head = _head(frames.next())
    if head.genesis_id != genesis.id:
        raise BackupError(f"the backup is of the network {head.genesis_id.hex()}, not of this genesis file's")
    if head.layout != LAYOUT_VERSION:
        raise BackupError("the backup was made by another version of nemodat: restore it with that version")
    entries = 0
    last = b""
    while (part := frames.next_part()) is not None:
        batch: dict[bytes, bytes | None] = {}
        for key, value in part:
            if key <= last or key.startswith(_VOTES):
                raise BackupError("the backup holds keys that it cannot hold: it was not made by a node")
            batch[key] = value
            last = key
        entries += len(part)
        store.write(batch, sync=False)
        progress(frames.bytes_read)
    if entries != frames.entries:
        raise BackupError("the backup holds fewer entries than it says")
    burn(store, voted_with)
    store.write({TIP_KEY: store.get(TIP_KEY)}, sync=True)  # and with it all that was written before
    _check(store, genesis, head)
    return head


def burn(store: Store, consensus_keys: Collection[bytes]) -> None:
    """Mark each key as one that never votes again with this store."""
    marks: dict[bytes, bytes | None] = {}
    for consensus_key in consensus_keys:
        key, value = standing_put(consensus_key, Standing.BURNT)
        marks[CONSENSUS + key] = value
    store.write(marks, sync=True)


def _check(store: Store, genesis: Genesis, head: Head) -> None:
    """Tip certified, tree and state the ones its header names. Raises `BackupError`, `StoreDamaged`, `Inconsistent`."""
    tip = Chain.open(store, genesis).tip
    if (tip.height, tip.block_hash) != (head.height, head.block_hash):
        raise BackupError("the backup's entries are of another block than its head says")
    if tree.rebuild(state_entry(stored) for _, stored in store.scan(STATE)).root != tip.state_root:
        raise BackupError(f"height {tip.height}: the state in the backup is not the one that its block names")


def _parts(reader: Reader) -> Iterator[list[list[bytes]]]:
    part: list[list[bytes]] = []
    size = 0
    for key, value in reader.scan(b""):
        if key.startswith(_VOTES):
            continue
        part.append([key, value])
        size += len(key) + len(value)
        if size >= PART_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _counted(digest: Any, value: Value) -> bytes:
    """A frame that the digest at the end covers."""
    frame = _frame(value)
    digest.update(frame)
    return frame


def _frame(value: Value) -> bytes:
    data = encode(value)
    return len(data).to_bytes(_LENGTH_BYTES, "big") + data


class _Frames:
    """Frames as they are read; checks lengths, forms and the digest. Raises `BackupError`."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.bytes_read = 0
        self.entries = 0
        """How many entries the last frame says there are; known after it."""
        magic = self._read(len(MAGIC))
        if magic != MAGIC:
            raise BackupError("this is no backup of a node")
        self._digest.update(magic)

    def next(self) -> list[Any]:
        """The next frame. The digest covers it, unless it is the last."""
        prefix = self._read(_LENGTH_BYTES)
        length = int.from_bytes(prefix, "big")
        if length > FRAME_BYTES_MAX:
            raise BackupError(f"damaged: a frame of {length} bytes")
        data = self._read(length)
        try:
            value = decode(data, size_max=FRAME_BYTES_MAX)
        except CodecError as error:
            raise BackupError(f"damaged: {error}") from error
        if not isinstance(value, list) or not value:
            raise BackupError("damaged: a frame is a list")
        if value[0] != "end":
            self._digest.update(prefix + data)
        return value

    def next_part(self) -> list[tuple[bytes, bytes]] | None:
        """The next entries; None after the last, when the whole file has proved to be what was written."""
        match self.next():
            case ["part", [*rows]]:
                return [_entry(row) for row in rows]
            case ["end", int(entries), bytes(digest)]:
                if digest != self._digest.digest():
                    raise BackupError("damaged: the digest at its end is another")
                self.entries = entries
                return None
        raise BackupError("damaged: a part is expected")

    def _read(self, size: int) -> bytes:
        data = self._file.read(size)
        if len(data) != size:
            raise BackupError("cut short: it was not written to its end")
        self.bytes_read += size
        return data


def _head(frame: list[Any]) -> Head:
    match frame:
        case ["head", bytes(genesis_id), int(height), bytes(block_hash), bytes(layout), int(made_ms)]:
            return Head(genesis_id=genesis_id, height=height, block_hash=block_hash, layout=layout, made_ms=made_ms)
    raise BackupError("damaged: it does not begin with its head")


def _entry(row: Any) -> tuple[bytes, bytes]:
    match row:
        case [bytes(key), bytes(value)]:
            return key, value
    raise BackupError("damaged: an entry is a key and a value")
