"""Disputes as stories (registry.md 9): standing, ladder and clocks, endings, voiding, and what none of them touches."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.money import WHOLE
from registry.receipts import Receipt
from registry.records import Dispute, decode_record
from registry.records.disputes import GROUNDS
from registry.rules import disputes as rules
from registry.rules.resolution import UPHELD
from registry.rules.rulebook import DAY_MS
from registry.rules.standing import GROUNDS_OF
from registry.transactions.claims import Discharge, Fund, Offer, Reassign, Release, Reserve, Revoke
from registry.transactions.disputes import (
    AnswerDispute,
    ConcludeDispute,
    DecideDispute,
    EscalateDispute,
    RaiseDispute,
    SettleDispute,
    Standing,
    WithdrawDispute,
)
from registry.transactions.governance import Approve, Award, Propose
from registry.transactions.receivables import Adjust, Confirm, Reject
from tests.registry.world import PERCENT, World, invoice, mark, name_id, salt_of

TEXT = (mark("text"), "en")
OF_THE_DEBT = [ground for ground in GROUNDS if UPHELD[ground] == "reduced"]
OF_THE_REGISTRATION = [ground for ground in GROUNDS if UPHELD[ground] == "voided"]


@pytest.fixture
def world() -> World:
    return World()


def debtor(tag: str) -> Standing:
    """The debtor opens the commitment in `invoice(tag)`."""
    return ("debtor", salt_of(tag), name_id("IMP_DE"))


def raising(receivable: bytes, standing: Standing, ground: str = "set_off", percent: int = 30) -> RaiseDispute:
    return RaiseDispute(receivable, standing, ground, percent * PERCENT, *TEXT)


def raised(
    world: World, receivable: bytes, by: str, standing: Standing, ground: str = "set_off", percent: int = 30
) -> bytes:
    receipt = world.one(by, raising(receivable, standing, ground, percent))
    assert receipt.code == "ok", receipt
    return receipt.subject


def by_debtor(world: World, tag: str = "a", ground: str = "set_off", percent: int = 30) -> tuple[bytes, bytes]:
    """A receivable 80% of which F_CN has funded, and its debtor's dispute of it."""
    receivable = world.registered(tag)
    world.funded(receivable)
    return receivable, raised(world, receivable, "IMP_DE", debtor(tag), ground, percent)


def dispute_of(world: World, dispute: bytes) -> Dispute:
    return decode_record(Dispute, world.state[Dispute.PREFIX + dispute])


def state_now(world: World, dispute: bytes) -> str:
    return dispute_of(world, dispute).state_at(world.now_ms)


def days(world: World, count: int) -> None:
    world.block([], after_ms=count * DAY_MS)


def codes(receipts: list[Receipt]) -> list[str]:
    return [receipt.code for receipt in receipts]


def answered(world: World, dispute: bytes, by: str = "EXP_CN") -> None:
    assert world.one(by, AnswerDispute(dispute, *TEXT)).code == "ok"


def escalated(world: World, dispute: bytes, by: str, *forum: str) -> None:
    receipt = world.one(by, EscalateDispute(dispute, forum, *TEXT))
    assert receipt.code == "ok", receipt


def at_last_rung(world: World, dispute: bytes, *, opener: str = "IMP_DE", respondent: str = "EXP_CN") -> None:
    """The opener goes on against two answers, to arbitration."""
    answered(world, dispute, respondent)
    escalated(world, dispute, opener)
    answered(world, dispute, respondent)
    escalated(world, dispute, opener, "SIAC", "SG")


def awarded(world: World, award: Award) -> list[str]:
    """Three of the four authorities execute an award."""
    proposed = world.one("F_SG", Propose(award))
    if proposed.code != "ok":
        return [proposed.code]
    return [proposed.code, *(world.one(by, Approve(proposed.subject)).code for by in ("F_DE", "F_GB"))]


def claims_of(world: World, receivable: bytes) -> list[tuple[str, int, str]]:
    """Holder, share and state of each claim, in order: what no dispute may change."""
    found = [world.claim(claim) for claim in world.receivable(receivable).claims]
    return [(claim.holder, claim.share, claim.state) for claim in found]


# Raising and standing


def test_a_dispute_is_recorded_as_signed_and_heard_by_all_concerned(world: World) -> None:
    receivable, dispute = by_debtor(world)
    concerned = tuple(sorted(map(name_id, ("IMP_DE", "EXP_CN", "F_CN"))))
    assert world.heard("dispute_raised") == [(dispute, concerned, "set_off")]
    record = dispute_of(world, dispute)
    assert (record.receivable, record.opener, record.capacity) == (receivable, name_id("IMP_DE"), "debtor")
    assert (record.ground, record.share, record.state, record.rung) == ("set_off", 30 * PERCENT, "open", 0)
    assert record.answer_by_ms == world.now_ms + 60 * DAY_MS
    assert [(step.kind, step.side, step.text_digest, step.language) for step in record.steps] == [
        ("raise", "opener", *TEXT)
    ]
    assert world.receivable(receivable).disputes == (dispute,)


@pytest.mark.parametrize("ground", GROUNDS)
def test_who_may_say_what(world: World, ground: str) -> None:
    """Each ground as each of the four; a registrant voids nothing, and a stranger does not plead the debtor's case."""
    shared = ("debtor_side", mark("same debt"))
    receivable = world.registered("a", fingerprints=(shared,))
    claim = world.funded(receivable, percent=10)
    offer = world.offered(receivable, to="F_SG", percent=10)
    other = world.registered("b", by="EXP_VN", fingerprints=(shared,))
    alike = world.funded(other, to="F_DE", by="EXP_VN", acknowledged=(receivable,))
    world.one("IMP_DE", Confirm(receivable, salt_of("a"), name_id("IMP_DE"), mark("commitment a"), WHOLE, mark("t")))
    attempts: dict[str, tuple[str, Standing]] = {
        "debtor": ("IMP_DE", ()),
        "holder": ("F_CN", ("claim", claim)),
        "registrant": ("EXP_CN", ()),
        "second_holder": ("F_DE", ("claim", alike)),
        "applicant": ("F_SG", ("claim", offer)),
    }
    assert set(attempts) == set(GROUNDS_OF)
    for capacity, (by, standing) in attempts.items():
        receipt = world.one(by, raising(receivable, standing, ground))
        assert receipt.code == ("ok" if ground in GROUNDS_OF[capacity] else "not_authorised"), capacity
        if receipt.done:
            assert dispute_of(world, receipt.subject).capacity == capacity


