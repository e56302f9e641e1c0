"""Receivables: registration, matches, lineage, the debtor's answer, credit notes (registry.md 4 and 7)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.limits import CHILDREN_MAX, FAMILY_MAX, LINEAGE_DEPTH_MAX, PRINT_HOLDERS_BY_MAX, RESERVATION_MAX_MS
from registry.money import WHOLE
from registry.records import Link, decode_record
from registry.records.credit_notes import CreditNote
from registry.records.families import FAMILIES, family_of
from registry.rules import matches, receivables
from registry.transactions.claims import Discharge, Fund, Offer, Release, Reserve
from registry.transactions.receivables import NO_DIGEST, Adjust, Confirm, Reject, debtor_commitment
from tests.registry.world import PERCENT, World, created, invoice, mark, name_id, salt_of


@pytest.fixture
def world() -> World:
    return World()


def confirmation(receivable: bytes, tag: str, share: int = WHOLE, debtor: str = "IMP_DE") -> Confirm:
    return Confirm(receivable, salt_of(tag), name_id(debtor), mark(f"commitment {tag}"), share, mark("text"))


def rejection(receivable: bytes, tag: str) -> Reject:
    return Reject(receivable, salt_of(tag), name_id("IMP_DE"), mark("reason"))


# Registration and matches


def test_a_registration_is_recorded_as_signed(world: World) -> None:
    operation = invoice("a", references=(mark("filing"),))
    receipt = world.one("EXP_CN", operation)
    record = world.receivable(receipt.subject)
    assert (receipt.code, receipt.related) == ("ok", ())
    assert (record.state, record.collectible, record.paid) == ("registered", WHOLE, 0)
    assert record.registrant == name_id("EXP_CN")
    for field in ("kind", "fingerprints", "commitment", "laws", "currency", "due_month", "grade", "references"):
        assert getattr(record, field) == getattr(operation, field)
    assert world.heard("registered") == [(receipt.subject, (name_id("EXP_CN"),), "")]


@pytest.mark.parametrize(
    ("signer", "kind", "code"),
    [
        ("EXP_CN", "invoice", "ok"),
        ("IMP_DE", "payable", "ok"),
        ("EXP_CN", "payable", "not_authorised"),
        ("IMP_DE", "invoice", "not_authorised"),
        ("F_CN", "invoice", "not_authorised"),
    ],
)
def test_who_may_register(world: World, signer: str, kind: str, code: str) -> None:
    assert world.one(signer, invoice("a", kind=kind)).code == code


@pytest.mark.parametrize("grade", ["tax_verified", "customs_verified", "debtor_confirmed"])
def test_a_registrant_does_not_vouch_for_itself(world: World, grade: str) -> None:
    assert world.one("EXP_CN", invoice("a", grade=grade)).code == "grade_unproven"


@pytest.mark.parametrize("kind", ["exact", "gov"])
def test_a_certain_duplicate_is_refused(world: World, kind: str) -> None:
    first = world.registered("a", fingerprints=((kind, mark("x")),))
    holder = world.funded(first, to="F_CN")
    receipt = world.one("EXP_VN", invoice("b", fingerprints=(("number", mark("n")), (kind, mark("x")))))
    assert (receipt.code, receipt.subject, receipt.related) == ("duplicate", b"", (first,))
    assert world.claim(holder).state == "funded"
    parties = tuple(sorted(map(name_id, ("EXP_CN", "EXP_VN", "F_CN"))))
    assert world.heard("refused_duplicate") == [(first, parties, "")]


@pytest.mark.parametrize(
    "kind", ["number", "particulars", "window", "debtor_side", "debtor_number", "order", "transport"]
)
def test_what_is_alike_is_registered_listed_and_heard_by_both_sides(world: World, kind: str) -> None:
    first = world.registered("a", fingerprints=((kind, mark("x")),))
    receipt = world.one("EXP_VN", invoice("b", fingerprints=((kind, mark("x")),)))
    assert (receipt.code, receipt.related) == ("ok", (first,))
    sides = tuple(sorted(map(name_id, ("EXP_CN", "EXP_VN"))))
    assert world.heard("matched") == [(receipt.subject, sides, first.hex())]


def test_the_same_value_of_another_kind_is_no_match(world: World) -> None:
    world.registered("a", fingerprints=(("number", mark("x")),))
    assert world.one("EXP_CN", invoice("b", fingerprints=(("order", mark("x")),))).related == ()


def test_matches_are_listed_once_oldest_first(world: World) -> None:
    prints = (("number", mark("n")), ("order", mark("o")))
    first, second = (world.registered(tag, fingerprints=prints) for tag in "ab")
    assert world.one("EXP_CN", invoice("c", fingerprints=prints)).related == (first, second)


def test_funding_past_a_match_needs_its_acknowledgement(world: World) -> None:
    first = world.registered("a", fingerprints=(("number", mark("n")), ("exact", mark("1"))))
    second = world.registered("b", fingerprints=(("number", mark("n")), ("exact", mark("2"))))
    claim = world.reserved(second)
    receipt = world.one("F_CN", Fund(claim, (mark("something else"),)))
    assert (receipt.code, receipt.subject, receipt.related) == ("unacknowledged_match", claim, (first,))
    assert world.heard("refused_claim")[0][2] == "unacknowledged_match"
    assert world.one("F_CN", Fund(claim, (first,))).code == "ok"


def test_a_match_that_came_later_counts_too(world: World) -> None:
    """Until the financier has reserved; what strangers register after that is in test_rules_listing."""
    first = world.registered("a", fingerprints=(("number", mark("n")),))
    claim = world.offered(first)
    later = world.registered("b", by="EXP_VN", fingerprints=(("number", mark("n")),))
    assert world.one("F_CN", Reserve(claim, 600_000)).code == "ok"
    receipt = world.one("F_CN", Fund(claim))
    assert (receipt.code, receipt.related) == ("unacknowledged_match", (later,))


def test_a_rejected_record_blocks_nobody_but_is_remembered(world: World) -> None:
    first = world.registered("a")
    world.one("IMP_DE", rejection(first, "a"))
    receipt = world.one("EXP_CN", invoice("a"))
    assert (receipt.code, receipt.related) == ("ok", (first,))
    claim = world.reserved(receipt.subject)
    assert world.one("F_CN", Fund(claim)).related == (first,)


def test_a_cancelled_record_is_no_match_and_a_settled_one_blocks(world: World) -> None:
    cancelled = world.registered("a")
    world.one("EXP_CN", Adjust(cancelled, WHOLE, mark("credit note")))
    assert world.receivable(cancelled).state == "cancelled"
    assert world.one("EXP_CN", invoice("a")).code == "ok"
    settled = world.registered("b")
    world.one("F_CN", Discharge(world.funded(settled, percent=100), WHOLE))
    assert world.receivable(settled).state == "settled"
    assert world.one("EXP_CN", invoice("b")).related == (settled,)
    assert world.one("EXP_CN", invoice("b")).code == "duplicate"


def test_what_is_cancelled_crowds_nobody_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    alike = (("particulars", mark("same")),)
    claim = world.reserved(world.registered("a", fingerprints=alike))
    copies = [world.registered(f"x{n}", by="EXP_VN", fingerprints=alike) for n in range(2)]
    copies += [world.registered("x2", by="IMP_AE", kind="payable", fingerprints=(("number", mark("other")), *alike))]
    monkeypatch.setattr(matches, "MATCHES_MAX", 2)
    assert world.one("F_CN", Fund(claim, tuple(copies))).code == "limit_reached"
    assert world.one("IMP_AE", Adjust(copies[-1], WHOLE, mark("credit note"))).code == "ok"
    assert world.one("F_CN", Fund(claim, tuple(copies[:2]))).code == "ok"


@pytest.mark.parametrize("kind", ["window", "debtor_side"])
def test_own_holders_of_one_fingerprint_are_bounded(world: World, kind: str) -> None:
    prints = ((kind, mark("one")),)
    world.registered("stranger", by="EXP_VN", fingerprints=prints)
    for _ in range(PRINT_HOLDERS_BY_MAX // 64):
        receipts = world.do("EXP_CN", *(invoice(str(i), fingerprints=prints) for i in range(64)))
        assert {receipt.code for receipt in receipts} == {"ok"}, "not one less because somebody else was first"
    receipt = world.one("EXP_CN", invoice("one more", fingerprints=prints))
    assert receipt.code == "limit_reached"


def acknowledging(world: World, claim: bytes, *, to: str = "F_CN") -> set[bytes]:
    """Fund the claim, having looked at all that it is told of, so many at a time; these."""
    seen: set[bytes] = set()
    while (receipt := world.one(to, Fund(claim, tuple(sorted(seen))))).code == "unacknowledged_match":
        seen.update(receipt.related)
    assert receipt.code == "ok", receipt
    return seen


def three_frame_orders(world: World, *, on_ships: bool = False) -> tuple[tuple[str, bytes], ...]:
    """Of 200 invoices each, maybe on a ship of its own; the prints of one invoice that names all three."""
    orders = tuple(("order", mark(f"frame order {i}")) for i in range(3))
    for _, value in orders:
        prints = (("order", value), *((("transport", value),) if on_ships else ()))
        for start in range(0, 200, 100):
            registrations = (invoice(str(i), fingerprints=prints) for i in range(start, start + 100))
            assert {receipt.code for receipt in world.do("EXP_CN", *registrations)} == {"ok"}
    return orders


def test_more_look_alikes_than_anyone_looks_at_keep_nothing_from_being_registered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are for review: what is to be looked at is asked when it is funded. As many are told of it as before."""
    orders = three_frame_orders(world)
    acknowledging(world, world.reserved(world.registered("one", fingerprints=orders[2:]), to="F_SG"), to="F_SG")
    monkeypatch.setattr(matches, "MATCHES_MAX", 100)
    monkeypatch.setattr(receivables, "MATCHES_MAX", 100)
    made = world.one("EXP_CN", invoice("consolidated", fingerprints=orders))
    assert (made.code, len(made.related)) == ("ok", 64)
    assert len(world.heard("matched")) <= 100
    assert any(name_id("F_SG") in parties for _, parties, _ in world.heard("matched"))
    assert world.one("F_CN", Fund(world.reserved(made.subject))).code == "limit_reached"


