"""Where a document comes from, and the small things that every reader does alike."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from registry.documents.errors import DocumentError, UnsafeDocument
from registry.documents.invoice import REFERENCES_MAX, Invoice, Notice, NoticeCode
from registry.documents.xml import Cursor

__all__ = ["Reading", "Source", "bounded", "last_due_date", "order_numbers"]

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


def last_due_date(
    node: Cursor, paths: Iterable[str], parse_date: Callable[[str], datetime.date]
) -> tuple[datetime.date | None, tuple[Notice, ...]]:
    """The day by which all is due: the last date at `paths`, with a warning if there are several."""
    found = {node.convert(path, text, parse_date): path for path in paths for text in node.texts(path)}
    if len(found) < 2:
        return max(found, default=None), ()
    text = ", ".join(str(day) for day in sorted(found))
    return max(found), (Notice(NoticeCode.SEVERAL_DUE_DATES, f"{node.path}/{found[max(found)]}", text),)
