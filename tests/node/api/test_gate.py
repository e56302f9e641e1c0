"""Who gets in: nobody without a party's signature or the operator's token, and nothing twice."""

from __future__ import annotations

import http.client
import time
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from registry.http_signatures import WINDOW_S
from tests.node.api.live import TOKEN, Live, suspended

PUBLIC = {"/v1/health", "/v1/ready", "/v1/docs", "/v1/openapi.json"}


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem in an answer, which must be a whole one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    details: dict[str, Any] = answer.json()
    assert details["code"] == code, details
    assert details["status"] == status
    assert details["type"] == f"urn:nemodat:problem:{code}"
    assert details["title"]
    assert details["detail"]
    return details


def test_every_route_but_the_public_ones_is_closed(live: Live) -> None:
    paths = live.get("/v1/openapi.json", None).json()["paths"]
    assert len(paths) >= 16
    for path, operations in paths.items():
        for method in operations:
            answer = live.send(method.upper(), path.replace("{", "").replace("}", ""))
            if path in PUBLIC:
                assert answer.status_code == 200, path
            else:
                problem(answer, 401, "signature_missing")


def test_docs_and_schema_are_public(live: Live) -> None:
    assert "swagger" in live.get("/v1/docs", None).text
    assert live.get("/v1/openapi.json", None).json()["openapi"].startswith("3.")


def test_a_registered_party_gets_in(live: Live) -> None:
    assert live.get("/v1/status", "F_BR").status_code == 200


def test_the_operator_gets_in_by_token(live: Live) -> None:
    assert live.get("/v1/status", "operator").status_code == 200


@pytest.mark.parametrize("value", [f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer", "Bearer x x", TOKEN, "\x80"])
def test_a_wrong_token_is_refused(live: Live, value: str) -> None:
    headers = httpx.Headers({b"authorization": value.encode("latin-1")})
    answer = live.http.get(live.url + "/v1/status", headers=headers)
    assert problem(answer, 401, "bad_token")["field"] == "authorization"
    assert "www-authenticate" in answer.headers


def test_an_unknown_key_is_refused(live: Live) -> None:
    problem(live.get("/v1/status", "STRANGER"), 401, "unknown_party")


def test_a_suspended_party_is_refused(live: Live) -> None:
    with suspended(live, "EXP_VN"):
        problem(live.get("/v1/status", "EXP_VN"), 403, "suspended")
    assert live.get("/v1/status", "EXP_VN").status_code == 200


def test_a_request_sent_twice_is_refused(live: Live) -> None:
    request = live.request("GET", "/v1/status", by="F_SG")
    assert live.http.send(request).status_code == 200
    problem(live.http.send(request), 401, "replayed_request")


@pytest.mark.parametrize("off_s", [-WINDOW_S - 5, WINDOW_S + 5])
def test_an_old_or_early_signature_is_refused(live: Live, off_s: int) -> None:
    answer = live.send("GET", "/v1/status", by="F_SG", created_s=int(time.time()) + off_s)
    problem(answer, 401, "signature_expired")


def test_another_path_method_query_or_host_than_signed_is_refused(live: Live) -> None:
    for method, path in (("GET", "/v1/parties"), ("POST", "/v1/search"), ("GET", "/v1/status?x=1")):
        signed = live.request("GET", "/v1/status", by="F_SG")
        problem(live.http.request(method, live.url + path, headers=signed.headers), 401, "signature_invalid")
    signed = live.request("GET", "/v1/status", by="F_SG")
    signed.headers["host"] = "elsewhere.example"
    problem(live.http.send(signed), 401, "signature_invalid")


def test_another_body_than_signed_is_refused(live: Live) -> None:
    signed = live.request("POST", "/v1/search", by="F_SG", body=b'{"a":1}')
    changed = httpx.Request("POST", signed.url, headers=signed.headers, content=b'{"a":2}')
    problem(live.http.send(changed), 401, "digest_mismatch")


def test_a_body_that_was_not_signed_is_refused(live: Live) -> None:
    signed = live.request("POST", "/v1/search", by="F_SG")
    headers = {name: value for name, value in signed.headers.items() if name != "content-length"}
    answer = live.http.post(live.url + "/v1/search", headers=headers, content=b"{}")
    assert answer.status_code == 401, answer.text


def test_bad_input_of_strangers_is_not_looked_at(live: Live) -> None:
    problem(live.post("/v1/search", b"not json", None), 401, "signature_missing")


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/nothing", "/v2/status", "/v1/status/", "/%00", "/v1/../etc"])
def test_unknown_places_are_problems_too(live: Live, path: str) -> None:
    problem(live.get(path, "operator"), 404, "not_found")


def test_unknown_methods_are_problems_too(live: Live) -> None:
    problem(live.send("DELETE", "/v1/status", by="operator"), 405, "method_not_allowed")


def test_roles_decide(live: Live) -> None:
    search = b'{"fingerprints":[],"purpose":"x"}'
    problem(live.post("/v1/search", search, "IMP_DE"), 403, "not_authorised")
    problem(live.get("/v1/certificates/" + "0" * 32, "IMP_DE"), 403, "not_authorised")
    problem(live.get("/metrics", "F_CN"), 403, "not_authorised")
    problem(live.get("/metrics", "REGULATOR"), 403, "not_authorised")


def test_a_large_declared_body_is_refused_unread(live: Live) -> None:
    place = urlsplit(live.url)
    for path, size in (("/v1/transactions", 4 * 1024 * 1024 + 1), ("/v1/search", 128 * 1024 + 1)):
        connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=5)
        connection.putrequest("POST", path)
        connection.putheader("content-length", str(size))
        connection.endheaders()  # and not one byte of the body
        answer = connection.getresponse()
        assert answer.status == 413
        assert b'"too_large"' in answer.read()
        connection.close()


def test_a_large_undeclared_body_is_refused_while_it_arrives(live: Live) -> None:
    signed = live.request("POST", "/v1/search", by="F_SG", body=b"x" * 300_000)
    headers = {name: value for name, value in signed.headers.items() if name != "content-length"}

    def parts() -> Any:
        for _ in range(30):
            yield b"x" * 10_000

    problem(live.http.post(live.url + "/v1/search", headers=headers, content=parts()), 413, "too_large")
