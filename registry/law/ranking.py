"""THE DOOR of `law`: the four answers under every candidate law. One pure function over the facts of one receivable.

(a) who has priority, (b) whom the debtor may safely pay, (c) whether a ban on assignment has effect, (d) warnings.
Which law applies is not decided: EU law does not (CJEU C-548/18), so every candidate is shown, and whether the winner
depends on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from registry.errors import FieldError
from registry.law.alerts import Finding, alerts
from registry.law.ban import BanAnswer, after_ban, ban_answers, certain_effect
from registry.law.case import Case
from registry.law.discharge import Payment, payment
from registry.law.families import FAMILIES, Contest, Order
from registry.law.pro_rata import pro_rata
from registry.law.profiles import Profile
from registry.law.seen import Seen, see
from registry.law.wording import Reason, reason
from registry.money import Money

__all__ = ["Answer", "Opinion", "rank"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The four answers under one law. `awards`: what of the sum collected goes to each claim, if that can be said."""

    profile: Profile
    order: Order
    awards: Mapping[str, Money] | None
    payment: Payment
    bans: tuple[BanAnswer, ...]
    warnings: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """The answers under each candidate law, and what follows from seeing them side by side. Not legal advice."""

    case: Case
    answers: tuple[Answer, ...]

    @property
    def winner_depends_on_law(self) -> bool:
        """Whether two candidate laws prefer different claims."""
        return len({frozenset(answer.order.winners) for answer in self.answers}) > 1

    @property
    def payee_depends_on_law(self) -> bool:
        """Whether the debtor may pay different people under two candidate laws."""
        return len({(answer.payment.payee, answer.payment.seller_too) for answer in self.answers}) > 1

    @property
    def remarks(self) -> tuple[Reason, ...]:
        """What must be said of the opinion as a whole."""
        codes = []
        if self.winner_depends_on_law:
            codes.append("winner_depends_on_law")
        elif len(self.answers) > 1:
            codes.append("same_under_all")
        if self.payee_depends_on_law:
            codes.append("payee_depends_on_law")
        if len(self.answers) > 1:
            codes.append("several_laws")
        return tuple(reason(code) for code in (*codes, "no_advice"))


def rank(case: Case, profiles: Iterable[Profile]) -> Opinion:
    """The opinion on a case under the laws it names, in its order; under all of `profiles`, by code, if it names none.

    Raises `FieldError` for a law that has no profile.
    """
    known = {profile.code: profile for profile in profiles}
    for index, law in enumerate(case.laws):
        if law not in known:
            raise FieldError(f"laws[{index}]", f"{law} has no profile; there are {', '.join(sorted(known))}")
    return Opinion(case=case, answers=tuple(_answer(case, known[law]) for law in case.laws or sorted(known)))


def _answer(case: Case, profile: Profile) -> Answer:
    claims, order = _order(case, profile)
    proved = replace(case, claims=tuple(replace(claim, shown_ms=None) for claim in case.claims))
    assert sorted(each.claim for each in order.standings) == sorted(each.claim.id for each in claims)
    bans = ban_answers(case.contract, profile.bans)
    paid = after_ban(payment(profile.discharge, claims, order), certain_effect(bans))
    awards = _awards(case, claims, order)
    found = Finding(
        case=case,
        profile=profile,
        claims=claims,
        order=order,
        payment=paid,
        bans=bans,
        awards=awards,
        if_proved=_order(proved, profile)[1],
    )
    return Answer(profile=profile, order=order, awards=awards, payment=paid, bans=bans, warnings=alerts(found))


def _order(case: Case, profile: Profile) -> tuple[tuple[Seen, ...], Order]:
    claims = see(case, registers=profile.registers.keys(), filing_years=profile.filing_years)
    return claims, FAMILIES[profile.priority].order(Contest(claims, case.amount, profile.registers, profile.options))


def _awards(case: Case, claims: Sequence[Seen], order: Order) -> Mapping[str, Money] | None:
    """All that was collected to the first tier, in proportion to what its claims financed; nothing to the others.

    None if nothing was collected, if no claim ranks, or if several share and their financing is not known.
    """
    winners = [each.claim for each in claims if each.claim.id in order.winners]
    if case.collected is None or not winners:
        return None
    if len(winners) == 1:
        parts: tuple[int, ...] | None = (case.collected.minor,)
    else:
        funded = [each.funded.minor for each in winners if each.funded is not None]
        parts = pro_rata(case.collected.minor, funded) if len(funded) == len(winners) else None
    if parts is None:
        return None
    awarded = dict(zip((each.id for each in winners), parts, strict=True))
    assert sum(awarded.values()) == case.collected.minor
    return MappingProxyType(
        {each.claim: Money(case.collected.currency, awarded.get(each.claim, 0)) for each in order.standings}
    )
