"""Pool factoring: facilities, drawings, substitutions and borrowing bases that two sides sign (registry.md 6.2).

A drawing is an ordinary claim: the seller offers, the financier reserves and funds, in one transaction that both sign.
That it is drawn under a facility, its offer says in `terms_digest` (`drawing_terms`). A batch of drawings has one
signature of each side, and every drawing in it stands for itself: a refused one stops nothing.

What one side composes, the other signs: `countersign` is asked for its signatures (in one process, or by a file that
travels: `clients.drafts`), after it has compared what it is shown with what it would compose itself (`same`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from clients import reads
from clients.errors import ClientError
from clients.exchange import Procedure
from clients.session import Draft, Session, accepted, compose, send, submit
from clients.verify import Final
from registry.codec import tagged_digest
from registry.limits import OPERATIONS_MAX
from registry.money import WHOLE
from registry.pools import BorrowingBase
from registry.receipts import Receipt
from registry.records.facilities import Facility
from registry.transactions.claims import Fund, Offer, Release, Reserve
from registry.transactions.envelope import ALL, EACH
from registry.transactions.facilities import (
    AmendFacility,
    CarveOutReceivable,
    CertifyBase,
    CloseFacility,
    OpenFacility,
    RenewBlanket,
    Scope,
    day_number,
)
from registry.transactions.operations import Operation

__all__ = [
    "Countersign",
    "Drawing",
    "DrawingsInterrupted",
    "Drawn",
    "NotDrawn",
    "Progress",
    "agree",
    "amendment",
    "carve_out",
    "certification",
    "close",
    "draw",
    "drawing_batches",
    "drawing_terms",
    "drawn",
    "facility",
    "key_of",
    "opening",
    "other_side",
    "release_from_pool",
    "renew_blanket",
    "same",
    "send_drawings",
    "substitution",
]

OFFER_MS = 10 * 60 * 1000  # how long an offer stands that is taken up in its own transaction: as long as that may wait
RESERVE_MS = 60 * 1000  # a reservation whose funding was refused lapses soon
DRAWINGS_MAX = OPERATIONS_MAX // 3  # of one transaction
ACKNOWLEDGED_IDS_MAX = 6_000  # of one transaction, about 200 kB

Countersign: TypeAlias = Callable[[Draft], Mapping[bytes, bytes]]  # the other side's signatures, by public key
Progress: TypeAlias = Callable[[int, int], None]  # so many are done, of so many


@dataclass(frozen=True, slots=True)
class Drawing:
    """A receivable that goes into the pool: its id, the share (of WHOLE) that is assigned, matches looked at."""

    receivable: bytes
    share: int = WHOLE
    acknowledged: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawing on the ledger: the funded claim on the receivable."""

    receivable: bytes
    claim: bytes


@dataclass(frozen=True, slots=True)
class NotDrawn:
    """A drawing that a rule refused: the code, and what it is about. A reservation it left lapses by itself."""

    receivable: bytes
    code: str
    related: tuple[bytes, ...]


class DrawingsInterrupted(ClientError):
    """Drawing stopped in the middle; the error that stopped it is the cause.

    `outcomes` are of the first drawings, in order; `left` are the others. The first batch of them may be on the ledger
    or get there later: `resume` its `submission` to know, before drawing them again.
    """

    def __init__(self, cause: ClientError, outcomes: tuple[Drawn | NotDrawn, ...], left: tuple[Drawing, ...]) -> None:
        super().__init__(str(cause))
        self.submission = cause.submission
        self.outcomes = outcomes
        self.left = left


# --- what the two sides sign, as operations -------------------------------------------------------------------------


def opening(
    *, seller: str, financier: str, terms: bytes, rules: bytes, blanket: Scope | tuple[()] = ()
) -> tuple[Operation, ...]:
    """A new facility; `terms` is the contract's digest, `rules` that of the rules document, 32 bytes each."""
    return (OpenFacility(seller, financier, terms, rules, blanket),)


def amendment(facility: bytes, *, terms: bytes, rules: bytes, blanket: Scope | tuple[()] = ()) -> tuple[Operation, ...]:
    """Other terms, rules and blanket for a facility."""
    return (AmendFacility(facility, terms, rules, blanket),)


