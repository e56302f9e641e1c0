"""Runs from seeds: bad weather, crashes and faulty authorities, then healing; the invariants all along.

A run is a function of its `Plan`. One that fails says how to replay it, with a transcript of what was said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from consensus.authorities import faulty_max
from consensus.errors import ConsensusError
from consensus.simulation.actors import ACTORS
from consensus.simulation.chance import Chance
from consensus.simulation.invariants import Broken
from consensus.simulation.weather import FEATURES, Climate
from consensus.simulation.world import Deeds, World, key_of

__all__ = [
    "FAULTS",
    "PHASES",
    "SIZES",
    "Failed",
    "Outcome",
    "Plan",
    "plan_of",
    "plans",
    "replay",
    "run",
    "shrink",
    "views_bound",
]

FAULTS = ("none", "twins", "lost", "clock", *ACTORS, "mixed")
"""`lost`: an honest node loses its disk; `clock`: its clock is an hour wrong; `mixed`: each faulty one as it likes."""
SIZES = (1, 2, 3, 4, 5, 7, 10)
PHASES = 4
_BASE_MS = 1_000
_HEALED_WITHIN_MS = 120_000  # a hang is called one after so long; liveness is counted in views
_WORK_EVERY_MS = 300


class Failed(Exception):
    """A run in which an invariant or an assertion broke. The message replays it."""

    def __init__(self, plan: Plan, reason: str, transcript: list[str]) -> None:
        story = "\n".join(transcript[-200:])
        super().__init__(f"{reason}\n{story}\nto replay: {plan.command}")
        self.plan = plan
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: `n` authorities, of which f follow `fault`; everything else comes from the seed.

    `phases` and `without` (names of `FEATURES`) make a run milder than its seed has it: that is how one is shrunk.
    """

    n: int
    seed: int
    fault: str = "none"
    phases: int = PHASES
    without: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not 1 <= self.n <= 64 or self.phases < 0:
            raise ValueError("a plan has 1 to 64 authorities and no negative number of phases")
        if self.fault not in FAULTS:
            raise ValueError(f"fault: one of {', '.join(FAULTS)}")
        if unknown := self.without - set(FEATURES):
            raise ValueError(f"without: of {', '.join(FEATURES)}, not {', '.join(sorted(unknown))}")

    def __str__(self) -> str:
        words = [f"n={self.n}", f"seed={self.seed}", f"fault={self.fault}"]
        words += [f"phases={self.phases}"] if self.phases != PHASES else []
        words += [f"without={','.join(sorted(self.without))}"] if self.without else []
        return " ".join(words)

    @property
    def command(self) -> str:
        """What to type to see this run again, with its transcript."""
        return f'scripts/simulate --replay "{self}"'

    @classmethod
    def parse(cls, text: str) -> Plan:
        """The plan that `str` has written. Raises `ValueError`."""
        given = dict(word.partition("=")[::2] for word in text.split())
        if unknown := set(given) - {each.name for each in fields(cls)}:
            raise ValueError(f"a plan has no {', '.join(sorted(unknown))}")
        if "n" not in given or "seed" not in given:
            raise ValueError("a plan names n and seed")
        without = frozenset(given.get("without", "").split(",")) - {""}
        return cls(
            int(given["n"]), int(given["seed"]), given.get("fault", "none"), int(given.get("phases", PHASES)), without
        )


@dataclass(slots=True)
class Outcome:
    """What a run, or many runs together, have exercised."""

    runs: int = 0
    heights: int = 0
    delivered: int = 0
    dropped: int = 0
    doubled: int = 0
    held: int = 0
    """Messages that waited at a clogged node."""
    injected: int = 0
    """Messages of Byzantine actors."""
    view_changes: int = 0
    carried: int = 0
    """Proposals of a block that was notarized in an earlier view."""
    crashes: int = 0
    restarts: int = 0
    lost_disks: int = 0
    late_joiners: int = 0
    partitions: int = 0
    clogs: int = 0
    gags: int = 0
    set_changes: int = 0
    fetched: int = 0
    """Blocks that nodes got by `consensus.following`."""
    liars_dropped: int = 0
    equivocations: int = 0
    """Contradictory pairs that faulty authorities have signed, and that a quorum could have seen."""
    forgotten: int = 0
    """Such pairs of honest ones whose disk was lost while their votes were under way."""
    accusations: int = 0
    """Evidence that honest nodes have reported."""
    alarms: int = 0
    most_views_to_liveness: int = 0
    """After healing: the most views that one of the next two heights has taken."""
    most_ms_to_liveness: int = 0
    """After healing: the longest virtual time until every honest node had two more heights."""

    def add(self, other: Outcome) -> None:
        """Count these too."""
        for each in fields(self):
            mine, theirs = getattr(self, each.name), getattr(other, each.name)
            setattr(self, each.name, max(mine, theirs) if each.name.startswith("most") else mine + theirs)


def plan_of(seed: int, *, sizes: tuple[int, ...] = SIZES, faults: tuple[str, ...] = FAULTS) -> Plan:
    """The plan of a seed: one size and one fault, drawn by the seed from these. Without an f there is no fault."""
    chance = Chance(seed)
    n = chance.pick(sizes)
    return Plan(n, seed, chance.pick(faults) if faulty_max(n) else "none")


