"""Clients follow the authorities: online by themselves, offline by what a certificate carries."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from clients.changes import following
from clients.errors import ClientError, ProofInvalid, Unreachable
from clients.exchange import Call, Procedure, Reply, get
from clients.session import Session
from clients.verify import Proved, Trust
from node.store import MemoryStore
from node.views import View, open_view
from registry.certificates import CHANGES_MAX, _number, _read_search
from registry.fingerprint import SEARCHED_LEVELS
from registry.state import party_key
from registry.transactions.authorities import SeatAuthority, UnseatAuthority
from registry.transactions.governance import Admit
from tests.node.test_authorities import FIFTH, Following
from tests.registry.world import AUTHORITIES, genesis, key_of, mark, name_id

KEY = party_key(name_id("EXP_CN"))


@pytest.fixture(scope="module")
def chain() -> Following:
    """A network under its third set: a fifth authority was added, then another one removed."""
    made = Following(MemoryStore())
    made.govern(Admit(FIFTH))
    made.govern(SeatAuthority(FIFTH.id, key_of("consensus FIFTH").public_key, b"FIFTH", "fifth.example:7001"))
    made.govern(UnseatAuthority(name_id("F_GB"), mark("reason")), AUTHORITIES[1:4])
    made.block()
    return made


@pytest.fixture
def view(chain: Following) -> View:
    return open_view(chain.store)


def searched(view: View) -> dict[str, Any]:
    kind = next(iter(SEARCHED_LEVELS))
    found = view.search([(kind, mark("print"))], genesis_id=genesis().id, requester="lei:R", purpose="a test")
    decoded: dict[str, Any] = json.loads(json.dumps(found))
    return decoded


def test_a_certificate_of_the_third_set_holds_offline_from_genesis_alone(view: View) -> None:
    certificate = searched(view)
    assert len(certificate["changes"]) == 2
    checked = Trust(genesis()).search_certificate(certificate)
    assert checked.height == view.height


def renumbered(certificate: dict[str, Any]) -> dict[str, Any]:
    """The same certificate under the number that its content has now, so that the number is not what is refused."""
    return certificate | {"number": _number(_read_search(certificate))}


FORGERIES: dict[str, Callable[[list[str]], list[str]]] = {
    "left out": lambda changes: [],
    "the first skipped": lambda changes: changes[1:],
    "the last skipped": lambda changes: changes[:1],
    "reordered": lambda changes: changes[::-1],
    "twice": lambda changes: [changes[0], *changes],
    "a bit of it changed": lambda changes: [changes[0][:-1] + ("0" if changes[0][-1] != "0" else "1"), changes[1]],
    "no bytes": lambda changes: ["", *changes],
}


@pytest.mark.parametrize("case", FORGERIES)
def test_a_certificate_whose_changes_do_not_lead_to_it_is_refused(case: str, view: View) -> None:
    certificate = searched(view)
    forged = renumbered(certificate | {"changes": FORGERIES[case](certificate["changes"])})
    with pytest.raises(ProofInvalid, match=r"changes|finality"):
        Trust(genesis()).search_certificate(forged)


@pytest.mark.parametrize("changes", [None, "", {}, [1], ["AB"], [""] * (CHANGES_MAX + 1)])
def test_changes_that_are_none_are_refused(changes: object, view: View) -> None:
    with pytest.raises(ProofInvalid, match="changes"):
        Trust(genesis()).search_certificate(searched(view) | {"changes": changes})


def test_a_certificate_does_not_talk_a_reader_out_of_what_it_knows(chain: Following, view: View) -> None:
    """Another history from the same genesis, by keys that leaked: who has followed the true one is not misled."""
    other = Following(MemoryStore())
    other.govern(UnseatAuthority(name_id("F_CN"), mark("reason")), AUTHORITIES[1:3])
    other.block()
    forged = searched(open_view(other.store))
    assert Trust(genesis()).search_certificate(forged).height == 3  # genesis alone cannot tell
    known = Trust(genesis()).following(bytes.fromhex(change) for change in searched(view)["changes"])
    with pytest.raises(ProofInvalid, match="followed before"):
        known.search_certificate(forged)


class FakeNode:
    """Answers a client's calls from a view, one page of one change at a time."""

    def __init__(self, view: View, *, lie: Callable[[dict[str, Any]], dict[str, Any]] = lambda answer: answer) -> None:
        self._view = view
        self._lie = lie
        self.asked: list[str] = []

    def run(self, procedure: Procedure[Any]) -> Any:
        try:
            call = next(procedure)
            while True:
                call = procedure.send(self._reply(call))
        except StopIteration as end:
            return end.value

    def _reply(self, call: Call) -> Reply:
        self.asked.append(call.path)
        if call.path == "/state":
            answer = self._view.state_proof(KEY)
        else:
            after = int(call.path.removeprefix("/v1/authorities/changes?after="))
            answer = self._lie(self._view.changes(after=after, limit=1))
        return Reply(200, json.dumps(answer).encode(), "http://node")


def proved(session: Session) -> Procedure[Proved]:
    answer = yield from get("/state")
    return session.trust.state(KEY, answer)


def session_of() -> Session:
    return Session(genesis=genesis(), party=name_id("EXP_CN"), signer=key_of("EXP_CN"))


def test_a_client_fetches_the_changes_that_it_lacks_once(view: View) -> None:
    session, node = session_of(), FakeNode(view)
    found = node.run(following(session, proved(session)))
    assert found.value is not None
    assert node.asked == ["/state", "/v1/authorities/changes?after=0", "/v1/authorities/changes?after=4"]
    node.asked.clear()
    assert node.run(following(session, proved(session))) == found
    assert node.asked == ["/state"]


def test_without_following_nothing_of_a_later_set_is_believed(view: View) -> None:
    with pytest.raises(ProofInvalid, match="another set"):
        FakeNode(view).run(proved(session_of()))


LIES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "none": lambda answer: {"changes": [], "next": None},
    "no end": lambda answer: answer | {"next": 0},
    "no list": lambda answer: answer | {"changes": "all"},
    "no hexadecimal": lambda answer: answer | {"changes": ["xy"]},
    "no text": lambda answer: answer | {"changes": [1]},
    "no change": lambda answer: answer | {"changes": ["00"]},
    "no height": lambda answer: answer | {"next": "later"},
}


@pytest.mark.parametrize("case", LIES)
def test_a_node_that_lies_about_changes_is_not_believed(case: str, view: View) -> None:
    session = session_of()
    with pytest.raises(ProofInvalid):
        FakeNode(view, lie=LIES[case]).run(following(session, proved(session)))


def test_errors_reach_the_procedure_that_is_wrapped() -> None:
    """A submission that cannot be followed up must still be resumable: its procedure sees the error."""
    seen: list[ClientError] = []

    def careful() -> Procedure[str]:
        try:
            yield from get("/state")
        except ClientError as error:
            seen.append(error)
        return "went on"

    wrapped = following(session_of(), careful())
    next(wrapped)
    with pytest.raises(StopIteration) as end:
        wrapped.throw(Unreachable("no node answered"))
    assert end.value.value == "went on"
    assert [type(error) for error in seen] == [Unreachable]
