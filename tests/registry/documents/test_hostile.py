"""Documents that attack the reader, or are damaged: one typed error that names the file, quickly, and nothing else."""

from __future__ import annotations

import io
import time
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest
from pypdf import PdfWriter

from registry.documents import (
    DOCUMENT_BYTES_MAX,
    AmbiguousElement,
    BadValue,
    BrokenDocument,
    DocumentError,
    MissingElement,
    UnsafeDocument,
    UnsupportedSyntax,
    read,
    read_each,
    read_many,
)
from registry.documents.archive import UNPACKED_BYTES_MAX
from registry.documents.xml import TAGS_MAX
from tests.registry.documents.builders import CSV_HEADER, CSV_ROW, cii, repacked, ubl, xlsx
from tests.registry.documents.national import ATTACHED, COMPLETE, dte, efapiao, fatturapa, finvoice, nfe, ofd

MEMORY_MAX = 80 * 1024 * 1024  # bytes of Python memory that refusing anything may take

BILLION_LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True))
    + "]>"
)


def refused(data: bytes, kind: type[DocumentError], name: str = "f.xml") -> DocumentError:
    with pytest.raises(kind) as error:
        read(name, data)
    assert error.value.file == name
    assert error.value.reason
    assert name in str(error.value)
    assert len(str(error.value)) < 2_000
    return error.value


def test_billion_laughs() -> None:
    refused(ubl(prolog=BILLION_LAUGHS, number="&j;"), UnsafeDocument)


def test_quadratic_blowup() -> None:
    prolog = f'<!DOCTYPE x [<!ENTITY a "{"a" * 100_000}">]>'
    refused(ubl(prolog=prolog, number="&a;" * 10_000), UnsafeDocument)


def test_bomb_in_an_attribute() -> None:
    refused(ubl(prolog=BILLION_LAUGHS, body='<cbc:Note languageID="&j;">x</cbc:Note>'), UnsafeDocument)


def test_external_entity_is_not_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("SECRET")
    error = refused(ubl(prolog=f'<!DOCTYPE x [<!ENTITY s SYSTEM "{secret.as_uri()}">]>', number="&s;"), UnsafeDocument)
    assert "SECRET" not in str(error)


def test_external_dtd_and_parameter_entities() -> None:
    refused(ubl(prolog='<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">'), UnsafeDocument)
    refused(ubl(prolog='<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p"> %p;]>'), UnsafeDocument)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_dtd_in_a_wide_encoding_is_still_seen(encoding: str) -> None:
    text = ubl(prolog="<!DOCTYPE x [<!ENTITY a 'b'>]>").decode()
    refused(text.encode(encoding), UnsafeDocument)


def test_an_entity_nobody_declared() -> None:
    refused(ubl(number="&nope;"), BrokenDocument)


def test_xinclude_is_only_text() -> None:
    include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>'
    refused(ubl(number=include), BadValue)


def test_deep_nesting() -> None:
    refused(b"<a>" * 100_000 + b"</a>" * 100_000, BrokenDocument)


def test_too_many_tags_and_too_many_bytes() -> None:
    refused(b"<a>" + b"<b/>" * TAGS_MAX + b"</a>", UnsafeDocument)
    refused(b"<a>" + b" " * DOCUMENT_BYTES_MAX + b"</a>", UnsafeDocument)
    refused(b"%PDF-1.7" + b" " * DOCUMENT_BYTES_MAX, UnsafeDocument, "f.pdf")
    refused(b"n" * (DOCUMENT_BYTES_MAX + 1), UnsafeDocument, "f.csv")


@pytest.mark.parametrize(
    "data",
    [
        b"<a",
        b"<a></b>",
        b"<a>\xff\xfe</a>",
        b"<a>\x00</a>",
        b'<?xml version="1.0" encoding="no-such-encoding"?><a/>',
        b"<a/><b/>",
        ubl()[:-20],
        b"\xef\xbb\xbf<",
    ],
)
def test_broken_xml(data: bytes) -> None:
    refused(data, BrokenDocument)


