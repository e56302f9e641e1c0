"""What a client wants from the outside, as values, so that one procedure serves sync and async callers.

A procedure is a generator: it yields `Call`s and is sent `Reply`s, and returns its result. It never opens a socket;
`transport` drives it, blocking or not. If no node answers, `Unreachable` is thrown into it.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from clients.errors import ProofInvalid, RequestFailed

__all__ = ["JSON", "MSGPACK", "Call", "Procedure", "Reply", "get", "posted"]

JSON = "application/json"
MSGPACK = "application/msgpack"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One request to any of the nodes. `path` includes the query; `wait_s` is how long the node may hold the answer.

    `elsewhere` asks for another node than the one that answered last, if there is another.
    """

    method: str
    path: str
    body: bytes = b""
    content_type: str = JSON
    wait_s: float = 0.0
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A node's answer: HTTP status and body; `node` is its URL."""

    status: int
    body: bytes
    node: str = ""

    def json(self) -> Any:
        """The body as JSON. Raises `RequestFailed` for a problem, `ProofInvalid` if it is no JSON at all."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            if self.status >= 400:
                raise RequestFailed(self.status, "not_json", self.body[:200].decode("utf-8", "replace")) from error
            raise ProofInvalid("the answer is not JSON") from error
        if self.status >= 400:
            problem = value if isinstance(value, dict) else {}
            raise RequestFailed(self.status, str(problem.get("code", "")), str(problem.get("detail", "")))
        return value

    def object(self) -> dict[str, Any]:
        """The body as a JSON object. Raises as `json`, and `ProofInvalid` for any other value."""
        value = self.json()
        if not isinstance(value, dict):
            raise ProofInvalid("the answer is not a JSON object")
        return value


Procedure: TypeAlias = Generator[Call, Reply, T]


def get(path: str, *, wait_s: float = 0.0) -> Procedure[dict[str, Any]]:
    """GET `path` and return the JSON object there."""
    reply = yield Call("GET", path, wait_s=wait_s)
    return reply.object()


def posted(path: str, body: Any) -> Call:
    """The POST of `body` as JSON to `path`."""
    return Call("POST", path, json.dumps(body).encode())
