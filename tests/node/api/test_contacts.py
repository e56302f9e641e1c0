"""Contacts: nobody learns who is on the other side before it is opened, and what overseers read is logged."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from node.clock import clock_ms
from registry.money import WHOLE
from registry.records.contacts import Opening
from registry.records.row import decode_record
from registry.transactions.claims import Offer
from registry.transactions.contacts import AnswerContact, AskContact, OpenContact
from registry.transactions.governance import Propose
from tests.node.api.live import Live, regulator, running
from tests.node.api.test_events import listening
from tests.node.api.test_gate import problem
from tests.node.api.test_records import proved
from tests.registry.world import invoice, mark, name_id

ASKING, ASKED = ("EXP_CN", "F_SG"), ("EXP_VN", "F_DE")
OVERSEERS = ("REGULATOR", "operator")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A node of its own: other tests count what parties have and hear."""
    with running(tmp_path_factory.mktemp("contacts")) as node:
        yield node


@dataclass(frozen=True)
class Two:
    """EXP_CN's receivable, offered to F_SG, and EXP_VN's, offered to F_DE, look alike; F_SG has asked."""

    receivable: str
    about: str
    contact: str

    @property
    def path(self) -> str:
        return f"/v1/contacts/{self.contact}"


def one(live: Live, by: str, operation: Any) -> str:
    (receipt,) = live.do(by, operation)
    assert receipt.done, receipt
    return receipt.subject.hex()


