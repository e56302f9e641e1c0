"""Chance that repeats: one seed, one run. SplitMix64 (Steele, Lea and Flood, 2014); not for secrets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

__all__ = ["Chance"]

_Item = TypeVar("_Item")
_MASK = 2**64 - 1


class Chance:
    """A stream of choices that is a function of its seed."""

    __slots__ = ("_state",)

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK
        self.below(2)  # neighbouring seeds part at once

    def below(self, bound: int) -> int:
        """A number from 0 to `bound - 1`; the bias is below 2**-40 for the bounds used here."""
        self._state = mixed = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return (mixed ^ (mixed >> 31)) % bound

    def between(self, least: int, most: int) -> int:
        """A number from `least` to `most`, both included."""
        return least + self.below(most - least + 1)

    def happens(self, percent: int) -> bool:
        """Whether something of this probability happens now."""
        return self.below(100) < percent

    def pick(self, items: Sequence[_Item]) -> _Item:
        """One of the items."""
        return items[self.below(len(items))]

    def part(self, items: Sequence[_Item]) -> list[_Item]:
        """Some of the items: each or not."""
        return [item for item in items if self.below(2)]

    def shuffled(self, items: Sequence[_Item]) -> list[_Item]:
        """The items in another order."""
        left = list(items)
        return [left.pop(self.below(len(left))) for _ in range(len(items))]
