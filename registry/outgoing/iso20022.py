"""ISO 20022 invoice assignment messages (factoring services), version 001.01 of each.

| message  | name                             | from -> to          |
| -------- | -------------------------------- | ------------------- |
| tsin.006 | InvoiceAssignmentRequest         | seller -> financier |
| tsin.007 | InvoiceAssignmentStatus          | financier -> seller |
| tsin.008 | InvoiceAssignmentNotification    | financier -> debtor |
| tsin.013 | InvoiceAssignmentAcknowledgement | debtor -> financier |

All four have one structure; they differ in the tags of the root and its list, who speaks, and the status inside.
Parties and documents are defined once in the header under an xs:ID and referred to by xs:IDREF from the list.

Written with lxml. The PyPI package python-iso20022 has the classes of all four, but names the root element after the
class instead of `Document`, checks no length, pattern or presence when it writes, and brings an HTTP client into a pure
package; so the tests hold the output against its classes instead.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from registry.errors import FieldError
from registry.money import WHOLE, Money, percent
from registry.outgoing.assignment import Assignment, Filing, Firm, Notice, clean, is_iban
from registry.outgoing.xml import Element, write

__all__ = [
    "FINANCING",
    "GROUNDS",
    "Financing",
    "Ground",
    "Letter",
    "acknowledgement",
    "notification",
    "request",
    "status",
]

Financing: TypeAlias = Literal["pending", "funded", "refused"]
FINANCING: Final[tuple[Financing, ...]] = get_args(Financing)
Ground: TypeAlias = Literal["refusal", "defence", "counterclaim", "set_off", "third_party_claim"]
GROUNDS: Final[tuple[Ground, ...]] = get_args(Ground)  # FCI GRIF art. 27, as in the text dispute-notice

NAME_CHARS_MAX = 140  # LegalOrganisation1/Nm
IDENTIFIER_CHARS_MAX = 35  # GenericOrganisationIdentification1/Id
STATUS_CHARS_MAX = 105  # one AddtlStsRsnInf
PARTICULARS_CHARS_MAX = 500  # of an objection, in as many AddtlStsRsnInf as it takes

_SELLER, _DEBTOR, _FINANCIER, _USER = "seller", "debtor", "financier", "authorised-user"
_AGREEMENT, _LAW, _NOTICE = "agreement", "law", "notice"
_TAKEN = frozenset({_SELLER, _DEBTOR, _FINANCIER, _USER, _AGREEMENT, _LAW, _NOTICE})
_MESSAGE_ID = re.compile(r"[A-Za-z_][A-Za-z0-9._-]{0,34}", re.ASCII)  # an xs:ID, and Max35Text
_REQUEST_STATUS: Final[dict[str, str]] = {"pending": "PDNG", "funded": "FNCD", "refused": "NTFD"}  # NTFD: not financed
# ISO 20022 CreditDebitCode: CRDT is an increase (of what is owed, by an invoice), DBIT a decrease (by a credit note).
_INVOICE_SIGN = "CRDT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """The outside of a message: its id, the day it is sent, and the id of the message that it answers, or "".

    Ids start with a letter and have up to 35 letters, digits, dots, hyphens and underscores. Raises `FieldError`.
    """

    id: str
    sent: datetime.date
    replies_to: str = ""

    def __post_init__(self) -> None:
        for name, value in (("id", self.id), ("replies_to", self.replies_to)):
            if name == "replies_to" and not value:
                continue
            if not _MESSAGE_ID.fullmatch(value):
                raise FieldError(name, "must be a letter and up to 34 letters, digits, dots, hyphens and underscores")
            if value in _TAKEN:
                raise FieldError(name, f"must not be {value}: the message has that id inside")
        if self.replies_to == self.id:
            raise FieldError("replies_to", "must be another message")


def request(assignment: Assignment, letter: Letter) -> bytes:
    """tsin.006: the seller asks the financier to take the assignment. Raises `FieldError`."""
    tags = ("tsin.006", "InvcAssgnmtReq", "AssgnmtList", "AssgnmtCnt")
    return _message(tags, assignment, letter, route=(_SELLER, _FINANCIER), said=None)


def status(assignment: Assignment, letter: Letter, *, outcome: Financing, reason: str = "") -> bytes:
    """tsin.007: the financier says what became of the request; `reason` is a code of `registry.reasons`, if refused.

    Raises `FieldError`, also if it is funded and the assignment has no `advance`.
    """
    if outcome not in FINANCING:
        raise FieldError("outcome", f"must be one of {', '.join(FINANCING)}")
    if (outcome == "refused") != bool(reason):
        raise FieldError("reason", "must be given if refused, and only then")
    said = _financed(assignment, letter, outcome, reason)
    tags = ("tsin.007", "InvcAssgnmtSts", "AssgnmtList", "AssgnmtCnt")
    return _message(tags, assignment, letter, route=(_FINANCIER, _SELLER), said=said)


def notification(assignment: Assignment, letter: Letter) -> bytes:
    """tsin.008: the financier notifies the debtor. Raises `FieldError`, also if no account to pay to is known."""
    if not assignment.account:
        raise FieldError("account", "must be known: a notice says where to pay")
    tags = ("tsin.008", "InvcAssgnmtNtfctn", "NtfctnList", "NtfctnCnt")
    return _message(tags, assignment, letter, route=(_FINANCIER, _DEBTOR), said=None)


def acknowledgement(
    assignment: Assignment, letter: Letter, *, objection: Ground | None = None, particulars: str = ""
) -> bytes:
    """tsin.013: the debtor acknowledges the notification, or objects on a ground with particulars.

    Raises `FieldError`.
    """
    if objection is not None and objection not in GROUNDS:
        raise FieldError("objection", f"must be one of {', '.join(GROUNDS)}")
    if objection is None and particulars:
        raise FieldError("particulars", "must be left out without an objection")
    if objection is not None:
        clean("particulars", particulars, chars_max=PARTICULARS_CHARS_MAX)
    said = _received(objection or "", particulars)
    tags = ("tsin.013", "InvcAssgnmtAck", "PmtStsList", "PmtStsCnt")
    return _message(tags, assignment, letter, route=(_DEBTOR, _FINANCIER), said=said)


def _message(
    tags: tuple[str, str, str, str],
    assignment: Assignment,
    letter: Letter,
    *,
    route: tuple[str, str],
    said: Element | None,
) -> bytes:
    """`tags`: the message, and its tags of root, list and count; `route`: from whom to whom; `said`: of the item."""
    message, root, list_tag, count_tag = tags
    content: list[Element | None] = [
        ("Hdr", _header(assignment, letter, route)),
        (list_tag, _list(assignment, letter, said, advance=None if _DEBTOR in route else assignment.advance)),
        (count_tag, "1"),
        ("ItmCnt", "1"),
        ("CtrlSum", assignment.amount.text),
    ]
    return write(f"urn:iso:std:iso:20022:tech:xsd:{message}.001.01", (root, content))


def _header(assignment: Assignment, letter: Letter, route: tuple[str, str]) -> list[Element | None]:
    """BusinessLetter1."""
    firms = {_SELLER: assignment.seller, _DEBTOR: assignment.debtor, _FINANCIER: assignment.financier}
    sender, receiver = route
    (other,) = set(firms) - set(route)
    return [
        ("LttrIdr", [("Id", letter.id), ("Issr", sender), ("ElctrncOrgnl", True)]),
        ("Dt", letter.sent),
        ("RltdMsg", [("Id", letter.replies_to), ("Issr", receiver), ("ElctrncOrgnl", True)])
        if letter.replies_to
        else None,
        ("Orgtr", _party(sender, firms[sender], role=sender)),
        ("PmryRcpt", _party(receiver, firms[receiver], role=receiver)),
        ("AuthstnUsr", _party(_USER, firms[sender], role=sender)),
        ("OthrPty", _party(other, firms[other], role=other)),
        ("AssoctdDoc", _notice(assignment.notice)) if assignment.notice else None,
        (
            "GovngCtrct",
            [
                ("Id", _AGREEMENT),
                ("ItmIdr", assignment.agreement),
                ("Dt", assignment.concluded),
                ("ElctrncOrgnl", True),
            ],
        ),
        ("LglCntxt", _law(assignment.law)),
    ]


def _party(id_: str, firm: Firm, *, role: str) -> list[Element | None]:
    """QualifiedPartyIdentification1."""
    identifiers: list[Element | None] = []
    for identifier in firm.identifiers:
        scheme, _, value = identifier.partition(":")
        clean(f"{role}.identifiers", value, chars_max=IDENTIFIER_CHARS_MAX)
        identifiers.append(("Othr", [("Id", value), ("SchmeNm", [("Prtry", scheme.upper())])]))
    name = clean(f"{role}.name", firm.name, chars_max=NAME_CHARS_MAX)
    party: list[Element | None] = [("Id", [("OrgId", identifiers)]), ("CtryOfRes", firm.country)]
    base: list[Element | None] = [("PtyId", party), ("LglOrg", [("Nm", name)])]
    return [("Id", id_), ("Pty", [("BasePty", base)]), ("Role", [("Id", role)])]


def _notice(notice: Notice) -> list[Element | None]:
    """QualifiedDocumentInformation1, with the digest by which the ledger pins the notice's text."""
    digest: list[Element | None] = [("DgstAlgo", "HS25"), ("Dgst", notice.digest.hex())]
    return [("Id", _NOTICE), ("ItmIdr", notice.reference), ("ElctrncOrgnl", True), ("Dgst", digest)]


