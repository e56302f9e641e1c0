"""Factoring signals: words of assignment by language, and what must not be taken for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.documents import NoticeCode, Receivable, SignalKind, receivable_of
from registry.documents.signals import NOTE_CHARS_MAX, NOTES_MAX
from tests.registry.documents.builders import cii, ubl
from tests.registry.documents.reading import codes, kinds, one

NOTES = {
    "de": "Die Forderung ist an die Muster GmbH abgetreten. Zahlung mit schuldbefreiender Wirkung nur an diese.",
    "de, without the word": "Wir haben unsere Forderungen im Rahmen einer Zession übertragen.",
    "fi": "Tämä laskusaatava on siirretty Noja Rahoitus Oy:lle",
    "fr": "Créance cédée à BANQUE EXEMPLE dans le cadre des articles L313-23 (loi Dailly)",
    "fr, factor": "Règlement à l'ordre de Exemple Factor, qui le reçoit par subrogation",
    "en": "This invoice has been assigned to Example Finance Ltd., to whom alone payment must be made.",
    "it": "Credito ceduto pro soluto a Banca Esempio",
    "pl": "Wierzytelność z tej faktury została przelana na Bank Przykład",
    "es": "Cesión de crédito a favor de Banco Ejemplo",
    "pt": "Duplicata endossada ao Banco Exemplo",
    "hu": "A követelést a bankra engedményeztük",
    "zh": "本发票项下应收账款已转让给某某商业保理有限公司",
}


def noted(text: str) -> bytes:
    return ubl(body=f"<cbc:Note>{text}</cbc:Note>")


@pytest.mark.parametrize("language", NOTES)
def test_words_of_assignment_are_seen_in_every_language(language: str) -> None:
    invoice = one(noted(NOTES[language]))
    assert kinds(invoice) == [SignalKind.ASSIGNMENT_NOTE]
    (signal,) = invoice.signals
    assert signal.element == "Invoice/Note"
    assert signal.text in NOTES[language]
    assert NoticeCode.POSSIBLY_ASSIGNED in codes(invoice)


@pytest.mark.parametrize(
    "text",
    [
        "Indemnité forfaitaire pour frais de recouvrement : 40 €",
        "Zahlbar innerhalb von 30 Tagen ohne Abzug",
        "Factory acceptance test passed; safety factor 1.5",
        "Tavara on siirretty varastoon",
        "Assigned task: bearing assembly",
        "货物已转让",
        "Preise wegen der Rezession unverändert",
    ],
)
def test_ordinary_words_are_not_taken_for_it(text: str) -> None:
    assert kinds(one(noted(text))) == []


def test_signals_decide_nothing() -> None:
    outcome = receivable_of(one(noted(NOTES["de"])))
    assert isinstance(outcome, Receivable)
    assert outcome.possibly_assigned


def test_a_note_may_stand_anywhere_and_is_quoted_in_short() -> None:
    text = "x" * 500 + " factoring " + "y" * 500
    invoice = one(ubl(body=f"<cac:PaymentTerms><cbc:Note>{text}</cbc:Note></cac:PaymentTerms>"))
    assert [signal.element for signal in invoice.signals] == ["Invoice/PaymentTerms/Note"]
    assert len(invoice.signals[0].text) < 200


def test_a_quote_holds_nothing_that_a_terminal_obeys() -> None:
    (signal,) = one(noted("factoring&#x9b;31m \u202egnirotcaf")).signals
    assert signal.text.isprintable()
    assert signal.text.startswith("factoring\N{REPLACEMENT CHARACTER}31m")


def test_the_number_of_notes_is_bounded_and_so_is_what_is_looked_at() -> None:
    assert len(one(ubl(body="<cbc:Note>factoring</cbc:Note>" * 50)).signals) == NOTES_MAX
    assert one(noted("x" * NOTE_CHARS_MAX + "factoring")).signals == ()


def test_a_payee_in_the_role_of_a_factor() -> None:
    payee = "<ram:PayeeTradeParty><ram:Name>Exemple SA</ram:Name><ram:RoleCode>{}</ram:RoleCode></ram:PayeeTradeParty>"
    invoice = one(cii(settlement=payee.format("DL")))
    assert kinds(invoice) == [SignalKind.FINANCIER_NAMED, SignalKind.ANOTHER_PAYEE]
    assert invoice.signals[0].party == invoice.payee
    assert kinds(one(cii(settlement=payee.format("PE")))) == [SignalKind.ANOTHER_PAYEE]


def test_a_factored_type() -> None:
    assert kinds(one(ubl(type_code="393"))) == [SignalKind.FACTORED_TYPE]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200), st.sampled_from(sorted(NOTES)))
def test_what_stands_around_a_note_does_not_hide_it(around: str, language: str) -> None:
    escaped = around.replace("&", "&amp;").replace("<", "&lt;").replace("\ufffe", "").replace("\uffff", "")
    assert SignalKind.ASSIGNMENT_NOTE in kinds(one(noted(f"{escaped} {NOTES[language]} {escaped}")))
