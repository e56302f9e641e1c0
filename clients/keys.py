"""Opening a participant's key file."""

from __future__ import annotations

from pathlib import Path

from clients.errors import ClientError
from registry.keyfile import FILE_BYTES_MAX, KeyFileInvalid, read_key_file
from registry.keys import SigningKey

__all__ = ["load_signing_key"]


def load_signing_key(path: Path, passphrase: bytes, *, use: str = "sign") -> SigningKey:
    """The key for `use` ("sign" or "owner") in a file of `nemodat key new`. Raises `ClientError` naming the file."""
    try:
        with path.open("rb") as file:
            found = read_key_file(file.read(FILE_BYTES_MAX + 1))
        found.require(use)
        return found.open(passphrase).signing_key
    except OSError as error:
        raise ClientError(f"{path}: {error.strerror}: make a key with `nemodat key new {path}`") from error
    except KeyFileInvalid as error:
        raise ClientError(f"{path}: {error}") from error
