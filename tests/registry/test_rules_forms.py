"""The other forms of financing (registry.md 6.4) and what takes the place of a registration, as stories."""

from __future__ import annotations

import pytest

from registry.money import WHOLE
from registry.transactions.claims import Cover, Discharge, Fund, Offer, Reassign, Release, Reserve
from registry.transactions.receivables import Adjust, Confirm, Reject
from tests.registry.world import PERCENT, World, created, invoice, mark, name_id, salt_of

DAY_MS = 86_400_000


@pytest.fixture
def world() -> World:
    return World()


def offer_to(world: World, receivable: bytes | int, to: str, percent: int, **more: str) -> Offer:
    return Offer(receivable, name_id(to), percent * PERCENT, mark("terms"), world.now_ms + DAY_MS, **more)


# --- two factors -----------------------------------------------------------------------------------------------------


def test_export_and_import_factor_stand_on_one_claim(world: World) -> None:
    receivable = world.registered("a")
    claim = world.one("EXP_CN", offer_to(world, receivable, "F_CN", 80, import_factor=name_id("F_DE"))).subject
    assert world.heard("offered")[0][1] == tuple(sorted(map(name_id, ("EXP_CN", "F_CN", "F_DE"))))
    assert world.one("F_DE", Cover(claim, 80 * PERCENT)).code == "ok"
    assert [receipt.code for receipt in world.do("F_CN", Reserve(claim, 600_000), Fund(claim))] == ["ok", "ok"]
    assert (world.claim(claim).import_factor, world.claim(claim).covered) == (name_id("F_DE"), 80 * PERCENT)
    assert world.one("F_DE", Cover(claim, 81 * PERCENT)).code == "over_residual"
    assert world.one("F_CN", Discharge(claim, 50 * PERCENT)).code == "ok"
    assert world.claim(claim).covered == 30 * PERCENT, "nobody covers what was paid"
    assert world.one("F_DE", Cover(claim, 0)).code == "ok"
    assert world.one("F_CN", Discharge(claim, 30 * PERCENT)).code == "ok"
    assert world.one("F_DE", Cover(claim, 0)).code == "bad_state"


def test_an_import_factor_that_takes_the_claim_over_covers_it_no_more(world: World) -> None:
    receivable = world.registered("a")
    claim = world.one("EXP_CN", offer_to(world, receivable, "F_CN", 80, import_factor=name_id("F_DE"))).subject
    world.do("F_CN", Reserve(claim, 600_000), Fund(claim))
    world.one("F_DE", Cover(claim, 80 * PERCENT))
    assert world.one(("F_CN", "F_DE"), Reassign(claim, name_id("F_DE"))).code == "ok"
    record = world.claim(claim)
    assert (record.holder, record.import_factor, record.covered) == (name_id("F_DE"), "", 0)
    assert world.one("F_DE", Cover(claim, 1)).code == "not_authorised"


def test_only_the_import_factor_named_gives_cover(world: World) -> None:
    receivable = world.registered("a")
    alone = world.offered(receivable)
    assert world.one("F_DE", Cover(alone, 1)).code == "not_authorised"
    claim = world.one("EXP_CN", offer_to(world, receivable, "F_CN", 80, import_factor=name_id("F_DE"))).subject
    assert world.one("F_SG", Cover(claim, 1)).code == "not_authorised"
    assert world.one("F_DE", Cover(mark("?"), 1)).code == "not_found"


@pytest.mark.parametrize(
    ("factor", "code"), [("lei:984500USIMPORT000143", "unknown_party"), ("EXP_VN", "not_authorised"), ("F_CN", "")]
)
def test_an_import_factor_is_another_financier(world: World, factor: str, code: str) -> None:
    named = factor if factor.startswith("lei:") else name_id(factor)
    receipt = world.one("EXP_CN", offer_to(world, world.registered("a"), "F_CN", 80, import_factor=named))
    assert receipt.code == (code or "not_authorised")


# --- forms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["factoring", "discounting", "pledge", "reverse_factoring", "forfaiting"])
def test_whatever_the_form_a_share_is_taken_once(world: World, form: str) -> None:
    receivable = world.registered("a")
    claim = world.one("EXP_CN", offer_to(world, receivable, "F_CN", 80, form=form)).subject
    assert [receipt.code for receipt in world.do("F_CN", Reserve(claim, 600_000), Fund(claim))] == ["ok", "ok"]
    assert world.claim(claim).form == form
    assert world.one("F_SG", Reserve(world.offered(receivable, to="F_SG", percent=21), 1)).code == "over_residual"
    assert world.one("F_SG", Reserve(world.offered(receivable, to="F_SG", percent=20), 1)).code == "ok"