def test_an_invoice_over_three_frame_orders_is_financed(world: World) -> None:
    """Of what is alike in one of its orders alone, and not financed, so many are looked at as of one order."""
    orders = three_frame_orders(world)
    financed = world.registered("financed", fingerprints=orders[2:])
    seen = acknowledging(world, world.reserved(financed, to="F_SG"), to="F_SG")
    assert len(seen) == 200
    claim = world.reserved(world.registered("consolidated", fingerprints=orders))
    looked_at = acknowledging(world, claim)
    assert len(looked_at) == PRINT_HOLDERS_BY_MAX + 1
    assert financed in looked_at, "whatever comes before it in number and age"


def test_what_is_alike_in_more_than_one_order_is_all_looked_at(world: World) -> None:
    """A part of the debt, perhaps: of one order and one ship."""
    orders = three_frame_orders(world, on_ships=True)
    ships = tuple(("transport", value) for _, value in orders)
    claim = world.reserved(world.registered("consolidated", fingerprints=(*orders, *ships)))
    assert world.one("F_CN", Fund(claim)).code == "limit_reached"


def test_of_one_order_all_that_was_denied_or_paid_is_looked_at_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 4 of its own at most that nothing weighs on."""
    monkeypatch.setattr(matches, "PRINT_HOLDERS_BY_MAX", 4)
    prints = (("order", mark("frame order")),)
    own = [world.registered(f"{i}", fingerprints=prints) for i in range(9)]
    stranger = world.registered("stranger", by="EXP_VN", fingerprints=prints)
    world.one("IMP_DE", rejection(own[8], "8"))
    claims = {i: world.reserved(own[i], percent=100) for i in (5, 6, 7)}
    for claim in claims.values():
        acknowledging(world, claim)
    assert world.one("F_CN", Discharge(claims[7], WHOLE)).code == "ok"
    claim = world.reserved(world.registered("mine", fingerprints=prints), to="F_SG")
    assert acknowledging(world, claim, to="F_SG") == {stranger, own[8], own[5], own[6], own[7], *own[:3]}


# Lineage


def order(world: World, *, tag: str = "order", kind: str = "purchase_order") -> bytes:
    return world.registered(tag, kind=kind, fingerprints=(("order", mark(f"PO {tag}")),))


def under(*parents: tuple[bytes, int, int]) -> tuple[Link, ...]:
    """Links to parents, parts in percent."""
    return tuple(Link(parent, up * PERCENT, down * PERCENT) for parent, up, down in parents)


def test_parts_of_a_parent_never_exceed_the_whole(world: World) -> None:
    parent = order(world)
    world.registered("a", parents=under((parent, 60, 100)))
    receipt = world.one("EXP_CN", invoice("b", parents=under((parent, 41, 100))))
    assert (receipt.code, receipt.related) == ("over_parent", (parent,))
    child = world.registered("c", parents=under((parent, 40, 100)))
    assert [link.part_of_parent for link in world.receivable(parent).children] == [60 * PERCENT, 40 * PERCENT]
    assert world.receivable(child).parents == under((parent, 40, 100))


def test_a_copy_of_a_child_is_a_duplicate_and_no_excess_of_its_parent(world: World) -> None:
    """Else who registers again after an interruption would be told of a fault, and not of what is there already."""
    parent = order(world)
    certain = (("exact", mark("exact a")),)
    child = world.registered("a", parents=under((parent, 100, 100)), fingerprints=certain)
    again = world.one("EXP_CN", invoice("a", parents=under((parent, 100, 100)), fingerprints=certain))
    assert (again.code, again.related) == ("duplicate", (child,))


def test_a_cancelled_child_gives_its_part_of_the_parent_back(world: World) -> None:
    parent = order(world)
    child = world.registered("a", parents=under((parent, 100, 100)))
    assert world.one("EXP_CN", invoice("b", parents=under((parent, 100, 100)))).code == "over_parent"
    world.one("EXP_CN", Adjust(child, WHOLE, mark("credit note")))
    world.registered("b", parents=under((parent, 100, 100)))


def test_so_does_one_that_was_credited_away_under_a_reservation_once_that_has_lapsed(world: World) -> None:
    parent = order(world)
    wrong = world.registered("wrong", due_month=0, parents=under((parent, 100, 100)))
    world.reserved(wrong)
    assert world.one("EXP_CN", Adjust(wrong, WHOLE, mark("credit note"))).code == "ok"
    right = invoice("right", parents=under((parent, 100, 100)))
    assert world.one("EXP_CN", right).code == "over_parent", "what is reserved may still be paid out on"
    world.block([], after_ms=RESERVATION_MAX_MS)
    assert world.receivable(wrong).state == "registered", "time alone has closed nothing"
    made = world.one("EXP_CN", right)
    assert made.code == "ok"
    assert world.one("F_SG", Reserve(world.offered(wrong, to="F_SG", percent=1), 1)).code == "over_residual"
    below = world.registered("below", kind="instalment", parents=under((wrong, 100, 100)))
    assert world.one("F_SG", Reserve(world.offered(below, to="F_SG", percent=1), 1)).code == "over_residual"
    assert world.one("F_CN", Release(world.funded(made.subject, percent=100))).code == "ok"
    assert world.one("F_CN", Fund(world.reserved(parent, percent=100))).code == "ok", "nor does it keep the order"


def test_so_one_may_supersede_what_has_no_other_parts(world: World) -> None:
    parent = order(world)
    wrong = world.registered("wrong", parents=under((parent, 100, 100)))
    world.reserved(wrong)
    assert world.one("EXP_CN", Adjust(wrong, WHOLE, mark("credit note"))).code == "ok"
    corrected = invoice("order", kind="purchase_order", supersedes=parent)
    assert world.one("EXP_CN", corrected).code == "encumbered"
    world.block([], after_ms=RESERVATION_MAX_MS)
    assert world.one("EXP_CN", corrected).code == "ok"


def test_links_lead_only_to_ones_own_open_receivables(world: World) -> None:
    parent = order(world)
    foreign = world.one("EXP_VN", invoice("a", parents=under((parent, 10, 100))))
    assert (foreign.code, foreign.related) == ("not_authorised", (parent,))
    nowhere = world.one("EXP_CN", invoice("a", parents=under((mark("?"), 10, 100))))
    assert (nowhere.code, nowhere.related) == ("not_found", (mark("?"),))
    world.one("EXP_CN", Adjust(parent, WHOLE, mark("credit note")))
    assert world.one("EXP_CN", invoice("a", parents=under((parent, 10, 100)))).code == "bad_state"


def test_a_receivable_cannot_be_its_own_ancestor(world: World) -> None:
    itself = world.transaction("EXP_CN", invoice("a", parents=((0, WHOLE, WHOLE),)))
    assert world.block([itself]).receipts[0].code == "not_found"
    ahead = world.transaction(
        "EXP_CN", invoice("a", parents=((1, WHOLE, WHOLE),)), invoice("b", parents=((0, WHOLE, WHOLE),))
    )
    assert [receipt.code for receipt in world.block([ahead]).receipts] == ["not_found", "not_found"]


def test_one_batch_registers_an_order_and_its_invoices(world: World) -> None:
    batch = world.transaction(
        "EXP_CN",
        invoice("order", kind="purchase_order"),
        invoice("a", parents=((0, 60 * PERCENT, WHOLE),)),
        invoice("b", parents=((0, 40 * PERCENT, WHOLE),)),
    )
    assert [receipt.code for receipt in world.block([batch]).receipts] == ["ok"] * 3
    children = [link.receivable for link in world.receivable(created(batch, 0)).children]
    assert children == [created(batch, 1), created(batch, 2)]


def test_depth_is_bounded(world: World) -> None:
    parent = order(world)
    for level in range(LINEAGE_DEPTH_MAX - 1):
        parent = world.registered(f"level {level}", parents=under((parent, 100, 100)))
    assert world.one("EXP_CN", invoice("too deep", parents=under((parent, 100, 100)))).code == "limit_reached"


def test_width_is_bounded(world: World) -> None:
    parent = order(world)
    children = [invoice(f"{i}", parents=((parent, 1, WHOLE),)) for i in range(CHILDREN_MAX + 1)]
    codes = [receipt.code for receipt in world.do("EXP_CN", *children)]
    assert codes == ["ok"] * CHILDREN_MAX + ["limit_reached"]


def test_a_family_is_bounded(world: World) -> None:
    parents = [order(world, tag=f"order {i}") for i in range(3)]
    joined = invoice("joint", parents=tuple((parent, 1, 1 if i else WHOLE - 2) for i, parent in enumerate(parents)))
    assert world.one("EXP_CN", joined).code == "ok"
    room = FAMILY_MAX - 4
    rows = [(parents[i % 3], f"{i}") for i in range(room + 1)]
    codes = [
        receipt.code for receipt in world.do("EXP_CN", *(invoice(tag, parents=((one, 1, WHOLE),)) for one, tag in rows))
    ]
    assert codes == ["ok"] * room + ["limit_reached"]


def test_claims_weigh_down_and_up_along_links(world: World) -> None:
    parent = order(world)
    a = world.registered("a", parents=under((parent, 60, 100)))
    b = world.registered("b", parents=under((parent, 40, 100)))
    world.funded(parent, to="F_CN", percent=70)
    too_much = world.offered(a, to="F_SG", percent=31)
    receipt = world.one("F_SG", Reserve(too_much, 60_000))
    assert (receipt.code, receipt.related[0]) == ("over_residual", a)
    world.funded(a, to="F_SG", percent=30)  # 18% of the order
    more_on_order = world.offered(parent, to="F_DE", percent=13)
    receipt = world.one("F_DE", Reserve(more_on_order, 60_000))
    assert (receipt.code, receipt.related[0]) == ("over_residual", parent)
    world.funded(b, to="F_DE", percent=30)  # another 12%: 70 + 18 + 12 = 100
    for receivable in (parent, a, b):
        claim = world.one("EXP_CN", Offer(receivable, name_id("F_BR"), 1, mark("terms"), world.now_ms + 10**6)).subject
        assert world.one("F_BR", Reserve(claim, 1)).code == "over_residual"


def test_a_claim_on_the_order_must_fit_on_every_invoice(world: World) -> None:
    parent = order(world)
    child = world.registered("a", parents=under((parent, 10, 100)))
    first = world.funded(child, to="F_CN", percent=90)  # only 9% of the order
    claim = world.offered(parent, to="F_SG", percent=20)
    receipt = world.one("F_SG", Reserve(claim, 60_000))
    assert (receipt.code, receipt.related) == ("over_residual", (child, first))


def test_what_was_paid_on_an_invoice_stays_used_up_on_the_order(world: World) -> None:
    parent = order(world)
    child = world.registered("a", parents=under((parent, 60, 100)))
    world.one("F_CN", Discharge(world.funded(child, percent=100), WHOLE))
    assert world.receivable(child).state == "settled"
    too_much = world.offered(parent, to="F_SG", percent=41)
    assert world.one("F_SG", Reserve(too_much, 60_000)).code == "over_residual"
    world.funded(
        parent, to="F_SG", percent=40, acknowledged=(child,)
    )  # how much of the order it was, is the seller's word


def test_two_parents_each_weigh_by_their_part(world: World) -> None:
    one, two = order(world, tag="1"), order(world, tag="2")
    child = world.registered("a", parents=under((one, 100, 25), (two, 100, 75)))
    world.funded(one, to="F_CN", percent=100)  # 25% of the child
    too_much = world.offered(child, to="F_SG", percent=76)
    assert world.one("F_SG", Reserve(too_much, 60_000)).code == "over_residual"
    claim = world.offered(two, to="F_SG", percent=100)
    assert world.one("F_SG", Reserve(claim, 60_000)).code == "ok"
    rest = world.offered(child, to="F_DE", percent=1)
    assert world.one("F_DE", Reserve(rest, 60_000)).code == "over_residual"


def test_a_claim_on_the_invoice_must_fit_on_every_order(world: World) -> None:
    """Half of the first order is claimed; the invoice is all of that order, but mostly made of the second one."""
    one, two = order(world, tag="1"), order(world, tag="2")
    child = world.registered("a", parents=under((one, 100, 10), (two, 1, 90)))
    first = world.funded(one, to="F_CN", percent=50)  # 5% of the invoice
    claim = world.offered(child, to="F_SG", percent=51)
    receipt = world.one("F_SG", Reserve(claim, 60_000))
    assert (receipt.code, receipt.related) == ("over_residual", (one, first))
    world.funded(child, to="F_SG", percent=50)


def test_rounding_never_makes_room(world: World) -> None:
    """Half a share that comes down counts as one."""
    one, two = order(world, tag="1"), order(world, tag="2")
    child = world.registered("a", parents=((one, 1, 1), (two, 1, WHOLE - 1)))
    world.funded(one, to="F_CN", percent=50)
    codes = []
    for share in (WHOLE, WHOLE - 1):
        offer = Offer(child, name_id("F_SG"), share, mark("terms"), world.now_ms + 10**6)
        codes.append(world.one("F_SG", Reserve(world.one("EXP_CN", offer).subject, 60_000)).code)
    assert codes == ["over_residual", "ok"]


@pytest.mark.parametrize("left", [1, 0])
def test_an_instalment_is_worth_no_more_than_what_is_left_of_its_invoice(world: World, left: int) -> None:
    """Credited but for the least share the invoice is open, credited to the last it is cancelled: no difference."""
    whole = world.registered("a")
    parts = [world.registered(tag, kind="instalment", parents=under((whole, 50, 100))) for tag in "12"]
    world.one("EXP_CN", Adjust(whole, WHOLE - left, mark("credit note")))
    assert world.receivable(whole).state == ("registered" if left else "cancelled")
    for part in parts:
        receipt = world.one("F_CN", Reserve(world.offered(part, percent=100), 60_000))
        assert (receipt.code, receipt.related) == ("over_residual", (whole,))


def test_nothing_is_financed_through_an_invoice_that_is_half_credited_and_half_paid(world: World) -> None:
    whole = world.registered("a")
    part = world.registered("1", kind="instalment", parents=under((whole, 100, 100)))
    paid = world.funded(whole, to="F_SG", percent=50)
    world.one("EXP_CN", Adjust(whole, WHOLE // 2, mark("credit note")))
    world.one("F_SG", Discharge(paid, WHOLE // 2))
    assert world.receivable(whole).state == "settled"
    assert world.one("F_CN", Reserve(world.offered(part, percent=50), 60_000)).related == (whole,)


def test_an_order_whose_invoice_was_cancelled_is_financed_and_invoiced_again(world: World) -> None:
    """A red invoice stands in nobody's way: neither on the order, nor on the invoice that takes its place."""
    parent = order(world)
    red = world.registered("a", parents=under((parent, 100, 100)))
    world.one("EXP_CN", Adjust(red, WHOLE, mark("red invoice")))
    again = world.registered("b", parents=under((parent, 100, 100)))
    world.funded(parent, to="F_CN", percent=40)
    world.funded(again, to="F_SG", percent=60)


