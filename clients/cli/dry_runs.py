"""What `receivable register --dry-run` shows: what each registration would say, and what it would be refused for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from clients.cli.context import errors, percent
from clients.cli.found import Found, Sides, row
from clients.cli.stated import Asked, Stated, asked, fitting
from clients.errors import RequestFailed, Unreachable
from clients.exporter import ExporterClient, canonical_listings
from clients.foreseen import Obstacle, certain_inputs, duplicates, obstacles
from registry import normalise
from registry.money import Money
from registry.reasons import DUPLICATE, NOT_FOUND, OVER_PARENT

__all__ = ["show_dry_run"]

_UNSURE = {
    DUPLICATE: " (which is not for this party to see, and refuses nothing if it was rejected or is over)",
    NOT_FOUND: " (or it is not for this party to see)",
}

OFFLINE = "Without a node (--genesis, --url, --key) nothing was looked up: the parties' ids, duplicates, parents."


def show_dry_run(
    table: Table, found: Sequence[Found], said: Stated, sides: Sides, node: dict[str, Any] | None, dossiers: Path
) -> int:
    """A row for each; how many would not be registered. `node`: the arguments of a client, None to ask nobody.

    If no node answers, nobody is asked, and standard error says so.
    """
    if not found:
        return 0
    if node is not None:
        with ExporterClient(**node) as client:
            try:
                known = asked(client, said, sides)
            except Unreachable as error:
                errors.print(f"{error}.", soft_wrap=True)
            else:
                ours, in_the_way = _foreseen(client, fitting(table, found, said, known))
                return len(found) - len(ours) + _rows(table, ours, in_the_way, dossiers)
    errors.print(OFFLINE, soft_wrap=True)
    ours = fitting(table, found, said, Asked(None, frozenset({sides.seller}), frozenset({sides.debtor})))
    return len(found) - len(ours) + _rows(table, ours, [None] * len(ours), dossiers)


def _foreseen(client: ExporterClient, ours: list[Found]) -> tuple[list[Found], list[Obstacle | None]]:
    """The same with the parties' ids of the ledger, and what is in the way of each."""
    listings = client.call(canonical_listings, [one.listing for one in ours])
    known = client.call(obstacles, listings)
    try:
        twins = client.call(duplicates, listings)
    except RequestFailed as error:  # a mere buyer may not search
        errors.print(f"Duplicates were not looked up: {error}", soft_wrap=True)
        twins = (None,) * len(listings)
    # as the rule has it: a copy takes up its parent once more, and is refused as what it is
    first = [
        twin if twin and (own is None or own.code == OVER_PARENT) else own
        for own, twin in zip(known, twins, strict=True)
    ]
    return [one._replace(listing=listing) for one, listing in zip(ours, listings, strict=True)], first


def _rows(table: Table, found: Sequence[Found], known: Sequence[Obstacle | None], dossiers: Path) -> int:
    """A row for each, with what is known to be in its way; how many would be refused."""
    numbers = Counter(normalise.canonical_number(one.listing.particulars.number) for one in found)
    earlier: dict[tuple[str, bytes], str] = {}
    failures = 0
    for one, obstacle in zip(found, known, strict=True):
        number = one.listing.particulars.number
        often = numbers[normalise.canonical_number(number)]
        notes = (f"{often} have this number", *one.notes) if often > 1 else one.notes
        certain = certain_inputs(one.listing.particulars)
        same = next((earlier[each] for each in certain if each in earlier), "")
        before = _registered_before(obstacle, dossiers)
        if before:
            outcome, why = "registered before", before
        elif same and (obstacle is None or obstacle.code == OVER_PARENT):
            outcome, why = "the same again", f"as in {same}"
        elif obstacle is not None:
            outcome, why = "would be refused", _why(obstacle)
            failures += 1
        else:
            outcome, why = "would be registered", ""
            earlier |= dict.fromkeys(certain, one.file)
        row(table, one.file, number, outcome, ", ".join(filter(None, (why, _said(one)))), "; ".join(notes))
    return failures


def _registered_before(obstacle: Obstacle | None, dossiers: Path) -> str:
    """Its id, if it is this party's own of an earlier run: its dossier is at hand."""
    if obstacle is None or obstacle.code != DUPLICATE:
        return ""
    return next((id_.hex() for id_ in obstacle.related if (dossiers / f"{id_.hex()}.json").exists()), "")


def _why(obstacle: Obstacle) -> str:
    related = " ".join(id_.hex() for id_ in obstacle.related)
    unsure = "" if obstacle.certain else _UNSURE[obstacle.code]
    return f"{obstacle.code} {related}".rstrip() + unsure


def _said(found: Found) -> str:
    """Of a registration what a person compares with the document."""
    listing, invoice = found.listing, found.invoice
    said = listing.particulars
    names = f"{invoice.seller.name or 'unnamed'} to {invoice.buyer.name or 'unnamed'}" if invoice else ""
    told = (
        str(Money(said.currency, said.amount_minor)),
        f"issued {said.issue_date}" if said.issue_date else "",
        f"due {said.due_date}" if said.due_date else "",
        names,
        f"seller {said.seller}" if listing.kind == "payable" else f"debtor {said.debtor}",
        f"orders {' '.join(said.orders)}" if said.orders else "",
        f"kind {listing.kind}",
        *(f"{percent(up)} of {id_.hex() if isinstance(id_, bytes) else id_}" for id_, up, _ in listing.parents),
        f"laws {' '.join(listing.laws)}" if listing.laws else "",
        "tagged for blankets on its debtor" if listing.account else "",
        f"grade {listing.grade}",
    )
    return ", ".join(filter(None, told))
