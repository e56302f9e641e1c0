"""Hungary's invoice data report (NAV Online Számla 3.0, `InvoiceData`): one invoice, or a batch of modifications.

A modification states what it changes: a negative total takes from the invoice that it names, a positive one adds.
"""

from __future__ import annotations

from dataclasses import replace

from registry.documents.dates import parse_iso
from registry.documents.errors import MissingElement
from registry.documents.invoice import NAME_CHARS_MAX, Invoice, InvoiceReference, Kind, Notice, Party, Syntax
from registry.documents.parties import party_of
from registry.documents.signals import assignment_notes
from registry.documents.source import Source, bounded, order_numbers
from registry.documents.xml import Cursor
from registry.money import Money

__all__ = ["ROOTS", "read"]

_OSA = "http://schemas.nav.gov.hu/OSA/3.0/"
ROOTS = frozenset({f"{{{_OSA}data}}InvoiceData"})

COUNTRY = "HU"

_PREFIXES = {"": f"{_OSA}data", "base": f"{_OSA}base"}


def read(root: Cursor, source: Source) -> tuple[Invoice, ...]:
    """The invoices at `root`, in their order. Raises `DocumentError`."""
    root = root.with_prefixes(_PREFIXES)
    batch = root.all("invoiceMain/batchInvoice")
    if not batch:
        return (_invoice(root, root.need("invoiceMain/invoice"), source),)
    bounded(range(len(batch)), file=root.file, element=f"{root.path}/invoiceMain/batchInvoice")
    return tuple(
        _invoice(root, entry.need("invoice"), replace(source, container=f"batch {number}"))
        for number, entry in enumerate(batch, start=1)
    )


def _invoice(root: Cursor, node: Cursor, source: Source) -> Invoice:
    head = node.need("invoiceHead")
    detail = head.need("invoiceDetail")
    seller, seller_notices = _supplier(head)
    buyer, buyer_notices = _customer(head)
    currency = detail.currency("currencyCode")
    total = _total(node, currency)
    corrects = _corrected(node)
    orders = detail.texts("conventionalInvoiceInfo/orderNumbers/orderNumber")
    return Invoice(
        syntax=Syntax.HU_NAV,
        kind=Kind.CREDIT_NOTE if corrects and total.minor < 0 else Kind.INVOICE,
        type_code=detail.need_text("invoiceCategory"),
        number=root.need_text("invoiceNumber"),
        issue_date=root.need_date("invoiceIssueDate", parse_iso),
        due_date=detail.date("paymentDate", parse_iso),
        tax_point_date=detail.date("invoiceDeliveryDate", parse_iso),
        currency=currency,
        payable=total,
        gross=total,
        prepaid=None,
        seller=seller,
        buyer=buyer,
        payee=None,
        order_references=bounded(order_numbers(orders), file=node.file, element=f"{detail.path}/orderNumbers"),
        transport_references=(),
        preceding_invoices=corrects,
        government_id=None,  # the authority knows the report by a transaction that the data does not name
        file=source.file,
        container=source.container,
        digest=source.digest,
        warnings=(*seller_notices, *buyer_notices),
        signals=assignment_notes(node),
    )


def _total(node: Cursor, currency: str) -> Money:
    """The gross total; where it is left out, net and tax together."""
    summary = node.need("invoiceSummary")
    stated = summary.money("summaryGrossData/invoiceGrossAmount", currency=currency)
    if stated is not None:
        return stated
    net = summary.money("summaryNormal/invoiceNetAmount", currency=currency)
    tax = summary.money("summaryNormal/invoiceVatAmount", currency=currency)
    if net is None or tax is None:
        raise summary.error(MissingElement, "summaryGrossData/invoiceGrossAmount", "is missing, and net or tax too")
    return Money(currency, net.minor + tax.minor)


def _supplier(head: Cursor) -> tuple[Party, tuple[Notice, ...]]:
    node = head.need("supplierInfo")
    number = node.need_text("supplierTaxNumber/base:taxpayerId")
    return party_of(
        node,
        name=node.text("supplierName", chars_max=NAME_CHARS_MAX),
        country=_country(node, "supplierAddress"),
        identifiers=[("vat", COUNTRY + number)],
    )


def _customer(head: Cursor) -> tuple[Party, tuple[Notice, ...]]:
    """The buyer; of a private person the report says nothing."""
    node = head.one("customerInfo")
    if node is None:
        return Party(name="", country=None, identifiers=()), ()
    number = node.text("customerVatData/customerTaxNumber/base:taxpayerId")
    return party_of(
        node,
        name=node.text("customerName", chars_max=NAME_CHARS_MAX),
        country=_country(node, "customerAddress"),
        identifiers=[
            ("vat", COUNTRY + number if number else None),
            ("vat", node.text("customerVatData/communityVatNumber")),
            ("tax", node.text("customerVatData/thirdStateTaxId")),
        ],
    )


def _country(node: Cursor, address: str) -> str | None:
    return node.text(f"{address}/base:detailedAddress/base:countryCode") or node.text(
        f"{address}/base:simpleAddress/base:countryCode"
    )


def _corrected(node: Cursor) -> tuple[InvoiceReference, ...]:
    number = node.text("invoiceReference/originalInvoiceNumber")
    return () if number is None else (InvoiceReference(number, None),)