@pytest.mark.parametrize("ground", GROUNDS)
def test_a_debtor_that_waived_its_defences_does_not_plead_them(world: World, ground: str) -> None:
    """It may still say that it refuses, or that there is no such debt: what no law lets it waive, and fraud."""
    receivable = world.registered("a")
    confirm = Confirm(receivable, salt_of("a"), name_id("IMP_DE"), mark("commitment a"), WHOLE, mark("t"))
    assert world.one("IMP_DE", replace(confirm, waives_defences=True)).code == "ok"
    claim = world.funded(receivable)
    code = "not_authorised" if ground in ("defence", "counterclaim", "set_off") else "ok"
    for standing in ((), debtor("a")):
        assert world.one("IMP_DE", raising(receivable, standing, ground)).code in (code, "already_done")
    other = world.one("F_CN", raising(receivable, ("claim", claim), ground))
    assert other.code == "ok"  # what its debtor tells a holder, the holder may put on record


@pytest.mark.parametrize(
    ("by", "standing", "code"),
    [
        ("IMP_AE", (), "not_authorised"),
        ("IMP_DE", (), "not_authorised"),  # the ledger does not know yet that it is the debtor
        ("IMP_DE", ("debtor", mark("guess"), name_id("IMP_DE")), "not_debtor"),
        ("IMP_AE", ("debtor", salt_of("a"), name_id("IMP_DE")), "not_debtor"),
        ("F_SG", ("claim", mark("nothing")), "not_found"),
        ("EXP_VN", ("receivable", mark("nothing")), "not_found"),
        ("EXP_VN", ("fingerprint", "exact", mark("exact b")), "not_authorised"),
        ("EXP_CN", ("fingerprint", "exact", mark("exact a")), "not_authorised"),  # its own registration
        ("F_SG", ("fingerprint", "exact", mark("exact a")), "not_authorised"),  # cannot have been refused by it
    ],
)
def test_no_standing(world: World, by: str, standing: Standing, code: str) -> None:
    receivable = world.registered("a")
    world.funded(receivable)
    assert world.one(by, raising(receivable, standing, "third_party_claim")).code == code


def test_claims_give_standing_while_they_are_alive(world: World) -> None:
    receivable, other = world.registered("a"), world.registered("b")
    lapsing = world.offered(receivable, to="F_SG", percent=10)
    world.one("F_SG", Reserve(lapsing, 1))
    days(world, 1)
    revoked = world.offered(receivable, to="F_DE", percent=10)
    world.one("EXP_CN", Revoke(revoked))
    unlike = world.offered(other, to="F_GB", percent=10)
    assert world.one("F_DE", raising(receivable, ("claim", revoked), "no_such_debt")).code == "not_authorised"
    assert world.one("F_GB", raising(receivable, ("claim", unlike), "no_such_debt")).code == "not_authorised"
    assert world.one("F_GB", raising(receivable, ("claim", lapsing), "no_such_debt")).code == "not_authorised"
    assert world.one("F_SG", raising(receivable, ("claim", lapsing), "no_such_debt")).code == "ok"


def test_a_second_applicant_may_hold_a_claim_on_what_is_alike(world: World) -> None:
    """Two registrations of one debt under two sellers, each financed: the second financier disputes the first."""
    shared = ("debtor_side", mark("same debt"))
    first = world.registered("a", fingerprints=(shared,))
    second = world.registered("b", by="EXP_VN", fingerprints=(shared,))
    claim = world.funded(second, to="F_SG", by="EXP_VN", acknowledged=(first,))
    dispute = raised(world, first, "F_SG", ("claim", claim), "third_party_claim")
    assert dispute_of(world, dispute).capacity == "second_holder"
    other = raised(world, first, "EXP_VN", ("receivable", second), "squatting")
    assert dispute_of(world, other).capacity == "applicant"


@pytest.mark.parametrize("kind", ["order", "window"])
def test_a_thin_likeness_gives_no_standing(world: World, kind: str) -> None:
    first = world.registered("a", fingerprints=((kind, mark("x")),))
    second = world.registered("b", by="EXP_VN", fingerprints=((kind, mark("x")),))
    assert world.one("EXP_VN", raising(first, ("receivable", second), "squatting")).code == "not_authorised"


def test_a_registrant_disputes_only_with_somebody_on_the_other_side(world: World) -> None:
    receivable = world.registered("a")
    assert world.one("EXP_CN", raising(receivable, ())).code == "bad_state"  # a credit note does it
    world.reserved(receivable)
    assert world.one("EXP_CN", raising(receivable, ())).code == "ok"


def test_the_same_ground_is_not_raised_twice_unless_it_had_been_right(world: World) -> None:
    receivable, dispute = by_debtor(world)
    again = raising(receivable, debtor("a"))
    receipt = world.one("IMP_DE", again)
    assert (receipt.code, receipt.related) == ("already_done", (dispute,))
    assert world.one("IMP_DE", raising(receivable, debtor("a"), "defence")).code == "ok"
    world.one("IMP_DE", WithdrawDispute(dispute, *TEXT))
    assert world.one("IMP_DE", again).code == "already_done"
    other = world.registered("b")
    dispute = raised(world, other, "IMP_DE", debtor("b"))
    assert world.one(("IMP_DE", "EXP_CN"), SettleDispute(dispute, PERCENT, *TEXT)).code == "ok"  # type: ignore[arg-type]
    assert world.one("IMP_DE", raising(other, debtor("b"))).code == "ok"


def test_open_disputes_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "DISPUTES_OPEN_MAX", 2)
    receivable = world.registered("a")
    first = raised(world, receivable, "IMP_DE", debtor("a"), "refusal")
    raised(world, receivable, "IMP_DE", debtor("a"), "defence")
    third = raising(receivable, debtor("a"), "set_off")
    assert world.one("IMP_DE", third).code == "limit_reached"
    answered(world, first)
    days(world, 31)
    assert state_now(world, first) == "lapsed"  # it takes up no place any more, though nobody concluded it
    assert world.one("IMP_DE", third).code == "ok"
    assert first not in world.receivable(receivable).disputes
    assert world.one("EXP_CN", ConcludeDispute(first)).code == "ok"


