"""Receivables, and the claims on them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from node.api import examples
from node.api.access import Caller, Resource
from node.api.context import TheApi, allowed, digest_in, read
from node.api.documentation import After, Id, PartyNamed, answers
from node.api.models import ClaimList, MatchList, Proved, ReceivableList
from node.api.problems import Problem
from node.api.records import Records
from node.views import View
from registry.limits import CLAIMS_MAX, MATCHES_MAX

__all__ = ["PAGE_MAX", "owner_named", "router"]

router = APIRouter(prefix="/v1", tags=["receivables"])

PAGE_MAX = 100


@router.get(
    "/receivables",
    summary="A party's own receivables",
    responses=answers(ReceivableList, examples.RECEIVABLES, "not_ready"),
)
async def receivables(
    api: TheApi,
    caller: Annotated[Caller, allowed(Resource.RECEIVABLES)],
    party: PartyNamed = "me",
    after: After = "",
) -> JSONResponse:
    """A party's own receivables (registered by it, or owed by it), a part at a time; overseers may name a party."""
    owner = owner_named(caller, party)
    start = digest_in(after, "after") if after else None
    api.gate.charge(caller, PAGE_MAX)

    def shape(view: View) -> dict[str, Any]:
        page = view.receivables_of(owner, after=start, limit=PAGE_MAX)
        records = Records(view, caller)
        shown = [records.receivable_shown(one) for one in records.own(owner, page.ids)]
        return {"receivables": shown, "next": None if page.after is None else page.after.hex()}

    return JSONResponse(await read(api, shape))


@router.get(
    "/receivables/{id}",
    summary="One receivable",
    responses=answers(Proved, examples.RECEIVABLE, "not_found", "not_ready"),
)
async def receivable(id: Id, api: TheApi, caller: Annotated[Caller, allowed(Resource.RECEIVABLES)]) -> JSONResponse:
    """One receivable: for its registrant, its debtor, the sides of claims and blankets on it, and overseers."""
    subject = digest_in(id, "id")

    def shape(view: View) -> dict[str, Any]:
        records = Records(view, caller)
        return records.receivable_shown(records.receivable(subject))

    return JSONResponse(await read(api, shape))


@router.get(
    "/receivables/{id}/claims",
    summary="The claims on a receivable",
    responses=answers(ClaimList, examples.CLAIMS, "not_found", "not_ready"),
)
async def claims(id: Id, api: TheApi, caller: Annotated[Caller, allowed(Resource.CLAIMS)]) -> JSONResponse:
    """Every claim ever offered on a receivable, as far as the caller may see them."""
    subject = digest_in(id, "id")
    api.gate.charge(caller, CLAIMS_MAX)

    def shape(view: View) -> dict[str, Any]:
        records = Records(view, caller)
        return {"claims": [records.claim_shown(one) for one in records.claims(records.receivable(subject))]}

    return JSONResponse(await read(api, shape))


@router.get(
    "/receivables/{id}/matches",
    summary="What looks like a receivable",
    responses=answers(MatchList, examples.MATCHES, "not_found"),
)
async def matches(id: Id, api: TheApi, caller: Annotated[Caller, allowed(Resource.RECEIVABLES)]) -> JSONResponse:
    """What looks like a receivable as of the newest block, by severity and kind, what is asserted of it outside, and
    which disputes run on it or its lineage, without whose they are; of a payable also the blankets over what is owed to
    its registrant."""
    subject = digest_in(id, "id")
    api.gate.charge(caller, MATCHES_MAX)

    def shape(view: View) -> dict[str, Any]:
        records = Records(view, caller)
        found = records.matches(subject)
        return {
            "height": view.height,
            "matches": found,
            "external_claims": records.external_claims(subject),
            "disputes": records.disputes(subject),
            "blankets_beside": records.blankets_beside(subject),
        }

    return JSONResponse(await read(api, shape))


def owner_named(caller: Caller, party: str) -> str:
    """Whose own records are asked for. Raises `Problem`."""
    if party == "me":
        if caller.party is None:
            raise Problem("malformed", "the operator is no party: name one", field="party")
        return caller.party.id
    if not caller.sees_all and party != caller.name:
        raise Problem("not_authorised", "only regulators and the operator list what is another party's", field="party")
    if "\x00" in party:
        raise Problem("malformed", "is not a party id", field="party")
    return party
