"""The HTTP API of one node, assembled: routers, the gate, bounds, metrics, problems. See `create_app`."""

from __future__ import annotations

import hashlib
from typing import Final

from fastapi import FastAPI

from node.api import (
    authorities,
    blocks,
    claims,
    contacts,
    events,
    families,
    health,
    operations,
    parties,
    receivables,
    search,
    transactions,
)
from node.api.authentication import Gate
from node.api.context import Api, public
from node.api.documentation import document
from node.api.limits import BodyLimit
from node.api.metrics import MeasureRequests, Metrics
from node.api.problems import install
from node.config import ApiConfig, read_secret_file
from node.errors import ConfigError
from node.issued import Issued
from node.service import NodeService

__all__ = ["create_app"]

TOKEN_BYTES_MIN: Final = 16
_DESCRIPTION: Final = """
A node of a registry of receivable assignments. Requests are signed by HTTP message signatures (RFC 9421), algorithm
`ed25519`, `keyid` a registered party's signing key in hexadecimal, over `@method`, `@authority`, `@path`, `@query` (if
any) and `content-digest` (if there is a body), with `created`, a fresh `nonce` and the tag `nemodat`; or carry the
operator token of this node. Everything said about the ledger comes with its proof: verify it against the genesis file.
Each caller has so many requests per second; one of many items counts as one more for every 32 of them.
Problems are RFC 9457 `application/problem+json` with a stable `code`.
"""


def create_app(service: NodeService, config: ApiConfig) -> FastAPI:
    """The ASGI application of a running node, made on its event loop. Raises `ConfigError` for a bad token file."""
    metrics = Metrics(service)
    gate = Gate(
        service,
        operator_digest=_operator_digest(config),
        per_s=config.requests_per_s,
        burst=config.requests_burst,
    )
    app = FastAPI(
        title="nemodat",
        version="1",
        description=_DESCRIPTION,
        docs_url=None,  # see `document`
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.api = Api(
        service=service,
        gate=gate,
        metrics=metrics,
        issued=Issued(service.store),
        metrics_public=config.metrics_public,
    )
    rooms = (
        transactions,
        operations,
        blocks,
        authorities,
        parties,
        receivables,
        claims,
        contacts,
        families,
        search,
        events,
        health,
    )
    for room in rooms:
        app.include_router(room.router)
    install(app)
    document(app, [room.router for room in rooms], public)
    app.add_middleware(BodyLimit)
    app.add_middleware(MeasureRequests, metrics=metrics)
    return app


def _operator_digest(config: ApiConfig) -> bytes | None:
    """SHA-256 of the operator token; the token itself is not kept."""
    file = config.operator_token_file
    if file is None:
        return None
    token = read_secret_file(file, "api.operator_token_file", file)
    if len(token) < TOKEN_BYTES_MIN:
        reason = (
            f"a token of less than {TOKEN_BYTES_MIN} characters can be guessed: `openssl rand -hex 32` makes a good one"
        )
        raise ConfigError(file, "api.operator_token_file", reason)
    return hashlib.sha256(token).digest()
