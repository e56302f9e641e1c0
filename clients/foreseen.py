"""What registering would be refused for, by what can be read beforehand: for a dry run, never instead of a receipt.

The rule is `registry.rules.receivables.register`; this tells what a registrant most often runs into, in its words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clients import reads
from clients.exchange import Procedure
from clients.exporter import Listing
from clients.financier import certified
from clients.session import Session
from registry.fingerprint import LEVELS, Particulars, inputs, register_fingerprints
from registry.limits import SEARCH_MAX
from registry.money import WHOLE
from registry.parties import Party
from registry.reasons import BAD_STATE, DUPLICATE, NO_PARENT, NOT_AUTHORISED, NOT_FOUND, OVER_PARENT
from registry.records import Receivable
from registry.rules.roles import may
from registry.rules.transitions import BLOCKING, OPEN, VACATED, receivable_obstacle

__all__ = ["Obstacle", "certain_inputs", "duplicates", "obstacles"]

PURPOSE = "dry run of a registration"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a registration would be refused: the code, and the records it collides with.

    `certain` unless one of them is not for this party to see: then it may be no obstacle, or not be there.
    """

    code: str
    related: tuple[bytes, ...] = ()
    certain: bool = True


def certain_inputs(particulars: Particulars) -> frozenset[tuple[str, bytes]]:
    """What two registrations of one debt have in common for certain (`registry.fingerprint.inputs`), key or no key."""
    return frozenset(one for one in inputs(particulars) if LEVELS[one[0]] == "block")


class _Reader:
    """Receivables, each read once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[bytes, Receivable | None] = {}

    def receivable(self, id_: bytes) -> Procedure[Receivable | None]:
        if id_ not in self._known:
            self._known[id_] = yield from reads.receivable(self._session, id_)
        return self._known[id_]


def obstacles(session: Session, listings: Sequence[Listing]) -> Procedure[tuple[Obstacle | None, ...]]:
    """For each listing, registered in this order: why its registrant, what it corrects or its parents refuse it.

    A copy of an earlier one will be refused as a duplicate, and takes nothing of a parent.
    """
    party = yield from reads.party(session, session.party)
    reader = _Reader(session)
    taken: dict[bytes, int] = {}  # of each parent, by its parts so far
    known: set[tuple[str, bytes]] = set()
    found = []
    for listing in listings:
        obstacle = yield from _obstacle(party, listing, reader, taken)
        certain = certain_inputs(listing.particulars)
        if obstacle is None and not known & certain:
            for parent, of_parent, _ in listing.parents:
                assert isinstance(parent, bytes)
                taken[parent] += of_parent
        known |= certain
        found.append(obstacle)
    return tuple(found)


def duplicates(session: Session, listings: Sequence[Listing]) -> Procedure[tuple[Obstacle | None, ...]]:
    """For each listing: the records with the same certain identity, by proved searches.

    Raises `RequestFailed` if this party may not search.
    """
    key = session.genesis.fingerprint_key
    certain = [
        [one for one in register_fingerprints(key, listing.particulars) if LEVELS[one[0]] == "block"]
        for listing in listings
    ]
    asked = list(dict.fromkeys(one for prints in certain for one in prints))
    holders: dict[tuple[str, bytes], list[str]] = {}
    for start in range(0, len(asked), SEARCH_MAX):
        prints = asked[start : start + SEARCH_MAX]
        certificate = yield from certified(session, prints, purpose=PURPOSE)
        holders |= zip(prints, (result["matches"] for result in certificate["results"]), strict=True)
    reader = _Reader(session)
    found = []
    for listing, prints in zip(listings, certain, strict=True):
        others = dict.fromkeys(bytes.fromhex(other) for one in prints for other in holders[one])
        found.append((yield from _duplicate(listing, others, reader)))
    return tuple(found)


def _obstacle(
    party: Party | None, listing: Listing, reader: _Reader, taken: dict[bytes, int]
) -> Procedure[Obstacle | None]:
    payable = listing.kind == "payable"
    if party is None or not may(party, "register_payable" if payable else "register"):
        return Obstacle(NOT_AUTHORISED)
    if listing.kind == "instalment" and not listing.parents:
        return Obstacle(NO_PARENT)
    if isinstance(listing.supersedes, bytes):
        old = yield from reader.receivable(listing.supersedes)
        if old is None:
            return Obstacle(NOT_FOUND, (listing.supersedes,), certain=False)
        if code := _against_correction(old, party, payable=payable):
            return Obstacle(code, (old.id,))
    over: list[bytes] = []
    parts = [(id_, of_parent) for id_, of_parent, _ in listing.parents if isinstance(id_, bytes)]  # all: not of a batch
    for id_, of_parent in parts:
        parent = yield from reader.receivable(id_)
        if parent is None:
            return Obstacle(NOT_FOUND, (id_,), certain=False)
        if parent.registrant != party.id or (parent.kind == "payable") != payable:
            return Obstacle(NOT_AUTHORISED, (id_,))
        if parent.state not in OPEN or id_ == listing.supersedes:
            return Obstacle(BAD_STATE, (id_,))
        if id_ not in taken:
            taken[id_] = 0
            for link in parent.children:
                child = yield from reader.receivable(link.receivable)
                counts = child is None or (child.state not in VACATED and child.id != listing.supersedes)
                taken[id_] += link.part_of_parent * counts
        if taken[id_] + of_parent > WHOLE:
            over.append(id_)
    return Obstacle(OVER_PARENT, tuple(over)) if over else None


def _against_correction(old: Receivable, party: Party, *, payable: bool) -> str | None:
    """Not what may be claimed on it or through it, what is disputed, or confirmed twice."""
    if old.registrant != party.id or (old.kind == "payable") != payable:
        return NOT_AUTHORISED
    return receivable_obstacle(old, "supersede") or (BAD_STATE if old.paid or old.collectible != WHOLE else None)


def _duplicate(listing: Listing, others: Iterable[bytes], reader: _Reader) -> Procedure[Obstacle | None]:
    explained = {id_ for id_, *parts in listing.parents if parts == [WHOLE, WHOLE]} | {listing.supersedes}
    related: list[bytes] = []
    certain = True
    for other in others:
        if other in explained:
            continue
        record = yield from reader.receivable(other)
        if record is None or record.state in BLOCKING:
            related.append(other)
            certain = certain and record is not None
    return Obstacle(DUPLICATE, tuple(related), certain=certain) if related else None
