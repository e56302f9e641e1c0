"""The chain and the pool as the event loop sees them: one thread does the work, results come back in order.

Blocks become final here and nowhere else, whether the engine decided them or they were fetched; whoever needs to know
listens.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from consensus.authorities import AuthoritySet
from consensus.blocks import Block
from node.authorities import MemberNode
from node.chain import CLOCK_TOLERANCE_MS, Chain, Committed, Tip
from node.clock import clock_ms
from node.errors import Inconsistent
from node.layout import TRANSACTION, read_state
from node.mempool import Mempool
from node.store import Store
from node.worker import Worker
from registry.errors import TransactionError
from registry.records import Misbehaviour, Network
from registry.transactions.envelope import Transaction

__all__ = ["Admitted", "Ledger", "Listener", "OnLedger", "Opened", "Pace", "Witness"]

VIEW_PART = 2  # a block should take this part of the first view's timeout, from building to commit
OPERATIONS_AT_FIRST = 250
OPERATIONS_LEAST = 32
CHANGE_MAX = 2.0  # factor, from one block to the next

Listener: TypeAlias = Callable[[Committed], None]
Witness: TypeAlias = Callable[[Tip, Tip], None]


@dataclass(frozen=True, slots=True)
class Admitted:
    """A transaction that may wait for a block, and the party that it counts for."""

    transaction: Transaction
    sender: str


@dataclass(frozen=True, slots=True)
class OnLedger:
    """A transaction that is final already: nothing is left to do for it."""

    id: bytes


Opened: TypeAlias = "Admitted | OnLedger | TransactionError"


class _Grown(NamedTuple):
    """A commit, and the chain right after it: when that is heard of, the ledger thread may be further on."""

    committed: Committed
    tip: Tip
    authorities: AuthoritySet
    members: tuple[MemberNode, ...]
    network: Network


class Pace:
    """How many operations this node puts into a block: as many as the network makes final in a part of a view.

    A block that takes longer than a view lasts is never notarized, and machines differ: so the time from building a
    block to its commit is measured, which has the work of all the others in it.
    """

    def __init__(self, *, base_ms: int, operations_max: int) -> None:
        self._target_s = base_ms / 1000 / VIEW_PART
        self._most = operations_max
        self._operations = min(OPERATIONS_AT_FIRST, operations_max)
        self._under_way: tuple[float, int] | None = None

    def operations_max(self) -> int:
        """Operations for the next block."""
        return self._operations

    def builds(self, operations: int, *, now_s: float) -> None:
        """A block with this many operations is being built; one under way has failed its view, and its time counts."""
        if self._under_way is None:
            self._under_way = (now_s, operations)

    def committed(self, *, now_s: float) -> None:
        """A block has become final: the one under way, or, if its view failed, another in its place."""
        if self._under_way is None:
            return
        since_s, operations = self._under_way
        self._under_way = None
        slower = (now_s - since_s) / self._target_s
        if slower > 1:
            self._operations = max(OPERATIONS_LEAST, int(self._operations / min(slower, CHANGE_MAX)))
        elif operations > self._operations / 2:  # a small block says nothing about a large one
            self._operations = min(self._most, int(self._operations * min(1 / slower, CHANGE_MAX)))


class Ledger:
    """The one door to the chain. Every method is called on the event loop and returns at once."""

    def __init__(self, *, store: Store, chain: Chain, pool: Mempool, worker: Worker, pace: Pace) -> None:
        self._store = store
        self._pace = pace
        self._chain = chain
        self._worker = worker
        self._listeners: list[Listener] = []
        self._witnesses: list[Witness] = []
        self._proposed: set[bytes] = set()  # what stood in blocks on the tip, none of which is final yet
        self.pool = pool
        self.tip: Tip = chain.tip
        """The newest final block whose commit has been heard of here."""
        self.authorities: AuthoritySet = chain.authorities
        """In force at the height above the tip."""
        self.members: tuple[MemberNode, ...] = chain.members
        """The nodes let in, as of the tip."""
        self.network: Network = chain.network
        """The network's record, as of the tip."""

    def listen(self, listener: Listener) -> None:
        """Call `listener` after each commit, in order of height."""
        self._listeners.append(listener)

    def witness(self, witness: Witness) -> None:
        """Call `witness(tip before, tip)` in the ledger's thread after each commit, before the next thing is done."""
        self._witnesses.append(witness)

    def build(self, *, proposer: bytes, then: Callable[[Block], None]) -> None:
        """Make a block on the tip of what is in the pool."""
        chain, now_ms = self._chain, clock_ms()
        transactions = self.pool.take(self._pace.operations_max(), behind=self._proposed)
        self._proposed.update(each.id for each in transactions)
        self._pace.builds(sum(len(each.operations) for each in transactions), now_s=time.monotonic())
        self._worker.do(lambda: chain.build(transactions, proposer=proposer, now_ms=now_ms), then)

    def check(self, block: Block, then: Callable[[str | None], None]) -> None:
        """Why somebody else's block is bad, or None; all but the clock rule."""
        chain = self._chain

        def checked(found: tuple[str | None, list[bytes]]) -> None:
            reason, transactions = found
            if block.header.height == self.tip.height + 1:
                self._proposed.update(each for each in transactions if each in self.pool)
            then(reason)

        self._worker.do(lambda: _checked(chain, block), checked)

    def commit(self, block: Block, certificate: bytes, *, puts: Mapping[bytes, bytes | None]) -> None:
        """Make a final block so on disk, together with `puts`."""
        self._worker.do(lambda: self._commit(block, certificate, puts), self._committed)

    def add_final(self, block: Block, certificate: bytes) -> None:
        """Commit a fetched block whose certificate was verified; nothing happens if it is final already."""
        self._worker.do(lambda: self._commit(block, certificate, {}), self._committed)

    def open(self, wires: Sequence[bytes], then: Callable[[list[Opened]], None]) -> None:
        """Open and verify transactions, and see whether they may wait here; one result each.

        `then` is called before any block that is committed after this, so that what it puts into the pool is removed
        again if that block has it. Verifying in a thread of its own was measured and is slower: what is verified beside
        other work hands the interpreter over twice for each signature, 1.7 times the processor time in all.
        """
        chain, now_ms = self._chain, clock_ms()
        self._worker.do(lambda: [_open(chain, wire, now_ms) for wire in wires], then)

    def forget_expired(self) -> None:
        """Drop from the pool what no block will hold: a silent chain has no block whose time would end it.

        A block as old as the tolerance is notarized by nobody, so what expired before that cannot become final any
        more, but in a block that was proposed already; and that one is not looked up in the pool.
        """
        self.pool.expire(max(self.tip.timestamp_ms, clock_ms() - CLOCK_TOLERANCE_MS))

    def is_accused(self, consensus_key: bytes) -> bool:
        """Whether the ledger has evidence against this key."""
        return read_state(self._store, Misbehaviour.PREFIX + consensus_key) is not None

    def is_final(self, transaction_id: bytes) -> bool:
        """Whether a final block has this transaction."""
        return self._store.get(TRANSACTION + transaction_id) is not None

    def _commit(self, block: Block, certificate: bytes, puts: Mapping[bytes, bytes | None]) -> _Grown | None:
        tip = self._chain.tip
        if tip.height >= block.header.height:  # fetched while the engine decided it, or the other way round
            if tip.height == block.header.height and tip.block_hash != block.hash:
                raise Inconsistent(f"two final blocks at height {tip.height}: the ledger has forked")
            if puts:
                self._store.write(puts, sync=True)
            return None
        committed = self._chain.commit(block, certificate, puts=puts)
        for witness in self._witnesses:
            witness(tip, self._chain.tip)
        return _Grown(committed, self._chain.tip, self._chain.authorities, self._chain.members, self._chain.network)

    def _committed(self, grown: _Grown | None) -> None:
        if grown is None:
            return
        committed, self.tip, self.authorities, self.members, self.network = grown
        self._pace.committed(now_s=time.monotonic())
        self._proposed.clear()
        self.pool.remove(committed.transactions)
        self.forget_expired()
        for listener in self._listeners:
            listener(committed)


def _checked(chain: Chain, block: Block) -> tuple[str | None, list[bytes]]:
    """Why a block is bad, or None and the ids of its transactions."""
    reason = chain.check(block, now_ms=None)
    return reason, [] if reason is not None else [chain.opened(wire).id for wire in block.transactions]


def _open(chain: Chain, wire: bytes, now_ms: int) -> Opened:
    try:
        transaction = chain.opened(wire)
        if chain.is_final(transaction.id):
            return OnLedger(transaction.id)
        return Admitted(transaction, chain.admitted(transaction, now_ms=now_ms))
    except TransactionError as error:
        return error
