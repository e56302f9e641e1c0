"""What a stranger's record costs the search of another is the same whatever hangs on it, and hides nothing."""

from __future__ import annotations

import pytest

from registry import ledger
from registry.limits import FINGERPRINTS_MAX, MATCHES_BY_MAX, PRINT_HOLDERS_MAX, REFERENCES_MAX, WORK_MAX
from registry.money import WHOLE
from registry.rules.matches import matches_of, matches_to_look_at
from registry.state import State
from registry.transactions.claims import Discharge, Fund, Release
from registry.transactions.contacts import AskContact
from registry.transactions.receivables import Adjust, Confirm
from tests.registry.world import World, invoice, mark, name_id, salt_of

ALIKE = (("number", mark("4711")),)
PART = WHOLE // 128
LISTS = 7  # of an invoice that names an order and a bill of lading, where others are for review


@pytest.fixture
def world() -> World:
    return World()


def family(world: World, tag: str, size: int, *, fingerprints: tuple[tuple[str, bytes], ...] = ALIKE) -> bytes:
    """A stranger's look-alike, and what it has hung under it: one below, and the others below that."""
    root = world.registered(tag, by="EXP_VN", fingerprints=fingerprints)
    below = world.registered(f"{tag} below", by="EXP_VN", parents=((root, PART, WHOLE),))
    hung = [invoice(f"{tag} {n}", parents=((below, PART, WHOLE),)) for n in range(size - 2)]
    assert {receipt.code for receipt in world.do("EXP_VN", *hung)} == {"ok"}
    return root


def financed(world: World, receivable: bytes, *, to: str = "F_SG") -> bytes:
    """A stranger's record, financed by somebody who has looked at all that it was shown; the claim's id."""
    claim = world.reserved(receivable, by="EXP_VN", to=to, percent=100)
    refused = world.one(to, Fund(claim))
    assert refused.code == "ok" or world.one(to, Fund(claim, refused.related)).code == "ok"
    return claim


def work_of(world: World, receivable: bytes) -> int:
    """Of one search for what must be looked at."""
    left = 10**9
    state = State(world.state.get)
    state.allow(left)
    assert matches_to_look_at(world.receivable(receivable), state, world.now_ms) is not None
    return state.work_done


# What it costs


def test_a_search_does_not_walk_a_strangers_families(world: World) -> None:
    small, large = world, World()
    for here, size in ((small, 3), (large, 100)):
        for name in ("one", "two"):
            family(here, name, size)
    assert work_of(small, small.registered("mine", fingerprints=ALIKE)) == work_of(
        large, large.registered("mine", fingerprints=ALIKE)
    )


def test_nor_does_it_walk_those_of_what_is_cancelled(world: World) -> None:
    roots = [family(world, f"root {n}", 60) for n in range(2)]
    mine = world.registered("mine", fingerprints=ALIKE)
    stands = work_of(world, mine)
    for root in roots:
        assert world.one("EXP_VN", Adjust(root, WHOLE, mark("credit note"))).code == "ok"
    assert work_of(world, mine) <= stands + 2


def test_a_stranger_with_big_families_stops_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = world.registered("mine", fingerprints=ALIKE)
    later = world.registered("later", fingerprints=(("number", mark("4712")),))
    prints = (*ALIKE, ("number", mark("4712")), ("number", mark("4713")))
    roots = [family(world, f"root {n}", 100, fingerprints=prints) for n in range(12)]
    monkeypatch.setattr(ledger, "WORK_MAX", 8_000)  # to walk all of them is some 15,000
    claim = world.reserved(mine, percent=50)
    refused = world.one("F_CN", Fund(claim))
    assert (refused.code, len(refused.related)) == ("unacknowledged_match", len(roots))
    assert world.one("F_CN", Fund(claim, refused.related)).code == "ok"
    confirm = Confirm(later, salt_of("later"), name_id("IMP_DE"), mark("commitment later"), WHOLE, mark("text"))
    assert world.one("IMP_DE", confirm).code == "ok"
    assert world.one("EXP_CN", AskContact(mine, roots[0], mark("text"), "en")).code == "ok"
    assert world.one("EXP_CN", invoice("next", fingerprints=(("number", mark("4713")),))).code == "ok"


