"""Measures a network of four authorities, each a process of its own on this machine, and prints one JSON object.

Transactions are signed before the clock starts; submitting them and waiting for finality goes through the HTTP API of
all four nodes, and the process that does so shares the machine with them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from bench_backfill import portfolio_backfilled
from bench_load import (
    Load,
    Signed,
    claims_on,
    drive,
    offers_on,
    outcomes,
    registrations,
    reservations,
    sign_each,
)
from bench_pool import pool_drawn
from bench_tree import tree_us_per_key
from demo_cast import AUTHORITIES, demo_key, member_party, synthetic_lei
from rich.console import Console

from node.devnet import Devnet, Member, create
from registry.genesis import Genesis
from registry.keys import DOMAIN_TRANSACTION, SigningKey, verify
from registry.parties import Party

EXPORTERS = 8
PER_REQUEST = 100  # transactions in one HTTP request, under full load
WORKERS = 12  # requests in flight, under full load
BATCH = 100  # receivables under one signature
CLAIMS_EACH = 4  # claims on one receivable
LIGHT_SAMPLES = 200  # single submissions, one after the other
PREPARE_WITHIN_S = 600.0
OBSERVER_WITHIN_S = 900.0
OBSERVER_ASKED_EVERY_S = 0.25  # an eighth of its time went into answering when it was asked five times as often
VERIFY_TRIES, VERIFY_EACH = 5, 1_000
PACKAGES = ("cryptography", "fastapi", "lmdb", "msgpack", "plyvel", "pynacl", "uvicorn", "uvloop")

say = Console(stderr=True).print


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print the JSON object alone (progress goes to stderr)")
    parser.add_argument("--seconds", type=float, default=10.0, metavar="N", help="length of each load phase (10)")
    parser.add_argument("--tree-keys", type=int, default=1_000_000, metavar="N", help="largest tree measured (10^6)")
    parser.add_argument("--pool", type=int, metavar="N", help="measure only a pool of N receivables drawn by the SDK")
    parser.add_argument("--backfill", type=int, metavar="N", help="measure only a portfolio of N rows, killed once")
    parser.add_argument("--authorities", type=int, default=4, metavar="N", help="for --backfill: 1 to 4 (4)")
    options = parser.parse_args()
    if not 1 <= options.authorities <= len(AUTHORITIES):
        parser.error(f"--authorities: 1 to {len(AUTHORITIES)}")
    if options.backfill is not None and not 1 <= options.backfill <= 5_000_000:
        parser.error("--backfill: 1 to 5000000")
    if options.pool is not None and not 1 <= options.pool <= 100_000:
        parser.error("--pool: 1 to 100000")
    if not 1 <= options.seconds <= 600:
        parser.error("--seconds: 1 to 600")
    return options


@dataclass(frozen=True, slots=True)
class Usage:
    """Processor seconds and resident bytes, per node."""

    cpu_s: tuple[float, ...]
    rss: tuple[int, ...]


def usage(devnet: Devnet, names: Sequence[str]) -> Usage:
    processes = [psutil.Process(devnet.pid(name)) for name in names]
    times = [process.cpu_times() for process in processes]
    return Usage(tuple(t.user + t.system for t in times), tuple(process.memory_info().rss for process in processes))


def measure(devnet: Devnet, seconds: float) -> dict[str, Any]:
    names = [name for name, *_ in AUTHORITIES]
    devnet.start_all(names)
    urls = [devnet.url(name) for name in names]
    exporters = [demo_key(party.id) for party in exporter_parties()]
    financier = demo_key(AUTHORITIES[0][1])
    result: dict[str, Any] = {}
    busy_s = 0.0

    def load(
        title: str, signed: Sequence[Signed], *, workers: int, per_request: int, within_s: float = seconds
    ) -> Load:
        nonlocal busy_s
        say(f"{title}: {len(signed)} transactions signed, submitting for at most {within_s:g} s")
        done = asyncio.run(drive(urls, financier, signed, workers=workers, per_request=per_request, seconds=within_s))
        counted = asyncio.run(outcomes(urls[0], financier, done.submitted))
        if set(counted) != {"ok"}:
            raise RuntimeError(f"{title}: not all went well: {dict(counted)}")
        busy_s += done.seconds
        say(f"  {done.per_second:.0f} operations/s, p50 {statistics.median(done.latencies_ms):.0f} ms")
        return done

    light = sign_each(devnet.genesis, exporters, registrations(LIGHT_SAMPLES), per_signature=1)
    quiet = load("light load", light, workers=1, per_request=1)
    result["finality_ms_p50_light"], result["finality_ms_p99_light"] = percentiles(quiet.latencies_ms)

    before = usage(devnet, names)
    singles = sign_each(devnet.genesis, exporters, registrations(int(seconds * 2000)), per_signature=1)
    full = load("single registrations", singles, workers=WORKERS, per_request=PER_REQUEST)
    after = usage(devnet, names)
    result["single_registrations_per_s"] = round(full.per_second, 1)
    result["finality_ms_p50_full"], result["finality_ms_p99_full"] = percentiles(full.latencies_ms)
    spent = sum(after.cpu_s) - sum(before.cpu_s)
    result["cpu_us_per_transaction_per_node"] = round(spent / len(names) / full.operations * 1e6, 1)

    batches = sign_each(devnet.genesis, exporters, registrations(int(seconds * 5000)), per_signature=BATCH)
    batched = load("batched registrations", batches, workers=WORKERS, per_request=1)
    result["batched_receivables_per_s"] = round(batched.per_second, 1)

    receivables = quiet.operations + full.operations + batched.operations
    result["disk_bytes_per_receivable"] = round(disk_bytes(devnet, names[0]) / receivables)  # before there are claims

    result["claims_per_s"] = round(claims(devnet.genesis, exporters[0], load, seconds).per_second, 1)
    result["rss_mb_per_node"] = round(statistics.mean(usage(devnet, names).rss) / 2**20, 1)
    result["observer_sync_s"] = round(observer_sync_s(devnet), 2)
    result["observer_sync_ratio"] = round(busy_s / result["observer_sync_s"], 2)
    result["load_s"] = round(busy_s, 1)
    return result


def measure_pool(devnet: Devnet, count: int) -> dict[str, Any]:
    names = [name for name, *_ in AUTHORITIES]
    devnet.start_all(names)
    urls, financier = [devnet.url(name) for name in names], demo_key(AUTHORITIES[0][1])

    def load(title: str, signed: Sequence[Signed]) -> None:
        say(f"{title}: {len(signed)} transactions")
        asyncio.run(drive(urls, financier, signed, workers=WORKERS, per_request=1, seconds=PREPARE_WITHIN_S))

    return pool_drawn(devnet, seller=exporter_parties()[0].id, count=count, load=load)


def claims(genesis: Genesis, exporter: SigningKey, load: Callable[..., Load], seconds: float) -> Load:
    """Reservations of claims that were offered beforehand: one signature, one claim each."""
    count = int(seconds * 3000) // CLAIMS_EACH
    financier = AUTHORITIES[0][1]
    listed = sign_each(genesis, [exporter], registrations(count), per_signature=BATCH)
    offers = offers_on(claims_on(listed), each=CLAIMS_EACH, to=financier)
    offered = sign_each(genesis, [exporter], offers, per_signature=BATCH)
    for title, prepared in (("receivables to claim", listed), ("offers to claim", offered)):
        load(title, prepared, workers=WORKERS, per_request=1, within_s=PREPARE_WITHIN_S)
    reserved = sign_each(genesis, [demo_key(financier)], reservations(claims_on(offered)), per_signature=1)
    return load("claims", reserved, workers=WORKERS, per_request=PER_REQUEST)


def observer_sync_s(devnet: Devnet) -> float:
    """From the start of a fresh observer's process to the height that the others have."""
    target = devnet.status(AUTHORITIES[0][0])["height"]
    say(f"a late observer syncs {target} blocks")
    started = time.monotonic()
    devnet.start("observer")
    while time.monotonic() - started < OBSERVER_WITHIN_S:
        if devnet.is_ready("observer") and devnet.status("observer")["height"] >= target:
            return time.monotonic() - started
        time.sleep(OBSERVER_ASKED_EVERY_S)
    raise RuntimeError(f"the observer did not reach height {target} in {OBSERVER_WITHIN_S:g} s")


