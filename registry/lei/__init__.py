"""LEI records as GLEIF publishes them: single ones and pages (`json_api`), whole golden copies (`golden`)."""

from __future__ import annotations

from registry.lei.golden import read_golden_copy
from registry.lei.json_api import FILE_BYTES_MAX, RECORDS_MAX, read_lei_records
from registry.lei.record import GLEIF, LeiRecord, draft_attestation, warning_of

__all__ = [
    "FILE_BYTES_MAX",
    "GLEIF",
    "RECORDS_MAX",
    "LeiRecord",
    "draft_attestation",
    "read_golden_copy",
    "read_lei_records",
    "warning_of",
]
