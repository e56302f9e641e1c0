"""Tables that are no invoices (a pool's ledger, a financier's book): CSV or XLSX as texts by column."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from registry.codec import digest
from registry.documents.columns import ColumnMap
from registry.documents.errors import AmbiguousElement, BrokenDocument, UnsafeDocument
from registry.documents.reader import DOCUMENT_BYTES_MAX
from registry.documents.source import Source
from registry.documents.tabular import COLUMNS_MAX, csv_table
from registry.documents.workbook import sheet_table

__all__ = ["Cells", "cells_of"]

_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Cells:
    """`header`: the titles, trimmed and in lower case; `rows`: (row number as people see it, title -> text)."""

    header: tuple[str, ...]
    rows: Sequence[tuple[int, Mapping[str, str]]]


def cells_of(name: str, data: bytes, *, wanted: Collection[str], column_map: ColumnMap | None = None) -> Cells:
    """The table in a file; `wanted` are the titles looked for, in lower case. Raises `DocumentError`."""
    if len(data) > DOCUMENT_BYTES_MAX:
        raise UnsafeDocument(file=name, element="", reason=f"{len(data)} bytes, at most {DOCUMENT_BYTES_MAX}")
    source, columns = Source(file=name, digest=digest(data), container=""), column_map or ColumnMap()
    if data.startswith(_ZIP):
        table = sheet_table(data, source, columns)
    else:
        table = csv_table(data, source, columns, wanted=wanted)
    if len(table.header) > COLUMNS_MAX:
        raise UnsafeDocument(file=name, element="header", reason=f"more than {COLUMNS_MAX} columns")
    header = tuple(title.strip().casefold() for title in table.header)
    for title in wanted:
        if header.count(title) > 1:
            raise AmbiguousElement(file=name, element=f"column {title!r}", reason="stands more than once")
    if not table.rows:
        raise BrokenDocument(file=name, element="", reason="a table without rows")
    return Cells(header, [(number, dict(zip(header, row, strict=False))) for number, row in table.rows])
