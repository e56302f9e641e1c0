"""Connections are bounded before there is a request: their number, and how long and how large a head may be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn

from node.api import connections
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
    monkeypatch.setattr(connections, "HEAD_WAIT_S", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begun)
    if begun.startswith(REQUEST):
        await answered(reader)
    assert await is_closed(reader)
    writer.close()


async def test_between_requests_there_is_time(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_WAIT_S", 0.1)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):
        writer.write(REQUEST)
        assert (await answered(reader)).startswith(b"HTTP/1.1 204")
        await asyncio.sleep(0.2)  # longer than a head may take
    writer.close()


async def test_one_connection_too_many_is_closed(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "CONNECTIONS_MAX", 2)
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
