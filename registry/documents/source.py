"""Where a document comes from, and the small bounds that every reader applies to lists of references."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from registry.documents.errors import DocumentError, UnsafeDocument
from registry.documents.invoice import REFERENCES_MAX, Invoice

__all__ = ["Reading", "Source", "bounded", "order_numbers"]

Reading: TypeAlias = Invoice | DocumentError  # what one document turns into

_T = TypeVar("_T")

# what senders write where a field is mandatory and they have nothing (Peppol BIS 3: "NA" beside a sales order id)
_PLACEHOLDERS = frozenset({"NA", "N/A", "-", "--", "NONE"})


@dataclass(frozen=True, slots=True)
class Source:
    """`file`: the caller's name for it; `digest`: SHA-256 of its bytes; `container`: how the document sits in it."""

    file: str
    digest: bytes
    container: str


def bounded(found: Iterable[_T], *, file: str, element: str) -> tuple[_T, ...]:
    """`found`, each value once, in order. Raises `UnsafeDocument` beyond `REFERENCES_MAX`."""
    distinct = tuple(dict.fromkeys(found))
    if len(distinct) > REFERENCES_MAX:
        raise UnsafeDocument(file=file, element=element, reason=f"more than {REFERENCES_MAX} entries")
    return distinct


def order_numbers(found: Iterable[str]) -> Iterable[str]:
    """The order numbers among `found`: placeholders for "there is none" are left out."""
    return (number for number in found if number.upper() not in _PLACEHOLDERS)
