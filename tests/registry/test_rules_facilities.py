"""Facilities and blankets on the ledger (registry.md 6.2): who agrees, what a blanket stops, how it ends."""

from __future__ import annotations

import datetime

import pytest

from registry.fingerprint import ACCOUNT, BLANKET_KIND, blanket_mark
from registry.limits import BLANKET_TERM_MAX_MS, BLANKETS_MAX
from registry.money import WHOLE
from registry.receipts import Receipt
from registry.records import Claim, decode_record
from registry.records.facilities import Facility, drawing_terms
from registry.state import holders_of, print_key
from registry.transactions.claims import Fund, Offer, Reassign, Release, Reserve
from registry.transactions.facilities import (
    AmendFacility,
    CarveOutReceivable,
    CertifyBase,
    CloseFacility,
    Draw,
    OpenFacility,
    RenewBlanket,
    Scope,
)
from registry.transactions.notices import Acknowledge, Notify
from registry.transactions.receivables import Confirm
from tests.registry.world import PERCENT, World, invoice, mark, name_id, salt_of

DAY_MS = 86_400_000
SIDES = (name_id("F_GB"), name_id("EXP_VN"))  # in the order of events: sorted
ON_DE = (ACCOUNT, mark("EXP_VN on IMP_DE"))
ON_AE = (ACCOUNT, mark("EXP_VN on IMP_AE"))


def ms(text: str) -> int:
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC).timestamp()) * 1_000


class Story(World):
    """A world that knows facilities and moves through the calendar."""

    def on(self, day: str) -> Story:
        """Go to the morning of this day."""
        self.block([], after_ms=ms(day) - self.now_ms)
        return self

    def agree(
        self, *, to: str = "F_GB", seller: str = "EXP_VN", blanket: Scope | tuple[()] = (), signers: str = ""
    ) -> Receipt:
        opened = OpenFacility(name_id(seller), name_id(to), mark("terms"), mark("rules"), blanket)
        return self.do(signers.split() or (seller, to), opened)[0]

    def blanket(self, *accounts: bytes, to: str = "F_GB", days: int = 365) -> bytes:
        """A facility with a blanket on all of EXP_VN's receivables, or on some of its debtors."""
        receipt = self.agree(to=to, blanket=Scope(accounts, mark("filing"), self.now_ms + days * DAY_MS))
        assert receipt.code == "ok", receipt
        return receipt.subject

    def facility(self, facility: bytes) -> Facility:
        return decode_record(Facility, self.state[Facility.PREFIX + facility])

    def listed(self) -> tuple[bytes, ...]:
        """What a search for blankets over EXP_VN's receivables finds."""
        return holders_of(self.state[print_key(BLANKET_KIND, blanket_mark(name_id("EXP_VN")))])

    def sold(self, tag: str, *account: tuple[str, bytes], kind: str = "invoice") -> bytes:
        """A receivable of EXP_VN."""
        prints = (("exact", mark(f"exact {tag}")), *account)
        return self.registered(tag, by="EXP_VN", fingerprints=prints, kind=kind)

    def wanted(self, receivable: bytes, by: str = "F_SG") -> Receipt:
        """A financier tries to reserve it."""
        return self.one(by, Reserve(self.offered(receivable, to=by, by="EXP_VN"), 600_000))


@pytest.fixture
def world() -> Story:
    return Story().on("2026-06-01")


# S7 Blanket and lapse


def test_s7_a_blanket_stands_in_the_way_until_its_filing_lapses() -> None:
    world = Story()
    world.now_ms = ms("2021-06-01")
    until_ms = ms("2026-06-01")
    facility = world.agree(blanket=Scope((), mark("filing of 2021-06-01"), until_ms)).subject
    receivable = world.on("2026-05-20").sold("VN-7781")
    assert world.heard("blanket_matched") == [(receivable, SIDES, facility.hex())]
    refused = world.wanted(receivable)
    assert (refused.code, refused.related) == ("blanket", (facility,))
    everybody = tuple(sorted(map(name_id, ("EXP_VN", "F_GB", "F_SG"))))
    assert world.heard("refused_claim") == [(refused.subject, everybody, "blanket")]
    assert not world.receivable(receivable).live
    world.block([], after_ms=until_ms - world.now_ms - 2_000)
    assert world.wanted(receivable).code == "blanket"  # the last second of it
    world.on("2026-06-02")
    assert world.wanted(receivable).code == "ok"


