"""Tables that are no invoices (a pool's ledger, a financier's book): CSV or XLSX as texts by column."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from registry.documents.columns import ColumnMap
from registry.documents.errors import AmbiguousElement, BrokenDocument, UnsafeDocument
from registry.documents.reader import table_of
from registry.documents.tabular import COLUMNS_MAX

__all__ = ["Cells", "cells_of"]


@dataclass(frozen=True, slots=True)
class Cells:
    """`header`: the titles, trimmed and in lower case; `rows`: (row number as people see it, title -> text)."""

    header: tuple[str, ...]
    rows: Sequence[tuple[int, Mapping[str, str]]]


def cells_of(name: str, data: bytes, *, wanted: Collection[str], column_map: ColumnMap | None = None) -> Cells:
    """The table in a file; `wanted` are the titles looked for, in lower case. Raises `DocumentError`."""
    table = table_of(name, data, column_map or ColumnMap(), wanted)
    if len(table.header) > COLUMNS_MAX:
        raise UnsafeDocument(file=name, element="header", reason=f"more than {COLUMNS_MAX} columns")
    header = tuple(title.strip().casefold() for title in table.header)
    for title in wanted:
        if header.count(title) > 1:
            raise AmbiguousElement(file=name, element=f"column {title!r}", reason="stands more than once")
    if not table.rows:
        raise BrokenDocument(file=name, element="", reason="a table without rows")
    return Cells(header, [(number, dict(zip(header, row, strict=False))) for number, row in table.rows])