def test_ones_own_lineage_is_no_match(world: World) -> None:
    prints = (("order", mark("PO-1")), ("number", mark("n")))
    parent = world.registered("po", kind="purchase_order", fingerprints=prints)
    receipt = world.one("EXP_CN", invoice("a", fingerprints=prints, parents=under((parent, 60, 100))))
    assert receipt.related == ()
    world.funded(receipt.subject, percent=10)
    grandchild = world.one("EXP_CN", invoice("b", fingerprints=prints, parents=under((receipt.subject, 50, 100))))
    assert grandchild.related == ()
    world.funded(parent, to="F_SG", percent=10)


def test_siblings_are_explained_by_what_their_parent_holds(world: World) -> None:
    parent = world.registered("po", kind="purchase_order", fingerprints=(("order", mark("PO-1")),))
    first = world.registered(
        "a", fingerprints=(("order", mark("PO-1")), ("number", mark("n"))), parents=under((parent, 50, 100))
    )
    same_order = world.one(
        "EXP_CN", invoice("b", fingerprints=(("order", mark("PO-1")),), parents=under((parent, 20, 100)))
    )
    assert same_order.related == ()
    same_number = world.one(
        "EXP_CN", invoice("c", fingerprints=(("number", mark("n")),), parents=under((parent, 20, 100)))
    )
    assert same_number.related == (first,)


