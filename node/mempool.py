"""Transactions that wait for a block. Bounded, fair to each party, on no disk; of one thread but for `get` and `in`.

What is in here has been opened (every signature verified) and comes from registered parties. A client repeats what is
lost with the process: submissions are idempotent.

**Who counts.** A transaction counts for the party of its first signer, who has agreed to that by signing it. Not for
the key: a party may have eight of them at a time and add others, so that it could multiply itself for nothing. Parties
are admitted by authorities and cost an identity; whoever has two of them has two shares.

**Turns.** Start-time fair queueing: each party has a number, the cost of what it has had in blocks, and whose number is
lowest is next; a transaction costs its operations, or what it takes of a block's bytes if that is more. Who comes when
others are waiting begins with the lowest number there is. So:

- before the first transaction of a party that had nothing yet, `take` has at most one of every other party;
- `take` always has the first one, so each block takes some: with p parties waiting, a newcomer's first transaction is
  in one of the next p blocks of those who know of it, however much the others send and whatever they put into it, at
  heights none of whose proposals with it has failed (see below);
- of two parties that wait all the time, neither has had more than one transaction's cost more than the other;
- transactions of one party keep the order in which they came.

What stood in a proposal that did not become final (`take(behind=...)`) comes after all others, for that height: if it
was what took so long, the next leader's block is one without it. A leader that fails with it on purpose so delays it,
by a height in each of its turns.

**Room.** See `fairness.Room`: a party may hold as much as is left free. A flood fills half of the pool and is refused
from then on; whoever else comes finds the other half.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from consensus.blocks import BLOCK_SIZE_MAX, TRANSACTIONS_MAX
from node.fairness import Room
from registry.errors import TransactionError
from registry.limits import OPERATIONS_MAX
from registry.transactions.envelope import Transaction

__all__ = ["CODES", "OPERATIONS_TAKEN_MAX", "Bounds", "Mempool"]

# What one block should hold so that all nodes have checked it well before a view of one second times out; genesis may
# allow far more. Not less than the operations of one transaction, or the largest would never get in.
OPERATIONS_TAKEN_MAX = OPERATIONS_MAX
BYTES_PER_OPERATION = BLOCK_SIZE_MAX // OPERATIONS_TAKEN_MAX  # of a block that is full both ways

CODES = {
    "duplicate_pending": "The same transaction is waiting already.",
    "mempool_full": "Too many transactions wait for a block: try again later, or at another node.",
    "sender_full": "Too many transactions of this party wait for a block: wait for some of them to become final.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much may wait: transactions and bytes of all parties, transactions of one party."""

    transactions_max: int = 20_000
    bytes_max: int = 32 * 1024 * 1024
    per_sender_max: int = 10_000


@dataclass(slots=True)
class _Sender:
    """A party with something waiting: the cost of what it has had, and what waits, oldest first."""

    had: int
    waiting: dict[bytes, tuple[int, Transaction]] = field(default_factory=dict)


