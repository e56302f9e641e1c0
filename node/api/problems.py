"""Everything that goes wrong with a request, as RFC 9457 problem details: one closed table of codes, one shape."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from node.errors import NotFound, Pruned
from node.hub import TooManyWaiters
from registry.errors import FieldError

__all__ = ["PROBLEMS", "PROBLEM_JSON", "Problem", "install", "problem_of", "response_of"]

PROBLEM_JSON: Final = "application/problem+json"
RETRY_AFTER_S: Final = 1.0

_log = structlog.get_logger(room="api")


class _Kind(NamedTuple):
    status: int
    title: str


PROBLEMS: Final[Mapping[str, _Kind]] = MappingProxyType(
    {
        "malformed": _Kind(400, "The request is not well formed"),
        "signature_missing": _Kind(401, "The request is not signed"),
        "signature_expired": _Kind(401, "The request was not signed just now"),
        "signature_invalid": _Kind(401, "The request's signature is not accepted"),
        "digest_mismatch": _Kind(401, "The body is not the one that was signed"),
        "bad_token": _Kind(401, "The operator token is not accepted"),
        "unknown_party": _Kind(401, "The signing key belongs to no registered party"),
        "replayed_request": _Kind(401, "The request was sent before"),
        "suspended": _Kind(403, "The party is suspended"),
        "not_authorised": _Kind(403, "The caller's roles do not allow this"),
        "not_found": _Kind(404, "There is nothing here, or nothing for this caller"),
        "method_not_allowed": _Kind(405, "This method is not known here"),
        "pruned": _Kind(410, "This node does not keep this any more: ask an archive"),
        "body_timeout": _Kind(408, "The body did not arrive in time"),
        "too_large": _Kind(413, "The request or its answer would be too large"),
        "unsupported_media_type": _Kind(415, "The body's media type is not accepted here"),
        "rate_limited": _Kind(429, "Too many requests"),
        "internal_error": _Kind(500, "This node failed to answer"),
        "busy": _Kind(503, "This node has too much to do"),
        "not_ready": _Kind(503, "This node cannot serve this yet"),
    }
)
_WITH_RETRY: Final = frozenset({"rate_limited", "busy", "not_ready"})
_OF_STATUS: Final = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}


class Problem(Exception):
    """A request that is refused: a code of `PROBLEMS`, what is wrong in words, and which field of the request."""

    def __init__(
        self, code: str, detail: str, *, field: str | None = None, retry_after_s: float = RETRY_AFTER_S
    ) -> None:
        super().__init__(f"{code}: {detail}")
        assert code in PROBLEMS, code
        self.code = code
        self.detail = detail
        self.field = field
        self.retry_after_s = retry_after_s

    @property
    def status(self) -> int:
        """The HTTP status."""
        return PROBLEMS[self.code].status

    def to_json(self) -> dict[str, Any]:
        """The problem details object."""
        details: dict[str, Any] = {
            "type": f"urn:nemodat:problem:{self.code}",
            "title": PROBLEMS[self.code].title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.field is not None:
            details["field"] = self.field
        return details

    def headers(self) -> dict[str, str]:
        """What belongs to the status besides the body."""
        headers = {}
        if self.status == 401:
            headers["www-authenticate"] = 'Signature, Bearer realm="operator"'
        if self.code in _WITH_RETRY:
            headers["retry-after"] = str(math.ceil(self.retry_after_s))
        return headers


def response_of(problem: Problem) -> JSONResponse:
    """The HTTP response that says it."""
    return JSONResponse(problem.to_json(), problem.status, problem.headers(), PROBLEM_JSON)


def problem_of(error: Exception) -> Problem:
    """What to tell the caller of an error; nothing of this node's inside."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, FieldError):
        return Problem("malformed", error.reason, field=error.field)
    if isinstance(error, NotFound):
        return Problem("not_found", str(error))
    if isinstance(error, Pruned):
        return Problem("pruned", str(error))
    if isinstance(error, ClientDisconnect):
        return Problem("body_timeout", "the body ended before it was whole", field="body")
    if isinstance(error, TooManyWaiters):
        return Problem("busy", str(error))
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        return Problem("malformed", str(first["msg"]), field=_place(first["loc"]))
    if isinstance(error, HTTPException):
        return Problem(_OF_STATUS.get(error.status_code, "malformed"), "see the API's documentation at /v1/docs")
    return Problem("internal_error", "the node's log has the reason")


def install(app: FastAPI) -> None:
    """Answer every error of `app` by a problem."""

    async def answer(request: Request, error: Exception) -> JSONResponse:
        problem = problem_of(error)
        if problem.code == "internal_error":
            _log.error("request failed", method=request.method, path=request.url.path, exc_info=error)
        request.app.state.api.metrics.refused(problem.code)
        return response_of(problem)

    expected = (
        Problem,
        FieldError,
        NotFound,
        Pruned,
        TooManyWaiters,
        ClientDisconnect,
        RequestValidationError,
        HTTPException,
    )
    for kind in (*expected, Exception):
        app.add_exception_handler(kind, answer)


def _place(location: tuple[Any, ...]) -> str:
    """`("query", "wait_s")` as `wait_s`, `("body", "ids", 3)` as `ids[3]`."""
    text = ""
    for part in location[1:] or location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")
