"""The door of the package: bytes in, invoices of the common model or one error per document out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from registry.codec import digest
from registry.documents import (
    aec,
    archive,
    cii,
    delimited,
    dte,
    efapiao,
    efapiao_2019,
    evoucher,
    fatturapa,
    finvoice,
    ksef,
    nav,
    nfe,
    ofd,
    pdf,
    ubl,
    workbook,
    xml,
)
from registry.documents.columns import ColumnMap
from registry.documents.errors import BrokenDocument, DocumentError, UnsafeDocument, UnsupportedSyntax
from registry.documents.invoice import Invoice
from registry.documents.receivable import notices_of
from registry.documents.signals import derived_signals
from registry.documents.source import Reading, Source
from registry.documents.tabular import ROWS_MAX, Table, read_table
from registry.documents.xml import Cursor

__all__ = ["DOCUMENT_BYTES_MAX", "Reading", "invoices_of", "read", "read_each", "read_many", "table_of", "tables_of"]

DOCUMENT_BYTES_MAX = 20 * 1024 * 1024  # bytes of one file, of any syntax
FILE_NAME_CHARS_MAX = 1_000

# The reader of each syntax by the tags of its root elements.
_READERS: Mapping[str, Callable[[Cursor, Source], tuple[Invoice, ...]]] = MappingProxyType(
    {
        **dict.fromkeys(ubl.ROOTS, ubl.read),
        **dict.fromkeys(cii.DIALECTS, cii.read),
        **dict.fromkeys(efapiao.ROOTS, efapiao.read),
        **dict.fromkeys(efapiao_2019.ROOTS, efapiao_2019.read),
        **dict.fromkeys(evoucher.ROOTS, evoucher.read),
        **dict.fromkeys(nfe.ROOTS, nfe.read),
        **dict.fromkeys(ksef.ROOTS, ksef.read),
        **dict.fromkeys(nav.ROOTS, nav.read),
        **dict.fromkeys(fatturapa.ROOTS, fatturapa.read),
        **dict.fromkeys(dte.ROOTS, dte.read),
        **dict.fromkeys(aec.ROOTS, aec.read),
        **dict.fromkeys(finvoice.ROOTS, finvoice.read),
    }
)

_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_TABLE_SUFFIXES = (".csv", ".tsv")


def read(name: str, data: bytes, column_map: ColumnMap | None = None) -> tuple[Invoice, ...]:
    """Every invoice in the file, all or nothing: one for most e-invoices, one per row for a table.

    Raises the first `DocumentError` met. `column_map` is for tables whose headers are not our field names.
    """
    readings = tuple(read_each(name, data, column_map))
    for reading in readings:
        if isinstance(reading, DocumentError):
            raise reading
    return tuple(reading for reading in readings if isinstance(reading, Invoice))


def read_each(name: str, data: bytes, column_map: ColumnMap | None = None) -> Iterator[Reading]:
    """The invoices of the file as they come; where one cannot be read, its error. Never raises `DocumentError`.

    A bad row of a table does not stop the rows after it; a file that cannot be read at all yields one error.
    """
    try:
        for reading in _read_file(name[:FILE_NAME_CHARS_MAX], data, column_map):
            if isinstance(reading, Invoice):
                yield _completed(reading)
            else:
                yield reading
    except DocumentError as error:
        yield error


def read_many(files: Iterable[tuple[str, bytes]], column_map: ColumnMap | None = None) -> Iterator[tuple[str, Reading]]:
    """`read_each` over many (name, bytes), each reading with its file's name: one bad file stops nothing."""
    for name, data in files:
        for reading in read_each(name, data, column_map):
            yield name, reading


def tables_of(
    name: str, stream: delimited.Stream, column_map: ColumnMap, titles: Collection[str], *, rows_max: int = ROWS_MAX
) -> tuple[Source, Iterator[Table]]:
    """A table of any length, as a source and its rows as texts: a CSV in tables of `rows_max` rows under one header.

    A workbook is one table, and bounded as any document. The stream is read from its beginning, more than once. Raises
    `DocumentError`, the iterator too.
    """
    file = name[:FILE_NAME_CHARS_MAX]
    stream.seek(0)
    head = stream.read(len(archive.MAGIC))
    stream.seek(0)
    if head == archive.MAGIC:
        data = stream.read(DOCUMENT_BYTES_MAX + 1)
        return Source(file=file, digest=digest(data), container=""), iter([table_of(file, data, column_map, titles)])
    source = Source(file=file, digest=hashlib.file_digest(stream, "sha256").digest(), container="")
    stream.seek(0)
    return source, delimited.csv_tables(stream, source, column_map, titles, rows_max=rows_max)


