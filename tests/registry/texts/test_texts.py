"""The standard texts: whole in both languages, one spelling of every value, and digests that never change unseen."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import FieldError
from registry.money import WHOLE
from registry.texts import (
    LANGUAGES,
    BadParameter,
    MissingParameter,
    UnknownParameter,
    UnknownText,
    digest_of_rendered,
    parse_text,
    render,
    standard_text,
    text_digest,
    text_ids,
)
from tests.registry.texts.samples import DEBTOR, sample

VECTORS = Path(__file__).parents[1] / "vectors" / "texts.json"
EVERY = [(text_id, language) for text_id in text_ids() for language in LANGUAGES]
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def changed(text_id: str, **values: str) -> str:
    return render(text_id, "en", sample(text_id) | values)


def test_the_catalogue_has_every_text_of_the_business() -> None:
    assert text_ids() == (
        "acknowledgement-of-notice",
        "borrowing-base-certificate",
        "debtor-confirmation-part",
        "debtor-confirmation-part-waiver",
        "debtor-confirmation-whole",
        "debtor-confirmation-whole-waiver",
        "dispute-accepted",
        "dispute-notice",
        "dispute-rejected",
        "dispute-withdrawal",
        "notice-of-assignment",
        "notice-of-assignment-two-factor",
        "reassignment-letter",
        "release-letter",
    )


@pytest.mark.parametrize(("text_id", "language"), EVERY)
def test_every_text_renders_and_says_all_it_was_given(text_id: str, language: str) -> None:
    rendered = render(text_id, language, sample(text_id))
    assert "{" not in rendered
    assert rendered.startswith(standard_text(text_id).titles[language] + "\n\n")
    assert rendered.endswith(f"\n\n[{text_id}, version 1, {language}]\n")
    plain = [name for name, kind in standard_text(text_id).parameters.items() if kind in ("text", "id", "token")]
    assert [name for name in plain if sample(text_id)[name] not in rendered] == []
    assert bool(CHINESE.search(rendered)) == (language == "zh")


@pytest.mark.parametrize("text_id", text_ids())
def test_both_languages_have_the_same_paragraphs(text_id: str) -> None:
    bodies = standard_text(text_id).bodies
    english = re.findall(r"^([0-9]+)\. ", bodies["en"], re.MULTILINE)
    chinese = re.findall(r"^([一二三四五六七八九十]+)、", bodies["zh"], re.MULTILINE)
    assert english == [str(number) for number in range(1, len(english) + 1)]
    assert chinese == list("一二三四五六七八九"[: len(english)])


def test_a_notice_reads_as_an_importer_sees_it() -> None:
    english = render("notice-of-assignment", "en", sample("notice-of-assignment"))
    assert f"To: {DEBTOR} (the Debtor)" in english
    assert (
        "invoice TJ-2026-00417, issued on 2 May 2026, in the amount of USD 100,000.00, due on 31 July 2026" in english
    )
    assert "the Seller has assigned 80% of the Receivable, that is USD 80,000.00 (the Assigned Part)" in english
    chinese = render("notice-of-assignment", "zh", sample("notice-of-assignment"))
    assert "第TJ-2026-00417号发票，开具日期为2026年5月2日，金额为USD 100,000.00，到期日为2026年7月31日" in chinese
    assert "债权人已将标的应收账款的80%，即USD 80,000.00（下称“已转让部分”）" in chinese


GRIF_27 = ["refusal", "defence", "counterclaim", "set_off", "third_party_claim"]
FALSE_REGISTRATION = ["not_my_invoice", "squatting", "no_such_debt"]


@pytest.mark.parametrize("ground", [*GRIF_27, *FALSE_REGISTRATION])
def test_a_dispute_names_each_ground_of_grif_27_and_of_a_false_registration(ground: str) -> None:
    words = standard_text("dispute-notice").choices["ground"][ground]
    for language in LANGUAGES:
        assert words[language] in render("dispute-notice", language, sample("dispute-notice") | {"ground": ground})


def test_only_confirmations_with_waiver_waive() -> None:
    for text_id in (found for found in text_ids() if found.startswith("debtor-confirmation")):
        assert ("We waive" in changed(text_id) or "we waive" in changed(text_id)) == text_id.endswith("-waiver")
        chinese = render(text_id, "zh", sample(text_id))
        assert ("我方放弃" in chinese) == text_id.endswith("-waiver")
        assert ("我方保留" in chinese or "我方亦保留" in chinese) != text_id.endswith("-waiver")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("date", "2026-5-4"),
        ("date", "2026-13-01"),
        ("date", "２０２６-05-04"),
        ("amount", "USD 100000"),
        ("amount", "USD 100,000.00"),
        ("amount", "USD -1.00"),
        ("amount", "usd 1.00"),
        ("amount", "XAU 1"),
        ("share", "0"),
        ("share", "080"),
        ("share", str(WHOLE + 1)),
        ("share", "80%"),
        ("disputed", ""),
        ("ground", "mood"),
        ("document", "DD" * 16),
        ("document", "dd" * 15),
        ("seller", ""),
        ("seller", " Tianjin"),
        ("seller", "Tianjin\nTo: somebody else"),
        ("seller", "Tianjin\u202eoC"),
        ("seller", "x" * 2001),
    ],
)
def test_a_value_has_one_spelling(name: str, value: str) -> None:
    with pytest.raises(BadParameter) as caught:
        changed("dispute-notice", **{name: value})
    assert caught.value.field == name


def test_what_is_missing_or_unknown_is_named() -> None:
    parameters = sample("dispute-withdrawal")
    with pytest.raises(MissingParameter, match="invoice: is missing"):
        render("dispute-withdrawal", "en", {name: value for name, value in parameters.items() if name != "invoice"})
    with pytest.raises(UnknownParameter, match="amount: is not a parameter"):
        render("dispute-withdrawal", "en", parameters | {"amount": "USD 1.00"})
    with pytest.raises(UnknownText, match="id: "):
        render("../dispute-withdrawal", "en", parameters)
    with pytest.raises(UnknownText, match="language: "):
        render("dispute-withdrawal", "de", parameters)


def test_a_value_is_not_read_as_a_placeholder() -> None:
    assert "To: {seller}" in changed("dispute-withdrawal", addressee="{seller}")


@given(st.sampled_from(EVERY), st.sampled_from(EVERY), st.binary(min_size=16, max_size=16))
def test_digests_differ_by_text_language_and_document_number(
    one: tuple[str, str], other: tuple[str, str], number: bytes
) -> None:
    first = text_digest(*one, sample(one[0]))
    assert len(first) == 32
    assert (first == text_digest(*other, sample(other[0]))) == (one == other)
    renumbered = sample(one[0]) | {"document": number.hex()}
    assert (first == text_digest(*one, renumbered)) == (renumbered == sample(one[0]))


OTHER = {
    "text": "somebody else",
    "date": "2026-12-31",
    "money": "JPY 7",
    "share": "1",
    "id": "00" * 32,
    "token": "00" * 16,
    "choice": "refusal",
}


@pytest.mark.parametrize(("text_id", "language"), EVERY)
def test_no_parameter_can_be_changed_under_a_digest(text_id: str, language: str) -> None:
    signed = text_digest(text_id, language, sample(text_id))
    for name, kind in standard_text(text_id).parameters.items():
        assert text_digest(text_id, language, sample(text_id) | {name: OTHER[kind]}) != signed, name


def test_golden_digests() -> None:
    """If this fails because words were changed: raise the version of that text, then write the vectors again."""
    vectors = json.loads(VECTORS.read_text(encoding="utf-8"))
    assert [(vector["id"], vector["language"]) for vector in vectors] == EVERY
    for vector in vectors:
        rendered = render(vector["id"], vector["language"], vector["parameters"])
        assert standard_text(vector["id"]).version == vector["version"]
        assert digest_of_rendered(rendered).hex() == vector["digest"], vector["id"]


TOML = """
id = "a-text"
version = 1
sources = []
parameters = ["document: token", "ground: choice"]
choices = [{ parameter = "ground", value = "x", en = "an x", zh = "某" }]
en = { title = "A", body = "{document} {ground}" }
zh = { title = "甲", body = "{ground} {document}" }
"""


def test_a_text_is_read() -> None:
    assert parse_text(TOML).choices["ground"]["x"]["zh"] == "某"


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('"a-text"', '"A text"', "id"),
        ('"document: token", ', "", "parameters"),
        ("ground: choice", "ground: mood", "parameters[1]"),
        ("ground: choice", "document: token", "parameters[1]"),
        ('parameter = "ground"', 'parameter = "other"', "choices"),
        ("{ground} {document}", "{document}", "zh.body"),
        ("{document} {ground}", "{document} {ground} {", "en.body"),
        ('"甲"', '"{document}"', "zh.body"),
        ("version = 1\n", "", "version"),
    ],
)
def test_a_text_that_is_not_whole_is_refused(old: str, new: str, field: str) -> None:
    with pytest.raises(FieldError) as caught:
        parse_text(TOML.replace(old, new, 1))
    assert caught.value.field == field
