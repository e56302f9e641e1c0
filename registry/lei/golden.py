"""GLEIF's golden copies and concatenated files: all LEI records of the world in one file, as CSV or as LEI-CDF XML.

Some three million records and several gigabytes, so a file is read as a stream: never more than one record of it is in
memory, and only records that are wanted are looked into. So another firm's broken record stops nobody.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator
from typing import Final, Protocol

from lxml import etree

from registry.documents.errors import BrokenDocument, UnsafeDocument, UnsupportedSyntax
from registry.lei.record import Element, LeiRecord, record_of

__all__ = ["GOLDEN_BYTES_MAX", "RECORD_BYTES_MAX", "Stream", "read_golden_copy"]

GOLDEN_BYTES_MAX: Final = 64 * 1024**3  # of one file, unpacked
RECORD_BYTES_MAX: Final = 1024 * 1024  # of one record, and of what stands before the first
_CHUNK: Final = 64 * 1024
_BOM: Final = b"\xef\xbb\xbf"

# The columns of LEI-CDF 3.1; before, a firm had one successor at most and no number stood in the name.
_LEI, _NAME, _COUNTRY = "LEI", "Entity.LegalName", "Entity.LegalAddress.Country"
_ENTITY, _REGISTRATION = "Entity.EntityStatus", "Registration.RegistrationStatus"
_RENEWAL = "Registration.NextRenewalDate"
_SUCCESSORS: Final = ("Entity.SuccessorEntity.1.SuccessorLEI", "Entity.SuccessorEntity.SuccessorLEI")
_NEEDED: Final = (_LEI, _NAME, _COUNTRY, _ENTITY, _REGISTRATION, _RENEWAL)


class Stream(Protocol):
    """Bytes to be read once, from the beginning: an opened file, or a member of an archive."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes; none at the end."""


def read_golden_copy(stream: Stream, *, file: str, wanted: Collection[str] | None = None) -> Iterator[LeiRecord]:
    """The records of these LEIs in a golden copy, or all of them, in the order of the file.

    Raises `documents.errors.DocumentError` naming file, element (the record's or row's number) and reason.
    """
    metered = _Metered(stream, file)
    begins = metered.peek().removeprefix(_BOM).lstrip()[:1]
    if begins == b"<":
        yield from _of_xml(metered, file, wanted)
    elif begins in (b'"', b"L"):
        yield from _of_csv(metered, file, wanted)
    else:
        raise UnsupportedSyntax(file=file, element="", reason="a golden copy is LEI-CDF XML, or CSV with its columns")


class _Metered(io.RawIOBase):
    """The stream, refusing to go on when a record, or the whole of it, is larger than it may be."""

    def __init__(self, stream: Stream, file: str) -> None:
        self._stream = stream
        self._file = file
        self._ahead = b""
        self._all = 0
        self._of_record = 0

    def readable(self) -> bool:
        return True

    def peek(self) -> bytes:
        """The first bytes, which are read again."""
        self._ahead = self._ahead or self._stream.read(_CHUNK)
        return self._ahead

    def record_done(self) -> None:
        """What is read from now on belongs to another record."""
        self._of_record = 0

    def read(self, size: int = -1, /) -> bytes:
        chunk = self._ahead or self._stream.read(_CHUNK if size < 0 else min(size, _CHUNK))
        chunk, self._ahead = (chunk, b"") if size < 0 else (chunk[:size], chunk[size:])
        self._all += len(chunk)
        self._of_record += len(chunk)
        if self._of_record > RECORD_BYTES_MAX + _CHUNK:
            raise UnsafeDocument(file=self._file, element="", reason=f"a record of over {RECORD_BYTES_MAX} bytes")
        if self._all > GOLDEN_BYTES_MAX:
            raise UnsafeDocument(file=self._file, element="", reason=f"larger than {GOLDEN_BYTES_MAX} bytes")
        return chunk

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        chunk = self.read(len(view))
        view[: len(chunk)] = chunk
        return len(chunk)


