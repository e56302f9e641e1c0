"""The common model: what every reader turns a document into, whatever its syntax. Values only, no reading here."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from registry.money import Money

__all__ = [
    "NAME_CHARS_MAX",
    "REFERENCES_MAX",
    "TOKEN_CHARS_MAX",
    "ExternalClaim",
    "GovernmentId",
    "Identifier",
    "Instalment",
    "Invoice",
    "InvoiceReference",
    "Kind",
    "Notice",
    "NoticeCode",
    "Party",
    "Signal",
    "SignalKind",
    "Syntax",
    "TransportReference",
]

TOKEN_CHARS_MAX = 200  # characters of a number, identifier or reference
NAME_CHARS_MAX = 500  # characters of a party's name
REFERENCES_MAX = 1_000  # distinct references of one kind in one invoice


class Syntax(StrEnum):
    """How the document is written. The same names as in the corpus of expected values."""

    UBL_INVOICE = "UBL-Invoice"
    UBL_CREDIT_NOTE = "UBL-CreditNote"
    CII = "CII"
    CII_ZUGFERD_1 = "CII-ZF1"
    CN_EINVOICE = "CN-EInvoice"
    CN_EVOUCHER = "CN-XBRL"
    CN_EINVOICE_2019 = "CN-OFD-eInvoice2019"
    BR_NFE = "BR-NFe"
    PL_FA = "PL-FA"
    HU_NAV = "HU-NAV"
    IT_FATTURAPA = "IT-FatturaPA"
    CL_DTE = "CL-DTE"
    CL_AEC = "CL-AEC"
    FI_FINVOICE = "FI-Finvoice"
    CSV = "CSV"
    XLSX = "XLSX"


class Kind(StrEnum):
    """What the document does to the debt, by its type code (UNTDID 1001)."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class NoticeCode(StrEnum):
    """What a reader wants a person to look at; none of them stops the reading."""

    POSSIBLY_ASSIGNED = "possibly_assigned"  # one for each `Signal`
    PAYABLE_DIFFERS = "payable_differs_from_gross"  # only what is payable can be financed
    PAYABLE_NOT_STATED = "payable_not_stated"  # taken as gross less prepaid
    NO_DUE_DATE = "no_due_date"
    SEVERAL_DUE_DATES = "several_due_dates"  # the last is taken: the day by which all is due
    UNREADABLE_DUE_DATE = "unreadable_due_date"  # stated, but no day of the calendar; taken as not stated
    DUE_BEFORE_ISSUE = "due_before_issue"
    CORRECTS_ANOTHER = "corrects_another"  # names an earlier invoice that may already be financed
    SELLER_IS_BUYER = "seller_is_buyer"  # both sides carry the same identifier
    BAD_IDENTIFIER = "bad_identifier"  # malformed, or wrong check digits
    UNKNOWN_COUNTRY = "unknown_country"
    MARKED_AS_PAID = "marked_as_paid"  # the document says that it is paid: probably nothing is left to finance
    NOT_AUTHORISED = "not_authorised"  # the tax authority's answer inside the document is no authorisation
    TEST_DOCUMENT = "test_document"  # marked by its sender as a test
    COPY = "copy"  # marked by its sender as a copy
    ENCODING_GUESSED = "encoding_guessed"
    NUMBER_REPAIRED = "number_repaired"  # ".0" (or ",0") or leading zeros that a spreadsheet changed


class Notice(NamedTuple):
    """One warning: what, where in the document, and in words."""

    code: NoticeCode
    element: str
    text: str


class Identifier(NamedTuple):
    """An id of a party. `scheme`: lei, uscc, vat, tax, gln, ... (see `identifiers`), local if the document has none."""

    scheme: str
    value: str

    @property
    def text(self) -> str:
        """`scheme:value`, as parties are named on the ledger."""
        return f"{self.scheme}:{self.value}"


class TransportReference(NamedTuple):
    """A carrier's or customs' document. `type_code` as in UNTDID 1001: 705 bill of lading, 740 air waybill, ..."""

    type_code: str
    number: str


