"""What was measured, as one JSON object and as tables, and which promises it breaks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from duplicates_measure import Honest, Measured
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

__all__ = ["broken_promises", "print_tables", "report_of"]

LEVELS = ("block", "review")
SHOWN = 5  # examples of a broken promise
_LEGEND = """\
* One field is changed: all must be found. Found is blocked, or listed for review.
Precision of a mutation: how many of the receivables that its receipts name are the original (or another
part of the copy). Of a level: how many of the registrations held up are copies, at this mix of both."""


def report_of(honest: Honest, measured: Sequence[Measured]) -> dict[str, Any]:
    """Everything in numbers. Shares are of 1; None where there was nothing to take a share of."""
    return {
        "honest": {
            "invoices": honest.invoices,
            "orders": honest.orders,
            "blocked": len(honest.blocked),
            "refused_otherwise": dict(honest.refused),
            "reviewed_per_1000": _per_1000(honest.reviewed, honest),
            "reviewed_beyond_lineage_per_1000": _per_1000(honest.reviewed_beyond_lineage, honest),
            "matches_per_1000": _per_1000(honest.pairs, honest),
            "matches_per_1000_by_kind": {
                kind: _per_1000(count, honest) for kind, count in honest.pairs_by_kind.most_common()
            },
        },
        "mutations": [_row(one) for one in measured],
        "levels": {level: _level(level, honest, measured) for level in (*LEVELS, "union")},
        "broken_promises": broken_promises(honest, measured),
    }


def broken_promises(honest: Honest, measured: Sequence[Measured]) -> list[str]:
    """What must not be and was: honest invoices refused, single-field changes that nothing found."""
    broken = []
    if honest.blocked:
        broken.append(f"{len(honest.blocked)} honest registrations were blocked: {'; '.join(honest.blocked[:SHOWN])}")
    if honest.refused:
        broken.append(f"honest registrations were refused: {dict(honest.refused)}")
    for one in measured:
        name = one.mutation.name
        if not one.copies:
            broken.append(f"{name}: the portfolio has nothing to try it on")
        if one.mutation.expects == "honest" and (one.blocked or one.strangers_blocked):
            broken.append(f"{name}: {one.blocked + one.strangers_blocked} of {one.copies} honest ones were blocked")
        elif one.strangers_blocked:
            broken.append(f"{name}: {one.strangers_blocked} were blocked by another receivable than their original")
        if one.mutation.single_field and one.missed:
            shown = "; ".join(one.missed[:SHOWN])
            broken.append(f"{name}: {len(one.missed)} of {one.copies} single-field changes were not found: {shown}")
    return broken


def print_tables(report: dict[str, Any], console: Console) -> None:
    """The same for people."""
    copies = _table(
        "Copies of registered receivables",
        ("mutation", "should be"),
        ("copies", "blocked", "found", "precision block", "review"),
    )
    for row in report["mutations"]:
        shares = ("recall_block", "recall_union", "precision_block", "precision_review")
        name = f"{row['mutation']} *" if row["single_field"] else row["mutation"]
        copies.add_row(name, row["expected"], f"{row['copies']:,}", *(_percent(row[share]) for share in shares))
    levels = _table(
        "Levels, over all copies and the honest portfolio",
        ("level",),
        ("duplicates found", "honest ones held up", "recall", "precision"),
    )
    for level, row in report["levels"].items():
        counts = (f"{row['duplicates']:,}", f"{row['honest']:,}")
        levels.add_row(level, *counts, _percent(row["recall"]), _percent(row["precision"]))
    honest = report["honest"]
    work = _table("Work for people", (f"of {honest['invoices']:,} honest invoices",), ("per 1,000",))
    work.add_row("blocked", f"{honest['blocked'] * 1000 / honest['invoices']:,.1f}")
    work.add_row("with a match", f"{honest['reviewed_per_1000']:,.1f}")
    work.add_row("  in more than an order or transport number", f"{honest['reviewed_beyond_lineage_per_1000']:,.1f}")
    work.add_row("matches to look at", f"{honest['matches_per_1000']:,.1f}")
    for kind, count in honest["matches_per_1000_by_kind"].items():
        work.add_row(f"  alike in {kind}", f"{count:,.1f}")
    for table in (copies, levels, work):
        console.print(table)
    console.print(_LEGEND)


def _table(title: str, texts: Sequence[str], numbers: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for name in texts:
        table.add_column(name, no_wrap=True)
    for name in numbers:
        table.add_column(name, justify="right")
    return table


def _row(one: Measured) -> dict[str, Any]:
    found = one.blocked + one.reviewed
    return {
        "mutation": one.mutation.name,
        "expected": one.mutation.expects,
        "single_field": one.mutation.single_field,
        "copies": one.copies,
        "blocked": one.blocked,
        "reviewed": one.reviewed,
        "missed": len(one.missed),
        "recall_block": _share(one.blocked, one.copies),
        "recall_review": _share(one.reviewed, one.copies),
        "recall_union": _share(found, one.copies),
        # of the receivables that the receipts name
        "precision_block": _share(one.listed_true["block"], one.listed["block"]),
        "precision_review": _share(one.listed_true["review"], one.listed["review"]),
    }


def _level(level: str, honest: Honest, measured: Sequence[Measured]) -> dict[str, Any]:
    """Recall and precision by registrations held up, at the benchmark's own mix of copies and honest invoices."""
    duplicates = [one for one in measured if one.mutation.expects != "honest"]
    alike = [one for one in measured if one.mutation.expects == "honest"]
    true, false = 0, 0
    if level in ("block", "union"):
        true += sum(one.blocked for one in duplicates)
        false += (
            len(honest.blocked) + sum(one.blocked for one in alike) + sum(one.strangers_blocked for one in measured)
        )
    if level in ("review", "union"):
        true += sum(one.reviewed for one in duplicates)
        false += honest.reviewed + sum(one.reviewed for one in alike)
    copies = sum(one.copies for one in duplicates)
    return {
        "duplicates": true,
        "honest": false,
        "recall": _share(true, copies),
        "precision": _share(true, true + false),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _per_1000(count: int, honest: Honest) -> float:
    return round(count * 1000 / honest.invoices, 1)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
