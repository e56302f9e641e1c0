"""What a node answers when it is asked: reads on one snapshot of the store, consistent with that snapshot's tip.

Results that leave the node are ready for JSON, bytes in lower-case hex, with whatever proves them: a receipt with its
path and its block's certificate, a state entry with its path and the tip's. The rest (lists, events) is what this node
says; whoever wants proof asks for the entries one by one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, takewhile
from threading import Lock
from typing import Any

from consensus.blocks import Header
from consensus.light import Change
from node.authorities import changes_after, set_of
from node.errors import NotFound, Pruned, StoreDamaged
from node.index import read_event
from node.layout import (
    BLOCK,
    CERTIFICATE,
    CLAIMS_OF,
    EVENTS,
    EVENTS_OF,
    HEIGHT,
    PAGE,
    PARTIES,
    RECEIPTS,
    RECEIVABLES_OF,
    TIP_KEY,
    TRANSACTION,
    HeightRecord,
    Place,
    at_height,
    family_prefix,
    first_kept,
    first_known,
    log_key,
    party_prefix,
    read_list,
    read_state,
)
from node.store import Reader
from registry.certificates import Finding, build_search_certificate, build_state_proof
from registry.codec import DIGEST_SIZE
from registry.events import Event
from registry.merkle.log import NodeReader, entry_hash, inclusion_proof, nodes_of
from registry.merkle.pages import PageCache
from registry.merkle.proofs import Proof, prove
from registry.state import NETWORK_KEY, print_key
from registry.transactions.envelope import transaction_id

__all__ = ["ITEMS_MAX", "Page", "View", "decided", "open_view"]

ITEMS_MAX = 200  # of one page of a list
RESULT_TREES_KEPT = 32  # blocks whose receipts are kept hashed: a block's receipts are asked for at about one time


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list: ids, and where to go on (None: that was all)."""

    ids: tuple[bytes, ...]
    after: bytes | None


