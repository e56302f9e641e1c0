"""GLEIF's records: what is read of them, what is refused, and what an attestation of one warns of."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.documents.errors import (
    BadValue,
    BrokenDocument,
    DocumentError,
    MissingElement,
    UnsafeDocument,
    UnsupportedSyntax,
)
from registry.identifiers import pinned_problem
from registry.lei import (
    FILE_BYTES_MAX,
    GLEIF,
    RECORDS_MAX,
    LeiRecord,
    draft_attestation,
    read_lei_records,
    warning_of,
)
from registry.transactions.attestations import WARNINGS
from tests.registry.world import START_MS, name_id

SAMPLES = Path(__file__).parents[3] / "shared" / "data" / "lei"
DAY_MS = 86_400_000
LEI, OTHER = "984500TJEXPORT000197", "984500DEIMPORT000108"


def row(**changes: Any) -> dict[str, Any]:
    """A record in GLEIF's form; `changes` by the name of a field of `LeiRecord`."""
    said = {
        "lei": LEI,
        "name": "天津出口有限公司",
        "country": "CN",
        "entity_status": "ACTIVE",
        "registration_status": "ISSUED",
        "next_renewal": "2027-01-25T16:50:01Z",
        "successor": None,
    } | changes
    entity = {
        "legalName": {"name": said["name"], "language": "zh"},
        "legalAddress": {"country": said["country"]},
        "status": said["entity_status"],
        "successorEntity": {"lei": said["successor"], "name": None},
    }
    registration = {"status": said["registration_status"], "nextRenewalDate": said["next_renewal"]}
    attributes = {"lei": said["lei"], "entity": entity, "registration": registration}
    return {"type": "lei-records", "id": said["lei"], "attributes": attributes}


def read(*rows: Any) -> tuple[LeiRecord, ...]:
    return read_lei_records(json.dumps({"data": list(rows)}).encode(), file="x.json")


def test_a_record_is_read() -> None:
    (record,) = read_lei_records(json.dumps({"data": row()}).encode(), file="x.json")
    renewal = datetime.datetime(2027, 1, 25, 16, 50, 1, tzinfo=datetime.UTC)
    renewal_ms = int(renewal.timestamp()) * 1000
    assert record == LeiRecord(LEI, "天津出口有限公司", "CN", "ACTIVE", "ISSUED", renewal_ms, "")
    (moved,) = read(row(next_renewal="2027-01-25T17:50:01+01:00", successor=OTHER))
    assert (moved.next_renewal_ms, moved.successor) == (renewal_ms, OTHER)
    assert moved.digest != record.digest


