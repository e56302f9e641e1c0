"""What the registry makes of an honest portfolio, and of copies of what is in it."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

from duplicates_book import Book
from duplicates_mutations import MUTATIONS, Mutation, Original
from duplicates_portfolio import Listed, Portfolio

from registry.normalise import canonical_number
from registry.reasons import DUPLICATE, OK
from registry.transactions.receivables import Register

__all__ = ["Honest", "Measured", "measure_copies", "measure_honest"]

_Identity: TypeAlias = tuple[str, str, str, str, int, datetime.date | None]  # what makes two writings one invoice
LINEAGE_KINDS = frozenset({"order", "transport"})  # of fingerprints: review (lineage) in registry.md 7


@dataclass(slots=True)
class Honest:
    """What an honest portfolio met: invoices (instalments included), and the orders registered beside them."""

    invoices: int = 0
    orders: int = 0
    blocked: list[str] = field(default_factory=list)  # both numbers, for people
    refused: Counter[str] = field(default_factory=Counter)  # other reason codes
    reviewed: int = 0  # invoices with at least one match
    reviewed_beyond_lineage: int = 0  # of them, those alike in more than an order or transport number
    pairs: int = 0  # matches listed
    pairs_by_kind: Counter[str] = field(default_factory=Counter)  # a pair alike in two kinds counts for both


@dataclass(slots=True)
class Measured:
    """What became of the copies of one mutation. A copy of several parts counts by the part that was found worst."""

    mutation: Mutation
    copies: int = 0
    blocked: int = 0  # the original in the way
    reviewed: int = 0  # registered, the original among the matches
    listed: Counter[str] = field(default_factory=Counter)  # level -> ids named in receipts
    listed_true: Counter[str] = field(default_factory=Counter)  # of them, the original and the copy's other parts
    strangers_blocked: int = 0  # copies refused as duplicates of something else
    missed: list[str] = field(default_factory=list)  # for people


def measure_honest(book: Book, portfolio: Portfolio, advance: Callable[[], None]) -> tuple[Honest, list[bytes | None]]:
    """Register the portfolio; what it met, and the id of each entry (None for a refused one)."""
    honest = Honest()
    ids: list[bytes | None] = [None] * len(portfolio.listed)
    place_of: dict[bytes, int] = {}
    for place, operation, receipt in book.register_all(portfolio.listed):
        advance()
        is_order = operation.kind == "purchase_order"
        honest.orders += is_order
        honest.invoices += not is_order
        if receipt.code == DUPLICATE:
            others = [place_of[other] for other in receipt.related]
            honest.blocked.append(" = ".join(portfolio.listed[at].particulars.number for at in (*others, place)))
        elif receipt.code != OK:
            honest.refused[receipt.code] += 1
        else:
            ids[place], place_of[receipt.subject] = receipt.subject, place
            if receipt.related:
                _count_matches(honest, book, operation, receipt.related)
    return honest, ids


def _count_matches(honest: Honest, book: Book, operation: Register, related: Sequence[bytes]) -> None:
    prints = set(operation.fingerprints)
    beyond = False
    for other in related:
        kinds = {kind for kind, _ in prints.intersection(book.receivable(other).fingerprints)}
        honest.pairs_by_kind.update(kinds)
        beyond = beyond or not kinds <= LINEAGE_KINDS
    honest.pairs += len(related)
    honest.reviewed += 1
    honest.reviewed_beyond_lineage += beyond


def measure_copies(
    book: Book,
    portfolio: Portfolio,
    ids: Sequence[bytes | None],
    *,
    each: int,
    seed: int,
    advance: Callable[[], None],
) -> list[Measured]:
    """For every mutation, `each` copies of originals drawn from the portfolio, each on a fork of its own."""
    rng = Random(f"copies {seed}")
    originals = [
        Original(
            entry, found, portfolio.firms.of(entry.particulars.seller), portfolio.firms.of(entry.particulars.debtor)
        )
        for entry, found in zip(portfolio.listed, ids, strict=True)
        if found is not None
    ]
    rng.shuffle(originals)
    taken = {_identity(entry) for entry in portfolio.listed}
    measured = []
    for mutation in MUTATIONS:
        result = Measured(mutation)
        for original, copies in _drawn(rng, mutation, originals, taken, each):
            _present(book.fork(), original, copies, result)
            advance()
        measured.append(result)
    return measured


def _drawn(
    rng: Random, mutation: Mutation, originals: Sequence[Original], taken: Set[_Identity], each: int
) -> Iterator[tuple[Original, tuple[Listed, ...]]]:
    """Up to `each` originals that the mutation fits, with the copies of each, from a place drawn at random.

    A copy that has by chance become another invoice of the portfolio (the next instalment of a price, say) is left out.
    """
    start, found = rng.randrange(len(originals)), 0
    for step in range(len(originals)):
        original = originals[(start + step) % len(originals)]
        copies = mutation.copies(rng, original) if original.listed.kind in mutation.of else None
        if copies is not None and taken.isdisjoint({_identity(copy) for copy in copies} - {_identity(original.listed)}):
            yield original, copies
            found += 1
            if found == each:
                return


def _identity(listed: Listed) -> _Identity:
    what = listed.particulars
    number = canonical_number(what.number)
    return what.seller, what.debtor, number, what.currency, what.amount_minor, what.issue_date


def _present(book: Book, original: Original, copies: Sequence[Listed], result: Measured) -> None:
    """Register the copies of one original after it and count how they are found."""
    if result.mutation.before is not None:
        result.mutation.before(book, original)
    same = {original.receivable}
    levels = []
    for copy in copies:
        receipt = book.register(copy)
        assert receipt.code in (OK, DUPLICATE), receipt
        level = "block" if receipt.code == DUPLICATE else "review"
        result.listed[level] += len(receipt.related)
        result.listed_true[level] += len(same.intersection(receipt.related))
        found = original.receivable in receipt.related
        levels.append(level if found else "missed")
        result.strangers_blocked += level == "block" and not found
        same |= {receipt.subject} if receipt.done else set()
    result.copies += 1
    if "missed" in levels:
        result.missed.append(f"{original.listed.particulars} -> {copies[levels.index('missed')].particulars}")
    elif "review" in levels:
        result.reviewed += 1
    else:
        result.blocked += 1
