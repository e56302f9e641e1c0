"""An audit pack held against genesis, offline: every record, transaction and file in it, and that nothing is kept back.

What a record that is proved here names (its claims, the links of its lineage, the notices of a claim) is in the pack,
or the pack says why not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from clients.dossier import Dossier
from clients.errors import ClientError, ProofInvalid
from clients.history import verify_ancestor
from clients.pack_files import Entry, Pack, entry_of, object_of, plain_record, written
from clients.verify import Final as Finished
from clients.verify import Trust
from consensus.blocks import Header
from registry.certificates import CHANGES_MAX
from registry.codec import DIGEST_SIZE
from registry.errors import RegistryError
from registry.records import Claim, Dispute, Link, Receivable, decode_record
from registry.records.credit_notes import CreditNote
from registry.records.external_claims import ExternalClaim, ExternalClaims
from registry.records.facilities import CarveOut
from registry.records.filings import Filed, Filing
from registry.records.notices import Notice, Notified
from registry.records.row import Identified

__all__ = [
    "RECORDS",
    "Checked",
    "Kind",
    "Row",
    "ancestry_member",
    "check_pack",
    "matching",
    "named_by",
    "record_member",
    "touched",
    "transaction_member",
]

Named = Iterable[tuple[str, bytes]]


class Kind(NamedTuple):
    """Records of one kind in a pack: their class, where nodes have them, and what they name that belongs in it too."""

    record: type[Identified]
    path: str
    names: Callable[[Any], Named] = lambda _: ()


class Row(NamedTuple):
    """What one entry proves, for people: `said` is a state, or what became of a transaction's operations."""

    kind: str
    id: bytes
    height: int
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A pack that holds: what is proved, the block up to which, and that block's time (ms UTC)."""

    rows: tuple[Row, ...]
    height: int
    timestamp_ms: int


def _linked(kind: str, links: Iterable[Link]) -> Named:
    return [(kind, link.receivable) for link in links]


def _of_receivable(record: Receivable) -> Named:
    around = [*_linked("ancestor", record.parents), *_linked("descendant", record.children)]
    claims = [("claim", claim) for claim in record.claims]
    return [*around, *claims, *(("dispute", one) for one in record.disputes), ("external_claims_of", record.id)]


# Whoever is an ancestor's descendant in another branch is no lineage of the receivable, so each goes its own way only.
RECORDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "receivable": Kind(Receivable, "receivables", _of_receivable),
        "ancestor": Kind(Receivable, "receivables", lambda one: _linked("ancestor", one.parents)),
        "descendant": Kind(Receivable, "receivables", lambda one: _linked("descendant", one.children)),
        "claim": Kind(Claim, "claims", lambda one: [("notified", one.id), ("filed", one.id)]),
        "notified": Kind(Notified, "records/notified", lambda one: [("notice", notice) for notice in one.notices]),
        "notice": Kind(Notice, "records/notices"),
        "filed": Kind(Filed, "records/filed", lambda one: [("filing", filing) for filing in one.filings]),
        "filing": Kind(Filing, "records/filings"),
        "dispute": Kind(Dispute, "records/disputes"),
        "external_claims_of": Kind(
            ExternalClaims,
            "records/external_claims_of",
            lambda one: [("external_claim", each) for each, *_ in one.claims],
        ),
        "external_claim": Kind(ExternalClaim, "records/external_claims"),
        "credit_note": Kind(CreditNote, "records/credit_notes"),
        "carve_out": Kind(CarveOut, "records/carve_outs"),
    }
)


def named_by(kind: str, record: Identified) -> tuple[tuple[str, bytes], ...]:
    """Kind and id of all that belongs in a pack because this record, which is in it, names it."""
    return tuple(RECORDS[kind].names(record))


def record_member(kind: str, id_: bytes, proof: object, trust: Trust) -> tuple[Entry, Identified | None]:
    """The entry of a record by a node's proof of it, and the record; None if it is proved absent.

    Raises `ProofInvalid`.
    """
    proved = trust.state(RECORDS[kind].record.PREFIX + id_, proof)
    if proved.value is None:
        return entry_of(kind, id_, proved.height, b""), None
    try:
        record = decode_record(RECORDS[kind].record, proved.value)
    except RegistryError as error:
        raise ProofInvalid(f"the proved value is not a record: {error}") from error
    return entry_of(kind, id_, proved.height, written({"proof": proof, "record": plain_record(record)})), record


