"""Following: fetching decided blocks from several peers at once, and believing nothing that was not verified.

    following.handle(event, now_ms=...) -> tuple of actions, in order

A pure object with the same contract as the engine: no clock (the time is given), no socket, no disk. The same one runs
in a node and in the simulator. The rules:

1. *What a peer says it has is a hint whom to ask, never a fact.* Nothing is asked for beyond a window above the own
   tip, so whoever claims a million heights delays one range for as long as an answer may take, and is passed over.
2. *Ranges are asked of several peers at a time*, the lowest first, one of each peer, until the window is full: so many
   ranges, and so many bytes of blocks that wait. What is on disk is the only progress there is: a restart goes on from
   the tip.
3. *A block is handed on when a quorum of its height's authorities is verified to have made it final.* The set is known
   from the block below: from the header, while it does not change, else once that block has been executed. Blocks
   are handed on without a gap, a few ahead of the one being executed.
4. *A peer that lies is disconnected and passed over; one that does not answer in time is passed over.* What it was
   asked is asked of others; what it sent and is not verified yet is dropped with it, if it lied.
5. *An authority leaves the last few heights to its engine*, for a while.
6. *A node that nobody can help says so*, once: for a while everybody who is ahead has kept only blocks above the next
   one, or says that it has that one and does not send it.

Whoever runs this does the actions and tells what came of them: `Grown` after every block that became final here,
whether it was handed on by `Add` or decided by the engine; `Served` when an answer has been sent; `Woken` when the
time that the last `Wake` named has come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from consensus.authorities import AuthoritySet
from consensus.errors import ConsensusError
from consensus.light import verify_decided
from consensus.messages import Decided
from consensus.ranges import RANGE_HEIGHTS_MAX, Ask, Blocks, RangeMessage, Tip, read_pair
from consensus.sources import Question, Source, Sources

__all__ = [
    "ADDING_MAX",
    "ANNOUNCE_EVERY_MS",
    "ARRIVED_BYTES_MAX",
    "LACKING_MS",
    "PATIENCE_MS",
    "RANGES_AHEAD_MAX",
    "SERVED_MAX",
    "Action",
    "Add",
    "Drop",
    "Event",
    "Following",
    "Grown",
    "Heard",
    "Joined",
    "Kept",
    "Lacking",
    "Left",
    "Missed",
    "Progress",
    "Say",
    "Serve",
    "Served",
    "Turned",
    "Wake",
    "Woken",
]

RANGES_AHEAD_MAX = 4  # ranges above the tip that are asked for or wait to be handed on
ARRIVED_BYTES_MAX = 32 * 1024 * 1024  # of blocks that wait to be handed on; then only the lowest range is asked for
ADDING_MAX = 4  # blocks handed on and not grown by yet
ANNOUNCE_EVERY_MS = 1_000  # to authorities, who hear of new blocks by themselves
PATIENCE_MS = 3_000  # the engine's time for the last heights; what it has not got by then is fetched
LACKING_MS = 30_000  # for somebody to come who has the next block
DOUBTED_FAILURES = 3  # in a row, then what a peer says that it has does not count as to be had
SERVED_MAX = 4  # questions of one peer being answered, over all its connections; those beyond are not


# --- events ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Joined:
    """There is a connection to a peer; `votes`: it is an authority."""

    peer: bytes
    votes: bool


@dataclass(frozen=True, slots=True)
class Left:
    """There is no connection to a peer any more."""

    peer: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """A peer's message."""

    peer: bytes
    message: RangeMessage


@dataclass(frozen=True, slots=True)
class Grown:
    """A block has become final here. `authorities` are in force at the height above it."""

    height: int
    authorities: AuthoritySet


@dataclass(frozen=True, slots=True)
class Kept:
    """Blocks are kept from height `first` on; those below were pruned."""

    first: int


