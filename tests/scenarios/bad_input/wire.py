"""Bytes straight to a socket, as no client library would send them."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

__all__ = ["Answer", "connection", "send"]

PATIENCE_S = 10.0
ANSWER_BYTES_MAX = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back before the other side closed or fell silent after a whole answer; `status` 0 for nothing."""

    status: int
    headers: dict[str, str]
    body: bytes
    took_all: bool

    def problem(self) -> dict[str, Any]:
        """The RFC 9457 problem that it is."""
        assert self.headers.get("content-type") == "application/problem+json", self
        found: dict[str, Any] = json.loads(self.body)
        assert found["status"] == self.status
        assert {"type", "title", "detail", "code"} <= set(found)
        return found


@contextmanager
def connection(address: tuple[str, int]) -> Iterator[socket.socket]:
    with socket.create_connection(address, timeout=PATIENCE_S) as made:
        yield made


def send(address: tuple[str, int], parts: Iterable[bytes]) -> Answer:
    """Send the parts, as many as are taken, and read one answer. Raises `TimeoutError` if nothing happens."""
    with connection(address) as made:
        took_all = True
        try:
            for part in parts:
                made.sendall(part)
        except (ConnectionError, TimeoutError):  # a node may close as soon as it has seen enough
            took_all = False
        data = b""
        with contextlib.suppress(ConnectionError):
            while not _whole(data) and len(data) < ANSWER_BYTES_MAX:
                part = made.recv(65_536)
                if not part:
                    break
                data += part
    return _answer(data, took_all)


def _whole(data: bytes) -> bool:
    head, end, body = data.partition(b"\r\n\r\n")
    return bool(end) and len(body) >= int(_headers(head).get("content-length", "0"))


def _answer(data: bytes, took_all: bool) -> Answer:
    head, _, body = data.partition(b"\r\n\r\n")
    status = int(head.split()[1]) if head.startswith(b"HTTP/1.1 ") else 0
    return Answer(status, _headers(head), body, took_all)


def _headers(head: bytes) -> dict[str, str]:
    lines = (line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:])
    return {name.lower(): value.strip() for name, _, value in lines}
