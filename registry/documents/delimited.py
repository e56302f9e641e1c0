"""CSV and its kin as tables of texts: at most `ROWS_MAX` rows at a time, however long the file is."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Collection, Iterator
from itertools import chain
from typing import TypeAlias

from registry.documents.columns import FIELDS, ColumnMap
from registry.documents.errors import BrokenDocument, UnsafeDocument
from registry.documents.invoice import Notice, NoticeCode, Syntax
from registry.documents.source import Reading, Source
from registry.documents.tabular import ROWS_MAX, Table, read_table

__all__ = ["Stream", "csv_table", "csv_tables", "read_csv"]

ROW_CHARS_MAX = 1024 * 1024  # characters of one row, line breaks inside its quotes included
TABLE_CHARS_MAX = 20 * 1024 * 1024  # characters of the rows of one table, or a few more
CHUNK_BYTES = 1024 * 1024  # bytes decoded at a time to find out the encoding

Stream: TypeAlias = "io.BufferedReader | io.BytesIO"
"""A file, opened for reading its bytes, or the same in memory."""

_DELIMITERS = ",;\t|"


def read_csv(data: bytes, source: Source, column_map: ColumnMap) -> Iterator[Reading]:
    """The invoices of a CSV file, or an error for each row that cannot be read. Raises `DocumentError` for the file."""
    titles = {column_map.header_of(name) for name in FIELDS}
    yield from read_table(csv_table(data, source, column_map, titles), source, column_map)


def csv_table(data: bytes, source: Source, column_map: ColumnMap, titles: Collection[str]) -> Table:
    """The rows of a CSV file as texts; of the columns that `titles` name (lower case) it has some.

    Raises `DocumentError`.
    """
    tables = csv_tables(io.BytesIO(data), source, column_map, titles)
    table = next(tables)
    if next(tables, None) is not None:
        raise UnsafeDocument(file=source.file, element="", reason=f"more than {ROWS_MAX} rows below the header")
    return table


def csv_tables(
    stream: Stream, source: Source, column_map: ColumnMap, titles: Collection[str], *, rows_max: int = ROWS_MAX
) -> Iterator[Table]:
    """The rows of a CSV file of any length, in tables of at most `rows_max` rows under its one header: one at least.

    The stream is read twice, first for its encoding; of the rows one table's are in memory. Raises `DocumentError`.
    """
    encoding, notices = _encoding_of(stream, source.file, column_map)
    rows = _rows(stream, encoding, source.file, column_map.delimiter, titles)
    first = next(rows, None)
    if first is None:  # delimiters and nothing between them
        raise BrokenDocument(file=source.file, element="", reason="no cell has any text")
    header = first[1]
    piece: list[tuple[int, list[str]]] = []
    chars = 0
    for number, cells in rows:
        if len(piece) == rows_max or chars >= TABLE_CHARS_MAX:
            yield Table(Syntax.CSV, header, piece, notices)
            piece, chars = [], 0
        piece.append((number, cells))
        chars += sum(map(len, cells))
    yield Table(Syntax.CSV, header, piece, notices)


def _rows(
    stream: Stream, encoding: str, file: str, delimiter: str | None, titles: Collection[str]
) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not blank, each with the number of its last line in the file."""
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    left = ROW_CHARS_MAX

    def lines() -> Iterator[str]:
        nonlocal left
        while line := text.readline(left + 1):
            left -= len(line)
            if left < 0:
                raise UnsafeDocument(file=file, element="", reason=f"a row of more than {ROW_CHARS_MAX} characters")
            yield line

    try:
        blank = 0
        for header in lines():
            left = ROW_CHARS_MAX
            if header.strip():
                break
            blank += 1
        else:
            raise BrokenDocument(file=file, element="", reason="empty")
        marked = delimiter or _sniff_delimiter(header, titles)
        reader = csv.reader(chain([header], lines()), delimiter=marked, strict=True)
        try:
            for cells in reader:
                left = ROW_CHARS_MAX
                if any(cell.strip() for cell in cells):
                    yield blank + reader.line_num, cells
        except csv.Error as error:
            raise BrokenDocument(file=file, element=f"row {blank + reader.line_num}", reason=str(error)) from error
    finally:
        if not stream.closed:
            text.detach()  # the stream is the caller's to close


def _encoding_of(stream: Stream, file: str, column_map: ColumnMap) -> tuple[str, tuple[Notice, ...]]:
    """The stated encoding, else a byte order mark, else UTF-8, else Windows-1252 with a warning."""
    encoding = column_map.encoding
    head = stream.read(len(codecs.BOM_UTF8))
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif head.startswith(codecs.BOM_UTF8):
        encoding = "utf-8-sig"
    elif encoding == "utf-16":
        encoding = "utf-16-le"  # without a mark, as Windows has it
    reason = _undecodable(stream, encoding or "utf-8")
    if reason is None:
        return encoding or "utf-8", ()
    if encoding is not None:
        raise BrokenDocument(file=file, element="", reason=f"not {encoding}: {reason}")
    text = "neither UTF-8 nor marked otherwise, read as Windows-1252: state the encoding if names look wrong"
    guessed = "cp1252" if _undecodable(stream, "cp1252") is None else "latin-1"
    return guessed, (Notice(NoticeCode.ENCODING_GUESSED, "", text),)


def _undecodable(stream: Stream, encoding: str) -> str | None:
    """Why the whole stream is not in this encoding, None if it is; the stream is at its beginning afterwards."""
    decoder = codecs.getincrementaldecoder(encoding)()
    stream.seek(0)
    try:
        while chunk := stream.read(CHUNK_BYTES):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return error.reason
    finally:
        stream.seek(0)
    return None


def _sniff_delimiter(header: str, titles: Collection[str]) -> str:
    """The delimiter under which most of the header's cells are columns that we know."""
    wanted = set(titles)

    def known(delimiter: str) -> int:
        return len(wanted & {cell.strip(' "').casefold() for cell in header.strip().split(delimiter)})

    return max(_DELIMITERS, key=known)
