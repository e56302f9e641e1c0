"""From a document to a listing: what an exporter's invoice becomes on the ledger."""

from __future__ import annotations

from collections.abc import Collection

from clients import reads
from clients.errors import ClientError
from clients.exchange import Procedure
from clients.exporter import Listing
from clients.session import Session
from registry.documents.invoice import Identifier, Invoice
from registry.documents.receivable import Receivable
from registry.errors import FieldError
from registry.fingerprint import Particulars
from registry.transactions.receivables import Parent

__all__ = ["contradiction", "ids_of", "listing_of"]

# Schemes under which a firm has one number, `vat` one in each country. Not `tax`, `gln`, `duns` and `siret`, of which
# branches have their own, nor a customer's number.
_ONE_A_FIRM = frozenset(
    {
        *("lei", "uscc", "vat", "siren", "kvk", "abn"),
        *("ch-uid", "dk-cvr", "jp-cn", "no-orgnr", "sg-uen", "be-cbe"),
    }
)


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
    so the caller's customer book decides who they are; `contradiction` says where the document disagrees. Countries
    default to the document's. Raises `ClientError` naming file and element if the document lacks what a registration
    needs.
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


def contradiction(invoice: Invoice, *, seller: Collection[str], debtor: Collection[str]) -> str:
    """Why the document is none of this seller's to this debtor, "" if nothing in it says so.

    `seller` and `debtor` are each party's ids. A side that carries one of them is that party. It is another one if it
    carries a number where the party is known to have a different one of the same scheme. Names prove nothing, and
    neither do numbers that the ledger does not know: a group's VAT number, a branch's own.
    """
    for role, party, ids in (("seller", invoice.seller, seller), ("buyer", invoice.buyer, debtor)):
        if any(found.text in ids for found in party.identifiers):
            continue
        for found in party.identifiers:
            other = next((known for known in sorted(ids) if _excludes(known, found)), None)
            if other is not None:
                return f"{role}: {found.text}, {party.name or 'unnamed'}, and not {other}"
    return ""


def ids_of(session: Session, named: str) -> Procedure[frozenset[str]]:
    """All ids of the party on the ledger that has this one, proved; this one alone if nobody has it."""
    party = yield from reads.party_named(session, named)
    record = (yield from reads.party(session, party)) if party is not None else None
    return frozenset((named, *(() if record is None else record.identifiers)))


def _excludes(known: str, found: Identifier) -> bool:
    """Whether the firm with the one number cannot have the other."""
    scheme, _, value = known.partition(":")
    same_country = scheme != "vat" or value[:2] == found.value[:2]
    return scheme == found.scheme and scheme in _ONE_A_FIRM and same_country and value != found.value
