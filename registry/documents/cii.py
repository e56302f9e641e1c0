"""UN/CEFACT Cross Industry Invoice (Factur-X, ZUGFeRD 2, XRechnung) and its ancestor in ZUGFeRD 1."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from registry.documents.dates import parse_basic, parse_iso
from registry.documents.errors import BadValue, MissingElement
from registry.documents.identifiers import is_identity_scheme
from registry.documents.invoice import (
    NAME_CHARS_MAX,
    Invoice,
    InvoiceReference,
    Notice,
    NoticeCode,
    Party,
    Signal,
    SignalKind,
    Syntax,
    TransportReference,
)
from registry.documents.parties import party_of
from registry.documents.signals import assignment_notes
from registry.documents.source import Source, bounded, order_numbers
from registry.documents.type_codes import FACTOR_ROLES, TRANSPORT_DOCUMENTS, kind_of
from registry.documents.xml import Cursor

__all__ = ["DIALECTS", "Dialect", "read"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """What differs between the two generations: namespaces and the names of the large parts."""

    syntax: Syntax
    namespaces: Mapping[str, str]
    context: str
    document: str
    agreement: str
    delivery: str
    settlement: str
    summation: str
    reference_id: str
    line_agreement: str


_CEFACT = "urn:un:unece:uncefact:data:standard:"
_CII = Dialect(
    syntax=Syntax.CII,
    namespaces=MappingProxyType(
        {
            "rsm": _CEFACT + "CrossIndustryInvoice:100",
            "ram": _CEFACT + "ReusableAggregateBusinessInformationEntity:100",
            "udt": _CEFACT + "UnqualifiedDataType:100",
            "qdt": _CEFACT + "QualifiedDataType:100",
        }
    ),
    context="rsm:ExchangedDocumentContext",
    document="rsm:ExchangedDocument",
    agreement="rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeAgreement",
    delivery="rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeDelivery",
    settlement="rsm:SupplyChainTradeTransaction/ram:ApplicableHeaderTradeSettlement",
    summation="ram:SpecifiedTradeSettlementHeaderMonetarySummation",
    reference_id="ram:IssuerAssignedID",
    line_agreement="ram:SpecifiedLineTradeAgreement",
)
_ZUGFERD_1 = Dialect(
    syntax=Syntax.CII_ZUGFERD_1,
    namespaces=MappingProxyType(
        {
            "rsm": "urn:ferd:CrossIndustryDocument:invoice:1p0",
            "ram": _CEFACT + "ReusableAggregateBusinessInformationEntity:12",
            "udt": _CEFACT + "UnqualifiedDataType:15",
            "qdt": _CEFACT + "QualifiedDataType:12",
        }
    ),
    context="rsm:SpecifiedExchangedDocumentContext",
    document="rsm:HeaderExchangedDocument",
    agreement="rsm:SpecifiedSupplyChainTradeTransaction/ram:ApplicableSupplyChainTradeAgreement",
    delivery="rsm:SpecifiedSupplyChainTradeTransaction/ram:ApplicableSupplyChainTradeDelivery",
    settlement="rsm:SpecifiedSupplyChainTradeTransaction/ram:ApplicableSupplyChainTradeSettlement",
    summation="ram:SpecifiedTradeSettlementMonetarySummation",
    reference_id="ram:ID",
    line_agreement="ram:SpecifiedSupplyChainTradeAgreement",
)
DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        f"{{{_CII.namespaces['rsm']}}}CrossIndustryInvoice": _CII,
        f"{{{_ZUGFERD_1.namespaces['rsm']}}}CrossIndustryDocument": _ZUGFERD_1,
    }
)


def read(root: Cursor, source: Source) -> tuple[Invoice, ...]:
    """The invoice or credit note at `root`, whose tag is one of `DIALECTS`. Raises `DocumentError`."""
    dialect = DIALECTS[root.tag]
    root = root.with_prefixes(dialect.namespaces)
    document, agreement = root.need(dialect.document), root.need(dialect.agreement)
    settlement = root.need(dialect.settlement)
    currency = settlement.currency("ram:InvoiceCurrencyCode")
    issue_date = _date(document, "ram:IssueDateTime")
    if issue_date is None:
        raise document.error(MissingElement, "ram:IssueDateTime", "is missing or empty")
    seller, seller_notices = _party(agreement.need("ram:SellerTradeParty"))
    buyer, buyer_notices = _party(agreement.need("ram:BuyerTradeParty"))
    payee_node = settlement.one("ram:PayeeTradeParty")
    payee, payee_notices = (None, ()) if payee_node is None else _party(payee_node)
    due_date, due_notices = _due_date(settlement)
    total = settlement.need(dialect.summation)
    type_code = document.need_text("ram:TypeCode")
    invoice = Invoice(
        syntax=dialect.syntax,
        kind=kind_of(type_code),
        type_code=type_code,
        number=document.need_text("ram:ID"),
        issue_date=issue_date,
        due_date=due_date,
        tax_point_date=_tax_point_date(settlement),
        currency=currency,
        payable=total.money("ram:DuePayableAmount", currency=currency),
        gross=total.money("ram:GrandTotalAmount", currency=currency),
        prepaid=total.money("ram:TotalPrepaidAmount", currency=currency),
        seller=seller,
        buyer=buyer,
        payee=payee,
        order_references=_order_references(root, agreement, dialect),
        transport_references=_transport_references(root, dialect),
        preceding_invoices=_preceding_invoices(settlement, dialect),
        government_id=None,
        file=source.file,
        container=source.container,
        digest=source.digest,
        warnings=(*_marks(root, dialect), *due_notices, *seller_notices, *buyer_notices, *payee_notices),
        signals=(*_factor(settlement, payee), *assignment_notes(root)),
    )
    return (invoice,)


def _dates(node: Cursor, path: str) -> list[datetime.date]:
    """Every date at `path`, as a formatted string (UNTDID 2379) or a date-time, each once."""
    found: list[datetime.date] = []
    for holder in node.all(path):
        for prefix in ("udt", "qdt"):
            for text in holder.texts(f"{prefix}:DateTimeString") + holder.texts(f"{prefix}:DateString"):
                found.append(holder.convert(f"{prefix}:DateTimeString", text, parse_basic))
        for text in holder.texts("udt:DateTime"):
            found.append(holder.convert("udt:DateTime", text, parse_iso))
        if not len(holder.node) and holder.content():  # ZUGFeRD 1 writes the dates of references bare
            found.append(holder.convert("", holder.content(), parse_iso))
    return list(dict.fromkeys(found))


def _date(node: Cursor, path: str) -> datetime.date | None:
    found = _dates(node, path)
    if len(found) > 1:
        raise node.error(BadValue, path, f"says {found[0]} and {found[1]}")
    return found[0] if found else None


def _due_date(settlement: Cursor) -> tuple[datetime.date | None, tuple[Notice, ...]]:
    path = "ram:SpecifiedTradePaymentTerms/ram:DueDateDateTime"
    found = _dates(settlement, path)
    notices: tuple[Notice, ...] = ()
    if len(found) > 1:
        text = ", ".join(str(day) for day in sorted(found))
        notices = (Notice(NoticeCode.SEVERAL_DUE_DATES, f"{settlement.path}/{path}", text),)
    return max(found, default=None), notices


def _tax_point_date(settlement: Cursor) -> datetime.date | None:
    """The date that all tax breakdowns share; none if they differ."""
    found = _dates(settlement, "ram:ApplicableTradeTax/ram:TaxPointDate")
    return found[0] if len(found) == 1 else None


def _party(node: Cursor) -> tuple[Party, tuple[Notice, ...]]:
    return party_of(
        node,
        name=node.text("ram:Name", chars_max=NAME_CHARS_MAX),
        country=node.text("ram:PostalTradeAddress/ram:CountryID"),
        identifiers=_identifiers(node),
    )


def _identifiers(node: Cursor) -> Iterator[tuple[str, str | None]]:
    mail_box = "ram:URIUniversalCommunication/ram:URIID"
    paths = (
        "ram:SpecifiedLegalOrganization/ram:ID",
        "ram:GlobalID",
        "ram:ID",
        mail_box,
        "ram:SpecifiedTaxRegistration/ram:ID",
    )
    for path in paths:
        for cursor in node.all(path):
            scheme = cursor.attribute("schemeID")
            if path != mail_box or is_identity_scheme(scheme):
                yield scheme, cursor.content()


def _factor(settlement: Cursor, payee: Party | None) -> list[Signal]:
    """A payee whose role code says that it is a factor."""
    role = "ram:PayeeTradeParty/ram:RoleCode"
    if payee is None or settlement.text(role) not in FACTOR_ROLES:
        return []
    text = f"the payee {payee.name or 'without a name'} stands as the factor"
    return [Signal(SignalKind.FINANCIER_NAMED, f"{settlement.path}/{role}", text, payee)]


def _order_references(root: Cursor, agreement: Cursor, dialect: Dialect) -> tuple[str, ...]:
    reference = f"ram:BuyerOrderReferencedDocument/{dialect.reference_id}"
    lines = dialect.agreement.split("/")[0] + "/ram:IncludedSupplyChainTradeLineItem"
    found = agreement.texts(reference) + root.texts(f"{lines}/{dialect.line_agreement}/{reference}")
    return bounded(order_numbers(found), file=root.file, element=f"{agreement.path}/{reference}")


def _transport_references(root: Cursor, dialect: Dialect) -> tuple[TransportReference, ...]:
    found = []
    for part in (dialect.agreement, dialect.delivery, dialect.settlement):
        for reference in root.all(f"{part}/ram:AdditionalReferencedDocument"):
            code, number = reference.text("ram:TypeCode"), reference.text(dialect.reference_id)
            if code in TRANSPORT_DOCUMENTS and number:
                found.append(TransportReference(code, number))
    return bounded(found, file=root.file, element="ram:AdditionalReferencedDocument")


def _preceding_invoices(settlement: Cursor, dialect: Dialect) -> tuple[InvoiceReference, ...]:
    found = []
    for reference in settlement.all("ram:InvoiceReferencedDocument"):
        number = reference.text(dialect.reference_id)
        if number:
            issue_date = _date(reference, "ram:FormattedIssueDateTime") or _date(reference, "ram:IssueDateTime")
            found.append(InvoiceReference(number, issue_date))
    return bounded(found, file=settlement.file, element=f"{settlement.path}/ram:InvoiceReferencedDocument")


def _marks(root: Cursor, dialect: Dialect) -> tuple[Notice, ...]:
    notices = []
    if root.text(f"{dialect.context}/ram:TestIndicator/udt:Indicator") in ("true", "1"):
        notices.append(Notice(NoticeCode.TEST_DOCUMENT, f"{root.path}/{dialect.context}", "marked as a test"))
    if root.text(f"{dialect.document}/ram:CopyIndicator/udt:Indicator") in ("true", "1"):
        notices.append(Notice(NoticeCode.COPY, f"{root.path}/{dialect.document}", "marked as a copy"))
    return tuple(notices)
