"""Reads of records, each proved against the state root of a recent final block (`Session.fresh`; `Stale` if it is old).

That there is a record is proved; that there is none, or none that the caller may see, is the node's word.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast
from urllib.parse import quote

from clients.errors import ClientError, ProofInvalid, RequestFailed, Stale
from clients.exchange import Call, Procedure, get
from clients.recent import recent
from clients.session import Session
from clients.submission import Submission
from clients.verify import Final
from consensus.blocks import Header
from registry import state
from registry.certificates import SearchCertificate
from registry.codec import decode
from registry.errors import RegistryError
from registry.limits import VALIDITY_MAX_MS
from registry.parties import Party
from registry.records import Claim, Receivable, decode_record
from registry.records.families import Shared, family_of
from registry.records.row import Identified
from registry.transactions.envelope import open_transaction

__all__ = [
    "all_claims",
    "certificate",
    "claim",
    "claims",
    "header",
    "lapsed",
    "own_claims",
    "own_receivables",
    "own_records",
    "party",
    "party_named",
    "receivable",
    "record",
    "transaction",
]

T = TypeVar("T")
R = TypeVar("R", bound=Identified)
S = TypeVar("S", bound=Shared)
_ID = re.compile("[0-9a-f]{64}")


def receivable(session: Session, receivable: bytes) -> Procedure[Receivable | None]:
    """The proved record, or None."""
    return (yield from _receivable(session, receivable))


def claim(session: Session, claim: bytes) -> Procedure[Claim | None]:
    """The proved record, or None."""
    return (
        yield from _record(session, f"/v1/claims/{claim.hex()}", state.claim_key(claim), partial(decode_record, Claim))
    )


def party(session: Session, party: str) -> Procedure[Party | None]:
    """The proved record, or None."""
    return (yield from _record(session, f"/v1/parties/{quote(party, safe=':')}", state.party_key(party), _party))


def party_named(session: Session, identifier: str) -> Procedure[str | None]:
    """The id of the party that has this identifier, or None; both are proved."""
    read = partial(_decoded, session, state.alias_key(identifier), read=_text)
    return (yield from recent(Call("GET", f"/v1/aliases/{quote(identifier, safe=':')}"), read))


def claims(session: Session, receivable: bytes) -> Procedure[tuple[Claim, ...]]:
    """The claims ever offered on a receivable that the caller may see, each proved."""
    read = partial(_listed, session, name="claims", key=state.claim_key, read=partial(decode_record, Claim))
    found, _ = yield from recent(Call("GET", f"/v1/receivables/{receivable.hex()}/claims"), read)
    for claim in found:
        if claim.receivable != receivable:
            raise ProofInvalid(f"claims: {claim.id.hex()} is on another receivable")
    return found


def all_claims(session: Session, receivable: bytes) -> Procedure[tuple[Claim, ...]]:
    """Every claim ever offered on a receivable, each proved, and proved to be all; for who may see them all.

    Raises `ClientError` if there is no such receivable.
    """
    record = yield from _receivable(session, receivable)
    if record is None:
        raise ClientError(f"{receivable.hex()}: no such receivable, or none that this party may see")
    found = yield from claims(session, receivable)
    missing = set(record.claims) - {claim.id for claim in found}
    if missing:
        raise ProofInvalid(f"claims: {min(missing).hex()} is kept back")
    return found


def own_claims(session: Session) -> Procedure[tuple[Claim, ...]]:
    """The claims that the caller assigned, was offered, is import factor of, or ever held, each proved, by id."""
    found = yield from _own(session, "/v1/claims", "claims", Claim)
    for record in found:
        if session.party not in (record.assignor, record.holder, record.import_factor, *record.holders):
            raise ProofInvalid(f"claims: {record.id.hex()} is other parties'")
    return found


def own_receivables(session: Session) -> Procedure[tuple[Receivable, ...]]:
    """The caller's own receivables (registered by it, or answered by it as debtor), each proved, by id."""
    found = yield from _own(session, "/v1/receivables", "receivables", Receivable)
    for record in found:
        if session.party not in (record.registrant, record.debtor):
            raise ProofInvalid(f"receivables: {record.id.hex()} is another party's")
    return found


def record(session: Session, kind: type[S], subject: bytes) -> Procedure[S | None]:
    """The proved record of a family (`registry.records.families`), or None."""
    path = f"/v1/records/{family_of(kind)}/{subject.hex()}"
    return (yield from _record(session, path, kind.PREFIX + subject, partial(decode_record, kind)))


def own_records(session: Session, kind: type[S], of: str = "me") -> Procedure[tuple[S, ...]]:
    """The caller's own records of a family, each proved, by id; a regulator may name another party."""
    return (yield from _own(session, f"/v1/records/{family_of(kind)}", "records", kind, of))


def transaction(session: Session, transaction_id: bytes, operations: int) -> Procedure[Final | None]:
    """The verified receipts, or None while it is not final."""
    answer = yield from get(f"/v1/transactions/{transaction_id.hex()}")
    if answer.get("status") != "final":
        return None
    return session.trust.receipts(transaction_id, operations, answer)


