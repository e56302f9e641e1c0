"""Submitting, and what became of it."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.responses import JSONResponse

from clients.verify import Trust
from node.api.problems import Problem
from node.api.shares import Shares
from node.service import NodeService
from registry.codec import decode, encode
from registry.inclusion import InclusionReceipt
from registry.transactions.envelope import transaction_id
from tests.node.api.live import Live
from tests.node.api.test_gate import problem
from tests.registry.world import invoice

MSGPACK = "application/msgpack"


def id_of(wire: bytes) -> str:
    payload, _ = decode(wire)  # type: ignore[misc]
    return transaction_id(payload).hex()  # type: ignore[arg-type]


def accepted(live: Live, results: list[dict[str, Any]]) -> list[str]:
    """The ids in results, none of which is a refusal; what still waits comes with this authority's receipt."""
    for result in results:
        if "inclusion" in result:
            receipt = InclusionReceipt.from_json(result["inclusion"])
            assert (receipt.transaction.hex(), receipt.holds(live.genesis.id)) == (result["transaction_id"], True)
        assert result.keys() <= {"transaction_id", "inclusion"}
    return [result["transaction_id"] for result in results]


def test_what_is_submitted_becomes_final_with_a_receipt_that_verifies(live: Live) -> None:
    wire = live.wire("EXP_CN", invoice("submit 1"), invoice("submit 1"))
    answer = live.post("/v1/transactions", encode([wire]), "EXP_CN", MSGPACK)
    assert answer.status_code == 202
    assert accepted(live, answer.json()["results"]) == [id_of(wire)]
    found = live.get(f"/v1/transactions/{id_of(wire)}?wait_s=10", "EXP_CN").json()
    final = Trust(live.genesis).receipts(bytes.fromhex(id_of(wire)), 2, found)
    assert [receipt.code for receipt in final.receipts] == ["ok", "duplicate"]
    assert found["block_hash"] == final.block_hash.hex()


def test_json_is_taken_too(live: Live) -> None:
    wire = live.wire("EXP_CN", invoice("submit 2"))
    answer = live.post("/v1/transactions", json.dumps({"transactions": [wire.hex()]}).encode(), "EXP_CN")
    assert answer.status_code == 202
    assert accepted(live, answer.json()["results"]) == [id_of(wire)]


def test_submitting_again_is_accepted_again(live: Live) -> None:
    wire = live.wire("EXP_CN", invoice("submit 3"))
    for _ in range(2):
        answer = live.post("/v1/transactions", encode([wire, wire]), "EXP_CN", MSGPACK)
        assert accepted(live, answer.json()["results"]) == [id_of(wire)] * 2
        live.get(f"/v1/transactions/{id_of(wire)}?wait_s=10", "EXP_CN")


def test_each_transaction_has_a_result_of_its_own(live: Live) -> None:
    good = live.wire("EXP_CN", invoice("submit 4"))
    forged = good[:-1] + bytes((good[-1] ^ 1,))
    stranger = live.wire("STRANGER", invoice("submit 5"))
    answer = live.post("/v1/transactions", encode([b"", good, forged, stranger]), "F_CN", MSGPACK)
    assert answer.status_code == 202
    results = answer.json()["results"]
    assert accepted(live, results[1:2]) == [id_of(good)]
    assert [result.get("code") for result in results] == ["malformed", None, "bad_signature", "unknown_party"]
    assert all(result["field"] and result["detail"] for result in results if "code" in result)


@pytest.mark.parametrize("body", [b"", b"\xc1", encode([]), encode([1]), encode(b"x"), encode([[b"x"]]), b"\x91\xc4"])
def test_a_malformed_body_is_refused(live: Live, body: bytes) -> None:
    assert problem(live.post("/v1/transactions", body, "EXP_CN", MSGPACK), 400, "malformed")["field"] == "body"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"[]", "body"),
        (b"{}", "transactions"),
        (b'{"transactions":[]}', "transactions"),
        (b'{"transactions":["zz"]}', "transactions[0]"),
        (b'{"transactions":["00"],"more":1}', "more"),
    ],
)
def test_malformed_json_is_refused_by_field(live: Live, body: bytes, field: str) -> None:
    assert problem(live.post("/v1/transactions", body, "EXP_CN"), 400, "malformed")["field"] == field


def test_too_many_transactions_are_refused(live: Live) -> None:
    problem(live.post("/v1/transactions", encode([b"x"] * 1001), "EXP_CN", MSGPACK), 400, "malformed")


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; x"])
def test_other_media_types_are_refused(live: Live, media_type: str) -> None:
    problem(live.post("/v1/transactions", b"x", "EXP_CN", media_type), 415, "unsupported_media_type")


