"""Pools of receivables: which are eligible, and what the pool is good for (registry.md 6.2). Off the ledger, pure.

    rules = FacilityRules.from_toml(text)              what both sides agreed; its digest is on the ledger
    rows = read_rows("pool.xlsx", data)                the pool's ledger, one row a receivable
    base = borrowing_base(facility, rules, rows, ...)  every row eligible or why not, and what is available
    base.digest                                        what both sides sign (`certify_base`)

Amounts are integers of minor units; each side computes from its own figures, and only equal figures have equal digests.
"""

from __future__ import annotations

from registry.pools.borrowing_base import BorrowingBase, borrowing_base
from registry.pools.conversion import Conversion, Rate, rate_of
from registry.pools.eligibility import REASONS, Assessed, assess
from registry.pools.rows import CreditNote, PoolRow, read_rows
from registry.pools.rules import DilutionReserve, EligibilityRules, FacilityRules

__all__ = [
    "REASONS",
    "Assessed",
    "BorrowingBase",
    "Conversion",
    "CreditNote",
    "DilutionReserve",
    "EligibilityRules",
    "FacilityRules",
    "PoolRow",
    "Rate",
    "assess",
    "borrowing_base",
    "rate_of",
    "read_rows",
]
