"""What an engine knows of the height in progress, and the questions about it that need no decision."""

from __future__ import annotations

from consensus.authorities import AuthoritySet
from consensus.blocks import Block
from consensus.events import Verdict
from consensus.journal import Journal
from consensus.messages import SKIPS_MAX, Bundle, Proposal
from consensus.tally import Tally
from consensus.votes import Certificate, Kind, Verifier, Vote

__all__ = ["BLOCKS_MAX", "VIEWS_AHEAD_MAX", "VIEWS_BEHIND_MAX", "Height"]

VIEWS_AHEAD_MAX = 8  # views above the current one whose votes and proposals are kept (R10)
VIEWS_BEHIND_MAX = 64  # views below the current one whose single votes are kept, for evidence (R10)
BLOCKS_MAX = 16  # undecided blocks in memory (R10)


class Height:
    """One height in progress. The engine alone changes it."""

    __slots__ = (
        "armed",
        "authorities",
        "blocks",
        "building_in",
        "checking",
        "genesis_id",
        "grace_over_in",
        "heartbeat_due",
        "height",
        "journal",
        "own",
        "proposals",
        "refused",
        "tally",
        "tip",
        "told_by",
        "verdicts",
        "view",
    )

    def __init__(
        self,
        *,
        genesis_id: bytes,
        height: int,
        tip: bytes,
        authorities: AuthoritySet,
        journal: Journal,
        verifier: Verifier,
    ) -> None:
        self.genesis_id = genesis_id
        self.height = height
        self.tip = tip
        """Hash of the block below."""
        self.authorities = authorities
        self.journal = journal
        self.tally = Tally(genesis_id, authorities, verifier)
        self.view = 0
        self.own: dict[tuple[Kind, int], Vote] = {}
        """Every vote that this node has cast at this height (R9)."""
        self.proposals: dict[int, Proposal] = {}
        """The first proposal of each view's leader, current view and above."""
        self.blocks: dict[bytes, Block] = {}
        self.verdicts: dict[bytes, Verdict] = {}
        self.checking: set[bytes] = set()
        self.refused: set[int] = set()
        """Views whose proposal was found bad."""
        self.armed = False
        self.heartbeat_due = False
        self.building_in: int | None = None
        """The view that a block was last asked of the runner for."""
        self.grace_over_in: int | None = None
        """The view in which the leader has waited long enough (R2)."""

        self.told_by: bytes | None = None
        """The peer whose answer the final block came from: others have it, and this one may have the next."""

    def has_voted(self, kind: Kind, view: int) -> bool:
        """Whether this node has cast a vote of this kind in this view."""
        return (kind, view) in self.own

    def final(self) -> Certificate | None:
        """The FINALIZE certificate of this height, of whatever view."""
        return self.tally.final

    def notarization(self, view: int) -> Certificate | None:
        """The NOTARIZE certificate of a view."""
        return self.tally.certificate(Kind.NOTARIZE, view)

    def nullification(self, view: int) -> Certificate | None:
        """The NULLIFY certificate of a view."""
        return self.tally.certificate(Kind.NULLIFY, view)

    def reachable_view(self) -> int:
        """R1: the highest view that a complete bundle here is for, at least the current one.

        A notarization of the current view is left to R4, which wants to finalize first, unless others have gone on.
        """
        view, notarized = self.view, self.tally.certificates_of(Kind.NOTARIZE)
        highest = max(notarized) if notarized else -1
        if highest > view or (highest == view and self.nullification(view + 1) is not None):
            view = highest + 1
        while self.nullification(view) is not None:
            view += 1
        return view

    def parent_for(self, view: int, block: bytes | None = None) -> Certificate | None:
        """The latest notarization that a bundle for `view` can stand on; of `block`, if one is named.

        One whose own view is nullified and whose block is not here is passed over, if the certificates of the views
        below reach: perhaps nobody has that block any more, and whoever led would wait for it for ever. Nothing of a
        nullified view can be final, so the bundle without it is as good (R3 takes any that is complete).
        """
        passed_over = None
        for below in range(view - 1, -1, -1):
            notarized, is_nullified = self.notarization(below), self.nullification(below) is not None
            if notarized is not None and block in (None, notarized.block):
                if block is not None or not is_nullified or notarized.block in self.blocks:
                    return notarized
                passed_over = passed_over or notarized
            if not is_nullified:
                return passed_over
        return None

    def skips_for(self, view: int, parent: Certificate | None) -> list[Certificate] | None:
        """The nullifications of every view after the parent's and below `view`; None if one is not here."""
        first = 0 if parent is None else parent.view + 1
        skips = [self.nullification(below) for below in range(first, view)]
        found = [skip for skip in skips if skip is not None]
        return found if len(found) == len(skips) else None

    def bundle_for(self, view: int, *, block: bytes | None = None, part: int = 0) -> Bundle | None:
        """R1: a bundle for `view`, for a proposal of `block` if one is named; None if certificates are missing.

        Of more than `SKIPS_MAX` skips, part 0 has the latest, part 1 those before, and so on, round and round.
        """
        parent = self.parent_for(view, block)
        skips = self.skips_for(view, parent)
        if skips is None:
            return None
        parts = max(1, -(-len(skips) // SKIPS_MAX))
        end = len(skips) - (part % parts) * SKIPS_MAX
        return Bundle(parent, tuple(skips[max(0, end - SKIPS_MAX) : end]))

    def fits(self, block: Block) -> bool:
        """Whether a block's header belongs on this tip at this height, as far as consensus can tell."""
        header = block.header
        return (
            header.genesis_id == self.genesis_id
            and header.height == self.height
            and header.parent == self.tip
            and header.authorities == self.authorities.digest
            and header.proposer in self.authorities
        )

    def is_justified(self, proposal: Proposal) -> bool:
        """R3: whether the bundle is complete, and the block is the one it calls for."""
        view, parent = proposal.vote.view, proposal.bundle.parent
        if parent is not None and parent.view >= view:
            return False
        if self.skips_for(view, parent) is None or not self.fits(proposal.block):
            return False
        if parent is not None:
            return parent.block == proposal.block.hash
        return proposal.block.header.proposer == proposal.vote.signer

    def wanted(self) -> Certificate | None:
        """A certificate whose block is not here."""
        certificates = [self.final(), self.notarization(self.view), self.parent_for(self.view)]
        for certificate in certificates:
            if certificate is not None and certificate.block not in self.blocks:
                return certificate
        return None

    def add_block(self, block: Block) -> None:
        """Keep an undecided block; of too many, one that no certificate names goes (R10)."""
        self.blocks.setdefault(block.hash, block)
        if len(self.blocks) > BLOCKS_MAX:
            keep = {held.block for kind in Kind for held in self.tally.certificates_of(kind).values()} | {block.hash}
            keep |= {proposal.block.hash for proposal in self.proposals.values()}
            for spare in [hash_ for hash_ in self.blocks if hash_ not in keep][: len(self.blocks) - BLOCKS_MAX]:
                del self.blocks[spare]

    def enter(self, view: int) -> None:
        """R1: go to a view that has its bundle; what belongs to passed views is dropped."""
        assert view > self.view, "views only grow"
        assert self.bundle_for(view) is not None, "R1: no view without its bundle"
        self.view = view
        self.proposals = {ahead: proposal for ahead, proposal in self.proposals.items() if ahead >= view}
        self.tally.forget_votes_before(view - VIEWS_BEHIND_MAX)
