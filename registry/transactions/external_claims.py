"""Operations on claims that are asserted outside this ledger: record one, end one (registry.md 1, 10, 11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from registry.codec import Value, tagged_digest
from registry.errors import FieldError
from registry.fingerprint import LEVELS
from registry.money import WHOLE
from registry.records import GRADES
from registry.records.external_claims import END_GROUNDS, SOURCES
from registry.transactions.fields import Field, Ref, digest, one_of, party_id, ref, share, time_ms
from registry.transactions.filings import register
from registry.transactions.receivables import NO_DIGEST

__all__ = ["EndExternalClaim", "RecordExternalClaim", "Shown", "assignee_commitment"]

# What shows that the sender may record something of the receivable (rules/external_claims.py):
#     ()                                  it is a party to it: registrant, known debtor, financier with a claim or offer
#     ("debtor", salt, identifier)        it is the debtor: this opens the registration's commitment to it
#     ("fingerprint", kind, fingerprint)  it searches by the invoice, and so has its certain fingerprint
Shown: TypeAlias = tuple[()] | tuple[str, bytes, str] | tuple[str, str, bytes]

_certain = one_of([kind for kind, level in LEVELS.items() if level == "block"], "certain kind of fingerprint")


def assignee_commitment(*, salt: bytes, identifier: str) -> bytes:
    """What an external claim says of an assignee that is no member: 32 bytes that salt and identifier open."""
    return tagged_digest(b"NEMODAT-v1-assignee", salt, identifier.encode())


def _shown(value: Value, field: str) -> Shown:
    """What shows that the sender may speak of it: (), or one of debtor, fingerprint and its proof."""
    match value:
        case []:
            return ()
        case ["debtor", salt, identifier]:
            return ("debtor", digest(salt, f"{field}.salt"), party_id(identifier, f"{field}.identifier"))
        case ["fingerprint", kind, found]:
            return ("fingerprint", _certain(kind, f"{field}.kind"), digest(found, f"{field}.fingerprint"))
    raise FieldError(field, "is no known way to show standing")


def _source(value: Value, field: str) -> str:
    """Where it is asserted: an official register, or another source that is known."""
    return value if type(value) is str and value in SOURCES else register(value, field)


def _assignee(value: Value, field: str) -> str | bytes:
    """Who has it: the id of a member, or a commitment to another's identifier."""
    return party_id(value, field) if type(value) is str else digest(value, field)


@dataclass(frozen=True, slots=True)
class RecordExternalClaim:
    """The sender records that somebody has, or says that it has, a claim outside this ledger. Creates one.

    The fields are those of `records.external_claims.ExternalClaim`; `share` is WHOLE where it is not known.
    """

    NAME: ClassVar = "record_external_claim"
    FIELDS: ClassVar = (
        Field("receivable", ref),
        Field("shown", _shown),
        Field("source", _source),
        Field("reference", digest),
        Field("assignee", _assignee),
        Field("share", share),
        Field("concluded_ms", time_ms),
        Field("entered_ms", time_ms),
        Field("grade", one_of(GRADES, "grade of evidence")),
    )

    receivable: Ref
    shown: Shown
    source: str
    reference: bytes
    assignee: str | bytes = NO_DIGEST
    share: int = WHOLE
    concluded_ms: int = 0
    entered_ms: int = 0
    grade: str = "self_asserted"


@dataclass(frozen=True, slots=True)
class EndExternalClaim:
    """Whoever recorded it, or the member it is of, says on which ground it is over; `evidence_digest` pins what shows
    it."""

    NAME: ClassVar = "end_external_claim"
    FIELDS: ClassVar = (
        Field("external_claim", ref),
        Field("ground", one_of(END_GROUNDS, "ground on which an external claim is over")),
        Field("evidence_digest", digest),
    )

    external_claim: Ref
    ground: str
    evidence_digest: bytes
