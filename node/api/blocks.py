"""Final headers with their certificates, and the genesis file."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse, PlainTextResponse

from node.api import examples
from node.api.access import Caller, Resource
from node.api.context import TheApi, allowed, read
from node.api.documentation import answers, plain_answers
from node.api.models import Ancestry, Block, CheckpointList
from node.api.problems import Problem
from node.checkpoints import newest_checkpoints
from node.views import View

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["blocks"])

CHECKPOINTS_SHOWN = 200


@router.get(
    "/genesis",
    summary="The genesis file",
    response_class=PlainTextResponse,
    responses=plain_answers("text/plain", examples.GENESIS),
)
async def genesis(api: TheApi, caller: Annotated[Caller, allowed(Resource.GENESIS)]) -> PlainTextResponse:
    """The genesis file (TOML). Compare its id with one from elsewhere before trusting it."""
    return PlainTextResponse(api.service.genesis.to_toml())


@router.get(
    "/blocks/{height}",
    summary="A final block",
    responses=answers(Block, examples.BLOCK, "not_found", "not_ready", "pruned"),
)
async def block(
    height: Annotated[
        str,
        Path(pattern=r"^(latest|[1-9][0-9]{0,14})$", description="The height, or `latest`.", examples=["latest", "42"]),
    ],
    api: TheApi,
    caller: Annotated[Caller, allowed(Resource.BLOCKS)],
) -> JSONResponse:
    """A final block. Its transactions' ids open their receipts, so only overseers are told them."""

    def shape(view: View) -> dict[str, Any]:
        if view.tip is None and height == "latest":
            raise Problem("not_ready", "no block is final yet")
        found = view.block(view.height if height == "latest" else int(height))
        if not caller.sees_all:
            del found["transactions"]
        return found

    return JSONResponse(await read(api, shape))


@router.get(
    "/blocks/{height}/ancestry",
    summary="An old header, proved by a newer one",
    responses=answers(Ancestry, examples.ANCESTRY, "not_found", "not_ready", "pruned"),
)
async def ancestry(
    height: Annotated[int, Path(ge=1, le=999_999_999_999_999, description="The height.", examples=[42])],
    api: TheApi,
    caller: Annotated[Caller, allowed(Resource.BLOCKS)],
    within: Annotated[
        int | None,
        Query(ge=1, le=999_999_999_999_999, description="A height; left out, the newest one's.", examples=[100]),
    ] = None,
) -> JSONResponse:
    """A header that is in the history of the newest final one, or of an older one that the reader knows, such as by a
    checkpoint: one certificate proves the whole past."""

    def shape(view: View) -> dict[str, Any]:
        if view.tip is None:
            raise Problem("not_ready", "no block is final yet")
        return view.ancestry(height, within)

    return JSONResponse(await read(api, shape))


@router.get(
    "/checkpoints",
    summary="What regulators' observers saw final",
    responses=answers(CheckpointList, examples.CHECKPOINTS),
)
async def checkpoints(api: TheApi, caller: Annotated[Caller, allowed(Resource.BLOCKS)]) -> JSONResponse:
    """The newest checkpoints, newest first: a reader that keeps them refuses any history that contradicts them."""

    def shape(view: View) -> dict[str, Any]:
        found = newest_checkpoints(view.reader, CHECKPOINTS_SHOWN)
        return {"checkpoints": [checkpoint.encode().hex() for checkpoint in found]}

    return JSONResponse(await read(api, shape))
