"""Listing: nobody takes up the room of another in the list of a fingerprint, and what is financed stays in it."""

from __future__ import annotations

import pytest

from registry.money import WHOLE
from registry.rules import listing, matches
from registry.state import holders_of, print_key
from registry.transactions.claims import Discharge, Fund, Release, Reserve
from registry.transactions.facilities import Draw, OpenFacility
from registry.transactions.governance import Admit
from registry.transactions.receivables import Adjust, Confirm, Expire, Reject
from tests.registry.world import World, invoice, mark, name_id, party_of, salt_of

ORDER = ("order", mark("PO-88213"))
WINDOW = ("window", mark("500.00 in the first days of July"))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Lists of eight, four of one registrant; and two more exporters."""
    monkeypatch.setattr(listing, "PRINT_HOLDERS_BY_MAX", 4)
    monkeypatch.setattr(listing, "PRINT_HOLDERS_MAX", 8)
    world = World()
    for number in (1, 2):
        world.govern(Admit(party_of(f"S{number}", f"vat:DE10000000{number}", "DE", ("exporter",))))
    return world


def names(world: World, of: tuple[str, bytes] = ORDER) -> list[bytes]:
    """What the order's list has, or another's, oldest first."""
    return list(holders_of(world.state[print_key(*of)]))


def many(world: World, by: str, count: int = 4, of: tuple[str, bytes] = ORDER) -> list[bytes]:
    """So many registrations under the order, each in a block of its own."""
    return [world.registered(f"{by} {n}", by=by, fingerprints=(of,)) for n in range(count)]


def confirmed(world: World, receivable: bytes, tag: str) -> None:
    """By its debtor."""
    word = Confirm(receivable, salt_of(tag), name_id("IMP_DE"), mark(f"commitment {tag}"), WHOLE, mark("text"))
    assert world.one("IMP_DE", word).code == "ok"


def test_strangers_bar_nobody_from_registering_its_own(world: World) -> None:
    for stranger in ("EXP_VN", "S1", "S2"):
        many(world, stranger)
    own = many(world, "EXP_CN", 3)
    assert set(own[:2]) <= set(names(world)), "it has a place as soon as others have more"
    assert len(names(world)) == 8
    many(world, "EXP_CN", 9)  # each of them is recorded, listed or not


def test_what_is_over_takes_up_no_room(world: World) -> None:
    mine = many(world, "EXP_CN", of=WINDOW)
    assert world.one("EXP_CN", invoice("fifth", fingerprints=(WINDOW,))).related == tuple(mine)
    assert world.one("EXP_CN", Adjust(mine[1], WHOLE, mark("credit note"))).code == "ok"
    fifth = world.registered("fifth", fingerprints=(WINDOW,))
    assert names(world, WINDOW) == [mine[0], *mine[2:], fifth]
    sixth = world.registered("sixth", fingerprints=(WINDOW,), supersedes=mine[0])
    assert names(world, WINDOW) == [*mine[2:], fifth, sixth]


def test_a_cancelled_part_of_an_order_stays_because_claims_on_the_order_weigh_on_it(world: World) -> None:
    order = world.registered("order", kind="purchase_order", fingerprints=(("order", mark("another")),))
    part = world.registered("part", fingerprints=(WINDOW,), parents=((order, WHOLE, WHOLE),))
    world.one("EXP_CN", Adjust(part, WHOLE, mark("credit note")))
    rest = many(world, "EXP_CN", 3, of=WINDOW)
    assert world.one("EXP_CN", invoice("fifth", fingerprints=(WINDOW,))).code == "limit_reached"
    assert names(world, WINDOW) == [part, *rest]


def test_of_an_order_more_are_recorded_than_listed_and_who_is_financed_is_listed(world: World) -> None:
    """An honest seller has hundreds of invoices under one order, and ends none of them by its own word alone."""
    mine = many(world, "EXP_CN")
    fifth = world.one("EXP_CN", invoice("fifth", fingerprints=(ORDER,)))
    assert (fifth.code, fifth.related) == ("ok", tuple(mine))
    assert world.heard("unlisted") == [(fifth.subject, (name_id("EXP_CN"),), "order")]
    sixth = world.registered("sixth", fingerprints=(ORDER,))
    assert names(world) == mine
    assert world.one("F_SG", Fund(world.reserved(fifth.subject, to="F_SG"))).related == tuple(mine)
    world.funded(fifth.subject, to="F_SG", percent=10, acknowledged=tuple(mine))
    assert names(world) == [*mine, fifth.subject]
    assert fifth.subject in world.one("F_CN", Fund(world.reserved(sixth))).related, "the second is shown the first"


def test_what_its_registrant_pushes_after_it_hides_nothing_that_was_financed(world: World) -> None:
    """Parts of one debt under one order: the first is paid, the other comes back after a flood that is taken back."""
    first = world.registered("417-A", fingerprints=(ORDER,))
    world.one("F_CN", Discharge(world.funded(first, percent=100), WHOLE))
    flood = many(world, "EXP_CN", 12)
    for each in flood:
        assert world.one("EXP_CN", Adjust(each, WHOLE, mark("credit note"))).code == "ok"
    whole = world.registered("417", fingerprints=(ORDER,))
    assert world.one("F_SG", Fund(world.reserved(whole, to="F_SG"))).related == (first,)


def test_what_was_paid_under_an_order_makes_room_last_and_the_oldest_of_it_first(world: World) -> None:
    many_paid = []
    for n in range(8):
        one = world.registered(f"{n}", fingerprints=(ORDER,))
        world.funded(one, percent=100, acknowledged=tuple(many_paid))
        many_paid.append(one)
        world.one("F_CN", Discharge(world.receivable(one).live[0].claim, WHOLE))
    assert names(world) == many_paid
    ninth = world.registered("ninth", fingerprints=(ORDER,))
    world.funded(ninth, percent=50, acknowledged=tuple(many_paid))
    assert names(world) == [*many_paid[1:], ninth]
    assert world.heard("unlisted") == [(many_paid[0], (name_id("EXP_CN"),), "order")]
    tenth = world.registered("tenth", by="EXP_VN", fingerprints=(ORDER,))
    world.funded(tenth, by="EXP_VN", percent=50, acknowledged=(*many_paid, ninth))
    assert names(world) == [*many_paid[2:], ninth, tenth], "nor does it keep out another seller's"


def test_what_was_paid_makes_no_room_in_a_list_of_one_amount(world: World) -> None:
    paid = many(world, "EXP_CN", of=WINDOW) + many(world, "EXP_VN", of=WINDOW)
    for n, one in enumerate(paid):
        by = "EXP_CN" if n < 4 else "EXP_VN"
        world.one("F_CN", Discharge(world.funded(one, by=by, percent=100, acknowledged=tuple(paid)), WHOLE))
    ninth = world.registered("ninth", by="S1", fingerprints=(WINDOW,))
    claim = world.reserved(ninth, by="S1")
    assert world.one("F_CN", Fund(claim, tuple(paid))).code == "limit_reached"
    assert names(world, WINDOW) == paid


def test_who_has_the_most_makes_room_with_its_newest_and_all_concerned_hear_of_it(world: World) -> None:
    first, second = many(world, "EXP_VN"), many(world, "S1")
    mine = world.registered("mine", fingerprints=(ORDER,))
    assert names(world) == [*first[:3], *second, mine]
    assert world.heard("unlisted") == [(first[3], (name_id("EXP_VN"),), "order")]
    two = world.registered("two", fingerprints=(ORDER,))
    assert names(world) == [*first[:3], *second[:3], mine, two]


def test_who_has_as_many_as_the_others_is_recorded_and_not_listed(world: World) -> None:
    for stranger in ("EXP_VN", "S1", "S2"):
        many(world, stranger, 3)
    before = names(world)
    assert len(before) == 8, "the last of S2 found no room"
    assert world.heard("unlisted") != []
    mine = many(world, "EXP_CN", 2)
    assert mine[0] in names(world)
    late = world.registered("late", by="S2", fingerprints=(ORDER,))
    assert late not in names(world)
    assert world.heard("unlisted") == [(late, (world.receivable(late).registrant,), "order")]


def test_what_is_claimed_or_paid_is_never_pushed_out(world: World) -> None:
    first = many(world, "EXP_VN")
    world.funded(first[3], by="EXP_VN", acknowledged=tuple(first[:3]), percent=50)
    second = many(world, "S1")
    mine = world.registered("mine", fingerprints=(ORDER,))
    assert names(world) == [*first[:2], first[3], *second, mine]


def test_what_is_funded_is_listed_from_then_on(world: World) -> None:
    """So of two that are alike and financed, whoever comes second is shown the first."""
    first, second = many(world, "EXP_VN"), many(world, "S1")
    world.registered("mine", fingerprints=(ORDER,))
    assert first[3] not in names(world)
    others = tuple(one for one in names(world))
    world.funded(first[3], by="EXP_VN", acknowledged=others, percent=50)
    assert names(world)[-1] == first[3]
    assert len(names(world)) == 8
    left = next(one for one in second if one not in names(world))
    assert (left,) == tuple(event[0] for event in world.heard("unlisted"))


def test_what_is_merely_confirmed_makes_room_for_what_is_funded(world: World) -> None:
    """Two who confirm what they call owed would keep a third from being financed for good."""
    others = [*many(world, "EXP_VN"), *many(world, "S1")]
    for n, one in enumerate(others):
        confirmed(world, one, f"{'EXP_VN' if n < 4 else 'S1'} {n % 4}")
    mine = world.registered("mine", fingerprints=(ORDER,))
    assert names(world) == others
    world.funded(mine, acknowledged=tuple(others))
    assert names(world) == [*others[:3], *others[4:], mine]
    world.registered("second", fingerprints=(ORDER,))
    assert names(world) == [*others[:3], *others[4:], mine], "a registration pushes out nothing that was confirmed"


@pytest.mark.parametrize("answer", ["confirmed", "denied", "expired"])
def test_what_its_debtor_said_is_not_pushed_out_by_other_registrations(world: World, answer: str) -> None:
    """Else a seller and two helpers hide a rejection, and cancel what they hid it with."""
    many(world, "EXP_CN", 3)
    due = {"due_month": 202601} if answer == "expired" else {}
    mine = world.registered("mine", fingerprints=(ORDER,), **due)
    if answer == "confirmed":
        confirmed(world, mine, "mine")
    elif answer == "denied":
        assert world.one("IMP_DE", Reject(mine, salt_of("mine"), name_id("IMP_DE"), mark("no"))).code == "ok"
    else:
        assert world.one("EXP_CN", Expire(mine)).code == "ok"
    for stranger in ("EXP_VN", "S1", "S2"):
        many(world, stranger, 3)
    assert mine in names(world)
    assert len(names(world)) == 8


def test_what_its_debtor_answers_is_listed_from_then_on(world: World) -> None:
    many(world, "EXP_VN")
    many(world, "S1")
    many(world, "S2", 2)
    late = world.registered("late", by="S2", fingerprints=(ORDER,))
    assert late not in names(world)
    assert world.one("IMP_DE", Reject(late, salt_of("late"), name_id("IMP_DE"), mark("no"))).code == "ok"
    assert names(world)[-1] == late


def test_nothing_is_funded_that_no_list_has_room_for(world: World) -> None:
    first = many(world, "EXP_VN")
    second = many(world, "S1")
    mine = world.registered("mine", fingerprints=(ORDER,))
    claim = world.reserved(first[3], by="EXP_VN", percent=10)
    held = {one: world.receivable(one).registrant for one in names(world)}
    sellers = {name_id("EXP_VN"): "EXP_VN", name_id("EXP_CN"): "EXP_CN", "vat:DE100000001": "S1"}
    claims = [world.reserved(one, by=sellers[by], percent=10) for one, by in held.items()]
    assert len(second) + len(first) == 8
    assert mine in held
    assert world.one("F_CN", Fund(claim, tuple(held))).code == "limit_reached"
    assert world.one("F_CN", Release(claims[0])).code == "ok"
    assert world.one("F_CN", Fund(claim, tuple(held))).code == "ok"


def test_what_is_funded_through_a_part_is_listed_from_then_on(world: World) -> None:
    """Else whoever finances a second copy of the order is not shown the first, which its invoice has used up."""
    order = many(world, "EXP_VN")[3]
    many(world, "S1")
    world.registered("mine", fingerprints=(ORDER,))
    assert order not in names(world)
    part = world.registered("part", by="EXP_VN", parents=((order, WHOLE, WHOLE),))
    world.funded(part, by="EXP_VN", acknowledged=tuple(names(world)))
    assert names(world)[-1] == order
    copy = world.one("S2", invoice("copy", fingerprints=(ORDER,)))
    assert (copy.code, copy.related[0]) == ("ok", order)
    claim = world.reserved(copy.subject, to="F_SG", by="S2")
    strangers = tuple(one for one in names(world) if one not in (order, copy.subject))
    assert world.one("F_SG", Fund(claim, strangers)).related == (order,)


def test_what_is_funded_through_its_whole_is_listed_from_then_on(world: World) -> None:
    whole = world.registered("whole", by="EXP_VN", kind="purchase_order")
    many(world, "EXP_VN", 3)
    part = world.registered("part", by="EXP_VN", fingerprints=(ORDER,), parents=((whole, WHOLE, WHOLE),))
    many(world, "S1")
    world.registered("mine", fingerprints=(ORDER,))
    assert part not in names(world)
    world.funded(whole, by="EXP_VN", acknowledged=tuple(names(world)))
    assert names(world)[-1] == part


def test_two_of_one_lineage_find_room_together_and_neither_leaves_for_the_other(world: World) -> None:
    first = many(world, "EXP_VN", 2)
    whole = world.registered("whole", by="EXP_VN", fingerprints=(ORDER,))
    part = world.registered("part", by="EXP_VN", fingerprints=(ORDER,), parents=((whole, WHOLE, WHOLE),))
    second = many(world, "S1")
    mine = many(world, "EXP_CN", 2)
    assert names(world) == [*first, whole, *second[:3], *mine]
    many(world, "S2", 3)
    assert {whole, part}.isdisjoint(names(world))
    world.funded(part, by="EXP_VN", acknowledged=tuple(names(world)))
    assert {whole, part} <= set(names(world))
    assert len(names(world)) == 8


def test_what_is_drawn_at_once_does_not_itself_leave_for_its_whole(world: World) -> None:
    """Nothing rested on it before this operation."""
    first = many(world, "EXP_VN", 2)
    whole = world.registered("whole", by="EXP_VN", fingerprints=(ORDER,))
    strangers = many(world, "S1")
    many(world, "EXP_CN", 1)
    many(world, "S2", 2)
    assert whole not in names(world)
    for gone in strangers[1:3]:
        world.one("S1", Adjust(gone, WHOLE, mark("credit note")))
    part = world.registered("part", by="EXP_VN", fingerprints=(ORDER,), parents=((whole, WHOLE, WHOLE),))
    world.registered("last", by="S2", fingerprints=(ORDER,))
    assert (len(names(world)), part in names(world), whole in names(world)) == (8, True, False)
    sides = ("EXP_VN", "F_GB")
    (opened,) = world.do(sides, OpenFacility(name_id("EXP_VN"), name_id("F_GB"), mark("terms"), mark("rules"), ()))
    (drawn,) = world.do(sides, Draw(opened.subject, part, WHOLE, tuple(names(world))))
    assert drawn.code == "ok"
    assert {whole, part, first[0]} <= set(names(world))
    assert first[1] not in names(world)


def test_a_part_of_what_is_funded_is_listed_or_not_registered(world: World) -> None:
    """What the order's financier is owed weighs on the invoice, and a second copy of that must find it."""
    whole = world.registered("whole", by="S2", kind="purchase_order")
    world.funded(whole, by="S2", percent=50)
    for stranger in ("EXP_VN", "S1", "S2"):
        many(world, stranger, 3)
    plain = world.registered("plain", by="S2", fingerprints=(ORDER,))
    assert plain not in names(world), "as many as the others have, and nothing rests on it"
    half = {"fingerprints": (ORDER,), "parents": ((whole, WHOLE // 2, WHOLE),)}
    part = world.registered("part", by="S2", **half)
    assert part in names(world)
    sellers = {name_id("EXP_VN"): "EXP_VN", "vat:DE100000001": "S1", "vat:DE100000002": "S2"}
    for one in names(world):
        if one != part:
            world.reserved(one, by=sellers[world.receivable(one).registrant], percent=10)
    assert world.one("S2", invoice("other part", **half)).code == "limit_reached"
    assert world.one("S2", invoice("no part", fingerprints=(ORDER,))).code == "ok"


def test_certain_identity_is_never_pushed_out(world: World) -> None:
    identity = ("exact", mark("the invoice"))
    mine = world.registered("mine", fingerprints=(identity,))
    assert world.one("EXP_VN", invoice("copy", fingerprints=(identity,))).code == "duplicate"
    assert holders_of(world.state[print_key(*identity)]) == (mine,)


def test_few_of_a_strangers_copies_count_as_matches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is not looked at: what is claimed comes first, and so does what the same debtor confirmed."""
    monkeypatch.setattr(matches, "MATCHES_BY_MAX", 2)
    copies = many(world, "EXP_VN")
    world.funded(copies[3], by="EXP_VN", acknowledged=tuple(copies[:3]), percent=50)
    mine = world.registered("mine", fingerprints=(ORDER,))
    assert world.last is not None
    assert world.last.receipts[0].related == (copies[3], copies[0])
    claim = world.reserved(mine, percent=50)
    assert world.one("F_CN", Fund(claim, (copies[0],))).related == (copies[3],)
    assert world.one("F_CN", Fund(claim, (copies[0], copies[3]))).code == "ok"


def test_all_of_ones_own_copies_count(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each may be the one that was financed already."""
    monkeypatch.setattr(matches, "MATCHES_BY_MAX", 2)
    own = many(world, "EXP_CN", 3)
    stranger = world.registered("stranger", by="EXP_VN", fingerprints=(ORDER,))
    assert world.one("EXP_CN", invoice("mine", fingerprints=(ORDER,))).related == (stranger, *own)


def test_own_copies_push_nobody_out_of_what_is_told() -> None:
    """A seller that lists its other records first: who financed one of them hears of each look-alike all the same."""
    world = World()
    junk, number = ("transport", mark("junk")), ("number", mark("417"))
    financed = world.registered("417", fingerprints=(("exact", mark("417")), number))
    world.funded(financed, percent=100)
    world.do("EXP_CN", *(invoice(f"J{n}", fingerprints=(junk,)) for n in range(70)))
    receipt = world.one("EXP_CN", invoice("copy", fingerprints=(("exact", mark("copy")), junk, number)))
    assert (receipt.code, receipt.related[0], len(receipt.related)) == ("ok", financed, 64)
    assert [event[2] for event in world.heard("matched") if name_id("F_CN") in event[1]] == [financed.hex()]


def test_who_holds_a_claim_hears_of_a_refused_duplicate_whatever_stands_before_it() -> None:
    world = World()
    identity = ("gov", mark("e-invoice"))
    financed = world.registered("417", fingerprints=(identity,))
    world.funded(financed, percent=100)
    others = [("gov", mark(f"e-invoice {n}")) for n in range(70)]
    world.do("EXP_CN", *(invoice(f"J{n}", fingerprints=(one,)) for n, one in enumerate(others)))
    assert world.one("EXP_CN", invoice("copy", fingerprints=(*others, identity))).code == "duplicate"
    assert [event[0] for event in world.heard("refused_duplicate") if name_id("F_CN") in event[1]] == [financed]


# A copy in front of each funding


@pytest.fixture
def plain() -> World:
    return World()


def test_a_strangers_copy_after_the_reservation_does_not_stop_the_funding(plain: World) -> None:
    """The holder hears of it; whoever finances the copy has the first one to look at."""
    mine = plain.registered("mine", fingerprints=(("exact", mark("mine")), ORDER))
    claim = plain.reserved(mine, percent=50)
    copy = plain.transaction("EXP_VN", invoice("copy", fingerprints=(ORDER,)))
    receipts = plain.block([copy, plain.transaction("F_CN", Fund(claim))]).receipts
    assert {receipt.code for receipt in receipts} == {"ok"}
    assert name_id("F_CN") in plain.heard("matched")[0][1]
    (later,) = [receipt.subject for receipt in receipts if receipt.subject != claim]
    other = plain.reserved(later, to="F_SG", by="EXP_VN", percent=50)
    assert plain.one("F_SG", Fund(other)).related == (mine,)


def test_a_copy_before_the_reservation_must_be_looked_at(plain: World) -> None:
    mine = plain.registered("mine", fingerprints=(ORDER,))
    claim = plain.offered(mine, percent=50)
    copy = plain.transaction("EXP_VN", invoice("copy", fingerprints=(ORDER,)))
    receipts = plain.block([copy, plain.transaction("F_CN", Reserve(claim, 600_000))]).receipts
    assert plain.one("F_CN", Fund(claim)).related == tuple({one.subject for one in receipts} - {claim})


def test_ones_own_copy_after_the_reservation_must_be_looked_at(plain: World) -> None:
    claim = plain.reserved(plain.registered("mine", fingerprints=(ORDER,)), percent=50)
    copy = plain.registered("copy", fingerprints=(ORDER,))
    assert plain.one("F_CN", Fund(claim)).related == (copy,)


def test_what_the_debtor_registered_or_confirmed_after_the_reservation_must_be_looked_at(plain: World) -> None:
    mine = plain.registered("mine", fingerprints=(ORDER,))
    confirmed = Confirm(mine, salt_of("mine"), name_id("IMP_DE"), mark("commitment mine"), WHOLE, mark("text"))
    assert plain.one("IMP_DE", confirmed).code == "ok"
    claim = plain.reserved(mine, percent=50)
    payable = plain.registered("payable", by="IMP_DE", kind="payable", fingerprints=(ORDER,))
    assert plain.one("F_CN", Fund(claim)).related == (payable,)
    copy = plain.registered("copy", by="EXP_VN", fingerprints=(ORDER,))
    assert plain.one("F_CN", Fund(claim, (payable,))).code == "ok"
    assert plain.receivable(copy).registered_ms > plain.claim(claim).reserved_ms


def test_a_copy_after_the_reservation_that_is_claimed_must_be_looked_at(plain: World) -> None:
    mine = plain.registered("mine", fingerprints=(ORDER,))
    claim = plain.reserved(mine, percent=50)
    copy = plain.registered("copy", by="EXP_VN", fingerprints=(ORDER,))
    plain.funded(copy, to="F_SG", by="EXP_VN", percent=1, acknowledged=(mine,))
    assert plain.one("F_CN", Fund(claim)).related == (copy,)


def test_few_strangers_make_nothing_unfundable(plain: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their copies of several fingerprints: all are found, and few of them count."""
    monkeypatch.setattr(matches, "MATCHES_BY_MAX", 2)
    monkeypatch.setattr(matches, "MATCHES_MAX", 4)
    prints = tuple(("transport", mark(f"B/L {n}")) for n in range(3))
    mine = plain.registered("mine", fingerprints=prints)
    copies = [
        plain.registered(f"{by} {n}", by=by, fingerprints=(one,), kind=kind)
        for by, kind in (("EXP_VN", "invoice"), ("IMP_AE", "payable"))
        for n, one in enumerate(prints)
    ]
    claim = plain.reserved(mine, percent=50)
    shown = plain.one("F_CN", Fund(claim))
    assert (shown.code, len(shown.related)) == ("unacknowledged_match", 4)
    assert set(shown.related) < set(copies)
    assert plain.one("F_CN", Fund(claim, shown.related)).code == "ok"


def test_neither_does_a_copy_that_is_merely_reserved(plain: World) -> None:
    """A reservation is no money, and could be had for a millisecond in front of each funding."""
    mine = plain.registered("mine", fingerprints=(ORDER,))
    claim = plain.reserved(mine, percent=50)
    copy = plain.registered("copy", by="EXP_VN", fingerprints=(ORDER,))
    later = plain.reserved(copy, to="F_BR", by="EXP_VN", percent=50)
    assert plain.one("F_CN", Fund(claim)).code == "ok"
    assert plain.one("F_BR", Fund(later)).related == (mine,)
    assert plain.one("F_BR", Fund(later, (mine,))).code == "ok"


def test_one_that_was_financed_meanwhile_does(plain: World) -> None:
    mine = plain.registered("mine", fingerprints=(ORDER,))
    claim = plain.reserved(mine, percent=50)
    copy = plain.registered("copy", by="EXP_VN", fingerprints=(ORDER,))
    plain.funded(copy, to="F_BR", by="EXP_VN", percent=50, acknowledged=(mine,))
    assert plain.one("F_CN", Fund(claim)).related == (copy,)
