"""A financier's book against the ledger, or against the other side's book: what is not the same on both.

    breaks = compare(book, entries_of(claims, party=me, now_ms=now))

An entry is one claim as one side has it. What a book leaves empty is not compared. Shares are exact; a date may be off
by a day, because books keep local dates and the ledger milliseconds UTC.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from registry.records import Claim

__all__ = ["LIVE", "Break", "BreakKind", "Entry", "compare", "entries_of"]

LIVE: Final = frozenset({"reserved", "funded"})  # what a book must have an entry for
DAYS_APART_MAX: Final = 1


class BreakKind(StrEnum):
    """What differs, in the order of how bad it is."""

    MISSING_THERE = "missing_there"  # in the book, and not on the other side
    MISSING_HERE = "missing_here"  # live on the other side, and not in the book
    REPEATED = "repeated"  # the book has one claim more than once
    AMBIGUOUS = "ambiguous"  # the book names a receivable on which the other side has several claims
    RECEIVABLE = "receivable"  # the claim is on another receivable there
    HOLDER = "holder"
    STATE = "state"
    SHARE = "share"
    DATE = "date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A claim as one side has it. `claim` or `receivable` is known (32 bytes, else b"").

    `share` of WHOLE outstanding, `state` as in the registry, `holder` a party id, `date` of the first funding: None or
    "" where this side does not say. `place` is where it stands in the book ("row 7").
    """

    claim: bytes
    receivable: bytes
    share: int | None = None
    state: str = ""
    holder: str = ""
    date: datetime.date | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Break:
    """One difference: what the book says of a claim, and what the other side does ("" for nothing)."""

    kind: BreakKind
    claim: bytes
    receivable: bytes
    place: str
    here: str
    there: str


def entries_of(claims: Iterable[Claim], *, party: str, now_ms: int) -> list[Entry]:
    """The claims on the ledger that `party` holds or ever held, as entries, as of `now_ms` (ms UTC)."""
    return [
        Entry(
            claim=claim.id,
            receivable=claim.receivable,
            share=claim.share,
            state=claim.state_at(now_ms),
            holder=claim.holder,
            date=_date(claim.funded_ms),
        )
        for claim in claims
        if party in (claim.holder, *claim.holders)
    ]


def compare(book: Sequence[Entry], others: Sequence[Entry], *, party: str) -> list[Break]:
    """Every break between the book of `party` and the other side, worst kind first, then in the book's order."""
    by_claim = {other.claim: other for other in others if other.claim}
    by_receivable: dict[bytes, list[Entry]] = defaultdict(list)
    for other in others:
        if _is_own(other, party):
            by_receivable[other.receivable].append(other)
    breaks: list[Break] = []
    met: set[int] = set()
    for entry in book:
        found = by_claim.get(entry.claim) if entry.claim else None
        if not entry.claim:
            candidates = by_receivable[entry.receivable]
            if len(candidates) > 1:
                met |= {id(candidate) for candidate in candidates}
                several = ", ".join(candidate.claim.hex() for candidate in candidates)
                breaks.append(_break(BreakKind.AMBIGUOUS, entry, entry.receivable.hex(), several))
                continue
            found = candidates[0] if candidates else None
        if found is None:
            breaks.append(_break(BreakKind.MISSING_THERE, entry, _said(entry), ""))
        elif id(found) in met:
            breaks.append(_break(BreakKind.REPEATED, entry, _said(entry), _said(found)))
        else:
            met.add(id(found))
            breaks += _differences(entry, found)
    for other in others:
        if _is_own(other, party) and id(other) not in met:
            breaks.append(_break(BreakKind.MISSING_HERE, other, "", _said(other)))
    order = list(BreakKind)
    return sorted(breaks, key=lambda each: order.index(each.kind))


def _is_own(other: Entry, party: str) -> bool:
    """Whether the other side has it as a live claim of `party`; where a book does not say, it means so."""
    return other.state in LIVE | {""} and other.holder in (party, "")


def _differences(entry: Entry, other: Entry) -> list[Break]:
    breaks = []
    if entry.receivable and other.receivable and entry.receivable != other.receivable:
        breaks.append(_break(BreakKind.RECEIVABLE, entry, entry.receivable.hex(), other.receivable.hex(), other))
    if entry.holder and entry.holder != other.holder:
        breaks.append(_break(BreakKind.HOLDER, entry, entry.holder, other.holder, other))
    if entry.state and entry.state != other.state:
        breaks.append(_break(BreakKind.STATE, entry, entry.state, other.state, other))
    if entry.share is not None and other.share is not None and entry.share != other.share:
        breaks.append(_break(BreakKind.SHARE, entry, str(entry.share), str(other.share), other))
    if entry.date is not None and not _same_day(entry.date, other.date):
        there = "" if other.date is None else other.date.isoformat()
        breaks.append(_break(BreakKind.DATE, entry, entry.date.isoformat(), there, other))
    return breaks


def _break(kind: BreakKind, entry: Entry, here: str, there: str, other: Entry | None = None) -> Break:
    named = other or entry
    return Break(kind, entry.claim or named.claim, entry.receivable or named.receivable, entry.place, here, there)


def _same_day(here: datetime.date, there: datetime.date | None) -> bool:
    return there is not None and abs((here - there).days) <= DAYS_APART_MAX


def _said(entry: Entry) -> str:
    return entry.state or "an entry"


def _date(funded_ms: int) -> datetime.date | None:
    """The UTC day of a block's time; None for never."""
    return datetime.datetime.fromtimestamp(funded_ms // 1000, tz=datetime.UTC).date() if funded_ms else None
