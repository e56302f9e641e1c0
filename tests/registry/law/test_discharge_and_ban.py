"""Whom the debtor may pay, and what a ban on assignment does to it."""

from __future__ import annotations

import pytest

from registry.law.ban import BanEffect
from registry.law.case import Contract
from tests.registry.law.world import LAWS, case, claim, codes, filed, ms, told, under

TWO_NOTIFIED = (
    claim("A", 1, notices=told(9)),
    claim("B", 2, filings=filed(5), notices=told(8)),
    claim("C", 3, filings=filed(4)),
)


@pytest.mark.parametrize("law", sorted(LAWS))
def test_nobody_notified_the_debtor_may_pay_the_seller(law: str) -> None:
    payment = under(law, case(claim("A", 1, filings=filed(1)), claim("B", 2))).payment
    assert payment.payee is None
    assert [each.code for each in payment.reasons] == ["pay_seller"]


@pytest.mark.parametrize(
    ("law", "payee", "code"),
    [
        ("CN", "B", "pay_first_notified"),  # although C is registered first
        ("GB-EW", "B", "pay_first_notified"),
        ("DE", "A", "pay_earliest_of_notified"),  # BGB 408: it knows of both
        ("FR", "A", "pay_earliest_of_notified"),
        ("US-NY", "B", "pay_foremost_of_notified"),  # A is not registered; C, who is, gave no notice
    ],
)
def test_several_notices(law: str, payee: str, code: str) -> None:
    answer = under(law, case(*TWO_NOTIFIED))
    assert (answer.payment.payee, answer.payment.reasons[0].code) == (payee, code)
    assert "notified_several" in codes(answer)


def test_one_notice_is_no_alarm_though_it_came_twice() -> None:
    answer = under("DE", case(claim("A", 1), claim("B", 2, notices=(*told(4), *told(5)), acknowledged_ms=ms(6))))
    assert answer.payment.payee == "B"
    assert not {"notified_several", "acknowledged_several"} & codes(answer)


def test_acknowledged_twice_is_an_alarm() -> None:
    facts = case(claim("A", 1, acknowledged_ms=ms(4)), claim("B", 2, acknowledged_ms=ms(5)))
    assert "acknowledged_several" in codes(under("DE", facts))


def effects(law: str, **contract: object) -> list[tuple[list[str], BanEffect]]:
    answer = under(law, case(claim("A", 1), contract=Contract(**{"ban": True, **contract})))  # type: ignore[arg-type]
    return [([condition.code for condition in each.conditions], each.effect) for each in answer.bans]


@pytest.mark.parametrize(
    ("law", "effect"),
    [
        ("CN", BanEffect.WITHOUT_EFFECT),
        ("US-NY", BanEffect.WITHOUT_EFFECT),
        ("AE", BanEffect.WITHOUT_EFFECT),
        ("SG", BanEffect.BINDS_ASSIGNEE),
        ("HK", BanEffect.BINDS_ASSIGNEE),
        ("GB-SCT", BanEffect.BINDS_ASSIGNEE),
        ("IN", BanEffect.BINDS_ASSIGNEE),
        ("VN", BanEffect.FORBIDS_FINANCING),
    ],
)
def test_a_ban_where_it_depends_on_nothing(law: str, effect: BanEffect) -> None:
    assert effects(law) == [([], effect)]
    assert effects(law, ban=False) == [([], BanEffect.NO_BAN)]
    assert effects(law, ban=None) == [(["if_ban_agreed"], effect)]


@pytest.mark.parametrize(
    ("law", "contract", "effect"),
    [
        ("GB-EW", {"seller_size": "small_or_medium", "concluded_ms": ms("2018-12-31")}, BanEffect.WITHOUT_EFFECT),
        ("GB-EW", {"seller_size": "small_or_medium", "concluded_ms": ms("2018-12-30")}, BanEffect.BINDS_ASSIGNEE),
        ("GB-EW", {"seller_size": "large", "concluded_ms": ms("2020-01-01")}, BanEffect.BINDS_ASSIGNEE),
        ("GB-EW", {"seller_size": "large"}, BanEffect.BINDS_ASSIGNEE),
        ("DE", {"between_businesses": True}, BanEffect.DEBTOR_MAY_PAY_SELLER),
        ("DE", {"between_businesses": False}, BanEffect.BINDS_ASSIGNEE),
        ("FR", {"between_businesses": True, "concluded_ms": ms("2020-12-05")}, BanEffect.WITHOUT_EFFECT),
        ("FR", {"between_businesses": True, "concluded_ms": ms("2020-12-04")}, BanEffect.BINDS_ASSIGNEE),
        ("BR", {"ban_in_document": False}, BanEffect.NOT_AGAINST_GOOD_FAITH),
        ("BR", {"ban_in_document": True}, BanEffect.BINDS_ASSIGNEE),
    ],
)
def test_a_ban_where_it_depends_on_the_contract(law: str, contract: dict[str, object], effect: BanEffect) -> None:
    assert effects(law, **contract) == [([], effect)]


def test_what_is_not_known_is_answered_with_if_and_otherwise() -> None:
    assert effects("GB-EW") == [
        (["if_seller_small_or_medium", "if_contract_from"], BanEffect.WITHOUT_EFFECT),
        (["otherwise"], BanEffect.BINDS_ASSIGNEE),
    ]
    assert effects("DE", ban=None)[0] == (
        ["if_ban_agreed", "if_between_businesses"],
        BanEffect.DEBTOR_MAY_PAY_SELLER,
    )


@pytest.mark.parametrize(
    ("law", "contract", "payee", "seller_too"),
    [
        ("DE", Contract(ban=True, between_businesses=True), "A", True),  # HGB 354a
        ("DE", Contract(ban=True, between_businesses=False), None, False),  # BGB 399
        ("DE", Contract(ban=True), "A", False),  # not known: the warning says so
        ("SG", Contract(ban=True), None, False),
        ("CN", Contract(ban=True), "A", False),
        ("SG", Contract(ban=None), "A", False),
    ],
)
def test_a_certain_ban_changes_whom_the_debtor_may_pay(
    law: str, contract: Contract, payee: str | None, seller_too: bool
) -> None:
    answer = under(law, case(claim("A", 1, notices=told(2)), contract=contract))
    assert (answer.payment.payee, answer.payment.seller_too) == (payee, seller_too)
    assert ("ban_may_bite" in codes(answer)) == (law != "CN")
