"""The content of a key file: one secret, sealed under a passphrase (privacy.md 7).

It is JSON that shows what the key is for and its public half; the secret is sealed with ChaCha20-Poly1305 under a key
that Argon2id derives from the passphrase, and all the rest of the file is authenticated with it.

Pure: salt and nonce are given, files are read and written elsewhere. Nothing here puts a secret or a passphrase into a
`repr` or an error.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from registry.codec import Value, encode
from registry.errors import FieldError, RegistryError
from registry.genesis import transport_public_key
from registry.keys import SEED_SIZE, SigningKey

__all__ = [
    "FILE_BYTES_MAX",
    "KDF_STANDARD",
    "KDF_TEST",
    "KEY_KINDS",
    "NONCE_SIZE",
    "SALT_SIZE",
    "SIGNING_KINDS",
    "KdfCost",
    "KeyFile",
    "KeyFileInvalid",
    "SecretKey",
    "public_of",
    "read_key_file",
    "seal_key",
]


FORMAT = "nemodat-key-v1"
SIGNING_KINDS = ("consensus", "sign", "owner", "checkpoint")  # Ed25519, one key one use (registry.md 3)
KEY_KINDS = (*SIGNING_KINDS, "receive", "transport")  # X25519; Ed25519 with a certificate

FILE_BYTES_MAX = 16 * 1024
PASSPHRASE_BYTES_MIN = 8
PASSPHRASE_BYTES_MAX = 1024
SALT_SIZE = 16  # bytes
NONCE_SIZE = 12  # bytes, ChaCha20-Poly1305
KEY_SIZE = SEED_SIZE
TAG_SIZE = 16  # bytes


class KeyFileInvalid(RegistryError):
    """Not a key file, one of another kind, or not opened by this passphrase."""


@dataclass(frozen=True, slots=True)
class KdfCost:
    """What one guess of a passphrase costs: Argon2id's memory in KiB, passes and lanes, under a name."""

    profile: str
    memory_kib: int
    passes: int
    lanes: int


KDF_STANDARD = KdfCost("standard", 64 * 1024, 3, 4)  # RFC 9106, second recommended option
KDF_TEST = KdfCost("test", 1024, 1, 1)  # for throw-away networks: a guess costs 2 ms
_KDF_MOST = KdfCost("standard", 1024 * 1024, 16, 16)  # what a file may ask of this machine


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A key of one kind with its secret.

    `public` is the Ed25519 or X25519 public key (32 bytes), for kind "transport" the certificate in DER.
    `secret` is the 32-byte seed (Ed25519) or private key (X25519).
    """

    kind: str
    public: bytes
    secret: bytes = field(repr=False)

    @property
    def signing_key(self) -> SigningKey:
        """The key to sign with. Raises `KeyFileInvalid` for a kind that does not sign."""
        if self.kind not in SIGNING_KINDS:
            raise KeyFileInvalid(f"a {self.kind} key does not sign; {', '.join(SIGNING_KINDS)} keys do")
        return SigningKey.from_seed(self.secret)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key file that was read and not yet opened; what it says of itself is unproven until `open`."""

    kind: str
    public: bytes
    cost: KdfCost
    salt: bytes
    nonce: bytes
    sealed: bytes

    def require(self, kind: str) -> None:
        """Return if this is a key of that kind. Raises `KeyFileInvalid`."""
        if self.kind != kind:
            raise KeyFileInvalid(f"holds a {self.kind} key, a {kind} key is needed here: one key has one use")

    def open(self, passphrase: bytes) -> SecretKey:
        """The key. Raises `KeyFileInvalid`; costs one Argon2id derivation."""
        header = _header(self.kind, self.public, self.cost, self.salt, self.nonce)
        try:
            secret = ChaCha20Poly1305(_derive(passphrase, self.salt, self.cost)).decrypt(
                self.nonce, self.sealed, header
            )
        except InvalidTag:
            raise KeyFileInvalid("wrong passphrase, or the file was changed") from None
        if public_of(self.kind, secret) != _public_key(self.kind, self.public):
            raise KeyFileInvalid("the secret does not belong to the public key in the file")
        return SecretKey(self.kind, self.public, secret)


