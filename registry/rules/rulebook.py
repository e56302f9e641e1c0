"""Rule-books of disputes as data: the ladder and its clocks (registry.md 9). `rulebooks.toml` explains its entries.

The rule-book of a dispute is the one in force at the block time at which it was raised, to its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from registry.errors import FieldError
from registry.limits import RUNGS_MAX
from registry.records.disputes import FORUMS
from registry.tables import Table

__all__ = ["DAY_MS", "RULEBOOKS", "RuleBook", "Rung", "in_force", "read_rulebooks", "rulebook"]

DAY_MS: Final = 86_400_000
DAYS_MAX: Final = 3650  # of one rung


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung: time for the answer (at the last rung: for the award), then time to go on; in milliseconds."""

    name: str
    answer_ms: int
    pursue_ms: int
    forums: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleBook:
    """One version, for disputes raised from block time `from_ms` on until the next version."""

    id: str
    from_ms: int
    source: str
    confidence: str
    checked: str
    rungs: tuple[Rung, ...]

    def is_last(self, rung: int) -> bool:
        """Whether nothing is above this rung."""
        return rung == len(self.rungs) - 1


def read_rulebooks(text: str) -> tuple[RuleBook, ...]:
    """The rule-books in a TOML text, oldest first. Raises `FieldError` naming the place that is wrong."""
    names = ("id", "from_ms", "source", "confidence", "checked", "rung")
    books: list[RuleBook] = []
    for index, table in enumerate(Table.parse(text, ("rulebook",)).tables("rulebook", names)):
        place = f"rulebook[{index}]"
        rungs = tuple([_rung(place, rung) for rung in table.tables("rung", ("name", "days", "pursue", "forums"))])
        if not 1 <= len(rungs) <= RUNGS_MAX:
            raise FieldError(f"{place}.rung", f"there are 1 to {RUNGS_MAX} rungs")
        if not rungs[-1].forums or any(rung.forums for rung in rungs[:-1]):
            raise FieldError(f"{place}.rung", "the last rung, and no other, names who decides")
        book = RuleBook(
            table.text("id"),
            table.integer("from_ms"),
            table.text("source"),
            table.text("confidence"),
            table.text("checked"),
            rungs,
        )
        if books and book.from_ms <= books[-1].from_ms:
            raise FieldError(f"{place}.from_ms", "is not later than that of the version before it")
        if book.id in [other.id for other in books]:
            raise FieldError(f"{place}.id", "is another version's")
        books.append(book)
    if not books or books[0].from_ms != 0:
        raise FieldError("rulebook", "the first version is in force from 0")
    return tuple(books)


def _rung(place: str, table: Table) -> Rung:
    days, pursue, forums = table.integer("days"), table.integer("pursue"), table.texts("forums")
    if not 1 <= days <= DAYS_MAX or pursue > DAYS_MAX:
        raise FieldError(f"{place}.rung", f"days are 1 to {DAYS_MAX}, pursue 0 to {DAYS_MAX}")
    unknown = [forum for forum in forums if forum not in FORUMS]
    if unknown:
        raise FieldError(f"{place}.rung.forums", f"{unknown[0][:40]!r} is no forum that is known")
    return Rung(table.text("name"), days * DAY_MS, pursue * DAY_MS, forums)


RULEBOOKS: Final = read_rulebooks((files("registry.rules") / "rulebooks.toml").read_text(encoding="utf-8"))


def in_force(now_ms: int, books: Sequence[RuleBook] = RULEBOOKS) -> RuleBook:
    """The newest of these versions that is in force at block time `now_ms`."""
    return [book for book in books if book.from_ms <= now_ms][-1]


def rulebook(name: str) -> RuleBook:
    """The version with this id, which a recorded dispute names."""
    (found,) = [book for book in RULEBOOKS if book.id == name]
    return found
