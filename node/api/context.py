"""What every route works with, and how it gets hold of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError

from node.api import limits
from node.api.access import Caller, Resource, require
from node.api.authentication import Gate
from node.api.metrics import Metrics
from node.api.problems import Problem
from node.api.shares import Shares, Turns
from node.issued import Issued
from node.service import NodeService
from node.views import View, open_view
from registry.codec import DIGEST_SIZE

__all__ = ["Api", "TheApi", "allowed", "digest_in", "parsed", "proof_of", "public", "read"]

_asking: ContextVar[str] = ContextVar("_asking", default="")
"""Who asks, for the turns at reading: every route reads, and none has to say for whom."""

T = TypeVar("T")
Body = TypeVar("Body", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One node's API: the node, who may come in, what is counted, and the certificates handed out."""

    service: NodeService
    gate: Gate
    metrics: Metrics
    issued: Issued
    metrics_public: bool
    streams: Shares = field(
        default_factory=lambda: Shares("streams of events", most=limits.STREAMS_MAX, each_max=limits.STREAMS_EACH_MAX)
    )
    backups: Shares = field(
        default_factory=lambda: Shares("backups", most=limits.BACKUPS_MAX + 1, each_max=limits.BACKUPS_MAX)
    )
    waits: Shares = field(
        default_factory=lambda: Shares("transactions waited for", most=limits.WAITS_MAX, each_max=limits.WAITS_EACH_MAX)
    )
    requests: Shares = field(
        default_factory=lambda: Shares("requests", most=limits.CONNECTIONS_MAX, each_max=limits.REQUESTS_EACH_MAX)
    )
    reading: Turns = field(default_factory=lambda: Turns(limits.READS_AT_ONCE))

    @contextmanager
    def view(self) -> Iterator[View]:
        """The ledger as it is now, unmoved until the context is left."""
        with self.service.snapshot() as reader:
            yield open_view(reader)


async def _api(request: Request) -> Api:
    api: Api = request.app.state.api
    return api


TheApi = Annotated[Api, Depends(_api)]


def allowed(resource: Resource) -> Any:
    """The dependency that lets in who may use `resource` (see `access.ACCESS`), and says who it is."""

    async def caller(request: Request, api: TheApi) -> AsyncIterator[Caller]:
        async with api.gate.admit(request) as found:
            require(found, resource)
            _asking.set(found.name)
            with api.requests.hold(found.name, 1):
                yield found

    return Depends(caller)


async def _public(request: Request, api: TheApi) -> None:
    api.gate.pass_public(request)


public: Any = Depends(_public)
"""The dependency of the few routes that anybody may ask, at a rate."""


async def parsed(request: Request, model: type[Body]) -> Body:
    """The JSON body, checked. Raises `Problem` naming the first field that is wrong."""
    try:
        return model.model_validate_json(await request.body())
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
        raise Problem("malformed", first["msg"], field=place.removeprefix(".") or "body") from None


def digest_in(text: str, field: str) -> bytes:
    """The 32 bytes that `text` is the lower-case hex of. Raises `Problem`."""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        data = b""
    if len(data) != DIGEST_SIZE or data.hex() != text:
        raise Problem("malformed", f"{DIGEST_SIZE} bytes in lower-case hexadecimal are expected", field=field)
    return data


def proof_of(view: View, key: bytes) -> dict[str, Any]:
    """The state proof of a key. Raises `Problem` while there is no block to prove it by."""
    if view.tip is None:
        raise Problem("not_ready", "no block is final yet, so nothing can be proved")
    return view.state_proof(key)


async def read(api: Api, job: Callable[[View], T]) -> T:
    """Do a read that may take longer than the event loop should wait: in a thread, on one snapshot, in turns."""

    def in_thread() -> T:
        with api.view() as view:
            return job(view)

    async with api.reading.turn(_asking.get()):
        return await asyncio.to_thread(in_thread)
