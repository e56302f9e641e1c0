"""The law in the scenarios of registry.md 12: S1, S2, S7, S10."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.law.case import Case, Claim
from registry.law.case_file import case_from_json
from registry.law.families import Effect
from registry.law.ranking import Answer
from registry.law.shipped import example_case
from registry.money import Money
from tests.registry.law.world import case, claim, codes, filed, knew, ms, opinion, order, told, under, usd

# --- S1: one receivable, three laws, three winners -------------------------------------------------------------------

S1 = case(
    claim("F_CN", 1, "80000.00", filings=filed(5)),
    claim("F_SG", 2, "85000.00", notices=told(3)),
    claim("F_DE", 3, "90000.00", filings=filed(4)),
)


@pytest.mark.parametrize(
    ("laws", "expected"),
    [
        (("CN", "US-NY", "AE"), ["F_DE", "F_CN", "F_SG"]),
        (("GB-EW", "SG", "HK"), ["F_SG", "F_CN", "F_DE"]),
        (("DE", "FR"), ["F_CN", "F_SG", "F_DE"]),
        (("BR", "IN"), ["F_DE", "F_CN", "F_SG"]),
        (("GB-SCT",), ["F_SG", "F_DE", "F_CN"]),  # by whichever completed it first: notice of day 3, filings of 4 and 5
        (("VN",), ["F_CN", "F_SG", "F_DE"]),
    ],
)
def test_s1_three_winners(laws: tuple[str, ...], expected: list[str]) -> None:
    for law in laws:
        assert order(under(law, S1)) == expected, law
        assert under(law, S1).order.winners == (expected[0],)


def test_s1_the_winner_depends_on_the_law() -> None:
    found = opinion(S1)
    assert len(found.answers) == 12
    assert found.winner_depends_on_law
    assert [remark.code for remark in found.remarks] == ["winner_depends_on_law", "several_laws", "no_advice"]
    assert not opinion(S1, "DE", "FR").winner_depends_on_law
    assert not opinion(S1, "CN").winner_depends_on_law


def test_s1_whom_to_pay_is_another_question() -> None:
    """Only F_SG gave notice: under every law the debtor is free by paying it, also where F_SG does not come first."""
    for answer in opinion(S1).answers:
        assert answer.payment.payee == "F_SG"
        assert ("payee_is_not_first" in codes(answer)) == (answer.order.winners != ("F_SG",)), answer.profile.code


def test_s1_without_effect_and_forbidden() -> None:
    def effects(law: str) -> dict[str, Effect]:
        return {each.claim: each.effect for each in under(law, S1).order.standings}

    assert effects("BR") == {"F_DE": Effect.RANKS, "F_CN": Effect.RANKS, "F_SG": Effect.NO_EFFECT}
    assert effects("AE")["F_SG"] is Effect.NO_EFFECT
    assert effects("US-NY")["F_SG"] is Effect.RANKS
    assert effects("VN") == {"F_CN": Effect.RANKS, "F_SG": Effect.FORBIDDEN, "F_DE": Effect.FORBIDDEN}


def test_s1_is_the_example_that_is_shipped() -> None:
    shipped = case_from_json(example_case())
    assert [order(answer) for answer in opinion(replace(shipped, laws=())).answers] == [
        order(answer) for answer in opinion(S1).answers
    ]


# --- S2: pro rata with odd cents -------------------------------------------------------------------------------------

CNY = "CNY"


def s2(*notified: str) -> Case:
    def financed(name: str, day: int, amount: str) -> Claim:
        money = Money.parse(amount, currency=CNY)
        notices = told("2026-06-15") if name in notified else ()
        return Claim(id=name, claimant=name, concluded_ms=ms(day), funded=money, notices=notices)

    return Case(
        reference="S2",
        amount=Money.parse("1000000.00", currency=CNY),
        collected=Money.parse("1000000.00", currency=CNY),
        as_of_ms=ms("2026-06-30"),
        claims=(financed("A", 1, "800000.00"), financed("B", 2, "600000.00"), financed("C", 3, "433333.33")),
    )


def awards(answer: Answer) -> dict[str, str]:
    assert answer.awards is not None
    return {name: money.text for name, money in answer.awards.items()}


def test_s2_pro_rata_exact_to_the_cent() -> None:
    answer = under("CN", s2())
    assert answer.order.winners == ("A", "B", "C")
    assert [standing.tier for standing in answer.order.standings] == [1, 1, 1]
    assert awards(answer) == {"A": "436363.64", "B": "327272.73", "C": "236363.63"}
    assert answer.payment.payee is None  # nobody notified: the seller


def test_s2_one_notice_arriving_later_takes_everything() -> None:
    before = replace(s2("C"), as_of_ms=ms("2026-06-14"))
    assert awards(under("CN", before)) == {"A": "436363.64", "B": "327272.73", "C": "236363.63"}
    after = under("CN", s2("C"))
    assert after.order.winners == ("C",)
    assert awards(after) == {"C": "1000000.00", "A": "0.00", "B": "0.00"}
    assert "takes_more_than_funded" in codes(after)
    assert after.payment.payee == "C"


def test_s2_what_is_not_known_is_not_divided() -> None:
    first, *others = s2().claims
    answer = under("CN", replace(s2(), claims=(replace(first, funded=None), *others)))
    assert answer.awards is None
    assert "split_unknown" in codes(answer)


# --- S7: a blanket filing that lapses --------------------------------------------------------------------------------


def s7(as_of: str, *, files: bool = True) -> Case:
    """F_GB's blanket of 2021, never continued; F_SG saw it and took `VN-7781` on 2026-05-20 all the same."""
    return case(
        claim("F_GB", "2021-05-28", blanket=True, filings=filed("2021-06-01")),
        claim(
            "F_SG",
            "2026-05-20",
            "90000.00",
            filings=filed("2026-05-20") if files else (),
            notices=told("2026-05-21"),
            knew_of=knew("F_GB", "2026-05-20"),
        ),
        as_of=as_of,
    )