def test_a_transaction_nobody_knows_is_unknown(live: Live) -> None:
    id_ = secrets.token_hex(32)
    before = live.get("/v1/blocks/latest", "EXP_CN").json()["height"]
    found = live.get(f"/v1/transactions/{id_}", "EXP_CN").json()
    newest = Trust(live.genesis).header(found)
    assert found == {
        "transaction_id": id_,
        "status": "unknown",
        "known_since_ms": 0,
        "header": newest.encode().hex(),
        "finality": found["finality"],
    }
    assert newest.height >= before, "as of the newest block"
    answer = live.get(f"/v1/transactions/{id_}?wait_s=0.05", "EXP_CN")
    assert answer.json()["status"] == "unknown"


@pytest.mark.parametrize("id_", ["0", "zz" * 32, "AB" * 32, "00" * 31, "00" * 33])
def test_a_malformed_id_is_refused(live: Live, id_: str) -> None:
    assert problem(live.get(f"/v1/transactions/{id_}", "EXP_CN"), 400, "malformed")["field"] == "id"


@pytest.mark.parametrize("wait_s", ["-1", "31", "nan", "inf", "x", "1e9"])
def test_waiting_is_bounded(live: Live, wait_s: str) -> None:
    answer = live.get(f"/v1/transactions/{'00' * 32}?wait_s={wait_s}", "EXP_CN")
    assert problem(answer, 400, "malformed")["field"] == "wait_s"


def test_inclusion_receipts_are_signed_and_answers_rendered_beside_the_loop(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand signatures, or megabytes of JSON, would hold all others up."""
    inclusion, render = NodeService.inclusion, JSONResponse.render
    on_loop: list[str] = []

    def noting(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: Any) -> Any:
            if asyncio._get_running_loop() is not None:
                on_loop.append(name)
            return function(*arguments)

        return noted

    monkeypatch.setattr(NodeService, "inclusion", noting("sign", inclusion))
    monkeypatch.setattr(JSONResponse, "render", noting("render", render))
    wires = [live.wire("EXP_CN", invoice(f"beside {number}")) for number in range(3)]
    submitted = live.post("/v1/transactions", encode(wires), "EXP_CN", MSGPACK)
    ids = accepted(live, submitted.json()["results"])
    assert len(ids) == 3
    live.post("/v1/receipts", json.dumps({"ids": ids, "wait_s": 10}).encode(), "EXP_CN")
    assert live.get(f"/v1/transactions/{ids[0]}", "EXP_CN").json()["status"] == "final"
    assert on_loop == []


def test_receipts_in_bulk_come_in_the_order_asked(live: Live) -> None:
    wires = [live.wire("EXP_CN", invoice(f"bulk {number}")) for number in range(5)]
    live.post("/v1/transactions", encode(wires), "EXP_CN", MSGPACK)
    ids = [id_of(wire) for wire in wires]
    body = json.dumps({"ids": ids, "wait_s": 10}).encode()
    answers = live.post("/v1/receipts", body, "EXP_CN").json()
    assert [answer["transaction_id"] for answer in answers] == ids
    for id_, answer in zip(ids, answers, strict=True):
        assert Trust(live.genesis).receipts(bytes.fromhex(id_), 1, answer).receipts[0].done


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"ids": []}, "ids"),
        ({"ids": ["x"]}, "ids[0]"),
        ({"ids": [f"{number:064x}" for number in range(1001)]}, "ids"),
        ({"ids": ["00" * 32, "01" * 32, "00" * 32]}, "ids"),
        ({"ids": ["00" * 32], "wait_s": 31}, "wait_s"),
        ({"ids": ["00" * 32], "wait": 1}, "wait"),
    ],
)
def test_a_malformed_bulk_read_is_refused(live: Live, body: object, field: str) -> None:
    assert problem(live.post("/v1/receipts", json.dumps(body).encode(), "EXP_CN"), 400, "malformed")["field"] == field


def test_a_caller_waits_for_a_bounded_number_of_transactions() -> None:
    waits = Shares("transactions waited for", most=100, each_max=3)
    with waits.hold("a", 2):
        with pytest.raises(Problem) as refused, waits.hold("a", 2):
            pass
        assert refused.value.code == "rate_limited"
        with waits.hold("b", 3), waits.hold("a", 1):
            pass
    with waits.hold("a", 3):
        pass
