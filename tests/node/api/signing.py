"""Requests signed by a member, for the HTTP client of tests."""

from __future__ import annotations

import secrets
import time
from collections.abc import Generator

import httpx

from registry.http_signatures import sign_request
from registry.keys import Signer

__all__ = ["SignedBy"]


class SignedBy(httpx.Auth):
    """Signs each request as a member does."""

    requires_request_body = True

    def __init__(self, key: Signer) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """The request, with its signature."""
        lines = dict(request.headers.items())
        nonce, created_s = secrets.token_hex(16), int(time.time())
        url, body = str(request.url), request.content
        request.headers.update(
            sign_request(request.method, url, lines, body, self._key, created_s=created_s, nonce=nonce)
        )
        yield request
