"""Parties: every registered party may know the others, as the ledger has them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse

from node.api import examples
from node.api.access import Caller, Resource
from node.api.context import TheApi, allowed, proof_of, read
from node.api.documentation import answers
from node.api.models import PartyList, Proved
from node.api.problems import Problem
from node.api.shapes import party_json
from node.views import View
from registry.state import State, alias_key, party_key

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["parties"])

PAGE_MAX = 100
ID_CHARS_MAX = 100


@router.get(
    "/parties",
    summary="All parties",
    responses=answers(PartyList, examples.PARTIES, "not_ready"),
)
async def parties(
    api: TheApi,
    caller: Annotated[Caller, allowed(Resource.PARTIES)],
    after: Annotated[
        str,
        Query(
            max_length=ID_CHARS_MAX,
            description="`next` of the part before; left out for the first.",
            examples=[examples.SELLER],
        ),
    ] = "",
) -> JSONResponse:
    """All parties, a part at a time, in the order of their ids."""
    api.gate.charge(caller, PAGE_MAX)

    def shape(view: View) -> dict[str, Any]:
        page = view.parties(after=after.encode() if after else None, limit=PAGE_MAX)
        found = [_proved(view, id_.decode()) for id_ in page.ids]
        return {"parties": found, "next": None if page.after is None else page.after.decode()}

    return JSONResponse(await read(api, shape))


@router.get(
    "/parties/{id:path}",
    summary="One party",
    responses=answers(Proved, examples.PARTY, "not_found", "not_ready"),
)
async def party(
    id: Annotated[str, Path(description="A party's id.", examples=[examples.SELLER])],
    api: TheApi,
    caller: Annotated[Caller, allowed(Resource.PARTIES)],
) -> JSONResponse:
    """One party by its id, for instance `lei:984500TJEXPORT000197`."""
    if len(id) > ID_CHARS_MAX:
        raise Problem("not_found", "no such party", field="id")
    return JSONResponse(await read(api, lambda view: _proved(view, id)))


@router.get(
    "/aliases/{identifier:path}",
    summary="Whose an identifier is",
    responses=answers(Proved, examples.ALIAS, "not_ready"),
)
async def alias(
    identifier: Annotated[str, Path(description="scheme:VALUE.", examples=["vat:DE136695976"])],
    api: TheApi,
    caller: Annotated[Caller, allowed(Resource.PARTIES)],
) -> JSONResponse:
    """Which party has an identifier, for instance `vat:DE136695976`; `party` is null, with proof, if none has it."""
    if not 0 < len(identifier) <= ID_CHARS_MAX:
        raise Problem("malformed", f"an identifier has 1 to {ID_CHARS_MAX} characters", field="identifier")

    def shape(view: View) -> dict[str, Any]:
        found = State(view.state).party_of_alias(identifier)
        record = {"identifier": identifier, "party": None if found is None else found.id}
        return {"record": record, "proof": proof_of(view, alias_key(identifier))}

    return JSONResponse(await read(api, shape))


def _proved(view: View, party: str) -> dict[str, Any]:
    found = State(view.state).party(party)
    if found is None:
        raise Problem("not_found", "no such party", field="id")
    return {"record": party_json(found), "proof": proof_of(view, party_key(party))}