def transaction_member(id_: bytes, answer: object, trust: Trust) -> tuple[Entry, Finished]:
    """The entry of a final transaction by a node's answer, and its receipts. Raises `ProofInvalid`."""
    if not isinstance(answer, dict):
        raise ProofInvalid("receipts: an object is expected")
    kept = {name: answer.get(name) for name in ("header", "finality", "receipts")}
    receipts = kept["receipts"]
    final = trust.receipts(id_, len(receipts) if isinstance(receipts, list) else 0, kept)
    data = written({"answer": kept, "receipts": [plain_record(one) for one in final.receipts]})
    return entry_of("transaction", id_, final.height, data), final


def ancestry_member(height: int, newest: Header, answer: Mapping[str, Any]) -> Entry:
    """The entry by which the header of `height` is in the history of `newest`. Raises `ProofInvalid`."""
    header = verify_ancestor(newest, height, answer)
    kept = {"height": height, "within": newest.height, "ancestor": answer.get("ancestor"), "path": answer.get("path")}
    return entry_of("ancestry", header.hash, height, written(kept))


def touched(final: Finished, ids: frozenset[bytes]) -> bool:
    """Whether an operation of this transaction was about one of these records."""
    return any(one.subject in ids or not ids.isdisjoint(one.related) for one in final.receipts)


def matching(dossiers: Mapping[str, Dossier], documents: Mapping[str, bytes], records: Sequence[Identified]) -> None:
    """Return if records commit to all of these, by the names of their files. Raises `ClientError` naming one."""
    receivables = {one.id: one for one in records if isinstance(one, Receivable)}
    for name, dossier in dossiers.items():
        record = receivables.get(dossier.receivable)
        if record is None:
            raise ClientError(f"{name}: of another receivable, {dossier.receivable.hex()}")
        if (record.commitment, record.debtor_commitment) != (dossier.commitment, dossier.debtor_commitment):
            raise ClientError(f"{name}: the record commits to other particulars, or to another debtor")
    known = {dossier.document for dossier in dossiers.values()}.union(
        *(_digests(plain_record(record)) for record in records)
    )
    for name, data in documents.items():
        if hashlib.sha256(data).digest() not in known:
            raise ClientError(f"{name}: neither a record nor a dossier here has the digest of this document")


def check_pack(pack: Pack, trust: Trust) -> Checked:
    """What the pack proves; `trust` is genesis, with the checkpoints that were kept.

    Raises `ClientError` (`ProofInvalid`) naming the file that does not hold, or what is kept back.
    """
    if pack.genesis_id != trust.genesis.id:
        raise ClientError("pack: of another network than the genesis file")
    trust = _following(pack, trust)
    dated = [one for one in pack.entries if one.kind in RECORDS or one.kind == "transaction"]
    if not dated:
        raise ClientError("pack: nothing in it is proved")
    latest = max(dated, key=lambda one: one.height)
    with _naming(latest):
        newest = trust.header(_answer(latest))
    older = dict(_ancestors(pack, newest))
    rows: list[Row] = []
    records: dict[tuple[str, bytes], Identified] = {}
    for one in dated:
        if one.kind in RECORDS:
            known = trust.proving(older[one.height]) if one.height in older else trust
            record = _record(one, known)
            records[one.kind, one.id] = record
            rows.append(Row(one.kind, one.id, one.height, str(getattr(record, "state", ""))))
    ids = frozenset(id_ for _, id_ in records)
    for one in dated:
        if one.kind == "transaction":
            known = trust.proving(older[one.height]) if one.height in older else trust
            rows.append(Row(one.kind, one.id, one.height, _transaction(one, known, ids)))
    _whole(pack, records)
    rows += _files(pack, list(records.values()))
    return Checked(rows=tuple(rows), height=newest.height, timestamp_ms=newest.timestamp_ms)


def _record(entry: Entry, trust: Trust) -> Identified:
    with _naming(entry):
        again, record = record_member(entry.kind, entry.id, _answer(entry), trust)
        if record is None or again != entry:
            raise ProofInvalid("says something else than what is proved, or as of another block")
    return record


def _transaction(entry: Entry, trust: Trust, ids: frozenset[bytes]) -> str:
    with _naming(entry):
        again, final = transaction_member(entry.id, _answer(entry), trust)
        if again != entry:
            raise ProofInvalid("says something else than what is proved, or of another block")
        if not touched(final, ids):
            raise ProofInvalid("about something else than what is in the pack")
    return ", ".join(sorted({str(receipt.code) for receipt in final.receipts}))


