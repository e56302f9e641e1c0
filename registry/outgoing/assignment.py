"""What a financier knows of one assignment, as it goes out of the network: to other systems and to official registers.

Everything here is particulars: it stands in the parties' vaults, never on the ledger. Values are checked when they are
made, so that the writers of messages and filings only lay them out.
"""

from __future__ import annotations

import datetime
import json
import re
from dataclasses import dataclass

from stdnum import iban, numdb

from registry.documents.identifiers import country_code
from registry.errors import FieldError
from registry.identifiers import pinned_problem, split_identifier
from registry.money import WHOLE, Money, exponent_of, money_of_share
from registry.normalise import is_clean_text
from registry.parties import NAME_CHARS_MAX
from registry.tables import Table

__all__ = [
    "DIGEST_BYTES",
    "IDENTIFIERS_MAX",
    "REFERENCE_CHARS_MAX",
    "Assignment",
    "Filing",
    "Firm",
    "Notice",
    "assignment_from_json",
    "clean",
    "is_iban",
]

REFERENCE_CHARS_MAX = 35  # characters of a number or reference: Max35Text of ISO 20022, the narrowest that must take it
ACCOUNT_CHARS_MAX = 34  # an IBAN has at most 34, and so has GenericAccountIdentification1
IDENTIFIERS_MAX = 5  # of one firm
DIGEST_BYTES = 32
JSON_CHARS_MAX = 64 * 1024

