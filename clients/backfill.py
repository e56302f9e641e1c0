"""An existing portfolio onto the ledger: the seller registers and offers what it has assigned long ago, the financier
takes it up. Both in batches, both resumable, each side on its own.

What was agreed is recorded with its date and changes no rank: whoever is on the ledger first stays first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from clients import reads
from clients.dossier import Dossier
from clients.errors import ClientError
from clients.exchange import Procedure
from clients.exporter import Listing, drafted
from clients.pipeline import RunStopped, send_all
from clients.session import Session, signed
from clients.submission import Submission
from clients.verify import Final
from registry.reasons import OK, ROLLED_BACK
from registry.records import Claim
from registry.transactions.claims import Fund, Offer, Reserve
from registry.transactions.envelope import ALL, subject_id
from registry.transactions.operations import Operation

__all__ = [
    "BATCH_ROWS",
    "Batch",
    "Outcome",
    "Row",
    "TakeUpInterrupted",
    "TakenUp",
    "batches",
    "open_offers",
    "outcomes_of",
    "prepare_batch",
    "take_up",
]

BATCH_ROWS = 100  # receivables under one signature: about 150 kB, and 200 operations in one block
TAKE_UP_CLAIMS = 50  # reserved and funded in one transaction, all or none
RESERVE_MS = 60_000
OFFER_MS = 30 * 86_400_000  # how long the financier has to take it up


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One receivable of the portfolio: where it stands in the book, what it is, what of it was assigned and when.

    `share` of WHOLE, `concluded_ms` in ms UTC (0: not known).
    """

    place: str
    listing: Listing
    share: int
    concluded_ms: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows under one signature; the dossiers are theirs, in order, and must be kept before it is sent."""

    submission: Submission
    places: tuple[str, ...]
    dossiers: tuple[Dossier, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a row: "ok", or the code by which it was refused; `related` are the records it collides with."""

    place: str
    code: str
    receivable: bytes
    claim: bytes
    related: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class TakenUp:
    """What a financier's side came to: claims funded, and those refused with code and what they collide with."""

    funded: tuple[bytes, ...]
    refused: tuple[tuple[bytes, str, tuple[bytes, ...]], ...]


class TakeUpInterrupted(ClientError):
    """Taking up stopped; the error that stopped it is the cause. `done` is final, `undecided` may be or become so."""

    def __init__(self, stopped: RunStopped, done: TakenUp) -> None:
        super().__init__(str(stopped))
        self.submission = stopped.submission
        self.undecided = stopped.undecided
        self.done = done


def batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """The rows in the order of the book, as many together as one transaction takes: the same ones every time."""
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH_ROWS)):
        yield batch


def prepare_batch(session: Session, rows: Sequence[Row], *, to: str, terms: bytes, now_ms: int) -> Batch:
    """Registrations and offers to financier `to`, signed; nothing is sent. Raises `ClientError`, `Rejected`."""
    made = [drafted(session, row.listing) for row in rows]
    operations: list[Operation] = []
    for row, one in zip(rows, made, strict=True):
        at = len(operations)
        offer = Offer(
            receivable=at,
            to=to,
            share=row.share,
            terms_digest=terms,
            valid_until_ms=now_ms + OFFER_MS,
            concluded_ms=row.concluded_ms,
        )
        operations += [one.operation, offer]
    submission = signed(session, operations)
    dossiers = [one.dossier(subject_id(submission.transaction_id, 2 * index)) for index, one in enumerate(made)]
    return Batch(submission, tuple([row.place for row in rows]), tuple(dossiers))


def outcomes_of(places: Sequence[str], final: Final) -> tuple[Outcome, ...]:
    """What became of a batch's rows, in order, by its receipts."""
    outcomes = []
    for index, place in enumerate(places):
        registered, offered = final.receipts[2 * index], final.receipts[2 * index + 1]
        code = registered.code if not registered.done else offered.code
        related = registered.related if not registered.done else offered.related
        outcomes.append(
            Outcome(
                place=place,
                code=code,
                receivable=registered.subject if registered.done else b"",
                claim=offered.subject if code == OK else b"",
                related=related,
            )
        )
    return tuple(outcomes)


def open_offers(session: Session, seller: str, *, now_ms: int) -> Procedure[tuple[Claim, ...]]:
    """As the financier: what the party with this identifier offers it at `now_ms`; nothing if all was taken up before.

    Raises `ClientError` saying why there is nothing to take up and nothing was.
    """
    assignor = yield from reads.party_named(session, seller)
    if assignor is None:
        raise ClientError(f"{seller}: no such party is on the ledger")
    found = yield from reads.own_claims(session)
    made = [claim for claim in found if claim.assignor == assignor and session.party in (claim.holder, *claim.holders)]
    left = [claim for claim in made if session.party not in claim.holders]
    offers = tuple([claim for claim in left if claim.state == "offered" and claim.offer_valid_until_ms >= now_ms])
    if not offers and (left or not made):
        why = f"its {len(left)} offers have run out, were taken back or are reserved" if left else "it never made one"
        raise ClientError(f"{seller}: has no open offer to {session.party}: {why}")
    return offers


def take_up(
    session: Session,
    claims: Sequence[Claim],
    *,
    acknowledged: Sequence[bytes] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Procedure[TakenUp]:
    """As the financier: reserve and fund these offers, as many as can be; `acknowledged` was looked at by people.

    Chunks take effect whole or not at all, so that no reservation is left of one that cannot be funded: such a one is
    taken out of its chunk, and the rest is tried again. `progress` hears how many claims are decided, of how many.
    Raises `TakeUpInterrupted`; to go on, take up what is still offered.
    """
    funded: list[bytes] = []
    refused: list[tuple[bytes, str, tuple[bytes, ...]]] = []
    ids = [claim.id for claim in claims]
    chunks = deque(ids[start : start + TAKE_UP_CLAIMS] for start in range(0, len(ids), TAKE_UP_CLAIMS))

    def taken(chunk: list[bytes]) -> Procedure[Submission]:
        yield from ()
        looked_at = tuple(sorted(acknowledged))
        pairs = [
            (Reserve(claim=claim, ttl_ms=RESERVE_MS), Fund(claim=claim, acknowledged=looked_at)) for claim in chunk
        ]
        return signed(session, [operation for pair in pairs for operation in pair], mode=ALL)

    def settled(chunk: list[bytes], final: Final) -> None:
        culprit = next((receipt for receipt in final.receipts if receipt.code not in (OK, ROLLED_BACK)), None)
        if culprit is None:
            funded.extend(chunk)
        else:
            out = chunk[culprit.operation // 2]
            refused.append((out, culprit.code, culprit.related))
            rest = [claim for claim in chunk if claim != out]
            if rest:
                chunks.append(rest)
        if progress is not None:
            progress(len(funded) + len(refused), len(ids))

    try:
        while chunks:
            yield from send_all(session, _emptied(chunks), signed=taken, settled=settled)
    except RunStopped as stopped:
        raise TakeUpInterrupted(stopped, TakenUp(tuple(funded), tuple(refused))) from stopped.__cause__
    return TakenUp(tuple(funded), tuple(refused))


def _emptied(chunks: deque[list[bytes]]) -> Iterator[list[bytes]]:
    """The chunks, those included that are added on the way."""
    while chunks:
        yield chunks.popleft()