@pytest.mark.parametrize("data", [b"", b"   \n", b"\t"])
def test_empty_files(data: bytes) -> None:
    refused(data, BrokenDocument)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", b"an invoice for EUR 100"),
        ("a.xml", b"<invoice><total>100</total></invoice>"),
        ("a.xml", b"<Invoice xmlns='urn:example'/>"),
        ("a.json", b'{"number": 1}'),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)),
        ("a.png", b"\x89PNG\r\n\x1a\n"),
    ],
)
def test_other_kinds_of_file(name: str, data: bytes) -> None:
    refused(data, UnsupportedSyntax, name)


def blank_pdf(attachments: dict[str, bytes]) -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(72, 72)
    for name, content in attachments.items():
        writer.add_attachment(name, content)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_pdf_without_xml_with_other_xml_and_with_a_bomb() -> None:
    refused(blank_pdf({}), UnsupportedSyntax, "f.pdf")
    refused(blank_pdf({"note.txt": b"hello"}), UnsupportedSyntax, "f.pdf")
    refused(blank_pdf({"factur-x.xml": b"<order/>"}), UnsupportedSyntax, "f.pdf")
    refused(blank_pdf({"factur-x.xml": ubl(prolog=BILLION_LAUGHS, number="&j;")}), DocumentError, "f.pdf")
    with_dtd = cii().replace(b"<rsm:Cross", b"<!DOCTYPE x><rsm:Cross", 1)
    refused(blank_pdf({"factur-x.xml": with_dtd}), UnsafeDocument, "f.pdf")


def test_pdf_with_an_invoice_that_is_bad_names_the_element() -> None:
    error = refused(blank_pdf({"factur-x.xml": cii(number="")}), MissingElement, "f.pdf")
    assert "ram:ID" in error.element


@pytest.mark.parametrize("data", [b"%PDF-1.7", b"%PDF-1.7\n%%EOF", blank_pdf({})[:300], b"junk%PDF-1.4 junk"])
def test_damaged_pdf(data: bytes) -> None:
    refused(data, BrokenDocument, "f.pdf")


def test_zip_archives_that_are_no_workbooks() -> None:
    book = xlsx(["number"])
    refused(repacked(book, {"xl/workbook.xml": b"<not-a-workbook/>"}), BrokenDocument, "f.xlsx")
    refused(book[:200], BrokenDocument, "f.xlsx")
    refused(b"PK\x03\x04" + bytes(100), BrokenDocument, "f.xlsx")


def test_workbook_with_entities() -> None:
    book = repacked(xlsx(["number"]), {"xl/sharedStrings.xml": BILLION_LAUGHS.encode() + b"<sst>&j;</sst>"})
    refused(book, UnsafeDocument, "f.xlsx")


def test_workbook_that_unpacks_to_too_much() -> None:
    bomb = repacked(xlsx(["number"]), {"xl/media/image1.png": bytes(UNPACKED_BYTES_MAX)})
    assert len(bomb) < 1_000_000
    refused(bomb, UnsafeDocument, "f.xlsx")


def test_refusing_bombs_takes_little_memory() -> None:
    bombs = [
        ubl(prolog=BILLION_LAUGHS, number="&j;"),
        repacked(xlsx(["number"]), {"xl/worksheets/sheet9.xml": b" " * (UNPACKED_BYTES_MAX - 10_000_000)}),
        ofd({ATTACHED: b"<EInvoice>" + b" " * 30_000_000}),
        b"%PDF-1.7\n" + zlib.compress(bytes(50_000_000)),
    ]
    tracemalloc.start()
    try:
        for bomb in bombs:
            refused(bomb, DocumentError)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MEMORY_MAX


XML_DOCUMENTS = {name: data for name, data in COMPLETE.items() if not name.endswith(".ofd")}


