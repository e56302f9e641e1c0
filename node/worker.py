"""Threads that do one kind of work, in order or in turns, and bring results back to the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import TypeAlias, TypeVar

from node.fairness import FairQueue

__all__ = ["Fail", "Worker"]

_T = TypeVar("_T")
_Job: TypeAlias = Callable[[], Callable[[], None]]  # returns what to do with its result on the loop
Fail = Callable[[BaseException], None]
"""Called when something happened after which this node must not go on. Never raises."""


class Worker:
    """One thread. Jobs of one source are done in the order given, those of several in turns; results arrive on the loop
    in the order in which they were done. Where nobody names a source, that is the order given.

    An exception that a job raises is passed to `fail`: jobs return what may go wrong as values.
    """

    def __init__(self, name: str, fail: Fail) -> None:
        self._loop = asyncio.get_running_loop()
        self._fail = fail
        self._closed = False
        self._jobs: FairQueue[_Job] = FairQueue()
        self._lock = Lock()  # of the jobs
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)

    def do(self, job: Callable[[], _T], then: Callable[[_T], None], *, source: str = "") -> None:
        """Do `job` in the thread, then call `then` with its result on the loop. After `close` nothing is done.

        `source`: who it is done for, if many share the thread and none is to wait for all that another asks.
        """
        if self._closed:
            return

        def work() -> Callable[[], None]:
            result = job()
            return lambda: then(result)

        with self._lock:
            self._jobs.put(source, work)
        self._pool.submit(self._next).add_done_callback(self._done)

    async def run(self, job: Callable[[], _T]) -> _T:
        """Do `job` in the thread and wait for its result.

        Whoever waits goes on a little later than what `do` calls: where order counts, use `do`.
        """
        result: asyncio.Future[_T] = self._loop.create_future()

        def settle(value: _T) -> None:
            if not result.done():
                result.set_result(value)

        self.do(job, settle)
        return await result

    async def close(self) -> None:
        """Finish the job under way, forget the others, and end the thread."""
        self._closed = True
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)

    def _next(self) -> Callable[[], None]:
        """In the thread, once for each job: do the one whose turn it is."""
        with self._lock:
            work = self._jobs.take()
        return work()

    def _done(self, future: Future[Callable[[], None]]) -> None:
        if not future.cancelled() and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._deliver, future)

    def _deliver(self, future: Future[Callable[[], None]]) -> None:
        try:
            future.result()()
        except Exception as error:  # noqa: BLE001 - reported, and fatal
            self._fail(error)
