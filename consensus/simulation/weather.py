"""What chance does to a run besides its faulty authorities: network, crashes, clocks, who is late, who is let in.

Every feature has a name, and can be left out of a run without changing what chance decides about the others: so a run
that fails can be made milder until it is read with ease.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consensus.messages import Decided
from consensus.simulation.chance import Chance
from consensus.simulation.ledger import change

if TYPE_CHECKING:
    from consensus.simulation.node import Node
    from consensus.simulation.world import World

__all__ = ["FEATURES", "Climate"]

FEATURES = (
    "delays",
    "drops",
    "kinds",
    "doubles",
    "partitions",
    "clogs",
    "crashes",
    "gag",
    "clocks",
    "late",
    "observers",
    "changes",
    "following",
)
_KINDS = ("Vote", "Proposal", "Certificate", "Resend", "Body", "Decided", "HeldVotes")


@dataclass(slots=True)
class ClimateDeeds:
    """What it has done."""

    partitions: int = 0
    clogs: int = 0
    gags: int = 0
    late_joiners: int = 0
    set_changes: int = 0


class Climate:
    """Changes the weather of a world from phase to phase. `without` names features that stay away."""

    def __init__(self, without: frozenset[str]) -> None:
        self._without = without
        self.deeds = ClimateDeeds()
        self.losing: list[Node] = []
        """Nodes that lose their disks."""
        self._gagged_height = 0
        self._over = False
        self._removable = 0

    def has(self, feature: str) -> bool:
        """Whether this feature is part of the run."""
        return feature not in self._without

    def observers(self, chance: Chance) -> int:
        """How many observers there are."""
        return chance.pick((0, 0, 1, 2)) if self.has("observers") else 0

    def spares(self, chance: Chance) -> int:
        """How many authorities wait to be let in."""
        return chance.pick((0, 0, 1, 2)) if self.has("changes") else 0

    def following(self, chance: Chance) -> bool:
        """Whether nodes catch up by ranges, too."""
        return chance.happens(50) and self.has("following")

    def begin(self, world: World, *, faulty: int) -> None:
        """Clocks go wrong, most nodes start, some come late."""
        chance = world.chance
        self._removable = world.authorities.n - (3 * faulty + 1)
        for node in world.nodes:
            offset_ms, rate_permille = chance.between(-400, 400), chance.between(-5, 5)
            if self.has("clocks"):
                node.offset_ms += offset_ms
                node.rate_permille = rate_permille
        for node in world.nodes:
            after_ms = chance.between(1_000, 20_000)
            if chance.happens(10) and self.has("late"):
                self.deeds.late_joiners += 1
                world.clock.after(after_ms, world.restart, node)
            else:
                node.start()
        world.reconnect()
        if chance.happens(50) and self.has("gag"):
            world.on_commit = lambda node, decided: self._gag(world, node, decided)

    def change(self, world: World) -> None:
        """Another phase."""
        chance, weather = world.chance, world.network.weather
        for number in chance.shuffled(sorted(weather.clogged)):
            world.network.unclog(number)
        least_ms, most_ms = chance.pick((1, 10)), chance.pick((10, 50, 300, 1_500))
        weather.delay_least_ms, weather.delay_most_ms = (least_ms, most_ms) if self.has("delays") else (10, 10)
        drops, doubles = chance.pick((0, 0, 5, 30)), chance.pick((0, 10))
        weather.drop_percent = drops if self.has("drops") else 0
        weather.double_percent = doubles if self.has("doubles") else 0
        kinds = chance.part(_KINDS) if chance.happens(30) else []
        weather.dropped_kinds = frozenset(kinds) if self.has("kinds") else frozenset()
        side = chance.part(range(len(world.nodes))) if chance.happens(30) else []
        world.part(side if self.has("partitions") else ())
        self.deeds.partitions += bool(world.network.weather.sides)
        if chance.happens(25):
            for number in chance.part(range(len(world.nodes))):
                after_ms = chance.between(0, 2_000)
                if self.has("clogs"):
                    world.clock.after(after_ms, self._clog, world, number)
        crashes = chance.pick((0, 0, 2, 10))
        world.crash_percent = crashes if self.has("crashes") else 0
        self._lose_disks(world)
        self._change_the_set(world)

    def end(self, world: World) -> None:
        """Good weather for good: what was still to happen does not."""
        self._over = True
        world.on_commit = None
        world.heal()

    def _lose_disks(self, world: World) -> None:
        for node in self.losing:
            if world.chance.happens(50):
                after_ms, down_ms = world.chance.between(0, 3_000), world.chance.between(1, 2_000)
                world.clock.after(after_ms, self._lose, world, node, down_ms)

    def _lose(self, world: World, node: Node, down_ms: int) -> None:
        if not self._over:
            world.lose_disk(node)
            world.clock.after(down_ms, world.restart, node)

    def _clog(self, world: World, number: int) -> None:
        if not self._over:
            self.deeds.clogs += 1
            world.network.weather.clogged.add(number)

    def _gag(self, world: World, node: Node, decided: Decided) -> None:
        """Cut off whoever commits a height first: without it a random adversary misses most bugs."""
        height = decided.height
        if height > self._gagged_height and world.chance.happens(50):
            self._gagged_height = height
            self.deeds.gags += 1
            world.network.weather.clogged.add(node.number)
            world.clock.after(world.chance.between(100, 4_000), world.network.unclog, node.number)

    def _change_the_set(self, world: World) -> None:
        """Ask that somebody is let in, put out, or exchanged, as long as no more than f of any set can be faulty."""
        chance = world.chance
        sets = world.invariants.sets
        members = sets[max(sets)]
        spares = [spare for spare in world.spares if spare.public_key not in members]
        leaving = chance.pick([node.key for node in world.honest if node.key in members])
        add, remove = chance.happens(50), chance.happens(40)
        into = chance.pick(spares) if spares and add else None
        out = leaving if remove and (into is not None or self._removable > 0) else None
        if not world.spares or not self.has("changes") or (into is None and out is None):
            return
        self._removable -= into is None
        self.deeds.set_changes += 1
        world.offer(change(out, into))
