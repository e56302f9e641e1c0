"""Changes of the authority set and of the nodes let in, and the report of misbehaviour (consensus.md 5).

The changes stand in a proposal (`transactions.governance`). A certificate is bounded here and not parsed: what a
parser accepts differs between its versions, and execution may not. Who proposes and approves looks at it first. So
several may have one key; a node goes by its certificate's digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from registry.codec import Value
from registry.errors import FieldError
from registry.genesis import CERTIFICATE_BYTES_MAX, is_address
from registry.limits import EVIDENCE_BYTES_MAX
from registry.transactions.fields import NO_PROOF, Field, digest, party_id, signature

__all__ = ["AdmitNode", "DismissNode", "ReportMisbehaviour", "SeatAuthority", "UnseatAuthority"]


def _certificate(value: Value, field: str) -> bytes:
    """A TLS certificate in DER."""
    if type(value) is not bytes or not 0 < len(value) <= CERTIFICATE_BYTES_MAX:
        raise FieldError(field, f"is a certificate in DER of 1 to {CERTIFICATE_BYTES_MAX} bytes")
    return value


def _address(value: Value, field: str) -> str:
    """Where other nodes reach this one."""
    if type(value) is not str or not is_address(value):
        raise FieldError(field, "must be host:port, such as node.example.org:7001")
    return value


def _evidence(value: Value, field: str) -> bytes:
    """Canonical evidence, as `consensus.evidence` encodes it."""
    if type(value) is not bytes or not 0 < len(value) <= EVIDENCE_BYTES_MAX:
        raise FieldError(field, f"is evidence of 1 to {EVIDENCE_BYTES_MAX} bytes")
    return value


@dataclass(frozen=True, slots=True)
class SeatAuthority:
    """A change: the party is an authority with this consensus key and node, which replace those that it has.

    So this adds an authority, behind the others, and rotates keys in place. The former consensus key never comes back.
    `proof` is a signature by a new one (`keys.prove_possession`, "seat_authority"); where it stays, none is looked at.
    """

    NAME: ClassVar = "seat_authority"
    FIELDS: ClassVar = (
        Field("party", party_id),
        Field("consensus_key", digest),
        Field("certificate", _certificate),
        Field("address", _address),
        Field("proof", signature),
    )

    party: str
    consensus_key: bytes
    certificate: bytes
    address: str
    proof: bytes = NO_PROOF

    @property
    def subject(self) -> str:
        """The id of the party that is changed."""
        return self.party


@dataclass(frozen=True, slots=True)
class UnseatAuthority:
    """A change: the party is no authority any more; its node is still let in, and follows."""

    NAME: ClassVar = "unseat_authority"
    FIELDS: ClassVar = (Field("party", party_id), Field("reason_digest", digest))

    party: str
    reason_digest: bytes

    @property
    def subject(self) -> str:
        """The id of the party that is changed."""
        return self.party


@dataclass(frozen=True, slots=True)
class AdmitNode:
    """A change: a node of the party with this certificate is let in, and follows; or it has another address."""

    NAME: ClassVar = "admit_node"
    FIELDS: ClassVar = (Field("party", party_id), Field("certificate", _certificate), Field("address", _address))

    party: str
    certificate: bytes
    address: str

    @property
    def subject(self) -> str:
        """The id of the party whose node it is."""
        return self.party


@dataclass(frozen=True, slots=True)
class DismissNode:
    """A change: the node of the party with this id (`records.NodeEntry`) is let in no more; it must not be a seat's."""

    NAME: ClassVar = "dismiss_node"
    FIELDS: ClassVar = (Field("party", party_id), Field("node", digest))

    party: str
    node: bytes

    @property
    def subject(self) -> str:
        """The id of the party whose node it is."""
        return self.party


@dataclass(frozen=True, slots=True)
class ReportMisbehaviour:
    """Anybody shows two conflicting votes of one authority (`consensus.evidence`); they are kept for good.

    It stands alone in its transaction, and is the one operation that an authority's consensus key signs.
    """

    NAME: ClassVar = "report_misbehaviour"
    FIELDS: ClassVar = (Field("evidence", _evidence),)

    evidence: bytes
