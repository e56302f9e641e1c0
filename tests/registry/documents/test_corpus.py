"""Every invoice of the corpus agrees with what the table of expectations says; every other file is refused."""

from __future__ import annotations

import datetime
from pathlib import PurePosixPath

import pytest

from registry.documents import (
    Adjustment,
    Assigned,
    BrokenDocument,
    DocumentError,
    Invoice,
    MissingElement,
    NoticeCode,
    Receivable,
    Refusal,
    SignalKind,
    Syntax,
    UnsupportedSyntax,
    read,
    read_each,
    read_many,
    receivable_of,
)
from registry.documents.dates import DateOrder, parse_iso, parse_local
from registry.money import Money
from tests.registry.documents.corpus import (
    CORPUS,
    FULLY_EXPECTED,
    UNREADABLE_DUE_DATES,
    all_files,
    expected_rows,
    needs_corpus,
)

pytestmark = needs_corpus

ROWS = expected_rows()
READABLE = {row["path"] for row in ROWS}
BY_PATH = {row["path"]: row for row in ROWS}


def invoices_of(row: dict[str, str]) -> tuple[Invoice, ...]:
    return read(row["path"], (CORPUS / row["path"]).read_bytes())


def test_the_corpus_holds_what_these_tests_are_about() -> None:
    assert len(ROWS) >= 122
    assert {row["syntax"] for row in ROWS} == {syntax.value for syntax in Syntax} - {"CSV", "XLSX", "CN-XBRL"}


def day_of(text: str) -> datetime.date | None:
    """A date as the table of expectations writes it, which is as the document does."""
    if not text or text in UNREADABLE_DUE_DATES:
        return None
    return parse_local(text, order=DateOrder.YEAR_MONTH_DAY) if "年" in text else parse_iso(text)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["path"])
def test_reads_what_the_corpus_expects(row: dict[str, str]) -> None:
    invoice, *more = invoices_of(row)  # of a file with several invoices, the table describes the first
    expected = {name: row[name] for name in ("syntax", "type_code", "number", "payee", "container")}
    assert expected == {
        "syntax": invoice.syntax.value,
        "type_code": invoice.type_code,
        "number": invoice.number,
        "payee": invoice.payee.name if invoice.payee else "",
        "container": "" if more else invoice.container,
    }
    assert (invoice.issue_date, invoice.due_date) == (day_of(row["issue_date"]), day_of(row["due_date"]))
    unreadable = NoticeCode.UNREADABLE_DUE_DATE in {notice.code for notice in invoice.warnings}
    assert unreadable is (row["due_date"] in UNREADABLE_DUE_DATES)
    stated = {"currency": invoice.currency, "seller_country": invoice.seller.country or ""}
    stated["buyer_country"] = invoice.buyer.country or ""
    complete = row["syntax"] in FULLY_EXPECTED
    assert {name: row[name] for name in stated if row[name] or complete} == {
        name: value for name, value in stated.items() if row[name] or complete
    }
    for name in ("payable", "gross", "prepaid"):
        if row[name] or complete:
            text = row[name].replace(",", ".")  # as Finland writes it
            assert getattr(invoice, name) == (Money.parse(text, currency=invoice.currency) if text else None), name


NATIONAL = {"CN": "CNY", "BR": "BRL", "CL": "CLP"}


@pytest.mark.parametrize("row", [row for row in ROWS if not row["currency"]], ids=lambda row: row["path"])
def test_documents_that_name_no_currency_are_in_the_national_one(row: dict[str, str]) -> None:
    assert {invoice.currency for invoice in invoices_of(row)} == {NATIONAL[row["syntax"][:2]]}


def test_the_second_invoice_of_a_file_is_read_as_well() -> None:
    path = "zugferd-corpus/fatturaPA/official/valid/IT01234567890_FPA03.xml"
    first, second = invoices_of(BY_PATH[path])
    assert (first.container, second.container) == ("body 1", "body 2")
    assert (second.number, second.payable) == ("456", Money("EUR", 244_000))
    assert first.seller == second.seller


def test_an_aec_comes_out_as_a_claim_from_outside() -> None:
    (invoice,) = invoices_of(BY_PATH["cl-sii/sii-rtc/AEC--76399752-9--33--25568--SEQ-1.xml"])
    made = receivable_of(invoice)
    assert isinstance(made, Assigned)
    (claim,) = made.claims
    assert (claim.assignor.name, claim.assignee.name) == ("COMERCIALIZADORA INNOVA MOBEL SPA", "ST CAPITAL S.A.")
    assert claim.assignee.identifier("tax") == "CL763899926"
    assert (claim.amount, made.amount) == (Money("CLP", 230_992), Money("CLP", 230_992))
    assert claim.concluded == datetime.datetime(2019, 4, 4, 9, 9, 52)
    assert claim.last_due == datetime.date(2019, 4, 28)
    (alone,) = invoices_of(BY_PATH["cl-sii/sii-dte/DTE--76399752-9--33--25568.xml"])
    assert alone.government_id == invoice.government_id, "the same invoice, found by whoever wants to finance it again"