def disk_bytes(devnet: Devnet, name: str) -> int:
    return sum(path.stat().st_size for path in devnet.data_dir(name).rglob("*") if path.is_file())


def percentiles(latencies_ms: list[float]) -> tuple[float, float]:
    """p50 and p99."""
    ordered = sorted(latencies_ms)
    return round(statistics.median(ordered), 1), round(ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)], 1)


def exporter_parties() -> list[Party]:
    ids = [synthetic_lei(f"bench exporter {number}") for number in range(EXPORTERS)]
    return [member_party(party, f"Bench exporter {number}", "CN", "exporter") for number, party in enumerate(ids)]


def members(authorities: int) -> list[Member]:
    made = [
        Member(name=name, party=member_party(party, title, country, "authority"), role="authority")
        for name, party, title, country in AUTHORITIES[:authorities]
    ]
    observer = member_party(synthetic_lei("bench observer"), "Bench observer", "SG", "regulator")
    return [*made, Member(name="observer", party=observer, role="observer")]


def machine() -> dict[str, Any]:
    """What it is, and how fast just now: rates of two machines compare only beside those of their signatures."""
    memory = psutil.virtual_memory().total
    model = next(
        (line.split(":", 1)[1].strip() for line in cpuinfo() if line.startswith("model name")), platform.processor()
    )
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 2**30, 1),
        "os": platform.platform(),
        "verifications_per_s": verifications_per_s(),
    }


