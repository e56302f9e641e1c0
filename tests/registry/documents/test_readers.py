"""UBL and CII: what each element becomes, and what is refused."""

from __future__ import annotations

import datetime
import hashlib

import pytest

from registry.documents import (
    AmbiguousElement,
    BadValue,
    GovernmentId,
    Identifier,
    Invoice,
    InvoiceReference,
    Kind,
    MissingElement,
    NoticeCode,
    Syntax,
    TransportReference,
    read,
)
from registry.money import Money
from tests.registry.documents.builders import BUYER_LEI, SELLER_LEI, USCC, cii, ubl, ubl_party


def one(data: bytes) -> Invoice:
    (invoice,) = read("f.xml", data)
    return invoice


def codes(invoice: Invoice) -> set[NoticeCode]:
    return {notice.code for notice in invoice.warnings}


def due(*days: str) -> str:
    terms = (
        f'<ram:DueDateDateTime><udt:DateTimeString format="102">{day}</udt:DateTimeString></ram:DueDateDateTime>'
        for day in days
    )
    return "".join(f"<ram:SpecifiedTradePaymentTerms>{text}</ram:SpecifiedTradePaymentTerms>" for text in terms)


def test_ubl_in_the_common_model() -> None:
    data = ubl()
    invoice = one(data)
    assert invoice.syntax is Syntax.UBL_INVOICE
    assert invoice.kind is Kind.INVOICE
    assert invoice.issue_date == datetime.date(2026, 5, 4)
    assert invoice.payable == Money("USD", 10_000_000)
    assert invoice.seller.identifiers == (Identifier("lei", SELLER_LEI),)
    assert invoice.buyer.identifier("lei") == BUYER_LEI
    assert invoice.digest == hashlib.sha256(data).digest()
    assert (invoice.file, invoice.container) == ("f.xml", "")
    assert invoice.warnings == ()


@pytest.mark.parametrize(
    ("currency", "payable", "minor"),
    [("JPY", "12480000", 12_480_000), ("KWD", "18450.250", 18_450_250), ("BHD", "0.5", 500), ("EUR", "12.6", 1260)],
)
@pytest.mark.parametrize("syntax", ["ubl", "cii"])
def test_exponents(syntax: str, currency: str, payable: str, minor: int) -> None:
    summation = f"<ram:DuePayableAmount>{payable}</ram:DuePayableAmount>"
    data = ubl(currency=currency, payable=payable) if syntax == "ubl" else cii(currency=currency, summation=summation)
    assert one(data).payable == Money(currency, minor)


@pytest.mark.parametrize("payable", ["100.5", "1,5", "1e3", "NaN", "abc"])
def test_amounts_that_are_not_exact_are_refused(payable: str) -> None:
    with pytest.raises(BadValue) as error:
        one(ubl(currency="JPY", payable=payable))
    assert error.value.element.endswith("cbc:PayableAmount")


def test_an_amount_in_another_currency_is_refused() -> None:
    data = ubl(currency="USD").replace(b'currencyID="USD"', b'currencyID="SAR"')
    with pytest.raises(BadValue, match="SAR"):
        one(data)
    summation = '<ram:DuePayableAmount currencyID="CNY">1.00</ram:DuePayableAmount>'
    with pytest.raises(BadValue, match="CNY"):
        one(cii(summation=summation))


@pytest.mark.parametrize("currency", ["", "EURO", "XXX", "XAU"])
def test_currencies_that_nobody_owes(currency: str) -> None:
    for data in (ubl(currency=currency), cii(currency=currency)):
        with pytest.raises((BadValue, MissingElement)) as error:
            one(data)
        assert "Currency" in error.value.element


def test_two_totals_that_differ_are_refused_equal_ones_accepted() -> None:
    same = '<cbc:PayableAmount currencyID="USD">100000</cbc:PayableAmount>'
    assert one(ubl(total=same)).payable == Money("USD", 10_000_000)
    with pytest.raises(AmbiguousElement):
        one(ubl(total=same.replace("100000", "1")))
    with pytest.raises(AmbiguousElement):
        one(ubl(seller=ubl_party("A", "CN", SELLER_LEI) + ubl_party("B", "CN", SELLER_LEI)))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-05-04", (2026, 5, 4)),
        ("2026-05-04Z", (2026, 5, 4)),
        ("2026-05-04+08:00", (2026, 5, 4)),
        (" 2026-05-04\n", (2026, 5, 4)),
        ("2024-02-29", (2024, 2, 29)),
    ],
)
def test_ubl_dates(text: str, day: tuple[int, int, int]) -> None:
    assert one(ubl(issue=text)).issue_date == datetime.date(*day)