@pytest.mark.parametrize("as_of", ["2026-05-31", "2026-06-01"])
def test_s7_new_york_before_and_after_the_lapse(as_of: str) -> None:
    answer = under("US-NY", s7(as_of))
    lapsed = as_of == "2026-06-01"
    assert order(answer) == (["F_SG", "F_GB"] if lapsed else ["F_GB", "F_SG"])
    assert ("filing_lapsed" in codes(answer), "filing_lapses_soon" in codes(answer)) == (lapsed, not lapsed)
    assert ("winner_knew" in codes(answer)) == lapsed
    told_of = next(each for each in answer.warnings if each.code.startswith("filing_lapse"))
    assert (told_of.values["claimant"], told_of.values["at"]) == ("F_GB", "2026-06-01")


def test_s7_new_york_if_f_sg_did_not_file() -> None:
    """Nobody is perfected: the first to attach comes first."""
    assert order(under("US-NY", s7("2026-06-02", files=False))) == ["F_GB", "F_SG"]


@pytest.mark.parametrize("as_of", ["2026-05-31", "2026-06-02"])
def test_s7_singapore_who_knew_cannot_overtake(as_of: str) -> None:
    answer = under("SG", s7(as_of))
    assert order(answer) == ["F_GB", "F_SG"]
    why = answer.order.standings[1].reason
    assert (why.code, why.values["earlier"]) == ("notice_held_back", "F_GB")
    assert answer.payment.payee == "F_SG"  # the only one the debtor heard of


@pytest.mark.parametrize("as_of", ["2026-05-31", "2026-06-02"])
def test_s7_vietnam_over_residual(as_of: str) -> None:
    standings = under("VN", s7(as_of)).order.standings
    assert [(each.claim, each.effect) for each in standings] == [("F_GB", Effect.RANKS), ("F_SG", Effect.FORBIDDEN)]
    assert standings[1].reason.values["free"] == "USD 0.00"


def test_s7_the_winner_depends_on_the_law_only_after_the_lapse() -> None:
    assert not opinion(s7("2026-05-31"), "US-NY", "SG", "VN").winner_depends_on_law
    assert opinion(s7("2026-06-02"), "US-NY", "SG", "VN").winner_depends_on_law


# --- S10: C-548/18 ---------------------------------------------------------------------------------------------------


def s10(*, certificate: bool = False) -> Case:
    fund = Money.parse("13901.64", currency="EUR")
    saw = knew("first", "2011-06-14") if certificate else ()
    return Case(
        reference="C-548/18",
        amount=fund,
        collected=fund,
        as_of_ms=ms("2014-02-05"),
        claims=(
            Claim(id="first", claimant="TeamBank", concluded_ms=ms("2011-03-29")),
            Claim(
                id="second",
                claimant="BNP",
                concluded_ms=ms("2011-06-15"),
                notices=told("2012-09-20"),
                knew_of=saw,
            ),
        ),
    )


def test_s10_both_are_shown() -> None:
    found = opinion(s10(), "DE", "GB-EW", "SG", "HK")
    assert [answer.order.winners for answer in found.answers] == [("first",), ("second",), ("second",), ("second",)]
    assert found.winner_depends_on_law
    assert {answer.payment.payee for answer in found.answers} == {"second"}  # BGB 408: the debtor knew of no other


def test_s10_the_certificate_that_showed_the_first() -> None:
    found = opinion(s10(certificate=True), "DE", "GB-EW", "SG", "HK")
    assert {answer.order.winners for answer in found.answers} == {("first",)}
    assert not found.winner_depends_on_law
    assert all(awards(answer) == {"first": "13901.64", "second": "0.00"} for answer in found.answers)


def test_s10_a_certificate_of_later_is_no_knowledge_in_time() -> None:
    first, second = s10().claims
    late = replace(s10(), claims=(first, replace(second, knew_of=knew("first", "2011-06-16"))))
    assert under("GB-EW", late).order.winners == ("second",)


def test_a_claim_within_what_is_free_is_allowed_in_vietnam() -> None:
    facts = case(claim("A", 1, "60000.00"), claim("B", 2, "50000.00"), claim("C", 3, "40000.00"))
    standings = under("VN", facts).order.standings
    assert [(each.claim, each.effect.value) for each in standings] == [
        ("A", "ranks"),
        ("C", "ranks"),
        ("B", "forbidden"),
    ]
    assert standings[1].reason.values["free"] == str(usd("40000.00"))
