"""Claims: the invariant, and every step of a claim's life (registry.md 4 and 5)."""

from __future__ import annotations

import pytest

from registry.limits import CLAIMS_MAX, HOLDERS_MAX
from registry.money import WHOLE
from registry.rules.transitions import CLAIM_STEPS
from registry.transactions.claims import Discharge, Fund, Offer, Reassign, Release, Reserve, Revoke
from registry.transactions.receivables import Adjust, Reject
from tests.registry.world import PERCENT, STEP_MS, World, mark, name_id, salt_of


@pytest.fixture
def world() -> World:
    return World()


def test_what_was_agreed_earlier_does_not_outrank_what_stood_here_first(world: World) -> None:
    receivable = world.registered("a")
    first = world.reserved(receivable, to="F_CN", percent=80)
    until = world.now_ms + 86_400_000
    older = Offer(receivable, name_id("F_SG"), 80 * PERCENT, mark("terms"), until, concluded_ms=1)
    claim = world.one("EXP_CN", older).subject
    assert world.claim(claim).concluded_ms == 1
    refused = world.one("F_SG", Reserve(claim, 600_000))
    assert (refused.code, refused.related) == ("over_residual", (receivable, first))


def test_no_more_than_the_whole_is_ever_reserved(world: World) -> None:
    receivable = world.registered("a")
    world.reserved(receivable, to="F_CN", percent=60)
    rest = world.offered(receivable, to="F_SG", percent=40)
    more = world.offered(receivable, to="F_DE", percent=1)
    assert world.one("F_SG", Reserve(rest, 60_000)).code == "ok"
    assert world.one("F_DE", Reserve(more, 60_000)).code == "over_residual"
    assert sum(live.share for live in world.receivable(receivable).live) == WHOLE


def test_one_share_too_many_is_one_too_many(world: World) -> None:
    receivable = world.registered("a")
    world.funded(receivable, percent=80)
    claim = world.one(
        "EXP_CN", Offer(receivable, name_id("F_SG"), 20 * PERCENT + 1, mark("terms"), world.now_ms + 10**6)
    ).subject
    assert world.one("F_SG", Reserve(claim, 60_000)).code == "over_residual"


def test_the_first_finalised_wins_within_a_block(world: World) -> None:
    """S8, the ledger's part: two reservations of one receivable in one block; order decides."""
    receivable = world.registered("a")
    first = world.offered(receivable, to="F_CN")
    second = world.offered(receivable, to="F_SG")
    outcome = world.block(
        [world.transaction("F_SG", Reserve(second, 60_000)), world.transaction("F_CN", Reserve(first, 60_000))]
    )
    assert [receipt.code for receipt in outcome.receipts] == ["ok", "over_residual"]
    assert world.claim(second).state == "reserved"
    assert world.claim(first).state == "offered"


def test_a_refused_claim_is_evidence_for_all_sides(world: World) -> None:
    receivable = world.registered("a")
    first = world.funded(receivable, to="F_CN", percent=80)
    second = world.offered(receivable, to="F_SG", percent=80)
    receipt = world.one("F_SG", Reserve(second, 60_000))
    assert (receipt.subject, receipt.related) == (second, (receivable, first))
    sides = tuple(sorted(map(name_id, ("EXP_CN", "F_CN", "F_SG"))))
    assert world.heard("refused_claim") == [(second, sides, "over_residual")]


def test_a_reservation_lapses_by_block_time_alone(world: World) -> None:
    receivable = world.registered("a")
    claim = world.offered(receivable, to="F_CN")
    other = world.offered(receivable, to="F_SG")
    world.one("F_CN", Reserve(claim, STEP_MS))
    until = world.now_ms + STEP_MS
    assert world.claim(claim).reserved_until_ms == until
    assert world.one("F_SG", Reserve(other, 60_000)).code == "over_residual"  # at `until` it still holds
    assert world.now_ms == until
    assert world.one("F_SG", Reserve(other, 60_000)).code == "ok"
    assert world.claim(claim).state_at(world.now_ms) == "lapsed"
    assert [live.claim for live in world.receivable(receivable).live] == [other]


def test_a_lapsed_reservation_needs_a_new_offer(world: World) -> None:
    receivable = world.registered("a")
    claim = world.offered(receivable, to="F_CN")
    world.one("F_CN", Reserve(claim, 1))
    world.block([], after_ms=60_000)
    for operation in (Fund(claim), Release(claim), Reserve(claim, 1), Discharge(claim, 1)):
        assert world.one("F_CN", operation).code == "expired"
    assert world.one("EXP_CN", Revoke(claim)).code == "expired"


