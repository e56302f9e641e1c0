"""A ledger as small as can be: its state is a hash over the chain, and one kind of transaction is bad."""

from __future__ import annotations

from collections.abc import Sequence

from consensus.authorities import AuthoritySet
from consensus.blocks import Block, Header, transactions_root
from consensus.events import Verdict
from registry.codec import digest

__all__ = ["BAD", "CLOCK_RULE_MS", "EPOCH_MS", "build", "judge"]

EPOCH_MS = 1_700_000_000_000  # what the virtual clocks show at 0
CLOCK_RULE_MS = 2_000  # a fresh proposal may differ this much from one's own clock
BAD = b"bad"  # a transaction that may not stand in a block


def build(
    *,
    genesis_id: bytes,
    authorities: AuthoritySet,
    height: int,
    parent: bytes,
    parent_time_ms: int,
    proposer: bytes,
    time_ms: int,
    transactions: Sequence[bytes],
) -> Block:
    """A block with the roots that executing it gives."""
    root = transactions_root(transactions)
    header = Header(
        genesis_id=genesis_id,
        height=height,
        parent=parent,
        proposer=proposer,
        timestamp_ms=max(time_ms, parent_time_ms + 1),
        transactions_root=root,
        results_root=digest(b"results" + root),
        state_root=digest(b"state" + parent + root),
        history_root=digest(b"history" + parent),
        authorities=authorities.digest,
        next_authorities=authorities.digest,
    )
    return Block(header, tuple(transactions))


def judge(block: Block, *, parent_time_ms: int, time_ms: int) -> Verdict:
    """What the runner's check says."""
    header = block.header
    if (
        header.timestamp_ms <= parent_time_ms
        or header.results_root != digest(b"results" + header.transactions_root)
        or header.state_root != digest(b"state" + header.parent + header.transactions_root)
        or header.history_root != digest(b"history" + header.parent)
        or header.next_authorities != header.authorities
        or BAD in block.transactions
    ):
        return Verdict.INVALID
    return Verdict.UNTIMELY if abs(header.timestamp_ms - time_ms) > CLOCK_RULE_MS else Verdict.VALID