def _law(law: str) -> list[Element | None]:
    """GovernanceRules2: no uniform rules (ICC) govern, the law does."""
    country, _, part = law.partition("-")
    place: list[Element | None] = [("Ctry", country), ("CtrySubDvsn", [("Cd", part)]) if part else None]
    return [("Id", _LAW), ("RuleId", [("Cd", "NONE")]), ("AplblLaw", place)]


def _list(
    assignment: Assignment, letter: Letter, said: Element | None, *, advance: Money | None
) -> list[Element | None]:
    """FinancingItemList1, of one item. The debtor is not told the `advance`."""
    notified: list[Element | None] = [("NtifngPty", _FINANCIER), ("NtfctnRcvr", _DEBTOR), ("AckRcvr", _FINANCIER)]
    return [
        ("Idr", letter.id),
        ("IsseDt", letter.sent),
        ("RltdDoc", _AGREEMENT),
        ("Assgne", _FINANCIER),
        ("Assgnr", _SELLER),
        ("NtfctnInf", notified),
        ("FinItm", _item(assignment, said)),
        ("ItmCnt", "1"),
        ("CtrlSum", assignment.amount.text),
        ("TtlReqAmt", assignment.assigned),
        ("TtlReqFincg", [("Amt", advance)]) if advance else None,
        ("AddtlInf", _remarks(assignment)),
    ]


