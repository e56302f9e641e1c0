"""An audit pack of a receivable: all that the reader may see around it, with proof, to be verified by genesis alone.

What is in one, and how it is verified offline, is in `pack_files` and `pack_proofs`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePath
from typing import Any

from clients import events, reads
from clients.changes import changes_after
from clients.dossier import Dossier
from clients.errors import ClientError, ProofInvalid, RequestFailed
from clients.exchange import Call, Procedure, get, posted
from clients.history import ancestry
from clients.pack_files import Entry, Missing, Pack, entry_of, object_of, pack_bytes, written
from clients.pack_proofs import (
    RECORDS,
    ancestry_member,
    check_pack,
    matching,
    named_by,
    record_member,
    touched,
    transaction_member,
)
from clients.recent import recent
from clients.session import Session
from clients.verify import Trust
from registry.records import Claim, Dispute, Receivable
from registry.records.credit_notes import CreditNote
from registry.records.external_claims import ExternalClaim
from registry.records.facilities import Facility, carve_out_id
from registry.records.filings import Filing
from registry.records.notices import Notice
from registry.records.row import Identified

__all__ = ["pack"]

RECORDS_MAX = 2_000  # of one pack
RECEIPTS_AT_ONCE = 200
_OWN = (("notice", Notice), ("filing", Filing), ("dispute", Dispute), ("external_claim", ExternalClaim))
_OPTIONAL = ("credit_note", "carve_out")  # looked for, and not there unless somebody made it so
_SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")


@dataclass(frozen=True, slots=True)
class _Made:
    """A pack in the making. `oversees`: whether the reader is a regulator, to whom all is shown."""

    session: Session
    receivable: bytes
    oversees: bool
    entries: dict[str, Entry] = field(default_factory=dict)
    missing: list[Missing] = field(default_factory=list)
    records: dict[tuple[str, bytes], Identified] = field(default_factory=dict)

    @property
    def ids(self) -> frozenset[bytes]:
        """Of all records in it."""
        return frozenset(id_ for _, id_ in self.records)

    def add(self, entry: Entry) -> None:
        self.entries[entry.file] = entry


def pack(
    session: Session,
    receivable: bytes,
    *,
    dossiers: Mapping[str, bytes] | None = None,
    documents: Mapping[str, bytes] | None = None,
    transactions: Sequence[bytes] = (),
) -> Procedure[bytes]:
    """The pack (a ZIP) of a receivable, verified as `pack_proofs.check_pack` does.

    `dossiers` and `documents` are files of the reader by name; what no record here commits to is refused.
    `transactions` are ids that the reader knows: nodes tell only regulators which transactions are in a block.

    Raises `ClientError` naming a file that does not match, or a transaction about something else; if the receivable is
    not there, or not for this party to see.
    """
    own = yield from reads.party(session, session.party)
    made = _Made(session, receivable, oversees=own is not None and "regulator" in own.roles)
    opened = {name: _opened(name, data) for name, data in (dossiers or {}).items()}
    yield from _records(made, [("receivable", receivable)])
    record = made.records.get(("receivable", receivable))
    if not isinstance(record, Receivable):
        raise ClientError(f"{receivable.hex()}: no such receivable, or none that this party may see")
    notes = [CreditNote.id_of(receivable, hashlib.sha256(data).digest()) for data in (documents or {}).values()]
    found = yield from _found(made, record)
    yield from _records(made, [*found, *(("credit_note", note) for note in notes)])
    matching(opened, documents or {}, list(made.records.values()))
    for name, dossier in opened.items():
        made.add(entry_of("dossier", dossier.receivable, 0, (dossiers or {})[name]))
    for name, data in (documents or {}).items():
        suffix = PurePath(name).suffix.lower()
        known = suffix if _SUFFIX.fullmatch(suffix) else ""
        made.add(entry_of("document", hashlib.sha256(data).digest(), 0, data, known))
    yield from _transactions(made, transactions)
    yield from _ancestries(made)
    changes = yield from changes_after(0)
    genesis = session.genesis
    made.add(entry_of("changes", genesis.id, 0, written({"changes": [change.hex() for change in changes]})))
    whole = Pack(
        genesis_id=genesis.id,
        receivable=receivable,
        reader=session.party,
        entries=tuple(made.entries[file] for file in sorted(made.entries)),
        not_included=tuple(sorted({*made.missing, *_never_whole()})),
    )
    check_pack(whole, Trust(genesis, checkpoints=session.checkpoints))
    return pack_bytes(whole)


def _opened(name: str, data: bytes) -> Dossier:
    try:
        return Dossier.from_json(data.decode())
    except (UnicodeDecodeError, ClientError) as error:
        raise ClientError(f"{name}: {error}") from error


def _never_whole() -> Iterator[Missing]:
    """Of these there is no list by which a pack could be shown to have all."""
    yield Missing("credit_note", b"", 0, "by_document")
    yield Missing("carve_out", b"", 0, "by_facility")
    yield Missing("dispute", b"", 0, "by_party")


def _records(made: _Made, queue: list[tuple[str, bytes]]) -> Procedure[None]:
    """These records, and all that those of the pack name, as far as the reader may see them."""
    seen = set(made.records)
    while queue:
        kind, id_ = queue.pop()
        if (kind, id_) in seen:
            continue
        seen.add((kind, id_))
        if len(seen) > RECORDS_MAX:
            raise ClientError(f"pack: more than {RECORDS_MAX} records")
        record = yield from _record(made, kind, id_)
        if record is not None:
            made.records[kind, id_] = record
            queue += named_by(kind, record)
        elif kind not in _OPTIONAL:
            made.missing.append(Missing(kind, id_, 0, _why(made, kind, id_)))


def _record(made: _Made, kind: str, id_: bytes) -> Procedure[Identified | None]:
    read = partial(_proved, made.session, kind, id_)
    try:
        entry, record = yield from recent(Call("GET", f"/v1/{RECORDS[kind].path}/{id_.hex()}"), read)
    except RequestFailed as problem:
        if problem.status == 404:
            return None
        raise
    if record is not None:
        made.add(entry)
    return record


def _proved(session: Session, kind: str, id_: bytes, answer: Any) -> tuple[Entry, Identified | None]:
    proof = answer.get("proof") if isinstance(answer, dict) else None
    session.proved(RECORDS[kind].record.PREFIX + id_, proof)  # and as of now
    return record_member(kind, id_, proof, session.trust)


def _why(made: _Made, kind: str, id_: bytes) -> str:
    """Why a node shows no such record."""
    if kind not in ("notified", "filed", "external_claims_of"):
        return "not_for_reader"
    claim = made.records.get(("claim", id_))
    is_holder = isinstance(claim, Claim) and claim.holder == made.session.party
    return "none_shown" if kind == "external_claims_of" or is_holder or made.oversees else "for_holder"


def _found(made: _Made, receivable: Receivable) -> Procedure[list[tuple[str, bytes]]]:
    """What is about the receivable among the reader's own records (for a regulator: among its registrant's)."""
    of = receivable.registrant if made.oversees else "me"
    found: list[tuple[str, bytes]] = []
    for kind, family in _OWN:
        records = yield from reads.own_records(made.session, family, of)
        found += [(kind, one.id) for one in records if one.receivable == receivable.id]  # type: ignore[attr-defined]
    facilities = yield from reads.own_records(made.session, Facility, of)
    return [*found, *(("carve_out", carve_out_id(one.id, receivable.id)) for one in facilities)]


def _transactions(made: _Made, given: Sequence[bytes]) -> Procedure[None]:
    """Those given, and those of the blocks in which something happened to a record of the pack."""
    for id_ in given:
        answer = yield from get(f"/v1/transactions/{id_.hex()}")
        if answer.get("status") != "final":
            raise ClientError(f"transaction {id_.hex()}: not final, or not known to the node")
        if not _added(made, id_, answer):
            raise ClientError(f"transaction {id_.hex()}: about something else than this receivable")
    try:
        heights = yield from _heights(made)
    except RequestFailed as problem:
        if problem.code != "pruned":
            raise
        made.missing.append(Missing("transaction", b"", 0, "pruned"))
        return
    for height in sorted(heights):
        if made.oversees:
            yield from _block(made, height)
        if height not in {one.height for one in made.entries.values() if one.kind == "transaction"}:
            made.missing.append(Missing("transaction", b"", height, "pruned" if made.oversees else "unknown_id"))


def _block(made: _Made, height: int) -> Procedure[None]:
    """The transactions of a block that are about a record of the pack, for a regulator; none if they are pruned."""
    block = yield from get(f"/v1/blocks/{height}")
    try:
        ids = [bytes.fromhex(id_) for id_ in block.get("transactions") or ()]
    except (TypeError, ValueError) as error:
        raise ProofInvalid(f"transactions: those of block {height} are expected: {error}") from error
    for start in range(0, len(ids), RECEIPTS_AT_ONCE):
        asked = ids[start : start + RECEIPTS_AT_ONCE]
        answers = (yield posted("/v1/receipts", {"ids": [id_.hex() for id_ in asked]})).json()
        if not isinstance(answers, list) or len(answers) != len(asked):
            raise ProofInvalid("receipts: an answer for each transaction is expected")
        for id_, answer in zip(asked, answers, strict=True):
            _added(made, id_, answer)


def _added(made: _Made, id_: bytes, answer: object) -> bool:
    """Whether it is about what is in the pack; then it is in it too."""
    entry, final = transaction_member(id_, answer, made.session.trust)
    if not touched(final, made.ids):
        return False
    made.add(entry)
    return True


def _heights(made: _Made) -> Procedure[set[int]]:
    """The blocks in which something happened to a record of the pack, as the reader's events say."""
    heights: set[int] = set()
    since, more = 0, True
    while more:
        page = yield from events.page(made.session, since=since)
        heights |= {one.height for one in page.events if one.subject in made.ids}
        since, more = page.following, page.more
    return heights


def _ancestries(made: _Made) -> Procedure[None]:
    """That the older blocks are in the history of the newest one: for readers with checkpoints in between."""
    dated = [one for one in made.entries.values() if one.height]
    latest = max(dated, key=lambda one: one.height)
    answer = object_of(latest)
    newest = made.session.trust.header(answer.get("answer" if latest.kind == "transaction" else "proof"))
    for height in sorted({one.height for one in dated} - {newest.height}):
        try:
            found = (yield ancestry(height, newest.height)).object()
        except RequestFailed as problem:
            if problem.code != "pruned":
                raise
            made.missing.append(Missing("ancestry", b"", height, "pruned"))
        else:
            made.add(ancestry_member(height, newest, found))
