"""Byzantine actors, one small class each. They see every message that is sent, and sign with their own key only.

Each begins in the place of an authority, and is told of each message that some node sends, at the moment it is sent:
no message that an actor sends is ever too late. What it says goes through the same bad weather, except partitions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from consensus.blocks import Block, transactions_root
from consensus.height import BLOCKS_MAX
from consensus.messages import Bundle, Decided, Message, Proposal, Resend
from consensus.simulation.insight import Insight
from consensus.simulation.invariants import certificates_in, votes_in
from consensus.simulation.ledger import BAD
from consensus.simulation.memo import RememberedSigner
from consensus.votes import Certificate, Kind, Vote, assemble, signed_bytes
from registry.codec import digest
from registry.keys import DOMAIN_VOTE, SigningKey

if TYPE_CHECKING:
    from consensus.simulation.node import Node
    from consensus.simulation.world import World

__all__ = [
    "ACTORS",
    "Actor",
    "Equivocator",
    "Forger",
    "Hoarder",
    "InvalidProposer",
    "Nuller",
    "RandomVoter",
    "Silent",
    "Stale",
    "Withholder",
    "sign",
]

_REMEMBERED = 256  # messages that a stale actor can say again
_EVERY_KIND = tuple(Kind)


class Actor(Protocol):
    """What acts in the place of an authority."""

    def observe(self, message: Message) -> None:
        """Some node has sent this message."""


class _Authority:
    """An authority under no rule: a key, and the full view."""

    def __init__(self, world: World, key: SigningKey) -> None:
        self.world = world
        self.key = key
        self._led: set[tuple[int, int]] = set()

    @property
    def insight(self) -> Insight:
        """What it knows."""
        return self.world.insight

    def sign(self, kind: Kind, height: int, view: int, block: bytes | None) -> Vote:
        """A vote of its own."""
        return sign(self.key, self.world, kind, height, view, block)

    def say(self, targets: Iterable[Node], message: Message) -> None:
        """Send to these nodes."""
        self.world.inject(self.key, targets, message)

    def some(self) -> list[Node]:
        """Some of the nodes."""
        return self.world.chance.part(self.world.nodes)

    def leads_anew(self, view: int) -> bool:
        """Whether it leads this view and is asked for the first time."""
        h = self.insight.h
        if h.authorities.leader(h.height, view).public_key != self.key.public_key or (h.height, view) in self._led:
            return False
        self._led.add((h.height, view))
        return True


class Silent(_Authority):
    """Says nothing, as if it were dead."""

    def observe(self, message: Message) -> None:
        """It does not care."""


class Equivocator(_Authority):
    """Says different things to different nodes: two blocks as leader, any vote for any block it has seen as voter."""

    def observe(self, message: Message) -> None:
        """Learn from it, and answer with whatever confuses most."""
        if message.height != self.insight.h.height:
            return
        for view in views_in(message):
            self._lead(view)
            self._vote_in(view)
        for vote in votes_in(message):
            self._agree(vote)

    def _lead(self, view: int) -> None:
        world, insight = self.world, self.insight
        if not self.leads_anew(view):
            return
        sides = world.network.weather.sides
        nodes = world.chance.shuffled(world.nodes)
        right = [node for node in nodes if sides.get(node.number, 0)] or nodes[world.chance.below(len(nodes)) :]
        left = [node for node in nodes if node not in right]
        bundle = insight.bundle_for(view)
        if bundle is None:
            return
        for side, salt in ((left, b"left"), (right, b"right")):
            block = insight.fresh_block(self.key.public_key, salt)
            if bundle.parent is not None and bundle.parent.block in insight.h.blocks:
                block = insight.h.blocks[bundle.parent.block]
            insight.h.blocks[block.hash] = block
            self.say(side, Proposal(self.sign(Kind.NOTARIZE, block.header.height, view, block.hash), block, bundle))

    def _agree(self, vote: Vote) -> None:
        """Say the same as this voter, to its own side of the network: everybody is right."""
        world = self.world
        sides = world.network.weather.sides
        side = next((sides.get(node.number, 0) for node in world.nodes if node.key == vote.signer), 0)
        friends = [node for node in world.nodes if sides.get(node.number, 0) == side]
        if vote.signer != self.key.public_key and world.chance.happens(70):
            self.say(friends, self.sign(vote.kind, vote.height, vote.view, vote.block))

    def _vote_in(self, view: int) -> None:
        """Any vote for any block, to anybody."""
        h, chance = self.insight.h, self.world.chance
        blocks = [*h.blocks]
        for kind in _EVERY_KIND:
            if not chance.happens(20):
                continue
            block = None if kind is Kind.NULLIFY else chance.pick(blocks) if blocks else None
            if block is not None or kind is Kind.NULLIFY:
                self.say(self.some(), self.sign(kind, h.height, view, block))


class RandomVoter(_Authority):
    """Knows in which view each node is, and aims votes at it: any kind, for any block that somebody has seen."""

    def observe(self, message: Message) -> None:
        """Whatever was said: time to vote."""
        chance, h = self.world.chance, self.insight.h
        if not chance.happens(50):
            return
        node = chance.pick(self.world.nodes)
        if node.engine is None or node.engine.height != h.height:
            return
        blocks = [*h.blocks]
        kind = chance.pick(_EVERY_KIND) if blocks else Kind.NULLIFY
        block = None if kind is Kind.NULLIFY else chance.pick(blocks)
        self.say([node], self.sign(kind, h.height, node.engine.view, block))


class Nuller(_Authority):
    """Votes against every view, and for every notarization: FINALIZE and NULLIFY together, to everybody."""

    def observe(self, message: Message) -> None:
        """Contradict it."""
        for vote in votes_in(message):
            if vote.signer != self.key.public_key and vote.kind is not Kind.NULLIFY:
                for kind, block in ((Kind.NULLIFY, None), (Kind.FINALIZE, vote.block)):
                    self.say(self.some(), self.sign(kind, vote.height, vote.view, block))


class Withholder(_Authority):
    """Lets one node alone see a notarization: votes for each block to a single node, and never anything else."""

    def __init__(self, world: World, key: SigningKey) -> None:
        super().__init__(world, key)
        self._done: set[tuple[int, int]] = set()

    def observe(self, message: Message) -> None:
        """Complete a quorum for somebody."""
        for vote in votes_in(message):
            if vote.kind is Kind.NOTARIZE and (vote.height, vote.view) not in self._done:
                self._done.add((vote.height, vote.view))
                own = self.sign(Kind.NOTARIZE, vote.height, vote.view, vote.block)
                self.say([self.world.chance.pick(self.world.nodes)], own)


class Hoarder(_Authority):
    """Proposes a block to all, keeps its notarization until everybody has dropped the block, then shows it and is dead.

    So many views do not fail by the weather of a campaign: stories use it, with a network that loses votes.
    """

    def __init__(self, world: World, key: SigningKey) -> None:
        super().__init__(world, key)
        self.hoard: Certificate | None = None
        self.shown = False

    def observe(self, message: Message) -> None:
        """Lead once; later show what all have signed."""
        insight, nodes = self.insight, self.world.nodes
        if message.height == 1 and self.leads_anew(0):
            block = insight.fresh_block(self.key.public_key, b"hoarded")
            self.say(nodes, Proposal(self.sign(Kind.NOTARIZE, 1, 0, block.hash), block, Bundle(None, ())))
        self.hoard = self.hoard or insight.h.notarization(0)
        views = [node.engine.view for node in nodes if node.engine is not None]
        if self.hoard is not None and not self.shown and min(views) > 2 * BLOCKS_MAX:
            self.shown = True
            self.say(nodes, self.hoard)


class Stale(_Authority):
    """Says again what was said long ago: votes, certificates, proposals of others, and its own agreement with them."""

    def __init__(self, world: World, key: SigningKey) -> None:
        super().__init__(world, key)
        self._old: deque[Message] = deque(maxlen=_REMEMBERED)

    def observe(self, message: Message) -> None:
        """Remember it, and dig out something else."""
        chance = self.world.chance
        if chance.happens(30):
            self._old.append(message)
            for vote in votes_in(message):
                self._old.append(self.sign(vote.kind, vote.height, vote.view, vote.block))
        if self._old and chance.happens(30):
            self.say(self.some(), self._old[chance.below(len(self._old))])


class Forger(_Authority):
    """Sends certificates that nobody signed but itself."""

    def observe(self, message: Message) -> None:
        """Claim that everybody wants the opposite."""
        world, authorities = self.world, self.insight.h.authorities
        for vote in votes_in(message):
            if vote.signer == self.key.public_key or not world.chance.happens(20):
                continue
            kind = world.chance.pick((Kind.NULLIFY, Kind.FINALIZE))
            block = None if kind is Kind.NULLIFY else vote.block or bytes(32)
            own = self.sign(kind, vote.height, vote.view, block)
            forged = self._forged(own, authorities.n)
            self.say(self.some(), forged)
            if kind is Kind.NULLIFY:
                self.say(self.some(), Resend(vote.height, (own,), Bundle(None, (forged,))))
            elif vote.height == self.insight.h.height:
                another = self.insight.fresh_block(self.key.public_key, b"forged")
                final = self.sign(Kind.FINALIZE, vote.height, vote.view, another.hash)
                self.say(self.some(), Decided(another, self._forged(final, authorities.n)))

    def _forged(self, own: Vote, n: int) -> Certificate:
        signatures = dict.fromkeys(range(n), own.signature)
        return assemble(kind=own.kind, height=own.height, view=own.view, block=own.block, signatures=signatures, n=n)


class InvalidProposer(_Authority):
    """Proposes blocks that may not be, or views that may not exist, and votes for them and for all else."""

    def observe(self, message: Message) -> None:
        """Lead if it is its turn; and agree with everybody."""
        h = self.insight.h
        if message.height != h.height:
            return
        for view in views_in(message):
            if self.leads_anew(view):
                self._propose(view)
        for vote in votes_in(message):
            if vote.signer != self.key.public_key:
                self.say(self.some(), self.sign(vote.kind, vote.height, vote.view, vote.block))

    def _propose(self, view: int) -> None:
        """Two bad proposals to different nodes, each of another make."""
        chance, insight = self.world.chance, self.insight
        bundle = insight.bundle_for(view) or Bundle(None, ())
        for _ in range(2):
            block, justified = self._bad_block(), bundle
            if chance.happens(30):
                block, justified = insight.fresh_block(self.key.public_key, b"unjustified"), self._bad_bundle(bundle)
            vote = self.sign(Kind.NOTARIZE, insight.h.height, view, block.hash)
            self.say(self.some(), Proposal(vote, block, justified))

    def _bad_block(self) -> Block:
        chance, insight, key = self.world.chance, self.insight, self.key.public_key
        salt = chance.pick((BAD, b"odd"))
        block = insight.fresh_block(key, salt)
        if salt == BAD:
            return Block(block.header, (BAD,)) if chance.happens(30) else self._with_bad_transaction(block)
        header = block.header
        changes: tuple[dict[str, object], ...] = (
            {"state_root": digest(b"another state")},
            {"results_root": digest(b"another result")},
            {"parent": digest(b"another tip")},
            {"authorities": digest(b"another set")},
            {"next_authorities": digest(b"another set")},
            {"timestamp_ms": header.timestamp_ms + 3_600_000},
            {"timestamp_ms": 1},
            {"proposer": digest(b"somebody else")},
        )
        return Block(replace(header, **chance.pick(changes)), block.transactions)  # type: ignore[arg-type]

    def _with_bad_transaction(self, block: Block) -> Block:
        """A block that is bad for no other reason than this."""
        root = transactions_root((BAD,))
        header = replace(
            block.header,
            transactions_root=root,
            results_root=digest(b"results" + root),
            state_root=digest(b"state" + block.header.parent + root),
        )
        return Block(header, (BAD,))

    def _bad_bundle(self, good: Bundle) -> Bundle:
        """A bundle without a part of itself: no parent, or a skip less."""
        if good.parent is not None and self.world.chance.happens(50):
            return Bundle(None, good.skips)
        return Bundle(good.parent, good.skips[1:])


def views_in(message: Message) -> list[int]:
    """The views that a message is about, and those that it opens."""
    views = {vote.view for vote in votes_in(message)} | {held.view + 1 for held in certificates_in(message)}
    return sorted(views or {0})


def sign(key: SigningKey, world: World, kind: Kind, height: int, view: int, block: bytes | None) -> Vote:
    """A vote of an actor, under no rule at all."""
    message = signed_bytes(kind, height, view, block)
    signature = RememberedSigner(key, world.memo).sign(DOMAIN_VOTE, world.parameters.genesis_id, message)
    return Vote(kind, height, view, block, key.public_key, signature)


ACTORS: dict[str, Callable[[World, SigningKey], Actor]] = {
    "silent": Silent,
    "equivocator": Equivocator,
    "random": RandomVoter,
    "nuller": Nuller,
    "withholder": Withholder,
    "stale": Stale,
    "invalid": InvalidProposer,
    "forger": Forger,
}
"""The Byzantine actors by name."""
