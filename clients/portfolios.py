"""A financed portfolio as a table: invoices as `registry.documents` reads them, with `share` and `concluded` beside."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from clients.backfill import Row
from clients.books import SHARES, share_of
from clients.documents import contradiction, listing_of
from clients.errors import ClientError
from registry.documents import (
    BadValue,
    ColumnMap,
    DocumentError,
    Invoice,
    Receivable,
    Refusal,
    receivable_of,
)
from registry.documents.dates import DateError, parse_local
from registry.documents.delimited import Stream
from registry.documents.reader import invoices_of, tables_of

__all__ = ["EXTRA_COLUMNS", "Unusable", "read_portfolio", "rows_in"]

EXTRA_COLUMNS = ("share", "concluded")
ROWS_AT_A_TIME = 5_000  # in memory, of a CSV
_PARTY_SCHEMES = ("lei", "uscc", "vat", "tax")  # what may name a party on the ledger, best first


@dataclass(frozen=True, slots=True)
class Unusable:
    """A row that cannot be put on the ledger, and why, in words."""

    place: str
    reason: str


def read_portfolio(
    name: str, stream: Stream, column_map: ColumnMap, *, seller: str, debtor: str | None, share: int, now_ms: int
) -> Iterator[Row | Unusable]:
    """The rows of one table of any length, in its order. `seller` is the party that assigned them.

    Who owes is what the row says of its buyer (LEI, USCC, VAT or tax id), or else `debtor`; a row of another seller is
    unusable. `share` is what was assigned where the row does not say. What is concluded later than `now_ms` is unusable
    too: the ledger would register it and refuse to offer it. A CSV is read as it goes on, a workbook at once.
    Raises `DocumentError` if the table as a whole cannot be read.
    """
    source, tables = tables_of(name, stream, column_map, ("number", *EXTRA_COLUMNS), rows_max=ROWS_AT_A_TIME)
    for table in tables:
        titles = [title.strip().casefold() for title in table.header]
        places = {column: titles.index(column) for column in EXTRA_COLUMNS if column in titles}
        for (_, cells), reading in zip(table.rows, invoices_of(table, source, column_map), strict=True):
            if isinstance(reading, DocumentError):
                yield Unusable(f"{name}: {reading.element}", reading.reason)
                continue
            place = f"{name}: {reading.container}"
            extra = {column: cells[at].strip() for column, at in places.items() if at < len(cells)}
            try:
                yield _row(place, reading, extra, column_map, seller, debtor, share, now_ms)
            except (ClientError, DocumentError) as error:
                yield Unusable(place, str(error))


def rows_in(name: str, stream: Stream, column_map: ColumnMap) -> int:
    """How many rows a table has, from reading all of it: whoever is told a number will not be stopped in its middle.

    Single rows may still be unusable. Raises `DocumentError`.
    """
    source, tables = tables_of(name, stream, column_map, ("number", *EXTRA_COLUMNS), rows_max=ROWS_AT_A_TIME)
    first = next(tables)
    next(invoices_of(first, source, column_map))  # refuses a header that will not do
    return len(first.rows) + sum(len(table.rows) for table in tables)


def _row(
    place: str,
    invoice: Invoice,
    extra: dict[str, str],
    column_map: ColumnMap,
    seller: str,
    debtor: str | None,
    share: int,
    now_ms: int,
) -> Row:
    made = receivable_of(invoice)
    if isinstance(made, Refusal):
        raise ClientError(f"{made.element}: {made.detail}")
    if not isinstance(made, Receivable):
        raise ClientError("a credit note: give what is left of the invoice in its own row")
    debtor = _debtor_of(invoice) or debtor
    if debtor is None:
        raise ClientError("buyer: no LEI, USCC, VAT or tax id says who it is on the ledger")
    listing = listing_of(made, seller=seller, debtor=debtor)
    if others := contradiction(invoice, seller={seller}, debtor={debtor}):
        raise ClientError(others)
    assigned = share_of(extra["share"]) if extra.get("share") else share
    if assigned is None:
        raise BadValue(file=invoice.file, element="share", reason=f"{extra['share']!r} is no share: {SHARES}")
    concluded_ms = _concluded_ms(invoice, extra, column_map)
    if concluded_ms > now_ms:
        reason = f"{extra['concluded']!r} had not come when this was begun"
        raise BadValue(file=invoice.file, element="concluded", reason=reason)
    return Row(place=place, listing=listing, share=assigned, concluded_ms=concluded_ms)


def _debtor_of(invoice: Invoice) -> str | None:
    for scheme in _PARTY_SCHEMES:
        for identifier in invoice.buyer.identifiers:
            if identifier.scheme == scheme:
                return identifier.text
    return None


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