def test_a_certain_duplicate_does_not_hide_behind_a_thin_link(world: World) -> None:
    original = world.registered("a", fingerprints=(("exact", mark("x")),))
    cover = order(world)
    hidden = invoice("b", fingerprints=(("exact", mark("x")),), parents=((original, 1, 1), (cover, WHOLE, WHOLE - 1)))
    receipt = world.one("EXP_CN", hidden)
    assert (receipt.code, receipt.related) == ("duplicate", (original,))
    open_link = invoice("c", fingerprints=(("exact", mark("x")),), parents=((original, WHOLE, WHOLE),))
    child = world.one("EXP_CN", open_link)
    assert child.code == "ok"
    world.funded(original, to="F_CN", percent=80)
    claim = world.offered(child.subject, to="F_SG", percent=21)
    assert world.one("F_SG", Reserve(claim, 60_000)).code == "over_residual"


def test_copies_of_one_amount_do_not_hide_behind_links_that_are_thin_at_the_parent(world: World) -> None:
    """Two children with the invoice's own number, amount and date would each be the whole of it."""
    prints = (("exact", mark("x")),)
    original = world.registered("a", fingerprints=prints)
    thin = invoice("b", kind="instalment", fingerprints=prints, parents=((original, 1, WHOLE),))
    receipt = world.one("EXP_CN", thin)
    assert (receipt.code, receipt.related) == ("duplicate", (original,))
    alike = (("particulars", mark("p")), ("order", mark("PO")))
    order_itself = world.registered("c", kind="purchase_order", fingerprints=alike)
    receipt = world.one("EXP_CN", invoice("d", fingerprints=alike, parents=((order_itself, 1, WHOLE),)))
    assert (receipt.code, receipt.related) == ("ok", (order_itself,))


