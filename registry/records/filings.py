"""Official filings of claims, as their holders recorded them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from registry.records.core import SubjectId
from registry.records.row import Lists

__all__ = ["Filing"]


@dataclass(frozen=True, slots=True)
class Filing:
    """That a register outside knows of a claim. `digests` pin the filing and each continuation, oldest first.

    `state` is "live" or "ended"; a live one whose `lapses_ms` (0: never) lies before the block's time has lapsed.
    `recorded_ms` is the time of the block that recorded it.
    """

    PREFIX: ClassVar = b"filing/"
    LISTS: ClassVar[Lists] = {"digests": tuple}

    id: SubjectId
    claim: SubjectId
    receivable: SubjectId
    by: str
    register: str
    digests: tuple[bytes, ...]
    filed_ms: int
    lapses_ms: int
    recorded_ms: int
    state: str

    def state_at(self, now_ms: int) -> str:
        """The state at block time `now_ms`: the stored one, or "lapsed"."""
        return "lapsed" if self.state == "live" and 0 < self.lapses_ms < now_ms else self.state

    def concerns(self) -> tuple[str, ...]:
        """Who recorded it; an official register is public, but who finances whom is not."""
        return (self.by,)
