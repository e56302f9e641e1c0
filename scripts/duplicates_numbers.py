"""How sellers number their invoices, and how they price: the habits that make honest invoices look alike."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType

from registry.money import exponent_of

__all__ = ["STYLES", "price", "style_of"]

Style = Callable[[int, datetime.date, int], str]  # running number, day of issue, point of sale or seller -> number

# What the running number of each style counts within: for ever, a year, a month, or a year at one point of sale.
STYLES: Mapping[str, tuple[str, Style]] = MappingProxyType(
    {
        "INV-2026/000417": ("year", lambda n, day, _: f"INV-{day.year}/{n:06d}"),
        "TJ-2026-00417": ("year", lambda n, day, _: f"TJ-{day.year}-{n:05d}"),
        "RE26-00417": ("year", lambda n, day, _: f"RE{day:%y}-{n:05d}"),
        "417": ("ever", lambda n, _day, _: f"{n + 400}"),
        "17 of each year": ("year", lambda n, _day, _: f"{n}"),
        "2026050017": ("month", lambda n, day, _: f"{day:%Y%m}{n:04d}"),
        "fapiao": ("ever", lambda n, day, seller: f"{day:%y}12200{seller:04d}{n * 7:09d}"),
        "1C26TAA 00000417": ("year", lambda n, day, _: f"1C{day:%y}TAA {n:08d}"),
        "0004-00000417": ("point", lambda n, _day, pos: f"{pos:04d}-{n:08d}"),  # point of sale first (Argentina)
        "417/4/1": ("point", lambda n, _day, pos: f"{n}/{pos}/1"),  # number, premises, till (Croatia)
        "KA-26-X417": ("year", lambda n, day, _: f"KA-{day:%y}-X{n}"),
    }
)
_BY_COUNTRY = MappingProxyType({"CN": ("fapiao", "TJ-2026-00417"), "VN": ("1C26TAA 00000417", "INV-2026/000417")})
_ANYWHERE = ("INV-2026/000417", "RE26-00417", "417", "17 of each year", "2026050017", "KA-26-X417")
_POINTS = ("0004-00000417", "417/4/1")

# Minor units of a currency for about one US dollar: how large amounts in it are, and the rates of the mutations.
PER_DOLLAR = MappingProxyType(
    {
        "USD": 100, "EUR": 92, "GBP": 79, "CNY": 725, "AED": 367, "BRL": 560,
        "INR": 8350, "JPY": 150, "VND": 25_400, "KWD": 307,
    }
)  # fmt: skip


def style_of(rng: Random, country: str, business: str) -> str:
    """The style of a seller. Depots number at each point of sale; the law or the custom of the country comes next."""
    if business == "depots":
        return rng.choice(_POINTS)
    if business == "instalments":  # parts -A, -B, ... of one number
        return rng.choice(_ANYWHERE)
    return rng.choice(_BY_COUNTRY.get(country, ()) * 2 + _ANYWHERE)


def price(rng: Random, currency: str, *, dollars: float) -> int:
    """An amount in minor units around so many dollars. A third are round to two figures, a quarter to whole fifties."""
    minor = max(1000, round(rng.lognormvariate(0.0, 1.1) * dollars * PER_DOLLAR[currency]))
    unit: int = 10 ** exponent_of(currency)
    kind = rng.random()
    if kind < 0.35:
        step: int = 10 ** max(0, len(str(minor)) - 2)
        return max(step, minor // step * step)
    if kind < 0.6:
        return max(1, minor // (50 * unit)) * 50 * unit
    return minor // 1000 * 1000 if currency == "VND" else minor
