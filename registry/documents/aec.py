"""Chile's AEC (archivo electrónico de cesión): the record by which an invoice is assigned in the national register.

Law 19.983: an assignment binds debtor and third parties once it is in the register of the tax authority (RPETC). So an
AEC is not an invoice that says something about financing; it *is* the assignment, and comes out as external claims.
"""

from __future__ import annotations

from dataclasses import replace

from registry.documents import dte
from registry.documents.dates import parse_iso, parse_timestamp
from registry.documents.errors import AmbiguousElement, BadValue, MissingElement
from registry.documents.invoice import (
    NAME_CHARS_MAX,
    ExternalClaim,
    Invoice,
    Notice,
    Party,
    Signal,
    SignalKind,
    Syntax,
)
from registry.documents.parties import party_of
from registry.documents.source import Source, bounded
from registry.documents.xml import Cursor
from registry.money import Money

__all__ = ["REGISTER", "ROOTS", "read"]

ROOTS = frozenset({"AEC", f"{{{dte.NAMESPACE}}}AEC"})
REGISTER = "CL:RPETC"  # registro público electrónico de transferencia de créditos


def read(root: Cursor, source: Source) -> tuple[Invoice, ...]:
    """The assigned invoice with its claims. Raises `DocumentError`, also if the record contradicts the invoice."""
    root = root.in_own_namespace()
    cessions = root.need("DocumentoAEC/Cesiones")
    # the DTE keeps the namespace that it was signed in, which may be none
    document = cessions.need("DTECedido/DocumentoDTECedido").need("{*}DTE")
    invoice = dte.read_one(document.in_own_namespace(), source)
    claims: list[ExternalClaim] = []
    notices: list[Notice] = []
    nodes = cessions.all("Cesion/DocumentoCesion")
    if not nodes:
        raise cessions.error(MissingElement, "Cesion/DocumentoCesion", "is missing")
    bounded(range(len(nodes)), file=root.file, element=f"{cessions.path}/Cesion")
    for sequence, node in enumerate(nodes, start=1):
        _check(node, invoice, sequence)
        claim, found = _claim(node, sequence, invoice)
        claims.append(claim)
        notices.extend(found)
    last = claims[-1]
    text = f"assigned to {last.assignee.name or 'an unnamed party'} for {last.amount} on {last.concluded.date()}"
    signal = Signal(SignalKind.ASSIGNMENT_RECORD, f"{cessions.path}/Cesion", text, last.assignee)
    return (
        replace(
            invoice,
            syntax=Syntax.CL_AEC,
            warnings=(*invoice.warnings, *notices),
            signals=(signal, *invoice.signals),
            external_claims=tuple(claims),
        ),
    )


def _claim(node: Cursor, sequence: int, invoice: Invoice) -> tuple[ExternalClaim, tuple[Notice, ...]]:
    assignor, assignor_notices = _party(node.need("Cedente"))
    assignee, assignee_notices = _party(node.need("Cesionario"))
    amount = node.need_money("MontoCesion", currency=invoice.currency)
    if not 0 < amount.minor <= _total(invoice).minor:
        raise node.error(BadValue, "MontoCesion", f"{amount} of an invoice of {_total(invoice)}")
    claim = ExternalClaim(
        register=REGISTER,
        sequence=sequence,
        assignor=assignor,
        assignee=assignee,
        amount=amount,
        concluded=node.convert("TmstCesion", node.need_text("TmstCesion"), parse_timestamp),
        last_due=node.date("UltimoVencimiento", parse_iso),
    )
    return claim, (*assignor_notices, *assignee_notices)


def _party(node: Cursor) -> tuple[Party, tuple[Notice, ...]]:
    name = node.text("RazonSocial", chars_max=NAME_CHARS_MAX)
    return party_of(node, name=name, country=dte.COUNTRY, identifiers=[("tax", node.need_text("RUT"))])


def _check(node: Cursor, invoice: Invoice, sequence: int) -> None:
    """The record must number its assignments from 1 and speak of the very invoice that it carries."""
    stated = node.need_text("SeqCesion")
    if stated != str(sequence):
        raise node.error(BadValue, "SeqCesion", f"says {stated!r} where {sequence} follows")
    ident = node.need("IdDTE")
    named = dte.government_id(ident.need_text("RUTEmisor"), ident.need_text("TipoDTE"), ident.need_text("Folio"))
    if named != invoice.government_id:
        raise node.error(AmbiguousElement, "IdDTE", f"names another document than the one assigned: {named.value}")
    amount = ident.need_money("MntTotal", currency=invoice.currency)
    if amount != _total(invoice):
        raise ident.error(AmbiguousElement, "MntTotal", f"says {amount}, the document {_total(invoice)}")


def _total(invoice: Invoice) -> Money:
    assert invoice.gross is not None  # `dte.read_one` sets it
    return invoice.gross
