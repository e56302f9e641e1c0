"""The laws that are shipped, and another one: adding a jurisdiction is adding a file."""

from __future__ import annotations

import datetime
import re
import shutil
import tomllib
from importlib import resources
from pathlib import Path

import pytest
import tomli_w

from registry.errors import FieldError
from registry.law.families import FAMILIES
from registry.law.profiles import CONFIDENCES, Profile, rules_from_toml
from registry.law.ranking import rank
from registry.law.report import report
from registry.law.shipped import conflict_rules, profiles_in, shipped_profiles, shipped_texts
from registry.rules.deemed import DEEMED
from tests.registry.law.test_scenarios import S1
from tests.registry.law.world import LAWS, order

EXPECTED = {"AE", "BR", "CN", "DE", "FR", "GB-EW", "GB-SCT", "HK", "IN", "SG", "US-NY", "VN"}
CHINESE = re.compile(r"[\u4e00-\u9fff]")

# A law that is not shipped: the whole of what somebody has to write.
NETHERLANDS = """
format = "nemodat-law-v1"
code = "NL"
names = { en = "Netherlands", zh = "荷兰" }
registers = []
warnings = []

[priority]
family = "first_notice"
options = []
filing_years = 0
rules = ["bw-3-94"]

[discharge]
family = "first_notified"
rules = ["bw-3-94"]

[[bans]]
when = []
contract_from = ""
effect = "ban_without_effect"
rules = ["bw-3-83"]

[[rules]]
id = "bw-3-94"
citation = { en = "Civil Code, art. 3:94", zh = "《荷兰民法典》第3:94条" }
says = { en = "Assignment by deed and notice.", zh = "以契据和通知让与。" }
confidence = "low"
doubt = { en = "An example.", zh = "示例。" }
source = ""
checked = "2026-11-26"

[[rules]]
id = "bw-3-83"
citation = { en = "Civil Code, art. 3:83", zh = "《荷兰民法典》第3:83条" }
says = { en = "Bans on the assignment of trade receivables are void.", zh = "禁止转让商业应收账款的约定无效。" }
confidence = "low"
doubt = { en = "An example.", zh = "示例。" }
source = ""
checked = "2026-11-26"
"""


def test_a_jurisdiction_is_added_by_adding_a_file(tmp_path: Path) -> None:
    """Into a copy of the folder that the shipped laws are read from, by the same loader; and nothing else changes."""
    with resources.as_file(resources.files("registry.law") / "jurisdictions") as shipped:
        folder = Path(shutil.copytree(shipped, tmp_path / "jurisdictions"))
    (folder / "nl.toml").write_text(NETHERLANDS, encoding="utf-8")
    found = rank(S1, profiles_in(folder))
    assert [answer.profile.code for answer in found.answers] == sorted({*LAWS, "NL"})
    added = next(answer for answer in found.answers if answer.profile.code == "NL")
    assert order(added) == ["F_SG", "F_CN", "F_DE"]
    assert added.payment.payee == "F_SG"
    said = report(found, shipped_texts("zh"))["laws"][[each.profile.code for each in found.answers].index("NL")]
    assert (said["name"], said["rules"][0]["citation"]) == ("荷兰", "《荷兰民法典》第3:94条")


