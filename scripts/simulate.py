"""Runs the consensus engine through seeded worlds of bad weather, crashes and Byzantine authorities.

One seed is one run: size, fault and everything else are drawn from it, unless named. Every invariant is checked after
every event; a run that breaks one is shrunk, and the command that replays it is printed. Ends with 1 if one did.

  scripts/simulate --seeds 0..9999 --jobs 2
  scripts/simulate --seeds 0..999 --n 4,7 --fault twins,mixed --json
  scripts/simulate --replay "n=4 seed=17 fault=twins"
  scripts/simulate --exhaustive
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from consensus.simulation.campaign import FAULTS, SIZES, Failed, Outcome, Plan, plan_of, replay, run, shrink
from consensus.simulation.exhaustive import BYZANTINE, explore
from consensus.simulation.invariants import Broken

__all__ = ["campaign", "main"]

SEEDS_MAX = 10_000_000
FAILURES_SHOWN = 20
SIZE_MAX = 64  # authorities
COLLECT_EVERY = 20_000  # objects made: only worlds that are over are garbage in cycles, and 700 is looking all the time


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one plan."""

    plan: Plan
    outcome: Outcome
    cpu_s: float
    broke: str | None = None
    shrunk: Plan | None = None


def one(plan: Plan) -> Result:
    """Run a plan; shrink it if it fails."""
    began = time.process_time()
    try:
        outcome = run(plan)
    except Failed as failure:
        return Result(plan, Outcome(runs=1), time.process_time() - began, failure.reason, shrink(plan))
    return Result(plan, outcome, time.process_time() - began)


def campaign(plans: list[Plan], *, jobs: int, progress: Progress) -> tuple[Outcome, float, list[Result]]:
    """Run all plans: what they have exercised together, the processor time, and those that failed."""
    total, cpu_s, failures = Outcome(), 0.0, []
    task = progress.add_task("runs", total=len(plans), failed=0)
    for result in _results(plans, jobs):
        total.add(result.outcome)
        cpu_s += result.cpu_s
        if result.broke is not None:
            failures.append(result)
            progress.console.print(f"[red]{result.broke}[/red]  {result.plan}", highlight=False)
        progress.update(task, advance=1, failed=len(failures))
    return total, cpu_s, failures


def _results(plans: list[Plan], jobs: int) -> Iterator[Result]:
    if jobs == 1:
        yield from map(one, plans)
        return
    with multiprocessing.Pool(jobs) as pool:
        yield from pool.imap_unordered(one, plans, chunksize=4)


def report(total: Outcome, cpu_s: float, wall_s: float, failures: list[Result]) -> dict[str, object]:
    """The summary, as JSON has it."""
    return asdict(total) | {
        "cpu_s": round(cpu_s, 1),
        "wall_s": round(wall_s, 1),
        "messages_per_core_second": round(total.delivered / cpu_s) if cpu_s else 0,
        "violations": [{"plan": str(each.plan), "broke": each.broke, "shrunk": str(each.shrunk)} for each in failures],
    }


def print_report(console: Console, summary: dict[str, object]) -> None:
    """The summary, for people."""
    table = Table(title="exercised", show_header=False)
    for name, value in summary.items():
        if name != "violations":
            table.add_row(name.replace("_", " "), f"{value:,}")
    console.print(table)
    violations = summary["violations"]
    assert isinstance(violations, list)
    for each in violations[:FAILURES_SHOWN]:
        console.print(f"[red]{each['broke']}[/red]", highlight=False)
        console.print(f'  scripts/simulate --replay "{each["plan"]}"', highlight=False, soft_wrap=True)
        console.print(f'  scripts/simulate --replay "{each["shrunk"]}"    (milder)', highlight=False, soft_wrap=True)
    console.print(f"violations: {len(violations)}" if violations else "no violation", style="bold")