@pytest.mark.parametrize("text", ["04.05.2026", "2026-5-4", "2026-02-30", "20260504", "0001-01-01", "tomorrow"])
def test_ubl_dates_that_are_none(text: str) -> None:
    with pytest.raises(BadValue) as error:
        one(ubl(issue=text))
    assert error.value.element == "Invoice/cbc:IssueDate"


def test_cii_dates_as_strings_and_as_date_times() -> None:
    assert one(cii()).issue_date == datetime.date(2026, 5, 4)
    stamp = "<udt:DateTime>2026-05-04T09:30:00Z</udt:DateTime>"
    assert one(cii(issue=stamp)).issue_date == datetime.date(2026, 5, 4)
    with pytest.raises(BadValue):
        one(cii(issue='<udt:DateTimeString format="610">202605</udt:DateTimeString>'))
    with pytest.raises(MissingElement):
        one(cii(issue=""))


def test_no_due_date_is_a_warning() -> None:
    invoice = one(ubl(due=""))
    assert invoice.due_date is None
    assert codes(invoice) == {NoticeCode.NO_DUE_DATE}


def test_a_due_date_before_the_issue_date_is_a_warning() -> None:
    invoice = one(ubl(due="<cbc:DueDate>2013-07-20</cbc:DueDate>"))
    assert invoice.due_date == datetime.date(2013, 7, 20)
    assert NoticeCode.DUE_BEFORE_ISSUE in codes(invoice)


def test_two_due_dates_are_reported() -> None:
    means = "<cac:PaymentMeans><cbc:PaymentDueDate>{}</cbc:PaymentDueDate></cac:PaymentMeans>"
    agreeing = one(ubl(body=means.format("2026-07-31")))
    assert agreeing.warnings == ()
    header_wins = one(ubl(body=means.format("2026-09-30")))
    assert header_wins.due_date == datetime.date(2026, 7, 31)
    assert NoticeCode.SEVERAL_DUE_DATES in codes(header_wins)
    last = one(ubl(due="", body=means.format("2026-07-01") + means.format("2026-08-01")))
    assert last.due_date == datetime.date(2026, 8, 1)
    assert NoticeCode.SEVERAL_DUE_DATES in codes(last)


def test_two_due_dates_in_cii() -> None:
    invoice = one(cii(settlement=due("20260701", "20260801")))
    assert invoice.due_date == datetime.date(2026, 8, 1)
    assert NoticeCode.SEVERAL_DUE_DATES in codes(invoice)
    assert NoticeCode.SEVERAL_DUE_DATES not in codes(one(cii(settlement=due("20260701", "20260701"))))


def test_tax_point_dates() -> None:
    assert one(ubl(body="<cbc:TaxPointDate>2026-05-01</cbc:TaxPointDate>")).tax_point_date == datetime.date(2026, 5, 1)
    tax = (
        '<ram:ApplicableTradeTax><ram:TaxPointDate><udt:DateString format="102">{}</udt:DateString>'
        "</ram:TaxPointDate></ram:ApplicableTradeTax>"
    )
    assert one(cii(settlement=tax.format("20260501") * 2)).tax_point_date == datetime.date(2026, 5, 1)
    assert one(cii(settlement=tax.format("20260501") + tax.format("20260502"))).tax_point_date is None


def test_payable_gross_and_prepaid() -> None:
    total = (
        '<cbc:TaxInclusiveAmount currencyID="USD">120000</cbc:TaxInclusiveAmount>'
        '<cbc:PrepaidAmount currencyID="USD">20000</cbc:PrepaidAmount>'
    )
    invoice = one(ubl(total=total))
    assert (invoice.gross, invoice.prepaid) == (Money("USD", 12_000_000), Money("USD", 2_000_000))
    assert NoticeCode.PAYABLE_DIFFERS in codes(invoice)


def test_a_ubl_invoice_with_a_credit_note_code_is_a_credit_note() -> None:
    assert one(ubl(type_code="381")).kind is Kind.CREDIT_NOTE
    note = one(ubl(root="CreditNote", due="", type_code="381"))
    assert (note.kind, note.syntax) == (Kind.CREDIT_NOTE, Syntax.UBL_CREDIT_NOTE)
    assert one(ubl(root="CreditNote", due="", type_code="380")).kind is Kind.CREDIT_NOTE
    assert one(cii(type_code="261")).kind is Kind.CREDIT_NOTE


