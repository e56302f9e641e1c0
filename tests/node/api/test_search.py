"""Searches answer with certificates that verify, and that their requester finds again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clients.verify import Trust
from tests.node.api.conftest import Story
from tests.node.api.live import Live, regulator
from tests.node.api.test_gate import problem
from tests.registry.world import mark, name_id


def query(*fingerprints: tuple[str, bytes], purpose: str = "purchase") -> bytes:
    items = [{"kind": kind, "fingerprint": value.hex()} for kind, value in fingerprints]
    return json.dumps({"fingerprints": items, "purpose": purpose}).encode()


FOUND = ("exact", mark("exact story"))
ABSENT = ("gov", mark("nobody has this"))


@pytest.mark.parametrize("by", ["F_SG", "F_BR", "EXP_CN", "REGULATOR", "operator"])
def test_a_search_is_answered_by_a_certificate(live: Live, story: Story, by: str) -> None:
    answer = live.post("/v1/search", query(FOUND, ABSENT), by)
    assert answer.status_code == 200
    checked = Trust(live.genesis).search_certificate(answer.json())
    assert checked.matches == {"block": (bytes.fromhex(story.receivable),), "review": ()}
    assert [finding.matches for finding in checked.findings] == [(bytes.fromhex(story.receivable),), ()]
    assert "number" in checked.not_searched
    assert checked.purpose == "purchase"
    names = {"operator": "operator", "REGULATOR": regulator().id}
    assert checked.requester == (names.get(by) or name_id(by))


def test_a_certificate_is_found_again_by_its_requester_and_overseers(live: Live, story: Story) -> None:
    certificate = live.post("/v1/search", query(FOUND, purpose="again"), "F_SG").json()
    path = f"/v1/certificates/{certificate['number']}"
    for by in ("F_SG", "REGULATOR", "operator"):
        assert live.get(path, by).json() == certificate
    hidden = problem(live.get(path, "F_DE"), 404, "not_found")
    assert hidden == problem(live.get("/v1/certificates/" + "0" * 32, "F_DE"), 404, "not_found")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"fingerprints": []}, "fingerprints"),
        ({"fingerprints": [{"kind": "nothing", "fingerprint": "00" * 32}]}, "fingerprints[0].kind"),
        ({"fingerprints": [{"kind": "exact", "fingerprint": "00"}]}, "fingerprints[0].fingerprint"),
        ({"fingerprints": [{"kind": "exact", "fingerprint": "00" * 32}] * 257}, "fingerprints"),
        ({"fingerprints": [{"kind": "exact"}]}, "fingerprints[0].fingerprint"),
        ({"purpose": ""}, "purpose"),
        ({"purpose": "x" * 201}, "purpose"),
        ({"purpose": "a\nb"}, "purpose"),
        ({"purpose": None}, "purpose"),
        ({"requester": "lei:x"}, "requester"),
    ],
)
def test_a_malformed_search_is_refused_by_field(live: Live, story: Story, change: Any, field: str) -> None:
    body = json.loads(query(FOUND)) | change
    assert problem(live.post("/v1/search", json.dumps(body).encode(), "F_SG"), 400, "malformed")["field"] == field


@pytest.mark.parametrize("number", ["x", "0" * 31, "A" * 32, "0" * 33])
def test_a_malformed_number_is_refused(live: Live, number: str) -> None:
    assert problem(live.get(f"/v1/certificates/{number}", "F_SG"), 400, "malformed")["field"] == "number"


def test_the_largest_search_is_answered(live: Live, story: Story) -> None:
    prints = [("number", mark(f"print {number}")) for number in range(256)]
    answer = live.post("/v1/search", query(*prints), "F_SG")
    assert len(Trust(live.genesis).search_certificate(answer.json()).findings) == 256
