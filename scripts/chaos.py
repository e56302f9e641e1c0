"""Real processes, real faults: a network is killed, paused, cut apart, lied to and damaged while clients race on it.

Four authorities, a fifth that is two-faced (it signs twice, over real TLS, until the evidence on the ledger unseats
it), and an observer. Faults: SIGKILL, SIGSTOP, clocks that jump, full disks, bits flipped and files cut in the store
(stopped or running; healed with `nemodat node reset` and a new key by governance), links slow, lossy, cut in one or
both directions, the network in two halves. Meanwhile exporters register, and two financiers race for the whole of each
receivable at different nodes; each client writes down at once what it sent and what it was told.

Then all heals, and a checker reads every history and every ledger: nothing that a client was told is final is missing
on any node, every proof verifies offline, no receivable is over-claimed or won twice, one block at every height,
`nemodat node check` passes everywhere, and nobody but the two-faced one is accused. Exit code 1 if anything is broken.

    scripts/chaos                         about a minute
    scripts/chaos --minutes 60            for a release; files grow by about 10 MB a minute
    scripts/chaos --seed 7 --json out     the same schedule of faults again (the machine decides the rest)

Each node is in a network namespace of its own where the machine allows it (--links auto: Linux, root, ip), joined to a
bridge by real links: directions are cut in the kernel, and netem delays, loses and reorders, or proxies in this process
if the kernel has no netem. Otherwise (and with --links loopback) all is on loopback, and proxies cut too.

What the machine does not allow is left out, and said: small disks need root and mount. What a run that was killed left
behind, namespaces, nodes in them and disks, the next one removes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import secrets
import signal
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from chaos_check import NODES, check
from chaos_clients import Load
from chaos_faults import READY_WITHIN_S, Hands, schedule
from chaos_namespaces import sweep, why_not
from chaos_network import HONEST, LIAR, ChaosNet, can_mount, network

from node.devnet import DevnetError

AGREE_WITHIN_S = 60.0
WORKERS = 2


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=1.0, metavar="N", help="how long faults go on (1)")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32), metavar="S", help="of the schedule (random)")
    parser.add_argument("--workers", type=int, default=WORKERS, metavar="N", help=f"exporters at a time ({WORKERS})")
    parser.add_argument(
        "--json", type=Path, nargs="?", metavar="FILE", help="write the summary, which is printed, there too"
    )
    parser.add_argument("--links", choices=("auto", "namespaces", "loopback"), default="auto", help="see above (auto)")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="keep logs, histories and ledgers here")
    return parser.parse_args()


def run(net: ChaosNet, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The whole of it; the summary."""
    started = time.monotonic()
    seconds = options.minutes * 60
    histories = folder / "histories"
    histories.mkdir()
    disks = bool(net.disks)
    net.start_all()
    hands = Hands(net, tell)
    load = Load(net, histories, seed=options.seed, workers=options.workers)
    try:
        load.start()
        hands.run(*schedule(options.seed, seconds, disks=disks), seconds=seconds)
    finally:
        load.stop()
    tell("healed; waiting until all nodes agree")
    broken = [*hands.broken, *load.broken, *agreement(net), *filter(None, map(net.end_of, NODES))]
    for each in broken:  # at once: the check may not get to its end
        tell(f"BROKEN: {each}")
    for name in (*NODES, LIAR):
        if net.is_running(name):
            net.stop(name)
    tell("checking every history and every ledger")
    wrong, counted = check(net, histories, load.races)
    return {
        "passed": not broken and not wrong,
        "broken": [*broken, *wrong],
        "seed": options.seed,
        "seconds": round(time.monotonic() - started, 1),
        "seconds_of_faults": seconds,
        "faults": dict(sorted(hands.done.items())),
        "damage": dict(sorted(hands.healed.items())),
        "segments_lost": net.links.lost,
        "down_s": dict(sorted(hands.down_s.items())),
        "counted": counted,
        "allowed": {"small_disks": disks, "links": net.links.kind},
        "machine": {"system": platform.platform(), "processors": os.cpu_count(), "load": os.getloadavg()[0]},
        "versions": {"python": platform.python_version(), "nemodat": version("nemodat")},
    }


def agreement(net: ChaosNet) -> list[str]:
    """Wait until all nodes serve, are at one height with one root, and all who have a seat vote; what is amiss."""
    deadline = time.monotonic() + AGREE_WITHIN_S
    seen: dict[str, Any] = {}
    while time.monotonic() < deadline:
        try:
            for name in NODES:
                net.wait_ready(name, READY_WITHIN_S)
            seen = {name: net.status(name) for name in NODES}
        except DevnetError as error:
            return [str(error)]
        places = {(status["height"], status["state_root"]) for status in seen.values()}
        if len(places) == 1 and all(seen[name]["voting"] for name in HONEST):
            return []
        time.sleep(0.2)
    told = {name: (each["height"], each["voting"], each["alarm"]) for name, each in seen.items()}
    return [f"no agreement {AGREE_WITHIN_S:g} s after all was healed: {told}"]


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that everything is cleaned up
    tell(f"seed {options.seed}")
    if can_mount():
        sweep()
    apart = False
    if options.links != "loopback":
        reason = why_not()
        apart = not reason
        if reason:
            tell(f"NOT DONE: network namespaces: {reason}")
        if reason and options.links == "namespaces":
            return 2
    if not can_mount():
        tell("NOT DONE: full disks, which need root and mount")
    with tempfile.TemporaryDirectory(prefix="nemodat-chaos-") as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with network(folder / "network", seed=options.seed, disks=can_mount(), apart=apart) as net:
            tell(f"links: {net.links.kind}")
            if net.spaces is not None and not net.spaces.netem:
                tell("NOT DONE: netem, which this kernel has not: delay, loss and reordering are made by proxies")
            summary = run(net, folder, options)
    text = json.dumps(summary, indent=2) + "\n"
    print(text, end="")
    if options.json is not None:
        options.json.write_text(text)
    return 0 if summary["passed"] else 1


if __name__ == "__main__":
    sys.exit(main())
