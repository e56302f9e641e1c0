"""What goes into the engine and what comes out of it: the seam between the pure engine and whoever runs it.

**The contract.** The runner calls `engine.handle(event)` for one event at a time and does the returned actions *in
order*. A `Persist` is durable (synced) before the next action is begun. Nothing else is asked of it, except:

1. *The record.* `Persist` puts and deletes keys of one small namespace of the store, "the record"; values and keys are
   opaque bytes. `Start.record` is everything in that namespace after a (re)start. `Commit.clears` lists the keys to
   delete in the same atomic batch that makes the block final; no other key of the record is ever deleted by the
   runner. A node whose record was lost starts with an empty one, and the engine takes care of that (R9).
2. *Blocks in the record.* A block that the engine voted for is in the record under `b"block/" + height (8 bytes,
   big-endian) + hash` until its height is decided, so a committed block needs to be stored by the commit batch.
3. *Work.* `Work(True)` when an includable transaction, evidence or governance entry is at hand. `Committed` makes the
   engine forget it: say `Work(True)` again after it if there is more.
4. *Timers.* At most one timer per name is pending; `SetTimer` replaces the one before. When it is due, hand back
   `Timer(name, token)`. Timers die with the process.
5. *Peers* are named by their public keys, as authenticated by the transport: authorities' consensus keys, observers'
   keys. The engine never sends to itself. Messages may be lost, late, doubled and reordered.
6. *Blocks.* `Build` asks for a block on the tip, answered by `Built` (or never). `Check` asks for the verdict on
   somebody else's block, answered by `Checked`: time later than the parent's, every transaction, all roots, the next
   authorities, and the 2 s clock rule, which has a verdict of its own so that a block proposed again can pass without
   it; and the version in force. The engine itself checks genesis id, height, parent, authorities and proposer, and
   `transactions_root` is checked where a block is decoded.
7. *Commit.* The block is final. It may never have been checked (late nodes): execute it now, compare the roots, halt
   loudly on a difference. One atomic synced batch, then `Committed`. Between the two the engine asks for nothing.
   A runner that commits blocks by itself (bulk sync, which checks them with `light.verify_decided`) says `Committed`
   too, with the certificate, in which the engine looks for votes of its own key that it does not know of; it leaves
   the record alone, the engine clears that by a `Persist`. While a `Commit` of the engine is under way it commits
   nothing by itself. The engine may ask to commit a block that the runner has just fetched and not told it of: then
   only the deletes of `clears` are left to do.
8. *One `Committed` for each height* above `Start.tip_height`, in order: none is left out. One of a height that the
   engine has passed is ignored. A tip that does not come block by block, a state snapshot's, comes with a new engine
   and its `Start`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TypeAlias

from consensus.authorities import AuthoritySet
from consensus.blocks import Block
from consensus.evidence import Evidence
from consensus.messages import Message
from consensus.votes import Certificate

__all__ = [
    "Action",
    "Alarm",
    "AlarmCode",
    "Broadcast",
    "Build",
    "Built",
    "Check",
    "Checked",
    "Commit",
    "Committed",
    "Connected",
    "Event",
    "Persist",
    "Received",
    "Report",
    "Send",
    "SendDecided",
    "SetTimer",
    "Start",
    "Timer",
    "TimerName",
    "Verdict",
    "Work",
]


class TimerName(StrEnum):
    """The timers of an engine."""

    VIEW = "view"
    """R6: the view has taken too long."""
    RESEND = "resend"
    """R8: say again where this node is."""
    GRACE = "grace"
    """R2: the leader waits before it proposes a notarized block again."""
    FETCH = "fetch"
    """R8: ask for what is missing."""
    HEARTBEAT = "heartbeat"
    """R11: a block is due although there is no work."""


class Verdict(Enum):
    """The runner's answer to `Check`."""

    VALID = "valid"
    UNTIMELY = "untimely"
    """Valid in all but the 2 s clock rule; only a fresh proposal is refused for that."""
    INVALID = "invalid"


class AlarmCode(Enum):
    """Why an engine has stopped voting for good. Codes are stable."""

    DETERMINISM_BROKEN = "determinism_broken"
    """A quorum notarized a block that this node's own check refuses (R4)."""
    KEY_IN_USE_ELSEWHERE = "key_in_use_elsewhere"
    """A vote under this node's key that is not in its record: the key runs twice, or the record was lost (R9)."""


# --- events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The first event of an engine, once. `tip` is the hash of the block at `tip_height`, genesis id at height 0."""

    tip_height: int
    tip: bytes
    authorities: AuthoritySet
    """In force at `tip_height + 1`."""
    record: Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Received:
    """A decoded message from an authenticated peer."""

    peer: bytes
    message: Message


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection to this peer was made (again): it is told where this node is without waiting for a timer."""

    peer: bytes


@dataclass(frozen=True, slots=True)
class Timer:
    """The timer set with this token is due."""

    name: TimerName
    token: int


@dataclass(frozen=True, slots=True)
class Work:
    """Whether there is something to put into a block."""

    present: bool


@dataclass(frozen=True, slots=True)
class Built:
    """The block that `Build` asked for, executed and valid."""

    block: Block


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdict on a block that `Check` asked about."""

    block: bytes
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """The block of this height is final on this node's disk."""

    height: int
    block: bytes
    """Its hash."""
    next_authorities: AuthoritySet
    """In force at `height + 1`."""
    certificate: Certificate | None = None
    """The FINALIZE certificate of a block that the engine has not asked to commit: its own key may be in it (R9)."""


Event: TypeAlias = "Start | Received | Connected | Timer | Work | Built | Checked | Committed"


# --- actions --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Persist:
    """Write to the record, atomically and synced, before the next action."""

    puts: tuple[tuple[bytes, bytes], ...]
    deletes: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Send:
    """To one peer, if it is connected."""

    peer: bytes
    message: Message


@dataclass(frozen=True, slots=True)
class Broadcast:
    """To every other authority, and to observers that follow live."""

    message: Message


@dataclass(frozen=True, slots=True)
class SendDecided:
    """Send this peer `Decided` of a height that is final here; the block is in the runner's store."""

    peer: bytes
    height: int


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Hand back `Timer(name, token)` after `delay_ms` milliseconds."""

    name: TimerName
    delay_ms: int
    token: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """Make a block on the tip with whatever work there is, even none; answer with `Built`."""

    height: int
    parent: bytes
    proposer: bytes
    """This node's own key."""


@dataclass(frozen=True, slots=True)
class Check:
    """Check somebody else's block; answer with `Checked`."""

    block: Block


@dataclass(frozen=True, slots=True)
class Commit:
    """This block is final: make it so on disk, in one batch that also deletes `clears` from the record."""

    block: Block
    certificate: Certificate
    clears: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """An authority has provably misbehaved."""

    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Alarm:
    """This node has stopped voting and needs its operator. It goes on following."""

    code: AlarmCode
    reason: str


Action: TypeAlias = "Persist | Send | Broadcast | SendDecided | SetTimer | Build | Check | Commit | Report | Alarm"
