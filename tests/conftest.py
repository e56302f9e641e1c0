"""What every test may use: waiting on conditions instead of sleeping."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.cast import cast

__all__ = ["cast", "eventually"]

PATIENCE_S = 10.0
POLL_S = 0.005


async def eventually(condition: Callable[[], object], *, patience_s: float = PATIENCE_S) -> None:
    """Return as soon as `condition()` is true; `TimeoutError` if it is not in time."""
    async with asyncio.timeout(patience_s):
        while not condition():  # noqa: ASYNC110 - conditions of other threads and processes have no event
            await asyncio.sleep(POLL_S)
