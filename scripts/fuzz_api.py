"""The API of a running node, asked by schemathesis for as long as there is time. See fuzz.py."""

from __future__ import annotations

import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.fuzzing.api import Member, Operator, operations, run
from tests.node.api.live import TOKEN, running
from tests.registry.world import invoice, key_of, name_id

EXAMPLES = 20  # of an operation, before it is the next one's turn


def fuzz_api(*, seconds: float) -> int:
    """Returns 1 if an answer was a failure or not what the schema says; each such operation is shown once."""
    broken: set[str] = set()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as live:
        (registered,) = live.do("EXP_CN", invoice("api"))
        callers = {
            "nobody": None,
            "exporter": Member(key_of("EXP_CN")),
            "financier": Member(key_of("F_SG")),
            "regulator": Member(key_of("REGULATOR")),
            "operator": Operator(TOKEN),
        }
        known = {"/v1/receivables/": [registered.subject.hex()], "/v1/parties/": [name_id("EXP_CN")]}
        found = operations(live.url)
        asked, succeeded, ends = 0, 0, time.monotonic() + seconds
        while time.monotonic() < ends:
            for name, operation in found.items():
                if name in broken or time.monotonic() > ends:
                    continue
                try:
                    succeeded += run(operation, callers, examples=EXAMPLES, known=known)
                except Exception:  # noqa: BLE001 - whatever it is, it is what was looked for
                    broken.add(name)
                    traceback.print_exc()
                asked += EXAMPLES * len(callers)
    print(f"{len(found)} operations, about {asked} requests, {succeeded} succeeded, broken: {sorted(broken) or 'none'}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(fuzz_api(seconds=60))