def test_a_copy_after_the_reservation_is_not_walked_either(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    orders = [family(world, f"o{n}", 100, fingerprints=(("number", mark(f"o{n}")),)) for n in range(12)]
    mine = world.registered("mine", fingerprints=ALIKE)
    claim = world.reserved(mine, percent=50)
    copies = [invoice("copy", fingerprints=ALIKE, parents=((order, PART, WHOLE),)) for order in orders]
    assert {receipt.code for receipt in world.do("EXP_VN", *copies)} == {"ok"}
    monkeypatch.setattr(ledger, "WORK_MAX", 4_000)
    assert world.one("F_CN", Fund(claim)).code == "ok"


def test_two_strangers_with_the_largest_records_stop_nothing() -> None:
    """Who fills all lists of an invoice with records that have nothing else in common, by the arithmetic of it."""
    world = World()
    prints = tuple(("debtor_number", mark(f"{n}")) for n in range(FINGERPRINTS_MAX))
    large = invoice("x", fingerprints=prints, references=tuple(mark(f"r{n}") for n in range(REFERENCES_MAX)))
    stranger = world.one("EXP_VN", large)
    mine = world.registered("mine", fingerprints=prints[:1])
    assert stranger.done
    state = State(world.state.get)
    state.allow(10**9)
    assert matches_of(world.receivable(mine), state, world.now_ms) is not None
    assert state.work_done * PRINT_HOLDERS_MAX * LISTS < WORK_MAX


# What it may not hide


def crowd(world: World, *, by: str = "EXP_VN") -> None:
    """More look-alikes of a stranger than are shown, and each has a part."""
    for n in range(MATCHES_BY_MAX + 1):
        root = world.registered(f"crowd {n}", by=by, fingerprints=ALIKE)
        world.registered(f"part {n}", by=by, parents=((root, PART, WHOLE),))


@pytest.mark.parametrize("then", ["funded", "paid"])
def test_what_is_financed_through_its_part_is_shown_before_others_with_parts(world: World, then: str) -> None:
    crowd(world)
    copy = world.registered("copy", by="EXP_VN", fingerprints=ALIKE)
    part = world.registered("copy/1", by="EXP_VN", kind="instalment", parents=((copy, PART, WHOLE),))
    claim = financed(world, part)
    if then == "paid":
        assert world.one("F_SG", Discharge(claim, WHOLE)).code == "ok"
    mine = world.one("EXP_CN", invoice("mine", fingerprints=ALIKE))
    assert mine.related[0] == copy
    assert len(mine.related) == MATCHES_BY_MAX


def test_what_is_financed_itself_comes_before_what_is_financed_through_others(world: World) -> None:
    order = world.registered("order", by="EXP_VN", kind="purchase_order")
    financed(world, order)
    for n in range(MATCHES_BY_MAX + 1):
        world.registered(f"under {n}", by="EXP_VN", fingerprints=ALIKE, parents=((order, PART, WHOLE),))
    copy = world.registered("copy", by="EXP_VN", fingerprints=ALIKE)
    financed(world, copy)
    assert world.one("EXP_CN", invoice("mine", fingerprints=ALIKE)).related[0] == copy


@pytest.mark.parametrize("first", ["the copy", "the claim"])
def test_a_copy_that_is_financed_through_its_order_counts_although_it_came_later(world: World, first: str) -> None:
    order = world.registered("order", by="EXP_VN", kind="purchase_order")
    mine = world.registered("mine", fingerprints=ALIKE)
    claim = world.reserved(mine, percent=50)
    if first == "the claim":
        financed(world, order)
    copy = world.registered("copy", by="EXP_VN", fingerprints=ALIKE, parents=((order, WHOLE, WHOLE),))
    if first == "the copy":
        financed(world, order)
    refused = world.one("F_CN", Fund(claim))
    assert (refused.code, refused.related) == ("unacknowledged_match", (copy,))


@pytest.mark.parametrize("weighs", [True, False])
def test_a_cancelled_copy_is_a_match_if_a_claim_weighs_on_it_through_another(world: World, weighs: bool) -> None:
    copy = world.registered("copy", by="EXP_VN", fingerprints=ALIKE)
    part = world.registered("copy/1", by="EXP_VN", kind="instalment", parents=((copy, PART, WHOLE),))
    if weighs:
        financed(world, part)
    assert world.one("EXP_VN", Adjust(copy, WHOLE, mark("credit note"))).code == "ok"
    mine = world.registered("mine", fingerprints=ALIKE)
    found = matches_of(world.receivable(mine), State(world.state.get), world.now_ms)
    assert found is not None
    assert found.review == ((copy,) if weighs else ())


# What a record says of its lineage


def test_a_record_says_that_what_is_above_or_below_it_was_financed(world: World) -> None:
    order = world.registered("order", kind="purchase_order")
    whole, beside = (world.registered(tag, parents=((order, WHOLE // 4, WHOLE),)) for tag in ("4711", "4712"))
    part = world.registered("4711/1", kind="instalment", parents=((whole, WHOLE // 2, WHOLE),))

    def said() -> list[bool]:
        return [world.receivable(one).lineage_financed for one in (order, whole, part, beside)]

    claim = world.reserved(whole)
    assert said() == [False] * 4, "a reservation is no money yet"
    assert world.one("F_CN", Fund(claim)).code == "ok"
    assert said() == [True, False, True, False]
    under = world.registered("4711/2", kind="instalment", parents=((whole, WHOLE // 4, WHOLE),))
    assert world.receivable(under).lineage_financed
    assert world.one("F_CN", Discharge(claim, WHOLE // 100)).code == "ok"
    assert said() == [True, False, True, False], "what is paid weighs on"
    assert world.one("F_CN", Release(claim)).code == "ok"
    assert said() == [True, False, True, False]


def test_and_no_longer_once_that_is_released(world: World) -> None:
    order = world.registered("order", kind="purchase_order")
    whole, beside = (world.registered(tag, parents=((order, WHOLE // 4, WHOLE),)) for tag in ("4711", "4712"))
    first, second = world.funded(whole), world.funded(beside)
    assert world.one("F_CN", Release(first)).code == "ok"
    assert world.receivable(order).lineage_financed
    assert world.one("F_CN", Release(second)).code == "ok"
    assert not world.receivable(order).lineage_financed
