"""The node answers as its OpenAPI says, whatever is asked; `scripts/fuzz --api` asks for longer."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from schemathesis.core.failures import FailureGroup

from tests.fuzzing.api import Member, Operator, operations, operations_of, run
from tests.node.api.conftest import Story
from tests.node.api.live import TOKEN, Live
from tests.registry.world import key_of, name_id

EXAMPLES = 3  # of each operation, by each caller: some seconds in all

LOOKED_UP = (  # operations that the known values and the callers' roles open
    "GET /v1/receivables/{id}",
    "GET /v1/receivables/{id}/claims",
    "GET /v1/claims/{id}",
    "GET /v1/parties/{id}",
)


def test_every_operation_answers_as_its_schema_says(live: Live, story: Story) -> None:
    callers = {"nobody": None, "exporter": Member(key_of("EXP_CN")), "operator": Operator(TOKEN)}
    known = {
        "/v1/receivables/": [story.receivable],
        "/v1/claims/": [story.reserved, story.offered],
        "/v1/parties/": [name_id("EXP_CN")],
    }
    found = operations(live.url)
    assert len(found) > 20
    succeeded = {name: run(operation, callers, examples=EXAMPLES, known=known) for name, operation in found.items()}
    opened = ("GET /v1/genesis", "GET /v1/parties", "GET /v1/status", *LOOKED_UP)
    assert [name for name in opened if not succeeded[name]] == []


def broken(answer: Any, status: int) -> FastAPI:
    app = FastAPI()

    @app.get("/v1/thing", responses={200: {"model": int}})
    async def thing() -> JSONResponse:
        return JSONResponse(answer, status)

    return app


@pytest.mark.parametrize(("answer", "status"), [("text", 200), (1, 500), (1, 404)])
def test_what_does_not_is_noticed(answer: Any, status: int) -> None:
    (operation,) = operations_of(schemathesis.openapi.from_asgi("/openapi.json", broken(answer, status))).values()
    with pytest.raises(FailureGroup):
        run(operation, {"nobody": None}, examples=2)
    (sound,) = operations_of(schemathesis.openapi.from_asgi("/openapi.json", broken(1, 200))).values()
    assert run(sound, {"nobody": None}, examples=2) > 0
