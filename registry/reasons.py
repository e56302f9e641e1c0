"""Why an operation was refused: a closed list. A receipt carries `ok` or one of these codes, and nothing else.

Codes are part of the protocol (they are hashed into the block's results root): they never change their meaning.
What can never enter a block (malformed, unsigned, wrong chain, replayed, out of validity) has no code here; see
`registry.transactions.envelope`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = [
    "ALREADY_DONE",
    "ATTESTATION_LAPSED",
    "BAD_DATE",
    "BAD_DATES",
    "BAD_STATE",
    "BLANKET",
    "DISPUTED",
    "DOUBLE_CONFIRMED",
    "DUPLICATE",
    "ENCUMBERED",
    "EXPIRED",
    "GRADE_UNPROVEN",
    "IMPOSSIBLE_TIME",
    "KEY_UNPROVEN",
    "LAST_KEY",
    "LIMIT_REACHED",
    "NOT_AUTHORISED",
    "NOT_DEBTOR",
    "NOT_FOUND",
    "NOT_HOLDER",
    "NOT_OFFERED",
    "NOT_PROVEN",
    "NOT_RECEIVED",
    "NO_DEEMED_ACCEPTANCE",
    "NO_MATCH",
    "NO_PARENT",
    "NO_QUORUM",
    "OFFER_EXPIRED",
    "OK",
    "OTHER_NOTICE",
    "OTHER_PARTICULARS",
    "OUT_OF_TIME",
    "OVER_PARENT",
    "OVER_RESIDUAL",
    "REASONS",
    "ROLLED_BACK",
    "SUSPENDED",
    "TOO_EARLY",
    "UNACKNOWLEDGED_MATCH",
    "UNKNOWN_PARTY",
]

OK: Final = "ok"
ALREADY_DONE: Final = "already_done"
ATTESTATION_LAPSED: Final = "attestation_lapsed"
BAD_DATES: Final = "bad_dates"
BAD_DATE: Final = "bad_date"
BAD_STATE: Final = "bad_state"
BLANKET: Final = "blanket"
DUPLICATE: Final = "duplicate"
ENCUMBERED: Final = "encumbered"
EXPIRED: Final = "expired"
GRADE_UNPROVEN: Final = "grade_unproven"
IMPOSSIBLE_TIME: Final = "impossible_time"
LAST_KEY: Final = "last_key"
LIMIT_REACHED: Final = "limit_reached"
NOT_AUTHORISED: Final = "not_authorised"
NOT_DEBTOR: Final = "not_debtor"
NOT_FOUND: Final = "not_found"
NOT_HOLDER: Final = "not_holder"
NOT_OFFERED: Final = "not_offered"
NO_MATCH: Final = "no_match"
NO_PARENT: Final = "no_parent"
NO_QUORUM: Final = "no_quorum"
OFFER_EXPIRED: Final = "offer_expired"
OTHER_PARTICULARS: Final = "other_particulars"
OVER_PARENT: Final = "over_parent"
OVER_RESIDUAL: Final = "over_residual"
ROLLED_BACK: Final = "rolled_back"
SUSPENDED: Final = "suspended"
UNACKNOWLEDGED_MATCH: Final = "unacknowledged_match"
UNKNOWN_PARTY: Final = "unknown_party"

# Notices and confirmation
DOUBLE_CONFIRMED: Final = "double_confirmed"
NO_DEEMED_ACCEPTANCE: Final = "no_deemed_acceptance"
NOT_RECEIVED: Final = "not_received"
OTHER_NOTICE: Final = "other_notice"
TOO_EARLY: Final = "too_early"
# Disputes
DISPUTED: Final = "disputed"
OUT_OF_TIME: Final = "out_of_time"
# Authorities
NOT_PROVEN: Final = "not_proven"
# Keys
KEY_UNPROVEN: Final = "key_unproven"

REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        OK: "Done.",
        ALREADY_DONE: "What is asked for has been done before; nothing changed.",
        ATTESTATION_LAPSED: "Of some kind a party involved was attested, and no attestation of it is live any more.",
        BAD_DATES: "The attestation is dated in the future, or is over by then; or the height is too near or too far.",
        BAD_DATE: "A date is out of place: before one that it must follow, past already, or too far in the future.",
        BAD_STATE: "The receivable, claim or parent (or an ancestor) is in a state in which this cannot be done.",
        BLANKET: "Another financier's blanket over this seller's receivables (listed) stands in the way.",
        DUPLICATE: "A certain identity is taken: another record holds a blocking fingerprint, an identifier or a key.",
        ENCUMBERED: "Claims or records (listed) hang on what is to be superseded or to expire: they must end first.",
        EXPIRED: "Its time was over: a reservation has lapsed and needs a new offer; a filing must be filed anew.",
        GRADE_UNPROVEN: "A registrant may state the grades self_asserted and document; higher ones need other proof.",
        IMPOSSIBLE_TIME: "A time that must have been is later than the block's, or earlier than what it follows.",
        LAST_KEY: "A party keeps at least one signing key: add the new one before revoking the old.",
        LIMIT_REACHED: "A list or chain has its greatest length: claims, holders, children, lineage, matches.",
        NOT_AUTHORISED: "The signing parties' roles, or their relation to the record, do not allow this.",
        NOT_DEBTOR: "The salt and identifier do not open the debtor's commitment, or no signer is that debtor.",
        NOT_FOUND: "The receivable, claim or proposal named is not in the registry.",
        NOT_HOLDER: "The holder of the claim has not signed.",
        NOT_OFFERED: "The claim was not offered to a party that has signed.",
        NO_MATCH: "What is asked about is like neither the receivable on whose side the asker stands nor its lineage.",
        NO_PARENT: "An instalment is a part of something: it names what.",
        NO_QUORUM: "Too few authorities would be left unsuspended to govern: no suspension could be lifted.",
        OFFER_EXPIRED: "The offer is no longer valid at the block's time.",
        OTHER_PARTICULARS: "The debtor was shown other particulars than those that the record commits to.",
        OVER_PARENT: "The parts of one parent would exceed the whole of it.",
        OVER_RESIDUAL: "More than is left: claims on the receivable and its lineage would exceed what is collectible.",
        ROLLED_BACK: "Another operation of the same all-or-nothing transaction was refused; see its receipt.",
        SUSPENDED: "A party involved is suspended.",
        UNACKNOWLEDGED_MATCH: "Similar receivables, claims outside or blankets (listed) were not said to be looked at.",
        UNKNOWN_PARTY: "A signing key, or the party named, belongs to no registered party.",
        DOUBLE_CONFIRMED: "The debtor confirmed another record of the same debt: it comes first, or bars a correction.",
        NO_DEEMED_ACCEPTANCE: "The rule-book knows no deemed acceptance between the countries of seller and debtor.",
        NOT_RECEIVED: "Neither evidence nor an acknowledgement says that the debtor received the notice.",
        OTHER_NOTICE: "The debtor was shown another text or account than that of the notice.",
        TOO_EARLY: "The debtor's period to answer, or the month it is due in, is not over everywhere, or not known.",
        DISPUTED: "A dispute is open on the receivable or its lineage: no new claim, and none changes hands.",
        OUT_OF_TIME: "The clock of the dispute does not allow this: it still runs, or it has run out.",
        KEY_UNPROVEN: "No signature of a new key, for this party and this purpose, shows that its secret is there.",
        NOT_PROVEN: "The evidence does not prove what is reported, of keys that were authorities' at those heights.",
    }
)
