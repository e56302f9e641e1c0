"""What a document can become: the rules of the issue's "Documents in", one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.documents import (
    Adjustment,
    Grade,
    Identifier,
    Invoice,
    InvoiceReference,
    NoticeCode,
    Party,
    Receivable,
    Refusal,
    RefusalReason,
    Syntax,
    read,
    receivable_of,
)
from registry.documents.receivable import same_party
from registry.money import Money
from tests.registry.documents.builders import BUYER_LEI, SELLER_LEI, ubl, ubl_party


def invoice_of(**changes: object) -> Invoice:
    (invoice,) = read("f.xml", ubl())
    return replace(invoice, **changes)  # type: ignore[arg-type]


def refusal_of(invoice: Invoice) -> Refusal:
    outcome = receivable_of(invoice)
    assert isinstance(outcome, Refusal)
    assert outcome.file == "f.xml"
    assert outcome.element
    assert outcome.detail
    return outcome


USD = 100


def test_an_invoice_is_a_receivable_of_what_is_payable_never_of_the_gross() -> None:
    outcome = receivable_of(invoice_of(gross=Money("USD", 900 * USD), payable=Money("USD", 500 * USD)))
    assert isinstance(outcome, Receivable)
    assert outcome.amount == Money("USD", 500 * USD)
    assert outcome.grade is Grade.DOCUMENT
    assert not outcome.possibly_assigned


def test_rows_of_a_table_are_only_self_asserted() -> None:
    for syntax in (Syntax.CSV, Syntax.XLSX):
        outcome = receivable_of(invoice_of(syntax=syntax))
        assert isinstance(outcome, Receivable)
        assert outcome.grade is Grade.SELF_ASSERTED


@pytest.mark.parametrize("minor", [0, -1, -52_987])
def test_zero_and_negative_amounts_are_refused(minor: int) -> None:
    refusal = refusal_of(invoice_of(payable=Money("USD", minor), gross=Money("USD", 52_987)))
    assert (refusal.reason, refusal.element) == (RefusalReason.NOT_POSITIVE, "payable")


def test_a_payable_that_is_not_stated_is_gross_less_prepaid() -> None:
    outcome = receivable_of(invoice_of(payable=None, gross=Money("USD", 300), prepaid=Money("USD", 100)))
    assert isinstance(outcome, Receivable)
    assert outcome.amount == Money("USD", 200)
    assert refusal_of(invoice_of(payable=None, gross=None)).reason is RefusalReason.NO_AMOUNT


@pytest.mark.parametrize("type_code", ["325", "751", "130", "935"])
def test_documents_that_ask_for_no_payment_are_refused(type_code: str) -> None:
    assert refusal_of(invoice_of(type_code=type_code)).reason is RefusalReason.NOT_A_DEMAND


def credit_note(body: str = "", payable: str = "400.00", total: str = "") -> Invoice:
    (invoice,) = read("f.xml", ubl(root="CreditNote", due="", type_code="381", body=body, payable=payable, total=total))
    return invoice


NAMES_TJ_0 = (
    "<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>TJ-0</cbc:ID></cac:InvoiceDocumentReference>"
    "</cac:BillingReference>"
)


def test_a_credit_note_adjusts_the_invoice_it_names() -> None:
    outcome = receivable_of(credit_note(NAMES_TJ_0))
    assert isinstance(outcome, Adjustment)
    assert outcome.adjusts == (InvoiceReference("TJ-0", None),)
    assert outcome.amount == Money("USD", 40_000)


def test_a_credit_note_takes_away_its_total_even_if_part_was_paid_out() -> None:
    total = (
        '<cbc:TaxInclusiveAmount currencyID="USD">400</cbc:TaxInclusiveAmount>'
        '<cbc:PrepaidAmount currencyID="USD">400</cbc:PrepaidAmount>'
    )
    outcome = receivable_of(credit_note(NAMES_TJ_0, payable="0", total=total))
    assert isinstance(outcome, Adjustment)
    assert outcome.amount == Money("USD", 40_000)


def test_credit_notes_that_adjust_nothing_are_refused() -> None:
    assert refusal_of(credit_note()).reason is RefusalReason.NAMES_NO_INVOICE
    assert refusal_of(credit_note(NAMES_TJ_0, payable="-5.00")).reason is RefusalReason.NOT_POSITIVE
    assert refusal_of(replace(credit_note(NAMES_TJ_0), payable=None)).reason is RefusalReason.NO_AMOUNT


def test_parties_without_name_and_identifier_are_refused() -> None:
    nobody = Party(name="", country="DE", identifiers=())
    refusal = refusal_of(invoice_of(buyer=nobody))
    assert (refusal.reason, refusal.element) == (RefusalReason.PARTY_UNNAMED, "buyer")
    assert refusal_of(invoice_of(seller=nobody)).element == "seller"


def test_a_payee_goes_through_flagged() -> None:
    payee = "<cac:PayeeParty><cac:PartyName><cbc:Name>Factoring GmbH</cbc:Name></cac:PartyName></cac:PayeeParty>"
    (invoice,) = read("f.xml", ubl(body=payee))
    outcome = receivable_of(invoice)
    assert isinstance(outcome, Receivable)
    assert outcome.possibly_assigned


def test_a_firm_that_invoices_itself_is_flagged() -> None:
    (invoice,) = read("f.xml", ubl(buyer=ubl_party("Other Name", "DE", SELLER_LEI)))
    assert NoticeCode.SELLER_IS_BUYER in {notice.code for notice in invoice.warnings}


def test_same_party() -> None:
    def party(name: str, *identifiers: tuple[str, str]) -> Party:
        return Party(name=name, country=None, identifiers=tuple(Identifier(*found) for found in identifiers))

    assert same_party(party("A GmbH"), party("a gmbh"))
    assert not same_party(party("A GmbH"), party("B GmbH"))
    assert same_party(party("A", ("lei", SELLER_LEI)), party("B", ("lei", SELLER_LEI)))
    assert not same_party(party("A", ("lei", SELLER_LEI)), party("A", ("lei", BUYER_LEI)))
    assert not same_party(party("A", ("vat", "DE1")), party("B", ("vat", "DE1"))), "tax groups share VAT numbers"
