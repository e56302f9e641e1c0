"""Pool factoring: facilities, drawings, substitutions and borrowing bases that two sides sign (registry.md 6.2).

A drawing is an ordinary claim, offered, reserved and funded in one operation that both sides sign. That it is drawn
under a facility, its `terms_digest` says (`drawing_terms`). A batch of drawings has one signature of each side, and
every drawing in it stands for itself: a refused one stops nothing. Several batches are on their way at a time.

What one side composes, the other signs: `countersign` is asked for its signatures (in one process, or by a file that
travels: `clients.drafts`), after it has compared what it is shown with what it would compose itself (`same`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from clients import reads
from clients.errors import ClientError
from clients.exchange import Procedure
from clients.pipeline import RunStopped, send_all
from clients.session import Draft, Session, accepted, compose, send, signed, submit
from clients.submission import Submission
from clients.verify import Final
from registry.limits import OPERATIONS_MAX
from registry.money import WHOLE
from registry.pools import BorrowingBase
from registry.receipts import Receipt
from registry.records.facilities import Facility
from registry.transactions.claims import Release
from registry.transactions.envelope import ALL, EACH
from registry.transactions.facilities import (
    AmendFacility,
    CarveOutReceivable,
    CertifyBase,
    CloseFacility,
    Draw,
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

DRAWINGS_MAX = 100  # of one transaction: the leader packs as many into a block as the nodes can do in a view
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
    """A drawing that a rule refused: the code, and what it is about. It left nothing behind."""

    receivable: bytes
    code: str
    related: tuple[bytes, ...]


class DrawingsInterrupted(ClientError):
    """Drawing stopped in the middle; the error that stopped it is the cause.

    `outcomes` are of the drawings that are final, `left` are the others, both in the order given. Some of those left
    may be on the ledger or get there later: `resume` each of `undecided` to know, before drawing them again.
    """

    def __init__(self, stopped: RunStopped, outcomes: tuple[Drawn | NotDrawn, ...], left: tuple[Drawing, ...]) -> None:
        super().__init__(str(stopped))
        self.submission = stopped.submission
        self.undecided = stopped.undecided
        self.outcomes = outcomes
        self.left = left


# --- what the two sides sign, as operations -------------------------------------------------------------------------


def opening(
    *, seller: str, financier: str, terms: bytes, rules: bytes, blanket: Scope | tuple[()] = ()
) -> tuple[Operation, ...]:
    """A new facility; `terms` is the contract's digest, `rules` that of the rules document, 32 bytes each."""
    return (OpenFacility(seller, financier, terms, rules, blanket),)


def amendment(facility: bytes, *, terms: bytes, rules: bytes, blanket: Scope | tuple[()]) -> tuple[Operation, ...]:
    """Other terms, rules and blanket for a facility: `()` takes its blanket away."""
    return (AmendFacility(facility, terms, rules, blanket),)


def certification(base: BorrowingBase) -> tuple[Operation, ...]:
    """The borrowing base that both have computed."""
    return (CertifyBase(base.facility, day_number(base.as_of), base.digest, base.finding),)


def substitution(facility: Facility, out: bytes, drawing: Drawing) -> tuple[Operation, ...]:
    """The claim `out` leaves the pool and a receivable comes in; to be signed in mode ALL: both or neither."""
    _require_open(facility)
    return (Release(out), _draw(facility, drawing))


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
    return [(tuple(batch), [_draw(facility, drawing) for drawing in batch]) for batch in batches]


def same(mine: Sequence[Operation], theirs: Sequence[Operation]) -> bool:
    """Whether the other side wants exactly what I would compose."""
    return list(mine) == list(theirs)


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

    def signed_by_both(_: int, operations: Sequence[Operation]) -> Submission:
        return _countersigned(session, operations, EACH, other_key, countersign)

    return (yield from _draw_all(session, facility, drawings, signed_by_both, progress))


