"""The report that a transaction was kept out of the ledger (privacy.md 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from registry.codec import Value
from registry.errors import FieldError
from registry.keys import SIGNATURE_SIZE
from registry.limits import HEIGHT_MAX, INCLUSION_RECEIPTS_MAX
from registry.transactions.fields import Field, digest, integer, items, row, time_ms

__all__ = ["Given", "ReportExclusion"]


class Given(NamedTuple):
    """An inclusion receipt without what all receipts of the report share: consensus key, height, signature."""

    authority: bytes
    height: int
    signature: bytes


def _given(value: Value, field: str) -> Given:
    authority, height, signature = row(value, field, width=3)
    if type(signature) is not bytes or len(signature) != SIGNATURE_SIZE:
        raise FieldError(f"{field}[2]", f"is a signature of {SIGNATURE_SIZE} bytes")
    return Given(digest(authority, f"{field}[0]"), integer(height, f"{field}[1]", low=0, high=HEIGHT_MAX), signature)


def _receipts(value: Value, field: str) -> tuple[Given, ...]:
    """Receipts of f + 1 authorities, each with its consensus key, the height and the signature."""
    return items(value, field, _given, most=INCLUSION_RECEIPTS_MAX)


@dataclass(frozen=True, slots=True)
class ReportExclusion:
    """A member shows inclusion receipts of f + 1 authorities for a transaction that is in no block since.

    `transaction` is its id, `valid_until_ms` its own, which each receipt names.
    """

    NAME: ClassVar = "report_exclusion"
    FIELDS: ClassVar = (
        Field("transaction", digest),
        Field("valid_until_ms", time_ms),
        Field("receipts", _receipts),
    )

    transaction: bytes
    valid_until_ms: int
    receipts: tuple[Given, ...]
