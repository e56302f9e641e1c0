"""Counting votes, which is not deciding: what a quorum has said at one height, and who has contradicted itself.

Of each member, view and kind the first vote counts; another one is evidence. Votes inside certificates are votes like
others, so a certificate that contradicts what was seen accuses those who signed both sides.
"""

from __future__ import annotations

from collections.abc import Mapping

from consensus.authorities import AuthoritySet
from consensus.errors import CertificateError
from consensus.evidence import Evidence, conflicting
from consensus.votes import Certificate, Kind, Verifier, Vote, assemble
from registry.keys import SignatureInvalid

__all__ = ["Tally"]

_OPPOSITE = {Kind.FINALIZE: Kind.NULLIFY, Kind.NULLIFY: Kind.FINALIZE}


class Tally:
    """The verified votes and certificates of one height."""

    __slots__ = (
        "_authorities",
        "_certificates",
        "_genesis_id",
        "_verifier",
        "_votes",
        "certificates_held",
        "final",
        "voters",
    )

    def __init__(self, genesis_id: bytes, authorities: AuthoritySet, verifier: Verifier) -> None:
        self._genesis_id = genesis_id
        self._verifier = verifier
        self._authorities = authorities
        self._votes: dict[tuple[Kind, int], dict[int, Vote]] = {}
        self._certificates: dict[Kind, dict[int, Certificate]] = {kind: {} for kind in Kind}
        self.final: Certificate | None = None
        """The first FINALIZE certificate of the height, of whatever view."""
        self.certificates_held = 0
        """How many certificates are known."""
        self.voters: set[bytes] = set()
        """Whoever has voted at this height."""

    def holds(self, vote: Vote) -> bool:
        """Whether this very statement of this signer is counted already: then it needs no verification."""
        held = self.vote(vote.kind, vote.view, vote.signer)
        return held is not None and held.block == vote.block

    def vote(self, kind: Kind, view: int, signer: bytes) -> Vote | None:
        """The vote that counts for this member."""
        index = self._authorities.index_of(signer)
        return None if index is None else self._votes.get((kind, view), {}).get(index)

    def votes_of(self, signer: bytes) -> list[Vote]:
        """All counted votes of a member, the latest views first."""
        index = self._authorities.index_of(signer)
        found = [votes[index] for votes in self._votes.values() if index is not None and index in votes]
        return sorted(found, key=lambda vote: -vote.view)

    def count(self, kind: Kind, view: int) -> int:
        """How many members have cast a vote of this kind in this view."""
        return len(self._votes.get((kind, view), {}))

    def certificate(self, kind: Kind, view: int) -> Certificate | None:
        """The certificate of this kind and view, if there is one."""
        return self._certificates[kind].get(view)

    def certificates_of(self, kind: Kind) -> Mapping[int, Certificate]:
        """The certificates of this kind, by view."""
        return self._certificates[kind]

    def add(self, vote: Vote) -> Evidence | None:
        """Count a verified vote of a member; assemble the certificate that it completes. Evidence if it conflicts."""
        index = self._authorities.index_of(vote.signer)
        assert index is not None, "only members' votes are counted"
        self.voters.add(vote.signer)
        slot = self._votes.setdefault((vote.kind, vote.view), {})
        if index in slot:
            return _evidence(slot[index], vote)
        slot[index] = vote
        if vote.view not in self._certificates[vote.kind] and len(slot) >= self._authorities.quorum:
            self._assemble(vote, slot)
        opposite = _OPPOSITE.get(vote.kind)
        other_vote = None if opposite is None else self._votes.get((opposite, vote.view), {}).get(index)
        return None if other_vote is None else _evidence(other_vote, vote)

    def verify(self, certificate: Certificate) -> None:
        """Return if the certificate is good; signatures that were seen before are not verified again.

        Raises `CertificateError`.
        """
        certificate.check_shape(self._authorities)
        counted = self._votes.get((certificate.kind, certificate.view), {})
        for index, signature in certificate.signed():
            held = counted.get(index)
            if held is not None and (held.block, held.signature) == (certificate.block, signature):
                continue
            vote = certificate.vote_by(self._authorities.members[index], signature)
            try:
                vote.verify(self._genesis_id, self._verifier)
            except SignatureInvalid as error:
                raise CertificateError(f"signatures: one of member {vote.signer.hex()} fails") from error

    def add_certificate(self, certificate: Certificate) -> list[Evidence]:
        """Keep a verified certificate and count its votes. Evidence against whoever contradicts itself by it."""
        self._keep(certificate)
        counted = self._votes.get((certificate.kind, certificate.view), {})
        found = [
            self.add(certificate.vote_by(self._authorities.members[index], signature))
            for index, signature in certificate.signed()
            if (held := counted.get(index)) is None or held.block != certificate.block
        ]
        return [evidence for evidence in found if evidence is not None]

    def _assemble(self, vote: Vote, slot: Mapping[int, Vote]) -> None:
        equal = {index: held.signature for index, held in slot.items() if held.block == vote.block}
        if len(equal) >= self._authorities.quorum:
            n = self._authorities.n
            self._keep(
                assemble(kind=vote.kind, height=vote.height, view=vote.view, block=vote.block, signatures=equal, n=n)
            )

    def _keep(self, certificate: Certificate) -> None:
        of_kind = self._certificates[certificate.kind]
        if certificate.view not in of_kind:
            of_kind[certificate.view] = certificate
            if certificate.kind is Kind.FINALIZE and self.final is None:
                self.final = certificate
            self.certificates_held += 1

    def forget_votes_before(self, view: int) -> None:
        """Drop single votes of long passed views; certificates stay (R10)."""
        for place in [place for place in self._votes if place[1] < view]:
            del self._votes[place]


def _evidence(first: Vote, second: Vote) -> Evidence | None:
    return Evidence(first, second) if conflicting(first, second) else None
