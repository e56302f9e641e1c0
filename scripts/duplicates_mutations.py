"""How a receivable comes a second time: labelled mutations of what is registered, and look-alikes that are honest.

A mutation makes, of a registered receivable, what is registered after it; None if it does not fit that one. `expects`
is what registry.md 7 makes of it: "block", "review", or "honest" for what is no duplicate and must not be blocked.
`single_field` mutations change exactly one field of the particulars; every copy of theirs must be found.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Literal, TypeAlias

from demo_cast import AUTHORITIES
from duplicates_book import Book
from duplicates_firms import Firm
from duplicates_numbers import PER_DOLLAR
from duplicates_portfolio import Listed
from duplicates_writings import confused, reformatted, renumbered, suffixed, typed_wrong

from registry.codec import digest
from registry.fingerprint import Particulars
from registry.money import WHOLE
from registry.reasons import UNACKNOWLEDGED_MATCH
from registry.transactions.claims import Fund, Offer, Release, Reserve
from registry.transactions.operations import Operation
from registry.transactions.receivables import Adjust

__all__ = ["MUTATIONS", "Mutation", "Original"]

Expected: TypeAlias = Literal["block", "review", "honest"]
RESERVE_MS = 600_000
OFFER_MS = 3_600_000
FINANCIER = AUTHORITIES[0][1]


@dataclass(frozen=True, slots=True)
class Original:
    """A registered receivable, its id on the ledger, and the firms in it."""

    listed: Listed
    receivable: bytes
    seller: Firm
    debtor: Firm


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One way. `before` is what happens on the ledger between the original and its copies."""

    name: str
    expects: Expected
    copies: Callable[[Random, Original], tuple[Listed, ...] | None]
    single_field: bool = False
    of: tuple[str, ...] = ("invoice",)
    before: Callable[[Book, Original], None] | None = None


def _changed(original: Original, **changes: object) -> Listed:
    """The same registration once more, but for these particulars. It names no order as its parent: that is left out."""
    particulars = replace(original.listed.particulars, **changes)  # type: ignore[arg-type]
    return replace(original.listed, particulars=particulars, order=None, part_of_order=0)


def _number(rewrite: Callable[[Random, str], str]) -> Callable[[Random, Original], tuple[Listed, ...] | None]:
    def copies(rng: Random, original: Original) -> tuple[Listed, ...] | None:
        number = rewrite(rng, original.listed.particulars.number)
        return None if number == original.listed.particulars.number else (_changed(original, number=number),)

    return copies


def _without_separators(_: Random, number: str) -> str:
    return "".join(character for character in number if character.isalnum())


# --- one field