def seal_key(key: SecretKey, passphrase: bytes, *, cost: KdfCost, salt: bytes, nonce: bytes) -> bytes:
    """The file's bytes; `salt` and `nonce` are fresh random bytes. Raises `KeyFileInvalid` for a bad passphrase."""
    if not PASSPHRASE_BYTES_MIN <= len(passphrase) <= PASSPHRASE_BYTES_MAX:
        raise KeyFileInvalid(
            f"a passphrase has {PASSPHRASE_BYTES_MIN} to {PASSPHRASE_BYTES_MAX} bytes: choose another one"
        )
    header = _header(key.kind, key.public, cost, salt, nonce)
    sealed = ChaCha20Poly1305(_derive(passphrase, salt, cost)).encrypt(nonce, key.secret, header)
    content = {
        "format": FORMAT,
        "kind": key.kind,
        "public": key.public.hex(),
        "kdf": {
            "name": "argon2id",
            "profile": cost.profile,
            "memory_kib": cost.memory_kib,
            "passes": cost.passes,
            "lanes": cost.lanes,
        },
        "salt": salt.hex(),
        "nonce": nonce.hex(),
        "sealed": sealed.hex(),
    }
    return json.dumps(content, indent=1).encode() + b"\n"


def read_key_file(data: bytes) -> KeyFile:
    """What is in a key file. Raises `KeyFileInvalid`."""
    if len(data) > FILE_BYTES_MAX:
        raise KeyFileInvalid(f"larger than {FILE_BYTES_MAX} bytes: not a key file")
    try:
        value: Any = json.loads(data)
        if not isinstance(value, dict) or value["format"] != FORMAT or value["kind"] not in KEY_KINDS:
            raise ValueError("not a key file of this version")
        content = KeyFile(
            kind=value["kind"],
            public=bytes.fromhex(value["public"]),
            cost=_cost(value["kdf"]),
            salt=bytes.fromhex(value["salt"]),
            nonce=bytes.fromhex(value["nonce"]),
            sealed=bytes.fromhex(value["sealed"]),
        )
        if (len(content.salt), len(content.nonce), len(content.sealed)) != (SALT_SIZE, NONCE_SIZE, KEY_SIZE + TAG_SIZE):
            raise ValueError("a field has a wrong length")
        if content.kind != "transport" and len(content.public) != KEY_SIZE:
            raise ValueError("the public key has a wrong length")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise KeyFileInvalid(f"not a key file: {type(error).__name__}: {error}: restore it from a copy") from None
    return content


def public_of(kind: str, secret: bytes) -> bytes:
    """The public key (32 bytes) of a secret of this kind."""
    if kind == "receive":
        return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    return SigningKey.from_seed(secret).public_key


def _cost(value: Any) -> KdfCost:
    """The cost a file states, if it is neither weaker than it may be nor more than this machine should spend."""
    if not isinstance(value, dict) or value["name"] != "argon2id":
        raise ValueError("the key derivation is not argon2id")
    cost = KdfCost(value["profile"], value["memory_kib"], value["passes"], value["lanes"])
    numbers = (cost.memory_kib, cost.passes, cost.lanes)
    if cost == KDF_TEST and all(type(number) is int for number in numbers):
        return cost
    least = (KDF_STANDARD.memory_kib, KDF_STANDARD.passes, 1)
    most = (_KDF_MOST.memory_kib, _KDF_MOST.passes, _KDF_MOST.lanes)
    if cost.profile != KDF_STANDARD.profile or any(type(number) is not int for number in numbers):
        raise ValueError("the cost of the key derivation is not known")
    if any(not low <= number <= high for low, number, high in zip(least, numbers, most, strict=True)):
        raise ValueError("the cost of the key derivation is out of bounds")
    return cost


def _header(kind: str, public: bytes, cost: KdfCost, salt: bytes, nonce: bytes) -> bytes:
    """What is authenticated with the secret: everything else in the file."""
    parameters: list[Value] = [cost.profile, cost.memory_kib, cost.passes, cost.lanes]
    return encode([FORMAT, kind, public, "argon2id", parameters, salt, nonce])


def _derive(passphrase: bytes, salt: bytes, cost: KdfCost) -> bytes:
    kdf = Argon2id(salt=salt, length=KEY_SIZE, iterations=cost.passes, lanes=cost.lanes, memory_cost=cost.memory_kib)
    return kdf.derive(passphrase)


def _public_key(kind: str, public: bytes) -> bytes:
    if kind != "transport":
        return public
    try:
        return transport_public_key(public)
    except FieldError as error:
        raise KeyFileInvalid(str(error)) from error
