"""Whose invoice a document is: its numbers may contradict the parties, its names and unknown numbers never do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clients.documents import contradiction
from registry.documents import Identifier, Invoice
from tests.cast import EXP_CN, EXP_VN, IMP_AE, IMP_DE
from tests.registry.documents.builders import ubl, ubl_party
from tests.registry.documents.reading import one

DE_VAT = "vat:DE136695976"


def invoice(seller: str, buyer: str) -> Invoice:
    return one(
        ubl(
            seller=ubl_party("Haihe Bearings", "CN", seller.removeprefix("lei:")),
            buyer=ubl_party("Rheinwerk GmbH", "DE", buyer.removeprefix("lei:")),
        )
    )


def test_a_suppliers_invoice_to_us_is_none_of_ours() -> None:
    reason = contradiction(invoice(EXP_VN, EXP_CN), seller={EXP_CN}, debtor={IMP_DE})
    assert reason == f"seller: {EXP_VN}, Haihe Bearings, and not {EXP_CN}"


def test_an_invoice_to_another_buyer_is_not_on_this_one() -> None:
    reason = contradiction(invoice(EXP_CN, IMP_AE), seller={EXP_CN}, debtor={IMP_DE})
    assert reason == f"buyer: {IMP_AE}, Rheinwerk GmbH, and not {IMP_DE}"


@pytest.mark.parametrize(
    "debtor",
    [
        {IMP_DE},
        {DE_VAT, IMP_DE},  # one of its ids is enough
        {IMP_AE, IMP_DE},  # a branch with a number of its own, which the ledger knows
        {DE_VAT},  # numbers of other schemes prove nothing
        {"uscc:91120116MA05T4K1XT"},
    ],
)
def test_an_honest_invoice_passes(debtor: set[str]) -> None:
    assert contradiction(invoice(EXP_CN, IMP_DE), seller={EXP_CN}, debtor=debtor) == ""


@pytest.mark.parametrize(
    ("stated", "known", "contradicts"),
    [
        (DE_VAT, {"vat:DE129274202"}, True),
        (DE_VAT, {"vat:NL004495445B01"}, False),  # a firm has one in each country where it trades
        (DE_VAT, {IMP_DE}, False),  # a group's, say
        ("uscc:91120116MA05T4K1XT", {"uscc:91310000MA1FL4X6XX"}, True),
        ("gln:4012345000009", {"gln:4098765000010"}, False),  # each place has one
        ("tax:BR12345678000195", {"tax:BR12345678000276"}, False),  # each branch has one
        ("local:4711", {"local:4712"}, False),
    ],
)
def test_only_numbers_that_a_firm_has_one_of_contradict(stated: str, known: set[str], contradicts: bool) -> None:
    said = invoice(EXP_CN, IMP_DE)
    scheme, _, value = stated.partition(":")
    told = replace(said, buyer=replace(said.buyer, identifiers=(Identifier(scheme, value),)))
    assert bool(contradiction(told, seller={EXP_CN}, debtor=known)) is contradicts
