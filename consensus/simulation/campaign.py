"""Runs from seeds: bad weather, crashes and Byzantine authorities, then healing; the invariants all along.

A run is a function of its `Plan`. One that fails says how to replay it, with a transcript of what was said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from consensus.authorities import faulty_max
from consensus.events import Commit
from consensus.simulation.actors import ACTORS
from consensus.simulation.invariants import Broken
from consensus.simulation.node import Node
from consensus.simulation.world import World

__all__ = ["FAULTS", "Failed", "Plan", "plans", "run"]

FAULTS = ("none", "twins", *ACTORS)
_PHASES = 4
_BASE_MS = 1_000
_HEALED_WITHIN_MS = 30_000  # two more heights after healing; five times the slowest seen in 2,000 runs
_KINDS = ("Vote", "Proposal", "Certificate", "Resend", "Body", "Decided", "HeldVotes")


class Failed(Exception):
    """A run in which an invariant or an assertion broke. The message replays it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: `n` authorities, of which f follow `fault`; everything else comes from the seed."""

    n: int
    seed: int
    fault: str = "none"

    def __str__(self) -> str:
        return f"python -m tests.consensus.replay --n {self.n} --seed {self.seed} --fault {self.fault}"


def plans(*, sizes: tuple[int, ...], seeds: range) -> Iterator[Plan]:
    """Every size with every fault that it can have, for every seed."""
    for seed in seeds:
        for n in sizes:
            for fault in FAULTS if faulty_max(n) else ("none",):
                yield Plan(n, seed, fault)


def run(plan: Plan) -> World:
    """Run a plan to its end. Raises `Failed`."""
    world = _world_of(plan)
    try:
        world.start()
        world.offer_every(300)
        for _ in range(_PHASES):
            _change_the_weather(world)
            world.run_for(world.chance.between(500, 6_000))
        _check_healing(world)
    except (Broken, AssertionError) as error:
        story = "\n".join(world.transcript[-200:])
        raise Failed(f"{error}\n{story}\nto replay: {plan}") from error
    return world


def _world_of(plan: Plan) -> World:
    f = faulty_max(plan.n)
    faulty = tuple((plan.seed + place) % plan.n for place in range(f))
    if plan.fault == "none":
        world = World(n=plan.n, seed=plan.seed, base_ms=_BASE_MS)
    elif plan.fault == "twins":
        world = World(n=plan.n, seed=plan.seed, base_ms=_BASE_MS, twins=faulty)
    else:
        actors = dict.fromkeys(faulty, ACTORS[plan.fault])
        world = World(n=plan.n, seed=plan.seed, base_ms=_BASE_MS, byzantine=actors)
    for node in world.nodes:
        node.drift_ms = world.chance.between(-400, 400)
    if world.chance.happens(50):
        world.on_commit = _Gag(world).committed
    return world


def _change_the_weather(world: World) -> None:
    chance, weather = world.chance, world.network.weather
    for number in chance.shuffled(sorted(weather.clogged)):
        world.network.unclog(number)
    weather.delay_least_ms = chance.pick((1, 10))
    weather.delay_most_ms = chance.pick((10, 50, 300, 1_500))
    weather.drop_percent = chance.pick((0, 0, 5, 30))
    weather.double_percent = chance.pick((0, 10))
    weather.dropped_kinds = frozenset(chance.part(_KINDS)) if chance.happens(30) else frozenset()
    world.part(chance.part(range(len(world.nodes))) if chance.happens(30) else ())
    if chance.happens(25):
        for number in chance.part(range(len(world.nodes))):
            world.clock.after(chance.between(0, 2_000), lambda number=number: weather.clogged.add(number))  # type: ignore[misc]
    world.crash_percent = chance.pick((0, 0, 2, 10))


def _check_healing(world: World) -> None:
    world.on_commit = None
    world.heal()
    target = max(node.height for node in world.honest) + 2
    world.run_until(lambda: all(node.height >= target for node in world.honest), within_ms=_HEALED_WITHIN_MS)


class _Gag:
    """Cuts off whoever commits a height first: without it a random adversary misses most bugs."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._height = 0

    def committed(self, node: Node, action: Commit) -> None:
        """Gag the node, if it is the first at this height, for a while."""
        world = self._world
        if action.block.header.height > self._height and world.chance.happens(50):
            self._height = action.block.header.height
            world.network.weather.clogged.add(node.number)
            world.clock.after(world.chance.between(100, 4_000), lambda: world.network.unclog(node.number))
