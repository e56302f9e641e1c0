"""Chile: folio, type and RUT are the government's id, and an AEC is an assignment, not an invoice."""

from __future__ import annotations

import datetime

import pytest

from registry.documents import (
    Adjustment,
    AmbiguousElement,
    Assigned,
    BadValue,
    GovernmentId,
    InvoiceReference,
    MissingElement,
    NoticeCode,
    Receivable,
    SignalKind,
    Syntax,
    TransportReference,
    UnsupportedSyntax,
    read,
    receivable_of,
)
from registry.money import Money
from tests.registry.documents.national import SII, aec, cession, dte
from tests.registry.documents.reading import codes, error_of, kinds, one


def reference(kind: str, folio: str) -> str:
    return (
        f"<Referencia><TpoDocRef>{kind}</TpoDocRef><FolioRef>{folio}</FolioRef><FchRef>2026-03-01</FchRef></Referencia>"
    )


@pytest.mark.parametrize("namespace", ["", SII])
def test_an_invoice_is_a_receivable_known_by_rut_type_and_folio(namespace: str) -> None:
    invoice = one(dte(namespace=namespace))
    outcome = receivable_of(invoice)
    assert isinstance(outcome, Receivable)
    assert outcome.amount == Money("CLP", 230_992), "the peso has no decimals"
    assert invoice.government_id == GovernmentId("CL", "76399752-9T33F25568")
    assert invoice.seller.identifier("tax") == "CL763997529"
    assert invoice.buyer.identifier("tax") == "CL96874030K"


def test_references_are_orders_carriers_documents_and_invoices() -> None:
    invoice = one(
        dte(references=reference("801", "638370") + reference("808", "COSU6312345670") + reference("33", "7"))
    )
    assert invoice.order_references == ("638370",)
    assert invoice.transport_references == (TransportReference("705", "COSU6312345670"),)
    named = GovernmentId("CL", "76399752-9T33F7")
    assert invoice.preceding_invoices == (InvoiceReference("7", datetime.date(2026, 3, 1), named),)


def test_a_credit_note_adjusts_the_invoice_that_it_names() -> None:
    outcome = receivable_of(one(dte(kind="61", folio="9", references=reference("33", "25568"))))
    assert isinstance(outcome, Adjustment)
    assert outcome.adjusts[0].government_id == one(dte()).government_id


def test_a_purchase_invoice_is_issued_by_the_buyer() -> None:
    invoice = one(dte(kind="46"))
    assert (invoice.seller.name, invoice.buyer.name) == ("RECEPTORA S.A.", "EMISORA SPA")


@pytest.mark.parametrize("kind", ["52", "39", "00"])
def test_despatch_notes_receipts_and_unknown_types_are_refused(kind: str) -> None:
    assert error_of(dte(kind=kind), UnsupportedSyntax).element == "DTE/Documento/Encabezado/IdDoc/TipoDTE"


def test_many_in_one_envelope() -> None:
    envelope = f'<EnvioDTE xmlns="{SII}"><SetDTE>{dte()}{dte(folio="25569")}</SetDTE></EnvioDTE>'
    found = read("f.xml", envelope.encode())
    assert [(invoice.number, invoice.container) for invoice in found] == [("25568", "DTE 1"), ("25569", "DTE 2")]
    error_of(f'<EnvioDTE xmlns="{SII}"><SetDTE/></EnvioDTE>', MissingElement)


def test_exports_name_their_currency_in_words() -> None:
    export = {"kind": "110", "tag": "Exportaciones"}
    dollars = one(dte(**export, total="1500.50", totals="<TpoMoneda>DOLAR USA</TpoMoneda>"))
    assert dollars.payable == Money("USD", 150_050)
    assert dollars.buyer.country is None
    assert NoticeCode.UNKNOWN_COUNTRY in codes(dollars)
    error_of(dte(**export, totals="<TpoMoneda>OTRAS MONEDAS</TpoMoneda>"), BadValue)


def test_paid_in_cash_is_a_warning() -> None:
    assert NoticeCode.MARKED_AS_PAID in codes(one(dte(ident="<FmaPago>1</FmaPago>")))
    assert NoticeCode.MARKED_AS_PAID not in codes(one(dte()))


def test_an_aec_is_a_claim_from_outside() -> None:
    outcome = receivable_of(one(aec()))
    assert isinstance(outcome, Assigned)
    (claim,) = outcome.claims
    assert (claim.register, claim.sequence) == ("CL:RPETC", 1)
    assert claim.assignor.identifier("tax") == "CL763997529"
    assert claim.assignee.identifier("tax") == "CL763899926"
    assert claim.amount == outcome.amount == Money("CLP", 230_992)
    assert claim.concluded == datetime.datetime(2026, 4, 4, 9, 9, 52)
    assert claim.last_due == datetime.date(2026, 4, 28)
    invoice = outcome.invoice
    assert invoice.syntax is Syntax.CL_AEC
    assert kinds(invoice) == [SignalKind.ASSIGNMENT_RECORD]
    assert invoice.government_id == one(dte()).government_id, "so that who finances the invoice finds the claim"


def test_a_chain_of_assignments_keeps_its_order() -> None:
    onward = cession(sequence="2", assignor="76389992-6", assignee="97004000-5", amount="200000")
    outcome = receivable_of(one(aec(cession(), onward)))
    assert isinstance(outcome, Assigned)
    assert [claim.assignee.name for claim in outcome.claims] == ["CESIONARIO 1", "CESIONARIO 2"]
    assert outcome.claims[1].amount == Money("CLP", 200_000)
    assert outcome.claims[0].assignee.identifiers == outcome.claims[1].assignor.identifiers


def test_the_assigned_invoice_keeps_the_namespace_it_was_signed_in() -> None:
    bare = dte().replace("<DTE>", '<DTE xmlns="">')
    assert one(aec(document=bare)).number == "25568"


@pytest.mark.parametrize(
    ("record", "kind", "element"),
    [
        (aec(cession(sequence="2")), BadValue, "SeqCesion"),
        (aec(cession(), cession()), BadValue, "SeqCesion"),
        (aec(cession(folio="1")), AmbiguousElement, "IdDTE"),
        (aec(cession(total="1")), AmbiguousElement, "MntTotal"),
        (aec(cession(amount="0")), BadValue, "MontoCesion"),
        (aec(cession(amount="230993")), BadValue, "MontoCesion"),
        (aec(cession(concluded="2026-04-04")), BadValue, "TmstCesion"),
        (aec(cession(concluded="2026-04-04T25:00:00")), BadValue, "TmstCesion"),
        (aec("<x/>"), MissingElement, "Cesion/DocumentoCesion"),
    ],
)
def test_records_that_contradict_themselves_are_refused(record: bytes, kind: type, element: str) -> None:
    assert error_of(record, kind).element.endswith(element)
