"""Honest invoices: two years of trade in which nothing is financed twice, with all that makes it look as if it were.

Five kinds of business, each with its own way of repeating itself:

- goods: orders fulfilled by several invoices, one bill of lading for some of them, framework orders for a whole year;
- services: single invoices, often over round amounts;
- rents: the same amount every month, and for several sites of one tenant on the same day;
- instalments: equal parts of one price, an invoice for each, numbered -A, -B, ... on one day, due month after month;
- depots: a short price list, many invoices a week, numbered by each point of sale for itself.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from types import MappingProxyType

from duplicates_firms import CURRENCIES, Firm, Firms, firms
from duplicates_numbers import STYLES, price, style_of

from registry.fingerprint import Particulars
from registry.money import WHOLE

__all__ = ["Listed", "Portfolio", "portfolio"]

FIRST_DAY = datetime.date(2025, 1, 1)
DAYS = 730
INVOICES_EACH = 1000  # of one seller
DEBTORS_EACH = 12  # that one seller sells to
FLEETS_EACH = 3  # that depots sell to
INVOICES_PER_DEBTOR = 800
SITES_MAX = 3
POINTS_OF_SALE = 24
BUSINESSES = ("goods", "services", "goods", "rents", "goods", "services", "depots", "goods", "instalments", "services")
UNDATED = 0.08  # of the trade relations write no due date
LINKING = 0.4  # of the trade relations in goods: the seller registers the order first, and links its invoices to it


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What is registered: `kind` as on the ledger, `order` the place in the portfolio of the order that it is linked
    to (None for no link), and `part_of_order` the share of that order it fulfils.
    """

    particulars: Particulars
    kind: str = "invoice"
    registrant: str
    order: int | None = None
    part_of_order: int = 0


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Who trades, and everything that is registered, by day of issue. An order comes before what is linked to it."""

    firms: Firms
    listed: tuple[Listed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """An invoice (or order) before it has its number."""

    day: datetime.date
    amount: int
    suffix: str = ""
    point: int = 0
    due_days: int = 0
    orders: tuple[str, ...] = ()
    transports: tuple[str, ...] = ()
    is_order: bool = False
    part_of_order: int = 0


@dataclass(frozen=True, slots=True)
class _Relation:
    """A seller's trade with one debtor."""

    seller: Firm
    debtor: Firm
    currency: str
    terms_days: int  # 0: no due date is written


