"""Whom a read asks when the first answer is too old: everybody once, and nobody twice."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clients.errors import ProofInvalid, RequestFailed, Stale, Unreachable
from clients.exchange import Call, Reply
from clients.recent import recent

OLD, NEW, NONE, LIE = "old", "new", "none", "lie"


def read(answer: Any) -> str:
    if answer == OLD:
        raise Stale("10 min old")
    if answer == LIE:
        raise ProofInvalid("a lie")
    assert answer == NEW
    return NEW


def asked(*nodes: str | None) -> tuple[str, list[bool]]:
    """What comes of it if the nodes answer this, None for one that does not, round and round as a transport asks."""
    procedure, last, elsewhere = recent(Call("GET", "/"), read), -1, []
    call = next(procedure)
    try:
        while True:
            elsewhere.append(call.elsewhere)
            first = last + 1 if call.elsewhere or last < 0 else last
            order = [number % len(nodes) for number in range(first, first + len(nodes))]
            last = next((number for number in order if nodes[number] is not None), -1)
            if last < 0:
                call = procedure.throw(Unreachable("nobody"))
                continue
            status = 404 if nodes[last] == NONE else 200
            call = procedure.send(Reply(status, json.dumps(nodes[last]).encode(), f"http://{last}"))
    except StopIteration as end:
        return end.value, elsewhere


@pytest.mark.parametrize(
    ("nodes", "calls"),
    [
        ((NEW,), 1),
        ((NEW, OLD), 1),
        ((OLD, NEW), 2),
        ((OLD, OLD, NEW), 3),
        ((OLD, None, NEW), 2),
        ((None, OLD, NEW), 2),
        ((OLD, NONE, NEW), 3),
        ((OLD, NEW, LIE), 2),
    ],
)
def test_the_first_recent_answer_is_taken(nodes: tuple[str | None, ...], calls: int) -> None:
    found, elsewhere = asked(*nodes)
    assert found == NEW
    assert elsewhere == [False] + [True] * (calls - 1)


@pytest.mark.parametrize("nodes", [(OLD,), (OLD, OLD), (OLD, None), (None, OLD, OLD), (OLD, NONE), (OLD, NONE, None)])
def test_stale_is_said_when_nobody_has_anything_newer(nodes: tuple[str | None, ...]) -> None:
    with pytest.raises(Stale, match="10 min"):
        asked(*nodes)


@pytest.mark.parametrize(
    ("nodes", "error"),
    [((None, None), Unreachable), ((NONE, NEW), RequestFailed), ((LIE, NEW), ProofInvalid), ((OLD, LIE), ProofInvalid)],
)
def test_every_other_answer_is_what_it_was(nodes: tuple[str | None, ...], error: type[Exception]) -> None:
    with pytest.raises(error):
        asked(*nodes)


def test_a_network_that_goes_down_meanwhile_was_stale() -> None:
    procedure = recent(Call("GET", "/"), read)
    next(procedure)
    assert procedure.send(Reply(200, json.dumps(OLD).encode(), "http://0")).elsewhere
    with pytest.raises(Stale):
        procedure.throw(Unreachable("nobody"))
