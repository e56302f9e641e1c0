"""The certificates nodes show each other: self-signed, Ed25519, pinned whole in genesis or by governance.

Names, issuers and dates in them carry no trust, so they are fixed: valid from 2020 until "no end" (RFC 5280, 4.1.2.5).
"""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from node.errors import KeyFileError
from registry.errors import FieldError
from registry.genesis import transport_public_key

__all__ = ["CERTIFICATE_BYTES_MAX", "certificate_key", "make_certificate"]

CERTIFICATE_BYTES_MAX = 2048
NAME_CHARS_MAX = 64  # characters of a common name (RFC 5280, ub-common-name)
VALID_FROM = datetime(2020, 1, 1, tzinfo=UTC)
VALID_UNTIL = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def make_certificate(seed: bytes, name: str) -> bytes:
    """A self-signed certificate (DER) for the Ed25519 key of this 32-byte seed, common name `name`.

    Raises `KeyFileError` unless the name has 1 to 64 characters.
    """
    if not 0 < len(name) <= NAME_CHARS_MAX:
        raise KeyFileError(f"the name of a certificate has 1 to {NAME_CHARS_MAX} characters, not {len(name)}")
    key = Ed25519PrivateKey.from_private_bytes(seed)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(VALID_FROM)
        .not_valid_after(VALID_UNTIL)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, algorithm=None)
    )
    return certificate.public_bytes(Encoding.DER)


def certificate_key(certificate: bytes) -> bytes:
    """The Ed25519 public key (32 bytes) in a certificate (DER) that it signed. Raises `KeyFileError` for others."""
    if len(certificate) > CERTIFICATE_BYTES_MAX:
        raise KeyFileError(f"a transport certificate has at most {CERTIFICATE_BYTES_MAX} bytes")
    try:
        return transport_public_key(certificate)
    except FieldError as error:
        raise KeyFileError(f"not a transport certificate: {error.reason}") from error
