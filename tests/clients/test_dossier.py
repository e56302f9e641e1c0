"""Dossiers: what they bind, and that nothing unreadable passes."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.dossier import Dossier
from clients.errors import ClientError
from registry.fingerprint import Particulars

PARTICULARS = Particulars(
    seller="lei:984500TJEXPORT000197",
    debtor="lei:984500DEIMPORT000108",
    number="发票 TJ-2026/00417",
    currency="USD",
    amount_minor=10_000_000,
    issue_date=datetime.date(2026, 4, 1),
    orders=("PO-1",),
)
DOSSIER = Dossier(
    receivable=bytes(32), particulars=PARTICULARS, salt=b"s" * 32, debtor_salt=b"d" * 32, document=b"h" * 32
)


def test_a_dossier_comes_back_from_its_json() -> None:
    assert Dossier.from_json(DOSSIER.to_json()) == DOSSIER


@pytest.mark.parametrize(
    "change",
    [
        {"number": "TJ-2026/00418"},
        {"amount_minor": 10_000_001},
        {"currency": "EUR"},
        {"due_date": datetime.date(2026, 7, 31)},
        {"orders": ()},
        {"orders": ("PO-1", "PO-2")},
        {"debtor": "lei:984500AEIMPORT000133"},
    ],
)
def test_the_commitment_binds_every_field(change: dict[str, object]) -> None:
    other = replace(DOSSIER, particulars=replace(PARTICULARS, **change))  # type: ignore[arg-type]
    assert other.commitment != DOSSIER.commitment


def test_the_commitment_binds_salt_and_document_and_hides_equal_invoices() -> None:
    assert replace(DOSSIER, salt=b"t" * 32).commitment != DOSSIER.commitment
    assert replace(DOSSIER, document=b"").commitment != DOSSIER.commitment
    assert replace(DOSSIER, debtor_salt=b"e" * 32).debtor_commitment != DOSSIER.debtor_commitment


@given(st.one_of(st.text(max_size=100), st.dictionaries(st.text(max_size=10), st.integers()).map(json.dumps)))
def test_garbage_is_one_typed_error(text: str) -> None:
    with pytest.raises(ClientError):
        Dossier.from_json(text)


@given(st.sampled_from(sorted(json.loads(DOSSIER.to_json()))), st.none() | st.integers() | st.text(max_size=5))
def test_a_changed_field_is_an_error_or_another_dossier(name: str, value: object) -> None:
    content = json.loads(DOSSIER.to_json()) | {name: value}
    try:
        read = Dossier.from_json(json.dumps(content))
    except ClientError:
        read = None
    assert read != DOSSIER


def test_a_field_too_many_or_too_few_is_named() -> None:
    content = json.loads(DOSSIER.to_json())
    content["particulars"]["extra"] = 1
    with pytest.raises(ClientError, match="particulars"):
        Dossier.from_json(json.dumps(content))
