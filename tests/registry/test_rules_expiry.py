"""Expiry: when a registrant may end what was never claimed, what keeps it from that, and what it leaves behind."""

from __future__ import annotations

import datetime

import pytest

from registry.limits import RESERVATION_MAX_MS
from registry.money import WHOLE
from registry.receipts import Receipt
from registry.records.external_claims import ExternalClaim
from registry.rules import matches
from registry.rules.matches import matches_of
from registry.state import State
from registry.transactions.claims import Discharge, Fund, Offer, Release, Reserve
from registry.transactions.disputes import RaiseDispute, WithdrawDispute
from registry.transactions.envelope import ALL
from registry.transactions.external_claims import EndExternalClaim, RecordExternalClaim
from registry.transactions.receivables import Adjust, Confirm, Expire, Reject
from tests.registry.world import PERCENT, World, invoice, mark, name_id, salt_of

OVER_MS = int(datetime.datetime(2026, 8, 1, 12, tzinfo=datetime.UTC).timestamp()) * 1_000  # due in July, UTC-12
DAY_MS = 86_400_000


@pytest.fixture
def world() -> World:
    return World()


def to(world: World, time_ms: int) -> None:
    """Go on to the block before this time."""
    world.block([], after_ms=time_ms - 1_000 - world.now_ms)


def expired(world: World, receivable: bytes, by: str = "EXP_CN") -> Receipt:
    return world.one(by, Expire(receivable))


def part_of(parent: bytes, percent: int = 100) -> tuple[tuple[bytes, int, int], ...]:
    return ((parent, percent * PERCENT, WHOLE),)


def confirmation(receivable: bytes, tag: str) -> Confirm:
    return Confirm(receivable, salt_of(tag), name_id("IMP_DE"), mark(f"commitment {tag}"), WHOLE, mark("text"))


# When


def test_it_expires_when_its_month_is_over_in_every_time_zone(world: World) -> None:
    receivable = world.registered("a")
    to(world, OVER_MS - 1)
    assert expired(world, receivable).code == "too_early"
    assert world.now_ms == OVER_MS - 1
    assert expired(world, receivable).code == "ok"
    assert world.receivable(receivable).state == "expired"
    assert world.heard("expired") == [(receivable, (name_id("EXP_CN"),), "")]
    assert expired(world, receivable).code == "already_done"


def test_december_is_followed_by_january(world: World) -> None:
    receivable = world.registered("a", due_month=202612)
    last_ms = OVER_MS + 153 * DAY_MS  # 2027-01-01T12:00
    to(world, last_ms - 1)
    assert expired(world, receivable).code == "too_early"
    assert expired(world, receivable).code == "ok"


def test_what_is_not_known_to_fall_due_never_expires(world: World) -> None:
    receivable = world.registered("a", due_month=0)
    to(world, OVER_MS + 36_500 * DAY_MS)
    assert expired(world, receivable).code == "too_early"


@pytest.mark.parametrize("kind", ["purchase_order", "shipment", "invoice", "instalment"])
def test_only_its_registrant_ends_it_whatever_it_is(world: World, kind: str) -> None:
    links = part_of(world.registered("whole")) if kind == "instalment" else ()
    receivable = world.registered("a", kind=kind, parents=links)
    to(world, OVER_MS)
    for other in ("EXP_VN", "IMP_DE", "F_CN"):
        assert expired(world, receivable, other).code == "not_authorised"
    assert expired(world, mark("none")).code == "not_found"
    assert expired(world, receivable).code == "ok"


def test_a_buyer_ends_what_it_registered(world: World) -> None:
    payable = world.registered("p", by="IMP_DE", kind="payable")
    to(world, OVER_MS)
    assert expired(world, payable).code == "not_authorised"
    assert expired(world, payable, "IMP_DE").code == "ok"


@pytest.mark.parametrize("state", ["rejected", "cancelled", "settled", "superseded"])
def test_what_has_ended_otherwise_does_not_expire(world: World, state: str) -> None:
    receivable = world.registered("a")
    match state:
        case "rejected":
            world.one("IMP_DE", Reject(receivable, salt_of("a"), name_id("IMP_DE"), mark("why")))
        case "cancelled":
            world.one("EXP_CN", Adjust(receivable, WHOLE, mark("note")))
        case "settled":
            world.one("F_CN", Discharge(world.funded(receivable, percent=100), WHOLE))
        case "superseded":
            world.registered("a", supersedes=receivable)
    assert world.receivable(receivable).state == state
    to(world, OVER_MS)
    assert expired(world, receivable).code == "bad_state"


