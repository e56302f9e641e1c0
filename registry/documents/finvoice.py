"""Finland's Finvoice (1.3 to 3.0): no namespace, decimal commas, often ISO-8859-15.

Amounts of a credit note are negative. A factored invoice names the agreement and the financier in
`FactoringAgreementDetails`, and has the financier as the beneficiary of the payment slip (EPI) at its end.
"""

from __future__ import annotations

import datetime

from registry.documents.amounts import parse_amount
from registry.documents.columns import DecimalMark
from registry.documents.dates import DateError, parse_basic, parse_iso
from registry.documents.errors import AmbiguousElement, MissingElement, UnsupportedSyntax
from registry.documents.invoice import (
    NAME_CHARS_MAX,
    Invoice,
    InvoiceReference,
    Kind,
    Notice,
    NoticeCode,
    Party,
    Signal,
    SignalKind,
    Syntax,
)
from registry.documents.parties import party_of
from registry.documents.signals import assignment_notes
from registry.documents.source import Source, bounded, order_numbers
from registry.documents.xml import Cursor
from registry.money import Money

__all__ = ["ROOTS", "read"]

ROOTS = frozenset({"Finvoice"})

_CREDIT_NOTES = frozenset({"INV02"})
_TESTS = frozenset({"TES01"})
_TOTAL = "InvoiceTotalVatIncludedAmount"
_DUE = "PaymentTermsDetails/InvoiceDueDate"
_SLIP = "EpiDetails/EpiPaymentInstructionDetails/EpiInstructedAmount"
_BENEFICIARY = "EpiDetails/EpiPartyDetails/EpiBeneficiaryPartyDetails/EpiNameAddressDetails"


def read(root: Cursor, source: Source) -> tuple[Invoice, ...]:
    """The invoice or credit note at `root`. Raises `DocumentError`."""
    root = root.in_own_namespace()
    details = root.need("InvoiceDetails")
    if details.text("OriginCode") == "Cancel":
        raise details.error(UnsupportedSyntax, "OriginCode", "a message that cancels another asks for no payment")
    seller, seller_notices = _party(root, "Seller")
    buyer, buyer_notices = _party(root, "Buyer")
    total = _total(details)
    type_code = details.need_text("InvoiceTypeCode")
    due_date, due_notices = _due_date(details)
    orders = details.texts("OrderIdentifier")
    return (
        Invoice(
            syntax=Syntax.FI_FINVOICE,
            kind=Kind.CREDIT_NOTE if type_code in _CREDIT_NOTES else Kind.INVOICE,
            type_code=type_code,
            number=details.need_text("InvoiceNumber"),
            issue_date=details.need_date("InvoiceDate", _day),
            due_date=due_date,
            tax_point_date=None,
            currency=total.currency,
            payable=total,
            gross=total,
            prepaid=None,
            seller=seller,
            buyer=buyer,
            payee=None,
            order_references=bounded(order_numbers(orders), file=root.file, element=f"{details.path}/OrderIdentifier"),
            transport_references=(),
            preceding_invoices=_preceding_invoices(details),
            government_id=None,
            file=source.file,
            container=source.container,
            digest=source.digest,
            warnings=(*_marks(root, details, type_code, total), *due_notices, *seller_notices, *buyer_notices),
            signals=(*_factors(root, seller), *assignment_notes(root)),
        ),
    )


def _day(text: str) -> datetime.date:
    """CCYYMMDD, the only format that the standard has, or the ISO form that some write nevertheless."""
    return parse_iso(text) if "-" in text else parse_basic(text)


def _total(details: Cursor) -> Money:
    currencies = {node.attribute("AmountCurrencyIdentifier").upper() for node in details.all(_TOTAL)}
    if not currencies:
        raise details.error(MissingElement, _TOTAL, "is missing")
    currency = currencies.pop()
    if currencies or not currency:
        raise details.error(AmbiguousElement, f"{_TOTAL}/@AmountCurrencyIdentifier", "does not state one currency")
    return _amount(details, _TOTAL, details.need_text(_TOTAL), currency)