def test_a_payee_other_than_the_seller_is_flagged() -> None:
    payee = "<cac:PayeeParty><cac:PartyName><cbc:Name>{}</cbc:Name></cac:PartyName>{}</cac:PayeeParty>"
    company = '<cac:PartyLegalEntity><cbc:CompanyID schemeID="0199">{}</cbc:CompanyID></cac:PartyLegalEntity>'
    other = one(ubl(body=payee.format("Factoring GmbH", "")))
    assert other.payee is not None
    assert other.payee.name == "Factoring GmbH"
    assert NoticeCode.POSSIBLY_ASSIGNED in codes(other)
    same_name = one(ubl(body=payee.format("HAIHE BEARINGS", "")))
    assert same_name.payee is not None
    assert codes(same_name) == set()
    assert codes(one(ubl(body=payee.format("Another Name", company.format(SELLER_LEI))))) == set()
    named_alike = one(ubl(body=payee.format("Haihe Bearings", company.format(BUYER_LEI))))
    assert NoticeCode.POSSIBLY_ASSIGNED in codes(named_alike)


def test_a_factored_invoice_says_so_by_its_type() -> None:
    assert NoticeCode.POSSIBLY_ASSIGNED in codes(one(ubl(type_code="393")))


def test_order_references_of_header_and_lines_once_without_placeholders() -> None:
    line = (
        "<cac:InvoiceLine><cac:OrderLineReference><cac:OrderReference><cbc:ID>{}</cbc:ID></cac:OrderReference>"
        "</cac:OrderLineReference></cac:InvoiceLine>"
    )
    body = "<cac:OrderReference><cbc:ID>{}</cbc:ID></cac:OrderReference>"
    invoice = one(ubl(body=body.format("PO-1") + line.format("PO-2") + line.format("PO-1")))
    assert invoice.order_references == ("PO-1", "PO-2")
    assert one(ubl(body=body.format("NA"))).order_references == ()
    number = "<ram:IssuerAssignedID>PO-3</ram:IssuerAssignedID>"
    order = f"<ram:BuyerOrderReferencedDocument>{number}</ram:BuyerOrderReferencedDocument>"
    assert one(cii(agreement=order)).order_references == ("PO-3",)


def test_transport_references_are_carriers_documents_not_the_sellers_delivery_notes() -> None:
    reference = "<cac:{0}><cbc:ID>{1}</cbc:ID><cbc:DocumentTypeCode>{2}</cbc:DocumentTypeCode></cac:{0}>"
    body = (
        reference.format("DespatchDocumentReference", "DN-1", "351")
        + reference.format("AdditionalDocumentReference", "COSU6312345670", "705")
        + reference.format("AdditionalDocumentReference", "scan.pdf", "916")
        + "<cac:DespatchDocumentReference><cbc:ID>2013-51112</cbc:ID></cac:DespatchDocumentReference>"
    )
    assert one(ubl(body=body)).transport_references == (TransportReference("705", "COSU6312345670"),)
    document = (
        "<ram:AdditionalReferencedDocument><ram:IssuerAssignedID>784-11223343</ram:IssuerAssignedID>"
        "<ram:TypeCode>740</ram:TypeCode></ram:AdditionalReferencedDocument>"
    )
    assert one(cii(agreement=document)).transport_references == (TransportReference("740", "784-11223343"),)


def test_preceding_invoices() -> None:
    body = (
        "<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>TJ-0</cbc:ID><cbc:IssueDate>2026-04-01"
        "</cbc:IssueDate></cac:InvoiceDocumentReference></cac:BillingReference>"
    )
    invoice = one(ubl(body=body))
    assert invoice.preceding_invoices == (InvoiceReference("TJ-0", datetime.date(2026, 4, 1)),)
    assert NoticeCode.CORRECTS_ANOTHER in codes(invoice)
    settlement = (
        "<ram:InvoiceReferencedDocument><ram:IssuerAssignedID>TJ-0</ram:IssuerAssignedID><ram:FormattedIssueDateTime>"
        '<qdt:DateTimeString format="102">20260401</qdt:DateTimeString></ram:FormattedIssueDateTime>'
        "</ram:InvoiceReferencedDocument>"
    )
    assert one(cii(settlement=settlement)).preceding_invoices == invoice.preceding_invoices


def test_the_uuid_is_a_government_id_only_where_a_government_gave_it() -> None:
    body = "<cbc:ProfileID>reporting:1.0</cbc:ProfileID><cbc:UUID>0195ce71-dc9c</cbc:UUID>"
    saudi = ubl_party("Acme", "SA", SELLER_LEI)
    assert one(ubl(body=body, seller=saudi)).government_id == GovernmentId("SA", "0195ce71-dc9c")
    assert one(ubl(body=body)).government_id is None
    assert one(ubl(body="<cbc:UUID>x</cbc:UUID>", seller=saudi)).government_id is None


