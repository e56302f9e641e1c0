"""Notices of assignment: what the debtor was told, when it was sent and received, and what it answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from registry.records.core import SubjectId
from registry.records.row import Lists

__all__ = ["CHANNELS", "Notice", "Notified"]

CHANNELS: Final = ("registry", "email", "post", "courier", "edi", "in_person")


@dataclass(frozen=True, slots=True)
class Notice:
    """The debtor is told that a claim was assigned to `holder`, and to which account it shall pay.

    It stays with the claim for good: who takes the claim over gives notice anew. `debtor` is "" until it is known.
    Times are ms UTC, 0 for not yet: `sent_ms` and `acknowledged_ms` are block times, `proved_ms` is when the evidence
    of `evidence_digest` (a courier's slip, an EDI receipt) says that it arrived. `accepted_ms` is the block time at
    which the debtor promised to pay `holder` to that account.
    """

    PREFIX: ClassVar = b"notice/"
    LISTS: ClassVar[Lists] = {}

    id: SubjectId
    claim: SubjectId
    receivable: SubjectId
    sender: str
    assignor: str
    holder: str
    debtor: str
    channel: str
    language: str
    text_digest: bytes
    account_digest: bytes
    sent_ms: int
    proved_ms: int = 0
    evidence_digest: bytes = b""
    acknowledged_ms: int = 0
    accepted_ms: int = 0

    @property
    def received_ms(self) -> int:
        """When the debtor had it, by the earlier of evidence and acknowledgement; 0 if neither is there yet.

        Laws that rank by notice rank by this (`registry.md` 10); blocks decide between equal times.
        """
        return min((time for time in (self.proved_ms, self.acknowledged_ms) if time), default=0)

    def concerns(self) -> tuple[str, ...]:
        """Both sides of the claim at the time, and the debtor once known; whoever holds the claim too (`families`)."""
        return tuple(sorted({self.sender, self.assignor, self.holder, self.debtor} - {""}))


@dataclass(frozen=True, slots=True)
class Notified:
    """The notices of the claim with this id, in the order of sending.

    `accepted` is the holder that the debtor last promised to pay on it, "" for none.
    """

    PREFIX: ClassVar = b"notified/"
    LISTS: ClassVar[Lists] = {"notices": tuple}

    id: SubjectId
    notices: tuple[SubjectId, ...]
    accepted: str = ""

    def concerns(self) -> tuple[str, ...]:
        """Nobody but whoever holds the claim (`families`)."""
        return ()
