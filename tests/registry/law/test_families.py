"""Each family of rules by example, and what lies between them: filings without a gap, ties, circles."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.law.case import Case, Filing, Place
from registry.law.seen import lapse_of, see
from registry.law.wording import instant
from tests.registry.law.world import LAWS, case, claim, codes, filed, knew, ms, order, told, under


def reasons(law: str, facts: Case) -> list[str]:
    return [standing.reason.code for standing in under(law, facts).order.standings]


def test_china_registered_then_notified_then_the_rest() -> None:
    facts = case(
        claim("neither", 1, "1.00"),
        claim("notified", 2, notices=told(9)),
        claim("notified first", 3, notices=told(8)),
        claim("registered", 4, filings=filed(7), notices=told(10)),
        claim("registered first", 5, filings=filed(6)),
    )
    answer = under("CN", facts)
    assert order(answer) == ["registered first", "registered", "notified first", "notified", "neither"]
    assert reasons("CN", facts) == ["registered", "registered", "notified", "notified", "neither_shares"]
    assert [standing.tier for standing in answer.order.standings] == [1, 2, 3, 4, 5]


def test_united_states_filing_may_come_before_the_assignment() -> None:
    facts = case(claim("early filer", 9, filings=filed(1)), claim("early assignee", 2, filings=filed(3)))
    assert order(under("US-NY", facts)) == ["early filer", "early assignee"]


def test_a_filing_counts_only_where_the_law_says_so() -> None:
    facts = case(claim("A", 1), claim("B", 2, filings=filed(2, registers=["zhongdeng"])))
    assert order(under("CN", facts)) == ["B", "A"]
    assert order(under("US-NY", facts)) == ["A", "B"]
    assert {"filing_elsewhere", "filing_still_needed"} <= codes(under("US-NY", facts))
    assert "filing_still_needed" not in codes(under("DE", facts))


@pytest.mark.parametrize(("law", "winner"), [("BR", "registered"), ("GB-SCT", "notified")])
def test_what_completes_an_assignment(law: str, winner: str) -> None:
    facts = case(claim("registered", 3, filings=filed(5)), claim("notified", 2, notices=told(4)), claim("neither", 1))
    answer = under(law, facts)
    assert order(answer)[0] == winner
    assert order(answer)[-1] == ("neither" if law == "GB-SCT" else "notified")


def test_nothing_is_completed_before_it_is_concluded() -> None:
    facts = case(claim("filed ahead", 5, filings=filed(1)), claim("in order", 3, filings=filed(4)))
    assert order(under("BR", facts)) == ["in order", "filed ahead"]
    assert order(under("US-NY", facts)) == ["filed ahead", "in order"]


def test_brazil_without_registration_nobody_has_effect_against_third_parties() -> None:
    answer = under("BR", case(claim("A", 1, notices=told(2)), claim("B", 2)))
    assert answer.order.winners == ()
    assert "nobody_ranks" in codes(answer)
    assert answer.payment.payee == "A"


# --- Dearle v Hall ---------------------------------------------------------------------------------------------------


def test_whoever_gave_no_notice_ranks_by_date() -> None:
    facts = case(claim("B", 2), claim("A", 1), claim("C", 3, notices=told(4)))
    assert order(under("GB-EW", facts)) == ["C", "A", "B"]


def test_a_notice_that_was_sent_but_not_received_is_none() -> None:
    facts = case(claim("A", 1), claim("B", 2, notices=told("2026-08-01")))  # after the moment of the case
    assert order(under("GB-EW", facts)) == ["A", "B"]


def test_the_debtors_acknowledgement_is_receipt() -> None:
    facts = case(claim("A", 1, notices=told(9)), claim("B", 2, acknowledged_ms=ms(8)))
    assert order(under("GB-EW", facts)) == ["B", "A"]


def test_knowledge_after_paying_comes_too_late_and_before_paying_in_time() -> None:
    def facts(since: int) -> Case:
        return case(claim("A", 1), claim("B", 2, funded_ms=ms(5), notices=told(6), knew_of=knew("A", since)))

    assert order(under("GB-EW", facts(since=5))) == ["A", "B"]
    assert order(under("GB-EW", facts(since=6))) == ["B", "A"]


def test_knowledge_of_a_later_claim_means_nothing() -> None:
    facts = case(claim("A", 1, notices=told(9), funded_ms=ms(8), knew_of=knew("B", 3)), claim("B", 2))
    assert order(under("GB-EW", facts)) == ["A", "B"]


def test_a_circle_is_said_and_nobody_overtakes_what_it_knew_of() -> None:
    """A before B, who knew of it; B before C by notice; C before A by notice."""
    facts = case(
        claim("A", 1),
        claim("B", 2, notices=told(4), knew_of=knew("A", 2)),
        claim("C", 3, notices=told(5)),
    )
    answer = under("SG", facts)
    assert order(answer) == ["C", "A", "B"]
    assert "circular" in codes(answer)
    without_c = case(*facts.claims[:2])
    assert order(under("SG", without_c)) == ["A", "B"]
    assert "circular" not in codes(under("SG", without_c))


# --- the same instant ------------------------------------------------------------------------------------------------


def test_the_same_instant_is_settled_by_date_then_ledger_then_name_and_said() -> None:
    filings = filed(5)
    facts = case(
        claim("outside", 1, filings=filings),
        claim("second here", 1, filings=filings, here=Place(7, 2)),
        claim("first here", 1, filings=filings, here=Place(7, 1)),
        claim("older", "2026-04-30", filings=filings),
    )
    answer = under("US-NY", facts)
    assert order(answer) == ["older", "first here", "second here", "outside"]
    assert [remark.code for remark in answer.order.remarks] == ["same_time"] * 3


# --- filings that lapse and follow each other ------------------------------------------------------------------------


def row(*spans: tuple[str, str]) -> Case:
    filings = tuple(
        Filing(register="ucc-1", number=str(number), at_ms=ms(since), lapses_ms=ms(until))
        for number, (since, until) in enumerate(spans)
    )
    return case(claim("A", 1, filings=filings))


@pytest.mark.parametrize(
    ("spans", "since"),
    [
        ([("2026-01-01", "2026-12-31")], "2026-01-01"),
        ([("2026-01-01", "2026-07-31")], None),  # lapses at the very moment
        ([("2026-01-01", "2026-03-01"), ("2026-03-01", "2026-12-31")], "2026-01-01"),  # touch
        ([("2026-01-01", "2026-03-01"), ("2026-03-02", "2026-12-31")], "2026-03-02"),  # a day between
        ([("2026-01-01", "2026-12-31"), ("2026-02-01", "2026-03-01")], "2026-01-01"),  # one inside the other
        ([("2026-08-01", "2026-12-31")], None),  # not yet made
    ],
)
def test_filings_count_from_the_first_of_an_unbroken_row(spans: list[tuple[str, str]], since: str | None) -> None:
    (seen,) = see(row(*spans), registers=["ucc-1"], filing_years=5)
    assert seen.registered_ms == (None if since is None else ms(since))


@pytest.mark.parametrize(
    ("made", "years", "lapses"),
    [("2021-06-01", 5, "2026-06-01"), ("2024-02-29", 5, "2029-02-28"), ("2024-02-29", 4, "2028-02-28")],
)
def test_a_filing_lapses_after_calendar_years(made: str, years: int, lapses: str) -> None:
    found = lapse_of(Filing(register="ucc-1", number="1", at_ms=ms(made)), years)
    assert found is not None
    assert instant(found) == lapses
    assert lapse_of(Filing(register="ucc-1", number="1", at_ms=ms(made)), 0) is None


@pytest.mark.parametrize("law", sorted(LAWS))
def test_a_told_date_never_outranks_what_this_ledger_showed_before(law: str) -> None:
    """Backfilled in June with a date of May: behind what was shown in May, and the reader hears what proof would do."""
    backfilled = claim("backfilled", 1, "50.00", shown_ms=ms("2026-06-01"))
    facts = case(claim("live", 20, "50.00"), backfilled, amount="60.00")
    answer = under(law, facts)
    assert order(answer) == ["live", "backfilled"]
    assert answer.order.winners != ("backfilled",)
    by_age = law not in {"CN", "AE", "BR", "GB-SCT"}  # there, nobody has done what the law asks for
    warned = [each for each in answer.warnings if each.code == "first_if_date_proved"]
    assert [each.values["claimant"] for each in warned] == (["backfilled"] if by_age else [])
    assert (
        order(under(law, replace(facts, claims=(facts.claims[0], replace(backfilled, shown_ms=None)))))[0]
        == "backfilled"
    )


def test_what_proof_of_a_told_date_would_change_short_of_the_first_place() -> None:
    facts = case(claim("oldest", 1), claim("live", 3), claim("backfilled", 2, shown_ms=ms(4)))
    answer = under("FR", facts)
    assert order(answer) == ["oldest", "live", "backfilled"]
    (warning,) = [each for each in answer.warnings if each.code == "before_if_date_proved"]
    assert dict(warning.parameters) == {
        "claimant": "backfilled",
        "at": instant(ms(2)),
        "shown": instant(ms(4)),
        "others": "live",
    }
    assert answer.order.standings[2].reason.code == "concluded_as_shown"