def _of_xml(metered: _Metered, file: str, wanted: Collection[str] | None) -> Iterator[LeiRecord]:
    events = etree.iterparse(
        metered,
        events=("end",),
        tag="{*}LEIRecord",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    number = 0
    try:
        for _, node in events:
            number += 1
            if number == 1:
                _check_root(node, file)
            found = _record_of_node(node, file, number, wanted)
            if found is not None:
                yield found
            _forget(node)
            metered.record_done()
    except (etree.XMLSyntaxError, LookupError, ValueError) as error:
        raise BrokenDocument(file=file, element=f"record {number + 1}", reason=f"not well-formed: {error}") from error
    if number == 0:
        raise UnsupportedSyntax(file=file, element="", reason="has no LEIRecord of an LEI Common Data File")


def _check_root(node: etree._Element, file: str) -> None:
    tree = node.getroottree()
    if tree.docinfo.internalDTD is not None:
        raise UnsafeDocument(file=file, element="", reason="document type declarations are not accepted")
    if etree.QName(tree.getroot()).localname != "LEIData":
        raise UnsupportedSyntax(file=file, element="", reason="the root of an LEI Common Data File is LEIData")


def _record_of_node(node: etree._Element, file: str, number: int, wanted: Collection[str] | None) -> LeiRecord | None:
    space = etree.QName(node).namespace

    def at(path: str) -> Element:
        steps = "/".join(f"{{{space}}}{step}" if space else step for step in path.split("/"))
        found = node.find(steps)
        return Element(file, f"record {number}/{path}", None if found is None else found.text)

    if wanted is not None and at("LEI").text() not in wanted:
        return None
    return record_of(
        lei=at("LEI"),
        name=at("Entity/LegalName"),
        country=at("Entity/LegalAddress/Country"),
        entity_status=at("Entity/EntityStatus"),
        registration_status=at("Registration/RegistrationStatus"),
        next_renewal=at("Registration/NextRenewalDate"),
        successor=at("Entity/SuccessorEntity/SuccessorLEI"),
    )


def _forget(node: etree._Element) -> None:
    """Free what has been read: the record, and whatever stands before it in its parent."""
    node.clear()
    parent = node.getparent()
    while parent is not None and node.getprevious() is not None:
        del parent[0]


def _of_csv(metered: _Metered, file: str, wanted: Collection[str] | None) -> Iterator[LeiRecord]:
    rows = csv.reader(_lines(metered), strict=True)
    header = _next(rows, file, 1) or []
    place = {name: column for column, name in enumerate(header)}
    missing = [name for name in _NEEDED if name not in place]
    if missing:
        raise UnsupportedSyntax(file=file, element="row 1", reason=f"has no column {missing[0]}")
    successor = next((name for name in _SUCCESSORS if name in place), "")
    number = 1
    while (row := _next(rows, file, number := number + 1)) is not None:
        metered.record_done()
        if row and len(row) != len(header):
            reason = f"has {len(row)} cells, the first row has {len(header)}"
            raise BrokenDocument(file=file, element=f"row {number}", reason=reason)
        if row and (wanted is None or row[place[_LEI]].strip() in wanted):
            yield _record_of_row(row, place, successor, file, number)


def _record_of_row(row: list[str], place: dict[str, int], successor: str, file: str, number: int) -> LeiRecord:
    def at(column: str) -> Element:
        return Element(file, f"row {number}, {column}", row[place[column]] or None)

    return record_of(
        lei=at(_LEI),
        name=at(_NAME),
        country=at(_COUNTRY),
        entity_status=at(_ENTITY),
        registration_status=at(_REGISTRATION),
        next_renewal=at(_RENEWAL),
        successor=at(successor) if successor else Element(file, f"row {number}", None),
    )


def _lines(metered: _Metered) -> Iterator[str]:
    text = io.TextIOWrapper(io.BufferedReader(metered, _CHUNK), encoding="utf-8-sig", newline="")
    while line := text.readline(RECORD_BYTES_MAX):
        yield line


def _next(rows: Iterator[list[str]], file: str, number: int) -> list[str] | None:
    """The next row; None at the end."""
    try:
        return next(rows, None)
    except (csv.Error, UnicodeDecodeError) as error:
        raise BrokenDocument(file=file, element=f"row {number}", reason=f"not CSV in UTF-8: {error}") from error
