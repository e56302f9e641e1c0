"""Brazil: the access key is the government's id, duplicatas are instalments, returns are credit notes."""

from __future__ import annotations

import datetime

import pytest

from registry.documents import (
    Adjustment,
    AmbiguousElement,
    BadValue,
    GovernmentId,
    Instalment,
    InvoiceReference,
    Kind,
    MissingElement,
    NoticeCode,
    Receivable,
    SignalKind,
    UnsupportedSyntax,
    receivable_of,
)
from registry.money import Money
from tests.registry.documents.national import KEY, NFE_NS, nfe
from tests.registry.documents.reading import codes, error_of, kinds, one

ORIGINAL = "35260512345678000195550010000009871000098765"
NAMES_ORIGINAL = f"<NFref><refNFe>{ORIGINAL}</refNFe></NFref>"


def test_an_nfe_is_a_receivable_known_by_its_access_key() -> None:
    invoice = one(nfe())
    outcome = receivable_of(invoice)
    assert isinstance(outcome, Receivable)
    assert outcome.amount == Money("BRL", 578_000)
    assert invoice.government_id == GovernmentId("BR", KEY)
    assert (invoice.number, invoice.issue_date) == ("1234", datetime.date(2026, 5, 4))
    assert invoice.seller.identifier("tax") == "BR12345678000195"
    assert (invoice.seller.country, invoice.buyer.country) == ("BR", "BR")


def test_the_bare_document_without_protocol_is_the_same() -> None:
    text = nfe().decode()
    inner = text[text.index("<NFe>") : text.index("</nfeProc>")].replace("<NFe>", f'<NFe xmlns="{NFE_NS}">')
    bare, whole = one(inner), one(nfe())
    assert (bare.number, bare.payable, bare.government_id) == (whole.number, whole.payable, whole.government_id)


def test_duplicatas_are_due_one_after_the_other() -> None:
    bill = "<fat><vLiq>5700.00</vLiq></fat>" + "".join(
        f"<dup><dVenc>{day}</dVenc><vDup>2850.00</vDup></dup>" for day in ("2026-07-04", "2026-06-04")
    )
    invoice = one(nfe(bill=bill))
    days = (datetime.date(2026, 7, 4), datetime.date(2026, 6, 4))
    half = Money("BRL", 285_000)
    assert invoice.instalments == (Instalment("1", days[0], half), Instalment("2", days[1], half))
    assert one(nfe(bill="<dup><dVenc>2026-07-04</dVenc></dup>" * 2)).instalments == (), "no amounts"
    assert one(nfe(bill="<dup><dVenc>2026-07-04</dVenc><vDup>1</vDup></dup>")).instalments == (), "the whole"
    assert invoice.due_date == datetime.date(2026, 6, 4)
    assert invoice.payable == Money("BRL", 570_000), "what the bill asks for, not the total"
    assert invoice.gross == Money("BRL", 578_000)
    assert {NoticeCode.SEVERAL_DUE_DATES, NoticeCode.PAYABLE_DIFFERS} <= codes(invoice)
    error_of(nfe(bill="<fat><vLiq>5780.01</vLiq></fat>"), AmbiguousElement)


@pytest.mark.parametrize(
    ("direction", "purpose", "kind", "seller"),
    [
        ("1", "1", Kind.INVOICE, "Vendedora Ltda"),
        ("1", "2", Kind.INVOICE, "Vendedora Ltda"),  # asks for what was left out of another
        ("0", "1", Kind.INVOICE, "Compradora SA"),  # the emitter buys, from a farmer say
        ("0", "4", Kind.CREDIT_NOTE, "Vendedora Ltda"),  # the goods that it sold come back
        ("1", "4", Kind.CREDIT_NOTE, "Compradora SA"),  # it sends back what it bought
    ],
)
def test_direction_and_purpose_say_who_sells(direction: str, purpose: str, kind: Kind, seller: str) -> None:
    ide = f"<tpNF>{direction}</tpNF><finNFe>{purpose}</finNFe>{NAMES_ORIGINAL}"
    invoice = one(nfe(ide=ide))
    assert (invoice.kind, invoice.seller.name) == (kind, seller)
    assert {invoice.seller.name, invoice.buyer.name} == {"Vendedora Ltda", "Compradora SA"}


def test_a_return_adjusts_the_nfe_whose_key_it_names() -> None:
    outcome = receivable_of(one(nfe(ide=f"<tpNF>0</tpNF><finNFe>4</finNFe>{NAMES_ORIGINAL}")))
    assert isinstance(outcome, Adjustment)
    assert outcome.adjusts == (InvoiceReference("987", None, GovernmentId("BR", ORIGINAL)),)
    assert outcome.amount == Money("BRL", 578_000)


