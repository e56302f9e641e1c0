"""Finland: decimal commas, the financier of the factoring agreement, due dates that are none."""

from __future__ import annotations

import datetime

import pytest

from registry.documents import (
    Adjustment,
    BadValue,
    InvoiceReference,
    MissingElement,
    NoticeCode,
    Receivable,
    Refusal,
    RefusalReason,
    SignalKind,
    UnsupportedSyntax,
    receivable_of,
)
from registry.money import Money
from tests.registry.documents.national import finvoice
from tests.registry.documents.reading import codes, error_of, kinds, one

SLIP = (
    "<EpiDetails><EpiPartyDetails><EpiBeneficiaryPartyDetails><EpiNameAddressDetails>{payee}</EpiNameAddressDetails>"
    "</EpiBeneficiaryPartyDetails></EpiPartyDetails><EpiPaymentInstructionDetails><EpiInstructedAmount "
    'AmountCurrencyIdentifier="EUR">{amount}</EpiInstructedAmount></EpiPaymentInstructionDetails></EpiDetails>'
)


def test_an_invoice_is_a_receivable() -> None:
    invoice = one(finvoice())
    outcome = receivable_of(invoice)
    assert isinstance(outcome, Receivable)
    assert outcome.amount == Money("EUR", 124_000)
    assert (invoice.number, invoice.due_date) == ("6684412", datetime.date(2026, 6, 14))
    assert (invoice.seller.name, invoice.seller.country) == ("Myyjä Oyj", "FI"), "the country of its VAT number"
    assert invoice.seller.identifier("vat") == "FI14636114"
    assert invoice.warnings == ()


@pytest.mark.parametrize("total", ["1240.00", "1,240,00", "1e3", ""])
def test_amounts_in_another_notation_are_refused(total: str) -> None:
    error = error_of(finvoice(total=total), MissingElement if total == "" else BadValue)
    assert error.element == "Finvoice/InvoiceDetails/InvoiceTotalVatIncludedAmount"


def test_a_credit_note_has_negative_amounts() -> None:
    details = (
        "<OriginalInvoiceNumber>6684400</OriginalInvoiceNumber><OriginalInvoiceDate>20260401</OriginalInvoiceDate>"
    )
    outcome = receivable_of(one(finvoice(kind="INV02", total="-240,00", details=details)))
    assert isinstance(outcome, Adjustment)
    assert outcome.adjusts == (InvoiceReference("6684400", datetime.date(2026, 4, 1)),)
    assert outcome.amount == Money("EUR", 24_000)
    refused = receivable_of(one(finvoice(kind="INV02", total="240,00", details=details)))
    assert isinstance(refused, Refusal)
    assert refused.reason is RefusalReason.NOT_POSITIVE


def test_the_financier_of_the_factoring_agreement() -> None:
    agreement = (
        "<FactoringAgreementDetails><FactoringAgreementIdentifier>011</FactoringAgreementIdentifier><FactoringFreeText>"
        "Tämä laskusaatava on siirretty Rahoitus Oy:lle</FactoringFreeText><FactoringPartyIdentifier>2597279-7"
        "</FactoringPartyIdentifier><FactoringPartyName>Rahoitus Oy</FactoringPartyName></FactoringAgreementDetails>"
    )
    invoice = one(finvoice(after=agreement))
    assert kinds(invoice) == [SignalKind.FINANCIER_NAMED, SignalKind.ASSIGNMENT_NOTE]
    assert invoice.signals[0].party is not None
    assert invoice.signals[0].party.name == "Rahoitus Oy"
    assert "siirretty" in invoice.signals[1].text


def test_a_payment_slip_for_somebody_else_or_another_amount() -> None:
    assert kinds(one(finvoice(after=SLIP.format(payee="Rahasto Oy", amount="1240,00")))) == [SignalKind.ANOTHER_PAYEE]
    own = one(finvoice(after=SLIP.format(payee="MYYJÄ OYJ", amount="451,98")))
    assert kinds(own) == []
    assert NoticeCode.PAYABLE_DIFFERS in codes(own)


def test_a_due_date_that_is_no_day_is_a_warning() -> None:
    invoice = one(finvoice(due="20261406"))
    assert invoice.due_date is None
    assert {NoticeCode.UNREADABLE_DUE_DATE, NoticeCode.NO_DUE_DATE} <= codes(invoice)
    assert one(finvoice(due="2026-06-14")).due_date == datetime.date(2026, 6, 14)


def test_marks_of_copies_tests_pro_formas_and_cancellations() -> None:
    assert NoticeCode.COPY in codes(one(finvoice(origin="Copy")))
    assert NoticeCode.TEST_DOCUMENT in codes(one(finvoice(kind="TES01")))
    proforma = receivable_of(one(finvoice(kind="INV06")))
    assert isinstance(proforma, Refusal)
    assert proforma.reason is RefusalReason.NOT_A_DEMAND
    error_of(finvoice(origin="Cancel"), UnsupportedSyntax)
