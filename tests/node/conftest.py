"""Node tests run on the event loop that nodes run on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

try:
    from uvloop import new_event_loop
except ImportError:  # Windows
    from asyncio import new_event_loop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """uvloop where there is one."""
    return {"node": new_event_loop}