def _amount(rng: Random, original: Original) -> tuple[Listed, ...]:
    amount = original.listed.particulars.amount_minor
    step = 10 ** max(1, len(str(amount)) - rng.choice((1, 2, 3)))
    rounded = max(step, (amount + rng.choice((0, step))) // step * step)
    return (_changed(original, amount_minor=rounded if rounded != amount else amount + rng.choice((1, step))),)


def _issue_date(rng: Random, original: Original) -> tuple[Listed, ...]:
    return (_changed(original, issue_date=_moved(_issued(original), rng, 400)),)


def _due_date(rng: Random, original: Original) -> tuple[Listed, ...]:
    due = original.listed.particulars.due_date
    choices = (None, _moved(due, rng, 120)) if due else (_issued(original) + datetime.timedelta(60),)
    return (_changed(original, due_date=rng.choice(choices)),)


def _currency(rng: Random, original: Original) -> tuple[Listed, ...]:
    return (_changed(original, currency=_other_currency(rng, original)),)


def _debtor(_: Random, original: Original) -> tuple[Listed, ...]:
    return (_changed(original, debtor=original.debtor.unlisted),)


def _seller(_: Random, original: Original) -> tuple[Listed, ...]:
    copy = _changed(original, seller=original.seller.unlisted)
    return (replace(copy, registrant=original.seller.unlisted),)


def _debtor_alias(_: Random, original: Original) -> tuple[Listed, ...]:
    return (_changed(original, debtor=original.debtor.alias),)


def _seller_alias(_: Random, original: Original) -> tuple[Listed, ...]:
    return (_changed(original, seller=original.seller.alias),)


def _papers(field: str, foreign: str) -> Callable[[Random, Original], tuple[Listed, ...] | None]:
    """Left out or replaced where there is one, else added."""

    def copies(rng: Random, original: Original) -> tuple[Listed, ...]:
        stated = getattr(original.listed.particulars, field)
        other = (foreign.format(rng.randrange(10**9, 10**10)),)
        return (_changed(original, **{field: rng.choice(((), other)) if stated else other}),)

    return copies


# --- several fields at once


def _split(rng: Random, original: Original) -> tuple[Listed, ...] | None:
    whole = original.listed.particulars
    parts = rng.choice((2, 2, 3))
    if whole.amount_minor < parts:
        return None
    amounts = [whole.amount_minor // parts] * (parts - 1)
    amounts.append(whole.amount_minor - sum(amounts))
    day = _issued(original) + datetime.timedelta(1)
    return tuple(
        _changed(
            original, number=f"{whole.number}-{'ABC'[part]}", amount_minor=amount, issue_date=day, government_ids=()
        )
        for part, amount in enumerate(amounts)
    )


def _rounding(rng: Random, original: Original) -> tuple[Listed, ...]:
    (rounded,) = _amount(rng, original)
    day = _issued(original) + datetime.timedelta(rng.randrange(1, 4))
    return (replace(rounded, particulars=replace(rounded.particulars, issue_date=day)),)


def _date_shift(rng: Random, original: Original) -> tuple[Listed, ...]:
    issued, due = _issued(original), original.listed.particulars.due_date
    moved = _moved(issued, rng, 90)
    return (_changed(original, issue_date=moved, due_date=due and due + (moved - issued), government_ids=()),)


def _converted(rng: Random, original: Original) -> tuple[Listed, ...]:
    what, currency = original.listed.particulars, _other_currency(rng, original)
    amount = max(1, what.amount_minor * PER_DOLLAR[currency] // PER_DOLLAR[what.currency])
    return (_changed(original, currency=currency, amount_minor=amount),)


def _buyer_side(_: Random, original: Original) -> tuple[Listed, ...] | None:
    """The debtor registers what it owes, knowing its supplier by a trade name and no number (S6)."""
    what = original.listed.particulars
    if what.due_date is None:
        return None
    payable = Particulars(
        seller="",
        debtor=what.debtor,
        number="",
        currency=what.currency,
        amount_minor=what.amount_minor,
        issue_date=None,
        due_date=what.due_date,
    )
    return (Listed(particulars=payable, kind="payable", registrant=original.debtor.id),)


def _invoice_of_order(rng: Random, original: Original) -> tuple[Listed, ...]:
    """An invoice over a part of a registered order, which names its number and hides that it belongs to it."""
    order = original.listed.particulars
    issued = _issued(original) + datetime.timedelta(rng.randrange(5, 60))
    copy = _changed(
        original,
        number=f"X-{rng.randrange(10**6)}",
        amount_minor=max(1, order.amount_minor * rng.randrange(20, 101) // 100),
        issue_date=issued,
        due_date=issued + datetime.timedelta(60),
    )
    return (replace(copy, kind="invoice"),)


def _reissue(rng: Random, original: Original) -> tuple[Listed, ...]:
    """The goods invoiced again some days later, under a new number."""
    issued = _issued(original) + datetime.timedelta(rng.randrange(0, 6))
    number = renumbered(rng, original.listed.particulars.number)
    return (_changed(original, number=number, issue_date=issued, government_ids=()),)


def _same(_: Random, original: Original) -> tuple[Listed, ...]:
    return (_changed(original),)


def _next_year(rng: Random, original: Original) -> tuple[Listed, ...] | None:
    """The seller begins at 1 every year: another delivery, which happens to have the number of one a year ago."""
    amount = original.listed.particulars.amount_minor * rng.randrange(101, 300) // 100 + 1
    return _a_year_later(original, amount_minor=amount)


def _rent_next_year(_: Random, original: Original) -> tuple[Listed, ...] | None:
    """The same, for a price that has not changed in a year."""
    return _a_year_later(original)


def _a_year_later(original: Original, **changes: object) -> tuple[Listed, ...] | None:
    what, issued = original.listed.particulars, _issued(original)
    if f"{issued:%y}" in what.number:
        return None  # the number says the year
    later, year = {"orders": (), "transports": (), "government_ids": ()}, datetime.timedelta(365)
    return (
        _changed(
            original, issue_date=issued + year, due_date=what.due_date and what.due_date + year, **later, **changes
        ),
    )


# --- what happens on the ledger before


def _credited(share: int) -> Callable[[Book, Original], None]:
    def before(book: Book, original: Original) -> None:
        _done(book, original.listed.registrant, Adjust(original.receivable, share, digest(b"credit note")))

    return before


def _funded_and_released(book: Book, original: Original) -> None:
    offer = Offer(original.receivable, FINANCIER, WHOLE, digest(b"terms"), book.now_ms + OFFER_MS)
    claim = _done(book, original.listed.registrant, offer)
    _done(book, FINANCIER, Reserve(claim, RESERVE_MS))
    looked_at: tuple[bytes, ...] = ()
    while (receipt := book.do(FINANCIER, Fund(claim, looked_at))).code == UNACKNOWLEDGED_MATCH:
        looked_at += receipt.related
    assert receipt.done, receipt
    _done(book, FINANCIER, Release(claim))


def _done(book: Book, party: str, operation: Operation) -> bytes:
    receipt = book.do(party, operation)
    assert receipt.done, receipt
    return receipt.subject


def _issued(original: Original) -> datetime.date:
    day = original.listed.particulars.issue_date
    assert day is not None, "every entry of a portfolio has a date"
    return day


def _moved(day: datetime.date, rng: Random, most: int) -> datetime.date:
    return day + datetime.timedelta(rng.randrange(1, most + 1) * rng.choice((-1, 1, 1)))


def _other_currency(rng: Random, original: Original) -> str:
    return rng.choice([currency for currency in PER_DOLLAR if currency != original.listed.particulars.currency])


MUTATIONS = (
    Mutation(name="number: format", expects="block", copies=_number(reformatted), single_field=True),
    Mutation(name="number: no separators", expects="review", copies=_number(_without_separators), single_field=True),
    Mutation(name="number: confusables", expects="block", copies=_number(confused), single_field=True),
    Mutation(name="number: typo", expects="review", copies=_number(typed_wrong), single_field=True),
    Mutation(name="number: suffix", expects="review", copies=_number(suffixed), single_field=True),
    Mutation(name="number: another", expects="review", copies=_number(renumbered), single_field=True),
    Mutation(name="amount", expects="review", copies=_amount, single_field=True),
    Mutation(name="issue date", expects="review", copies=_issue_date, single_field=True),
    Mutation(name="due date", expects="block", copies=_due_date, single_field=True),
    Mutation(name="currency", expects="review", copies=_currency, single_field=True),
    Mutation(name="debtor: alias", expects="block", copies=_debtor_alias, single_field=True),
    Mutation(name="debtor: id nobody listed", expects="review", copies=_debtor, single_field=True),
    Mutation(name="seller: alias", expects="block", copies=_seller_alias, single_field=True),
    Mutation(name="seller: admitted twice", expects="review", copies=_seller, single_field=True),
    Mutation(name="order number", expects="block", copies=_papers("orders", "PO-{}"), single_field=True),
    Mutation(name="transport number", expects="block", copies=_papers("transports", "COSU{}"), single_field=True),
    Mutation(name="e-invoice id", expects="block", copies=_papers("government_ids", "CN:{}"), single_field=True),
    Mutation(name="split in parts", expects="review", copies=_split),
    Mutation(name="rounded, days later", expects="review", copies=_rounding),
    Mutation(name="all dates shifted", expects="review", copies=_date_shift),
    Mutation(name="converted currency", expects="review", copies=_converted),
    Mutation(name="buyer side", expects="review", copies=_buyer_side),
    Mutation(name="order, then invoice", expects="review", copies=_invoice_of_order, of=("purchase_order",)),
    Mutation(name="credited 40%, reissued", expects="review", copies=_reissue, before=_credited(WHOLE * 2 // 5)),
    Mutation(name="released, presented again", expects="block", copies=_same, before=_funded_and_released),
    Mutation(name="credited whole, reissued", expects="honest", copies=_reissue, before=_credited(WHOLE)),
    Mutation(name="number of last year", expects="honest", copies=_next_year),
    Mutation(name="number and price of last year", expects="honest", copies=_rent_next_year),
)
