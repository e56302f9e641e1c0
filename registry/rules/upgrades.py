"""Protocol versions (registry.md 3): the authorities say from which height on blocks are made by another one.

A version names the rules of execution. A header carries it; header, hash and certificates are the same in all versions,
so whoever only checks proofs needs no other software. A node whose software does not know the version in force stops
before that height, and says so. So: first new software on all nodes, one after the other, which goes on making blocks
of the old version; then this change; nothing happens at the nodes on the day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from registry.limits import UPGRADE_NOTICE_MAX, UPGRADE_NOTICE_MIN
from registry.reasons import BAD_DATES, BAD_STATE
from registry.rules.verdicts import Call, Refusal
from registry.state import NETWORK_KEY, Put
from registry.transactions.upgrades import ScheduleUpgrade

__all__ = ["CHANGES"]

Puts: TypeAlias = tuple[Put, ...]


def _scheduled(call: Call, change: ScheduleUpgrade) -> Puts | Refusal:
    """The next version, at a height far enough ahead; one that is scheduled and not in force yet is moved by it."""
    network = call.state.coming_network()
    in_force = network.version_at(call.height + 1)
    if change.version != in_force + 1:
        return Refusal(BAD_STATE)
    if not call.height + UPGRADE_NOTICE_MIN <= change.from_height <= call.height + UPGRADE_NOTICE_MAX:
        return Refusal(BAD_DATES)
    changed = replace(network, version=in_force, next_version=change.version, next_from=change.from_height)
    return ((NETWORK_KEY, changed),)


# What the change puts, and the event that says that it is made.
CHANGES: Final[Mapping[type[Any], tuple[Callable[[Call, Any], Puts | Refusal], str]]] = MappingProxyType(
    {ScheduleUpgrade: (_scheduled, "upgrade_scheduled")}
)
