"""Every UBL and CII file of the corpus agrees with what it must say; every other file is refused with a reason."""

from __future__ import annotations

import pytest

from registry.documents import DocumentError, Invoice, Refusal, read, read_each, read_many, receivable_of
from registry.documents.errors import UnsupportedSyntax
from registry.money import Money
from tests.registry.documents.corpus import CORPUS, READ_HERE, all_files, expected_rows, needs_corpus

pytestmark = needs_corpus

ROWS = expected_rows()
READABLE = [row for row in ROWS if row["syntax"] in READ_HERE]
OTHERS = [row for row in ROWS if row["syntax"] not in READ_HERE]


def test_the_corpus_holds_what_these_tests_are_about() -> None:
    assert len(READABLE) >= 90
    assert len({row["syntax"] for row in READABLE}) == len(READ_HERE)
    assert len(OTHERS) >= 25


@pytest.mark.parametrize("row", READABLE, ids=lambda row: row["path"])
def test_reads_what_the_corpus_expects(row: dict[str, str]) -> None:
    (invoice,) = read(row["path"], (CORPUS / row["path"]).read_bytes())
    found = {
        "syntax": invoice.syntax.value,
        "type_code": invoice.type_code,
        "number": invoice.number,
        "issue_date": invoice.issue_date.isoformat(),
        "due_date": invoice.due_date.isoformat() if invoice.due_date else "",
        "currency": invoice.currency,
        "seller_country": invoice.seller.country or "",
        "buyer_country": invoice.buyer.country or "",
        "payee": invoice.payee.name if invoice.payee else "",
        "container": invoice.container,
    }
    assert found == {name: row[name] for name in found}
    for name in ("payable", "gross", "prepaid"):
        stated = Money.parse(row[name], currency=row["currency"]) if row[name] else None
        assert getattr(invoice, name) == stated, name


@pytest.mark.parametrize("row", OTHERS, ids=lambda row: row["path"])
def test_other_syntaxes_are_refused_as_unsupported(row: dict[str, str]) -> None:
    with pytest.raises(UnsupportedSyntax) as refusal:
        read(row["path"], (CORPUS / row["path"]).read_bytes())
    assert refusal.value.file == row["path"]
    assert refusal.value.reason


def test_a_walk_over_the_whole_folder_reports_every_file_once() -> None:
    files = [(str(path.relative_to(CORPUS)), path.read_bytes()) for path in all_files()]
    readings = list(read_many(files))
    assert [name for name, _ in readings] == [name for name, _ in files]
    invoices = {name for name, reading in readings if isinstance(reading, Invoice)}
    assert invoices == {row["path"] for row in READABLE}
    assert all(reading.file == name for name, reading in readings if isinstance(reading, DocumentError))


def test_the_table_of_expectations_is_not_taken_for_invoices() -> None:
    """It has columns named number, currency, payable, ... but nobody who sells or buys."""
    (error,) = read_each("EXPECTED.csv", (CORPUS / "EXPECTED.csv").read_bytes())
    assert isinstance(error, DocumentError)
    assert "seller" in error.reason


def test_what_is_payable_decides_over_the_whole_corpus() -> None:
    for row in READABLE:
        (invoice,) = read(row["path"], (CORPUS / row["path"]).read_bytes())
        outcome = receivable_of(invoice)
        credit = row["type_code"] in ("381", "261")
        stated = row["payable"] or row["gross"]
        positive = Money.parse(stated, currency=row["currency"]).minor > 0
        if isinstance(outcome, Refusal):
            assert credit or not positive or row["type_code"] == "325", row["path"]
        elif credit:
            assert type(outcome).__name__ == "Adjustment", row["path"]
        else:
            assert positive
            assert outcome.amount == Money.parse(stated, currency=row["currency"]), row["path"]
