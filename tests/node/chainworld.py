"""A network of the registry tests' world with a store under it: blocks that are built, certified and committed."""

from __future__ import annotations

from collections.abc import Sequence

from consensus.blocks import Block
from consensus.votes import Kind, assemble, signed_bytes
from node.chain import Chain, Committed
from registry.codec import encode
from registry.genesis import Genesis
from registry.keys import DOMAIN_VOTE
from registry.transactions.envelope import EACH, Transaction, draft, open_transaction, sign
from registry.transactions.operations import Operation
from tests.registry.world import AUTHORITIES, MEMBERS, START_MS, genesis, invoice, key_of, proved

STEP_MS = 1_000


def transaction_of(
    signers: str | Sequence[str],
    *operations: Operation,
    nonce: int = 0,
    until_ms: int | None = None,
    mode: str = EACH,
    network: Genesis | None = None,
) -> Transaction:
    """A signed transaction of these members, by name, good for the first half hour of the chain.

    In a block those of one member stand in the order of their nonces.
    """
    until_ms = START_MS + 1_800_000 + nonce if until_ms is None else until_ms
    chain_id = (network or genesis()).id
    keys = [key_of(name) for name in ([signers] if isinstance(signers, str) else signers)]
    public_keys = [key.public_key for key in keys]
    names = [signers] if isinstance(signers, str) else list(signers)
    operations = tuple(proved(one, chain_id, MEMBERS[names[0]][0] if names[0] in MEMBERS else "") for one in operations)
    payload = draft(chain_id, public_keys, nonce.to_bytes(16, "big"), until_ms, operations, mode)
    return open_transaction(sign(payload, chain_id, keys), chain_id)


def registration(number: int, *, by: str = "EXP_CN") -> Transaction:
    """A transaction that registers invoice `number`."""
    return transaction_of(by, invoice(f"{by} {number}"), nonce=number)


def proposer_of(height: int) -> bytes:
    """The key of the authority that leads view 0 of a height."""
    return key_of(f"consensus {AUTHORITIES[height % 4]}").public_key


def certificate_of(block: Block, *, signers: Sequence[int] = (0, 1, 2), kind: Kind = Kind.FINALIZE) -> bytes:
    """Canonical bytes of a certificate over a block by these authorities."""
    message = signed_bytes(kind, block.header.height, 0, block.hash)
    signatures = {
        index: key_of(f"consensus {AUTHORITIES[index]}").sign(DOMAIN_VOTE, genesis().id, message) for index in signers
    }
    certificate = assemble(
        kind=kind, height=block.header.height, view=0, block=block.hash, signatures=signatures, n=len(AUTHORITIES)
    )
    return encode(certificate.to_value())


def build(chain: Chain, transactions: Sequence[Transaction]) -> Block:
    """The next block by its leader, one step later than the tip."""
    now_ms = chain.tip.timestamp_ms + STEP_MS
    return chain.build(transactions, proposer=proposer_of(chain.tip.height + 1), now_ms=now_ms)


def commit(chain: Chain, *transactions: Transaction) -> Committed:
    """Build, certify and commit a block of these."""
    block = build(chain, transactions)
    return chain.commit(block, certificate_of(block), puts={})
