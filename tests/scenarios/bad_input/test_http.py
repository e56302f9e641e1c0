"""Bad HTTP at real nodes: each request has one typed answer, what is too much is not kept, and the node goes on."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import ExitStack

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.codec import encode
from registry.transactions.envelope import sign
from tests.cast import AUTHORITIES, EXP_CN, key_of
from tests.scenarios.bad_input.network import Network, Witness, done, hard, human, invoice, problem
from tests.scenarios.bad_input.wire import connection, send

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("witness")]

MIB = 1024 * 1024
FLOOD_BYTES = 80 * MIB
KEPT_BYTES_MAX = 40 * MIB  # by which a node's memory may grow under a flood
IDLE_COUNT = 300
NODE = "f-cn"


@pytest.fixture
def bounded(network: Network) -> Iterator[None]:
    """The node's memory is about as large afterwards as it was before."""
    process = psutil.Process(network.devnet.pid(NODE))
    before = process.memory_info().rss
    yield
    assert process.memory_info().rss - before < KEPT_BYTES_MAX


def head(network: Network, path: str, *lines: str, method: str = "POST") -> bytes:
    """The head of a request of the operator."""
    token = f"Authorization: Bearer {network.devnet.operator_token(NODE)}"
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: node", token, *lines, "", ""]).encode()


# --- what is no request ---------------------------------------------------------------------------------------------

NO_REQUESTS = {
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
    "zeros": bytes(4_096),
    "text": b"hello\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/9.9": b"GET /v1/health HTTP/9.9\r\nHost: x\r\n\r\n",
    "no such method": b"STEAL /v1/health HTTP/1.1\r\nHost: x\r\n\r\n",
    "a path of raw bytes": b"GET /v1/blocks/\xe9\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "a negative length": b"POST /v1/search HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    "no number for a length": b"POST /v1/search HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
    "a length beyond 64 bits": b"POST /v1/search HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n",
    "two lengths": b"POST /v1/search HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n12345",
    "length and chunks": b"POST /v1/search HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a line of its own in a header": b"GET /v1/health HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
    "no name of a header": b"GET /v1/health HTTP/1.1\r\nHost: x\r\n: a\r\n\r\n",
}


def test_what_is_no_request_is_a_problem_and_the_end_of_the_connection(network: Network) -> None:
    for name, data in NO_REQUESTS.items():
        answer = send(network.address(NODE), [data])
        assert (answer.status, answer.problem()["code"]) == (400, "malformed"), name
        assert answer.headers["connection"] == "close", name
        human(answer.problem()["detail"])


@hard(40)
@given(st.binary(min_size=1, max_size=400))
def test_any_bytes_end_in_an_answer_or_in_waiting_for_more(network: Network, data: bytes) -> None:
    answer = send(network.address(NODE), [data + b"\r\n\r\n\r\n\r\n\x00\x00"])
    assert 200 <= answer.status < 500
    if answer.status >= 400:
        human(answer.problem()["detail"])


# --- too much -------------------------------------------------------------------------------------------------------


