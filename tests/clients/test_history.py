"""Old headers and checkpoints over HTTP, from the shared network of real nodes."""

from __future__ import annotations

from clients import reads
from clients.checkpoints import checked
from clients.history import ancestor, connect, connected
from clients.verify import Trust
from consensus.checkpoints import KeptCheckpoint, cosign
from registry.keys import SigningKey
from tests.clients.stage import Stage, unlike

OBSERVER = SigningKey.from_seed(b"o" * 32)


def test_any_old_header_is_proved_by_the_newest(stage: Stage) -> None:
    with stage.financier("f-cn") as client:
        first = client.call(ancestor, 1)
        assert first.height == 1
        assert first.parent == client.genesis.id
        assert client.call(checked) == ()


def test_a_client_with_a_checkpoint_reads_what_is_older_and_what_is_newer(stage: Stage) -> None:
    with stage.exporter() as exporter:
        outcomes = [exporter.register(unlike()) for _ in range(3)]
    with stage.financier("f-cn") as client:
        first, third = client.call(reads.header, 1), client.call(reads.header, outcomes[2].height)
        kept = KeptCheckpoint(cosign(client.genesis.id, third, OBSERVER), third)
    with stage.exporter(checkpoints=(kept,)) as careful:
        assert careful.call(reads.header, 1) == first
        assert careful.call(reads.header, third.height) == third
        for outcome in outcomes:  # the receipts of older blocks, and the records as of a newer one
            assert careful.transaction(outcome.receipt.transaction, 1).receipts == (outcome.receipt,)
            assert careful.receivable(outcome.receivable) is not None
        proof = careful.call(connect, 1, [kept])
        assert not connected(Trust(careful.genesis, checkpoints=(kept,)), proof).awaits_proof(first)
