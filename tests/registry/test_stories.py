"""The stories of registry.md 12 that the rules alone can tell, with real particulars and fingerprints."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from registry.fingerprint import Particulars, register_fingerprints
from registry.money import Money, claim_share, collectible_share, money_of_share
from registry.receipts import Receipt
from registry.transactions.claims import Fund, Offer, Release, Reserve
from registry.transactions.receivables import Adjust, Register
from tests.registry.world import PERCENT, World, created, invoice, mark, name_id


@pytest.fixture
def world() -> World:
    return World()


def particulars(number: str, amount: int, currency: str = "EUR", **changes: object) -> Particulars:
    fields: dict[str, object] = {
        "seller": name_id("EXP_CN"),
        "debtor": name_id("IMP_DE"),
        "number": number,
        "currency": currency,
        "amount_minor": amount,
        "issue_date": datetime.date(2026, 5, 4),
        "due_date": datetime.date(2026, 7, 31),
    }
    return Particulars(**(fields | changes))  # type: ignore[arg-type]


def registration(world: World, what: Particulars, **changes: object) -> Register:
    prints = register_fingerprints(world.genesis.fingerprint_key, what)
    return invoice(what.number, fingerprints=prints, currency=what.currency, **changes)


def register(world: World, what: Particulars, by: str = "EXP_CN", **changes: object) -> Receipt:
    return world.one(by, registration(world, what, **changes))


# S1 One receivable, three laws, three winners: inside the network there is one


def test_s1_the_second_and_third_funding_are_refused(world: World) -> None:
    receivable = register(world, particulars("TJ-2026-00417", 10_000_000, "USD")).subject
    first = world.funded(receivable, to="F_CN", percent=80)
    for other, percent in (("F_SG", 85), ("F_DE", 90)):
        refused = world.one(other, Reserve(world.offered(receivable, to=other, percent=percent), 600_000))
        assert (refused.code, refused.related) == ("over_residual", (receivable, first))


# S3 Reformatted number


def test_s3_a_reformatted_number_is_the_same_invoice(world: World) -> None:
    original = particulars("INV-2026/000417", 24_000_000)
    first = register(world, original)
    for number in ("inv 2026 417", "ＩＮＶ－２０２６／０００４１７", "ΙΝV-2026/000417"):
        receipt = register(world, replace(original, number=number))
        assert (receipt.code, receipt.related) == ("duplicate", (first.subject,)), number
    for number in ("INV-2026/000417-R1", "INV-2026/000471"):
        receipt = register(world, replace(original, number=number))
        assert receipt.code == "ok", number
        assert first.subject in receipt.related, number
    other_seller = replace(original, seller=name_id("EXP_VN"), debtor=name_id("IMP_AE"), amount_minor=1, due_date=None)
    assert register(world, other_seller, by="EXP_VN").related == ()


# S4 Split and round up


def test_s4_split_and_rounded_up_invoices_come_back_for_review(world: World) -> None:
    papers = {"orders": ("4500098812",), "transports": ("COSU6312345670",)}
    first = register(world, particulars("417", 24_000_000, **papers))
    claim = world.funded(first.subject, to="F_CN", percent=100)
    half_a = register(world, particulars("417-A", 12_000_000, issue_date=datetime.date(2026, 5, 5), **papers))
    half_b = register(world, particulars("417-B", 12_000_000, issue_date=datetime.date(2026, 5, 5), **papers))
    rounded = register(world, particulars("417", 24_190_000, issue_date=datetime.date(2026, 5, 6)))
    assert half_a.related == (first.subject,)
    assert set(half_b.related) == {first.subject, half_a.subject}
    assert rounded.related == (first.subject,)
    for receipt in (half_a, half_b, rounded):
        assert receipt.code == "ok"
        reserved = world.reserved(receipt.subject, to="F_SG", percent=100)
        refused = world.one("F_SG", Fund(reserved))
        assert refused.code == "unacknowledged_match"
        assert first.subject in refused.related
    assert world.claim(claim).state == "funded"


# S5 Purchase order, then invoices


def test_s5_order_then_invoices(world: World) -> None:
    orders = ("PO-88213",)
    order = register(world, particulars("PO-88213", 50_000_000, "USD", orders=orders), kind="purchase_order").subject
    on_order = world.funded(order, to="F_CN", percent=70)
    first = register(
        world,
        particulars("A-1", 30_000_000, "USD", orders=orders),
        parents=((order, 60 * PERCENT, 100 * PERCENT),),
    )
    second = register(
        world,
        particulars("A-2", 20_000_000, "USD", orders=orders),
        parents=((order, 40 * PERCENT, 100 * PERCENT),),
    )
    assert first.related == second.related == ()  # one's own lineage is no match

    wanted = world.offered(first.subject, to="F_SG", percent=90)
    refused = world.one("F_SG", Reserve(wanted, 60_000))
    assert refused.code == "over_residual"
    assert refused.related == (first.subject, on_order)
    assert world.one("F_SG", Reserve(world.offered(first.subject, to="F_SG", percent=31), 1)).code == "over_residual"

    take_out = world.transaction(
        ("F_CN", "EXP_CN", "F_SG"),
        Release(on_order),
        Offer(first.subject, name_id("F_SG"), 90 * PERCENT, mark("terms"), world.now_ms + 10**6),
        Reserve(1, 60_000),
        Fund(1),
        mode="all",
    )
    assert [receipt.code for receipt in world.block([take_out]).receipts] == ["ok"] * 4
    assert world.claim(on_order).state == "released"
    assert world.claim(created(take_out, 1)).state == "funded"


def test_s5_thirty_percent_is_free(world: World) -> None:
    order = register(world, particulars("PO-88213", 50_000_000, "USD"), kind="purchase_order").subject
    world.funded(order, to="F_CN", percent=70)
    first = register(world, particulars("A-1", 30_000_000, "USD"), parents=((order, 60 * PERCENT, 100 * PERCENT),))
    world.funded(first.subject, to="F_SG", percent=30)


def test_s5_a_take_out_that_fails_keeps_the_first_claim(world: World) -> None:
    order = register(world, particulars("PO-88213", 50_000_000, "USD"), kind="purchase_order").subject
    on_order = world.funded(order, to="F_CN", percent=70)
    world.funded(order, to="F_DE", percent=20)
    first = register(world, particulars("A-1", 30_000_000, "USD"), parents=((order, 60 * PERCENT, 100 * PERCENT),))
    receipts = world.do(
        ("F_CN", "EXP_CN", "F_SG"),
        Release(on_order),
        Offer(first.subject, name_id("F_SG"), 90 * PERCENT, mark("terms"), world.now_ms + 10**6),
        Reserve(1, 60_000),
        Fund(1),
        mode="all",
    )
    assert [receipt.code for receipt in receipts] == ["rolled_back", "rolled_back", "over_residual", "rolled_back"]
    assert world.claim(on_order).state == "funded"
    assert world.receivable(order).live[0].claim == on_order


# S9 Credit note after funding


def test_s9_credit_note_after_funding(world: World) -> None:
    whole = Money("CNY", 113_000_000)
    red = Money("CNY", 40_000_000)
    fapiao = particulars("26122000000012345678", whole.minor, "CNY", government_ids=("CN:26122000000012345678",))
    receivable = register(world, fapiao).subject
    claim = world.funded(receivable, to="F_CN", percent=80)
    before = world.claim(claim)

    left = collectible_share(Money("CNY", whole.minor - red.minor), whole=whole)
    world.one("EXP_CN", Adjust(receivable, 100 * PERCENT - left, mark("red invoice")))
    assert money_of_share(world.receivable(receivable).collectible, whole=whole) == Money("CNY", 73_000_000)
    [(subject, parties, difference)] = world.heard("over_advanced")
    assert subject == receivable
    assert name_id("F_CN") in parties
    assert money_of_share(int(difference), whole=whole) == Money("CNY", 17_400_000)
    assert world.claim(claim) == before  # share and priority unchanged

    smallest = claim_share(Money("CNY", 1), whole=whole)
    offer = world.one("EXP_CN", Offer(receivable, name_id("F_SG"), smallest, mark("terms"), world.now_ms + 10**6))
    assert world.one("F_SG", Reserve(offer.subject, 60_000)).code == "over_residual"

    again = register(world, replace(fapiao, number="26122000000012349999", government_ids=("CN:26122000000012349999",)))
    assert (again.code, again.related) == ("ok", (receivable,))
    reserved = world.reserved(again.subject, to="F_SG", percent=80)
    assert world.one("F_SG", Fund(reserved)).code == "unacknowledged_match"
