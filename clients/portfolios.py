"""A financed portfolio as a table: invoices as `registry.documents` reads them, with `share` and `concluded` beside."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from clients.backfill import Row
from clients.books import share_of
from clients.documents import listing_of
from clients.errors import ClientError
from registry.documents import (
    BadValue,
    ColumnMap,
    DocumentError,
    Invoice,
    Receivable,
    Refusal,
    read_each,
    receivable_of,
)
from registry.documents.dates import DateError, parse_local
from registry.documents.reader import table_of

__all__ = ["EXTRA_COLUMNS", "Unusable", "read_portfolio"]

EXTRA_COLUMNS = ("share", "concluded")
_PARTY_SCHEMES = ("lei", "uscc", "vat", "tax")  # what may name a party on the ledger, best first


@dataclass(frozen=True, slots=True)
class Unusable:
    """A row that cannot be put on the ledger, and why, in words."""

    place: str
    reason: str


def read_portfolio(
    name: str, data: bytes, column_map: ColumnMap, *, seller: str, debtor: str | None, share: int
) -> Iterator[Row | Unusable]:
    """The rows of one table, in its order. `seller` is the party that assigned them.

    Who owes is `debtor`, or else what the row says of its buyer (LEI, USCC, VAT or tax id). `share` is what was
    assigned where the row does not say. Raises `DocumentError` if the table as a whole cannot be read.
    """
    table = table_of(name, data, column_map, ("number", *EXTRA_COLUMNS))
    titles = [title.strip().casefold() for title in table.header]
    places = {column: titles.index(column) for column in EXTRA_COLUMNS if column in titles}
    extras = {
        f"row {number}": {column: cells[place].strip() for column, place in places.items() if place < len(cells)}
        for number, cells in table.rows
    }
    for reading in read_each(name, data, column_map):
        if isinstance(reading, DocumentError):
            yield Unusable(f"{name}: {reading.element}", reading.reason)
            continue
        place = f"{name}: {reading.container}"
        try:
            yield _row(place, reading, extras[reading.container], column_map, seller, debtor, share)
        except (ClientError, DocumentError) as error:
            yield Unusable(place, str(error))


def _row(
    place: str,
    invoice: Invoice,
    extra: dict[str, str],
    column_map: ColumnMap,
    seller: str,
    debtor: str | None,
    share: int,
) -> Row:
    made = receivable_of(invoice)
    if isinstance(made, Refusal):
        raise ClientError(f"{made.element}: {made.detail}")
    if not isinstance(made, Receivable):
        raise ClientError("a credit note: give what is left of the invoice in its own row")
    listing = listing_of(made, seller=seller, debtor=debtor or _debtor_of(invoice))
    assigned = share_of(extra["share"]) if extra.get("share") else share
    if assigned is None:
        raise BadValue(file=invoice.file, element="share", reason=f"{extra['share']!r} is no share such as 80%")
    return Row(place=place, listing=listing, share=assigned, concluded_ms=_concluded_ms(invoice, extra, column_map))


def _debtor_of(invoice: Invoice) -> str:
    for scheme in _PARTY_SCHEMES:
        for identifier in invoice.buyer.identifiers:
            if identifier.scheme == scheme:
                return identifier.text
    raise ClientError("buyer: no LEI, USCC, VAT or tax id says who it is on the ledger")


def _concluded_ms(invoice: Invoice, extra: dict[str, str], column_map: ColumnMap) -> int:
    """The start of the day (UTC) on which the assignment was agreed, 0 if the row does not say."""
    text = extra.get("concluded")
    if not text:
        return 0
    try:
        day = parse_local(text, order=column_map.date_order)
    except DateError as error:
        raise BadValue(file=invoice.file, element="concluded", reason=error.reason) from error
    return int(datetime.datetime(day.year, day.month, day.day, tzinfo=datetime.UTC).timestamp()) * 1000
