"""Notices of assignment, their receipt, what the debtor promises, and its silence (registry.md 6.1)."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.limits import NOTICES_BY_MAX
from registry.receipts import Receipt
from registry.records import decode_record
from registry.records.notices import CHANNELS, Notice, Notified
from registry.rules.deemed import DAY_MS, DEEMED, Deemed
from registry.rules.governance import admission_puts
from registry.state import encode_stored
from registry.transactions.claims import Fund, Offer, Reassign, Release, Reserve
from registry.transactions.disputes import RaiseDispute
from registry.transactions.fields import Ref
from registry.transactions.notices import Acknowledge, Deem, Notify, ProveReceipt
from registry.transactions.receivables import NO_DIGEST, Confirm, Reject, debtor_commitment
from tests.registry.world import PERCENT, World, mark, name_id, party_of, salt_of

TEXT, ACCOUNT = mark("notice, in words"), mark("account of the financier")
CHILE = {"seller_country": "CL", "debtor_country": "CL"}


@pytest.fixture
def world() -> World:
    return World()


def notice_of(claim: Ref, channel: str = "courier", language: str = "en") -> Notify:
    return Notify(claim, channel, language, TEXT, ACCOUNT)


def sent(world: World, claim: bytes, by: str = "F_CN", channel: str = "courier") -> bytes:
    receipt = world.one(by, notice_of(claim, channel))
    assert receipt.code == "ok", receipt
    return receipt.subject


def acknowledgement(notice: bytes, /, tag: str = "a", accepts: bool = False, **changes: Any) -> Acknowledge:
    fields = {
        "notice": notice,
        "identifier": name_id("IMP_DE"),
        "text_digest": TEXT,
        "account_digest": ACCOUNT,
        "accepts": accepts,
        "salt": salt_of(tag),
    }
    return Acknowledge(**(fields | changes))  # type: ignore[arg-type]


def read(world: World, notice: bytes) -> Notice:
    return decode_record(Notice, world.state[Notice.PREFIX + notice])


def notified(world: World, claim: bytes) -> Notified:
    return decode_record(Notified, world.state[Notified.PREFIX + claim])


# Sending


def test_the_holder_gives_notice_of_what_it_was_offered(world: World) -> None:
    receivable = world.registered("a")
    claim = world.offered(receivable, to="F_CN")
    receipt = world.one("F_CN", notice_of(claim, "edi", "zh"))
    notice = read(world, receipt.subject)
    assert (notice.claim, notice.receivable) == (claim, receivable)
    assert (notice.sender, notice.assignor, notice.holder) == (name_id("F_CN"), name_id("EXP_CN"), name_id("F_CN"))
    assert (notice.channel, notice.language, notice.sent_ms) == ("edi", "zh", world.now_ms)
    assert (notice.debtor, notice.received_ms, notice.accepted_ms) == ("", 0, 0)
    sides = tuple(sorted((name_id("EXP_CN"), name_id("F_CN"))))
    assert world.heard("notified") == [(notice.id, sides, "edi")]
    assert notice.concerns() == sides
    assert notified(world, claim) == Notified(claim, (notice.id,), "")


@pytest.mark.parametrize("state", ["offered", "reserved", "funded"])
@pytest.mark.parametrize("by", ["EXP_CN", "F_CN"])
def test_both_sides_of_a_standing_claim_may_give_notice(world: World, state: str, by: str) -> None:
    claim = getattr(world, state)(world.registered("a"))
    assert read(world, sent(world, claim, by)).sender == name_id(by)


@pytest.mark.parametrize("by", ["IMP_DE", "F_SG", "EXP_VN"])
def test_nobody_else_gives_notice(world: World, by: str) -> None:
    assert world.one(by, notice_of(world.funded(world.registered("a")))).code == "not_authorised"


def test_there_is_no_notice_of_a_claim_that_is_over(world: World) -> None:
    receivable = world.registered("a")
    released = world.reserved(receivable)
    world.one("F_CN", Release(released))
    lapsed = world.offered(receivable)
    world.one("F_CN", Reserve(lapsed, 1))
    expired = world.offered(receivable, days=1)
    world.block([], after_ms=2 * DAY_MS)
    assert [world.one("F_CN", notice_of(claim)).code for claim in (released, lapsed, expired)] == ["bad_state"] * 3
    assert world.one("F_CN", notice_of(mark("?"))).code == "not_found"


def test_an_assignor_does_not_use_up_its_holders_notices(world: World) -> None:
    claim = world.funded(world.registered("a"))
    receipts = world.do("EXP_CN", *[notice_of(claim)] * (NOTICES_BY_MAX + 1))
    assert [receipt.code for receipt in receipts] == ["ok"] * NOTICES_BY_MAX + ["limit_reached"]
    assert world.one("F_CN", notice_of(claim)).code == "ok"


def test_notices_of_one_claim_are_bounded(world: World) -> None:
    claim = world.funded(world.registered("a"))
    receipts = world.do("F_CN", *[notice_of(claim)] * (NOTICES_BY_MAX + 1))
    assert [receipt.code for receipt in receipts] == ["ok"] * NOTICES_BY_MAX + ["limit_reached"]
    assert notified(world, claim).notices == tuple(receipt.subject for receipt in receipts[:-1])


def test_a_known_debtor_hears_of_the_next_notice(world: World) -> None:
    receivable = world.registered("a")
    first = sent(world, world.offered(receivable, to="F_CN"), "F_CN")
    world.one("IMP_DE", acknowledgement(first))
    assert world.receivable(receivable).debtor == name_id("IMP_DE")
    sent(world, world.offered(receivable, to="F_SG"), "F_SG")
    assert name_id("IMP_DE") in world.heard("notified")[0][1]


def test_an_offer_and_its_notice_in_one_transaction(world: World) -> None:
    receivable = world.registered("a")
    offer = Offer(receivable, name_id("F_CN"), 50 * PERCENT, mark("terms"), world.now_ms + DAY_MS)
    receipts = world.do("EXP_CN", offer, notice_of(0), mode="all")
    assert [receipt.code for receipt in receipts] == ["ok", "ok"]
    assert read(world, receipts[1].subject).claim == receipts[0].subject


# Receipt


def test_the_debtor_acknowledges_by_opening_its_commitment(world: World) -> None:
    notice = sent(world, world.funded(world.registered("a")))
    assert world.one("IMP_DE", acknowledgement(notice)).code == "ok"
    record = read(world, notice)
    assert (record.debtor, record.acknowledged_ms, record.received_ms) == (
        name_id("IMP_DE"),
        world.now_ms,
        world.now_ms,
    )
    assert (record.proved_ms, record.accepted_ms) == (0, 0)
    assert world.heard("notice_acknowledged") == [(notice, record.concerns(), "")]


def test_a_debtor_that_is_known_needs_no_salt(world: World) -> None:
    receivable = world.registered("a")
    claim = world.funded(receivable)
    unknown = acknowledgement(sent(world, claim), salt=NO_DIGEST)
    assert world.one("IMP_DE", unknown).code == "not_debtor"
    world.one("IMP_DE", Confirm(receivable, salt_of("a"), name_id("IMP_DE"), mark("commitment a"), 10**12, mark("t")))
    assert world.one("IMP_DE", unknown).code == "ok"


@pytest.mark.parametrize(
    ("by", "changes", "code"),
    [
        ("F_CN", {}, "not_debtor"),
        ("IMP_AE", {}, "not_debtor"),
        ("IMP_AE", {"identifier": name_id("IMP_AE")}, "not_debtor"),
        ("IMP_DE", {"salt": mark("another")}, "not_debtor"),
        ("IMP_DE", {"text_digest": mark("another text")}, "other_notice"),
        ("IMP_DE", {"account_digest": mark("another account")}, "other_notice"),
        ("IMP_DE", {"notice": mark("?")}, "not_found"),
    ],
)
def test_only_the_debtor_acknowledges_and_only_what_it_was_shown(
    world: World, by: str, changes: dict[str, Any], code: str
) -> None:
    notice = sent(world, world.funded(world.registered("a")))
    before = dict(world.state)
    assert world.one(by, acknowledgement(notice, **changes)).code == code
    assert world.state == before


def test_a_seller_does_not_acknowledge_for_itself(world: World) -> None:
    mine = debtor_commitment(salt=salt_of("a"), identifier=name_id("EXP_VN"))
    receivable = world.registered("a", by="EXP_VN", debtor_commitment=mine)
    notice = sent(world, world.funded(receivable, by="EXP_VN"))
    assert world.one("EXP_VN", acknowledgement(notice, identifier=name_id("EXP_VN"))).code == "not_authorised"


def test_the_sender_proves_when_it_arrived(world: World) -> None:
    notice = sent(world, world.funded(world.registered("a")))
    delivered_ms = world.now_ms + 3 * DAY_MS
    world.block([], after_ms=7 * DAY_MS)
    assert world.one("F_CN", ProveReceipt(notice, delivered_ms, mark("slip"))).code == "ok"
    record = read(world, notice)
    assert (record.proved_ms, record.evidence_digest, record.received_ms) == (delivered_ms, mark("slip"), delivered_ms)
    assert record.acknowledged_ms == 0
    assert world.heard("notice_proved") == [(notice, record.concerns(), str(delivered_ms))]
    assert world.one("F_CN", ProveReceipt(notice, delivered_ms, mark("slip"))).code == "already_done"


def test_a_time_of_receipt_lies_between_sending_and_now(world: World) -> None:
    notice = sent(world, world.funded(world.registered("a")))
    sent_ms = world.now_ms
    for received_ms in (0, sent_ms - 1, sent_ms + 2_000):  # the next block is a second later
        assert world.one("F_CN", ProveReceipt(notice, received_ms, mark("slip"))).code == "impossible_time"
        world.now_ms = sent_ms
    assert world.one("EXP_CN", ProveReceipt(notice, sent_ms, mark("slip"))).code == "not_authorised"
    assert world.one("F_CN", ProveReceipt(notice, sent_ms, mark("slip"))).code == "ok"
    assert world.one("F_CN", ProveReceipt(mark("?"), sent_ms, mark("slip"))).code == "not_found"


def test_the_earlier_of_evidence_and_acknowledgement_counts(world: World) -> None:
    """A courier's slip from before the acknowledgement comes in later: the notice was received that early."""
    notice = sent(world, world.funded(world.registered("a")))
    delivered_ms = world.now_ms
    world.block([], after_ms=DAY_MS)
    world.one("IMP_DE", acknowledgement(notice))
    acknowledged_ms = world.now_ms
    assert read(world, notice).received_ms == acknowledged_ms
    world.one("F_CN", ProveReceipt(notice, delivered_ms, mark("slip")))
    record = read(world, notice)
    assert (record.proved_ms, record.acknowledged_ms, record.received_ms) == (
        delivered_ms,
        acknowledged_ms,
        delivered_ms,
    )


