"""A financier's book as a table (CSV or XLSX), and a break report as one."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from clients.reconciliation import Break, Entry
from registry.documents import BadValue, ColumnMap, DateOrder, DocumentError, MissingElement
from registry.documents.dates import DateError, parse_local
from registry.documents.delimited import Stream
from registry.documents.errors import AmbiguousElement, BrokenDocument
from registry.documents.reader import tables_of
from registry.money import WHOLE
from registry.records import CLAIM_STATES

__all__ = ["BREAK_COLUMNS", "COLUMNS", "SHARES", "break_row", "breaks_xlsx", "read_book", "share_of"]

COLUMNS = ("claim", "receivable", "share", "state", "holder", "date")
ROWS_AT_A_TIME = 5_000  # in memory as texts, of a CSV
BREAK_COLUMNS = ("kind", "claim", "receivable", "place", "here", "there")

PARTS_MIN = 10_001  # a smaller bare number was rather meant in percent, or in basis points
SHARES = f"a share is a percentage such as 80%, or {PARTS_MIN} to {WHOLE} parts"

_ID = re.compile("[0-9a-f]{64}")
_DECIMALS = len(str(WHOLE // 100)) - 1  # of a percentage that is a whole number of parts
_PERCENT = re.compile(rf"([0-9]{{1,3}})(?:[.,]([0-9]{{1,{_DECIMALS}}}))?\s*%")


def share_of(text: str) -> int | None:
    """A share as parts of WHOLE, or a percentage such as "80%" or "12.5%"; None if it is neither.

    A bare 1 or 80 is neither: as parts it would be next to nothing, which "0.0000000001%" says if it is meant.
    """
    found = _PERCENT.fullmatch(text)
    if found:
        parts = int(found[1]) * (WHOLE // 100) + int((found[2] or "").ljust(_DECIMALS, "0"))
    else:
        parts = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(WHOLE)) else 0
        parts = parts if parts >= PARTS_MIN else 0
    return parts if 1 <= parts <= WHOLE else None


def read_book(name: str, stream: Stream, *, date_order: DateOrder = DateOrder.YEAR_MONTH_DAY) -> list[Entry]:
    """The entries of a book; its header names columns of `COLUMNS` in any order, others are passed over.

    `claim` or `receivable` must be there (ids in hex), the rest may be empty. Raises `DocumentError` naming file, row
    and column for the first cell that cannot be read: a book is compared whole or not at all.
    """
    _, tables = tables_of(name, stream, ColumnMap(date_order=date_order), COLUMNS, rows_max=ROWS_AT_A_TIME)
    entries = []
    for table in tables:
        places = _places(name, table.header)
        for number, cells in table.rows:
            row = {column: cells[place].strip() for column, place in places.items() if place < len(cells)}
            entries.append(_entry(name, number, row, date_order))
    return entries


def _places(file: str, header: Sequence[str]) -> dict[str, int]:
    titles = [title.strip().casefold() for title in header]
    for column in COLUMNS:
        if titles.count(column) > 1:
            raise AmbiguousElement(file=file, element=f"column {column!r}", reason="stands more than once")
    places = {column: titles.index(column) for column in COLUMNS if column in titles}
    if not places.keys() & {"claim", "receivable"}:
        raise MissingElement(file=file, element="column 'claim'", reason="neither it nor 'receivable' is there")
    return places


def break_row(found: Break) -> tuple[str, ...]:
    """A break as the cells of a table, in the order of `BREAK_COLUMNS`."""
    return (found.kind.value, found.claim.hex(), found.receivable.hex(), found.place, found.here, found.there)


def breaks_xlsx(breaks: Sequence[Break]) -> bytes:
    """The report as a workbook: one sheet, a bold header, texts only."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("breaks")

    def text(value: str) -> Any:
        """A cell of text, whatever it begins with: a book's words must not become formulas."""
        cell = WriteOnlyCell(sheet, value=value)
        cell.data_type = "s"
        return cell

    header = [text(column) for column in BREAK_COLUMNS]
    for cell in header:
        cell.font = Font(bold=True)
    sheet.append(header)
    for found in breaks:
        sheet.append([text(value) for value in break_row(found)])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _entry(file: str, number: int, row: Mapping[str, str], date_order: DateOrder) -> Entry:
    def bad(column: str, reason: str) -> DocumentError:
        return BadValue(file=file, element=f"row {number}, column {column!r}", reason=reason)

    ids: dict[str, bytes] = {}
    for column in ("claim", "receivable"):
        text = row.get(column, "").lower()
        if text and not _ID.fullmatch(text):
            raise bad(column, "64 hexadecimal digits are expected")
        ids[column] = bytes.fromhex(text)
    if not any(ids.values()):
        raise BrokenDocument(file=file, element=f"row {number}", reason="names neither a claim nor a receivable")
    share = share_of(row["share"]) if row.get("share") else None
    if row.get("share") and share is None:
        raise bad("share", SHARES)
    state = row.get("state", "").casefold()
    if state and state not in CLAIM_STATES:
        raise bad("state", f"is none of {', '.join(CLAIM_STATES)}")
    try:
        date = parse_local(row["date"], order=date_order) if row.get("date") else None
    except DateError as error:
        raise bad("date", error.reason) from error
    return Entry(**ids, share=share, state=state, holder=row.get("holder", ""), date=date, place=f"row {number}")
