"""UBL 2.1 Invoice and CreditNote (OASIS; EN 16931-3-2 binding, Peppol BIS Billing 3, XRechnung, ZATCA)."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from registry.documents.dates import parse_iso
from registry.documents.identifiers import is_identity_scheme
from registry.documents.invoice import (
    NAME_CHARS_MAX,
    GovernmentId,
    Invoice,
    InvoiceReference,
    Kind,
    Notice,
    NoticeCode,
    Party,
    Syntax,
    TransportReference,
)
from registry.documents.parties import party_of
from registry.documents.signals import assignment_notes
from registry.documents.source import Source, bounded, order_numbers
from registry.documents.type_codes import TRANSPORT_DOCUMENTS, kind_of
from registry.documents.xml import Cursor

__all__ = ["ROOTS", "read"]

_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_NAMESPACES: Mapping[str, str] = MappingProxyType(
    {"cac": _UBL + "CommonAggregateComponents-2", "cbc": _UBL + "CommonBasicComponents-2"}
)
ROOTS: Mapping[str, Syntax] = MappingProxyType(
    {
        f"{{{_UBL}Invoice-2}}Invoice": Syntax.UBL_INVOICE,
        f"{{{_UBL}CreditNote-2}}CreditNote": Syntax.UBL_CREDIT_NOTE,
    }
)


def read(root: Cursor, source: Source) -> tuple[Invoice, ...]:
    """The invoice or credit note at `root`, whose tag is one of `ROOTS`. Raises `DocumentError`."""
    syntax = ROOTS[root.tag]
    root = root.with_prefixes(_NAMESPACES)
    currency = root.currency("cbc:DocumentCurrencyCode")
    seller, seller_notices = _party(root.need("cac:AccountingSupplierParty/cac:Party"))
    buyer, buyer_notices = _party(root.need("cac:AccountingCustomerParty/cac:Party"))
    payee, payee_notices = _payee(root)
    due_date, due_notices = _due_date(root)
    type_code = _type_code(root, syntax)
    total = root.need("cac:LegalMonetaryTotal")
    invoice = Invoice(
        syntax=syntax,
        kind=Kind.CREDIT_NOTE if syntax is Syntax.UBL_CREDIT_NOTE else kind_of(type_code),
        type_code=type_code,
        number=root.need_text("cbc:ID"),
        issue_date=root.convert("cbc:IssueDate", root.need_text("cbc:IssueDate"), parse_iso),
        due_date=due_date,
        tax_point_date=root.date("cbc:TaxPointDate", parse_iso),
        currency=currency,
        payable=total.money("cbc:PayableAmount", currency=currency),
        gross=total.money("cbc:TaxInclusiveAmount", currency=currency),
        prepaid=total.money("cbc:PrepaidAmount", currency=currency),
        seller=seller,
        buyer=buyer,
        payee=payee,
        order_references=_order_references(root),
        transport_references=_transport_references(root),
        preceding_invoices=_preceding_invoices(root),
        government_id=_government_id(root, seller),
        file=source.file,
        container=source.container,
        digest=source.digest,
        warnings=(*_marks(root), *due_notices, *seller_notices, *buyer_notices, *payee_notices),
        signals=assignment_notes(root),
    )
    return (invoice,)


def _type_code(root: Cursor, syntax: Syntax) -> str:
    """UBL leaves the type code of a credit note out when it is the ordinary one."""
    if syntax is Syntax.UBL_CREDIT_NOTE:
        return root.text("cbc:CreditNoteTypeCode") or "381"
    return root.text("cbc:InvoiceTypeCode") or "380"


def _due_date(root: Cursor) -> tuple[datetime.date | None, tuple[Notice, ...]]:
    """The header's due date; else the last of those that stand with the means or terms of payment."""
    header = root.date("cbc:DueDate", parse_iso)
    others = {
        root.convert(path, text, parse_iso)
        for path in (
            "cac:PaymentMeans/cbc:PaymentDueDate",
            "cac:PaymentTerms/cbc:PaymentDueDate",
            "cac:PaymentTerms/cbc:InstallmentDueDate",
        )
        for text in root.texts(path)
    }
    due_date = header or max(others, default=None)
    if others - {due_date}:
        text = ", ".join(str(day) for day in sorted(others | ({header} if header else set())))
        return due_date, (Notice(NoticeCode.SEVERAL_DUE_DATES, f"{root.path}/cbc:DueDate", text),)
    return due_date, ()