@dataclass(frozen=True, slots=True)
class View:
    """The ledger as of `height`. `tip` is None before the first block: then there is state, but nothing to prove it."""

    reader: Reader
    height: int
    tip: HeightRecord | None
    pages: PageCache = field(repr=False)

    # --- blocks and transactions ------------------------------------------------------------------------------------

    def block(self, height: int) -> dict[str, Any]:
        """A final block: its header's fields, its transactions' ids, header and certificate. Raises `NotFound`."""
        record = self._record(height)
        header = Header.decode(record.header)
        return {
            "height": height,
            "block_hash": record.block_hash.hex(),
            "parent": header.parent.hex(),
            "proposer": header.proposer.hex(),
            "timestamp_ms": header.timestamp_ms,
            "transactions_root": header.transactions_root.hex(),
            "results_root": header.results_root.hex(),
            "state_root": header.state_root.hex(),
            "history_root": header.history_root.hex(),
            "transactions": self._transactions_at(height),
            "header": record.header.hex(),
            "finality": record.certificate.hex(),
        }

    def ancestry(self, height: int, within: int | None = None) -> dict[str, Any]:
        """The header of a height, proved by the one of `within`, or the newest. Raises `NotFound`, `Pruned`.

        `Pruned`: this node began with a state, and one of both is too old for that (`node.snapshots.manifest`).
        That one has it in its history, so it needs no certificate of its own, and no knowledge of the authorities that
        were in force then. A header is not in its own history: it proves itself.
        """
        newer = self._proved_by() if within is None else self._record(within)
        at = self.height if within is None else within
        old = self._record(height)
        if height > at:
            raise NotFound(f"block {height} is not in the history of block {at}")
        path = inclusion_proof(self._history_node, index=height - 1, size=at - 1) if height < at else ()
        return {
            "height": height,
            "ancestor": old.header.hex(),
            "path": [node.hex() for node in path],
            "header": newer.header.hex(),
            "finality": newer.certificate.hex(),
        }

    def is_final(self, transaction: bytes) -> bool:
        """Whether the transaction with this id is in a final block."""
        return self.reader.get(TRANSACTION + transaction) is not None

    def receipts(self, transaction: bytes) -> dict[str, Any]:
        """What became of a final transaction, every receipt with its path to the results root. Raises `NotFound`."""
        found = self.reader.get(TRANSACTION + transaction)
        if found is None:
            raise NotFound(f"no final transaction {transaction.hex()} is known here")
        place = Place.decode(found)
        record = self._record(place.height)
        header = Header.decode(record.header)
        results = _result_trees.get(header.results_root, lambda: self._stored(RECEIPTS, place.height))
        own = range(place.first_receipt, place.first_receipt + place.receipts)
        return {
            "transaction_id": transaction.hex(),
            "status": "final",
            "height": place.height,
            "block_hash": record.block_hash.hex(),
            "receipts": [results.proved(index) for index in own],
            "header": record.header.hex(),
            "finality": record.certificate.hex(),
        }

    def unknown(self, transaction: bytes) -> dict[str, Any]:
        """That no final transaction of this id is known here, and what that is worth.

        Of every block from `known_since_ms` (block time; 0: from genesis) on up to the header that is shown, all
        transactions are known; no header before block 1.
        """
        first = first_known(self.reader)
        since_ms = Header.decode(self._record(first).header).timestamp_ms if first > 1 else 0
        shown = {} if self.tip is None else {"header": self.tip.header.hex(), "finality": self.tip.certificate.hex()}
        return {"transaction_id": transaction.hex(), "status": "unknown", "known_since_ms": since_ms, **shown}

    # --- state ------------------------------------------------------------------------------------------------------

    def state(self, key: bytes) -> bytes | None:
        """The value under a state key (`registry.state`)."""
        return read_state(self.reader, key)

    def parties(self, *, after: bytes | None, limit: int = ITEMS_MAX) -> Page:
        """All parties, in the order of their ids."""
        return _page(self.reader, PARTIES, after=after, limit=limit)

    def state_proof(self, key: bytes) -> dict[str, Any]:
        """The value under a state key, or that there is none, with the proof. Raises `NotFound` before block 1."""
        tip = self._proved_by()
        return build_state_proof(
            key=key,
            value=self.state(key),
            proof=self._prove(key),
            height=self.height,
            header=tip.header,
            finality=tip.certificate,
        )

    def search(
        self, fingerprints: Sequence[tuple[str, bytes]], *, genesis_id: bytes, requester: str, purpose: str
    ) -> dict[str, Any]:
        """The search certificate for these fingerprints (kind, 32 bytes) as of the tip.

        Raises `registry.certificates.CertificateError` for a bad query, `NotFound` before block 1.
        """
        tip = self._proved_by()
        keys = [print_key(kind, fingerprint) for kind, fingerprint in fingerprints]
        return build_search_certificate(
            genesis_id=genesis_id,
            requester=requester,
            purpose=purpose,
            height=self.height,
            timestamp_ms=Header.decode(tip.header).timestamp_ms,
            findings=[
                Finding(kind, fingerprint, self.state(key), self._prove(key))
                for (kind, fingerprint), key in zip(fingerprints, keys, strict=True)
            ],
            header=tip.header,
            finality=tip.certificate,
            changes=[change.encode() for change in self._changes_below(self.height)],
        )

    def authorities(self) -> dict[str, Any]:
        """The set in force at the height above the tip, in the order in which they lead."""
        network = self.state(NETWORK_KEY)
        assert network is not None, "the state of a genesis has the network's record"
        members = [{"party": member.name, "consensus_key": member.public_key.hex()} for member in set_of(network)]
        return {"height": self.height + 1, "authorities": members}

    def changes(self, *, after: int, limit: int) -> dict[str, Any]:
        """The changes of the set at heights above `after`, oldest first; `next` goes into `after` for more."""
        found = list(islice(changes_after(self.reader, after), limit + 1))
        shown = found[:limit]
        more = shown[-1].header.height if len(found) > limit else None
        return {"changes": [change.encode().hex() for change in shown], "next": more}

    def _changes_below(self, height: int) -> Iterator[Change]:
        return takewhile(lambda change: change.header.height < height, changes_after(self.reader, 0))

    def issued_certificate(self, number: str) -> dict[str, Any]:
        """The search certificate with this number, if this node issued it and still has it. Raises `NotFound`."""
        data = self.reader.get(CERTIFICATE + number.encode())
        if data is None:
            raise NotFound(f"no certificate {number} is kept here")
        certificate: dict[str, Any] = json.loads(data)
        return certificate

    # --- lists ------------------------------------------------------------------------------------------------------

    def receivables_of(self, party: str, *, after: bytes | None = None, limit: int = ITEMS_MAX) -> Page:
        """Receivables that the party registered, or answered for as the debtor; ordered by id."""
        return _page(self.reader, party_prefix(RECEIVABLES_OF, party), after=after, limit=limit)

    def claims_of(self, party: str, *, after: bytes | None = None, limit: int = ITEMS_MAX) -> Page:
        """Claims that the party assigned, or that were offered or reassigned to it; ordered by id."""
        return _page(self.reader, party_prefix(CLAIMS_OF, party), after=after, limit=limit)

    def records_of(self, family: str, party: str, *, after: bytes | None = None, limit: int = ITEMS_MAX) -> Page:
        """Records of a family that are the party's own; ordered by id."""
        return _page(self.reader, party_prefix(family_prefix(family), party), after=after, limit=limit)

    def events_of(self, subject: bytes, *, limit: int = ITEMS_MAX) -> list[tuple[int, Event]]:
        """The events about a receivable, claim or proposal with their heights, oldest first."""
        found: list[tuple[int, Event]] = []
        blocks: dict[int, list[Event]] = {}
        for key, _ in self.reader.scan(EVENTS_OF + subject):
            if len(found) == min(limit, ITEMS_MAX):
                break
            place = key[len(EVENTS_OF) + DIGEST_SIZE :]
            height, number = int.from_bytes(place[:8], "big"), int.from_bytes(place[8:], "big")
            if height not in blocks:
                blocks[height] = self.events_at(height)
            found.append((height, blocks[height][number]))
        return found

    def events_at(self, height: int) -> list[Event]:
        """All events of a block, in order. Raises `Pruned`."""
        self._check_kept(height)
        data = self.reader.get(at_height(EVENTS, height))
        return [] if data is None else [read_event(row) for row in read_list(data, "events")]

    # --- inside -----------------------------------------------------------------------------------------------------

    def _record(self, height: int) -> HeightRecord:
        data = self.reader.get(at_height(HEIGHT, height)) if 0 < height <= self.height else None
        if data is None and 0 < height < first_kept(self.reader)[0]:
            raise Pruned(f"this node began at height {first_kept(self.reader)[0]}: ask an archive")
        if data is None:
            raise NotFound(f"no final block of height {height} is known here: the tip is at {self.height}")
        return HeightRecord.decode(data)

    def _stored(self, kind: bytes, height: int) -> bytes:
        data = self.reader.get(at_height(kind, height))
        if data is None:
            self._check_kept(height)
            raise StoreDamaged(f"height {height} is final, but part of it ({kind!r}) is missing on disk")
        return data

    def check_events(self, since: int) -> None:
        """Return if all events from height `since` on are here. Raises `Pruned`."""
        self._check_kept(max(1, since))

    def _check_kept(self, height: int) -> None:
        """Receipts and events of this height are kept. Raises `Pruned`."""
        first = first_kept(self.reader)[1]
        if height < first:
            raise Pruned(f"receipts and events are kept from height {first} on, not those of {height}: ask an archive")

    def _transactions_at(self, height: int) -> list[str] | None:
        """The ids of a block's transactions; None if its body is pruned."""
        if height < first_kept(self.reader)[0]:
            return None
        _, wires = read_list(self._stored(BLOCK, height), "block", 2)
        payloads = (read_list(wire, "transaction", 2)[0] for wire in wires)
        return [transaction_id(payload).hex() for payload in payloads]

    def _history_node(self, level: int, index: int) -> bytes:
        """A node of the log of header hashes. Raises `Pruned`: who began with a state has not all."""
        node = self.reader.get(log_key(level, index))
        if node is None:
            raise Pruned("this node began with a state, and cannot prove what is older by it: ask an archive")
        return node

    def _proved_by(self) -> HeightRecord:
        if self.tip is None:
            raise NotFound("no block is final yet: there is nothing to prove the state with")
        return self.tip

    def _prove(self, key: bytes) -> Proof:
        return prove(self.pages, key)