def _amount(node: Cursor, path: str, text: str, currency: str) -> Money:
    return node.convert(path, text, lambda said: parse_amount(said, currency=currency, mark=DecimalMark.COMMA))


def _due_date(details: Cursor) -> tuple[datetime.date | None, tuple[Notice, ...]]:
    """The last due date that is a day of the calendar; the others are told, they do not hold the invoice up."""
    days, notices = set(), []
    for text in details.texts(_DUE):
        try:
            days.add(_day(text))
        except DateError as error:
            notices.append(Notice(NoticeCode.UNREADABLE_DUE_DATE, f"{details.path}/{_DUE}", error.reason))
    if len(days) > 1:
        text = ", ".join(str(day) for day in sorted(days))
        notices.append(Notice(NoticeCode.SEVERAL_DUE_DATES, f"{details.path}/{_DUE}", text))
    return max(days, default=None), tuple(notices)


def _party(root: Cursor, role: str) -> tuple[Party, tuple[Notice, ...]]:
    node = root.need(f"{role}PartyDetails")
    names = node.texts(f"{role}OrganisationName", chars_max=NAME_CHARS_MAX)
    vat = node.text(f"{role}OrganisationTaxCode")
    number = node.text(f"{role}PartyIdentifier")
    country = node.text(f"{role}PostalAddressDetails/CountryCode") or (vat[:2] if vat else None)
    return party_of(
        node,
        name=names[0] if names else None,
        country=country,
        identifiers=[("vat", vat), ("tax" if country else "local", number)],
    )


def _preceding_invoices(details: Cursor) -> tuple[InvoiceReference, ...]:
    found = []
    number = details.text("OriginalInvoiceNumber")
    if number is not None:
        found.append(InvoiceReference(number, details.date("OriginalInvoiceDate", _day)))
    for reference in details.all("OriginalInvoiceReference"):
        found.append(InvoiceReference(reference.need_text("InvoiceNumber"), reference.date("InvoiceDate", _day)))
    return bounded(found, file=details.file, element=f"{details.path}/OriginalInvoiceNumber")


def _factors(root: Cursor, seller: Party) -> list[Signal]:
    """The financier of the factoring agreement, and a beneficiary of the payment slip that is not the seller."""
    signals = []
    for node in root.all("FactoringAgreementDetails"):
        name = node.text("FactoringPartyName", chars_max=NAME_CHARS_MAX)
        party, _ = party_of(
            node,
            name=name,
            country=node.text("FactoringPartyPostalAddressDetails/CountryCode"),
            identifiers=[("local", node.text("FactoringPartyIdentifier"))],
        )
        text = f"{name or 'an unnamed party'} finances it under agreement {node.text('FactoringAgreementIdentifier')}"
        signals.append(Signal(SignalKind.FINANCIER_NAMED, node.path, text, party))
    names = root.texts(_BENEFICIARY, chars_max=NAME_CHARS_MAX)
    if names and seller.name.casefold() not in {name.casefold() for name in names}:
        party = Party(name=names[0], country=None, identifiers=())
        text = f"the payment slip is for {names[0]}, the seller is {seller.name or 'unnamed'}"
        signals.append(Signal(SignalKind.ANOTHER_PAYEE, f"{root.path}/{_BENEFICIARY}", text, party))
    return signals


def _marks(root: Cursor, details: Cursor, type_code: str, total: Money) -> tuple[Notice, ...]:
    notices = []
    if details.text("OriginCode") == "Copy":
        notices.append(Notice(NoticeCode.COPY, f"{details.path}/OriginCode", "marked as a copy"))
    if type_code in _TESTS:
        notices.append(Notice(NoticeCode.TEST_DOCUMENT, f"{details.path}/InvoiceTypeCode", "marked as a test"))
    slip = root.text(_SLIP)
    if slip is not None and _amount(root, _SLIP, slip, total.currency) != total:
        text = f"the payment slip asks for {slip}, the invoice for {total}"
        notices.append(Notice(NoticeCode.PAYABLE_DIFFERS, f"{root.path}/{_SLIP}", text))
    return tuple(notices)
