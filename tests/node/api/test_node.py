"""How the node is, its metrics, its rates; what it says before its first block; the schema it publishes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.responses import JSONResponse
from prometheus_client.parser import text_string_to_metric_families

from node.api.problems import PROBLEMS
from node.errors import ConfigError
from registry.codec import encode
from registry.transactions.governance import Suspend
from tests.node.api.conftest import Story
from tests.node.api.live import Live, govern, running
from tests.node.api.test_gate import problem
from tests.registry.world import invoice, mark, name_id

BURST = 5


@pytest.fixture
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A node without a block (the other authority is not there), with open metrics and few requests for each caller."""
    folder = tmp_path_factory.mktemp("strict")
    with running(folder, absent=["F_SG"], metrics_public=True, requests_per_s=1, requests_burst=BURST) as node:
        yield node


def test_health_and_readiness_are_public(live: Live) -> None:
    assert live.get("/v1/health", None).json() == {"status": "ok"}
    assert live.get("/v1/ready", None).json() == {"status": "ready"}


def test_status_says_how_the_node_is(live: Live, story: Story) -> None:
    status = live.get("/v1/status", "IMP_AE").json()
    assert status["role"] == "authority"
    assert status["genesis_id"] == live.genesis.id.hex()
    assert status["height"] >= 5
    assert status["store_engine"] == "memory"
    assert status["peers"] == []


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    return found


def test_metrics_count_what_happens(live: Live) -> None:
    before = samples(live.get("/metrics", "operator").text)
    live.do("EXP_CN", invoice("metrics"), invoice("metrics"))
    live.get("/v1/no such place", None)
    after = samples(live.get("/metrics", "operator").text)

    def grew(name: str, **labels: str) -> float:
        key = name, tuple(sorted(labels.items()))
        return after.get(key, 0) - before.get(key, 0)

    assert grew("nemodat_operations_total", code="ok") == 1
    assert grew("nemodat_operations_total", code="duplicate") == 1
    assert grew("nemodat_transactions_total") == 1
    assert grew("nemodat_submissions_total", code="accepted") == 1
    assert grew("nemodat_finality_seconds_count") == 1
    assert grew("nemodat_requests_total", method="POST", route="/v1/transactions", status="202") == 1
    assert grew("nemodat_requests_total", method="GET", route="(unknown)", status="404") == 1
    assert grew("nemodat_refused_total", code="not_found") == 1
    assert after["nemodat_height", ()] >= 1


def test_before_the_first_block_nothing_can_be_proved(strict: Live) -> None:
    assert strict.service.ledger.tip.height == 0
    for answer in (
        strict.get("/v1/blocks/latest", "F_SG"),
        strict.get(f"/v1/parties/{name_id('F_SG')}", "F_SG"),
        strict.post(
            "/v1/search",
            json.dumps({"fingerprints": [{"kind": "gov", "fingerprint": mark("x").hex()}], "purpose": "x"}).encode(),
            "F_SG",
        ),
    ):
        problem(answer, 503, "not_ready")
        assert int(answer.headers["retry-after"]) >= 1


def test_metrics_may_be_made_public(strict: Live) -> None:
    assert "nemodat_height 0.0" in strict.get("/metrics", None).text


def test_each_caller_has_its_own_rate(strict: Live) -> None:
    answers = [strict.get("/v1/status", "F_DE") for _ in range(BURST + 2)]
    assert [answer.status_code for answer in answers[:BURST]] == [200] * BURST
    problem(answers[-1], 429, "rate_limited")
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert strict.get("/v1/status", "F_GB").status_code == 200, "another caller is not held back"


def test_a_throttled_request_is_not_remembered_and_a_replayed_one_takes_nothing(strict: Live) -> None:
    used = strict.request("GET", "/v1/status", by="F_BR")
    assert strict.http.send(used).status_code == 200
    problem(strict.http.send(used), 401, "replayed_request")
    for _ in range(BURST):
        again = strict.request("GET", "/v1/status", by="F_BR")
        answer = strict.http.send(again)
    problem(answer, 429, "rate_limited")
    assert strict.http.send(again).status_code in (200, 429), "its nonce was not used up"


