"""China's e-voucher of an e-fapiao: the XBRL record (电子凭证会计数据标准) that its holder keeps in the books.

It repeats what the e-fapiao says and adds what became of it, above all whether it is factored, sold or securitised.
The buyer is the accounting entity; which blue e-fapiao a red one reverses is not in it.
"""

from __future__ import annotations

import re

from registry.documents.efapiao import (
    COUNTRY,
    CURRENCY,
    chinese_day,
    declared_financed,
    efapiao_number,
    says_yes,
    taxpayer,
)
from registry.documents.errors import UnsupportedSyntax
from registry.documents.invoice import GovernmentId, Invoice, Kind, Notice, NoticeCode, Syntax
from registry.documents.signals import assignment_notes
from registry.documents.source import Source
from registry.documents.xml import Cursor

__all__ = ["ROOTS", "read"]

ROOTS = frozenset({"{http://www.xbrl.org/2003/instance}xbrl"})

_EINV = re.compile(r"http://xbrl\.mof\.gov\.cn/taxonomy/[0-9]{4}-[0-9]{2}-[0-9]{2}/einv")
_PAID = "einv:WhetherEinvoiceHasBeenPaid"


def read(root: Cursor, source: Source) -> tuple[Invoice, ...]:
    """The e-fapiao that the record at `root` is about. Raises `DocumentError`, also for XBRL about anything else."""
    root = root.with_prefixes({"einv": _taxonomy(root)})
    number = efapiao_number(root, "einv:InvoiceNumber")
    seller, seller_notices = taxpayer(root, name="einv:SellerName", number="einv:SellerIdNum")
    entity = "einv:UnifiedSocialCreditCodeOfAccountingEntity"
    buyer, buyer_notices = taxpayer(root, name="einv:NameOfAccountingEntity", number=entity)
    total = root.need_money("einv:TotalTax-includedAmount", currency=CURRENCY)
    red = says_yes(root, "einv:WhetherEinvoiceIsRedEinvoice") or total.minor < 0
    paid = Notice(NoticeCode.MARKED_AS_PAID, f"{root.path}/{_PAID}", "the books say that it is paid")
    return (
        Invoice(
            syntax=Syntax.CN_EVOUCHER,
            kind=Kind.CREDIT_NOTE if red else Kind.INVOICE,
            type_code="",
            number=number,
            issue_date=root.need_date("einv:RequestTime", chinese_day),
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
            preceding_invoices=(),
            government_id=GovernmentId(COUNTRY, number),
            file=source.file,
            container=source.container,
            digest=source.digest,
            warnings=(*((paid,) if says_yes(root, _PAID) else ()), *seller_notices, *buyer_notices),
            signals=(*declared_financed(root), *assignment_notes(root)),
        ),
    )


def _taxonomy(root: Cursor) -> str:
    for namespace in root.node.nsmap.values():
        if _EINV.fullmatch(namespace):
            return str(namespace)
    reason = "XBRL that is not about an e-fapiao"
    raise UnsupportedSyntax(file=root.file, element=root.path, reason=reason)
