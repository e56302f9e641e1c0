"""From ledger records to the law: S1 of registry.md 12 as far as a ledger that refuses the second funding holds it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from registry.errors import FieldError
from registry.law.case import Case, Contract
from registry.law.families import Effect
from registry.law.from_ledger import case_from_ledger, register_code
from registry.law.shipped import shipped_profiles
from registry.records.filings import Filing
from registry.records.notices import Notice
from registry.records.row import decode_record
from registry.transactions.claims import Reassign, Release, Reserve
from registry.transactions.filings import EndFiling, RecordFiling
from tests.registry.law.world import claim, knew, ms, opinion, order, under, usd
from tests.registry.world import World, mark, name_id

REGISTERS = ("CN:ZHONGDENG", "US-NY:UCC1", "AE:EIRC", "BR:BR-REGISTRADORA", "GB-SCT:ROA", "IN:CERSAI")
CN, SG, DE = (name_id(name) for name in ("F_CN", "F_SG", "F_DE"))


@dataclass
class S1:
    """F_CN holds 80%, funded. F_SG and F_DE got no further than an offer: the ledger refused them the share."""

    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        world = self.world
        self.receivable = world.registered("TJ-2026-00417", laws=("CN", "SG", "DE"))
        self.cn = world.funded(self.receivable, to="F_CN", percent=80)
        self.sg = world.offered(self.receivable, to="F_SG", percent=85)
        self.de = world.offered(self.receivable, to="F_DE", percent=90)
        assert world.one("F_SG", Reserve(self.sg, 60_000)).code == "over_residual"
        assert world.one("F_DE", Reserve(self.de, 60_000)).code == "over_residual"
        self.filings: list[bytes] = []
        for by, mine, day in (("F_CN", self.cn, 5), ("F_DE", self.de, 4)):
            for register in REGISTERS:
                receipt = world.one(by, RecordFiling(mine, register, mark(f"{by} {register}"), ms(day), 0))
                assert receipt.code == "ok", receipt
                self.filings.append(receipt.subject)
        self.notices = (self.notice(self.sg, SG),)

    def notice(self, claim: bytes, holder: str) -> Notice:
        """By courier on day 2, arrived on day 3. Made by hand: this world begins later than that."""
        return Notice(
            id=mark("notice"),
            claim=claim,
            receivable=self.receivable,
            sender=holder,
            assignor=name_id("EXP_CN"),
            holder=holder,
            debtor=name_id("IMP_DE"),
            channel="courier",
            language="en",
            text_digest=mark("notice text"),
            account_digest=mark("account"),
            sent_ms=ms(2),
            proved_ms=ms(3),
        )

    def known(self, **facts: object) -> Case:
        """What each knows of its own contract: amounts and days."""
        claims = (
            claim(self.cn.hex(), 1, "80000.00"),
            claim(self.sg.hex(), 2, "85000.00"),
            claim(self.de.hex(), 3, "90000.00"),
        )
        made = Case(
            reference="TJ-2026-00417",
            amount=usd("100000.00"),
            as_of_ms=ms("2026-07-31"),
            claims=claims,
            contract=Contract(ban=False),
        )
        return replace(made, **facts)  # type: ignore[arg-type]

    def case(self, known: Case | None = None, notices: tuple[Notice, ...] | None = None) -> Case:
        record = self.world.receivable(self.receivable)
        return case_from_ledger(
            record,
            [self.world.claim(one) for one in record.claims],
            [decode_record(Filing, self.world.state[Filing.PREFIX + one]) for one in self.filings],
            self.notices if notices is None else notices,
            profiles=shipped_profiles(),
            now_ms=self.world.now_ms,
            known=known,
        )


@pytest.fixture
def s1() -> S1:
    return S1()


@pytest.mark.parametrize(
    ("laws", "expected"),
    [
        (("CN", "US-NY", "AE", "BR", "IN"), ["F_DE", "F_CN", "F_SG"]),
        (("GB-EW", "SG", "HK"), ["F_SG", "F_CN", "F_DE"]),
        (("DE", "FR", "VN"), ["F_CN", "F_SG", "F_DE"]),
        (("GB-SCT",), ["F_SG", "F_DE", "F_CN"]),
    ],
)
def test_s1_three_winners(s1: S1, laws: tuple[str, ...], expected: list[str]) -> None:
    names = {s1.cn.hex(): "F_CN", s1.sg.hex(): "F_SG", s1.de.hex(): "F_DE"}
    facts = s1.case(s1.known())
    assert [one.claimant for one in facts.claims] == [CN, SG, DE]
    for law in laws:
        assert [names[one] for one in order(under(law, replace(facts, laws=())))] == expected, law


def test_it_is_asked_under_the_receivables_own_laws_unless_others_are_named(s1: S1) -> None:
    found = opinion(s1.case(s1.known()))
    assert [answer.profile.code for answer in found.answers] == ["CN", "SG", "DE"]
    assert found.winner_depends_on_law
    assert s1.case(s1.known(laws=("FR",))).laws == ("FR",)


def test_the_ledger_alone_knows_the_funded_claim_and_no_amount(s1: S1) -> None:
    facts = s1.case()
    (only,) = facts.claims
    assert (only.id, only.claimant, only.funded) == (s1.cn.hex(), CN, None)
    funded_ms = s1.world.claim(s1.cn).funded_ms
    assert (only.concluded_ms, only.funded_ms) == (funded_ms, funded_ms)
    assert str(facts.amount) == str(usd("100.00"))
    assert facts.as_of_ms == s1.world.now_ms
    assert under("VN", replace(facts, laws=())).order.standings[0].effect is Effect.RANKS


def test_a_claim_outside_this_ledger_competes_after_those_on_it(s1: S1) -> None:
    outside = claim("F_GB", 1, "10000.00")
    facts = s1.case(s1.known(claims=(outside, *s1.known().claims)))
    assert [one.id for one in facts.claims] == [s1.cn.hex(), s1.sg.hex(), s1.de.hex(), "F_GB"]
    assert [one.here is None for one in facts.claims] == [False, False, False, True]


def test_what_the_party_knows_stays_and_what_the_ledger_knows_wins(s1: S1) -> None:
    mine = replace(
        claim(s1.cn.hex(), 1, "80000.00", knew_of=knew(s1.sg.hex(), 1)), claimant="us", acknowledged_ms=ms(9)
    )
    facts = s1.case(s1.known(claims=(mine, *s1.known().claims[1:])))
    first = facts.claims[0]
    assert (first.claimant, first.concluded_ms, first.knew_of) == (CN, ms(1), mine.knew_of)
    assert first.funded_ms == s1.world.claim(s1.cn).funded_ms
    assert first.acknowledged_ms == ms(9)


def test_the_first_acknowledgement_counts_wherever_it_is_known_from(s1: S1) -> None:
    notice = replace(s1.notices[0], acknowledged_ms=ms(8), proved_ms=0)
    facts = s1.case(s1.known(), (notice,))
    (told,) = facts.claims[1].notices
    assert (facts.claims[1].acknowledged_ms, told.received_ms, told.sent_ms) == (ms(8), ms(8), ms(2))
    assert (told.channel, told.digest) == ("courier", mark("notice text"))
    (sent,) = s1.case(s1.known(), (replace(notice, acknowledged_ms=0),)).claims[1].notices
    assert sent.received_ms is None


def test_a_notice_counts_for_the_holder_that_it_names(s1: S1) -> None:
    notice = s1.notice(s1.cn, CN)
    assert len(s1.case(notices=(notice,)).claims[0].notices) == 1
    assert s1.world.one(("F_CN", "F_DE"), Reassign(s1.cn, DE)).code == "ok"
    assert s1.case(notices=(notice,)).claims[0].notices == ()
    assert len(s1.case(notices=(replace(notice, holder=DE),)).claims[0].notices) == 1


def test_a_claim_was_concluded_when_its_record_says(s1: S1) -> None:
    record = s1.world.receivable(s1.receivable)
    funded = replace(s1.world.claim(s1.cn), concluded_ms=ms(1))
    facts = case_from_ledger(record, [funded], [], [], profiles=(), now_ms=s1.world.now_ms)
    assert facts.claims[0].concluded_ms == ms(1)


def test_a_claim_that_is_over_does_not_compete(s1: S1) -> None:
    s1.world.one("F_CN", Release(s1.cn))
    with pytest.raises(FieldError, match="is over: it was released"):
        s1.case(s1.known())
    with pytest.raises(FieldError, match="none is funded"):
        s1.case()


def test_a_claim_is_its_newest_holders(s1: S1) -> None:
    assert s1.world.one(("F_CN", "F_DE"), Reassign(s1.cn, DE)).code == "ok"
    assert s1.case().claims[0].claimant == DE


def test_what_was_funded_after_the_day_asked_about_has_not_happened(s1: S1) -> None:
    before = s1.known(as_of_ms=s1.world.claim(s1.cn).funded_ms - 1, claims=s1.known().claims[1:])
    assert [one.id for one in s1.case(before).claims] == [s1.sg.hex(), s1.de.hex()]


def test_an_ended_filing_is_none(s1: S1) -> None:
    for filing in s1.filings[len(REGISTERS) :]:
        assert s1.world.one("F_DE", EndFiling(filing, mark("terminated"))).code == "ok"
    assert order(under("CN", replace(s1.case(s1.known()), laws=())))[0] == s1.cn.hex()


def test_a_claim_that_is_not_shown_to_whoever_asks_is_still_on_the_ledger(s1: S1) -> None:
    record = s1.world.receivable(s1.receivable)
    facts = case_from_ledger(record, [], [], (), profiles=shipped_profiles(), now_ms=s1.world.now_ms, known=s1.known())
    assert [one.here is not None for one in facts.claims] == [True] * 3


def test_facts_of_something_else_are_refused(s1: S1) -> None:
    euros = replace(s1.known(), amount=replace(usd("1.00"), currency="EUR"), claims=(claim(s1.cn.hex(), 1),))
    with pytest.raises(FieldError, match="currency: is EUR, the receivable is in USD"):
        s1.case(euros)
    other = s1.world.receivable(s1.world.registered("other"))
    with pytest.raises(FieldError, match="is on another receivable"):
        case_from_ledger(other, [s1.world.claim(s1.cn)], [], [], profiles=(), now_ms=0)


@pytest.mark.parametrize(
    ("register", "code"),
    [
        ("CN:ZHONGDENG", "zhongdeng"),
        ("US-NY:UCC1", "ucc-1"),
        ("US-NY:UCC-1", "ucc-1"),
        ("US-CA:UCC1", "us-ca-ucc1"),
        ("SG:ACRA", "sg-acra"),
        ("CN:UCC1", "cn-ucc1"),
    ],
)
def test_a_register_counts_where_its_own_law_counts_it(register: str, code: str) -> None:
    assert register_code(register, shipped_profiles()) == code
