"""How the node is: for load balancers, for people, for Prometheus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from node.api import examples
from node.api.access import Caller, Resource, require
from node.api.context import Api, TheApi, allowed, public
from node.api.documentation import BY_OPERATOR, PUBLIC, answers, plain_answers
from node.api.metrics import CONTENT_TYPE
from node.api.models import Health, NodeStatus
from node.api.problems import Problem
from node.backup import backup_frames
from node.clock import clock_ms

__all__ = ["router"]

router = APIRouter(tags=["node"])


@router.get(
    "/v1/health",
    summary="Whether the node answers",
    responses=answers(Health, {"status": "ok"}, signed=False),
    openapi_extra=PUBLIC,
    dependencies=[public],
)
async def health() -> JSONResponse:
    """Whether the process answers."""
    return JSONResponse({"status": "ok"})


@router.get(
    "/v1/ready",
    summary="Whether the node serves well",
    responses=answers(Health, {"status": "ready"}, "not_ready", signed=False),
    openapi_extra=PUBLIC,
    dependencies=[public],
)
async def ready(api: TheApi) -> JSONResponse:
    """Whether clients are well served here; else 503."""
    if not api.service.ready():
        raise Problem("not_ready", "not in contact with the network, or far behind it")
    return JSONResponse({"status": "ready"})


@router.get("/v1/status", summary="How the node is", responses=answers(NodeStatus, examples.STATUS))
async def status(api: TheApi, caller: Annotated[Caller, allowed(Resource.STATUS)]) -> JSONResponse:
    """What the node says of itself and its peers; claims, not proofs."""
    return JSONResponse(api.service.status())


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses=plain_answers(CONTENT_TYPE, examples.METRICS),
    openapi_extra=BY_OPERATOR,
)
async def metrics(request: Request, api: TheApi) -> Response:
    """For Prometheus: with the operator token, unless this node's configuration makes it public."""
    if api.metrics_public:
        api.gate.pass_public(request)
    else:
        async with api.gate.admit(request) as caller:
            require(caller, Resource.METRICS)
    return Response(api.metrics.exposition(), media_type=CONTENT_TYPE)


@router.get(
    "/v1/backup",
    summary="A copy of the ledger",
    response_class=StreamingResponse,
    responses=plain_answers("application/octet-stream", examples.BACKUP),
    openapi_extra=BY_OPERATOR,
)
async def backup(api: TheApi, caller: Annotated[Caller, allowed(Resource.BACKUP)]) -> StreamingResponse:
    """A copy of the ledger as it is now, for the operator; blocks go on meanwhile. One at a time.

    It holds no votes, so a node that is restored from it needs a new consensus key: see `nemodat node restore`.
    """
    frames = _backup(api, caller)
    first = await anext(frames)  # what is wrong is said before a status is sent

    async def whole() -> AsyncIterator[bytes]:
        async with aclosing(frames):
            yield first
            async for frame in frames:
                yield frame

    return StreamingResponse(whole(), media_type="application/octet-stream")


async def _backup(api: Api, caller: Caller) -> AsyncGenerator[bytes, None]:
    with api.backups.hold(caller.name, 1), api.service.snapshot() as reader:
        frames = backup_frames(reader, made_ms=clock_ms())
        while (frame := await asyncio.to_thread(next, frames, None)) is not None:
            yield frame