class GovernmentId(NamedTuple):
    """The id that a tax authority's system knows this very document by."""

    country: str
    value: str


class Instalment(NamedTuple):
    """A part of what is payable that falls due on a day of its own; `number` as the document counts it, from "1"."""

    number: str
    due_date: datetime.date
    amount: Money


class InvoiceReference(NamedTuple):
    """Another invoice that this document names (EN 16931 BG-3), and what a tax authority calls that one."""

    number: str
    issue_date: datetime.date | None
    government_id: GovernmentId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One side. `country` is ISO 3166 alpha-2, None if the document does not say (or says something unknown)."""

    name: str
    country: str | None
    identifiers: tuple[Identifier, ...]

    def identifier(self, scheme: str) -> str | None:
        """The first identifier under `scheme`, if any."""
        return next((found.value for found in self.identifiers if found.scheme == scheme), None)


class SignalKind(StrEnum):
    """What in a document says that the debt may already be somebody else's. It raises a question, decides nothing."""

    ANOTHER_PAYEE = "another_payee"  # somebody other than the seller is to be paid
    FACTORED_TYPE = "factored_type"  # the type code says so (UNTDID 1001: 393, 396)
    FINANCIER_NAMED = "financier_named"  # a party stands in the role of a factor
    FACTOR_ACCOUNT = "factor_account"  # the account to pay is marked as a factor's
    ASSIGNMENT_NOTE = "assignment_note"  # words of assignment in a free text
    ASSIGNMENT_RECORD = "assignment_record"  # the document is the record of an assignment
    DECLARED_FINANCED = "declared_financed"  # a field of its own says: factored, sold or securitised


class Signal(NamedTuple):
    """One factoring signal: what, where in the document, in words, and the financier if the document names it."""

    kind: SignalKind
    element: str
    text: str
    party: Party | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalClaim:
    """An assignment of the document's debt that was concluded outside this ledger, as its own record states it.

    `register` names the record's home ("CL:RPETC"), `sequence` its place in the chain from 1, `amount` what of the
    debt was assigned, `concluded` the moment as written (without a zone: the register's local time), `last_due` the
    day by which all of it is due.
    """

    register: str
    sequence: int
    assignor: Party
    assignee: Party
    amount: Money
    concluded: datetime.datetime
    last_due: datetime.date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """An invoice or credit note as its document states it; nothing is judged or computed here.

    `payable` is what is still to be paid (EN 16931 BT-115), None where the document does not say; `gross` the total
    with tax (BT-112), `prepaid` what was paid before (BT-113). `left_to_pay` is set where the document itself settles
    the payable with other balances of the two sides: what the buyer is asked for then; `tax_to_state` is what of the
    gross the buyer pays to the State instead of the seller (split payment), which is not in the payable. `payee` is set
    only where the document names one. `instalments` are all parts of the payable, in order, if there are several with
    day and amount. `file` is the caller's name for the source, `container` how the document sat in it
    ("pdf:factur-x.xml", "row 7", "" for the bare file), `digest` the SHA-256 of the source's bytes, 32 bytes. `signals`
    are what says that the debt may be financed already; `external_claims` the assignments that the document itself
    records, in order.
    """

    syntax: Syntax
    kind: Kind
    type_code: str
    number: str
    issue_date: datetime.date
    due_date: datetime.date | None
    tax_point_date: datetime.date | None
    currency: str
    payable: Money | None
    gross: Money | None
    prepaid: Money | None
    seller: Party
    buyer: Party
    payee: Party | None
    order_references: tuple[str, ...]
    transport_references: tuple[TransportReference, ...]
    preceding_invoices: tuple[InvoiceReference, ...]
    government_id: GovernmentId | None
    file: str
    container: str
    digest: bytes
    warnings: tuple[Notice, ...]
    signals: tuple[Signal, ...] = ()
    external_claims: tuple[ExternalClaim, ...] = ()
    left_to_pay: Money | None = None
    tax_to_state: Money | None = None
    instalments: tuple[Instalment, ...] = ()
