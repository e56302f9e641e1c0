"""Chile's DTE (documento tributario electrónico), alone or many in an EnvioDTE, with or without its namespace.

RUT of the issuer, type and folio together are unique in the country. A purchase invoice (46) is issued by the buyer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from registry.documents.dates import parse_iso
from registry.documents.errors import BadValue, MissingElement, UnsupportedSyntax
from registry.documents.invoice import (
    NAME_CHARS_MAX,
    GovernmentId,
    Invoice,
    InvoiceReference,
    Kind,
    Notice,
    NoticeCode,
    Party,
    Syntax,
    TransportReference,
)
from registry.documents.parties import party_of
from registry.documents.signals import assignment_notes
from registry.documents.source import Source, bounded
from registry.documents.xml import Cursor

__all__ = ["COUNTRY", "CURRENCY", "NAMESPACE", "ROOTS", "government_id", "read", "read_one"]

NAMESPACE = "http://www.sii.cl/SiiDte"
ROOTS = frozenset({"DTE", "EnvioDTE", f"{{{NAMESPACE}}}DTE", f"{{{NAMESPACE}}}EnvioDTE"})

COUNTRY = "CL"
CURRENCY = "CLP"

_INVOICES = frozenset({"33", "34", "46", "56", "110", "111"})  # with debit notes: 56, 111
_CREDIT_NOTES = frozenset({"61", "112"})
_BY_THE_BUYER = frozenset({"46"})
_BILLED = _INVOICES | _CREDIT_NOTES | {"30", "32", "60"}  # and those on paper of the time before
_ORDER = "801"
_TRANSPORT: Mapping[str, str] = MappingProxyType({"807": "830", "808": "705", "809": "740"})  # to UNTDID 1001
_CURRENCIES: Mapping[str, str] = MappingProxyType(
    {"PESO CL": "CLP", "DOLAR USA": "USD", "EURO": "EUR", "YEN": "JPY", "LIBRA EST": "GBP", "FRANCO SZ": "CHF"}
)
_FOREIGN_BUYER = "55555555-5"  # stands for everybody who has no RUT
_CASH = "1"  # FmaPago


@dataclass(frozen=True, slots=True)
class _References:
    orders: tuple[str, ...]
    transports: tuple[TransportReference, ...]
    invoices: tuple[InvoiceReference, ...]


def read(root: Cursor, source: Source) -> tuple[Invoice, ...]:
    """The documents at `root`, in their order. Raises `DocumentError`."""
    root = root.in_own_namespace()
    if not root.tag.endswith("EnvioDTE"):
        return (read_one(root, source),)
    documents = root.all("SetDTE/DTE")
    if not documents:
        raise root.error(MissingElement, "SetDTE/DTE", "is missing")
    bounded(range(len(documents)), file=root.file, element=f"{root.path}/SetDTE/DTE")
    return tuple(
        read_one(document, replace(source, container=f"DTE {number}"))
        for number, document in enumerate(documents, start=1)
    )


def read_one(dte: Cursor, source: Source) -> Invoice:
    """The document in one `DTE` element. Raises `DocumentError`."""
    document = dte.one("Documento") or dte.one("Exportaciones")
    if document is None:
        raise dte.error(MissingElement, "Documento", "is missing")
    header = document.need("Encabezado")
    ident = header.need("IdDoc")
    type_code, folio = ident.need_text("TipoDTE"), ident.need_text("Folio")
    if type_code not in _INVOICES | _CREDIT_NOTES:
        raise ident.error(UnsupportedSyntax, "TipoDTE", f"documents of type {type_code} are no invoices between firms")
    issuer, issuer_notices = _issuer(header.need("Emisor"))
    receiver, receiver_notices = _receiver(header.need("Receptor"), abroad=document.path.endswith("Exportaciones"))
    rut = header.need_text("Emisor/RUTEmisor")
    currency = _currency(header)
    total = header.need_money("Totales/MntTotal", currency=currency)
    references = _references(document, rut)
    by_the_buyer = type_code in _BY_THE_BUYER
    return Invoice(
        syntax=Syntax.CL_DTE,
        kind=Kind.CREDIT_NOTE if type_code in _CREDIT_NOTES else Kind.INVOICE,
        type_code=type_code,
        number=folio,
        issue_date=ident.need_date("FchEmis", parse_iso),
        due_date=ident.date("FchVenc", parse_iso),
        tax_point_date=None,
        currency=currency,
        payable=total,
        gross=total,
        prepaid=None,
        seller=receiver if by_the_buyer else issuer,
        buyer=issuer if by_the_buyer else receiver,
        payee=None,
        order_references=references.orders,
        transport_references=references.transports,
        preceding_invoices=references.invoices,
        government_id=government_id(rut, type_code, folio),
        file=source.file,
        container=source.container,
        digest=source.digest,
        warnings=(*_marks(ident), *issuer_notices, *receiver_notices),
        signals=assignment_notes(document),
    )


def government_id(rut: str, type_code: str, folio: str) -> GovernmentId:
    """What the tax authority (SII) knows the document by. The letters keep the three parts apart."""
    return GovernmentId(COUNTRY, f"{rut.upper()}T{type_code}F{folio.lstrip('0')}")


def _issuer(node: Cursor) -> tuple[Party, tuple[Notice, ...]]:
    name = node.text("RznSoc", chars_max=NAME_CHARS_MAX)
    return party_of(node, name=name, country=COUNTRY, identifiers=[("tax", node.text("RUTEmisor"))])


def _receiver(node: Cursor, *, abroad: bool) -> tuple[Party, tuple[Notice, ...]]:
    rut = node.text("RUTRecep")
    party, notices = party_of(
        node,
        name=node.text("RznSocRecep", chars_max=NAME_CHARS_MAX),
        country=None if abroad else COUNTRY,
        identifiers=[("tax", None if rut == _FOREIGN_BUYER else rut), ("local", node.text("Extranjero/NumId"))],
    )
    if abroad:
        notices += (Notice(NoticeCode.UNKNOWN_COUNTRY, node.path, "abroad: the document has customs' own codes"),)
    return party, notices


def _currency(header: Cursor) -> str:
    stated = header.text("Totales/TpoMoneda")
    if stated is None:
        return CURRENCY
    currency = _CURRENCIES.get(stated.upper())
    if currency is None:
        raise header.error(BadValue, "Totales/TpoMoneda", f"{stated!r} is no currency that is known here")
    return currency


def _references(document: Cursor, rut: str) -> _References:
    orders: list[str] = []
    transports: list[TransportReference] = []
    invoices: list[InvoiceReference] = []
    for reference in document.all("Referencia"):
        kind, folio = reference.text("TpoDocRef"), reference.text("FolioRef")
        if kind is None or folio is None:
            continue
        if kind == _ORDER:
            orders.append(folio)
        elif kind in _TRANSPORT:
            transports.append(TransportReference(_TRANSPORT[kind], folio))
        elif kind in _BILLED:
            issuer = reference.text("RUTOtr") or rut
            named = government_id(issuer, kind, folio)
            invoices.append(InvoiceReference(folio, reference.date("FchRef", parse_iso), named))
    element = f"{document.path}/Referencia"
    return _References(
        bounded(orders, file=document.file, element=element),
        bounded(transports, file=document.file, element=element),
        bounded(invoices, file=document.file, element=element),
    )


def _marks(ident: Cursor) -> tuple[Notice, ...]:
    if ident.text("FmaPago") != _CASH:
        return ()
    return (Notice(NoticeCode.MARKED_AS_PAID, f"{ident.path}/FmaPago", "paid in cash"),)
