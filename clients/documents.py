"""From a document to a listing: what an exporter's invoice becomes on the ledger."""

from __future__ import annotations

from clients.errors import ClientError
from clients.exporter import Listing
from registry.documents.invoice import Invoice
from registry.documents.receivable import Receivable
from registry.errors import FieldError
from registry.fingerprint import Particulars
from registry.transactions.receivables import Parent

__all__ = ["listing_of"]


def listing_of(
    receivable: Receivable,
    *,
    seller: str,
    debtor: str,
    seller_country: str | None = None,
    debtor_country: str | None = None,
    laws: tuple[str, ...] = (),
    parents: tuple[Parent, ...] = (),
) -> Listing:
    """The listing of a receivable read from a document.

    `seller` and `debtor` are the parties' ids on the network: a document's own identifiers are often missing or wrong,
    so the caller's customer book decides who they are. Countries default to the document's. Raises `ClientError`
    naming file and element if the document lacks what a registration needs.
    """
    invoice = receivable.invoice
    if seller == debtor:
        raise ClientError(f"{invoice.file}: buyer: is the seller itself, and nobody owes a debt to itself")
    government = invoice.government_id
    try:
        particulars = Particulars(
            seller=seller,
            debtor=debtor,
            number=invoice.number,
            currency=receivable.amount.currency,
            amount_minor=receivable.amount.minor,
            issue_date=invoice.issue_date,
            due_date=invoice.due_date,
            orders=invoice.order_references,
            transports=tuple(reference.number for reference in invoice.transport_references),
            government_ids=() if government is None else (f"{government.country}:{government.value}",),
        )
    except FieldError as error:
        raise ClientError(f"{invoice.file}: {error.field}: {error.reason}") from error
    return Listing(
        particulars=particulars,
        seller_country=_country(invoice, "seller", seller_country or invoice.seller.country),
        debtor_country=_country(invoice, "buyer", debtor_country or invoice.buyer.country),
        grade=str(receivable.grade),
        laws=laws,
        parents=parents,
        document=invoice.digest,
    )


def _country(invoice: Invoice, element: str, country: str | None) -> str:
    if country is None:
        raise ClientError(f"{invoice.file}: {element}: states no country; name it when registering")
    return country