def _remarks(assignment: Assignment) -> str:
    """What the structure has no element for: the claim, the exact share, the official filing."""
    return (
        f"Claim {assignment.claim.hex()}. "
        f"Share assigned: {percent(assignment.share)} ({assignment.share} of {WHOLE} parts). "
        f"{_filed(assignment.filing)}"
    )


def _filed(filing: Filing | None) -> str:
    if filing is None:
        return "Official filing: none known; where the law asks for one it is still needed."
    return f"Official filing: {filing.register}, number {filing.number}."


def _item(assignment: Assignment, said: Element | None) -> list[Element | None]:
    """FinancialItem1."""
    if assignment.tax is None:
        raise FieldError("tax", "must be known, 0 if there is none: InvoiceTotals1 has it")
    net = Money(assignment.amount.currency, assignment.amount.minor - assignment.tax.minor)
    context: list[Element | None] = [
        ("Idr", assignment.invoice),
        ("IsseDt", assignment.issued),
        ("Issr", _SELLER),
        ("Buyr", _DEBTOR),
        ("Sellr", _SELLER),
        ("GovngCtrct", _AGREEMENT),
        ("LglCntxt", _LAW),
        ("Ccy", assignment.amount.currency),
        ("CdtAcct", [_account(assignment.account)]) if assignment.account else None,
    ]
    totals: list[Element | None] = [
        ("TtlTaxblAmt", net),
        ("TtlTaxAmt", assignment.tax),
        ("TtlInvcAmt", assignment.amount),
        ("PmtDueDt", assignment.due),
    ]
    return [
        ("ItmCntxt", context),
        ("CdtDbtInd", _INVOICE_SIGN),
        ("TtlAmt", totals),
        ("AssoctdDoc", _NOTICE) if assignment.notice else None,
        said,
    ]


def _account(account: str) -> Element:
    return ("IBAN", account) if is_iban(account) else ("Othr", [("Id", account)])


def _received(objection: str, particulars: str) -> Element:
    """ValidationStatusInformation1: the notification was received (RCCF), and what the debtor has against it.

    Its other status, RCER, is a technical error of reception: an objection is none.
    """
    pieces = [particulars[at : at + STATUS_CHARS_MAX] for at in range(0, len(particulars), STATUS_CHARS_MAX)]
    reason: Element | None = ("StsRsn", [("Prtry", objection)]) if objection else None
    return ("VldtnStsInf", [("Sts", "RCCF"), reason, *(("AddtlStsRsnInf", piece) for piece in pieces)])


def _financed(assignment: Assignment, letter: Letter, outcome: Financing, reason: str) -> Element:
    """FinancingInformationAndStatus1: what is paid out, or that nothing is."""
    funded = outcome == "funded"
    if funded and assignment.advance is None:
        raise FieldError("advance", "must be known: it is said to be funded")
    nothing = Money(assignment.amount.currency, 0)
    paid = assignment.advance if funded and assignment.advance else nothing
    summary: list[Element | None] = [
        ("FincdItmNb", "1" if funded else "0"),
        ("TtlAccptdItmsAmt", nothing if outcome == "refused" else assignment.assigned),
        ("TtlFincdAmt", paid),
        ("FincgDtDtls", [("CdtDt", letter.sent)]) if funded else None,
    ]
    original: list[Element | None] = [
        ("DocNb", assignment.invoice),
        ("TtlInvcAmt", assignment.amount),
        ("IsseDt", assignment.issued),
        ("PmtDueDt", assignment.due),
    ]
    result: list[Element | None] = [
        ("FincgReqSts", _REQUEST_STATUS[outcome]),
        ("StsRsn", [("Prtry", clean("reason", reason))]) if reason else None,
        ("FincdAmt", [("Amt", paid)]) if funded else None,
    ]
    details: list[Element | None] = [("OrgnlInvcInf", original), ("InvcFincgRslt", result)]
    return ("FincgSts", [("FincgAllwdSummry", summary), ("InvcFincgDtls", details)])
