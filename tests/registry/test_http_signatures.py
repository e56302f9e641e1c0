"""The request-signing profile: round trips, what is refused, and that a plain user of RFC 9421 understands us."""

from __future__ import annotations

import datetime
import itertools
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    HTTPSignatureKeyResolver,
)
from hypothesis import given
from hypothesis import strategies as st

from registry.http_signatures import WINDOW_S, HttpSignatureError, VerifiedRequest, sign_request, verify_request
from registry.keys import SigningKey, verify

KEY = SigningKey.from_seed(b"k" * 32)
OTHER = SigningKey.from_seed(b"o" * 32)
NOW = 1_800_000_000
NONCE = "0123456789abcdef"
URL = "http://127.0.0.1:8001/v1/transactions"


def check(method: str, url: str, headers: dict[str, str], body: bytes, now_s: float = NOW) -> VerifiedRequest:
    parts = urlsplit(url)
    return verify_request(
        method,
        authority=parts.netloc,
        path=parts.path,
        query=parts.query,
        headers=headers,
        body=body,
        now_s=now_s,
    )


def signed(method: str = "POST", url: str = URL, body: bytes = b"body", **more: Any) -> dict[str, str]:
    base = {"content-type": "application/msgpack"} if body else {}
    return base | sign_request(method, url, base, body, KEY, **({"created_s": NOW, "nonce": NONCE} | more))


def code(*arguments: Any, **more: Any) -> str:
    with pytest.raises(HttpSignatureError) as caught:
        check(*arguments, **more)
    return caught.value.code


def test_a_signed_request_tells_its_signer_nonce_and_time() -> None:
    verified = check("POST", URL, signed(), b"body")
    assert (verified.public_key, verified.nonce, verified.created_s) == (KEY.public_key, NONCE, NOW)


def test_a_request_without_body_or_with_a_query() -> None:
    url = "https://Node.example:443/v1/parties/lei:984500TJEXPORT000197?wait_s=3&x=%20"
    headers = signed("GET", url, b"")
    assert "content-digest" not in headers
    as_sent = url.replace("Node.example:443", "node.example")  # the Host header of a default port
    assert check("GET", as_sent, headers, b"").public_key == KEY.public_key


@pytest.mark.parametrize(
    ("method", "url", "body", "expected"),
    [
        ("PUT", URL, b"body", "signature_invalid"),
        ("POST", URL.replace("8001", "8002"), b"body", "signature_invalid"),
        ("POST", URL + "x", b"body", "signature_invalid"),
        ("POST", URL + "?a=1", b"body", "signature_invalid"),
        ("POST", URL, b"bodx", "digest_mismatch"),
        ("POST", URL, b"", "digest_mismatch"),
    ],
)
def test_whatever_is_covered_may_not_change(method: str, url: str, body: bytes, expected: str) -> None:
    assert code(method, url, signed(), body) == expected


def test_a_body_may_not_be_added_to_a_request_that_was_signed_without_one() -> None:
    assert code("POST", URL, signed(body=b""), b"late") == "digest_mismatch"


@pytest.mark.parametrize("shift_s", [-WINDOW_S - 1, WINDOW_S + 1])
def test_outside_its_window_a_signature_is_expired(shift_s: int) -> None:
    assert code("POST", URL, signed(), b"body", now_s=NOW + shift_s) == "signature_expired"
    assert check("POST", URL, signed(), b"body", now_s=NOW + shift_s - (shift_s > 0) + (shift_s < 0))


@pytest.mark.parametrize("name", ["signature", "signature-input", "content-digest"])
def test_each_header_is_needed(name: str) -> None:
    headers = signed()
    del headers[name]
    assert code("POST", URL, headers, b"body") in {"signature_missing", "signature_invalid"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('"@method" ', "", "signature_invalid"),
        ('"@path" ', "", "signature_invalid"),
        ('"@authority" ', "", "signature_invalid"),
        (' "content-digest"', "", "signature_invalid"),
        ('"@method"', '"@method";req', "signature_invalid"),
        ('"@method"', '"@method" "@method"', "signature_invalid"),
        ('"@method"', '"@status"', "signature_invalid"),
        ('"content-digest"', "content-digest", "signature_invalid"),
        (";created=", ";expires=", "signature_expired"),
        (";created=1800000000", ';created="1800000000"', "signature_invalid"),
        (";created=1800000000", ";created=1800000001", "signature_invalid"),
        ('alg="ed25519"', 'alg="rsa-pss-sha512"', "signature_invalid"),
        ('nonce="0123456789abcdef"', 'nonce="short"', "signature_invalid"),
        ('nonce="0123456789abcdef"', 'nonce="0123456789abcdeg"', "signature_invalid"),
        (KEY.public_key.hex(), OTHER.public_key.hex(), "signature_invalid"),
        (KEY.public_key.hex(), KEY.public_key.hex().upper(), "signature_invalid"),
        (KEY.public_key.hex(), "00" * 32, "signature_invalid"),
        ('tag="nemodat"', 'tag="other"', "signature_invalid"),
        ("nemodat=", "other=", "signature_invalid"),
        ("nemodat=", "a=(), nemodat=", "signature_invalid"),
        ("nemodat=", "nemodat=1, nemodat=", "signature_invalid"),
        ("nemodat=(", "nemodat=((", "signature_invalid"),
    ],
)
def test_what_the_profile_does_not_say_is_refused(old: str, new: str, expected: str) -> None:
    headers = signed()
    assert old in headers["signature-input"]
    headers["signature-input"] = headers["signature-input"].replace(old, new, 1)
    assert code("POST", URL, headers, b"body") == expected


