"""One engine as a state machine that can be run again: what the exhaustive search walks through.

A local state is what an engine may still do: its rules read nothing but what `essence` keeps. Timers, checks and builds
are instantaneous or at the adversary's will, so there is no time in it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from consensus.authorities import AuthoritySet
from consensus.blocks import Block
from consensus.engine import Engine
from consensus.events import (
    Broadcast,
    Build,
    Built,
    Check,
    Checked,
    Commit,
    Event,
    Persist,
    Received,
    Send,
    Start,
    Timer,
    TimerName,
    Verdict,
    Work,
)
from consensus.journal import Standing, standing_put
from consensus.messages import Body, Message, Proposal
from consensus.parameters import Parameters
from consensus.simulation.invariants import votes_in
from consensus.simulation.memo import Memo, RememberedSigner
from consensus.votes import Certificate, Kind
from registry.codec import decode
from registry.keys import SigningKey

__all__ = ["Fact", "Machine", "Restart", "Ring", "Setting", "Step", "Tell"]

Fact: TypeAlias = tuple[Kind, int, bytes | None]
"""A vote without its signer."""


@dataclass(frozen=True, slots=True)
class Tell:
    """The adversary delivers a message."""

    peer: bytes
    message: Message


@dataclass(frozen=True, slots=True)
class Ring:
    """The adversary lets a timer go off."""

    name: TimerName


@dataclass(frozen=True, slots=True)
class Restart:
    """The adversary cuts the power, and restores it."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something happens; the power is cut once `persists` writes of it are durable, if that is not None."""

    what: Tell | Ring | Restart
    persists: int | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What all machines of a search share. `blocks`: the block that an honest authority builds, by its key;
    `every_block`: all that there are, by hash: who wants one has it at once."""

    parameters: Parameters
    authorities: AuthoritySet
    blocks: dict[bytes, Block]
    every_block: dict[bytes, Block]
    memo: Memo
    views: int
    """How many are explored: nobody votes in a later one."""


class _PowerCut(Exception):
    """As planned by a step."""


class Machine:
    """An authority's engine at height 1, its disk, and what it has ever said."""

    def __init__(self, setting: Setting, key: SigningKey) -> None:
        self._setting = setting
        self._signer = RememberedSigner(key, setting.memo)
        self.record = dict([standing_put(key.public_key, Standing.GOOD)])
        self.said: set[Fact] = set()
        self.proposed: set[Proposal] = set()
        self.committed: bytes | None = None
        self._persists_left: int | None = None
        self.persists = 0
        """How many writes the latest step has made."""
        self.start()

    def start(self) -> None:
        """Switch on with what is on the disk."""
        setting = self._setting
        self.engine = Engine(setting.parameters, self._signer, verifier=setting.memo.verify)
        tip = setting.parameters.genesis_id
        self._do(Start(tip_height=0, tip=tip, authorities=setting.authorities, record=dict(self.record)))
        self._do(Work(True))

    def run(self, steps: Sequence[Step]) -> Machine:
        """Do all of these."""
        for step in steps:
            self.step(step)
        return self

    def step(self, step: Step) -> None:
        """Do this one. Nothing happens to a machine that has committed."""
        if self.committed is not None:
            return
        self._persists_left, self.persists = step.persists, 0
        what = step.what
        try:
            if isinstance(what, Tell):
                self._do(Received(what.peer, what.message))
            elif isinstance(what, Ring):
                token = self.engine._state.pending.get(what.name)
                if token is not None:
                    self._do(Timer(what.name, token))
            else:
                self.start()
        except _PowerCut:
            self._persists_left = None
            self.start()

    def _do(self, event: Event) -> None:
        events = deque([event])
        while events and self.committed is None:
            for action in self.engine.handle(events.popleft()):
                if isinstance(action, Persist):
                    self._persist(action)
                elif isinstance(action, Broadcast | Send):
                    self._say(action.message)
                elif isinstance(action, Check):
                    events.append(Checked(action.block.hash, Verdict.VALID))
                elif isinstance(action, Build) and self.engine.view < self._setting.views:
                    events.append(Built(self._setting.blocks[action.proposer]))
                elif isinstance(action, Commit):
                    self.committed = action.block.hash
            wanted = self.engine._state.h.wanted()
            if wanted is not None and wanted.block in self._setting.every_block and self.committed is None:
                body = Body(self._setting.every_block[wanted.block])
                events.append(Received(self._setting.authorities.members[0].public_key, body))

    def _persist(self, action: Persist) -> None:
        self.record.update(action.puts)
        for key in action.deletes:
            self.record.pop(key, None)
        self.persists += 1
        if self._persists_left is not None:
            self._persists_left -= 1
            if self._persists_left == 0:
                raise _PowerCut

    def _say(self, message: Message) -> None:
        for vote in votes_in(message):
            if vote.signer == self._signer.public_key:
                self.said.add((vote.kind, vote.view, vote.block))
        if isinstance(message, Proposal):
            self.proposed.add(message)

    def can_vote_on(self) -> bool:
        """Whether the view in progress is one of those explored."""
        return self.engine.view < self._setting.views

    def timers(self) -> list[TimerName]:
        """The timers that may go off and matter: resending says nothing new, fetching asks for what is told anyway."""
        pending = self.engine._state.pending
        return [name for name in (TimerName.VIEW, TimerName.GRACE) if name in pending and self.can_vote_on()]

    def visible(self) -> Hashable:
        """What somebody else can notice of it, now or by what it does after a restart."""
        engine = self.engine
        own = frozenset((kind, view, vote.block) for (kind, view), vote in engine._state.h.own.items())
        standing = (engine.standing, frozenset(engine._state.alarms), self.committed)
        return (engine.view, own, standing, frozenset(self.said), frozenset(map(_essence_of, self.proposed)))

    def essence(self) -> Hashable:
        """All that the rules, and a restart, can see of this machine; two machines of one role with equal ones behave
        alike. Without: signatures and who signed, single votes (counted by their certificates), tokens, whom to ask.
        """
        if self.committed is not None:
            return (self.committed, frozenset(self.said))
        state = self.engine._state
        h = state.h
        leaders = [h.authorities.leader(1, view).public_key for view in range(self._setting.views)]
        led = [h.tally.vote(Kind.NOTARIZE, view, leader) for view, leader in enumerate(leaders)]
        return (
            h.view,
            frozenset((kind, view, vote.block) for (kind, view), vote in h.own.items()),
            frozenset((held.kind, held.view, held.block) for held in self.engine.certificates()),
            frozenset((view, _essence_of(proposal)) for view, proposal in h.proposals.items()),
            frozenset(h.blocks),
            frozenset((block, verdict) for block, verdict in h.verdicts.items()),
            frozenset(h.refused),
            frozenset(self.timers()),
            tuple(None if vote is None else vote.block for vote in led),
            (h.armed, h.building_in, h.grace_over_in, state.standing, frozenset(state.alarms)),
            frozenset(_record_essence(key, value) for key, value in self.record.items()),
            frozenset(self.said),
            frozenset(map(_essence_of, self.proposed)),
        )


def _essence_of(proposal: Proposal) -> Hashable:
    certificates = proposal.bundle.certificates()
    return (proposal.vote.view, proposal.block.hash, tuple((held.kind, held.view, held.block) for held in certificates))


def _record_essence(key: bytes, value: bytes) -> Hashable:
    if key.startswith(b"certificate/"):
        held = Certificate.from_value(decode(value))
        return (key, held.block)
    if key.startswith(b"vote/"):
        fields = decode(value)
        assert isinstance(fields, list)
        return (key, fields[3])
    return b"standing" if key.startswith(b"standing/") else key
