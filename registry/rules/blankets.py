"""Blanket assignments: who has everything that a seller has on anyone, or on some debtors (registry.md 6.2).

A blanket covers the receivables that its seller registers, before it began or after. While it stands

- every new registration of the seller that it covers is reported to its holder,
- nobody else can reserve a share of what it covers, unless its holder has carved the receivable out.

`blanket_in_the_way` is that second sentence, and the only place that asks. It is asked when a share is taken
(reserve), not again at funding: a reservation from before the blanket began goes first. A claim that the assignor has
bought back is no way around: it is handed on to nobody (`claims.reassign`).

Which receivables are on a listed debtor the ledger cannot see, because debtors are hidden behind salts. A registration
may carry a fingerprint of kind `account`, of seller and debtor under the network's key, that answers it. It is
not indexed, and it is not part of every registration: it shows every node which receivables of a seller have one
debtor. A registration without it is taken to be on every listed debtor, so leaving it out frees nothing; a wrong one
differs from the particulars, which whoever pays out compares (`clients.financier.check_dossier`).

What the debtor registers (`payable`) names no seller to the ledger, so no blanket covers it here; it comes back as a
match of kind `debtor_side`. A seller that is a debtor too could call payable what is owed to it. Therefore

- a payable is the registrant's own debt and nobody else's: no other party answers for it (`debtors.debtor_of`), it is
  no part of what its registrant sells, nor the other way round, nor a correction of it (`receivables.register`);
- the holder of each blanket over its registrant's receivables hears of it and may read it;
- who funds it says that it has looked at those blankets (`beside`), unless their holders let the payable go.
"""

from __future__ import annotations

from collections.abc import Iterator

from registry.events import Event
from registry.fingerprint import BLANKET_KIND, blanket_mark
from registry.reasons import BLANKET
from registry.records import Claim, Receivable
from registry.records.facilities import CarveOut, Facility, carve_out_id
from registry.rules.verdicts import Call, Refusal, first, together
from registry.state import State

__all__ = [
    "beside",
    "blanket_events",
    "blanket_in_the_way",
    "blankets_to_look_at",
    "carved_out",
    "covering",
    "overlapping",
    "standing",
]


def standing(state: State, seller: str, now_ms: int) -> Iterator[Facility]:
    """The facilities whose blankets over this seller's receivables stand now, oldest first.

    One small key a seller, which is absent where there never was a blanket. Lapsed ones stay on it, and so in
    searches, until the next change of one of the seller's facilities takes them off.
    """
    for facility in state.holders(BLANKET_KIND, blanket_mark(seller)):
        found = state.find(Facility, facility)
        assert found is not None, "a seller's blankets name a facility that is not there"
        if found.blanket_stands(now_ms):
            yield found


def blanket_in_the_way(call: Call, claim: Claim, receivable: Receivable) -> Refusal | None:
    """Why the claim's holder cannot have it: other financiers' blankets over the receivable; None if it can."""
    others = [
        facility
        for facility in covering(call.state, receivable, call.now_ms)
        if facility.financier != claim.holder and not carved_out(call.state, facility, receivable)
    ]
    if not others:
        return None
    parties = together(claim.assignor, claim.holder, *(facility.financier for facility in others))
    event = Event("refused_claim", claim.id, parties, BLANKET)
    return Refusal(BLANKET, claim.id, first(facility.id for facility in others), (event,))


def blanket_events(call: Call, receivable: Receivable) -> list[Event]:
    """What both sides of each blanket over a new registration hear, or of one beside it."""
    return [
        Event(kind, receivable.id, together(facility.seller, facility.financier), facility.id.hex())
        for kind, found in (("blanket_matched", covering), ("payable_beside_blanket", beside))
        for facility in found(call.state, receivable, call.now_ms)
    ]


def overlapping(call: Call, facility: Facility) -> tuple[bytes, ...]:
    """The ids of other financiers' facilities whose blankets cover some of what this one's would."""
    return first(
        other.id
        for other in standing(call.state, facility.seller, call.now_ms)
        if other.financier != facility.financier and _meet(other, facility)
    )


def covering(state: State, receivable: Receivable, now_ms: int) -> Iterator[Facility]:
    """The facilities whose blankets cover the receivable now, carved out or not."""
    if receivable.kind == "payable":
        return
    for facility in standing(state, receivable.registrant, now_ms):
        if facility.covers(receivable):
            yield facility


def beside(state: State, receivable: Receivable, now_ms: int) -> Iterator[Facility]:
    """The facilities with a blanket now over what is owed to the registrant of a payable, which says that it owes."""
    if receivable.kind == "payable":
        yield from standing(state, receivable.registrant, now_ms)


def blankets_to_look_at(state: State, receivable: Receivable, holder: str, now_ms: int) -> tuple[bytes, ...]:
    """The ids of others' facilities that `holder` must acknowledge to fund a payable: those that did not let it go."""
    return tuple(
        [
            facility.id
            for facility in beside(state, receivable, now_ms)
            if facility.financier != holder and not carved_out(state, facility, receivable)
        ]
    )


def carved_out(state: State, facility: Facility, receivable: Receivable) -> bool:
    """Whether the blanket's holder has let the receivable go."""
    return state.find(CarveOut, carve_out_id(facility.id, receivable.id)) is not None


def _meet(one: Facility, other: Facility) -> bool:
    return "all" in (one.blanket, other.blanket) or not set(one.debtors).isdisjoint(other.debtors)
