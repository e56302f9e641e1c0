"""Everything that the API has is documented, with examples that its own models accept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from fastapi.openapi.models import OpenAPI

from node.api.models import NodeStatus
from node.api.problems import PROBLEM_JSON, PROBLEMS
from registry.reference import names
from tests.node.api.live import Live
from tests.node.api.test_gate import PUBLIC

OF_ROUTER = {"method_not_allowed"}  # no route's own


@pytest.fixture(scope="module")
def openapi(live: Live) -> dict[str, Any]:
    document: dict[str, Any] = live.get("/v1/openapi.json", None).json()
    return document


def operations(openapi: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def bodies(openapi: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every body of every route: where, its media type, and what is said of it."""
    for name, operation in operations(openapi):
        for media_type, body in operation.get("requestBody", {"content": {}})["content"].items():
            yield f"{name} request", media_type, body
        for status, response in operation["responses"].items():
            for media_type, body in response["content"].items():
                yield f"{name} {status}", media_type, body


def examples_of(body: dict[str, Any]) -> list[Any]:
    return [body["example"]] if "example" in body else [each["value"] for each in body["examples"].values()]


def test_it_is_openapi(openapi: dict[str, Any]) -> None:
    OpenAPI.model_validate(openapi)


def test_every_route_says_what_it_is_for_and_who_may_ask(openapi: dict[str, Any]) -> None:
    schemes = openapi["components"]["securitySchemes"]
    summaries = []
    for name, operation in operations(openapi):
        assert len(operation["description"]) > 20, name
        assert operation["tags"], name
        summaries.append(operation["summary"])
        security = operation.get("security", openapi["security"])
        assert (security == []) == (name.partition(" ")[2] in PUBLIC), name
        assert {scheme for each in security for scheme in each} <= set(schemes), name
    assert len(summaries) == len(set(summaries)) >= 22


def test_every_parameter_is_described_with_a_valid_example(openapi: dict[str, Any]) -> None:
    for name, operation in operations(openapi):
        for parameter in operation.get("parameters", ()):
            where = f"{name} {parameter['name']}"
            assert parameter.get("description"), where
            examples = parameter["schema"].get("examples") or parameter["schema"]["anyOf"][0]["examples"]
            for example in examples:
                assert jsonschema_rs.is_valid(parameter["schema"], example), where


def test_every_body_has_an_example_of_its_own_schema(openapi: dict[str, Any]) -> None:
    seen = 0
    for where, media_type, body in bodies(openapi):
        assert body["schema"], where
        if media_type == "application/msgpack":
            continue
        for example in examples_of(body):
            schema = body["schema"] | {"components": openapi["components"]}
            jsonschema_rs.validate(schema, example)
            seen += 1
    assert seen > 200


def test_every_answer_is_documented_with_its_problems(openapi: dict[str, Any]) -> None:
    documented = set()
    for name, operation in operations(openapi):
        responses = operation["responses"]
        assert "422" not in responses, "that is not how this API answers"
        assert any(status.startswith("2") for status in responses), name
        codes = set()
        for status, response in responses.items():
            assert response["description"], name
            if status.startswith("2"):
                continue
            for code, example in response["content"][PROBLEM_JSON]["examples"].items():
                assert PROBLEMS[code].status == int(status) == example["value"]["status"], name
                assert example["value"]["type"] == f"urn:nemodat:problem:{code}"
                codes.add(code)
        assert {"rate_limited", "internal_error"} <= codes, name
        signed = operation.get("security", openapi["security"]) != []
        assert signed == ("signature_missing" in codes), name
        documented |= codes
    assert documented == set(PROBLEMS) - OF_ROUTER


def test_an_example_that_is_wrong_would_be_found(openapi: dict[str, Any]) -> None:
    schema = {"$ref": "#/components/schemas/ProblemDetails", "components": openapi["components"]}
    assert not jsonschema_rs.is_valid(schema, {"type": "x"})


def test_the_status_is_documented_as_it_is(live: Live) -> None:
    said = live.get("/v1/status", "F_CN").json()
    assert set(NodeStatus.model_fields) == set(said)
    NodeStatus.model_validate(said)


def test_what_can_be_done_is_documented_as_it_is(live: Live, openapi: dict[str, Any]) -> None:
    said = live.get("/v1/operations", "IMP_DE").json()
    assert [one["name"] for one in said["operations"]] == list(names())
    schema = {"$ref": "#/components/schemas/OperationList", "components": openapi["components"]}
    jsonschema_rs.validate(schema, said)
    confirm = next(one for one in said["operations"] if one["name"] == "confirm")
    assert confirm["may"] == {"confirm": ["debtor"]}
    assert [field["name"] for field in confirm["fields"]][:2] == ["receivable", "salt"]
    assert "other_particulars" in confirm["reasons"]
    assert live.get("/v1/operations", None).status_code == 401
