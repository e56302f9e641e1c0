"""Searches by fingerprint, answered by a certificate; certificates issued before."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse

from node.api import examples
from node.api.access import Caller, Resource
from node.api.context import TheApi, allowed, digest_in, parsed, read
from node.api.documentation import answers, request_body
from node.api.models import SearchCertificate, SearchRequest
from node.api.problems import Problem
from node.errors import NotFound
from node.views import View

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["search"])


@router.post(
    "/search",
    summary="Search by fingerprints",
    responses=answers(SearchCertificate, examples.CERTIFICATE, "not_ready"),
    openapi_extra=request_body(SearchRequest, examples.SEARCH_REQUEST),
)
async def search(request: Request, api: TheApi, caller: Annotated[Caller, allowed(Resource.SEARCH)]) -> JSONResponse:
    """Which receivables hold these fingerprints, proved present or absent as of the newest final block.

    Keep the answer: it is the evidence. This node keeps a copy only as long as it has room for newer ones.
    """
    query = await parsed(request, SearchRequest)
    api.gate.charge(caller, len(query.fingerprints))
    fingerprints = [
        (str(one.kind), digest_in(one.fingerprint, f"fingerprints[{index}].fingerprint"))
        for index, one in enumerate(query.fingerprints)
    ]

    def certify(view: View) -> dict[str, Any]:
        if view.tip is None:
            raise Problem("not_ready", "no block is final yet, so nothing can be proved")
        return view.search(
            fingerprints, genesis_id=api.service.genesis_id, requester=caller.name, purpose=query.purpose
        )

    certificate = await read(api, certify)
    await asyncio.to_thread(api.issued.keep, certificate)
    return JSONResponse(certificate)


@router.get(
    "/certificates/{number}",
    summary="A certificate issued before",
    responses=answers(SearchCertificate, examples.CERTIFICATE, "not_found"),
)
async def certificate(
    number: Annotated[
        str,
        Path(
            pattern=r"^[0-9a-f]{32}$",
            description="The certificate's number.",
            examples=[examples.CERTIFICATE["number"]],
        ),
    ],
    api: TheApi,
    caller: Annotated[Caller, allowed(Resource.CERTIFICATES)],
) -> JSONResponse:
    """A certificate that this node issued: for its requester and overseers, while it is one of the newest.

    The node keeps the newest 100,000, of 1 GiB in all; what counts is the copy of the requester.
    """

    def shape(view: View) -> dict[str, Any]:
        try:
            found = view.issued_certificate(number)
        except NotFound:
            found = {}
        if not found or not (caller.sees_all or found["requester"] == caller.name):
            raise Problem("not_found", "no such certificate, or not for this caller", field="number")
        return found

    return JSONResponse(await read(api, shape))
