"""Receipts: what became of each operation. One per operation, refusals included, in order over the whole block.

The receipts of a block are the leaves of its results root, so each is provable like any other entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from registry.codec import DIGEST_SIZE, decode, encode
from registry.errors import FieldError
from registry.limits import OPERATIONS_MAX, RELATED_MAX
from registry.reasons import OK, REASONS

__all__ = ["Receipt"]

RECEIPT_BYTES_MAX = 64 + (RELATED_MAX + 2) * (DIGEST_SIZE + 2)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The outcome of one operation of a finalised transaction.

    `transaction` is the transaction's id, `operation` the index in it, `code` "ok" or a code of `registry.reasons`.
    `subject` is the id of the receivable, claim or proposal that was created, changed or refused (empty when the
    refused operation would have created it). `related` names what the code is about: matching receivables of a
    registration, matches not acknowledged by a funding, the record and claims in the way of a refused one.
    """

    transaction: bytes
    operation: int
    code: str
    subject: bytes = b""
    related: tuple[bytes, ...] = ()

    @property
    def done(self) -> bool:
        """Whether the operation took effect."""
        return self.code == OK

    def encode(self) -> bytes:
        """Canonical [transaction, operation, code, subject, related]."""
        return encode([self.transaction, self.operation, self.code, self.subject, self.related])

    @classmethod
    def decode(cls, data: bytes) -> Receipt:
        """The receipt of these bytes. Raises `CodecError` or `FieldError` for anything else."""
        value = decode(data, size_max=RECEIPT_BYTES_MAX)
        if type(value) is not list or len(value) != 5:
            raise FieldError("receipt", "is a list of five fields")
        transaction, operation, code, subject, related = value
        if not _is_id(transaction):
            raise FieldError("receipt.transaction", "is a 32-byte id")
        if type(operation) is not int or not 0 <= operation < OPERATIONS_MAX:
            raise FieldError("receipt.operation", f"is an index below {OPERATIONS_MAX}")
        if type(code) is not str or code not in REASONS:
            raise FieldError("receipt.code", "is a known reason code")
        if subject != b"" and not _is_id(subject):
            raise FieldError("receipt.subject", "is a 32-byte id or empty")
        if type(related) is not list or len(related) > RELATED_MAX or not all(map(_is_id, related)):
            raise FieldError("receipt.related", f"is a list of at most {RELATED_MAX} ids")
        ids = cast("list[bytes]", related)
        return cls(cast("bytes", transaction), operation, code, cast("bytes", subject), tuple(ids))


def _is_id(value: object) -> bool:
    return type(value) is bytes and len(value) == DIGEST_SIZE