def test_the_holder_of_the_blanket_finances_as_ever_and_a_new_receivable_is_under_it(world: Story) -> None:
    before = world.sold("before")
    world.blanket()
    after = world.sold("after")
    assert [world.wanted(each).code for each in (before, after)] == ["blanket", "blanket"]
    for each in (before, after):
        world.funded(each, to="F_GB", by="EXP_VN")


def test_a_reservation_from_before_the_blanket_is_funded(world: Story) -> None:
    receivable = world.sold("a")
    claim = world.reserved(receivable, to="F_SG", by="EXP_VN", percent=40)
    world.blanket()
    assert world.one("F_SG", Fund(claim)).code == "ok"
    assert world.wanted(receivable).code == "blanket"
    assert world.do(("F_SG", "F_DE"), Reassign(claim, name_id("F_DE")))[0].code == "ok"


def test_a_claim_that_was_bought_back_is_no_way_around_the_blanket(world: Story) -> None:
    claim = world.funded(world.sold("a"), to="F_SG", by="EXP_VN")
    facility = world.blanket()
    assert world.do(("F_SG", "EXP_VN"), Reassign(claim, name_id("EXP_VN")))[0].code == "ok"
    for taker in ("F_DE", "F_GB"):
        assert world.do(("EXP_VN", taker), Reassign(claim, name_id(taker)))[0].code == "bad_state"
    assert world.one("EXP_VN", Release(claim)).code == "ok"
    refused = world.wanted(world.claim(claim).receivable)
    assert (refused.code, refused.related) == ("blanket", (facility,))


def test_a_blanket_began_when_it_last_came_to_cover_more(world: Story) -> None:
    """A renewal in time and a narrower scope keep its date; a wider one, and a new one after a gap, begin anew."""
    facility = world.blanket(days=10)
    began = world.now_ms
    assert world.facility(facility).blanket_since_ms == began

    def amended(*accounts: bytes) -> int:
        scope = Scope(accounts, mark("filing"), world.now_ms + 10 * DAY_MS)
        assert world.do(("EXP_VN", "F_GB"), AmendFacility(facility, mark("t"), mark("r"), scope))[0].code == "ok"
        return world.facility(facility).blanket_since_ms

    assert world.one("F_GB", RenewBlanket(facility, mark("renewal"), world.now_ms + 20 * DAY_MS)).code == "ok"
    assert world.facility(facility).blanket_since_ms == began
    assert amended(ON_DE[1]) == began
    assert amended(ON_DE[1], ON_AE[1]) == world.now_ms > began
    world.block([], after_ms=11 * DAY_MS)
    assert amended(ON_DE[1]) == world.now_ms  # it had lapsed


def test_a_payable_is_under_no_blanket_but_its_holder_hears_and_who_funds_looks_at_it(world: Story) -> None:
    """EXP_VN is a debtor too: it may owe, and it may call payable what is owed to it."""
    facility = world.blanket()
    payable = world.sold("owed", kind="payable")
    assert world.heard("blanket_matched") == []
    assert world.heard("payable_beside_blanket") == [(payable, SIDES, facility.hex())]
    claim = world.wanted(payable)
    assert claim.code == "ok"
    refused = world.one("F_SG", Fund(claim.subject))
    assert (refused.code, refused.related) == ("unacknowledged_match", (facility,))
    assert world.one("F_SG", Fund(claim.subject, (facility,))).code == "ok"


def test_the_holder_of_a_blanket_finances_payables_and_lets_others_do_so(world: Story) -> None:
    facility = world.blanket()
    own, free = world.sold("owed", kind="payable"), world.sold("owed too", kind="payable")
    assert world.funded(own, to="F_GB", by="EXP_VN")
    assert world.one("F_GB", CarveOutReceivable(facility, free)).code == "ok"
    assert world.funded(free, to="F_SG", by="EXP_VN")


