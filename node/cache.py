"""What the ledger thread has seen lately: state values as stored, and transactions with verified signatures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice

from registry.transactions.envelope import Transaction, open_transaction

__all__ = ["OPENED_BYTES_MAX", "OPENED_MAX", "STATE_VALUES_MAX", "OpenedCache", "StateCache"]

STATE_VALUES_MAX = 32_768
OPENED_MAX = 32_768  # transactions
OPENED_BYTES_MAX = 16 * 1024 * 1024  # of their wires; decoded, batches take ten times that, singles fill a pool
_GIVEN_UP_PART = (
    8  # a full cache gives up an eighth at a time: finding a dict's oldest key costs what was deleted before it
)

Read = Callable[[bytes], bytes | None]


class StateCache:
    """Reads state values through `read` and keeps the ones used last. One thread at a time."""

    def __init__(self, read: Read, *, values_max: int = STATE_VALUES_MAX) -> None:
        self._read = read
        self._values_max = values_max
        self._values: dict[bytes, bytes] = {}  # oldest use first

    def get(self, key: bytes) -> bytes | None:
        """The committed value. What is absent is not remembered: most of it is asked for once."""
        value = self._values.pop(key, None)
        if value is None:
            value = self._read(key)
            if value is None:
                return None
        self._keep(key, value)
        return value

    def commit(self, writes: Mapping[bytes, bytes | None]) -> None:
        """Take over what the store has just made durable."""
        values = self._values
        for key, value in writes.items():
            values.pop(key, None)
            if value is not None:
                values[key] = value
        self._give_up()

    def _keep(self, key: bytes, value: bytes) -> None:
        self._values[key] = value
        if len(self._values) > self._values_max:
            self._give_up()

    def _give_up(self) -> None:
        while len(self._values) > self._values_max:
            for oldest in list(islice(self._values, 1 + self._values_max // _GIVEN_UP_PART)):
                del self._values[oldest]


class OpenedCache:
    """Opens transactions; the signatures of one are verified once, however often it comes by."""

    def __init__(self, chain_id: bytes, *, count_max: int = OPENED_MAX, bytes_max: int = OPENED_BYTES_MAX) -> None:
        self._chain_id = chain_id
        self._count_max = count_max
        self._bytes_max = bytes_max
        self._bytes = 0
        self._opened: dict[bytes, Transaction] = {}  # by wire, oldest first

    def open(self, wire: bytes) -> Transaction:
        """The transaction in these bytes. Raises `TransactionError`."""
        transaction = self._opened.get(wire)
        if transaction is None:
            transaction = open_transaction(wire, self._chain_id)
            self._keep(transaction)
        return transaction

    def _keep(self, transaction: Transaction) -> None:
        self._opened[transaction.wire] = transaction
        self._bytes += len(transaction.wire)
        while len(self._opened) > self._count_max or self._bytes > self._bytes_max:
            for oldest in list(islice(self._opened, 1 + len(self._opened) // _GIVEN_UP_PART)):
                del self._opened[oldest]
                self._bytes -= len(oldest)
