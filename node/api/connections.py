"""One HTTP connection, bounded before there is a request and after there is an answer.

How many there are, of one address above all; how long a head may be, and may take; how many requests may have come
before one is answered; and how slowly an answer may be read.

Uvicorn leaves that to a proxy in front of it: its parser keeps a header of any length, waits for the rest of one for
ever, and answers what is no HTTP in plain text. A node may stand in the open, so it has its own bounds and its own
kind of error. Bodies have theirs in `limits` and `authentication`.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from weakref import WeakKeyDictionary

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from node.api import limits
from node.api.problems import PROBLEM_JSON, Problem
from node.fairness import Room, address_of

__all__ = ["BoundedHttp"]


@dataclass(slots=True)
class _Shared:
    """What the connections of one server share: room, by address, and those whose answers are not read."""

    room: Room = field(default_factory=lambda: Room(most=limits.CONNECTIONS_MAX + 1, each_max=limits.CONNECTIONS_MAX))
    behind: set[BoundedHttp] = field(default_factory=set)

    def relieve(self) -> None:
        """Give up the answers of the address that takes most memory, while all together are too much."""
        unsent: dict[str, int] = {}
        for each in self.behind:
            unsent[each.address] = unsent.get(each.address, 0) + each.unsent
        while sum(unsent.values()) > limits.UNSENT_BYTES_MAX:
            worst = max(unsent, key=lambda address: unsent[address])
            del unsent[worst]
            for each in [each for each in self.behind if each.address == worst]:
                each.transport.abort()


_LONG_HEAD: Final = Problem("too_large", f"request line and headers may have {limits.HEAD_BYTES_MAX} bytes")
_OF_SERVER: Final[WeakKeyDictionary[ServerState, _Shared]] = WeakKeyDictionary()


class BoundedHttp(HttpToolsProtocol):
    """Uvicorn's protocol within bounds. Silent or endless ones are closed; what can be answered is, by a problem."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._in_head = False
        self._head_bytes = 0  # of what the parser has taken
        self._waited_bytes = 0  # of reads that did not end it
        self._head_timer: asyncio.TimerHandle | None = None
        self._unsent_timer: asyncio.TimerHandle | None = None
        self._problem: Problem | None = None
        self._counted = False
        self._shared = _OF_SERVER.setdefault(self.server_state, _Shared())

    @property
    def address(self) -> str:
        """What the connection is counted by."""
        return address_of(self.client[0]) if self.client else ""

    @property
    def unsent(self) -> int:
        """Bytes of answers that the other side has not taken."""
        return self.transport.get_write_buffer_size()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """There is a connection: one too many is closed at once."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=0)  # so that every byte that is not taken is known
        if self._shared.room.fits(self.address, 1):
            self._shared.room.take(self.address, 1)
            self._counted = True
            self._await_head()
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._head_is_here()
        self._is_read()
        if self._counted:
            self._counted = False
            self._shared.room.give_back(self.address, 1)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes of a request. A head that still has no end after so many is not waited for any longer."""
        if self.transport.is_closing():
            return  # the rest of what was refused
        waiting = self._in_head
        super().data_received(data)
        if waiting and self._in_head:
            self._waited_bytes += len(data)
            if self._waited_bytes > limits.HEAD_BYTES_MAX:
                self._refuse(_LONG_HEAD)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = self._waited_bytes = 0
        self._await_head()

    def on_url(self, url: bytes) -> None:
        """A piece of the request line."""
        super().on_url(url)
        self._count(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, however many one read brings."""
        super().on_header(name, value)
        self._count(name, value)

    def on_headers_complete(self) -> None:
        """The end of its head."""
        self._head_is_here()
        if len(self.pipeline) >= limits.PIPELINED_MAX:
            self._stop(Problem("rate_limited", f"at most {limits.PIPELINED_MAX} requests before an answer is read"))
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP, or the parser was stopped."""
        self._refuse(self._problem or Problem("malformed", "this is not a request of HTTP/1.1"))

    def pause_writing(self) -> None:
        """An answer waits for its reader: it is looked at how fast that is, and how much waits at this node."""
        super().pause_writing()
        self._shared.behind.add(self)
        self._shared.relieve()
        self._look_later()

    def resume_writing(self) -> None:
        """The answer was taken, nearly all of it."""
        self._is_read()
        super().resume_writing()

    def _look_later(self) -> None:
        if self._unsent_timer is None:
            self._unsent_timer = self.loop.call_later(limits.UNSENT_LOOK_S, self._look, self.unsent)

    def _look(self, before: int) -> None:
        self._unsent_timer = None
        if before - self.unsent < limits.UNSENT_RATE_MIN * limits.UNSENT_LOOK_S:
            self.transport.abort()
        else:
            self._look_later()

    def _is_read(self) -> None:
        self._shared.behind.discard(self)
        if self._unsent_timer is not None:
            self._unsent_timer.cancel()
            self._unsent_timer = None

    def _count(self, *parts: bytes) -> None:
        self._head_bytes += sum(map(len, parts))
        if self._head_bytes > limits.HEAD_BYTES_MAX:
            self._stop(_LONG_HEAD)
        if len(self.headers) > limits.HEADERS_MAX:
            self._stop(Problem("too_large", f"a request may have {limits.HEADERS_MAX} headers"))

    def _stop(self, problem: Problem) -> None:
        """End the parser, in the middle of what one read has brought: it then calls `send_400_response`."""
        self._problem = problem
        raise ValueError(problem.detail)

    def _await_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(limits.HEAD_WAIT_S, self.transport.close)

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
