"""TLS 1.3 with mutual authentication. Who may speak is what the ledger says: no certificate authority, no host names.

Every node has a self-signed certificate whose key is Ed25519; the ledger holds all of them, at first those of genesis.
They are the whole trust store, on both sides, and each stands for itself: two of them may have the same name, or the
same key. After the handshake the exact certificate (byte for byte) is looked up among those of the height.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import ssl
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from node.certificates import certificate_key
from node.errors import KeyFileError
from node.network.errors import HandshakeError

__all__ = ["Contexts", "Credentials", "build_contexts"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """A node's own certificate (DER, as on the ledger) and the seed of its Ed25519 key (32 bytes, secret)."""

    certificate: bytes
    seed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Contexts:
    """The TLS settings for connections that others open to us, and that we open."""

    server: ssl.SSLContext
    client: ssl.SSLContext


def build_contexts(credentials: Credentials, trusted: Iterable[bytes]) -> Contexts:
    """TLS settings that trust exactly the `trusted` certificates (DER). Raises `HandshakeError` if its own is none."""
    key = Ed25519PrivateKey.from_private_bytes(credentials.seed)
    try:
        public_key = certificate_key(credentials.certificate)
    except KeyFileError as error:
        raise HandshakeError(str(error)) from error
    if key.public_key().public_bytes_raw() != public_key:
        raise HandshakeError("the transport key does not belong to the transport certificate")
    anchors = tuple(trusted)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False  # the certificate itself is compared, names mean nothing here
    server.num_tickets = 0  # no resumption: every connection shows its certificate
    for context in (server, client):
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.verify_mode = ssl.CERT_REQUIRED
        # Trust the certificate itself: without this OpenSSL looks for its issuer by name, and finds a namesake's.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        _load_own(context, credentials.certificate, key)
        for anchor in anchors:
            with contextlib.suppress(ssl.SSLError):  # one that is no certificate lets nobody in, and harms no other
                context.load_verify_locations(cadata=anchor)
    return Contexts(server, client)


def _load_own(context: ssl.SSLContext, certificate: bytes, key: Ed25519PrivateKey) -> None:
    """Give the context its key. `ssl` reads keys from files only: this one lives for a moment, encrypted, mode 0600."""
    password = secrets.token_bytes(32).hex()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password.encode()))
    descriptor, name = tempfile.mkstemp(prefix="nemodat-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem + ssl.DER_cert_to_PEM_cert(certificate).encode())
        context.load_cert_chain(name, password=password)
    finally:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