# What keeps it


def test_nothing_expires_under_a_claim(world: World) -> None:
    receivable = world.registered("a")
    to(world, OVER_MS)
    claim = world.reserved(receivable, percent=60)
    assert (expired(world, receivable).code, expired(world, receivable).related) == ("encumbered", (claim,))
    assert world.one("F_CN", Fund(claim)).code == "ok"
    assert expired(world, receivable).related == (claim,)
    assert world.one("F_CN", Discharge(claim, 10 * PERCENT)).code == "ok"
    assert expired(world, receivable).related == (claim, receivable), "part of it was collected, the rest is claimed"


def test_a_release_and_the_end_are_one_transaction(world: World) -> None:
    receivable = world.registered("a")
    to(world, OVER_MS)
    claim = world.funded(receivable)
    receipts = world.do(("F_CN", "EXP_CN"), Release(claim), Expire(receivable), mode=ALL)
    assert [receipt.code for receipt in receipts] == ["ok", "ok"]


def test_a_reservation_that_lapsed_and_an_offer_keep_nothing(world: World) -> None:
    receivable = world.registered("a")
    lapsed = world.reserved(receivable)
    to(world, OVER_MS)
    offered = world.offered(receivable, to="F_SG")
    assert expired(world, receivable).code == "ok"
    assert world.heard("expired")[0][1] == tuple(sorted(map(name_id, ("EXP_CN", "F_SG"))))
    assert world.one("F_CN", Fund(lapsed)).code == "expired"
    assert world.one("F_SG", Reserve(offered, 1)).code == "bad_state"
    late = Offer(receivable, name_id("F_SG"), 1, mark("terms"), world.now_ms + DAY_MS)
    assert world.one("EXP_CN", late).code == "bad_state"


def test_claims_on_its_order_keep_an_invoice_and_parts_that_are_not_over_keep_the_whole(world: World) -> None:
    order = world.registered("po", kind="purchase_order")
    whole = world.registered("a", parents=part_of(order))
    part = world.registered("1", kind="instalment", parents=part_of(whole, 50))
    to(world, OVER_MS)
    claim = world.funded(order, percent=10)
    assert (expired(world, part).code, expired(world, part).related) == ("encumbered", (claim,))
    world.one("F_CN", Release(claim))
    assert (expired(world, whole).code, expired(world, whole).related) == ("encumbered", (part,))
    assert (expired(world, order).code, expired(world, order).related) == ("encumbered", (whole, part))
    assert [expired(world, one).code for one in (part, whole, order)] == ["ok", "ok", "ok"]


def test_a_part_that_was_credited_away_under_a_reservation_keeps_it_until_that_has_lapsed(world: World) -> None:
    whole = world.registered("po", kind="purchase_order")
    part = world.registered("a", parents=part_of(whole), due_month=0)
    to(world, OVER_MS)
    claim = world.reserved(part)
    assert world.one("EXP_CN", Adjust(part, WHOLE, mark("note"))).code == "ok"
    assert (expired(world, whole).code, expired(world, whole).related) == ("encumbered", (claim, part))
    world.block([], after_ms=RESERVATION_MAX_MS)
    assert expired(world, whole).code == "ok"


def test_a_part_below_what_was_denied_keeps_the_whole(world: World) -> None:
    whole = world.registered("po", kind="purchase_order")
    denied = world.registered("a", parents=part_of(whole))
    part = world.registered("1", kind="instalment", parents=part_of(denied))
    world.one("IMP_DE", Reject(denied, salt_of("a"), name_id("IMP_DE"), mark("why")))
    to(world, OVER_MS)
    assert (expired(world, whole).code, expired(world, whole).related) == ("encumbered", (part,))


def test_what_was_paid_on_a_part_keeps_the_whole(world: World) -> None:
    whole = world.registered("a")
    part = world.registered("1", kind="instalment", parents=part_of(whole, 50))
    world.one("F_CN", Discharge(world.funded(part, percent=100), WHOLE))
    to(world, OVER_MS)
    assert (expired(world, whole).code, expired(world, whole).related) == ("encumbered", (part,))


