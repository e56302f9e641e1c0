"""What stands in a dispute's operations: every way to show standing, forums, awards; and what is none of them."""

from __future__ import annotations

from typing import Any

import pytest

from registry.codec import decode, encode
from registry.errors import FieldError
from registry.money import WHOLE
from registry.transactions.disputes import EscalateDispute, RaiseDispute
from registry.transactions.governance import Award, change_from, change_value
from registry.transactions.operations import operation_from, operation_value
from tests.registry.world import mark, name_id

SALT, ID = mark("salt"), mark("id")
AWARD = ["award", ID, "reduced", 1, mark("award"), "zh"]


@pytest.mark.parametrize(
    "standing",
    [
        (),
        ("debtor", SALT, name_id("IMP_DE")),
        ("claim", ID),
        ("claim", 0),
        ("receivable", ID),
        ("fingerprint", "gov", ID),
        ("fingerprint", "exact", ID),
    ],
)
def test_every_way_to_show_standing_comes_back(standing: Any) -> None:
    operation = RaiseDispute(ID, standing, "refusal", WHOLE, mark("text"), "zh")
    assert operation_from(decode(encode(operation_value(operation))), "operation") == operation


@pytest.mark.parametrize(
    ("standing", "place"),
    [
        ("claim", "standing: is a list"),
        (["claim"], "standing: is no known way"),
        (["owner", ID], "standing: is no known way"),
        (["claim", ID, ID], "standing: is no known way"),
        (["claim", b"short"], r"standing\.claim"),
        (["receivable", -1], r"standing\.receivable"),
        (["debtor", b"short", name_id("IMP_DE")], r"standing\.salt"),
        (["debtor", SALT, "IMP_DE"], r"standing\.identifier"),
        (["fingerprint", "number", ID], r"standing\.kind"),  # not certain
        (["fingerprint", "exact", b""], r"standing\.fingerprint"),
    ],
)
def test_what_shows_no_standing(standing: Any, place: str) -> None:
    row = ["raise_dispute", ID, standing, "refusal", WHOLE, mark("text"), "zh"]
    with pytest.raises(FieldError, match=place):
        operation_from(row, "operation")


@pytest.mark.parametrize("forum", [(), ("CIETAC",), ("SIAC", "SG"), ("COURT", "DE")])
def test_forums(forum: tuple[str, ...]) -> None:
    operation = EscalateDispute(ID, forum, mark("text"), "en")
    assert operation_from(decode(encode(operation_value(operation))), "operation") == operation


@pytest.mark.parametrize("forum", ["ICC", ["MOOT"], ["COURT", "Germany"], ["COURT", "DE", "DE"], [["ICC"]], [1]])
def test_no_forums(forum: Any) -> None:
    with pytest.raises(FieldError, match="forum"):
        operation_from(["escalate_dispute", ID, forum, mark("text"), "en"], "operation")


def test_an_award_comes_back() -> None:
    award = Award(ID, "reduced", 1, mark("award"), "zh")
    assert change_value(award) == AWARD
    assert change_from(decode(encode(AWARD)), "change") == award


@pytest.mark.parametrize(
    ("index", "value", "place"),
    [
        (1, b"", "dispute"),
        (2, "withdrawn", "outcome"),  # nothing that a forum decides
        (3, -1, "reduction_share"),
        (3, WHOLE + 1, "reduction_share"),
        (3, True, "reduction_share"),
        (4, b"short", "award_digest"),
        (5, "english", "language"),
        (5, "EN", "language"),
    ],
)
def test_what_is_no_award(index: int, value: Any, place: str) -> None:
    row = [*AWARD[:index], value, *AWARD[index + 1 :]]
    with pytest.raises(FieldError, match=rf"change\.{place}"):
        change_from(row, "change")
    with pytest.raises(FieldError, match=r"change: award has 5 fields"):
        change_from(AWARD[:index], "change")
