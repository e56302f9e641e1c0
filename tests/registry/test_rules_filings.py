"""Official filings: who may record them, how they are continued, and what lapses by time alone."""

from __future__ import annotations

import pytest

from registry.limits import FILINGS_MAX
from registry.records.filings import Filed, Filing
from registry.records.row import decode_record
from registry.transactions.claims import Reassign, Release
from registry.transactions.filings import ContinueFiling, EndFiling, RecordFiling
from tests.registry.world import STEP_MS, World, mark, name_id

DAY_MS = 86_400_000
YEARS_5_MS = 5 * 365 * DAY_MS


@pytest.fixture
def world() -> World:
    return World()


def filing_of(world: World, filing: bytes) -> Filing:
    return decode_record(Filing, world.state[Filing.PREFIX + filing])


def filed(world: World, claim: bytes, *, by: str = "F_CN", lapses_in_ms: int = YEARS_5_MS) -> bytes:
    operation = RecordFiling(claim, "US-NY:UCC1", mark("number"), world.now_ms, world.now_ms + lapses_in_ms)
    receipt = world.one(by, operation)
    assert receipt.code == "ok", receipt
    return receipt.subject


def test_the_holder_records_where_its_claim_is_filed_also_before_it_pays(world: World) -> None:
    claim = world.offered(world.registered("a"))
    filing = filed(world, claim)
    assert world.heard("filed") == [(filing, tuple(sorted((name_id("EXP_CN"), name_id("F_CN")))), "US-NY:UCC1")]
    found = filing_of(world, filing)
    assert (found.claim, found.by, found.state, found.digests) == (claim, name_id("F_CN"), "live", (mark("number"),))
    assert found.recorded_ms == world.now_ms


def test_only_the_holder_of_a_claim_that_stands_records_a_filing_of_the_past(world: World) -> None:
    claim = world.funded(world.registered("a"))
    now = world.now_ms
    good = RecordFiling(claim, "CN:ZHONGDENG", mark("n"), now, 0)
    assert world.one("F_SG", good).code == "not_holder"
    assert world.one("EXP_CN", good).code == "not_holder"
    assert world.one("F_CN", RecordFiling(mark("?"), "CN:ZHONGDENG", mark("n"), now, 0)).code == "not_found"
    of_the_future = RecordFiling(claim, "CN:ZHONGDENG", mark("n"), world.now_ms + 10 * STEP_MS, 0)
    assert world.one("F_CN", of_the_future).code == "impossible_time"
    assert world.one("F_CN", RecordFiling(claim, "CN:ZHONGDENG", mark("n"), 0, world.now_ms)).code == "expired"
    of_no_length = RecordFiling(claim, "CN:ZHONGDENG", mark("n"), world.now_ms + STEP_MS, world.now_ms + STEP_MS)
    assert world.one("F_CN", of_no_length).code == "expired"
    assert world.one("F_CN", good).code == "ok"
    world.one("F_CN", Release(claim))
    assert world.one("F_CN", good).code == "bad_state"


def test_a_filing_is_continued_before_it_lapses_and_filed_anew_after(world: World) -> None:
    claim = world.funded(world.registered("a"))
    filing = filed(world, claim, lapses_in_ms=10 * STEP_MS)
    shorter = ContinueFiling(filing, mark("renewal"), world.now_ms + 5 * STEP_MS)
    assert world.one("F_CN", shorter).code == "bad_state"
    assert world.one("F_SG", ContinueFiling(filing, mark("renewal"), world.now_ms + DAY_MS)).code == "not_holder"
    longer = ContinueFiling(filing, mark("renewal"), world.now_ms + 20 * STEP_MS)
    assert world.one("F_CN", longer).code == "ok"
    assert filing_of(world, filing).digests == (mark("number"), mark("renewal"))
    world.block([], after_ms=30 * STEP_MS)
    assert filing_of(world, filing).state_at(world.now_ms) == "lapsed"
    assert world.one("F_CN", ContinueFiling(filing, mark("late"), world.now_ms + DAY_MS)).code == "expired"
    assert world.one("F_CN", EndFiling(filing, mark("late"))).code == "expired"
    filed(world, claim)


def test_an_ended_filing_is_over(world: World) -> None:
    filing = filed(world, world.funded(world.registered("a")))
    assert world.one("F_CN", EndFiling(filing, mark("termination"))).code == "ok"
    assert filing_of(world, filing).state_at(world.now_ms) == "ended"
    assert world.one("F_CN", EndFiling(filing, mark("termination"))).code == "already_done"
    assert world.one("F_CN", ContinueFiling(filing, mark("n"), world.now_ms + 2 * YEARS_5_MS)).code == "already_done"
    assert world.one("F_CN", EndFiling(mark("?"), mark("n"))).code == "not_found"


def test_a_filing_goes_with_its_claim(world: World) -> None:
    claim = world.funded(world.registered("a"))
    filing = filed(world, claim)
    assert world.one(("F_CN", "F_SG"), Reassign(claim, name_id("F_SG"))).code == "ok"
    longer = ContinueFiling(filing, mark("renewal"), world.now_ms + 2 * YEARS_5_MS)
    assert world.one("F_CN", longer).code == "not_holder"
    assert world.one("F_SG", longer).code == "ok"
    assert world.heard("filing_continued")[0][1] == tuple(sorted(map(name_id, ("EXP_CN", "F_CN", "F_SG"))))
    assert decode_record(Filed, world.state[Filed.PREFIX + claim]) == Filed(claim, (filing,))


def test_filings_of_a_claim_are_bounded(world: World) -> None:
    claim = world.funded(world.registered("a"))
    codes = [
        world.one("F_CN", RecordFiling(claim, "CN:ZHONGDENG", mark(str(number)), world.now_ms, 0)).code
        for number in range(FILINGS_MAX + 1)
    ]
    assert codes == ["ok"] * FILINGS_MAX + ["limit_reached"]


def test_a_former_holder_has_not_used_up_what_the_new_one_may_file(world: World) -> None:
    claim = world.funded(world.registered("a"))
    world.do("F_CN", *[RecordFiling(claim, "CN:ZDW", mark(f"{number}"), 1, 0) for number in range(FILINGS_MAX)])
    assert world.one(("F_CN", "F_SG"), Reassign(claim, name_id("F_SG"))).code == "ok"
    assert world.one("F_SG", RecordFiling(claim, "CN:ZDW", mark("own"), 1, 0)).code == "ok"


def test_continuations_are_bounded(world: World) -> None:
    filing = filed(world, world.funded(world.registered("a")))
    codes = [
        world.one("F_CN", ContinueFiling(filing, mark(str(year)), world.now_ms + YEARS_5_MS + year * DAY_MS)).code
        for year in range(1, 35)
    ]
    assert codes == ["ok"] * 32 + ["limit_reached"] * 2