def test_reverse_factoring_hits_the_record_that_the_seller_made(world: World) -> None:
    """The buyer registers what it owes; the same receivable from the seller's side is a certain duplicate."""
    prints = (("exact", mark("the same")),)
    payable = world.registered("p", by="IMP_DE", kind="payable", fingerprints=prints)
    claim = world.one("IMP_DE", offer_to(world, payable, "F_DE", 100, form="reverse_factoring")).subject
    assert [receipt.code for receipt in world.do("F_DE", Reserve(claim, 600_000), Fund(claim))] == ["ok", "ok"]
    receipt = world.one("EXP_CN", invoice("seller's side", fingerprints=prints))
    assert (receipt.code, receipt.related) == ("duplicate", (payable,))


def test_a_syndicate_funds_together_or_not_at_all(world: World) -> None:
    receivable = world.registered("a")
    shares = (("F_CN", 40), ("F_SG", 30), ("F_DE", 30))
    operations: list[object] = []
    for name, percent in shares:
        at = len(operations)
        operations += [offer_to(world, receivable, name, percent), Reserve(at, 600_000), Fund(at)]
    signers = ("EXP_CN", *(name for name, _ in shares))
    made = world.transaction(signers, *operations, mode="all")  # type: ignore[arg-type]
    world.block([made])
    assert [world.claim(created(made, 3 * index)).share for index in range(3)] == [p * PERCENT for _, p in shares]
    assert world.receivable(receivable).collectible == WHOLE
    again = [offer_to(world, receivable, "F_GB", 1), Reserve(0, 600_000), Fund(0)]
    codes = [receipt.code for receipt in world.do(("EXP_CN", "F_GB"), *again, mode="all")]
    assert codes == ["rolled_back", "over_residual", "rolled_back"]


def test_instalments_carry_the_claim_on_their_invoice(world: World) -> None:
    whole = world.registered("invoice")
    parts = [
        world.registered(f"part {number}", kind="instalment", parents=((whole, 25 * PERCENT, WHOLE),))
        for number in range(4)
    ]
    world.funded(whole, percent=60)
    assert world.one("F_SG", Reserve(world.offered(parts[0], to="F_SG", percent=41), 1)).code == "over_residual"
    assert world.one("F_SG", Reserve(world.offered(parts[0], to="F_SG", percent=40), 1)).code == "ok"


def test_a_chain_of_holders_ends_in_a_recourse_buy_back(world: World) -> None:
    claim = world.funded(world.registered("a"))
    for holder, taker in (("F_CN", "F_SG"), ("F_SG", "F_DE"), ("F_DE", "EXP_CN")):
        assert world.one((holder, taker), Reassign(claim, name_id(taker))).code == "ok"
    assert world.claim(claim).holders == tuple(map(name_id, ("F_CN", "F_SG", "F_DE", "EXP_CN")))
    assert world.one("F_CN", Release(claim)).code == "not_holder"
    assert world.one("EXP_CN", Release(claim)).code == "ok"


# --- supersession, credit and reissue --------------------------------------------------------------------------------


def test_a_corrected_registration_takes_the_place_of_the_first(world: World) -> None:
    first = world.registered("a", due_month=202607)
    made = world.transaction("EXP_CN", invoice("a", due_month=202608, supersedes=first))
    (receipt,) = world.block([made]).receipts
    assert (receipt.code, receipt.related) == ("ok", ()), "what it corrects is no duplicate and no match of it"
    assert world.heard("superseded") == [(first, (name_id("EXP_CN"),), receipt.subject.hex())]
    assert world.receivable(first).state == "superseded"
    assert world.one("EXP_CN", offer_to(world, first, "F_CN", 1)).code == "bad_state"
    assert world.one("EXP_CN", invoice("a")).related == (receipt.subject,)
    assert world.one("EXP_CN", invoice("a", supersedes=first)).code == "bad_state"
    world.funded(receipt.subject)


def test_what_hangs_on_a_registration_keeps_it(world: World) -> None:
    claimed, order, paid = (world.registered(tag) for tag in ("claimed", "order", "paid"))
    claim = world.funded(claimed)
    child = world.registered("child", parents=((order, WHOLE, WHOLE),))
    world.one("F_CN", Discharge(world.funded(paid), 10 * PERCENT))
    refused = world.one("EXP_CN", invoice("new", supersedes=claimed))
    assert (refused.code, refused.related) == ("encumbered", (claimed, claim))
    assert world.one("EXP_CN", invoice("new", supersedes=order)).related == (order, child)
    assert world.one("EXP_CN", invoice("new", supersedes=paid)).code == "bad_state"
    assert world.one("EXP_VN", invoice("new", supersedes=claimed)).code == "not_authorised"
    assert world.one("EXP_CN", invoice("new", supersedes=mark("?"))).code == "not_found"


