"""Ed25519 keys and domain-separated signatures.

Everything that consensus depends on is signed and verified by libsodium (PyNaCl) and by nothing else: libraries
disagree on edge cases of Ed25519, and nodes that disagree on a signature split the ledger. libsodium refuses
small-order keys and points and non-canonical scalars; `tests/registry/test_keys.py` pins its answer to every
published edge case.

What is signed is always `domain || chain id (32 bytes) || message`; the domains below have no common prefixes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Protocol

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
    "DOMAIN_POSSESSION",
    "DOMAIN_TRANSACTION",
    "DOMAIN_VOTE",
    "POSSESSION_PURPOSES",
    "PUBLIC_KEY_SIZE",
    "SEED_SIZE",
    "SIGNATURE_SIZE",
    "SignatureInvalid",
    "Signer",
    "SigningKey",
    "key_id",
    "prove_possession",
    "proves_possession",
    "verify",
]

DOMAIN_TRANSACTION = b"NEMODAT-v1-tx"
DOMAIN_VOTE = b"NEMODAT-v1-vote"
DOMAIN_CHECKPOINT = b"NEMODAT-v1-checkpoint"
DOMAIN_INCLUSION = b"NEMODAT-v1-inclusion"
DOMAIN_POSSESSION = b"NEMODAT-v1-possession"

# For what a new key is proved to be had, and which kind of key it is then. One purpose for each way in: a proof that
# waits in one operation must not let anybody who can sign for the party use the key up by another.
POSSESSION_PURPOSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "add_key": "sign",
        "recover": "sign",
        "admit_sign": "sign",
        "admit_owner": "owner",
        "replace_owner_key": "owner",
        "seat_authority": "consensus",
    }
)

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


def prove_possession(key: Signer, chain_id: bytes, party: str, purpose: str) -> bytes:
    """The signature by which a key, new to the ledger, says that it is the party's, for one of POSSESSION_PURPOSES."""
    return key.sign(DOMAIN_POSSESSION, chain_id, _possession(party, purpose))


def proves_possession(public_key: bytes, chain_id: bytes, party: str, purpose: str, proof: bytes) -> bool:
    """Whether `proof` is what `prove_possession` makes with the secret of `public_key`."""
    try:
        verify(public_key, DOMAIN_POSSESSION, chain_id, _possession(party, purpose), proof)
    except SignatureInvalid:
        return False
    return True


def _possession(party: str, purpose: str) -> bytes:
    return f"{purpose} {party}".encode()  # neither has a space in it


def key_id(public_key: bytes) -> str:
    """A short name of a public key for people and logs: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:16]
