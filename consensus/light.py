"""What a client checks before it believes a block: one page, to be read by an auditor.

A block is final if, and only if, a quorum of the authorities of its height signed FINALIZE for its hash. Whoever has
the genesis (chain id and authorities) can check that with nothing else at hand.
"""

from __future__ import annotations

from consensus.authorities import AuthoritySet
from consensus.blocks import Header
from consensus.errors import CertificateError
from consensus.messages import Decided
from consensus.votes import Certificate, Kind, Verifier
from registry.keys import verify

__all__ = ["verify_decided", "verify_header"]


def verify_header(
    genesis_id: bytes,
    authorities: AuthoritySet,
    header: Header,
    certificate: Certificate,
    verifier: Verifier = verify,
) -> None:
    """Return if `certificate` makes `header` final under `authorities`. Raises `CertificateError` saying what fails.

    `authorities` is the set in force at the header's height: the genesis set, as long as sets do not change.
    """
    if header.genesis_id != genesis_id:
        raise CertificateError("genesis_id: the header is of another chain")
    if header.authorities != authorities.digest:
        raise CertificateError("authorities: the header names another set")
    if certificate.kind is not Kind.FINALIZE:
        raise CertificateError("kind: only a FINALIZE certificate makes a block final")
    if certificate.block != header.hash:
        raise CertificateError("block: the certificate is for another block")
    if certificate.height != header.height:
        raise CertificateError("height: the certificate is for another height")
    certificate.verify(genesis_id, authorities, verifier)


def verify_decided(genesis_id: bytes, authorities: AuthoritySet, decided: Decided, verifier: Verifier = verify) -> None:
    """Return if `decided` is a final block under `authorities`. Raises `CertificateError`.

    That its parent is the block below, and that executing it gives its roots, is for the caller to check; that the
    transactions are the header's was checked when the block was decoded.
    """
    verify_header(genesis_id, authorities, decided.block.header, decided.certificate, verifier)
