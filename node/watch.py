"""What happened lately, for whoever operates the node: failed views and their leaders, and whose votes come late."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass

from consensus.authorities import AuthoritySet
from consensus.votes import Certificate
from node.clock import clock_ms

__all__ = ["CERTIFICATES_KEPT", "VIEW_CHANGES_KEPT", "ViewChange", "Watch"]

VIEW_CHANGES_KEPT = 16
CERTIFICATES_KEPT = 100


@dataclass(frozen=True, slots=True)
class ViewChange:
    """View `view` of a height was given up by a quorum (NULLIFY); `leader` led it, by its key. Seen at `at_ms`, UTC."""

    height: int
    view: int
    leader: bytes
    at_ms: int


class Watch:
    """Bounded memory of what an operator asks about. Used on the event loop only."""

    def __init__(self, authorities: AuthoritySet) -> None:
        self._authorities = authorities
        self._signers: deque[frozenset[bytes]] = deque(maxlen=CERTIFICATES_KEPT)
        self.view_changes: deque[ViewChange] = deque(maxlen=VIEW_CHANGES_KEPT)
        """The latest, oldest first."""
        self.failed_views: Counter[bytes] = Counter()
        """How many views of each leader a quorum has given up since this process began, by its key."""

    def view_failed(self, height: int, view: int, authorities: AuthoritySet) -> None:
        """A quorum has given this view up."""
        leader = authorities.leader(height, view).public_key
        self.view_changes.append(ViewChange(height, view, leader, clock_ms()))
        self.failed_views[leader] += 1

    def committed(self, certificate: Certificate, next_authorities: AuthoritySet) -> None:
        """A block is final: its certificate holds the votes that came first."""
        members = self._authorities.members
        self._signers.append(frozenset(members[index].public_key for index in certificate.signers()))
        self._authorities = next_authorities

    def votes_in_time(self, authority: bytes) -> float | None:
        """The part of the latest certificates, 0 to 1, that hold this authority's vote; None before the first.

        A certificate holds a quorum, not everybody: whoever is slower than that is missing, again and again.
        """
        if not self._signers:
            return None
        return sum(authority in signers for signers in self._signers) / len(self._signers)
