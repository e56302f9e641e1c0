"""Key files on disk: made, written and opened. Their content is `registry.keyfile`'s.

Files are written with mode 0600, synced, and put in place whole or not at all, never over another file.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from node.certificates import make_certificate
from node.errors import KeyFileError
from node.store.folder import sync_folder
from registry.keyfile import (
    FILE_BYTES_MAX,
    KDF_STANDARD,
    KDF_TEST,
    KEY_KINDS,
    NONCE_SIZE,
    SALT_SIZE,
    SIGNING_KINDS,
    KdfCost,
    KeyFile,
    KeyFileInvalid,
    SecretKey,
    public_of,
    read_key_file,
    seal_key,
)
from registry.keys import SEED_SIZE

__all__ = [
    "KDF_STANDARD",
    "KDF_TEST",
    "KEY_KINDS",
    "SIGNING_KINDS",
    "KdfCost",
    "SecretKey",
    "describe",
    "generate_key",
    "generate_transport_key",
    "load_key",
    "read_public",
    "save_key",
]


def generate_key(kind: str) -> SecretKey:
    """A new random key of any kind but "transport". Raises `KeyFileError` for another."""
    if kind == "transport" or kind not in KEY_KINDS:
        raise KeyFileError(f"cannot make a {kind!r} key here: one of {', '.join((*SIGNING_KINDS, 'receive'))}")
    secret = secrets.token_bytes(SEED_SIZE)
    return SecretKey(kind, public_of(kind, secret), secret)


def generate_transport_key(name: str) -> SecretKey:
    """A new key for connections, with a self-signed certificate whose common name is `name` (1 to 64 characters)."""
    secret = secrets.token_bytes(SEED_SIZE)
    return SecretKey("transport", make_certificate(secret, name), secret)


def save_key(path: Path, key: SecretKey, passphrase: bytes, *, cost: KdfCost = KDF_STANDARD) -> None:
    """Write a new key file. Raises `KeyFileError` if it exists (keys are never overwritten) or cannot be written."""
    salt, nonce = secrets.token_bytes(SALT_SIZE), secrets.token_bytes(NONCE_SIZE)
    try:
        data = seal_key(key, passphrase, cost=cost, salt=salt, nonce=nonce)
    except KeyFileInvalid as error:
        raise KeyFileError(f"{path}: {error}") from None
    _write_new(path, data)


def load_key(path: Path, passphrase: bytes, *, kind: str) -> SecretKey:
    """The key in a file, which must be of this kind. Raises `KeyFileError`; costs one Argon2id derivation."""
    try:
        return _read(path, kind).open(passphrase)
    except KeyFileInvalid as error:
        raise KeyFileError(f"{path}: {error}") from None


def read_public(path: Path, *, kind: str) -> bytes:
    """The public half of a key file of this kind (the certificate for "transport"), without a passphrase.

    It is unproven until the file is opened with its passphrase. Raises `KeyFileError`.
    """
    return _read(path, kind).public


def describe(path: Path) -> tuple[str, bytes]:
    """The kind of a key file and its public half, both unproven. Raises `KeyFileError`."""
    found = _parsed(path)
    return found.kind, found.public


def _read(path: Path, kind: str) -> KeyFile:
    found = _parsed(path)
    try:
        found.require(kind)
    except KeyFileInvalid as error:
        raise KeyFileError(f"{path}: {error}") from None
    return found


def _parsed(path: Path) -> KeyFile:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        raise KeyFileError(f"{path}: no such file: create it with `nemodat node init`") from None
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}: check its owner and mode") from error
    try:
        return read_key_file(data)
    except KeyFileInvalid as error:
        raise KeyFileError(f"{path}: {error}") from None


def _write_new(path: Path, data: bytes) -> None:
    """All of the file or none of it, readable by its owner only, durable when this returns; never over another."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise KeyFileError(f"{path.parent}: {error.strerror}: choose a folder this user may write to") from error
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.link(partial, path)  # fails if the name is taken, unlike a rename
        finally:
            partial.unlink()
        sync_folder(path.parent)
    except FileExistsError:
        raise KeyFileError(f"{path}: exists already, and a key is never overwritten: move it away first") from None
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}: choose a folder this user may write to") from error