def portfolio(count: int, *, seed: int) -> Portfolio:
    """`count` invoices, and the orders that their sellers register beside them. Equal for equal arguments."""
    rng = Random(seed)
    sellers = max(len(BUSINESSES), -(-count // INVOICES_EACH))
    cast = firms(rng, sellers=sellers, debtors=max(DEBTORS_EACH + 4, count // INVOICES_PER_DEBTOR))
    listed: list[Listed] = []
    for index, seller in enumerate(cast.sellers):
        quota = count * (index + 1) // sellers - count * index // sellers
        business = BUSINESSES[index % len(BUSINESSES)]
        planned = _planned(rng, seller, business, cast.debtors, quota)
        listed += _listed(planned, style_of(rng, seller.country, business), index, offset=len(listed))
    return Portfolio(cast, _by_day(listed))


def _planned(
    rng: Random, seller: Firm, business: str, debtors: tuple[Firm, ...], quota: int
) -> list[tuple[_Relation, _Planned]]:
    """A seller's two years by day: `quota` invoices, and the orders it registers beside them."""
    buyers = rng.sample(debtors, FLEETS_EACH if business == "depots" else DEBTORS_EACH)
    relations = [_relation(rng, seller, debtor) for debtor in buyers]
    streams = [(relation, BUSINESS[business](rng, relation)) for relation in relations]
    planned: list[tuple[_Relation, _Planned]] = []
    missing = quota
    while missing:
        relation, stream = rng.choice(streams)
        one = next(stream)
        planned.append((relation, one))
        missing -= not one.is_order
    # the parts of one price stay together
    return sorted(planned, key=lambda pair: (pair[1].day, not pair[1].is_order, pair[0].debtor.id))


def _listed(planned: list[tuple[_Relation, _Planned]], style: str, seller: int, *, offset: int) -> list[Listed]:
    """A seller's entries with their numbers. Links point into the portfolio, where `offset` others come before."""
    numbers = _numbers(style, [one for _, one in planned], seller)
    placed = {
        (relation.debtor.id, one.orders): offset + place
        for place, (relation, one) in enumerate(planned)
        if one.is_order
    }
    return [
        Listed(
            particulars=_particulars(relation, one, number, style),
            kind="purchase_order" if one.is_order else "invoice",
            registrant=relation.seller.id,
            order=placed[relation.debtor.id, one.orders] if one.part_of_order else None,
            part_of_order=one.part_of_order,
        )
        for (relation, one), number in zip(planned, numbers, strict=True)
    ]


def _relation(rng: Random, seller: Firm, debtor: Firm) -> _Relation:
    possible = CURRENCIES[seller.country][0]
    currency = possible[0] if debtor.country == seller.country else rng.choice(possible)
    terms = 0 if rng.random() < UNDATED else rng.choice((14, 30, 30, 45, 60, 60, 90, 120))
    return _Relation(seller, debtor, currency, terms)


def _numbers(style: str, planned: list[_Planned], seller: int) -> Iterator[str]:
    """The numbers in the order of the days; an order has its debtor's. The parts of one price share one number."""
    within, write = STYLES[style]
    counters: Counter[tuple[int, ...]] = Counter()
    for one in planned:
        if one.is_order:
            yield one.orders[0]
            continue
        scope = {
            "ever": (),
            "year": (one.day.year,),
            "month": (one.day.year, one.day.month),
            "point": (one.day.year, one.point),
        }[within]
        if one.suffix in ("", "-A"):
            counters[scope] += 1
        yield write(counters[scope], one.day, one.point or seller) + one.suffix


def _particulars(relation: _Relation, one: _Planned, number: str, style: str) -> Particulars:
    due = one.day + datetime.timedelta(relation.terms_days + one.due_days) if relation.terms_days else None
    return Particulars(
        seller=relation.seller.id,
        debtor=relation.debtor.id,
        number=number,
        currency=relation.currency,
        amount_minor=one.amount,
        issue_date=one.day,
        due_date=None if one.is_order else due,
        orders=one.orders,
        transports=one.transports,
        government_ids=(f"CN:{number}",) if style == "fapiao" and not one.is_order else (),
    )


def _by_day(listed: list[Listed]) -> tuple[Listed, ...]:
    """All sellers' entries by day, links renumbered."""
    order = sorted(range(len(listed)), key=lambda place: (listed[place].particulars.issue_date, place))
    moved = {place: index for index, place in enumerate(order)}
    return tuple(
        entry if entry.order is None else replace(entry, order=moved[entry.order])
        for entry in (listed[place] for place in order)
    )


# --- the kinds of business: endless streams of what one seller sends one debtor


def _goods(rng: Random, relation: _Relation) -> Iterator[_Planned]:
    """An order, then the invoices that fulfil it; some share one bill of lading. A few work under one order a year."""
    links = rng.random() < LINKING
    framework = not links and rng.random() < 0.08
    while True:
        day = _day(rng, 650)
        order = f"PO-{relation.debtor.id[-4:]}-{day.year}" if framework else rng.choice(("45{0:08d}", "PO-{0}"))
        order = order.format(rng.randrange(10**7))
        amounts = [price(rng, relation.currency, dollars=9000.0) for _ in range(rng.choice((1, 1, 2, 2, 3, 4, 6)))]
        if links:
            yield _Planned(day=day, amount=sum(amounts), orders=(order,), is_order=True)
        seaborne = relation.seller.country != relation.debtor.country and rng.random() < 0.6
        bill = ""
        for amount in amounts:
            day += datetime.timedelta(rng.randrange(0, 14))
            if seaborne and (not bill or rng.random() < 0.7):
                bill = f"{rng.choice(('COSU', 'MAEU', 'ONEY', 'HLCU'))}{rng.randrange(10**10):010d}"
            part = amount * WHOLE // sum(amounts) if links else 0
            yield _Planned(
                day=day,
                amount=amount,
                orders=(order,),
                transports=(bill,) if bill else (),
                part_of_order=part,
            )


def _services(rng: Random, relation: _Relation) -> Iterator[_Planned]:
    """Single invoices; every third names an order of its own."""
    while True:
        orders = (f"{rng.randrange(10**6, 10**7)}",) if rng.random() < 0.33 else ()
        yield _Planned(day=_day(rng, DAYS), amount=price(rng, relation.currency, dollars=3000.0), orders=orders)


def _rents(rng: Random, relation: _Relation) -> Iterator[_Planned]:
    """On the first of every month, for each site; the second year is three per cent dearer."""
    while True:
        sites = [price(rng, relation.currency, dollars=2500.0)] * rng.randrange(1, SITES_MAX + 1)
        for month in range(24):
            day = datetime.date(FIRST_DAY.year + month // 12, month % 12 + 1, 1)
            for rent in sites:
                yield _Planned(day=day, amount=rent if month < 12 else rent * 103 // 100)


def _instalments(rng: Random, relation: _Relation) -> Iterator[_Planned]:
    """A price in 3, 6 or 12 equal parts: invoiced on one day, due month after month."""
    while True:
        day, parts = _day(rng, DAYS), rng.choice((3, 6, 12))
        amount = max(1, price(rng, relation.currency, dollars=20000.0) // parts)
        for part in range(parts):
            yield _Planned(day=day, amount=amount, suffix=f"-{chr(ord('A') + part)}", due_days=30 * part)


def _depots(rng: Random, relation: _Relation) -> Iterator[_Planned]:
    """A flat fee from a list of five prices; the first points of sale are much busier than the last."""
    prices = [price(rng, relation.currency, dollars=60.0) for _ in range(5)]
    while True:
        yield _Planned(day=_day(rng, DAYS), amount=rng.choice(prices), point=int(POINTS_OF_SALE ** rng.random()))


def _day(rng: Random, days: int) -> datetime.date:
    """A working day among the first `days`."""
    day = FIRST_DAY + datetime.timedelta(rng.randrange(days))
    return day + datetime.timedelta(max(0, day.weekday() - 4))


BUSINESS: Mapping[str, Callable[[Random, _Relation], Iterator[_Planned]]] = MappingProxyType(
    {
        "goods": _goods,
        "services": _services,
        "rents": _rents,
        "instalments": _instalments,
        "depots": _depots,
    }
)