def test_honest_reverse_factoring_meets_no_blanket(world: Story) -> None:
    world.blanket()
    payable = world.registered("owed", by="IMP_DE", kind="payable")
    assert world.heard("payable_beside_blanket") == []
    assert world.funded(payable, to="F_SG", by="IMP_DE")


def test_what_a_seller_calls_payable_is_its_own_debt_and_nobody_elses(world: Story) -> None:
    """Its buyer cannot make it good: neither by confirming it nor by acknowledging a notice."""
    facility = world.blanket()
    payable = world.sold("sold to F_GB", kind="payable")
    claim = world.funded(payable, to="F_SG", by="EXP_VN", acknowledged=(facility,))
    salt, buyer = salt_of("sold to F_GB"), name_id("IMP_DE")
    confirmed = Confirm(payable, salt, buyer, mark("commitment sold to F_GB"), WHOLE, mark("text"))
    assert world.one("IMP_DE", confirmed).code == "not_debtor"
    notice = world.one("F_SG", Notify(claim, "edi", "en", mark("text"), mark("account"))).subject
    acknowledged = Acknowledge(notice, buyer, mark("text"), mark("account"), accepts=True, salt=salt)
    assert world.one("IMP_DE", acknowledged).code == "not_debtor"


@pytest.mark.parametrize(("first", "second"), [("invoice", "payable"), ("payable", "invoice")])
def test_what_one_owes_is_no_part_of_what_one_is_owed_nor_its_correction(world: Story, first: str, second: str) -> None:
    """A claim on the one would take up the other, past the blanket."""
    world.blanket()
    old = world.sold("one", kind=first)
    child = invoice("child", kind=second, parents=((old, WHOLE, WHOLE),))
    assert world.one("EXP_VN", child).code == "not_authorised"
    correction = invoice("corrected", kind=second, supersedes=old)
    assert world.one("EXP_VN", correction).code == "not_authorised"


def test_a_payable_goes_into_no_pool(world: Story) -> None:
    facility = world.agree().subject
    payable = world.sold("owed", kind="payable")
    assert world.do(("EXP_VN", "F_GB"), Draw(facility, payable, WHOLE))[0].code == "not_authorised"


# Blankets on some debtors


def test_a_listed_blanket_covers_its_debtors_and_whatever_does_not_say_on_whom_it_is(world: Story) -> None:
    facility = world.blanket(ON_DE[1])
    on_de, on_ae, unsaid = world.sold("de", ON_DE), world.sold("ae", ON_AE), world.sold("unsaid")
    assert world.wanted(on_de).related == (facility,)
    assert world.wanted(unsaid).code == "blanket"
    assert world.wanted(on_ae).code == "ok"
    assert print_key(*ON_DE) not in world.state  # thousands may be on one debtor: not indexed


def test_two_financiers_may_share_the_debtors_but_not_have_the_same_ones(world: Story) -> None:
    first = world.blanket(ON_DE[1])
    until = world.now_ms + DAY_MS
    for accounts in ((), (ON_AE[1], ON_DE[1])):
        refused = world.agree(to="F_SG", blanket=Scope(accounts, mark("filing"), until))
        assert (refused.code, refused.related) == ("blanket", (first,))
    second = world.blanket(ON_AE[1], to="F_SG")
    assert world.listed() == (first, second)
    assert world.wanted(world.sold("de", ON_DE), "F_SG").related == (first,)
    assert world.wanted(world.sold("ae", ON_AE), "F_SG").code == "ok"


# Letting go


