"""Italy: several invoices in one file, instalments that must add up, a payee beside the seller."""

from __future__ import annotations

import datetime

import pytest

from registry.documents import (
    Adjustment,
    AmbiguousElement,
    DocumentError,
    Invoice,
    InvoiceReference,
    MissingElement,
    NoticeCode,
    Receivable,
    Refusal,
    RefusalReason,
    SignalKind,
    read,
    read_each,
    receivable_of,
)
from registry.money import Money
from tests.registry.documents.national import body, fatturapa, payment
from tests.registry.documents.reading import codes, error_of, kinds, one


def split(*bodies: str) -> bytes:
    """Under split payment: the buyer pays the VAT to the State."""
    return fatturapa(*bodies).replace(b"</Imposta>", b"</Imposta><EsigibilitaIVA>S</EsigibilitaIVA>")


LINKED = "<DatiFattureCollegate><IdDocumento>11</IdDocumento><Data>2026-04-01</Data></DatiFattureCollegate>"


def test_an_invoice_is_a_receivable_of_what_is_to_be_paid() -> None:
    invoice = one(fatturapa())
    outcome = receivable_of(invoice)
    assert isinstance(outcome, Receivable)
    assert outcome.amount == Money("EUR", 3_050)
    assert (invoice.number, invoice.due_date, invoice.container) == ("12", datetime.date(2026, 6, 30), "")
    assert invoice.seller.identifier("vat") == "IT00743110157"
    assert invoice.buyer.name == "Mario Rossi"
    assert invoice.gross == Money("EUR", 3_050), "a total that is left out is what the tax summary adds up to"


def test_several_invoices_in_one_file_share_the_parties() -> None:
    first, second, third = read("f.xml", fatturapa(body(), body(number="13"), body(number="14")))
    assert [invoice.number for invoice in (first, second, third)] == ["12", "13", "14"]
    assert [invoice.container for invoice in (first, second, third)] == ["body 1", "body 2", "body 3"]
    assert first.seller == second.seller == third.seller
    assert first.digest == second.digest, "the digest is the file's"


def test_a_note_of_one_invoice_is_not_the_others() -> None:
    note = "<DatiContratto><CodiceCIG>cessione del credito</CodiceCIG></DatiContratto>"
    plain, noted = read("f.xml", fatturapa(body(), body(number="13", general=note)))
    assert (kinds(plain), kinds(noted)) == ([], [SignalKind.ASSIGNMENT_NOTE])
    both = read("f.xml", fatturapa(body(), body(), header="<x>credito ceduto a Factor SpA</x>"))
    assert all(SignalKind.ASSIGNMENT_NOTE in kinds(invoice) for invoice in both)


def test_instalments_add_up_and_are_all_due_by_the_last() -> None:
    payments = payment("10.00", "2026-06-30") + payment("15.00", "2026-08-31")
    invoice = one(fatturapa(body(payments=payments)))
    assert (invoice.payable, invoice.due_date) == (Money("EUR", 2_500), datetime.date(2026, 8, 31))
    assert {NoticeCode.SEVERAL_DUE_DATES, NoticeCode.PAYABLE_DIFFERS} <= codes(invoice)


def test_payments_beyond_the_total_are_refused() -> None:
    alternatives = payment("30.50") + payment("30.50")
    error = error_of(fatturapa(body(payments=alternatives)), AmbiguousElement)
    assert "61.00" in error.reason
    assert "30.50" in error.reason
    stated = "<ImportoTotaleDocumento>61.00</ImportoTotaleDocumento>"
    assert one(fatturapa(body(payments=alternatives, total=stated))).payable == Money("EUR", 6_100)


def test_without_payment_terms_the_total_is_owed() -> None:
    invoice = one(fatturapa(body(payments="")))
    assert NoticeCode.PAYABLE_NOT_STATED in codes(invoice)
    outcome = receivable_of(invoice)
    assert isinstance(outcome, Receivable)
    assert outcome.amount == Money("EUR", 3_050)


@pytest.mark.parametrize("payments", ["", payment("25.00"), payment("30.50"), payment("10.00") + payment("20.50")])
def test_the_tax_that_a_public_buyer_pays_to_the_state_never_reaches_the_seller(payments: str) -> None:
    invoice = one(split(body(payments=payments)))
    outcome = receivable_of(invoice)
    assert isinstance(outcome, Receivable)
    assert (outcome.amount, invoice.gross) == (Money("EUR", 2_500), Money("EUR", 3_050))
    assert NoticeCode.PAYABLE_DIFFERS in codes(invoice)


@pytest.mark.parametrize("when", ["I", "D"])
def test_tax_due_at_once_or_later_is_paid_to_the_seller(when: str) -> None:
    text = fatturapa().replace(b"</Imposta>", f"</Imposta><EsigibilitaIVA>{when}</EsigibilitaIVA>".encode())
    assert one(text).payable == Money("EUR", 3_050)


def test_less_than_what_is_left_without_the_tax_is_what_is_asked_for() -> None:
    assert one(split(body(payments=payment("20.00")))).payable == Money("EUR", 2_000), "a withheld tax, say"


def test_a_credit_note_adjusts_the_invoice_that_it_is_linked_to() -> None:
    outcome = receivable_of(one(fatturapa(body(kind="TD04", general=LINKED))))
    assert isinstance(outcome, Adjustment)
    assert outcome.adjusts == (InvoiceReference("11", datetime.date(2026, 4, 1)),)
    assert outcome.amount == Money("EUR", 3_050)