def header(session: Session, height: int | None) -> Procedure[Header]:
    """The final header at `height`, or the latest one, verified. Raises `Stale` if the latest one is old."""
    if height is None:
        return (yield from recent(Call("GET", "/v1/blocks/latest"), partial(_newest, session)))
    answer = yield from get(f"/v1/blocks/{height}")  # and only then what is believed: it may have grown meanwhile
    found = session.trust.header(answer)
    if found.height != height:
        raise ProofInvalid("height: the answer is another block")
    return found


def lapsed(session: Session, submission: Submission) -> Procedure[bool]:
    """Whether it can never take effect any more, because its time is over.

    A final block later than its expiry proves that no later one has it; that no earlier one had it is the word of the
    node that shows that block, if it knows the transactions of all blocks in which it could stand. Raises `Stale` if no
    node that can be reached is recent and does.
    """
    call = Call("GET", f"/v1/transactions/{submission.transaction_id.hex()}")
    return (yield from recent(call, partial(_lapsed, session, submission)))


def certificate(session: Session, number: str) -> Procedure[SearchCertificate | None]:
    """An issued certificate, verified; None if this node issued none of that number to the caller."""
    try:
        answer = yield from get(f"/v1/certificates/{quote(number, safe='')}")
    except RequestFailed as problem:
        if problem.status == 404:
            return None
        raise
    checked = session.trust.search_certificate(answer)
    if checked.number != number:
        raise ProofInvalid("number: the answer is another certificate")
    return checked


def _party(data: bytes) -> Party:
    return Party.decode(decode(data))


def _text(data: bytes) -> str:
    return cast("str", decode(data))


def _receivable(session: Session, receivable: bytes) -> Procedure[Receivable | None]:
    key = state.receivable_key(receivable)
    return (yield from _record(session, f"/v1/receivables/{receivable.hex()}", key, partial(decode_record, Receivable)))


def _record(session: Session, path: str, key: bytes, read: Callable[[bytes], T]) -> Procedure[T | None]:
    try:
        return (yield from recent(Call("GET", path), partial(_decoded, session, key, read=read)))
    except RequestFailed as problem:
        if problem.status == 404:
            return None
        raise


def _newest(session: Session, answer: Any) -> Header:
    found = session.trust.header(answer)
    session.fresh(found.timestamp_ms)
    return found


def _lapsed(session: Session, submission: Submission, answer: Any) -> bool:
    """What one node's answer about a transaction says of it, as of the newest block that it shows with it."""
    status = answer.get("status") if isinstance(answer, dict) else None
    if status == "final":
        session.trust.receipts(submission.transaction_id, submission.operations, answer)
    if status != "unknown":
        return False
    if "header" not in answer:
        raise Stale("it may have taken effect in a block that the nodes that can be reached do not have yet")
    newest = _newest(session, answer)
    until_ms = open_transaction(submission.wire, session.genesis.id).valid_until_ms
    since_ms = answer.get("known_since_ms")
    if type(since_ms) is not int or since_ms < 0:
        raise ProofInvalid("known_since_ms: a time is expected")
    if newest.timestamp_ms <= until_ms:
        return False
    if since_ms > until_ms - VALIDITY_MAX_MS:
        raise Stale("it may have taken effect before the nodes that can be reached began: ask an archive")
    return True


def _own(session: Session, path: str, name: str, kind: type[R], of: str = "me") -> Procedure[tuple[R, ...]]:
    """All pages of a list of the caller's own records, or those of the party `of`."""
    found: list[R] = []
    after = ""
    read = partial(
        _listed,
        session,
        name=name,
        key=lambda subject: kind.PREFIX + subject,
        read=partial(decode_record, kind),
    )
    while True:
        page = Call("GET", f"{path}?party={quote(of, safe=':')}" + (f"&after={after}" if after else ""))
        records, following = yield from recent(page, read)
        found += records
        if following is None:
            return tuple(found)
        if not isinstance(following, str) or not _ID.fullmatch(following) or following <= after:
            raise ProofInvalid("next: the id where the list goes on is expected")
        after = following


def _listed(
    session: Session, answer: Any, *, name: str, key: Callable[[bytes], bytes], read: Callable[[bytes], T]
) -> tuple[tuple[T, ...], object]:
    """The records of one answer, each proved, and where it says that the list goes on."""
    items = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(items, list):
        raise ProofInvalid(f"{name}: a list is expected")
    found = []
    for item in items:
        try:
            subject = bytes.fromhex(item["record"]["id"])
        except (TypeError, KeyError, ValueError) as error:
            raise ProofInvalid(f"{name}: records with an id are expected") from error
        value = _decoded(session, key(subject), item, read=read)
        if value is None:
            raise ProofInvalid(f"{name}: {subject.hex()} is listed and proved absent")
        found.append(value)
    return tuple(found), answer.get("next")


def _decoded(session: Session, key: bytes, answer: Any, *, read: Callable[[bytes], T]) -> T | None:
    if not isinstance(answer, dict) or not isinstance(answer.get("proof"), dict):
        raise ProofInvalid("the answer carries no proof")
    proved = session.proved(key, answer["proof"])
    try:
        return None if proved.value is None else read(proved.value)
    except RegistryError as error:
        raise ProofInvalid(f"the proved value is not a record: {error}") from error
