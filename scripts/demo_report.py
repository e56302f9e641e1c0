"""What the demonstration prints, and what it writes as JSON."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import Any

from demo_checks import Check
from demo_story import Entry, Story
from rich.console import Console
from rich.table import Table

STYLES = {"funded": "green", "registered": "cyan", "adjusted": "cyan", "refused": "yellow"}
ROWS_MAX = 60  # rows shown; the JSON has all


def print_outcome(console: Console, story: Story, checks: list[Check], seconds: float) -> None:
    """The table per document, the summary, and the checks."""
    table = Table(title="What became of each document", expand=True)
    for column, options in COLUMNS.items():
        table.add_column(column, **options)
    for entry in story.entries[:ROWS_MAX]:
        style = STYLES.get(entry.status, "dim")
        table.add_row(
            entry.file,
            amount(entry),
            f"[{style}]{entry.status}[/]",
            entry.detail or (f"lost: {entry.lost_by}" if entry.lost_by else ""),
            entry.funded_by,
            f"{entry.finality_ms:.0f}" if entry.finality_ms else "",
        )
    console.print(table)
    if len(story.entries) > ROWS_MAX:
        console.print(f"... and {len(story.entries) - ROWS_MAX} more; --json FILE has them all")
    counted = Counter(entry.status for entry in story.entries)
    console.print("  ".join(f"{status}: {count}" for status, count in counted.most_common()))
    median_ms = finality_ms(story)
    if median_ms:
        console.print(f"Median of what a client waits for a verified final answer, busy network: {median_ms:.0f} ms")
    for check in checks:
        mark = "[green]ok[/]" if check.passed else "[bold red]NOT SO[/]"
        console.print(f"{mark} {check.title}: {check.seen}", highlight=False, soft_wrap=True)
    console.print(f"{len(story.entries)} documents in {seconds:.1f} s")


COLUMNS: dict[str, dict[str, Any]] = {
    "document": {"overflow": "fold", "ratio": 4},
    "payable": {"justify": "right", "no_wrap": True},
    "outcome": {"no_wrap": True},
    "detail": {"overflow": "fold", "ratio": 4},
    "funded by": {"no_wrap": True},
    "final ms": {"justify": "right", "no_wrap": True},
}


def outcome_json(story: Story, checks: list[Check], seconds: float) -> dict[str, Any]:
    """The outcome per document and the summary."""
    return {
        "documents": [entry_json(entry) for entry in story.entries],
        "summary": {
            "counts": dict(Counter(entry.status for entry in story.entries)),
            "finality_ms_p50": finality_ms(story),
            "seconds": round(seconds, 1),
            "checks": [{"title": check.title, "passed": check.passed, "seen": check.seen} for check in checks],
            "passed": all(check.passed for check in checks),
        },
    }


def entry_json(entry: Entry) -> dict[str, Any]:
    """One document."""
    return {
        "file": entry.file,
        "copy_of": entry.copy_of or None,
        "number": entry.invoice.number if entry.invoice else None,
        "payable": amount(entry) or None,
        "status": entry.status,
        "detail": entry.detail,
        "warnings": list(entry.warnings),
        "receivable": entry.registration.receivable.hex() if entry.registration else None,
        "confirmed": entry.confirmed,
        "funded_by": entry.funded_by or None,
        "refused_financier": entry.lost_by or None,
        "finality_ms": round(entry.finality_ms, 1),
    }


def amount(entry: Entry) -> str:
    """What is payable, as text."""
    return "" if entry.invoice is None or entry.invoice.payable is None else str(entry.invoice.payable)


def finality_ms(story: Story) -> float:
    """The median over all documents that waited for finality."""
    waited = [entry.finality_ms for entry in story.entries if entry.finality_ms]
    return round(statistics.median(waited), 1) if waited else 0.0
