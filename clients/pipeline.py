"""Long runs of batches, a few transactions in flight at a time: the one way that many rows reach the ledger.

The nodes have the next batch while they agree on this one. Batches are sent in order and settled in order; in which
order they become final is not promised, because another leader may have got a later one first. So what depends on
another operation belongs into the same transaction, or into a later run.

Nothing here is remembered: whoever must survive a kill keeps a submission where `signed` makes it, and what became of
it where `settled` hears of it (`clients.runs`). To send again what was sent is harmless.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeVar

from clients import reads
from clients.errors import ClientError, Rejected
from clients.exchange import Procedure
from clients.session import Session, offer, until_final
from clients.submission import Submission
from clients.verify import Final

__all__ = ["IN_FLIGHT", "RunStopped", "send_all"]

IN_FLIGHT = 8  # transactions: some are in the block that is agreed on, the others wait for the next
_FULL = frozenset({"mempool_full", "sender_full"})

T = TypeVar("T")


class RunStopped(ClientError):
    """A run of batches stopped; the error that stopped it is the cause.

    `settled` has heard of every batch that is known to be final. `undecided` were sent, or may have been, oldest first:
    each may be on the ledger or get there later, so hand them to `resume` before their rows are signed again.
    """

    def __init__(self, cause: ClientError, undecided: tuple[Submission, ...]) -> None:
        super().__init__(str(cause))
        self.undecided = undecided
        self.submission = undecided[0] if undecided else cause.submission


def send_all(
    session: Session,
    batches: Iterable[T],
    *,
    signed: Callable[[T], Procedure[Submission]],
    settled: Callable[[T, Final], None],
) -> Procedure[None]:
    """Sign and submit every batch, and wait until all are final; the first one that fails stops the run.

    `batches` is read as there is room for more. `settled` hears of each final batch, its receipts verified, in order;
    when the run stops, also of those behind the failed one that are final. Raises `RunStopped`.
    """
    waiting: deque[tuple[T, Submission]] = deque()
    try:
        for batch in batches:
            if len(waiting) >= IN_FLIGHT:
                yield from _settle_first(session, waiting, settled)
            submission = yield from signed(batch)
            session.sending(submission)
            waiting.append((batch, submission))
            while not (yield from _taken(submission, may_wait=len(waiting) > 1)):
                yield from _settle_first(session, waiting, settled)
        while waiting:
            yield from _settle_first(session, waiting, settled)
    except ClientError as error:
        undecided = yield from _looked_up(session, waiting, settled)
        raise RunStopped(error, undecided) from error


def _settle_first(
    session: Session, waiting: deque[tuple[T, Submission]], settled: Callable[[T, Final], None]
) -> Procedure[None]:
    batch, submission = waiting[0]
    final = yield from until_final(session, submission)
    waiting.popleft()
    session.settled(submission)
    settled(batch, final)


def _taken(submission: Submission, *, may_wait: bool) -> Procedure[bool]:
    """Whether a node has it now; False if all are full, which passes when something of this run is final."""
    try:
        yield from offer(submission)
    except Rejected as error:
        if may_wait and error.code in _FULL:
            return False
        raise
    return True


def _looked_up(
    session: Session, waiting: Iterable[tuple[T, Submission]], settled: Callable[[T, Final], None]
) -> Procedure[tuple[Submission, ...]]:
    """One look at what is in flight when a run stops: the submissions that are not known to be final."""
    undecided: list[Submission] = []
    silent = False
    for batch, submission in waiting:
        final: Final | None = None
        if not silent:
            try:
                final = yield from reads.transaction(session, submission.transaction_id, submission.operations)
            except ClientError:
                silent = True  # the run's own error says why; these stay undecided
        if final is None:
            undecided.append(submission)
        else:
            session.settled(submission)
            settled(batch, final)
    return tuple(undecided)
