"""Italy's FatturaPA (1.1 and 1.2): one header with both parties, and any number of invoices as bodies.

Every instalment states what is to be paid; together they are the payable, which split payment of VAT and withheld tax
make less than the total. More than the total is refused: alternatives and instalments cannot be told apart then.

Under split payment (EsigibilitaIVA S, scissione dei pagamenti, art. 17-ter DPR 633/1972) the buyer pays the VAT to the
State: no more than the rest is payable, whatever the instalments say or leave out, and a credit note takes back no more
than the rest. Instalments that add up to the total have the tax in them, which falls due with each of them (DM 23
January 2015, art. 3): they are paid without it, in proportion.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from registry.documents.dates import parse_iso
from registry.documents.errors import AmbiguousElement, MissingElement
from registry.documents.invoice import (
    NAME_CHARS_MAX,
    Instalment,
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
from registry.documents.source import Source, bounded, last_due_date, order_numbers
from registry.documents.xml import Cursor
from registry.money import Money

__all__ = ["ROOTS", "read"]

_NAMESPACES = (
    "http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.2",
    "http://www.fatturapa.gov.it/sdi/fatturapa/v1.1",
)
ROOTS = frozenset(f"{{{namespace}}}FatturaElettronica" for namespace in _NAMESPACES)

_CREDIT_NOTES = frozenset({"TD04"})
_DUE = "DatiPagamento/DettaglioPagamento/DataScadenzaPagamento"
_PAYMENT = "DatiPagamento/DettaglioPagamento"
_SPLIT = "S"  # EsigibilitaIVA


@dataclass(frozen=True, slots=True)
class _Sides:
    seller: Party
    buyer: Party
    notices: tuple[Notice, ...]
    signals: tuple[Signal, ...]


def read(root: Cursor, source: Source) -> tuple[Invoice, ...]:
    """The invoices at `root`, in their order. Raises `DocumentError`."""
    root = root.with_prefixes({})  # only the root stands in a namespace
    header = root.need("FatturaElettronicaHeader")
    seller, seller_notices = _party(header.need("CedentePrestatore"))
    buyer, buyer_notices = _party(header.need("CessionarioCommittente"))
    sides = _Sides(seller, buyer, (*seller_notices, *buyer_notices), assignment_notes(header))
    bodies = root.all("FatturaElettronicaBody")
    if not bodies:
        raise root.error(MissingElement, "FatturaElettronicaBody", "is missing")
    bounded(range(len(bodies)), file=root.file, element=f"{root.path}/FatturaElettronicaBody")
    return tuple(
        _invoice(body, sides, replace(source, container=f"body {number}") if len(bodies) > 1 else source)
        for number, body in enumerate(bodies, start=1)
    )


def _invoice(body: Cursor, sides: _Sides, source: Source) -> Invoice:
    general = body.need("DatiGenerali")
    document = general.need("DatiGeneraliDocumento")
    currency = document.currency("Divisa")
    type_code = document.need_text("TipoDocumento")
    due_date, due_notices = last_due_date(body, [_DUE], parse_iso)
    split = _split_tax(body, currency)
    gross = _gross(body, document, currency, split)
    payable = _payable(body, gross, currency, split)
    payee, payee_signals = _payee(body)
    return Invoice(
        syntax=Syntax.IT_FATTURAPA,
        kind=Kind.CREDIT_NOTE if type_code in _CREDIT_NOTES else Kind.INVOICE,
        type_code=type_code,
        number=document.need_text("Numero"),
        issue_date=document.need_date("Data", parse_iso),
        due_date=due_date,
        tax_point_date=None,
        currency=currency,
        payable=payable,
        gross=gross,
        prepaid=None,
        seller=sides.seller,
        buyer=sides.buyer,
        payee=payee,
        order_references=_order_references(general),
        transport_references=(),
        preceding_invoices=_preceding_invoices(general),
        government_id=None,  # the exchange (SdI) tells its number in a receipt, not in the document
        file=source.file,
        container=source.container,
        digest=source.digest,
        warnings=(*due_notices, *sides.notices),
        signals=(*payee_signals, *sides.signals, *assignment_notes(body)),
        instalments=_instalments(body, currency, gross=gross, payable=payable if split else None),
        tax_to_state=Money(currency, split) if split else None,
    )


def _party(node: Cursor) -> tuple[Party, tuple[Notice, ...]]:
    data = node.need("DatiAnagrafici")
    name = data.text("Anagrafica/Denominazione", chars_max=NAME_CHARS_MAX)
    person = " ".join(data.texts("Anagrafica/Nome") + data.texts("Anagrafica/Cognome"))
    state, number = data.text("IdFiscaleIVA/IdPaese"), data.text("IdFiscaleIVA/IdCodice")
    identifiers = [
        ("vat", (state or "") + number if number else None),
        ("tax", data.text("CodiceFiscale")),
    ]
    return party_of(node, name=name or person, country=node.text("Sede/Nazione"), identifiers=identifiers)


def _gross(body: Cursor, document: Cursor, currency: str, split: int) -> Money:
    """The document's total; where it is left out, what the tax summary adds up to.

    Some state it without the tax that goes to the State, which is part of it.
    """
    stated = document.money("ImportoTotaleDocumento", currency=currency)
    if stated is not None and not split:
        return stated
    total = 0
    for group in body.need("DatiBeniServizi").all("DatiRiepilogo"):
        total += group.need_money("ImponibileImporto", currency=currency).minor
        total += group.need_money("Imposta", currency=currency).minor
    return Money(currency, total) if stated is None or stated.minor == total - split else stated


def _split_tax(body: Cursor, currency: str) -> int:
    """The VAT, in minor units, that the buyer pays to the State instead of the seller."""
    groups = [group for group in body.all("DatiBeniServizi/DatiRiepilogo") if group.text("EsigibilitaIVA") == _SPLIT]
    return sum(group.need_money("Imposta", currency=currency).minor for group in groups)


def _payable(body: Cursor, gross: Money, currency: str, split: int) -> Money | None:
    """All instalments together, without tax that goes to the State; None where the document says nothing of either."""
    amounts = [node.need_money("ImportoPagamento", currency=currency) for node in body.all(_PAYMENT)]
    if not amounts:
        return Money(currency, gross.minor - split) if split else None
    payable = Money(currency, sum(amount.minor for amount in amounts))
    if payable.minor > gross.minor:
        reason = f"the payments add up to {payable}, the document to {gross}"
        raise body.error(AmbiguousElement, f"{_PAYMENT}/ImportoPagamento", reason)
    return Money(currency, min(payable.minor, gross.minor - split)) if split else payable


def _instalments(body: Cursor, currency: str, *, gross: Money, payable: Money | None) -> tuple[Instalment, ...]:
    """The payments, if there are several and each says its day; parts of `payable` instead of `gross` where it is."""
    found = []
    for place, node in enumerate(body.all(_PAYMENT), start=1):
        day = node.date("DataScadenzaPagamento", parse_iso)
        if day is None:
            return ()
        found.append(Instalment(str(place), day, node.need_money("ImportoPagamento", currency=currency)))
    bounded(range(len(found)), file=body.file, element=f"{body.path}/{_PAYMENT}")
    if payable is not None and 0 < sum(one.amount.minor for one in found) == gross.minor:
        found = _in_proportion(found, gross.minor, payable)
    return tuple(found) if len(found) > 1 else ()


def _in_proportion(parts: list[Instalment], whole: int, payable: Money) -> list[Instalment]:
    """These parts of `whole` (minor units) as parts of `payable`, which they add up to exactly."""
    scaled, until, taken = [], 0, 0
    for part in parts:
        until += part.amount.minor
        share = until * payable.minor // whole - taken
        taken += share
        scaled.append(part._replace(amount=Money(payable.currency, share)))
    return scaled


def _payee(body: Cursor) -> tuple[Party | None, list[Signal]]:
    """Whom the payment terms name instead of the seller; of several, each is a signal."""
    names = body.texts(f"{_PAYMENT}/Beneficiario", chars_max=NAME_CHARS_MAX)
    payees = [Party(name=name, country=None, identifiers=()) for name in names]
    if len(payees) == 1:
        return payees[0], []
    element = f"{body.path}/{_PAYMENT}/Beneficiario"
    return None, [
        Signal(SignalKind.ANOTHER_PAYEE, element, f"one of the payees is {payee.name}", payee) for payee in payees
    ]


def _order_references(general: Cursor) -> tuple[str, ...]:
    found = general.texts("DatiOrdineAcquisto/IdDocumento")
    return bounded(order_numbers(found), file=general.file, element=f"{general.path}/DatiOrdineAcquisto")


def _preceding_invoices(general: Cursor) -> tuple[InvoiceReference, ...]:
    found = [
        InvoiceReference(linked.need_text("IdDocumento"), linked.date("Data", parse_iso))
        for linked in general.all("DatiFattureCollegate")
    ]
    return bounded(found, file=general.file, element=f"{general.path}/DatiFattureCollegate")
