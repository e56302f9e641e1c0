"""A state that comes in parts, on its way into a store: begun, stored part by part, and made a chain.

While it is under way the store holds no chain (`Chain.open` refuses it). Every part is one synced batch with the mark
that it is there, so after a `kill -9` it goes on with what is missing. What this node has signed is never touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TypeVar, cast

from consensus.authorities import AuthoritySet
from consensus.messages import Decided
from node.authorities import stored_set
from node.errors import Inconsistent
from node.index import state_entries
from node.layout import (
    AUTHORITIES,
    BLOCK,
    CERTIFICATE,
    CHECKPOINT,
    CONSENSUS,
    EVIDENCE,
    FIRST_KEY,
    GENESIS_KEY,
    HEIGHT,
    JOINED_PART,
    JOINING,
    JOINING_KEY,
    LAYOUT_VERSION,
    PAGE,
    STATE,
    TIP_KEY,
    TRANSACTION,
    VERSION_KEY,
    VOTED,
    HeightRecord,
    Place,
    at_height,
    log_key,
    read_list,
    state_entry,
    state_puts,
)
from node.snapshots.manifest import Manifest, ManifestError, read_manifest
from node.store import Store
from registry.codec import encode
from registry.merkle import tree
from registry.merkle.log import CompactRange, completed_nodes, entry_hash
from registry.merkle.pages import PageCache
from registry.merkle.parts import Entry
from registry.transactions.envelope import read_payload, transaction_id

__all__ = ["Landing", "is_new"]

_NUMBER_BYTES = 4
_BATCH = 10_000  # keys deleted or indexed at a time
_OWN = (CONSENSUS, VOTED, EVIDENCE, CERTIFICATE, CHECKPOINT)
_T = TypeVar("_T")


def is_new(store: Store) -> bool:
    """Whether the store has no block yet: nothing, genesis only, or a state that is under way."""
    tip = store.get(TIP_KEY)
    return tip is None or read_list(tip, "tip", 2)[0] == 0


class Landing:
    """See the module. One thread at a time."""

    def __init__(self, store: Store, genesis_id: bytes, authorities: AuthoritySet) -> None:
        self._store = store
        self._genesis_id = genesis_id
        self._authorities = authorities
        self._pages = PageCache(lambda key: store.get(PAGE + key))
        self._height = 0
        """Whose state is under way; 0 before it is begun."""

    def unfinished(self) -> tuple[Manifest, frozenset[int]] | None:
        """The manifest that was begun, and the parts of it that are here."""
        stored = self._store.get(JOINING_KEY)
        if not stored:
            return None
        try:
            manifest = read_manifest(stored, self._genesis_id, self._authorities)
        except ManifestError as error:
            raise Inconsistent(f"the manifest on disk was verified before it was written: {error}") from error
        self._height = manifest.height
        size = len(JOINED_PART)
        return manifest, frozenset(int.from_bytes(key[size:], "big") for key, _ in self._store.scan(JOINED_PART))

    def begin(self, manifest: Manifest) -> None:
        """Forget everything but what was signed here, and keep the manifest."""
        self.clear()
        self._store.write({JOINING_KEY: manifest.encode()}, sync=True)
        self._height = manifest.height

    def clear(self) -> None:
        """Forget everything but what was signed here, so that the store can begin at genesis, or with a state."""
        mark: dict[bytes, bytes | None] = {JOINING_KEY: b"", GENESIS_KEY: None, TIP_KEY: None, VERSION_KEY: None}
        self._store.write(mark, sync=True)  # from here on this is no chain, whatever happens
        keys = (key for key, _ in self._store.scan(b"") if not key.startswith(_OWN) and key != JOINING_KEY)
        for some in _in_batches(keys):
            self._store.write(dict.fromkeys(some), sync=False)
        self._store.write({JOINING_KEY: None}, sync=True)
        self._pages = PageCache(lambda key: self._store.get(PAGE + key))

    def store_part(self, number: int, entries: tuple[Entry, ...]) -> None:
        """Make a verified part durable."""
        update = tree.update(self._pages, cast("Mapping[bytes, bytes | None]", dict(entries)))
        puts = state_puts(dict(entries))
        puts.update((PAGE + key, page) for key, page in update.records())
        puts[JOINED_PART + number.to_bytes(_NUMBER_BYTES, "big")] = b""
        self._store.write(puts, sync=True)
        self._pages.commit(update.pages)

    def keep(self, blocks: Iterable[Decided]) -> None:
        """Keep verified blocks with their certificates, and remember their transactions."""
        puts: dict[bytes, bytes | None] = {}
        for decided in blocks:
            assert decided.height <= self._height, "what is kept counts as executed, and this block is above the state"
            block = decided.block
            certificate = encode(decided.certificate.to_value())
            puts[at_height(BLOCK, decided.height)] = block.encode()
            puts[at_height(HEIGHT, decided.height)] = HeightRecord(
                block.hash, block.header.encode(), certificate
            ).encode()
            puts.update(self._places(decided))
        self._store.write(puts, sync=False)  # what makes a chain of all is synced, and comes after

    def finish(self, manifest: Manifest, first: int) -> None:
        """Make a chain of what is here, whose blocks begin at height `first`. Raises `Inconsistent`."""
        root = tree.root(self._pages)
        if root != manifest.header.state_root:
            raise Inconsistent("the parts of a state were verified one by one, but do not make its root")
        for some in _in_batches(state_entry(stored) for _, stored in self._store.scan(STATE)):
            self._store.write(dict(state_entries(some)), sync=False)
        header, history = manifest.header, manifest.older
        record = HeightRecord(header.hash, header.encode(), encode(manifest.certificate.to_value()))
        puts: dict[bytes, bytes | None] = dict(_peaks(history))
        for leaf in (*manifest.recent, entry_hash(header.hash)):
            puts.update((log_key(level, index), node) for level, index, node in completed_nodes(history, leaf))
            history = history.append(leaf)
        puts[at_height(HEIGHT, manifest.height)] = record.encode()
        for change in manifest.changes:
            certificate = encode(change.certificate.to_value())
            proof = HeightRecord(change.header.hash, change.header.encode(), certificate)
            puts[at_height(HEIGHT, change.header.height)] = proof.encode()
            puts[at_height(AUTHORITIES, change.header.height)] = stored_set(change.authorities)
        puts.update(dict.fromkeys(key for key, _ in self._store.scan(JOINING)))
        # Receipts and events come from execution, and begin above; the blocks below are for others that begin so.
        puts[FIRST_KEY] = encode([first, manifest.height + 1])
        puts[TIP_KEY] = encode([manifest.height, history.encode()])
        puts[VERSION_KEY] = LAYOUT_VERSION
        puts[GENESIS_KEY] = self._genesis_id
        self._store.write(puts, sync=True)

    def _places(self, decided: Decided) -> Iterator[tuple[bytes, bytes]]:
        """Where the transactions of a block are; a final block's are well formed and their signatures good."""
        first = 0
        for index, wire in enumerate(decided.block.transactions):
            payload = read_list(wire, "transaction", 2)[0]
            count = len(read_payload(payload, self._genesis_id)[4])
            yield TRANSACTION + transaction_id(payload), Place(decided.height, index, first, count).encode()
            first += count


def _peaks(history: CompactRange) -> Iterator[tuple[bytes, bytes]]:
    """The perfect subtrees of a range as nodes of the log: what later proofs need of the past."""
    start = 0
    peaks = iter(history.peaks)
    for level in reversed(range(history.size.bit_length())):
        if history.size >> level & 1:
            yield log_key(level, start >> level), next(peaks)
            start += 1 << level


def _in_batches(items: Iterator[_T]) -> Iterator[list[_T]]:
    while some := list(islice(items, _BATCH)):
        yield some