def test_strangers_do_not_use_up_the_places_of_who_stands_in_the_debt(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "DISPUTES_OPEN_MAX", 2)
    receivable = world.registered("a")
    copied: Standing = ("fingerprint", "exact", mark("exact a"))
    for ground in ("squatting", "no_such_debt"):
        answered(world, raised(world, receivable, "EXP_VN", copied, ground))
    assert world.one("EXP_VN", raising(receivable, copied, "not_my_invoice")).code == "limit_reached"
    raised(world, receivable, "IMP_DE", debtor("a"), "refusal")
    raised(world, receivable, "IMP_DE", debtor("a"), "defence")
    assert world.one("IMP_DE", raising(receivable, debtor("a"), "set_off")).code == "limit_reached"


# What it suspends


def test_a_disputed_receivable_takes_no_new_claim_and_keeps_the_old_ones(world: World) -> None:
    receivable = world.registered("a")
    funded = world.funded(receivable, percent=50)
    reserved = world.reserved(receivable, to="F_SG", percent=10)
    offered = world.offered(receivable, to="F_DE", percent=10)
    before = claims_of(world, receivable)
    dispute = raised(world, receivable, "IMP_DE", debtor("a"))
    offer = Offer(receivable, name_id("F_GB"), PERCENT, mark("terms"), world.now_ms + DAY_MS)
    for by, operation in (
        ("EXP_CN", offer),
        ("F_DE", Reserve(offered, 60_000)),
        ("F_SG", Fund(reserved)),
        (("F_CN", "F_SG"), Reassign(funded, name_id("F_SG"))),
    ):
        receipt = world.one(by, operation)  # type: ignore[arg-type]
        assert (receipt.code, receipt.related) == ("disputed", (dispute,)), operation
    assert claims_of(world, receivable) == before
    sides = tuple(sorted(map(name_id, ("EXP_CN", "F_SG"))))
    world.one("F_SG", Fund(reserved))
    assert world.heard("refused_claim") == [(reserved, sides, "disputed")]


def test_what_ends_or_lowers_goes_on_during_a_dispute(world: World) -> None:
    receivable, _ = by_debtor(world)
    (claim,) = world.receivable(receivable).claims
    assert world.one("F_CN", Discharge(claim, 10 * PERCENT)).code == "ok"
    assert world.one("EXP_CN", Adjust(receivable, 10 * PERCENT, mark("note"))).code == "ok"
    confirm = Confirm(receivable, salt_of("a"), name_id("IMP_DE"), mark("commitment a"), WHOLE, mark("text"))
    assert world.one("IMP_DE", confirm).code == "ok"
    assert world.one("F_CN", Release(claim)).code == "ok"
    assert world.receivable(receivable).state == "confirmed"


