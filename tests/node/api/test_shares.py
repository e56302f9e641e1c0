"""What callers may hold at a time, and the turns they take."""

from __future__ import annotations

import asyncio

import pytest

from node.api.problems import Problem
from node.api.shares import Shares, Turns
from tests.conftest import eventually


def test_a_caller_holds_no_more_than_its_part_and_than_is_left() -> None:
    shares = Shares("things", most=10, each_max=4)
    with shares.hold("a", 4):
        with pytest.raises(Problem, match="rate_limited"), shares.hold("a", 1):
            pass
        with shares.hold("b", 3), pytest.raises(Problem, match="busy"), shares.hold("c", 2):
            pass
    with shares.hold("c", 4):
        pass


async def test_one_who_asks_for_much_waits_for_others() -> None:
    turns, done = Turns(1), []
    go_on = asyncio.Event()

    async def read(caller: str) -> None:
        async with turns.turn(caller):
            await go_on.wait()
            done.append(caller)

    reads = [asyncio.create_task(read(caller)) for caller in ["flood"] * 50 + ["member"]]
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(*reads)
    assert done.index("member") == 2, "after the one under way, and one more"


async def test_who_goes_away_gives_its_turn_to_the_next() -> None:
    turns = Turns(1)
    first = turns.turn("a")
    await first.__aenter__()

    async def read() -> None:
        async with turns.turn("b"):
            pass

    gone, stays = asyncio.create_task(read()), asyncio.create_task(read())
    await asyncio.sleep(0)
    gone.cancel()
    await first.__aexit__(None, None, None)
    await eventually(stays.done)
    async with asyncio.timeout(1), turns.turn("c"):
        pass
