"""What must hold after every event, whoever is faulty and whatever the network does.

The watcher sees what nobody in a real network sees: all that anybody says, the moment it is said, and every node's
disk. So it does not wait for a fork: a certificate that the votes of the world *could* make counts as one that exists.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from consensus.authorities import AuthoritySet
from consensus.errors import CertificateError, EvidenceError
from consensus.evidence import Evidence, conflicting, verify_evidence
from consensus.journal import block_key, certificate_key, vote_key
from consensus.light import verify_header
from consensus.messages import Bundle, Decided, HeldVotes, Message, Proposal, Resend
from consensus.simulation.memo import Memo
from consensus.votes import Certificate, Kind, Vote
from registry.codec import encode
from registry.keys import SignatureInvalid

if TYPE_CHECKING:
    from consensus.simulation.node import Node

__all__ = ["Broken", "Invariants", "certificates_in", "contradiction", "votes_in"]


class Broken(Exception):
    """An invariant does not hold: the protocol, or this code of it, is wrong."""


class Invariants:
    """Watches every node after every event, and all that is said. Raises `Broken`."""

    __slots__ = (
        "_certifiable",
        "_committed",
        "_genesis_id",
        "_holders",
        "_honest",
        "_memo",
        "_places",
        "_protected",
        "_said",
        "_seen",
        "_signers",
        "_verified",
        "decided",
        "equivocations",
        "excused",
        "forgetful",
        "forgotten",
        "sets",
        "views",
    )

    def __init__(self, genesis_id: bytes, authorities: AuthoritySet, honest: frozenset[bytes], memo: Memo) -> None:
        self._genesis_id = genesis_id
        self._honest = honest
        self._memo = memo
        self._seen: set[Vote] = set()
        self._said: dict[tuple[bytes, int, int], list[Vote]] = {}
        self._signers: dict[tuple[int, int, Kind, bytes | None], set[bytes]] = {}
        self._certifiable: dict[int, set[tuple[Kind, int, bytes | None]]] = {}
        self._verified: set[Certificate] = set()
        self._places: dict[int, tuple[int, int, int]] = {}
        self._committed: dict[int, int] = {}
        self.sets: dict[int, AuthoritySet] = {1: authorities}
        """The authorities of each height that has begun anywhere."""
        self.decided: dict[int, bytes] = {}
        """The one block of each height."""
        self.views: dict[int, int] = {}
        """The view in which each height was decided, by the certificate of whoever committed first."""
        self.equivocations = 0
        """Pairs of contradictory votes that faulty authorities have signed."""
        self.forgotten = 0
        """Such pairs of honest ones that lost their disk while their votes were under way, and were told of none."""
        self.excused: set[bytes] = set()
        """Keys whose node has lost its disk: others' memory of their votes protects them, not their own."""
        self.forgetful: frozenset[bytes] = frozenset()
        """Keys whose node may lose its disk in this run."""
        self._holders: dict[Vote, dict[int, bytes]] = {}  # numbers and keys of the nodes that remember it
        self._protected: set[Vote] = set()

    # --- what is said ---------------------------------------------------------------------------------------------

    def sent(self, node: Node, message: Message) -> None:
        """An honest node says this: its own votes are on its disk, certificates verify, nobody honest is accusable."""
        for vote in votes_in(message):
            if vote not in self._seen:
                vote.verify(self._genesis_id, self._memo.verify)
                self._hear(vote)
            if vote.signer == node.key:
                self._check_durable(node, vote)
        for certificate in certificates_in(message):
            self._check_certificate(certificate)

    def injected(self, message: Message) -> None:
        """A faulty authority says this: whatever in it is really signed counts, the rest is noise."""
        for vote in votes_in(message):
            if vote not in self._seen and self._is_signed(vote):
                self._hear(vote)

    def _is_signed(self, vote: Vote) -> bool:
        try:
            vote.verify(self._genesis_id, self._memo.verify)
        except SignatureInvalid:
            return False
        return True

    def _check_durable(self, node: Node, vote: Vote) -> None:
        """The journal discipline: a power cut after this message would not lose what it must not lose."""
        if vote in node.durable_votes:
            return
        if node.record(vote_key(vote)) != encode(vote.to_value()):
            raise Broken(f"a vote has left {node.name} before it is on its disk: {vote.kind.name} in view {vote.view}")
        if vote.block is not None and node.record(block_key(vote.height, vote.block)) is None:
            raise Broken(f"a vote has left {node.name} before its block is on its disk")
        if vote.kind is Kind.FINALIZE and node.record(certificate_key(Kind.NOTARIZE, vote.height, vote.view)) is None:
            raise Broken(f"a FINALIZE has left {node.name} before the notarization is on its disk")
        view = vote.view - 1
        while view >= 0 and node.record(certificate_key(Kind.NOTARIZE, vote.height, view)) is None:
            if node.record(certificate_key(Kind.NULLIFY, vote.height, view)) is None:
                raise Broken(f"a vote has left {node.name} before the bundle of its view is on its disk")
            view -= 1
        node.durable_votes.add(vote)

    def _check_certificate(self, certificate: Certificate) -> None:
        if certificate in self._verified:
            return
        authorities = self.sets.get(certificate.height)
        if authorities is None:
            raise Broken(f"a certificate of height {certificate.height}, which has not begun")
        try:
            certificate.verify(self._genesis_id, authorities, self._memo.verify)
        except CertificateError as error:
            raise Broken(f"an honest node holds a certificate that does not verify: {error}") from error
        self._verified.add(certificate)
        for vote in certificate.votes(authorities):
            self._hear(vote)

    def _hear(self, vote: Vote) -> None:
        """Take note of a signed vote: does it contradict another of its signer, does it complete a quorum?"""
        if vote in self._seen:
            return
        self._seen.add(vote)
        others = self._said.setdefault((vote.signer, vote.height, vote.view), [])
        for other in others:
            if conflicting(vote, other):
                kinds = f"{other.kind.name} and {vote.kind.name}"
                if other in self._protected:
                    raise Broken(f"a node without a record contradicts a vote that others had told it of: {kinds}")
                if vote.signer in self._honest and vote.signer not in self.excused:
                    raise Broken(f"an honest node is accusable: {kinds} in view {vote.view} of height {vote.height}")
                if vote.signer in self._honest:
                    self.forgotten += 1
                else:
                    self.equivocations += 1
        others.append(vote)
        authorities = self.sets.get(vote.height)
        if authorities is not None and vote.signer in authorities:
            signers = self._signers.setdefault((vote.height, vote.view, vote.kind, vote.block), set())
            signers.add(vote.signer)
            if len(signers) == authorities.n - authorities.f:
                self._check_certifiable(vote)

    def _check_certifiable(self, vote: Vote) -> None:
        """The votes of the world can make this certificate: README, "Why it is safe", says what then cannot be."""
        known = self._certifiable.setdefault(vote.height, set())
        known.add((vote.kind, vote.view, vote.block))
        broken = contradiction(known)
        if broken is not None:
            raise Broken(f"{broken}, height {vote.height}")

    # --- what nodes do --------------------------------------------------------------------------------------------

    def after(self, node: Node) -> int:
        """After an event of an honest node: it goes forward only, and holds good certificates. Views entered."""
        engine = node.engine
        if engine is None:
            return 0
        before, now = self._places.get(node.number), engine.place
        if now == before:
            return 0
        self._places[node.number] = now
        height, view, held = now
        old_height, old_view, old_held = before or (height, 0, 0)
        if (height, view) < (old_height, old_view):
            raise Broken(f"{node.name} has gone back to height {height}, view {view}")
        if height != old_height:
            old_view, old_held = 0, 0
        if held > old_held:
            for certificate in engine.certificates():
                self._check_certificate(certificate)
        return view - old_view

    def started(self, node: Node) -> None:
        """A node starts: what it had committed is still there."""
        self._places.pop(node.number, None)
        for holders in self._holders.values():
            holders.pop(node.number, None)
        before = self._committed.get(node.number, 0)
        if node.height < before:
            raise Broken(f"{node.name} had committed height {before}, and has height {node.height} after a restart")
        tip = node.tip()
        if tip is not None and self.decided.get(node.height) != tip.block.hash:
            raise Broken(f"{node.name} has another block at height {node.height} than it had committed")

    def delivered(self, target: Node, message: Message) -> None:
        """An honest node has been told this: it remembers the votes of those who may forget them, until it restarts."""
        for vote in votes_in(message):
            if vote.signer in self.forgetful and vote.signer != target.key and target.engine is not None:
                self._holders.setdefault(vote, {})[target.number] = target.key

    def lost(self, node: Node) -> None:
        """A node has lost its disk. What more than f other authorities hold of its votes, it will be told first."""
        self._committed.pop(node.number, None)
        self.excused.add(node.key)
        for vote, holders in self._holders.items():
            authorities = self.sets[vote.height]
            asked = {key for key in holders.values() if key in authorities}  # nobody else's answer counts
            if vote.signer == node.key and len(asked) > authorities.f:
                self._protected.add(vote)

    def committed(self, node: Node, decided: Decided, following: AuthoritySet, *, latest_ms: int) -> None:
        """An honest node has committed this: no other block is decided at its height, and none of the future."""
        block, certificate, header = decided.block, decided.certificate, decided.block.header
        if header.timestamp_ms > latest_ms:
            raise Broken(f"the block of height {header.height} is {header.timestamp_ms - latest_ms} ms in the future")
        if self.decided.setdefault(header.height, block.hash) != block.hash:
            raise Broken(f"two blocks are decided at height {header.height}")
        if header.height > 1 and self.decided.get(header.height - 1) != header.parent:
            raise Broken(f"the block of height {header.height} does not stand on the one below")
        if certificate not in self._verified:
            try:
                verify_header(self._genesis_id, self.sets[header.height], header, certificate, self._memo.verify)
            except CertificateError as error:
                raise Broken(f"a block is committed without a certificate: {error}") from error
            self._check_certificate(certificate)
        self.views.setdefault(header.height, certificate.view)
        if self.sets.setdefault(header.height + 1, following) != following:
            raise Broken(f"two authority sets are in force at height {header.height + 1}")
        self._committed[node.number] = header.height

    def reported(self, evidence: Evidence) -> None:
        """An honest node accuses: rightly."""
        try:
            verify_evidence(self._genesis_id, self.sets[evidence.first.height], evidence, self._memo.verify)
        except EvidenceError as error:
            raise Broken(f"an honest node accuses without proof: {error}") from error
        if evidence.accused in self._honest and evidence.accused not in self.excused:
            raise Broken("an honest node is accused")


def contradiction(known: Collection[tuple[Kind, int, bytes | None]]) -> str | None:
    """What of these certificates (kind, view, block) of one height cannot be: README, "Why it is safe"."""
    for view, block in [(view, block) for kind, view, block in known if kind is Kind.FINALIZE]:
        for kind, other_view, other_block in known:
            if kind is Kind.FINALIZE and other_block != block:
                return "two blocks can be finalized"
            if kind is Kind.NULLIFY and other_view == view:
                return f"a view can be both finalized and nullified: view {view}"
            if kind is Kind.NOTARIZE and other_view >= view and other_block != block:
                return f"another block than the final one can be notarized: view {other_view}"
    return None


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
