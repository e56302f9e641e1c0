"""Whatever the bytes: invoices or a `DocumentError`, never anything else."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from registry.documents import Adjustment, ColumnMap, DecimalMark, DocumentError, Invoice, read_each, receivable_of
from registry.documents.amounts import parse_amount
from registry.documents.dates import YEAR_MAX, YEAR_MIN, DateError, DateOrder, parse_basic, parse_iso, parse_local
from registry.documents.identifiers import identifier, identifier_notices
from registry.money import MINOR_MAX, Money, MoneyError
from tests.registry.documents.builders import CSV_HEADER, CSV_ROW, cii, ubl, xlsx
from tests.registry.documents.corpus import CORPUS, expected_rows, needs_corpus
from tests.registry.documents.national import COMPLETE, fa, nav, nav_invoice, red_efapiao
from tests.registry.documents.reading import one

FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FEW_EACH = settings(FEW, max_examples=20)  # for each of many documents
SAMPLES = {
    "f.xml": ubl(),
    "g.xml": cii(),
    "t.csv": f"{CSV_HEADER}\n{CSV_ROW}\n".encode(),
    "t.xlsx": xlsx(CSV_HEADER.split(","), CSV_ROW.split(",")),
}
NAMES = ["a.xml", "a.pdf", "a.csv", "a.xlsx", "a.ofd", "a", ""]
HEADS = [b"", b"<", b"%PDF-1.7\n", b"PK\x03\x04", b"\xef\xbb\xbf", b"\xff\xfe", b"<?xml version='1.0'?>", b"number,"]


def must_be_typed(name: str, data: bytes, column_map: ColumnMap | None = None) -> None:
    readings = list(read_each(name, data, column_map))
    assert readings
    for reading in readings:
        assert isinstance(reading, Invoice | DocumentError)
        assert reading.file == name
        if isinstance(reading, Invoice):
            assert receivable_of(reading) is not None
        else:
            assert reading.reason


@given(st.sampled_from(NAMES), st.sampled_from(HEADS), st.binary(max_size=500))
@example("a.csv", b"", b",")
@example("a.csv", b"", b" ;;\n;\n")
@settings(max_examples=300, deadline=None)
def test_arbitrary_bytes(name: str, head: bytes, data: bytes) -> None:
    must_be_typed(name, head + data)
    must_be_typed(name, head + data, ColumnMap(columns={"number": "n"}, decimal_mark=DecimalMark.COMMA))


def mutated(data: bytes, draw: Callable[[st.SearchStrategy[int]], int]) -> bytes:
    """`data` with a few bytes changed, a piece cut out, or a piece doubled."""
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(0, len(data) - 1)))
        length = draw(st.integers(1, 40))
        change = draw(st.integers(0, 3))
        if change == 0:
            data = data[:place] + bytes([draw(st.integers(0, 255))]) + data[place + 1 :]
        elif change == 1:
            data = data[:place] + data[place + length :]
        elif change == 2:
            data = data[:place] + data[place : place + length] * 2 + data[place + length :]
        else:
            data = data[:place]
    return data


@pytest.mark.parametrize("name", SAMPLES)
@given(st.data())
@settings(max_examples=150, deadline=None)
def test_mutated_samples(name: str, data: st.DataObject) -> None:
    must_be_typed(name, mutated(SAMPLES[name], data.draw))


@pytest.mark.parametrize("name", COMPLETE)
@given(st.data())
@FEW_EACH
def test_mutated_documents_of_single_countries(name: str, data: st.DataObject) -> None:
    must_be_typed(name, mutated(COMPLETE[name], data.draw))


LEAF = re.compile(rb">([^<>]+)</")
EVIL = st.sampled_from(
    ["", " ", "-1", "1e9", "NaN", "９", "0" * 300, "2026-02-30", "&amp;", "<x/>", "]]&gt;", "\u202e1"]
)


@pytest.mark.parametrize("name", [name for name in COMPLETE if not name.endswith(".ofd")])
@given(st.data())
@FEW_EACH
def test_any_text_in_place_of_any_value(name: str, data: st.DataObject) -> None:
    document = COMPLETE[name]
    leaf = data.draw(st.sampled_from(list(LEAF.finditer(document))))
    text = data.draw(st.text(st.characters(exclude_characters="<&", exclude_categories=["Cs"]), max_size=40) | EVIL)
    encoding = "iso-8859-15" if name.startswith("finvoice") else "utf-8"
    changed = text.encode(encoding, "xmlcharrefreplace")
    must_be_typed(name, document[: leaf.start(1)] + changed + document[leaf.end(1) :])


@given(st.integers(1, 10**15))
def test_whatever_a_negative_correction_takes_away_comes_out_positive(minor: int) -> None:
    """By exactly what is written, in each syntax that writes it as a negative amount."""
    text = Money("CNY", -minor).text
    corrected = "<DaneFaKorygowanej><NrFaKorygowanej>7</NrFaKorygowanej></DaneFaKorygowanej>"
    documents = [
        red_efapiao(total=text),
        fa(kind="KOR", total=text, body=corrected),
        nav(nav_invoice(total=text, original="7")),
    ]
    for document in documents:
        invoice = one(document)
        outcome = receivable_of(invoice)
        assert isinstance(outcome, Adjustment)
        assert outcome.amount.minor == minor
        assert invoice.payable == Money(invoice.currency, -minor)


CORPUS_PATHS = [row["path"] for row in expected_rows()]


@needs_corpus
@given(st.data())
@settings(max_examples=250, deadline=None)
def test_mutated_real_documents(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([path for path in CORPUS_PATHS if not path.endswith((".pdf", ".ofd"))]))
    must_be_typed(path, mutated((CORPUS / path).read_bytes(), data.draw))


@needs_corpus
@given(st.data())
@FEW
def test_mutated_real_containers(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([path for path in CORPUS_PATHS if path.endswith((".pdf", ".ofd"))]))
    must_be_typed(path, mutated((CORPUS / path).read_bytes(), data.draw))


@given(st.text(max_size=300), st.sampled_from(["ubl", "cii"]))
@settings(deadline=None)
def test_any_text_in_place_of_the_number(text: str, syntax: str) -> None:
    must_be_typed("f.xml", ubl(number="@").replace(b"@", text.encode("utf-8", "replace")))
    must_be_typed("f.xml", cii(number="@").replace(b"@", text.encode("utf-8", "replace")))


@given(st.lists(st.text(max_size=30), min_size=9, max_size=9))
@settings(deadline=None)
def test_any_text_in_the_cells(cells: list[str]) -> None:
    quoted = ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)
    must_be_typed("t.csv", f"{CSV_HEADER}\n{quoted}\n".encode("utf-8", "replace"))


@given(
    st.text(max_size=45) | st.from_regex(r"[-+(]?[0-9., ']{1,20}[-)]?", fullmatch=True),
    st.sampled_from(["EUR", "JPY", "KWD"]),
    st.sampled_from(DecimalMark),
)
def test_amounts_parse_or_say_why(text: str, currency: str, mark: DecimalMark) -> None:
    try:
        money = parse_amount(text, currency=currency, mark=mark)
    except MoneyError:
        return
    assert abs(money.minor) <= MINOR_MAX
    assert money.currency == currency


@given(st.integers(-(10**12), 10**12), st.sampled_from(["EUR", "JPY", "KWD"]), st.sampled_from(DecimalMark))
def test_what_a_grouping_locale_prints_is_read_back(minor: int, currency: str, mark: DecimalMark) -> None:
    money = Money(currency, minor)
    units, point, decimals = money.text.partition(".")
    grouped = f"{int(units):,}".replace(",", " ")
    sign = "-" if minor < 0 and int(units) == 0 else ""
    assert (
        parse_amount(f"{sign}{grouped}{mark.value if point else ''}{decimals}", currency=currency, mark=mark) == money
    )


@given(st.text(max_size=30) | st.from_regex(r"[0-9]{1,4}[-/.年]?[0-9]{1,2}[-/.月]?[0-9]{1,4}", fullmatch=True))
def test_dates_parse_or_say_why(text: str) -> None:
    for parse in (parse_iso, parse_basic, *(lambda t, o=order: parse_local(t, order=o) for order in DateOrder)):
        try:
            day = parse(text)
        except DateError:
            continue
        assert YEAR_MIN <= day.year <= YEAR_MAX


@given(
    st.sampled_from(["lei", "uscc", "vat", "VA", "0088", "0002", "0195", "0106", "9999", "", "x"]),
    st.text(max_size=40) | st.from_regex(r"[A-Z]{0,2}[0-9A-Z ./-]{0,20}", fullmatch=True),
    st.sampled_from([None, "CN", "DE", "FR", "GB", "NO", "CH", "MX", "IN", "SA", "GR"]),
)
def test_identifiers_never_fail(scheme: str, value: str, country: str | None) -> None:
    found = identifier(scheme, value, country=country)
    identifier_notices([found], country=country, element="here")
