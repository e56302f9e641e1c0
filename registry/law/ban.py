"""Whether a clause of the contract that bans assignment has effect.

A profile lists its rules in order, each with its conditions. A condition may be met, not met, or not known: a rule
whose conditions are not all known answers "if ...", and the next ones answer "otherwise".
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from registry.law.case import Contract
from registry.law.discharge import Payment
from registry.law.wording import Reason, reason

__all__ = ["CONDITIONS", "BanAnswer", "BanEffect", "BanRule", "after_ban", "ban_answers", "certain_effect"]

_EPOCH = datetime.date(1970, 1, 1)
_DAY_MS = 24 * 60 * 60 * 1000


class BanEffect(StrEnum):
    """What a ban does to an assignment made against it. Each is a code of `CODES` too."""

    NO_BAN = "no_ban"
    WITHOUT_EFFECT = "ban_without_effect"  # the assignee may collect
    DEBTOR_MAY_PAY_SELLER = "ban_debtor_may_pay_seller"  # the assignment is good, but the debtor may ignore it
    BINDS_ASSIGNEE = "ban_binds_assignee"  # no effect against the debtor
    NOT_AGAINST_GOOD_FAITH = "ban_not_against_good_faith"
    FORBIDS_FINANCING = "ban_forbids_financing"


@dataclass(frozen=True, slots=True)
class BanRule:
    """One rule on bans: what it takes (`when`, names of `CONDITIONS`; contracts from a day on), and what follows."""

    when: tuple[str, ...]
    contract_from: datetime.date | None
    effect: BanEffect
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BanAnswer:
    """An effect, and what is not known but would have to be so for it; nothing: it is certain."""

    conditions: tuple[Reason, ...]
    effect: BanEffect
    rules: tuple[str, ...]


def _small_or_medium(contract: Contract) -> bool | None:
    return None if contract.seller_size is None else contract.seller_size == "small_or_medium"


def _not_in_document(contract: Contract) -> bool | None:
    return None if contract.ban_in_document is None else not contract.ban_in_document


CONDITIONS: Final[Mapping[str, Callable[[Contract], bool | None]]] = MappingProxyType(
    {
        "seller_small_or_medium": _small_or_medium,
        "between_businesses": lambda contract: contract.between_businesses,
        "ban_not_in_document": _not_in_document,
    }
)


def ban_answers(contract: Contract, bans: Sequence[BanRule]) -> tuple[BanAnswer, ...]:
    """What a ban does under these rules; the last of them has no condition, so there always is an answer."""
    if contract.ban is False:
        return (BanAnswer((), BanEffect.NO_BAN, ()),)
    assumed = (reason("if_ban_agreed"),) if contract.ban is None else ()
    return tuple(
        BanAnswer(assumed + conditions, effect, rules) for conditions, effect, rules in _possible(contract, bans)
    )


def certain_effect(answers: Sequence[BanAnswer]) -> BanEffect | None:
    """The effect if nothing is left open; None if it depends on what is not known."""
    return answers[0].effect if len(answers) == 1 and not answers[0].conditions else None


def after_ban(paid: Payment, effect: BanEffect | None) -> Payment:
    """Whom the debtor may pay once the certain effect of a ban is taken into account."""
    if paid.payee is None:
        return paid
    if effect is BanEffect.BINDS_ASSIGNEE:
        return Payment(None, (reason("pay_seller_for_ban"),))
    if effect is BanEffect.DEBTOR_MAY_PAY_SELLER:
        return Payment(paid.payee, (*paid.reasons, reason("pay_seller_despite_notice")), seller_too=True)
    return paid


def _possible(
    contract: Contract, bans: Sequence[BanRule]
) -> Iterator[tuple[tuple[Reason, ...], BanEffect, tuple[str, ...]]]:
    depends = False
    for ban in bans:
        met = [(name, CONDITIONS[name](contract)) for name in ban.when]
        unknown = [reason(f"if_{name}") for name, known in met if known is None]
        recent = _is_from(contract, ban.contract_from)
        if recent is None and ban.contract_from is not None:
            unknown.append(reason("if_contract_from", day=ban.contract_from.isoformat()))
        if recent is False or any(known is False for _, known in met):
            continue
        otherwise = (reason("otherwise"),) if depends and not unknown else ()
        yield (*otherwise, *unknown), ban.effect, ban.rules
        if not unknown:
            return
        depends = True
    raise AssertionError("the last rule on bans has no condition")


def _is_from(contract: Contract, day: datetime.date | None) -> bool | None:
    if day is None:
        return True
    if contract.concluded_ms is None:
        return None
    return contract.concluded_ms >= (day - _EPOCH).days * _DAY_MS