def test_a_carve_out_and_a_take_out_in_one_transaction(world: Story) -> None:
    facility = world.blanket()
    receivable, other = world.sold("a"), world.sold("b")
    old = world.funded(receivable, to="F_GB", by="EXP_VN")
    until = world.now_ms + DAY_MS
    steps = [
        Release(old),
        CarveOutReceivable(facility, receivable),
        Offer(receivable, name_id("F_SG"), 90 * PERCENT, mark("terms"), until),
        Reserve(2, 60_000),
        Fund(2),
    ]
    without = [Release(old), *[Offer(receivable, name_id("F_SG"), PERCENT, mark("t"), until), Reserve(1, 1), Fund(1)]]
    refused = world.do(("F_GB", "EXP_VN", "F_SG"), *without, mode="all")
    assert [receipt.code for receipt in refused] == ["rolled_back", "rolled_back", "blanket", "rolled_back"]
    assert world.claim(old).state == "funded"
    done = world.do(("F_GB", "EXP_VN", "F_SG"), *steps, mode="all")
    assert {receipt.code for receipt in done} == {"ok"}
    assert world.heard("carved_out") == [(receivable, SIDES, facility.hex())]
    assert world.claim(done[2].subject).state == "funded"
    assert world.wanted(other).code == "blanket"
    again = world.one("F_GB", CarveOutReceivable(facility, receivable))
    assert (again.code, again.related) == ("already_done", (receivable,))


def test_only_the_holder_lets_go_and_only_of_what_its_blanket_can_cover(world: Story) -> None:
    facility = world.blanket()
    receivable = world.sold("a")
    assert world.one("EXP_VN", CarveOutReceivable(facility, receivable)).code == "not_holder"
    assert world.one("F_GB", CarveOutReceivable(facility, mark("none"))).code == "not_found"
    assert world.one("F_GB", CarveOutReceivable(facility, world.registered("other seller's"))).code == "not_found"
    without = world.agree(to="F_DE").subject
    assert world.one("F_DE", CarveOutReceivable(without, receivable)).code == "bad_state"


# Drawings


def test_a_drawing_is_a_funded_claim_in_one_operation(world: Story) -> None:
    facility, receivable = world.agree().subject, world.sold("a")
    for signers in ("EXP_VN", "F_GB", "EXP_VN F_SG"):
        assert world.do(tuple(signers.split()), Draw(facility, receivable, WHOLE))[0].code == "not_authorised"
    (receipt,) = world.do(("EXP_VN", "F_GB"), Draw(facility, receivable, 80 * PERCENT))
    claim = world.claim(receipt.subject)
    assert (claim.state, claim.holder, claim.assignor, claim.share) == ("funded", *SIDES, 80 * PERCENT)
    assert (claim.terms_digest, claim.holders) == (drawing_terms(world.facility(facility)), (name_id("F_GB"),))
    assert world.receivable(receivable).claims == (claim.id,)
    assert [world.heard(kind) for kind in ("offered", "funded")] == [[(claim.id, SIDES, str(80 * PERCENT))]] * 2


def test_what_is_financed_already_or_under_another_blanket_is_not_drawn_and_leaves_nothing(world: Story) -> None:
    facility, taken, covered = world.agree().subject, world.sold("taken"), world.sold("covered")
    first = world.funded(taken, to="F_SG", by="EXP_VN", percent=40)
    before = world.receivable(taken)
    (refused,) = world.do(("EXP_VN", "F_GB"), Draw(facility, taken, 61 * PERCENT))
    assert (refused.code, refused.related) == ("over_residual", (taken, first))
    assert (world.receivable(taken), Claim.PREFIX + refused.subject in world.state) == (before, False)
    assert world.heard("refused_claim")[0][1] == tuple(sorted(map(name_id, ("EXP_VN", "F_GB", "F_SG"))))
    assert world.do(("EXP_VN", "F_GB"), Draw(facility, taken, 60 * PERCENT))[0].code == "ok"
    blanket = world.blanket(to="F_DE")
    (refused,) = world.do(("EXP_VN", "F_GB"), Draw(facility, covered, PERCENT))
    assert (refused.code, refused.related) == ("blanket", (blanket,))


def test_the_same_receivable_is_drawn_once_in_one_transaction_too(world: Story) -> None:
    facility, receivable = world.agree().subject, world.sold("a")
    receipts = world.do(("EXP_VN", "F_GB"), *[Draw(facility, receivable, 51 * PERCENT)] * 3)
    assert [receipt.code for receipt in receipts] == ["ok", "over_residual", "over_residual"]


