"""China's VAT e-fapiao of the generation before (2019): root `eInvoice`, mostly found attached to an OFD document.

Code (10 or 12 digits) and number (8 digits) together are unique in the country.
"""

from __future__ import annotations

from registry.documents.efapiao import COUNTRY, CURRENCY, chinese_day, taxpayer
from registry.documents.errors import BadValue
from registry.documents.invoice import GovernmentId, Invoice, InvoiceReference, Kind, Syntax
from registry.documents.signals import assignment_notes
from registry.documents.source import Source
from registry.documents.xml import Cursor

__all__ = ["ROOTS", "read"]

ROOTS = frozenset({"eInvoice"})

_FP = {"fp": "http://www.edrm.org.cn/schema/e-invoice/2019"}  # the root itself stands outside of it
_RED = "1"  # TypeCode: 0 blue, 1 red


def read(root: Cursor, source: Source) -> tuple[Invoice, ...]:
    """The blue or red e-fapiao at `root`. Raises `DocumentError`."""
    root = root.with_prefixes(_FP)
    type_code = root.need_text("fp:TypeCode")
    code, number = root.need_text("fp:InvoiceCode"), root.need_text("fp:InvoiceNo")
    seller, seller_notices = taxpayer(root.need("fp:Seller"), name="fp:SellerName", number="fp:SellerTaxID")
    buyer, buyer_notices = taxpayer(root.need("fp:Buyer"), name="fp:BuyerName", number="fp:BuyerTaxID")
    total = root.need_money("fp:TaxInclusiveTotalAmount", currency=CURRENCY)
    return (
        Invoice(
            syntax=Syntax.CN_EINVOICE_2019,
            kind=Kind.CREDIT_NOTE if type_code == _RED or total.minor < 0 else Kind.INVOICE,
            type_code=type_code,
            number=f"{code}/{number}",
            issue_date=root.need_date("fp:IssueDate", chinese_day),
            due_date=None,
            tax_point_date=None,
            currency=CURRENCY,
            payable=total,
            gross=total,
            prepaid=None,
            seller=seller,
            buyer=buyer,
            payee=None,  # fp:Payee is the clerk who takes the money in
            order_references=(),
            transport_references=(),
            preceding_invoices=_reversed(root),
            government_id=_government_id(root, "fp:InvoiceCode", code, number),
            file=source.file,
            container=source.container,
            digest=source.digest,
            warnings=(*seller_notices, *buyer_notices),
            signals=assignment_notes(root),
        ),
    )


def _government_id(root: Cursor, path: str, code: str, number: str) -> GovernmentId:
    if not (code.isdecimal() and code.isascii() and len(code) in (10, 12)):
        raise root.error(BadValue, path, f"{code!r} has not 10 or 12 digits")
    if not (number.isdecimal() and number.isascii() and len(number) == 8):
        raise root.error(BadValue, path.replace("Code", "No"), f"{number!r} has not 8 digits")
    return GovernmentId(COUNTRY, code + number)


def _reversed(root: Cursor) -> tuple[InvoiceReference, ...]:
    code, number = root.text("fp:OriginalInvoiceCode"), root.text("fp:OriginalInvoiceNo")
    if code is None or number is None:
        return ()
    government_id = _government_id(root, "fp:OriginalInvoiceCode", code, number)
    return (InvoiceReference(f"{code}/{number}", None, government_id),)
