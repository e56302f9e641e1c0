"""Links between nodes that can be slow, lossy or cut in either direction: one TCP proxy for each pair, in this process.

`chaos_namespaces` has real ones, where the machine allows it; these are for the others.

A lost segment shows above TCP as a pause until it is sent again, reordering as a pause of what came early; that is how
loss is made here, so that it needs no rights, and no netem in the kernel.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from node.network import split_address

__all__ = ["PERFECT", "Links", "Pair", "Quality"]

Pair = tuple[str, str]  # from, to

CHUNK = 65_536
RETRANSMIT_S = 0.2  # Linux's least time until a lost segment is sent again
CUT_POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Quality:
    """How a direction is: delay and its jitter in seconds, the chance that a chunk is lost at first, cut or not."""

    delay_s: float = 0.0
    jitter_s: float = 0.0
    loss: float = 0.0
    cut: bool = False


PERFECT = Quality()


class Links:
    """Proxies in a thread of their own. `targets` are the nodes' addresses, `faces` those at which each has each."""

    kind = "loopback, proxy"

    def __init__(self, targets: Mapping[str, str], faces: Mapping[Pair, str], seed: int) -> None:
        self._targets = {name: split_address(address) for name, address in targets.items()}
        self._faces = {pair: split_address(address) for pair, address in faces.items()}
        self.pairs = tuple(faces)
        self._quality: dict[Pair, Quality] = {}
        self._chance = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="links", daemon=True)
        self._thread.start()
        self.lost = 0
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def set(self, pairs: Iterable[Pair], quality: Quality) -> None:
        """These directions are like this from now on."""
        for pair in pairs:
            self._quality[pair] = quality

    def heal(self) -> None:
        """All links are perfect."""
        self._quality.clear()

    def close(self) -> None:
        """Close everything."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> None:
        for (source, target), (host, port) in self._faces.items():

            def welcome(
                reader: asyncio.StreamReader, writer: asyncio.StreamWriter, source: str = source, target: str = target
            ) -> asyncio.Task[None]:
                return asyncio.ensure_future(self._carry(source, target, reader, writer))

            await asyncio.start_server(welcome, host, port)

    async def _carry(
        self, source: str, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        host, port = self._targets[target]
        seen_from, _ = self._faces[target, source]  # the target has the source there, whoever of the two dials
        with contextlib.suppress(OSError):
            await self._open((source, target))
            onward, back = await asyncio.open_connection(host, port, local_addr=(seen_from, 0))
            ways = [
                asyncio.ensure_future(self._pump((source, target), reader, back)),
                asyncio.ensure_future(self._pump((target, source), onward, writer)),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                back.close()
        writer.close()

    async def _pump(self, pair: tuple[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Chunks arrive in order, each at its time: delay does not limit how many are on their way."""
        loop = asyncio.get_running_loop()
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)

        async def deliver() -> None:
            while True:
                due, data = await under_way.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                await self._open(pair)
                if not data:
                    return
                writer.write(data)
                await writer.drain()

        async def take() -> None:
            while data := await reader.read(CHUNK):
                await under_way.put((loop.time() + self._delay(pair), data))
            await under_way.put((loop.time(), b""))

        with contextlib.suppress(ExceptionGroup):  # of OSError: an end is gone
            async with asyncio.TaskGroup() as group:
                ended = group.create_task(deliver())
                taking = group.create_task(take())
                ended.add_done_callback(lambda _: taking.cancel())

    def _delay(self, pair: tuple[str, str]) -> float:
        quality = self._quality.get(pair, PERFECT)
        delay = quality.delay_s + self._chance.random() * quality.jitter_s
        while quality.loss and self._chance.random() < quality.loss:
            self.lost += 1
            delay += RETRANSMIT_S
        return delay

    async def _open(self, pair: tuple[str, str]) -> None:
        while self._quality.get(pair, PERFECT).cut:  # noqa: ASYNC110 - set from another thread
            await asyncio.sleep(CUT_POLL_S)

    async def _end(self) -> None:
        me = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not me]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
