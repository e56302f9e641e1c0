"""The API of a running node against its own OpenAPI: whatever is asked, no failure, and answers as the schema says.

Requests are made by schemathesis from the schema that the node serves, right ones and wrong ones, and come from
nobody, from members of several roles, and from the node's operator.
"""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from requests.auth import AuthBase
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from registry.http_signatures import sign_request
from registry.keys import Signer

__all__ = ["Member", "Operator", "operations", "operations_of", "run"]

CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)
ENDLESS = "/v1/events"  # a stream: tests of its own read it
WAIT_S_MAX = 0.01  # of what may wait for finality
TIMEOUT_S = 20.0


class Member(AuthBase):
    """Signs each request as a member does."""

    def __init__(self, key: Signer) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        assert request.method is not None
        assert request.url is not None
        lines = {name.lower(): value for name, value in request.headers.items() if isinstance(value, str)}
        request.headers.update(
            sign_request(
                request.method,
                request.url,
                lines,
                body,
                self._key,
                created_s=int(time.time()),
                nonce=secrets.token_hex(16),
            )
        )
        return request


class Operator(AuthBase):
    """Shows the operator's token."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["authorization"] = f"Bearer {self._token}"
        return request


def operations(url: str) -> dict[str, Any]:
    """The operations in the schema of the node at `url`, by method and path."""
    return operations_of(schemathesis.openapi.from_url(f"{url}/v1/openapi.json"))


def operations_of(described: Any) -> dict[str, Any]:
    """The operations of a loaded schema, all but the endless one."""
    schema = described.exclude(path=ENDLESS)
    schema.config.generation.update(modes=list(GenerationMode))
    found = [each.ok() for each in schema.get_all_operations()]
    return {f"{each.method.upper()} {each.path}": each for each in found}


def run(
    operation: Any,
    callers: Mapping[str, AuthBase | None],
    *,
    examples: int,
    known: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> int:
    """Ask so many times, as each caller in turn. Returns how many were answered with success; raises what broke.

    `known` are values of the first path parameter that exist, by the path before it: many requests ask for them.
    """
    prefix, _, name = operation.path.partition("{")
    values = itertools.cycle([*known.get(prefix, ()), None])
    succeeded = 0

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        nonlocal succeeded
        value = next(values)
        if value is not None:
            case.path_parameters = dict(case.path_parameters) | {name.partition("}")[0]: value}
        _hasten(case.query)
        _hasten(case.body)
        for auth in callers.values():
            response = case.call(auth=auth, timeout=TIMEOUT_S)
            case.validate_response(response, checks=CHECKS)
            succeeded += response.status_code < 300

    ask()
    return succeeded


def _hasten(part: Any) -> None:
    """Wait for nothing that will not come."""
    if isinstance(part, dict) and isinstance(part.get("wait_s"), int | float) and 0 < part["wait_s"] <= 30:
        part["wait_s"] = WAIT_S_MAX