def verifications_per_s() -> int:
    """Ed25519 verifications of one thread, the best of some tries: others use a shared machine too."""
    key, message = demo_key("verifications"), bytes(300)
    signature = key.sign(DOMAIN_TRANSACTION, bytes(32), message)
    best_s = float("inf")
    for _ in range(VERIFY_TRIES):
        started = time.perf_counter()
        for _ in range(VERIFY_EACH):
            verify(key.public_key, DOMAIN_TRANSACTION, bytes(32), message, signature)
        best_s = min(best_s, time.perf_counter() - started)
    return round(VERIFY_EACH / best_s)


def cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "nemodat": version("nemodat")}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except ModuleNotFoundError:  # plyvel is not installed everywhere
            found[package] = "not installed"
    return found


def main() -> int:
    options = arguments()
    sizes = tuple(size for size in (10_000, 100_000, 1_000_000) if size <= options.tree_keys)
    with (
        tempfile.TemporaryDirectory(prefix="nemodat-bench-") as folder,
        create(
            Path(folder),
            members=members(options.authorities),
            parties=exporter_parties(),
            rate_limits=False,
            kind=Devnet,
        ) as devnet,
    ):
        if options.pool is not None:
            result = {"pool": measure_pool(devnet, options.pool)}
        elif options.backfill is not None:
            names = [name for name, *_ in AUTHORITIES[: options.authorities]]
            devnet.start_all(names)
            seller, financier = exporter_parties()[0].id, AUTHORITIES[0][1]
            where = Path(folder) / "backfill"
            where.mkdir()
            result = {
                "backfill": portfolio_backfilled(
                    devnet,
                    names=names,
                    seller=seller,
                    financier=financier,
                    rows=options.backfill,
                    folder=where,
                    say=say,
                )
            }
        else:
            result = measure(devnet, options.seconds)
    if options.pool is None and options.backfill is None:
        say("state tree")
        result["tree_us_per_key"] = tree_us_per_key(sizes)
    result |= {"seconds_per_phase": options.seconds, "machine": machine(), "versions": versions()}
    print(json.dumps(result, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
