"""A real buyer's ledger through a column map: what in it is a receivable, and what is not, row by row."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.documents import (
    ColumnMap,
    DateOrder,
    DocumentError,
    Receivable,
    Refusal,
    RefusalReason,
    read_each,
    receivable_of,
)

LEDGERS = Path(__file__).parents[4] / "shared" / "data" / "ledgers" / "uk-epsrc-spend"
COLUMNS = ColumnMap(
    columns={
        "number": "TransactionNumber",
        "issue_date": "Date",
        "currency": "InvoiceCurrencyUnit",
        "payable": "Amount",
        "seller_name": "Supplier",
    },
    constants={"buyer_name": "Engineering and Physical Sciences Research Council", "buyer_country": "GB"},
    date_order=DateOrder.DAY_MONTH_YEAR,
)


@pytest.mark.skipif(not LEDGERS.exists(), reason="no real ledgers here: ../shared/data/ledgers is missing")
@pytest.mark.parametrize(
    ("month", "receivables", "credits", "numbers"), [("April2015", 1795, 59, 1431), ("Aug2015", 1006, 35, 818)]
)
def test_every_row_is_a_receivable_or_says_why_not(month: str, receivables: int, credits: int, numbers: int) -> None:
    """Negative rows are credits; several rows share number and supplier, which registration refuses or lists."""
    readings = list(read_each(f"{month}.csv", (LEDGERS / f"EPSRCSpendData{month}.csv").read_bytes(), COLUMNS))
    assert not [reading for reading in readings if isinstance(reading, DocumentError)]
    made = [receivable_of(reading) for reading in readings if not isinstance(reading, DocumentError)]
    owed = [each for each in made if isinstance(each, Receivable)]
    assert (len(owed), len(made)) == (receivables, receivables + credits)
    assert {each.reason for each in made if isinstance(each, Refusal)} == {RefusalReason.NOT_POSITIVE}
    assert all(each.amount.minor > 0 for each in owed)
    assert {each.amount.currency for each in owed} <= {"GBP", "USD", "EUR"}
    assert len({(each.invoice.seller.name, each.invoice.number) for each in owed}) == numbers
