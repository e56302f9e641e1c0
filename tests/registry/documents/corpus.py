"""The corpus of real e-invoices beside the repository, and what an importer must find in each."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

CORPUS = Path(__file__).resolve().parents[4] / "shared" / "data" / "invoices"
# Of these syntaxes the table of expectations fills every column; of the others only what identifies the invoice.
FULLY_EXPECTED = frozenset({"UBL-Invoice", "UBL-CreditNote", "CII", "CII-ZF1"})
# Two rows state what is no date of the calendar, and must come out without a due date and with a warning.
UNREADABLE_DUE_DATES = frozenset({"2023-14-01"})

needs_corpus = pytest.mark.skipif(
    not (CORPUS / "EXPECTED.csv").exists(), reason=f"THE CORPUS OF REAL INVOICES IS MISSING: no {CORPUS}"
)


def expected_rows() -> list[dict[str, str]]:
    """The rows of EXPECTED.csv; none if the corpus is not there (the tests that need it then say so)."""
    try:
        with (CORPUS / "EXPECTED.csv").open(encoding="utf-8", newline="") as table:
            return list(csv.DictReader(table))
    except FileNotFoundError:
        return []


def all_files() -> list[Path]:
    """Every file of the corpus, also those that are no invoices."""
    return sorted(path for path in CORPUS.rglob("*") if path.is_file())
