"""The two node hashes shared by log and tree (RFC 9162, section 2.1.1): domain-separated SHA-256."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import TypeAlias

__all__ = [
    "EMPTY",
    "HASH_BYTES",
    "PATH_BITS",
    "MerkleError",
    "PathOf",
    "ProofError",
    "leaf_hash",
    "node_hash",
    "path_of",
]

HASH_BYTES = 32
PATH_BITS = 256
PathOf: TypeAlias = Callable[[bytes], bytes]
"""`path_of`, or one that remembers paths: a key is asked for when it is read, put into the tree, and stored."""

EMPTY = bytes(HASH_BYTES)  # root of a subtree without a leaf; no known input hashes to it


class MerkleError(ValueError):
    """Base of this package's errors."""


class ProofError(MerkleError):
    """A proof, range or encoding that is not well formed; names the field and the reason."""


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right), 32 bytes; both children are 32-byte hashes."""
    return sha256(b"\x01" + left + right).digest()


def leaf_hash(path: bytes, value_hash: bytes) -> bytes:
    """Hash of a state tree leaf: SHA-256(0x00 || path || SHA-256(value)), each part 32 bytes."""
    return sha256(b"\x00" + path + value_hash).digest()


def path_of(key: bytes) -> bytes:
    """The 32-byte path of a state key: SHA-256(key), read from the most significant bit down."""
    return sha256(key).digest()
