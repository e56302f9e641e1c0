"""What does not become final: nodes give their word that they have it, and a client believes no other's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clients.errors import ClientError, NotFinal, ProofInvalid
from clients.exchange import Call, Reply
from clients.exporter import ExporterClient
from clients.inclusion import inclusion_receipts, report_exclusion
from clients.session import Session, submit
from registry.codec import encode
from registry.inclusion import InclusionReceipt, give_receipt
from registry.transactions.parties import SetHome
from tests.node.api.live import Live, running
from tests.registry.world import START_MS, genesis, invoice, key_of, mark, name_id

AUTHORITY = key_of("consensus F_CN")
WAITING = mark("a transaction that waits")


@pytest.fixture(scope="module")
def stuck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One of two authorities, whose other never starts: nothing becomes final."""
    with running(tmp_path_factory.mktemp("stuck"), absent=["F_SG"]) as live:
        yield live


def client_of(live: Live) -> ExporterClient:
    return ExporterClient(
        live.genesis, urls=[live.url], party=name_id("EXP_CN"), signer=key_of("EXP_CN"), final_within_s=0.2
    )


def test_whoever_waits_for_finality_gets_receipts(stuck: Live) -> None:
    with client_of(stuck) as client:
        with pytest.raises(NotFinal) as error:
            client.call(submit, [SetHome("https://home.example/in")])
        assert error.value.submission is not None
        waiting = error.value.submission.transaction_id
        (receipt,) = client.call(inclusion_receipts, waiting)
        assert receipt.transaction == waiting
        assert receipt.authority in {entry.consensus_key for entry in stuck.genesis.authorities}
        assert receipt.holds(stuck.genesis.id)
        with pytest.raises(NotFinal):  # it is sent; here nothing becomes final
            client.call(report_exclusion, [receipt])
        assert client.call(inclusion_receipts, mark("nobody has it")) == ()


def test_a_submission_is_answered_with_a_receipt(stuck: Live) -> None:
    wire = stuck.wire("EXP_CN", invoice("told"))
    (result,) = stuck.post("/v1/transactions", encode([wire]), "EXP_CN", "application/msgpack").json()["results"]
    receipt = InclusionReceipt.from_json(result["inclusion"])
    assert receipt.transaction.hex() == result["transaction_id"]
    assert receipt.holds(stuck.genesis.id)


def test_too_few_receipts_are_not_sent(stuck: Live) -> None:
    with client_of(stuck) as client, pytest.raises(ClientError, match="receipts of 1 authorities"):
        client.call(report_exclusion, [])


def told(inclusion: Any) -> tuple[InclusionReceipt, ...]:
    """What a client makes of this answer of its only node."""
    session = Session(genesis=genesis(), party=name_id("EXP_CN"), signer=key_of("EXP_CN"), final_within_s=1.0)
    procedure = inclusion_receipts(session, WAITING)
    answer = {"transaction_id": WAITING.hex(), "status": "pending", "inclusion": inclusion}
    call = next(procedure)
    try:
        while True:
            assert isinstance(call, Call)
            call = procedure.send(Reply(200, json.dumps(answer).encode(), "http://node"))
    except StopIteration as stop:
        found: tuple[InclusionReceipt, ...] = stop.value
        return found


def test_only_an_authority_s_own_signature_counts() -> None:
    good = give_receipt(AUTHORITY, genesis().id, WAITING, height=5, valid_until_ms=START_MS)
    assert told(good.to_json()) == (good,)
    for lie in (
        give_receipt(key_of("EXP_CN"), genesis().id, WAITING, height=5, valid_until_ms=START_MS).to_json(),
        give_receipt(AUTHORITY, genesis().id, mark("another"), height=5, valid_until_ms=START_MS).to_json(),
        give_receipt(AUTHORITY, mark("another chain"), WAITING, height=5, valid_until_ms=START_MS).to_json(),
        {**good.to_json(), "height": 4},
        {**good.to_json(), "signature": "00"},
        "a receipt",
    ):
        with pytest.raises(ProofInvalid, match="inclusion"):
            told(lie)


def test_receipts_are_read_back_from_what_the_command_prints(stuck: Live, tmp_path: Path) -> None:
    from clients.cli.inclusion import _receipts

    good = give_receipt(AUTHORITY, genesis().id, WAITING, height=5, valid_until_ms=START_MS)
    file = tmp_path / "receipts.json"
    file.write_text(json.dumps({"receipts": [good.to_json()]}))
    assert _receipts(file) == [good]
    for bad in ("", "[]", '{"receipts": [1]}', '{"receipts": [{}]}'):
        file.write_text(bad)
        with pytest.raises(ClientError, match=str(file)):
            _receipts(file)
