"""Everything that an opinion may say: the closed list of codes, each with the names of its parameters.

The words are in `texts/`, one file per language. A claim is named by its claimant, a time as `wording.instant` writes
it, an amount as `money.Money` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["CODES"]

_PRIORITY: Final[Mapping[str, tuple[str, ...]]] = {
    # why a claim stands where it stands
    "registered": ("claimant", "at", "register", "number"),
    "notified": ("claimant", "at"),
    "neither_shares": ("claimant",),
    "unregistered_by_conclusion": ("claimant", "at"),
    "unregistered_without_effect": ("claimant",),
    "notice_first": ("claimant", "at"),
    "notice_held_back": ("claimant", "at", "earlier"),
    "no_notice": ("claimant", "at"),
    "concluded": ("claimant", "at"),
    "concluded_as_shown": ("claimant", "at", "told"),
    "completed_by_registration": ("claimant", "at", "register", "number"),
    "completed_by_notice": ("claimant", "at"),
    "not_completed": ("claimant",),
    "within_free_value": ("claimant", "funded", "free"),
    "beyond_free_value": ("claimant", "funded", "free"),
}
_PAYMENT: Final[Mapping[str, tuple[str, ...]]] = {
    # whom the debtor may pay
    "pay_seller": (),
    "pay_only_notified": ("claimant", "at"),
    "pay_first_notified": ("claimant", "at"),
    "pay_earliest_of_notified": ("claimant", "at"),
    "pay_foremost_of_notified": ("claimant",),
    "pay_seller_despite_notice": (),
    "pay_seller_for_ban": (),
}
_BAN: Final[Mapping[str, tuple[str, ...]]] = {
    # a ban on assignment
    "no_ban": (),
    "ban_without_effect": (),
    "ban_debtor_may_pay_seller": (),
    "ban_binds_assignee": (),
    "ban_not_against_good_faith": (),
    "ban_forbids_financing": (),
    "if_ban_agreed": (),
    "if_seller_small_or_medium": (),
    "if_between_businesses": (),
    "if_ban_not_in_document": (),
    "if_contract_from": ("day",),
    "otherwise": (),
}
_WARNINGS: Final[Mapping[str, tuple[str, ...]]] = {
    # what to look at
    "same_time": ("claimant", "other", "at"),
    "circular": (),
    "filing_lapsed": ("claimant", "register", "number", "at"),
    "filing_lapses_soon": ("claimant", "register", "number", "at"),
    "filing_elsewhere": ("claimant", "register"),
    "filing_still_needed": ("claimant", "registers"),
    "nobody_ranks": (),
    "notice_missing": ("claimant",),
    "winner_knew": ("claimant", "earlier"),
    "winner_not_on_ledger": ("claimant",),
    "winner_is_blanket": ("claimant",),
    "asserted_only": ("claimant", "source"),
    "first_if_date_proved": ("claimant", "at", "shown", "others"),
    "before_if_date_proved": ("claimant", "at", "shown", "others"),
    "over_financed": ("total", "amount"),
    "free_value_unknown": ("claimant",),
    "payee_is_not_first": ("payee", "first"),
    "notified_several": (),
    "acknowledged_several": (),
    "split_unknown": (),
    "takes_more_than_funded": ("claimant", "funded", "award"),
    "ban_may_bite": (),
    "not_certain": ("rules",),
}
_OPINION: Final[Mapping[str, tuple[str, ...]]] = {
    # about the opinion as a whole
    "winner_depends_on_law": (),
    "payee_depends_on_law": (),
    "same_under_all": (),
    "several_laws": (),
    "no_advice": (),
}

CODES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {**_PRIORITY, **_PAYMENT, **_BAN, **_WARNINGS, **_OPINION}
)