@dataclass(frozen=True, slots=True)
class Turned:
    """This node's part has changed: from now on, so many heights behind is fetched at once (rule 5)."""

    lag: int


@dataclass(frozen=True, slots=True)
class Served:
    """The answer to a peer's question has been sent, or could not be: once for every `Serve`."""

    peer: bytes


@dataclass(frozen=True, slots=True)
class Woken:
    """The time that was asked for by `Wake` has come."""


Event: TypeAlias = "Joined | Left | Heard | Grown | Kept | Turned | Served | Woken"


# --- actions --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Say:
    """Send a message to a peer."""

    peer: bytes
    message: RangeMessage


@dataclass(frozen=True, slots=True)
class Serve:
    """Read these blocks, as many as there are and as one message carries, send them as `Blocks`, say `Served`."""

    peer: bytes
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Add:
    """Execute this verified final block and make it durable, unless that is done already; say `Grown`."""

    decided: Decided


@dataclass(frozen=True, slots=True)
class Drop:
    """Disconnect a peer: no honest one does this."""

    peer: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Missed:
    """For the log: a peer did not answer in time."""

    peer: bytes


@dataclass(frozen=True, slots=True)
class Lacking:
    """For whoever operates this: the block of this height, the next one, is not to be had of anybody connected."""

    height: int


@dataclass(frozen=True, slots=True)
class Wake:
    """Say `Woken` at this time (or later); takes the place of the one before."""

    at_ms: int