def test_a_claimed_order_does_not_hide_behind_a_link_that_is_thin_at_the_child(world: World) -> None:
    prints = (("order", mark("PO-1")),)
    claimed = world.registered("po", kind="purchase_order", fingerprints=prints)
    world.funded(claimed, to="F_CN", percent=90)
    cover = order(world)
    child = world.one("EXP_CN", invoice("a", fingerprints=prints, parents=((claimed, 1, 1), (cover, WHOLE, WHOLE - 1))))
    assert (child.code, child.related) == ("ok", (claimed,))
    claim = world.reserved(child.subject, to="F_SG", percent=80)
    assert world.one("F_SG", Fund(claim)).code == "unacknowledged_match"


def test_a_rejection_does_not_free_what_a_financier_has_paid_for(world: World) -> None:
    prints = (("exact", mark("x")),)
    receivable = world.registered("a", fingerprints=prints)
    claim = world.funded(receivable)
    world.one("IMP_DE", rejection(receivable, "a"))
    again = world.one("EXP_CN", invoice("b", fingerprints=prints))
    assert (again.code, again.related) == ("duplicate", (receivable,))
    rightful = world.one("EXP_VN", invoice("c", fingerprints=prints))
    assert (rightful.code, rightful.related) == ("ok", (receivable,)), "another's false registration is no obstacle"
    world.one("F_CN", Release(claim))
    freed = world.one("EXP_CN", invoice("d", fingerprints=(*prints, ("number", mark("n")))))
    assert freed.related == (rightful.subject,)


