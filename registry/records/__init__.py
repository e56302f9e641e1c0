"""What the state holds. `row` says how a record is stored; the other modules are records, one for each family."""

from __future__ import annotations

from registry.records.authorities import ConsensusKey, Misbehaviour, NodeEntry
from registry.records.core import (
    CLAIM_STATES,
    FORMS,
    GRADES,
    KINDS,
    RECEIVABLE_STATES,
    Claim,
    Link,
    Live,
    Network,
    Proposal,
    Receivable,
    Seat,
    SubjectId,
)
from registry.records.disputes import Dispute
from registry.records.inclusion import Exclusion
from registry.records.row import decode_record, encode_record, record_key, revised

__all__ = [
    "CLAIM_STATES",
    "FORMS",
    "GRADES",
    "KINDS",
    "RECEIVABLE_STATES",
    "Claim",
    "ConsensusKey",
    "Dispute",
    "Exclusion",
    "Link",
    "Live",
    "Misbehaviour",
    "Network",
    "NodeEntry",
    "Proposal",
    "Receivable",
    "Seat",
    "SubjectId",
    "decode_record",
    "encode_record",
    "record_key",
    "revised",
]
