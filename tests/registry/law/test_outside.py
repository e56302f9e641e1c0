"""Claims outside this ledger, and blankets on it, before the laws; a voided receivable has nothing to rank."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from registry.errors import FieldError
from registry.law.case import COMPETITORS_MAX, ENTRIES_MAX, Case
from registry.law.from_ledger import case_from_ledger
from registry.law.shipped import shipped_profiles
from registry.limits import BLANKETS_MAX, CLAIMS_MAX, EXTERNAL_CLAIMS_MAX, FILINGS_MAX, HOLDERS_MAX
from registry.money import WHOLE
from registry.records import decode_record
from registry.records.external_claims import ExternalClaim
from registry.records.facilities import Facility
from registry.records.filings import Filed, Filing
from registry.transactions.claims import Fund, Offer, Reserve
from registry.transactions.disputes import AnswerDispute, DecideDispute, EscalateDispute, RaiseDispute
from registry.transactions.external_claims import EndExternalClaim, RecordExternalClaim
from registry.transactions.facilities import AmendFacility, CarveOutReceivable, CloseFacility, OpenFacility, Scope
from registry.transactions.filings import RecordFiling
from registry.transactions.notices import Acknowledge, Notify
from registry.transactions.receivables import NO_DIGEST
from tests.registry.law.world import DAY_MS, LAWS, claim, codes, ms, order, under, usd
from tests.registry.world import World, mark, name_id, salt_of

CN, GB = name_id("F_CN"), name_id("F_GB")
OUTSIDE = mark("ST CAPITAL")
OUTSIDER = f"outside:{OUTSIDE.hex()[:16]}"


@dataclass
class Story:
    """F_CN has funded 80% on this ledger, filed at once, and gave notice. Others come from elsewhere."""

    world: World = field(default_factory=World)
    outside: list[bytes] = field(default_factory=list)
    facilities: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        world = self.world
        self.receivable = world.registered("a", laws=("CN", "SG"))
        self.funded = world.funded(self.receivable, to="F_CN")
        filed = RecordFiling(self.funded, "CN:ZHONGDENG", mark("filing"), world.now_ms, 0)
        self.filing = world.one("F_CN", filed).subject
        told = Notify(self.funded, "edi", "en", mark("text"), mark("account"))
        self.notice = world.one("F_CN", told).subject
        shown = (name_id("IMP_DE"), mark("text"), mark("account"))
        assert world.one("IMP_DE", Acknowledge(self.notice, *shown, accepts=False, salt=salt_of("a"))).done

    def says(self, source: str, **facts: object) -> bytes:
        """The seller records what stands elsewhere; the external claim's id."""
        fields: dict[str, object] = {"reference": mark(source), "assignee": OUTSIDE}
        operation = RecordExternalClaim(self.receivable, (), source, **(fields | facts))  # type: ignore[arg-type]
        receipt = self.world.one("EXP_CN", operation)
        assert receipt.code == "ok", receipt
        self.outside.append(receipt.subject)
        return receipt.subject

    def blanket(self, to: str = "F_GB", days: int = 30) -> bytes:
        scope = Scope((), mark("UCC-1"), self.world.now_ms + days * DAY_MS)
        opened = OpenFacility(name_id("EXP_CN"), name_id(to), mark("terms"), mark("rules"), scope)
        receipt = self.world.one(("EXP_CN", to), opened)
        assert receipt.code == "ok", receipt
        self.facilities.append(receipt.subject)
        return receipt.subject

    def case(self, known: Case | None = None) -> Case:
        state = self.world.state
        record = self.world.receivable(self.receivable)
        return case_from_ledger(
            record,
            [self.world.claim(one) for one in record.claims],
            [decode_record(Filing, state[Filing.PREFIX + self.filing])],
            [],
            external=[decode_record(ExternalClaim, state[ExternalClaim.PREFIX + one]) for one in self.outside],
            facilities=[decode_record(Facility, state[Facility.PREFIX + one]) for one in self.facilities],
            profiles=shipped_profiles(),
            now_ms=self.world.now_ms,
            known=known,
        )

    def known(self, *claims: object, **facts: object) -> Case:
        made = Case(reference="A", amount=usd("100.00"), as_of_ms=self.world.now_ms, claims=(claim("x", 1),))
        return replace(made, claims=claims, **facts)  # type: ignore[arg-type]


