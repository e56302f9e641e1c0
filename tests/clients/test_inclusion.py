"""What does not become final: nodes give their word that they have it, and a client believes no other's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from clients.cli import app
from clients.errors import ClientError, NotFinal, ProofInvalid
from clients.exporter import ExporterClient
from clients.inclusion import inclusion_receipts, report_exclusion
from registry.inclusion import InclusionReceipt, give_receipt
from registry.transactions.inclusion import ReportExclusion
from tests.node.api.live import Live, running
from tests.registry.world import invoice, key_of, mark, name_id

AUTHORITY = key_of("consensus F_CN")


@pytest.fixture(scope="module")
def stuck(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One of two authorities, whose other never starts: nothing becomes final."""
    with running(tmp_path_factory.mktemp("stuck"), absent=["F_SG"]) as live:
        yield live


def client_of(live: Live) -> ExporterClient:
    return ExporterClient(live.genesis, urls=[live.url], party=name_id("EXP_CN"), signer=key_of("EXP_CN"), final_within_s=0.2)


def test_whoever_waits_for_finality_gets_receipts_and_can_show_them(stuck: Live) -> None:
    with client_of(stuck) as client:
        with pytest.raises(NotFinal) as error:
            client.call(_submitted)
        assert error.value.submission is not None
        waiting = error.value.submission.transaction_id
        (receipt,) = client.call(inclusion_receipts, waiting)
        assert (receipt.transaction, receipt.authority) == (waiting, AUTHORITY.public_key)
        assert receipt.holds(stuck.genesis.id)
        with pytest.raises(NotFinal):
            client.call(report_exclusion, [receipt])
        assert client.call(inclusion_receipts, mark("nobody has it")) == ()


def test_a_submission_is_answered_with_a_receipt(stuck: Live) -> None:
    from registry.codec import encode

    answer = stuck.post("/v1/transactions", encode([stuck.wire("EXP_CN", invoice("told"))]), "EXP_CN", "application/msgpack")
    (result,) = answer.json()["results"]
    receipt = InclusionReceipt.from_json(result["inclusion"])
    assert receipt.transaction.hex() == result["transaction_id"]
    assert receipt.holds(stuck.genesis.id)


def test_too_few_receipts_are_not_sent(stuck: Live) -> None:
    with client_of(stuck) as client, pytest.raises(ClientError, match="receipts of 1 authorities"):
        client.call(report_exclusion, [])