@pytest.mark.parametrize("denied", [False, True])
@pytest.mark.parametrize("through", ["instalment", "order"])
def test_an_identity_is_not_free_while_claims_weigh_on_it_through_its_lineage(
    world: World, through: str, denied: bool
) -> None:
    """F_CN has financed the instalment or the order; a credit note or a rejection does not lose its claim."""
    prints = (("gov", mark("fapiao")), ("number", mark("n")))
    if through == "instalment":
        first = world.registered("a", fingerprints=prints)
        links = ()
        claim = world.funded(world.registered("1", kind="instalment", parents=under((first, 50, 100))), percent=100)
    else:
        parent = order(world)
        claim = world.funded(parent, percent=100)
        links = under((parent, 100, 100))
        first = world.registered("a", fingerprints=prints, parents=links)
    ending = rejection(first, "a") if denied else Adjust(first, WHOLE, mark("credit note"))
    assert world.one("IMP_DE" if denied else "EXP_CN", ending).code == "ok"
    again = world.one("EXP_CN", invoice("b", fingerprints=prints))
    assert (again.code, again.related) == ("duplicate", (first,))
    elsewhere = world.one("EXP_CN", invoice("c", fingerprints=(prints[1],)))
    assert (elsewhere.code, elsewhere.related) == ("ok", (first,)), "alike: for the next financier to look at"
    if through == "order":  # with the same links the claim weighs on what takes its place
        again = world.one("EXP_CN", invoice("b", fingerprints=(prints[0],), parents=links))
        assert (again.code, again.related) == ("ok", (first,) if denied else ())
        assert world.one("F_SG", Reserve(world.offered(again.subject, to="F_SG"), 1)).code == "over_residual"
        return
    rightful = world.one("EXP_VN", invoice("d", fingerprints=prints[:1]))
    assert (rightful.code, rightful.related) == ("ok", (first,)), "for others it is no obstacle, but a match"
    world.one("F_CN", Release(claim))
    freed = world.one("EXP_VN", invoice("e", fingerprints=prints[1:]))
    assert (first in freed.related) == denied


def test_a_part_of_what_the_debtor_denied_is_not_financed(world: World) -> None:
    """Whatever had begun before: no offer, no reservation, no funding, at any depth, and no link that explains it."""
    prints = (("gov", mark("fapiao")),)
    denied = world.registered("a", fingerprints=prints)
    part = world.registered("1", kind="instalment", fingerprints=prints, parents=under((denied, 50, 100)))
    below = world.registered("2", kind="instalment", fingerprints=prints, parents=under((part, 100, 100)))
    reserved, offered = world.reserved(part, percent=10), world.offered(below, percent=10)
    assert world.one("IMP_DE", rejection(denied, "a")).code == "ok"
    another = Offer(below, name_id("F_SG"), 1, mark("terms"), world.now_ms + 10**6)
    for by, operation in (("F_CN", Fund(reserved)), ("F_CN", Reserve(offered, 60_000)), ("EXP_CN", another)):
        receipt = world.one(by, operation)
        assert (receipt.code, receipt.related) == ("bad_state", (denied,))


def test_a_part_is_financed_by_itself_once_its_link_to_what_was_denied_is_taken_back(world: World) -> None:
    """A denied order need not deny what was delivered: a correction without the link brings the order as a match."""
    prints = (("order", mark("PO-1")),)
    denied = world.registered("po", kind="purchase_order", fingerprints=prints)
    delivered = world.registered("a", fingerprints=prints, parents=under((denied, 100, 100)))
    world.one("IMP_DE", rejection(denied, "po"))
    corrected = world.one("EXP_CN", invoice("a", fingerprints=prints, supersedes=delivered))
    assert (corrected.code, corrected.related) == ("ok", (denied,))
    claim = world.reserved(corrected.subject)
    assert world.one("F_CN", Fund(claim)).code == "unacknowledged_match"
    assert world.one("F_CN", Fund(claim, (denied,))).code == "ok"


def test_instalments_of_one_invoice_may_share_its_official_id(world: World) -> None:
    prints = (("gov", mark("fapiao")),)
    parent = world.registered("a", fingerprints=prints)
    world.registered("1", kind="instalment", fingerprints=prints, parents=under((parent, 50, 100)))
    world.registered("2", kind="instalment", fingerprints=prints, parents=under((parent, 50, 100)))
    assert world.one("EXP_CN", invoice("b", fingerprints=prints)).code == "duplicate"


# The debtor's answer


def test_the_debtor_confirms_the_whole(world: World) -> None:
    receivable = world.registered("a")
    assert world.one("IMP_DE", confirmation(receivable, "a")).code == "ok"
    record = world.receivable(receivable)
    assert (record.state, record.debtor, record.grade) == ("confirmed", name_id("IMP_DE"), "debtor_confirmed")
    assert (record.confirmed_share, record.collectible) == (WHOLE, WHOLE)
    assert world.one("IMP_DE", confirmation(receivable, "a")).code == "already_done"
    assert world.one("IMP_DE", rejection(receivable, "a")).code == "bad_state"


