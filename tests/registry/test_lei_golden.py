"""GLEIF's golden copies: CSV and LEI-CDF XML as streams, only what is wanted looked into, bounded record by record."""

from __future__ import annotations

import csv
import io
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.documents.errors import BadValue, BrokenDocument, DocumentError, UnsafeDocument, UnsupportedSyntax
from registry.lei import LeiRecord, golden, read_golden_copy, read_lei_records
from tests.registry.test_lei import LEI, OTHER

RENEWAL = "2027-01-25T16:50:01Z"
NAMESPACE = "http://www.gleif.org/data/schema/leidata/2016"
COLUMNS = (
    "LEI",
    "Entity.LegalName",
    "Entity.LegalName.xmllang",
    "Entity.LegalAddress.Country",
    "Entity.EntityStatus",
    "Entity.SuccessorEntity.1.SuccessorLEI",
    "Registration.RegistrationStatus",
    "Registration.NextRenewalDate",
)
RECORD = LeiRecord(LEI, "天津出口有限公司", "CN", "ACTIVE", "ISSUED", 1_800_895_801_000, "")
MERGED = LeiRecord(OTHER, 'Einfuhr "Elbe" & Söhne, GmbH', "DE", "INACTIVE", "MERGED", 0, LEI)


def row(record: LeiRecord, **changes: str) -> list[str]:
    """The record as GLEIF's CSV has it; a name may go over several lines."""
    renewal = RENEWAL if record.next_renewal_ms else ""
    cells = (record.lei, record.name, "zh", record.country, record.entity_status, record.successor)
    said = dict(zip(COLUMNS, (*cells, record.registration_status, renewal), strict=True))
    return list((said | changes).values())


def as_csv(*rows: list[str], columns: tuple[str, ...] = COLUMNS) -> bytes:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([list(columns), *rows])
    return text.getvalue().encode()


def node(record: LeiRecord, inside: str = "") -> str:
    """The record as the Common Data File has it, with elements around it that nobody asks for."""
    name = record.name.replace("&", "&amp;")
    successor = f"<lei:SuccessorEntity><lei:SuccessorLEI>{record.successor}</lei:SuccessorLEI></lei:SuccessorEntity>"
    renewal = f"<lei:NextRenewalDate>{RENEWAL}</lei:NextRenewalDate>" if record.next_renewal_ms else ""
    return (
        f'<lei:LEIRecord><lei:LEI>{record.lei}</lei:LEI><lei:Entity><lei:LegalName xml:lang="zh">{name}</lei:LegalName>'
        f"<lei:OtherEntityNames><lei:OtherEntityName>X</lei:OtherEntityName></lei:OtherEntityNames>{inside}"
        f"<lei:LegalAddress><lei:City>Y</lei:City><lei:Country>{record.country}</lei:Country></lei:LegalAddress>"
        f"<lei:EntityStatus>{record.entity_status}</lei:EntityStatus>{successor if record.successor else ''}"
        f"</lei:Entity><lei:Registration><lei:RegistrationStatus>{record.registration_status}</lei:RegistrationStatus>"
        f"{renewal}</lei:Registration></lei:LEIRecord>"
    )


def as_xml(*nodes: str, before: str = "", root: str = "LEIData") -> bytes:
    header = "<lei:LEIHeader><lei:FileContent>GLEIF_FULL_PUBLISHED</lei:FileContent></lei:LEIHeader>"
    records = f"<lei:LEIRecords>{''.join(nodes)}</lei:LEIRecords>"
    body = f'<lei:{root} xmlns:lei="{NAMESPACE}">{header}{records}</lei:{root}>'
    return f'<?xml version="1.0" encoding="UTF-8"?>{before}{body}'.encode()


def read(data: bytes, *wanted: str) -> list[LeiRecord]:
    return list(read_golden_copy(io.BytesIO(data), file="golden", wanted=wanted or None))


BOTH = (as_csv(row(RECORD), row(MERGED)), as_xml(node(RECORD), node(MERGED)))


@pytest.mark.parametrize("data", BOTH)
def test_all_records_or_those_that_are_wanted(data: bytes) -> None:
    assert read(data) == [RECORD, MERGED]
    assert read(b"\xef\xbb\xbf" + data, OTHER) == [MERGED]
    assert read(data, "5493001KJTIIGC8Y1R12") == []


def test_a_record_reads_the_same_whatever_file_it_stands_in() -> None:
    from_json = (
        f'{{"data": {{"attributes": {{"lei": "{LEI}", "entity": {{"legalName": {{"name": "天津出口有限公司"}}, '
        f'"legalAddress": {{"country": "CN"}}, "status": "ACTIVE"}}, "registration": {{"status": "ISSUED", '
        f'"nextRenewalDate": "{RENEWAL}"}}}}}}}}'
    )
    found = {read_lei_records(from_json.encode(), file="x")[0].digest, *(read(data, LEI)[0].digest for data in BOTH)}
    assert found == {RECORD.digest}