@pytest.mark.parametrize(
    ("path", "government_id"),
    [
        ("cn-file-toolbox/tests/fixtures/invoice/sample_einvoice.xml", "CN:99990000000000000001"),
        ("cn-ofdrw/ofdrw-converter/resources/999.ofd", "CN:05000170011112235358"),
        (
            "br-nfelib/nfelib/nfe/samples/v4_0/leiauteNFe/35180834128745000152550010000476861118934859-nfe.xml",
            "BR:35180834128745000152550010000476861118934859",
        ),
        ("cl-sii/sii-dte/DTE--96670340-7--61--110616.xml", "CL:96670340-7T61F110616"),
    ],
)
def test_government_ids(path: str, government_id: str) -> None:
    (invoice,) = invoices_of(BY_PATH[path])
    assert invoice.government_id is not None
    assert f"{invoice.government_id.country}:{invoice.government_id.value}" == government_id


def test_signals_over_the_whole_corpus() -> None:
    """Few enough to look at: what a document says of factoring, and nothing that it does not say."""
    found: dict[SignalKind, set[str]] = {kind: set() for kind in SignalKind}
    for row in ROWS:
        for invoice in invoices_of(row):
            for signal in invoice.signals:
                assert signal.element
                assert signal.text
                found[signal.kind].add(row["path"])
    assert {path.rsplit("-", 1)[-1] for path in found[SignalKind.FACTOR_ACCOUNT]} == {"Subject3.xml"}
    assert len(found[SignalKind.FACTOR_ACCOUNT]) == 2
    assert found[SignalKind.ASSIGNMENT_RECORD] == {row["path"] for row in ROWS if row["syntax"] == "CL-AEC"}
    assert found[SignalKind.ASSIGNMENT_NOTE] == {
        "mustangproject/library/resources/testout-ZF2new.ubl.xml",
        "zugferd-corpus/XML-Rechnung/CII/EN16931_AbweichenderZahlungsempf.cii.xml",
        "zugferd-corpus/XML-Rechnung/FX/EN16931_AbweichenderZahlungsempf.pdf",
        "zugferd-corpus/XML-Rechnung/UBL/EN16931_AbweichenderZahlungsempf.ubl.xml",
    }
    payees = {row["path"] for row in ROWS if row["payee"]}
    assert found[SignalKind.ANOTHER_PAYEE] <= payees | {"fi-finvoice/examples/finvoice6.xml"}


def test_a_walk_over_the_whole_folder_reports_every_file_once() -> None:
    files = [(str(path.relative_to(CORPUS)), path.read_bytes()) for path in all_files()]
    readings = list(read_many(files))
    assert list(dict.fromkeys(name for name, _ in readings)) == [name for name, _ in files]
    invoices = {name for name, reading in readings if isinstance(reading, Invoice)}
    assert invoices == READABLE
    assert all(reading.file == name for name, reading in readings if isinstance(reading, DocumentError))


def test_the_table_of_expectations_is_not_taken_for_invoices() -> None:
    """It has columns named number, currency, payable, ... but nobody who sells or buys."""
    (error,) = read_each("EXPECTED.csv", (CORPUS / "EXPECTED.csv").read_bytes())
    assert isinstance(error, DocumentError)
    assert "seller" in error.reason


REFUSED = {".txt": UnsupportedSyntax, ".csv": MissingElement, ".xml": BrokenDocument}


def test_what_is_no_invoice_is_refused_with_file_element_and_reason() -> None:
    others = [path for path in all_files() if str(path.relative_to(CORPUS)) not in READABLE]
    assert len(others) >= 15
    for path in others:
        (error,) = read_each(str(path), path.read_bytes())
        assert isinstance(error, REFUSED[path.suffix]), path
        assert error.file == str(path)
        assert error.reason


def test_what_is_payable_decides_over_the_whole_corpus() -> None:
    set_off = {}  # what the document itself takes off the payable
    for row in ROWS:
        for invoice in invoices_of(row):
            outcome = receivable_of(invoice)
            stated = invoice.payable or invoice.gross
            assert stated is not None
            if invoice.left_to_pay not in (None, stated):
                set_off[PurePosixPath(row["path"]).stem] = stated.minor - invoice.left_to_pay.minor
                stated = invoice.left_to_pay
            match outcome:
                case Receivable() | Assigned():
                    assert outcome.amount == stated, row["path"]
                    assert stated.minor > 0
                case Adjustment():
                    assert invoice.preceding_invoices
                    assert outcome.amount.minor > 0
                    assert row["type_code"] in ("381", "261", "61") or stated.minor < 0, row["path"]
                case Refusal():
                    no_demand = row["type_code"] in ("381", "261", "325")
                    assert no_demand or stated.minor <= 0, row["path"]
    thousand_zloty = 100_000
    assert set_off == {
        "invoice-template-fa-3-with-custom-Subject3": thousand_zloty,
        "invoice-template-fa-3-with-multiple-Subject3": thousand_zloty,
    }
