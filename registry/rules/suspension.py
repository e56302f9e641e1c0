"""What an open dispute suspends: "it stops new claims and funding, never changes priority" (registry.md 4)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from registry.events import Event
from registry.limits import DISPUTES_LOOKED_AT_MAX
from registry.reasons import DISPUTED
from registry.records import Claim, Dispute, Receivable
from registry.rules.lineage import ancestors, descendants, finder
from registry.rules.transitions import VACATED
from registry.rules.verdicts import Call, Refusal, first, together
from registry.state import State

__all__ = ["disputes_to_look_at", "open_on", "stopping_on", "suspended", "suspending"]


def suspending(call: Call, receivable: Receivable, *, below: bool = True) -> Iterator[bytes]:
    """The disputes that keep new claims away from a receivable; without those `below` it, what stops a sale of one.

    A claim weighs on the receivable, on its ancestors and on its descendants (`lineage`), so a dispute on any of these
    is one on the claim: half an order that is denied is no ground to lend on, nor is the order of a denied invoice. A
    sibling shares nothing with it that the dispute is about, and a relative that is over (a cancelled invoice, say) has
    nothing left to lose. Under an ancestor that was rejected, voided or credited to nothing no claim is taken anyway.

    Who holds a claim already and sells it risks nobody's new money on what was registered below it since, by a seller
    that has sold the whole and a debtor of the part that may be its accomplice.
    """
    if receivable.disputes:
        yield from stopping_on(call, receivable)
    if receivable.parents or receivable.children:
        find = finder(call.state, receivable)
        for relative in (*ancestors(receivable, find), *(descendants(receivable, find) if below else ())):
            if relative.state not in VACATED:
                yield from stopping_on(call, relative)


def suspended(
    call: Call, receivable: Receivable, subject: bytes, claim: Claim | None = None, *, below: bool = True
) -> Refusal | None:
    """The refusal of what an open dispute stops, None if there is none. Both sides of a `claim` hear of it."""
    disputes = first(suspending(call, receivable, below=below))
    if not disputes:
        return None
    if claim is None:
        return Refusal(DISPUTED, subject, disputes)
    event = Event("refused_claim", claim.id, together(claim.assignor, claim.holder), DISPUTED)
    return Refusal(DISPUTED, subject, disputes, (event,))


def disputes_to_look_at(state: State, receivable: Receivable, now_ms: int) -> tuple[bytes, ...]:
    """The disputes that run on a receivable, then those on its lineage: what funding must acknowledge.

    One that was answered may stop nothing and still be right; who pays while it runs knows of it. Relatives that are
    over are left out, as in `suspending`. Of very many the first ones stand for the rest.
    """
    find = finder(state, receivable)
    relatives = [*ancestors(receivable, find), *descendants(receivable, find)]
    members = (receivable, *(one for one in relatives if one.state not in VACATED))
    running = (one.id for member in members for one in _disputes(state, member) if one.runs_at(now_ms))
    return tuple(islice(running, DISPUTES_LOOKED_AT_MAX))


def open_on(call: Call, receivable: Receivable) -> Iterator[bytes]:
    """The disputes on the receivable itself that the clocks have not ended, also those that stop nothing."""
    return (dispute.id for dispute in _disputes(call.state, receivable) if dispute.runs_at(call.now_ms))


def stopping_on(call: Call, receivable: Receivable) -> Iterator[bytes]:
    """Those of them that stop business now."""
    return (dispute.id for dispute in _disputes(call.state, receivable) if dispute.suspends_at(call.now_ms))


def _disputes(state: State, receivable: Receivable) -> Iterator[Dispute]:
    for dispute in receivable.disputes:
        found = state.find(Dispute, dispute)
        assert found is not None, "a receivable names a dispute that is not there"
        yield found
