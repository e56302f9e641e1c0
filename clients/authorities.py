"""Procedures about who decides: the authorities in force, and the changes of them that authorities propose."""

from __future__ import annotations

from clients import reads
from clients.changes import catch_up
from clients.errors import ProofInvalid
from clients.exchange import Procedure
from clients.session import Session
from consensus.authorities import AuthoritySet
from consensus.light import in_force as authorities_at
from registry.errors import FieldError
from registry.genesis import transport_public_key

__all__ = ["consensus_key_of", "in_force", "is_usable"]


def is_usable(certificate: bytes) -> bool:
    """Whether nodes can let somebody in by this certificate: the ledger does not parse it, people look at it."""
    try:
        transport_public_key(certificate)
    except FieldError:
        return False
    return True


def in_force(session: Session) -> Procedure[tuple[int, AuthoritySet]]:
    """The height after the newest, and the authorities that will make its block final, proved from genesis."""
    header = yield from reads.header(session, None)
    if header.next_authorities != header.authorities:
        yield from catch_up(session)
    coming = authorities_at(session.trust.reigns, header.height + 1)
    if coming.digest != header.next_authorities:
        raise ProofInvalid("changes: the newest header names a set that they do not lead to")
    return header.height + 1, coming


def consensus_key_of(session: Session, party: str) -> Procedure[bytes]:
    """The consensus key with which a party votes on the next block, proved from genesis; b"" if it is no authority."""
    _, members = yield from in_force(session)
    return next((member.public_key for member in members if member.name == party), b"")
