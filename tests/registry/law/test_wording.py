"""Whatever an opinion can say is said in English and in Chinese, and nothing is listed that is never said."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from registry.errors import FieldError
from registry.law.case import Case, Contract
from registry.law.codes import CODES
from registry.law.ranking import Opinion
from registry.law.shipped import shipped_texts
from registry.law.wording import LANGUAGES, Texts, Words, instant, reason
from tests.registry.law.test_scenarios import S1, s2, s7, s10
from tests.registry.law.world import case, claim, filed, knew, ms, opinion, told

CHINESE = re.compile(r"[\u4e00-\u9fff]")

CASES: tuple[Case, ...] = (
    S1,
    s2(),
    s2("C"),
    replace(s2(), claims=(replace(s2().claims[0], funded=None), *s2().claims[1:])),
    s7("2026-05-31"),
    s7("2026-06-01"),
    s10(),
    case(claim("A", 1, blanket=True), contract=Contract()),
    case(claim("A", 1), claim("B", 2, asserted="CL:RPETC")),
    case(claim("A", 1, shown_ms=ms(3)), claim("B", 2)),
    case(claim("A", 2, shown_ms=ms(4)), claim("B", 3), claim("C", 1)),
    case(claim("A", 1, notices=told(2)), contract=Contract(ban=True)),
    case(claim("A", 1, notices=told(2)), contract=Contract(ban=True, between_businesses=True)),
    case(
        claim("A", 1),
        claim("B", 2, notices=told(4), knew_of=knew("A", 2)),
        claim("C", 3, notices=told(5), acknowledged_ms=ms(6)),
        claim("D", 3, filings=filed(4, registers=["elsewhere"]), acknowledged_ms=ms(6)),
    ),
)


def said(found: Opinion) -> set[str]:
    codes = {remark.code for remark in found.remarks}
    for answer in found.answers:
        codes |= {standing.reason.code for standing in answer.order.standings}
        codes |= {each.code for each in (*answer.payment.reasons, *answer.warnings)}
        for ban in answer.bans:
            codes |= {ban.effect.value, *(condition.code for condition in ban.conditions)}
    return codes


def test_every_code_is_said_by_some_case() -> None:
    found = set[str]().union(*(said(opinion(facts)) for facts in CASES), said(opinion(S1, "DE", "FR")))
    assert found == CODES.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_words_with_its_parameters(language: str) -> None:
    texts = shipped_texts("en" if language == "en" else "zh")
    for code, parameters in CODES.items():
        text = texts.say(reason(code, **{name: f"<{name}>" for name in parameters}))
        assert all(f"<{name}>" in text for name in parameters)
        assert bool(CHINESE.search(text)) == (language == "zh"), code


def test_words_come_in_the_language_asked_for() -> None:
    both = Words("the register", "登记机构")
    elsewhere = reason("filing_still_needed", claimant="F_SG", registers=both)
    assert "the register" in shipped_texts("en").say(elsewhere)
    assert "登记机构" in shipped_texts("zh").say(elsewhere)


def test_a_claimants_name_is_no_template() -> None:
    text = shipped_texts("en").say(reason("not_completed", claimant="{claimant.__class__}"))
    assert text.startswith("{claimant.__class__}'s assignment")


def full() -> dict[str, str]:
    return {code: " ".join(f"{{{name}}}" for name in parameters) for code, parameters in CODES.items()}


def toml(texts: dict[str, str]) -> str:
    return "\n".join(f"{code} = '{text}'" for code, text in texts.items())


@pytest.mark.parametrize(
    ("change", "field", "why"),
    [
        ({"no_advice": None}, "no_advice", "has no text"),
        ({"unheard_of": "x"}, "unheard_of", "is not a known code"),
        ({"not_completed": "who?"}, "not_completed", "must name exactly claimant"),
        ({"no_ban": "{claimant}"}, "no_ban", "must name exactly no parameter"),
        ({"not_completed": "{claimant.__class__}"}, "not_completed", "must name exactly claimant"),
        ({"not_completed": "{claimant"}, "not_completed", "is no template"),
    ],
)
def test_texts_that_do_not_fit_are_refused(change: dict[str, str | None], field: str, why: str) -> None:
    assert Texts.parse(toml(full()), "en").templates == full()
    texts = {code: text for code, text in (full() | change).items() if text is not None}
    with pytest.raises(FieldError, match=why) as refused:
        Texts.parse(toml(texts), "en")
    assert refused.value.field == field


def test_times_are_written_to_the_day_or_the_millisecond() -> None:
    assert instant(0) == "1970-01-01"
    assert instant(ms("2026-05-20")) == "2026-05-20"
    assert instant(ms("2026-05-20") + 37_000_500) == "2026-05-20T10:16:40.500Z"
