"""How large a body may be, held before it is read whole; and by which address a caller without a name is counted."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from node.api.problems import Problem, response_of

__all__ = ["BODY_BYTES_MAX", "SUBMISSION_BYTES_MAX", "BodyLimit", "address_of"]

SUBMISSION_BYTES_MAX: Final = 4 * 1024 * 1024  # of POST /v1/transactions
BODY_BYTES_MAX: Final = 128 * 1024  # of everything else: the largest list of ids or fingerprints has about 80 KiB
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
        most = _SUBMISSION_PATHS.get(scope["path"], BODY_BYTES_MAX)
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


def address_of(host: str) -> str:
    """The address by which a caller without a name is counted: one subscriber owns a whole IPv6 /64."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 4:
        return host
    return str(ipaddress.ip_network((address, 64), strict=False))


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() and len(value) < 20 else SUBMISSION_BYTES_MAX + 1
    return 0