def test_a_file_that_is_misnamed_or_broken_is_named(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("no law")
    assert profiles_in(tmp_path) == ()
    (tmp_path / "be.toml").write_text(NETHERLANDS, encoding="utf-8")
    with pytest.raises(FieldError, match=r"be\.toml: holds the law NL"):
        profiles_in(tmp_path)
    (tmp_path / "be.toml").write_text(NETHERLANDS.replace("first_notice", "whoever_shouts"), encoding="utf-8")
    with pytest.raises(FieldError, match=r"be\.toml: priority\.family"):
        profiles_in(tmp_path)


@pytest.mark.parametrize("code", sorted(DEEMED.keys() & LAWS.keys()))
def test_a_law_says_of_deemed_acceptance_what_the_ledger_executes(code: str) -> None:
    """The ledger executes its own table (`rules/deemed.py`); a profile that there is must cite the same rule."""
    executed = DEEMED[code]
    (rule,) = [LAWS[code].rules[one] for one in LAWS[code].warnings if one == "deemed-acceptance"]
    assert (rule.citation.en, rule.confidence) == (executed.citation, executed.confidence)
    assert str(rule.checked) == executed.checked
    assert f" {executed.days} " in rule.says.en
    assert f"{executed.days}日" in rule.says.zh


def test_the_shipped_laws() -> None:
    assert set(LAWS) >= EXPECTED
    assert {law.priority for law in LAWS.values()} == FAMILIES.keys()  # every family is some law's


@pytest.mark.parametrize("code", sorted(LAWS))
def test_every_shipped_rule_has_its_source_and_says_how_sure_it_is(code: str) -> None:
    for rule in LAWS[code].rules.values():
        assert datetime.date(2026, 1, 1) <= rule.checked <= datetime.date(2030, 1, 1)
        assert len(rule.citation.en) > 10
        assert CHINESE.search(rule.citation.zh), rule.id
        assert CHINESE.search(rule.says.zh), rule.id
        assert not CHINESE.search(rule.citation.en + rule.says.en + rule.doubt.en)
        assert bool(rule.doubt.en) == bool(rule.doubt.zh)
        assert rule.source.startswith("https://") or rule.source.startswith("http://") or rule.confidence != "high"


def test_no_law_is_chosen_and_the_ground_is_shown() -> None:
    assert [rule.id for rule in conflict_rules()] == ["c-548-18", "rome-i-14", "un-convention"]
    texts = shipped_texts("en")
    assert len(report(rank(S1, shipped_profiles()), texts, conflict_rules())["which_law"]) == 3
    assert report(rank(S1, [LAWS["DE"]]), texts, conflict_rules())["which_law"] == []


def test_an_answer_is_as_sure_as_its_weakest_rule() -> None:
    assert [LAWS[code].confidence for code in ("DE", "CN", "VN")] == ["high", "medium", "low"]
    assert CONFIDENCES == ("low", "medium", "high")


BASE = Profile.from_toml(NETHERLANDS)


def changed(**changes: object) -> str:
    return tomli_w.dumps(tomllib.loads(NETHERLANDS) | changes)


PRIORITY = {"family": "first_notice", "options": [], "filing_years": 0, "rules": ["bw-3-94"]}
BAN = {"when": [], "contract_from": "", "effect": "ban_without_effect", "rules": ["bw-3-83"]}
RULE = {
    "id": "bw-3-94",
    "citation": {"en": "x", "zh": "甲"},
    "says": {"en": "x", "zh": "甲"},
    "confidence": "low",
    "doubt": {"en": "x", "zh": "甲"},
    "source": "",
    "checked": "2026-11-26",
}
REGISTER = {"code": "x", "names": {"en": "x", "zh": "甲"}}
OTHER = RULE | {"id": "bw-3-83"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"format": "nemodat-law-v2"}, "format"),
        ({"code": "Holland"}, "code"),
        ({"names": {"en": "x"}}, "names.zh"),
        ({"extra": 1}, "extra"),
        ({"priority": PRIORITY | {"family": "whoever_shouts"}}, "priority.family"),
        ({"priority": PRIORITY | {"options": ["notice_completes"]}}, "priority.options"),
        ({"priority": PRIORITY | {"filing_years": 100}}, "priority.filing_years"),
        ({"priority": PRIORITY | {"rules": []}}, "priority.rules"),
        ({"priority": PRIORITY | {"rules": ["bw-9-99"]}}, "priority.rules"),
        ({"discharge": {"family": "whoever_shouts", "rules": ["bw-3-94"]}}, "discharge.family"),
        ({"bans": []}, "bans"),
        ({"bans": [BAN | {"when": ["between_businesses"]}]}, "bans"),
        ({"bans": [BAN | {"contract_from": "2020-01-01"}]}, "bans"),
        ({"bans": [BAN | {"when": ["full_moon"]}]}, "bans[0].when"),
        ({"bans": [BAN | {"effect": "no_ban"}]}, "bans[0].effect"),
        ({"bans": [BAN | {"contract_from": "2020-13-01"}]}, "bans[0].contract_from"),
        ({"bans": [BAN | {"rules": ["bw-9-99"]}]}, "bans[0].rules"),
        ({"rules": [RULE]}, "bans[0].rules"),
        ({"rules": [RULE, OTHER, RULE | {"id": "unused"}]}, "rules"),
        ({"rules": [RULE, OTHER, RULE]}, "rules[2].id"),
        ({"rules": [RULE | {"confidence": "certain"}, OTHER]}, "rules[0].confidence"),
        ({"rules": [RULE | {"doubt": {"en": "", "zh": ""}}, OTHER]}, "rules[0].doubt"),
        ({"rules": [RULE | {"confidence": "high"}, OTHER]}, "rules[0].doubt"),
        ({"rules": [RULE | {"confidence": "high", "doubt": {"en": "", "zh": ""}}, OTHER]}, "rules[0].source"),
        ({"rules": [RULE | {"checked": "yesterday"}, OTHER]}, "rules[0].checked"),
        ({"rules": [RULE | {"says": {"en": "x", "zh": ""}}, OTHER]}, "rules[0]"),
        ({"registers": [{"code": "x"}]}, "registers[0].names"),
        ({"registers": [REGISTER | {"code": "UCC 1"}]}, "registers[0].code"),
        ({"registers": [REGISTER, REGISTER]}, "registers[1].code"),
        ({"warnings": ["bw-9-99"]}, "warnings"),
        ({"warnings": "bw-3-94"}, "warnings"),
    ],
)
def test_a_broken_profile_is_refused_with_the_place(changes: dict[str, object], field: str) -> None:
    assert Profile.from_toml(changed()) == BASE
    with pytest.raises(FieldError) as refused:
        Profile.from_toml(changed(**changes))
    assert refused.value.field == field


def test_what_is_no_toml_is_refused() -> None:
    for read in (Profile.from_toml, rules_from_toml):
        with pytest.raises(FieldError, match="is not TOML"):
            read("= nothing")