@pytest.mark.parametrize("suspend", [True, False])
def test_a_member_that_goes_on_when_refused_is_not_even_verified(tmp_path: Path, suspend: bool) -> None:
    with running(tmp_path, requests_per_s=1, requests_burst=BURST) as strict:
        if suspend:
            govern(strict, Suspend(name_id("EXP_VN"), mark("reason")))
        for _ in range(3 * BURST):
            answer = strict.get("/v1/status", "EXP_VN")
        problem(answer, 429, "rate_limited")
        problem(strict.get("/v1/status", None), 429, "rate_limited")


def test_a_large_request_counts_for_what_it_costs(strict: Live) -> None:
    many = json.dumps({"ids": [mark(f"id {number}").hex() for number in range(1000)]}).encode()
    assert strict.post("/v1/receipts", many, "F_CN").status_code == 200
    problem(strict.get("/v1/status", "F_CN"), 429, "rate_limited")


@pytest.mark.parametrize("bulk", [True, False])
def test_receipts_count_for_what_they_cost_however_few_transactions_they_are_of(tmp_path: Path, bulk: bool) -> None:
    with running(tmp_path, requests_per_s=1, requests_burst=2 * BURST) as strict:
        wire = strict.wire("EXP_CN", *(invoice(f"one of many {number}") for number in range(32 * 2 * BURST)))
        (result,) = strict.post("/v1/transactions", encode([wire]), "EXP_CN", "application/msgpack").json()["results"]
        assert "transaction_id" in result, result
        id_ = result["transaction_id"]
        found = strict.get(f"/v1/transactions/{id_}?wait_s=10", "F_DE").json()
        assert found["status"] == "final"
        problem(strict.get("/v1/status", "F_DE"), 429, "rate_limited")
        if bulk:
            body = json.dumps({"ids": [id_]}).encode()
            (again,) = strict.post("/v1/receipts", body, "F_SG").json()
            assert again["receipts"] == found["receipts"]
            problem(strict.get("/v1/status", "F_SG"), 429, "rate_limited")


def test_strangers_and_failures_are_held_back_by_address(strict: Live) -> None:
    statuses = [strict.get("/v1/status", "STRANGER").status_code for _ in range(BURST + 2)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    problem(strict.get("/v1/health", None), 429, "rate_limited")


@pytest.mark.parametrize("path", ["/v1/openapi.json", "/v1/docs"])
def test_strangers_read_the_description_at_a_rate_as_it_was_rendered_at_the_start(
    strict: Live, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    rendered: list[object] = []
    monkeypatch.setattr(JSONResponse, "render", lambda _, content: rendered.append(content) or b"{}")
    answers = [strict.get(path, None)]
    while answers[-1].status_code == 200 and len(answers) < 20 * BURST:
        answers.append(strict.get(path, None))
    *read, refused = answers
    assert refused.status_code == 429
    assert len(read) >= BURST
    assert len({answer.text for answer in read}) == 1
    assert len(rendered) == 1, "the problem, and no description"


def test_a_token_file_that_others_can_read_is_refused(tmp_path: Any) -> None:
    token = tmp_path / "open"
    token.write_text("secret\n")
    token.chmod(0o644)
    with pytest.raises(ConfigError, match="operator_token_file"), running(tmp_path, operator_token_file=token):
        pass


def test_a_token_that_can_be_guessed_is_refused(tmp_path: Any) -> None:
    token = tmp_path / "short"
    token.write_text("admin\n")
    token.chmod(0o600)
    with pytest.raises(ConfigError, match="guessed"), running(tmp_path, operator_token_file=token):
        pass


def test_the_schema_refers_to_what_is_there(live: Live) -> None:
    document = live.get("/v1/openapi.json", None).json()
    found = list(references(document))
    assert found
    for reference in found:
        part = document
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_every_problem_has_a_status_and_a_title() -> None:
    for code, (status, title) in PROBLEMS.items():
        assert 400 <= status < 600, code
        assert title, code