def _party(node: Cursor) -> tuple[Party, tuple[Notice, ...]]:
    # a party may register under several names; the first one is the one it signs with
    names = node.texts("cac:PartyLegalEntity/cbc:RegistrationName", chars_max=NAME_CHARS_MAX)
    names += node.texts("cac:PartyName/cbc:Name", chars_max=NAME_CHARS_MAX)
    country = node.text("cac:PostalAddress/cac:Country/cbc:IdentificationCode")
    return party_of(node, name=names[0] if names else None, country=country, identifiers=_identifiers(node))


def _identifiers(node: Cursor) -> Iterator[tuple[str, str | None]]:
    for path in ("cac:PartyLegalEntity/cbc:CompanyID", "cac:PartyIdentification/cbc:ID", "cbc:EndpointID"):
        for cursor in node.all(path):
            scheme = cursor.attribute("schemeID")
            # an endpoint is a mail box unless its scheme is a register; SEPA is a direct-debit mandate (BT-90)
            if scheme != "SEPA" and (path != "cbc:EndpointID" or is_identity_scheme(scheme)):
                yield scheme, cursor.content()
    for registration in node.all("cac:PartyTaxScheme"):
        scheme = (registration.text("cac:TaxScheme/cbc:ID") or "tax").lower()
        yield "vat" if scheme == "vat" else "tax", registration.text("cbc:CompanyID")


def _payee(root: Cursor) -> tuple[Party | None, tuple[Notice, ...]]:
    node = root.one("cac:PayeeParty")
    return (None, ()) if node is None else _party(node)


def _order_references(root: Cursor) -> tuple[str, ...]:
    found = root.texts("cac:OrderReference/cbc:ID")
    for line in ("cac:InvoiceLine", "cac:CreditNoteLine"):
        found += root.texts(f"{line}/cac:OrderLineReference/cac:OrderReference/cbc:ID")
    return bounded(order_numbers(found), file=root.file, element=f"{root.path}/cac:OrderReference")


def _transport_references(root: Cursor) -> tuple[TransportReference, ...]:
    found = []
    for path in ("cac:DespatchDocumentReference", "cac:AdditionalDocumentReference"):
        for reference in root.all(path):
            code, number = reference.text("cbc:DocumentTypeCode"), reference.text("cbc:ID")
            if code in TRANSPORT_DOCUMENTS and number:
                found.append(TransportReference(code, number))
    return bounded(found, file=root.file, element=f"{root.path}/cac:AdditionalDocumentReference")


def _preceding_invoices(root: Cursor) -> tuple[InvoiceReference, ...]:
    found = []
    for reference in root.all("cac:BillingReference/cac:InvoiceDocumentReference"):
        number = reference.text("cbc:ID")
        if number:
            found.append(InvoiceReference(number, reference.date("cbc:IssueDate", parse_iso)))
    return bounded(found, file=root.file, element=f"{root.path}/cac:BillingReference")


def _government_id(root: Cursor, seller: Party) -> GovernmentId | None:
    """Saudi Arabia's ZATCA knows an invoice by its cbc:UUID; elsewhere that element is the sender's own business."""
    profile = root.text("cbc:ProfileID") or ""
    uuid = root.text("cbc:UUID")
    if uuid is None or seller.country != "SA" or not profile.startswith("reporting:"):
        return None
    return GovernmentId("SA", uuid)


def _marks(root: Cursor) -> tuple[Notice, ...]:
    if root.text("cbc:CopyIndicator") in ("true", "1"):
        return (Notice(NoticeCode.COPY, f"{root.path}/cbc:CopyIndicator", "marked as a copy"),)
    return ()
