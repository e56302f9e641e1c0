"""Texts for official registers, as they are pasted into the form."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from registry.money import WHOLE
from registry.outgoing import Filing, ucc1, zhongdeng
from tests.registry.outgoing.samples import ASSIGNMENT

VECTORS = Path(__file__).parents[1] / "vectors" / "outgoing"


def golden(name: str) -> str:
    return (VECTORS / name).read_text(encoding="utf-8")


def test_the_description_for_zhongdeng_with_its_gloss() -> None:
    made = zhongdeng(ASSIGNMENT)
    assert f"{made.text}\n" == golden("zhongdeng.zh.txt")
    assert f"{made.gloss}\n" == golden("zhongdeng.en.txt")


def test_the_collateral_of_a_ucc1() -> None:
    assert f"{ucc1(ASSIGNMENT).text}\n" == golden("ucc1.en.txt")


def test_both_languages_say_the_same_numbers() -> None:
    made = zhongdeng(ASSIGNMENT)
    for said in ("TJ-2026-00417", "USD 100,000.00", "USD 80,000.00", "80%", "91110000600037341L", "c1" * 32):
        assert said in made.text
        assert said in made.gloss
        assert said in ucc1(ASSIGNMENT).text
    assert re.findall("^[1-9]", made.gloss, re.MULTILINE) == ["1", "2", "3", "4", "5"]
    assert re.findall("^[一二三四五]", made.text, re.MULTILINE) == list("一二三四五")


def test_the_whole_is_no_undivided_part() -> None:
    whole = dataclasses.replace(ASSIGNMENT, share=WHOLE)
    assert ucc1(whole).text.startswith("All of Debtor's right")
    assert ucc1(ASSIGNMENT).text.startswith("An undivided 80% interest in all of Debtor's right")
    assert "应收账款全部转让给受让人" in zhongdeng(whole).text
    assert "应收账款的80%份额转让给受让人" in zhongdeng(ASSIGNMENT).text


def test_without_a_notice_none_is_spoken_of() -> None:
    silent = zhongdeng(dataclasses.replace(ASSIGNMENT, notice=None))
    assert "通知" not in silent.text
    assert "otice" not in silent.gloss


def test_a_text_says_beside_it_that_it_must_be_filed() -> None:
    assert zhongdeng(ASSIGNMENT).note.startswith(
        "No official filing is known. This text has no effect until it is filed"
    )
    filed = dataclasses.replace(ASSIGNMENT, filing=Filing(register="Zhongdeng", number="06112345"))
    assert ucc1(filed).note.startswith("Filed: Zhongdeng, number 06112345. This text has no effect until it is filed")
    assert "no effect" not in ucc1(filed).text
