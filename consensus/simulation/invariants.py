"""What must hold after every event, whoever is faulty and whatever the network does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consensus.authorities import AuthoritySet
from consensus.blocks import Block
from consensus.errors import CertificateError
from consensus.evidence import Evidence, conflicting, verify_evidence
from consensus.light import verify_header
from consensus.messages import Bundle, Decided, HeldVotes, Message, Proposal, Resend
from consensus.votes import Certificate, Kind, Vote

__all__ = ["Broken", "Invariants", "certificates_in", "votes_in"]


class Broken(Exception):
    """An invariant does not hold: the protocol, or this code of it, is wrong."""


class Invariants:
    """Watches all that honest nodes send and commit. Raises `Broken`."""

    __slots__ = ("_authorities", "_genesis_id", "_honest", "_verified", "_votes", "decided")

    def __init__(self, genesis_id: bytes, authorities: AuthoritySet, honest: frozenset[bytes]) -> None:
        self._genesis_id = genesis_id
        self._authorities = authorities
        self._honest = honest
        self._votes: dict[tuple[bytes, int, int, Kind], Vote] = {}
        self._verified: set[Certificate] = set()
        self.decided: dict[int, bytes] = {}
        """The one block of each height."""

    def sent(self, message: Message) -> None:
        """An honest node has sent this: its certificates verify, and no honest node is accusable by it."""
        for vote in votes_in(message):
            self._check_vote(vote)
        for certificate in certificates_in(message):
            if certificate in self._verified:
                continue
            try:
                certificate.verify(self._genesis_id, self._authorities)
            except CertificateError as error:
                raise Broken(f"an honest node sent a certificate that does not verify: {error}") from error
            self._verified.add(certificate)
            for vote in certificate.votes(self._authorities):
                self._check_vote(vote)

    def committed(self, block: Block, certificate: Certificate) -> None:
        """An honest node has committed this: no other block is decided at its height."""
        header = block.header
        if self.decided.setdefault(header.height, block.hash) != block.hash:
            raise Broken(f"two blocks are decided at height {header.height}")
        if header.height > 1 and self.decided.get(header.height - 1) != header.parent:
            raise Broken(f"the block of height {header.height} does not stand on the one below")
        if certificate not in self._verified:
            verify_header(self._genesis_id, self._authorities, header, certificate)
            self._verified.add(certificate)

    def reported(self, evidence: Evidence) -> None:
        """An honest node accuses: rightly."""
        verify_evidence(self._genesis_id, self._authorities, evidence)
        if evidence.accused in self._honest:
            raise Broken("an honest node is accused")

    def _check_vote(self, vote: Vote) -> None:
        if vote.signer not in self._honest:
            return
        self._votes.setdefault((vote.signer, vote.height, vote.view, vote.kind), vote)
        for kind in Kind:
            other = self._votes.get((vote.signer, vote.height, vote.view, kind))
            if other is not None and conflicting(vote, other):
                raise Broken(f"an honest node is accusable: {kind.name} and {vote.kind.name} in view {vote.view}")


def votes_in(message: Message) -> Iterable[Vote]:
    """The single votes that a message carries."""
    if isinstance(message, Vote):
        return (message,)
    if isinstance(message, Proposal):
        return (message.vote,)
    return message.votes if isinstance(message, Resend | HeldVotes) else ()


def certificates_in(message: Message) -> Iterator[Certificate]:
    """The certificates that a message carries."""
    if isinstance(message, Certificate):
        yield message
    elif isinstance(message, Decided):
        yield message.certificate
    elif isinstance(message, Proposal | Resend):
        bundle: Bundle = message.bundle
        yield from bundle.certificates()
