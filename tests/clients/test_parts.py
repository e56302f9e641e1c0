"""A part of an order or an invoice, compared with the amounts of both: what the registrant told the ledger of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.dossier import Dossier
from clients.parts import part_finding
from registry.money import WHOLE, Money, collectible_share
from registry.records import Link
from tests.clients.stage import unlike

PERCENT = WHOLE // 100


def dossier(amount_minor: int, currency: str = "EUR") -> Dossier:
    known = replace(unlike().particulars, amount_minor=amount_minor, currency=currency)
    return Dossier(receivable=bytes(32), particulars=known, salt=bytes(32), debtor_salt=bytes(32), document=b"")


@pytest.mark.parametrize(
    ("part", "of_parent", "of_child", "finding"),
    [
        (50_000, 50 * PERCENT, WHOLE, "agrees"),
        (50_000, 40 * PERCENT, WHOLE, "differs"),  # a tenth of the order could be financed once more
        (50_000, 60 * PERCENT, WHOLE, "differs"),
        (50_000, 25 * PERCENT, WHOLE // 2, "agrees"),  # the other half comes from another order
        (50_001, 50 * PERCENT, WHOLE, "differs"),
        (33_333, 333_333_333_333, WHOLE, "agrees"),
    ],
)
def test_a_part_is_held_against_the_amounts(part: int, of_parent: int, of_child: int, finding: str) -> None:
    link = Link(bytes(32), of_parent, of_child)
    found = part_finding(link, dossier(part), dossier(100_000), proved=True)
    assert (found.finding, found.proved) == (finding, True)
    assert "1000.00" in found.reason


def test_what_is_not_compared_says_why() -> None:
    link = Link(bytes(32), WHOLE // 2, WHOLE)
    assert str(part_finding(link, dossier(1), None, proved=False)).startswith("not compared: the parent's dossier")
    foreign = part_finding(link, dossier(50_000), dossier(100_000, "USD"), proved=True)
    assert str(foreign) == "not compared: the amounts are in EUR and in USD"


def test_a_parent_whose_record_is_closed_is_compared_and_not_called_proved() -> None:
    found = part_finding(Link(bytes(32), WHOLE // 2, WHOLE), dossier(50_000), dossier(100_000), proved=False)
    assert (found.finding, found.proved) == ("agrees", False)
    assert found.reason.endswith("its record is not for this party")


@given(st.integers(1, 10**15), st.data())
def test_every_part_that_the_sdk_states_agrees(whole: int, data: st.DataObject) -> None:
    """However it was rounded, and however large the amounts are: instalments are registered like this."""
    part = data.draw(st.integers(1, whole))
    share = collectible_share(Money("EUR", part), whole=Money("EUR", whole))
    link = Link(bytes(32), share, WHOLE)
    assert part_finding(link, dossier(part), dossier(whole), proved=True).finding == "agrees"
