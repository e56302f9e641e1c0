"""One debt that its debtor confirmed on two records (registry.md 6.1, 7 and S6)."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from registry.events import EVENT_KINDS, severity_of
from registry.fingerprint import Particulars, register_fingerprints
from registry.money import WHOLE
from registry.receipts import Receipt
from registry.records import decode_record
from registry.records.distinctions import Distinction
from registry.transactions.claims import Discharge, Fund, Reserve
from registry.transactions.receivables import Confirm, Distinguish, Reject
from tests.registry.world import PERCENT, World, invoice, mark, name_id, salt_of

SAME_DEBT = (("debtor_side", mark("IMP_DE, EUR 88,450.00, due 2026-08-15")),)
STATEMENT = mark("we bought twice")


@pytest.fixture
def world() -> World:
    return World()


def confirm(world: World, receivable: bytes, tag: str) -> Receipt:
    answer = Confirm(receivable, salt_of(tag), name_id("IMP_DE"), mark(f"commitment {tag}"), WHOLE, mark("text"))
    receipt = world.one("IMP_DE", answer)
    assert receipt.code == "ok", receipt
    return receipt


def invoice_and_payable(world: World) -> tuple[bytes, bytes]:
    """The seller's invoice, and the same debt from the buyer's side; which is the younger."""
    seller = world.registered("invoice", fingerprints=SAME_DEBT)
    buyer = world.registered("payable", by="IMP_DE", kind="payable", fingerprints=SAME_DEBT)
    return seller, buyer


def fund(world: World, receivable: bytes, other: bytes, *, to: str, by: str = "EXP_CN") -> Receipt:
    """Offer, reserve and fund, having looked at the other one."""
    return world.one(to, Fund(world.reserved(receivable, to=to, by=by), (other,)))


# S6 Two-sided


def test_s6_the_same_debt_from_both_sides(world: World) -> None:
    """F_CN has factored the seller's invoice. F_DE finances the payable that the buyer registered for it."""
    due = datetime.date(2026, 8, 15)
    sold = Particulars(
        seller=name_id("EXP_CN"),
        debtor=name_id("IMP_DE"),
        number="TJ-2026-00533",
        currency="EUR",
        amount_minor=8_845_000,
        issue_date=datetime.date(2026, 5, 17),
        due_date=due,
    )
    owed = replace(sold, seller="", number="", issue_date=None)  # a trade name is no identifier
    key = world.genesis.fingerprint_key
    factored = world.registered("sold", fingerprints=register_fingerprints(key, sold), currency="EUR")
    world.funded(factored, to="F_CN")
    approved = world.one(
        "IMP_DE",
        invoice(
            "owed", kind="payable", fingerprints=register_fingerprints(key, owed), currency="EUR", grade="document"
        ),
    )
    assert (approved.code, approved.related) == ("ok", (factored,)), "review, by debtor_side alone"
    payable = approved.subject
    confirm(world, payable, "owed")
    assert world.heard("double_confirmation") == []

    claim = world.reserved(payable, to="F_DE", percent=70, by="IMP_DE")
    assert world.one("F_DE", Fund(claim)).code == "unacknowledged_match"

    confirm(world, factored, "sold")
    everybody = tuple(sorted(map(name_id, ("EXP_CN", "F_CN", "F_DE", "IMP_DE"))))
    assert world.heard("double_confirmation") == [(factored, everybody, payable.hex())]
    blocked = world.one("F_DE", Fund(claim, (factored,)))
    assert (blocked.code, blocked.subject, blocked.related) == ("double_confirmed", claim, (factored,))
    assert world.heard("refused_claim") == [(claim, everybody, "double_confirmed")]


def test_until_both_are_confirmed_it_is_for_people_to_look_at(world: World) -> None:
    seller, buyer = invoice_and_payable(world)
    confirm(world, seller, "invoice")
    assert fund(world, buyer, seller, to="F_DE", by="IMP_DE").code == "ok"