def _following(pack: Pack, trust: Trust) -> Trust:
    """With the changes of the authorities that the pack carries."""
    found = [one for one in pack.entries if one.kind == "changes"]
    if [one.id for one in found] != [trust.genesis.id]:
        raise ClientError("pack: the changes of the authorities are missing, or of another network")
    with _naming(found[0]):
        value = object_of(found[0]).get("changes")
        if not isinstance(value, list) or len(value) > CHANGES_MAX or found[0].height:
            raise ProofInvalid(f"a list of at most {CHANGES_MAX} changes is expected")
        try:
            changes = [bytes.fromhex(one) for one in value]
        except (TypeError, ValueError) as error:
            raise ProofInvalid("hexadecimal text is expected") from error
        if found[0].data != written({"changes": [change.hex() for change in changes]}):
            raise ProofInvalid("not written as a pack is")
        led = trust.following(changes)
        led.whole()
    return led


def _ancestors(pack: Pack, newest: Header) -> Iterator[tuple[int, Header]]:
    """The older headers that are in the history of the newest one."""
    for one in pack.entries:
        if one.kind == "ancestry":
            with _naming(one):
                if ancestry_member(one.height, newest, object_of(one)) != one:
                    raise ProofInvalid("says something else than what is proved")
            yield one.height, verify_ancestor(newest, one.height, object_of(one))


def _whole(pack: Pack, records: Mapping[tuple[str, bytes], Identified]) -> None:
    """Nothing that is named is silently left out, and no record of something else is there."""
    if ("receivable", pack.receivable) not in records:
        raise ClientError("pack: the record of the receivable itself is missing")
    left_out = {(one.kind, one.id) for one in pack.not_included}
    about = [key for key, record in records.items() if getattr(record, "receivable", None) == pack.receivable]
    queue, wanted = [("receivable", pack.receivable), *about], set[tuple[str, bytes]]()
    while queue:
        key = kind, id_ = queue.pop()
        if key in records and key not in wanted:
            queue += named_by(kind, records[key])
        elif key not in records and key not in left_out:
            raise ClientError(f"pack: {kind}/{id_.hex()}: kept back: a record names it, and the pack does not say why")
        wanted.add(key)
    for kind, id_ in sorted(set(records) - wanted):
        raise ClientError(f"pack: {kind}/{id_.hex()}: added: it is about something else")


def _files(pack: Pack, records: Sequence[Identified]) -> Iterator[Row]:
    """The reader's own files, to each of which a record commits."""
    dossiers: dict[str, Dossier] = {}
    documents: dict[str, bytes] = {}
    for one in pack.entries:
        if one.kind == "dossier":
            dossiers[one.file] = dossier = _dossier(one)
            same = one.id == dossier.receivable
        elif one.kind == "document":
            documents[one.file], same = one.data, one.id == hashlib.sha256(one.data).digest()
        elif one.kind in RECORDS or one.kind in ("transaction", "changes", "ancestry"):
            continue
        else:
            raise ClientError(f"pack: {one.file}: of no kind that a pack has")
        if not same or one.height:
            raise ClientError(f"pack: {one.file}: not what its name says")
        yield Row(one.kind, one.id, 0, "committed to")
    matching(dossiers, documents, records)


def _dossier(entry: Entry) -> Dossier:
    try:
        return Dossier.from_json(entry.data.decode())
    except UnicodeDecodeError as error:
        raise ClientError(f"pack: {entry.file}: not text") from error


def _digests(value: Any) -> set[bytes]:
    """The digests that stand in what `plain_record` made of a record."""
    if isinstance(value, dict | list):
        return set().union(*map(_digests, value.values() if isinstance(value, dict) else value))
    return {bytes.fromhex(value)} if isinstance(value, str) and _is_digest(value) else set()


def _is_digest(text: str) -> bool:
    return len(text) == 2 * DIGEST_SIZE and not text.strip("0123456789abcdef")


def _answer(entry: Entry) -> dict[str, Any]:
    """What the node answered, in the entry of a record or transaction."""
    found = object_of(entry).get("answer" if entry.kind == "transaction" else "proof")
    if not isinstance(found, dict):
        raise ProofInvalid(f"{entry.file}: it carries no proof")
    return found


@contextmanager
def _naming(entry: Entry) -> Iterator[None]:
    """What is not proved in here says in which file."""
    try:
        yield
    except ProofInvalid as error:
        raise ProofInvalid(f"{entry.file}: {error.reason}") from error
