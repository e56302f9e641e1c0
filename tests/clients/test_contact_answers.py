"""What a node says of contacts is checked before it is believed: no node is needed to show that."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clients import contacts
from clients.errors import ProofInvalid
from clients.exchange import Procedure, Reply
from clients.session import Session
from tests.registry.world import genesis, key_of, mark, name_id

SESSION = Session(genesis=genesis(), party=name_id("F_CN"), signer=key_of("F_CN"))
TOKEN = mark("contact")
GOOD: dict[str, Any] = {
    "id": TOKEN.hex(),
    "receivable": mark("receivable").hex(),
    "about": mark("about").hex(),
    "kinds": ["number"],
    "severity": "high",
    "state": "waiting",
    "until_ms": 1,
    "steps": [{"step": "asked", "by": None, "text_digest": mark("text").hex(), "language": "en", "at_ms": 1}],
}


def told(procedure: Procedure[Any], *answers: Any) -> Any:
    """What a procedure makes of a node's answers."""
    next(procedure)
    try:
        for answer in answers:
            procedure.send(Reply(200, json.dumps(answer).encode()))
    except StopIteration as done:
        return done.value
    raise AssertionError("it asks for more")


def test_a_good_answer_is_read() -> None:
    found = told(contacts.contact(SESSION, TOKEN), {"contact": GOOD, "opening": None})
    assert (found.id, found.kinds, found.state, found.opening) == (TOKEN, ("number",), "waiting", None)
    assert (found.steps[0].step, found.steps[0].by, found.sides) == ("asked", "", {})


@pytest.mark.parametrize(
    "changes",
    [
        {"id": mark("another").hex()},
        {"id": "x"},
        {"about": None},
        {"severity": "grave"},
        {"state": "ajar"},
        {"steps": [{}]},
        {"steps": None},
        {"until_ms": "soon"},
        {"kinds": 7},
        {"sides": []},
    ],
)
def test_an_answer_of_another_form_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ProofInvalid):
        told(contacts.contact(SESSION, TOKEN), {"contact": GOOD | changes, "opening": None})


@pytest.mark.parametrize("opening", [{}, {"record": {}}, {"proof": "believe me"}, {"proof": {}}, "open"])
def test_identities_without_proof_are_not_believed(opening: Any) -> None:
    with pytest.raises(ProofInvalid):
        told(contacts.contact(SESSION, TOKEN), {"contact": GOOD, "opening": opening})


@pytest.mark.parametrize(
    "answer", [{}, {"contacts": {}}, {"contacts": [7], "next": None}, {"contacts": [], "next": "x"}]
)
def test_a_list_of_another_form_is_refused(answer: Any) -> None:
    with pytest.raises(ProofInvalid):
        told(contacts.contacts_of(SESSION), answer)


def test_a_list_that_turns_in_a_circle_is_refused() -> None:
    page = {"contacts": [{"contact": GOOD, "opening": None}], "next": TOKEN.hex()}
    with pytest.raises(ProofInvalid, match="next"):
        told(contacts.contacts_of(SESSION), page, page)
