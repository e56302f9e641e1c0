"""Out of the network: messages to other systems and texts for official registers, from what a financier knows.

    assignment = assignment_from_json(text)                              # or Assignment(...)
    request(assignment, Letter(id="TJ-417-1", sent=date(2026, 5, 4)))    # tsin.006, as bytes
    zhongdeng(assignment).text                                           # to paste into the register's form

`assignment.py` is the input; `iso20022.py` writes tsin.006, 007, 008 and 013, `filings.py` Zhongdeng and UCC-1 texts.
Pure: ids and dates are arguments, bytes and text come out, and nothing of it is on the ledger.
"""

from __future__ import annotations

from registry.outgoing.assignment import Assignment, Filing, Firm, Notice, assignment_from_json
from registry.outgoing.filings import FilingText, ucc1, zhongdeng
from registry.outgoing.iso20022 import (
    FINANCING,
    GROUNDS,
    Financing,
    Ground,
    Letter,
    acknowledgement,
    notification,
    request,
    status,
)

__all__ = [
    "FINANCING",
    "GROUNDS",
    "Assignment",
    "Filing",
    "FilingText",
    "Financing",
    "Firm",
    "Ground",
    "Letter",
    "Notice",
    "acknowledgement",
    "assignment_from_json",
    "notification",
    "request",
    "status",
    "ucc1",
    "zhongdeng",
]