@pytest.fixture
def story() -> Story:
    return Story()


def winner(story: Story, law: str) -> str:
    return order(under(law, replace(story.case(), laws=())))[0]


def test_an_earlier_entry_in_the_official_register_wins_where_registration_decides_and_loses_where_notice_does(
    story: Story,
) -> None:
    """The outsider filed in Zhongdeng on day 4, and gave no notice; F_CN filed later."""
    outside = story.says("CN:ZHONGDENG", concluded_ms=ms(3), entered_ms=ms(4))
    facts = story.case()
    notified = replace(
        facts, claims=(replace(facts.claims[0], acknowledged_ms=facts.as_of_ms), facts.claims[1]), laws=()
    )
    assert order(under("CN", notified)) == [outside.hex(), story.funded.hex()]
    assert order(under("SG", notified)) == [story.funded.hex(), outside.hex()]
    (filing,) = facts.claims[1].filings
    assert (filing.register, filing.number, filing.at_ms) == ("zhongdeng", mark("CN:ZHONGDENG").hex(), ms(4))


def test_an_earlier_notice_wins_where_notice_decides_and_loses_where_registration_does(story: Story) -> None:
    outside = story.says("notice", concluded_ms=ms(3), entered_ms=ms(4))
    assert winner(story, "SG") == outside.hex()
    assert winner(story, "CN") == story.funded.hex()
    (notice,) = story.case().claims[1].notices
    assert (notice.received_ms, notice.digest) == (ms(4), mark("notice"))


def test_a_register_of_another_law_counts_under_none_that_does_not_name_it(story: Story) -> None:
    """Chile's register completes an assignment in Chile; no profile of that law is shipped."""
    story.says("CL:RPETC", concluded_ms=ms(3), entered_ms=ms(4))
    assert winner(story, "CN") == story.funded.hex()
    named = replace(LAWS["CN"], registers={**LAWS["CN"].registers, "cl-rpetc": LAWS["CN"].registers["zhongdeng"]})
    facts = replace(story.case(), laws=())
    assert order(under(named, facts))[0] == story.outside[0].hex()


@pytest.mark.parametrize("law", sorted(LAWS))
def test_under_every_law_it_is_said_to_be_asserted_only_and_by_what(story: Story, law: str) -> None:
    story.says("CL:RPETC", concluded_ms=ms(3), entered_ms=ms(4))
    first, second = story.case().claims
    assert (first.asserted, second.asserted, second.claimant, second.here) == ("", "CL:RPETC", OUTSIDER, None)
    warned = [each for each in under(law, replace(story.case(), laws=())).warnings if each.code == "asserted_only"]
    assert [dict(each.parameters) for each in warned] == [{"claimant": OUTSIDER, "source": "CL:RPETC"}]


def test_what_nobody_dated_was_there_when_it_was_entered_or_recorded(story: Story) -> None:
    entered = story.says("contract", entered_ms=ms(4), assignee=GB)
    undated = story.says("document", assignee=NO_DIGEST)
    of_ledger, one, two = story.case().claims
    assert (one.id, one.claimant, one.concluded_ms, one.filings, one.notices) == (entered.hex(), GB, ms(4), (), ())
    assert (two.id, two.claimant, two.concluded_ms) == (undated.hex(), "outside:not named", story.world.now_ms)
    assert of_ledger.id == story.funded.hex()


def test_the_party_that_asks_may_know_more_of_it(story: Story) -> None:
    outside = story.says("notice", entered_ms=ms(4))
    told = claim(outside.hex(), 2, "50.00")
    facts = story.case(story.known(told)).claims[1]
    assert (facts.claimant, facts.concluded_ms, facts.funded) == (OUTSIDER, ms(2), usd("50.00"))
    assert (facts.asserted, facts.notices[0].received_ms) == ("notice", ms(4))


def test_what_is_over_or_came_later_does_not_compete(story: Story) -> None:
    over = story.says("notice", entered_ms=ms(4))
    later = story.says("document")
    assert story.world.one("EXP_CN", EndExternalClaim(over, "paid", mark("receipt"))).done
    assert [one.id for one in story.case().claims] == [story.funded.hex(), later.hex()]
    before = story.known(claim("elsewhere", 1), as_of_ms=story.world.claim(story.funded).funded_ms)
    assert [one.id for one in story.case(before).claims] == [story.funded.hex(), "elsewhere"]