def test_the_older_record_may_be_financed(world: World) -> None:
    seller, buyer = invoice_and_payable(world)
    confirm(world, buyer, "payable")
    confirm(world, seller, "invoice")
    assert fund(world, seller, buyer, to="F_CN").code == "ok"
    assert fund(world, buyer, seller, to="F_DE", by="IMP_DE").code == "double_confirmed"


@pytest.mark.parametrize("paid", [False, True])
def test_the_older_record_is_blocked_when_the_younger_was_financed(world: World, paid: bool) -> None:
    seller, buyer = invoice_and_payable(world)
    claim = world.funded(buyer, to="F_DE", percent=50, by="IMP_DE", acknowledged=(seller,))
    if paid:
        world.one("F_DE", Discharge(claim, 50 * PERCENT))
    confirm(world, buyer, "payable")
    confirm(world, seller, "invoice")
    refused = fund(world, seller, buyer, to="F_CN")
    assert (refused.code, refused.related) == ("double_confirmed", (buyer,))


def test_a_mere_reservation_of_the_younger_blocks_nobody(world: World) -> None:
    seller, buyer = invoice_and_payable(world)
    confirm(world, buyer, "payable")
    confirm(world, seller, "invoice")
    world.reserved(buyer, to="F_DE", by="IMP_DE")
    assert fund(world, seller, buyer, to="F_CN").code == "ok"


def test_one_seller_under_two_ids(world: World) -> None:
    first = world.registered("a", fingerprints=SAME_DEBT)
    second = world.registered("b", by="EXP_VN", fingerprints=SAME_DEBT)
    confirm(world, first, "a")
    confirm(world, second, "b")
    assert [event[2] for event in world.heard("double_confirmation")] == [first.hex()]
    assert fund(world, second, first, to="F_SG", by="EXP_VN").code == "double_confirmed"


def test_equal_invoices_of_one_seller_are_two_debts(world: World) -> None:
    """The same sum every month, each with a number of its own: review, no alarm, no block."""
    first, second = (world.registered(tag, fingerprints=SAME_DEBT) for tag in "ab")
    confirm(world, first, "a")
    confirm(world, second, "b")
    assert world.heard("double_confirmation") == []
    assert fund(world, second, first, to="F_SG").code == "ok"


@pytest.mark.parametrize("kind", ["number", "order", "transport"])
def test_a_match_without_the_amount_is_no_second_confirmation(world: World, kind: str) -> None:
    prints = ((kind, mark("x")),)
    first = world.registered("a", fingerprints=prints)
    second = world.registered("b", by="EXP_VN", fingerprints=prints)
    confirm(world, first, "a")
    confirm(world, second, "b")
    assert world.heard("double_confirmation") == []
    assert fund(world, second, first, to="F_SG", by="EXP_VN").code == "ok"


def test_what_was_rejected_is_not_confirmed(world: World) -> None:
    seller, buyer = invoice_and_payable(world)
    world.one("IMP_DE", Reject(seller, salt_of("invoice"), name_id("IMP_DE"), mark("paid by another way")))
    confirm(world, buyer, "payable")
    assert world.heard("double_confirmation") == []
    assert fund(world, buyer, seller, to="F_DE", by="IMP_DE").code == "ok"


def test_what_was_confirmed_and_paid_still_counts(world: World) -> None:
    seller, buyer = invoice_and_payable(world)
    confirm(world, seller, "invoice")
    claim = world.funded(seller, percent=100, acknowledged=(buyer,))
    world.one("F_CN", Discharge(claim, WHOLE))
    assert world.receivable(seller).state == "settled"
    confirm(world, buyer, "payable")
    assert len(world.heard("double_confirmation")) == 1
    assert fund(world, buyer, seller, to="F_DE", by="IMP_DE").code == "double_confirmed"


def test_nothing_is_louder() -> None:
    assert [kind for kind in EVENT_KINDS if severity_of(kind) == "alarm"] == ["double_confirmation"]
    assert {severity_of(kind) for kind in EVENT_KINDS} == {"alarm", "warning", "info"}


