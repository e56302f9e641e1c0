"""Connections are bounded before there is a request: their number, and how long and how large a head may be."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import uvicorn

from node.api import limits
from node.api.connections import BoundedHttp
from tests.conftest import PATIENCE_S, eventually
from tests.node.api.live import _Server

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def empty(scope: dict[str, object], receive: object, send: object) -> None:
    """An application that says nothing, successfully."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 204, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b""})  # type: ignore[operator]


@pytest.fixture
async def port() -> AsyncIterator[int]:
    config = uvicorn.Config(empty, port=0, http=BoundedHttp, lifespan="off", log_config=None)  # type: ignore[arg-type]
    server = _Server(config)
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = server.force_exit = True
    await serving


async def answered(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(PATIENCE_S):
        return await reader.readuntil(b"\r\n\r\n")


async def is_closed(reader: asyncio.StreamReader) -> bool:
    async with asyncio.timeout(PATIENCE_S):
        try:
            return await reader.read() == b""
        except ConnectionError:
            return True


@pytest.mark.parametrize("begun", [b"", b"GET / HT", REQUEST[:-2], REQUEST + b"GET /", REQUEST + REQUEST[:-2]])
async def test_a_head_that_does_not_come_is_not_waited_for(
    port: int, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(limits, "HEAD_WAIT_S", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begun)
    if begun.startswith(REQUEST):
        await answered(reader)
    assert await is_closed(reader)
    writer.close()


async def test_between_requests_there_is_time(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HEAD_WAIT_S", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):
        writer.write(REQUEST)
        assert (await answered(reader)).startswith(b"HTTP/1.1 204")
        await asyncio.sleep(0.2)  # longer than a head may take
    writer.close()


async def test_one_connection_too_many_is_closed(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONNECTIONS_MAX", 4)  # of which one address may have half
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
    for reader, writer in held:
        writer.write(REQUEST)
        await answered(reader)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    assert await is_closed(reader)
    writer.close()
    held.pop()[1].close()
    for _ in range(100):  # until the server has seen that one is gone
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(REQUEST)
        try:
            assert (await answered(reader)).startswith(b"HTTP/1.1 204")
            break
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
    else:
        pytest.fail("nobody gets in any more")
    writer.close()
    held.pop()[1].close()


async def test_a_large_head_is_refused_and_a_usual_one_is_not(port: int) -> None:
    usual = REQUEST[:-2] + b"X: " + b"a" * 16_000 + b"\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for at in range(0, len(usual), 1_000):
        writer.write(usual[at : at + 1_000])
        await writer.drain()
    assert (await answered(reader)).startswith(b"HTTP/1.1 204")
    writer.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST[:-2])
    for _ in range(100):
        writer.write(b"X: " + b"a" * 10_000 + b"\r\n")
    head = await answered(reader)
    assert head.startswith(b"HTTP/1.1 413")
    assert b"application/problem+json" in head
    writer.close()


async def test_many_headers_in_one_read_are_refused(port: int) -> None:
    """They would cost more memory than they have bytes, and to join those of one name costs the square of it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST[:-2] + b"a:b\r\n" * 15_000 + b"\r\n")
    assert (await answered(reader)).startswith(b"HTTP/1.1 413")
    writer.close()


async def test_a_head_that_one_read_brings_is_bounded_too(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST[:-2] + b"X: " + b"a" * (limits.HEAD_BYTES_MAX + 1) + b"\r\n\r\n")
    assert (await answered(reader)).startswith(b"HTTP/1.1 413")
    writer.close()


async def test_requests_may_come_early_but_not_all_of_them(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST * limits.PIPELINED_MAX)
    for _ in range(limits.PIPELINED_MAX):
        assert (await answered(reader)).startswith(b"HTTP/1.1 204")
    writer.write(REQUEST * 5_000)
    assert (await answered(reader)).startswith(b"HTTP/1.1 429")
    assert await is_closed(reader)
    writer.close()


LARGE = 40 * 1024 * 1024


async def large(scope: dict[str, object], receive: object, send: object) -> None:
    """An application whose every answer is large."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": bytes(LARGE)})  # type: ignore[operator]


@pytest.fixture
async def large_port() -> AsyncIterator[int]:
    config = uvicorn.Config(large, port=0, http=BoundedHttp, lifespan="off", log_config=None)  # type: ignore[arg-type]
    server = _Server(config)
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = server.force_exit = True
    await serving


async def taken(reader: asyncio.StreamReader) -> int:
    """Bytes until the other side ends it, in one way or another."""
    total = 0
    async with asyncio.timeout(PATIENCE_S):
        try:
            while part := await reader.read(1 << 20):
                total += len(part)
        except ConnectionError:
            pass
    return total


async def test_who_does_not_read_its_answer_is_given_up(large_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UNSENT_LOOK_S", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", large_port, limit=1)
    writer.write(REQUEST)
    await answered_slowly(writer)
    assert await taken(reader) < LARGE
    writer.close()


async def answered_slowly(writer: asyncio.StreamWriter) -> None:
    """Read nothing for longer than a reader may be behind."""
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    await asyncio.sleep(1)
    writer.transport.resume_reading()  # type: ignore[attr-defined]


async def test_who_reads_gets_a_large_answer_whole(large_port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", large_port)
    writer.write(REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert await taken(reader) > LARGE
    writer.close()


async def test_answers_nobody_reads_are_bounded_together(large_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UNSENT_BYTES_MAX", 2 * LARGE)
    held = []
    for _ in range(4):
        reader, writer = await asyncio.open_connection("127.0.0.1", large_port, limit=1)
        writer.write(REQUEST)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        held.append((reader, writer))
    await asyncio.sleep(0.5)
    ended = 0
    for reader, writer in held:
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                ended += await taken(reader) < LARGE
        writer.close()
    assert ended >= 2, "those that were behind when it became too much"
