"""Kept out of the ledger: what proves it, what does not, and what is recorded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.errors import FieldError
from registry.inclusion import InclusionReceipt, give_receipt
from registry.records import Exclusion
from registry.state import State
from registry.transactions.inclusion import Given, ReportExclusion
from tests.registry.world import World, genesis, invoice, key_of, mark, name_id

KEPT_OUT = mark("a transaction that waits")


@pytest.fixture
def world() -> World:
    """Four authorities, so that f is 1; a few blocks have been."""
    world = World()
    blocks(world, 3)
    return world


def receipt(name: str, height: int, *, until_ms: int, of: bytes = KEPT_OUT) -> InclusionReceipt:
    signer = key_of(f"consensus {name}")
    return give_receipt(signer, genesis().id, of, height=height, valid_until_ms=until_ms)


def report(world: World, heights: dict[str, int], *, until_ms: int | None = None) -> ReportExclusion:
    until_ms = world.now_ms + 1_800_000 if until_ms is None else until_ms
    given = [receipt(name, height, until_ms=until_ms) for name, height in heights.items()]
    return reported(KEPT_OUT, until_ms, given)


def reported(transaction: bytes, until_ms: int, receipts: list[InclusionReceipt]) -> ReportExclusion:
    rows = tuple(Given(each.authority, each.height, each.signature) for each in receipts)
    return ReportExclusion(transaction, until_ms, rows)


def blocks(world: World, count: int) -> None:
    for number in range(count):
        world.one("EXP_CN", invoice(f"another {world.height} {number}"))


def code(world: World, operation: ReportExclusion) -> str:
    return world.one("EXP_CN", operation).code


def test_what_two_of_four_had_and_four_blocks_lack_was_kept_out(world: World) -> None:
    since = world.height
    blocks(world, 4)
    found = report(world, {"F_SG": since, "F_DE": since})
    answer = world.one("EXP_CN", found)
    assert (answer.code, answer.subject) == ("ok", KEPT_OUT)
    record = State(world.state.get).find(Exclusion, KEPT_OUT)
    assert record is not None
    assert (record.first_height, record.last_height) == (since + 1, world.height - 1)
    assert record.reported_by == name_id("EXP_CN")
    assert record.receipts == found.receipts
    ((_, hearers, detail),) = world.heard("exclusion")
    assert {name_id("EXP_CN"), name_id("F_CN")} < set(hearers)
    assert detail == str(since + 1)
    assert code(world, found) == "already_done"


def test_each_leader_has_had_a_turn(world: World) -> None:
    since = world.height
    blocks(world, 3)
    late = report(world, {"F_SG": since - 2, "F_DE": since})
    assert code(world, late) == "not_proven"
    assert code(world, late) == "ok"


def test_one_authority_alone_may_lie(world: World) -> None:
    since = world.height
    blocks(world, 4)
    assert code(world, report(world, {"F_SG": since})) == "not_proven"
    twice = report(world, {"F_SG": since})
    both = replace(twice, receipts=(*twice.receipts, twice.receipts[0]._replace(height=since - 1)))
    assert code(world, both) == "not_proven"


def test_signatures_are_of_authorities_and_of_just_this(world: World) -> None:
    since = world.height
    blocks(world, 4)
    good = report(world, {"F_SG": since, "F_DE": since})
    for bad in (
        report(world, {"F_SG": since, "EXP_CN": since}),
        replace(good, transaction=mark("another")),
        replace(good, valid_until_ms=good.valid_until_ms + 1),
        replace(good, receipts=(good.receipts[0], good.receipts[1]._replace(height=since - 1))),
        replace(good, receipts=(good.receipts[0], good.receipts[1]._replace(signature=bytes(64)))),
    ):
        assert code(world, bad) == "not_proven"
    assert code(world, good) == "ok"


def test_what_has_expired_was_not_kept_out_by_this_block(world: World) -> None:
    since = world.height
    blocks(world, 4)
    assert code(world, report(world, {"F_SG": since, "F_DE": since}, until_ms=world.now_ms)) == "not_proven"


def test_what_is_on_the_ledger_was_not_kept_out(world: World) -> None:
    since = world.height
    included = world.one("EXP_CN", invoice("included")).transaction
    blocks(world, 4)
    until_ms = world.now_ms + 1_000
    given = [receipt(name, since, until_ms=until_ms, of=included) for name in ("F_SG", "F_DE")]
    assert code(world, reported(included, until_ms, given)) == "already_done"


def test_a_receipt_is_read_back_from_json(world: World) -> None:
    made = receipt("F_SG", 7, until_ms=world.now_ms)
    assert InclusionReceipt.from_json(made.to_json()) == made
    assert made.holds(genesis().id)
    assert not made.holds(mark("another chain"))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("height", -1),
        ("height", True),
        ("valid_until_ms", "1"),
        ("authority", "00"),
        ("signature", "zz"),
        ("transaction_id", None),
    ],
)
def test_json_that_is_no_receipt(world: World, member: str, value: object) -> None:
    with pytest.raises(FieldError, match=member):
        InclusionReceipt.from_json({**receipt("F_SG", 7, until_ms=world.now_ms).to_json(), member: value})
    with pytest.raises(FieldError):
        InclusionReceipt.from_json([])
