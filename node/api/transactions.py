"""Submitting transactions, and what became of them: receipts with their inclusion proofs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from node.api import examples
from node.api.access import Caller, Resource
from node.api.context import Api, TheApi, allowed, digest_in, parsed, read
from node.api.documentation import Id, Wait, answers, request_body
from node.api.limits import SUBMISSION_BYTES_MAX
from node.api.models import (
    TRANSACTIONS_MAX,
    ReceiptsRequest,
    SubmitAnswer,
    SubmitRequest,
    TransactionAnswer,
)
from node.api.problems import Problem
from node.intake import Submitted
from node.layout import TRANSACTION, Place
from node.views import View
from registry.codec import decode
from registry.errors import CodecError, TransactionError

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["transactions"])

MSGPACK: Final = "application/msgpack"
JSON: Final = "application/json"
RECEIPTS_MAX: Final = 20_000  # of one answer: about 25 MB of JSON
_BODY: Final = request_body(
    SubmitRequest,
    examples.SUBMIT_REQUEST,
    others={MSGPACK: {"schema": {"type": "string", "contentMediaType": MSGPACK}}},
)


@router.post(
    "/transactions",
    summary="Submit transactions",
    status_code=202,
    responses=answers(SubmitAnswer, examples.SUBMITTED, "unsupported_media_type", "busy", status=202, said="Taken."),
    openapi_extra=_BODY,
)
async def submit(request: Request, api: TheApi, caller: Annotated[Caller, allowed(Resource.SUBMIT)]) -> JSONResponse:
    """Submit 1 to 1000 transactions. Idempotent: what is pending or final already counts as accepted."""
    wires = await _wires(request)
    api.gate.charge(caller, len(wires))
    results = await api.service.submit(wires, by=caller.name)
    api.metrics.submitted(results)
    return await read(api, lambda _: JSONResponse({"results": [_result(api, result) for result in results]}, 202))


@router.get(
    "/transactions/{id}",
    summary="What became of a transaction",
    responses=answers(TransactionAnswer, examples.TRANSACTION, "busy"),
)
async def transaction(
    id: Id,
    api: TheApi,
    caller: Annotated[Caller, allowed(Resource.RECEIPTS)],
    wait_s: Wait = 0.0,
) -> JSONResponse:
    """What became of a transaction; `wait_s` is how long the answer may wait until it is final.

    `unknown` alone is no proof that it never took effect: the node may be behind its expiry (`header`), or may have
    begun with a state and not know what was final before (`known_since_ms`).
    """
    transaction_id = digest_in(id, "id")
    await _wait([transaction_id], api, caller, wait_s)
    return await _answered(api, caller, [transaction_id], lambda view: _answer(api, view, transaction_id))


@router.post(
    "/receipts",
    summary="What became of many transactions",
    responses=answers(list[TransactionAnswer], examples.RECEIPTS, "busy"),
    openapi_extra=request_body(ReceiptsRequest, examples.RECEIPTS_REQUEST),
)
async def receipts(
    request: Request, api: TheApi, caller: Annotated[Caller, allowed(Resource.RECEIPTS)]
) -> JSONResponse:
    """The same for up to 1000 different transactions at once, in the order asked."""
    wanted = await parsed(request, ReceiptsRequest)
    api.gate.charge(caller, len(wanted.ids))
    ids = [digest_in(id_, "ids") for id_ in wanted.ids]
    if len(set(ids)) < len(ids):
        raise Problem("malformed", "the same transaction twice", field="ids")
    await _wait(ids, api, caller, wanted.wait_s)

    return await _answered(api, caller, ids, lambda view: [_answer(api, view, id_) for id_ in ids])


async def _answered(api: Api, caller: Caller, ids: Sequence[bytes], answer: Callable[[View], Any]) -> JSONResponse:
    """The answer about these, made whole (signed, rendered) beside the event loop, and charged by its receipts.

    Raises `Problem` if it would be too large.
    """

    def made(view: View) -> tuple[JSONResponse, int]:
        count = sum(_receipts_of(view, id_) for id_ in ids)
        if count > RECEIPTS_MAX:
            raise Problem("too_large", f"more than {RECEIPTS_MAX} receipts: ask for fewer transactions", field="ids")
        return JSONResponse(answer(view)), count

    response, count = await read(api, made)
    api.gate.charge(caller, count)
    return response


async def _wires(request: Request) -> list[bytes]:
    """The transactions in the body: one decoding, nothing else. Raises `Problem`."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == JSON:
        return [bytes.fromhex(wire) for wire in (await parsed(request, SubmitRequest)).transactions]
    if media_type != MSGPACK:
        raise Problem("unsupported_media_type", f"send {MSGPACK} or {JSON}", field="content-type")
    try:
        value = decode(await request.body(), size_max=SUBMISSION_BYTES_MAX)
    except CodecError as error:
        raise Problem("malformed", str(error), field="body") from error
    if not isinstance(value, list) or not 0 < len(value) <= TRANSACTIONS_MAX:
        raise Problem("malformed", f"a list of 1 to {TRANSACTIONS_MAX} transactions is expected", field="body")
    wires = [wire for wire in value if type(wire) is bytes]
    if len(wires) != len(value):
        raise Problem("malformed", "each transaction is a byte string", field="body")
    return wires


def _result(api: Api, result: Submitted) -> dict[str, Any]:
    if isinstance(result, TransactionError):
        return {"code": result.code, "field": result.field, "detail": result.reason}
    return {"transaction_id": result.hex(), **_inclusion(api, result)}


def _inclusion(api: Api, transaction_id: bytes) -> dict[str, Any]:
    receipt = api.service.inclusion(transaction_id)
    return {} if receipt is None else {"inclusion": receipt.to_json()}


async def _wait(ids: Sequence[bytes], api: Api, caller: Caller, wait_s: float) -> None:
    """Return when all are final, or the time is over. Raises `TooManyWaiters`, `Problem`."""
    if wait_s <= 0:
        return
    with api.waits.hold(caller.name, len(ids)):
        await asyncio.gather(*(api.service.wait_final(id_, wait_s) for id_ in ids))


def _answer(api: Api, view: View, transaction_id: bytes) -> dict[str, Any]:
    if view.is_final(transaction_id):
        return view.receipts(transaction_id)
    if not api.service.is_pending(transaction_id):
        return view.unknown(transaction_id) | _inclusion(api, transaction_id)
    return {"transaction_id": transaction_id.hex(), "status": "pending", **_inclusion(api, transaction_id)}


def _receipts_of(view: View, transaction_id: bytes) -> int:
    found = view.reader.get(TRANSACTION + transaction_id)
    return 0 if found is None else Place.decode(found).receipts
