"""One engine on the bench: events in by hand, actions out, with a durable record and no world around it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from consensus.blocks import Block
from consensus.engine import Engine
from consensus.events import (
    Action,
    Broadcast,
    Built,
    Check,
    Checked,
    Commit,
    Committed,
    Event,
    Persist,
    Received,
    Send,
    SetTimer,
    Start,
    Timer,
    TimerName,
    Verdict,
    Work,
)
from consensus.messages import Bundle, HeldVotes, Message, Proposal
from consensus.parameters import Parameters
from consensus.votes import Certificate, Kind, Vote
from tests.consensus.fixtures import GENESIS_ID, authorities_of, block_of, certificate_of, key_of, vote_of

A = TypeVar("A", bound=Action)
M = TypeVar("M", bound=Message)

PARAMETERS = Parameters(genesis_id=GENESIS_ID, base_ms=1_000, cap_ms=30_000, heartbeat_ms=60_000)


class Bench:
    """The engine of authority number `me` of `n`, at height 1. The leader of height 1, view v is number (1 + v) % n."""

    def __init__(
        self, *, me: int | None, n: int = 4, record: Mapping[bytes, bytes] | None = None, cleared: bool = True
    ) -> None:
        self.me, self.n = me, n
        self.authorities = authorities_of(n)
        self.record = dict(record or {})
        self.engine = Engine(PARAMETERS, None if me is None else key_of(me))
        self.actions: list[Action] = []
        self.timers: dict[TimerName, SetTimer] = {}
        self.give(Start(tip_height=0, tip=GENESIS_ID, authorities=self.authorities, record=dict(self.record)))
        if cleared:
            for other in range(n):
                if other != me:
                    self.hear(other, HeldVotes(1, ()))

    def give(self, event: Event) -> list[Action]:
        """Hand in an event; the actions are returned, and the record is kept."""
        self.actions = list(self.engine.handle(event))
        for action in self.actions:
            if isinstance(action, Persist):
                self.record.update(action.puts)
                for key in action.deletes:
                    del self.record[key]
            elif isinstance(action, SetTimer):
                self.timers[action.name] = action
        return self.actions

    def hear(self, peer: int, message: Message) -> list[Action]:
        """A message from authority number `peer`."""
        return self.give(Received(key_of(peer).public_key, message))

    def vote(self, signer: int, kind: Kind, view: int, block: bytes | None = None) -> list[Action]:
        """Hear a vote of this height."""
        return self.hear(signer, vote_of(signer, kind, self.engine.height, view, block))

    def ring(self, name: TimerName) -> list[Action]:
        """The timer that is set goes off."""
        return self.give(Timer(name, self.timers[name].token))

    def block(self, proposer: int, **fields: int) -> Block:
        """A block on genesis by this authority."""
        return block_of(self.authorities, height=1, parent=GENESIS_ID, proposer=proposer, **fields)

    def proposal(self, view: int, block: Block | None = None, bundle: Bundle | None = None) -> Proposal:
        """The proposal of the leader of `view`."""
        leader = (1 + view) % self.n
        block = block or self.block(leader)
        return Proposal(vote_of(leader, Kind.NOTARIZE, 1, view, block.hash), block, bundle or Bundle(None, ()))

    def propose(self, view: int, block: Block | None = None, bundle: Bundle | None = None) -> list[Action]:
        """Hear that proposal from its leader."""
        return self.hear((1 + view) % self.n, self.proposal(view, block, bundle))

    def check(self, block: Block, verdict: Verdict = Verdict.VALID) -> list[Action]:
        """The runner's verdict."""
        return self.give(Checked(block.hash, verdict))

    def committed(self, block: Block) -> list[Action]:
        """The runner has made this block final."""
        for action in [action for action in self.actions if isinstance(action, Commit)]:
            for key in action.clears:
                del self.record[key]
        header = block.header
        return self.give(Committed(height=header.height, block=block.hash, next_authorities=self.authorities))

    def build(self, block: Block) -> list[Action]:
        """The runner has built this block."""
        return self.give(Built(block))

    def work(self) -> list[Action]:
        """There is something to include."""
        return self.give(Work(True))

    def all(self, kind: type[A]) -> list[A]:
        """The latest actions of this type."""
        return [action for action in self.actions if isinstance(action, kind)]

    def said(self, kind: type[M]) -> list[M]:
        """The messages of this type in the latest broadcasts."""
        return [action.message for action in self.all(Broadcast) if isinstance(action.message, kind)]

    def sent(self, kind: type[M], peer: int) -> list[M]:
        """The messages of this type in the latest sends to a peer."""
        key = key_of(peer).public_key
        return [action.message for action in self.all(Send) if action.peer == key and isinstance(action.message, kind)]

    def voted(self) -> list[tuple[Kind, int, bytes | None]]:
        """Kind, view and block of the votes in the latest broadcasts, proposals included."""
        votes = self.said(Vote) + [proposal.vote for proposal in self.said(Proposal)]
        return [(vote.kind, vote.view, vote.block) for vote in votes]

    def checks(self) -> list[Block]:
        """The blocks that the latest actions ask the runner to check."""
        return [action.block for action in self.all(Check)]

    def certificate(self, kind: Kind, view: int, block: bytes | None = None, *signers: int) -> Certificate:
        """A certificate of height 1 by the members named, or by all but this one."""
        others = tuple(number for number in range(self.n) if number != self.me)
        return certificate_of(kind, 1, view, block, signers or others, self.n)