def test_a_blanket_competes_since_it_began_and_not_since_its_facility_was_opened(story: Story) -> None:
    """F_GB's facility is older than F_CN's funding; the blanket in it was agreed after that."""
    opened = OpenFacility(name_id("EXP_CN"), name_id("F_GB"), mark("terms"), mark("rules"))
    facility = story.world.one(("EXP_CN", "F_GB"), opened).subject
    story.facilities.append(facility)
    story.receivable = story.world.registered("later")
    story.funded = story.world.funded(story.receivable, to="F_CN")
    scope = Scope((), mark("UCC-1"), story.world.now_ms + 30 * DAY_MS)
    amended = AmendFacility(facility, mark("terms"), mark("rules"), scope)
    assert story.world.one(("EXP_CN", "F_GB"), amended).done
    since_ms = story.world.now_ms
    assert story.case().claims[1].concluded_ms == since_ms
    assert order(under("DE", replace(story.case(), laws=()))) == [story.funded.hex(), facility.hex()]


def test_what_its_sides_told_of_a_date_outranks_nothing_that_this_ledger_showed_before(story: Story) -> None:
    """F_SG's half says that it was agreed in 1970: told, not shown. Proved to whoever asks, it would come first."""
    world = story.world
    story.receivable = world.registered("later")
    story.funded = world.funded(story.receivable, to="F_CN", percent=50)
    until = world.now_ms + DAY_MS
    told = Offer(story.receivable, name_id("F_SG"), WHOLE // 2, mark("terms"), until, concluded_ms=1)
    old = world.one("EXP_CN", told).subject
    assert world.one("F_SG", Reserve(old, 60_000)).done
    assert world.one("F_SG", Fund(old)).done
    facts = story.case()
    assert (facts.claims[1].concluded_ms, facts.claims[1].shown_ms) == (1, world.claim(old).funded_ms)
    answer = under("DE", replace(facts, laws=()))
    assert order(answer) == [story.funded.hex(), old.hex()]
    (warning,) = [one for one in answer.warnings if one.code == "first_if_date_proved"]
    assert (warning.values["claimant"], warning.values["others"]) == (name_id("F_SG"), CN)
    proved = claim(old.hex(), 1)
    assert order(under("DE", replace(story.case(story.known(proved)), laws=()))) == [old.hex(), story.funded.hex()]


def test_a_told_date_that_would_change_nothing_is_not_warned_of(story: Story) -> None:
    world = story.world
    story.receivable = world.registered("later")
    story.funded = world.funded(story.receivable, to="F_CN", percent=50)
    concluded_ms = world.claim(story.funded).funded_ms + 1
    until = world.now_ms + DAY_MS
    told = Offer(story.receivable, name_id("F_SG"), WHOLE // 2, mark("terms"), until, concluded_ms=concluded_ms)
    second = world.one("EXP_CN", told).subject
    assert world.one("F_SG", Reserve(second, 60_000)).done
    assert world.one("F_SG", Fund(second)).done
    assert "first_if_date_proved" not in codes(under("DE", replace(story.case(), laws=())))


def test_what_whoever_asks_knows_of_a_date_is_not_overridden_by_a_blanket() -> None:
    story = Story()
    story.blanket("F_CN")
    story.receivable = story.world.registered("later")
    story.funded = story.world.funded(story.receivable, to="F_CN")
    mine = claim(story.funded.hex(), 1)
    known = replace(mine, concluded_ms=story.world.claim(story.funded).funded_ms)
    assert story.case(story.known(known)).claims[0].concluded_ms == known.concluded_ms


def test_all_filings_that_the_ledger_takes_of_a_claim_are_looked_at(story: Story) -> None:
    world = story.world
    filed = [RecordFiling(story.funded, "CN:ZHONGDENG", mark(str(n)), world.now_ms, 0) for n in range(FILINGS_MAX - 1)]
    assert {receipt.code for receipt in world.do("F_CN", *filed)} == {"ok"}
    record = world.receivable(story.receivable)
    listed = decode_record(Filed, world.state[Filed.PREFIX + story.funded]).filings
    filings = [decode_record(Filing, world.state[Filing.PREFIX + one]) for one in listed]
    claims = [world.claim(one) for one in record.claims]
    case = case_from_ledger(record, claims, filings, [], profiles=LAWS.values(), now_ms=world.now_ms)
    assert len(case.claims[0].filings) == FILINGS_MAX


def test_what_every_holder_may_file_fits_in_a_case() -> None:
    assert ENTRIES_MAX >= 2 * HOLDERS_MAX * FILINGS_MAX


def test_a_blanket_competes_from_when_it_began(story: Story) -> None:
    blanket = story.blanket()
    opened_ms = story.world.now_ms
    first, second = story.case().claims
    assert (second.id, second.claimant, second.concluded_ms, second.blanket) == (blanket.hex(), GB, opened_ms, True)
    assert (first.blanket, second.here is None, second.asserted) == (False, False, "")
    assert order(under("DE", replace(story.case(), laws=()))) == [story.funded.hex(), blanket.hex()]
    mine = claim(blanket.hex(), 1)
    facts = replace(story.case(story.known(mine)), laws=())
    assert order(under("DE", facts)) == [blanket.hex(), story.funded.hex()]
    assert "winner_is_blanket" in codes(under("DE", facts))


def test_who_has_a_blanket_and_a_claim_under_it_has_one_claim_as_old_as_the_blanket() -> None:
    story = Story()
    story.blanket("F_CN")
    story.receivable = story.world.registered("later")
    story.funded = story.world.funded(story.receivable, to="F_CN")
    (only,) = story.case().claims
    assert (only.id, only.blanket) == (story.funded.hex(), False)
    assert only.concluded_ms < only.funded_ms == story.world.claim(story.funded).funded_ms  # type: ignore[operator]


def test_a_blanket_that_lapsed_or_ended_or_is_of_another_seller_does_not_compete(story: Story) -> None:
    blanket = story.blanket(days=1)
    lapsed = story.known(claim("elsewhere", 1), as_of_ms=story.world.now_ms + 2 * DAY_MS)
    assert [one.id for one in story.case(lapsed).claims] == [story.funded.hex(), "elsewhere"]
    other = story.world.registered("other", by="EXP_VN")
    own = story.receivable
    story.receivable = other
    with pytest.raises(FieldError, match="none is funded, asserted or a blanket"):
        story.case()
    story.receivable = own
    assert story.world.one("F_GB", CarveOutReceivable(blanket, own)).done  # who carves out is left out by the caller
    assert story.world.one("F_GB", CloseFacility(blanket)).done
    assert [one.id for one in story.case().claims] == [story.funded.hex()]


def test_claims_of_another_receivable_are_refused(story: Story) -> None:
    story.says("notice")
    story.receivable = story.world.registered("other")
    with pytest.raises(FieldError, match="is on another receivable"):
        story.case()


def test_a_voided_receivable_is_refused_with_the_reason(story: Story) -> None:
    world = story.world
    standing = ("debtor", salt_of("a"), name_id("IMP_DE"))
    raised = RaiseDispute(story.receivable, standing, "no_such_debt", WHOLE, mark("text"), "en")
    dispute = world.one("IMP_DE", raised).subject
    text = (mark("text"), "en")
    for forum in ((), ("ICC",)):
        assert world.one("EXP_CN", AnswerDispute(dispute, *text)).code == "ok"
        assert world.one("IMP_DE", EscalateDispute(dispute, forum, *text)).code == "ok"
    decided = DecideDispute(dispute, "voided", 0, mark("award"), "en")
    assert world.one(("IMP_DE", "EXP_CN", "F_CN"), decided).code == "ok"
    assert world.receivable(story.receivable).state == "voided"
    with pytest.raises(FieldError) as refused:
        story.case()
    assert refused.value.field == "receivable"
    assert "was voided: its registration was found false" in refused.value.reason


def test_all_that_a_ledger_knows_of_one_receivable_fits_in_a_case() -> None:
    assert COMPETITORS_MAX == CLAIMS_MAX + EXTERNAL_CLAIMS_MAX + BLANKETS_MAX
