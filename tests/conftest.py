"""What every test may use: waiting on conditions instead of sleeping."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.cast import cast

__all__ = ["cast", "eventually"]

# How fast inputs are made is the machine's matter: a busy one must not turn a property red.
settings.register_profile("nemodat", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("nemodat")

PATIENCE_S = 10.0
POLL_S = 0.005


async def eventually(condition: Callable[[], object], *, patience_s: float = PATIENCE_S) -> None:
    """Return as soon as `condition()` is true; `TimeoutError` if it is not in time."""
    async with asyncio.timeout(patience_s):
        while not condition():  # noqa: ASYNC110 - conditions of other threads and processes have no event
            await asyncio.sleep(POLL_S)


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """A node that was started in this process has set up its logs: the next test's commands must not speak in them."""
    root = logging.getLogger()
    handlers, level, configuration = root.handlers[:], root.level, structlog.get_config()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**configuration)