def test_who_was_first_to_notify_can_be_read(world: World) -> None:
    """F_SG sent its notice later and had it there first."""
    receivable = world.registered("a")
    slow = sent(world, world.offered(receivable, to="F_CN", percent=40), "F_CN", "post")
    fast = sent(world, world.offered(receivable, to="F_SG", percent=40), "F_SG", "registry")
    world.one("IMP_DE", acknowledgement(fast))
    world.one("IMP_DE", acknowledgement(slow))
    order = sorted((read(world, slow), read(world, fast)), key=lambda record: record.received_ms)
    assert [record.holder for record in order] == [name_id("F_SG"), name_id("F_CN")]


# Promises


def test_a_debtor_promises_to_pay_the_holder_to_that_account(world: World) -> None:
    claim = world.funded(world.registered("a"))
    notice = sent(world, claim)
    assert world.one("IMP_DE", acknowledgement(notice)).code == "ok"
    first_ms = world.now_ms
    assert world.one("IMP_DE", acknowledgement(notice)).code == "already_done"
    assert world.one("IMP_DE", acknowledgement(notice, accepts=True)).code == "ok"
    record = read(world, notice)
    assert (record.acknowledged_ms, record.accepted_ms) == (first_ms, world.now_ms)
    assert notified(world, claim).accepted == name_id("F_CN")
    assert world.heard("notice_acknowledged")[0][2] == "accepted"
    assert world.heard("double_confirmation") == []
    for accepts in (True, False):
        assert world.one("IMP_DE", acknowledgement(notice, accepts=accepts)).code == "already_done"