def tax_scheme(value: str, scheme: str = "VAT") -> str:
    return (
        f"<cac:PartyTaxScheme><cbc:CompanyID>{value}</cbc:CompanyID><cac:TaxScheme><cbc:ID>{scheme}</cbc:ID>"
        "</cac:TaxScheme></cac:PartyTaxScheme>"
    )


@pytest.mark.parametrize(("value", "scheme"), [(USCC, "VAT"), (f"CN{USCC}", "VAT"), (USCC.lower(), "TAX")])
def test_a_chinese_tax_number_is_the_uscc(value: str, scheme: str) -> None:
    invoice = one(ubl(seller=ubl_party("Haihe", "CN", SELLER_LEI, tax_scheme(value, scheme))))
    assert invoice.seller.identifier("uscc") == USCC
    assert invoice.warnings == ()


@pytest.mark.parametrize(
    "extra",
    [
        tax_scheme("DE123456789"),
        '<cac:PartyIdentification><cbc:ID schemeID="0199">984500TJEXPORT000198</cbc:ID></cac:PartyIdentification>',
        '<cac:PartyIdentification><cbc:ID schemeID="0088">4000001123453</cbc:ID></cac:PartyIdentification>',
    ],
)
def test_wrong_check_digits_are_warnings(extra: str) -> None:
    invoice = one(ubl(seller=ubl_party("Haihe", "DE", SELLER_LEI, extra)))
    assert NoticeCode.BAD_IDENTIFIER in codes(invoice)


def test_a_wrong_uscc_is_a_warning() -> None:
    wrong = USCC[:-1] + ("0" if USCC[-1] != "0" else "1")
    invoice = one(ubl(seller=ubl_party("Haihe", "CN", SELLER_LEI, tax_scheme(wrong))))
    assert invoice.seller.identifier("uscc") == wrong
    assert NoticeCode.BAD_IDENTIFIER in codes(invoice)


def test_mail_boxes_and_mandates_are_no_identifiers() -> None:
    extra = (
        '<cbc:EndpointID schemeID="EM">a@example.org</cbc:EndpointID>'
        '<cac:PartyIdentification><cbc:ID schemeID="SEPA">DE98ZZZ09999999999</cbc:ID></cac:PartyIdentification>'
        "<cac:PartyIdentification><cbc:ID>K-4711</cbc:ID></cac:PartyIdentification>"
    )
    invoice = one(ubl(seller=ubl_party("Haihe", "CN", SELLER_LEI, extra)))
    assert invoice.seller.identifiers == (Identifier("lei", SELLER_LEI), Identifier("local", "K-4711"))


def test_unknown_countries_are_warnings() -> None:
    invoice = one(ubl(buyer=ubl_party("Kosovo Trade", "1A", BUYER_LEI)))
    assert invoice.buyer.country is None
    assert NoticeCode.UNKNOWN_COUNTRY in codes(invoice)
    assert one(ubl(buyer=ubl_party("R", "de", BUYER_LEI))).buyer.country == "DE"


def test_marks_of_tests_and_copies() -> None:
    assert NoticeCode.COPY in codes(one(ubl(body="<cbc:CopyIndicator>true</cbc:CopyIndicator>")))
    test = "<ram:TestIndicator><udt:Indicator>true</udt:Indicator></ram:TestIndicator>"
    assert NoticeCode.TEST_DOCUMENT in codes(one(cii(context=test)))
    assert NoticeCode.TEST_DOCUMENT not in codes(one(cii(context=test.replace("true", "false"))))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<cbc:ID>TJ-1</cbc:ID>", b"<cbc:ID> </cbc:ID>"),
        (b"<cbc:IssueDate>2026-05-04</cbc:IssueDate>", b""),
        (b"AccountingSupplierParty", b"SellerParty"),
        (b"AccountingCustomerParty", b"BuyerParty"),
        (b"LegalMonetaryTotal", b"RequestedMonetaryTotal"),
        (b"DocumentCurrencyCode", b"PricingCurrencyCode"),
    ],
)
def test_what_every_invoice_must_state(old: bytes, new: bytes) -> None:
    assert old in ubl()
    with pytest.raises(MissingElement) as error:
        one(ubl().replace(old, new))
    assert error.value.element.startswith("Invoice/")


def test_byte_order_marks_encodings_and_leading_blanks() -> None:
    data = ubl(number="TJ-ü")
    for variant in (
        b"\xef\xbb\xbf" + data,
        b"\n  " + data,
        b"\xef\xbb\xbf\n" + data,
        data.decode().replace("UTF-8", "ISO-8859-1").encode("latin-1"),
        data.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
    ):
        assert one(variant).number == "TJ-ü"