def test_a_dispute_and_a_claim_outside_keep_it(world: World) -> None:
    receivable = world.registered("a")
    to(world, OVER_MS)
    standing = ("debtor", salt_of("a"), name_id("IMP_DE"))
    dispute = world.one("IMP_DE", RaiseDispute(receivable, standing, "set_off", 1, mark("text"), "en")).subject
    assert (expired(world, receivable).code, expired(world, receivable).related) == ("disputed", (dispute,))
    assert world.one("IMP_DE", WithdrawDispute(dispute, mark("text"), "en")).code == "ok"
    asserted = world.one("IMP_DE", RecordExternalClaim(receivable, standing, "notice", mark("x"), mark("y"))).subject
    assert ExternalClaim.PREFIX + asserted in world.state
    assert (expired(world, receivable).code, expired(world, receivable).related) == ("encumbered", (asserted,))
    assert world.one("IMP_DE", EndExternalClaim(asserted, "paid", mark("letter"))).code == "ok"
    assert expired(world, receivable).code == "ok"


def test_what_was_confirmed_on_two_records_does_not_expire_on_one(world: World) -> None:
    prints = (("debtor_side", mark("one debt")),)
    first = world.registered("a", fingerprints=prints)
    second = world.registered("b", by="EXP_VN", fingerprints=prints)
    for receivable, tag in ((first, "a"), (second, "b")):
        world.one("IMP_DE", confirmation(receivable, tag))
    to(world, OVER_MS)
    assert (expired(world, first).code, expired(world, first).related) == ("double_confirmed", (second,))


