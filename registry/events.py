"""Events: who should hear of what a block did. They are derived from execution and never hashed or stored as state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["EVENT_KINDS", "Event"]

EVENT_KINDS: Final = frozenset(
    {
        "admitted",  # a party is in force from the next height; subject: proposal, detail: party id
        "proposed",  # a change waits for approvals; subject: proposal, detail: party id
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
        # facilities; subject: the facility, detail: the kind of its blanket ("none", "all", "listed")
        "facility_opened",
        "facility_amended",
        "facility_closed",
        "blanket_renewed",
        "blanket_matched",  # a new receivable is under a blanket; subject: the receivable, detail: the facility in hex
        "carved_out",  # a receivable is no longer under a blanket; subject and detail as above
        "base_certified",  # a borrowing base was signed by both sides; detail: its day as yyyymmdd
        "base_breach",  # so was one that does not cover what was drawn
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
