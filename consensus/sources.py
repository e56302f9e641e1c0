"""Peers as sources of what this node fetches: who has been asked, who may be asked, who has failed.

A source is asked one question at a time. Whoever does not answer in time, or answers with something that no honest
peer says, is passed over for a while, twice as long after each failure in a row, and others are asked. There is no
score beside that: nobody is preferred for being fast. An answer that comes late is still an answer, so that a network
in which everybody is slow goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["ANSWER_TIMEOUT_MS", "PASS_OVER_MAX_MS", "PASS_OVER_MS", "Question", "Source", "Sources"]

ANSWER_TIMEOUT_MS = 4_000
PASS_OVER_MS = 10_000  # a peer that failed once is not asked again for so long
PASS_OVER_MAX_MS = 320_000
_FAULTS_COUNTED = 6  # beyond, the time is the longest anyway


@dataclass(frozen=True, slots=True)
class Question:
    """What a source was asked for: the numbers `first` to `last` of something, to be answered by `deadline_ms`."""

    first: int
    last: int
    deadline_ms: int


@dataclass(slots=True)
class Source:
    """One peer. It says that it has the numbers `first` to `last`, which nobody believes before they have come."""

    votes: bool
    connected: bool = True
    first: int = 1
    last: int = 0
    question: Question | None = None
    late: bool = False
    """The question's time is over: others may be asked the same, but an answer still counts."""
    faults: int = 0
    not_before_ms: int = 0
    asked: int = 0
    """Which of all questions was put to it last: those who waited longest are asked first."""


class Sources:
    """All peers ever seen; they are members of the network, so there are not many."""

    def __init__(self) -> None:
        self._all: dict[bytes, Source] = {}
        self._questions = 0

    def __iter__(self) -> Iterator[tuple[bytes, Source]]:
        """Connected peers, in the order in which they came first."""
        return ((peer, source) for peer, source in self._all.items() if source.connected)

    def highest(self) -> int:
        """The last number that some connected peer says it has; 0 if none does."""
        return max([source.last for source in self._all.values()], default=0)  # who has left claims nothing

    def get(self, peer: bytes) -> Source | None:
        """A peer, if it is connected."""
        source = self._all.get(peer)
        return source if source is not None and source.connected else None

    def join(self, peer: bytes, *, votes: bool) -> None:
        """There is a connection. What the peer did before is not forgotten: a liar that comes back is still one."""
        source = self._all.setdefault(peer, Source(votes))
        source.connected, source.votes = True, votes

    def leave(self, peer: bytes) -> None:
        """There is no connection any more: what was asked will not be answered, what was claimed does not count."""
        source = self._all.get(peer)
        if source is not None:
            source.connected, source.question, source.late = False, None, False
            source.first, source.last = 1, 0

    def free(self, now_ms: int) -> list[tuple[bytes, Source]]:
        """Whom a question can be put to: those who failed least, and of them who was asked longest ago, first."""
        free = [
            (peer, source)
            for peer, source in self
            if source.not_before_ms <= now_ms and (source.question is None or source.late)
        ]
        return sorted(free, key=lambda each: (each[1].faults, each[1].asked))

    def ask(self, source: Source, first: int, last: int, *, now_ms: int) -> None:
        """The question is put to it now."""
        self._questions += 1
        source.asked, source.late = self._questions, False
        source.question = Question(first, last, now_ms + ANSWER_TIMEOUT_MS)

    def relied_on(self) -> list[Question]:
        """Questions that need not be put to anybody else: they wait, in time, for peers that have not failed.

        What a peer was asked that has failed before is asked of others too. Otherwise peers that fail together would
        be asked again together, and the same one of them would be in the way of the rest each time.
        """
        return [question for _, source, question in self._waiting() if source.faults == 0]

    def expire(self, now_ms: int) -> list[bytes]:
        """Pass over whoever has not answered in time; returns them."""
        overdue = [peer for peer, source, question in self._waiting() if question.deadline_ms <= now_ms]
        for peer in overdue:
            self._all[peer].late = True
            self.fail(peer, now_ms=now_ms)
        return overdue

    def answered(self, source: Source, first: int) -> Question | None:
        """The question that an answer beginning at `first` belongs to, which is settled by it; None: to none."""
        question = source.question
        if question is None or question.first != first:
            return None
        source.question, source.late = None, False
        return question

    def forget_questions(self) -> None:
        """What was asked is of no use any more, and what answers it belongs to nothing."""
        for _, source in self:
            source.question, source.late = None, False

    def fail(self, peer: bytes, *, now_ms: int) -> None:
        """The peer did not do what an honest and quick one does."""
        source = self._all[peer]
        source.faults = min(source.faults + 1, _FAULTS_COUNTED)
        source.not_before_ms = now_ms + min(PASS_OVER_MS << source.faults - 1, PASS_OVER_MAX_MS)

    def serve(self, peer: bytes) -> None:
        """Something that the peer sent has been verified."""
        self._all[peer].faults = 0

    def next_due_ms(self, now_ms: int) -> int | None:
        """When the next answer is overdue or the next peer may be asked again."""
        due = [question.deadline_ms for _, _, question in self._waiting()]
        due += [each.not_before_ms for each in self._all.values() if each.connected and each.not_before_ms > now_ms]
        return min(due, default=None)

    def _waiting(self) -> list[tuple[bytes, Source, Question]]:
        """Questions that can still be answered in time; nothing is asked of who is not connected."""
        return [
            (peer, source, source.question)
            for peer, source in self._all.items()
            if source.question is not None and not source.late
        ]
