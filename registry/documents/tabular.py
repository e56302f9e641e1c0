"""Tables from an ERP: one invoice a row, columns found through a column map. CSV: `delimited`, XLSX: `workbook`."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from registry.documents.amounts import parse_amount
from registry.documents.columns import FIELDS, MANDATORY, PARTY_SCHEMES, TRANSPORT_COLUMNS, ColumnMap
from registry.documents.dates import DateError, parse_local
from registry.documents.errors import (
    AmbiguousElement,
    BadValue,
    BrokenDocument,
    DocumentError,
    MissingElement,
    UnsafeDocument,
)
from registry.documents.identifiers import country_code, identifier, identifier_notices
from registry.documents.invoice import (
    NAME_CHARS_MAX,
    TOKEN_CHARS_MAX,
    GovernmentId,
    Identifier,
    Invoice,
    InvoiceReference,
    Notice,
    NoticeCode,
    Party,
    Syntax,
    TransportReference,
)
from registry.documents.source import Reading, Source, bounded, order_numbers
from registry.documents.type_codes import KNOWN, kind_of
from registry.money import Money, MoneyError, exponent_of

__all__ = ["COLUMNS_MAX", "ROWS_MAX", "Table", "read_table"]

ROWS_MAX = 100_000  # rows of one table, below its header
COLUMNS_MAX = 500  # cells of one row

_ERROR_CELL = re.compile(r"#(N/A|REF!|VALUE!|DIV/0!|NAME\?|NULL!|NUM!)")
_ROUNDED = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+[0-9]{2,}")
_POINT_ZERO = re.compile(r"([0-9]+)\.0+")
_KEPT_AS_TEXT = re.compile(r'="([^"]*)"|\'(.*)')  # how spreadsheets are told to leave leading zeros alone
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Table:
    """A table as texts. `rows`: (row number as the user sees it, cells); `notices` go to every invoice in it."""

    syntax: Syntax
    header: Sequence[str]
    rows: Sequence[tuple[int, Sequence[str]]]
    notices: tuple[Notice, ...]


def read_table(table: Table, source: Source, column_map: ColumnMap) -> Iterator[Reading]:
    """The invoices of `table`, or an error for each row. Raises `DocumentError` if columns are missing or ambiguous."""
    places = _places(table.header, source.file, column_map)
    if not table.rows:
        raise BrokenDocument(file=source.file, element="", reason="a table without rows")
    for number, cells in table.rows:
        try:
            yield _invoice(_row(number, cells, places, source.file, column_map), table, source)
        except DocumentError as error:
            yield error


def _places(header: Sequence[str], file: str, column_map: ColumnMap) -> dict[str, int]:
    """Field -> index of its column. A field that the map names must be there, and so must what no invoice lacks."""
    if len(header) > COLUMNS_MAX:
        raise UnsafeDocument(file=file, element="header", reason=f"more than {COLUMNS_MAX} columns")
    titles = [title.strip().casefold() for title in header]
    places: dict[str, int] = {}
    for name in sorted(FIELDS):
        title = column_map.header_of(name)
        if titles.count(title) > 1:
            raise AmbiguousElement(file=file, element=f"column {title!r}", reason="stands more than once")
        if title in titles:
            places[name] = titles.index(title)
        elif name in column_map.columns:
            raise MissingElement(file=file, element=f"column {title!r}", reason=f"is missing ({name})")
    given = places.keys() | column_map.constants.keys()
    for name in MANDATORY:
        if name not in given:
            raise MissingElement(file=file, element=f"column {name!r}", reason="is missing: give a column map")
    for role in ("seller", "buyer"):
        if not given & {f"{role}_{column}" for column in ("name", *PARTY_SCHEMES)}:
            reason = f"no column names the {role}: give a column map"
            raise MissingElement(file=file, element=f"column '{role}_name'", reason=reason)
    return places


@dataclass(frozen=True, slots=True)
class _Row:
    """The cells of one row by field, with what every error about them must say."""

    file: str
    number: int
    cells: Mapping[str, str]
    titles: Mapping[str, str]
    column_map: ColumnMap

    def element(self, name: str) -> str:
        return f"row {self.number}, column {self.titles.get(name, name)!r}"

    def text(self, name: str, *, chars_max: int = TOKEN_CHARS_MAX) -> str:
        text = " ".join(self.cells.get(name, "").split())
        if len(text) > chars_max:
            raise BadValue(file=self.file, element=self.element(name), reason=f"longer than {chars_max} characters")
        if _ERROR_CELL.fullmatch(text):
            raise BadValue(file=self.file, element=self.element(name), reason=f"is the error value {text}")
        if _CONTROL.search(text):
            raise BadValue(file=self.file, element=self.element(name), reason="holds control characters")
        return text

    def need(self, name: str) -> str:
        text = self.text(name)
        if not text:
            raise MissingElement(file=self.file, element=self.element(name), reason="is empty")
        return text

    def token(self, name: str) -> tuple[str, tuple[Notice, ...]]:
        """An identifier as it was before a spreadsheet took it for a number; what cannot be restored is refused."""
        text = self.text(name)
        kept = _KEPT_AS_TEXT.fullmatch(text)
        if kept is not None:
            return (kept[1] or kept[2] or "").strip(), ()
        if _ROUNDED.fullmatch(text):
            reason = f"{text}: a spreadsheet has rounded this number, its last digits are lost"
            raise BadValue(file=self.file, element=self.element(name), reason=reason)
        whole = _POINT_ZERO.fullmatch(text)
        if whole is not None:
            notice = Notice(NoticeCode.NUMBER_REPAIRED, self.element(name), f"{text} taken as {whole[1]}")
            return whole[1], (notice,)
        return text, ()

    def convert(self, name: str, function: Callable[[str], _T]) -> _T | None:
        text = self.text(name)
        if not text:
            return None
        try:
            return function(text)
        except (DateError, MoneyError) as error:
            raise BadValue(file=self.file, element=self.element(name), reason=error.reason) from error

    def date(self, name: str) -> datetime.date | None:
        return self.convert(name, lambda text: parse_local(text, order=self.column_map.date_order))

    def money(self, name: str, currency: str) -> Money | None:
        mark = self.column_map.decimal_mark
        return self.convert(name, lambda text: parse_amount(text, currency=currency, mark=mark))


def _row(number: int, cells: Sequence[str], places: Mapping[str, int], file: str, column_map: ColumnMap) -> _Row:
    if len(cells) > COLUMNS_MAX:
        raise UnsafeDocument(file=file, element=f"row {number}", reason=f"more than {COLUMNS_MAX} cells")
    short = [name for name, place in places.items() if place >= len(cells) and name in MANDATORY]
    if short:
        reason = f"has {len(cells)} cells, too few for {short[0]}"
        raise MissingElement(file=file, element=f"row {number}", reason=reason)
    found = {name: cells[place] for name, place in places.items() if place < len(cells)}
    constants = {name: value for name, value in column_map.constants.items() if not found.get(name, "").strip()}
    titles = {name: column_map.columns.get(name, name) for name in places}
    return _Row(file, number, found | constants, titles, column_map)


def _invoice(row: _Row, table: Table, source: Source) -> Invoice:
    currency = row.need("currency").upper()
    row.convert("currency", lambda text: exponent_of(text.upper()))
    number, number_notices = row.token("number")
    issue_date = row.date("issue_date")
    if not number or issue_date is None:
        name = "issue_date" if number else "number"
        raise MissingElement(file=row.file, element=row.element(name), reason="is empty")
    row.need("payable")
    seller, seller_notices = _party(row, "seller")
    buyer, buyer_notices = _party(row, "buyer")
    payee, payee_notices = _party(row, "payee")
    type_code = _type_code(row)
    orders, order_notices = _order_references(row)
    return Invoice(
        syntax=table.syntax,
        kind=kind_of(type_code),
        type_code=type_code,
        number=number,
        issue_date=issue_date,
        due_date=row.date("due_date"),
        tax_point_date=row.date("tax_point_date"),
        currency=currency,
        payable=row.money("payable", currency),
        gross=row.money("gross", currency),
        prepaid=row.money("prepaid", currency),
        seller=seller,
        buyer=buyer,
        payee=payee if payee.name or payee.identifiers else None,
        order_references=orders,
        transport_references=_transport_references(row),
        preceding_invoices=_preceding_invoices(row),
        government_id=_government_id(row, seller),
        file=source.file,
        container=f"row {row.number}",
        digest=source.digest,
        warnings=(
            *table.notices,
            *number_notices,
            *order_notices,
            *seller_notices,
            *buyer_notices,
            *payee_notices,
        ),
    )


def _type_code(row: _Row) -> str:
    """What the row is; if it does not say, an invoice. Raises `BadValue` for an ERP's own words: some mean a credit."""
    code = row.token("type_code")[0] or "380"
    if code not in KNOWN:
        reason = f"{code!r} is no document type of UNTDID 1001, such as 380 (invoice) and 381 (credit note)"
        raise BadValue(file=row.file, element=row.element("type_code"), reason=reason)
    return code