def test_a_correction_hides_nothing(world: World) -> None:
    rejected, part, credited = (world.registered(tag) for tag in ("r", "p", "c"))
    world.one("IMP_DE", Reject(rejected, salt_of("r"), name_id("IMP_DE"), mark("never ordered")))
    shown = Confirm(part, salt_of("p"), name_id("IMP_DE"), mark("commitment p"), WHOLE // 2, mark("text"))
    assert world.one("IMP_DE", shown).code == "ok"
    world.one("EXP_CN", Adjust(credited, 1, mark("note")))
    for old in (rejected, part, credited):
        assert world.one("EXP_CN", invoice("new", supersedes=old)).code == "bad_state"


def test_a_correction_does_not_escape_the_claim_on_its_order(world: World) -> None:
    order = world.registered("order", kind="purchase_order")
    link = (order, WHOLE, WHOLE)
    first = world.registered("a", parents=(link,))
    world.funded(order, percent=70)
    assert world.one("EXP_CN", invoice("a", supersedes=first)).code == "encumbered"
    thinner = invoice("a", parents=((order, 1, WHOLE),), supersedes=first)
    assert world.one("EXP_CN", thinner).code == "encumbered"
    second = world.one("EXP_CN", invoice("a", parents=(link,), supersedes=first)).subject
    assert world.one("F_SG", Reserve(world.offered(second, to="F_SG", percent=31), 1)).code == "over_residual"


def test_a_correction_is_no_child_of_what_it_replaces(world: World) -> None:
    """It would be linked one way only, and the claims on it would weigh on the order no more."""
    order = world.registered("order", kind="purchase_order")
    first = world.registered("a", parents=((order, WHOLE, WHOLE),))
    refused = world.one("EXP_CN", invoice("b", parents=((first, WHOLE, WHOLE),), supersedes=first))
    assert (refused.code, refused.related) == ("bad_state", (first,))
    assert world.receivable(first).state == "registered"


def test_a_rejected_part_that_was_financed_keeps_its_order(world: World) -> None:
    order = world.registered("order", kind="purchase_order")
    child = world.registered("a", parents=((order, WHOLE, WHOLE),))
    world.funded(child)
    world.one("IMP_DE", Reject(child, salt_of("a"), name_id("IMP_DE"), mark("never ordered")))
    assert world.one("EXP_CN", invoice("order again", supersedes=order)).code == "encumbered"


def test_the_holder_and_the_seller_correct_a_funded_invoice_in_one_transaction(world: World) -> None:
    first = world.registered("a")
    claim = world.funded(first)
    operations = [
        Release(claim),
        invoice("a", due_month=202609, supersedes=first),
        offer_to(world, 1, "F_CN", 80),
        Reserve(2, 600_000),
        Fund(2),
    ]
    made = world.transaction(("EXP_CN", "F_CN"), *operations, mode="all")
    assert {receipt.code for receipt in world.block([made]).receipts} == {"ok"}
    assert world.claim(created(made, 2)).state == "funded"


def test_a_corrected_part_takes_the_place_of_the_first_under_its_order(world: World) -> None:
    order = world.registered("order", kind="purchase_order")
    first = world.registered("a", parents=((order, 60 * PERCENT, WHOLE),))
    world.registered("b", parents=((order, 40 * PERCENT, WHOLE),))
    corrected = invoice("a", parents=((order, 60 * PERCENT, WHOLE),), supersedes=first)
    assert world.one("EXP_CN", corrected).code == "ok"
    assert world.one("EXP_CN", invoice("c", parents=((order, 1, WHOLE),))).code == "over_parent"


def test_a_credited_invoice_is_issued_again_without_a_false_duplicate(world: World) -> None:
    """The red e-fapiao flow: the whole is credited, the goods are invoiced anew under the same particulars."""
    first = world.registered("a")
    assert world.one("EXP_CN", Adjust(first, WHOLE, mark("red e-fapiao"))).code == "ok"
    assert world.receivable(first).state == "cancelled"
    receipt = world.one("EXP_CN", invoice("a"))
    assert (receipt.code, receipt.related) == ("ok", ())


def test_the_debtor_hears_that_what_it_confirmed_was_superseded(world: World) -> None:
    first = world.registered("a")
    shown = Confirm(first, salt_of("a"), name_id("IMP_DE"), mark("commitment a"), WHOLE, mark("text"))
    assert world.one("IMP_DE", shown).code == "ok"
    newer = world.one("EXP_CN", invoice("a", supersedes=first)).subject
    assert world.heard("superseded") == [(first, tuple(sorted(map(name_id, ("EXP_CN", "IMP_DE")))), newer.hex())]
    assert world.receivable(newer).state == "registered", "it must be confirmed again"