@pytest.mark.parametrize("name", XML_DOCUMENTS)
def test_every_syntax_refuses_entities_and_external_files(name: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("SECRET")
    for doctype in (BILLION_LAUGHS.split("?>")[1], f'<!DOCTYPE x [<!ENTITY s SYSTEM "{secret.as_uri()}">]>'):
        declaration, _, rest = COMPLETE[name].rpartition(b"?>")
        error = refused(declaration + (b"?>" if declaration else b"") + doctype.encode() + rest, UnsafeDocument, name)
        assert "SECRET" not in str(error)


@pytest.mark.parametrize("name", XML_DOCUMENTS)
def test_every_syntax_survives_deep_nesting_and_a_cut(name: str) -> None:
    data = XML_DOCUMENTS[name]
    end = data.rindex(b"</")
    refused(data[:end] + b"<a>" * 10_000 + b"</a>" * 10_000 + data[end:], BrokenDocument, name)
    refused(data[:end], BrokenDocument, name)


@pytest.mark.parametrize("name", XML_DOCUMENTS)
def test_signatures_and_foreign_elements_around_change_nothing(name: str) -> None:
    data = XML_DOCUMENTS[name]
    end = data.rindex(b"</")
    signature = b'<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X>MIIB</ds:X></ds:Signature>'
    plain, signed = read(name, data), read(name, data[:end] + signature + data[end:])
    assert [(one.number, one.payable, one.seller, one.government_id) for one in signed] == [
        (one.number, one.payable, one.seller, one.government_id) for one in plain
    ]


@pytest.mark.parametrize("name", [name for name, data in XML_DOCUMENTS.items() if not data.startswith(b"<?xml")])
def test_every_syntax_in_every_encoding_and_with_marks_in_front(name: str) -> None:
    text = XML_DOCUMENTS[name].decode()
    variants = [
        b"\xef\xbb\xbf" + text.encode(),
        b"\xef\xbb\xbf\r\n" + text.encode(),
        text.encode("utf-16"),
        ('<?xml version="1.0" encoding="GB18030"?>' + text).encode("gb18030"),
    ]
    plain = read(name, text.encode())
    for variant in variants:
        assert [one.seller for one in read(name, variant)] == [one.seller for one in plain]


def test_a_declaration_that_lies_about_the_encoding() -> None:
    chinese = efapiao().decode().encode("gb18030")
    refused(b'<?xml version="1.0" encoding="UTF-8"?>' + chinese, BrokenDocument)
    finnish = finvoice().replace(b"ISO-8859-15", b"UTF-8")
    refused(finnish, BrokenDocument)


@pytest.mark.parametrize(
    ("data", "element"),
    [
        (efapiao().replace(b"</EIid>", b"</EIid><EIid>1</EIid>"), "EInvoice/Header/EIid"),
        (dte().replace("</Folio>", "</Folio><Folio>1</Folio>").encode(), "DTE/Documento/Encabezado/IdDoc/Folio"),
        (nfe().replace(b"</nNF>", b"</nNF><nNF>2</nNF>"), "nfeProc/NFe/infNFe/ide/nNF"),
        (
            fatturapa().replace(b"</Numero>", b"</Numero><Numero>2</Numero>"),
            "FatturaElettronica/FatturaElettronicaBody/DatiGenerali/DatiGeneraliDocumento/Numero",
        ),
    ],
)
def test_two_numbers_are_no_number_in_any_syntax(data: bytes, element: str) -> None:
    assert refused(data, AmbiguousElement).element == element


def test_a_file_of_too_many_invoices() -> None:
    refused(f"<EnvioDTE><SetDTE>{dte() * 1_001}</SetDTE></EnvioDTE>".encode(), UnsafeDocument)


def test_two_numbers_are_no_number() -> None:
    error = refused(ubl(body="<cbc:ID>TJ-2</cbc:ID>"), AmbiguousElement)
    assert error.element == "Invoice/cbc:ID"
    twice = ubl(body="<cbc:ID>TJ-1</cbc:ID>")
    assert read("f.xml", twice)[0].number == "TJ-1"


def test_a_comment_cannot_hide_half_of_a_number() -> None:
    (invoice,) = read("f.xml", ubl(number="TJ-1<!-- -->23<?x y?>45"))
    assert invoice.number == "TJ-12345"


def test_values_are_bounded_and_printable() -> None:
    refused(ubl(number="9" * 201), BadValue)
    refused(ubl(number="A\u0085B\u0090"), BadValue)
    refused(ubl(payable="1" * 60), BadValue)
    many = "".join(f"<cac:OrderReference><cbc:ID>{n}</cbc:ID></cac:OrderReference>" for n in range(1_001))
    refused(ubl(body=many), UnsafeDocument)


def test_errors_name_file_element_and_reason() -> None:
    error = refused(ubl(payable="12,50"), BadValue, "folder/ä.xml")
    assert error.element == "Invoice/cac:LegalMonetaryTotal/cbc:PayableAmount"
    assert "12,50" in error.reason
    assert error.code == "bad_value"


def test_one_bad_file_stops_nothing() -> None:
    files = [("a.xml", ubl(number="A")), ("b.xml", b"<broken"), ("c.csv", f"{CSV_HEADER}\n{CSV_ROW}".encode())]
    found = [(name, type(reading).__name__) for name, reading in read_many(files)]
    assert found == [("a.xml", "Invoice"), ("b.xml", "BrokenDocument"), ("c.csv", "Invoice")]


def test_a_very_long_file_name_is_cut() -> None:
    (error,) = read_each("n" * 100_000, b"")
    assert isinstance(error, DocumentError)
    assert len(error.file) == 1_000


# --- workbooks: a few packed bytes that ask for minutes and gigabytes

SHEET, STYLES, TEXTS = "xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/sharedStrings.xml"


def workbook_with(member: str, before: str, more: str) -> bytes:
    """A good workbook with something more before a place in one of its members."""
    book = xlsx(CSV_HEADER.split(","), CSV_ROW.split(","))
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        content = archive.read(member).decode()
    assert content.count(before) == 1
    return repacked(book, {member: content.replace(before, more + before).encode()})


@pytest.mark.parametrize(
    ("member", "before", "more", "reason"),
    [
        (SHEET, "</sheetData>", '<row r="3">' + '<c r="A3"/>' * 3_000_000 + "</row>", "a row of more than"),
        (SHEET, "</sheetData>", '<x:row r="3">' + "<c/>" * 110_000 + "</x:row>", "a row of more than"),
        (SHEET, "</sheetData>", "<row/>" * 6_100_000, "more than 6000000 tags"),
        (STYLES, "</cellXfs>", "<xf/>" * 300_000, "more than 200000 tags"),
    ],
    ids=["cells", "cells-of-a-prefix", "rows", "styles"],
)
def test_a_workbook_of_too_many_tags(member: str, before: str, more: str, reason: str) -> None:
    data = workbook_with(member, before, more)
    assert len(data) < 200_000, "which is small on its way"
    began = time.process_time()
    assert reason in refused(data, UnsafeDocument, "f.xlsx").reason
    assert time.process_time() - began < 8, "and costs minutes and gigabytes to read"


def test_a_table_of_too_many_texts() -> None:
    book = repacked(xlsx(CSV_HEADER.split(","), CSV_ROW.split(",")), {TEXTS: b"<sst>" + b"<si/>" * 6_100_000})
    refused(book, UnsafeDocument, "f.xlsx")


def test_far_columns_are_not_filled_up_with_empty_cells() -> None:
    """Or each of 100,000 short rows would cost 16,384 cells."""
    rows = "".join(f'<row r="{number}"><c r="XFD{number}"><v>1</v></c></row>' for number in range(3, 5_003))
    data = workbook_with(SHEET, "</sheetData>", rows)
    began = time.process_time()
    (invoice,) = read("f.xlsx", data)
    assert invoice.number == "TJ-1"
    assert time.process_time() - began < 1.5


def test_a_row_that_a_chunk_cuts_is_counted_once() -> None:
    """Many rows of allowed length, wherever the pieces that are looked at end."""
    rows = "".join(f'<row r="{number}">' + "<c/>" * 400 + "</row>" for number in range(3, 3_003))
    (invoice,) = read("f.xlsx", workbook_with(SHEET, "</sheetData>", rows))
    assert invoice.number == "TJ-1"
