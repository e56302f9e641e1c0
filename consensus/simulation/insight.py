"""What Byzantine authorities know: all that any node has said about the height that the most advanced one is at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consensus.authorities import AuthoritySet
from consensus.blocks import Block
from consensus.height import Height
from consensus.journal import Journal
from consensus.messages import Body, Bundle, Message, Proposal
from consensus.simulation.invariants import certificates_in, votes_in
from consensus.simulation.ledger import EPOCH_MS, build

if TYPE_CHECKING:
    from consensus.simulation.world import World

__all__ = ["Insight"]


class Insight:
    """The full view, shared by all actors of a world."""

    __slots__ = ("_world", "h", "parent_time_ms")

    def __init__(self, world: World) -> None:
        self._world = world
        self.parent_time_ms = EPOCH_MS
        self.h: Height = self._new_height(1, world.parameters.genesis_id, world.authorities)

    def observe(self, message: Message) -> None:
        """Some node has sent this."""
        self._follow()
        h = self.h
        if message.height != h.height:
            return
        for certificate in certificates_in(message):
            if h.tally.certificate(certificate.kind, certificate.view) is None:
                h.tally.add_certificate(certificate)
        for vote in votes_in(message):
            if vote.signer in h.authorities and not h.tally.holds(vote):
                h.tally.add(vote)
        if isinstance(message, Proposal | Body):
            h.blocks[message.block.hash] = message.block

    def bundle_for(self, view: int, block: bytes | None = None) -> Bundle | None:
        """A bundle that lets this view exist, if the votes of the world allow one."""
        return self.h.bundle_for(view, block=block)

    def fresh_block(self, key: bytes, salt: bytes) -> Block:
        """A good block by this authority; another one for another salt."""
        h, world = self.h, self._world
        return build(
            genesis_id=world.parameters.genesis_id,
            authorities=h.authorities,
            height=h.height,
            parent=h.tip,
            parent_time_ms=self.parent_time_ms,
            proposer=key,
            time_ms=EPOCH_MS + world.clock.now_ms,
            transactions=(salt + b" %d" % h.height,),
        )

    def _follow(self) -> None:
        for node in self._world.honest:
            tip = node.tip()
            if tip is not None and tip.height >= self.h.height:
                self.parent_time_ms = tip.block.header.timestamp_ms
                self.h = self._new_height(tip.height + 1, tip.block.hash, node.authorities)

    def _new_height(self, height: int, tip: bytes, authorities: AuthoritySet) -> Height:
        return Height(
            genesis_id=self._world.parameters.genesis_id,
            height=height,
            tip=tip,
            authorities=authorities,
            journal=Journal(height),
            verifier=self._world.memo.verify,
        )
