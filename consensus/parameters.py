"""The genesis parameters of consensus, and the timeouts that follow from them. Time never decides, it only unblocks."""

from __future__ import annotations

from dataclasses import dataclass

from consensus.errors import ParametersError
from registry.codec import DIGEST_SIZE

__all__ = ["DELAY_MAX_MS", "Parameters"]

DELAY_MAX_MS = 24 * 3600 * 1000  # milliseconds; no timer is longer than a day
SILENT_LEADER_DIVISOR = 4  # R11: the views of a leader not heard for n heights are this much shorter


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Equal on all nodes of a chain. Raises `ParametersError` for an interval out of bounds.

    `genesis_id` is the SHA-256 of the canonical genesis; intervals are in milliseconds.
    """

    genesis_id: bytes
    base_ms: int = 1_000
    """The patience with the first view of a height: several times the time that a block takes."""
    cap_ms: int = 30_000
    """The longest patience with a view."""
    heartbeat_ms: int = 60_000
    """An idle chain makes an empty block this long after the last one."""

    def __post_init__(self) -> None:
        if len(self.genesis_id) != DIGEST_SIZE:
            raise ParametersError(f"genesis_id: {DIGEST_SIZE} bytes are expected")
        if not 4 <= self.base_ms <= self.cap_ms <= DELAY_MAX_MS:
            raise ParametersError(f"base_ms, cap_ms: 4 <= base_ms <= cap_ms <= {DELAY_MAX_MS} is expected")
        if not self.base_ms <= self.heartbeat_ms <= DELAY_MAX_MS:
            raise ParametersError(f"heartbeat_ms: base_ms <= heartbeat_ms <= {DELAY_MAX_MS} is expected")

    @property
    def grace_ms(self) -> int:
        """R2: how long a leader waits for a finalization that is probably on its way."""
        return self.base_ms // 2

    @property
    def resend_ms(self) -> int:
        """R8: how often a node that waits says again where it is."""
        return 2 * self.base_ms

    @property
    def fetch_ms(self) -> int:
        """R8: how long a node waits for a block or height that is probably on its way, before it asks."""
        return self.base_ms // 2

    def view_timeout_ms(self, view: int) -> int:
        """R6: `T(v) = min(base * 1.5^v, cap)`, in whole milliseconds."""
        exponent = min(view, 64)  # the cap is reached long before; keeps the powers small
        growth: int = 3**exponent
        return min(self.base_ms * growth >> exponent, self.cap_ms)

    def silent_timeout_ms(self, view: int) -> int:
        """R11: `T(v)` for a leader that has not been heard for n heights."""
        return self.view_timeout_ms(view) // SILENT_LEADER_DIVISOR