Action: TypeAlias = "Say | Serve | Add | Drop | Missed | Lacking | Wake"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a node has come. `target` is what more connected authorities claim than may lie: 0 if no more are."""

    height: int
    target: int


@dataclass(frozen=True, slots=True)
class _Arrived:
    """A block that waits to be handed on, and who sent it."""

    decided: Decided
    peer: bytes


class Following:
    """See the module. `lag`: so many heights behind is fetched at once, less after a while."""

    def __init__(self, *, genesis_id: bytes, height: int, authorities: AuthoritySet, first: int = 1, lag: int) -> None:
        self._genesis_id = genesis_id
        self._height = height
        self._authorities = authorities
        self._first = first
        self._lag = lag
        self._sources = Sources()
        self._serving: Counter[bytes] = Counter()
        self._arrived: dict[int, _Arrived] = {}
        self._arrived_bytes = 0
        self._added = height
        self._sure_to = height + 1  # up to here the authorities are known
        self._behind_since_ms: int | None = None
        self._lacking_since_ms: int | None = None
        self._lacking_said: int | None = None
        self.lacking: int | None = None
        """The height of the next block, while it is not to be had of anybody connected (rule 6)."""
        self._announce_at_ms = 0
        self._wake_at_ms: int | None = None
        self._now_ms = 0
        self._actions: list[Action] = []

    def handle(self, event: Event, *, now_ms: int) -> tuple[Action, ...]:
        """What to do about an event that happened at `now_ms`, by a clock that does not go back."""
        self._now_ms = now_ms
        self._actions = []
        _HANDLERS[type(event)](self, event)
        self._actions += [Missed(peer) for peer in self._sources.expire(now_ms)]
        self._hand_on()
        heights = self._sources.highest() - self._added
        if heights > 0:
            self._ask(heights)
            self._look_for_the_next()
        else:
            self._behind_since_ms = self._lacking_since_ms = self.lacking = None
        self._announce_in_time()
        due_ms = self._next_due_ms()
        if due_ms != self._wake_at_ms:
            self._wake_at_ms = due_ms
            self._actions.append(Wake(due_ms))
        return tuple(self._actions)

    def progress(self) -> Progress:
        """How far this node is, and how far the network, as far as that is vouched for."""
        claims = sorted((source.last for _, source in self._sources if source.votes), reverse=True)
        f = self._authorities.f
        return Progress(self._height, claims[f] if len(claims) > f else 0)

    def claim(self, peer: bytes) -> int | None:
        """The height that a connected peer says it has."""
        source = self._sources.get(peer)
        return None if source is None else source.last

    @property
    def waiting_bytes(self) -> int:
        """Size of the blocks that wait to be handed on: for whoever watches."""
        return self._arrived_bytes

    # --- events ---------------------------------------------------------------------------------------------------

    def _joined(self, event: Joined) -> None:
        self._sources.join(event.peer, votes=event.votes)
        self._actions.append(Say(event.peer, self._tip()))

    def _left(self, event: Left) -> None:
        self._sources.leave(event.peer)

    def _heard(self, event: Heard) -> None:
        source = self._sources.get(event.peer)
        if source is None:
            return  # sent before the connection was lost
        match event.message:
            case Tip(first, last):
                source.first, source.last = first, last
            case Ask(first, last):
                self._serve(event.peer, first, min(last, first + RANGE_HEIGHTS_MAX - 1))
            case Blocks(first, pairs):
                self._take(event.peer, source, first, pairs)

    def _grown(self, event: Grown) -> None:
        self._height = event.height
        self._added = max(self._added, event.height)
        self._authorities = event.authorities
        self._sure_to = max(self._sure_to, event.height + 1)
        self._behind_since_ms = None
        for height in [each for each in self._arrived if each <= event.height]:
            self._forget(height)
        self._announce(votes=False)  # observers wait for it

    def _kept(self, event: Kept) -> None:
        self._first = event.first

    def _turned(self, event: Turned) -> None:
        self._lag = event.lag

    def _served(self, event: Served) -> None:
        self._serving[event.peer] -= 1
        self._serving += Counter()  # without those that have none

    def _woken(self, event: Woken) -> None:
        self._wake_at_ms = None

    # --- answers --------------------------------------------------------------------------------------------------

    def _take(self, peer: bytes, source: Source, first: int, pairs: tuple[tuple[bytes, bytes], ...]) -> None:
        """Keep what of an answer is still missing here."""
        question = self._sources.answered(source, first)
        if question is None:
            return
        if not pairs:
            source.last = min(source.last, first - 1)  # until it says otherwise again
            self._sources.fail(peer, now_ms=self._now_ms)
        else:  # it may answer an earlier and longer question with the same beginning
            self._keep(peer, first, pairs[: question.last - question.first + 1])

    def _keep(self, peer: bytes, first: int, pairs: tuple[tuple[bytes, bytes], ...]) -> None:
        for height, pair in enumerate(pairs, start=first):
            if height <= self._added or height in self._arrived:
                continue
            try:
                decided = read_pair(pair, height)
            except ConsensusError as error:
                self._refuse(peer, str(error))
                return
            self._arrived[height] = _Arrived(decided, peer)
            self._arrived_bytes += len(decided.block.encode())

    def _hand_on(self) -> None:
        """Rule 3: what follows without a gap, verified, a few blocks ahead of execution."""
        while (
            self._added < self._height + ADDING_MAX
            and self._added < self._sure_to
            and (arrived := self._arrived.get(self._added + 1)) is not None
        ):
            try:
                verify_decided(self._genesis_id, self._authorities, arrived.decided)
            except ConsensusError as error:
                self._refuse(arrived.peer, str(error))
                return
            self._sources.serve(arrived.peer)
            self._added += 1
            self._forget(self._added)
            header = arrived.decided.block.header
            if header.next_authorities == header.authorities:
                self._sure_to = self._added + 1
            self._actions.append(Add(arrived.decided))

    def _refuse(self, peer: bytes, reason: str) -> None:
        """Rule 4. Nothing of a liar is kept."""
        for height in [each for each, arrived in self._arrived.items() if arrived.peer == peer]:
            self._forget(height)
        self._sources.fail(peer, now_ms=self._now_ms)
        self._sources.leave(peer)
        self._actions.append(Drop(peer, reason))

    def _forget(self, height: int) -> None:
        self._arrived_bytes -= len(self._arrived.pop(height).decided.block.encode())

    # --- asking ---------------------------------------------------------------------------------------------------

    def _ask(self, heights: int) -> None:
        """Rule 2: ask those who are free for the ranges that are neither here nor asked for, lowest first."""
        if self._behind_since_ms is None:
            self._behind_since_ms = self._now_ms
        if heights < self._lag and self._now_ms - self._behind_since_ms < PATIENCE_MS:
            return  # rule 5
        asked = self._sources.relied_on()
        for peer, source in self._sources.free(self._now_ms):
            found = self._next_range(source, asked)
            if found is not None:
                first, last = found
                self._sources.ask(source, first, last, now_ms=self._now_ms)
                self._actions.append(Say(peer, Ask(first, last)))
                asked = self._sources.relied_on()

    def _next_range(self, source: Source, asked: list[Question]) -> tuple[int, int] | None:
        """The lowest range in the window that nobody has been asked for and that this source says it has."""
        last_height = min(source.last, self._height + RANGES_AHEAD_MAX * RANGE_HEIGHTS_MAX)
        first = self._added + 1
        while first <= last_height:
            covered_to = max([each.last for each in asked if each.first <= first <= each.last], default=first - 1)
            while covered_to + 1 in self._arrived:
                covered_to += 1
            if covered_to < first:
                break
            first = covered_to + 1
        if not source.first <= first <= last_height:
            return None
        if self._arrived_bytes > ARRIVED_BYTES_MAX and first > self._added + 1:
            return None
        last = min(last_height, first + RANGE_HEIGHTS_MAX - 1)
        beyond = [*(each.first for each in asked), *self._arrived]
        return first, min([last, *(begin - 1 for begin in beyond if begin > first)])

    def _look_for_the_next(self) -> None:
        """Rule 6. That others are ahead is believed of more authorities than may lie."""
        height = self._added + 1
        has_it = (
            source.first <= height <= source.last and source.faults < DOUBTED_FAILURES for _, source in self._sources
        )
        if self.progress().target < height or any(has_it):
            self._lacking_since_ms = self.lacking = None
            return
        if self._lacking_since_ms is None:
            self._lacking_since_ms = self._now_ms
        if self._now_ms - self._lacking_since_ms >= LACKING_MS:
            self.lacking = height
            if self._lacking_said != height:
                self._lacking_said = height
                self._actions.append(Lacking(height))

    # --- telling and serving --------------------------------------------------------------------------------------

    def _serve(self, peer: bytes, first: int, last: int) -> None:
        """Reads outlive connections, so they count on; an excess question is no lie, where this node is slow."""
        if self._serving[peer] < SERVED_MAX:
            self._serving[peer] += 1
            self._actions.append(Serve(peer, first, last))

    def _tip(self) -> Tip:
        return Tip(self._first, self._height)

    def _announce(self, *, votes: bool) -> None:
        tip = self._tip()
        self._actions += [Say(peer, tip) for peer, source in self._sources if source.votes is votes]

    def _announce_in_time(self) -> None:
        if self._now_ms >= self._announce_at_ms:
            self._announce_at_ms = self._now_ms + ANNOUNCE_EVERY_MS
            self._announce(votes=True)

    def _next_due_ms(self) -> int:
        due = [self._announce_at_ms]
        if (other := self._sources.next_due_ms(self._now_ms)) is not None:
            due.append(other)
        if self._behind_since_ms is not None and self._behind_since_ms + PATIENCE_MS > self._now_ms:
            due.append(self._behind_since_ms + PATIENCE_MS)
        return min(due)


# Methods of this class only, in this module only.
_HANDLERS: dict[type, Callable[[Following, Any], None]] = {
    Joined: Following._joined,
    Left: Following._left,
    Heard: Following._heard,
    Grown: Following._grown,
    Kept: Following._kept,
    Turned: Following._turned,
    Served: Following._served,
    Woken: Following._woken,
}