@pytest.mark.parametrize(
    ("changes", "error", "element"),
    [
        ({"lei": "984500TJEXPORT000198"}, BadValue, "data[0].attributes.lei"),
        ({"lei": None}, MissingElement, "data[0].attributes.lei"),
        ({"lei": ["x"]}, BadValue, "data[0].attributes.lei"),
        ({"name": " "}, MissingElement, "data[0].attributes.entity.legalName.name"),
        ({"name": "a\x1b[2J"}, BadValue, "data[0].attributes.entity.legalName.name"),
        ({"name": "a" * 501}, BadValue, "data[0].attributes.entity.legalName.name"),
        ({"country": "China"}, BadValue, "data[0].attributes.entity.legalAddress.country"),
        ({"entity_status": "ASLEEP"}, BadValue, "data[0].attributes.entity.status"),
        ({"registration_status": "FINE"}, BadValue, "data[0].attributes.registration.status"),
        ({"registration_status": None}, MissingElement, "data[0].attributes.registration.status"),
        ({"next_renewal": "soon"}, BadValue, "data[0].attributes.registration.nextRenewalDate"),
        ({"next_renewal": "2027-01-25T16:50:01"}, BadValue, "data[0].attributes.registration.nextRenewalDate"),
        ({"next_renewal": "1969-01-25T16:50:01Z"}, BadValue, "data[0].attributes.registration.nextRenewalDate"),
        ({"successor": LEI[:-1]}, BadValue, "data[0].attributes.entity.successorEntity.lei"),
    ],
)
def test_what_cannot_be_read_is_named(changes: dict[str, Any], error: type[DocumentError], element: str) -> None:
    with pytest.raises(error) as caught:
        read(row(**changes))
    assert (caught.value.file, caught.value.element) == ("x.json", element)


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: b"", BrokenDocument),
        (lambda: b"\xff\xfe\x00", BrokenDocument),
        (lambda: b"[" * 100_000, BrokenDocument),
        (lambda: b"[]", UnsupportedSyntax),
        (lambda: b'{"errors": [{"status": "404"}]}', UnsupportedSyntax),
        (lambda: b" " * (FILE_BYTES_MAX + 1), UnsafeDocument),
        (lambda: json.dumps({"data": [1] * (RECORDS_MAX + 1)}).encode(), UnsafeDocument),
        (lambda: b'{"data": [1]}', MissingElement),
    ],
)
def test_what_is_no_file_of_gleif_is_one_typed_error(make: Callable[[], bytes], error: type[DocumentError]) -> None:
    with pytest.raises(error):
        read_lei_records(make(), file="x.json")


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({}, "none"),
        ({"next_renewal": None}, "none"),
        ({"registration_status": "PENDING_TRANSFER"}, "none"),
        ({"registration_status": "LAPSED"}, "lapsed"),
        ({"next_renewal": "2025-05-10T10:37:03Z"}, "lapsed"),  # an old file says that it is issued
        ({"registration_status": "RETIRED", "entity_status": "INACTIVE"}, "retired"),
        ({"registration_status": "RETIRED", "entity_status": "INACTIVE", "successor": OTHER}, "merged"),
        ({"registration_status": "MERGED"}, "merged"),
        ({"registration_status": "DUPLICATE", "successor": OTHER}, "duplicate"),
        ({"registration_status": "ANNULLED"}, "annulled"),
        ({"registration_status": "PENDING_VALIDATION"}, "pending"),
        ({"entity_status": "INACTIVE"}, "inactive"),
    ],
)
def test_what_an_attestation_warns_of(changes: dict[str, Any], warning: str) -> None:
    (record,) = read(row(**changes))
    assert warning in WARNINGS
    assert warning_of(record, now_ms=START_MS) == warning
    drafted = draft_attestation(record, party=name_id("EXP_CN"), now_ms=START_MS)
    assert (drafted.kind, drafted.warning, drafted.expires_ms) == ("lei", warning, record.next_renewal_ms)
    assert (drafted.provider, drafted.result_digest, drafted.issued_ms) == (GLEIF, record.digest, START_MS)
    longer = draft_attestation(record, party=name_id("EXP_CN"), now_ms=START_MS, expires_ms=START_MS + DAY_MS)
    assert longer.expires_ms == START_MS + DAY_MS


def test_gleifs_own_lei_is_one() -> None:
    assert pinned_problem(*GLEIF.split(":")) is None


@settings(max_examples=40)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner)))
def test_anything_in_a_record_is_read_or_one_typed_error(value: Any) -> None:
    for path in (("lei",), ("entity",), ("entity", "legalName"), ("registration",), ("registration", "status")):
        made = row()
        target = made["attributes"]
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value
        with pytest.raises(DocumentError):
            read(made)


def test_real_records() -> None:
    if not SAMPLES.is_dir():
        pytest.skip(f"REAL LEI RECORDS NOT READ: {SAMPLES} is missing")
    found: dict[str, LeiRecord] = {}
    for file in sorted(SAMPLES.rglob("*.json")):
        if file.name == "sparse_record.json":  # its LEI is made up
            with pytest.raises(BadValue, match="check digits"):
                read_lei_records(file.read_bytes(), file=file.name)
        else:
            found |= {record.lei: record for record in read_lei_records(file.read_bytes(), file=file.name)}
    assert len(found) >= 14
    at_publication_ms = 1_747_267_200_000  # 2025-05-15
    warnings = {lei: warning_of(record, now_ms=at_publication_ms) for lei, record in found.items()}
    assert {lei for lei, warning in warnings.items() if warning != "none"} == {
        "335800CCCPHKUOXPC332",
        "549300LBI3LRIZ2V8V66",
    }
    assert found["549300O897ZC5H7CY412"].name == "Nordic Legal Entity Identifier AB"
