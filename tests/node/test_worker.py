"""A thread that does one kind of work: in order, in turns by who asked, and what goes wrong is told."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from functools import partial

import pytest

from node.worker import Worker
from tests.conftest import eventually


class Shop:
    """A worker that is busy until it is `opened`, and the names of the jobs that it has done, in order."""

    def __init__(self) -> None:
        self.failures: list[BaseException] = []
        self.worker = Worker("tested", self.failures.append)
        self.done: list[str] = []
        self.told: list[str] = []
        self._given = 0
        self._open = threading.Event()
        self.worker.do(self._open.wait, lambda _: None)

    def give(self, *names: str, source: str = "") -> None:
        self._given += len(names)
        for name in names:
            self.worker.do(partial(self._do, name), self.told.append, source=source)

    async def opened(self) -> list[str]:
        self._open.set()
        await eventually(lambda: len(self.told) + len(self.failures) == self._given)
        return self.done

    def _do(self, name: str) -> str:
        self.done.append(name)
        if name == "broken":
            raise ValueError(name)
        return name


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    made = Shop()
    yield made
    await made.opened()
    await made.worker.close()


async def test_what_is_given_is_done_in_order_and_told_in_order(shop: Shop) -> None:
    shop.give("a", "b", "c")
    assert await shop.opened() == ["a", "b", "c"]
    assert shop.told == ["a", "b", "c"]


async def test_who_asks_for_much_delays_its_own_jobs(shop: Shop) -> None:
    shop.give("a1", "a2", "a3", "a4", source="A")
    shop.give("b1", "b2", source="B")
    shop.give("c1", source="C")
    assert await shop.opened() == ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]
    assert shop.told == shop.done


async def test_a_job_that_raises_is_told_and_the_next_is_done(shop: Shop) -> None:
    shop.give("a", "broken", "b")
    assert await shop.opened() == ["a", "broken", "b"]
    assert shop.told == ["a", "b"]
    assert [str(each) for each in shop.failures] == ["broken"]


async def test_after_its_end_nothing_is_done(shop: Shop) -> None:
    shop.give("a")
    await shop.opened()
    await shop.worker.close()
    later: list[int] = []
    shop.worker.do(lambda: later.append(1), later.append)
    assert not later
