"""A signed transaction on its way: known by its id, sent as often as need be, in effect once."""

from __future__ import annotations

from dataclasses import dataclass

from clients.errors import Rejected
from registry.errors import TransactionError
from registry.transactions.envelope import open_transaction

__all__ = ["Submission"]


@dataclass(frozen=True, slots=True)
class Submission:
    """What is sent: `wire` is the whole of it (worth keeping until the outcome is known), the rest follows from it.

    `transaction_id` is 32 bytes, `operations` their number.
    """

    wire: bytes
    transaction_id: bytes
    operations: int

    @classmethod
    def of(cls, wire: bytes, chain_id: bytes) -> Submission:
        """The submission of a signed transaction of this chain. Raises `Rejected` if it is none."""
        try:
            transaction = open_transaction(wire, chain_id)
        except TransactionError as error:
            raise Rejected(error.code, error.field, error.reason) from error
        return cls(wire, transaction.id, len(transaction.operations))