def test_a_match_is_looked_at_before_a_drawing(world: Story) -> None:
    number = ("number", mark("number"))
    facility, other, receivable = world.agree().subject, world.sold("a", number), world.sold("b", number)
    (refused,) = world.do(("EXP_VN", "F_GB"), Draw(facility, receivable, WHOLE))
    assert (refused.code, refused.related) == ("unacknowledged_match", (other,))
    assert world.do(("EXP_VN", "F_GB"), Draw(facility, receivable, WHOLE, (other,)))[0].code == "ok"


def test_only_the_sellers_receivables_go_into_an_open_pool(world: Story) -> None:
    facility = world.agree().subject
    foreign = world.registered("another seller's")
    assert world.do(("EXP_VN", "F_GB", "EXP_CN"), Draw(facility, foreign, WHOLE))[0].code == "not_authorised"
    assert world.do(("EXP_VN", "F_GB"), Draw(facility, mark("none"), WHOLE))[0].code == "not_found"
    assert world.do(("EXP_VN", "F_GB"), Draw(mark("none"), foreign, WHOLE))[0].code == "not_found"
    assert world.one("F_GB", CloseFacility(facility)).code == "ok"
    refused = world.do(("EXP_VN", "F_GB"), Draw(facility, world.sold("late"), WHOLE))[0]
    assert (refused.code, refused.subject) == ("bad_state", facility)


# The life of a facility


def test_both_sides_open_and_amend_a_facility(world: Story) -> None:
    for signers in ("EXP_VN", "F_GB", "F_GB F_SG"):
        assert world.agree(signers=signers).code == "not_authorised"
    assert world.agree(seller="F_SG").code == "not_authorised"  # sells nothing
    assert world.agree(to="IMP_DE").code == "not_authorised"  # finances nothing
    assert world.do("EXP_VN", OpenFacility(name_id("EXP_VN"), "lei:X", mark("t"), mark("r")))[0].code == "unknown_party"
    facility = world.agree(signers="F_GB EXP_VN").subject  # in any order
    assert world.facility(facility).concerns() == SIDES[::-1]
    amended = AmendFacility(facility, mark("terms 2"), mark("rules 2"), Scope((), mark("f"), world.now_ms + DAY_MS))
    assert world.one("F_GB", amended).code == "not_authorised"
    assert world.do(("F_GB", "EXP_VN"), amended)[0].code == "ok"
    record = world.facility(facility)
    assert (record.terms_digest, record.rules_digest, record.blanket) == (mark("terms 2"), mark("rules 2"), "all")
    assert record.changed_ms > record.opened_ms
    assert world.heard("facility_amended") == [(facility, SIDES, "all")]
    assert world.do(("F_GB", "EXP_VN"), AmendFacility(facility, mark("t"), mark("r")))[0].code == "ok"
    assert world.listed() == ()
    assert world.one("F_GB", CloseFacility(mark("none"))).code == "not_found"


def test_the_financier_closes_and_the_blanket_ends_while_claims_run_off(world: Story) -> None:
    facility = world.blanket()
    claim = world.funded(world.sold("drawn"), to="F_GB", by="EXP_VN")
    free = world.sold("free")
    assert world.one("EXP_VN", CloseFacility(facility)).code == "not_holder"
    assert world.one("F_GB", CloseFacility(facility)).code == "ok"
    assert world.heard("facility_closed") == [(facility, SIDES, "none")]
    assert (world.facility(facility).state, world.claim(claim).state) == ("closed", "funded")
    assert world.listed() == ()
    assert world.wanted(free).code == "ok"
    assert world.one("F_GB", CloseFacility(facility)).code == "already_done"
    amended = AmendFacility(facility, mark("t"), mark("r"), Scope((), mark("f"), world.now_ms + DAY_MS))
    assert world.do(("F_GB", "EXP_VN"), amended)[0].code == "bad_state"
    assert world.one("F_GB", RenewBlanket(facility, mark("f"), world.now_ms + DAY_MS)).code == "bad_state"
    running_off = CertifyBase(facility, 20260601, mark("base"), "breach")
    assert world.do(("F_GB", "EXP_VN"), running_off)[0].code == "ok"


