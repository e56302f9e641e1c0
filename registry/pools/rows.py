"""The pool's ledger: one row a receivable, as the two sides keep it in their own books; read from CSV or XLSX."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass

from registry.codec import Value
from registry.documents.amounts import parse_amount
from registry.documents.cells import cells_of
from registry.documents.columns import DecimalMark
from registry.documents.dates import DateOrder, parse_local
from registry.errors import FieldError
from registry.identifiers import split_identifier
from registry.money import MINOR_MAX, exponent_of
from registry.records import GRADES, KINDS, RECEIVABLE_STATES

__all__ = ["COLUMNS", "CreditNote", "PoolRow", "read_rows"]

CREDIT_NOTES_MAX = 100  # of one row
COLUMNS = (
    "receivable",
    "debtor",
    "debtor_country",
    "kind",
    "grade",
    "state",
    "disputed",
    "currency",
    "amount",
    "paid",
    "contra",
    "issue_date",
    "due_date",
    "credit_notes",
)
USUAL: Mapping[str, str] = {  # what a column may leave out
    "kind": "invoice",
    "grade": "document",
    "state": "registered",
    "disputed": "no",
    "paid": "0",
    "contra": "0",
    "credit_notes": "",
}

_COUNTRY = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True, order=True)
class CreditNote:
    """A credit note of a day over `minor` minor units of the invoice's currency."""

    day: datetime.date
    minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRow:
    """One receivable of a pool. Amounts in minor units of `currency`; construction validates: raises `FieldError`.

    `receivable` is its id on the ledger (32 bytes), `debtor` the debtor's party id, `amount_minor` what was invoiced,
    `paid_minor` what was paid since, `contra_minor` what the seller owes that debtor and may be set off against this
    receivable. `kind`, `grade` and `state` as on the ledger; credit notes sorted by day.
    """

    receivable: bytes
    debtor: str
    debtor_country: str
    kind: str
    grade: str
    state: str
    disputed: bool
    currency: str
    amount_minor: int
    paid_minor: int
    contra_minor: int
    issue_date: datetime.date
    due_date: datetime.date
    credit_notes: tuple[CreditNote, ...] = ()

    def __post_init__(self) -> None:
        if type(self.receivable) is not bytes or len(self.receivable) != 32:
            raise FieldError("receivable", "is an id of 32 bytes")
        split_identifier("debtor", self.debtor)
        for name, known in (("kind", KINDS), ("grade", GRADES), ("state", RECEIVABLE_STATES)):
            if getattr(self, name) not in known:
                raise FieldError(name, f"is one of {', '.join(known)}")
        if _COUNTRY.fullmatch(self.debtor_country) is None:
            raise FieldError("debtor_country", "is a country code of two capital letters")
        exponent_of(self.currency)
        amounts = {"amount": self.amount_minor, "paid": self.paid_minor, "contra": self.contra_minor}
        amounts |= {f"credit_notes[{index}]": note.minor for index, note in enumerate(self.credit_notes)}
        for name, minor in amounts.items():
            if type(minor) is not int or not 0 <= minor <= MINOR_MAX:
                raise FieldError(name, f"is 0 to {MINOR_MAX} minor units")
        if len(self.credit_notes) > CREDIT_NOTES_MAX or list(self.credit_notes) != sorted(self.credit_notes):
            raise FieldError("credit_notes", f"are at most {CREDIT_NOTES_MAX}, sorted by day")
        if self.due_date < self.issue_date:
            raise FieldError("due_date", "is before the day of issue")
        if self.outstanding_minor < 0:
            raise FieldError("paid", "more was paid and credited than was invoiced")

    @property
    def outstanding_minor(self) -> int:
        """What is still owed."""
        return self.amount_minor - self.paid_minor - sum(note.minor for note in self.credit_notes)

    def encode(self) -> list[Value]:
        """The canonical list of its fields."""
        return [
            self.receivable,
            self.debtor,
            self.debtor_country,
            self.kind,
            self.grade,
            self.state,
            self.disputed,
            self.currency,
            self.amount_minor,
            self.paid_minor,
            self.contra_minor,
            self.issue_date.isoformat(),
            self.due_date.isoformat(),
            [[note.day.isoformat(), note.minor] for note in self.credit_notes],
        ]


def read_rows(name: str, data: bytes, *, mark: DecimalMark = DecimalMark.POINT) -> tuple[PoolRow, ...]:
    """The rows of a CSV or XLSX file whose headers are COLUMNS, in any order; those of USUAL may be left out.

    `disputed` is yes or no, `credit_notes` are DATE:AMOUNT separated by semicolons or bars. A pool with a hole in it
    has no base: raises `FieldError` naming the row and the column, `DocumentError` for the file.
    """
    cells = cells_of(name, data, wanted=COLUMNS)
    missing = [column for column in COLUMNS if column not in cells.header and column not in USUAL]
    if missing:
        raise FieldError(f"{name}: column {missing[0]}", "is missing")
    return tuple(_read(name, number, row, mark) for number, row in cells.rows)


def _read(name: str, number: int, row: Mapping[str, str], mark: DecimalMark) -> PoolRow:
    given = {column: row.get(column, "").strip() or USUAL.get(column, "") for column in COLUMNS}
    column = ""
    try:
        read: dict[str, object] = {}
        for column in ("debtor", "debtor_country", "kind", "grade", "state"):
            read[column] = given[column]
        column = "receivable"
        read[column] = _id(given[column])
        column = "disputed"
        read[column] = _yes(given[column])
        column = "currency"
        exponent_of(given[column])
        read[column] = given[column]
        for column in ("amount", "paid", "contra"):
            read[f"{column}_minor"] = _minor(given[column], given["currency"], mark)
        for column in ("issue_date", "due_date"):
            read[column] = parse_local(given[column], order=DateOrder.YEAR_MONTH_DAY)
        column = "credit_notes"
        read[column] = _credit_notes(given[column], given["currency"], mark)
    except FieldError as error:
        raise FieldError(f"{name}: row {number}: {column}", error.reason) from error
    try:
        return PoolRow(**read)  # type: ignore[arg-type]
    except FieldError as error:
        raise FieldError(f"{name}: row {number}: {error.field}", error.reason) from error


def _id(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise FieldError("receivable", "is an id of 64 hexadecimal digits") from error


def _yes(text: str) -> bool:
    answers = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
    found = answers.get(text.casefold())
    if found is None:
        raise FieldError("disputed", "is yes or no")
    return found


def _minor(text: str, currency: str, mark: DecimalMark) -> int:
    return parse_amount(text, currency=currency, mark=mark).minor


def _credit_notes(text: str, currency: str, mark: DecimalMark) -> tuple[CreditNote, ...]:
    notes = []
    for part in filter(None, (part.strip() for part in text.replace("|", ";").split(";"))):
        day, _, amount = part.partition(":")
        notes.append(CreditNote(parse_local(day, order=DateOrder.YEAR_MONTH_DAY), _minor(amount, currency, mark)))
    return tuple(sorted(notes))
