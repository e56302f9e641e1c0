"""The input of everything that goes out: read from JSON, and refused by the field that is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from registry.errors import FieldError
from registry.money import Money
from registry.outgoing import Filing, assignment_from_json
from registry.outgoing.assignment import is_iban
from tests.registry.outgoing.samples import ASSIGNMENT, JSON


def test_an_assignment_is_read_from_json() -> None:
    assert assignment_from_json(json.dumps(JSON)) == ASSIGNMENT
    filed = JSON | {"filing": {"register": "Zhongdeng", "number": "06112345"}}
    assert assignment_from_json(json.dumps(filed)).filing == Filing(register="Zhongdeng", number="06112345")


def test_what_is_not_known_is_left_out() -> None:
    optional = ("tax_minor", "advance_minor", "account", "notice")
    found = assignment_from_json(json.dumps({name: value for name, value in JSON.items() if name not in optional}))
    assert (found.tax, found.advance, found.account, found.notice, found.filing) == (None, None, "", None, None)


def test_the_share_is_worth_its_part_of_the_amount() -> None:
    assert ASSIGNMENT.assigned == Money("USD", 80_000_00)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"claim": "c1"}, "claim"),
        ({"claim": "C1" * 32}, "claim"),
        ({"seller": {"name": "x", "country": "CN"}}, "seller.identifiers"),
        ({"seller": {"name": "", "country": "CN", "identifiers": ["lei:984500TJEXPORT000197"]}}, "seller.name"),
        ({"seller": {"name": "x", "country": "cn", "identifiers": ["lei:984500TJEXPORT000197"]}}, "seller.country"),
        (
            {"seller": {"name": "x", "country": "CN", "identifiers": ["lei:984500TJEXPORT000198"]}},
            "seller.identifiers[0]",
        ),
        ({"seller": {"name": "x", "country": "CN", "identifiers": []}}, "seller.identifiers"),
        ({"debtor": {"name": "x", "country": "ZZ", "identifiers": ["lei:984500DEIMPORT000108"]}}, "debtor.country"),
        ({"invoice": "x" * 36}, "invoice"),
        ({"invoice": "a\nb"}, "invoice"),
        ({"invoice": "a\uffff"}, "invoice"),
        ({"issued": "2026-02-30"}, "issued"),
        ({"issued": "20260502"}, "issued"),
        ({"due": "2026-05-01"}, "due"),
        ({"exponent": 0}, "exponent"),
        ({"currency": "XAU"}, "currency"),
        ({"amount_minor": 0}, "amount"),
        ({"amount_minor": 1.5}, "amount_minor"),
        ({"tax_minor": 10000001}, "tax"),
        ({"advance_minor": 8000001}, "advance"),  # 80% are assigned
        ({"share": 0}, "share"),
        ({"law": "China"}, "law"),
        ({"account": "DE89 3704"}, "account"),
        ({"account": "DE98370400440532013000"}, "account"),  # two digits the wrong way round
        ({"account": "GB00XXXX"}, "account"),
        ({"notice": {"reference": "x", "digest": "d1"}}, "notice.digest"),
        ({"filing": {"register": "Zhongdeng", "number": ""}}, "filing.number"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_the_field_that_is_wrong_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(FieldError) as caught:
        assignment_from_json(json.dumps(JSON | change))
    assert caught.value.field == field


def test_all_that_is_assigned_may_be_paid_out() -> None:
    assert assignment_from_json(json.dumps(JSON | {"advance_minor": 8000000})).advance == ASSIGNMENT.assigned


@pytest.mark.parametrize("account", ["CN12", "US64SVBKUS6S3300958879", "0011-223344", "62220212345678901234"])
def test_accounts_of_countries_without_ibans_are_what_they_are(account: str) -> None:
    assert not is_iban(assignment_from_json(json.dumps(JSON | {"account": account})).account)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 60_000, "1", "null", " " * 70_000])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(FieldError):
        assignment_from_json(text)