def test_headers_are_bounded() -> None:
    headers = signed()
    headers["signature-input"] += " " * 2000
    assert code("POST", URL, headers, b"body") == "signature_invalid"


@pytest.mark.parametrize(
    ("url", "nonce"), [("/v1/genesis", NONCE), (URL, "short"), (URL, "x" * 65), (URL, 'x"' * 10), (URL + "/ä", NONCE)]
)
def test_the_signer_refuses_what_no_verifier_would_take(url: str, nonce: str) -> None:
    with pytest.raises(HttpSignatureError):
        sign_request("GET", url, {}, b"", KEY, created_s=NOW, nonce=nonce)


@given(name=st.sampled_from(["signature", "signature-input", "content-digest"]), text=st.text(max_size=80))
def test_any_header_gives_a_typed_error(name: str, text: str) -> None:
    with pytest.raises(HttpSignatureError):
        check("POST", URL, signed() | {name: text}, b"body")


@given(data=st.data(), name=st.sampled_from(["signature", "signature-input", "content-digest"]))
def test_any_change_of_one_character_is_refused(data: st.DataObject, name: str) -> None:
    headers = signed()
    value = headers[name]
    place = data.draw(st.integers(0, len(value) - 1))
    letter = data.draw(st.characters(min_codepoint=32, max_codepoint=126).filter(lambda c: c != value[place]))
    changed = value[:place] + letter + value[place + 1 :]
    try:
        check("POST", URL, headers | {name: changed}, b"body")
    except HttpSignatureError:
        return
    # What is not signed may differ: the label must be the same in both headers, so only spelling of base64 padding.
    assert name == "signature"


# --- the independent library ---------------------------------------------------------------------------------------


class Ed25519(HTTPSignatureAlgorithm):
    algorithm_id = "ed25519"

    def __init__(self, public_key: Any = None, private_key: Any = None) -> None:
        self.public_key, self.private_key = public_key, private_key

    def sign(self, message: bytes) -> bytes:
        signature: bytes = self.private_key.sign(b"", b"", message)
        return signature

    def verify(self, signature: bytes, message: bytes) -> None:
        verify(self.public_key, b"", b"", message, signature)


class Keys(HTTPSignatureKeyResolver):
    def resolve_public_key(self, key_id: str) -> bytes:
        return bytes.fromhex(key_id)

    def resolve_private_key(self, key_id: str) -> SigningKey:
        return KEY


@dataclass
class Message:
    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)


CASES = list(
    itertools.product(["GET", "POST"], [URL, URL + "?wait_s=3&a=%C3%A4", "https://Example.org"], [b"", b"x" * 99])
)


@pytest.mark.parametrize(("method", "url", "body"), CASES)
def test_the_library_believes_what_we_sign(method: str, url: str, body: bytes) -> None:
    now = datetime.datetime.now(datetime.UTC)
    headers = signed(method, url, body, created_s=int(now.timestamp()))
    verifier = HTTPMessageVerifier(signature_algorithm=Ed25519, key_resolver=Keys())
    needed = ["@method", "@authority", "@path", *(["content-digest"] if body else [])]
    (result,) = verifier.verify(Message(method, url, headers), require_components=needed, body=body)
    assert result.parameters["keyid"] == KEY.public_key.hex()


@pytest.mark.parametrize(("method", "url", "body"), CASES)
def test_we_believe_what_the_library_signs(method: str, url: str, body: bytes) -> None:
    message = Message(method, url)
    HTTPMessageSigner(signature_algorithm=Ed25519, key_resolver=Keys()).sign(
        message,
        key_id=KEY.public_key.hex(),
        created=datetime.datetime.fromtimestamp(NOW, datetime.UTC),
        nonce=NONCE,
        label="any",
        tag="nemodat",
        covered_component_ids=("@query", "@path", "@authority", "@method"),
        body=body or None,
    )
    headers = {name.lower(): value for name, value in message.headers.items()}
    assert check(method, url, headers, body).public_key == KEY.public_key
