"""Trust nothing on the own disk: execute the whole chain again from genesis and compare every byte that matters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from consensus.blocks import Block
from consensus.errors import BlockError
from node.chain import Chain
from node.errors import Inconsistent, Pruned
from node.layout import CERTIFICATE, CHECKPOINT, CONSENSUS, EVIDENCE, TIP_KEY, VOTED, first_kept, read_list
from node.store import Reader, Store
from node.views import decided
from registry.genesis import Genesis

__all__ = ["Verified", "verify_chain"]

# What is not made by execution, and so not compared: this node's votes, evidence and checkpoints it holds,
# certificates it handed out.
_OWN = (CONSENSUS, VOTED, EVIDENCE, CHECKPOINT, CERTIFICATE)


@dataclass(frozen=True, slots=True)
class Verified:
    """A chain that holds: how far it goes, and what it comes to."""

    height: int
    block_hash: bytes
    state_root: bytes
    transactions: int
    receipts: int


def verify_chain(stored: Reader, genesis: Genesis, *, scratch: Store, progress: Callable[[int, int], None]) -> Verified:
    """Check every block, certificate, signature, root, receipt and index in `stored`, a snapshot of a node's store.

    Executes from `genesis` into the empty store `scratch` and compares all of it with what is stored. Calls
    `progress(height, tip height)` after each block. Raises `Inconsistent` naming the first height or key that differs,
    `Pruned` for a store that does not keep everything (any more): that one cannot be compared.
    """
    first = max(first_kept(stored))
    if first > 1:
        raise Pruned(f"what is kept here is whole from height {first} on only: a check from genesis needs all of it")
    tip_height, _ = read_list(stored.get(TIP_KEY) or b"", "tip", 2)
    chain = Chain.open(scratch, genesis)
    transactions = receipts = 0
    for height in range(1, tip_height + 1):
        found = decided(stored, height)
        if found is None:
            raise Inconsistent(f"height {height}: the block is missing, the tip is at {tip_height}")
        try:
            block = Block.decode(found[0])
        except BlockError as error:
            raise Inconsistent(f"height {height}: {error}") from error
        committed = chain.commit(block, found[1], puts={})
        transactions += len(committed.transactions)
        receipts += len(committed.outcome.receipts)
        progress(height, tip_height)
    _compare(stored, scratch)
    return Verified(tip_height, chain.tip.block_hash, chain.tip.state_root, transactions, receipts)


def _compare(stored: Reader, executed: Reader) -> None:
    """Raise `Inconsistent` unless both hold the same keys and values."""
    theirs, mine = _entries(stored), _entries(executed)
    while True:
        one, other = next(theirs, None), next(mine, None)
        if one != other:
            key = min(entry[0] for entry in (one, other) if entry is not None)
            raise Inconsistent(f"the store differs from what execution gives, first at key {key[:80]!r}")
        if one is None:
            return


def _entries(reader: Reader) -> Iterator[tuple[bytes, bytes]]:
    return (entry for entry in reader.scan(b"") if not entry[0].startswith(_OWN))