@pytest.fixture
def two(live: Live) -> Two:
    tag = secrets.token_hex(8)
    alike = (("number", mark(f"number {tag}")), ("window", mark(f"window {tag}")))
    made = []
    for seller, financier in (ASKING, ASKED):
        receivable = one(live, seller, invoice(f"{tag} {seller}", fingerprints=alike))
        until_ms = clock_ms() + 3_600_000
        one(live, seller, Offer(bytes.fromhex(receivable), name_id(financier), WHOLE // 2, mark("terms"), until_ms))
        made.append(receivable)
    asked = AskContact(bytes.fromhex(made[0]), bytes.fromhex(made[1]), mark("the same invoice?"), "en")
    return Two(*made, one(live, "F_SG", asked))


def answered(live: Live, two: Two, by: str, answer: str) -> None:
    one(live, by, AnswerContact(bytes.fromhex(two.contact), answer, mark(answer), "zh"))


def names_in(answer: httpx.Response) -> set[str]:
    """Whose ids stand anywhere in the raw text of an answer, also inside of hexadecimal."""
    assert answer.status_code == 200, answer.text
    everybody = ("EXP_CN", "EXP_VN", "F_SG", "F_DE", "F_CN", "IMP_DE")
    ids = {name: name_id(name) for name in everybody}
    return {name for name, id_ in ids.items() if id_ in answer.text or id_.encode().hex() in answer.text}


def test_before_the_opening_the_answer_shows_what_it_is_about_and_nobody(live: Live, two: Two) -> None:
    for by in (*ASKING, *ASKED):
        answer = live.get(two.path, by)
        assert names_in(answer) <= {by}
        shown = answer.json()
        assert shown["opening"] is None
        contact = shown["contact"]
        assert (contact["id"], contact["receivable"], contact["about"]) == (two.contact, two.receivable, two.about)
        assert (contact["kinds"], contact["severity"], contact["state"]) == (["number", "window"], "high", "waiting")
        (step,) = contact["steps"]
        assert (step["step"], step["text_digest"]) == ("asked", mark("the same invoice?").hex())
        assert step["by"] == (name_id("F_SG") if by == "F_SG" else None)
        assert "sides" not in contact


def test_to_others_it_does_not_exist(live: Live, two: Two) -> None:
    for by in ("F_CN", "F_BR", "IMP_DE"):
        hidden = problem(live.get(two.path, by), 404, "not_found")
        assert hidden == problem(live.get(f"/v1/contacts/{secrets.token_hex(32)}", by), 404, "not_found")
    assert problem(live.get("/v1/contacts/x", "F_SG"), 400, "malformed")["field"] == "id"
    assert problem(live.get("/v1/contacts?after=x", "F_SG"), 400, "malformed")["field"] == "after"
    assert problem(live.get("/v1/contacts?party=x", "F_SG"), 403, "not_authorised")["field"] == "party"
    problem(live.get(f"/v1/records/contacts/{two.contact}", "F_SG"), 404, "not_found")


def test_each_side_lists_it_as_its_own(live: Live, two: Two) -> None:
    for by in (*ASKING, *ASKED):
        answer = live.get("/v1/contacts?party=me", by)
        assert two.contact in [each["contact"]["id"] for each in answer.json()["contacts"]]
        assert two.contact not in live.get("/v1/contacts", "F_CN").text


def test_an_event_tells_the_other_side_and_not_who_asks(live: Live, two: Two) -> None:
    for by in (*ASKED, "REGULATOR"):
        with listening(live, by, "?since=1") as stream:
            heard = stream.until(two.contact, "contact_asked")[-1]
        assert (heard["detail"], "parties" in heard) == (two.about, False)
        assert not [name for name in ASKING if name_id(name) in json.dumps(heard)]


def test_who_asks_and_who_accepts_are_shown_to_each_other_with_proof(live: Live, two: Two) -> None:
    answered(live, two, "F_DE", "accept")
    for by in ("EXP_CN", "EXP_VN"):  # they have neither asked nor answered
        assert names_in(live.get(two.path, by)) <= {by}
    for by in ("F_SG", "F_DE", *OVERSEERS):
        answer = live.get(two.path, by).json()
        assert answer["contact"]["state"] == "open"
        value = proved(live, Opening.PREFIX + bytes.fromhex(two.contact), answer["opening"])
        opening = decode_record(Opening, value)
        assert (opening.asking, opening.asked) == ((name_id("F_SG"),), (name_id("F_DE"),))
        assert answer["opening"]["record"]["asked"] == list(opening.asked)
        assert (opening.asker, opening.by) == (name_id("F_SG"), name_id("F_DE"))


def test_who_declined_is_not_shown_and_is_shown_nobody(live: Live, two: Two) -> None:
    answered(live, two, "EXP_VN", "decline")
    for by in (*ASKING, *ASKED):
        assert names_in(live.get(two.path, by)) <= {by}
    answered(live, two, "F_DE", "accept")
    for by in ("F_SG", "F_DE"):
        assert names_in(live.get(two.path, by)) == {"F_SG", "F_DE"}
    refuser = live.get(two.path, "EXP_VN")
    assert (refuser.json()["opening"], names_in(refuser)) == (None, {"EXP_VN"})


def test_a_regulators_order_opens_it_to_both_sides(live: Live, two: Two) -> None:
    change = OpenContact(bytes.fromhex(two.contact), regulator().id, mark("order"))
    one(live, "F_CN", Propose(change))  # the only authority of this network
    for by in (*ASKING, *ASKED):
        record = live.get(two.path, by).json()["opening"]["record"]
        assert (record["by"], record["by_step"], record["text_digest"]) == (
            regulator().id,
            "ordered",
            mark("order").hex(),
        )


def test_what_overseers_read_of_a_contact_that_is_not_open_is_logged(live: Live, two: Two) -> None:
    for by in OVERSEERS:
        name = by if by == "operator" else regulator().id
        for path in (two.path, f"/v1/contacts?party={name_id('F_SG')}"):
            with capture_logs() as logs:
                answer = live.get(path, by)
            assert names_in(answer) >= {*ASKING, *ASKED}
            read = {(each["by"], each["contact"]) for each in logs if each["event"] == "identities read"}
            assert (name, two.contact) in read
    sides = live.get(two.path, "REGULATOR").json()["contact"]["sides"]
    assert sides == {
        "asking": sorted(name_id(name) for name in ASKING),
        "asked": sorted(name_id(name) for name in ASKED),
    }


def test_what_the_sides_read_and_what_is_open_is_not_logged(live: Live, two: Two) -> None:
    with capture_logs() as logs:
        for by in (*ASKING, *ASKED):
            live.get(two.path, by)
    assert [each for each in logs if each["event"] == "identities read"] == []
    answered(live, two, "F_DE", "accept")
    with capture_logs() as logs:
        live.get(two.path, "REGULATOR")
    assert [each for each in logs if each["event"] == "identities read"] == []


def test_the_openapi_describes_it(live: Live) -> None:
    paths = json.loads(live.get("/v1/openapi.json", None).text)["paths"]
    assert {"/v1/contacts", "/v1/contacts/{id}"} <= set(paths)