def test_a_successor_of_the_older_csv_is_read() -> None:
    older = tuple(name.replace(".1.", ".") for name in COLUMNS)
    assert read(as_csv(row(MERGED), columns=older)) == [MERGED]
    without = tuple("Other" if "Successor" in name else name for name in COLUMNS)
    assert read(as_csv(row(MERGED), columns=without))[0].successor == ""


@pytest.mark.parametrize(
    ("data", "element"),
    [
        (as_csv(row(RECORD), row(MERGED, **{"Registration.RegistrationStatus": "FINE"})), "row 3, Registration"),
        (as_csv(row(RECORD, LEI="984500TJEXPORT000198")), "row 2, LEI"),
        (as_xml(node(RECORD), node(MERGED).replace("MERGED", "FINE")), "record 2/Registration/RegistrationStatus"),
    ],
)
def test_what_is_wrong_is_named_and_stops_only_who_wants_it(data: bytes, element: str) -> None:
    with pytest.raises(BadValue) as caught:
        read(data)
    assert caught.value.element.startswith(element)
    assert read(data, "5493001KJTIIGC8Y1R12") == []


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", UnsupportedSyntax),
        (b"%PDF-1.7", UnsupportedSyntax),
        (b'"LEI","Name"\n', UnsupportedSyntax),
        (as_csv(row(RECORD)[:-1]), BrokenDocument),
        (as_csv(row(RECORD)).replace("天".encode(), b"\xe5\xa4"), BrokenDocument),
        (as_csv(row(RECORD))[:-30] + b'"x', BrokenDocument),
        (as_xml(node(RECORD))[:-40], BrokenDocument),
        (as_xml(node(RECORD), root="Other"), UnsupportedSyntax),
        (as_xml(), UnsupportedSyntax),
        (as_xml(node(RECORD), before='<!DOCTYPE lei [<!ENTITY a "aaaa">]>'), UnsafeDocument),
    ],
)
def test_what_is_no_golden_copy_is_one_typed_error(data: bytes, error: type[DocumentError]) -> None:
    with pytest.raises(error) as caught:
        read(data)
    assert caught.value.file == "golden"


def test_a_record_and_a_file_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    much = "<lei:X>" + "a" * 1_000 + "</lei:X>"
    for data in (
        as_xml(node(RECORD, much * 1_200)),
        as_csv(row(RECORD, **{"Entity.LegalName": "a" * 1_200_000})),
        as_csv(row(RECORD)) + b'"' + b"a\n" * 600_000,
    ):
        with pytest.raises((UnsafeDocument, BrokenDocument)):
            read(data)
    monkeypatch.setattr(golden, "GOLDEN_BYTES_MAX", 100)
    for data in BOTH:
        with pytest.raises(UnsafeDocument, match="larger than 100 bytes"):
            read(data)


class Endless:
    """`count` times the same record, made while it is read; `grown` is by how much the process had grown at the end."""

    def __init__(self, before: bytes, record: bytes, count: int, after: bytes) -> None:
        self._parts: Iterator[bytes] = iter([before, *[record] * count, after])
        self._left = b""
        self._began = resident()
        self.grown = 0

    def read(self, size: int, /) -> bytes:
        while len(self._left) < size and (part := next(self._parts, b"")):
            self._left += part
        made, self._left = self._left[:size], self._left[size:]
        if not made:
            self.grown = resident() - self._began
        return made


STATM = Path("/proc/self/statm")


def resident() -> int:
    """Bytes of this process in memory, also those of libxml2."""
    return int(STATM.read_text().split()[1]) * resource.getpagesize()


@pytest.mark.parametrize("syntax", ["csv", "xml"])
def test_a_large_file_needs_no_more_memory_than_a_record(syntax: str) -> None:
    if not STATM.exists():
        pytest.skip(f"MEMORY NOT MEASURED: {STATM} is missing")
    count = 60_000
    if syntax == "csv":
        before, record, after = as_csv(row(MERGED)), as_csv(row(RECORD)).partition(b"\r\n")[2], b""
    else:
        (before, after), record = as_xml(node(MERGED), "|").split(b"|"), node(RECORD).encode()
    stream = Endless(before, record, count, after)
    assert list(read_golden_copy(stream, file="golden", wanted={OTHER})) == [MERGED]
    assert len(record) * count > 6_000_000
    assert stream.grown < 4_000_000
