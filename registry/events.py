"""Events: who should hear of what a block did. They are derived from execution and never hashed or stored as state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["EVENT_KINDS", "Event"]

EVENT_KINDS: Final = frozenset(
    {
        "admitted",  # a party is in force from the next height; subject: proposal, detail: party id
        "proposed",  # a change waits for approvals; subject: proposal, detail: party id, or a contact's in hex
        "registered",
        "matched",  # two receivables look alike; subject: the newer, detail: the other id in hex
        "refused_duplicate",  # a certain duplicate was refused; subject: the existing receivable
        "confirmed",  # detail: the share confirmed
        "rejected",
        "adjusted",  # detail: the share still collectible
        "over_advanced",  # claims exceed what is collectible; detail: the share by which
        "offered",  # detail: the share, as in all events of claims below
        "revoked",
        "reserved",
        "funded",
        "reassigned",
        "released",
        "discharged",
        "settled",  # nothing is left to collect and no claim is live
        "cancelled",
        "covered",  # the import factor takes over credit risk; subject: claim, detail: the share
        "superseded",  # subject: the older receivable, detail: the newer one's id in hex
        "filed",  # a claim stands in an official register; subject: filing, detail: the register
        "filing_continued",
        "filing_ended",
        "contact_asked",  # somebody on the side of a match asks for contact; detail: the receivable asked about, in hex
        "contact_sent",  # for the side that asks; detail: its receivable in hex
        "contact_declined",  # by one of those asked; detail: "waiting" for others, or "declined" by all
        "contact_opened",  # both sides may see who the other is; detail: "accepted" or "ordered"
        "refused_claim",  # a reservation or funding was refused; detail: the reason code
    }
)


@dataclass(frozen=True, slots=True)
class Event:
    """Something the named parties (and every regulator) should hear of.

    `parties` routes the event, in order and without repeats; it is not for the eyes of those parties, because a
    match must not show one side who the other is. `detail` is short text, by kind (see `EVENT_KINDS`).
    """

    kind: str
    subject: bytes
    parties: tuple[str, ...]
    detail: str = ""
