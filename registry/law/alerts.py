"""Warnings under one law: what lapsed, what is missing, what the order does not say, and what nobody is sure of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from registry.law.ban import BanAnswer, BanEffect
from registry.law.case import Case, Claim
from registry.law.discharge import Payment
from registry.law.families import Order
from registry.law.profiles import Profile
from registry.law.seen import Seen, in_order, lapse_of
from registry.law.wording import Reason, Words, instant, reason
from registry.money import Money

__all__ = ["LAPSES_SOON_MS", "Finding", "alerts"]

LAPSES_SOON_MS: Final = 184 * 24 * 60 * 60 * 1000  # six months: the time in which a UCC filing is continued, 9-515(d)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What has been found under one law, before the warnings. `awards` is None where nothing can be shared out.

    `if_proved` is the order if all dates were proved that are only told.
    """

    case: Case
    profile: Profile
    claims: tuple[Seen, ...]
    order: Order
    payment: Payment
    bans: tuple[BanAnswer, ...]
    awards: Mapping[str, Money] | None
    if_proved: Order

    @property
    def winners(self) -> tuple[Seen, ...]:
        """The claims of the first tier that rank, oldest first."""
        return tuple(each for each in self.claims if each.claim.id in self.order.winners)


def alerts(found: Finding) -> tuple[Reason, ...]:
    """All warnings, in the order of `_WATCHES`."""
    return found.order.remarks + tuple(warning for watch in _WATCHES for warning in watch(found))


def _filings(found: Finding) -> Iterator[Reason]:
    """Filings that lapsed, lapse soon, do not count here, or are still to be made."""
    registers = found.profile.registers
    for each in found.claims:
        made = in_order(filing for filing in each.claim.filings if filing.at_ms <= found.case.as_of_ms)
        for filing in made:
            lapses_ms = lapse_of(filing, found.profile.filing_years)
            if filing.register not in registers or lapses_ms is None:
                continue
            if lapses_ms - found.case.as_of_ms <= LAPSES_SOON_MS:
                yield reason(
                    "filing_lapsed" if lapses_ms <= found.case.as_of_ms else "filing_lapses_soon",
                    claimant=each.claim.claimant,
                    register=registers[filing.register],
                    number=filing.number,
                    at=instant(lapses_ms),
                )
        if registers and each.registered_ms is None:
            for register in sorted({filing.register for filing in made} - registers.keys()):
                yield reason("filing_elsewhere", claimant=each.claim.claimant, register=register)
            wanted = list(registers.values())
            names = Words(", ".join(name.en for name in wanted), "、".join(name.zh for name in wanted))
            yield reason("filing_still_needed", claimant=each.claim.claimant, registers=names)


def _winners(found: Finding) -> Iterator[Reason]:
    """What the first claimant should hear, or that there is none."""
    if not found.winners:
        yield reason("nobody_ranks")
    for each in found.winners:
        claimant = each.claim.claimant
        for other in found.claims:
            if each.knew_of(other):
                yield reason("winner_knew", claimant=claimant, earlier=other.claim.claimant)
        if each.claim.here is None:
            yield reason("winner_not_on_ledger", claimant=claimant)
        if each.claim.blanket:
            yield reason("winner_is_blanket", claimant=claimant)
        if each.notified_ms is None:
            yield reason("notice_missing", claimant=claimant)


def _told(found: Finding) -> Iterator[Reason]:
    """Whom a claim would come before if the date were proved that it and the seller told."""
    for claim in (each.claim for each in found.claims if each.claim.since_ms != each.claim.concluded_ms):
        overtaken = _ahead(found.order, claim.id) - _ahead(found.if_proved, claim.id)
        if overtaken:
            yield reason(
                "first_if_date_proved" if claim.id in found.if_proved.winners else "before_if_date_proved",
                claimant=claim.claimant,
                at=instant(claim.concluded_ms),
                shown=instant(claim.since_ms),
                others=", ".join(other.claim.claimant for other in found.claims if other.claim.id in overtaken),
            )


def _ahead(order: Order, claim: str) -> set[str]:
    """The claims of the tiers before its own."""
    (tier,) = [standing.tier for standing in order.standings if standing.claim == claim]
    return {standing.claim for standing in order.standings if standing.tier < tier}


def _asserted(found: Finding) -> Iterator[Reason]:
    """Claims that nobody has shown to be there."""
    for each in found.claims:
        if each.claim.asserted:
            yield reason("asserted_only", claimant=each.claim.claimant, source=each.claim.asserted)


def _amounts(found: Finding) -> Iterator[Reason]:
    """Financing beyond the receivable, what is not known of it, and what the sharing out does not say."""
    funded = [each.claim.funded.minor for each in found.claims if each.claim.funded is not None]
    if sum(funded) > found.case.amount.minor:
        total = Money(found.case.amount.currency, sum(funded))
        yield reason("over_financed", total=str(total), amount=str(found.case.amount))
    if found.profile.priority == "no_over_financing":
        for each in found.claims:
            if each.claim.funded is None and not each.claim.blanket:
                yield reason("free_value_unknown", claimant=each.claim.claimant)
    if found.case.collected is not None and found.awards is None and found.winners:
        yield reason("split_unknown")
    for each in found.winners:
        award = (found.awards or {}).get(each.claim.id)
        if award is not None and each.claim.funded is not None and award.minor > each.claim.funded.minor:
            yield reason(
                "takes_more_than_funded",
                claimant=each.claim.claimant,
                funded=str(each.claim.funded),
                award=str(award),
            )


def _debtor(found: Finding) -> Iterator[Reason]:
    """What the debtor should hear."""
    by_id = {each.claim.id: each.claim for each in found.claims}
    first = found.order.winners
    if found.payment.payee is not None and first and found.payment.payee not in first:
        yield reason("payee_is_not_first", payee=by_id[found.payment.payee].claimant, first=_names(by_id, first))
    if sum(each.notified_ms is not None for each in found.claims) > 1:
        yield reason("notified_several")
    acknowledged = (each.claim.acknowledged_ms for each in found.claims)
    if sum(at_ms is not None and at_ms <= found.case.as_of_ms for at_ms in acknowledged) > 1:
        yield reason("acknowledged_several")


def _ban(found: Finding) -> Iterator[Reason]:
    if any(answer.effect not in {BanEffect.NO_BAN, BanEffect.WITHOUT_EFFECT} for answer in found.bans):
        yield reason("ban_may_bite")


def _doubts(found: Finding) -> Iterator[Reason]:
    doubtful = [rule.citation for rule in found.profile.cited(found.bans) if rule.confidence != "high"]
    if doubtful:
        en, zh = "; ".join(each.en for each in doubtful), "；".join(each.zh for each in doubtful)
        yield reason("not_certain", rules=Words(en, zh))


def _names(by_id: Mapping[str, Claim], ids: tuple[str, ...]) -> str:
    return ", ".join(by_id[each].claimant for each in ids)


_WATCHES: Final[tuple[Callable[[Finding], Iterator[Reason]], ...]] = (
    _filings,
    _winners,
    _told,
    _asserted,
    _amounts,
    _debtor,
    _ban,
    _doubts,
)