_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Za-z0-9]{1,30}", re.ASCII)
_LAW = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?", re.ASCII)
_ACCOUNT = re.compile(r"[0-9A-Za-z][0-9A-Za-z/-]*", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_NOT_XML = frozenset("\ufffe\uffff")  # not characters of XML 1.0, and unknown to the pinned Unicode tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Firm:
    """A party to an assignment: registered name, country (ISO 3166), identifiers such as lei:... and uscc:...

    Raises `FieldError` for a name that is not clean, an identifier not in its canonical spelling, or one of whose
    check digits are wrong.
    """

    name: str
    country: str
    identifiers: tuple[str, ...]

    def __post_init__(self) -> None:
        clean("name", self.name, chars_max=NAME_CHARS_MAX)
        if country_code(self.country) != self.country:
            raise FieldError("country", "must be the two capital letters of a country (ISO 3166)")
        if not 1 <= len(self.identifiers) <= IDENTIFIERS_MAX:
            raise FieldError("identifiers", f"must be 1 to {IDENTIFIERS_MAX}")
        for index, identifier in enumerate(self.identifiers):
            if problem := pinned_problem(*split_identifier(f"identifiers[{index}]", identifier)):
                raise FieldError(f"identifiers[{index}]", problem)

    def number(self, scheme: str) -> str:
        """Its identifier of that scheme without the scheme, or "" if it has none."""
        found = (identifier.partition(":") for identifier in self.identifiers)
        return next((value for name, _, value in found if name == scheme), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """The notice of assignment to the debtor: its document number, and the 32-byte digest of its text."""

    reference: str
    digest: bytes

    def __post_init__(self) -> None:
        clean("reference", self.reference)
        if len(self.digest) != DIGEST_BYTES:
            raise FieldError("digest", f"must have {DIGEST_BYTES} bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """An official filing of the assignment: the register (Zhongdeng, NY UCC, ...) and its number there."""

    register: str
    number: str

    def __post_init__(self) -> None:
        clean("register", self.register)
        clean("number", self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """A share of one invoice that its seller has assigned to a financier.

    `claim` is the claim's 32-byte id on the ledger; `agreement` the number of the contract between seller and
    financier, `concluded` its date; `amount` what the invoice asks for, tax included, `tax` the tax in it (None if
    unknown), and `advance` what of the assigned part is paid out (None if undecided), all in one currency; `share` the
    part assigned, 1 to WHOLE; `law` the law of the assignment (CN, GB-EW, US-NY, ...); `account` where the debtor is to
    pay, without blanks, an IBAN where the country has them, or "". Raises `FieldError`.
    """

    claim: bytes
    seller: Firm
    debtor: Firm
    financier: Firm
    agreement: str
    concluded: datetime.date
    invoice: str
    issued: datetime.date
    due: datetime.date
    amount: Money
    share: int
    law: str
    tax: Money | None = None
    advance: Money | None = None
    account: str = ""
    notice: Notice | None = None
    filing: Filing | None = None

    def __post_init__(self) -> None:
        if len(self.claim) != DIGEST_BYTES:
            raise FieldError("claim", f"must have {DIGEST_BYTES} bytes")
        clean("agreement", self.agreement)
        clean("invoice", self.invoice)
        if self.due < self.issued:
            raise FieldError("due", "is before the invoice was issued")
        if self.amount.minor <= 0:
            raise FieldError("amount", "must be more than nothing")
        if not 1 <= self.share <= WHOLE:
            raise FieldError("share", f"must be 1 to {WHOLE} parts")
        if not _LAW.fullmatch(self.law):
            raise FieldError("law", "must be a country or a part of one, such as CN, GB-EW or US-NY")
        if self.account and not (len(self.account) <= ACCOUNT_CHARS_MAX and _ACCOUNT.fullmatch(self.account)):
            raise FieldError("account", f"must be at most {ACCOUNT_CHARS_MAX} letters and digits, or empty")
        if is_iban(self.account) and not iban.is_valid(self.account):
            raise FieldError("account", f"is no IBAN of {self.account[:2]}: length, form or check digits are wrong")
        for name, money, most in (("tax", self.tax, self.amount), ("advance", self.advance, self.assigned)):
            if money is not None and money.currency != self.amount.currency:
                raise FieldError(name, f"must be in {self.amount.currency}, as the amount is")
            if money is not None and not 0 <= money.minor <= most.minor:
                raise FieldError(name, f"must be nothing to {most}")

    @property
    def assigned(self) -> Money:
        """What the share is worth, to the nearest minor unit."""
        return money_of_share(self.share, whole=self.amount)


def is_iban(account: str) -> bool:
    """Whether it stands for an IBAN, right or wrong: has its shape, and the country (by python-stdnum) uses them.

    Their check digits are MOD 97-10 (ISO 13616).
    """
    return bool(_IBAN.fullmatch(account) and numdb.get("iban").info(account)[0][1])


def clean(field: str, text: str, *, chars_max: int = REFERENCE_CHARS_MAX) -> str:
    """`text`, if it may stand in a message. Raises `FieldError`."""
    if not is_clean_text(text, size_max=chars_max) or not _NOT_XML.isdisjoint(text):
        raise FieldError(field, f"must be 1 to {chars_max} characters, NFC, trimmed, without control characters")
    return text


def assignment_from_json(text: str) -> Assignment:
    """The assignment in a JSON object with the fields of `Assignment`.

    Dates are 2026-07-31, `claim` and `notice.digest` hex; the money is `currency`, its `exponent` (decimals by ISO
    4217, given so that a mistake shows) and `amount_minor`, `tax_minor`, `advance_minor` in minor units. What may be
    None or "" may be left out. Raises `FieldError`.
    """
    if len(text) > JSON_CHARS_MAX:
        raise FieldError("file", f"has more than {JSON_CHARS_MAX} characters")
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FieldError("file", f"is not JSON: {error}") from error
    optional = ("tax_minor", "advance_minor", "account", "notice", "filing")
    present = [name for name in optional if isinstance(given, dict) and name in given]
    table = Table("", given, (*_REQUIRED, *present))
    currency = table.text("currency")
    if table.integer("exponent") != exponent_of(currency):
        raise FieldError("exponent", f"{currency} has {exponent_of(currency)} decimals (ISO 4217)")

    def money(name: str) -> Money | None:
        return Money(currency, table.integer(name)) if name in present else None

    return Assignment(
        claim=table.hex("claim"),
        seller=_firm(table, "seller"),
        debtor=_firm(table, "debtor"),
        financier=_firm(table, "financier"),
        agreement=table.text("agreement"),
        concluded=_date(table, "concluded"),
        invoice=table.text("invoice"),
        issued=_date(table, "issued"),
        due=_date(table, "due"),
        amount=Money(currency, table.integer("amount_minor")),
        share=table.integer("share"),
        law=table.text("law"),
        tax=money("tax_minor"),
        advance=money("advance_minor"),
        account=table.text("account") if "account" in present else "",
        notice=_notice(table) if "notice" in present else None,
        filing=_filing(table) if "filing" in present else None,
    )


_REQUIRED = (
    *("claim", "seller", "debtor", "financier", "agreement", "concluded"),
    *("invoice", "issued", "due", "currency", "exponent", "amount_minor", "share", "law"),
)


def _firm(table: Table, name: str) -> Firm:
    part = table.table(name, ("name", "country", "identifiers"))
    try:
        return Firm(name=part.text("name"), country=part.text("country"), identifiers=part.texts("identifiers"))
    except FieldError as error:
        raise _placed(name, error) from error


def _notice(table: Table) -> Notice:
    part = table.table("notice", ("reference", "digest"))
    try:
        return Notice(reference=part.text("reference"), digest=part.hex("digest"))
    except FieldError as error:
        raise _placed("notice", error) from error


def _filing(table: Table) -> Filing:
    part = table.table("filing", ("register", "number"))
    try:
        return Filing(register=part.text("register"), number=part.text("number"))
    except FieldError as error:
        raise _placed("filing", error) from error


def _placed(place: str, error: FieldError) -> FieldError:
    """The error with the place of the part in front, unless it says it already."""
    field = error.field if error.field.startswith(f"{place}.") else f"{place}.{error.field}"
    return FieldError(field, error.reason)


def _date(table: Table, name: str) -> datetime.date:
    text = table.text(name)
    try:
        if _DATE.fullmatch(text):
            return datetime.date.fromisoformat(text)
    except ValueError:
        pass  # month 13 and its like: said below
    raise FieldError(name, "must be a date such as 2026-07-31")
