"""Claims by id, and a party's own."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from node.api import examples
from node.api.access import Caller, Resource
from node.api.context import TheApi, allowed, digest_in, read
from node.api.documentation import After, Id, PartyNamed, answers
from node.api.models import OwnClaims, Proved
from node.api.receivables import PAGE_MAX, owner_named
from node.api.records import Records
from node.views import View

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["claims"])


@router.get(
    "/claims",
    summary="A party's own claims",
    responses=answers(OwnClaims, examples.OWN_CLAIMS, "not_ready"),
)
async def claims(
    api: TheApi,
    caller: Annotated[Caller, allowed(Resource.CLAIMS)],
    party: PartyNamed = "me",
    after: After = "",
) -> JSONResponse:
    """A party's own claims (assigned by it, offered to it, ever held by it), a part at a time; overseers name one."""
    owner = owner_named(caller, party)
    start = digest_in(after, "after") if after else None
    api.gate.charge(caller, PAGE_MAX)

    def shape(view: View) -> dict[str, Any]:
        page = view.claims_of(owner, after=start, limit=PAGE_MAX)
        records = Records(view, caller)
        shown = [records.claim_shown(one) for one in records.own_claims(owner, page.ids)]
        return {"claims": shown, "next": None if page.after is None else page.after.hex()}

    return JSONResponse(await read(api, shape))


@router.get(
    "/claims/{id}",
    summary="One claim",
    responses=answers(Proved, examples.CLAIM, "not_found", "not_ready"),
)
async def claim(id: Id, api: TheApi, caller: Annotated[Caller, allowed(Resource.CLAIMS)]) -> JSONResponse:
    """One claim: for its two sides, registrant and debtor of its receivable, and overseers."""
    subject = digest_in(id, "id")

    def shape(view: View) -> dict[str, Any]:
        records = Records(view, caller)
        return records.claim_shown(records.claim(subject))

    return JSONResponse(await read(api, shape))
