"""What OpenAPI says of the routes: answers with examples, the problems of each, who may ask; nothing is checked here.

A route names its answer and the problems that are its own; those that every route has are added here once.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, FastAPI, Path, Query
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from node.api.examples import DIGEST
from node.api.models import WAIT_S_MAX, ProblemDetails
from node.api.problems import PROBLEM_JSON, PROBLEMS, Problem

__all__ = [
    "BY_OPERATOR",
    "BY_TOKEN_OR_SIGNATURE",
    "PARTY_CHARS_MAX",
    "PUBLIC",
    "After",
    "Id",
    "PartyNamed",
    "Wait",
    "answers",
    "document",
    "plain_answers",
    "request_body",
]

PARTY_CHARS_MAX: Final = 100
OPENAPI_PATH: Final = "/v1/openapi.json"
DOCS_PATH: Final = "/v1/docs"

Id = Annotated[str, Path(description="The id: 32 bytes in lower-case hexadecimal.", examples=[DIGEST])]
PartyNamed = Annotated[
    str,
    Query(
        max_length=PARTY_CHARS_MAX,
        description="Whose: `me`, or a party's id, which only regulators and the operator may name.",
        examples=["me"],
    ),
]
After = Annotated[
    str, Query(max_length=64, description="`next` of the part before; left out for the first.", examples=[DIGEST])
]
Wait = Annotated[
    float,
    Query(
        ge=0,
        le=WAIT_S_MAX,
        allow_inf_nan=False,
        description="How many seconds the answer may wait for what is asked for.",
        examples=[10],
    ),
]

_SIGNATURE: Final = "httpSignature"
_TOKEN: Final = "operatorToken"  # noqa: S105 - the name of a scheme
BY_TOKEN_OR_SIGNATURE: Final[list[dict[str, list[str]]]] = [{_SIGNATURE: []}, {_TOKEN: []}]
BY_OPERATOR: Final[dict[str, Any]] = {"security": [{_TOKEN: []}]}
PUBLIC: Final[dict[str, Any]] = {"security": []}
_SCHEMES: Final = {
    _SIGNATURE: {
        "type": "http",
        "scheme": "signature",
        "description": "HTTP message signature (RFC 9421) by a registered party's signing key; see the description.",
    },
    _TOKEN: {"type": "http", "scheme": "bearer", "description": "The operator token of this node."},
}

_OF_ALL: Final = ("too_large", "rate_limited", "internal_error")
_OF_SIGNED: Final = (
    "malformed",
    "signature_missing",
    "signature_expired",
    "signature_invalid",
    "digest_mismatch",
    "bad_token",
    "unknown_party",
    "replayed_request",
    "suspended",
    "not_authorised",
    "body_timeout",
)
_DETAILS: Final = {
    "malformed": ("32 bytes in lower-case hexadecimal are expected", "id"),
    "not_found": ("no such record, or not for this caller", "id"),
    "unsupported_media_type": ("send application/msgpack or application/json", "content-type"),
}
_RETRY: Final = {"retry-after": {"description": "Seconds to wait before the next try.", "schema": {"type": "integer"}}}
_CHALLENGE: Final = {"www-authenticate": {"description": "How a request is signed.", "schema": {"type": "string"}}}


def answers(
    model: Any, example: Any, *codes: str, status: int = 200, signed: bool = True, said: str = "What was asked for."
) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that answers JSON of `model`, such as `example`; `codes` are its own problems."""
    success = {"model": model, "description": said, "content": {"application/json": {"example": example}}}
    return {status: success, **_problems(codes, signed=signed)}


def plain_answers(
    media_type: str, example: str, *codes: str, signed: bool = True, said: str = "What was asked for."
) -> dict[int | str, dict[str, Any]]:
    """The same for a route that answers text."""
    content = {media_type: {"schema": {"type": "string"}, "example": example}}
    return {200: {"description": said, "content": content}, **_problems(codes, signed=signed)}


def request_body(
    model: type[BaseModel], example: Any, *, others: dict[str, Any] | None = None
) -> dict[str, dict[str, Any]]:
    """What OpenAPI says of a JSON body that the route checks by itself; `others` are further media types."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})

    def inlined(value: Any) -> Any:
        if isinstance(value, dict):
            name = str(value.get("$ref", "")).removeprefix("#/$defs/")
            return inlined(definitions[name]) if name else {key: inlined(item) for key, item in value.items()}
        return [inlined(item) for item in value] if isinstance(value, list) else value

    content = {"application/json": {"schema": inlined(schema), "example": example}} | (others or {})
    return {"requestBody": {"required": True, "description": schema["description"], "content": content}}


def document(app: FastAPI, routers: Sequence[APIRouter], gate: Any) -> None:
    """Let `app`, made of `routers`, describe itself with who may ask and how problems look, to anybody, at a rate.

    `gate` is the dependency that keeps the rate. The description is made and rendered once, here: it takes the loop
    longer than any other answer.
    """
    described = json.dumps(_described(app, routers), ensure_ascii=False, separators=(",", ":")).encode()
    page = bytes(get_swagger_ui_html(openapi_url=OPENAPI_PATH, title=f"{app.title} - Swagger UI").body)

    async def openapi() -> Response:
        return Response(described, media_type="application/json")

    async def docs() -> Response:
        return Response(page, media_type="text/html")

    app.add_api_route(OPENAPI_PATH, openapi, include_in_schema=False, dependencies=[gate])
    app.add_api_route(DOCS_PATH, docs, include_in_schema=False, dependencies=[gate])


def _described(app: FastAPI, routers: Sequence[APIRouter]) -> dict[str, Any]:
    made = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=app.openapi_tags,
    )
    made["security"] = BY_TOKEN_OR_SIGNATURE
    components = made["components"]
    components["securitySchemes"] = _SCHEMES
    components["schemas"]["ProblemDetails"] = ProblemDetails.model_json_schema()
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own: here every problem is of one shape
        components["schemas"].pop(name, None)
    for path in made["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
    for router in routers:
        _put_examples(router, made["paths"])
    return made


def _put_examples(router: APIRouter, paths: dict[str, Any]) -> None:
    """Put the examples of answers as they were given: FastAPI drops every null in them."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            for status, response in route.responses.items():
                for operation in paths[route.path_format].values():
                    for media_type, body in response["content"].items():
                        operation["responses"][str(status)]["content"][media_type] |= body


def _problems(codes: Sequence[str], *, signed: bool) -> dict[int | str, dict[str, Any]]:
    """The problems of a route by status, each code with an example."""
    of_status: defaultdict[int, dict[str, Any]] = defaultdict(dict)
    for code in (*(_OF_SIGNED if signed else ()), *_OF_ALL, *codes):
        detail, field = _DETAILS.get(code, (PROBLEMS[code].title.lower(), None))
        problem = Problem(code, detail, field=field)
        of_status[problem.status][code] = {"summary": PROBLEMS[code].title, "value": problem.to_json()}
    return {status: _response(status, examples) for status, examples in sorted(of_status.items())}


def _response(status: int, examples: dict[str, Any]) -> dict[str, Any]:
    titles = "; ".join(f"`{code}`: {example['summary']}" for code, example in examples.items())
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}, "examples": examples}}
    response: dict[str, Any] = {"description": titles, "content": content}
    if status in (429, 503):
        response["headers"] = _RETRY
    if status == 401:
        response["headers"] = _CHALLENGE
    return response
