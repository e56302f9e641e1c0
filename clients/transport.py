"""Drives procedures over HTTP (httpx): signed requests, several nodes, failover, bounded retries. Sync and async.

Every request is safe to send twice: reads change nothing, and a submission is recognised by its transaction id. So a
node that does not answer is simply followed by the next one. Answers are bounded in size and time while they arrive.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

import httpx

from clients.errors import ClientError, ProofInvalid, Unreachable
from clients.exchange import Call, Procedure, Reply
from registry.http_signatures import sign_request
from registry.keys import Signer

__all__ = ["AsyncTransport", "Settings", "Transport"]

T = TypeVar("T")

ROUNDS = 4  # times through the list of nodes before giving up
BACKOFF_S = 0.25  # before the second round; doubles each round
ANSWER_BYTES_MAX = 32 * 1024 * 1024
ANSWER_WITHIN_S = 60.0  # from its first byte to its last
CONNECT_WITHIN_S = 3.0
PORT_MAX = 65_535
TURNED_AWAY = 401  # by a node that does not know the party yet, or whose clock is wrong: another one may be better
RETRY_STATUS = frozenset({429, *range(500, 600)})


@dataclass(frozen=True, slots=True)
class Settings:
    """Where and how to ask. `urls` in order of preference; `verify` is httpx's (a CA file for a private one)."""

    urls: tuple[str, ...]
    signer: Signer | None
    timeout_s: float = 10.0
    verify: bool | str = True

    def __post_init__(self) -> None:
        if not self.urls:
            raise ClientError("no node to ask: give at least one URL")
        object.__setattr__(self, "urls", tuple(dict.fromkeys(_checked(url) for url in self.urls)))

    @property
    def trusted(self) -> bool | str:
        """`verify`; nothing if no URL is https, which saves reading the certificates of the world."""
        return self.verify if any(url.startswith("https:") for url in self.urls) else False