def test_a_dispute_reaches_as_far_as_claims_weigh(world: World) -> None:
    """Up to the order and down to the instalment, not across to another invoice under that order."""
    order = world.registered("order", kind="purchase_order")
    first = world.registered("a", parents=((order, WHOLE // 2, WHOLE),))
    instalment = world.registered("a1", kind="instalment", parents=((first, WHOLE // 2, WHOLE),))
    second = world.registered("b", parents=((order, WHOLE // 2, WHOLE),))
    dispute = raised(world, first, "IMP_DE", debtor("a"), "refusal")
    until = world.now_ms + DAY_MS
    for receivable, code in ((order, "disputed"), (instalment, "disputed"), (second, "ok")):
        receipt = world.one("EXP_CN", Offer(receivable, name_id("F_CN"), PERCENT, mark("terms"), until))
        assert receipt.code == code
        assert receipt.related == ((dispute,) if code == "disputed" else ())


def test_a_rejected_invoice_that_is_disputed_as_well_stops_no_business_under_its_order(world: World) -> None:
    order = world.registered("order", kind="purchase_order")
    child = world.registered("a", parents=((order, WHOLE, WHOLE),))
    world.one("IMP_DE", Reject(child, salt_of("a"), name_id("IMP_DE"), mark("reason")))
    raised(world, child, "IMP_DE", debtor("a"), "no_such_debt")
    world.funded(order)


def offering(world: World, receivable: bytes) -> str:
    """What the seller's offer of it is answered."""
    return world.one("EXP_CN", Offer(receivable, name_id("F_DE"), 1, mark("terms"), world.now_ms + DAY_MS)).code


def by_stranger(world: World, tag: str = "a") -> tuple[bytes, bytes]:
    """A receivable, and the dispute of an exporter that copied a fingerprint of it."""
    receivable = world.registered(tag)
    copied: Standing = ("fingerprint", "exact", mark(f"exact {tag}"))
    return receivable, raised(world, receivable, "EXP_VN", copied, "squatting", 1)


def test_who_has_no_money_in_the_debt_stops_business_only_until_it_is_answered(world: World) -> None:
    """Fingerprints can be copied by whoever reads the state; the dispute itself runs on, to the forum."""
    receivable, dispute = by_stranger(world)
    assert offering(world, receivable) == "disputed"
    answered(world, dispute)
    assert offering(world, receivable) == "ok"
    escalated(world, dispute, "EXP_VN")
    assert offering(world, receivable) == "ok"  # it stands as it did, until the next clock is missed
    answered(world, dispute)
    escalated(world, dispute, "EXP_VN", "ICC", "FR")
    assert (offering(world, receivable), state_now(world, dispute)) == ("ok", "open")
    assert awarded(world, Award(dispute, "voided", 0, mark("award"), "en")) == ["ok"] * 3
    assert world.receivable(receivable).state == "voided"


def test_who_does_not_answer_a_stranger_is_stopped(world: World) -> None:
    receivable, dispute = by_stranger(world)
    days(world, 61)
    assert offering(world, receivable) == "disputed"
    escalated(world, dispute, "EXP_CN")  # heard at the next rung, where the stranger must speak
    assert offering(world, receivable) == "disputed"
    days(world, 61)
    assert offering(world, receivable) == "ok"  # it did not
    receivable, dispute = by_stranger(world, "b")
    answered(world, dispute)
    escalated(world, dispute, "EXP_VN")
    days(world, 61)
    assert offering(world, receivable) == "disputed"  # an answer once is none for ever
    days(world, 30)
    assert (offering(world, receivable), state_now(world, dispute)) == ("disputed", "upheld")


@pytest.mark.parametrize("who", ["reserved", "lapsed", "second_holder"])
def test_who_has_paid_nothing_on_it_stops_business_only_until_it_is_answered(world: World, who: str) -> None:
    """A reservation costs nothing, and one unit of a copied fingerprint next to nothing."""
    shared = ("number", mark("number a"))
    receivable = world.registered("a", fingerprints=(shared,))
    claim = world.reserved(receivable, to="F_SG", percent=1)
    if who == "lapsed":
        days(world, 1)
    if who == "second_holder":
        copy = world.registered("b", by="EXP_VN", fingerprints=(shared,))
        claim = world.funded(copy, to="F_SG", percent=1, by="EXP_VN", acknowledged=(receivable,))
    dispute = raised(world, receivable, "F_SG", ("claim", claim), "third_party_claim")
    assert dispute_of(world, dispute).capacity == ("second_holder" if who == "second_holder" else "applicant")
    assert offering(world, receivable) == "disputed"
    answered(world, dispute)
    assert offering(world, receivable) == "ok"
    escalated(world, dispute, "F_SG")
    answered(world, dispute)
    escalated(world, dispute, "F_SG", "CIETAC")
    assert (offering(world, receivable), state_now(world, dispute)) == ("ok", "open")


def test_a_seller_does_not_keep_its_financier_from_selling(world: World) -> None:
    """By a dispute over one unit of what it has sold: the holder has answered it."""
    receivable = world.registered("a")
    claim = world.funded(receivable, percent=100)
    dispute = raised(world, receivable, "EXP_CN", (), "refusal", 1)
    sale = Reassign(claim, name_id("F_BR"))
    assert world.one(("F_CN", "F_BR"), sale).code == "disputed"
    answered(world, dispute, "F_CN")
    assert world.one(("F_CN", "F_BR"), sale).code == "ok"


def test_a_dispute_of_a_part_stops_the_sale_of_claims_on_that_part_and_below_only(world: World) -> None:
    """Whoever registers a part of one unit, with an accomplice for its debtor, keeps nobody from selling the whole."""
    order = world.registered("order", kind="purchase_order")
    on_order = world.funded(order, percent=10)
    part = world.registered("a", parents=((order, WHOLE // 2, WHOLE),))
    on_part = world.funded(part, to="F_SG", percent=10)
    below = world.registered("a1", kind="instalment", parents=((part, WHOLE // 2, WHOLE),))
    on_below = world.funded(below, to="F_DE", percent=10)
    dispute = raised(world, part, "IMP_DE", debtor("a"), "refusal")
    for holder, claim, code in (
        ("F_CN", on_order, "ok"),
        ("F_SG", on_part, "disputed"),
        ("F_DE", on_below, "disputed"),
    ):
        receipt = world.one((holder, "F_BR"), Reassign(claim, name_id("F_BR")))
        assert (receipt.code, receipt.related) == (code, () if code == "ok" else (dispute,)), holder
    assert offering(world, order) == "disputed"  # new money is another matter


@pytest.mark.parametrize("who", ["debtor", "holder"])
def test_whoever_owes_or_has_paid_stops_business_while_it_goes_on(world: World, who: str) -> None:
    shared = ("debtor_side", mark("same debt"))
    receivable = world.registered("a", fingerprints=(shared,))
    first = world.funded(receivable, to="F_CN", percent=10)
    attempts: dict[str, tuple[str, Standing]] = {
        "debtor": ("IMP_DE", debtor("a")),
        "holder": ("F_CN", ("claim", first)),
    }
    by, standing = attempts[who]
    dispute = raised(world, receivable, by, standing, "third_party_claim")
    at_last_rung(world, dispute, opener=by)
    assert offering(world, receivable) == "disputed"


def test_who_funds_has_looked_at_every_dispute_that_runs(world: World) -> None:
    """A false seller answers and is free to be financed: by whoever knows that its registration is disputed."""
    squat, dispute = by_stranger(world)
    answered(world, dispute)
    claim = world.reserved(squat, percent=50)
    refused = world.one("F_CN", Fund(claim))
    assert (refused.code, refused.related) == ("unacknowledged_match", (dispute,))
    assert world.one("F_CN", Fund(claim, (dispute,))).code == "ok"
    days(world, 31)
    assert state_now(world, dispute) == "lapsed"
    world.funded(squat, to="F_SG", percent=10)  # nothing to look at any more


def test_who_funds_has_looked_at_the_disputes_of_the_lineage(world: World) -> None:
    order = world.registered("order", kind="purchase_order")
    child = world.registered("a", parents=((order, WHOLE, WHOLE),))
    over = world.registered("b", kind="instalment", parents=((child, WHOLE // 2, WHOLE),))
    disputes = []
    for receivable, tag in ((child, "a"), (order, "order"), (over, "b")):
        disputes.append(
            raised(world, receivable, "EXP_VN", ("fingerprint", "exact", mark(f"exact {tag}")), "squatting")
        )
        answered(world, disputes[-1])
    world.one("IMP_DE", Reject(over, salt_of("b"), name_id("IMP_DE"), mark("reason")))
    claim = world.reserved(child, percent=50)
    refused = world.one("F_CN", Fund(claim))
    assert (refused.code, refused.related) == ("unacknowledged_match", tuple(disputes[:2])), "the part is over"
    assert world.one("F_CN", Fund(claim, tuple(disputes[:2]))).code == "ok"


def test_of_very_many_disputes_the_first_ones_stand_for_the_rest(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.rules.suspension.DISPUTES_LOOKED_AT_MAX", 1)
    receivable, dispute = by_stranger(world)
    second = raised(world, receivable, "EXP_VN", ("fingerprint", "exact", mark("exact a")), "no_such_debt")
    for one in (dispute, second):
        answered(world, one)
    world.funded(receivable, acknowledged=(dispute,))


def test_an_answered_dispute_of_a_stranger_still_bars_a_correction(world: World) -> None:
    receivable, dispute = by_stranger(world)
    answered(world, dispute)
    world.one("IMP_DE", raising(receivable, debtor("a")))
    assert dispute in world.receivable(receivable).disputes  # the next one does not push it off the list
    world.one("IMP_DE", WithdrawDispute(world.receivable(receivable).disputes[-1], *TEXT))
    refused = world.one("EXP_CN", invoice("b", supersedes=receivable))
    assert (refused.code, refused.related) == ("disputed", (receivable, dispute))


def test_a_correction_is_no_way_out_of_a_dispute(world: World) -> None:
    receivable = world.registered("a")
    dispute = raised(world, receivable, "IMP_DE", debtor("a"))
    corrected = invoice("b", supersedes=receivable)
    receipt = world.one("EXP_CN", corrected)
    assert (receipt.code, receipt.related) == ("disputed", (receivable, dispute))
    world.one("IMP_DE", WithdrawDispute(dispute, *TEXT))
    assert world.one("EXP_CN", corrected).code == "ok"
    assert world.one("IMP_DE", raising(receivable, debtor("a"), "refusal")).code == "bad_state"


# Ladder and clocks


def test_an_answer_stands_unless_the_opener_goes_on(world: World) -> None:
    receivable, dispute = by_debtor(world)
    days(world, 59)
    answered(world, dispute)
    assert world.heard("dispute_answered")[0][2] == "parties"
    days(world, 30)
    assert state_now(world, dispute) == "open"
    world.block([], after_ms=1)
    assert state_now(world, dispute) == "lapsed"
    world.offered(receivable, to="F_SG", percent=10)  # nothing is suspended any more, by block time alone
    assert world.one("IMP_DE", EscalateDispute(dispute, (), *TEXT)).code == "out_of_time"
    assert world.one("IMP_DE", WithdrawDispute(dispute, *TEXT)).code == "out_of_time"
    assert world.one("IMP_DE", raising(receivable, debtor("a"))).code == "already_done"
    assert world.one("EXP_CN", ConcludeDispute(dispute)).code == "ok"
    assert (dispute_of(world, dispute).state, world.receivable(receivable).collectible) == ("dismissed", WHOLE)
    assert world.one("EXP_CN", ConcludeDispute(dispute)).code == "already_done"


@pytest.mark.parametrize("ground", OF_THE_DEBT)
def test_silence_concedes_the_share_in_dispute(world: World, ground: str) -> None:
    receivable, dispute = by_debtor(world, ground=ground)
    before = claims_of(world, receivable)
    days(world, 91)
    assert state_now(world, dispute) == "upheld"
    assert (
        world.one("EXP_CN", Offer(receivable, name_id("F_SG"), 1, mark("t"), world.now_ms + DAY_MS)).code == "disputed"
    )
    assert world.one("F_GB", ConcludeDispute(dispute)).code == "not_authorised"
    assert world.one("F_CN", ConcludeDispute(dispute)).code == "ok"
    record = dispute_of(world, dispute)
    assert (record.state, record.reduction) == ("reduced", 30 * PERCENT)
    assert (world.receivable(receivable).collectible, world.receivable(receivable).disputes) == (70 * PERCENT, ())
    assert world.heard("over_advanced")[0][2] == str(10 * PERCENT)
    assert world.heard("dispute_concluded")[0][2] == "reduced"
    assert claims_of(world, receivable) == before


def test_a_seller_that_missed_the_answer_is_heard_at_the_next_rung(world: World) -> None:
    receivable, dispute = by_debtor(world)
    days(world, 61)
    escalated(world, dispute, "EXP_CN")
    assert dispute_of(world, dispute).mover == "respondent"
    assert world.one("EXP_CN", AnswerDispute(dispute, *TEXT)).code == "not_authorised"
    answered(world, dispute, "IMP_DE")
    days(world, 31)
    assert state_now(world, dispute) == "upheld"  # the seller did not go on against that answer
    world.one("EXP_CN", ConcludeDispute(dispute))
    assert world.receivable(receivable).collectible == 70 * PERCENT


def test_too_late_is_too_late(world: World) -> None:
    _, dispute = by_debtor(world)
    assert world.one("IMP_DE", EscalateDispute(dispute, (), *TEXT)).code == "out_of_time"  # it may still be answered
    assert world.one("IMP_DE", AnswerDispute(dispute, *TEXT)).code == "not_authorised"  # one's own dispute
    days(world, 61)
    assert world.one("EXP_CN", AnswerDispute(dispute, *TEXT)).code == "out_of_time"
    assert world.one("EXP_CN", ConcludeDispute(dispute)).code == "out_of_time"  # somebody may still go on
    days(world, 30)
    assert state_now(world, dispute) == "upheld"
    assert world.one("EXP_CN", EscalateDispute(dispute, (), *TEXT)).code == "out_of_time"


def test_a_holder_answers_for_a_silent_seller(world: World) -> None:
    receivable, dispute = by_debtor(world)
    assert world.one("F_SG", AnswerDispute(dispute, *TEXT)).code == "not_authorised"
    answered(world, dispute, "F_CN")
    assert world.one("EXP_CN", AnswerDispute(dispute, *TEXT)).code == "already_done"
    days(world, 31)
    assert state_now(world, dispute) == "lapsed"
    assert world.receivable(receivable).collectible == WHOLE


@pytest.mark.parametrize(
    ("forum", "code"),
    [
        (("CIETAC",), "ok"),
        (("HKIAC", "HK"), "ok"),
        (("COURT", "DE"), "ok"),
        (("COURT",), "bad_state"),  # of which country?
        ((), "bad_state"),
    ],
)
def test_the_last_rung_names_its_forum(world: World, forum: tuple[str, ...], code: str) -> None:
    _, dispute = by_debtor(world)
    answered(world, dispute)
    assert world.one("IMP_DE", EscalateDispute(dispute, ("ICC",), *TEXT)).code == "bad_state"  # not at this rung
    escalated(world, dispute, "IMP_DE")
    answered(world, dispute)
    assert world.one("IMP_DE", EscalateDispute(dispute, forum, *TEXT)).code == code
    if code == "ok":
        record = dispute_of(world, dispute)
        assert (record.rung, (record.forum, record.seat)) == (2, (*forum, "")[:2])
        assert world.heard("dispute_escalated")[0][2] == "arbitration"
        assert world.one("EXP_CN", AnswerDispute(dispute, *TEXT)).code == "bad_state"
        assert world.one("EXP_CN", EscalateDispute(dispute, (), *TEXT)).code == "bad_state"


def test_an_arbitration_that_comes_to_nothing_leaves_things_as_they_stood(world: World) -> None:
    receivable, dispute = by_debtor(world)
    at_last_rung(world, dispute)  # against two answers
    days(world, 1095)
    assert state_now(world, dispute) == "open"
    days(world, 1)
    assert state_now(world, dispute) == "lapsed"
    other, silent = by_debtor(world, "b")
    days(world, 61)
    escalated(world, silent, "EXP_CN")
    days(world, 61)
    escalated(world, silent, "EXP_CN", "ICC")  # the debtor is silent now: it stands for the seller
    days(world, 1096)
    assert state_now(world, silent) == "lapsed"
    assert {world.receivable(one).collectible for one in (receivable, other)} == {WHOLE}


# Endings by the sides


def test_withdrawn(world: World) -> None:
    receivable, dispute = by_debtor(world)
    assert world.one("EXP_CN", WithdrawDispute(dispute, *TEXT)).code == "not_authorised"
    assert world.one("IMP_DE", WithdrawDispute(dispute, *TEXT)).code == "ok"
    assert dispute_of(world, dispute).state == "withdrawn"
    assert world.receivable(receivable).disputes == ()
    world.offered(receivable, to="F_SG")
    assert world.one("IMP_DE", WithdrawDispute(dispute, *TEXT)).code == "already_done"
    assert world.one("EXP_CN", AnswerDispute(dispute, *TEXT)).code == "already_done"


@pytest.mark.parametrize(("percent", "over"), [(0, None), (20, None), (30, 10)])
def test_settled_by_both_sides(world: World, percent: int, over: int | None) -> None:
    receivable, dispute = by_debtor(world)
    before = claims_of(world, receivable)
    settlement = SettleDispute(dispute, percent * PERCENT, *TEXT)
    for alone in (
        "IMP_DE",
        "EXP_CN",
        ("IMP_DE", "F_CN"),
    ):  # a holder answers for the seller, but does not give in for it
        assert world.one(alone, settlement).code == "not_authorised"  # type: ignore[arg-type]
    assert world.one(("IMP_DE", "EXP_CN"), replace(settlement, reduction_share=31 * PERCENT)).code == "over_residual"
    if over is not None:  # not over the head of who paid
        refused = world.one(("EXP_CN", "IMP_DE"), settlement)
        assert (refused.code, refused.related) == ("not_authorised", world.receivable(receivable).claims)
    sides = ("EXP_CN", "IMP_DE") if over is None else ("EXP_CN", "IMP_DE", "F_CN")
    assert world.one(sides, settlement).code == "ok"
    assert dispute_of(world, dispute).state == "settled"
    assert world.heard("dispute_settled")[0][2] == str(percent * PERCENT)
    assert [detail for _, _, detail in world.heard("over_advanced")] == ([] if over is None else [str(over * PERCENT)])
    assert len(world.heard("adjusted")) == (percent > 0)
    record = world.receivable(receivable)
    assert (record.collectible, record.disputes) == (WHOLE - percent * PERCENT, ())
    assert claims_of(world, receivable) == before


def test_after_a_settlement_up_to_what_is_left_is_financed(world: World) -> None:
    receivable, dispute = by_debtor(world, percent=15)
    world.one(("IMP_DE", "EXP_CN"), SettleDispute(dispute, 15 * PERCENT, *TEXT))
    too_much = world.offered(receivable, to="F_SG", percent=6)
    assert world.one("F_SG", Reserve(too_much, 60_000)).code == "over_residual"
    world.funded(receivable, to="F_SG", percent=5)


def test_seller_and_debtor_do_not_agree_away_what_a_financier_paid_for(world: World) -> None:
    """Nor through the order that it paid for, nor under the name of an award. The authorities execute a real one."""
    order = world.registered("order", kind="purchase_order")
    claim = world.funded(order, percent=70)
    receivable = world.registered("a", parents=((order, WHOLE // 2, WHOLE),))
    dispute = raised(world, receivable, "IMP_DE", debtor("a"), percent=40)
    sides = ("EXP_CN", "IMP_DE")
    refused = world.one(sides, SettleDispute(dispute, 31 * PERCENT, *TEXT))
    assert (refused.code, refused.related) == ("not_authorised", (claim,))
    at_last_rung(world, dispute)
    award = DecideDispute(dispute, "reduced", 31 * PERCENT, mark("award"), "en")
    refused = world.one(sides, award)
    assert (refused.code, refused.related) == ("not_authorised", (claim,))
    assert awarded(world, Award(dispute, "reduced", 31 * PERCENT, mark("award"), "en")) == ["ok"] * 3
    assert world.receivable(receivable).collectible == 69 * PERCENT
    assert world.heard("over_advanced")[0][2] == str(PERCENT)


def test_a_reservation_is_no_money_and_does_not_hinder_a_settlement(world: World) -> None:
    receivable = world.registered("a")
    claim = world.reserved(receivable, percent=80)
    dispute = raised(world, receivable, "IMP_DE", debtor("a"))
    assert world.one(("EXP_CN", "IMP_DE"), SettleDispute(dispute, 30 * PERCENT, *TEXT)).code == "ok"
    assert world.one("F_CN", Fund(claim)).code == "over_residual"


def test_settling_all_of_an_unfinanced_receivable_cancels_it(world: World) -> None:
    receivable = world.registered("a")
    dispute = raised(world, receivable, "IMP_DE", debtor("a"), "refusal", 100)
    assert world.one(("IMP_DE", "EXP_CN"), SettleDispute(dispute, WHOLE, *TEXT)).code == "ok"
    assert world.receivable(receivable).state == "cancelled"


def test_a_registrant_settles_with_the_debtor_or_else_with_a_holder(world: World) -> None:
    receivable = world.registered("a")
    world.funded(receivable)
    dispute = raised(world, receivable, "EXP_CN", ())
    assert world.one(("EXP_CN", "F_CN"), SettleDispute(dispute, PERCENT, *TEXT)).code == "ok"
    confirm = Confirm(receivable, salt_of("a"), name_id("IMP_DE"), mark("commitment a"), WHOLE, mark("text"))
    assert world.one("IMP_DE", confirm).code == "ok"
    dispute = raised(world, receivable, "EXP_CN", ())
    assert world.one(("EXP_CN", "F_CN"), SettleDispute(dispute, PERCENT, *TEXT)).code == "not_authorised"
    assert world.one(("EXP_CN", "IMP_DE"), SettleDispute(dispute, PERCENT, *TEXT)).code == "ok"


# Awards


@pytest.mark.parametrize(
    ("outcome", "percent", "collectible"), [("dismissed", 0, 100), ("reduced", 25, 75), ("voided", 0, 100)]
)
def test_both_sides_record_the_award(world: World, outcome: str, percent: int, collectible: int) -> None:
    receivable = world.registered("a")
    dispute = raised(world, receivable, "IMP_DE", debtor("a"), "no_such_debt")
    award = DecideDispute(dispute, outcome, percent * PERCENT, mark("award"), "zh")
    sides = ("EXP_CN", "IMP_DE")
    assert world.one(sides, award).code == "bad_state"  # no forum has been asked yet
    at_last_rung(world, dispute)
    assert world.one("IMP_DE", award).code == "not_authorised"
    wrong = 31 if outcome == "reduced" else 1
    assert world.one(sides, replace(award, reduction_share=wrong * PERCENT)).code == "over_residual"
    assert world.one(sides, award).code == "ok"
    record = dispute_of(world, dispute)
    assert (record.state, record.award, record.reduction) == (outcome, mark("award"), percent * PERCENT)
    assert record.steps[-1].language == "zh"
    assert world.heard("dispute_decided")[0][2] == outcome
    after = world.receivable(receivable)
    assert after.state == ("voided" if outcome == "voided" else "registered")
    assert after.collectible == collectible * PERCENT


def test_authorities_execute_an_award_by_more_than_two_thirds(world: World) -> None:
    receivable, dispute = by_debtor(world)
    award = Award(dispute, "reduced", 30 * PERCENT, mark("award"), "en")
    assert awarded(world, award) == ["bad_state"]
    assert world.one("EXP_CN", Propose(award)).code == "not_authorised"
    assert world.one("F_CN", Propose(replace(award, dispute=mark("none")))).code == "not_found"
    at_last_rung(world, dispute)
    assert awarded(world, replace(award, reduction_share=31 * PERCENT)) == ["over_residual"]
    proposal = world.one("F_SG", Propose(award)).subject
    assert world.heard("award_proposed")[0][2] == dispute.hex()
    assert world.one("F_DE", Approve(proposal)).code == "ok"
    assert dispute_of(world, dispute).state == "open"
    assert world.one("F_GB", Approve(proposal)).code == "ok"
    record = dispute_of(world, dispute)
    assert (record.state, record.reduction, record.steps[-1].side) == ("reduced", 30 * PERCENT, "authorities")
    assert world.receivable(receivable).collectible == 70 * PERCENT
    assert world.heard("over_advanced")[0][2] == str(10 * PERCENT)
    assert world.one("F_CN", Approve(proposal)).code == "already_done"
    assert awarded(world, award) == ["already_done"]


def test_an_award_takes_no_more_than_is_left(world: World) -> None:
    receivable, dispute = by_debtor(world)
    at_last_rung(world, dispute)
    world.one("EXP_CN", Adjust(receivable, 90 * PERCENT, mark("note")))
    assert awarded(world, Award(dispute, "reduced", 30 * PERCENT, mark("award"), "en")) == ["ok"] * 3
    assert dispute_of(world, dispute).reduction == 10 * PERCENT
    assert world.receivable(receivable).collectible == 0


# Voiding


@pytest.mark.parametrize("ground", OF_THE_REGISTRATION)
def test_a_squatter_that_keeps_silent_is_voided_and_the_rightful_seller_registers(world: World, ground: str) -> None:
    squat = world.registered("a")
    rightful = invoice("a", commitment=mark("the seller's own"))
    refused = world.one("EXP_VN", rightful)
    assert (refused.code, refused.related) == ("duplicate", (squat,))
    standing = ("fingerprint", "exact", mark("exact a"))
    dispute = raised(world, squat, "EXP_VN", standing, ground, 100)
    days(world, 89)
    assert world.one("EXP_VN", ConcludeDispute(dispute)).code == "out_of_time"
    days(world, 2)
    receipts = world.do("EXP_VN", ConcludeDispute(dispute), rightful, mode="all")
    assert codes(receipts) == ["ok", "ok"]
    assert receipts[1].related == ()  # it matches nothing
    record = world.receivable(squat)
    assert (record.state, record.registrant, record.disputes) == ("voided", name_id("EXP_CN"), ())
    assert world.heard("voided") == [(squat, tuple(sorted(map(name_id, ("EXP_CN", "EXP_VN")))), ground)]
    world.funded(receipts[1].subject, to="F_SG", by="EXP_VN")
    for operation in (
        Offer(squat, name_id("F_CN"), 1, mark("terms"), world.now_ms + DAY_MS),
        Adjust(squat, 1, mark("note")),
        raising(squat, ()),
    ):
        assert world.one("EXP_CN", operation).code == "bad_state"


def test_parts_of_a_voided_registration_go_with_it(world: World) -> None:
    """Instalments under a squatter's invoice are worth nothing, and do not keep the rightful seller out."""
    prints = (("gov", mark("fapiao")),)
    squat = world.registered("a", fingerprints=prints)
    part = world.registered("1", kind="instalment", fingerprints=prints, parents=((squat, WHOLE // 2, WHOLE),))
    dispute = raised(world, squat, "EXP_VN", ("fingerprint", "gov", mark("fapiao")), "squatting", 100)
    days(world, 91)
    assert world.one("EXP_VN", ConcludeDispute(dispute)).code == "ok"
    rightful = world.one("EXP_VN", invoice("b", fingerprints=prints))
    assert (rightful.code, rightful.related) == ("ok", (part,)), "an obstacle no more, but to be looked at"
    offer = world.one("EXP_CN", Offer(part, name_id("F_CN"), 1, mark("terms"), world.now_ms + DAY_MS))
    assert (offer.code, offer.related) == ("bad_state", (squat,))
    assert world.one("EXP_CN", invoice("c", fingerprints=prints)).code == "duplicate"


def test_the_author_of_a_voided_registration_does_not_come_back_with_it(world: World) -> None:
    squat = world.registered("a")
    dispute = raised(world, squat, "IMP_DE", debtor("a"), "no_such_debt", 100)
    days(world, 91)
    assert world.one("IMP_DE", ConcludeDispute(dispute)).code == "ok"
    assert world.one("EXP_CN", invoice("a")).code == "duplicate"
    similar = invoice("b", fingerprints=(("number", mark("number a")), ("exact", mark("exact b"))))
    assert world.one("EXP_CN", similar).related == ()


def test_silence_and_words_do_not_void_what_others_have_paid_for(world: World) -> None:
    """Seller and debtor together could else free an identity that F_CN has financed, and sell it to F_SG again."""
    receivable, dispute = by_debtor(world, ground="no_such_debt", percent=100)
    (claim,) = world.receivable(receivable).claims
    at_last_rung(world, dispute)
    award = DecideDispute(dispute, "voided", 0, mark("award"), "en")
    refused = world.one(("EXP_CN", "IMP_DE"), award)
    assert (refused.code, refused.related) == ("not_authorised", (claim,))
    assert world.one("EXP_VN", invoice("a")).code == "duplicate"
    assert world.one(("EXP_CN", "IMP_DE", "F_CN"), award).code == "ok"
    assert world.claim(claim).state == "funded"  # evidence
    assert name_id("F_CN") in world.heard("voided")[0][1]
    assert world.one("EXP_VN", invoice("a")).code == "ok"
    assert world.one("F_CN", Release(claim)).code == "ok"


def test_an_upheld_dispute_of_a_financed_registration_waits_for_an_award(world: World) -> None:
    receivable, dispute = by_debtor(world, ground="not_my_invoice", percent=100)
    (claim,) = world.receivable(receivable).claims
    before = claims_of(world, receivable)
    days(world, 91)
    assert state_now(world, dispute) == "upheld"
    refused = world.one("IMP_DE", ConcludeDispute(dispute))
    assert (refused.code, refused.related) == ("not_authorised", (claim,))
    assert awarded(world, Award(dispute, "voided", 0, mark("award"), "en")) == ["ok"] * 3
    assert world.receivable(receivable).state == "voided"
    assert claims_of(world, receivable) == before
    assert world.one("EXP_VN", invoice("a")).code == "ok"


def test_claims_through_the_lineage_are_heard_too(world: World) -> None:
    """The order itself is free, but its invoice is financed: the order's identity is not freed over that holder."""
    order = world.registered("order", kind="purchase_order")
    child = world.registered("a", parents=((order, WHOLE, WHOLE),))
    claim = world.funded(child)
    dispute = raised(world, order, "IMP_DE", debtor("order"), "no_such_debt", 100)
    assert name_id("F_CN") in world.heard("dispute_raised")[0][1]
    days(world, 91)
    refused = world.one("IMP_DE", ConcludeDispute(dispute))
    assert (refused.code, refused.related) == ("not_authorised", (claim,))


def test_a_voided_child_gives_its_part_of_the_parent_back(world: World) -> None:
    order = world.registered("order", kind="purchase_order")
    child = world.registered("a", parents=((order, WHOLE, WHOLE),))
    assert world.one("EXP_CN", invoice("b", parents=((order, WHOLE, WHOLE),))).code == "over_parent"
    dispute = raised(world, child, "IMP_DE", debtor("a"), "no_such_debt", 100)
    days(world, 91)
    world.one("IMP_DE", ConcludeDispute(dispute))
    assert world.one("EXP_CN", invoice("b", parents=((order, WHOLE, WHOLE),))).code == "ok"


def test_a_settled_or_rejected_registration_may_be_false_but_is_not_argued_down(world: World) -> None:
    paid = world.registered("a")
    world.one("F_CN", Discharge(world.funded(paid, percent=100), WHOLE))
    assert world.receivable(paid).state == "settled"
    denied = world.registered("b")
    world.one("IMP_DE", Reject(denied, salt_of("b"), name_id("IMP_DE"), mark("reason")))
    for receivable, tag in ((paid, "a"), (denied, "b")):
        assert world.one("IMP_DE", raising(receivable, debtor(tag))).code == "bad_state"
        dispute = raised(world, receivable, "IMP_DE", debtor(tag), "no_such_debt")
        days(world, 91)
        if receivable == paid:
            assert awarded(world, Award(dispute, "voided", 0, mark("award"), "en")) == ["ok"] * 3
        else:
            assert world.one("IMP_DE", ConcludeDispute(dispute)).code == "ok"
        assert world.receivable(receivable).state == "voided"


@pytest.mark.parametrize("percent", [100, 60])
def test_silence_and_words_do_not_void_what_was_paid(world: World, percent: int) -> None:
    """An accomplice of the seller could else free the identity of a paid invoice, and have it financed once more."""
    receivable = world.registered("a")
    claim = world.funded(receivable, percent=100)
    confirm = Confirm(receivable, salt_of("a"), name_id("IMP_DE"), mark("commitment a"), WHOLE, mark("text"))
    assert world.one("IMP_DE", confirm).code == "ok"
    world.one("F_CN", Discharge(claim, percent * PERCENT))
    if percent < 100:
        world.one("F_CN", Release(claim))
    accomplice = ("fingerprint", "exact", mark("exact a"))
    dispute = raised(world, receivable, "EXP_VN", accomplice, "no_such_debt", 100)
    days(world, 91)
    assert state_now(world, dispute) == "upheld"
    refused = world.one("EXP_VN", ConcludeDispute(dispute))
    assert (refused.code, refused.related) == ("not_authorised", (receivable,))
    assert world.one("EXP_VN", invoice("a")).code == "duplicate"
    assert awarded(world, Award(dispute, "voided", 0, mark("award"), "en")) == ["ok"] * 3


def test_what_was_paid_through_the_lineage_is_not_voided_by_silence_or_words(world: World) -> None:
    """Neither the order of a paid invoice nor, by the word of both sides, a part of a paid order."""
    order = world.registered("order", kind="purchase_order")
    child = world.registered("a", parents=((order, WHOLE // 2, WHOLE),))
    world.one("F_CN", Discharge(world.funded(child, percent=100), WHOLE))
    dispute = raised(world, order, "IMP_DE", debtor("order"), "no_such_debt", 100)
    days(world, 91)
    refused = world.one("IMP_DE", ConcludeDispute(dispute))
    assert (refused.code, refused.related) == ("not_authorised", (child,))
    other = world.registered("other", kind="purchase_order")
    world.one("F_CN", Discharge(world.funded(other, percent=10), 10 * PERCENT))
    part = world.registered("b", parents=((other, WHOLE // 2, WHOLE),))
    dispute = raised(world, part, "IMP_DE", debtor("b"), "no_such_debt", 100)
    at_last_rung(world, dispute)
    refused = world.one(("EXP_CN", "IMP_DE"), DecideDispute(dispute, "voided", 0, mark("award"), "en"))
    assert (refused.code, refused.related) == ("not_authorised", (other,))


def test_nothing_of_a_dispute_is_there(world: World) -> None:
    none = mark("none")
    operations = (
        raising(none, ()),
        AnswerDispute(none, *TEXT),
        EscalateDispute(none, (), *TEXT),
        WithdrawDispute(none, *TEXT),
        SettleDispute(none, 0, *TEXT),
        DecideDispute(none, "dismissed", 0, mark("award"), "en"),
        ConcludeDispute(none),
    )
    assert codes(world.do("EXP_CN", *operations)) == ["not_found"] * len(operations)
