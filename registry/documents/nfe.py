"""Brazil's NF-e and NFC-e (leiaute 4.00 and 3.10), bare or with the authorisation protocol around it.

The access key of 44 digits is unique in the country. A `duplicata` is a receivable of its own: several are instalments,
and the due date of the whole is the first one's. Whether the emitter sells is said by direction and purpose together:
goods that go out are sold unless they go back (finNFe 4), goods that come in are bought unless they come back.

The tax reform (NT 2025.002) added notes of credit (5) and of debit (6) on the taxes IBS and CBS. By its kind
(tpNFCredito) a note of credit of the seller takes from the debt: refused delivery, whole (03) or in part (06), and
reduction (04). The other kinds and all notes of debit settle taxes or what was paid already: nobody is asked to pay.
"""

from __future__ import annotations

import datetime
import re

from registry.documents.dates import parse_iso
from registry.documents.errors import AmbiguousElement, BadValue, UnsupportedSyntax
from registry.documents.invoice import (
    NAME_CHARS_MAX,
    GovernmentId,
    Instalment,
    Invoice,
    InvoiceReference,
    Kind,
    Notice,
    NoticeCode,
    Party,
    Syntax,
)
from registry.documents.parties import party_of
from registry.documents.signals import assignment_notes
from registry.documents.source import Source, bounded, order_numbers
from registry.documents.xml import Cursor
from registry.money import Money

__all__ = ["ROOTS", "read"]

_NS = "http://www.portalfiscal.inf.br/nfe"
ROOTS = frozenset({f"{{{_NS}}}nfeProc", f"{{{_NS}}}NFe"})

CURRENCY = "BRL"
COUNTRY = "BR"

_KEY = re.compile(r"[0-9A-Z]{44}")  # letters since CNPJs have them (2026)
_BRAZIL = "1058"  # cPais, the central bank's code
_RETURN, _CREDIT = "4", "5"  # finNFe
_DEMANDS = frozenset({"1", "2"})  # normal, complement of another
_CREDITS_OF_THE_DEBT = frozenset({"03", "04", "06"})  # tpNFCredito
_AUTHORISED = frozenset({"100", "150"})  # cStat: authorised, authorised late
_TEST = "2"  # tpAmb


def read(root: Cursor, source: Source) -> tuple[Invoice, ...]:
    """The NF-e at `root`, with its protocol if it has one. Raises `DocumentError`."""
    root = root.in_own_namespace()
    info = root.need("infNFe" if root.tag.endswith("}NFe") else "NFe/infNFe")
    ide, total = info.need("ide"), info.need("total/ICMSTot")
    purpose = _purpose(ide)
    emitter, emitter_notices = _party(info.need("emit"), address="enderEmit")
    other, other_notices = _party(info.need("dest"), address="enderDest")
    emitter_sells = purpose == _CREDIT or (ide.need_text("tpNF") == "1") is not (purpose == _RETURN)
    gross = total.need_money("vNF", currency=CURRENCY)
    due_dates = [info.convert("cobr/dup/dVenc", text, parse_iso) for text in info.texts("cobr/dup/dVenc")]
    return (
        Invoice(
            syntax=Syntax.BR_NFE,
            kind=Kind.INVOICE if purpose in _DEMANDS else Kind.CREDIT_NOTE,
            type_code=ide.need_text("mod"),
            number=ide.need_text("nNF"),
            issue_date=ide.need_date("dhEmi", parse_iso),
            due_date=min(due_dates, default=None),
            tax_point_date=None,
            currency=CURRENCY,
            payable=_payable(info, gross),
            gross=gross,
            prepaid=None,
            seller=emitter if emitter_sells else other,
            buyer=other if emitter_sells else emitter,
            payee=None,
            order_references=_order_references(info),
            transport_references=(),
            preceding_invoices=_preceding_invoices(ide),
            government_id=GovernmentId(COUNTRY, _access_key(root, info)),
            file=source.file,
            container=source.container,
            digest=source.digest,
            warnings=(*_marks(root, ide), *_several_due_dates(info, due_dates), *emitter_notices, *other_notices),
            signals=assignment_notes(info),
            instalments=_instalments(info),
        ),
    )


def _purpose(ide: Cursor) -> str:
    """finNFe, if the document says with it what somebody owes; neither adjustments of taxes nor codes to come do."""
    purpose = ide.need_text("finNFe")
    of_the_debt = purpose == _CREDIT and ide.text("tpNFCredito") in _CREDITS_OF_THE_DEBT
    if not (purpose in _DEMANDS or purpose == _RETURN or of_the_debt):
        reason = f"{purpose}: such a document asks nobody for payment, and takes nothing from a debt"
        raise ide.error(UnsupportedSyntax, "finNFe", reason)
    return purpose


