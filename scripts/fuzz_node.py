"""All attacks at once on one node of a real network, while an honest member goes on trading through it. See fuzz.py.

Three authorities are honest and run, the fourth is as hostile as it may be. The memory of the attacked node is measured
all the time, and compared with what its bounds allow.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from random import Random

import httpx
import psutil

from registry.codec import encode
from tests.cast import AUTHORITIES, EXP_CN, key_of
from tests.fuzzing.attacks import ATTACKS, Stage
from tests.fuzzing.memory import MIB, bound, rows
from tests.node.api.signing import SignedBy
from tests.scenarios.bad_input.network import OBSERVER, Network, a_network, invoice

ATTACKED, HOSTILE = "f-cn", "f-gb"
MEASURE_S = 0.2
FINAL_WITHIN_S = 30.0
PEERS = len(AUTHORITIES)  # the other authorities and the observer
CALLERS = 3  # that sign requests here
SEED = 20_261_126


def fuzz_node(*, seconds: float) -> int:
    """Returns 1 if the node ended, took more memory than its bound, or an honest transaction did not become final."""
    with tempfile.TemporaryDirectory() as folder, a_network(Path(folder)) as devnet:
        devnet.start_all([name for name in AUTHORITIES if name != HOSTILE])
        with httpx.Client(timeout=FINAL_WITHIN_S + 5) as http:
            network = Network(devnet, http)
            stage = Stage(network, ATTACKED, authority=HOSTILE, observer=OBSERVER)
            _trade(network)
            pid = devnet.pid(ATTACKED)
            process = psutil.Process(pid)
            rest = process.memory_info().rss
            threads = [
                threading.Thread(target=attack, args=(stage, Random(f"{SEED} {name}")), name=name, daemon=True)
                for name, attack in ATTACKS.items()
            ]
            for thread in threads:
                thread.start()
            peaks, latencies, failed = _watch(stage, process, seconds)
            attacking = [thread.name for thread in threads if thread.is_alive()]
            stage.over.set()
            for thread in threads:
                thread.join(20)
            alive = devnet.is_running(ATTACKED) and devnet.pid(ATTACKED) == pid
            return _report(rest, peaks, latencies, failed, alive=alive, attacking=attacking)


def _watch(stage: Stage, process: psutil.Process, seconds: float) -> tuple[list[int], list[float], int]:
    """Memory all the time, and how long honest transactions take; how many of them did not become final."""
    peaks: list[int] = []
    measuring = threading.Event()

    def measure() -> None:
        while not measuring.wait(MEASURE_S) and process.is_running():
            peaks.append(process.memory_info().rss)

    meter = threading.Thread(target=measure, daemon=True)
    meter.start()
    latencies: list[float] = []
    failed, ends = 0, time.monotonic() + seconds
    while time.monotonic() < ends:
        began = time.monotonic()
        try:
            _trade(stage.network)
            latencies.append(time.monotonic() - began)
        except (httpx.HTTPError, AssertionError) as error:
            failed += 1
            print(f"an honest transaction did not become final: {type(error).__name__}: {error}", file=sys.stderr)
    measuring.set()
    meter.join(5)
    return peaks, latencies, failed


def _trade(network: Network) -> None:
    """An honest registration through the attacked node, signed and asked for by its member."""
    wire = network.wire(EXP_CN, invoice(network.tag() + str(time.time_ns())))
    url = network.devnet.url(ATTACKED)
    with httpx.Client(auth=SignedBy(key_of(EXP_CN)), timeout=FINAL_WITHIN_S + 5) as http:
        headers = {"content-type": "application/msgpack"}
        answer = http.post(f"{url}/v1/transactions", content=encode([wire]), headers=headers)
        assert answer.status_code == 202, answer.text
        (result,) = answer.json()["results"]
        assert "transaction_id" in result, result
        found = http.get(f"{url}/v1/transactions/{result['transaction_id']}?wait_s={FINAL_WITHIN_S:.0f}").json()
        assert found["status"] == "final", found["status"]


def _report(
    rest: int, peaks: list[int], latencies: list[float], failed: int, *, alive: bool, attacking: list[str]
) -> int:
    most = bound(peers=PEERS, callers=CALLERS)
    peak = max(peaks, default=0)
    for row in rows(peers=PEERS, callers=CALLERS):
        print(f"  {row.bytes / MIB:6.0f} MiB  {row.what}: {row.how}")
    print(f"memory: at rest {rest / MIB:.0f} MiB, peak {peak / MIB:.0f} MiB; bound {(rest + most) / MIB:.0f} MiB")
    if latencies:
        middle, worst = statistics.median(latencies), max(latencies)
        print(
            f"honest transactions: {len(latencies)} final, median {middle:.2f} s, worst {worst:.2f} s; {failed} failed"
        )
    print(
        f"attacks that went on to the end: {len(attacking)} of {len(ATTACKS)}; the node {'lives' if alive else 'ENDED'}"
    )
    sound = alive and not failed and latencies and peak <= rest + most and len(attacking) == len(ATTACKS)
    return 0 if sound else 1
