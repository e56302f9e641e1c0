"""Fetching a state from several peers: who is asked for what, and what is believed. Pure, like `consensus.following`.

    fetching.handle(event, now_ms=...) -> tuple of actions, in order

1. GATHER  Peers say how high they are and which states they serve. Who is not far behind begins with blocks (`Enough`).
2. PROVE   The manifest of the state that most of them serve is asked of one, and verified from genesis.
3. PARTS   Each part is asked of whoever is free, and checked against the manifest as it comes: a peer that sends a
           wrong one is dropped at that part, and nothing of it is kept. Every part that is stored stays so over a
           restart.
4. BLOCKS  Blocks are fetched from the state's down to the first that is older than any transaction can still be valid
           (`VALIDITY_MAX_MS`): a transaction in one of them must not be executed again. Each is verified by its own
           certificate, and each peer is asked only for what it says that it keeps.

Then this node has all that execution needs, and goes on as any other. If nobody serves the state any more, or only
those who do not give what they offer (`node.snapshots.offers`), it begins again with another one; if they are all who
offer any, with blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any

from consensus.authorities import AuthoritySet
from consensus.errors import ConsensusError
from consensus.light import Reign, in_force, verify_decided
from consensus.messages import Decided
from consensus.ranges import RANGE_HEIGHTS_MAX, Ask, Blocks, Tip, read_pair
from consensus.sources import Source, Sources
from node.snapshots.events import (
    Action,
    Begin,
    Drop,
    Enough,
    Event,
    Finish,
    Heard,
    Joined,
    Keep,
    Left,
    Missed,
    Say,
    Started,
    Store,
    Stored,
    Wake,
    Woken,
)
from node.snapshots.manifest import Manifest, ManifestError, read_manifest
from node.snapshots.messages import (
    AskHeld,
    AskManifest,
    AskPart,
    Gone,
    Held,
    ManifestOf,
    PartOf,
    SyncMessage,
)
from node.snapshots.offers import Offers, State
from registry.limits import VALIDITY_MAX_MS
from registry.merkle.hashing import ProofError
from registry.merkle.parts import Entry, check_part

__all__ = ["FAR_BEHIND", "PATIENCE_MS", "STORING_MAX", "Fetching", "Phase"]

FAR_BEHIND = 1_000  # heights: who misses fewer fetches blocks
GATHER_MS = 1_000  # for others to say that they serve the state too
PATIENCE_MS = 10_000  # for enough authorities, and for a state that is served
ASK_AGAIN_MS = 2_000
FAILURES_MAX = 2  # in a row, of who serves a state best, until what has come of it is given up for another state
STORING_MAX = 8  # parts that have come and are not durable yet
RANGES_MAX = 4  # ranges of blocks that are asked for at a time: so far it may be asked below what is needed


class Phase(Enum):
    """See the module."""

    GATHER = 1
    PROVE = 2
    PARTS = 3
    BLOCKS = 4
    DONE = 5


class Fetching:
    """See the module. `alone`: there are no other authorities. `resumed` and `done`: what is durable already."""

    def __init__(
        self,
        *,
        genesis_id: bytes,
        authorities: AuthoritySet,
        alone: bool,
        now_ms: int,
        far_behind: int = FAR_BEHIND,
        resumed: Manifest | None = None,
        done: Iterable[int] = (),
    ) -> None:
        self._genesis_id = genesis_id
        self._authorities = authorities
        self._alone = alone
        self._far_behind = far_behind
        self._sources = Sources()
        self._told: set[bytes] = set()
        self._offers = Offers(self._sources)
        self._offered_at_ms: int | None = None
        self._ask_held_at_ms = 0
        self._since_ms = now_ms
        self._now_ms = now_ms
        self._resumed = resumed
        self._wanted: State | None = None
        self._manifest: Manifest | None = None
        self._reigns: tuple[Reign, ...] = ()
        self._done = set(done)
        self._storing: set[int] = set()
        self._first = 1  # the highest block that is known to be old enough; the chain's first is, whatever its age
        self._low = 0  # from here up to the state's all blocks are here
        self._lower: set[int] = set()  # blocks below that are here
        self._actions: list[Action] = []
        self.phase = Phase.GATHER

    def handle(self, event: Event, *, now_ms: int) -> tuple[Action, ...]:
        """What to do about an event that happened at `now_ms`, by a clock that does not go back."""
        self._now_ms = now_ms
        self._actions = []
        _HANDLERS[type(event)](self, event)
        self._actions += [Missed(peer) for peer in self._sources.expire(now_ms)]
        _PHASES[self.phase](self)
        if self.phase is not Phase.DONE:
            self._actions.append(Wake(min(self._sources.next_due_ms(now_ms) or now_ms + 1_000, now_ms + 1_000)))
        return tuple(self._actions)

    def progress(self) -> tuple[int, int]:
        """Parts that are stored, and parts there are (0 until a manifest is verified)."""
        return len(self._done), 0 if self._manifest is None else len(self._manifest.parts)

    # --- events ---------------------------------------------------------------------------------------------------

    def _joined(self, event: Joined) -> None:
        self._sources.join(event.peer, votes=event.votes)
        self._actions += [Say(event.peer, Tip(1, 0)), Say(event.peer, AskHeld())]

    def _left(self, event: Left) -> None:
        self._sources.leave(event.peer)
        self._offers.leave(event.peer)
        self._told.discard(event.peer)

    def _heard(self, event: Heard) -> None:
        source = self._sources.get(event.peer)
        if source is None:
            return
        message: SyncMessage = event.message
        match message:
            case Tip(first, last):
                source.first, source.last = first, last
                self._told.add(event.peer)
            case Held(offers):
                self._offers.put(event.peer, offers)
                if offers and self._offered_at_ms is None:
                    self._offered_at_ms = self._now_ms
            case ManifestOf(height, data):
                self._prove(event.peer, source, height, data)
            case PartOf(height, number, entries):
                self._take_part(event.peer, source, height, number, entries)
            case Blocks(first, pairs):
                self._take_blocks(event.peer, source, first, pairs)
            case Gone(height):
                self._gone(event.peer, source, height)
            case Ask(first, _):
                self._actions.append(Say(event.peer, Blocks(first, ())))
            case _:
                pass  # this node serves no state: who asks hears of no offer

    def _gone(self, peer: bytes, source: Source, height: int) -> None:
        """States do go, so nobody is dropped for it; but who did not give what was asked is passed over for a while."""
        self._offers.withdraw(peer, height)
        if source.question is not None and not source.late:
            self._sources.fail(peer, now_ms=self._now_ms)
        source.question, source.late = None, False

    def _started(self, event: Started) -> None:
        self._done, self._storing = set(), set()  # those of another state were reported before
        self.phase = Phase.PARTS

    def _stored(self, event: Stored) -> None:
        self._storing.discard(event.number)
        self._done.add(event.number)

    def _woken(self, event: Woken) -> None:
        """Nothing but the time has changed."""

    # --- 1: gather ------------------------------------------------------------------------------------------------

    def _gather(self) -> None:
        votes = sorted((source.last for peer, source in self._sources if source.votes and peer in self._told))[::-1]
        waited_ms = self._now_ms - self._since_ms
        few = len(votes) <= self._authorities.f  # to tell by them how high the network is
        if self._alone or (few and waited_ms >= PATIENCE_MS and not self._offers):
            self._end(Enough("there is nobody to fetch a state from", again=not self._alone))
            return
        if few and waited_ms < PATIENCE_MS:
            return
        whole = any(source.first == 1 for _, source in self._sources)
        if whole and not few and votes[self._authorities.f] < self._far_behind and self._resumed is None:
            self._end(Enough(f"the network is at height {votes[self._authorities.f]}, which blocks reach soon"))
            return
        self._choose(waited_ms, whole=whole)

    def _choose(self, waited_ms: int, *, whole: bool) -> None:
        """The state that `Offers` calls best; before it the one that was begun."""
        begun, best = self._resumed, self._offers.best()
        if begun is not None and self._offers.is_served((begun.height, begun.header.hash), failures_max=FAILURES_MAX):
            self._manifest, self._wanted = begun, (begun.height, begun.header.hash)
            self.phase = Phase.PARTS
        elif best is not None and self._now_ms - (self._offered_at_ms or 0) >= GATHER_MS:
            self._resumed = None
            self._wanted = best
            self.phase = Phase.PROVE
        elif best is None and whole and waited_ms >= PATIENCE_MS:
            self._end(Enough("nobody serves a state yet, and all blocks are to be had"))
        elif best is None and waited_ms >= PATIENCE_MS:
            self._end(Enough("nobody serves a state, and nobody has all blocks", again=True))
        elif self._now_ms >= self._ask_held_at_ms:
            self._ask_held_at_ms = self._now_ms + ASK_AGAIN_MS
            self._actions += [Say(peer, AskHeld()) for peer, _ in self._sources]

    # --- 2: prove -------------------------------------------------------------------------------------------------

    def _holders(self) -> list[tuple[bytes, Source]]:
        """Who serves the state and can be asked now."""
        return [each for each in self._sources.free(self._now_ms) if self._offers.has(each[0], self._wanted)]

    def _served(self, *, failures_max: int) -> bool:
        """Whether to go on with the state; else one is chosen anew, or none where nobody gives any and blocks do."""
        fruitless = self._offers.failures() > failures_max + FAILURES_MAX
        if fruitless and any(source.first == 1 for _, source in self._sources):
            self._end(Enough("nobody gives the state that is offered, and all blocks are to be had", again=True))
            return False
        if self._offers.is_served(self._wanted, failures_max=failures_max):
            return True
        self.phase, self._manifest, self._since_ms, self._offered_at_ms = Phase.GATHER, None, self._now_ms, None
        return False

    def _ask_manifest(self) -> None:
        assert self._wanted is not None, "a state has been chosen"
        if self._served(failures_max=0) and not self._sources.relied_on():
            for peer, source in self._holders()[:1]:
                height = self._wanted[0]
                self._put(peer, source, height, height, AskManifest(height))

    def _prove(self, peer: bytes, source: Source, height: int, data: bytes) -> None:
        """A late one counts too, though another state may have been chosen meanwhile."""
        if self._sources.answered(source, height) is None or self.phase not in (Phase.GATHER, Phase.PROVE):
            return
        try:
            manifest = read_manifest(data, self._genesis_id, self._authorities)
        except ManifestError as error:
            self._refuse(peer, f"manifest: {error}")
            return
        if manifest.height != height:
            self._refuse(peer, "manifest: of another height than was asked for")
            return
        state = (height, manifest.header.hash)
        if not self._offers.has(peer, state):
            self._offers.withdraw(peer, height)
            self._sources.fail(peer, now_ms=self._now_ms)
            return
        self._sources.serve(peer)
        self._wanted, self._manifest, self._reigns = state, manifest, ()
        self.phase = Phase.DONE  # until it is durable
        self._actions.append(Begin(manifest))

    # --- 3: parts -------------------------------------------------------------------------------------------------

    def _ask_parts(self) -> None:
        manifest = self._manifest
        assert manifest is not None, "a state has been proved"
        if len(self._done) == len(manifest.parts):
            self.phase = Phase.BLOCKS
            self._low = manifest.height + 1
            self._sources.forget_questions()  # numbers of parts are no heights
            self._ask_blocks()
            return
        if not self._served(failures_max=FAILURES_MAX):
            self._resumed = manifest  # if somebody comes who serves it still
            return
        for peer, source in self._holders():
            asked = {question.first for question in self._sources.relied_on()}
            todo = (n for n in range(len(manifest.parts)) if not (n in self._done or n in self._storing or n in asked))
            number = next(todo, None)
            if number is None or len(self._storing) + len(asked) >= STORING_MAX:
                return
            self._put(peer, source, number, number, AskPart(manifest.height, manifest.bits, number))

    def _take_part(self, peer: bytes, source: Source, height: int, number: int, entries: tuple[Entry, ...]) -> None:
        manifest = self._manifest
        if self.phase is not Phase.PARTS or manifest is None or height != manifest.height:
            return
        if self._sources.answered(source, number) is None or number in self._done or number in self._storing:
            return
        try:
            check_part(manifest.bits, number, manifest.parts[number], entries)
        except ProofError as error:
            self._refuse(peer, f"part {number}: {error}")
            return
        self._sources.serve(peer)
        self._storing.add(number)
        self._actions.append(Store(number, entries))

    # --- 4: the blocks below --------------------------------------------------------------------------------------

    def _ask_blocks(self) -> None:
        assert self._manifest is not None, "a state has been proved"
        if self._low <= self._first:
            self._end(Finish(self._manifest, self._first))
            return
        for peer, source in self._sources.free(self._now_ms):
            asked = self._sources.relied_on()
            found = self._next_range(source, {h for q in asked for h in range(q.first, q.last + 1)})
            if found is not None and len(asked) < RANGES_MAX:
                self._put(peer, source, *found, Ask(*found))

    def _next_range(self, source: Source, asked: set[int]) -> tuple[int, int] | None:
        """The highest range that is neither here nor asked for and that this source says it has."""
        least, most = max(self._first, source.first), min(self._low - 1, source.last)
        here = self._lower | asked
        last = next((height for height in range(most, least - 1, -1) if height not in here), None)
        if last is None:
            return None
        first = last
        while last + 1 - first < RANGE_HEIGHTS_MAX and first > least and first - 1 not in here:
            first -= 1
        return first, last

    def _take_blocks(self, peer: bytes, source: Source, first: int, pairs: tuple[tuple[bytes, bytes], ...]) -> None:
        question = self._sources.answered(source, first)
        if self.phase is not Phase.BLOCKS or question is None:
            return
        if not pairs:
            self._sources.fail(peer, now_ms=self._now_ms)
            return
        asked_for = pairs[: question.last + 1 - first]
        try:
            blocks = tuple(self._verified(pair, height) for height, pair in enumerate(asked_for, start=first))
        except ConsensusError as error:
            self._refuse(peer, f"blocks: {error}")
            return
        self._sources.serve(peer)
        self._keep(blocks)

    def _keep(self, blocks: tuple[Decided, ...]) -> None:
        """Keep what is neither here nor older than is needed. Nothing above the state: that would count as executed."""
        assert self._manifest is not None, "a state has been proved"
        oldest_ms = self._manifest.header.timestamp_ms - VALIDITY_MAX_MS
        old = [block.height for block in blocks if block.block.header.timestamp_ms < oldest_ms]
        self._first = max([self._first, *old])
        new = tuple(b for b in blocks if self._first <= b.height < self._low and b.height not in self._lower)
        self._lower.update(block.height for block in new)
        while self._low - 1 in self._lower:
            self._low -= 1
            self._lower.remove(self._low)
        self._actions.append(Keep(new))

    def _verified(self, pair: tuple[bytes, bytes], height: int) -> Decided:
        assert self._manifest is not None, "a state has been proved"
        decided = read_pair(pair, height)
        if not self._reigns:
            self._reigns = self._manifest.reigns(self._genesis_id, self._authorities)
        verify_decided(self._genesis_id, in_force(self._reigns, height), decided)
        return decided

    # --- all of them ----------------------------------------------------------------------------------------------

    def _put(self, peer: bytes, source: Source, first: int, last: int, message: SyncMessage) -> None:
        self._sources.ask(source, first, last, now_ms=self._now_ms)
        self._actions.append(Say(peer, message))

    def _refuse(self, peer: bytes, reason: str) -> None:
        self._sources.fail(peer, now_ms=self._now_ms)
        self._sources.leave(peer)
        self._offers.leave(peer)
        self._told.discard(peer)
        self._actions.append(Drop(peer, reason))

    def _end(self, action: Enough | Finish) -> None:
        self.phase = Phase.DONE
        self._actions.append(action)

    def _wait(self) -> None:
        """Nothing is to be done."""


# Methods of this class only, in this module only.
_HANDLERS: dict[type, Callable[[Fetching, Any], None]] = {
    Joined: Fetching._joined,
    Left: Fetching._left,
    Heard: Fetching._heard,
    Started: Fetching._started,
    Stored: Fetching._stored,
    Woken: Fetching._woken,
}
_PHASES: dict[Phase, Callable[[Fetching], None]] = {
    Phase.GATHER: Fetching._gather,
    Phase.PROVE: Fetching._ask_manifest,
    Phase.PARTS: Fetching._ask_parts,
    Phase.BLOCKS: Fetching._ask_blocks,
    Phase.DONE: Fetching._wait,
}
