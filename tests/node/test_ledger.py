"""The ledger's door: what a leader takes into its next block when one before it did not become final."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from consensus.blocks import Block
from node.chain import Chain
from node.ledger import OPERATIONS_AT_FIRST, Ledger, Pace
from node.mempool import Bounds, Mempool
from node.store import MemoryStore
from tests.node.chainworld import certificate_of, proposer_of, registration
from tests.registry.world import genesis


class AtOnce:
    """A worker that has no thread."""

    def do(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        then(work())


class Node:
    """A ledger whose pool has two parties' transactions, and what it does as a leader or as another's witness."""

    def __init__(self) -> None:
        store, worker = MemoryStore(), AtOnce()
        chain, pace = Chain.open(store, genesis()), Pace(base_ms=1_000, operations_max=1)
        self.ledger = Ledger(store=store, chain=chain, pool=Mempool(Bounds()), worker=worker, pace=pace)  # type: ignore[arg-type]
        for transaction, sender in ((SLOW, "cn"), (OTHER, "vn")):
            self.ledger.pool.add(transaction, sender)

    def build(self) -> Block:
        blocks: list[Block] = []
        self.ledger.build(proposer=proposer_of(self.ledger.tip.height + 1), then=blocks.append)
        return blocks[0]


SLOW, OTHER = registration(1), registration(2, by="EXP_VN")


def wires(block: Block) -> list[bytes]:
    return list(block.transactions)


def test_what_was_proposed_and_is_not_final_is_not_first_again(monkeypatch: Any) -> None:
    monkeypatch.setattr("node.ledger.clock_ms", lambda: genesis().created_ms + 1_000)
    node = Node()
    assert wires(node.build()) == [SLOW.wire]
    block = node.build()
    assert wires(block) == [OTHER.wire]
    node.ledger.commit(block, certificate_of(block), puts={})
    assert wires(node.build()) == [SLOW.wire], "at the next height it is first again"


def test_nor_is_what_another_leader_proposed(monkeypatch: Any) -> None:
    monkeypatch.setattr("node.ledger.clock_ms", lambda: genesis().created_ms + 1_000)
    failed, reasons = Node().build(), list[str | None]()
    node = Node()
    node.ledger.check(failed, reasons.append)
    assert reasons == [None]
    assert wires(node.build()) == [OTHER.wire]


def test_the_pace_counts_the_time_of_a_view_that_failed() -> None:
    pace = Pace(base_ms=1_000, operations_max=1_000)
    pace.builds(OPERATIONS_AT_FIRST, now_s=0.0)
    pace.builds(1, now_s=10.0)
    pace.committed(now_s=10.1)
    assert pace.operations_max() == OPERATIONS_AT_FIRST // 2
    pace.builds(pace.operations_max(), now_s=20.0)
    pace.committed(now_s=20.1)
    assert pace.operations_max() == OPERATIONS_AT_FIRST, "and the next is measured by itself"
