"""Poland: factors and their accounts are signals, corrections carry signs, KSeF's number comes with the file's name."""

from __future__ import annotations

import datetime

import pytest

from registry.documents import (
    Adjustment,
    BadValue,
    GovernmentId,
    Invoice,
    InvoiceReference,
    Kind,
    MissingElement,
    NoticeCode,
    Receivable,
    Refusal,
    RefusalReason,
    SignalKind,
    UnsupportedSyntax,
    receivable_of,
)
from registry.money import Money
from tests.registry.documents.national import fa
from tests.registry.documents.reading import codes, error_of, kinds, one

KSEF = "5265877635-20250826-0100001AF629-AF"  # the example of KSeF's own documentation
CORRECTED = (
    "<DaneFaKorygowanej><DataWystFaKorygowanej>2026-01-15</DataWystFaKorygowanej><NrFaKorygowanej>FV/2026/01/3"
    f"</NrFaKorygowanej><NrKSeF>1</NrKSeF><NrKSeFFaKorygowanej>{KSEF}</NrKSeFFaKorygowanej></DaneFaKorygowanej>"
)


@pytest.mark.parametrize("version", ["2021/11/29/11089", "2023/06/29/12648", "2025/06/25/13775"])
def test_every_version_of_the_form(version: str) -> None:
    payment = "<Platnosc><TerminPlatnosci><Termin>2026-03-15</Termin></TerminPlatnosci></Platnosc>"
    invoice = one(fa(namespace=f"http://crd.gov.pl/wzor/{version}/", body=payment))
    outcome = receivable_of(invoice)
    assert isinstance(outcome, Receivable)
    assert outcome.amount == Money("PLN", 123_000)
    assert (invoice.number, invoice.due_date) == ("FV/2026/02/7", datetime.date(2026, 3, 15))
    assert invoice.seller.identifier("vat") == "PL5265877635"
    assert (invoice.buyer.identifier("vat"), invoice.buyer.country) == ("DE136695976", "DE")
    assert invoice.warnings == ()


def test_other_forms_of_the_same_office_are_refused() -> None:
    error_of(fa(namespace="http://crd.gov.pl/wzor/2029/01/01/1/"), UnsupportedSyntax)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (f"{KSEF}.xml", True),
        (f"inbox/2026\\{KSEF}.xml", True),
        (f"{KSEF[:-1]}0.xml", False),  # wrong check characters
        ("1111111111-20250826-0100001AF629-97.xml", False),  # another seller's
        ("invoice.xml", False),
        (KSEF, False),
    ],
)
def test_the_number_that_ksef_gave_comes_with_the_name_of_the_file(name: str, found: bool) -> None:
    assert one(fa(), name).government_id == (GovernmentId("PL", KSEF) if found else None)


def test_a_third_party_in_the_role_of_a_factor() -> None:
    third = (
        "<Podmiot3><DaneIdentyfikacyjne><NIP>6808208874</NIP><Nazwa>Faktor Polska S.A.</Nazwa></DaneIdentyfikacyjne>"
        "<Rola>{}</Rola></Podmiot3>"
    )
    invoice = one(fa(third=third.format("1") + third.format("8")))
    named = [signal for signal in invoice.signals if signal.kind is SignalKind.FINANCIER_NAMED]
    (signal,) = named
    assert signal.element == "Faktura/Podmiot3"
    assert signal.party is not None
    assert (signal.party.name, signal.party.identifier("vat")) == ("Faktor Polska S.A.", "PL6808208874")
    assert SignalKind.FINANCIER_NAMED not in kinds(one(fa(third=third.format("8"))))


def test_the_account_of_a_factor() -> None:
    account = (
        "<Platnosc><RachunekBankowyFaktora><NrRB>73111111111111111111111111</NrRB></RachunekBankowyFaktora></Platnosc>"
    )
    invoice = one(fa(body=account))
    assert kinds(invoice) == [SignalKind.FACTOR_ACCOUNT]
    assert "7311" not in invoice.signals[0].text, "an account number has no business in a log"
    assert kinds(one(fa(body=account.replace("BankowyFaktora", "Bankowy")))) == []


def test_a_correction_downwards_is_a_credit_note() -> None:
    outcome = receivable_of(one(fa(kind="KOR", total="-230.00", body=CORRECTED)))
    assert isinstance(outcome, Adjustment)
    assert outcome.amount == Money("PLN", 23_000)
    issued = datetime.date(2026, 1, 15)
    assert outcome.adjusts == (InvoiceReference("FV/2026/01/3", issued, GovernmentId("PL", KSEF)),)


