"""Claims asserted outside this ledger: what a register, a notice or a document elsewhere says of a receivable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final, NamedTuple

from registry.records.core import SubjectId
from registry.records.row import Lists

__all__ = ["CAPACITIES", "END_GROUNDS", "SOURCES", "Asserted", "ExternalClaim", "ExternalClaims"]

# What asserts the claim, beside a register by its law and name (CL:RPETC): a notice that the debtor received, a
# document (an invoice that names a factor), a contract that somebody has seen.
SOURCES: Final = ("notice", "document", "contract")
CAPACITIES: Final = ("registrant", "debtor", "financier", "searcher")
# The assignee gave it up; it was paid; it never was on this receivable; its holder has the same claim on this ledger.
END_GROUNDS: Final = ("released", "paid", "mistaken", "on_ledger")


class Asserted(NamedTuple):
    """One external claim in the list of its receivable: who recorded it, and whether it stands."""

    claim: SubjectId
    by: str
    stands: bool


def _asserted(rows: list[Any]) -> tuple[Asserted, ...]:
    return tuple(map(Asserted._make, rows))


@dataclass(frozen=True, slots=True)
class ExternalClaim:
    """That an assignment or pledge of `share` of a receivable is asserted outside this ledger. It decides nothing.

    `by` recorded it as one of CAPACITIES, at block time `recorded_ms`; `grade` says what it has to show. `source` is a
    register (`CL:RPETC`) or one of SOURCES, `reference` pins what it says: the digest of the document, or of the number
    in the register under a salt. `assignee` is the id of a party or, of somebody else, 32 bytes that commit to it
    (all zero: not named). `concluded_ms` is when it was concluded, `entered_ms` when it was registered there or, for a
    notice, received by the debtor; 0 for not known.

    `ground` is "" while it stands, then one of END_GROUNDS; `ended_by`, `ended_ms` and `end_digest` say who ended it,
    when (block time), and pin what shows it ("", 0 and b"" before).
    """

    PREFIX: ClassVar = b"external/"
    LISTS: ClassVar[Lists] = {}

    id: SubjectId
    receivable: SubjectId
    by: str
    capacity: str
    source: str
    reference: bytes
    assignee: str | bytes
    share: int
    concluded_ms: int
    entered_ms: int
    grade: str
    recorded_ms: int
    ground: str = ""
    ended_by: str = ""
    ended_ms: int = 0
    end_digest: bytes = b""

    @property
    def stands(self) -> bool:
        """Whether nobody has ended it."""
        return not self.ground

    @property
    def member(self) -> str:
        """The party that the claim is said to be of, "" if it is no member or not named."""
        return self.assignee if isinstance(self.assignee, str) else ""

    def concerns(self) -> tuple[str, ...]:
        """Who recorded it and the member it is of; whoever may read the receivable may read it too (`families`)."""
        return tuple(sorted({self.by, self.member} - {""}))


@dataclass(frozen=True, slots=True)
class ExternalClaims:
    """The external claims of the receivable with this id, in order: those that stand, and what was ended since the
    last one was recorded."""

    PREFIX: ClassVar = b"external-of/"
    LISTS: ClassVar[Lists] = {"claims": _asserted}

    id: SubjectId
    claims: tuple[Asserted, ...]

    @property
    def standing(self) -> tuple[SubjectId, ...]:
        """The ids of those that nobody has ended, oldest first."""
        return tuple([one.claim for one in self.claims if one.stands])

    def concerns(self) -> tuple[str, ...]:
        """Nobody by itself: whoever may read the receivable (`families`)."""
        return ()