def certification(base: BorrowingBase) -> tuple[Operation, ...]:
    """The borrowing base that both have computed."""
    return (CertifyBase(base.facility, day_number(base.as_of), base.digest, base.finding),)


def substitution(facility: Facility, out: bytes, drawing: Drawing) -> tuple[Operation, ...]:
    """The claim `out` leaves the pool and a receivable comes in; to be signed in mode ALL: both or neither."""
    _require_open(facility)
    return (Release(out), *_drawing(facility, drawing, 1, _until_ms()))


def drawing_batches(
    facility: Facility, drawings: Sequence[Drawing]
) -> list[tuple[tuple[Drawing, ...], list[Operation]]]:
    """Drawings in batches of one transaction each, with their operations. Raises `ClientError` if it is closed."""
    _require_open(facility)
    batches: list[list[Drawing]] = []
    acknowledged = 0
    for drawing in drawings:
        acknowledged += len(drawing.acknowledged)
        if not batches or len(batches[-1]) == DRAWINGS_MAX or acknowledged > ACKNOWLEDGED_IDS_MAX:
            batches.append([])
            acknowledged = len(drawing.acknowledged)
        batches[-1].append(drawing)
    until_ms = _until_ms()
    return [
        (
            tuple(batch),
            [each for i, drawing in enumerate(batch) for each in _drawing(facility, drawing, 3 * i, until_ms)],
        )
        for batch in batches
    ]


def drawing_terms(facility: Facility) -> bytes:
    """The terms of an offer under a facility, 32 bytes: whoever knows the facility knows its drawings by them."""
    return tagged_digest(b"NEMODAT-v1-drawing", facility.id, facility.terms_digest)


def same(mine: Sequence[Operation], theirs: Sequence[Operation]) -> bool:
    """Whether the other side wants what I would compose, but for how long its offers stand."""
    return list(map(_timeless, mine)) == list(map(_timeless, theirs))


# --- procedures -----------------------------------------------------------------------------------------------------


def facility(session: Session, facility: bytes) -> Procedure[Facility]:
    """The proved record. Raises `ClientError` if there is none that this party may see."""
    record = yield from reads.record(session, Facility, facility)
    if record is None:
        raise ClientError(f"{facility.hex()}: no such facility, or none of this party's")
    return record


def other_side(facility: Facility, party: str) -> str:
    """The party on the other side of a facility from this one."""
    return facility.financier if party == facility.seller else facility.seller


def key_of(session: Session, party: str) -> Procedure[bytes]:
    """The first signing key of a party on the ledger. Raises `ClientError` if there is no such party."""
    record = yield from reads.party(session, party)
    if record is None:
        raise ClientError(f"{party}: no such party")
    return record.sign_keys[0]


def agree(
    session: Session, other: str, operations: Sequence[Operation], *, countersign: Countersign
) -> Procedure[Receipt]:
    """Sign with the other side and submit: an opening, an amendment, a certification, a substitution.

    The receipt of the last operation: its subject is the facility, or the claim on what was put in. Raises `Refused`.
    """
    other_key = yield from key_of(session, other)
    return accepted((yield from _send(session, operations, ALL, other_key, countersign)))


def draw(
    session: Session,
    facility: Facility,
    drawings: Sequence[Drawing],
    *,
    countersign: Countersign,
    progress: Progress | None = None,
) -> Procedure[tuple[Drawn | NotDrawn, ...]]:
    """Put receivables into the pool, many under one signature of each side; one outcome each, in order.

    `progress` hears after every transaction. Raises `DrawingsInterrupted`, and `ClientError` for a closed facility.
    """
    other_key = yield from key_of(session, other_side(facility, session.party))
    outcomes: list[Drawn | NotDrawn] = []
    for batch, operations in drawing_batches(facility, drawings):
        try:
            final = yield from _send(session, operations, EACH, other_key, countersign)
            outcomes += drawn(batch, final)
        except ClientError as error:
            raise DrawingsInterrupted(error, tuple(outcomes), tuple(drawings[len(outcomes) :])) from error
        if progress is not None:
            progress(len(outcomes), len(drawings))
    return tuple(outcomes)


