"""Single claims."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from node.api.access import Caller, Resource
from node.api.context import TheApi, allowed, digest_in, read
from node.api.models import Proved
from node.api.records import Records
from node.views import View

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["claims"])


@router.get("/claims/{id}", responses={200: {"model": Proved}})
async def claim(id: str, api: TheApi, caller: Annotated[Caller, allowed(Resource.CLAIMS)]) -> JSONResponse:
    """One claim: for its two sides, registrant and debtor of its receivable, and overseers."""
    subject = digest_in(id, "id")

    def shape(view: View) -> dict[str, Any]:
        records = Records(view, caller)
        return records.claim_shown(records.claim(subject))

    return JSONResponse(await read(api, shape))
