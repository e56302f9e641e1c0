"""The instalments of an invoice as receivables of their own, under it: a buyer's several payments, financed one by one.

Each is registered as kind `instalment` with a link to the invoice, so that a claim on either weighs on the other
(registry.md 4), and nobody finances the whole beside a part.
"""

from __future__ import annotations

from dataclasses import replace

from clients.documents import listing_of
from clients.dossier import Dossier
from clients.errors import ClientError
from clients.exporter import Listing
from registry.documents.invoice import Invoice
from registry.documents.receivable import Receivable, receivable_of
from registry.limits import CHILDREN_MAX
from registry.money import WHOLE, Money, collectible_share

__all__ = ["instalment_listings"]


def instalment_listings(dossier: Dossier, invoice: Invoice, *, debtor_country: str | None = None) -> list[Listing]:
    """A listing for each instalment of a registered invoice, which `dossier` is of, in the order of the document.

    Numbered as the invoice and its instalment: 4711/001. Parts are rounded down, so they never exceed the invoice.
    Raises `ClientError` if the document is another one, states no instalments, or they are more than it asks for.
    """
    known = dossier.particulars
    whole = receivable_of(invoice)
    if not isinstance(whole, Receivable) or invoice.digest != dossier.document or invoice.number != known.number:
        raise ClientError(f"{invoice.file}: is not the document of invoice {known.number} in the dossier")
    if not invoice.instalments:
        raise ClientError(f"{invoice.file}: states no instalments with day and amount, or only one")
    if len(invoice.instalments) > CHILDREN_MAX:
        raise ClientError(f"{invoice.file}: {len(invoice.instalments)} instalments, at most {CHILDREN_MAX} are taken")
    total = sum(one.amount.minor for one in invoice.instalments)
    if total > whole.amount.minor or any(one.amount.minor <= 0 for one in invoice.instalments):
        stated = Money(invoice.currency, total)
        raise ClientError(f"{invoice.file}: instalments of {stated} are no parts of the {whole.amount} to be paid")
    listing = listing_of(whole, seller=known.seller, debtor=known.debtor, debtor_country=debtor_country)
    return [
        replace(
            listing,
            kind="instalment",
            parents=((dossier.receivable, collectible_share(one.amount, whole=whole.amount), WHOLE),),
            particulars=replace(
                listing.particulars,
                number=f"{invoice.number}/{one.number}",
                amount_minor=one.amount.minor,
                due_date=one.due_date,
                government_ids=(),  # which are the invoice's
            ),
        )
        for one in invoice.instalments
    ]
