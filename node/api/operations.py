"""What can be done on the ledger, as its own tables say (`registry.reference`)."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from node.api.access import Caller, Resource
from node.api.context import allowed
from node.api.documentation import answers
from node.api.models import OperationList
from registry.reference import described, names

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["transactions"])


def _shown(name: str) -> dict[str, Any]:
    one = described(name)
    return one._asdict() | {
        "fields": [field._asdict() for field in one.fields],
        "may": {action: list(roles) for action, roles in one.may.items()},
        "reasons": dict(one.reasons),
    }


@cache
def _all() -> dict[str, Any]:
    return {"operations": [_shown(name) for name in names()]}


@router.get(
    "/operations",
    summary="What can be done on the ledger",
    responses=answers(OperationList, {"operations": [_shown("reserve"), _shown("suspend")]}),
)
async def operations(caller: Annotated[Caller, allowed(Resource.OPERATIONS)]) -> JSONResponse:
    """Every operation and every change: fields with types, units and bounds, roles, reasons for a refusal.

    A transaction's payload has each operation as the list [name, fields in order]; a refusal has no other reason.
    """
    return JSONResponse(_all())
