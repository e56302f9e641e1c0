"""Tables as ERPs and spreadsheets really write them."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from registry.documents import (
    AmbiguousElement,
    BadValue,
    BrokenDocument,
    ColumnMap,
    DateOrder,
    DecimalMark,
    DocumentError,
    GovernmentId,
    Invoice,
    InvoiceReference,
    Kind,
    MissingElement,
    NoticeCode,
    Refusal,
    RefusalReason,
    TransportReference,
    UnsafeDocument,
    UnsupportedSyntax,
    column_map_of,
    read,
    read_each,
    receivable_of,
)
from registry.documents.amounts import parse_amount
from registry.documents.reader import table_of
from registry.documents.tabular import COLUMNS_MAX, ROWS_MAX
from registry.errors import FieldError
from registry.money import Money, MoneyError
from tests.registry.documents.builders import BUYER_LEI, CSV_HEADER, CSV_ROW, SELLER_LEI, USCC, xlsx


def one(text: str, column_map: ColumnMap | None = None, encoding: str = "utf-8") -> Invoice:
    (invoice,) = read("t.csv", text.encode(encoding), column_map)
    return invoice


def codes(invoice: Invoice) -> set[NoticeCode]:
    return {notice.code for notice in invoice.warnings}


def with_column(name: str, value: str) -> str:
    return f"{CSV_HEADER},{name}\n{CSV_ROW},{value}\n"


def with_value(name: str, value: str) -> str:
    cells = dict(zip(CSV_HEADER.split(","), CSV_ROW.split(","), strict=True)) | {name: value}
    return CSV_HEADER + "\n" + ",".join(f'"{cell}"' for cell in cells.values()) + "\n"


def test_a_plain_table() -> None:
    invoice = one(f"{CSV_HEADER}\n{CSV_ROW}\n")
    assert invoice.number == "TJ-1"
    assert invoice.payable == Money("USD", 10_000_000)
    assert invoice.issue_date == datetime.date(2026, 5, 4)
    assert invoice.due_date == datetime.date(2026, 7, 31)
    assert (invoice.seller.name, invoice.seller.country) == ("Haihe Bearings", "CN")
    assert invoice.container == "row 2"
    assert invoice.type_code == "380"


def test_every_field_of_a_full_row() -> None:
    fields = {
        "gross": "120000.00",
        "prepaid": "20000.00",
        "tax_point_date": "2026-05-03",
        "seller_lei": SELLER_LEI,
        "seller_uscc": USCC,
        "buyer_lei": BUYER_LEI,
        "payee_name": "Factor Ltd",
        "order_references": "PO-1;PO-2|PO-1",
        "bill_of_lading": "COSU6312345670",
        "air_waybill": "784-11223343",
        "customs_declaration": "020220260500118843",
        "government_id": "26122000000012345678",
        "preceding_invoice": "TJ-0",
        "preceding_issue_date": "2026-04-01",
    }
    invoice = one(f"{CSV_HEADER},{','.join(fields)}\n{CSV_ROW},{','.join(fields.values())}\n")
    assert invoice.gross == Money("USD", 12_000_000)
    assert invoice.prepaid == Money("USD", 2_000_000)
    assert invoice.tax_point_date == datetime.date(2026, 5, 3)
    assert invoice.seller.identifier("lei") == SELLER_LEI
    assert invoice.seller.identifier("uscc") == USCC
    assert invoice.buyer.identifier("lei") == BUYER_LEI
    assert invoice.payee is not None
    assert invoice.order_references == ("PO-1", "PO-2")
    assert invoice.transport_references == (
        TransportReference("705", "COSU6312345670"),
        TransportReference("740", "784-11223343"),
        TransportReference("830", "020220260500118843"),
    )
    assert invoice.government_id == GovernmentId("CN", "26122000000012345678")
    assert invoice.preceding_invoices == (InvoiceReference("TJ-0", datetime.date(2026, 4, 1)),)
    assert NoticeCode.POSSIBLY_ASSIGNED in codes(invoice)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found_out(delimiter: str) -> None:
    assert one(f"{CSV_HEADER}\n{CSV_ROW}\n".replace(",", delimiter)).number == "TJ-1"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_byte_order_marks(encoding: str) -> None:
    invoice = one(f"{CSV_HEADER}\n{CSV_ROW.replace('Rheinwerk', 'Müller 天津')}\n", encoding=encoding)
    assert invoice.number == "TJ-1"
    assert invoice.buyer.name == "Müller 天津 GmbH"
    assert NoticeCode.ENCODING_GUESSED not in codes(invoice)


def test_latin_1_and_windows_1252_are_read_with_a_warning() -> None:
    text = f"{CSV_HEADER}\n{CSV_ROW.replace('Rheinwerk', 'Müller & Söhne')}\n"
    invoice = one(text, encoding="latin-1")
    assert invoice.buyer.name == "Müller & Söhne GmbH"
    assert NoticeCode.ENCODING_GUESSED in codes(invoice)
    assert one(text.replace("Müller", "L’Œuvre"), encoding="cp1252").buyer.name == "L’Œuvre & Söhne GmbH"


def test_a_stated_encoding_is_kept_to() -> None:
    text = f"{CSV_HEADER}\n{CSV_ROW.replace('Haihe Bearings', '天津海河精密轴承有限公司')}\n"
    invoice = one(text, ColumnMap(encoding="gb18030"), encoding="gb18030")
    assert invoice.seller.name == "天津海河精密轴承有限公司"
    assert codes(invoice) == set()
    with pytest.raises(BrokenDocument):
        one(text, ColumnMap(encoding="utf-8"), encoding="gb18030")


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("2026-05-04", DateOrder.YEAR_MONTH_DAY, (2026, 5, 4)),
        ("2026/5/4", DateOrder.DAY_MONTH_YEAR, (2026, 5, 4)),
        ("20260504", DateOrder.MONTH_DAY_YEAR, (2026, 5, 4)),
        ("2026年5月4日", DateOrder.YEAR_MONTH_DAY, (2026, 5, 4)),
        ("04/05/2026", DateOrder.DAY_MONTH_YEAR, (2026, 5, 4)),
        ("04/05/2026", DateOrder.MONTH_DAY_YEAR, (2026, 4, 5)),
        ("4.5.2026", DateOrder.DAY_MONTH_YEAR, (2026, 5, 4)),
        ("24/06/2026 09:55:53", DateOrder.DAY_MONTH_YEAR, (2026, 6, 24)),
        ("2026-05-04T23:30:00+08:00", DateOrder.YEAR_MONTH_DAY, (2026, 5, 4)),
    ],
)
def test_dates_in_the_stated_order(text: str, order: DateOrder, day: tuple[int, int, int]) -> None:
    invoice = one(with_value("issue_date", text), ColumnMap(date_order=order))
    assert invoice.issue_date == datetime.date(*day)


@pytest.mark.parametrize(
    "text",
    ["04/05/2026", "04.05.26", "2026-13-01", "2026-02-30", "46146", "May 4", "0026-05-04", "9999-01-01", "٢٠٢٦-٠٥-٠٤"],
)
def test_dates_that_could_be_anything_are_refused(text: str) -> None:
    with pytest.raises(BadValue) as error:
        one(with_value("issue_date", text))
    assert error.value.element == "row 2, column 'issue_date'"


def test_a_month_first_date_with_day_thirteen_is_refused_in_day_first_order() -> None:
    with pytest.raises(BadValue):
        one(with_value("issue_date", "05/13/2026"), ColumnMap(date_order=DateOrder.DAY_MONTH_YEAR))


@pytest.mark.parametrize(
    ("text", "mark", "currency", "minor"),
    [
        ("1234.5", ".", "USD", 123450),
        ("1,234.50", ".", "USD", 123450),
        ("12,34,567.00", ".", "INR", 123456700),
        ("1'234'567.00", ".", "CHF", 123456700),
        ("1.234,50", ",", "EUR", 123450),
        ("1.234.567", ",", "EUR", 123456700),
        ("1 234,50", ",", "EUR", 123450),
        ("1\u00a0234,50", ",", "EUR", 123450),
        ("1\u202f234\u202f567,5", ",", "EUR", 123456750),
        ("-12,00", ",", "EUR", -1200),
        ("12,00-", ",", "EUR", -1200),
        ("(12.00)", ".", "EUR", -1200),
        ("\u221212.00", ".", "EUR", -1200),
        ("USD 1,000", ".", "USD", 100000),
        ("1,000.00 USD", ".", "USD", 100000),
        ("12,480,000", ".", "JPY", 12480000),
        ("18,450.250", ".", "KWD", 18450250),
        ("1,234,567", ".", "KWD", 1234567000),
        ("100.0000", ".", "EUR", 10000),
    ],
)
def test_amounts(text: str, mark: str, currency: str, minor: int) -> None:
    assert parse_amount(text, currency=currency, mark=DecimalMark(mark)) == Money(currency, minor)


@pytest.mark.parametrize(
    ("text", "mark", "currency"),
    [
        ("1.500", ".", "EUR"),  # one euro fifty, or one thousand five hundred
        ("1,500", ",", "EUR"),
        ("1,500", ".", "KWD"),
        ("1.500", ",", "BHD"),
        ("1,50", ".", "EUR"),
        ("1.234,50", ".", "EUR"),
        ("1,2,3", ".", "EUR"),
        ("1,234'567.00", ".", "EUR"),
        ("12.345", ".", "EUR"),
        ("EUR 12.00", ".", "USD"),
        ("$12.00", ".", "USD"),
        ("1e3", ".", "USD"),
        ("--1", ".", "USD"),
        ("(-1.00)", ".", "USD"),
        ("", ".", "USD"),
        ("1.00.00", ".", "USD"),
        ("1" * 50, ".", "USD"),
    ],
)
def test_amounts_that_could_be_anything_are_refused(text: str, mark: str, currency: str) -> None:
    with pytest.raises(MoneyError):
        parse_amount(text, currency=currency, mark=DecimalMark(mark))


def test_a_decimal_comma_table() -> None:
    text = f"{CSV_HEADER}\n{CSV_ROW}\n".replace(",", ";").replace("100000.00", "100.000,00")
    assert one(text, ColumnMap(decimal_mark=DecimalMark.COMMA)).payable == Money("USD", 10_000_000)


@pytest.mark.parametrize(
    ("text", "number", "repaired"),
    [
        ("000417", "000417", False),
        ("417.0", "417", True),
        ("4500098812.00", "4500098812", True),
        ('=""000417""', "000417", False),
        ("'000417", "000417", False),
        ("  TJ  1 ", "TJ 1", False),
        ("5E12", "5E12", False),
        ("1.2.0", "1.2.0", False),
    ],
)
def test_numbers_that_spreadsheets_touch(text: str, number: str, repaired: bool) -> None:
    invoice = one(with_value("number", text))
    assert invoice.number == number
    assert (NoticeCode.NUMBER_REPAIRED in codes(invoice)) is repaired


@pytest.mark.parametrize("text", ["4.50001E+09", "4,50001E+09", "5E+12", "#REF!", "#N/A"])
def test_numbers_that_spreadsheets_have_destroyed_are_refused(text: str) -> None:
    with pytest.raises(BadValue):
        one(with_value("number", text))


def test_a_negative_row_is_read_and_then_refused_as_a_receivable() -> None:
    outcome = receivable_of(one(with_value("payable", "-1150.00")))
    assert isinstance(outcome, Refusal)
    assert outcome.reason is RefusalReason.NOT_POSITIVE


@pytest.mark.parametrize("word", ["credit note", "CN", "Gutschrift", "G2", "0", "TD04", "3800"])
def test_a_type_that_is_no_code_could_be_anything(word: str) -> None:
    """Whatever is not said to be a credit note would be a debt."""
    reading = read_each("t.csv", f"{CSV_HEADER},type_code\n{CSV_ROW},{word}\n".encode())
    (error,) = reading
    assert isinstance(error, BadValue)
    assert error.element == "row 2, column 'type_code'"
    assert one(f"{CSV_HEADER},type_code\n{CSV_ROW},\n").type_code == "380", "what most rows of a table are"


def test_a_credit_note_row() -> None:
    invoice = one(f"{CSV_HEADER},type_code,preceding_invoice\n{CSV_ROW},381.0,TJ-0\n")
    assert invoice.kind is Kind.CREDIT_NOTE
    assert receivable_of(invoice).__class__.__name__ == "Adjustment"


def test_one_bad_row_does_not_stop_the_rows_after_it() -> None:
    bad = CSV_ROW.replace("2026-05-04", "yesterday")
    text = f"{CSV_HEADER}\n{CSV_ROW}\n{bad}\n\n{CSV_ROW.replace('TJ-1', 'TJ-3')}\n"
    first, second, third = read_each("t.csv", text.encode())
    assert isinstance(first, Invoice)
    assert isinstance(second, BadValue)
    assert second.element == "row 3, column 'issue_date'"
    assert isinstance(third, Invoice)
    assert (third.number, third.container) == ("TJ-3", "row 5")
    with pytest.raises(BadValue):
        read("t.csv", text.encode())


@pytest.mark.parametrize("name", ["number", "issue_date", "currency", "payable", "buyer_name"])
def test_a_missing_column_refuses_the_file(name: str) -> None:
    with pytest.raises(MissingElement, match="column map"):
        one(f"{CSV_HEADER}\n{CSV_ROW}\n".replace(name, "something"))


@pytest.mark.parametrize("name", ["number", "issue_date", "currency", "payable"])
def test_an_empty_cell_refuses_the_row(name: str) -> None:
    with pytest.raises(MissingElement, match="is empty"):
        one(with_value(name, " "))


def test_short_rows_doubled_columns_and_tables_without_rows() -> None:
    with pytest.raises(MissingElement):
        one(f"{CSV_HEADER}\nTJ-1,2026-05-04\n")
    with pytest.raises(AmbiguousElement):
        one(with_column("number", "TJ-2"))
    with pytest.raises(BrokenDocument):
        one(CSV_HEADER)
    with pytest.raises(BrokenDocument):
        one(f'{CSV_HEADER}\n"TJ-1,2026-05-04\n')


def test_bounds() -> None:
    with pytest.raises(UnsafeDocument):
        one(CSV_HEADER + "\n1" * (ROWS_MAX + 1))
    with pytest.raises(UnsafeDocument):
        one(",".join([CSV_HEADER, *(f"c{n}" for n in range(COLUMNS_MAX))]) + f"\n{CSV_ROW}\n")
    with pytest.raises(UnsafeDocument):
        one(f"{CSV_HEADER}\n{CSV_ROW}{',' * COLUMNS_MAX}\n")
    with pytest.raises(BrokenDocument):
        one(with_value("seller_name", "x" * 200_000))
    with pytest.raises(BadValue):
        one(with_value("seller_name", "x" * 501))


@pytest.mark.parametrize("currency", ["XYZ", "US", "XAU", "$"])
def test_unknown_currencies(currency: str) -> None:
    with pytest.raises(BadValue) as error:
        one(with_value("currency", currency))
    assert "column 'currency'" in error.value.element


def test_warnings_about_parties() -> None:
    invoice = one(with_column("seller_lei", SELLER_LEI[:-1] + "8"))
    assert NoticeCode.BAD_IDENTIFIER in codes(invoice)
    assert NoticeCode.UNKNOWN_COUNTRY in codes(one(with_value("buyer_country", "ZZ")))


def test_a_government_id_needs_a_country() -> None:
    text = with_column("government_id", "26122000000012345678").replace(",CN,", ",,")
    with pytest.raises(BadValue):
        one(text)


def test_a_column_map() -> None:
    text = "Rechnungsnr;Datum;Fällig;Währung;Offen;Kunde;Land\n0815;04.05.2026;31.07.2026;EUR;1.190,00;Müller GmbH;DE\n"
    column_map = column_map_of(
        {
            "columns": {
                "number": "Rechnungsnr",
                "issue_date": "Datum",
                "due_date": "Fällig",
                "currency": "Währung",
                "payable": "Offen",
                "buyer_name": "Kunde",
                "buyer_country": "Land",
            },
            "constants": {"seller_name": "Haihe Bearings", "seller_country": "CN", "seller_lei": SELLER_LEI},
            "date_order": "dmy",
            "decimal_mark": ",",
            "encoding": "latin-1",
        }
    )
    invoice = one(text, column_map, encoding="latin-1")
    assert (invoice.number, invoice.payable) == ("0815", Money("EUR", 119_000))
    assert invoice.due_date == datetime.date(2026, 7, 31)
    assert invoice.seller.identifier("lei") == SELLER_LEI
    (from_any_name,) = read("export.dat", text.encode("latin-1"), column_map)
    assert from_any_name == replace(invoice, file="export.dat")


def test_a_mapped_column_that_is_not_there_refuses_the_file() -> None:
    with pytest.raises(MissingElement, match="due_date"):
        one(f"{CSV_HEADER}\n{CSV_ROW}\n", ColumnMap(columns={"due_date": "Fällig am"}))


@pytest.mark.parametrize(
    "settings",
    [
        {"colums": {}},
        {"columns": {"nummer": "x"}},
        {"columns": {"number": 1}},
        {"columns": ["number"]},
        {"constants": {"payabel": "x"}},
        {"date_order": "ydm"},
        {"decimal_mark": "'"},
        {"encoding": "utf-7"},
        {"delimiter": "x"},
        {"sheet": 1},
    ],
)
def test_wrong_column_maps(settings: dict[str, object]) -> None:
    with pytest.raises(FieldError):
        column_map_of(settings)


def test_a_text_file_is_not_taken_for_a_table() -> None:
    with pytest.raises(UnsupportedSyntax):
        read("SOURCE.txt", f"{CSV_HEADER}\n{CSV_ROW}".encode())


HEADER = CSV_HEADER.split(",")


def sheet_row(**values: object) -> list[object]:
    row: dict[str, object] = dict(zip(HEADER, CSV_ROW.split(","), strict=True))
    return list((row | values).values())


def test_a_workbook_with_real_dates_and_numbers() -> None:
    data = xlsx(
        HEADER,
        sheet_row(number=417, issue_date=datetime.date(2026, 5, 4), payable=0.1 + 0.2),
        sheet_row(number=418.0, issue_date=datetime.datetime(2026, 5, 4, 13, 30), payable=1234567.89),
        sheet_row(number="000419", payable=100000, currency="JPY"),
        formats={"A2": "000000"},
    )
    first, second, third = read("t.xlsx", data)
    assert (first.number, first.payable) == ("000417", Money("USD", 30))
    assert (second.number, second.payable) == ("418", Money("USD", 123456789))
    assert second.issue_date == datetime.date(2026, 5, 4)
    assert (third.number, third.payable) == ("000419", Money("JPY", 100000))
    assert first.container == "row 2"


def test_a_workbook_in_a_decimal_comma_country() -> None:
    data = xlsx(HEADER, sheet_row(payable=1234.5), sheet_row(payable="1.234,50"))
    first, second = read("t.xlsx", data, ColumnMap(decimal_mark=DecimalMark.COMMA))
    assert first.payable == second.payable == Money("USD", 123450)


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (1, "0%", "100%"),
        (0.8, "0.00%", "80%"),
        (0.125, "0%;[Red]-0%", "12,5%"),  # all of it, not what the format rounds to
        (0.07, "0%", "7%"),  # not the float 7.000000000000001
        (80, '0"%"', "80"),  # the sign is only shown
        (80, "0\\%", "80"),
        (80, "General", "80"),
    ],
)
def test_a_percentage_comes_out_as_people_read_it(value: float, number_format: str, text: str) -> None:
    data = xlsx(["share"], [value], formats={"A2": number_format})
    table = table_of("t.xlsx", data, ColumnMap(decimal_mark=DecimalMark.COMMA), ["share"])
    assert [cells[0] for _, cells in table.rows] == [text]


def test_a_percentage_is_no_amount() -> None:
    data = xlsx(HEADER, sheet_row(payable=1), formats={f"{chr(65 + HEADER.index('payable'))}2": "0%"})
    (reading,) = read_each("t.xlsx", data)
    assert isinstance(reading, BadValue)


@pytest.mark.parametrize(
    "values",
    [
        {"number": 91120116123456789},  # more digits than a spreadsheet keeps
        {"number": "=1/0"},
        {"issue_date": 46146},  # a date that lost its format
        {"payable": True},
        {"payable": 1234.567},
        {"payable": None},
        {"payable": 1e300},
    ],
)
def test_workbook_cells_that_cannot_be_trusted(values: dict[str, object]) -> None:
    readings = list(read_each("t.xlsx", xlsx(HEADER, sheet_row(**values), sheet_row(number="TJ-2"))))
    assert isinstance(readings[0], DocumentError)
    assert "row 2" in readings[0].element
    assert isinstance(readings[1], Invoice)


def test_sheets_by_name() -> None:
    data = xlsx(HEADER, sheet_row())
    assert read("t.xlsx", data, ColumnMap(sheet="Sheet"))[0].number == "TJ-1"
    with pytest.raises(MissingElement):
        read("t.xlsx", data, ColumnMap(sheet="Other"))
    with pytest.raises(BrokenDocument):
        read("t.xlsx", xlsx())