def test_an_offer_is_for_one_financier_until_its_time(world: World) -> None:
    receivable = world.registered("a")
    claim = world.one(
        "EXP_CN", Offer(receivable, name_id("F_CN"), WHOLE, mark("terms"), world.now_ms + 2 * STEP_MS)
    ).subject
    assert world.one("F_SG", Reserve(claim, 1)).code == "not_offered"  # at its last moment
    assert world.one("F_CN", Reserve(claim, 1)).code == "offer_expired"
    late = Offer(receivable, name_id("F_CN"), WHOLE, mark("terms"), world.now_ms)
    assert world.one("EXP_CN", late).code == "offer_expired"


@pytest.mark.parametrize(
    ("signer", "to", "code"),
    [
        ("EXP_VN", "F_CN", "not_authorised"),  # not the registrant
        ("F_CN", "F_CN", "not_authorised"),
        ("EXP_CN", "IMP_DE", "not_authorised"),  # no financier
    ],
)
def test_who_may_offer_to_whom(world: World, signer: str, to: str, code: str) -> None:
    receivable = world.registered("a")
    offer = Offer(receivable, name_id(to), WHOLE, mark("terms"), world.now_ms + 10**6)
    assert world.one(signer, offer).code == code


def test_an_offer_to_nobody_or_on_nothing(world: World) -> None:
    receivable = world.registered("a")
    until = world.now_ms + 10**6
    nobody = Offer(receivable, "lei:NOBODY", WHOLE, mark("terms"), until)
    assert world.one("EXP_CN", nobody).code == "unknown_party"
    nothing = Offer(mark("nothing"), name_id("F_CN"), WHOLE, mark("terms"), until)
    assert world.one("EXP_CN", nothing).code == "not_found"


def test_offers_of_one_receivable_are_bounded(world: World) -> None:
    receivable = world.registered("a")
    offers = [Offer(receivable, name_id("F_CN"), 1, mark("terms"), world.now_ms + 10**6) for _ in range(CLAIMS_MAX + 1)]
    codes = [receipt.code for receipt in world.do("EXP_CN", *offers)]
    assert codes == ["ok"] * CLAIMS_MAX + ["limit_reached"]
    assert len(world.receivable(receivable).claims) == CLAIMS_MAX


def test_revoke_takes_back_what_is_not_reserved(world: World) -> None:
    receivable = world.registered("a")
    claim = world.offered(receivable)
    assert world.one("F_CN", Revoke(claim)).code == "not_authorised"
    assert world.one("EXP_CN", Revoke(claim)).code == "ok"
    assert world.one("EXP_CN", Revoke(claim)).code == "already_done"
    assert world.one("F_CN", Reserve(claim, 1)).code == "bad_state"
    reserved = world.reserved(receivable)
    assert world.one("EXP_CN", Revoke(reserved)).code == "bad_state"


def test_fund_needs_ones_own_live_reservation(world: World) -> None:
    receivable = world.registered("a")
    claim = world.offered(receivable)
    assert world.one("F_CN", Fund(claim)).code == "bad_state"
    world.one("F_CN", Reserve(claim, 600_000))
    assert world.one("F_CN", Reserve(claim, 600_000)).code == "already_done"
    assert world.one("F_SG", Fund(claim)).code == "not_holder"
    assert world.one("F_CN", Fund(claim)).code == "ok"
    assert world.one("F_CN", Fund(claim)).code == "already_done"
    assert world.claim(claim).holders == (name_id("F_CN"),)
    assert world.receivable(receivable).live[0].until_ms == 0
    world.block([], after_ms=10**9)
    other = world.offered(receivable, to="F_SG")
    assert world.one("F_SG", Reserve(other, 1)).code == "over_residual"  # funded does not lapse


def test_money_is_not_paid_out_on_what_became_uncollectible(world: World) -> None:
    """The invariant is asked again at funding: a credit note came between reservation and funding."""
    receivable = world.registered("a")
    claim = world.reserved(receivable, percent=80)
    world.one("EXP_CN", Adjust(receivable, 30 * PERCENT, mark("credit note")))
    receipt = world.one("F_CN", Fund(claim))
    assert (receipt.code, receipt.related) == ("over_residual", (receivable,))


