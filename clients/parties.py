"""Procedures about parties: their keys, what is vouched for about them, and changes that authorities propose."""

from __future__ import annotations

import time

from clients import reads
from clients.errors import ClientError
from clients.exchange import Procedure
from clients.session import Session, accepted, compose, send, submit
from registry.errors import FieldError
from registry.identifiers import check_identifier
from registry.keys import Signer
from registry.lei import LeiRecord, draft_attestation
from registry.receipts import Receipt
from registry.records.attestations import Attestation
from registry.transactions.attestations import Attest, WithdrawAttestation
from registry.transactions.governance import Amend, Change, Propose
from registry.transactions.operations import Operation
from registry.transactions.parties import AddKey, Recover, RevokeKey, SetHome, SetReceiveKey

__all__ = [
    "add_key",
    "attest",
    "attest_lei",
    "attestations",
    "propose_change",
    "recover",
    "revoke_key",
    "set_home",
    "set_receive_key",
    "withdraw_attestation",
]


def add_key(session: Session, key: bytes, *, proof: bytes) -> Procedure[Receipt]:
    """The session's party signs with this Ed25519 public key too, from the next height. Raises `Refused`.

    `proof` is the new key's own (`registry.keys.prove_possession`, "add_key"), made where its secret is.
    """
    return (yield from _done(session, AddKey(key, proof)))


def revoke_key(session: Session, key: bytes) -> Procedure[Receipt]:
    """The session's party no longer signs with this key, from the next height, for good. Raises `Refused`.

    Raises `ClientError` for the session's own key: with a revoked key the outcome could not be asked for.
    """
    if key == session.signer.public_key:
        raise ClientError("this key signs the revocation: sign with another live key of the party")
    return (yield from _done(session, RevokeKey(key)))


def set_receive_key(session: Session, key: bytes) -> Procedure[Receipt]:
    """Documents for the session's party are encrypted under this X25519 public key. Raises `Refused`."""
    return (yield from _done(session, SetReceiveKey(key)))


def set_home(session: Session, home: str) -> Procedure[Receipt]:
    """Documents for the session's party go to the node at this URL. Raises `Refused`."""
    return (yield from _done(session, SetHome(home)))


def recover(
    session: Session,
    owner: Signer,
    sign_keys: tuple[bytes, ...],
    *,
    proofs: tuple[bytes, ...],
    receive_key: bytes = b"",
) -> Procedure[Receipt]:
    """Replace all signing keys of the party whose owner key this is. Raises `Refused`, `Rejected`.

    `proofs` are the new keys' own, in their order (`registry.keys.prove_possession`, "recover").

    The session is any member's that carries the transaction to a node, since who has lost its signing keys can sign
    no request; it signs nothing of the transaction itself.
    """
    operation = Recover(sign_keys, (receive_key,) if receive_key else (), proofs)
    made = compose(session.genesis, [operation], signers=[owner.public_key])
    sealed = made.sealed(session.genesis, {owner.public_key: made.sign(session.genesis, owner)})
    return accepted((yield from send(session, sealed)))


def propose_change(session: Session, change: Change) -> Procedure[bytes]:
    """As an authority: propose a change, which approves it too; the proposal's id. Raises `Refused`, `FieldError`.

    New identifiers are vetted first with all that libraries know of them: the other authorities will rely on it.
    """
    if isinstance(change, Amend):
        for index, identifier in enumerate(change.identifiers):
            scheme, _, value = identifier.partition(":")
            if problem := check_identifier(scheme, value):
                raise FieldError(f"identifiers[{index}]", problem)
    return (yield from _done(session, Propose(change))).subject


def attest(session: Session, attestation: Attest) -> Procedure[Receipt]:
    """As a financier or an authority: vouch for another party; the subject is the attestation. Raises `Refused`."""
    return (yield from _done(session, attestation))


def attest_lei(session: Session, party: str, record: LeiRecord, *, expires_ms: int = 0) -> Procedure[Attest]:
    """Vouch that this LEI is the party's and what GLEIF says of it; what was attested, with its warning.

    Ends at the LEI's next renewal unless `expires_ms` is given. Raises `ClientError` if the party has not this LEI, or
    if there is no end ahead, and `Refused`.
    """
    found = yield from reads.party(session, party)
    if found is None:
        raise ClientError(f"{party}: no such party")
    if f"lei:{record.lei}" not in found.identifiers:
        raise ClientError(f"{party}: has not the LEI {record.lei}; its identifiers: {', '.join(found.identifiers)}")
    now_ms = time.time_ns() // 1_000_000
    drafted = draft_attestation(record, party=found.id, now_ms=now_ms, expires_ms=expires_ms)
    if drafted.expires_ms <= now_ms:
        raise ClientError(f"{record.lei}: no renewal of it lies ahead: say until when the attestation shall count")
    yield from _done(session, drafted)
    return drafted


def withdraw_attestation(session: Session, attestation: bytes) -> Procedure[Receipt]:
    """As its author: no longer vouch for it. Raises `Refused`."""
    return (yield from _done(session, WithdrawAttestation(attestation)))


def attestations(session: Session, party: str) -> Procedure[tuple[Attestation, ...]]:
    """The attestations of a party that count, each proved, oldest first; the party's proved record says which.

    Raises `ClientError` if there is no such party, or if the node keeps one of them back.
    """
    found = yield from reads.party(session, party)
    if found is None:
        raise ClientError(f"{party}: no such party")
    records = []
    for entry in found.attestations:
        record = yield from reads.record(session, Attestation, entry.attestation)
        if record is None:
            raise ClientError(f"attestation {entry.attestation.hex()}: the node keeps it back")
        records.append(record)
    return tuple(records)


def _done(session: Session, operation: Operation) -> Procedure[Receipt]:
    return accepted((yield from submit(session, [operation])))
