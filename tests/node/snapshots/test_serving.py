"""Questions about states: a few of each peer are being answered at a time, and those beyond are no lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from node.network import Channel, Mesh, Peer
from node.snapshots.held import HeldStates
from node.snapshots.messages import (
    AskHeld,
    AskManifest,
    AskPart,
    Gone,
    Held,
    SnapshotMessage,
    decode_snapshot_message,
)
from node.snapshots.serving import SERVED_MAX, StateServer
from node.store import MemoryStore
from node.worker import Worker

A, B = (Peer(name * 32, name.decode(), "observer", "", name) for name in (b"A", b"B"))


class Desk:
    """A server of no states whose reader does nothing before it is told to; what it sends, and for whom it reads."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, SnapshotMessage]] = []
        self.sources: list[str] = []
        self._jobs: list[Callable[[], None]] = []
        self.server = StateServer(HeldStates(MemoryStore()), cast("Mesh", self), cast("Worker", self))

    def ask(self, peer: Peer, message: SnapshotMessage, *, times: int = 1) -> None:
        for _ in range(times):
            self.server.received(peer, message)

    def read(self) -> None:
        jobs, self._jobs = self._jobs, []
        for job in jobs:
            job()

    def send(self, peer: bytes, channel: Channel, payload: bytes) -> None:
        assert channel is Channel.SYNC
        self.sent.append((peer, decode_snapshot_message(payload)))

    def do(self, job: Callable[[], Any], then: Callable[[Any], None], *, source: str) -> None:
        self.sources.append(source)
        self._jobs.append(lambda: then(job()))


def test_what_is_asked_beyond_a_few_questions_at_a_time_is_not_answered_and_breaks_no_rule() -> None:
    """They count on over connections, and it is this node that is slow: an honest peer that came back asks as much."""
    desk = Desk()
    desk.ask(A, AskPart(7, 4, 0), times=SERVED_MAX + 3)
    desk.ask(A, AskHeld())
    assert desk.sent == [(A.id, Held(()))], "that needs no reading"
    desk.sent.clear()
    desk.read()
    assert desk.sent == [(A.id, Gone(7))] * SERVED_MAX
    desk.ask(A, AskManifest(8))
    desk.read()
    assert desk.sent[SERVED_MAX:] == [(A.id, Gone(8))]


def test_each_peer_has_its_own_turn_and_its_own_count() -> None:
    desk = Desk()
    desk.ask(A, AskManifest(7), times=SERVED_MAX + 1)
    desk.ask(B, AskManifest(7))
    assert desk.sources == [A.id.hex()] * SERVED_MAX + [B.id.hex()]
    desk.read()
    assert desk.sent.count((B.id, Gone(7))) == 1