def _party(row: _Row, role: str) -> tuple[Party, tuple[Notice, ...]]:
    notices: list[Notice] = []
    stated = row.text(f"{role}_country")
    country = country_code(stated) if stated else None
    if stated and country is None:
        element = row.element(f"{role}_country")
        notices.append(Notice(NoticeCode.UNKNOWN_COUNTRY, element, f"{stated!r} is no ISO 3166 code"))
    identifiers: list[Identifier] = []
    for scheme in PARTY_SCHEMES:
        value, repaired = row.token(f"{role}_{scheme}")
        notices.extend(repaired)
        if value:
            identifiers.append(identifier(scheme, value, country=country))
    element = row.element(f"{role}_name")
    notices.extend(identifier_notices(identifiers, country=country, element=element))
    name = row.text(f"{role}_name", chars_max=NAME_CHARS_MAX)
    return Party(name=name, country=country, identifiers=tuple(identifiers)), tuple(notices)


def _order_references(row: _Row) -> tuple[tuple[str, ...], tuple[Notice, ...]]:
    """Order numbers, several of them separated by a semicolon or a bar."""
    name = "order_references"
    found: list[str] = []
    notices: list[Notice] = []
    for text in re.split(r"[;|]", row.text(name)):
        single = replace(row, cells={name: text})
        number, repaired = single.token(name)
        notices.extend(repaired)
        if number:
            found.append(number)
    return bounded(order_numbers(found), file=row.file, element=row.element(name)), tuple(notices)


def _transport_references(row: _Row) -> tuple[TransportReference, ...]:
    found = ((code, row.token(column)[0]) for column, code in TRANSPORT_COLUMNS.items())
    return tuple(TransportReference(code, number) for code, number in found if number)


def _preceding_invoices(row: _Row) -> tuple[InvoiceReference, ...]:
    number = row.token("preceding_invoice")[0]
    return (InvoiceReference(number, row.date("preceding_issue_date")),) if number else ()


def _government_id(row: _Row, seller: Party) -> GovernmentId | None:
    value = row.token("government_id")[0]
    if not value:
        return None
    if seller.country is None:
        reason = "means nothing without the seller's country"
        raise BadValue(file=row.file, element=row.element("government_id"), reason=reason)
    return GovernmentId(seller.country, value)
