"""Matches over the lineage: what must be looked at, and what stops a funding, through whichever record it is done."""

from __future__ import annotations

import pytest

from registry.limits import MATCHES_MAX, UNLINKED_MAX
from registry.money import WHOLE
from registry.receipts import Receipt
from registry.rules import matches
from registry.transactions.claims import Discharge, Fund, Release, Reserve
from registry.transactions.receivables import Adjust, Confirm, Distinguish, Reject
from tests.registry.world import World, invoice, mark, name_id, salt_of

DEBT = (("debtor_side", mark("IMP_DE, EUR 88,450.00, due 2026-08-15")),)


@pytest.fixture
def world() -> World:
    return World()


def answered(world: World, receivable: bytes, tag: str, *, denied: bool = False) -> None:
    """The debtor's word on a receivable that was registered with this tag."""
    opened = (receivable, salt_of(tag), name_id("IMP_DE"))
    word = Reject(*opened, mark("no")) if denied else Confirm(*opened, mark(f"commitment {tag}"), WHOLE, mark("text"))
    assert world.one("IMP_DE", word).code == "ok"


def wholly(parent: bytes) -> dict[str, object]:
    return {"parents": ((parent, WHOLE, WHOLE),)}


def half(parent: bytes) -> dict[str, object]:
    return {"parents": ((parent, WHOLE // 2, WHOLE),)}


def funding(world: World, receivable: bytes, *seen: bytes, to: str = "F_SG", percent: int = 100) -> Receipt:
    """Offered, reserved, and funded having looked at `seen`."""
    return world.one(to, Fund(world.reserved(receivable, to=to, percent=percent), seen))


# What matches the lineage


def test_what_matches_an_invoice_is_looked_at_when_its_instalment_is_funded(world: World) -> None:
    """The instalment has a number, an amount and a day of its own: nothing in common with the buyer's payable."""
    payable = world.registered("owed", by="IMP_DE", kind="payable", fingerprints=DEBT)
    world.funded(payable, to="F_DE", percent=100, by="IMP_DE")
    whole = world.registered("4711", fingerprints=DEBT)
    part = world.registered("4711/001", kind="instalment", **wholly(whole))
    refused = funding(world, part)
    assert (refused.code, refused.related) == ("unacknowledged_match", (payable,))
    assert world.one("F_SG", Fund(refused.subject, (payable,))).code == "ok"


def test_what_matches_an_invoice_is_looked_at_when_its_order_is_funded(world: World) -> None:
    order = world.registered("order", kind="purchase_order")
    world.registered("first", fingerprints=DEBT, **half(order))
    payable = world.registered("owed", by="IMP_DE", kind="payable", fingerprints=DEBT)
    refused = funding(world, order)
    assert (refused.code, refused.related) == ("unacknowledged_match", (payable,))


def test_what_matches_an_invoice_that_is_over_is_no_matter_of_its_order(world: World) -> None:
    order = world.registered("order", kind="purchase_order")
    first = world.registered("first", fingerprints=DEBT, **half(order))
    world.registered("owed", by="IMP_DE", kind="payable", fingerprints=DEBT)
    answered(world, first, "first", denied=True)
    assert funding(world, order).code == "ok"


def test_an_order_is_funded_without_looking_at_its_own_invoices_that_are_alike(world: World) -> None:
    """A claim on the order weighs on all of them. Once one is financed, whoever funds is shown that it has a double."""
    alike = (("particulars", mark("the same amount on the same day")),)
    order = world.registered("order", kind="purchase_order")
    first, second = (world.registered(tag, fingerprints=alike, **half(order)) for tag in ("first", "second"))
    claim = funding(world, order, percent=50)
    assert claim.code == "ok"
    assert world.one("F_SG", Release(claim.subject)).code == "ok"
    world.funded(first, percent=50, acknowledged=(second,))
    refused = funding(world, order, percent=50)
    assert (refused.code, refused.related) == ("unacknowledged_match", (first,))


def test_two_honest_instalments_are_financed_by_two(world: World) -> None:
    """Of one amount and one day: each is looked at once when the other is funded."""
    alike = (("particulars", mark("one amount, one day")),)
    whole = world.registered("4711")
    parts = [
        world.registered(tag, kind="instalment", fingerprints=alike, **half(whole)) for tag in ("4711/1", "4711/2")
    ]
    assert funding(world, parts[0], parts[1], to="F_CN").code == "ok"
    assert funding(world, parts[1], parts[0], to="F_SG").code == "ok"


@pytest.mark.parametrize(("by", "code"), [("EXP_CN", "limit_reached"), ("EXP_VN", "unacknowledged_match")])
def test_a_family_has_no_more_matches_than_one_receivable(world: World, by: str, code: str) -> None:
    """Of its own registrant each counts, of a stranger so many in all of the family."""
    order = world.registered("order", kind="purchase_order")
    for tag in range(17):
        prints = (("window", mark(f"{tag}")),)
        world.registered(f"{tag}", fingerprints=prints, parents=((order, 1, WHOLE),))
        registrations = [invoice(f"{tag} {n}", fingerprints=prints) for n in range(31)]
        assert {receipt.code for receipt in world.do(by, *registrations)} == {"ok"}
    assert MATCHES_MAX < 17 * 31
    assert funding(world, order).code == code


# One debt, confirmed twice


def test_an_instalment_of_what_is_confirmed_elsewhere_is_not_funded(world: World) -> None:
    payable = world.registered("owed", by="IMP_DE", kind="payable", fingerprints=DEBT)
    whole = world.registered("4711", fingerprints=DEBT)
    answered(world, payable, "owed")
    answered(world, whole, "4711")
    part = world.registered("4711/001", kind="instalment", **half(whole))
    refused = funding(world, part, payable)
    assert (refused.code, refused.related) == ("double_confirmed", (payable,))
    (_, parties, _) = world.heard("refused_claim")[0]
    assert parties == tuple(sorted(map(name_id, ("EXP_CN", "F_SG", "IMP_DE"))))


def test_an_order_is_not_funded_whose_invoice_is_confirmed_elsewhere(world: World) -> None:
    payable = world.registered("owed", by="IMP_DE", kind="payable", fingerprints=DEBT)
    order = world.registered("order", kind="purchase_order")
    first = world.registered("first", fingerprints=DEBT, **half(order))
    answered(world, payable, "owed")
    answered(world, first, "first")
    assert funding(world, order, payable).code == "double_confirmed"


@pytest.mark.parametrize("paid", [False, True])
def test_a_younger_record_financed_through_its_instalment_stops_the_older_one(world: World, paid: bool) -> None:
    whole = world.registered("4711", fingerprints=DEBT)
    payable = world.registered("owed", by="IMP_DE", kind="payable", fingerprints=DEBT)
    part = world.registered("half of it", by="IMP_DE", kind="payable", **half(payable))
    claim = world.funded(part, to="F_DE", percent=100, by="IMP_DE", acknowledged=(whole,))
    if paid:
        assert world.one("F_DE", Discharge(claim, WHOLE)).code == "ok"
    answered(world, whole, "4711")
    answered(world, payable, "owed")
    assert funding(world, whole, payable).code == "double_confirmed"


def test_a_younger_record_that_is_only_reserved_does_not(world: World) -> None:
    whole = world.registered("4711", fingerprints=DEBT)
    payable = world.registered("owed", by="IMP_DE", kind="payable", fingerprints=DEBT)
    answered(world, whole, "4711")
    answered(world, payable, "owed")
    world.reserved(payable, to="F_DE", by="IMP_DE")
    assert funding(world, whole, payable).code == "ok"


# A common parent explains only what nobody has claimed


@pytest.mark.parametrize("part", [1, WHOLE // 2])
def test_an_umbrella_that_nobody_finances_hides_no_copy_that_is_financed(world: World, part: int) -> None:
    """S4 under an order that holds the number, the order and the bill of lading which both copies have."""
    common = (("number", mark("417")), ("transport", mark("COSU6312345670")))
    umbrella = world.registered("umbrella", kind="purchase_order", fingerprints=common)
    links = ((umbrella, part, WHOLE),)
    first = world.registered("417", fingerprints=(("exact", mark("240,000")), *common), parents=links)
    assert funding(world, first, to="F_CN").code == "ok"
    copy = world.one("EXP_CN", invoice("rounded", fingerprints=(("exact", mark("241,900")), *common), parents=links))
    assert (copy.code, copy.related) == ("ok", (first,))
    refused = funding(world, copy.subject)
    assert (refused.code, refused.related) == ("unacknowledged_match", (first,))
    assert world.one("F_SG", Fund(refused.subject, (first,))).code == "ok"


@pytest.mark.parametrize("how", ["claimed", "paid", "claimed below"])
def test_an_official_id_that_instalments_share_is_looked_at_once_one_is_financed(world: World, how: str) -> None:
    """For review: two parts of one fapiao may be financed by two. Never blocking."""
    official = (("gov", mark("fapiao")),)
    whole = world.registered("4711", fingerprints=official)
    first = world.registered("4711/1", kind="instalment", fingerprints=official, **half(whole))
    sold = world.registered("below", kind="instalment", **wholly(first)) if how == "claimed below" else first
    claim = world.funded(sold, to="F_CN", percent=100)
    if how == "paid":
        assert world.one("F_CN", Discharge(claim, WHOLE)).code == "ok"
    registered = world.one("EXP_CN", invoice("4711/2", kind="instalment", fingerprints=official, **half(whole)))
    assert (registered.code, registered.related) == ("ok", (first,))
    refused = funding(world, registered.subject)
    assert (refused.code, refused.related) == ("unacknowledged_match", (first,))
    assert world.one("F_SG", Fund(refused.subject, (first,))).code == "ok"


# Nothing explains what the debtor denied


def test_a_common_order_does_not_explain_a_rejection_away(world: World) -> None:
    prints = (("gov", mark("fapiao")), ("number", mark("n")))
    order = world.registered("order", kind="purchase_order", fingerprints=prints)
    denied = world.registered("first", fingerprints=prints, **wholly(order))
    answered(world, denied, "first", denied=True)
    again = world.one("EXP_CN", invoice("second", fingerprints=prints, **wholly(order)))
    assert (again.code, again.related) == ("ok", (denied,)), "a rightful correction is no duplicate"
    refused = funding(world, again.subject)
    assert (refused.code, refused.related) == ("unacknowledged_match", (denied,))
    assert world.one("F_SG", Fund(refused.subject, (denied,))).code == "ok"


@pytest.mark.parametrize("funded", ["the invoice", "its other part"])
def test_a_rejected_part_is_looked_at_where_it_is_alike(world: World, funded: str) -> None:
    prints = (("gov", mark("fapiao")),)
    whole = world.registered("4711", fingerprints=prints)
    denied = world.registered("4711/1", kind="instalment", fingerprints=prints, **half(whole))
    other = world.registered("4711/2", kind="instalment", **half(whole))
    answered(world, denied, "4711/1", denied=True)
    refused = funding(world, whole if funded == "the invoice" else other)
    assert (refused.code, refused.related) == ("unacknowledged_match", (denied,))


# Links that are left out, or taken back


# What was paid below


@pytest.mark.parametrize("kind", ["invoice", "purchase_order"])
def test_a_part_that_was_paid_is_looked_at_however_small_it_was_said_to_be(world: World, kind: str) -> None:
    """The link counts it as next to nothing, and explains what both have in common: only its seller knows better."""
    identity = ("gov", mark("e-invoice 417"))
    whole = world.registered("417", kind=kind, fingerprints=(identity,))
    thin = {"parents": ((whole, 1, WHOLE),)}
    part = world.registered("417/b", kind="instalment", fingerprints=(identity,), **thin)
    paid = world.funded(part, percent=100)
    assert world.one("F_SG", Reserve(world.offered(whole, to="F_SG", percent=50), 60_000)).code == "over_residual"
    assert world.one("F_CN", Discharge(paid, WHOLE)).code == "ok"
    refused = funding(world, whole, percent=99)
    assert (refused.code, refused.related) == ("unacknowledged_match", (part,))
    assert world.one("F_SG", Fund(refused.subject, (part,))).code == "ok"


@pytest.mark.parametrize("kind", ["invoice", "instalment"])
def test_so_is_another_part_of_one_invoice_that_was_paid(world: World, kind: str) -> None:
    whole = world.registered("417")
    part = world.registered("417/b", kind="instalment", parents=((whole, 1, WHOLE),))
    other = world.registered("417/c", kind=kind, parents=((whole, WHOLE - 1, WHOLE),))
    assert world.one("F_CN", Discharge(world.funded(part, percent=100), WHOLE)).code == "ok"
    assert funding(world, other).related == (part,)


@pytest.mark.parametrize("kind", ["purchase_order", "shipment"])
def test_another_invoice_of_one_order_is_another_debt(world: World, kind: str) -> None:
    order = world.registered("order", kind=kind)
    first, second = (world.registered(tag, **half(order)) for tag in ("first", "second"))
    assert world.one("F_CN", Discharge(world.funded(first, percent=100), WHOLE)).code == "ok"
    assert funding(world, second).code == "ok"


def test_of_very_many_parts_that_were_paid_the_least_are_looked_at(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matches, "COLLECTED_MAX", 2)
    order = world.registered("order", kind="purchase_order")
    parts = [
        world.registered(f"{part}", parents=((order, part, WHOLE),))
        for part in (WHOLE // 5, 1, WHOLE // 4, WHOLE // 10)
    ]
    for part in parts:
        assert world.one("F_CN", Discharge(world.funded(part, percent=100), WHOLE)).code == "ok"
    assert funding(world, order, percent=10).related == (parts[1], parts[3])


def test_an_instalment_is_a_part_of_something(world: World) -> None:
    """Alone it has a number, an amount and a day that its invoice has not: nothing would lead from one to the other."""
    assert world.one("EXP_CN", invoice("4711/1", kind="instalment")).code == "no_parent"
    whole = world.registered("4711")
    part = world.registered("4711/1", kind="instalment", **half(whole))
    assert world.one("EXP_CN", invoice("4711/1", kind="instalment", supersedes=part)).code == "no_parent"
    assert world.one("EXP_CN", invoice("4711/1", kind="instalment", supersedes=part, **half(whole))).code == "ok"


@pytest.mark.parametrize("denied", [False, True])
def test_what_a_correction_cuts_off_is_looked_at(world: World, denied: bool) -> None:
    """Whether the debtor has denied it or not: a correction hides nothing, neither once nor twice."""
    order, whole = world.registered("order", kind="purchase_order"), world.registered("4711")
    part = world.registered("4711/1", **half(whole))
    if denied:
        answered(world, whole, "4711", denied=True)
    once = world.registered("4711/1", supersedes=part, **half(order))
    assert world.receivable(once).unlinked == (whole,)
    twice = world.registered("4711/1", supersedes=once)
    assert world.receivable(twice).unlinked == (whole, order)
    refused = funding(world, twice)
    assert (refused.code, refused.related) == ("unacknowledged_match", (whole, order))
    assert world.one("F_SG", Fund(refused.subject, (whole, order))).code == "ok"


def test_what_was_denied_above_is_carried_along_too(world: World) -> None:
    denied = world.registered("order", kind="purchase_order")
    whole = world.registered("4711", **wholly(denied))
    part = world.registered("4711/1", kind="instalment", **half(whole))
    answered(world, denied, "order", denied=True)
    credited = world.one("EXP_CN", Adjust(whole, WHOLE, mark("credit note")))
    assert credited.code == "ok"
    cut = world.registered("4711/1", supersedes=part)
    refused = funding(world, cut)
    assert (refused.code, refused.related) == ("unacknowledged_match", (denied,)), "what was cancelled is no match"


def test_a_link_that_is_put_back_is_no_match(world: World) -> None:
    whole = world.registered("4711")
    part = world.registered("4711/1", kind="instalment", **half(whole))
    cut = world.registered("4711/1", supersedes=part)
    back = world.registered("4711/1", kind="instalment", supersedes=cut, **half(whole))
    assert world.receivable(back).unlinked == ()
    assert funding(world, back).code == "ok"


def test_corrections_cut_off_only_so_much(world: World) -> None:
    part = world.registered("part")
    for tag in range(UNLINKED_MAX + 1):
        order = world.registered(f"{tag}", kind="purchase_order")
        part = world.registered("part", supersedes=part, **half(order))
    assert len(world.receivable(part).unlinked) == UNLINKED_MAX
    assert world.one("EXP_CN", invoice("part", supersedes=part)).code == "limit_reached"


# Who hears of it


def told(world: World, *kinds: str) -> bool:
    """Whether F_CN hears of each of these, in the last block."""
    return all(any(name_id("F_CN") in parties for _, parties, _ in world.heard(kind)) for kind in kinds)


@pytest.mark.parametrize("financed", ["its instalment", "its order"])
def test_who_financed_a_relative_hears_what_becomes_of_an_invoice(world: World, financed: str) -> None:
    prints = (("gov", mark("fapiao")), ("number", mark("n")), *DEBT)
    order = world.registered("order", kind="purchase_order")
    whole = world.registered("4711", fingerprints=prints, **wholly(order))
    part = world.registered("4711/1", kind="instalment", **half(whole))
    world.funded(part if financed == "its instalment" else order, percent=10)

    assert world.one("EXP_VN", invoice("copy", fingerprints=prints)).code == "duplicate"
    assert told(world, "refused_duplicate")
    assert world.one("EXP_CN", invoice("alike", fingerprints=prints[1:2])).code == "ok"
    assert told(world, "matched")
    payable = world.registered("owed", by="IMP_DE", kind="payable", fingerprints=DEBT)
    assert told(world, "matched")
    answered(world, payable, "owed")
    answered(world, whole, "4711")
    assert told(world, "confirmed", "double_confirmation")
    assert world.one("IMP_DE", Distinguish(payable, whole, mark("text"), "en")).code == "ok"
    assert told(world, "distinguished")
    assert world.one("EXP_CN", Adjust(whole, WHOLE // 10, mark("credit note"))).code == "ok"
    assert told(world, "adjusted")


def test_who_financed_an_instalment_hears_that_the_invoice_is_denied(world: World) -> None:
    whole = world.registered("4711")
    world.funded(world.registered("4711/1", kind="instalment", **half(whole)))
    answered(world, whole, "4711", denied=True)
    assert told(world, "rejected")


def test_who_financed_an_order_hears_that_what_is_registered_under_it_is_like_another(world: World) -> None:
    alike = (("number", mark("n")),)
    world.registered("another", fingerprints=alike)
    order = world.registered("order", kind="purchase_order")
    world.funded(order)
    world.registered("4711", fingerprints=alike, **half(order))
    assert told(world, "matched")


def test_who_financed_a_sibling_hears_nothing_of_it(world: World) -> None:
    order = world.registered("order", kind="purchase_order")
    first, second = (world.registered(tag, **half(order)) for tag in ("1", "2"))
    world.funded(first)
    answered(world, second, "2", denied=True)
    assert not told(world, "rejected")