def test_no_claim_on_a_rejected_receivable(world: World) -> None:
    receivable = world.registered("a")
    reserved = world.reserved(receivable, percent=10)
    offered = world.offered(receivable, percent=10)
    world.one("IMP_DE", Reject(receivable, salt_of("a"), name_id("IMP_DE"), mark("reason")))
    assert world.one("F_CN", Fund(reserved)).code == "bad_state"
    assert world.one("F_CN", Reserve(offered, 1)).code == "bad_state"
    late = Offer(receivable, name_id("F_CN"), 1, mark("terms"), world.now_ms + 10**6)
    assert world.one("EXP_CN", late).code == "bad_state"
    assert world.one("F_CN", Release(reserved)).code == "ok"


def test_reassign_needs_both_signatures_and_keeps_the_chain(world: World) -> None:
    receivable = world.registered("a")
    claim = world.funded(receivable, to="F_CN")
    to_sg = Reassign(claim, name_id("F_SG"))
    assert world.one("F_CN", to_sg).code == "not_authorised"
    assert world.one("F_SG", to_sg).code == "not_holder"
    assert world.one(("F_SG", "F_CN"), to_sg).code == "ok"
    assert world.claim(claim).holder == name_id("F_SG")
    assert world.claim(claim).holders == (name_id("F_CN"), name_id("F_SG"))
    assert world.one("F_SG", to_sg).code == "already_done"
    assert world.one("F_CN", Release(claim)).code == "not_holder"
    assert world.one(("F_SG", "IMP_DE"), Reassign(claim, name_id("IMP_DE"))).code == "not_authorised"
    assert world.one(("F_SG", "EXP_VN"), Reassign(claim, name_id("EXP_VN"))).code == "not_authorised"
    assert world.one("F_SG", Reassign(claim, "lei:NOBODY")).code == "unknown_party"


def test_recourse_gives_the_claim_back_to_the_assignor(world: World) -> None:
    receivable = world.registered("a")
    claim = world.funded(receivable, to="F_CN", percent=80)
    assert world.one(("F_CN", "EXP_CN"), Reassign(claim, name_id("EXP_CN"))).code == "ok"
    other = world.offered(receivable, to="F_SG")
    assert world.one("F_SG", Reserve(other, 60_000)).code == "over_residual"  # it still takes up its share
    assert world.one("EXP_CN", Release(claim)).code == "ok"
    assert world.one("F_SG", Reserve(other, 60_000)).code == "ok"


def test_what_was_bought_back_is_financed_anew_by_all_rules_or_not_at_all(world: World) -> None:
    """Selling it on would be new money past matches, attestations and the invariant: it is released and offered."""
    receivable = world.registered("a", fingerprints=(("debtor_side", mark("same")),))
    claim = world.funded(receivable, to="F_CN", percent=80)
    assert world.one(("F_CN", "EXP_CN"), Reassign(claim, name_id("EXP_CN"))).code == "ok"
    twin = world.registered("b", by="EXP_VN", fingerprints=(("debtor_side", mark("same")),))
    assert world.one(("EXP_CN", "F_SG"), Reassign(claim, name_id("F_SG"))).code == "bad_state"
    anew = Offer(receivable, name_id("F_SG"), 80 * PERCENT, mark("terms"), world.now_ms + 10**6)
    steps = (Release(claim), anew, Reserve(1, 60_000))
    blind = world.do(("EXP_CN", "F_SG"), *steps, Fund(1), mode="all")
    assert [one.code for one in blind] == ["rolled_back"] * 3 + ["unacknowledged_match"]
    seen = world.do(("EXP_CN", "F_SG"), *steps, Fund(1, (twin,)), mode="all")
    assert [one.code for one in seen] == ["ok"] * 4


def test_a_reservation_is_not_reassigned(world: World) -> None:
    claim = world.reserved(world.registered("a"))
    assert world.one(("F_CN", "F_SG"), Reassign(claim, name_id("F_SG"))).code == "bad_state"


def test_the_chain_of_holders_is_bounded(world: World) -> None:
    claim = world.funded(world.registered("a"), to="F_CN")
    names = ["F_SG", "F_CN"]
    for turn in range(HOLDERS_MAX - 1):
        assert world.one(("F_CN", "F_SG"), Reassign(claim, name_id(names[turn % 2]))).code == "ok"
    last = world.claim(claim)
    other = next(name for name in names if name_id(name) != last.holder)
    assert world.one(("F_CN", "F_SG"), Reassign(claim, name_id(other))).code == "limit_reached"