def open_view(reader: Reader) -> View:
    """A view on what `reader`, a snapshot of a node's store, shows. Raises `StoreDamaged`."""
    height, _ = read_list(reader.get(TIP_KEY) or b"", "tip", 2)
    record = reader.get(at_height(HEIGHT, height)) if height else None
    tip = None if record is None else HeightRecord.decode(record)
    return View(reader, height, tip, PageCache(lambda key: reader.get(PAGE + key)))


def decided(reader: Reader, height: int) -> tuple[bytes, bytes] | None:
    """The canonical bytes of the final block of a height and of its certificate, None if it is not known here."""
    record = reader.get(at_height(HEIGHT, height))
    block = reader.get(at_height(BLOCK, height))
    if record is None or block is None:
        return None
    return block, HeightRecord.decode(record).certificate


@dataclass(frozen=True, slots=True)
class _Results:
    receipts: list[bytes]
    nodes: NodeReader

    def proved(self, index: int) -> dict[str, Any]:
        """A receipt with its path."""
        path = inclusion_proof(self.nodes, index=index, size=len(self.receipts))
        return {
            "receipt": self.receipts[index].hex(),
            "index": index,
            "size": len(self.receipts),
            "path": [node.hex() for node in path],
        }


class _ResultTrees:
    """The newest results that were asked for, by their root, which names them: it is the same in any store."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[bytes, _Results] = {}

    def get(self, root: bytes, load: Callable[[], bytes]) -> _Results:
        """The results under a root; `load` gives their stored bytes if they are not at hand."""
        with self._lock:
            results = self._kept.get(root)
        if results is None:
            receipts = read_list(load(), "receipts")
            results = _Results(receipts, nodes_of([entry_hash(receipt) for receipt in receipts]))
            with self._lock:
                self._kept[root] = results
                if len(self._kept) > RESULT_TREES_KEPT:
                    del self._kept[next(iter(self._kept))]
        return results


_result_trees = _ResultTrees()


def _page(reader: Reader, prefix: bytes, *, after: bytes | None, limit: int) -> Page:
    """What follows `prefix` in up to `limit` keys behind `after`."""
    limit = min(limit, ITEMS_MAX)
    ids: list[bytes] = []
    for rest in _behind(reader, prefix, after):
        if len(ids) == limit:
            return Page(tuple(ids), ids[-1])
        ids.append(rest)
    return Page(tuple(ids), None)


def _behind(reader: Reader, prefix: bytes, after: bytes | None) -> Iterator[bytes]:
    start = None if after is None else prefix + after
    for key, _ in reader.scan(prefix, start=start):
        if key != start:
            yield key[len(prefix) :]
