"""Protocol versions: who schedules the next one, how far ahead, and what is in force when."""

from __future__ import annotations

import pytest

from registry.limits import UPGRADE_NOTICE_MAX, UPGRADE_NOTICE_MIN
from registry.records import Network
from registry.state import State
from registry.transactions.governance import Propose
from registry.transactions.upgrades import ScheduleUpgrade
from tests.registry.world import World, invoice


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