def _payable(info: Cursor, gross: Money) -> Money:
    """What the bill asks for; without a bill, the invoice's total."""
    billed = info.money("cobr/fat/vLiq", currency=CURRENCY)
    if billed is not None and billed.minor > gross.minor:
        raise info.error(AmbiguousElement, "cobr/fat/vLiq", f"asks for {billed}, the invoice is {gross}")
    return gross if billed is None else billed


def _access_key(root: Cursor, info: Cursor) -> str:
    """The key that the NF-e carries itself; a protocol for another one is no protocol for this one."""
    key = info.attribute("Id").removeprefix("NFe")
    if not _KEY.fullmatch(key):
        raise info.error(BadValue, "@Id", f"{key[:60]!r} is no access key of 44 characters")
    stated = root.text("protNFe/infProt/chNFe")
    if stated is not None and stated != key:
        raise root.error(AmbiguousElement, "protNFe/infProt/chNFe", f"says {stated!r}, the NF-e {key!r}")
    return key


def _party(node: Cursor, *, address: str) -> tuple[Party, tuple[Notice, ...]]:
    abroad = node.text(f"{address}/UF") == "EX"
    country = None if abroad or node.text(f"{address}/cPais") not in (_BRAZIL, None) else COUNTRY
    party, notices = party_of(
        node,
        name=node.text("xNome", chars_max=NAME_CHARS_MAX),
        country=country,
        identifiers=[
            ("tax", node.text("CNPJ")),
            ("tax", node.text("CPF")),
            ("local", node.text("idEstrangeiro")),
        ],
    )
    if country is None:
        stated = node.text(f"{address}/xPais") or "not named"
        notices += (Notice(NoticeCode.UNKNOWN_COUNTRY, f"{node.path}/{address}", f"abroad: {stated}"),)
    return party, notices


def _order_references(info: Cursor) -> tuple[str, ...]:
    found = info.texts("compra/xPed") + info.texts("det/prod/xPed")
    return bounded(order_numbers(found), file=info.file, element=f"{info.path}/compra/xPed")


def _preceding_invoices(ide: Cursor) -> tuple[InvoiceReference, ...]:
    """The NF-e that this one refers to: digits 26 to 34 of an access key are the number."""
    found = []
    for key in ide.texts("NFref/refNFe"):
        if not _KEY.fullmatch(key):
            raise ide.error(BadValue, "NFref/refNFe", f"{key[:60]!r} is no access key of 44 characters")
        found.append(InvoiceReference(key[25:34].lstrip("0") or "0", None, GovernmentId(COUNTRY, key)))
    return bounded(found, file=ide.file, element=f"{ide.path}/NFref")


def _marks(root: Cursor, ide: Cursor) -> tuple[Notice, ...]:
    notices = []
    if ide.text("tpAmb") == _TEST:
        notices.append(Notice(NoticeCode.TEST_DOCUMENT, f"{ide.path}/tpAmb", "issued in the test environment"))
    status = root.text("protNFe/infProt/cStat")
    if status is not None and status not in _AUTHORISED:
        text = f"the authority answered {status}: {root.text('protNFe/infProt/xMotivo', chars_max=300) or 'no reason'}"
        notices.append(Notice(NoticeCode.NOT_AUTHORISED, f"{root.path}/protNFe/infProt/cStat", text))
    return tuple(notices)


def _instalments(info: Cursor) -> tuple[Instalment, ...]:
    """The duplicatas, if there are several and each says its day and its amount."""
    found = []
    for place, bill in enumerate(info.all("cobr/dup"), start=1):
        day, amount = bill.date("dVenc", parse_iso), bill.money("vDup", currency=CURRENCY)
        if day is None or amount is None:
            return ()
        found.append(Instalment(bill.text("nDup") or str(place), day, amount))
    bounded(range(len(found)), file=info.file, element=f"{info.path}/cobr/dup")
    return tuple(found) if len(found) > 1 else ()


def _several_due_dates(info: Cursor, due_dates: list[datetime.date]) -> tuple[Notice, ...]:
    if len(due_dates) < 2:
        return ()
    text = ", ".join(str(day) for day in sorted(due_dates)) + ": the first is taken"
    return (Notice(NoticeCode.SEVERAL_DUE_DATES, f"{info.path}/cobr/dup/dVenc", text),)
