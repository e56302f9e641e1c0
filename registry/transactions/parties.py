"""What a party does to itself: its keys, and where documents reach it (registry.md 3).

All of it holds from the next height on. Nothing here changes who the party is; that is governance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from registry.codec import Value
from registry.errors import FieldError
from registry.parties import SIGN_KEYS_MAX, check_home
from registry.transactions.fields import NO_PROOF, Field, digest, items, signature

__all__ = ["AddKey", "Recover", "RevokeKey", "SetHome", "SetReceiveKey"]


def _key(value: Value, field: str) -> bytes:
    """A public key."""
    return digest(value, field)  # a public key has 32 bytes too


def _sign_keys(value: Value, field: str) -> tuple[bytes, ...]:
    """The Ed25519 public keys that sign from now on, at least one."""
    keys = items(value, field, _key, most=SIGN_KEYS_MAX)
    if not keys:
        raise FieldError(field, "is at least one key")
    return keys


def _proofs(value: Value, field: str) -> tuple[bytes, ...]:
    """A proof of possession by each of these keys, in their order (`keys.prove_possession`)."""
    return items(value, field, signature, most=SIGN_KEYS_MAX)


def _none_or_key(value: Value, field: str) -> tuple[bytes, ...]:
    """An X25519 public key, or none to keep the one there is."""
    return items(value, field, _key, most=1)


def _home(value: Value, field: str) -> str:
    """The URL of the node that takes a party's documents."""
    if type(value) is not str or not value:
        raise FieldError(field, "is a URL")
    check_home(field, value)
    return value


@dataclass(frozen=True, slots=True)
class AddKey:
    """The sender will sign with one more key: an Ed25519 public key (32 bytes) that nobody ever had.

    `proof` is a signature by it (`keys.prove_possession`, "add_key"): else anybody could take a key that another will
    bring. One purpose for each way in keeps the proof of a waiting recovery from being used here.
    """

    NAME: ClassVar = "add_key"
    FIELDS: ClassVar = (Field("key", _key), Field("proof", signature))

    key: bytes
    proof: bytes = NO_PROOF


@dataclass(frozen=True, slots=True)
class RevokeKey:
    """The sender will no longer sign with this key. What it signed before stays valid."""

    NAME: ClassVar = "revoke_key"
    FIELDS: ClassVar = (Field("key", _key),)

    key: bytes


@dataclass(frozen=True, slots=True)
class SetReceiveKey:
    """The sender's X25519 public key (32 bytes), under which documents are encrypted for it, is this one."""

    NAME: ClassVar = "set_receive_key"
    FIELDS: ClassVar = (Field("key", _key),)

    key: bytes


@dataclass(frozen=True, slots=True)
class SetHome:
    """The node that takes the sender's documents is at this URL."""

    NAME: ClassVar = "set_home"
    FIELDS: ClassVar = (Field("home", _home),)

    home: str


@dataclass(frozen=True, slots=True)
class Recover:
    """Signed by a party's owner key alone: all its signing keys are replaced by these.

    `receive_key` is () to keep the one there is, or the one that replaces it. `proofs` has a signature by each of the
    signing keys (`keys.prove_possession`, "recover").
    """

    NAME: ClassVar = "recover"
    FIELDS: ClassVar = (
        Field("sign_keys", _sign_keys),
        Field("receive_key", _none_or_key),
        Field("proofs", _proofs),
    )

    sign_keys: tuple[bytes, ...]
    receive_key: tuple[bytes, ...] = ()
    proofs: tuple[bytes, ...] = ()
