"""The records that members read by family and id: facilities, notices, disputes and the like each are one.

Receivables, claims and parties have reads of their own, because who may see them depends on other records too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol

from registry.records.attestations import Attestation
from registry.records.authorities import Misbehaviour
from registry.records.core import Proposal
from registry.records.credit_notes import CreditNote
from registry.records.disputes import Dispute
from registry.records.external_claims import ExternalClaim, ExternalClaims
from registry.records.facilities import CarveOut, Facility
from registry.records.filings import Filed, Filing
from registry.records.inclusion import Exclusion
from registry.records.notices import Notice, Notified
from registry.records.row import Identified

__all__ = ["FAMILIES", "Family", "Shared", "family_of"]


class Shared(Identified, Protocol):
    """A record that shows itself whom it concerns."""

    def concerns(self) -> tuple[str, ...] | None:
        """The ids of the parties that may read it, beside regulators; None if every member may."""


class Family(NamedTuple):
    """Records of one kind. `own`: the events by whose subject a record is listed as each named party's own.

    `receivable_of`: whoever may read this receivable may read the record too. `claim_of`: whoever holds this claim may,
    so that the facts which rank a claim go with it to who takes it over.
    """

    record: type[Shared]
    own: frozenset[str]
    receivable_of: Callable[[Any], bytes] | None = None
    claim_of: Callable[[Any], bytes] | None = None


FAMILIES: Final[Mapping[str, Family]] = MappingProxyType(
    {
        "proposals": Family(
            Proposal,
            frozenset(
                {
                    "proposed",
                    "award_proposed",
                    "admitted",
                    "suspended",
                    "reinstated",
                    "amended",
                    "authority_seated",
                    "authority_unseated",
                    "node_admitted",
                    "node_dismissed",
                    "executed",
                    "upgrade_scheduled",
                }
            ),
        ),
        "disputes": Family(Dispute, frozenset({"dispute_raised"}), attrgetter("receivable")),
        "filings": Family(Filing, frozenset({"filed"}), claim_of=attrgetter("claim")),
        "filed": Family(Filed, frozenset(), claim_of=attrgetter("id")),
        "notices": Family(Notice, frozenset({"notified", "notice_acknowledged"}), claim_of=attrgetter("claim")),
        "notified": Family(Notified, frozenset(), claim_of=attrgetter("id")),
        "attestations": Family(Attestation, frozenset({"attested"})),
        "facilities": Family(Facility, frozenset({"facility_opened"})),
        "external_claims": Family(ExternalClaim, frozenset({"external_claim_recorded"}), attrgetter("receivable")),
        "carve_outs": Family(CarveOut, frozenset(), attrgetter("receivable")),
        "credit_notes": Family(CreditNote, frozenset(), attrgetter("receivable")),
        "external_claims_of": Family(ExternalClaims, frozenset(), attrgetter("id")),
        "misbehaviour": Family(Misbehaviour, frozenset({"misbehaviour"})),
        "exclusions": Family(Exclusion, frozenset({"exclusion"})),
    }
)
_NAMES: Final = MappingProxyType({family.record: name for name, family in FAMILIES.items()})


def family_of(record: type[Shared]) -> str:
    """The name of the family that these records are."""
    return _NAMES[record]
