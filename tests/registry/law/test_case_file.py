"""Reading a case that somebody wrote: everything it can say, and errors that name the place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.errors import FieldError
from registry.law.case import ENTRIES_MAX, Case, Contract, Filing, Knowledge, Notice, Place
from registry.law.case_file import CASE_CHARS_MAX, case_from_json
from registry.law.shipped import example_case
from tests.registry.law.world import ms, usd

FULL: dict[str, Any] = {
    "reference": "VN-7781",
    "currency": "USD",
    "amount": "100.00",
    "collected": "90.5",
    "as_of": "2026-07-31T10:15:00.250Z",
    "laws": ["US-NY", "SG"],
    "contract": {
        "ban": True,
        "concluded": "2026-01-01",
        "seller_size": "large",
        "between_businesses": True,
        "ban_in_document": False,
    },
    "claims": [
        {
            "id": "F_GB",
            "claimant": "British Factors",
            "concluded": "2021-05-28",
            "blanket": True,
            "filings": [{"register": "ucc-1", "number": "20210601-7", "at": "2021-06-01", "lapses": "2026-06-01"}],
            "here": {"height": 12, "index": 0},
        },
        {
            "id": "F_SG",
            "concluded": "2026-05-20",
            "funded": "80",
            "funded_at": "2026-05-21T08:00Z",
            "acknowledged": "2026-05-23",
            "notices": [{"sent": "2026-05-20", "received": "2026-05-22", "channel": "courier", "digest": "ab" * 32}],
            "knew_of": [{"claim": "F_GB", "since": "2026-05-19"}],
        },
    ],
}


def read(**changes: Any) -> Case:
    return case_from_json(json.dumps(FULL | changes))


def with_claim(index: int, **changes: Any) -> dict[str, Any]:
    claims = [dict(claim) for claim in FULL["claims"]]
    claims[index] |= changes
    return {"claims": claims}


def test_everything_that_a_case_can_say() -> None:
    case = read()
    british, singaporean = case.claims
    assert (case.reference, case.amount, case.collected) == ("VN-7781", usd("100.00"), usd("90.50"))
    assert (case.as_of_ms, case.laws) == (ms("2026-07-31") + 36_900_250, ("US-NY", "SG"))
    assert case.contract == Contract(
        ban=True,
        concluded_ms=ms("2026-01-01"),
        seller_size="large",
        between_businesses=True,
        ban_in_document=False,
    )
    assert (british.claimant, british.blanket, british.here) == ("British Factors", True, Place(12, 0))
    filing = Filing(register="ucc-1", number="20210601-7", at_ms=ms("2021-06-01"), lapses_ms=ms("2026-06-01"))
    assert british.filings == (filing,)
    assert (singaporean.claimant, singaporean.funded) == ("F_SG", usd("80.00"))
    assert singaporean.funded_ms == ms("2026-05-21") + 8 * 3_600_000
    notice = Notice(sent_ms=ms(20), received_ms=ms(22), channel="courier", digest=bytes.fromhex("ab" * 32))
    assert singaporean.notices == (notice,)
    assert singaporean.acknowledged_ms == ms(23)
    assert singaporean.knew_of == (Knowledge("F_GB", ms(19)),)


def test_what_is_not_known_is_left_out_or_null() -> None:
    small = {"reference": "R", "currency": "USD", "amount": "1", "as_of": "2026-07-31"}
    claims = [{"id": "A", "concluded": "2026-05-01"}]
    bare = case_from_json(json.dumps(small | {"claims": claims}))
    nulls = small | {"collected": None, "contract": None, "claims": [claims[0] | {"funded": None, "here": None}]}
    assert case_from_json(json.dumps(nulls)) == bare
    assert bare.contract == Contract()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reference": ""}, "reference"),
        ({"reference": "two\nlines"}, "reference"),
        ({"reference": None}, "reference"),
        ({"currency": "GOLD"}, "currency"),
        ({"amount": 100}, "amount"),
        ({"amount": "1.001"}, "amount"),
        ({"amount": "0"}, "amount"),
        ({"amount": "-1"}, "amount"),
        ({"collected": "100.01"}, "collected"),
        ({"collected": "-1"}, "collected"),
        ({"as_of": "31.07.2026"}, "as_of"),
        ({"as_of": "2026-02-30"}, "as_of"),
        ({"as_of": "1969-12-31"}, "as_of"),
        ({"as_of": "2026-07-31T24:00Z"}, "as_of"),
        ({"as_of": 1_785_456_000_000}, "as_of"),
        ({"laws": "CN"}, "laws"),
        ({"laws": ["CN", 1]}, "laws[1]"),
        ({"laws": ["CN", "CN"]}, "laws[1]"),
        ({"contract": []}, "contract"),
        ({"contract": {"ban": "yes"}}, "contract.ban"),
        ({"contract": {"seller_size": "huge"}}, "contract.seller_size"),
        ({"contract": {"law": "CN"}}, "contract.law"),
        ({"claims": []}, "claims"),
        ({"claims": FULL["claims"] * 105}, "claims"),
        ({"claims": [FULL["claims"][0]] * 2}, "claims[0].id"),
        ({"unknown": 1}, "unknown"),
        (with_claim(0, id=7), "claims[0].id"),
        (with_claim(1, concluded=None), "claims[1].concluded"),
        (with_claim(1, concluded="2026-08-01"), "claims[1].concluded"),
        (with_claim(1, funded="-1"), "claims[1].funded"),
        (with_claim(0, blanket="yes"), "claims[0].blanket"),
        (with_claim(0, here={"height": -1, "index": 0}), "claims[0].here.height"),
        (with_claim(0, here={"height": True, "index": 0}), "claims[0].here.height"),
        (with_claim(0, here={"height": 1}), "claims[0].here.index"),
        (
            with_claim(0, filings=[{"register": "UCC 1"}]),
            "claims[0].filings[0].register",
        ),
        (with_claim(0, filings=[{"register": "ucc-1", "at": "2026-05-01"}]), "claims[0].filings[0].number"),
        (
            with_claim(0, filings=[{"register": "x", "number": "1", "at": "2026-05-01", "lapses": "2026-05-01"}]),
            "claims[0].filings[0].lapses",
        ),
        (
            with_claim(0, filings=[{"register": "x", "number": "1", "at": "2026-05-01"}] * (ENTRIES_MAX + 1)),
            "claims[0].filings",
        ),
        (with_claim(1, notices=[{"digest": "AB" * 32}]), "claims[1].notices[0].digest"),
        (with_claim(1, notices=[{"received": "soon"}]), "claims[1].notices[0].received"),
        (with_claim(1, knew_of=[{"claim": "F_SG", "since": "2026-05-01"}]), "claims[1].knew_of[0].claim"),
        (with_claim(1, knew_of=[{"claim": "F_XX", "since": "2026-05-01"}]), "claims[1].knew_of[0].claim"),
        (with_claim(1, knew_of=[{"claim": "F_GB"}]), "claims[1].knew_of[0].since"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(FieldError) as refused:
        read(**changes)
    assert refused.value.field == field


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '{"amount": 1.5}',
        '{"amount": NaN}',
        "[" * 100_000,
        '{"a": ' + "9" * 5_000 + "}",
        " " * (CASE_CHARS_MAX + 1),
    ],
)
def test_what_is_no_case_is_refused(text: str) -> None:
    with pytest.raises(FieldError):
        case_from_json(text)


def test_a_field_that_stands_twice_is_refused() -> None:
    twice = json.dumps(FULL)[:-1] + ', "reference": "another"}'
    with pytest.raises(FieldError, match="stands twice") as refused:
        case_from_json(twice)
    assert refused.value.field == "reference"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*FULL, "x"]), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=100)
@given(st.sampled_from(sorted(FULL)), json_values)
def test_any_other_value_is_read_or_refused(name: str, value: object) -> None:
    """Nothing but `FieldError` comes out of any value in any place."""
    try:
        case = read(**{name: value})
    except FieldError:
        return
    assert case.claims


def test_the_example_is_a_case() -> None:
    assert [claim.id for claim in case_from_json(example_case()).claims] == ["F_CN", "F_SG", "F_DE"]
