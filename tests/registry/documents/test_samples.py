"""The sample invoices that the demo uses come out as their README says."""

from __future__ import annotations

import re
from pathlib import Path

from registry.documents import (
    Adjustment,
    Assigned,
    BrokenDocument,
    Disposition,
    DocumentError,
    NoticeCode,
    Receivable,
    Refusal,
    RefusalReason,
    SignalKind,
    read_each,
    receivable_of,
)

SAMPLES = Path(__file__).resolve().parents[3] / "scripts" / "samples"
FILES = sorted(path for path in SAMPLES.iterdir() if path.suffix != ".md")
README = (SAMPLES / "README.md").read_text(encoding="utf-8")


def outcomes(name: str) -> list[Disposition | DocumentError]:
    readings = read_each(name, (SAMPLES / name).read_bytes())
    return [reading if isinstance(reading, DocumentError) else receivable_of(reading) for reading in readings]


def test_every_sample_is_listed_with_the_amounts_that_come_out() -> None:
    rows = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", README, flags=re.MULTILINE))
    assert sorted(rows) == [path.name for path in FILES]
    for name, text in rows.items():
        for outcome in outcomes(name):
            if isinstance(outcome, Receivable | Adjustment | Assigned):
                currency, amount = outcome.amount.currency, outcome.amount.text
                units, point, decimals = amount.partition(".")
                assert f"{currency} {int(units):,}{point}{decimals}" in text, name


def test_the_count_of_outcomes() -> None:
    found = [outcome for path in FILES for outcome in outcomes(path.name)]
    assert sum(isinstance(outcome, Receivable) for outcome in found) == 30
    assert sum(isinstance(outcome, Adjustment) for outcome in found) == 4
    assert sum(isinstance(outcome, Assigned) for outcome in found) == 1
    assert sum(isinstance(outcome, Refusal) for outcome in found) == 3
    assert [type(outcome) for outcome in found if isinstance(outcome, DocumentError)] == [BrokenDocument]
    assert {o.amount.currency for o in found if isinstance(o, Receivable)} >= {
        "USD",
        "EUR",
        "JPY",
        "KWD",
        "SGD",
        "CNY",
        "BRL",
    }


NATIONAL = {"CN": "uscc", "BR": "tax", "IT": "vat", "PL": "vat", "DE": "vat", "FI": "vat", "CL": "tax"}


def test_every_financeable_sample_names_both_parties_by_a_valid_number_and_chinese_sellers_by_uscc() -> None:
    """By LEI across borders; the national syntaxes have room for national numbers only."""
    for path in FILES:
        for outcome in outcomes(path.name):
            if not isinstance(outcome, Receivable):
                continue
            seller, buyer = outcome.invoice.seller, outcome.invoice.buyer
            for party in (seller, buyer):
                assert party.country is not None
                lei = party.identifier("lei")
                assert lei or party.identifier(NATIONAL[party.country]), path.name
                assert lei is None or len(lei) == 20
                assert lei or path.name >= "25"
            assert seller.country != "CN" or seller.identifier("uscc")
            wrong = [notice.text for notice in outcome.warnings if notice.code is NoticeCode.BAD_IDENTIFIER]
            assert all("vat:DE298765431" in text for text in wrong)


def test_the_payee_sample_is_flagged_and_the_prepaid_one_refused() -> None:
    (assigned,) = outcomes("10-by26-0504-eur-nl-payee.xml")
    assert isinstance(assigned, Receivable)
    assert assigned.possibly_assigned
    (prepaid,) = outcomes("11-by26-0507-eur-nl-prepaid.xml")
    assert isinstance(prepaid, Refusal)
    assert prepaid.reason is RefusalReason.NOT_POSITIVE


def test_credit_notes_name_invoices_that_are_among_the_samples() -> None:
    found = [outcome for path in FILES for outcome in outcomes(path.name)]
    numbers = {outcome.invoice.number for outcome in found if isinstance(outcome, Receivable)}
    adjusted = {ref.number for outcome in found if isinstance(outcome, Adjustment) for ref in outcome.adjusts}
    assert adjusted <= numbers


def test_the_red_sample_takes_from_the_blue_one_by_its_20_digits() -> None:
    (blue,) = outcomes("25-efapiao-26122000000051180031-cny.xml")
    (red,) = outcomes("26-efapiao-26122000000062240117-red.xml")
    assert isinstance(blue, Receivable)
    assert isinstance(red, Adjustment)
    assert [reference.government_id for reference in red.adjusts] == [blue.invoice.government_id]


def test_the_factored_samples_say_who_finances_them() -> None:
    named = {}
    for name in ("30-ksef-fv-2026-05-77-factor-eur.xml", "32-finvoice-260514-factored-eur.xml"):
        (outcome,) = outcomes(name)
        assert isinstance(outcome, Receivable)
        assert outcome.possibly_assigned
        named |= {signal.party.name: signal.kind for signal in outcome.invoice.signals if signal.party is not None}
    assert named == {
        "Warta Faktor S.A. (przykład)": SignalKind.FINANCIER_NAMED,
        "Pohjanlahden Rahoitus Oy": SignalKind.FINANCIER_NAMED,
    }


def test_the_assigned_sample_is_a_claim_and_no_receivable() -> None:
    (outcome,) = outcomes("31-aec-cl-8841-clp.xml")
    assert isinstance(outcome, Assigned)
    assert [claim.assignee.name for claim in outcome.claims] == ["Pacífico Factoring S.A. (ejemplo)"]
