"""Blocks as consensus sees them: a header of fixed fields, and transactions that are opaque bytes.

The header carries no view, so that the same block can be proposed again in a later view (R2); its hash names the
block. The body is bound to the header by `transactions_root`, which is checked when bytes become a `Block`: so a peer
cannot pass off another body under a good hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from consensus.errors import BlockError
from registry.codec import DIGEST_SIZE, CodecError, Value, decode, encode, tagged_digest
from registry.keys import PUBLIC_KEY_SIZE

__all__ = [
    "BLOCK_SIZE_MAX",
    "HEADER_SIZE_MAX",
    "HEIGHT_MAX",
    "TRANSACTIONS_MAX",
    "TRANSACTION_SIZE_MAX",
    "VERSION",
    "VERSION_MAX",
    "Block",
    "Header",
    "transactions_root",
]

VERSION = 1  # the newest version of the protocol that this software knows
VERSION_MAX = 65_535
HEIGHT_MAX = 2**53 - 1  # also of views and milliseconds: exact in every language that reads our files
BLOCK_SIZE_MAX = 4 * 1024 * 1024  # bytes, encoded
HEADER_SIZE_MAX = 512  # bytes, encoded
TRANSACTIONS_MAX = 4096  # in one block
TRANSACTION_SIZE_MAX = 1024 * 1024  # bytes

_HASH_TAG = b"NEMODAT-v1-block"
_DIGESTS = (
    "genesis_id",
    "parent",
    "transactions_root",
    "results_root",
    "state_root",
    "history_root",
    "authorities",
    "next_authorities",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What is voted on. Every root, digest and hash has 32 bytes. Raises `BlockError` for a field out of bounds.

    The first block has height 1, and its parent is the genesis id.
    """

    version: int = VERSION
    """Of the protocol: the rules of execution. Which is in force when is in the ledger; this form is theirs all."""
    genesis_id: bytes
    """SHA-256 of the canonical genesis: the chain id everywhere."""
    height: int
    parent: bytes
    """Hash of the block one height below."""
    proposer: bytes
    """Public key of the authority that made this block (not necessarily of the one that proposed it again)."""
    timestamp_ms: int
    """Milliseconds since the Unix epoch by the proposer's clock; later than the parent's."""
    transactions_root: bytes
    """`transactions_root` of the body."""
    results_root: bytes
    """RFC 9162 tree over the receipts, refusals included."""
    state_root: bytes
    """The whole state after this block."""
    history_root: bytes
    """RFC 9162 tree over all earlier header hashes."""
    authorities: bytes
    """Digest of the authority set in force at this height, which certifies this block."""
    next_authorities: bytes
    """Digest of the set in force at the next height."""
    hash: bytes = field(init=False, repr=False, compare=False)
    """The block's hash: tagged SHA-256 of the encoding."""

    def __post_init__(self) -> None:
        if type(self.version) is not int or not 1 <= self.version <= VERSION_MAX:
            raise BlockError(f"version: an integer from 1 to {VERSION_MAX} is expected")
        _check_number("height", self.height, 1)
        _check_number("timestamp_ms", self.timestamp_ms, 0)
        for name in _DIGESTS:
            _check_bytes(name, getattr(self, name), DIGEST_SIZE)
        _check_bytes("proposer", self.proposer, PUBLIC_KEY_SIZE)
        object.__setattr__(self, "hash", tagged_digest(_HASH_TAG, self.encode()))

    def to_value(self) -> list[Value]:
        """The fields in their canonical order."""
        return [
            self.version,
            self.genesis_id,
            self.height,
            self.parent,
            self.proposer,
            self.timestamp_ms,
            self.transactions_root,
            self.results_root,
            self.state_root,
            self.history_root,
            self.authorities,
            self.next_authorities,
        ]

    def encode(self) -> bytes:
        """The canonical bytes."""
        return encode(self.to_value())

    @classmethod
    def decode(cls, data: bytes) -> Header:
        """The header of these canonical bytes (at most `HEADER_SIZE_MAX`). Raises `BlockError`."""
        try:
            return cls.from_value(decode(data, size_max=HEADER_SIZE_MAX))
        except CodecError as error:
            raise BlockError(f"header: {error}") from error

    @classmethod
    def from_value(cls, value: object) -> Header:
        """The header of a decoded list of twelve fields. Raises `BlockError`."""
        if not isinstance(value, list) or len(value) != 12:
            raise BlockError("header: a list of 12 fields is expected")
        return cls(
            version=value[0],
            genesis_id=value[1],
            height=value[2],
            parent=value[3],
            proposer=value[4],
            timestamp_ms=value[5],
            transactions_root=value[6],
            results_root=value[7],
            state_root=value[8],
            history_root=value[9],
            authorities=value[10],
            next_authorities=value[11],
        )


