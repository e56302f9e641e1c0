"""The ladder of disputes as data: what the project ships, and what is no rule-book (registry.md 9)."""

from __future__ import annotations

import pytest

from registry.errors import FieldError
from registry.limits import RUNGS_MAX
from registry.records.disputes import FORUMS
from registry.rules.rulebook import DAY_MS, RULEBOOKS, in_force, read_rulebooks, rulebook
from tests.registry.world import START_MS

RUNG = '[[rulebook.rung]]\nname = "{name}"\ndays = {days}\npursue = {pursue}\nforums = {forums}\n'


def rung(name: str = "parties", days: int = 60, pursue: int = 30, forums: str = "[]") -> str:
    return RUNG.format(name=name, days=days, pursue=pursue, forums=forums)


LAST = rung("court", 365, 0, '["COURT"]')


def book(name: str = "one", from_ms: int = 0, rungs: str = rung() + LAST) -> str:
    about = 'source = "a test"\nconfidence = "high"\nchecked = "2026-11-26"\n'
    return f'[[rulebook]]\nid = "{name}"\nfrom_ms = {from_ms}\n{about}{rungs}'


def test_the_first_rule_book_is_registry_md_9() -> None:
    found = RULEBOOKS[0]
    assert [one.name for one in found.rungs] == ["parties", "factors", "arbitration"]
    assert found.rungs[0].answer_ms == 60 * DAY_MS  # for particulars
    assert set(found.rungs[-1].forums) == set(FORUMS)
    assert in_force(START_MS) == RULEBOOKS[-1]
    assert rulebook(found.id) == found
    assert found.source
    assert found.confidence in ("high", "medium", "low")


def test_a_new_version_is_a_new_entry_and_changes_no_old_dispute() -> None:
    old, new = read_rulebooks(book() + book("two", 1_000, rung(days=10) + LAST))
    assert [in_force(now_ms, (old, new)) for now_ms in (0, 999, 1_000, 2**48)] == [old, old, new, new]
    assert (old.rungs[0].answer_ms, new.rungs[0].answer_ms) == (60 * DAY_MS, 10 * DAY_MS)
    assert [new.is_last(number) for number in (0, 1)] == [False, True]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("rulebook = []", "rulebook"),
        (book(from_ms=5), "rulebook"),
        (book() + book("two"), r"rulebook\[1\].from_ms"),
        (book() + book("one", 5), r"rulebook\[1\].id"),
        (book(rungs=rung()), r"rulebook\[0\].rung"),
        (book(rungs=LAST + LAST), r"rulebook\[0\].rung"),
        (book(rungs=rung() * RUNGS_MAX + LAST), r"rulebook\[0\].rung"),
        (book(rungs=rung(days=0) + LAST), r"rulebook\[0\].rung"),
        (book(rungs=rung(pursue=4_000) + LAST), r"rulebook\[0\].rung"),
        (book(rungs=rung("x", 1, 0, '["MOOT"]')), r"rulebook\[0\].rung.forums"),
        (book() + "surprise = 1\n", "surprise"),
    ],
)
def test_what_is_no_rule_book(text: str, place: str) -> None:
    with pytest.raises(FieldError, match=place):
        read_rulebooks(text)
