"""Transactions that wait for a block, in the order they came. Bounded, single-threaded, nothing on disk.

What is in here has been opened (every signature verified) and comes from registered parties. A client repeats what is
lost with the process: submissions are idempotent.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from consensus.blocks import BLOCK_SIZE_MAX, TRANSACTIONS_MAX
from registry.errors import TransactionError
from registry.limits import OPERATIONS_MAX
from registry.transactions.envelope import Transaction

__all__ = ["CODES", "OPERATIONS_TAKEN_MAX", "Bounds", "Mempool"]

# What one block should hold so that all nodes have checked it well before a view of one second times out; genesis may
# allow far more. Not less than the operations of one transaction, or the largest would never get in.
OPERATIONS_TAKEN_MAX = OPERATIONS_MAX

CODES = {
    "duplicate_pending": "The same transaction is waiting already.",
    "mempool_full": "Too many transactions wait for a block: try again later, or at another node.",
    "sender_full": "Too many transactions of this sender wait for a block: wait for some of them to become final.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much may wait: transactions and bytes of all senders, transactions of one (its primary signing key)."""

    transactions_max: int = 20_000
    bytes_max: int = 64 * 1024 * 1024
    per_sender_max: int = 10_000


class Mempool:
    """First come, first served, within the bounds."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._waiting: dict[bytes, Transaction] = {}
        self._by_sender: dict[bytes, int] = {}
        self._earliest_ms = 0  # no waiting transaction expires before
        self.size_bytes = 0
        """Size of all that wait."""

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, transaction_id: object) -> bool:
        return transaction_id in self._waiting

    def get(self, transaction_id: bytes) -> Transaction | None:
        """The waiting transaction with this id."""
        return self._waiting.get(transaction_id)

    def add(self, transaction: Transaction) -> None:
        """Let it wait. Raises `TransactionError` with a code of `CODES`; then nothing has changed."""
        sender = transaction.signers[0]
        pending = self._by_sender.get(sender, 0)
        if transaction.id in self._waiting:
            raise TransactionError("duplicate_pending", "transaction", CODES["duplicate_pending"])
        if len(self._waiting) >= self._bounds.transactions_max:
            raise TransactionError("mempool_full", "transaction", CODES["mempool_full"])
        if self.size_bytes + len(transaction.wire) > self._bounds.bytes_max:
            raise TransactionError("mempool_full", "transaction", CODES["mempool_full"])
        if pending >= self._bounds.per_sender_max:
            raise TransactionError("sender_full", "signers[0]", CODES["sender_full"])
        if not self._waiting or transaction.valid_until_ms < self._earliest_ms:
            self._earliest_ms = transaction.valid_until_ms
        self._waiting[transaction.id] = transaction
        self._by_sender[sender] = pending + 1
        self.size_bytes += len(transaction.wire)

    def take(self, operations_max: int = OPERATIONS_TAKEN_MAX, bytes_max: int = BLOCK_SIZE_MAX) -> list[Transaction]:
        """The oldest transactions that together stay within the bounds of a block. They go on waiting until removed.

        One that does not fit any more ends the list: nobody overtakes by being small.
        """
        taken: list[Transaction] = []
        for transaction in self._waiting.values():
            operations_max -= len(transaction.operations)
            bytes_max -= len(transaction.wire)
            if operations_max < 0 or bytes_max < 0 or len(taken) == TRANSACTIONS_MAX:
                break
            taken.append(transaction)
        return taken

    def remove(self, transaction_ids: Iterable[bytes]) -> None:
        """Forget these, whether they wait or not: they are final, or were refused."""
        for transaction_id in transaction_ids:
            transaction = self._waiting.pop(transaction_id, None)
            if transaction is None:
                continue
            self.size_bytes -= len(transaction.wire)
            sender = transaction.signers[0]
            left = self._by_sender[sender] - 1
            if left:
                self._by_sender[sender] = left
            else:
                del self._by_sender[sender]

    def expire(self, timestamp_ms: int) -> list[bytes]:
        """Forget what no block after this time may hold, and return the ids."""
        if timestamp_ms <= self._earliest_ms or not self._waiting:
            return []
        expired = [each.id for each in self._waiting.values() if each.valid_until_ms < timestamp_ms]
        self.remove(expired)
        self._earliest_ms = min((each.valid_until_ms for each in self._waiting.values()), default=0)
        return expired