def test_a_blanket_is_continued_by_its_holder_alone_before_it_lapses_and_by_both_after(world: Story) -> None:
    facility = world.blanket(days=10)
    receivable = world.sold("a")
    assert world.one("EXP_VN", RenewBlanket(facility, mark("more"), world.now_ms + DAY_MS)).code == "not_holder"
    assert world.one("F_GB", RenewBlanket(facility, mark("more"), world.now_ms - 1)).code == "bad_date"
    too_long = world.now_ms + BLANKET_TERM_MAX_MS + DAY_MS
    assert world.one("F_GB", RenewBlanket(facility, mark("more"), too_long)).code == "bad_date"
    world.on("2026-06-10")
    assert world.one("F_GB", RenewBlanket(facility, mark("more"), ms("2026-06-20"))).code == "ok"
    assert world.heard("blanket_renewed") == [(facility, SIDES, "all")]
    assert world.on("2026-06-15").wanted(receivable).code == "blanket"
    world.on("2026-06-21")
    anew = RenewBlanket(facility, mark("again"), ms("2026-07-01"))
    assert world.one("F_GB", anew).code == "not_authorised"
    other = world.blanket(to="F_SG", days=5)
    assert world.listed() == (other,)
    assert world.do(("F_GB", "EXP_VN"), anew)[0].related == (other,)
    world.on("2026-06-28")
    assert world.do(("F_GB", "EXP_VN"), anew)[0].code == "ok"
    assert (world.listed(), world.wanted(receivable).code) == ((facility,), "blanket")


def test_a_seller_has_a_bounded_number_of_blankets(world: Story) -> None:
    for _ in range(BLANKETS_MAX):
        world.blanket()
    scope = Scope((), mark("filing"), world.now_ms + DAY_MS)
    assert world.agree(blanket=scope).code == "limit_reached"


def test_both_sides_certify_borrowing_bases_in_the_order_of_their_days(world: Story) -> None:
    facility = world.agree().subject
    both = ("EXP_VN", "F_GB")

    def certified(day: int, base: str, finding: str = "covered", signers: str | tuple[str, ...] = both) -> str:
        return str(world.do(signers, CertifyBase(facility, day, mark(base), finding))[0].code)

    assert certified(20260531, "1", signers="F_GB") == "not_authorised"
    assert certified(20260531, "1") == "ok"
    assert world.heard("base_certified") == [(facility, SIDES, "20260531")]
    assert certified(20260531, "1") == "already_done"
    assert certified(20260531, "1 corrected", "breach") == "ok"
    assert world.heard("base_breach") == [(facility, SIDES, "20260531")]
    assert certified(20260530, "older") == "bad_date"
    assert certified(20260603, "not yet anywhere on earth") == "bad_date"
    record = world.facility(facility)
    assert (record.base_as_of, record.base_digest, record.base_finding) == (20260531, mark("1 corrected"), "breach")


def test_a_substitution_is_one_transaction_or_nothing(world: Story) -> None:
    """One receivable out of the pool, another in; the one that cannot come in keeps the first where it was."""
    world.blanket()
    claim = world.funded(world.sold("out"), to="F_GB", by="EXP_VN", percent=100)
    taken, free = world.sold("taken"), world.sold("free")
    world.funded(taken, to="F_GB", by="EXP_VN", percent=60)
    until = world.now_ms + DAY_MS

    def substitute(receivable: bytes) -> list[Receipt]:
        steps = [Release(claim), Offer(receivable, name_id("F_GB"), 100 * PERCENT, mark("t"), until), Reserve(1, 1)]
        return world.do(("EXP_VN", "F_GB"), *steps, Fund(1), mode="all")

    before = dict(world.state)
    assert [receipt.code for receipt in substitute(taken)] == ["rolled_back"] * 2 + ["over_residual", "rolled_back"]
    assert world.state == before
    receipts = substitute(free)
    assert {receipt.code for receipt in receipts} == {"ok"}
    assert (world.claim(claim).state, world.claim(receipts[1].subject).state) == ("released", "funded")