def replayed(plan: Plan) -> int:
    """Print the transcript of one run."""
    world, broke = replay(plan)
    print("\n".join(world.transcript))
    heights = ", ".join(f"{node.name} {node.height}" for node in world.nodes)
    print(f"{'broken: ' + broke if broke else 'good'}\n{plan}: heights {heights} after {world.clock.now_ms} ms")
    return 1 if broke else 0


def exhausted(*, views: int, crashes: bool, as_json: bool) -> int:
    """Search through every run of four authorities; print what there was."""
    found: list[dict[str, object]] = []
    for byzantine in BYZANTINE:
        began = time.process_time()
        try:
            explored = explore(byzantine, views=views, crashes=crashes)
        except Broken as broken:
            print(f"broken: {broken}", file=sys.stderr)
            return 1
        found.append(asdict(explored) | {"finalized": len(explored.finalized), "cpu_s": time.process_time() - began})
        if not as_json:
            print(
                f"Byzantine: {byzantine}, {views} view(s), {'with' if crashes else 'no'} power cuts: "
                f"{explored.states:,} states, {explored.transitions:,} transitions, {len(explored.finalized)} blocks "
                f"can be final, engines in {explored.local_states}, told apart {explored.classes}; "
                f"{time.process_time() - began:.1f} s; nothing broken",
                flush=True,
            )
    if as_json:
        print(json.dumps(found, indent=2))
    return 0


def arguments(argv: list[str] | None) -> argparse.Namespace:
    assert __doc__ is not None
    first, _, rest = __doc__.partition("\n")
    parser = argparse.ArgumentParser(
        prog="scripts/simulate", description=first, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", default="0..999", metavar="A..B", help="first and last seed (0..999)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (all cores)")
    parser.add_argument("--n", default=",".join(map(str, SIZES)), metavar="N,N", help=f"sizes (of {SIZES})")
    parser.add_argument("--fault", default=",".join(FAULTS), metavar="F,F", help=f"faults (of {', '.join(FAULTS)})")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--replay", type=Plan.parse, metavar="PLAN", help="print the transcript of one run")
    parser.add_argument("--exhaustive", action="store_true", help="search every run of four authorities, one height")
    parser.add_argument("--views", type=int, choices=(1, 2), default=2, help="of the exhaustive search (2)")
    parser.add_argument("--power-cuts", action="store_true", help="in the exhaustive search too")
    options = parser.parse_args(argv)
    try:
        first_seed, last_seed = (int(part) for part in options.seeds.split(".."))
        options.sizes = tuple(int(size) for size in options.n.split(","))
    except ValueError:
        parser.error("--seeds: A..B, --n: sizes with commas between")
    options.faults = tuple(options.fault.split(","))
    if not set(options.faults) <= set(FAULTS) or not all(1 <= size <= SIZE_MAX for size in options.sizes):
        parser.error(f"--fault: of {', '.join(FAULTS)}; --n: 1 to {SIZE_MAX}")
    options.seeds = range(first_seed, last_seed + 1)
    if not 0 < len(options.seeds) <= SEEDS_MAX or options.jobs < 1:
        parser.error(f"--seeds: 1 to {SEEDS_MAX:,} of them; --jobs: at least 1")
    return options


def main(argv: list[str] | None = None) -> int:
    """The command. 0 if nothing broke."""
    options = arguments(argv)
    if options.replay is not None:
        return replayed(options.replay)
    if options.exhaustive:
        return exhausted(views=options.views, crashes=options.power_cuts, as_json=options.json)
    gc.set_threshold(COLLECT_EVERY)  # also of the processes that are forked
    plans = [plan_of(seed, sizes=options.sizes, faults=options.faults) for seed in options.seeds]
    console = Console(stderr=options.json, width=None)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    began = time.monotonic()
    with Progress(
        *columns, TimeRemainingColumn(), TextColumn("{task.fields[failed]} failed"), console=console
    ) as progress:
        total, cpu_s, failures = campaign(plans, jobs=options.jobs, progress=progress)
    summary = report(total, cpu_s, time.monotonic() - began, failures)
    if options.json:
        print(json.dumps(summary, indent=2))
    else:
        print_report(console, summary)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
