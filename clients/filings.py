"""Official filings of a financier's claims: recorded, continued, ended; and which are due."""

from __future__ import annotations

from collections.abc import Iterable

from clients.exchange import Procedure
from clients.session import Session, accepted, submit
from registry.receipts import Receipt
from registry.records.filings import Filing
from registry.transactions.filings import ContinueFiling, EndFiling, RecordFiling

__all__ = ["continue_filing", "due", "end_filing", "record_filing"]


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


def due(filings: Iterable[Filing], *, now_ms: int, within_ms: int) -> list[Filing]:
    """The filings that lapse within this time, or have lapsed already, the most urgent first; ended ones are over."""
    urgent = [one for one in filings if one.state == "live" and 0 < one.lapses_ms <= now_ms + within_ms]
    return sorted(urgent, key=lambda one: (one.lapses_ms, one.id))
