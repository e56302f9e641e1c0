"""The order of transactions within a block: a rule, so that no proposer puts its own claim before another's.

Transactions stand by the rank of their party, each party's own by `valid_until_ms`, then by id. The rank is

    SHA-256("NEMODAT-v1-order" || seed || party id)     tagged_digest of registry.codec

and the seed of height h is the hash of block h - 2 (the genesis id for the first two blocks): a new lot each block.

Why this is fair among competitors:

- The proposer of h chooses nothing: seed, parties and expiries are given. It may still leave a transaction out, which
  is what inclusion receipts are for.
- Whoever made block h - 2 could have tried many bodies for a hash that favours it at h. But then it must know who will
  compete two blocks later, and a transaction that waits that long was left out by the proposer between.
- A party is ranked as a whole, by the member of the primary signer's key in the state below the block. So it gains
  nothing by many transactions, many keys or trial of nonces.
- Within one party the order is the party's own choice: a later expiry comes later. Its software counts it up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from registry.codec import tagged_digest
from registry.transactions.envelope import Transaction

__all__ = ["in_order"]

_TAG: Final = b"NEMODAT-v1-order"


def in_order(
    seed: bytes, transactions: Iterable[Transaction], party_of: Callable[[bytes], str | None]
) -> list[Transaction]:
    """These transactions in the only order in which they may stand in a block.

    `seed` is the hash of the block two heights below (32 bytes); `party_of` tells whose a signing key is in the state
    below the block. A key that is nobody's ranks for itself; execution refuses it anyway.
    """
    ranks: dict[bytes, bytes] = {}

    def place(transaction: Transaction) -> tuple[bytes, int, bytes]:
        key = transaction.signers[0]
        if key not in ranks:
            party = party_of(key)
            ranks[key] = tagged_digest(_TAG, seed, key if party is None else party.encode())
        return ranks[key], transaction.valid_until_ms, transaction.id

    return sorted(transactions, key=place)
