"""Whatever bytes arrive, the node answers with what it knows or with a problem; never with a failure of its own."""

from __future__ import annotations

import json

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.codec import encode
from tests.node.api.live import Live

HARD = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
POSTS = st.sampled_from(["/v1/transactions", "/v1/receipts", "/v1/search"])
KEYS = st.sampled_from(["transactions", "ids", "wait_s", "fingerprints", "purpose", "kind", "fingerprint"]) | st.text(
    max_size=5
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def sound(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert "Traceback" not in answer.text


@HARD
@given(
    path=POSTS, body=st.binary(max_size=300), media_type=st.sampled_from(["application/json", "application/msgpack"])
)
def test_any_bytes(live: Live, path: str, body: bytes, media_type: str) -> None:
    sound(live.post(path, body, "EXP_CN", media_type))


@HARD
@given(path=POSTS, body=st.dictionaries(KEYS, JSON, max_size=4) | JSON)
def test_any_json(live: Live, path: str, body: object) -> None:
    sound(live.post(path, json.dumps(body).encode(), "EXP_CN"))


@HARD
@given(items=st.lists(st.binary(max_size=60) | st.integers(0, 9) | st.lists(st.binary(max_size=9)), max_size=4))
def test_any_message_pack(live: Live, items: list[object]) -> None:
    sound(live.post("/v1/transactions", encode(items), "EXP_CN", "application/msgpack"))  # type: ignore[arg-type]


@HARD
@given(
    place=st.sampled_from(
        [
            "transactions",
            "blocks",
            "parties",
            "receivables",
            "claims",
            "certificates",
            "events?since=",
            "parties?after=",
        ]
    ),
    value=st.text(st.characters(codec="utf-8", exclude_characters="?#"), max_size=40),
)
def test_any_path(live: Live, place: str, value: str) -> None:
    from urllib.parse import quote

    encoded = quote(value, safe="")
    path = f"/v1/{place}{encoded}" if "?" in place else f"/v1/{place}/{encoded}"
    request = live.request("GET", path, by="F_SG")
    with live.http.stream(request.method, request.url, headers=request.headers) as answer:
        if answer.headers["content-type"].startswith("text/event-stream"):
            return
        answer.read()
        sound(answer)


@HARD
@given(
    name=st.sampled_from(["signature", "signature-input", "content-digest", "authorization", "host"]),
    value=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=80),
)
def test_any_header(live: Live, name: str, value: str) -> None:
    request = live.request("POST", "/v1/search", by="F_SG", body=b"{}")
    request.headers[name] = value
    answer = live.http.send(request)
    assert 400 <= answer.status_code < 500, answer.text
