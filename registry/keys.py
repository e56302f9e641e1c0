"""Ed25519 keys and domain-separated signatures.

Everything that consensus depends on is signed and verified by libsodium (PyNaCl) and by nothing else: libraries
disagree on edge cases of Ed25519, and nodes that disagree on a signature split the ledger. libsodium refuses
small-order keys and points and non-canonical scalars; `tests/registry/test_keys.py` pins its answer to every
published edge case.

What is signed is always `domain || chain id (32 bytes) || message`; the domains below have no common prefixes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Protocol

from nacl.bindings import (
    crypto_sign,
    crypto_sign_BYTES,
    crypto_sign_open,
    crypto_sign_PUBLICKEYBYTES,
    crypto_sign_seed_keypair,
    crypto_sign_SEEDBYTES,
)
from nacl.exceptions import BadSignatureError

from registry.errors import SignatureInvalid

__all__ = [
    "DOMAIN_CHECKPOINT",
    "DOMAIN_INCLUSION",
    "DOMAIN_TRANSACTION",
    "DOMAIN_VOTE",
    "PUBLIC_KEY_SIZE",
    "SEED_SIZE",
    "SIGNATURE_SIZE",
    "SignatureInvalid",
    "Signer",
    "SigningKey",
    "key_id",
    "verify",
]

DOMAIN_TRANSACTION = b"NEMODAT-v1-tx"
DOMAIN_VOTE = b"NEMODAT-v1-vote"
DOMAIN_CHECKPOINT = b"NEMODAT-v1-checkpoint"
DOMAIN_INCLUSION = b"NEMODAT-v1-inclusion"

PUBLIC_KEY_SIZE = crypto_sign_PUBLICKEYBYTES  # 32 bytes
SIGNATURE_SIZE = crypto_sign_BYTES  # 64 bytes
SEED_SIZE = crypto_sign_SEEDBYTES  # 32 bytes


class Signer(Protocol):
    """Whatever can sign: a key in memory here, a hardware module elsewhere."""

    @property
    def public_key(self) -> bytes:
        """The Ed25519 public key, 32 bytes."""

    def sign(self, domain: bytes, chain_id: bytes, message: bytes) -> bytes:
        """The 64-byte signature over `domain || chain_id || message`."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key held in memory. Its `repr` never shows the secret."""

    public_key: bytes
    _secret: bytes = field(repr=False)

    @classmethod
    def from_seed(cls, seed: bytes) -> SigningKey:
        """The key of a 32-byte seed. Raises `ValueError` for another size."""
        if len(seed) != SEED_SIZE:
            raise ValueError(f"a seed has {SEED_SIZE} bytes, not {len(seed)}")
        public_key, secret = crypto_sign_seed_keypair(seed)
        return cls(public_key, secret)

    @property
    def seed(self) -> bytes:
        """The 32-byte seed: a secret, for the key store only."""
        return self._secret[:SEED_SIZE]

    def sign(self, domain: bytes, chain_id: bytes, message: bytes) -> bytes:
        """The 64-byte signature over `domain || chain_id || message`."""
        return crypto_sign(domain + chain_id + message, self._secret)[:SIGNATURE_SIZE]


def verify(public_key: bytes, domain: bytes, chain_id: bytes, message: bytes, signature: bytes) -> None:
    """Return if `signature` over `domain || chain_id || message` is by `public_key`; else raise `SignatureInvalid`."""
    if len(signature) != SIGNATURE_SIZE or len(public_key) != PUBLIC_KEY_SIZE:
        raise SignatureInvalid("a public key has 32 bytes and a signature 64")
    try:
        crypto_sign_open(signature + domain + chain_id + message, public_key)
    except BadSignatureError as error:
        raise SignatureInvalid("the signature does not verify") from error


def key_id(public_key: bytes) -> str:
    """A short name of a public key for people and logs: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:16]
