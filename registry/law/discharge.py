"""Whom the debtor may safely pay. Not the same question as priority: who was paid may owe it to who ranks first.

A family looks at the claims of which the debtor had notice; with none, the debtor may pay the seller under every law
here. That the debtor knew otherwise is no fact of a case: texts say where it matters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from registry.law.families import Order
from registry.law.seen import Seen
from registry.law.wording import Reason, instant, reason

__all__ = ["DISCHARGES", "Payment", "payment"]


@dataclass(frozen=True, slots=True)
class Payment:
    """Whom the debtor may pay with discharge: a claim, by id, or the seller (None); or, with `seller_too`, either."""

    payee: str | None
    reasons: tuple[Reason, ...]
    seller_too: bool = False


_Discharge: TypeAlias = Callable[[Sequence[Seen], Order], tuple[Seen, Reason]]


def first_notified(notified: Sequence[Seen], order: Order) -> tuple[Seen, Reason]:
    """The first whose notice arrived. SPC Contract Interpretation 50; UN Convention (2001) 17(4)."""
    payee = min(notified, key=lambda each: (each.notified_ms, each.age))
    return payee, _timed("pay_first_notified", payee)


def earliest_of_notified(notified: Sequence[Seen], order: Order) -> tuple[Seen, Reason]:
    """The earliest assignment among those the debtor knows of. BGB 407, 408; Cass. com. 12 January 1999."""
    payee = min(notified, key=lambda each: each.age)
    return payee, _timed("pay_earliest_of_notified", payee)


def foremost_of_notified(notified: Sequence[Seen], order: Order) -> tuple[Seen, Reason]:
    """Whoever ranks highest among those notified: several notices put the debtor on inquiry. UCC 9-406(a)."""
    ranks = {standing.claim: rank for rank, standing in enumerate(order.standings)}
    payee = min(notified, key=lambda each: ranks[each.claim.id])
    return payee, reason("pay_foremost_of_notified", claimant=payee.claim.claimant)


DISCHARGES: Final[Mapping[str, _Discharge]] = MappingProxyType(
    {
        "first_notified": first_notified,
        "earliest_of_notified": earliest_of_notified,
        "foremost_of_notified": foremost_of_notified,
    }
)


def payment(family: str, claims: Sequence[Seen], order: Order) -> Payment:
    """Whom the debtor may pay under a family of `DISCHARGES`, as long as no ban on assignment changes it."""
    notified = [each for each in claims if each.notified_ms is not None]
    if not notified:
        return Payment(None, (reason("pay_seller"),))
    payee, why = DISCHARGES[family](notified, order)
    return Payment(payee.claim.id, (_timed("pay_only_notified", payee) if len(notified) == 1 else why,))


def _timed(code: str, payee: Seen) -> Reason:
    assert payee.notified_ms is not None, payee.claim.id
    return reason(code, claimant=payee.claim.claimant, at=instant(payee.notified_ms))