def test_more_look_alikes_than_may_be_funded_hide_no_second_confirmation(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    prints = (("debtor_side", mark("one debt")),)
    first = world.registered("a", fingerprints=prints)
    for n in range(3):
        world.registered(f"alike {n}", fingerprints=prints)
    second = world.registered("b", by="EXP_VN", fingerprints=prints)
    monkeypatch.setattr(matches, "MATCHES_MAX", 2)
    for receivable, tag in ((first, "a"), (second, "b")):
        assert world.one("IMP_DE", confirmation(receivable, tag)).code == "ok"
    assert [(subject, detail) for subject, _, detail in world.heard("double_confirmation")] == [(second, first.hex())]
    to(world, OVER_MS)
    assert (expired(world, first).code, expired(world, first).related) == ("double_confirmed", (second,))


# After a payment


def paid(world: World, *, percent: int = 80, **changes: object) -> bytes:
    """An invoice that was financed so far, and of which its financier was paid that."""
    receivable = world.registered("a", **changes)
    claim = world.funded(receivable, percent=percent)
    assert world.one("F_CN", Discharge(claim, percent * PERCENT)).code == "ok"
    return receivable


def test_of_what_was_financed_and_paid_in_part_the_rest_ends_as_settled(world: World) -> None:
    """The usual case: 80 % financed, the buyer pays it all, 20 % of that to the seller."""
    receivable = paid(world)
    assert (world.receivable(receivable).state, world.receivable(receivable).collectible) == (
        "registered",
        20 * PERCENT,
    )
    offered = world.offered(receivable, to="F_SG", percent=20, days=1_000)
    to(world, OVER_MS - 1)
    assert expired(world, receivable).code == "too_early"
    assert expired(world, receivable).code == "ok"
    record = world.receivable(receivable)
    assert (record.state, record.collectible, record.paid) == ("settled", 0, 80 * PERCENT)
    assert world.heard("settled") == [(receivable, tuple(sorted(map(name_id, ("EXP_CN", "F_SG")))), "")]
    assert world.heard("expired") == []
    assert world.one("F_SG", Reserve(offered, 1)).code == "bad_state"
    assert expired(world, receivable).code == "bad_state"


def test_what_is_settled_so_blocks_and_is_shown_as_what_was_paid_in_full(world: World) -> None:
    order = world.registered("po", kind="purchase_order", due_month=202712)
    prints = (("exact", mark("x")), ("number", mark("n")))
    receivable = paid(world, fingerprints=prints, parents=part_of(order, 60))
    to(world, OVER_MS)
    assert expired(world, receivable).code == "ok"
    again = world.one("EXP_CN", invoice("b", fingerprints=prints))
    assert (again.code, again.related) == ("duplicate", (receivable,))
    alike = world.registered("c", fingerprints=prints[1:])
    assert world.one("F_SG", Fund(world.reserved(alike, to="F_SG"))).related == (receivable,)
    assert world.one("EXP_CN", invoice("d", parents=part_of(order, 60))).code == "over_parent"
    assert world.one("F_SG", Fund(world.reserved(order, to="F_SG", percent=50))).related == (alike, receivable)
    assert world.one("EXP_CN", invoice("e", parents=part_of(receivable))).code == "bad_state", "it has no more parts"


@pytest.mark.parametrize("hanging", ["claimed", "on its order", "part", "paid part", "outside", "disputed"])
def test_what_keeps_other_things_keeps_it_too(world: World, hanging: str) -> None:
    order = world.registered("po", kind="purchase_order")
    receivable = paid(world, percent=40, parents=part_of(order))
    standing = ("debtor", salt_of("a"), name_id("IMP_DE"))
    code, why = "encumbered", b""
    match hanging:
        case "claimed":
            why = world.funded(receivable, percent=10)
        case "on its order":
            why = world.funded(order, percent=10)
        case "part" | "paid part":
            why = world.registered("1", kind="instalment", parents=part_of(receivable, 10))
            if hanging == "paid part":
                assert world.one("F_CN", Discharge(world.funded(why, percent=50), 50 * PERCENT)).code == "ok"
        case "outside":
            why = world.one("IMP_DE", RecordExternalClaim(receivable, standing, "notice", mark("x"), mark("y"))).subject
        case "disputed":
            code = "disputed"
            why = world.one("IMP_DE", RaiseDispute(receivable, standing, "set_off", 1, mark("text"), "en")).subject
    to(world, OVER_MS)
    refused = expired(world, receivable)
    assert refused.code == code
    assert why in refused.related
    assert world.receivable(receivable).state == "registered"


# What it leaves behind


def test_it_blocks_nobody_and_comes_back_as_a_match(world: World) -> None:
    prints = (("exact", mark("x")),)
    old = world.registered("a", fingerprints=prints)
    world.one("EXP_CN", Adjust(old, 30 * PERCENT, mark("note")))
    to(world, OVER_MS)
    assert expired(world, old).code == "ok"
    again = world.one("EXP_CN", invoice("again", fingerprints=prints))
    assert (again.code, again.related) == ("ok", (old,))
    claim = world.reserved(again.subject)
    assert world.one("F_CN", Fund(claim)).related == (old,), "whose credit note does not count on the new one"
    assert world.one("F_CN", Fund(claim, (old,))).code == "ok"


def test_it_gives_its_part_of_the_parent_back(world: World) -> None:
    order = world.registered("po", kind="purchase_order", due_month=202712)
    part = world.registered("a", parents=part_of(order, 60))
    to(world, OVER_MS)
    fresh = invoice("b", parents=part_of(order, 60))
    assert world.one("EXP_CN", fresh).code == "over_parent"
    assert expired(world, part).code == "ok"
    assert world.one("EXP_CN", fresh).code == "ok"
    assert world.one("EXP_CN", invoice("c", parents=part_of(part))).code == "bad_state", "it has no more parts"


def test_it_frees_no_identity_that_is_claimed_through_its_lineage_later(world: World) -> None:
    """F_CN finances the order after its invoice has expired: the seller does not sell that invoice beside it."""
    prints = (("gov", mark("fapiao")),)
    order = world.registered("po", kind="purchase_order", due_month=202712)
    old = world.registered("a", fingerprints=prints, parents=part_of(order))
    to(world, OVER_MS)
    assert expired(world, old).code == "ok"
    claim = world.funded(order, percent=100)
    again = world.one("EXP_CN", invoice("b", fingerprints=prints))
    assert (again.code, again.related) == ("duplicate", (old,))
    rightful = world.one("EXP_VN", invoice("c", fingerprints=prints))
    assert (rightful.code, rightful.related) == ("ok", (old,))
    linked = invoice("d", fingerprints=(("gov", mark("another")),), parents=part_of(order))
    under = world.one("EXP_CN", linked).subject
    assert world.one("F_SG", Reserve(world.offered(under, to="F_SG", percent=1), 1)).code == "over_residual"
    world.one("F_CN", Release(claim))
    found = matches_of(world.receivable(rightful.subject), State(world.state.get), world.now_ms)
    assert found is not None
    assert (found.blocking, found.review) == ((), (old,))