def test_nothing_is_promised_to_who_does_not_hold_the_claim_any_more(world: World) -> None:
    claim = world.funded(world.registered("a"))
    old = sent(world, claim)
    world.one(("F_CN", "F_SG"), Reassign(claim, name_id("F_SG")))
    assert world.one("IMP_DE", acknowledgement(old, accepts=True)).code == "bad_state"
    assert world.one("IMP_DE", acknowledgement(old)).code == "ok"
    new = sent(world, claim, "F_SG")
    assert notified(world, claim).notices == (old, new)
    assert world.one("IMP_DE", acknowledgement(new, accepts=True)).code == "ok"
    assert notified(world, claim).accepted == name_id("F_SG")
    assert world.heard("double_confirmation") == [], "it is one claim, in new hands"
    world.one("F_SG", Release(claim))
    assert world.one("F_CN", notice_of(claim)).code == "not_authorised"


def test_nothing_is_promised_on_a_debt_that_was_denied(world: World) -> None:
    receivable = world.registered("a")
    notice = sent(world, world.funded(receivable))
    world.one("IMP_DE", Reject(receivable, salt_of("a"), name_id("IMP_DE"), mark("never ordered")))
    assert world.one("IMP_DE", acknowledgement(notice, accepts=True)).code == "bad_state"


