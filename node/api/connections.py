"""One HTTP connection, bounded before there is a request: how many there are, how long a head may be, and may take.

Uvicorn leaves that to a proxy in front of it: its parser keeps a header of any length, waits for the rest of one for
ever, and answers what is no HTTP in plain text. A node may stand in the open, so it has its own bounds and its own
kind of error. Bodies have theirs in `limits` and `authentication`.
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from node.api.problems import PROBLEM_JSON, Problem

__all__ = ["CONNECTIONS_MAX", "HEAD_BYTES_MAX", "HEAD_WAIT_S", "BoundedHttp"]

CONNECTIONS_MAX: Final = 2_000  # at a time; far below what a process may have open (`process.FILES_WANTED`)
HEAD_BYTES_MAX: Final = 64 * 1024  # of request line and headers, beside what one read brings
HEAD_WAIT_S: Final = 10.0  # for a whole head, from the connection or from its first byte


class BoundedHttp(HttpToolsProtocol):
    """Uvicorn's protocol within bounds. Silent or endless ones are closed; what can be answered is, by a problem."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._in_head = False
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """There is a connection: one too many is closed at once."""
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS_MAX:
            transport.close()
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._head_is_here()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a request. A head that still has no end after so many is not waited for any longer."""
        waiting = self._in_head
        super().data_received(data)
        if waiting and self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._refuse(Problem("too_large", f"request line and headers may have {HEAD_BYTES_MAX} bytes"))

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = 0
        self._await_head()

    def on_headers_complete(self) -> None:
        """The end of its head."""
        self._head_is_here()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP."""
        self._refuse(Problem("malformed", "this is not a request of HTTP/1.1"))

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_WAIT_S, self.transport.close)

    def _head_is_here(self) -> None:
        self._in_head = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse(self, problem: Problem) -> None:
        """Say why, and close. Not through the application: there is no request that it could answer."""
        self._head_is_here()
        body = json.dumps(problem.to_json()).encode()
        status = HTTPStatus(problem.status)
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        head += f"content-type: {PROBLEM_JSON}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(head.encode() + body)
        self.transport.close()
