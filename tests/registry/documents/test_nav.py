"""Hungary: a modification adds or takes by its sign, a batch holds several, a report may leave the gross total out."""

from __future__ import annotations

import pytest

from registry.documents import (
    Adjustment,
    InvoiceReference,
    Kind,
    MissingElement,
    NoticeCode,
    Receivable,
    Refusal,
    RefusalReason,
    read,
    receivable_of,
)
from registry.money import Money
from tests.registry.documents.national import nav, nav_invoice
from tests.registry.documents.reading import codes, error_of, one


def test_an_invoice_report_is_a_receivable() -> None:
    invoice = one(nav())
    outcome = receivable_of(invoice)
    assert isinstance(outcome, Receivable)
    assert outcome.amount == Money("HUF", 12_700_000)
    assert invoice.seller.identifier("vat") == "HU10597190"
    assert (invoice.buyer.identifier("vat"), invoice.buyer.country) == ("DE136695976", "DE")


@pytest.mark.parametrize(("total", "kind"), [("-127000", Kind.CREDIT_NOTE), ("127000", Kind.INVOICE)])
def test_a_modification_takes_or_adds_by_its_sign(total: str, kind: Kind) -> None:
    invoice = one(nav(nav_invoice(total=total, original="2026/1")))
    assert invoice.kind is kind
    assert invoice.preceding_invoices == (InvoiceReference("2026/1", None),)
    outcome = receivable_of(invoice)
    assert isinstance(outcome, Adjustment if kind is Kind.CREDIT_NOTE else Receivable)
    assert outcome.amount == Money("HUF", 12_700_000)
    assert (NoticeCode.CORRECTS_ANOTHER in codes(invoice)) is (kind is Kind.INVOICE)


def test_a_modification_of_nothing_and_a_negative_invoice_are_refused() -> None:
    for document in (nav(nav_invoice(total="0", original="2026/1")), nav(nav_invoice(total="-5"))):
        outcome = receivable_of(one(document))
        assert isinstance(outcome, Refusal)
        assert outcome.reason is RefusalReason.NOT_POSITIVE


def test_a_batch_holds_several() -> None:
    found = read("f.xml", nav(*(nav_invoice(total="-5", original=f"2026/{n}") for n in (1, 2)), batch=True))
    assert [invoice.container for invoice in found] == ["batch 1", "batch 2"]
    assert [invoice.preceding_invoices[0].number for invoice in found] == ["2026/1", "2026/2"]


def test_a_gross_total_that_is_left_out_is_net_and_tax() -> None:
    net, tax = "<invoiceNetAmount>100000</invoiceNetAmount>", "<invoiceVatAmount>27000</invoiceVatAmount>"
    summary = f"<summaryNormal>{net}{tax}</summaryNormal>"
    gross = "<summaryGrossData><invoiceGrossAmount>127000</invoiceGrossAmount></summaryGrossData>"
    assert one(nav(nav_invoice().replace(gross, summary))).payable == Money("HUF", 12_700_000)
    error = error_of(nav(nav_invoice().replace(gross, "")), MissingElement)
    assert error.element.endswith("invoiceSummary/summaryGrossData/invoiceGrossAmount")


def test_a_private_buyer_is_nobody_that_can_be_named() -> None:
    outcome = receivable_of(one(nav(nav_invoice(customer=""))))
    assert isinstance(outcome, Refusal)
    assert outcome.reason is RefusalReason.PARTY_UNNAMED
