"""Runs of batches against a node that is made up here: what is sent when, and what is known when a run stops."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from clients.errors import ClientError, NotFinal, Rejected, Unreachable
from clients.exchange import Call, Procedure, Reply
from clients.pipeline import IN_FLIGHT, RunStopped, send_all
from clients.session import Session
from clients.submission import Submission
from clients.verify import Final, Trust
from tests.cast import EXP_CN, key_of
from tests.registry.world import genesis


def final_of(transaction_id: bytes) -> Final:
    return Final(transaction_id=transaction_id, height=1, timestamp_ms=1, block_hash=b"", receipts=())


@dataclass
class Node:
    """Takes every transaction that `refuses` lets through; each is final when waited for, but the `stuck` ones."""

    stuck: tuple[int, ...] = ()
    refuses: Callable[[int], str] = lambda number: ""
    silent_after: int = 10**9  # answers; while it waits a client asks again and again
    log: list[str] = field(default_factory=list)
    answers: int = 0

    def answer(self, call: Call) -> Reply:
        self.answers += 1
        if self.answers > self.silent_after:
            raise Unreachable("no node answered")
        if call.method == "POST":
            number = next(number for number in range(40) if submission_of(number).wire in call.body)
            code = self.refuses(number)
            self.log.append(f"{code or 'sent'} {number}")
            result = {"code": code} if code else {"transaction_id": submission_of(number).transaction_id.hex()}
            return reply({"results": [result]})
        asked = call.path.rpartition("/")[2].partition("?")[0]
        number = next(number for number in range(40) if submission_of(number).transaction_id.hex() == asked)
        return reply({"status": "pending" if number in self.stuck else "final", "number": number})

    def run(self, procedure: Procedure[None]) -> None:
        try:
            call = next(procedure)
            while True:
                try:
                    answered = self.answer(call)
                except Unreachable as error:
                    call = procedure.throw(error)
                else:
                    call = procedure.send(answered)
        except StopIteration:
            return


def reply(value: Any) -> Reply:
    return Reply(200, json.dumps(value).encode(), "http://node")


def submission_of(number: int) -> Submission:
    wire = b"transaction %03d" % number
    return Submission(wire, hashlib.sha256(wire).digest(), 1)


@pytest.fixture(autouse=True)
def believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proofs are other tests' business."""
    monkeypatch.setattr(Trust, "receipts", lambda self, transaction_id, operations, answer: final_of(transaction_id))


def run(node: Node, count: int, *, final_within_s: float = 60.0) -> list[int]:
    """The numbers of the batches that are settled, in the order heard of; kept in `settled` whatever happens."""

    def signed(number: int) -> Procedure[Submission]:
        yield from ()
        node.log.append(f"signed {number}")
        return submission_of(number)

    def settled(number: int, final: Final) -> None:
        assert final.transaction_id == submission_of(number).transaction_id
        node.log.append(f"settled {number}")

    session = Session(genesis=genesis(), party=EXP_CN, signer=key_of(EXP_CN), final_within_s=final_within_s)
    node.run(send_all(session, range(count), signed=signed, settled=settled))
    return heard(node)


def heard(node: Node) -> list[int]:
    return [int(line.split()[1]) for line in node.log if line.startswith("settled")]


def test_batches_are_settled_in_order_and_so_many_are_in_flight_at_a_time() -> None:
    node = Node()
    assert run(node, 20) == list(range(20))
    in_flight, most = 0, 0
    for line in node.log:
        in_flight += line.startswith("sent") - line.startswith("settled")
        most = max(most, in_flight)
    assert most == IN_FLIGHT
    assert node.log.index("signed 19") > node.log.index(f"settled {19 - IN_FLIGHT}"), (
        "batches are read as there is room"
    )


def test_no_batches_are_no_work() -> None:
    node = Node()
    assert run(node, 0) == []
    assert node.log == []


def test_a_run_stops_at_a_batch_that_is_never_taken_and_says_what_is_final() -> None:
    node = Node(refuses=lambda number: "expired" if number == 6 else "")
    with pytest.raises(RunStopped, match="expired") as stopped:
        run(node, 20)
    assert isinstance(stopped.value.__cause__, Rejected)
    assert stopped.value.undecided == (), "one look shows that even this one is final"
    assert heard(node) == [0, 1, 2, 3, 4, 5, 6]
    assert "signed 7" not in node.log


def test_what_is_final_behind_the_stuck_one_is_heard_of_and_only_the_stuck_one_is_undecided() -> None:
    node = Node(stuck=(1,))
    with pytest.raises(RunStopped) as stopped:
        run(node, 20, final_within_s=0.05)
    assert isinstance(stopped.value.__cause__, NotFinal)
    assert stopped.value.undecided == (submission_of(1),)
    assert stopped.value.submission == submission_of(1)
    assert heard(node) == [0, *range(2, IN_FLIGHT + 1)]


def test_when_nobody_answers_all_that_was_sent_is_undecided() -> None:
    node = Node(silent_after=IN_FLIGHT)
    with pytest.raises(RunStopped, match="no node answered") as stopped:
        run(node, 20)
    assert stopped.value.undecided == tuple(map(submission_of, range(IN_FLIGHT)))
    assert heard(node) == []


def test_a_full_node_is_given_time_while_something_of_the_run_is_in_flight() -> None:
    turned_away: list[int] = []

    def full_once(number: int) -> str:
        if number == 2 and turned_away.count(2) < 2:  # by the node, asked twice
            turned_away.append(2)
            return "sender_full"
        return ""

    node = Node(refuses=full_once)
    assert run(node, 4) == [0, 1, 2, 3]
    assert node.log.index("settled 0") < node.log.index("sent 2")
    with pytest.raises(RunStopped, match="mempool_full"):
        run(Node(refuses=lambda number: "mempool_full"), 4)


def test_a_batch_that_cannot_be_signed_stops_the_run_and_leaves_none_undecided() -> None:
    node = Node()

    def signed(number: int) -> Procedure[Submission]:
        yield from ()
        if number == 3:
            raise ClientError("no such party")
        return submission_of(number)

    session = Session(genesis=genesis(), party=EXP_CN, signer=key_of(EXP_CN))
    done: list[int] = []
    with pytest.raises(RunStopped, match="no such party") as stopped:
        node.run(send_all(session, range(9), signed=signed, settled=lambda number, final: done.append(number)))
    assert (done, stopped.value.undecided) == ([0, 1, 2], ())
