"""Who decides: the set in force, and how it came about from genesis, for light clients."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from node.api import examples
from node.api.access import Caller, Resource
from node.api.context import TheApi, allowed, read
from node.api.documentation import answers
from node.api.models import AuthorityChanges, AuthorityList

__all__ = ["router"]

CHANGES_PER_PAGE = 50  # a change has at most 20 KiB

router = APIRouter(prefix="/v1/authorities", tags=["authorities"])


@router.get("", summary="The set in force", responses=answers(AuthorityList, examples.AUTHORITIES))
async def authorities(api: TheApi, caller: Annotated[Caller, allowed(Resource.BLOCKS)]) -> JSONResponse:
    """The authorities of the next height, as this node says; what proves it is a header and the changes below it."""
    return JSONResponse(await read(api, lambda view: view.authorities()))


@router.get("/changes", summary="How the set changed", responses=answers(AuthorityChanges, examples.AUTHORITY_CHANGES))
async def changes(
    api: TheApi,
    caller: Annotated[Caller, allowed(Resource.BLOCKS)],
    after: Annotated[int, Query(ge=0, lt=2**53, description="a height; 0 for all", examples=[0])] = 0,
) -> JSONResponse:
    """The changes of the set at heights above `after`, oldest first, each proved by the set before it."""
    api.gate.charge(caller, CHANGES_PER_PAGE)
    return JSONResponse(await read(api, lambda view: view.changes(after=after, limit=CHANGES_PER_PAGE)))
