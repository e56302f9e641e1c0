"""Measures how well the registry finds duplicates, and how much honest trade it holds up.

A portfolio of honest invoices is generated and registered through `registry.ledger.execute`; then copies of them,
changed in labelled ways, are registered after it, each on a fork of its own. Ends with 1 if a promise is broken: an
honest invoice was blocked, or a copy in which one field was changed was neither blocked nor listed for review.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from duplicates_book import Book
from duplicates_firms import genesis_of
from duplicates_measure import measure_copies, measure_honest
from duplicates_mutations import MUTATIONS
from duplicates_portfolio import portfolio
from duplicates_report import print_tables, report_of
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["benchmark", "main"]

INVOICES_MIN, INVOICES_MAX = 1_000, 1_000_000
TABLE_WIDTH = 110  # characters
COPIES_MIN, INVOICES_PER_COPY = 25, 200  # copies of each mutation


def benchmark(invoices: int, *, seed: int, progress: Progress) -> dict[str, Any]:
    """Generate, register, mutate, register again: the report."""
    started = time.monotonic()
    honest_trade = portfolio(invoices, seed=seed)
    book = Book(genesis_of(honest_trade.firms, seed), honest_trade.firms)
    each = max(COPIES_MIN, invoices // INVOICES_PER_COPY)
    registering = progress.add_task("honest portfolio", total=len(honest_trade.listed))
    copying = progress.add_task("changed copies", total=each * len(MUTATIONS))
    honest, ids = measure_honest(book, honest_trade, lambda: progress.advance(registering))
    registered = time.monotonic()
    measured = measure_copies(book, honest_trade, ids, each=each, seed=seed, advance=lambda: progress.advance(copying))
    return {
        "invoices": invoices,
        "seed": seed,
        "seconds": {"honest": round(registered - started, 1), "copies": round(time.monotonic() - registered, 1)},
    } | report_of(honest, measured)


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/duplicates-benchmark", description=__doc__.splitlines()[0])
    parser.add_argument("--invoices", type=int, default=10_000, metavar="N", help="honest invoices (10,000)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="equal seeds, equal results (1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of tables")
    options = parser.parse_args(argv)
    if not INVOICES_MIN <= options.invoices <= INVOICES_MAX:
        parser.error(f"--invoices: {INVOICES_MIN:,} to {INVOICES_MAX:,}")
    return options


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        report = benchmark(options.invoices, seed=options.seed, progress=progress)
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        print_tables(report, Console(width=TABLE_WIDTH))
    for promise in report["broken_promises"]:
        print(f"broken promise: {promise}", file=sys.stderr)
    return 1 if report["broken_promises"] else 0


if __name__ == "__main__":
    sys.exit(main())