def test_release_frees_the_share(world: World) -> None:
    receivable = world.registered("a")
    claim = world.funded(receivable, percent=100)
    assert world.one("EXP_CN", Release(claim)).code == "not_holder"
    assert world.one("F_CN", Release(claim)).code == "ok"
    assert world.one("F_CN", Release(claim)).code == "already_done"
    assert world.receivable(receivable).live == ()
    assert world.receivable(receivable).collectible == WHOLE
    world.funded(receivable, to="F_SG", percent=100)


def test_what_was_paid_is_not_financed_again(world: World) -> None:
    receivable = world.registered("a")
    claim = world.funded(receivable, to="F_CN", percent=80)
    assert world.one("F_CN", Discharge(claim, 80 * PERCENT + 1)).code == "over_residual"
    assert world.one("F_CN", Discharge(claim, 50 * PERCENT)).code == "ok"
    assert world.claim(claim).share == 30 * PERCENT
    assert world.receivable(receivable).collectible == 50 * PERCENT
    assert world.receivable(receivable).paid == 50 * PERCENT
    other = world.offered(receivable, to="F_SG", percent=21)
    assert world.one("F_SG", Reserve(other, 60_000)).code == "over_residual"
    assert world.one("F_CN", Discharge(claim, 30 * PERCENT)).code == "ok"
    assert world.claim(claim).state == "discharged"
    assert world.one("F_CN", Discharge(claim, 1)).code == "already_done"
    assert world.receivable(receivable).state == "registered"  # 20% are still the seller's to collect
    assert world.one("F_SG", Reserve(other, 60_000)).code == "over_residual"


def test_a_receivable_paid_in_full_is_settled(world: World) -> None:
    receivable = world.registered("a")
    claim = world.funded(receivable, percent=100)
    assert world.one("F_CN", Discharge(claim, WHOLE)).code == "ok"
    assert world.receivable(receivable).state == "settled"
    assert world.heard("settled")[0][0] == receivable
    offer = Offer(receivable, name_id("F_SG"), 1, mark("terms"), world.now_ms + 10**6)
    assert world.one("EXP_CN", offer).code == "bad_state"


def test_claims_on_nothing(world: World) -> None:
    for operation in (Reserve(mark("?"), 1), Fund(mark("?")), Release(mark("?")), Discharge(mark("?"), 1)):
        assert world.one("F_CN", operation).code == "not_found"
    assert world.one("EXP_CN", Revoke(mark("?"))).code == "not_found"
    assert world.one("F_CN", Reassign(mark("?"), name_id("F_SG"))).code == "not_found"


@pytest.mark.parametrize("state", ["offered", "reserved", "funded", "released", "discharged", "revoked", "lapsed"])
@pytest.mark.parametrize("operation", ["reserve", "fund", "reassign", "release", "discharge", "revoke"])
def test_no_step_but_those_of_the_table(world: World, state: str, operation: str) -> None:
    """Every state times every operation: what the table lists succeeds, everything else is refused."""
    receivable = world.registered("a")
    claim = {"offered": world.offered, "lapsed": world.offered, "revoked": world.offered}.get(state, world.reserved)(
        receivable
    )
    if state in ("funded", "discharged"):
        world.one("F_CN", Fund(claim))
    if state == "lapsed":
        world.one("F_CN", Reserve(claim, 1))
        world.block([])
    if state == "released":
        world.one("F_CN", Release(claim))
    if state == "discharged":
        world.one("F_CN", Discharge(claim, 80 * PERCENT))
    if state == "revoked":
        world.one("EXP_CN", Revoke(claim))
    assert world.claim(claim).state_at(world.now_ms + STEP_MS) == state
    receipt = world.one(
        ("F_CN", "F_SG", "EXP_CN"),
        {
            "reserve": Reserve(claim, 60_000),
            "fund": Fund(claim),
            "reassign": Reassign(claim, name_id("F_SG")),
            "release": Release(claim),
            "discharge": Discharge(claim, PERCENT),
            "revoke": Revoke(claim),
        }[operation],
    )
    allowed = CLAIM_STEPS.get((state, operation))
    assert receipt.done == (allowed is not None)
    if allowed is None:
        assert receipt.code in ("already_done", "bad_state", "expired")
    else:
        assert world.claim(claim).state in allowed