def test_the_record_keeps_what_the_debtor_promised_with_it(world: World) -> None:
    receivable = world.registered("a")
    before = world.receivable(receivable)
    assert (before.confirmed_ms, before.waives_defences, before.account_digest, before.language) == (0, False, b"", "")
    answer = replace(confirmation(receivable, "a"), waives_defences=True, account_digest=mark("account"), language="zh")
    assert world.one("IMP_DE", answer).code == "ok"
    record = world.receivable(receivable)
    assert (record.confirmed_ms, record.waives_defences) == (world.now_ms, True)
    assert (record.account_digest, record.language, record.text_digest) == (mark("account"), "zh", mark("text"))


def test_a_plain_confirmation_waives_nothing_and_names_no_account(world: World) -> None:
    receivable = world.registered("a")
    world.one("IMP_DE", confirmation(receivable, "a"))
    record = world.receivable(receivable)
    assert (record.waives_defences, record.account_digest) == (False, NO_DIGEST)


def test_a_part_confirmation_lowers_what_is_collectible(world: World) -> None:
    receivable = world.registered("a")
    world.funded(receivable, to="F_CN", percent=80)
    assert world.one("IMP_DE", confirmation(receivable, "a", 70 * PERCENT)).code == "ok"
    record = world.receivable(receivable)
    assert (record.state, record.collectible) == ("part_confirmed", 70 * PERCENT)
    sides = tuple(sorted(map(name_id, ("EXP_CN", "F_CN"))))
    assert world.heard("over_advanced") == [(receivable, sides, str(10 * PERCENT))]


def test_confirming_what_a_credit_note_left_is_confirming_the_whole(world: World) -> None:
    receivable = world.registered("a")
    world.one("EXP_CN", Adjust(receivable, 30 * PERCENT, mark("credit note")))
    world.one("IMP_DE", confirmation(receivable, "a", 70 * PERCENT))
    assert world.receivable(receivable).state == "confirmed"
    assert world.receivable(receivable).collectible == 70 * PERCENT


def test_only_the_debtor_of_the_commitment_answers(world: World) -> None:
    receivable = world.registered("a")
    wrong_salt = Confirm(receivable, mark("other"), name_id("IMP_DE"), mark("commitment a"), WHOLE, mark("text"))
    assert world.one("IMP_DE", wrong_salt).code == "not_debtor"
    assert world.one("IMP_AE", confirmation(receivable, "a")).code == "not_debtor"  # knows the salt, is not the debtor
    assert world.one("IMP_AE", confirmation(receivable, "a", debtor="IMP_AE")).code == "not_debtor"
    assert world.one("IMP_DE", confirmation(mark("?"), "a")).code == "not_found"
    assert world.receivable(receivable).state == "registered"


def test_a_debtor_confirms_what_it_was_shown_and_nothing_else(world: World) -> None:
    receivable = world.registered("a")
    small = Confirm(receivable, salt_of("a"), name_id("IMP_DE"), mark("commitment of a small one"), WHOLE, mark("text"))
    assert world.one("IMP_DE", small).code == "other_particulars"
    assert world.receivable(receivable).state == "registered"
    assert world.one("IMP_DE", confirmation(receivable, "a")).code == "ok"


def test_nobody_confirms_its_own_invoice(world: World) -> None:
    own = debtor_commitment(salt=salt_of("a"), identifier=name_id("EXP_VN"))
    receivable = world.registered("a", by="EXP_VN", debtor_commitment=own)
    assert world.one("EXP_VN", confirmation(receivable, "a", debtor="EXP_VN")).code == "not_authorised"
    payable = world.registered("b", by="EXP_VN", kind="payable", debtor_commitment=own)
    assert (
        world.one(
            "EXP_VN", Confirm(payable, salt_of("a"), name_id("EXP_VN"), mark("commitment b"), WHOLE, mark("t"))
        ).code
        == "ok"
    )


def test_who_is_no_debtor_by_role_does_not_confirm(world: World) -> None:
    named = debtor_commitment(salt=salt_of("a"), identifier=name_id("F_CN"))
    receivable = world.registered("a", debtor_commitment=named)
    assert world.one("F_CN", confirmation(receivable, "a", debtor="F_CN")).code == "not_authorised"


def test_a_rejection_is_final_here(world: World) -> None:
    receivable = world.registered("a")
    claim = world.funded(receivable)
    assert world.one("IMP_DE", rejection(receivable, "a")).code == "ok"
    assert world.heard("rejected")[0][1] == tuple(sorted(map(name_id, ("EXP_CN", "F_CN", "IMP_DE"))))
    assert world.one("IMP_DE", rejection(receivable, "a")).code == "already_done"
    assert world.one("IMP_DE", confirmation(receivable, "a")).code == "bad_state"
    assert world.one("EXP_CN", Adjust(receivable, 1, mark("credit note"))).code == "bad_state"
    assert world.claim(claim).state == "funded"


# Credit notes


def test_a_buyer_credits_its_own_payable_only_with_those_who_have_claims_on_it(world: World) -> None:
    """Credit notes are the seller's; here the debtor registers, and would take back what somebody has paid for."""
    payable = world.registered("p", by="IMP_DE", kind="payable")
    assert world.one("IMP_DE", Adjust(payable, 10 * PERCENT, mark("before anybody paid"))).code == "ok"
    claim = world.funded(payable, by="IMP_DE", to="F_DE", percent=60)
    note = Adjust(payable, 10 * PERCENT, mark("note"))
    refused = world.one("IMP_DE", note)
    assert (refused.code, refused.related) == ("not_authorised", (claim,))
    assert world.one(("IMP_DE", "F_DE"), note).code == "ok"
    assert world.one("F_DE", Release(claim)).code == "ok"
    assert world.one("IMP_DE", Adjust(payable, 80 * PERCENT, mark("again its own"))).code == "ok"
    assert world.receivable(payable).state == "cancelled"