def send_drawings(
    session: Session,
    facility: Facility,
    drawings: Sequence[Drawing],
    drafts: Sequence[tuple[Draft, Mapping[bytes, bytes]]],
    *,
    progress: Progress | None = None,
) -> Procedure[tuple[Drawn | NotDrawn, ...]]:
    """As `draw`, of drafts that both have signed, one for each of the `drawing_batches`."""
    outcomes: list[Drawn | NotDrawn] = []
    for (batch, _), (draft, signatures) in zip(drawing_batches(facility, drawings), drafts, strict=True):
        try:
            outcomes += drawn(batch, (yield from send(session, draft.sealed(session.genesis, signatures))))
        except ClientError as error:
            raise DrawingsInterrupted(error, tuple(outcomes), tuple(drawings[len(outcomes) :])) from error
        if progress is not None:
            progress(len(outcomes), len(drawings))
    return tuple(outcomes)


def drawn(batch: Sequence[Drawing], final: Final) -> list[Drawn | NotDrawn]:
    """What became of the drawings of one transaction: three receipts each, the first that is refused says why."""
    outcomes: list[Drawn | NotDrawn] = []
    for index, drawing in enumerate(batch):
        offered, *_ = own = final.receipts[3 * index : 3 * index + 3]
        refused = next((receipt for receipt in own if not receipt.done), None)
        if refused is None:
            outcomes.append(Drawn(drawing.receivable, offered.subject))
        else:
            outcomes.append(NotDrawn(drawing.receivable, str(refused.code), refused.related))
    return outcomes


def release_from_pool(
    session: Session, claims: Sequence[bytes], *, progress: Progress | None = None
) -> Procedure[tuple[Receipt, ...]]:
    """As the financier: give claims up, many under one signature; one receipt each, refused ones included."""
    receipts: list[Receipt] = []
    for start in range(0, len(claims), OPERATIONS_MAX):
        final = yield from submit(session, [Release(claim) for claim in claims[start : start + OPERATIONS_MAX]])
        receipts += final.receipts
        if progress is not None:
            progress(len(receipts), len(claims))
    return tuple(receipts)


def renew_blanket(session: Session, facility: bytes, *, filing: bytes, until_ms: int) -> Procedure[Receipt]:
    """As the financier: the blanket stands until then; `filing` is the digest of the filing's reference."""
    return accepted((yield from submit(session, [RenewBlanket(facility, filing, until_ms)])))


def carve_out(session: Session, facility: bytes, receivable: bytes) -> Procedure[Receipt]:
    """As the financier: let one receivable go from the blanket, for good."""
    return accepted((yield from submit(session, [CarveOutReceivable(facility, receivable)])))


def close(session: Session, facility: bytes) -> Procedure[Receipt]:
    """As the financier: end the facility and its blanket; what was drawn runs off."""
    return accepted((yield from submit(session, [CloseFacility(facility)])))


def _send(
    session: Session, operations: Sequence[Operation], mode: str, other_key: bytes, countersign: Countersign
) -> Procedure[Final]:
    draft = compose(session.genesis, operations, signers=[session.signer.public_key, other_key], mode=mode)
    signatures = {session.signer.public_key: draft.sign(session.genesis, session.signer), **countersign(draft)}
    return (yield from send(session, draft.sealed(session.genesis, signatures)))


def _drawing(facility: Facility, drawing: Drawing, index: int, until_ms: int) -> Iterable[Operation]:
    """Offer, reserve and fund, where the offer is operation `index` of the transaction."""
    yield Offer(drawing.receivable, facility.financier, drawing.share, drawing_terms(facility), until_ms)
    yield Reserve(index, RESERVE_MS)
    yield Fund(index, tuple(sorted(drawing.acknowledged)))


def _timeless(operation: Operation) -> Operation:
    return replace(operation, valid_until_ms=0) if isinstance(operation, Offer) else operation


def _require_open(facility: Facility) -> None:
    if facility.state != "open":
        raise ClientError(f"{facility.id.hex()}: the facility is closed: no new drawings")


def _until_ms() -> int:
    return time.time_ns() // 1_000_000 + OFFER_MS
