"""Facilities: what one seller and one financier have agreed for a pool of receivables (registry.md 6.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from registry.codec import tagged_digest
from registry.fingerprint import ACCOUNT
from registry.records.core import Receivable, SubjectId
from registry.records.row import Lists

__all__ = ["BASE_FINDINGS", "FACILITY_STATES", "CarveOut", "Facility", "carve_out_id", "drawing_terms"]

FACILITY_STATES: Final = ("open", "closed")
BASE_FINDINGS: Final = ("covered", "breach")  # is what was drawn within what the base makes available?


@dataclass(frozen=True, slots=True)
class Facility:
    """A facility between `seller` and `financier`: digests of what they agreed, never an amount.

    `terms_digest` is the digest of the contract, `rules_digest` that of the rules document (`registry.pools.rules`:
    eligibility, advance rate, limits). `blanket` is "none", "all" (every receivable of the seller) or "listed" (those
    on the debtors of `debtors`, fingerprints of kind `account`); `filing_digest` is the digest of the official
    filing's reference, b"" for none, and the blanket stands until `blanket_until_ms` (0: there is none). Since
    `blanket_since_ms` (0: there is none) it has stood without a gap over all that it is over now.
    The last borrowing base both sides signed: `base_as_of` as yyyymmdd (0: none yet), `base_digest` (b"": none yet),
    `base_finding` one of BASE_FINDINGS ("": none yet).
    """

    PREFIX: ClassVar = b"facility/"
    LISTS: ClassVar[Lists] = {"debtors": tuple}

    id: SubjectId
    seller: str
    financier: str
    state: str
    terms_digest: bytes
    rules_digest: bytes
    blanket: str
    debtors: tuple[bytes, ...]
    filing_digest: bytes
    blanket_until_ms: int
    opened_ms: int
    changed_ms: int
    base_as_of: int = 0
    base_digest: bytes = b""
    base_finding: str = ""
    blanket_since_ms: int = 0

    def blanket_stands(self, now_ms: int) -> bool:
        """Whether there is a blanket at block time `now_ms`; it lapses by time alone."""
        return self.blanket != "none" and now_ms <= self.blanket_until_ms

    def covers(self, receivable: Receivable) -> bool:
        """Whether the receivable is one of those that the blanket is over, carved out or not.

        What the debtor registers names no seller. Who does not say on which debtor it is, is on every listed one.
        """
        if receivable.kind == "payable" or receivable.registrant != self.seller:
            return False
        accounts = {value for kind, value in receivable.fingerprints if kind == ACCOUNT}
        return self.blanket == "all" or not accounts or not accounts.isdisjoint(self.debtors)

    def concerns(self) -> tuple[str, ...]:
        """Its two sides: others learn from a search that a blanket stands, and not whose."""
        return (self.seller, self.financier)


@dataclass(frozen=True, slots=True)
class CarveOut:
    """The holder of a facility's blanket has let one receivable go from it, for good; see `carve_out_id`."""

    PREFIX: ClassVar = b"carve-out/"
    LISTS: ClassVar[Lists] = {}

    id: SubjectId
    facility: SubjectId
    receivable: SubjectId

    def concerns(self) -> tuple[str, ...]:
        """Nobody by itself: whoever may read the receivable (`families`)."""
        return ()


def carve_out_id(facility: bytes, receivable: bytes) -> bytes:
    """The id under which it stands that this facility's blanket does not cover this receivable."""
    return tagged_digest(b"NEMODAT-v1-carve-out", facility, receivable)


def drawing_terms(facility: Facility) -> bytes:
    """The terms of a claim under a facility, 32 bytes: whoever knows the facility knows its drawings by them."""
    return tagged_digest(b"NEMODAT-v1-drawing", facility.id, facility.terms_digest)
