"""A network that delays, drops, doubles, reorders, parts and clogs, as chance wills."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from consensus.simulation.chance import Chance
from consensus.simulation.clock import Clock

__all__ = ["Network", "Weather"]


@dataclass(slots=True)
class Weather:
    """How the network behaves now. The runs change it; the default is a good day with 10 ms between any two."""

    delay_least_ms: int = 10
    delay_most_ms: int = 10
    drop_percent: int = 0
    double_percent: int = 0
    dropped_kinds: frozenset[str] = frozenset()
    """Names of message classes of which half are dropped."""
    sides: dict[int, int] = field(default_factory=dict)
    """The side of a partition that a node is on, 0 if not named."""
    clogged: set[int] = field(default_factory=set)
    """Nodes whose messages, in and out, are held back until they are unclogged."""


class Network:
    """Carries bytes between nodes, which are named by their number."""

    __slots__ = ("_chance", "_clock", "_deliver", "_held", "carried", "doubled", "dropped", "held", "weather")

    def __init__(self, clock: Clock, chance: Chance, deliver: Callable[[int, int, bytes], None]) -> None:
        self._clock = clock
        self._chance = chance
        self._deliver = deliver
        self._held: list[tuple[int, int, bytes]] = []
        self.weather = Weather()
        self.carried = 0
        """How many messages were given to the network, each to one node; and what became of some of them:"""
        self.dropped = 0
        self.doubled = 0
        self.held = 0

    def send(self, source: int, targets: Iterable[int], kind: str, data: bytes) -> None:
        """Give a message to the network, for each of these nodes; it may arrive never, late, twice.

        Partitions do not bind sources below 0.
        """
        weather, chance = self.weather, self._chance
        sides = weather.sides if source >= 0 else {}
        side = sides.get(source, 0)
        half_is_dropped = kind in weather.dropped_kinds
        for target in targets:
            self.carried += 1
            if (
                (sides and sides.get(target, 0) != side)
                or (weather.drop_percent and chance.happens(weather.drop_percent))
                or (half_is_dropped and chance.happens(50))
            ):
                self.dropped += 1
                continue
            if weather.double_percent and chance.happens(weather.double_percent):
                self.doubled += 1
                self._carry(source, target, data)
            self._carry(source, target, data)

    def unclog(self, node: int) -> None:
        """Let the messages of a clogged node go."""
        self.weather.clogged.discard(node)
        self._release()

    def calm(self) -> None:
        """Good weather again; what was held is delivered."""
        self.weather = Weather()
        self._release()

    def _release(self) -> None:
        held, self._held = self._held, []
        for source, target, data in held:
            self._carry(source, target, data)

    def _carry(self, source: int, target: int, data: bytes) -> None:
        least_ms, most_ms = self.weather.delay_least_ms, self.weather.delay_most_ms
        delay_ms = least_ms if least_ms == most_ms else self._chance.between(least_ms, most_ms)
        self._clock.after(delay_ms, self._arrive, source, target, data)

    def _arrive(self, source: int, target: int, data: bytes) -> None:
        clogged = self.weather.clogged
        if clogged and (source in clogged or target in clogged):
            self.held += 1
            self._held.append((source, target, data))
        else:
            self._deliver(source, target, data)
