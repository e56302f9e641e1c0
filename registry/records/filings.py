"""Official filings of claims, as their holders recorded them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from registry.records.core import SubjectId
from registry.records.row import Lists

__all__ = ["Filed", "Filing"]


@dataclass(frozen=True, slots=True)
class Filing:
    """That a register outside knows of a claim, recorded by `by`; whoever holds the claim now continues or ends it.

    `digests` pin the filing and each continuation, oldest first.

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
        """Who recorded it, beside whoever holds the claim (`families`): not whom a rival finances."""
        return (self.by,)


@dataclass(frozen=True, slots=True)
class Filed:
    """The filings of the claim with this id, in the order of recording."""

    PREFIX: ClassVar = b"filed/"
    LISTS: ClassVar[Lists] = {"filings": tuple}

    id: SubjectId
    filings: tuple[SubjectId, ...]

    def concerns(self) -> tuple[str, ...]:
        """Nobody but whoever holds the claim (`families`)."""
        return ()
