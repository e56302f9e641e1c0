"""The clock of this node. Read at the edge, handed down as a value; nothing below `node` knows the time."""

from __future__ import annotations

import time

__all__ = ["clock_ms"]


def clock_ms() -> int:
    """Milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000