def invoices_of(table: Table, source: Source, column_map: ColumnMap) -> Iterator[Reading]:
    """The invoices of a table, or an error, for each row in its order. Raises `DocumentError` for the whole."""
    for reading in read_table(table, source, column_map):
        yield _completed(reading) if isinstance(reading, Invoice) else reading


def table_of(name: str, data: bytes, column_map: ColumnMap, titles: Collection[str]) -> Table:
    """The rows of a CSV or XLSX file as texts, for tables that hold no invoices but columns of these `titles`.

    Raises `DocumentError`.
    """
    file = name[:FILE_NAME_CHARS_MAX]
    if len(data) > DOCUMENT_BYTES_MAX:
        raise UnsafeDocument(file=file, element="", reason=f"{len(data)} bytes, at most {DOCUMENT_BYTES_MAX}")
    source = Source(file=file, digest=digest(data), container="")
    if data.startswith(archive.MAGIC):
        if workbook.ENTRY not in archive.member_names(data, file=file):
            raise UnsupportedSyntax(file=file, element="", reason="a ZIP archive that is no workbook")
        return workbook.xlsx_table(data, source, column_map)
    return delimited.csv_table(data, source, column_map, titles)


def _read_file(file: str, data: bytes, column_map: ColumnMap | None) -> Iterator[Reading]:
    if len(data) > DOCUMENT_BYTES_MAX:
        raise UnsafeDocument(file=file, element="", reason=f"{len(data)} bytes, at most {DOCUMENT_BYTES_MAX}")
    if not data.strip():
        raise BrokenDocument(file=file, element="", reason="empty")
    source = Source(file=file, digest=digest(data), container="")
    if pdf.MAGIC in data[:1024]:
        name, inner = pdf.extract_xml(data, file=file)
        yield from _read_xml(inner, replace(source, container=f"pdf:{name}"))
    elif data.startswith(archive.MAGIC):
        yield from _read_archive(data, source, column_map)
    elif _looks_like_xml(data):
        yield from _read_xml(data, source)
    elif column_map is not None or file.lower().endswith(_TABLE_SUFFIXES):
        yield from delimited.read_csv(data, source, column_map or ColumnMap())
    else:
        raise UnsupportedSyntax(file=file, element="", reason="neither XML, PDF, OFD, XLSX nor CSV")


def _looks_like_xml(data: bytes) -> bool:
    head = data[:256]
    for bom in _BOMS:
        head = head.removeprefix(bom)
    return head.replace(b"\0", b"").lstrip().startswith(b"<")


def _read_archive(data: bytes, source: Source, column_map: ColumnMap | None) -> Iterator[Reading]:
    names = archive.member_names(data, file=source.file)
    if ofd.ENTRY in names:
        name, inner = ofd.extract_xml(data, file=source.file)
        yield from _read_xml(inner, replace(source, container=f"ofd:{name}"))
    elif workbook.ENTRY in names:
        yield from workbook.read(data, source, column_map or ColumnMap())
    else:
        reason = "a ZIP archive that is neither a workbook nor an OFD document"
        raise UnsupportedSyntax(file=source.file, element="", reason=reason)


def _read_xml(data: bytes, source: Source) -> tuple[Invoice, ...]:
    root = xml.parse(data, file=source.file)
    read_root = _READERS.get(root.tag)
    if read_root is None:
        reason = f"XML with the root {root.tag[:200]}, which is not read here"
        raise UnsupportedSyntax(file=source.file, element=root.path, reason=reason)
    return read_root(root, source)


def _completed(invoice: Invoice) -> Invoice:
    """With what follows from the common model: the same signals and warnings for every syntax."""
    told = replace(invoice, signals=invoice.signals + derived_signals(invoice))
    return replace(told, warnings=told.warnings + notices_of(told))
