"""Records by family and id (`registry.records.families`): for those they concern, with proof."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse

from node.api import examples
from node.api.access import Caller, Resource
from node.api.context import TheApi, allowed, digest_in, proof_of, read
from node.api.documentation import After, Id, PartyNamed, answers
from node.api.models import Proved, RecordList
from node.api.problems import Problem
from node.api.receivables import PAGE_MAX, owner_named
from node.api.records import Records
from node.api.shapes import record_json
from node.views import View
from registry.records.families import FAMILIES, Family, Shared
from registry.records.row import record_key
from registry.state import State

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["records"])

Name = Annotated[str, Path(max_length=32, examples=["notices"], description=f"One of: {', '.join(FAMILIES)}")]


@router.get(
    "/records/{family}",
    summary="A party's own records of a family",
    responses=answers(RecordList, examples.RECORDS, "not_found", "not_ready"),
)
async def own_records(
    family: Name,
    api: TheApi,
    caller: Annotated[Caller, allowed(Resource.RECORDS)],
    party: PartyNamed = "me",
    after: After = "",
) -> JSONResponse:
    """A party's own records of one family, a part at a time; overseers may name a party."""
    kind = _family(family).record
    owner = owner_named(caller, party)
    start = digest_in(after, "after") if after else None
    api.gate.charge(caller, PAGE_MAX)

    def shape(view: View) -> dict[str, Any]:
        page = view.records_of(family, owner, after=start, limit=PAGE_MAX)
        state = State(view.state)
        found = [state.find(kind, id_) for id_ in page.ids]
        shown = [_shown(view, one) for one in found if one is not None and _sees(caller, view, family, one)]
        return {"records": shown, "next": None if page.after is None else page.after.hex()}

    return JSONResponse(await read(api, shape))


@router.get(
    "/records/{family}/{id}",
    summary="One record of a family",
    responses=answers(Proved, examples.RECORD, "not_found", "not_ready"),
)
async def record(
    family: Name, id: Id, api: TheApi, caller: Annotated[Caller, allowed(Resource.RECORDS)]
) -> JSONResponse:
    """One record: for the parties that it concerns, and overseers."""
    kind = _family(family).record
    subject = digest_in(id, "id")

    def shape(view: View) -> dict[str, Any]:
        found = State(view.state).find(kind, subject)
        if found is None or not _sees(caller, view, family, found):
            raise Problem("not_found", "no such record, or not for this caller", field="id")
        return _shown(view, found)

    return JSONResponse(await read(api, shape))


def _family(name: str) -> Family:
    found = FAMILIES.get(name)
    if found is None:
        raise Problem("not_found", f"families of records are: {', '.join(FAMILIES)}", field="family")
    return found


def _sees(caller: Caller, view: View, family: str, record: Shared) -> bool:
    concerned = record.concerns()
    if caller.sees_all or concerned is None or caller.name in concerned:
        return True
    about, of = FAMILIES[family].receivable_of, FAMILIES[family].claim_of
    if of is not None:
        claim = State(view.state).claim(of(record))
        return claim is not None and claim.holder == caller.name
    return about is not None and Records(view, caller).may_see_receivable(about(record))


def _shown(view: View, record: Shared) -> dict[str, Any]:
    return {"record": record_json(record), "proof": proof_of(view, record_key(record))}
