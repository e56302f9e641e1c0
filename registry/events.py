"""Events: who should hear of what a block did. They are derived from execution and never hashed or stored as state."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

__all__ = ["EVENT_KINDS", "Event", "severity_of"]

EVENT_KINDS: Final = frozenset(
    {
        "admitted",  # a party is in force from the next height; subject: proposal, detail: party id
        "proposed",  # a change waits for approvals; subject: proposal, detail: party id, or a contact's in hex
        "suspended",  # of governance as "admitted", like the two that follow
        "reinstated",
        "amended",
        "authority_seated",  # an authority is added, or has another consensus key or node; as "admitted"
        "authority_unseated",  # as "admitted"; after misbehaviour the subject is the accused consensus key
        "node_admitted",  # others let this node in, which follows; as "admitted"
        "node_dismissed",
        "executed",  # authorities have made an award or opened a contact; as "proposed"; what follows has its own event
        "upgrade_scheduled",  # another protocol version; detail: "protocol:" and the version
        "misbehaviour",  # an authority signed two conflicting votes; subject: its consensus key, detail: party id
        # a transaction that more than f authorities had was in none of n blocks; subject: it, detail: the first height
        "exclusion",
        "key_added",  # subject: the key, detail: party id, as in all events of keys below
        "key_revoked",
        "receive_key_set",
        "recovered",  # subject: the owner key
        "home_set",  # subject: the owner key
        "attested",  # subject: the attestation, detail: its kind
        "attestation_withdrawn",
        "registered",
        "matched",  # two receivables look alike; subject: the newer, detail: the other id in hex
        "unlisted",  # a fingerprint lists as many as it can, and this one not until it is funded; detail: its kind
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
        "settled",  # nothing is left to collect, or its registrant says so of what was paid in part; no claim is live
        "cancelled",
        "expired",  # its registrant says that it is over; nothing was claimed on it
        "covered",  # the import factor takes over credit risk; subject: claim, detail: the share
        "superseded",  # subject: the older receivable, detail: the newer one's id in hex
        "filed",  # a claim stands in an official register; subject: filing, detail: the register
        "filing_continued",
        "filing_ended",
        "contact_asked",  # somebody on the side of a match asks for contact; detail: the receivable asked about, in hex
        "contact_sent",  # for the side that asks; detail: its receivable in hex
        "contact_declined",  # by one of those asked; detail: "waiting" for others, or "declined" by all
        "contact_opened",  # both sides may see who the other is; detail: "accepted" or "ordered"
        # facilities; subject: the facility, detail: the kind of its blanket ("none", "all", "listed")
        "facility_opened",
        "facility_amended",
        "facility_closed",
        "blanket_renewed",
        "blanket_matched",  # a new receivable is under a blanket; subject: the receivable, detail: the facility in hex
        "payable_beside_blanket",  # its seller registered what it says it owes; as above: look whether it is owed to it
        "carved_out",  # a receivable is no longer under a blanket; subject and detail as above
        "base_certified",  # a borrowing base was signed by both sides; detail: its day as yyyymmdd
        "base_breach",  # so was one that does not cover what was drawn
        "refused_claim",  # a reservation or funding was refused; detail: the reason code
        "notified",  # notice of an assignment was sent; subject: the notice, detail: the channel
        "notice_proved",  # its receipt was proved; detail: the time of receipt in ms UTC
        "notice_acknowledged",  # by the debtor; detail: "accepted" if it promised to pay that holder, else ""
        "deemed",  # the debtor's silence counts as acceptance; detail: the share
        # The loudest alarm there is: a debtor confirmed one debt to two financiers. Detail: the other receivable in
        # hex, or the share by which the claims that it promised to pay exceed what is collectible.
        "double_confirmation",
        "distinguished",  # the debtor says of two confirmed receivables that it owes both; detail: the other in hex
        # Disputes; subject: the dispute, except of "voided"
        "dispute_raised",  # detail: the ground
        "dispute_answered",  # detail: the rung
        "dispute_escalated",  # detail: the rung that it is at now
        "dispute_withdrawn",
        "dispute_settled",  # detail: the share by which less is collectible
        "dispute_decided",  # by an award; detail: the outcome
        "dispute_concluded",  # by missed clocks; detail: the outcome
        "award_proposed",  # subject: the proposal, detail: the dispute
        "voided",  # a registration was found false; subject: the receivable, detail: the ground
        # Claims outside this ledger; subject: the external claim
        "external_claim_recorded",  # detail: its source
        "external_claim_ended",  # detail: the ground
    }
)

_SEVERITY: Final = MappingProxyType(
    {
        "double_confirmation": "alarm",
        "external_claim_recorded": "warning",
        "exclusion": "warning",
        "matched": "warning",
        "misbehaviour": "warning",
        "over_advanced": "warning",
        "payable_beside_blanket": "warning",
        "refused_claim": "warning",
        "refused_duplicate": "warning",
        "unlisted": "warning",
    }
)


def severity_of(kind: str) -> str:
    """How loud an event is: "info", "warning" (look at it), or "alarm" (money is about to be lost: act now)."""
    return _SEVERITY.get(kind, "info")


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