def send_drawings(
    session: Session,
    facility: Facility,
    drawings: Sequence[Drawing],
    drafts: Sequence[tuple[Draft, Mapping[bytes, bytes]]],
    *,
    progress: Progress | None = None,
) -> Procedure[tuple[Drawn | NotDrawn, ...]]:
    """As `draw`, of drafts that both have signed, one for each of the `drawing_batches`."""

    def sealed(index: int, _: Sequence[Operation]) -> Submission:
        draft, signatures = drafts[index]
        return draft.sealed(session.genesis, signatures)

    return (yield from _draw_all(session, facility, drawings, sealed, progress))


def drawn(batch: Sequence[Drawing], final: Final) -> list[Drawn | NotDrawn]:
    """What became of the drawings of one transaction."""
    return [
        Drawn(drawing.receivable, receipt.subject)
        if receipt.done
        else NotDrawn(drawing.receivable, receipt.code, receipt.related)
        for drawing, receipt in zip(batch, final.receipts, strict=True)
    ]


def release_from_pool(
    session: Session, claims: Sequence[bytes], *, progress: Progress | None = None
) -> Procedure[tuple[Receipt, ...]]:
    """As the financier: give claims up, many under one signature; one receipt each, refused ones included."""
    receipts: list[Receipt] = []

    def release(start: int) -> Procedure[Submission]:
        yield from ()
        return signed(session, [Release(claim) for claim in claims[start : start + OPERATIONS_MAX]])

    def settled(start: int, final: Final) -> None:
        receipts.extend(final.receipts)
        if progress is not None:
            progress(len(receipts), len(claims))

    yield from send_all(session, range(0, len(claims), OPERATIONS_MAX), signed=release, settled=settled)
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


def _draw_all(
    session: Session,
    facility: Facility,
    drawings: Sequence[Drawing],
    submission: Callable[[int, Sequence[Operation]], Submission],
    progress: Progress | None,
) -> Procedure[tuple[Drawn | NotDrawn, ...]]:
    batches = drawing_batches(facility, drawings)
    outcomes: dict[int, list[Drawn | NotDrawn]] = {}

    def signed(index: int) -> Procedure[Submission]:
        yield from ()
        return submission(index, batches[index][1])

    def settled(index: int, final: Final) -> None:
        batch, _ = batches[index]
        outcomes[index] = drawn(batch, final)
        if progress is not None:
            progress(sum(map(len, outcomes.values())), len(drawings))

    stopped: RunStopped | None = None
    try:
        yield from send_all(session, range(len(batches)), signed=signed, settled=settled)
    except RunStopped as error:
        stopped = error
    known = tuple([outcome for index in sorted(outcomes) for outcome in outcomes[index]])
    if stopped is not None:
        left = [drawing for index, (batch, _) in enumerate(batches) if index not in outcomes for drawing in batch]
        raise DrawingsInterrupted(stopped, known, tuple(left)) from stopped.__cause__
    return known


def _send(
    session: Session, operations: Sequence[Operation], mode: str, other_key: bytes, countersign: Countersign
) -> Procedure[Final]:
    return (yield from send(session, _countersigned(session, operations, mode, other_key, countersign)))


def _countersigned(
    session: Session, operations: Sequence[Operation], mode: str, other_key: bytes, countersign: Countersign
) -> Submission:
    draft = compose(session.genesis, operations, signers=[session.signer.public_key, other_key], mode=mode)
    signatures = {session.signer.public_key: draft.sign(session.genesis, session.signer), **countersign(draft)}
    return draft.sealed(session.genesis, signatures)


def _draw(facility: Facility, drawing: Drawing) -> Operation:
    return Draw(facility.id, drawing.receivable, drawing.share, tuple(sorted(drawing.acknowledged)))


def _require_open(facility: Facility) -> None:
    if facility.state != "open":
        raise ClientError(f"{facility.id.hex()}: the facility is closed: no new drawings")
