"""How a chain begins, and how it is found again after a stop, a crash or a `kill -9`.

A store holds the last batch whole or not at all, so there is nothing to undo or replay: what is checked here is that
the parts belong together, because a node that goes on from a damaged store signs what it does not know.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from consensus.blocks import Header
from consensus.errors import ConsensusError
from consensus.light import verify_header
from consensus.votes import Certificate
from node.authorities import set_at
from node.errors import StoreDamaged
from node.layout import (
    CERTIFICATE,
    CHECKPOINT,
    CONSENSUS,
    EVIDENCE,
    GENESIS_KEY,
    HEIGHT,
    LAYOUT_VERSION,
    PAGE,
    TIP_KEY,
    VERSION_KEY,
    HeightRecord,
    at_height,
    log_key,
    read_list,
    state_puts,
)
from node.store import Reader, Store
from registry.codec import decode, encode
from registry.errors import CodecError
from registry.genesis import Genesis
from registry.ledger import genesis_state
from registry.merkle import tree
from registry.merkle.hashing import ProofError
from registry.merkle.log import CompactRange, entry_hash
from registry.order import DRAWN_FROM

__all__ = ["Tip", "initialise", "read_history", "read_tip"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tip:
    """The newest final block. At height 0 there is none: the hash is the genesis id, the time that of genesis."""

    height: int
    block_hash: bytes
    header: Header | None
    certificate: Certificate | None
    state_root: bytes
    timestamp_ms: int


def initialise(store: Store, genesis: Genesis) -> None:
    """Write the state of genesis into an empty store, in one batch."""
    own = (CONSENSUS, EVIDENCE, CERTIFICATE, CHECKPOINT)  # what was signed or collected here stays without a chain
    if any(not key.startswith(own) for key, _ in store.scan(b"")):
        raise StoreDamaged("the data folder is not empty and has no chain: use an empty data_dir")
    state = genesis_state(genesis)
    batch = state_puts(dict(state))
    batch.update((PAGE + key, page) for key, page in tree.rebuild(state.items()).records())
    batch[TIP_KEY] = encode([0, CompactRange().encode()])
    batch[VERSION_KEY] = LAYOUT_VERSION
    batch[GENESIS_KEY] = genesis.id
    store.write(batch, sync=True)


def read_tip(store: Reader, genesis: Genesis) -> tuple[Tip, CompactRange, tuple[bytes, ...]]:
    """The tip, the history up to it, and its last leaves below the tip, of which the order of the next block is drawn.

    Raises `StoreDamaged` if they do not fit each other.
    """
    height, encoded = read_list(store.get(TIP_KEY) or b"", "tip", 2)
    try:
        history = CompactRange.decode(encoded)
    except ProofError as error:
        raise StoreDamaged(f"the stored history: {error}") from error
    if type(height) is not int or history.size != height:
        raise StoreDamaged(f"the stored tip is at height {height}, the history has {history.size} headers")
    if height == 0:
        root = tree.rebuild(genesis_state(genesis).items()).root
        tip = Tip(
            height=0,
            block_hash=genesis.id,
            header=None,
            certificate=None,
            state_root=root,
            timestamp_ms=genesis.created_ms,
        )
        return tip, history, ()
    record = HeightRecord.decode(store.get(at_height(HEIGHT, height)) or b"")
    try:
        header = Header.decode(record.header)
        certificate = Certificate.from_value(decode(record.certificate))
        verify_header(genesis.id, set_at(store, genesis, height), header, certificate)
    except (ConsensusError, CodecError) as error:
        raise StoreDamaged(f"the stored tip at height {height}: {error}") from error
    if header.height != height or header.hash != record.block_hash:
        raise StoreDamaged(f"the stored tip at height {height} names another block")
    older, recent = read_history(store, height - 1)
    below = reduce(CompactRange.append, recent, older)
    if below.root() != header.history_root or below.append(entry_hash(header.hash)) != history:
        raise StoreDamaged(f"height {height}: the history on disk is not the one the header names")
    tip = Tip(
        height=height,
        block_hash=header.hash,
        header=header,
        certificate=certificate,
        state_root=header.state_root,
        timestamp_ms=header.timestamp_ms,
    )
    return tip, history, recent


def read_history(reader: Reader, size: int) -> tuple[CompactRange, tuple[bytes, ...]]:
    """The log of the first `size` headers: its last leaves, up to `DRAWN_FROM`, and what is older as a range.

    Raises `StoreDamaged` if a node of it is missing.
    """
    older = max(0, size - DRAWN_FROM)
    starts = [(level, (older >> level + 1) << 1) for level in reversed(range(older.bit_length())) if older >> level & 1]
    peaks = tuple([_history_node(reader, level, index) for level, index in starts])
    return CompactRange(older, peaks), tuple([_history_node(reader, 0, index) for index in range(older, size)])


def _history_node(reader: Reader, level: int, index: int) -> bytes:
    node = reader.get(log_key(level, index))
    if node is None:
        raise StoreDamaged(f"a node of the history (level {level}, index {index}) is missing on disk")
    return node