def promised(world: World, receivable: bytes, to: str, percent: int) -> tuple[bytes, Receipt]:
    """The debtor accepts the notice of an offer; the claim, and the receipt of the acceptance."""
    claim = world.offered(receivable, to=to, percent=percent)
    return claim, world.one("IMP_DE", acknowledgement(sent(world, claim, to), accepts=True))


def test_promising_more_than_there_is_to_two_financiers_is_the_loudest_alarm(world: World) -> None:
    receivable = world.registered("a")
    promised(world, receivable, "F_CN", 60)
    _, receipt = promised(world, receivable, "F_SG", 55)
    assert receipt.code == "ok", "what the debtor did is recorded"
    parties = tuple(sorted(map(name_id, ("EXP_CN", "F_CN", "F_SG", "IMP_DE"))))
    assert world.heard("double_confirmation") == [(receivable, parties, str(15 * PERCENT))]


@pytest.mark.parametrize(
    ("second", "percent"), [("F_SG", 40), ("F_CN", 60)], ids=["all fits", "the same financier twice"]
)
def test_no_alarm_without_need(world: World, second: str, percent: int) -> None:
    receivable = world.registered("a")
    promised(world, receivable, "F_CN", 60)
    _, receipt = promised(world, receivable, second, percent)
    assert (receipt.code, world.heard("double_confirmation")) == ("ok", [])


def test_a_promise_on_a_claim_that_is_over_counts_no_more(world: World) -> None:
    receivable = world.registered("a")
    claim, _ = promised(world, receivable, "F_CN", 60)
    world.do("F_CN", Reserve(claim, 60_000), Release(claim))
    promised(world, receivable, "F_SG", 60)
    assert world.heard("double_confirmation") == []


