"""Protocol versions: who schedules the next one, how far ahead, and what is in force when."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from consensus.blocks import VERSION
from registry.errors import InvalidBlock
from registry.limits import UPGRADE_NOTICE_MAX, UPGRADE_NOTICE_MIN
from registry.records import Network
from registry.state import State
from registry.transactions import operations
from registry.transactions.governance import CHANGES, Propose
from registry.transactions.operations import OPERATIONS, Operation, since
from registry.transactions.receivables import Expire
from registry.transactions.upgrades import ScheduleUpgrade
from tests.registry.world import World, invoice, mark

FIRST = """
propose/1 approve/1 add_key/2 revoke_key/1 set_receive_key/1 set_home/1 recover/3 attest/7 withdraw_attestation/1
register/13 confirm/9 reject/4 adjust/3 offer/8 revoke/1 reserve/2 fund/2 reassign/2 release/1 discharge/2
raise_dispute/6 answer_dispute/3 escalate_dispute/4 withdraw_dispute/3 settle_dispute/4 decide_dispute/5
conclude_dispute/1 cover/2 record_filing/5 continue_filing/3 end_filing/2 ask_contact/4 answer_contact/4 notify/5
acknowledge/6 prove_receipt/3 deem/1 distinguish/4 open_facility/5 amend_facility/4 renew_blanket/3 carve_out/2
certify_base/4 close_facility/1 record_external_claim/9 end_external_claim/3 report_misbehaviour/1 report_exclusion/3
draw/4 expire/1
admit/2 suspend/2 reinstate/2 amend/5 replace_owner_key/3 award/5 open_contact/3 seat_authority/5 unseat_authority/2
admit_node/3 dismiss_node/2 schedule_upgrade/2
"""
"""What software of protocol 1 reads: operations, then changes, each with the number of its fields. Once there is
version 2 this never changes again: what comes later is named in `operations.SINCE`."""


@pytest.fixture
def world() -> World:
    return World()


def network(world: World) -> Network:
    return State(world.state.get).network()


def proposed(world: World, version: int, notice: int, *, by: str = "F_CN") -> str:
    return world.one(by, Propose(ScheduleUpgrade(version, world.height + 1 + notice))).code


def test_the_next_version_is_in_force_from_its_height_on(world: World) -> None:
    assert network(world).version_at(10**9) == 1
    from_height = world.height + 3 + UPGRADE_NOTICE_MIN
    world.govern(ScheduleUpgrade(2, from_height))
    found = network(world)
    assert [found.version_at(height) for height in (from_height - 1, from_height, from_height + 10**9)] == [1, 2, 2]
    ((_, hearers, detail),) = world.heard("upgrade_scheduled")
    assert set(found.authorities) <= set(hearers)
    assert detail == "protocol:2"


@pytest.mark.parametrize(
    ("version", "notice", "code"),
    [
        (2, UPGRADE_NOTICE_MIN, "ok"),
        (2, UPGRADE_NOTICE_MIN - 1, "bad_dates"),
        (2, -1, "bad_dates"),
        (2, UPGRADE_NOTICE_MAX, "ok"),
        (2, UPGRADE_NOTICE_MAX + 1, "bad_dates"),
        (3, UPGRADE_NOTICE_MIN, "bad_state"),
    ],
)
def test_only_the_next_one_and_with_notice(world: World, version: int, notice: int, code: str) -> None:
    for number in range(2):
        world.one("EXP_CN", invoice(f"a block before {number}"))
    assert proposed(world, version, notice) == code


def test_only_authorities_decide(world: World) -> None:
    assert proposed(world, 2, UPGRADE_NOTICE_MIN, by="EXP_CN") == "not_authorised"


def test_what_is_scheduled_can_be_moved_until_it_is_in_force(world: World) -> None:
    first = world.height + 4 + UPGRADE_NOTICE_MIN
    world.govern(ScheduleUpgrade(2, first))
    later = world.height + 100
    world.govern(ScheduleUpgrade(2, later))
    assert network(world).version_at(later - 1) == 1
    sooner = world.height + 4 + UPGRADE_NOTICE_MIN
    world.govern(ScheduleUpgrade(2, sooner))
    while world.height < sooner:
        world.one("EXP_CN", invoice(f"until then {world.height}"))
    assert proposed(world, 2, UPGRADE_NOTICE_MIN) == "bad_state"
    third = world.height + 4 + UPGRADE_NOTICE_MIN
    world.govern(ScheduleUpgrade(3, third))
    assert [network(world).version_at(height) for height in (world.height, third - 1, third)] == [2, 2, 3]


# --- what a version brings ------------------------------------------------------------------------------------------


def test_what_is_new_names_the_version_that_brings_it() -> None:
    kinds = [*OPERATIONS.values(), *CHANGES.values()]
    first = [kind for kind in kinds if operations.SINCE.get(kind, 1) == 1]
    assert [f"{kind.NAME}/{len(kind.FIELDS)}" for kind in first] == FIRST.split()
    assert set(operations.SINCE) <= set(kinds)
    assert all(1 < version <= VERSION for version in operations.SINCE.values()), "this software knows no such version"


@pytest.mark.parametrize(
    ("new", "operation"),
    [
        pytest.param(Expire, Expire(mark("a receivable")), id="an operation"),
        pytest.param(ScheduleUpgrade, Propose(ScheduleUpgrade(3, 1_000_000)), id="a change in a proposal"),
    ],
)
def test_what_is_new_stands_in_no_block_of_an_older_version(
    monkeypatch: pytest.MonkeyPatch, new: type[Operation], operation: Operation
) -> None:
    """Software of the older version cannot read it, and would refuse a block with it."""
    world = World()
    from_height = world.height + 4 + UPGRADE_NOTICE_MIN
    world.govern(ScheduleUpgrade(2, from_height))
    monkeypatch.setattr(operations, "SINCE", MappingProxyType({new: 2}))
    assert (since(operation), since(invoice("x"))) == (2, 1)
    while world.height + 1 < from_height:
        with pytest.raises(InvalidBlock, match=r"unknown_operation.*operations\[1\].*protocol version 2"):
            world.do("F_CN", invoice("an old one beside it"), operation)
        assert world.one("EXP_CN", invoice(f"until then {world.height}")).code == "ok"
    old, read = world.do("F_CN", invoice("an old one beside it"), operation)
    assert world.height == from_height
    assert "rolled_back" not in (old.code, read.code), "both were executed"
