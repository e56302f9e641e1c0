"""Threads that do one kind of work, in order, and bring results back to the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["Fail", "Worker"]

_T = TypeVar("_T")
Fail = Callable[[BaseException], None]
"""Called when something happened after which this node must not go on. Never raises."""


class Worker:
    """One thread. Jobs are done in the order given; results arrive on the loop in the same order.

    An exception that a job raises is passed to `fail`: jobs return what may go wrong as values.
    """

    def __init__(self, name: str, fail: Fail) -> None:
        self._loop = asyncio.get_running_loop()
        self._fail = fail
        self._closed = False
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)

    def do(self, job: Callable[[], _T], then: Callable[[_T], None]) -> None:
        """Do `job` in the thread, then call `then` with its result on the loop. After `close` nothing is done."""
        if self._closed:
            return

        def done(future: Future[_T]) -> None:
            if not future.cancelled() and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._deliver, future, then)

        self._pool.submit(job).add_done_callback(done)

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

    def _deliver(self, future: Future[_T], then: Callable[[_T], None]) -> None:
        try:
            then(future.result())
        except Exception as error:  # noqa: BLE001 - reported, and fatal
            self._fail(error)