def test_a_promise_to_a_former_holder_is_none_to_the_new_one(world: World) -> None:
    receivable = world.registered("a")
    claim, _ = promised(world, receivable, "F_CN", 60)
    world.do("F_CN", Reserve(claim, 60_000), Fund(claim))
    assert world.one(("F_CN", "F_SG"), Reassign(claim, name_id("F_SG"))).code == "ok"
    world.one("IMP_DE", Confirm(receivable, salt_of("a"), name_id("IMP_DE"), mark("commitment a"), 10**12 // 2, TEXT))
    promised(world, receivable, "F_DE", 40)
    assert world.heard("double_confirmation") == []


def test_a_credit_note_makes_two_promises_too_many(world: World) -> None:
    receivable = world.registered("a")
    promised(world, receivable, "F_CN", 40)
    world.one("IMP_DE", Confirm(receivable, salt_of("a"), name_id("IMP_DE"), mark("commitment a"), 10**12 // 2, TEXT))
    promised(world, receivable, "F_SG", 20)
    assert world.heard("double_confirmation")[0][2] == str(10 * PERCENT)


# Silence

IMP_CL = "lei:984500CLIMPORT000100"


def debtor_in_chile(world: World) -> None:
    """Admit IMP_CL, as governance does."""
    party = party_of("IMP_CL", IMP_CL, "CL", ("debtor",))
    world.state |= {key: encode_stored(record) for key, record in admission_puts(party)}


def owed_by_it(tag: str) -> bytes:
    return debtor_commitment(salt=salt_of(tag), identifier=IMP_CL)


def silent(world: World, **countries: Any) -> tuple[bytes, bytes]:
    """A receivable, and the notice of it that the debtor provably received when it was sent."""
    if countries.get("kind") == "instalment":
        countries["parents"] = ((world.registered("whole", **CHILE), 100 * PERCENT, 100 * PERCENT),)
    receivable = world.registered("a", **(CHILE | countries))
    notice = sent(world, world.funded(receivable))
    world.one("F_CN", ProveReceipt(notice, world.now_ms, mark("slip")))
    return receivable, notice


def test_silence_is_acceptance_only_when_the_period_is_over(world: World) -> None:
    receivable, notice = silent(world)
    received_ms = read(world, notice).received_ms
    last_ms = received_ms + DEEMED["CL"].wait_days * DAY_MS
    world.now_ms = last_ms - 1_000
    early = world.one("F_CN", Deem(notice))
    assert (world.now_ms, early.code, early.subject, early.related) == (last_ms, "too_early", receivable, (notice,))
    assert world.one("F_CN", Deem(notice)).code == "ok"
    record = world.receivable(receivable)
    assert (record.state, record.confirmed_share, record.grade) == ("deemed", 100 * PERCENT, "document")
    assert record.confirmed_ms == 0, "silence is not the debtor's word"
    parties = tuple(sorted(map(name_id, ("EXP_CN", "F_CN"))))
    assert world.heard("deemed") == [(receivable, parties, str(100 * PERCENT))]
    assert world.one("F_CN", Deem(notice)).code == "already_done"


def test_what_is_deemed_takes_claims(world: World) -> None:
    receivable, notice = silent(world)
    world.block([], after_ms=10 * DAY_MS)
    world.one("EXP_CN", Deem(notice))
    claim = world.offered(receivable, to="F_SG", percent=20)
    assert [receipt.code for receipt in world.do("F_SG", Reserve(claim, 60_000), Fund(claim))] == ["ok", "ok"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"debtor_country": "DE", "seller_country": "DE"}, "no_deemed_acceptance"),
        ({"seller_country": "CN"}, "no_deemed_acceptance"),
        ({"kind": "purchase_order"}, "no_deemed_acceptance"),
        ({"kind": "instalment"}, "ok"),
    ],
    ids=["no such rule", "a foreign seller", "an order", "an instalment"],
)
def test_where_silence_means_nothing(world: World, changes: dict[str, str], code: str) -> None:
    _, notice = silent(world, **changes)
    world.block([], after_ms=100 * DAY_MS)
    assert world.one("F_CN", Deem(notice)).code == code


def test_the_debtors_own_country_counts_once_it_is_known(world: World) -> None:
    """The seller says that the debtor is in Chile; it is in Germany."""
    _, notice = silent(world)
    world.one("IMP_DE", acknowledgement(notice))
    world.block([], after_ms=100 * DAY_MS)
    assert world.one("F_CN", Deem(notice)).code == "no_deemed_acceptance"


def test_a_debtor_in_chile_that_acknowledged_and_did_not_answer(world: World) -> None:
    debtor_in_chile(world)
    receivable = world.registered("a", debtor_commitment=owed_by_it("a"), **CHILE)
    notice = sent(world, world.funded(receivable), channel="registry")
    world.block([], after_ms=100 * DAY_MS)
    assert world.one("F_CN", Deem(notice)).code == "not_received"
    world.one("IMP_CL", acknowledgement(notice, identifier=IMP_CL))
    assert world.one("F_CN", Deem(notice)).code == "too_early"
    world.block([], after_ms=9 * DAY_MS)
    assert world.one("F_CN", Deem(notice)).code == "ok"
    whole = Confirm(receivable, salt_of("a"), IMP_CL, mark("commitment a"), 100 * PERCENT, TEXT)
    part = Confirm(receivable, salt_of("a"), IMP_CL, mark("commitment a"), 99 * PERCENT, TEXT)
    late = Reject(receivable, salt_of("a"), IMP_CL, mark("too late"))
    assert [world.one("IMP_CL", answer).code for answer in (part, late, whole)] == ["bad_state", "bad_state", "ok"]
    assert world.receivable(receivable).state == "confirmed"


def test_an_answer_in_time_ends_the_wait(world: World) -> None:
    receivable, notice = silent(world)
    world.one("IMP_DE", Reject(receivable, salt_of("a"), name_id("IMP_DE"), mark("never ordered")))
    world.block([], after_ms=100 * DAY_MS)
    assert world.one("F_CN", Deem(notice)).code == "bad_state"


@pytest.mark.parametrize("by", ["F_SG", "EXP_VN", "IMP_DE"])
def test_only_the_registrant_and_the_holder_may_deem(world: World, by: str) -> None:
    _, notice = silent(world)
    world.block([], after_ms=100 * DAY_MS)
    assert world.one(by, Deem(notice)).code == "not_authorised"


def test_who_gave_its_claim_up_has_nothing_to_deem(world: World) -> None:
    _, notice = silent(world)
    world.one("F_CN", Release(read(world, notice).claim))
    world.block([], after_ms=100 * DAY_MS)
    assert world.one("F_CN", Deem(notice)).code == "not_authorised"
    assert world.one("F_CN", Deem(mark("?"))).code == "not_found"


@pytest.mark.parametrize("country", sorted(DEEMED))
def test_every_rule_says_where_it_comes_from(country: str) -> None:
    rule = DEEMED[country]
    assert rule.citation
    assert rule.remark.endswith(".")
    assert rule.confidence in ("high", "medium", "low")
    assert datetime.date.fromisoformat(rule.checked) >= datetime.date(2026, 1, 1)


@pytest.mark.parametrize("country", sorted(DEEMED))
def test_the_wait_is_over_after_the_period_wherever_weekends_and_four_holidays_fall(country: str) -> None:
    rule = DEEMED[country]
    longest = max(
        period(rule, received=weekday, holidays=range(start, start + 4)) for weekday in range(7) for start in range(30)
    )
    # The day of receipt does not count, and the last day runs out at its midnight, at most 24 hours later.
    assert rule.wait_days == longest + 1


def period(rule: Deemed, *, received: int, holidays: range) -> int:
    """Days from receipt, on weekday `received` (0: Monday), to the last of the period; `holidays` likewise."""

    def business(day: int) -> bool:
        return (received + day) % 7 < 5 and day not in holidays

    day = 0
    left = rule.days
    while left or (rule.unit == "calendar to business" and not business(day)):
        day += 1
        left -= bool(left) and (rule.unit != "business" or business(day))
    return day


# Properties

RIGHT = {"notify": "EXP_CN", "acknowledge": "IMP_CL", "accept": "IMP_CL", "prove": "EXP_CN", "deem": "EXP_CN"}
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["notify", "acknowledge", "accept", "prove", "prove", "deem", "deem", "wait", "wait"]),
        st.integers(0, 40),
        st.sampled_from(["right", "right", "right", "F_CN", "F_SG", "IMP_AE"]),
    ),
    min_size=8,
    max_size=25,
)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(1, 12))
def test_notices_never_change_shares_and_nothing_is_deemed_too_early(
    steps: list[tuple[str, int, str]], pause_days: int
) -> None:
    """Whatever is sent, acknowledged, promised, proved and deemed, by whomever, in whatever order."""
    world = World()
    debtor_in_chile(world)
    receivables = [world.registered(tag, debtor_commitment=owed_by_it(tag), **CHILE) for tag in "ab"]
    claims = [world.funded(receivable, to=to, percent=40) for receivable in receivables for to in ("F_CN", "F_SG")]
    notices = [sent(world, claim, "EXP_CN") for claim in claims]
    shares = [(one.collectible, one.paid, one.live) for one in map(world.receivable, receivables)]
    before = list(map(world.claim, claims))
    for step, pick, by in steps:
        if step == "wait":
            world.block([], after_ms=pause_days * DAY_MS + 1)
            continue
        notice = notices[pick % len(notices)]
        record = read(world, notice)
        tag = "ab"[receivables.index(record.receivable)]
        operation: Any = {
            "notify": notice_of(record.claim, CHANNELS[pick % len(CHANNELS)]),
            "acknowledge": acknowledgement(notice, tag, identifier=IMP_CL),
            "accept": acknowledgement(notice, tag, accepts=True, identifier=IMP_CL),
            "prove": ProveReceipt(notice, world.now_ms - pick % 2 * DAY_MS, mark("slip")),
            "deem": Deem(notice),
        }[step]
        receipt = world.one(RIGHT[step] if by == "right" else by, operation)
        if step == "notify" and receipt.done:
            notices.append(receipt.subject)
        if step == "deem" and receipt.done:
            assert record.received_ms
            assert world.now_ms > record.received_ms + DEEMED["CL"].days * DAY_MS
    assert [(one.collectible, one.paid, one.live) for one in map(world.receivable, receivables)] == shares
    assert list(map(world.claim, claims)) == before
    for record in (read(world, one) for one in notices):
        assert record.sent_ms <= (record.received_ms or record.sent_ms) <= world.now_ms
        assert not record.accepted_ms or record.sent_ms < record.acknowledged_ms <= record.accepted_ms


def test_a_debtor_that_disputes_is_not_silent(world: World) -> None:
    receivable = world.registered("a", seller_country="CL", debtor_country="CL")
    claim = world.funded(receivable)
    notice = world.one("F_CN", Notify(claim, "courier", "en", mark("text"), mark("account"))).subject
    world.one("F_CN", ProveReceipt(notice, world.now_ms, mark("slip")))
    opened = ("debtor", salt_of("a"), name_id("IMP_DE"))
    dispute = world.one(
        "IMP_DE", RaiseDispute(receivable, opened, "defence", 100 * PERCENT, mark("text"), "en")
    ).subject
    world.block([], after_ms=11 * 86_400_000)
    refused = world.one("F_CN", Deem(notice))
    assert (refused.code, refused.related) == ("disputed", (dispute,))
