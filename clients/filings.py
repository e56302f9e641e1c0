"""Official filings of a financier's claims: recorded, continued, ended; and which are due."""

from __future__ import annotations

from collections.abc import Iterable

from clients import reads
from clients.errors import ClientError
from clients.exchange import Procedure
from clients.session import Session, accepted, submit
from registry.receipts import Receipt
from registry.records.filings import Filed, Filing
from registry.transactions.filings import ContinueFiling, EndFiling, RecordFiling

__all__ = ["continue_filing", "due", "end_filing", "filings_of", "own_filings", "record_filing"]


def record_filing(
    session: Session, claim: bytes, *, register: str, number: bytes, filed_ms: int, lapses_ms: int = 0
) -> Procedure[Receipt]:
    """Record where a claim stands officially: `register` as "US-NY:UCC1", `number` a digest, times in ms UTC.

    The filing's id is the receipt's subject. Raises `Refused`.
    """
    operation = RecordFiling(
        claim=claim, register=register, number_digest=number, filed_ms=filed_ms, lapses_ms=lapses_ms
    )
    return accepted((yield from submit(session, [operation])))


def continue_filing(session: Session, filing: bytes, *, number: bytes, lapses_ms: int) -> Procedure[Receipt]:
    """Record a continuation until `lapses_ms`. Raises `Refused` (for instance `expired`: it has lapsed)."""
    operation = ContinueFiling(filing=filing, number_digest=number, lapses_ms=lapses_ms)
    return accepted((yield from submit(session, [operation])))


def end_filing(session: Session, filing: bytes, *, number: bytes) -> Procedure[Receipt]:
    """Record that it was taken off the official register. Raises `Refused`."""
    return accepted((yield from submit(session, [EndFiling(filing=filing, number_digest=number)])))


def filings_of(session: Session, claim: bytes) -> Procedure[tuple[Filing, ...] | None]:
    """All filings of a claim, in order, each proved: for who holds it now, and overseers; None if none are shown.

    Raises `ClientError` if the node keeps one of them back.
    """
    listed = yield from reads.record(session, Filed, claim)
    if listed is None:
        return None
    found = []
    for subject in listed.filings:
        filing = yield from reads.record(session, Filing, subject)
        if filing is None:
            raise ClientError(f"{subject.hex()}: a filing of the claim that this node does not show")
        found.append(filing)
    return tuple(found)


def own_filings(session: Session) -> Procedure[tuple[Filing, ...]]:
    """The filings of claims that this party holds now, also those that an earlier holder recorded, by id."""
    claims = yield from reads.own_claims(session)
    held = {claim.id: claim for claim in claims if claim.holder == session.party}
    recorded = yield from reads.own_records(session, Filing)
    found = {filing.id: filing for filing in recorded if filing.claim in held}
    for claim in held.values():
        if len(claim.holders) > 1:  # it came from another holder
            found |= {filing.id: filing for filing in (yield from filings_of(session, claim.id)) or ()}
    return tuple(found[id_] for id_ in sorted(found))


def due(filings: Iterable[Filing], *, now_ms: int, within_ms: int) -> list[Filing]:
    """The filings that lapse within this time, or have lapsed already, the most urgent first; ended ones are over."""
    urgent = [one for one in filings if one.state == "live" and 0 < one.lapses_ms <= now_ms + within_ms]
    return sorted(urgent, key=lambda one: (one.lapses_ms, one.id))
