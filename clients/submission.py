"""A signed transaction on its way: known by its id, sent as often as need be, in effect once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Protocol

from clients.errors import ClientError, Rejected
from registry.errors import TransactionError
from registry.transactions.envelope import open_transaction

__all__ = ["Keeper", "Submission", "submission_from_json", "submission_to_json"]

FORMAT = "nemodat-transaction-v1"


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


class Keeper(Protocol):
    """Who keeps submissions while their outcome is not known, so that they survive the end of the process."""

    def sending(self, submission: Submission) -> None:
        """It will be sent when this returns, and not if this raises."""

    def settled(self, submission: Submission) -> None:
        """Its outcome is known: there is nothing to resume."""


def submission_to_json(submission: Submission) -> str:
    """JSON text of a signed transaction, to keep until its outcome is known."""
    return json.dumps({"format": FORMAT, "transaction": submission.wire.hex()}, indent=1)


def submission_from_json(text: str, chain_id: bytes) -> Submission:
    """The submission in `submission_to_json`'s text. Raises `ClientError`, as `Submission.of` too."""
    try:
        value = json.loads(text)
        if value["format"] != FORMAT:
            raise ClientError(f"transaction: format: {FORMAT} is expected")
        wire = bytes.fromhex(value["transaction"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ClientError(f"not a transaction that was kept: {type(error).__name__}: {error}") from error
    return Submission.of(wire, chain_id)
