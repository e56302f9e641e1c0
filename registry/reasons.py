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
    "BAD_STATE",
    "DUPLICATE",
    "ENCUMBERED",
    "EXPIRED",
    "GRADE_UNPROVEN",
    "LIMIT_REACHED",
    "NOT_AUTHORISED",
    "NOT_DEBTOR",
    "NOT_FOUND",
    "NOT_HOLDER",
    "NOT_OFFERED",
    "NO_MATCH",
    "OFFER_EXPIRED",
    "OK",
    "OTHER_PARTICULARS",
    "OVER_PARENT",
    "OVER_RESIDUAL",
    "REASONS",
    "ROLLED_BACK",
    "SUSPENDED",
    "UNACKNOWLEDGED_MATCH",
    "UNKNOWN_PARTY",
]

OK: Final = "ok"
ALREADY_DONE: Final = "already_done"
BAD_STATE: Final = "bad_state"
DUPLICATE: Final = "duplicate"
ENCUMBERED: Final = "encumbered"
EXPIRED: Final = "expired"
GRADE_UNPROVEN: Final = "grade_unproven"
LIMIT_REACHED: Final = "limit_reached"
NOT_AUTHORISED: Final = "not_authorised"
NOT_DEBTOR: Final = "not_debtor"
NOT_FOUND: Final = "not_found"
NOT_HOLDER: Final = "not_holder"
NOT_OFFERED: Final = "not_offered"
NO_MATCH: Final = "no_match"
OFFER_EXPIRED: Final = "offer_expired"
OTHER_PARTICULARS: Final = "other_particulars"
OVER_PARENT: Final = "over_parent"
OVER_RESIDUAL: Final = "over_residual"
ROLLED_BACK: Final = "rolled_back"
SUSPENDED: Final = "suspended"
UNACKNOWLEDGED_MATCH: Final = "unacknowledged_match"
UNKNOWN_PARTY: Final = "unknown_party"

REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        OK: "Done.",
        ALREADY_DONE: "What is asked for has been done before; nothing changed.",
        BAD_STATE: "The receivable, claim or parent is in a state in which this cannot be done.",
        DUPLICATE: "A certain identity is taken: another record holds a blocking fingerprint, an identifier or a key.",
        ENCUMBERED: "Live claims or later records hang on what is to be superseded: they must be released first.",
        EXPIRED: "Its time was over: a reservation has lapsed and needs a new offer; a filing must be filed anew.",
        GRADE_UNPROVEN: "A registrant may state the grades self_asserted and document; higher ones need other proof.",
        LIMIT_REACHED: "A list or chain has its greatest length: claims, holders, children, lineage, matches.",
        NOT_AUTHORISED: "The signing parties' roles, or their relation to the record, do not allow this.",
        NOT_DEBTOR: "The salt and identifier do not open the debtor's commitment, or no signer is that debtor.",
        NOT_FOUND: "The receivable, claim or proposal named is not in the registry.",
        NOT_HOLDER: "The holder of the claim has not signed.",
        NOT_OFFERED: "The claim was not offered to a party that has signed.",
        NO_MATCH: "What is asked about does not look like the receivable on whose side the asker stands.",
        OFFER_EXPIRED: "The offer is no longer valid at the block's time.",
        OTHER_PARTICULARS: "The debtor was shown other particulars than those that the record commits to.",
        OVER_PARENT: "The parts of one parent would exceed the whole of it.",
        OVER_RESIDUAL: "More than is left: claims on the receivable and its lineage would exceed what is collectible.",
        ROLLED_BACK: "Another operation of the same all-or-nothing transaction was refused; see its receipt.",
        SUSPENDED: "A party involved is suspended.",
        UNACKNOWLEDGED_MATCH: "Similar receivables exist (listed) that the financier has not said it has looked at.",
        UNKNOWN_PARTY: "A signing key, or the party named, belongs to no registered party.",
    }
)
