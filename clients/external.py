"""Claims outside this ledger: record what another register or a document says of a receivable, end it, look at it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from clients import reads
from clients.aliases import canonical
from clients.dossier import Dossier
from clients.errors import ClientError, ProofInvalid
from clients.exchange import Procedure, get
from clients.external_documents import Stated, government_fingerprint
from clients.session import Session, accepted, submit
from registry.documents import Invoice
from registry.fingerprint import LEVELS, register_fingerprints
from registry.receipts import Receipt
from registry.records.external_claims import ExternalClaim, ExternalClaims
from registry.transactions.external_claims import EndExternalClaim, RecordExternalClaim, Shown

__all__ = [
    "ToLookAt",
    "end",
    "of_receivable",
    "record",
    "record_stated",
    "shown_by_document",
    "shown_by_dossier",
    "to_look_at",
]

_ID = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToLookAt:
    """A claim outside that funding must acknowledge, on `receivable`: the one asked about, or one of its lineage.

    Fields as in `registry.records.external_claims.ExternalClaim`. Whose it is, is in the record (`reads.record`), for
    those who may see that receivable.
    """

    id: bytes
    receivable: bytes
    source: str
    share: int
    grade: str
    capacity: str
    concluded_ms: int
    entered_ms: int
    recorded_ms: int


def record(session: Session, operation: RecordExternalClaim) -> Procedure[Receipt]:
    """Record a claim outside; its id is the receipt's subject. Raises `Refused` (`already_done`, say)."""
    return accepted((yield from submit(session, [operation])))


def record_stated(
    session: Session,
    receivable: bytes,
    stated: Iterable[Stated],
    *,
    shown: Shown = (),
    grade: str = "document",
    entered_ms: int = 0,
) -> Procedure[tuple[Receipt, ...]]:
    """Record what a document states (`external_documents.stated_in`): a receipt for each, refusals included.

    An assignee that is a member is named, others are committed to. Done twice, each is refused as `already_done`.
    """
    operations = []
    for one in stated:
        operations.append(
            RecordExternalClaim(
                receivable=receivable,
                shown=shown,
                source=one.source,
                reference=one.reference,
                assignee=(yield from _member(session, one.identifiers)) or one.commitment,
                share=one.share,
                concluded_ms=one.concluded_ms,
                entered_ms=entered_ms,
                grade=grade,
            )
        )
    if not operations:
        raise ClientError("nothing outside is stated, so there is nothing to record")
    return (yield from submit(session, operations)).receipts


def end(session: Session, external_claim: bytes, *, ground: str, evidence: bytes) -> Procedure[Receipt]:
    """Say that it is over, on a ground of `END_GROUNDS`; `evidence` is a digest of what shows it. Raises `Refused`."""
    operation = EndExternalClaim(external_claim=external_claim, ground=ground, evidence_digest=evidence)
    return accepted((yield from submit(session, [operation])))


def of_receivable(session: Session, receivable: bytes) -> Procedure[tuple[ExternalClaim, ...]]:
    """The claims outside that stand on a receivable, oldest first, each proved, and proved to be all there are.

    That there is none at all is the node's word. Raises `ClientError` if one is not shown.
    """
    listed = yield from reads.record(session, ExternalClaims, receivable)
    found: list[ExternalClaim] = []
    for subject in () if listed is None else listed.standing:
        claim = yield from reads.record(session, ExternalClaim, subject)
        if claim is None or claim.receivable != receivable:
            raise ClientError(f"{subject.hex()}: an external claim of the receivable that this node does not show")
        found.append(claim)
    return tuple(found)


def to_look_at(session: Session, receivable: bytes) -> Procedure[tuple[ToLookAt, ...]]:
    """The claims outside that must be acknowledged when funding a claim on `receivable`, its lineage included.

    It is the node's word: whether anything is left out, the funding shows, which is refused then. Raises
    `RequestFailed` if there is no such receivable, or none that this party may see.
    """
    answer = yield from get(f"/v1/receivables/{receivable.hex()}/matches")
    found = answer.get("external_claims")
    if not isinstance(found, list):
        raise ProofInvalid("external_claims: a list is expected")
    return tuple([_to_look_at(item) for item in found])


def shown_by_dossier(session: Session, dossier: Dossier) -> Procedure[Shown]:
    """What shows standing with a dossier: the debtor opens its commitment, who searches has the fingerprint."""
    particulars = dossier.particulars
    if session.party in (particulars.debtor, (yield from reads.party_named(session, particulars.debtor))):
        return ("debtor", dossier.debtor_salt, particulars.debtor)
    (known,) = yield from canonical(session, [particulars])
    prints = register_fingerprints(session.genesis.fingerprint_key, known)
    for kind, value in prints:
        if LEVELS[kind] == "block":
            return ("fingerprint", kind, value)
    raise ClientError("dossier: nothing in it is certain enough to show that it is this receivable")


def shown_by_document(session: Session, receivable: bytes, invoice: Invoice) -> Procedure[Shown]:
    """What shows standing with a document: nothing more for who sees the receivable, else its government id.

    Raises `ClientError` if the receivable is another invoice's, or nothing says that it is this one.
    """
    value = government_fingerprint(session.genesis.fingerprint_key, invoice)
    seen = yield from reads.receivable(session, receivable)
    if seen is not None:
        known = {found for kind, found in seen.fingerprints if kind == "gov"}
        if known and value is not None and value not in known:
            raise ClientError(f"{invoice.file}: is about another invoice than this receivable")
        return ()
    if value is None:
        raise ClientError(f"{invoice.file}: has no government id, which alone would show that it is this receivable")
    return ("fingerprint", "gov", value)


def _member(session: Session, identifiers: Iterable[str]) -> Procedure[str]:
    """The id of the party on the ledger that has one of these identifiers, "" if there is none."""
    for identifier in identifiers:
        if not identifier.startswith("name:"):
            party = yield from reads.party_named(session, identifier)
            if party is not None:
                return party
    return ""


def _to_look_at(item: Any) -> ToLookAt:
    try:
        made = ToLookAt(
            id=bytes.fromhex(item["id"]) if _ID.fullmatch(item["id"]) else b"",
            receivable=bytes.fromhex(item["receivable"]) if _ID.fullmatch(item["receivable"]) else b"",
            source=item["source"],
            share=item["share"],
            grade=item["grade"],
            capacity=item["capacity"],
            concluded_ms=item["concluded_ms"],
            entered_ms=item["entered_ms"],
            recorded_ms=item["recorded_ms"],
        )
    except (TypeError, KeyError) as error:
        raise ProofInvalid(f"external_claims: not of the form that is expected: {error}") from error
    if not made.id or not made.receivable or not all(isinstance(made_ms, int) for made_ms in _times(made)):
        raise ProofInvalid("external_claims: ids and times are expected")
    return made


def _times(found: ToLookAt) -> tuple[Any, ...]:
    return (found.share, found.concluded_ms, found.entered_ms, found.recorded_ms)
