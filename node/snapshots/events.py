"""What happens to a newcomer that fetches a state, and what it does: events and actions of `fetching`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from consensus.following import Drop, Joined, Left, Missed, Wake, Woken
from consensus.messages import Decided
from node.snapshots.manifest import Manifest
from node.snapshots.messages import SyncMessage
from registry.merkle.parts import Entry

__all__ = [
    "Action",
    "Begin",
    "Drop",
    "Enough",
    "Event",
    "Finish",
    "Heard",
    "Joined",
    "Keep",
    "Left",
    "Missed",
    "Say",
    "Started",
    "Store",
    "Stored",
    "Wake",
    "Woken",
]


@dataclass(frozen=True, slots=True)
class Heard:
    """Event: a peer's message."""

    peer: bytes
    message: SyncMessage


@dataclass(frozen=True, slots=True)
class Started:
    """Event: the manifest is durable, and nothing of another state is left."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Event: a part is durable."""

    number: int


@dataclass(frozen=True, slots=True)
class Say:
    """Action: send a message to a peer."""

    peer: bytes
    message: SyncMessage


@dataclass(frozen=True, slots=True)
class Begin:
    """Action: forget whatever else is there, make the manifest durable, say `Started`."""

    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Store:
    """Action: make a verified part durable, say `Stored`."""

    number: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Keep:
    """Action: keep verified blocks below the state, and the ids of their transactions."""

    blocks: tuple[Decided, ...]


@dataclass(frozen=True, slots=True)
class Finish:
    """Action: all is there; this is a chain now, whose blocks begin at height `first`."""

    manifest: Manifest
    first: int


@dataclass(frozen=True, slots=True)
class Enough:
    """Action: begin with blocks, for this reason. `again`: for want of peers; a state is to be looked for again."""

    reason: str
    again: bool = False


Event: TypeAlias = "Joined | Left | Heard | Started | Stored | Woken"
Action: TypeAlias = "Say | Drop | Missed | Wake | Begin | Store | Keep | Finish | Enough"