class Transport:
    """Blocking driver. Use as a context manager, or call `close`."""

    def __init__(self, settings: Settings, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._settings = settings
        self._order = _Order(settings.urls)
        self._sleep = sleep
        self._http = httpx.Client(verify=settings.trusted)

    def run(self, procedure: Procedure[T]) -> T:
        """The procedure's result; its errors pass through. Raises `Unreachable` if no node answers."""
        node = ""
        try:
            call = next(procedure)
            while True:
                try:
                    reply = self._perform(call)
                except Unreachable as error:
                    call = procedure.throw(error)
                    continue
                node = reply.node
                call = procedure.send(reply)
        except StopIteration as stop:
            result: T = stop.value
            return result
        except ProofInvalid as error:
            error.node = node
            raise

    def _perform(self, call: Call) -> Reply:
        tries = _Tries(self._order.of(call))
        for url, pause_s in tries:
            if pause_s:
                self._sleep(pause_s)
            try:
                reply = self._ask(url, call)
            except (httpx.RequestError, _Unusable) as error:
                tries.failed(url, error)
                continue
            if tries.settled_by(reply):
                break
        return self._order.settled(tries.outcome())

    def _ask(self, url: str, call: Call) -> Reply:
        with contextlib.closing(self._http.send(_request(self._settings, url, call), stream=True)) as response:
            body = _Body()
            for chunk in response.iter_bytes():
                body.add(chunk)
            return Reply(response.status_code, bytes(body.data), url)

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncTransport:
    """The same, for asyncio. Use as an async context manager, or call `aclose`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._order = _Order(settings.urls)
        self._http = httpx.AsyncClient(verify=settings.trusted)

    async def run(self, procedure: Procedure[T]) -> T:
        """As `Transport.run`."""
        node = ""
        try:
            call = next(procedure)
            while True:
                try:
                    reply = await self._perform(call)
                except Unreachable as error:
                    call = procedure.throw(error)
                    continue
                node = reply.node
                call = procedure.send(reply)
        except StopIteration as stop:
            result: T = stop.value
            return result
        except ProofInvalid as error:
            error.node = node
            raise

    async def _perform(self, call: Call) -> Reply:
        tries = _Tries(self._order.of(call))
        for url, pause_s in tries:
            if pause_s:
                await asyncio.sleep(pause_s)
            try:
                reply = await self._ask(url, call)
            except (httpx.RequestError, _Unusable) as error:
                tries.failed(url, error)
                continue
            if tries.settled_by(reply):
                break
        return self._order.settled(tries.outcome())

    async def _ask(self, url: str, call: Call) -> Reply:
        async with contextlib.aclosing(
            await self._http.send(_request(self._settings, url, call), stream=True)
        ) as response:
            body = _Body()
            async for chunk in response.aiter_bytes():
                body.add(chunk)
            return Reply(response.status_code, bytes(body.data), url)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class _Order:
    """In which order the nodes are tried: who answered last comes first, unless somebody else is asked for."""

    def __init__(self, urls: tuple[str, ...]) -> None:
        self._urls = urls
        self._last: int | None = None

    def of(self, call: Call) -> tuple[str, ...]:
        first = 0 if self._last is None else self._last + (1 if call.elsewhere else 0)
        first %= len(self._urls)
        return self._urls[first:] + self._urls[:first]

    def settled(self, reply: Reply) -> Reply:
        self._last = self._urls.index(reply.node)
        return reply


class _Tries:
    """One call: the nodes to try, each with the seconds to wait before it, and what came of those tried."""

    def __init__(self, urls: tuple[str, ...]) -> None:
        self._urls = urls
        self._problems: list[str] = []
        self._reply: Reply | None = None

    def __iter__(self) -> Iterator[tuple[str, float]]:
        for round_ in range(ROUNDS):
            for step, url in enumerate(self._urls):
                yield url, BACKOFF_S * 2 ** (round_ - 1) if round_ and not step else 0.0
            if self._reply is not None:
                return

    def failed(self, url: str, error: Exception) -> None:
        self._problems.append(f"{url}: {type(error).__name__.lstrip('_')} {error}".rstrip())

    def settled_by(self, reply: Reply) -> bool:
        """Whether this reply is the answer; otherwise another node should be asked."""
        if reply.status in RETRY_STATUS:
            self._problems.append(f"{reply.node}: HTTP {reply.status}")
            return False
        if reply.status != TURNED_AWAY or self._reply is None:
            self._reply = reply
        return reply.status != TURNED_AWAY

    def outcome(self) -> Reply:
        """The answer; if all turned the caller away, the first to do so. Raises `Unreachable`."""
        if self._reply is None:
            raise Unreachable("no node answered: " + "; ".join(dict.fromkeys(self._problems)))
        return self._reply


class _Unusable(Exception):
    """An answer that is too large or too slow."""


class _Body:
    """An answer's body as it arrives."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._until = time.monotonic() + ANSWER_WITHIN_S

    def add(self, chunk: bytes) -> None:
        if len(self.data) + len(chunk) > ANSWER_BYTES_MAX:
            raise _Unusable(f"the answer has more than {ANSWER_BYTES_MAX} bytes")
        if time.monotonic() > self._until:
            raise _Unusable(f"the answer took more than {ANSWER_WITHIN_S:g} s")
        self.data += chunk


def _request(settings: Settings, url: str, call: Call) -> httpx.Request:
    headers = {"content-type": call.content_type} if call.body else {}
    full = url + call.path
    if settings.signer is not None:
        headers |= sign_request(
            call.method,
            full,
            headers,
            call.body,
            settings.signer,
            created_s=int(time.time()),
            nonce=secrets.token_hex(16),
        )
    timeout = httpx.Timeout(settings.timeout_s + call.wait_s, connect=min(CONNECT_WITHIN_S, settings.timeout_s))
    return httpx.Request(
        call.method, full, headers=headers, content=call.body, extensions={"timeout": timeout.as_dict()}
    )


def _checked(url: str) -> str:
    """A node's URL without a slash at its end. Raises `ClientError`."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ClientError(f"{url}: not a URL: {error}") from error
    port_known = parsed.port is None or 0 < parsed.port <= PORT_MAX
    if parsed.scheme not in ("http", "https") or not parsed.host or not port_known or parsed.query or parsed.fragment:
        raise ClientError(f"{url}: not a node's URL: such as https://node.example:8001")
    return url.rstrip("/")