def test_a_buyer_takes_its_own_payable_back_only_with_those_who_have_claims_on_it(world: World) -> None:
    """Neither by rejecting it nor by confirming less: a credit note by another name."""
    named = debtor_commitment(salt=salt_of("p"), identifier=name_id("IMP_DE"))
    payable = world.registered("p", by="IMP_DE", kind="payable", debtor_commitment=named)
    claim = world.funded(payable, by="IMP_DE", to="F_DE", percent=60)
    for answer in (rejection(payable, "p"), confirmation(payable, "p", 10 * PERCENT)):
        refused = world.one("IMP_DE", answer)
        assert (refused.code, refused.related) == ("not_authorised", (claim,))
    assert world.receivable(payable).collectible == WHOLE
    assert world.one(("IMP_DE", "F_DE"), confirmation(payable, "p", 60 * PERCENT)).code == "ok"
    other = world.registered("q", by="IMP_DE", kind="payable")
    world.funded(other, by="IMP_DE", to="F_DE", percent=60)
    assert world.one("IMP_DE", confirmation(other, "q")).code == "ok", "the whole it may always confirm"


def test_a_credit_note_lowers_what_is_collectible(world: World) -> None:
    receivable = world.registered("a")
    assert world.one("EXP_VN", Adjust(receivable, 1, mark("n"))).code == "not_authorised"
    assert world.one("EXP_CN", Adjust(mark("?"), 1, mark("n"))).code == "not_found"
    assert world.one("EXP_CN", Adjust(receivable, 40 * PERCENT, mark("n"))).code == "ok"
    assert world.heard("adjusted") == [(receivable, (name_id("EXP_CN"),), str(60 * PERCENT))]
    assert world.heard("over_advanced") == []
    assert world.one("EXP_CN", Adjust(receivable, 60 * PERCENT + 1, mark("n 2"))).code == "over_residual"
    claim = world.offered(receivable, percent=61)
    assert world.one("F_CN", Reserve(claim, 1)).code == "over_residual"


def test_one_document_lowers_one_receivable_once(world: World) -> None:
    first, second = world.registered("a"), world.registered("b")
    note = Adjust(first, 40 * PERCENT, mark("note"))
    again = replace(note, reduction_share=60 * PERCENT)
    assert [receipt.code for receipt in world.do("EXP_CN", note, note)] == ["ok", "already_done"]
    assert world.one("EXP_CN", again).code == "already_done", "whatever it is said to take"
    assert world.receivable(first).collectible == 60 * PERCENT
    assert world.one("EXP_VN", note).code == "not_authorised", "a stranger does not learn of it"
    both = world.do("EXP_CN", replace(note, document_digest=mark("x")), note, mode="all")
    assert [receipt.code for receipt in both] == ["rolled_back", "already_done"]
    assert world.one("EXP_CN", replace(note, receivable=second)).code == "ok", "it may name several invoices"
    assert world.one("EXP_CN", replace(again, document_digest=mark("x"))).code == "ok"
    assert world.receivable(first).state == "cancelled"
    assert world.one("EXP_CN", note).code == "already_done", "read again when all is over"


def test_who_reads_the_receivable_reads_by_which_documents_it_was_lowered(world: World) -> None:
    receivable = world.registered("a")
    world.one("EXP_CN", Adjust(receivable, PERCENT, mark("note")))
    family = FAMILIES[family_of(CreditNote)]
    stored = world.state[CreditNote.PREFIX + CreditNote.id_of(receivable, mark("note"))]
    record = decode_record(family.record, stored)
    assert record == CreditNote(CreditNote.id_of(receivable, mark("note")), receivable, mark("note"), PERCENT)
    assert family.receivable_of is not None
    assert (family.receivable_of(record), record.concerns()) == (receivable, ())


def test_what_was_credited_away_under_a_reservation_blocks_nothing_once_that_has_lapsed(world: World) -> None:
    receivable = world.registered("a")
    world.reserved(receivable)
    world.one("EXP_CN", Adjust(receivable, WHOLE, mark("credit note")))
    assert world.one("EXP_CN", invoice("a")).code == "duplicate"
    world.block([], after_ms=RESERVATION_MAX_MS)
    again = world.one("EXP_CN", invoice("a"))
    assert (again.code, again.related) == ("ok", ())
    claim = world.one("EXP_CN", Offer(receivable, name_id("F_SG"), 1, mark("terms"), world.now_ms + 10**6)).subject
    assert world.one("F_SG", Reserve(claim, 1)).code == "over_residual", "nothing is left of the first"


def test_over_advanced_by_a_claim_on_the_order(world: World) -> None:
    parent = order(world)
    child = world.registered("a", parents=under((parent, 60, 100)))
    world.funded(parent, to="F_CN", percent=70)
    world.one("EXP_CN", Adjust(child, 50 * PERCENT, mark("credit note")))
    sides = tuple(sorted(map(name_id, ("EXP_CN", "F_CN"))))
    assert world.heard("over_advanced") == [(child, sides, str(20 * PERCENT))]
    claim = world.offered(parent, to="F_SG", percent=1)
    assert world.one("F_SG", Reserve(claim, 1)).code == "over_residual"


def test_a_credit_note_over_everything_cancels_when_no_claim_is_left(world: World) -> None:
    receivable = world.registered("a")
    claim = world.funded(receivable, percent=50)
    world.one("EXP_CN", Adjust(receivable, WHOLE, mark("credit note")))
    assert world.receivable(receivable).state == "registered"
    world.one("F_CN", Release(claim))
    assert world.receivable(receivable).state == "cancelled"
    assert world.heard("cancelled") == [(receivable, tuple(sorted(map(name_id, ("EXP_CN", "F_CN")))), "")]
