"""What a document can become in the registry: a receivable, an adjustment of one, a claim from outside, or nothing.

A refusal here is a value: the document was read well, it just is no debt that anybody can finance.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from registry.codec import tagged_digest
from registry.documents.invoice import (
    ExternalClaim,
    Identifier,
    Invoice,
    InvoiceReference,
    Kind,
    Notice,
    NoticeCode,
    Party,
    Signal,
    Syntax,
)
from registry.documents.type_codes import NOT_A_DEMAND
from registry.money import Money

__all__ = [
    "Adjustment",
    "Assigned",
    "Disposition",
    "Grade",
    "Receivable",
    "Refusal",
    "RefusalReason",
    "notices_of",
    "receivable_of",
]

# Syntaxes that write what a credit note takes away as a negative amount; the others state it as a positive one.
_NEGATIVE_CREDITS = frozenset(
    {
        Syntax.CN_EINVOICE,
        Syntax.CN_EVOUCHER,
        Syntax.CN_EINVOICE_2019,
        Syntax.HU_NAV,
        Syntax.PL_FA,
        Syntax.FI_FINVOICE,
    }
)

_WRAPPED = ("pdf:", "ofd:")  # containers of one document, which is the file

_OWN_RECORDS = frozenset({Syntax.CSV, Syntax.XLSX, Syntax.CN_EVOUCHER})

# Schemes under which equal values mean the same firm; tax groups share VAT numbers, so those prove nothing.
_IDENTITIES = frozenset({"lei", "uscc", "siren", "siret", "duns", "gln"})


class Grade(StrEnum):
    """The evidence grade (registry.md 4) that the document alone gives."""

    SELF_ASSERTED = "self_asserted"  # a row of somebody's own table, an entry of their own books
    DOCUMENT = "document"  # a parsed e-invoice


class RefusalReason(StrEnum):
    """Why a document that was read is no receivable. Stable and machine-readable."""

    NOT_POSITIVE = "not_positive"
    NO_AMOUNT = "no_amount"
    NOT_A_DEMAND = "not_a_demand"
    NAMES_NO_INVOICE = "names_no_invoice"
    PARTY_UNNAMED = "party_unnamed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receivable:
    """A debt of the invoice's buyer to its seller. `amount` is what can be financed: the payable, never the gross."""

    invoice: Invoice
    amount: Money
    grade: Grade
    warnings: tuple[Notice, ...]

    @property
    def possibly_assigned(self) -> bool:
        """Whether anything in the document says that the debt may already be somebody else's."""
        return bool(self.invoice.signals)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """A credit note: takes `amount` from the receivables of the invoices it names in `adjusts` (one or more)."""

    invoice: Invoice
    adjusts: tuple[InvoiceReference, ...]
    amount: Money
    warnings: tuple[Notice, ...]

    @property
    def document(self) -> bytes:
        """The digest by which the ledger knows this note, 32 bytes: the file's, if it is the only document in there.

        Of several in one file each has its own, or the second on one invoice would be taken for the first again.
        """
        if self.invoice.container.startswith(_WRAPPED) or not self.invoice.container:
            return self.invoice.digest
        return tagged_digest(b"NEMODAT-v1-document-in-file", self.invoice.digest, self.invoice.container.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """The record of an assignment outside this ledger: `claims` on the debt of `amount`, the chain in its order.

    Not a receivable that anybody offers: whoever finances the invoice finds the claims with it.
    """

    invoice: Invoice
    amount: Money
    claims: tuple[ExternalClaim, ...]
    warnings: tuple[Notice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why the document cannot be a receivable: file and element in it, code, and a sentence for a person."""

    invoice: Invoice
    file: str
    element: str
    reason: RefusalReason
    detail: str


Disposition: TypeAlias = Receivable | Adjustment | Assigned | Refusal


def receivable_of(invoice: Invoice) -> Disposition:
    """What `invoice` can become. Credit notes adjust the invoices they name; nothing else reduces or creates a debt.

    A document that records assignments of its debt becomes those claims, never a receivable to be financed again.

    Refused: no or non-positive payable amount, documents that ask for no payment (pro forma), credit notes that name
    no invoice, a seller or buyer without name and identifier.
    """
    for role, party in (("seller", invoice.seller), ("buyer", invoice.buyer)):
        if not party.name and not party.identifiers:
            return _refuse(invoice, role, RefusalReason.PARTY_UNNAMED, f"the {role} has no name and no identifier")
    if invoice.type_code in NOT_A_DEMAND:
        detail = f"documents of type {invoice.type_code} ask for no payment"
        return _refuse(invoice, "type_code", RefusalReason.NOT_A_DEMAND, detail)
    if invoice.kind is Kind.CREDIT_NOTE:
        return _adjustment_of(invoice)
    amount = payable_amount(invoice)
    if amount is None:
        return _refuse(invoice, "payable", RefusalReason.NO_AMOUNT, "states neither a payable nor a gross amount")
    if amount.minor <= 0:
        detail = f"the payable amount is {amount}: nothing is owed to the seller"
        return _refuse(invoice, "payable", RefusalReason.NOT_POSITIVE, detail)
    if invoice.external_claims:
        claims = invoice.external_claims
        return Assigned(invoice=invoice, amount=amount, claims=claims, warnings=invoice.warnings)
    return Receivable(invoice=invoice, amount=amount, grade=_grade(invoice), warnings=invoice.warnings)


def payable_amount(invoice: Invoice) -> Money | None:
    """What is still to be paid: as stated, else gross less prepaid (EN 16931 BR-CO-16 without rounding), else None.

    What the document itself sets off, the buyer will not pay to whoever finances it; what it asks for beyond its own
    payable is another debt.
    """
    if invoice.payable is not None and invoice.left_to_pay is not None:
        return Money(invoice.currency, min(invoice.payable.minor, invoice.left_to_pay.minor))
    if invoice.payable is not None or invoice.gross is None:
        return invoice.payable
    prepaid = 0 if invoice.prepaid is None else invoice.prepaid.minor
    return Money(invoice.currency, invoice.gross.minor - prepaid)


def notices_of(invoice: Invoice) -> tuple[Notice, ...]:
    """The warnings that follow from the common model alone, for every syntax the same."""
    found = [_notice_of(signal) for signal in invoice.signals]
    if invoice.payable is None and invoice.gross is not None:
        found.append(Notice(NoticeCode.PAYABLE_NOT_STATED, "payable", "taken as gross less prepaid"))
    if invoice.payable is not None and invoice.gross is not None and invoice.payable != invoice.gross:
        text = f"payable {invoice.payable} of gross {invoice.gross}: only the payable can be financed"
        found.append(Notice(NoticeCode.PAYABLE_DIFFERS, "payable", text))
    if invoice.due_date is None and invoice.kind is Kind.INVOICE:
        found.append(Notice(NoticeCode.NO_DUE_DATE, "due_date", "not stated"))
    if invoice.due_date is not None and invoice.due_date < invoice.issue_date:
        text = f"due {invoice.due_date}, issued {invoice.issue_date}"
        found.append(Notice(NoticeCode.DUE_BEFORE_ISSUE, "due_date", text))
    if invoice.kind is Kind.INVOICE and invoice.preceding_invoices:
        numbers = ", ".join(reference.number for reference in invoice.preceding_invoices[:3])
        found.append(Notice(NoticeCode.CORRECTS_ANOTHER, "preceding_invoices", f"names {numbers}"))
    if shared_identities(invoice.seller, invoice.buyer):
        found.append(Notice(NoticeCode.SELLER_IS_BUYER, "buyer", "seller and buyer carry the same identifier"))
    return tuple(found)


def _notice_of(signal: Signal) -> Notice:
    return Notice(NoticeCode.POSSIBLY_ASSIGNED, signal.element, signal.text)


def same_party(one: Party, other: Party) -> bool:
    """Whether two parties of one document are the same firm: a shared identity, else the same name.

    Different values under one identity scheme make them different whatever their names.
    """
    if shared_identities(one, other):
        return True
    schemes = {found.scheme for found in one.identifiers} & {found.scheme for found in other.identifiers}
    return not schemes & _IDENTITIES and one.name.casefold() == other.name.casefold()


def shared_identities(one: Party, other: Party) -> set[Identifier]:
    """The identifiers, of schemes that name one firm each, which both parties carry."""
    return {found for found in set(one.identifiers) & set(other.identifiers) if found.scheme in _IDENTITIES}


def _adjustment_of(invoice: Invoice) -> Adjustment | Refusal:
    """A credit note takes away its total: what of it was already paid out does not make the debt larger again.

    Tax that goes to the State was never part of the debt.
    """
    amount = invoice.payable if invoice.gross is None else invoice.gross
    if amount is not None and invoice.gross is not None and invoice.tax_to_state is not None:
        amount = Money(amount.currency, amount.minor - invoice.tax_to_state.minor)
    if amount is not None and invoice.syntax in _NEGATIVE_CREDITS:
        amount = Money(amount.currency, -amount.minor)
    if amount is None:
        return _refuse(invoice, "payable", RefusalReason.NO_AMOUNT, "states neither a payable nor a gross amount")
    if amount.minor <= 0:
        detail = f"the credited amount is {amount}: nothing is taken away"
        return _refuse(invoice, "gross", RefusalReason.NOT_POSITIVE, detail)
    if not invoice.preceding_invoices:
        detail = "a credit note that names no invoice adjusts nothing"
        return _refuse(invoice, "preceding_invoices", RefusalReason.NAMES_NO_INVOICE, detail)
    adjusts = invoice.preceding_invoices
    return Adjustment(invoice=invoice, adjusts=adjusts, amount=amount, warnings=invoice.warnings)


def _grade(invoice: Invoice) -> Grade:
    return Grade.SELF_ASSERTED if invoice.syntax in _OWN_RECORDS else Grade.DOCUMENT


def _refuse(invoice: Invoice, element: str, reason: RefusalReason, detail: str) -> Refusal:
    return Refusal(invoice=invoice, file=invoice.file, element=element, reason=reason, detail=detail)