def flood(part: bytes) -> Iterator[bytes]:
    return itertools.repeat(part, FLOOD_BYTES // len(part))


FLOODS = {
    "one header": [b"GET /v1/health HTTP/1.1\r\nHost: x\r\nX: ", b"a" * MIB],
    "many headers": [b"GET /v1/health HTTP/1.1\r\nHost: x\r\n", b"X-Y: 1234567890\r\n" * 50_000],
    "the path": [b"GET /v1/", b"a" * MIB],
    "the query": [b"GET /v1/parties?after=", b"%00" * (MIB // 3)],
    "the method": [b"", b"G" * MIB],
}


@pytest.mark.usefixtures("bounded")
@pytest.mark.parametrize("name", FLOODS)
def test_a_head_without_end_is_refused_while_it_arrives(network: Network, name: str) -> None:
    start, part = FLOODS[name]
    answer = send(network.address(NODE), itertools.chain([start], flood(part)))
    assert not answer.took_all
    if answer.status:  # the answer may be lost when the connection is closed on what is still being sent
        assert answer.problem()["code"] in ("too_large", "malformed")


def test_a_body_that_says_it_is_huge_is_refused_unread(network: Network) -> None:
    paths = ("/v1/transactions", "/v1/search", "/v1/receipts", "/v1/health")
    for path, length in itertools.product(paths, (10**7, 2**31, 10**18, 2**63 - 1)):
        lines = (f"Content-Length: {length}", "Content-Type: application/json")
        answer = send(network.address(NODE), [head(network, path, *lines)])
        assert (answer.status, answer.problem()["code"]) == (413, "too_large")
        assert answer.headers["connection"] == "close"


@pytest.mark.usefixtures("bounded")
@pytest.mark.parametrize("path", ["/v1/transactions", "/v1/search", "/v1/receipts"])
def test_a_body_in_chunks_without_end_is_refused_while_it_arrives(network: Network, path: str) -> None:
    lines = ("Transfer-Encoding: chunked", "Content-Type: application/json")
    chunk = b"%x\r\n%s\r\n" % (MIB, b" " * MIB)
    answer = send(network.address(NODE), itertools.chain([head(network, path, *lines)], flood(chunk)))
    if answer.status:
        assert (answer.status, answer.problem()["code"]) == (413, "too_large")


@pytest.mark.usefixtures("bounded")
def test_the_body_of_a_stranger_is_not_kept(network: Network) -> None:
    start = b"POST /v1/transactions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = send(network.address(NODE), itertools.chain([start], flood(b"%x\r\n%s\r\n" % (MIB, b" " * MIB))))
    if answer.status:
        assert (answer.status, answer.problem()["code"]) == (401, "signature_missing")


@pytest.mark.usefixtures("bounded")
def test_connections_that_say_nothing_or_too_little_keep_nobody_out(network: Network, witness: Witness) -> None:
    """Silent ones, heads that never end, bodies that never come."""
    beginnings = itertools.cycle(
        [
            b"",
            b"GET /v1/hea",
            b"GET /v1/health HTTP/1.1\r\nHost: x\r\nX-Slow: ",
            head(network, "/v1/search", "Content-Length: 1000"),
            head(network, "/v1/transactions", "Transfer-Encoding: chunked"),
        ]
    )
    with ExitStack() as stack:
        slow = [stack.enter_context(connection(network.address(NODE))) for _ in range(IDLE_COUNT)]
        for each, beginning in zip(slow, beginnings, strict=False):
            each.sendall(beginning)
        payload = network.payload(EXP_CN, invoice(network.tag()))
        (result,) = network.submit([sign(payload, network.genesis.id, [key_of(EXP_CN)])], node=NODE)
        witness.effective(result["transaction_id"])
        done(network.finals([result["transaction_id"]], 1, node=NODE)[0])


# --- requests that are none -----------------------------------------------------------------------------------------

POSTS = {
    "/v1/transactions": ["transactions"],
    "/v1/receipts": ["ids", "wait_s"],
    "/v1/search": ["fingerprints", "purpose"],
}
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
)


@hard(60)
@given(data=st.data(), path=st.sampled_from(sorted(POSTS)))
def test_any_body_is_taken_or_a_problem(network: Network, data: st.DataObject, path: str) -> None:
    keys = st.sampled_from([*POSTS[path], "more"])
    shaped = st.dictionaries(keys, json_values, max_size=3).map(json.dumps).map(str.encode)
    packed = st.lists(st.binary(max_size=30) | st.integers(0, 9), max_size=4).map(encode)
    body = data.draw(st.binary(max_size=200) | shaped | json_values.map(json.dumps).map(str.encode) | packed)
    kind = data.draw(st.sampled_from(["application/json", "application/msgpack", "text/plain", ""]))
    answer = network.ask("POST", path, node=NODE, content=body, headers={"content-type": kind})
    assert answer.status_code < 500
    if answer.status_code >= 400:
        problem(answer)


WRONG_BODIES = [
    ("/v1/transactions", {"transactions": ["zz"]}, "transactions[0]"),
    ("/v1/transactions", {"transactions": ["abc"]}, "transactions[0]"),
    ("/v1/transactions", {"transactions": ["AB"]}, "transactions[0]"),
    ("/v1/transactions", {"transactions": [""]}, "transactions[0]"),
    ("/v1/transactions", {"transactions": []}, "transactions"),
    ("/v1/transactions", {"transactions": ["00"] * 1001}, "transactions"),
    ("/v1/transactions", {"transactions": "00"}, "transactions"),
    ("/v1/transactions", {"wires": ["00"]}, "transactions"),
    ("/v1/receipts", {"ids": ["00" * 31]}, "ids[0]"),
    ("/v1/receipts", {"ids": ["00" * 32], "wait_s": -1}, "wait_s"),
    ("/v1/receipts", {"ids": ["00" * 32], "wait_s": 1e9}, "wait_s"),
    ("/v1/receipts", {"ids": ["00" * 32], "wait_s": "soon"}, "wait_s"),
    ("/v1/receipts", {"ids": [None]}, "ids[0]"),
    ("/v1/search", {"fingerprints": [], "purpose": "a"}, "fingerprints"),
    (
        "/v1/search",
        {"fingerprints": [{"kind": "exact", "fingerprint": "0"}], "purpose": "a"},
        "fingerprints[0].fingerprint",
    ),
    (
        "/v1/search",
        {"fingerprints": [{"kind": "none", "fingerprint": "00" * 32}], "purpose": "a"},
        "fingerprints[0].kind",
    ),
    ("/v1/search", {"fingerprints": [{"kind": "exact", "fingerprint": "00" * 32}], "purpose": ""}, "purpose"),
    ("/v1/search", {"fingerprints": [{"kind": "exact", "fingerprint": "00" * 32}], "purpose": "a" * 201}, "purpose"),
]


def test_a_wrong_body_is_told_by_field(network: Network) -> None:
    for node, (path, body, field) in zip(itertools.cycle(AUTHORITIES), WRONG_BODIES, strict=False):
        found = problem(network.ask("POST", path, node=node, json=body))
        assert (found["status"], found["code"], found["field"]) == (400, "malformed", field), (path, body)


def test_json_that_is_deep_or_long_is_a_problem(network: Network) -> None:
    for path in POSTS:
        for body in (b"[" * 60_000, b'{"a":' * 20_000, b'{"purpose": "\\ud800"}', b"1" * 100_000, b'"' + b"\\" * 9_999):
            headers = {"content-type": "application/json"}
            answer = network.ask("POST", path, node=NODE, content=body, headers=headers)
            assert (answer.status_code, problem(answer)["code"]) == (400, "malformed")


PLACES = [
    "/v1/transactions/{}",
    "/v1/transactions/{}?wait_s=0.01",
    "/v1/blocks/{}",
    "/v1/parties/{}",
    "/v1/parties?after={}",
    "/v1/receivables/{}",
    "/v1/receivables/{}/claims",
    "/v1/receivables?party={}",
    "/v1/claims/{}",
    "/v1/certificates/{}",
    "/v1/{}",
    "/{}",
]
PARTS = [
    "..",
    "%2e%2e",
    "%00",
    "%ff",
    "%",
    "%zz",
    "a" * 3_000,
    "0" * 64,
    "F" * 64,
    "-1",
    "1e9",
    "0x10",
    "'--",
    "%0d%0a",
    "//",
]


def test_any_place_is_a_problem_or_an_answer(network: Network) -> None:
    for place, part in itertools.product(PLACES, PARTS):
        answer = send(network.address(NODE), [head(network, place.format(part), method="GET")])
        assert 200 <= answer.status < 500, (place, part)
        if answer.status >= 400:
            human(answer.problem()["detail"])


@hard(60)
@given(
    place=st.sampled_from(PLACES),
    part=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=80),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE"]),
)
def test_any_request_line_is_a_problem_or_an_answer(network: Network, place: str, part: str, method: str) -> None:
    answer = send(network.address(NODE), [head(network, place.replace("{}", part), "Connection: close", method=method)])
    assert 200 <= answer.status < 500
    if answer.status >= 400 and method != "HEAD":
        human(answer.problem()["detail"])


def test_a_request_in_pieces_is_a_request(network: Network) -> None:
    """The bounds are for floods: what is merely slow is served."""
    data = head(network, "/v1/status", method="GET")
    answer = send(network.address(NODE), [data[at : at + 7] for at in range(0, len(data), 7)])
    assert answer.status == 200
    many = head(network, "/v1/status", *(f"X-{n}: {'y' * 100}" for n in range(200)), method="GET")
    assert send(network.address(NODE), [many]).status == 200
    with connection(network.address(NODE)) as made:  # several on one connection
        made.sendall(data * 20)
        found = b""
        while found.count(b"HTTP/1.1 200 OK") < 20:
            found += made.recv(65_536)
