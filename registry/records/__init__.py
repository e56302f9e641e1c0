"""What the state holds. `row` says how a record is stored; the other modules are records, one for each family."""

from __future__ import annotations

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
    SubjectId,
)
from registry.records.disputes import Dispute
from registry.records.row import decode_record, encode_record, record_key

__all__ = [
    "CLAIM_STATES",
    "FORMS",
    "GRADES",
    "KINDS",
    "RECEIVABLE_STATES",
    "Claim",
    "Dispute",
    "Link",
    "Live",
    "Network",
    "Proposal",
    "Receivable",
    "SubjectId",
    "decode_record",
    "encode_record",
    "record_key",
]
