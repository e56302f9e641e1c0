"""How a dispute ends, and what that does to the receivable (registry.md 9). No ending changes a claim.

An accepted dispute lowers what is collectible, with all the consequences of a credit note; a registration that is found
false is voided. Either leaves every claim with its share and its place: a claim on what is not owed is evidence against
whoever sold it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from registry.events import Event
from registry.records import Dispute, Live, Receivable
from registry.records.disputes import Step
from registry.rules.consequences import credited, holders_of_live, live_in_lineage, standing_on
from registry.rules.lineage import Encumbrance, ancestors, descendants, finder
from registry.rules.transitions import FALSIFIABLE, OPEN
from registry.rules.verdicts import Call, Effects, first, together
from registry.state import put_of

__all__ = ["UPHELD", "concerned", "ended", "harmed_unheard", "paid_or_unheard"]

# What it comes to when the respondents let the clocks run out, by ground. Silence in the time to give particulars
# concedes the share that the debtor will not pay (GRIF art. 27), and a third party's claim to the proceeds. Where
# the ground is that the registration is false, silence concedes that: a registrant that will not speak for its own
# invoice must not keep the rightful seller from registering. Holders of claims may answer in the registrant's place,
# and silence alone never voids what they have claims on or were paid for: see `paid_or_unheard`.
#
# The other way round there is nothing to weigh: an opener that lets the clocks run out after an answer has given the
# dispute up, on every ground. Whoever stops others' business must go on with it.
UPHELD: Final[Mapping[str, str]] = MappingProxyType(
    {
        "refusal": "reduced",
        "defence": "reduced",
        "counterclaim": "reduced",
        "set_off": "reduced",
        "third_party_claim": "reduced",
        "not_my_invoice": "voided",
        "squatting": "voided",
        "no_such_debt": "voided",
    }
)


def concerned(call: Call, dispute: Dispute, receivable: Receivable) -> tuple[str, ...]:
    """Who hears of every step: the opener, all who stand on the receivable, with holders of claims that weigh on it."""
    return together(dispute.opener, *standing_on(call, receivable))


def paid_or_unheard(call: Call, dispute: Dispute, receivable: Receivable) -> tuple[bytes, ...]:
    """What keeps the sides and their clocks from voiding the receivable: only an award of the authorities does then.

    Voiding frees the identity to be registered and financed again. If seller and debtor, by a word or by silence, could
    do that over the heads of those who paid, a dispute would be the way to sell one invoice twice. So it is in the way
    that anything was paid on the receivable or through its lineage (these receivables): that there was such a debt has
    been shown, and whoever held the claim has no signature to give any more. And so are the claims weighing on it whose
    holders have neither signed this nor asked for it as the opener.
    """
    find = finder(call.state, receivable)
    lineage = (receivable, *ancestors(receivable, find), *descendants(receivable, find))
    paid = (one.id for one in lineage if one.paid)
    return first((*paid, *_unheard(call, dispute, live_in_lineage(call, receivable))))


def harmed_unheard(call: Call, dispute: Dispute, receivable: Receivable, reduction: int) -> tuple[bytes, ...]:
    """The funded claims that the sides would leave uncovered by `reduction`, and whose holders have not agreed to it.

    What seller and debtor agree after an assignment does not bind the assignee to its harm (Civil Code of China,
    art. 765; UN Convention on the Assignment of Receivables, art. 20; UCC 9-405), and a financier that paid did so on
    what was collectible then. So beyond what is free, its signature is needed, or an award that the authorities
    execute. Missed clocks need neither: each holder was told and may answer. A seller's credit note (`adjust`) is no
    agreement but its own act, for which it answers to the holder: `over_advanced` tells all of it.
    """
    if reduction == 0 or _on(call, receivable) <= receivable.collectible - reduction:
        return ()
    return _unheard(call, dispute, [one for one in live_in_lineage(call, receivable) if one.until_ms == 0])


def _on(call: Call, receivable: Receivable) -> int:
    return Encumbrance(finder(call.state, receivable), call.now_ms).on(receivable)


def _unheard(call: Call, dispute: Dispute, live: list[Live]) -> tuple[bytes, ...]:
    asked = {dispute.opener, *(party.id for party in call.parties)}
    holders = holders_of_live(call, live)
    return first(one.claim for one, holder in zip(live, holders, strict=True) if holder not in asked)


def ended(
    call: Call,
    dispute: Dispute,
    receivable: Receivable,
    state: str,
    *,
    event: str,
    steps: tuple[Step, ...] = (),
    reduction: int = 0,
    award: bytes = b"",
) -> Effects:
    """The effects of a dispute that ends in `state`, lowering what is collectible by `reduction` if so much is left."""
    left = replace(receivable, disputes=tuple([one for one in receivable.disputes if one != dispute.id]))
    taken = min(reduction, left.collectible) if left.state in OPEN else 0
    following: tuple[Event, ...] = ()
    if state == "voided" and left.state in FALSIFIABLE:
        parties = concerned(call, dispute, receivable)
        left = replace(left, state="voided", disputes=())
        following = (Event("voided", left.id, parties, dispute.ground),)
    elif taken:
        left, following = credited(call, left, taken)
    done = replace(dispute, state=state, reduction=taken, award=award, steps=(*dispute.steps, *steps))
    detail = str(taken) if state == "settled" else state
    heard = Event(event, dispute.id, concerned(call, dispute, receivable), "" if state == "withdrawn" else detail)
    return Effects(dispute.id, puts=(put_of(done), put_of(left)), related=(left.id,), events=(heard, *following))
