"""Which states peers say that they serve, and which of them is to be fetched. Pure, like `fetching`, whose part it is.

A peer that does not give what it offers is not believed for ever to serve it: what is offered by somebody who has not
failed comes before what is offered only by those who have, so nobody keeps a newcomer waiting for what never comes.
"""

from __future__ import annotations

from typing import TypeAlias

from consensus.sources import Sources

__all__ = ["Offers", "State"]

State: TypeAlias = tuple[int, bytes]
"""Height and block hash."""


class Offers:
    """See the module. `sources`: the same peers; those that are not connected offer nothing."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._of: dict[bytes, tuple[State, ...]] = {}

    def put(self, peer: bytes, states: tuple[State, ...]) -> None:
        """What the peer serves, it says, in place of what it said before."""
        self._of[peer] = states

    def leave(self, peer: bytes) -> None:
        """The peer serves nothing any more."""
        self._of.pop(peer, None)

    def withdraw(self, peer: bytes, height: int) -> None:
        """The peer does not serve the state of this height."""
        self._of[peer] = tuple(state for state in self._of.get(peer, ()) if state[0] != height)

    def has(self, peer: bytes, state: State | None) -> bool:
        """Whether the peer says that it serves the state."""
        return state in self._of.get(peer, ())

    def __bool__(self) -> bool:
        return any(self._of.values())

    def best(self) -> State | None:
        """The state to fetch: of a peer that has failed least often, that most peers serve, the highest."""
        least = self._least_failures()
        if not least:
            return None
        holders = [state for states in self._of.values() for state in set(states)]
        return max(least, key=lambda state: (-least[state], holders.count(state), state[0]))

    def is_served(self, state: State | None, *, failures_max: int) -> bool:
        """Whether to go on with a state: someone who offers it has failed no more often in a row, or nobody less."""
        least = self._least_failures()
        return state in least and (least[state] <= failures_max or least[state] == min(least.values()))

    def failures(self) -> int:
        """How often in a row that peer has failed which failed least of all who offer a state; 0 if nobody does."""
        return min(self._least_failures().values(), default=0)

    def _least_failures(self) -> dict[State, int]:
        """How often in a row that peer has failed which failed least of those who serve it, by state."""
        least: dict[State, int] = {}
        for peer, source in self._sources:
            for state in self._of.get(peer, ()):
                least[state] = min(source.faults, least.get(state, source.faults))
        return least
