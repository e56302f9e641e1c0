"""What holds for every law and every case: the order is total, stable and complete, and bystanders change nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from registry.law.case import Case, Claim, Contract, Filing, Knowledge, Notice, Place
from registry.law.families import Effect
from registry.law.ranking import Answer, rank
from registry.law.shipped import shipped_texts
from registry.money import Money
from tests.registry.law.world import DAY_MS, LAWS, REGISTERS, ms, order

AS_OF_MS = ms(30)
AMOUNT = Money("USD", 1_000_000)
# Few days, so that claims often coincide.
days = st.integers(0, 12).map(lambda day: ms(1) + day * DAY_MS)
laws = st.sampled_from(sorted(LAWS))
yes_no_unknown = st.sampled_from([True, False, None])
contracts = st.builds(
    Contract,
    ban=yes_no_unknown,
    concluded_ms=st.sampled_from([None, ms("2015-01-01"), ms("2026-01-01")]),
    seller_size=st.sampled_from([None, "small_or_medium", "large"]),
    between_businesses=yes_no_unknown,
    ban_in_document=yes_no_unknown,
)
filings = st.builds(
    Filing,
    register=st.sampled_from(sorted(REGISTERS.values())),
    number=st.sampled_from("12"),
    at_ms=days,
    lapses_ms=st.none() | st.integers(15, 60).map(lambda day: ms(1) + day * DAY_MS),
)
notices = st.builds(Notice, received_ms=st.none() | days)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    names = "ABCDE"[: draw(st.integers(1, 5))]
    claims = []
    for name in names:
        others = [other for other in names if other != name]
        known = draw(st.lists(st.builds(Knowledge, st.sampled_from(others), days), max_size=2)) if others else []
        claims.append(
            Claim(
                id=name,
                claimant=f"{name} Bank",
                concluded_ms=draw(days),
                funded=draw(st.none() | st.integers(0, 1_200_000).map(lambda minor: Money("USD", minor))),
                funded_ms=draw(st.none() | days),
                blanket=draw(st.booleans()),
                here=draw(st.none() | st.builds(Place, st.integers(1, 3), st.integers(0, 2))),
                filings=tuple(draw(st.lists(filings, max_size=2))),
                notices=tuple(draw(st.lists(notices, max_size=2))),
                acknowledged_ms=draw(st.none() | days),
                knew_of=tuple(known),
                shown_ms=draw(st.none() | days),
            )
        )
    collected = draw(st.none() | st.integers(0, AMOUNT.minor).map(lambda minor: Money("USD", minor)))
    return Case(
        reference="R",
        amount=AMOUNT,
        collected=collected,
        as_of_ms=AS_OF_MS,
        contract=draw(contracts),
        claims=tuple(claims),
    )


def answers(case: Case) -> Mapping[str, Answer]:
    return {answer.profile.code: answer for answer in rank(case, LAWS.values()).answers}


@settings(max_examples=40)
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_input_changes_nothing(case: Case, random: object) -> None:
    def shuffled(values: tuple[object, ...]) -> tuple[object, ...]:
        mixed = list(values)
        random.shuffle(mixed)  # type: ignore[attr-defined]
        return tuple(mixed)

    mixed = [
        replace(
            claim,
            filings=shuffled(claim.filings),
            notices=shuffled(claim.notices),
            knew_of=shuffled(claim.knew_of),
        )
        for claim in case.claims
    ]
    assert answers(replace(case, claims=shuffled(tuple(mixed)))) == answers(case)


@settings(max_examples=40)
@given(cases(), days)
def test_an_earlier_date_that_is_only_told_changes_no_order(case: Case, told_ms: int) -> None:
    """A claim is as old as this ledger shows it, whatever its own sides told of an older day."""
    first, *others = case.claims
    shown = replace(first, shown_ms=first.since_ms, concluded_ms=first.since_ms)
    told = replace(shown, concluded_ms=min(told_ms, first.since_ms))
    plain, backdated = (answers(replace(case, claims=(each, *others))) for each in (shown, told))
    for law, before in plain.items():
        assert order(backdated[law]) == order(before), law
        assert backdated[law].payment == before.payment, law


@settings(max_examples=40)
@given(cases())
def test_every_claim_stands_once_and_tiers_follow_the_order(case: Case) -> None:
    for law, answer in answers(case).items():
        assert sorted(order(answer)) == sorted(claim.id for claim in case.claims), law
        tiers = [standing.tier for standing in answer.order.standings]
        assert tiers[0] == 1
        assert all(after in (tier, tier + 1) for tier, after in pairwise(tiers))
        ranking = [standing.effect is Effect.RANKS for standing in answer.order.standings]
        assert ranking == sorted(ranking, reverse=True)  # none ranks behind one that does not


@settings(max_examples=40)
@given(cases())
def test_what_was_collected_is_shared_out_to_the_cent(case: Case) -> None:
    for answer in answers(case).values():
        if answer.awards is not None:
            assert case.collected is not None
            assert answer.awards.keys() == {claim.id for claim in case.claims}
            assert sum(money.minor for money in answer.awards.values()) == case.collected.minor
            assert all(money.minor >= 0 for money in answer.awards.values())
        else:
            assert case.collected is None or len(answer.order.winners) != 1


@settings(max_examples=40)
@given(cases())
def test_a_later_claim_that_nobody_heard_of_changes_nothing(case: Case) -> None:
    """Latest concluded, neither registered nor notified: it goes behind all others, except that in China it shares."""
    late = Claim(id="late", claimant="late", concluded_ms=AS_OF_MS, funded=Money("USD", 1))
    after = answers(replace(case, claims=(*case.claims, late)))
    for law, before in answers(case).items():
        among_the_rest = [each for each in order(after[law]) if each != "late"]
        assert after[law].payment == before.payment, law
        shares = {each.reason.code for each in before.order.standings} == {"neither_shares"}
        if law == "CN" and shares:
            assert after[law].order.winners == (*before.order.winners, "late")
        elif law != "VN" or before.order.winners:
            assert after[law].order.winners == before.order.winners, law
        assert among_the_rest == order(before), law


@settings(max_examples=40)
@given(cases(), laws)
def test_nobody_overtakes_a_claim_it_knew_of_where_notice_decides(case: Case, law: str) -> None:
    if LAWS[law].priority != "first_notice":
        return
    ranks = order(answers(case)[law])
    by_id = {claim.id: claim for claim in case.claims}
    for claim in case.claims:
        taken_ms = max(claim.concluded_ms, claim.funded_ms or 0)
        for known in claim.knew_of:
            earlier = by_id[known.claim].concluded_ms < claim.concluded_ms
            if earlier and known.since_ms <= taken_ms:
                assert ranks.index(known.claim) < ranks.index(claim.id)


@settings(max_examples=40)
@given(cases(), laws, days)
def test_registering_never_hurts_the_one_who_registers(case: Case, law: str, at_ms: int) -> None:
    """As long as it does not lapse: a filing moves its claim up or leaves it where it was."""
    if law not in REGISTERS:
        return
    first, *others = case.claims
    filing = Filing(register=REGISTERS[law], number="new", at_ms=at_ms)
    filed = replace(case, claims=(replace(first, filings=(*first.filings, filing)), *others))
    before, after = answers(case)[law], answers(filed)[law]
    assert order(after).index(first.id) <= order(before).index(first.id)


@settings(max_examples=40)
@given(cases())
def test_the_debtor_pays_somebody_it_heard_of_or_the_seller(case: Case) -> None:
    for answer in answers(case).values():
        payee = next((claim for claim in case.claims if claim.id == answer.payment.payee), None)
        if payee is not None:
            received = [notice.received_ms for notice in payee.notices] + [payee.acknowledged_ms]
            assert any(at_ms is not None for at_ms in received)
        assert answer.payment.reasons


@settings(max_examples=40)
@given(cases(), st.sampled_from(["en", "zh"]))
def test_everything_can_be_said(case: Case, language: str) -> None:
    texts = shipped_texts("en" if language == "en" else "zh")
    for answer in answers(case).values():
        said = [texts.say(each.reason) for each in answer.order.standings]
        said += [texts.say(each) for each in (*answer.payment.reasons, *answer.warnings)]
        assert all(said)
        assert not any("{" in each for each in said)
