"""Records as JSON that a person can read. The proof beside each carries the bytes that count."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from registry.parties import Party
from registry.records import Claim, Receivable
from registry.records.contacts import Opening
from registry.records.families import Shared

__all__ = ["claim_json", "party_json", "receivable_json", "record_json"]


def party_json(party: Party) -> dict[str, Any]:
    """A party, keys in hex."""
    return _plain_fields(party)


def receivable_json(receivable: Receivable) -> dict[str, Any]:
    """A receivable; fingerprints as objects of kind and fingerprint."""
    shape = _plain_fields(receivable)
    shape["fingerprints"] = [
        {"kind": kind, "fingerprint": fingerprint.hex()} for kind, fingerprint in receivable.fingerprints
    ]
    return shape


def claim_json(claim: Claim, *, now_ms: int) -> dict[str, Any]:
    """A claim as of block time `now_ms`: a reservation that ran out is shown as lapsed."""
    return _plain_fields(claim) | {"state": claim.state_at(now_ms)}


def record_json(record: Shared | Opening) -> dict[str, Any]:
    """A record of any family, or who is known to whom."""
    return _plain_fields(record)


def _plain_fields(record: Party | Receivable | Claim | Shared | Opening) -> dict[str, Any]:
    return {each.name: _plain(getattr(record, each.name)) for each in fields(record)}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        named = getattr(value, "_asdict", None)
        return _named(named()) if named is not None else [_plain(item) for item in value]
    return value


def _named(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in values.items()}
