"""XLSX through openpyxl: the cells of one sheet as the texts a careful person would have typed into a CSV."""

from __future__ import annotations

import datetime
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from openpyxl import load_workbook

from registry.documents.archive import opened
from registry.documents.columns import ColumnMap, DecimalMark
from registry.documents.errors import BrokenDocument, DocumentError, MissingElement, UnsafeDocument
from registry.documents.invoice import Syntax
from registry.documents.source import Reading, Source
from registry.documents.tabular import COLUMNS_MAX, ROWS_MAX, Table, read_table
from registry.documents.xml import DOCTYPE

__all__ = ["ENTRY", "read", "xlsx_table"]

ENTRY = "xl/workbook.xml"  # the member by which an archive is known for a workbook
CHUNK_BYTES = 1024 * 1024  # bytes looked at at a time
# "<" in the XML of an archive: what bounds the time and memory of openpyxl, which a few packed bytes would ask for.
SHEET_TAGS_MAX = 6_000_000  # in a sheet or in the table of texts: 100,000 rows of 15 cells
ROW_TAGS_MAX = 100_000  # in one row: all 16,384 cells that Excel knows, with formulas and values
PART_TAGS_MAX = 200_000  # in any other part: all 64,000 formats that Excel knows

_SHEETS, _TEXTS = "xl/worksheets/", "xl/sharedStrings.xml"
_ROW = re.compile(rb"<(?:[\w.-]{1,16}:)?row\b")  # where a row begins, whatever its prefix
_TAG_BYTES = 32  # longer than what is looked for
_ZERO_PADDED = re.compile(r"0{2,}")
# What a number format shows as it stands: "quoted", \escaped, _ and * with the character after them, [conditions].
_LITERAL = re.compile(r'"[^"]*"|[\\_*].|\[[^\]]*\]')


def read(data: bytes, source: Source, column_map: ColumnMap) -> Iterator[Reading]:
    """The invoices of a workbook, or an error for each row. Raises `DocumentError` for the file."""
    yield from read_table(xlsx_table(data, source, column_map), source, column_map)


def xlsx_table(data: bytes, source: Source, column_map: ColumnMap) -> Table:
    """The rows of one sheet as texts. Raises `DocumentError`."""

    _check_archive(data, source.file)
    try:
        rows = list(_rows(data, source.file, column_map))
    except DocumentError:
        raise
    # openpyxl answers damaged parts with whatever its code ran into, from KeyError to expat's errors
    except Exception as error:
        reason = f"damaged workbook: {type(error).__name__}: {error}"
        raise BrokenDocument(file=source.file, element="", reason=reason) from error
    if not rows:
        raise BrokenDocument(file=source.file, element="", reason="an empty sheet")
    return Table(Syntax.XLSX, rows[0][1], rows[1:], ())


def _check_archive(data: bytes, file: str) -> None:
    """Refuse what unpacks to too much, or whose XML declares entities or has too many tags, before it is read."""
    with opened(data, file=file) as archive:
        for member in archive.infolist():
            if not member.filename.endswith((".xml", ".rels", ".vml")):
                continue
            reason = _danger(archive, member)
            if reason:
                raise UnsafeDocument(file=file, element=member.filename, reason=reason)


def _danger(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> str:
    """Why the XML of a member, in any encoding, must not be parsed; looks at a little of it at a time."""
    is_sheet = member.filename.startswith(_SHEETS)
    most = SHEET_TAGS_MAX if is_sheet or member.filename == _TEXTS else PART_TAGS_MAX
    tail, tags, of_row = b"", 0, 0
    with archive.open(member) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            data = tail + chunk.replace(b"\0", b"")
            if DOCTYPE.search(data):
                return "document type declarations are not accepted"
            last = max(data.rfind(b"<"), 0)  # a tag that may not be whole waits for the next chunk
            counts = [part.count(b"<") for part in (_ROW.split(data[:last]) if is_sheet else [data[:last]])]
            tags += sum(counts) + len(counts) - 1
            counts[0] += of_row
            if tags > most:
                return f"more than {most} tags"
            if is_sheet and max(counts) > ROW_TAGS_MAX:
                return f"a row of more than {ROW_TAGS_MAX} tags"
            of_row = counts[-1]
            tail = data[last:][:_TAG_BYTES]
    return ""


def _rows(data: bytes, file: str, column_map: ColumnMap) -> Iterator[tuple[int, list[str]]]:
    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    try:
        sheet = _sheet(book.worksheets, file, column_map)
        for number, cells in enumerate(sheet.iter_rows(max_col=COLUMNS_MAX), start=1):
            if number > ROWS_MAX + 1:
                reason = f"more than {ROWS_MAX} rows below the header"
                raise UnsafeDocument(file=file, element=sheet.title, reason=reason)
            texts = [_text(cell, column_map.decimal_mark) for cell in cells]
            if any(texts):
                yield number, texts
    finally:
        book.close()


def _sheet(sheets: Sequence[Any], file: str, column_map: ColumnMap) -> Any:
    """The sheet that the map names, else the first one."""
    if column_map.sheet is None:
        return sheets[0]
    for sheet in sheets:
        if sheet.title == column_map.sheet:
            return sheet
    raise MissingElement(file=file, element=f"sheet {column_map.sheet!r}", reason="is missing")


def _text(cell: Any, mark: DecimalMark) -> str:
    """The cell as text: dates in ISO form, numbers with the table's decimal mark and the digits that Excel keeps (15).

    A number of more digits comes out in scientific notation, which the reader of the row then refuses. A cell formatted
    as a percentage comes out as one: the file holds 1 where people read 100% (ECMA-376 part 1, 18.8.31, the symbol %).
    """
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        return value.date().isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int) and _ZERO_PADDED.fullmatch(cell.number_format or ""):
        return str(value).zfill(len(cell.number_format))
    if "%" in _LITERAL.sub("", cell.number_format or ""):
        return f"{(Decimal(f'{value:.15g}') * 100).normalize():f}%".replace(".", mark.value)
    return f"{value:.15g}".replace(".", mark.value)
