"""Operations on facilities and their blankets: opened, drawn under, ended (registry.md 6.2)."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from registry.codec import Value
from registry.errors import FieldError
from registry.limits import BLANKET_DEBTORS_MAX
from registry.records.facilities import BASE_FINDINGS
from registry.transactions.claims import acknowledged_refs
from registry.transactions.fields import Field, Ref, digest, integer, items, one_of, party_id, ref, row, share, time_ms

__all__ = [
    "AmendFacility",
    "CarveOutReceivable",
    "CertifyBase",
    "CloseFacility",
    "Draw",
    "OpenFacility",
    "RenewBlanket",
    "Scope",
    "day_number",
]


class Scope(NamedTuple):
    """What a blanket covers, and until when.

    `debtors` are fingerprints of kind `account` (seller and debtor under the network's key), none for every
    receivable of the seller; `filing_digest` is the digest of the official filing's reference.
    """

    debtors: tuple[bytes, ...]
    filing_digest: bytes
    until_ms: int


def day_number(day: datetime.date) -> int:
    """A day as the ledger writes it: yyyymmdd."""
    return day.year * 10_000 + day.month * 100 + day.day


def _day(value: Value, field: str) -> int:
    """A day as yyyymmdd."""
    number = integer(value, field, low=19700101, high=21991231)
    try:
        datetime.date(number // 10_000, number // 100 % 100, number % 100)
    except ValueError as error:
        raise FieldError(field, "is a day of the calendar as yyyymmdd") from error
    return number


def _blanket(value: Value, field: str) -> Scope | tuple[()]:
    """() for none, or debtors (accounts; none for all), the digest of the filing, and until when (ms UTC)."""
    if value == []:
        return ()
    debtors, filing, until_ms = row(value, field, width=3)
    return Scope(
        items(debtors, f"{field}.debtors", digest, most=BLANKET_DEBTORS_MAX),
        digest(filing, f"{field}.filing_digest"),
        time_ms(until_ms, f"{field}.until_ms"),
    )


@dataclass(frozen=True, slots=True)
class OpenFacility:
    """Seller and financier, who both sign, open a facility; `blanket` is its scope, () for itemised claims only."""

    NAME: ClassVar = "open_facility"
    FIELDS: ClassVar = (
        Field("seller", party_id),
        Field("financier", party_id),
        Field("terms_digest", digest),
        Field("rules_digest", digest),
        Field("blanket", _blanket),
    )

    seller: str
    financier: str
    terms_digest: bytes
    rules_digest: bytes
    blanket: Scope | tuple[()] = ()


@dataclass(frozen=True, slots=True)
class AmendFacility:
    """Both sides put other terms, rules and blanket in the place of the old ones."""

    NAME: ClassVar = "amend_facility"
    FIELDS: ClassVar = (
        Field("facility", ref),
        Field("terms_digest", digest),
        Field("rules_digest", digest),
        Field("blanket", _blanket),
    )

    facility: Ref
    terms_digest: bytes
    rules_digest: bytes
    blanket: Scope | tuple[()] = ()


@dataclass(frozen=True, slots=True)
class Draw:
    """Both sides put a receivable of the seller into the pool: `share` of it is offered, reserved and funded at once.

    Creates a claim. The financier has paid out, and has looked at the matches `acknowledged`.
    """

    NAME: ClassVar = "draw"
    FIELDS: ClassVar = (
        Field("facility", ref),
        Field("receivable", ref),
        Field("share", share),
        Field("acknowledged", acknowledged_refs),
    )

    facility: Ref
    receivable: Ref
    share: int
    acknowledged: tuple[Ref, ...] = ()


@dataclass(frozen=True, slots=True)
class RenewBlanket:
    """The financier has continued its official filing: the blanket stands until `until_ms`."""

    NAME: ClassVar = "renew_blanket"
    FIELDS: ClassVar = (Field("facility", ref), Field("filing_digest", digest), Field("until_ms", time_ms))

    facility: Ref
    filing_digest: bytes
    until_ms: int


@dataclass(frozen=True, slots=True)
class CarveOutReceivable:
    """The financier lets one receivable go from its blanket, for good: others may finance it."""

    NAME: ClassVar = "carve_out"
    FIELDS: ClassVar = (Field("facility", ref), Field("receivable", ref))

    facility: Ref
    receivable: Ref


@dataclass(frozen=True, slots=True)
class CertifyBase:
    """Both sides have computed the same borrowing base as of a day (yyyymmdd): its digest, and what it says."""

    NAME: ClassVar = "certify_base"
    FIELDS: ClassVar = (
        Field("facility", ref),
        Field("as_of", _day),
        Field("base_digest", digest),
        Field("finding", one_of(BASE_FINDINGS, "finding of a borrowing base")),
    )

    facility: Ref
    as_of: int
    base_digest: bytes
    finding: str


@dataclass(frozen=True, slots=True)
class CloseFacility:
    """The financier ends the facility and its blanket: no new drawings; claims run off as they are."""

    NAME: ClassVar = "close_facility"
    FIELDS: ClassVar = (Field("facility", ref),)

    facility: Ref
