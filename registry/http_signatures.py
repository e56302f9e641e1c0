"""Signed HTTP requests: this project's profile of RFC 9421 (HTTP Message Signatures), made and checked here only.

The profile: one Ed25519 signature (RFC 9421, 3.3.6), tagged `nemodat`, by a party's signing key over

- `@method`, `@authority`, `@path`; `@query` if there is a query; `content-digest` (RFC 9530) if there is a body;
- the parameters `created` (Unix seconds), `nonce`, `keyid` (the public key, 64 lower-case hex digits), `alg`, `tag`.

Structured fields, signature base and digests are the work of the `http-message-signatures` library; signatures are
made and verified by `registry.keys`, like all others here. The base always begins with a quoted component name, so it
can never be mistaken for anything signed under a domain of `registry.keys`. Times are arguments: nothing here reads a
clock, and remembering nonces is the caller's duty.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    HTTPSignatureKeyResolver,
    InvalidSignature,
)
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from http_message_signatures.structures import VerifyResult

from registry.errors import RegistryError, SignatureInvalid
from registry.keys import PUBLIC_KEY_SIZE, Signer, verify

__all__ = [
    "NONCE_LENGTH_MAX",
    "NONCE_LENGTH_MIN",
    "WINDOW_S",
    "HttpSignatureError",
    "VerifiedRequest",
    "sign_request",
    "verify_headers",
    "verify_request",
]

WINDOW_S = 60  # seconds that `created` may lie before or after the verifier's clock
NONCE_LENGTH_MIN = 16  # characters
NONCE_LENGTH_MAX = 64  # characters
HEADER_LENGTH_MAX = 1024  # characters of each of the three headers

LABEL = "nemodat"

_ALWAYS = ("@method", "@authority", "@path")
_HEADERS = ("signature-input", "signature", "content-digest")
_KEY_ID = re.compile(rf"[0-9a-f]{{{2 * PUBLIC_KEY_SIZE}}}")
_NONCE_FORM = f"{NONCE_LENGTH_MIN} to {NONCE_LENGTH_MAX} of A-Z a-z 0-9 - _ are expected"
_NONCE = re.compile(rf"[A-Za-z0-9_-]{{{NONCE_LENGTH_MIN},{NONCE_LENGTH_MAX}}}")


class HttpSignatureError(RegistryError):
    """A request's signature is missing, out of its window or wrong.

    `code` is one of `signature_missing`, `signature_expired`, `signature_invalid`, `digest_mismatch`; `field` names
    the header or parameter.
    """

    def __init__(self, code: str, field: str, reason: str) -> None:
        super().__init__(f"{code}: {field}: {reason}")
        self.code = code
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class VerifiedRequest:
    """What a verified signature says: who signed (public key, 32 bytes), with which nonce, and when."""

    public_key: bytes
    nonce: str
    created_s: int
    _verifier: _Verifier = field(repr=False, compare=False)
    _message: _Message = field(repr=False, compare=False)
    _result: VerifyResult = field(repr=False, compare=False)

    def check_body(self, body: bytes) -> None:
        """Return if `body` is the signed one; else raise `HttpSignatureError`."""
        try:
            self._verifier.verify_body(self._message, [self._result], body)
        except HTTPMessageSignaturesException as error:
            raise HttpSignatureError("digest_mismatch", "content-digest", str(error)) from error


def sign_request(
    method: str, url: str, headers: Mapping[str, str], body: bytes, key: Signer, *, created_s: int, nonce: str
) -> dict[str, str]:
    """The headers to add to a request so that it is signed by `key`; lower-case names.

    `url` is absolute and spelt as it goes on the wire; `headers` are those the request already has. `nonce` is 16 to
    64 characters of A-Z a-z 0-9 - _ and never used again by this key. Raises `HttpSignatureError` if one of these has
    the wrong form.
    """
    if not _NONCE.fullmatch(nonce):
        raise HttpSignatureError(
            "signature_invalid", "nonce", f"{NONCE_LENGTH_MIN} to {NONCE_LENGTH_MAX} of A-Za-z0-9_-"
        )
    message = _Message(method, url, dict(headers))
    signer = HTTPMessageSigner(signature_algorithm=_Ed25519)
    try:
        prepared = signer.prepare(
            message,
            key_id=key.public_key.hex(),
            created=datetime.datetime.fromtimestamp(created_s, datetime.UTC),
            nonce=nonce,
            label=LABEL,
            tag=LABEL,
            covered_component_ids=_required(urlsplit(url).query),
            body=body or None,
        )
        signer.apply(message, prepared, key.sign(b"", b"", prepared.signature_base))
    except HTTPMessageSignaturesException as error:
        raise HttpSignatureError("signature_invalid", "request", str(error)) from error
    return {name.lower(): value for name, value in message.headers.items() if name not in headers}


def verify_request(
    method: str, *, authority: str, path: str, query: str, headers: Mapping[str, str], body: bytes, now_s: float
) -> VerifiedRequest:
    """Who signed this request, body included. Arguments and errors as of `verify_headers`."""
    verified = verify_headers(method, authority=authority, path=path, query=query, headers=headers, now_s=now_s)
    verified.check_body(body)
    return verified


def verify_headers(
    method: str, *, authority: str, path: str, query: str, headers: Mapping[str, str], now_s: float
) -> VerifiedRequest:
    """Who signed this request, before its body is read; the caller then owes `check_body`.

    `authority` is the Host, `path` and `query` (without `?`) are as on the wire; header names are in lower case, and
    a repeated header is joined by `, `. Raises `HttpSignatureError`.
    """
    signature_headers = {name: headers[name] for name in _HEADERS if name in headers}
    for name in ("signature-input", "signature"):
        if name not in signature_headers:
            raise HttpSignatureError("signature_missing", name, "the request is not signed")
    for name, value in signature_headers.items():
        if len(value) > HEADER_LENGTH_MAX:
            raise HttpSignatureError("signature_invalid", name, f"longer than {HEADER_LENGTH_MAX} characters")
    verifier = _Verifier(now_s)
    message = _Message(method, f"http://{authority}{path}{'?' if query else ''}{query}", signature_headers)
    try:
        (result,) = verifier.verify(message, max_age=None, expect_tag=LABEL, require_components=_required(query))
    except (HTTPMessageSignaturesException, ValueError) as error:
        raise HttpSignatureError("signature_invalid", "signature", str(error)) from error
    if result.nonce is None or not _NONCE.fullmatch(result.nonce):
        raise HttpSignatureError(
            "signature_invalid", "nonce", f"{NONCE_LENGTH_MIN} to {NONCE_LENGTH_MAX} of A-Za-z0-9_-"
        )
    public_key, created_s = bytes.fromhex(str(result.parameters["keyid"])), int(result.parameters["created"])
    return VerifiedRequest(public_key, result.nonce, created_s, verifier, message, result)


@dataclass(slots=True)
class _Message:
    """What the library reads, and adds headers to."""

    method: str
    url: str
    headers: dict[str, str]


class _Ed25519(HTTPSignatureAlgorithm):
    """Ed25519 by libsodium."""

    algorithm_id = "ed25519"

    def __init__(self, public_key: bytes | None = None, private_key: None = None) -> None:
        self._public_key = public_key

    def verify(self, signature: bytes, message: bytes) -> None:
        assert self._public_key is not None, "the resolver gives a key or raises"
        try:
            verify(self._public_key, b"", b"", message, signature)
        except SignatureInvalid as error:
            raise InvalidSignature(str(error)) from error


class _KeyIsId(HTTPSignatureKeyResolver):
    """The key id is the public key."""

    def resolve_public_key(self, key_id: str) -> bytes:
        if not _KEY_ID.fullmatch(key_id):
            raise InvalidSignature(f"keyid: {2 * PUBLIC_KEY_SIZE} lower-case hex digits are expected")
        return bytes.fromhex(key_id)


class _Verifier(HTTPMessageVerifier):
    """The library's verifier with the caller's clock and the profile's window."""

    def __init__(self, now_s: float) -> None:
        super().__init__(signature_algorithm=_Ed25519, key_resolver=_KeyIsId())
        self._now_s = now_s

    def validate_created_and_expires(self, sig_input: Any, max_age: datetime.timedelta | None = None) -> None:
        created_s = sig_input.params.get("created")
        if type(created_s) is not int or abs(self._now_s - created_s) > WINDOW_S:
            reason = f"must be within {WINDOW_S} s of this node's clock: check yours"
            raise HttpSignatureError("signature_expired", "created", reason)


def _required(query: str) -> tuple[str, ...]:
    return (*_ALWAYS, "@query") if query else _ALWAYS