def test_two_credit_notes_in_one_file_are_two_documents() -> None:
    bodies = [body(number=number, kind="TD04", general=LINKED) for number in ("13", "14")]
    both = [receivable_of(note) for note in read("f.xml", fatturapa(*bodies))]
    alone = receivable_of(one(fatturapa(bodies[0])))
    assert len({note.document for note in both if isinstance(note, Adjustment)}) == 2
    assert isinstance(alone, Adjustment)
    assert alone.document == alone.invoice.digest


@pytest.mark.parametrize("total", ["", "30.50", "25.00"])
@pytest.mark.parametrize("payments", ["", payment("30.50"), payment("10.00")])
def test_a_credit_note_takes_no_tax_from_a_receivable_that_never_had_it(total: str, payments: str) -> None:
    """Whatever of it is paid out, and whether its total is stated with the tax or, as some do, without."""
    stated = f"<ImportoTotaleDocumento>{total}</ImportoTotaleDocumento>" if total else ""
    note = one(split(body(kind="TD04", general=LINKED, payments=payments, total=stated)))
    outcome = receivable_of(note)
    assert isinstance(outcome, Adjustment)
    assert (outcome.amount, note.gross) == (Money("EUR", 2_500), Money("EUR", 3_050))
    sold = receivable_of(one(split(body(total=stated))))
    assert isinstance(sold, Receivable)
    assert sold.amount == outcome.amount, "a credit note over the whole takes the whole and no more"


def test_only_the_tax_of_the_groups_under_split_payment_stays_away() -> None:
    other = "<DatiRiepilogo><ImponibileImporto>10.00</ImponibileImporto><Imposta>1.00</Imposta></DatiRiepilogo>"
    text = split(body(kind="TD04", general=LINKED, payments="")).replace(
        b"</DatiBeniServizi>", f"{other}</DatiBeniServizi>".encode()
    )
    outcome = receivable_of(one(text))
    assert isinstance(outcome, Adjustment)
    assert outcome.amount == Money("EUR", 2_500 + 1_100)


def test_instalments_with_the_tax_in_them_are_paid_without_it() -> None:
    """Each in proportion, to the cent: the tax falls due with each payment (DM 23 January 2015, art. 3)."""
    stated = payment("10.00", "2026-06-30") + payment("10.25", "2026-07-31") + payment("10.25", "2026-08-31")
    invoice = one(split(body(payments=stated)))
    assert [part.amount.minor for part in invoice.instalments] == [819, 840, 841]
    assert (
        invoice.payable == Money("EUR", 2_500) == Money("EUR", sum(part.amount.minor for part in invoice.instalments))
    )
    assert [part.due_date.month for part in invoice.instalments] == [6, 7, 8]


def test_a_total_of_nothing_is_divided_among_nobody() -> None:
    nothing = body(payments=payment("1.00", "2026-06-30") + payment("-1.00", "2026-07-31"))
    text = split(nothing).replace(b"<ImponibileImporto>25.00", b"<ImponibileImporto>-5.50")
    invoice = one(text)
    assert [part.amount.minor for part in invoice.instalments] == [100, -100]
    assert isinstance(receivable_of(invoice), Refusal)


@pytest.mark.parametrize("amounts", [("10.00", "15.00"), ("10.00", "18.00"), ("5.00", "10.00")])
def test_instalments_that_are_not_the_whole_total_stay_as_stated(amounts: tuple[str, str]) -> None:
    """Without the tax already, or of who knows what: then they are no parts of the payable, and none is made up."""
    stated = payment(amounts[0], "2026-06-30") + payment(amounts[1], "2026-07-31")
    assert [str(part.amount) for part in one(split(body(payments=stated))).instalments] == [
        f"EUR {each}" for each in amounts
    ]


@pytest.mark.parametrize("kind", ["TD16", "TD17", "TD27"])
def test_what_a_buyer_writes_to_itself_for_the_tax_office_is_no_demand(kind: str) -> None:
    outcome = receivable_of(one(fatturapa(body(kind=kind))))
    assert isinstance(outcome, Refusal)
    assert outcome.reason is RefusalReason.NOT_A_DEMAND


def test_a_payee_beside_the_seller_is_a_signal() -> None:
    one_payee = one(fatturapa(body(payments=payment("30.50", payee="Factor SpA"))))
    assert one_payee.payee is not None
    assert SignalKind.ANOTHER_PAYEE in kinds(one_payee)
    two = one(fatturapa(body(payments=payment("10.00", payee="Banca Uno") + payment("20.50", payee="Banca Due"))))
    assert two.payee is None
    assert [signal.party.name for signal in two.signals if signal.party] == ["Banca Uno", "Banca Due"]
    assert kinds(one(fatturapa(body(payments=payment("30.50", payee="Alpha Srl"))))) == []


def test_one_bad_invoice_refuses_the_file_and_is_named() -> None:
    error = error_of(fatturapa(body(), body(number=" ")), MissingElement)
    assert error.element == "FatturaElettronica/FatturaElettronicaBody/DatiGenerali/DatiGeneraliDocumento/Numero"
    readings = list(read_each("f.xml", fatturapa(body(), body(number=" "))))
    assert [type(reading) for reading in readings] == [MissingElement]
    assert not any(isinstance(reading, Invoice) for reading in readings)
    assert isinstance(readings[0], DocumentError)
    empty = fatturapa(body()).replace(body().encode(), b"")
    assert error_of(empty, MissingElement).element == "FatturaElettronica/FatturaElettronicaBody"
