"""A portfolio in a CSV file onto the ledger, by a process that is killed in the middle and started again."""

from __future__ import annotations

import csv
import json
import multiprocessing
import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psutil
from demo_cast import demo_key, synthetic_lei

from clients.base import Client
from clients.portfolios import read_portfolio
from clients.runs import Run
from clients.runs import backfill as run_backfill
from node.devnet import Devnet
from registry.documents import ColumnMap
from registry.money import WHOLE
from registry.reasons import OK

__all__ = ["portfolio_backfilled"]

DEBTORS = 500
KILLED_AT = 0.4  # of the rows
POLL_S = 0.2
FIRST_DAY = date(2024, 1, 1)
HEADER = ("number", "issue_date", "currency", "payable", "buyer_name", "buyer_country", "buyer_lei", "concluded")


def write_book(path: Path, rows: int) -> None:
    """A portfolio as an ERP writes it."""
    chance = random.Random(2026)
    debtors = [synthetic_lei(f"backfill debtor {number}").removeprefix("lei:") for number in range(DEBTORS)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in range(rows):
            day = FIRST_DAY + timedelta(days=chance.randrange(800))
            amount = f"{chance.randrange(10_000, 900_000_000) / 100:.2f}"
            writer.writerow((f"BF-{number:07d}", day, "EUR", amount, "Buyer", "DE", chance.choice(debtors), day))


def client_process(genesis: Any, urls: list[str], book: Path, run: Path, seller: str, financier: str) -> None:
    columns = ColumnMap(constants={"seller_name": "Seller", "seller_country": "CN"})
    with (
        Client(genesis, urls=urls, party=seller, signer=demo_key(seller)) as client,
        book.open("rb") as stream,
        Run(run, book="bench") as folder,
    ):
        usual: dict[str, Any] = {"seller": seller, "debtor": None, "share": WHOLE, "now_ms": folder.begun_ms}
        rows: Iterator[Any] = read_portfolio(book.name, stream, columns, **usual)
        client.call(run_backfill, folder, rows, to=financier, terms=bytes(32), progress=lambda _: None)


def portfolio_backfilled(
    devnet: Devnet,
    *,
    names: Sequence[str],
    seller: str,
    financier: str,
    rows: int,
    folder: Path,
    say: Callable[..., None],
) -> dict[str, Any]:
    """Backfills `rows` rows; the client is killed once, and goes on. Raises `RuntimeError` unless all are registered.

    Signed with the seller's own key; the financier takes nothing up here.
    """
    book = folder / "book.csv"
    write_book(book, rows)
    say(f"{rows:,} rows, {book.stat().st_size / 2**20:.0f} MB")
    urls = [devnet.url(name) for name in names]
    arguments = (devnet.genesis, urls, book, folder / "run", seller, financier)
    peak, started, done_at_kill = 0, time.monotonic(), 0
    resumed_s = 0.0
    for kill_at in (round(rows * KILLED_AT), rows + 1):
        process = multiprocessing.get_context("spawn").Process(target=client_process, args=arguments)
        process.start()
        begun, before = time.monotonic(), _done(folder / "run")
        while process.is_alive() and _done(folder / "run") < kill_at:
            peak = max(peak, _rss(process.pid))
            if done_at_kill and not resumed_s and _done(folder / "run") > before:
                resumed_s = time.monotonic() - begun
            process.join(POLL_S)
        if process.is_alive():
            process.kill()
            done_at_kill = _done(folder / "run")
            say(f"  killed at {done_at_kill:,} rows after {time.monotonic() - started:.0f} s")
        process.join()
    seconds = time.monotonic() - started
    with Run(folder / "run", book="bench") as ended:
        counted = ended.counted
    if dict(counted) != {OK: rows}:
        raise RuntimeError(f"not every row is registered: {dict(counted)}")
    return {
        "rows": rows,
        "seconds": round(seconds, 1),
        "rows_per_s": round(rows / seconds, 1),
        "killed_at_row": done_at_kill,
        "first_row_after_resuming_s": round(resumed_s, 1),
        "client_rss_mb_max": round(peak / 2**20, 1),
        "authorities": len(names),
    }


def _done(run: Path) -> int:
    """Rows whose outcome is on the disk; the folder is the running process's, and only read here."""
    position = run / "position"
    return sum(json.loads(position.read_text())["counted"].values()) if position.exists() else 0


def _rss(pid: int | None) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
