"""Byzantine actors, one small class each. They see every message that is sent, and sign with their own key only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from consensus.blocks import Block
from consensus.height import Height
from consensus.journal import Journal
from consensus.messages import Message, Proposal
from consensus.simulation.invariants import certificates_in, votes_in
from consensus.simulation.ledger import EPOCH_MS, build
from consensus.votes import Kind, Vote, assemble, signed_bytes
from registry.keys import DOMAIN_VOTE, SigningKey

if TYPE_CHECKING:
    from consensus.simulation.world import World

__all__ = ["ACTORS", "Actor", "Equivocator", "Forger", "Nuller", "Silent", "Withholder"]


class Actor(Protocol):
    """What acts in the place of an authority."""

    def observe(self, message: Message) -> None:
        """Some node has sent this message."""


class Silent:
    """Says nothing, as if it were dead."""

    def __init__(self, world: World, key: SigningKey) -> None:
        del world, key

    def observe(self, message: Message) -> None:
        """It does not care."""


class Equivocator:
    """Says different things to different nodes: two blocks as leader, any vote for any block it has seen as voter."""

    def __init__(self, world: World, key: SigningKey) -> None:
        self._world = world
        self._key = key
        self._number = world.number_of(key)
        self._led: set[tuple[int, int]] = set()
        self._h = self._new_height(1, world.parameters.genesis_id)
        self._parent_time_ms = EPOCH_MS

    def observe(self, message: Message) -> None:
        """Learn from it, and answer with whatever confuses most."""
        self._follow()
        if message.height != self._h.height:
            return
        tally = self._h.tally
        for certificate in certificates_in(message):
            tally.add_certificate(certificate)
        for vote in votes_in(message):
            tally.add(vote)
        if isinstance(message, Proposal):
            self._h.blocks[message.block.hash] = message.block
        views = {vote.view for vote in votes_in(message)} | {held.view + 1 for held in certificates_in(message)}
        for view in sorted(views or {0}):
            self._lead(view)
            self._vote_in(view)
        for vote in votes_in(message):
            self._agree(vote)

    def _follow(self) -> None:
        for node in self._world.honest:
            tip = node.tip() if node.height >= self._h.height else None
            if tip is not None:
                self._parent_time_ms = tip.block.header.timestamp_ms
                self._h = self._new_height(tip.height + 1, tip.block.hash)

    def _new_height(self, height: int, tip: bytes) -> Height:
        return Height(
            genesis_id=self._world.parameters.genesis_id,
            height=height,
            tip=tip,
            authorities=self._world.authorities,
            journal=Journal(height),
        )

    def _lead(self, view: int) -> None:
        h, world = self._h, self._world
        leader = h.authorities.leader(h.height, view).public_key
        if leader != self._key.public_key or (h.height, view) in self._led:
            return
        self._led.add((h.height, view))
        nodes = world.chance.shuffled(world.nodes)
        sides = world.network.weather.sides
        right = [node for node in nodes if sides.get(node.number, 0)] or nodes[world.chance.below(len(nodes)) :]
        left = [node for node in nodes if node not in right]
        for side, salt in ((left, b"left"), (right, b"right")):
            block = self._block(salt)
            bundle = h.bundle_for(view)
            if bundle is not None and bundle.parent is not None and bundle.parent.block in h.blocks:
                block = h.blocks[bundle.parent.block]
            if bundle is not None:
                h.blocks[block.hash] = block
                world.inject(self._number, side, Proposal(self._sign(Kind.NOTARIZE, view, block.hash), block, bundle))

    def _agree(self, vote: Vote) -> None:
        """Say the same as this voter, to its own side of the network: everybody is right."""
        world = self._world
        sides = world.network.weather.sides
        side = next((sides.get(node.number, 0) for node in world.nodes if node.key == vote.signer), 0)
        friends = [node for node in world.nodes if sides.get(node.number, 0) == side]
        if vote.signer != self._key.public_key and world.chance.happens(70):
            world.inject(self._number, friends, self._sign(vote.kind, vote.view, vote.block))

    def _vote_in(self, view: int) -> None:
        """Any vote for any block, to anybody."""
        h, world = self._h, self._world
        blocks = [*h.blocks]
        for kind in Kind:
            if not world.chance.happens(20):
                continue
            block = None if kind is Kind.NULLIFY else world.chance.pick(blocks) if blocks else None
            if block is not None or kind is Kind.NULLIFY:
                world.inject(self._number, world.chance.part(world.nodes), self._sign(kind, view, block))

    def _block(self, salt: bytes) -> Block:
        h, world = self._h, self._world
        return build(
            genesis_id=world.parameters.genesis_id,
            authorities=world.authorities,
            height=h.height,
            parent=h.tip,
            parent_time_ms=self._parent_time_ms,
            proposer=self._key.public_key,
            time_ms=EPOCH_MS + world.clock.now_ms,
            transactions=(salt + b" %d" % h.height,),
        )

    def _sign(self, kind: Kind, view: int, block: bytes | None) -> Vote:
        return sign(self._key, self._world, kind, self._h.height, view, block)


class Nuller:
    """Votes against every view, and for every notarization: FINALIZE and NULLIFY together, to everybody."""

    def __init__(self, world: World, key: SigningKey) -> None:
        self._world = world
        self._key = key

    def observe(self, message: Message) -> None:
        """Contradict it."""
        for vote in votes_in(message):
            if vote.signer != self._key.public_key and vote.kind is not Kind.NULLIFY:
                for kind, block in ((Kind.NULLIFY, None), (Kind.FINALIZE, vote.block)):
                    self._world.inject(
                        self._world.number_of(self._key),
                        self._world.chance.part(self._world.nodes),
                        sign(self._key, self._world, kind, vote.height, vote.view, block),
                    )


class Withholder:
    """Lets one node alone see a notarization: votes for each block to a single node, and never anything else."""

    def __init__(self, world: World, key: SigningKey) -> None:
        self._world = world
        self._key = key
        self._done: set[tuple[int, int]] = set()

    def observe(self, message: Message) -> None:
        """Complete a quorum for somebody."""
        for vote in votes_in(message):
            if vote.kind is Kind.NOTARIZE and (vote.height, vote.view) not in self._done:
                self._done.add((vote.height, vote.view))
                own = sign(self._key, self._world, Kind.NOTARIZE, vote.height, vote.view, vote.block)
                self._world.inject(self._world.number_of(self._key), [self._world.chance.pick(self._world.nodes)], own)


class Forger:
    """Sends certificates that nobody signed but itself."""

    def __init__(self, world: World, key: SigningKey) -> None:
        self._world = world
        self._key = key

    def observe(self, message: Message) -> None:
        """Claim that everybody wants the opposite."""
        world, n = self._world, self._world.authorities.n
        for vote in votes_in(message):
            if vote.signer != self._key.public_key and world.chance.happens(20):
                kind = world.chance.pick((Kind.NULLIFY, Kind.FINALIZE))
                block = None if kind is Kind.NULLIFY else vote.block or bytes(32)
                own = sign(self._key, world, kind, vote.height, vote.view, block).signature
                forged = assemble(
                    kind=kind,
                    height=vote.height,
                    view=vote.view,
                    block=block,
                    signatures=dict.fromkeys(range(n), own),
                    n=n,
                )
                world.inject(world.number_of(self._key), world.chance.part(world.nodes), forged)


def sign(key: SigningKey, world: World, kind: Kind, height: int, view: int, block: bytes | None) -> Vote:
    """A vote of an actor, under no rule at all."""
    signature = key.sign(DOMAIN_VOTE, world.parameters.genesis_id, signed_bytes(kind, height, view, block))
    return Vote(kind, height, view, block, key.public_key, signature)


ACTORS: dict[str, Callable[[World, SigningKey], Actor]] = {
    "silent": Silent,
    "equivocator": Equivocator,
    "nuller": Nuller,
    "withholder": Withholder,
    "forger": Forger,
}
"""The Byzantine actors by name."""
