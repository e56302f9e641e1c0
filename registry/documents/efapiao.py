"""China's fully digital e-fapiao (数电发票) as the XML that tax bureaus deliver: root `EInvoice`, without a namespace.

The number of 20 digits is unique in the country, so it is the government id as well. A red e-fapiao cancels a blue
one in whole or part: its amounts are negative, and it names the blue one in a field or at least in its remark.
"""

from __future__ import annotations

import datetime
import re

from registry.documents.dates import DateOrder, parse_local
from registry.documents.errors import AmbiguousElement, BadValue
from registry.documents.invoice import (
    NAME_CHARS_MAX,
    GovernmentId,
    Invoice,
    InvoiceReference,
    Kind,
    Notice,
    Party,
    Signal,
    SignalKind,
    Syntax,
)
from registry.documents.parties import party_of
from registry.documents.signals import assignment_notes
from registry.documents.source import Source, bounded
from registry.documents.xml import Cursor
from registry.money import Money

__all__ = [
    "COUNTRY",
    "CURRENCY",
    "ROOTS",
    "chinese_day",
    "declared_financed",
    "efapiao_number",
    "read",
    "says_yes",
    "taxpayer",
]

ROOTS = frozenset({"EInvoice"})
CURRENCY = "CNY"  # a fapiao is always in the national currency
COUNTRY = "CN"
REMARK_CHARS_MAX = 20_000  # characters of a remark that are looked at

_NUMBER = re.compile(r"[0-9]{20}")
# "number of the blue digital fapiao that is reversed": how the remark of a red one names it
_BLUE = re.compile(r"被红冲蓝字(?:数电)?(?:发票|票)(?:号码)?[:：]\s*([0-9]{20})(?![0-9])")
# How the e-voucher accounting standard (电子凭证会计数据标准) lets the holder of an e-fapiao declare it.
_FACTORED = "WhetherEinvoiceHasBeenFactoredSoldOrSecuritized"
_YES = frozenset({"Y", "YES", "TRUE", "1", "是"})


def read(root: Cursor, source: Source) -> tuple[Invoice, ...]:
    """The blue or red e-fapiao at `root`. Raises `DocumentError`."""
    root = root.in_own_namespace()
    data = root.need("EInvoiceData")
    number = _number(root)
    seller, seller_notices = taxpayer(data.need("SellerInformation"), name="SellerName", number="SellerIdNum")
    buyer, buyer_notices = taxpayer(data.need("BuyerInformation"), name="BuyerName", number="BuyerIdNum")
    total = data.need_money("BasicInformation/TotalTax-includedAmount", currency=CURRENCY)
    return (
        Invoice(
            syntax=Syntax.CN_EINVOICE,
            kind=Kind.CREDIT_NOTE if _is_red(root, total) else Kind.INVOICE,
            type_code=_type(root),
            number=number,
            issue_date=root.need_date("TaxSupervisionInfo/IssueTime", chinese_day),
            due_date=None,
            tax_point_date=None,
            currency=CURRENCY,
            payable=total,
            gross=total,
            prepaid=None,
            seller=seller,
            buyer=buyer,
            payee=None,
            order_references=(),
            transport_references=(),
            preceding_invoices=_reversed(data),
            government_id=GovernmentId(COUNTRY, number),
            file=source.file,
            container=source.container,
            digest=source.digest,
            warnings=(*seller_notices, *buyer_notices),
            signals=(*declared_financed(root), *assignment_notes(root)),
        ),
    )


def taxpayer(node: Cursor, *, name: str, number: str) -> tuple[Party, tuple[Notice, ...]]:
    """A side of a fapiao. Only who pays tax in China has a number, and only of those the country is known."""
    tax_number = node.text(number)
    country = COUNTRY if tax_number else None
    return party_of(
        node, name=node.text(name, chars_max=NAME_CHARS_MAX), country=country, identifiers=[("tax", tax_number)]
    )


def efapiao_number(root: Cursor, path: str) -> str:
    """The number at `path`: 20 digits. Raises as `Cursor.need_text`, and `BadValue` for anything else."""
    number = root.need_text(path)
    if not _NUMBER.fullmatch(number):
        raise root.error(BadValue, path, f"{number!r} has not 20 digits")
    return number


def says_yes(root: Cursor, path: str) -> bool:
    """Whether a declaration at `path` says yes, in any of the spellings that systems use."""
    return any(text.upper() in _YES for text in root.texts(path))


def declared_financed(root: Cursor) -> tuple[Signal, ...]:
    """The declaration, anywhere below `root`, that the e-fapiao is factored, sold or securitised."""
    if not says_yes(root, f".//{{*}}{_FACTORED}"):
        return ()
    text = "declared as factored, sold or securitised"
    return (Signal(SignalKind.DECLARED_FINANCED, f"{root.path}//{_FACTORED}", text),)


def _number(root: Cursor) -> str:
    number = efapiao_number(root, "TaxSupervisionInfo/InvoiceNumber")
    header = root.text("Header/EIid")
    if header is not None and header != number:
        reason = f"says {header!r}, TaxSupervisionInfo/InvoiceNumber {number!r}"
        raise root.error(AmbiguousElement, "Header/EIid", reason)
    return number


def _type(root: Cursor) -> str:
    """What kind of VAT invoice it is, in its own words (增值税专用发票, 普通发票); "" for those that do not say."""
    labels = "Header/InherentLabel"
    return root.text(f"{labels}/GeneralOrSpecialVAT/LabelName") or root.text(f"{labels}/EInvoiceType/LabelName") or ""


def _is_red(root: Cursor, total: Money) -> bool:
    """Whether it reverses another: the mark "is blue" (InIssuType) says no, or the total is negative."""
    return root.text("Header/InherentLabel/InIssuType/LabelCode") == "N" or total.minor < 0


def _reversed(data: Cursor) -> tuple[InvoiceReference, ...]:
    numbers = data.texts("SpecificInformation/RedEInvoice/OriginalInvoiceCode")
    if not numbers:
        for remark in data.all("AdditionalInformation/Remark"):
            numbers += _BLUE.findall(remark.node.text or "", 0, REMARK_CHARS_MAX)
    references = (InvoiceReference(number, None, GovernmentId(COUNTRY, number)) for number in numbers)
    return bounded(references, file=data.file, element=f"{data.path}/SpecificInformation/RedEInvoice")


def chinese_day(text: str) -> datetime.date:
    """`2026-05-19`, `2026-05-19 09:47:14`, `2026年05月19日` or `20260519`. Raises `DateError`."""
    return parse_local(text, order=DateOrder.YEAR_MONTH_DAY)