def test_a_correction_upwards_is_a_debt_that_names_another() -> None:
    invoice = one(fa(kind="KOR", total="230.00", body=CORRECTED))
    assert invoice.kind is Kind.INVOICE
    assert NoticeCode.CORRECTS_ANOTHER in codes(invoice)


def amount_of(invoice: Invoice) -> Money:
    outcome = receivable_of(invoice)
    assert isinstance(outcome, Receivable)
    return outcome.amount


def test_paid_or_settled_against_others_is_a_warning() -> None:
    assert NoticeCode.MARKED_AS_PAID in codes(one(fa(body="<Platnosc><Zaplacono>1</Zaplacono></Platnosc>")))
    settled = one(fa(body="<Rozliczenie><DoZaplaty>1000.00</DoZaplaty></Rozliczenie>"))
    assert NoticeCode.PAYABLE_DIFFERS in codes(settled)
    assert (settled.payable, amount_of(settled)) == (Money("PLN", 123_000), Money("PLN", 100_000))
    charged = one(fa(body="<Rozliczenie><DoZaplaty>1300.00</DoZaplaty></Rozliczenie>"))
    assert amount_of(charged) == Money("PLN", 123_000), "interest of another debt is no part of this one"
    overpaid = receivable_of(one(fa(body="<Rozliczenie><DoRozliczenia>10.00</DoRozliczenia></Rozliczenie>")))
    assert isinstance(overpaid, Refusal)
    assert overpaid.reason is RefusalReason.NOT_POSITIVE
    same = one(fa(body="<Rozliczenie><DoZaplaty>1230.00</DoZaplaty></Rozliczenie>"))
    assert NoticeCode.PAYABLE_DIFFERS not in codes(same)


def paid_in_part(marker: str, *amounts: str) -> str:
    payments = "".join(
        f"<ZaplataCzesciowa><KwotaZaplatyCzesciowej>{amount}</KwotaZaplatyCzesciowej>"
        "<DataZaplatyCzesciowej>2026-02-12</DataZaplatyCzesciowej></ZaplataCzesciowa>"
        for amount in amounts
    )
    return f"<Platnosc><ZnacznikZaplatyCzesciowej>{marker}</ZnacznikZaplatyCzesciowej>{payments}</Platnosc>"


def test_what_was_paid_in_part_is_not_paid_again() -> None:
    invoice = one(fa(body=paid_in_part("1", "400.00", "30.00")))
    assert (invoice.gross, invoice.prepaid) == (Money("PLN", 123_000), Money("PLN", 43_000))
    assert amount_of(invoice) == Money("PLN", 80_000)
    assert NoticeCode.PAYABLE_DIFFERS in codes(invoice)
    assert NoticeCode.MARKED_AS_PAID not in codes(invoice)


def test_what_was_paid_in_part_under_the_first_form() -> None:
    payment = "<PlatnosciCzesciowe><KwotaZaplatyCzesciowej>400</KwotaZaplatyCzesciowej></PlatnosciCzesciowe>"
    body = f"<Platnosc><ZaplataCzesciowa>1</ZaplataCzesciowa>{payment}</Platnosc>"
    assert amount_of(one(fa(namespace="http://crd.gov.pl/wzor/2021/11/29/11089/", body=body))) == Money("PLN", 83_000)


def test_paid_in_full_by_parts_is_paid() -> None:
    paid = one(fa(body=paid_in_part("2", "1000.00", "230.00")))
    assert NoticeCode.MARKED_AS_PAID in codes(paid)
    outcome = receivable_of(paid)
    assert isinstance(outcome, Refusal)
    assert outcome.reason is RefusalReason.NOT_POSITIVE
    assert NoticeCode.MARKED_AS_PAID in codes(one(fa(body=paid_in_part("2"))))


def test_a_part_payment_settled_with_other_balances_is_not_taken_off_twice() -> None:
    settled = "<Rozliczenie><DoZaplaty>830.00</DoZaplaty></Rozliczenie>"
    assert amount_of(one(fa(body=settled + paid_in_part("1", "400.00")))) == Money("PLN", 83_000)


def test_errors_name_the_element() -> None:
    assert error_of(fa(currency="PLX"), BadValue).element == "Faktura/Fa/KodWaluty"
    assert error_of(fa(total="1.230,00"), BadValue).element == "Faktura/Fa/P_15"
    assert error_of(fa(kind=" "), MissingElement).element == "Faktura/Fa/RodzajFaktury"
