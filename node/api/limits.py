"""Every bound of the API in one place, and the check of a body's size.

`fairness.Room` is the rule behind every bound that has one for each: nobody holds more than is left free for others.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from node.api.problems import Problem, response_of

__all__ = ["BodyLimit", "body_max"]

MIB: Final = 1024 * 1024

# One connection, before anybody has a name
CONNECTIONS_MAX: Final = 1_000  # at a time, fewer than a process may have open (`process.FILES_WANTED`); by address
HEAD_BYTES_MAX: Final = 64 * 1024  # of request line and headers
HEADERS_MAX: Final = 256  # of one request
HEAD_WAIT_S: Final = 10.0  # for a whole head, from the connection or from its first byte
PIPELINED_MAX: Final = 32  # requests that have come before the one in front of them is answered

# One request
SUBMISSION_BYTES_MAX: Final = 4 * MIB  # of POST /v1/transactions
BODY_BYTES_MAX: Final = 128 * 1024  # of everything else: the largest list of ids or fingerprints has about 80 KiB
BODY_WAIT_S: Final = 30.0  # for a whole body
BODIES_BYTES_MAX: Final = 64 * MIB  # of all bodies whose requests are not answered yet; by caller
BODIES_EACH_MAX: Final = 32 * MIB  # of one caller's

# One answer
UNSENT_BYTES_MAX: Final = 128 * MIB  # of all answers that their readers have not taken yet
UNSENT_LOOK_S: Final = 10.0  # how often a reader that is behind is looked at
UNSENT_RATE_MIN: Final = 16 * 1024  # bytes per second that it must take
READS_AT_ONCE: Final = 4  # reads of the ledger at a time, in turns by caller; one may make 25 MB of JSON

# One caller
REQUESTS_EACH_MAX: Final = 256  # not answered yet, streams and long polls included
STREAMS_MAX: Final = 500  # of events; by caller
STREAMS_EACH_MAX: Final = 16
BACKUPS_MAX: Final = 1  # each holds a snapshot of the store for as long as it takes
WAITS_MAX: Final = 100_000  # transactions waited for; by caller
WAITS_EACH_MAX: Final = 20_000
NAMES_MAX: Final = 50_000  # callers, and as many addresses, whose rate is remembered
CALLER_NONCES_MAX: Final = 100_000  # signed requests of one caller in two windows: 830 per second, about 10 MB
ITEMS_PER_TOKEN: Final = 32  # proofs, transactions or ids in one request: about 2 ms of work

_SUBMISSION_PATHS: Final[Mapping[str, int]] = MappingProxyType({"/v1/transactions": SUBMISSION_BYTES_MAX})


class BodyLimit:
    """ASGI middleware: refuses a body by its declared length, or as soon as it has grown beyond the bound."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = body_max(scope["path"])
        problem = Problem("too_large", f"the body may have {most} bytes here", field="body")
        if _declared_length(scope) > most:
            response = response_of(problem)
            response.headers["connection"] = "close"  # the rest of the body is not worth reading
            await response(scope, receive, send)
            return
        received = 0

        async def bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise problem
            return message

        await self._app(scope, bounded, send)


def body_max(path: str) -> int:
    """How many bytes the body of a request to this path may have."""
    return _SUBMISSION_PATHS.get(path, BODY_BYTES_MAX)


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < 20 else SUBMISSION_BYTES_MAX + 1
    return 0
