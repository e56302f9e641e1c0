"""Who asks? A registered party by a signed request (RFC 9421), or this node's operator by its token. Nobody else.

Refusals are counted by address, those of members included, and an address that has used its share up is refused before
anything is verified; what is signed by a member is counted by member. The signature over the headers is verified before
the body is read.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import Final

from starlette.requests import Request

from node.api import limits
from node.api.access import Caller
from node.api.limits import (
    BODIES_BYTES_MAX,
    BODIES_EACH_MAX,
    CALLER_NONCES_MAX,
    ITEMS_PER_TOKEN,
    NAMES_MAX,
    body_max,
)
from node.api.problems import Problem
from node.api.replay import MemoryFull, NonceMemory
from node.api.shares import Shares
from node.fairness import address_of
from node.layout import read_state
from node.rates import Buckets
from node.service import NodeService
from registry.http_signatures import WINDOW_S, HttpSignatureError, VerifiedRequest, verify_headers
from registry.parties import Party
from registry.state import State

__all__ = ["Gate"]

HOST_CHARS_MAX: Final = 300


class Gate:
    """Lets callers in, one request at a time. `operator_digest` is the SHA-256 of the token, None without one."""

    def __init__(
        self,
        service: NodeService,
        *,
        operator_digest: bytes | None,
        per_s: float,
        burst: int,
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        self._service = service
        self._operator_digest = operator_digest
        self._callers = Buckets(per_s=per_s, burst=burst, names_max=NAMES_MAX)
        self._addresses = Buckets(per_s=per_s, burst=burst, names_max=NAMES_MAX)
        self._bodies = Shares("bytes of bodies", most=BODIES_BYTES_MAX, each_max=BODIES_EACH_MAX)
        self._nonces = NonceMemory(window_s=WINDOW_S, caller_max=CALLER_NONCES_MAX)
        self._clock_s = clock_s

    def pass_public(self, request: Request) -> None:
        """Let anybody in, at a rate. Raises `Problem`."""
        _limited(self._addresses.take(_address(request), now_s=self._clock_s()))

    @asynccontextmanager
    async def admit(self, request: Request) -> AsyncIterator[Caller]:
        """Who asks; until the context is left, the body counts as the caller's. Raises `Problem`.

        The caller's token is taken before anything is remembered or read for it: what a throttled caller sends costs
        the verification of its headers only.
        """
        address = _address(request)
        _limited(self._addresses.wait_s(address, now_s=self._clock_s()))
        with ExitStack() as held:
            try:
                caller = await self._identify(request, held)
            except Problem as problem:
                if problem.status == 401 or problem.code in ("suspended", "rate_limited"):
                    self._addresses.take(address, now_s=self._clock_s())
                raise
            yield caller

    def charge(self, caller: Caller, items: int) -> None:
        """Count a request of many items (proofs, transactions, ids) as what it costs; its first token is taken."""
        self._callers.charge(caller.name, items / ITEMS_PER_TOKEN, now_s=self._clock_s())

    def stays(self, caller: Caller) -> bool:
        """Whether a caller that was let in earlier still may what it might then.

        Not if it was suspended since, has other roles, or revoked a key, which may be the one it came with.
        """
        if caller.party is None:
            return True
        found = self._state().party(caller.party.id)
        if found is None or found.suspended or found.roles != caller.party.roles:
            return False
        return set(caller.party.sign_keys) <= set(found.sign_keys)

    async def _identify(self, request: Request, held: ExitStack) -> Caller:
        authorization = request.headers.get("authorization")
        if authorization is not None:
            self._check_token(authorization)
            caller = Caller(None)
            _limited(self._callers.take(caller.name, now_s=self._clock_s()))
            await self._body(request, caller, held)
            return caller
        try:
            verified = _verified(request, self._clock_s())
            caller = Caller(self._party(verified.public_key))
            self._count(caller.name, verified)
            verified.check_body(await self._body(request, caller, held))
        except HttpSignatureError as error:
            raise Problem(error.code, error.reason, field=error.field) from error
        return caller

    async def _body(self, request: Request, caller: Caller, held: ExitStack) -> bytes:
        """The body, read into room that the caller holds for it: as much as it says, or as it may have."""
        declared = request.headers.get("content-length", "")
        if not declared and "transfer-encoding" not in request.headers:
            return b""
        size = int(declared) if declared.isdigit() else body_max(request.scope["path"])
        held.enter_context(self._bodies.hold(caller.name, max(1, size)))
        try:
            async with asyncio.timeout(limits.BODY_WAIT_S):
                return await request.body()
        except TimeoutError:
            reason = f"the body did not arrive within {limits.BODY_WAIT_S:.0f} s"
            raise Problem("body_timeout", reason, field="body") from None

    def _check_token(self, authorization: str) -> None:
        scheme, _, token = authorization.partition(" ")
        presented = hashlib.sha256(token.strip().encode()).digest()
        known = self._operator_digest
        if known is None or scheme.lower() != "bearer" or not hmac.compare_digest(presented, known):
            raise Problem("bad_token", "this is not the operator token of this node", field="authorization")

    def _party(self, public_key: bytes) -> Party:
        party = self._state().party_of_key(public_key)
        if party is None:
            raise Problem("unknown_party", "is not a signing key of a registered party", field="keyid")
        if party.suspended:
            raise Problem("suspended", f"{party.id} is suspended")
        return party

    def _state(self) -> State:
        store = self._service.store
        return State(lambda key: read_state(store, key))

    def _count(self, caller: str, verified: VerifiedRequest) -> None:
        """Take the caller's token and remember the nonce; a request sent twice takes none, for others may send it."""
        now_s, key, nonce = self._clock_s(), verified.public_key, verified.nonce
        if self._nonces.knows(caller, key, nonce, now_s=now_s):
            raise Problem("replayed_request", "this nonce was used before: sign each request afresh", field="nonce")
        _limited(self._callers.take(caller, now_s=now_s))
        try:
            self._nonces.add(caller, key, nonce, now_s=now_s)
        except MemoryFull:
            reason = f"more than {CALLER_NONCES_MAX} signed requests within {2 * WINDOW_S} s"
            raise Problem("rate_limited", reason, retry_after_s=WINDOW_S) from None


def _limited(wait_s: float) -> None:
    if wait_s > 0:
        raise Problem("rate_limited", f"try again in {wait_s:.1f} s", retry_after_s=wait_s)


def _verified(request: Request, now_s: float) -> VerifiedRequest:
    """Who signed the request, as it stands on the wire: nothing decoded, the authority from Host."""
    headers = _headers(request)
    host = headers.get("host", "")
    if not 0 < len(host) <= HOST_CHARS_MAX:
        raise Problem("malformed", f"1 to {HOST_CHARS_MAX} characters are expected", field="host")
    return verify_headers(
        request.method,
        authority=host,
        path=request.scope["raw_path"].decode("latin-1"),
        query=request.scope["query_string"].decode("latin-1"),
        headers=headers,
        now_s=now_s,
    )


def _address(request: Request) -> str:
    return "" if request.client is None else address_of(request.client.host)


def _headers(request: Request) -> dict[str, str]:
    """Lines of one name are joined (RFC 9110, 5.3), so that none can hide behind another."""
    joined: dict[str, str] = {}
    for name, value in request.headers.items():
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined
