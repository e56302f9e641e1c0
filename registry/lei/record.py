"""One LEI record as GLEIF publishes it, and the attestation that it supports (registry.md 3).

What a record says of a firm is GLEIF's word as of its publication; whoever attests it vouches for having looked. An LEI
that has lapsed, was retired or merged does not make an attestation impossible: the attestation carries the warning. A
wrong check digit is an error, for such a record is nobody's.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from registry.codec import digest, encode
from registry.documents.errors import BadValue, MissingElement
from registry.errors import FieldError
from registry.identifiers import pinned_problem, split_identifier
from registry.transactions.attestations import Attest

__all__ = ["GLEIF", "Element", "LeiRecord", "draft_attestation", "record_of", "warning_of"]

GLEIF: Final = "lei:506700GE1G29325QX363"  # the Global Legal Entity Identifier Foundation's own LEI

TEXT_CHARS_MAX: Final = 500  # GLEIF's names have at most 500 characters

# Registration status (LEI Common Data File format 3.1) -> the warning of an attestation. Issued, and on its way to
# another issuer, are as good as can be.
_WARNINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ISSUED": "none",
        "PENDING_TRANSFER": "none",
        "PENDING_ARCHIVAL": "none",
        "LAPSED": "lapsed",
        "RETIRED": "retired",
        "MERGED": "merged",
        "DUPLICATE": "duplicate",
        "ANNULLED": "annulled",
        "CANCELLED": "annulled",
        "PENDING_VALIDATION": "pending",
        "TRANSFERRED": "transferred",
    }
)
_ENTITY_STATUSES: Final = ("ACTIVE", "INACTIVE", "NULL")


@dataclass(frozen=True, slots=True)
class LeiRecord:
    """What GLEIF says of a firm: `country` (ISO 3166) of its legal address, the two statuses in GLEIF's words.

    `next_renewal_ms` is milliseconds since 1970 UTC, 0 if the record does not say; `successor` an LEI, or "".
    """

    lei: str
    name: str
    country: str
    entity_status: str
    registration_status: str
    next_renewal_ms: int
    successor: str

    @property
    def digest(self) -> bytes:
        """SHA-256 of the canonical list of the fields, in order: what an attestation pins."""
        fields = (self.lei, self.name, self.country, self.entity_status, self.registration_status)
        return digest(encode([*fields, self.next_renewal_ms, self.successor]))


def warning_of(record: LeiRecord, *, now_ms: int) -> str:
    """What an attestation of this record must warn of (`transactions.attestations.WARNINGS`) at a time."""
    warning = _WARNINGS[record.registration_status]
    if record.successor and warning in ("none", "retired"):
        return "merged"
    if warning != "none":
        return warning
    if record.entity_status != "ACTIVE":
        return "inactive"
    return "lapsed" if 0 < record.next_renewal_ms <= now_ms else "none"


def record_of(
    *,
    lei: Element,
    name: Element,
    country: Element,
    entity_status: Element,
    registration_status: Element,
    next_renewal: Element,
    successor: Element,
) -> LeiRecord:
    """The record of what its file says, whatever its syntax. Raises `documents.errors.DocumentError`."""
    lei.required()
    code = country.required()
    if len(code) != 2 or not (code.isascii() and code.isupper()):
        raise country.bad("must be two capital letters (ISO 3166)")
    return LeiRecord(
        lei=lei.lei(),
        name=name.required(),
        country=code,
        entity_status=entity_status.word(_ENTITY_STATUSES),
        registration_status=registration_status.word(_WARNINGS),
        next_renewal_ms=next_renewal.time_ms(),
        successor=successor.lei(),
    )


def draft_attestation(record: LeiRecord, *, party: str, now_ms: int, expires_ms: int = 0) -> Attest:
    """The attestation of kind `lei` that this record supports for a party, dated `now_ms`.

    It ends at the next renewal, or at `expires_ms` if that is given: a lapsed record has no renewal ahead.
    """
    return Attest(
        party=party,
        kind="lei",
        provider=GLEIF,
        result_digest=record.digest,
        issued_ms=now_ms,
        expires_ms=expires_ms or record.next_renewal_ms,
        warning=warning_of(record, now_ms=now_ms),
    )


@dataclass(frozen=True, slots=True)
class Element:
    """A value of a record and where it stands, for errors; `value` is None where there is none."""

    file: str
    path: str
    value: Any

    def at(self, *names: str) -> Element:
        """The element under these names; None where one is missing."""
        value = self.value
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return Element(self.file, ".".join((self.path, *names)), value)

    def text(self) -> str:
        """The text here, trimmed; "" if there is none. Raises `BadValue`."""
        if self.value is None:
            return ""
        if not isinstance(self.value, str) or len(self.value) > TEXT_CHARS_MAX or not self.value.isprintable():
            raise self.bad(f"must be printable text of at most {TEXT_CHARS_MAX} characters")
        return self.value.strip()

    def required(self) -> str:
        """The text here. Raises `MissingElement`, `BadValue`."""
        found = self.text()
        if not found:
            raise MissingElement(file=self.file, element=self.path, reason="is not there")
        return found

    def word(self, words: Mapping[str, str] | tuple[str, ...]) -> str:
        """One of these words. Raises `MissingElement`, `BadValue`."""
        found = self.required()
        if found not in words:
            raise self.bad(f"{found[:40]!r} is no status that is known")
        return found

    def lei(self) -> str:
        """An LEI with right check digits, "" if there is none. Raises `BadValue`."""
        found = self.text()
        if found:
            try:
                problem = pinned_problem(*split_identifier("lei", f"lei:{found}"))
            except FieldError as error:
                raise self.bad(error.reason) from error
            if problem:
                raise self.bad(problem)
        return found

    def time_ms(self) -> int:
        """The time here in milliseconds since 1970 UTC, 0 if there is none. Raises `BadValue`."""
        found = self.text()
        if not found:
            return 0
        try:
            moment = datetime.datetime.fromisoformat(found)
            since = moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
        except (ValueError, TypeError, OverflowError) as error:
            raise self.bad("must be a time with its offset, as in 2026-01-25T16:50:01Z") from error
        if since < datetime.timedelta():
            raise self.bad("is before 1970")
        return since // datetime.timedelta(milliseconds=1)

    def bad(self, reason: str) -> BadValue:
        """The error that says so about this element."""
        return BadValue(file=self.file, element=self.path, reason=reason)
