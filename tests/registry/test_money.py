"""Money is exact, bounded and independent of the machine; shares round against whoever would gain."""

from __future__ import annotations

import decimal
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.money import (
    MINOR_MAX,
    WHOLE,
    Money,
    MoneyError,
    claim_share,
    collectible_share,
    exponent_of,
    money_of_share,
    percent,
)

CURRENCIES = ("EUR", "USD", "JPY", "KWD", "BHD", "CNY", "SGD", "CLF")
currencies = st.sampled_from(CURRENCIES)
minors = st.integers(-MINOR_MAX, MINOR_MAX)


@pytest.mark.parametrize(
    ("currency", "exponent"), [("JPY", 0), ("KRW", 0), ("USD", 2), ("CNY", 2), ("KWD", 3), ("BHD", 3), ("CLF", 4)]
)
def test_exponents_are_those_of_iso_4217(currency: str, exponent: int) -> None:
    assert exponent_of(currency) == exponent


@pytest.mark.parametrize("currency", ["", "EU", "eur", "EURO", "DEM", "XXX", "XTS", "XAU", "123", "€", "A" * 10_000])
def test_what_nobody_owes_is_no_currency(currency: str) -> None:
    with pytest.raises(MoneyError) as error:
        Money(currency, 1)
    assert error.value.field == "currency"
    assert len(str(error.value)) < 200


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1234.50", "EUR", 123450),
        ("336.9", "EUR", 33690),
        ("2000", "EUR", 200000),
        ("-529.87", "EUR", -52987),
        ("+1", "EUR", 100),
        (" 0.00\n", "EUR", 0),
        ("-0.00", "EUR", 0),
        (".5", "EUR", 50),
        ("5.", "EUR", 500),
        ("12.5000000", "EUR", 1250),
        ("12480000", "JPY", 12_480_000),
        ("12480000.00", "JPY", 12_480_000),
        ("18450.250", "KWD", 18_450_250),
        ("0.001", "BHD", 1),
        ("000123.45", "USD", 12345),
    ],
)
def test_parses_exactly(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency=currency) == Money(currency, minor)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", ".", "-", "+.", "1e3", "1E+3", "NaN", "inf", "-Infinity", "0x10", "1_000", "1,000", "1 000"),
        *("1.005", "0.001", "--1", "1.2.3", "１２", "٣", "12€", "1" * 41, "9" * 30, "\u22125"),
    ],
)
def test_refuses_what_is_no_exact_amount(text: str) -> None:
    with pytest.raises(MoneyError):
        Money.parse(text, currency="EUR")


def test_a_decimal_of_yen_or_a_fourth_of_dinars_is_refused() -> None:
    with pytest.raises(MoneyError, match="more decimals"):
        Money.parse("100.5", currency="JPY")
    with pytest.raises(MoneyError, match="more decimals"):
        Money.parse("1.0005", currency="KWD")


def test_minor_units_are_bounded_integers() -> None:
    assert Money("EUR", MINOR_MAX).minor == MINOR_MAX
    for minor in (MINOR_MAX + 1, -MINOR_MAX - 1):
        with pytest.raises(MoneyError):
            Money("EUR", minor)
    for wrong in (1.0, True, "1", None, Decimal(1)):
        with pytest.raises(MoneyError):
            Money("EUR", wrong)  # type: ignore[arg-type]


@given(currencies, minors)
def test_text_and_parse_are_inverse(currency: str, minor: int) -> None:
    money = Money(currency, minor)
    assert Money.parse(money.text, currency=currency) == money
    assert str(money) == f"{currency} {money.text}"


@given(currencies, minors)
def test_agrees_with_decimal_whatever_the_ambient_context(currency: str, minor: int) -> None:
    with decimal.localcontext(decimal.Context(prec=2, rounding=decimal.ROUND_UP)):
        text = Money(currency, minor).text
        assert Money.parse(text, currency=currency).minor == minor
    assert Decimal(text) == Decimal(minor).scaleb(-exponent_of(currency))