def plans(*, sizes: tuple[int, ...], seeds: range, faults: tuple[str, ...] = FAULTS) -> Iterator[Plan]:
    """Every size with every fault that it can have, for every seed."""
    for seed in seeds:
        for n in sizes:
            for fault in faults if faulty_max(n) else ("none",):
                yield Plan(n, seed, fault)


def run(plan: Plan) -> Outcome:
    """Run a plan to its end. Raises `Failed`, with the transcript of the same run again."""
    climate = Climate(plan.without)
    world = world_of(plan, climate, transcribe=False)
    try:
        return _run(plan, world, climate)
    except (Broken, AssertionError, ConsensusError) as error:
        raise Failed(plan, str(error), replay(plan)[0].transcript) from error


def replay(plan: Plan) -> tuple[World, str | None]:
    """Run a plan with a transcript: the world it left, and what broke, if something did."""
    climate = Climate(plan.without)
    world = world_of(plan, climate, transcribe=True)
    try:
        _run(plan, world, climate)
    except (Broken, AssertionError, ConsensusError) as error:
        return world, str(error) or "an assertion"
    return world, None


def shrink(plan: Plan) -> Plan:
    """A milder plan that fails too: fewer phases, then without one feature of the weather after the other."""
    milder = [replace(plan, phases=phases) for phases in range(plan.phases)]
    plan = next((each for each in milder if _fails(each)), plan)
    for feature in FEATURES:
        without = replace(plan, without=plan.without | {feature})
        if without != plan and _fails(without):
            plan = without
    return plan


def _fails(plan: Plan) -> bool:
    try:
        run(plan)
    except Failed:
        return True
    return False


def _run(plan: Plan, world: World, climate: Climate) -> Outcome:
    climate.begin(world, faulty=len(_faulty(plan)))
    world.offer_every(_WORK_EVERY_MS)
    for _ in range(plan.phases):
        climate.change(world)
        world.run_for(world.chance.between(500, 6_000))
    climate.end(world)
    outcome = Outcome(runs=1)
    _check_healing(world, outcome)
    _count(world, climate, outcome)
    return outcome


def _faulty(plan: Plan) -> tuple[int, ...]:
    return () if plan.fault == "none" else tuple((plan.seed + place) % plan.n for place in range(faulty_max(plan.n)))


def world_of(plan: Plan, climate: Climate, *, transcribe: bool) -> World:
    """The world that a plan begins in."""
    chance = Chance(plan.seed ^ 0x0F0F)
    kinds = [fault for fault in FAULTS if fault not in ("none", "mixed")]
    faults = {number: chance.pick(kinds) if plan.fault == "mixed" else plan.fault for number in _faulty(plan)}
    world = World(
        n=plan.n,
        seed=plan.seed,
        base_ms=_BASE_MS,
        byzantine={number: ACTORS[fault] for number, fault in faults.items() if fault in ACTORS},
        twins=tuple(number for number, fault in faults.items() if fault == "twins"),
        observers=climate.observers(chance),
        spares=climate.spares(chance),
        transcribe=transcribe,
        following=climate.following(chance),
    )
    world.invariants.forgetful = frozenset(key_of(each).public_key for each, fault in faults.items() if fault == "lost")
    for number, fault in faults.items():
        if fault == "lost":
            climate.losing.append(world.node_of(number))
        elif fault == "clock":
            world.node_of(number).offset_ms = chance.pick((-3_600_000, 3_600_000))
    return world


def views_bound(f: int) -> int:
    """How many views a height may take after healing: the one in progress, f faulty leaders, and two to agree."""
    return f + 3


def _check_healing(world: World, outcome: Outcome) -> None:
    """Two more heights, each within so many views."""
    healed_ms = world.clock.now_ms
    height = max(node.height for node in world.honest)
    view = max(node.engine.view for node in world.honest if node.engine is not None and node.height == height)
    target = height + 2
    behind = list(world.honest)

    def all_are_there() -> bool:  # asked after every event: no node falls back any more
        while behind and behind[-1].height >= target:
            behind.pop()
        return not behind

    world.run_until(all_are_there, within_ms=_HEALED_WITHIN_MS)
    outcome.most_ms_to_liveness = world.clock.now_ms - healed_ms
    for each in (height + 1, target):
        views = world.invariants.views[each] + 1 - (view if each == height + 1 else 0)
        outcome.most_views_to_liveness = max(outcome.most_views_to_liveness, views)
        if views > views_bound(world.invariants.sets[each].f):
            raise Broken(f"height {each} took {views} views after healing")


def _count(world: World, climate: Climate, outcome: Outcome) -> None:
    """What this run has exercised."""
    network = world.network
    outcome.heights = len(world.invariants.decided)
    outcome.equivocations, outcome.forgotten = world.invariants.equivocations, world.invariants.forgotten
    outcome.dropped, outcome.doubled, outcome.held = network.dropped, network.doubled, network.held
    for each in (*fields(Deeds), *fields(climate.deeds)):
        source = world.deeds if hasattr(world.deeds, each.name) else climate.deeds
        setattr(outcome, each.name, getattr(source, each.name))