class Mempool:
    """Turns by party, first come, first served within a party, within the bounds."""

    def __init__(self, bounds: Bounds) -> None:
        self._count = Room(most=bounds.transactions_max, each_max=bounds.per_sender_max)
        self._bytes = Room(most=bounds.bytes_max, each_max=bounds.bytes_max)
        self._sender_of: dict[bytes, str] = {}
        self._senders: dict[str, _Sender] = {}
        self._had: dict[str, int] = {}  # of parties with nothing waiting that have had more than the least
        self._least = 0  # that any waiting party has had
        self._came = 0  # transactions ever let in
        self._earliest_ms = 0  # no waiting transaction expires before

    @property
    def size_bytes(self) -> int:
        """Size of all that wait."""
        return self._bytes.total

    def __len__(self) -> int:
        return len(self._sender_of)

    def __contains__(self, transaction_id: object) -> bool:
        return transaction_id in self._sender_of

    def get(self, transaction_id: bytes) -> Transaction | None:
        """The waiting transaction with this id. Any thread may ask, also while the pool changes."""
        sender = self._senders.get(self._sender_of.get(transaction_id, ""))
        found = None if sender is None else sender.waiting.get(transaction_id)
        return None if found is None else found[1]

    def add(self, transaction: Transaction, sender: str) -> None:
        """Let it wait; `sender` is the party of its first signer.

        Raises `TransactionError` with a code of `CODES`; then nothing has changed.
        """
        size = len(transaction.wire)
        if transaction.id in self._sender_of:
            raise TransactionError("duplicate_pending", "transaction", CODES["duplicate_pending"])
        if self._count.is_full(1) or self._bytes.is_full(size):
            raise TransactionError("mempool_full", "transaction", CODES["mempool_full"])
        if not (self._count.fits(sender, 1) and self._bytes.fits(sender, size)):
            raise TransactionError("sender_full", "signers[0]", CODES["sender_full"])
        if not self._sender_of or transaction.valid_until_ms < self._earliest_ms:
            self._earliest_ms = transaction.valid_until_ms
        if sender not in self._senders:
            self._senders[sender] = _Sender(max(self._least, self._had.pop(sender, 0)))
        self._came += 1
        self._senders[sender].waiting[transaction.id] = (self._came, transaction)
        self._sender_of[transaction.id] = sender
        self._count.take(sender, 1)
        self._bytes.take(sender, size)

    def take(
        self,
        operations_max: int = OPERATIONS_TAKEN_MAX,
        bytes_max: int = BLOCK_SIZE_MAX,
        *,
        behind: Collection[bytes] = (),
    ) -> list[Transaction]:
        """The next transactions, by turns, that together stay within the bounds. They go on waiting until removed.

        Those with the ids in `behind` come after all others. The first is there however large it is: a block of its own
        holds it. A later one that does not fit any more ends the list, and is among the next: nobody overtakes by being
        small.
        """
        taken: list[Transaction] = []
        turns: Iterable[Transaction] = self._by_turns()
        if behind:
            turns = sorted(turns, key=lambda transaction: transaction.id in behind)
        for transaction in turns:
            operations_max -= len(transaction.operations)
            bytes_max -= len(transaction.wire)
            if len(taken) == TRANSACTIONS_MAX or (taken and (operations_max < 0 or bytes_max < 0)):
                break
            taken.append(transaction)
        return taken

    def remove(self, transaction_ids: Iterable[bytes]) -> None:
        """Forget these, whether they wait or not: they are final, and count as what their parties have had."""
        for transaction_id in transaction_ids:
            sender = self._sender_of.get(transaction_id)
            if sender is not None:
                self._senders[sender].had += _cost(self._senders[sender].waiting[transaction_id][1])
                self._forget(transaction_id)
        self._settle()

    def expire(self, timestamp_ms: int) -> list[bytes]:
        """Forget what no block after this time may hold, and return the ids, by age."""
        if timestamp_ms <= self._earliest_ms or not self._sender_of:
            return []
        expired = [each.id for each in self._by_age() if each.valid_until_ms < timestamp_ms]
        for transaction_id in expired:
            self._forget(transaction_id)
        self._settle()
        self._earliest_ms = min((each.valid_until_ms for each in self._by_age()), default=0)
        return expired

    def _by_turns(self) -> Iterator[Transaction]:
        """All that wait, in the order in which blocks should have them."""
        turns = []
        for sender in self._senders.values():
            waiting = iter(sender.waiting.values())
            number, transaction = next(waiting)
            turns.append((sender.had, number, transaction, waiting))
        heapq.heapify(turns)  # numbers differ, so nothing behind them is compared
        while turns:
            had, _, transaction, waiting = turns[0]
            yield transaction
            following = next(waiting, None)
            if following is None:
                heapq.heappop(turns)
            else:
                heapq.heapreplace(turns, (had + _cost(transaction), *following, waiting))

    def _by_age(self) -> Iterator[Transaction]:
        return (self._senders[sender].waiting[id_][1] for id_, sender in self._sender_of.items())

    def _forget(self, transaction_id: bytes) -> None:
        name = self._sender_of.pop(transaction_id)
        sender = self._senders[name]
        _, transaction = sender.waiting.pop(transaction_id)
        self._count.give_back(name, 1)
        self._bytes.give_back(name, len(transaction.wire))
        if not sender.waiting:
            self._had[name] = sender.had
            del self._senders[name]

    def _settle(self) -> None:
        """Find the least that a waiting party has had, and forget who has had no more; all, once nobody waits."""
        self._least = min((sender.had for sender in self._senders.values()), default=0)
        if self._senders:
            self._had = {name: had for name, had in self._had.items() if had > self._least}
        else:
            self._had = {}


def _cost(transaction: Transaction) -> int:
    """What a transaction takes of a block, in operations."""
    return max(len(transaction.operations), -(-len(transaction.wire) // BYTES_PER_OPERATION))
