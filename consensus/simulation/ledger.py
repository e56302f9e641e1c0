"""A ledger as small as can be: its state is a hash over the chain, one kind of transaction is bad, one changes the set.

A transaction `CHANGE + canonical [out, in]` asks for another authority set: it takes the key `out` away (nil: nobody)
and appends the authority `in`, a name and a key (nil: nobody). What cannot be done has no effect.
"""

from __future__ import annotations

from collections.abc import Sequence

from consensus.authorities import Authority, AuthoritySet
from consensus.blocks import Block, Header, transactions_root
from consensus.errors import AuthorityError
from consensus.events import Verdict
from registry.codec import decode, digest, encode

__all__ = ["BAD", "CHANGE", "CLOCK_RULE_MS", "EPOCH_MS", "build", "change", "judge", "next_set"]

EPOCH_MS = 1_700_000_000_000  # what the virtual clocks show at 0
CLOCK_RULE_MS = 2_000  # a fresh proposal may differ this much from one's own clock
BAD = b"bad"  # a transaction that may not stand in a block
CHANGE = b"change "  # begins a transaction that changes the authority set


def change(out: bytes | None, into: Authority | None) -> bytes:
    """The transaction that takes a key out of the set and an authority into it."""
    return CHANGE + encode([out, None if into is None else [into.name, into.public_key]])


def next_set(authorities: AuthoritySet, transactions: Sequence[bytes]) -> AuthoritySet:
    """The set in force after these transactions."""
    for transaction in transactions:
        if transaction.startswith(CHANGE):
            out, into = decode(transaction[len(CHANGE) :])  # type: ignore[misc]
            members = tuple(member for member in authorities if member.public_key != out)
            if into is not None:
                members += (Authority(*into),)  # type: ignore[misc]
            try:
                authorities = AuthoritySet(members)
            except AuthorityError:
                continue  # somebody twice, or nobody left
    return authorities


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
        next_authorities=next_set(authorities, transactions).digest,
    )
    return Block(header, tuple(transactions))


def judge(block: Block, *, authorities: AuthoritySet, parent_time_ms: int, time_ms: int) -> Verdict:
    """What the runner's check says."""
    header = block.header
    if (
        header.timestamp_ms <= parent_time_ms
        or header.results_root != digest(b"results" + header.transactions_root)
        or header.state_root != digest(b"state" + header.parent + header.transactions_root)
        or header.history_root != digest(b"history" + header.parent)
        or BAD in block.transactions
        or header.next_authorities != next_set(authorities, block.transactions).digest
    ):
        return Verdict.INVALID
    return Verdict.UNTIMELY if abs(header.timestamp_ms - time_ms) > CLOCK_RULE_MS else Verdict.VALID