@pytest.mark.parametrize("direction", ["0", "1"])
@pytest.mark.parametrize("sort", ["03", "04", "06"])  # refused on delivery, reduced, refused in part
def test_a_note_of_credit_takes_from_what_is_owed_to_its_emitter(sort: str, direction: str) -> None:
    ide = f"<tpNF>{direction}</tpNF><finNFe>5</finNFe><tpNFCredito>{sort}</tpNFCredito>{NAMES_ORIGINAL}"
    outcome = receivable_of(one(nfe(ide=ide)))
    assert isinstance(outcome, Adjustment)
    assert outcome.invoice.seller.name == "Vendedora Ltda"
    assert outcome.adjusts == (InvoiceReference("987", None, GovernmentId("BR", ORIGINAL)),)


@pytest.mark.parametrize(
    "purpose",
    [
        "<finNFe>3</finNFe>",
        "<finNFe>6</finNFe><tpNFDebito>06</tpNFDebito>",
        *(f"<finNFe>5</finNFe><tpNFCredito>{sort}</tpNFCredito>" for sort in ("01", "02", "05", "07")),
        "<finNFe>5</finNFe>",
        "<finNFe>7</finNFe>",
        "<finNFe>x</finNFe>",
    ],
)
def test_what_settles_taxes_only_and_what_is_unknown_is_no_receivable(purpose: str) -> None:
    error_of(nfe(ide=f"<tpNF>1</tpNF>{purpose}{NAMES_ORIGINAL}"), UnsupportedSyntax)


def test_what_is_no_demand_or_no_authorised_document() -> None:
    error = error_of(nfe(ide="<tpNF>1</tpNF><finNFe>3</finNFe>"), UnsupportedSyntax)
    assert error.element == "nfeProc/NFe/infNFe/ide/finNFe"
    denied = (
        f"<protNFe><infProt><chNFe>{KEY}</chNFe><cStat>302</cStat><xMotivo>Uso Denegado</xMotivo></infProt></protNFe>"
    )
    assert NoticeCode.NOT_AUTHORISED in codes(one(nfe(protocol=denied)))
    assert NoticeCode.NOT_AUTHORISED not in codes(one(nfe(protocol=denied.replace("302", "100"))))
    assert NoticeCode.TEST_DOCUMENT in codes(one(nfe(ide="<tpNF>1</tpNF><finNFe>1</finNFe><tpAmb>2</tpAmb>")))


def test_keys_that_are_none_or_another_ones() -> None:
    error_of(nfe(key=KEY[:-1]), BadValue)
    error_of(nfe(ide="<tpNF>1</tpNF><finNFe>1</finNFe><NFref><refNFe>12</refNFe></NFref>"), BadValue)
    other = f"<protNFe><infProt><chNFe>{ORIGINAL}</chNFe><cStat>100</cStat></infProt></protNFe>"
    assert error_of(nfe(protocol=other), AmbiguousElement).element == "nfeProc/protNFe/infProt/chNFe"
    error_of(nfe(ide="<tpNF>1</tpNF>"), MissingElement)


def test_a_buyer_abroad_has_a_country_that_the_caller_must_name() -> None:
    dest = "<idEstrangeiro>371780142</idEstrangeiro><xNome>Jung USA</xNome><enderDest><UF>EX</UF><cPais>2496</cPais>"
    invoice = one(nfe(dest=f"{dest}<xPais>Estados Unidos</xPais></enderDest>"))
    assert invoice.buyer.country is None
    assert NoticeCode.UNKNOWN_COUNTRY in codes(invoice)


def test_a_note_of_assignment_in_the_additional_information() -> None:
    note = "<infAdic><infCpl>Crédito cedido ao FIDC Exemplo, pagar somente na conta indicada</infCpl></infAdic>"
    assert kinds(one(nfe(body=note))) == [SignalKind.ASSIGNMENT_NOTE]
    assert one(nfe(body=note)).signals[0].element == "nfeProc/NFe/infNFe/infAdic/infCpl"


def test_orders_stand_in_the_header_or_with_the_goods() -> None:
    goods = "".join(f"<det><prod><xPed>PO-{n}</xPed></prod></det>" for n in (1, 2))
    orders = f"{goods}<compra><xPed>PO-1</xPed></compra>"
    assert one(nfe(body=orders)).order_references == ("PO-1", "PO-2")
