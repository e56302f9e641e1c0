"""Records as `api.gleif.org/api/v1/lei-records` answers: JSON:API, one record or a page of them."""

from __future__ import annotations

import json
from typing import Final

from registry.documents.errors import BrokenDocument, UnsafeDocument, UnsupportedSyntax
from registry.lei.record import Element, LeiRecord, record_of

__all__ = ["FILE_BYTES_MAX", "RECORDS_MAX", "read_lei_records"]

FILE_BYTES_MAX: Final = 16 * 1024 * 1024
RECORDS_MAX: Final = 1_000


def read_lei_records(data: bytes, *, file: str) -> tuple[LeiRecord, ...]:
    """The records of a file, in its order. Raises `documents.errors.DocumentError` naming file, element and reason."""
    if len(data) > FILE_BYTES_MAX:
        raise UnsafeDocument(file=file, element="", reason=f"larger than {FILE_BYTES_MAX} bytes")
    try:
        document = json.loads(data, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise BrokenDocument(file=file, element="", reason=f"not JSON: {error}") from error
    found = document.get("data") if isinstance(document, dict) else None
    if not isinstance(found, dict | list):
        raise UnsupportedSyntax(file=file, element="data", reason="GLEIF's JSON:API has one record or a list here")
    rows = found if isinstance(found, list) else [found]
    if len(rows) > RECORDS_MAX:
        raise UnsafeDocument(file=file, element="data", reason=f"more than {RECORDS_MAX} records")
    return tuple([_record(Element(file, f"data[{index}]", row)) for index, row in enumerate(rows)])


def _record(row: Element) -> LeiRecord:
    attributes = row.at("attributes")
    entity, registration = attributes.at("entity"), attributes.at("registration")
    return record_of(
        lei=attributes.at("lei"),
        name=entity.at("legalName", "name"),
        country=entity.at("legalAddress", "country"),
        entity_status=entity.at("status"),
        registration_status=registration.at("status"),
        next_renewal=registration.at("nextRenewalDate"),
        successor=entity.at("successorEntity", "lei"),
    )
