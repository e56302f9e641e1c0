"""Which state follows which, as tables (registry.md 4 and 5). Everything that moves a state is in this file.

A dispute is beside the state, not in it. "lapsed" is reached by time alone: no operation leads there or away.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from registry.reasons import ALREADY_DONE, BAD_STATE, EXPIRED
from registry.records import Claim, Receivable

__all__ = [
    "ASSIGNED",
    "BLOCKING",
    "CLAIM_STEPS",
    "DENIED",
    "DISPUTABLE",
    "FALSIFIABLE",
    "OPEN",
    "RECALLED",
    "RECEIVABLE_STEPS",
    "VACATED",
    "claim_obstacle",
    "receivable_obstacle",
]

# (state, operation) -> the states that may follow
CLAIM_STEPS: Final = MappingProxyType(
    {
        ("offered", "reserve"): ("reserved",),
        ("offered", "revoke"): ("revoked",),
        ("reserved", "fund"): ("funded",),
        ("reserved", "release"): ("released",),
        ("funded", "reassign"): ("funded",),
        ("funded", "release"): ("released",),
        ("funded", "discharge"): ("funded", "discharged"),
        ("offered", "cover"): ("offered",),
        ("reserved", "cover"): ("reserved",),
        ("funded", "cover"): ("funded",),
    }
)
# "settle" is what follows by itself when nothing is left to collect and no claim is live.
RECEIVABLE_STEPS: Final = MappingProxyType(
    {
        ("registered", "confirm"): ("confirmed", "part_confirmed"),
        ("registered", "reject"): ("rejected",),
        ("registered", "deem"): ("deemed",),
        ("deemed", "confirm"): ("confirmed",),  # less than the whole would be an objection: that is for disputes
        ("registered", "adjust"): ("registered",),
        ("confirmed", "adjust"): ("confirmed",),
        ("part_confirmed", "adjust"): ("part_confirmed",),
        ("deemed", "adjust"): ("deemed",),
        ("registered", "settle"): ("settled", "cancelled"),
        ("confirmed", "settle"): ("settled", "cancelled"),
        ("part_confirmed", "settle"): ("settled", "cancelled"),
        ("deemed", "settle"): ("settled", "cancelled"),
        ("rejected", "settle"): ("settled",),
        ("registered", "expire"): ("expired", "settled"),
        ("confirmed", "expire"): ("expired", "settled"),
        ("part_confirmed", "expire"): ("expired", "settled"),
        ("deemed", "expire"): ("expired", "settled"),
        ("registered", "supersede"): ("superseded",),
        ("confirmed", "supersede"): ("superseded",),
    }
)
# In which state an operation has been done already, so that doing it again is no error of the sender's reasoning.
_DONE: Final = MappingProxyType(
    {
        "reserve": ("reserved",),
        "fund": ("funded",),
        "release": ("released",),
        "discharge": ("discharged",),
        "revoke": ("revoked",),
        "confirm": ("confirmed", "part_confirmed"),
        "reject": ("rejected",),
        "deem": ("deemed",),
        "expire": ("expired",),
    }
)

# States of a receivable, by what they mean for others.
OPEN: Final = frozenset({"registered", "part_confirmed", "confirmed", "deemed"})  # takes claims and children
BLOCKING: Final = OPEN | {"settled"}  # its certain fingerprints refuse others: a paid invoice is not financed again
RECALLED: Final = BLOCKING | {"rejected", "expired"}  # comes back as a match: who finances should know of it
DENIED: Final = frozenset({"rejected", "voided"})  # no debt, by the debtor's word or as found: nor are its parts
# its part of the parent may be fulfilled anew
VACATED: Final = frozenset({"rejected", "cancelled", "expired", "superseded", "voided"})

DISPUTABLE: Final = OPEN  # something is left to be collected or not
FALSIFIABLE: Final = RECALLED  # may be found a false registration, and becomes "voided": it stands in others' way

# States of a claim of which the debtor can be given notice.
ASSIGNED: Final = frozenset({"offered", "reserved", "funded"})


def claim_obstacle(claim: Claim, operation: str, now_ms: int) -> str | None:
    """The reason why the operation cannot be done with the claim in its state, None if it can."""
    state = claim.state_at(now_ms)
    if (state, operation) in CLAIM_STEPS:
        return None
    if state == "lapsed":
        return EXPIRED
    return ALREADY_DONE if state in _DONE.get(operation, ()) else BAD_STATE


def receivable_obstacle(receivable: Receivable, operation: str) -> str | None:
    """The reason why the operation cannot be done with the receivable in its state, None if it can."""
    if (receivable.state, operation) in RECEIVABLE_STEPS:
        return None
    return ALREADY_DONE if receivable.state in _DONE.get(operation, ()) else BAD_STATE
