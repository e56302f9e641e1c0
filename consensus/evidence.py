"""Evidence: two votes that no honest authority ever signs together.

Either two votes of one kind for different blocks, or a FINALIZE with a NULLIFY, by one signer in one view of one
height. Whoever has the genesis id checks the signatures; that the signer was an authority at that height is seen from
its set.
"""

from __future__ import annotations

from dataclasses import dataclass

from consensus.authorities import AuthoritySet
from consensus.errors import EvidenceError, MessageError
from consensus.votes import Kind, Verifier, Vote
from registry.codec import CodecError, decode, encode
from registry.keys import SignatureInvalid, verify

__all__ = ["EVIDENCE_SIZE_MAX", "Evidence", "conflicting", "verify_evidence", "verify_signatures"]

EVIDENCE_SIZE_MAX = 512  # bytes, encoded


def conflicting(first: Vote, second: Vote) -> bool:
    """Whether one honest signer cannot have signed both."""
    same_place = (first.signer, first.height, first.view) == (second.signer, second.height, second.view)
    two_blocks = first.kind is second.kind and first.block != second.block
    took_back = {first.kind, second.kind} == {Kind.FINALIZE, Kind.NULLIFY}
    return same_place and (two_blocks or took_back)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A pair of conflicting votes, the one with the smaller encoding first: one pair is one value.

    Raises `EvidenceError` if they do not conflict. Signatures and membership are checked by `verify_evidence`.
    """

    first: Vote
    second: Vote

    def __post_init__(self) -> None:
        if not conflicting(self.first, self.second):
            raise EvidenceError("the two votes do not conflict")
        if encode(self.first.to_value()) > encode(self.second.to_value()):
            first, second = self.second, self.first
            object.__setattr__(self, "first", first)
            object.__setattr__(self, "second", second)

    @property
    def height(self) -> int:
        """The height at which both were signed."""
        return self.first.height

    @property
    def accused(self) -> bytes:
        """The public key that signed both."""
        return self.first.signer

    def encode(self) -> bytes:
        """The canonical bytes: `[vote, vote]`."""
        return encode([self.first.to_value(), self.second.to_value()])

    @classmethod
    def decode(cls, data: bytes) -> Evidence:
        """The evidence of these bytes (at most `EVIDENCE_SIZE_MAX`). Raises `EvidenceError`."""
        try:
            value = decode(data, size_max=EVIDENCE_SIZE_MAX)
            if not isinstance(value, list) or len(value) != 2:
                raise EvidenceError("two votes are expected")
            first, second = Vote.from_value(value[0]), Vote.from_value(value[1])
        except (CodecError, MessageError) as error:
            raise EvidenceError(str(error)) from error
        evidence = cls(first, second)
        if evidence.encode() != data:
            raise EvidenceError("the votes are not in their order")
        return evidence


def verify_evidence(
    genesis_id: bytes, authorities: AuthoritySet, evidence: Evidence, verifier: Verifier = verify
) -> None:
    """Return if a member of the height's set signed both votes. Raises `EvidenceError`."""
    if evidence.accused not in authorities:
        raise EvidenceError("the accused is no authority of this height")
    verify_signatures(genesis_id, evidence, verifier)


def verify_signatures(genesis_id: bytes, evidence: Evidence, verifier: Verifier = verify) -> None:
    """Return if the accused key signed both votes. Raises `EvidenceError`.

    Whether it was an authority's at that height is for the caller to know.
    """
    try:
        evidence.first.verify(genesis_id, verifier)
        evidence.second.verify(genesis_id, verifier)
    except SignatureInvalid as error:
        raise EvidenceError("a signature does not verify") from error
