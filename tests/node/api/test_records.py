"""Parties, receivables, claims and blocks: shown with proof to those they concern, and to nobody else."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest

from clients.verify import Trust
from node.clock import clock_ms
from registry.codec import decode
from registry.money import WHOLE
from registry.records import Claim, Proposal, Receivable, decode_record
from registry.state import alias_key, claim_key, party_key, proposal_key, receivable_key
from registry.transactions.claims import Fund, Offer, Reserve
from registry.transactions.governance import Admit, Propose
from tests.node.api.conftest import Story
from tests.node.api.live import Live, running
from tests.node.api.test_gate import problem
from tests.registry.world import MEMBERS, invoice, mark, name_id, party_of

OUTSIDERS = ("F_BR", "EXP_VN", "IMP_AE", "F_CN")


def proved(live: Live, key: bytes, answer: Any) -> bytes:
    """The proved value under `key` of an answer."""
    value = Trust(live.genesis).state(key, answer["proof"]).value
    assert value is not None
    return value


@pytest.mark.parametrize("by", ["EXP_CN", "IMP_DE", "F_SG", "F_DE", "REGULATOR", "operator"])
def test_a_receivable_is_shown_to_those_it_concerns(live: Live, story: Story, by: str) -> None:
    answer = live.get(f"/v1/receivables/{story.receivable}", by).json()
    record = decode_record(Receivable, proved(live, receivable_key(bytes.fromhex(story.receivable)), answer))
    shown = answer["record"]
    assert shown["id"] == story.receivable == record.id.hex()
    assert shown["registrant"] == name_id("EXP_CN")
    assert shown["debtor"] == name_id("IMP_DE")
    assert shown["state"] == "confirmed"
    assert shown["claims"] == [story.reserved, story.offered]
    assert shown["live"][0]["claim"] == story.reserved
    assert {"kind", "fingerprint"} == set(shown["fingerprints"][0])


@pytest.mark.parametrize("by", OUTSIDERS)
def test_to_others_it_does_not_exist(live: Live, story: Story, by: str) -> None:
    hidden = problem(live.get(f"/v1/receivables/{story.receivable}", by), 404, "not_found")
    absent = problem(live.get(f"/v1/receivables/{secrets.token_hex(32)}", by), 404, "not_found")
    assert hidden == absent
    assert problem(live.get(f"/v1/receivables/{story.receivable}/claims", by), 404, "not_found") == hidden
    hidden = problem(live.get(f"/v1/claims/{story.reserved}", by), 404, "not_found")
    assert hidden == problem(live.get(f"/v1/claims/{secrets.token_hex(32)}", by), 404, "not_found")


@pytest.mark.parametrize("by", ["EXP_CN", "IMP_DE", "F_SG", "REGULATOR", "operator"])
def test_a_claim_is_shown_to_those_it_concerns(live: Live, story: Story, by: str) -> None:
    answer = live.get(f"/v1/claims/{story.reserved}", by).json()
    record = decode_record(Claim, proved(live, claim_key(bytes.fromhex(story.reserved)), answer))
    assert record.state == answer["record"]["state"] == "reserved"
    assert answer["record"]["holder"] == name_id("F_SG")


def test_a_financier_does_not_see_the_claim_of_another(live: Live, story: Story) -> None:
    problem(live.get(f"/v1/claims/{story.offered}", "F_SG"), 404, "not_found")
    problem(live.get(f"/v1/claims/{story.reserved}", "F_DE"), 404, "not_found")


@pytest.mark.parametrize(
    ("by", "count"), [("EXP_CN", 2), ("IMP_DE", 2), ("REGULATOR", 2), ("operator", 2), ("F_SG", 1), ("F_DE", 1)]
)
def test_the_claims_on_a_receivable_are_those_one_may_see(live: Live, story: Story, by: str, count: int) -> None:
    claims = live.get(f"/v1/receivables/{story.receivable}/claims", by).json()["claims"]
    assert len(claims) == count
    for claim in claims:
        proved(live, claim_key(bytes.fromhex(claim["record"]["id"])), claim)


def test_a_partys_own_receivables(live: Live, story: Story) -> None:
    for by in ("EXP_CN", "IMP_DE"):
        listed = live.get("/v1/receivables?party=me", by).json()["receivables"]
        assert story.receivable in [item["record"]["id"] for item in listed]
    for by in ("F_SG", "F_DE", "F_BR"):
        assert live.get("/v1/receivables?party=me", by).json() == {"receivables": [], "next": None}


def test_matches_are_listed_by_severity_without_whose_they_are(live: Live, story: Story) -> None:
    one = (("number", mark("same number")),)
    both = (*one, ("window", mark("same window")))
    (first,) = live.do("EXP_VN", invoice("look-alike", fingerprints=both))
    (weak,) = live.do("EXP_CN", invoice("weak", fingerprints=(("window", mark("same window")),)))
    (second,) = live.do("EXP_CN", invoice("strong", fingerprints=both))
    path = f"/v1/receivables/{second.subject.hex()}/matches"
    found = live.get(path, "EXP_CN").json()["matches"]
    assert [(each["id"], each["severity"], each["kinds"], each["own"]) for each in found] == [
        (first.subject.hex(), "high", ["number", "window"], False),
        (weak.subject.hex(), "low", ["window"], True),
    ]
    assert {each["level"] for each in found} == {"review"}
    assert all("registrant" not in each for each in found)
    problem(live.get(path, "F_SG"), 404, "not_found")
    problem(live.get("/v1/receivables/x/matches", "EXP_CN"), 400, "malformed")


def test_matches_say_which_must_be_acknowledged_by_who_has_reserved(live: Live) -> None:
    """What a stranger registers after the reservation is shown and stops no funding. To others all is new."""
    prints = (("order", mark("PO-2026-11")),)
    (mine,) = live.do("EXP_CN", invoice("reserved before", fingerprints=prints))
    (early,) = live.do("EXP_VN", invoice("early copy", fingerprints=prints))
    until_ms = clock_ms() + 3_600_000
    (offer,) = live.do("EXP_CN", Offer(mine.subject, name_id("F_CN"), WHOLE // 2, mark("terms"), until_ms))
    path = f"/v1/receivables/{mine.subject.hex()}/matches"

    def shown(by: str) -> dict[str, bool]:
        return {each["id"]: each["to_acknowledge"] for each in live.get(path, by).json()["matches"]}

    live.do("F_CN", Reserve(offer.subject, 600_000))
    (late,) = live.do("EXP_VN", invoice("late copy", fingerprints=prints))
    assert shown("F_CN") == {early.subject.hex(): True, late.subject.hex(): False}
    assert shown("EXP_CN") == {early.subject.hex(): True, late.subject.hex(): True}, "for a reservation of today"
    (refused,) = live.do("F_CN", Fund(offer.subject))
    assert (refused.code, refused.related) == ("unacknowledged_match", (early.subject,))
    (funded,) = live.do("F_CN", Fund(offer.subject, (early.subject,)))
    assert funded.done
    assert set(shown("F_CN").values()) == {True}, "for its next one"


def test_a_partys_own_claims(live: Live, story: Story) -> None:
    for by, expected in (("F_SG", {story.reserved}), ("F_DE", {story.offered}), ("F_BR", set())):
        listed = live.get("/v1/claims?party=me", by).json()
        assert {item["record"]["id"] for item in listed["claims"]} == expected
        for item in listed["claims"]:
            proved(live, claim_key(bytes.fromhex(item["record"]["id"])), item)
    everything = live.get(f"/v1/claims?party={name_id('EXP_CN')}", "REGULATOR").json()["claims"]
    assert {story.reserved, story.offered} <= {item["record"]["id"] for item in everything}
    assert problem(live.get(f"/v1/claims?party={name_id('F_SG')}", "F_DE"), 403, "not_authorised")["field"] == "party"


def test_overseers_list_those_of_a_party_and_others_only_their_own(live: Live, story: Story) -> None:
    path = f"/v1/receivables?party={name_id('IMP_DE')}"
    for by in ("REGULATOR", "operator", "IMP_DE"):
        assert [item["record"]["id"] for item in live.get(path, by).json()["receivables"]] == [story.receivable]
    assert problem(live.get(path, "F_SG"), 403, "not_authorised")["field"] == "party"
    assert problem(live.get("/v1/receivables?party=me", "operator"), 400, "malformed")["field"] == "party"
    problem(live.get("/v1/receivables?party=%00", "REGULATOR"), 400, "malformed")


def test_a_long_list_comes_in_parts(live: Live) -> None:
    receipts = live.do("EXP_VN", *(invoice(f"list {number}") for number in range(120)))
    expected = {receipt.subject.hex() for receipt in receipts}
    found: list[str] = []
    path = "/v1/receivables?party=me"
    parts = 0
    while path:
        answer = live.get(path, "EXP_VN").json()
        found += [item["record"]["id"] for item in answer["receivables"]]
        path = f"/v1/receivables?party=me&after={answer['next']}" if answer["next"] else ""
        parts += 1
    assert parts >= 2
    assert len(found) == len(set(found))
    assert expected <= set(found)


def test_a_proposal_is_shown_to_every_member_and_listed_to_those_who_decide(tmp_path: Path) -> None:
    with running(tmp_path) as live:
        shown_and_listed(live)


def shown_and_listed(live: Live) -> None:
    newcomer = party_of("NEW", "lei:984500DKIMPORT000156", "DK", ("debtor",))
    (proposed,) = live.do("F_CN", Propose(Admit(newcomer)))
    assert proposed.done, proposed
    answer = live.get(f"/v1/records/proposals/{proposed.subject.hex()}", "IMP_AE").json()
    record = decode_record(Proposal, proved(live, proposal_key(proposed.subject), answer))
    assert answer["record"]["proposer"] == record.proposer == name_id("F_CN")
    listed = live.get("/v1/records/proposals?party=me", "F_CN").json()["records"]
    assert [item["record"]["id"] for item in listed] == [proposed.subject.hex()]
    assert live.get("/v1/records/proposals", "IMP_AE").json() == {"records": [], "next": None}
    assert problem(live.get("/v1/records/proposals?party=x", "IMP_AE"), 403, "not_authorised")["field"] == "party"


def test_records_that_are_not_there(live: Live, story: Story) -> None:
    problem(live.get(f"/v1/records/proposals/{secrets.token_hex(32)}", "F_CN"), 404, "not_found")
    assert problem(live.get(f"/v1/records/claims/{story.reserved}", "F_SG"), 404, "not_found")["field"] == "family"
    assert problem(live.get("/v1/records/proposals/x", "F_CN"), 400, "malformed")["field"] == "id"
    assert problem(live.get("/v1/records/proposals?after=x", "F_CN"), 400, "malformed")["field"] == "after"


@pytest.mark.parametrize("path", ["/v1/receivables/x", "/v1/receivables/x/claims", "/v1/claims/x"])
def test_malformed_ids_are_refused(live: Live, path: str) -> None:
    assert problem(live.get(path, "EXP_CN"), 400, "malformed")["field"] == "id"


def test_a_malformed_cursor_is_refused(live: Live) -> None:
    assert problem(live.get("/v1/receivables?after=x", "EXP_CN"), 400, "malformed")["field"] == "after"


def test_a_party_is_shown_with_proof(live: Live, story: Story) -> None:
    id_ = name_id("F_SG")
    for path in (f"/v1/parties/{id_}", f"/v1/parties/{id_.replace(':', '%3A')}"):
        answer = live.get(path, "IMP_AE").json()
        assert answer["record"]["id"] == id_
        proved(live, party_key(id_), answer)


@pytest.mark.parametrize("id_", ["lei:984500TJEXPORT000198", "x", "x/y", "%00", "x" * 300, "%F0%9F%90%8B", "%ff"])
def test_an_unknown_party_is_not_found(live: Live, story: Story, id_: str) -> None:
    problem(live.get(f"/v1/parties/{id_}", "EXP_CN"), 404, "not_found")


def test_an_alias_leads_to_its_party_and_its_absence_is_proved(live: Live, story: Story) -> None:
    id_ = name_id("F_SG")
    answer = live.get(f"/v1/aliases/{id_}", "IMP_AE").json()
    assert answer["record"] == {"identifier": id_, "party": id_}
    assert decode(proved(live, alias_key(id_), answer)) == id_
    nobody = "vat:DE136695976"
    answer = live.get(f"/v1/aliases/{nobody}", "IMP_AE").json()
    assert answer["record"] == {"identifier": nobody, "party": None}
    assert Trust(live.genesis).state(alias_key(nobody), answer["proof"]).value is None
    assert problem(live.get("/v1/aliases/" + "x" * 101, "IMP_AE"), 400, "malformed")["field"] == "identifier"


def test_all_parties_are_listed_with_proof(live: Live, story: Story) -> None:
    answer = live.get("/v1/parties", "IMP_AE").json()
    listed = [item["record"]["id"] for item in answer["parties"]]
    assert listed == sorted(listed)
    assert len(listed) == len(MEMBERS) + 1
    for item in answer["parties"]:
        proved(live, party_key(item["record"]["id"]), item)
    rest = live.get(f"/v1/parties?after={listed[2]}", "IMP_AE").json()["parties"]
    assert [item["record"]["id"] for item in rest] == listed[3:]


def test_blocks_are_shown_with_their_finality(live: Live, story: Story) -> None:
    latest = live.get("/v1/blocks/latest", "F_CN").json()
    assert Trust(live.genesis).header(latest).height == latest["height"]
    first = live.get("/v1/blocks/1", "F_CN").json()
    header = Trust(live.genesis).header(first)
    assert header.height == 1
    assert header.parent == live.genesis.id
    assert first["state_root"] == header.state_root.hex()


def test_the_ids_of_a_blocks_transactions_are_for_overseers(live: Live, story: Story) -> None:
    assert "transactions" not in live.get("/v1/blocks/2", "F_CN").json()
    for by in ("REGULATOR", "operator"):
        assert live.get("/v1/blocks/1", by).json()["transactions"] == [], "the first block only starts the chain"
        (id_,) = live.get("/v1/blocks/2", by).json()["transactions"]
        assert live.get(f"/v1/transactions/{id_}", by).json()["height"] == 2


@pytest.mark.parametrize(
    ("height", "status", "code"),
    [("999999", 404, "not_found"), ("0", 400, "malformed"), ("-1", 400, "malformed"), ("x", 400, "malformed")],
)
def test_blocks_that_are_not_there(live: Live, height: str, status: int, code: str) -> None:
    problem(live.get(f"/v1/blocks/{height}", "F_CN"), status, code)


def test_the_genesis_file_is_for_members(live: Live) -> None:
    answer = live.get("/v1/genesis", "F_BR")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text == live.genesis.to_toml()
    problem(live.get("/v1/genesis", None), 401, "signature_missing")