@given(st.text(max_size=60))
def test_any_text_parses_or_is_a_money_error(text: str) -> None:
    try:
        money = Money.parse(text, currency="EUR")
    except MoneyError:
        return
    assert Decimal(text.strip()) == Decimal(money.minor).scaleb(-2)


def test_the_example_of_the_specification() -> None:
    whole = Money("USD", 10_000_000)
    assert claim_share(Money("USD", 8_500_000), whole=whole) == 850_000_000_000


def test_a_third_rounds_up_for_a_claim_and_down_for_what_can_be_collected() -> None:
    third, whole = Money("EUR", 1), Money("EUR", 3)
    assert claim_share(third, whole=whole) == 333_333_333_334
    assert collectible_share(third, whole=whole) == 333_333_333_333


def test_scenario_s9_over_advanced_comes_out_to_the_cent() -> None:
    whole = Money.parse("1130000.00", currency="CNY")
    funded = claim_share(Money.parse("904000.00", currency="CNY"), whole=whole)
    collectible = collectible_share(Money.parse("730000.00", currency="CNY"), whole=whole)
    assert money_of_share(funded - collectible, whole=whole) == Money.parse("174000.00", currency="CNY")


wholes = st.integers(1, MINOR_MAX)


@given(wholes, st.data())
def test_rounding_never_makes_room(whole: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, whole))
    money, of = Money("EUR", part), Money("EUR", whole)
    claim, collectible = claim_share(money, whole=of), collectible_share(money, whole=of)
    assert 0 <= collectible <= claim <= WHOLE
    assert claim - collectible <= 1
    assert collectible * whole <= part * WHOLE <= claim * whole


@given(wholes, st.lists(st.integers(1, 100), min_size=1, max_size=8), st.data())
def test_claims_that_fit_in_shares_fit_in_money(whole: int, weights: list[int], data: st.DataObject) -> None:
    of = Money("EUR", whole)
    parts = [data.draw(st.integers(0, whole)) for _ in weights]
    shares = sum(claim_share(Money("EUR", part), whole=of) for part in parts)
    if shares <= WHOLE:
        assert sum(parts) <= whole


@given(st.integers(1, WHOLE // 2 - 1), st.data())
def test_money_of_share_undoes_both_roundings(whole: int, data: st.DataObject) -> None:
    of = Money("JPY", whole)
    part = Money("JPY", data.draw(st.integers(0, whole)))
    assert money_of_share(claim_share(part, whole=of), whole=of) == part
    assert money_of_share(collectible_share(part, whole=of), whole=of) == part


@pytest.mark.parametrize(
    ("part", "whole"),
    [
        (Money("EUR", 101), Money("EUR", 100)),
        (Money("EUR", -1), Money("EUR", 100)),
        (Money("EUR", 0), Money("EUR", 0)),
        (Money("EUR", 0), Money("EUR", -5)),
        (Money("EUR", 1), Money("USD", 100)),
    ],
)
def test_what_is_no_part_has_no_share(part: Money, whole: Money) -> None:
    with pytest.raises(MoneyError):
        claim_share(part, whole=whole)
    with pytest.raises(MoneyError):
        collectible_share(part, whole=whole)


@pytest.mark.parametrize("share", [-1, WHOLE + 1])
def test_money_of_share_refuses_what_is_no_share(share: int) -> None:
    with pytest.raises(MoneyError):
        money_of_share(share, whole=Money("EUR", 100))


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (WHOLE, "100%"),
        (WHOLE // 8, "12.5%"),
        (800_000_000_000, "80%"),
        (1, "0.0000000001%"),
        (WHOLE - 1, "99.9999999999%"),
    ],
)
def test_a_share_is_said_exactly(share: int, said: str) -> None:
    assert percent(share) == said
