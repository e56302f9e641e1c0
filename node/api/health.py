"""How the node is: for load balancers, for people, for Prometheus."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from node.api.access import Caller, Resource, require
from node.api.context import TheApi, allowed, public
from node.api.metrics import CONTENT_TYPE
from node.api.models import Health
from node.api.problems import Problem

__all__ = ["router"]

router = APIRouter(tags=["node"])


@router.get("/v1/health", responses={200: {"model": Health}}, dependencies=[public])
async def health() -> JSONResponse:
    """Whether the process answers."""
    return JSONResponse({"status": "ok"})


@router.get("/v1/ready", responses={200: {"model": Health}}, dependencies=[public])
async def ready(api: TheApi) -> JSONResponse:
    """Whether clients are well served here; else 503."""
    if not api.service.ready():
        raise Problem("not_ready", "not in contact with the network, or far behind it")
    return JSONResponse({"status": "ready"})


@router.get("/v1/status")
async def status(api: TheApi, caller: Annotated[Caller, allowed(Resource.STATUS)]) -> JSONResponse:
    """What the node says of itself and its peers; claims, not proofs."""
    return JSONResponse(api.service.status())


@router.get("/metrics", response_class=Response)
async def metrics(request: Request, api: TheApi) -> Response:
    """For Prometheus: with the operator token, unless this node's configuration makes it public."""
    if api.metrics_public:
        api.gate.pass_public(request)
    else:
        async with api.gate.admit(request) as caller:
            require(caller, Resource.METRICS)
    return Response(api.metrics.exposition(), media_type=CONTENT_TYPE)