@dataclass(frozen=True, slots=True)
class Block:
    """A header and the transactions it orders, as opaque bytes.

    Raises `BlockError` if a limit is passed; that the body is the header's is checked by `decode` only, because
    whoever makes a block has just computed that root.
    """

    header: Header
    transactions: tuple[bytes, ...]
    _encoded: bytes = field(default=b"", repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.transactions) > TRANSACTIONS_MAX:
            raise BlockError(f"transactions: at most {TRANSACTIONS_MAX}, not {len(self.transactions)}")
        for transaction in self.transactions:
            if type(transaction) is not bytes or not 0 < len(transaction) <= TRANSACTION_SIZE_MAX:
                raise BlockError(f"transactions: each has 1 to {TRANSACTION_SIZE_MAX} bytes")
        if not self._encoded:
            encoded = encode([self.header.to_value(), self.transactions])
            if len(encoded) > BLOCK_SIZE_MAX:
                raise BlockError(f"block: at most {BLOCK_SIZE_MAX} bytes, not {len(encoded)}")
            object.__setattr__(self, "_encoded", encoded)

    @property
    def hash(self) -> bytes:
        """The header's hash, 32 bytes."""
        return self.header.hash

    def encode(self) -> bytes:
        """The canonical bytes: `[header fields, transactions]`."""
        return self._encoded

    @classmethod
    def decode(cls, data: bytes) -> Block:
        """The block of these canonical bytes, its body checked against the header. Raises `BlockError`."""
        try:
            value = decode(data, size_max=BLOCK_SIZE_MAX, items_max=TRANSACTIONS_MAX + 32)  # and a header
        except CodecError as error:
            raise BlockError(f"block: {error}") from error
        if not isinstance(value, list) or len(value) != 2 or not isinstance(value[1], list):
            raise BlockError("block: a header and a list of transactions are expected")
        block = cls(Header.from_value(value[0]), tuple(value[1]), data)
        if transactions_root(block.transactions) != block.header.transactions_root:
            raise BlockError("transactions: not those of the header's transactions_root")
        return block


def transactions_root(transactions: Sequence[bytes]) -> bytes:
    """The RFC 9162 (section 2.1.1) tree head over the transactions' bytes in their order, 32 bytes."""
    if not transactions:
        return sha256(b"").digest()
    row = [sha256(b"\x00" + transaction).digest() for transaction in transactions]
    while len(row) > 1:
        # Pairing from the left and carrying an odd last node up gives the RFC's tree without recursion.
        paired = [sha256(b"\x01" + row[i] + row[i + 1]).digest() for i in range(0, len(row) - 1, 2)]
        row = paired + row[len(paired) * 2 :]
    return row[0]


def _check_number(name: str, number: object, least: int) -> None:
    if type(number) is not int or not least <= number <= HEIGHT_MAX:
        raise BlockError(f"{name}: an integer from {least} to {HEIGHT_MAX} is expected")


def _check_bytes(name: str, data: object, size: int) -> None:
    if type(data) is not bytes or len(data) != size:
        raise BlockError(f"{name}: {size} bytes are expected")
