"""What a dispute is on the ledger (registry.md 9): who says what of which receivable, and how far up the ladder it is.

No text and no name of an answering party: texts are pinned by digest and language, and of the two sides only the opener
is named, because who raises a dispute must not learn by it who registered a receivable or holds a claim on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final, NamedTuple

from registry.codec import tagged_digest
from registry.records.core import SubjectId
from registry.records.row import Lists

__all__ = [
    "CAPACITIES",
    "DISPUTE_STATES",
    "FORUMS",
    "GROUNDS",
    "OPENER",
    "OUTCOMES",
    "RESPONDENT",
    "STRANGERS",
    "UNTIL_ANSWERED",
    "Dispute",
    "Raised",
    "Step",
    "other_side",
    "raised_id",
]

# FCI General Rules for International Factoring, art. 27: the first five; the others say that a registration is false.
GROUNDS: Final = (
    "refusal",
    "defence",
    "counterclaim",
    "set_off",
    "third_party_claim",
    "not_my_invoice",
    "squatting",
    "no_such_debt",
)
CAPACITIES: Final = ("debtor", "holder", "registrant", "second_holder", "applicant")
# Who owes nothing and has paid nothing on this record stops business only until it is answered: what gives it standing
# can be copied. So can what makes a second holder: it has paid, maybe one unit, on whatever shares a fingerprint.
# And a registrant has been paid: it has credit notes for what it gives up, and must not lock in whom it sold to.
UNTIL_ANSWERED: Final = frozenset({"applicant", "registrant", "second_holder"})
STRANGERS: Final = frozenset({"applicant", "second_holder"})  # to the record: there is no end of them
OPENER: Final = "opener"
RESPONDENT: Final = "respondent"
FORUMS: Final = ("CIETAC", "SIAC", "HKIAC", "ICC", "COURT")  # who decides at the last rung
OUTCOMES: Final = ("dismissed", "reduced", "voided")  # of an award, and of missed clocks
DISPUTE_STATES: Final = ("open", "withdrawn", "settled", *OUTCOMES)  # stored; `Dispute.state_at` knows two more


class Step(NamedTuple):
    """One step of one side (or of the authorities): its text is pinned by digest and language (ISO 639-1)."""

    kind: str
    side: str
    at_ms: int
    text_digest: bytes
    language: str


def _steps(rows: list[Any]) -> tuple[Step, ...]:
    return tuple(map(Step._make, rows))


def other_side(side: str) -> str:
    """The side opposite to this one."""
    return RESPONDENT if side == OPENER else OPENER


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute over `share` of a receivable, on one of GROUNDS, under the rule-book in force when it was raised.

    `capacity` says as whom the `opener` has standing. `rung` counts the ladder from 0; `mover` is the side that brought
    it to this rung, the other one is to answer until `answer_by_ms` (0 at the last rung: there the award answers), and
    `answered_ms` says when it did (0: it has not). Until `closes_ms` the next step may be taken; after that the result
    is what `stands_for` says. `carried` is the side for which it stood when it came to this rung, "" at the first.
    `forum` and `seat` (a country, or "") say where it is decided, "" below the last rung. `reduction` is the share by
    which the outcome lowered what is collectible, `award` the digest of an award or b"".
    """

    PREFIX: ClassVar = b"dispute/"
    LISTS: ClassVar[Lists] = {"steps": _steps}

    id: SubjectId
    receivable: SubjectId
    opener: str
    capacity: str
    ground: str
    share: int
    rulebook: str
    state: str
    rung: int
    mover: str
    answer_by_ms: int
    answered_ms: int
    closes_ms: int
    carried: str
    forum: str
    seat: str
    reduction: int
    award: bytes
    steps: tuple[Step, ...]

    @property
    def at_last_rung(self) -> bool:
        """Whether an award is awaited."""
        return self.answer_by_ms == 0

    def stands_for(self, now_ms: int) -> str:
        """The side for which it stands at block time `now_ms`, "" while an answer is awaited in time.

        Whoever answered in time stands until the other goes on; whoever did not, has lost the rung. A dispute that was
        taken to a forum stands as it did before until there is an award.
        """
        if self.at_last_rung:
            return self.carried
        if self.answered_ms:
            return other_side(self.mover)
        return self.mover if now_ms > self.answer_by_ms else ""

    def state_at(self, now_ms: int) -> str:
        """The state at block time `now_ms`: the stored one or, when all clocks of an open one have run out, "upheld"
        (it stands for the opener) or "lapsed" (for the other side)."""
        if self.state != "open" or now_ms <= self.closes_ms:
            return self.state
        return "upheld" if self.stands_for(now_ms) == OPENER else "lapsed"

    def runs_at(self, now_ms: int) -> bool:
        """Whether it can still come to something at block time `now_ms`."""
        return self.state_at(now_ms) in ("open", "upheld")

    def suspends_at(self, now_ms: int) -> bool:
        """Whether it keeps new claims away at block time `now_ms`.

        All that run do, but for those of UNTIL_ANSWERED: from an answer on they do not, until the respondent misses a
        clock. While the next answer is awaited in time, it is as it was before.
        """
        answered = (self.stands_for(now_ms) or self.carried) == RESPONDENT
        return self.runs_at(now_ms) and not (answered and self.capacity in UNTIL_ANSWERED)

    def concerns(self) -> tuple[str, ...]:
        """The opener; whoever may read the receivable may read its disputes too (`families`)."""
        return (self.opener,)


@dataclass(frozen=True, slots=True)
class Raised:
    """The newest dispute of one opener on one ground on one receivable, of which `raised_id` is the id."""

    PREFIX: ClassVar = b"raised/"
    LISTS: ClassVar[Lists] = {}

    id: SubjectId
    dispute: SubjectId


def raised_id(receivable: SubjectId, opener: str, ground: str) -> SubjectId:
    """Where it stands what `opener` raised on this ground."""
    return tagged_digest(b"NEMODAT-v1-raised", receivable, opener.encode(), ground.encode())
