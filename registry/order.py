"""The order of transactions within a block: a rule, so that no proposer puts its own claim before another's.

Transactions stand by the rank of their party, each party's own by `valid_until_ms`, then by id. The rank is

    SHA-256("NEMODAT-v1-order" || seed || party id)     tagged_digest of registry.codec

and the seed of height h is a new lot each block, drawn from one bit of each of the last 64 blocks up to h - 2:

    SHA-256("NEMODAT-v1-lot" || h || bits)              h and bits 8 bytes big-endian each, the newest bit lowest

The bit of a block is the lowest of its leaf in the history of headers (`merkle.log.entry_hash` of the block's hash).
Before there are 64 such blocks, the last bits of the genesis id stand in for those that are missing.

Why this is fair among competitors:

- The proposer of h chooses nothing: seed, parties and expiries are given. It may still leave a transaction out, which
  is what inclusion receipts are for.
- Whoever makes block h - 2 can try many (another timestamp is another hash, thousands in a moment), but it chooses one
  bit: over all blocks that it could make there are two orders at h, and it takes the better one. Among n parties its
  own is first in 1 - (1 - 1/n)^2 of such blocks, less than two in n, instead of one in n.
- It gains nothing by making no block: whoever leads the next view draws between the same two orders.
- Who makes k blocks in a row up to h - 2, alone or with others, chooses among 2^k orders; a choice further down is
  drawn over by the first honest maker above it. Without a common secret the last to contribute always has a choice,
  and one bit is the least.
- Block h - 1 has no part in it, so a bit is chosen two blocks before it counts, when most of those who will compete are
  not known: a transaction that waits that long was left out by the proposer between.
- Nothing in block h itself has a part in it: its proposer chooses the set of transactions, and a sender its nonces, so
  both could try until the order suits them.
- A party is ranked as a whole, by the member of the primary signer's key in the state below the block; governance lets
  parties in. So it gains nothing by many transactions, many keys or trial of nonces.
- Within one party the order is the party's own choice: a later expiry comes later. Its software counts it up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from registry.codec import tagged_digest
from registry.transactions.envelope import Transaction

__all__ = ["DRAWN_FROM", "in_order", "seed_of"]

DRAWN_FROM: Final = 64
"""How many blocks have a bit in the lot."""

_LOT_TAG: Final = b"NEMODAT-v1-lot"
_RANK_TAG: Final = b"NEMODAT-v1-order"


def seed_of(genesis_id: bytes, height: int, recent: Sequence[bytes]) -> bytes:
    """The seed of a height, 32 bytes. `recent` are the leaves of the history up to two heights below, the newest last.

    All of them, or at least the last `DRAWN_FROM`; what is older does not count.
    """
    bits = int.from_bytes(genesis_id, "big")
    for leaf in recent[-DRAWN_FROM:]:
        bits = bits << 1 | leaf[-1] & 1
    window = bits % (1 << DRAWN_FROM)
    return tagged_digest(_LOT_TAG, height.to_bytes(8, "big"), window.to_bytes(DRAWN_FROM // 8, "big"))


def in_order(
    seed: bytes, transactions: Iterable[Transaction], party_of: Callable[[bytes], str | None]
) -> list[Transaction]:
    """These transactions in the only order in which they may stand in a block.

    `seed` is `seed_of` the block's height; `party_of` tells whose a signing key is in the state
    below the block. A key that is nobody's ranks for itself; execution refuses it anyway.
    """
    ranks: dict[bytes, bytes] = {}

    def place(transaction: Transaction) -> tuple[bytes, int, bytes]:
        key = transaction.signers[0]
        if key not in ranks:
            party = party_of(key)
            ranks[key] = tagged_digest(_RANK_TAG, seed, key if party is None else party.encode())
        return ranks[key], transaction.valid_until_ms, transaction.id

    return sorted(transactions, key=place)
