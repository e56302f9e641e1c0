"""`nemodat law ...` as a person types it; no network is needed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from clients.cli import app
from registry.law.shipped import example_case
from tests.commands import Result, invoke

DONE, FAILED, USAGE, LOOK = 0, 1, 2, 3


def run(*words: object) -> Result:
    return invoke(app, ["law", *words], COLUMNS="120", NO_COLOR="1")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "case.json"
    path.write_text(example_case(), encoding="utf-8")
    return path


def answers(*words: object) -> dict[str, Any]:
    ended = run(*words, "--json")
    assert ended.exit_code in (DONE, LOOK), ended.output
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_three_laws_three_winners(file: Path) -> None:
    found = answers("rank", file, "--law", "CN", "--law", "SG", "--law", "DE")
    assert [(law["law"], law["winners"]) for law in found["laws"]] == [
        ("CN", ["F_DE"]),
        ("SG", ["F_SG"]),
        ("DE", ["F_CN"]),
    ]
    assert found["winner_depends_on_law"] is True
    assert found["laws"][0]["payment"]["payee"] == "F_SG"
    assert len(found["which_law"]) == 3
    assert "not legal advice" in found["remarks"][-1]


def test_exit_code_3_says_that_the_winner_depends_on_the_law(file: Path) -> None:
    assert run("rank", file).exit_code == LOOK
    assert run("rank", file, "--law", "DE", "--law", "FR").exit_code == DONE


def test_in_words_with_every_section_and_source(file: Path) -> None:
    said = run("rank", file, "--law", "CN", "--law", "US-NY").stdout
    for words in ("Priority:", "The debtor:", "Ban on assignment:", "Warnings:", "Rules:", "== Which law applies"):
        assert words in said
    assert "1. F_DE  100000.00  F_DE has been registered in" in said
    assert "Civil Code of the PRC, art. 768 [high confidence, checked 2026-11-26]" in said
    assert "C-548/18" in said
    assert "not legal advice" in said


def test_in_chinese(file: Path) -> None:
    said = run("rank", file, "--language", "zh").stdout
    for words in (
        "优先顺序:",
        "债务人付款:",
        "《中华人民共和国民法典》第七百六十八条",
        "不构成法律意见",
        "== 法律适用",
    ):
        assert words in said
    outside = re.sub(r"\(https?://[^)]*\)", "", said)
    assert not re.search(r"\b(the|debtor|registered|assignment)\b", outside)


def test_what_is_wrong_is_one_line_that_names_the_field(file: Path, tmp_path: Path) -> None:
    case = json.loads(example_case())
    case["claims"][1]["concluded"] = "2026-08-01"
    file.write_text(json.dumps(case), encoding="utf-8")
    ended = run("rank", file)
    assert (ended.exit_code, ended.stderr) == (FAILED, f"error: {file}: claims[1].concluded: lies after as_of\n")
    gone = run("rank", tmp_path / "gone.json")
    assert (gone.exit_code, "No such file" in gone.stderr) == (FAILED, True)


def test_a_law_without_a_profile_is_refused(file: Path) -> None:
    ended = run("rank", file, "--law", "CN", "--law", "XX")
    assert ended.exit_code == FAILED
    assert "laws[1]: XX has no profile; there are AE, BR, CN" in ended.stderr
    assert run("profiles", "XX").exit_code == FAILED
    assert run("rank", file, "--language", "fr").exit_code == USAGE


def test_the_laws_are_listed_and_each_can_be_read() -> None:
    listed = run("profiles").stdout
    assert all(code in listed for code in ("CN", "GB-SCT", "US-NY", "first_notice", "zhongdeng"))
    assert len(answers("profiles")["profiles"]) == 12
    germany = run("profiles", "DE", "--language", "zh").stdout
    assert "《德国商法典》第354a条第1款" in germany
    (only,) = answers("profiles", "DE")["profiles"]
    assert (only["family"], only["discharge"], len(only["rules"])) == ("first_in_time", "earliest_of_notified", 8)


def test_the_example_is_printed_as_it_is() -> None:
    assert run("example").stdout == example_case()


def test_help_documents_every_field_of_a_case() -> None:
    said = run("rank", "--help").stdout
    fields = {"knew_of", "since", "funded_at", "acknowledged", "here", "height", "lapses", "digest", "blanket"}
    fields |= {"ban_in_document", "between_businesses", "seller_size", *re.findall(r'"([a-z_]+)":', example_case())}
    assert [field for field in sorted(fields) if field not in said] == []
