"""The sample invoices that the demo uses come out as their README says."""

from __future__ import annotations

import re
from pathlib import Path

from registry.documents import (
    Adjustment,
    BrokenDocument,
    DocumentError,
    NoticeCode,
    Receivable,
    Refusal,
    RefusalReason,
    read_each,
    receivable_of,
)

SAMPLES = Path(__file__).resolve().parents[3] / "scripts" / "samples"
FILES = sorted(path for path in SAMPLES.iterdir() if path.suffix != ".md")
README = (SAMPLES / "README.md").read_text(encoding="utf-8")


def outcomes(name: str) -> list[Receivable | Adjustment | Refusal | DocumentError]:
    readings = read_each(name, (SAMPLES / name).read_bytes())
    return [reading if isinstance(reading, DocumentError) else receivable_of(reading) for reading in readings]


def test_every_sample_is_listed_with_the_amounts_that_come_out() -> None:
    rows = dict(re.findall(r"^\| `([^`]+)` \| (.+) \|$", README, flags=re.MULTILINE))
    assert sorted(rows) == [path.name for path in FILES]
    for name, text in rows.items():
        for outcome in outcomes(name):
            if isinstance(outcome, Receivable | Adjustment):
                currency, amount = outcome.amount.currency, outcome.amount.text
                units, point, decimals = amount.partition(".")
                assert f"{currency} {int(units):,}{point}{decimals}" in text, name


def test_the_count_of_outcomes() -> None:
    found = [outcome for path in FILES for outcome in outcomes(path.name)]
    assert sum(isinstance(outcome, Receivable) for outcome in found) == 23
    assert sum(isinstance(outcome, Adjustment) for outcome in found) == 3
    assert sum(isinstance(outcome, Refusal) for outcome in found) == 3
    assert [type(outcome) for outcome in found if isinstance(outcome, DocumentError)] == [BrokenDocument]
    assert {o.amount.currency for o in found if isinstance(o, Receivable)} >= {"USD", "EUR", "JPY", "KWD", "SGD", "CNY"}


def test_every_financeable_sample_names_both_parties_by_a_valid_lei_and_chinese_sellers_by_uscc() -> None:
    for path in FILES:
        for outcome in outcomes(path.name):
            if not isinstance(outcome, Receivable):
                continue
            seller, buyer = outcome.invoice.seller, outcome.invoice.buyer
            for party in (seller, buyer):
                lei = party.identifier("lei")
                assert lei is not None
                assert len(lei) == 20
                assert party.country is not None
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