# Two debts after all


def two_debts(world: World) -> tuple[bytes, bytes]:
    """Confirmed both, and blocked."""
    seller, buyer = invoice_and_payable(world)
    confirm(world, seller, "invoice")
    confirm(world, buyer, "payable")
    return seller, buyer


def test_a_debtor_that_owes_both_says_so(world: World) -> None:
    seller, buyer = two_debts(world)
    claim = world.reserved(buyer, to="F_DE", by="IMP_DE")
    assert world.one("F_DE", Fund(claim, (seller,))).code == "double_confirmed"
    receipt = world.one("IMP_DE", Distinguish(buyer, seller, STATEMENT, "en"))
    assert (receipt.code, receipt.subject, receipt.related) == ("ok", buyer, (seller,))
    sides = tuple(sorted(map(name_id, ("EXP_CN", "F_DE", "IMP_DE"))))
    assert world.heard("distinguished") == [(buyer, sides, seller.hex())]
    stated = decode_record(Distinction, world.state[Distinction.PREFIX + Distinction.id_of(seller, buyer)])
    assert (stated.receivables, stated.text_digest) == (tuple(sorted((seller, buyer))), STATEMENT)
    assert (stated.debtor, stated.stated_ms) == (name_id("IMP_DE"), world.now_ms)
    assert world.one("F_DE", Fund(claim)).code == "unacknowledged_match", "it stays a match"
    assert world.one("F_DE", Fund(claim, (seller,))).code == "ok"


def test_it_is_said_once_whichever_way_round(world: World) -> None:
    seller, buyer = two_debts(world)
    both = [Distinguish(seller, buyer, STATEMENT, "en"), Distinguish(buyer, seller, STATEMENT, "en")]
    assert [receipt.code for receipt in world.do("IMP_DE", *both)] == ["ok", "already_done"]


@pytest.mark.parametrize("by", ["EXP_CN", "F_CN", "IMP_AE"])
def test_nobody_says_it_for_the_debtor(world: World, by: str) -> None:
    seller, buyer = two_debts(world)
    assert world.one(by, Distinguish(seller, buyer, STATEMENT, "en")).code == "not_authorised"


def test_only_what_was_confirmed_is_told_apart(world: World) -> None:
    seller, buyer = invoice_and_payable(world)
    confirm(world, buyer, "payable")
    assert world.one("IMP_DE", Distinguish(seller, buyer, STATEMENT, "en")).code == "not_authorised"
    world.one("IMP_DE", Reject(seller, salt_of("invoice"), name_id("IMP_DE"), mark("reason")))
    assert world.one("IMP_DE", Distinguish(seller, buyer, STATEMENT, "en")).code == "bad_state"
    assert world.one("IMP_DE", Distinguish(seller, mark("?"), STATEMENT, "en")).code == "not_found"


def test_a_reservation_is_not_slowed_or_stopped(world: World) -> None:
    """The block is at funding, when money moves; reserving reads nothing of matches."""
    _, buyer = two_debts(world)
    claim = world.offered(buyer, to="F_DE", by="IMP_DE")
    assert world.one("F_DE", Reserve(claim, 60_000)).code == "ok"


def test_a_correction_does_not_lift_the_alarm(world: World) -> None:
    """The younger one cannot be funded; nor does what takes its place become an unconfirmed look-alike that can."""
    seller, buyer = invoice_and_payable(world)
    confirm(world, seller, "invoice")
    confirm(world, buyer, "payable")
    for by, old, twin, other in (("EXP_CN", seller, buyer, "invoice"), ("IMP_DE", buyer, seller, "payable")):
        refused = world.one(by, invoice("new", kind=other, supersedes=old))
        assert (refused.code, refused.related) == ("double_confirmed", (old, twin))
    assert world.one("IMP_DE", Distinguish(seller, buyer, STATEMENT, "en")).code == "ok"
    assert world.one("EXP_CN", invoice("new", supersedes=seller)).code == "ok"
