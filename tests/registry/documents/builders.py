"""Small documents for tests: a complete one whose parts can be exchanged."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import Any

from openpyxl import Workbook

UBL_NS = "urn:oasis:names:specification:ubl:schema:xsd:"
CEFACT = "urn:un:unece:uncefact:data:standard:"

SELLER_LEI = "984500TJEXPORT000197"
BUYER_LEI = "984500DEIMPORT000108"
USCC = "91120116MA05T4K1XT"


def ubl_party(name: str, country: str, lei: str, extra: str = "") -> str:
    address = f"<cac:Country><cbc:IdentificationCode>{country}</cbc:IdentificationCode></cac:Country>"
    company = f'<cbc:RegistrationName>{name}</cbc:RegistrationName><cbc:CompanyID schemeID="0199">{lei}</cbc:CompanyID>'
    return (
        f"<cac:Party>{extra}<cac:PostalAddress>{address}</cac:PostalAddress>"
        f"<cac:PartyLegalEntity>{company}</cac:PartyLegalEntity></cac:Party>"
    )


def ubl(
    *,
    root: str = "Invoice",
    number: str = "TJ-1",
    issue: str = "2026-05-04",
    due: str = "<cbc:DueDate>2026-07-31</cbc:DueDate>",
    type_code: str = "380",
    currency: str = "USD",
    total: str = "",
    payable: str = "100000.00",
    body: str = "",
    seller: str = "",
    buyer: str = "",
    prolog: str = '<?xml version="1.0" encoding="UTF-8"?>',
) -> bytes:
    """A UBL document; `body` is put between the currency and the parties, `total` before the payable amount."""
    seller = seller or ubl_party("Haihe Bearings", "CN", SELLER_LEI)
    buyer = buyer or ubl_party("Rheinwerk GmbH", "DE", BUYER_LEI)
    text = (
        f'{prolog}<{root} xmlns="{UBL_NS}{root}-2" xmlns:cac="{UBL_NS}CommonAggregateComponents-2" '
        f'xmlns:cbc="{UBL_NS}CommonBasicComponents-2"><cbc:ID>{number}</cbc:ID><cbc:IssueDate>{issue}</cbc:IssueDate>'
        f"{due}<cbc:{root}TypeCode>{type_code}</cbc:{root}TypeCode>"
        f"<cbc:DocumentCurrencyCode>{currency}</cbc:DocumentCurrencyCode>{body}"
        f"<cac:AccountingSupplierParty>{seller}</cac:AccountingSupplierParty>"
        f"<cac:AccountingCustomerParty>{buyer}</cac:AccountingCustomerParty><cac:LegalMonetaryTotal>{total}"
        f'<cbc:PayableAmount currencyID="{currency}">{payable}</cbc:PayableAmount></cac:LegalMonetaryTotal></{root}>'
    )
    return text.encode()


def cii(
    *,
    number: str = "TJ-1",
    issue: str = '<udt:DateTimeString format="102">20260504</udt:DateTimeString>',
    type_code: str = "380",
    currency: str = "USD",
    summation: str = "<ram:DuePayableAmount>100000.00</ram:DuePayableAmount>",
    settlement: str = "",
    context: str = "",
    agreement: str = "",
) -> bytes:
    """A CII document; `settlement` is put after the currency, `agreement` after the parties."""
    return (
        f'<rsm:CrossIndustryInvoice xmlns:rsm="{CEFACT}CrossIndustryInvoice:100" '
        f'xmlns:ram="{CEFACT}ReusableAggregateBusinessInformationEntity:100" '
        f'xmlns:udt="{CEFACT}UnqualifiedDataType:100" xmlns:qdt="{CEFACT}QualifiedDataType:100">'
        f"<rsm:ExchangedDocumentContext>{context}</rsm:ExchangedDocumentContext><rsm:ExchangedDocument>"
        f"<ram:ID>{number}</ram:ID><ram:TypeCode>{type_code}</ram:TypeCode><ram:IssueDateTime>{issue}"
        "</ram:IssueDateTime></rsm:ExchangedDocument><rsm:SupplyChainTradeTransaction>"
        "<ram:ApplicableHeaderTradeAgreement><ram:SellerTradeParty><ram:Name>Haihe Bearings</ram:Name>"
        "</ram:SellerTradeParty><ram:BuyerTradeParty><ram:Name>Rheinwerk GmbH</ram:Name></ram:BuyerTradeParty>"
        f"{agreement}</ram:ApplicableHeaderTradeAgreement><ram:ApplicableHeaderTradeDelivery/>"
        f"<ram:ApplicableHeaderTradeSettlement><ram:InvoiceCurrencyCode>{currency}</ram:InvoiceCurrencyCode>"
        f"{settlement}<ram:SpecifiedTradeSettlementHeaderMonetarySummation>{summation}"
        "</ram:SpecifiedTradeSettlementHeaderMonetarySummation></ram:ApplicableHeaderTradeSettlement>"
        "</rsm:SupplyChainTradeTransaction></rsm:CrossIndustryInvoice>"
    ).encode()


CSV_HEADER = "number,issue_date,due_date,currency,payable,seller_name,seller_country,buyer_name,buyer_country"
CSV_ROW = "TJ-1,2026-05-04,2026-07-31,USD,100000.00,Haihe Bearings,CN,Rheinwerk GmbH,DE"


def xlsx(*rows: Sequence[Any], formats: dict[str, str] | None = None) -> bytes:
    """A workbook of one sheet; `formats`: cell name -> number format."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    for place, number_format in (formats or {}).items():
        sheet[place].number_format = number_format
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(data: bytes, changes: dict[str, bytes]) -> bytes:
    """The ZIP archive `data` with some members replaced or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            if member.filename not in changes:
                new.writestr(member, old.read(member))
        for name, content in changes.items():
            new.writestr(name, content)
    return out.getvalue()
