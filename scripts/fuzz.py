"""Feeds hostile input to whatever decodes bytes of strangers, and says what broke and how to see it again.

    scripts/fuzz                              every decoder in turn, coverage-guided (atheris), 60 s in all
    scripts/fuzz --target xml --seconds 3600  one decoder for an hour
    scripts/fuzz --replay build/fuzz/crash-xml-...   one input that broke something
    scripts/fuzz --api --seconds 600          the API of a running node, from its own OpenAPI (schemathesis)
    scripts/fuzz --node --seconds 120         everything at once at a real node, its memory measured against its bound

Inputs that break something are kept in `build/fuzz`, and so is what the fuzzer has found to be interesting, which the
next run begins with. Ends with 1 if anything broke.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.fuzzing.targets import ALL, TARGETS, check, chosen  # noqa: E402 - the checkout itself, not what is installed

SECONDS = 60
START_S = 3.0  # a process needs so long to import everything with instruments in it
NO_ATHERIS = "atheris is not installed, so nothing guides the fuzzer: pip install -e '.[fuzz]' (CPython 3.11 to 3.13)"


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__.split("\n\n")[0])
    parser.add_argument("--target", choices=sorted(TARGETS), help="one decoder; all of them without it")
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"for everything together; {SECONDS}")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "fuzz", help="where inputs are kept")
    parser.add_argument("--replay", type=Path, help="an input that was kept: decode it once, and show what happens")
    parser.add_argument("--api", action="store_true", help="the API of a running node instead")
    parser.add_argument("--node", action="store_true", help="a running network instead, and its memory")
    return parser.parse_args(words)


def main() -> int:
    chosen = arguments()
    if chosen.replay is not None:
        return replay(chosen.replay, chosen.target)
    if chosen.api:
        from fuzz_api import fuzz_api

        return fuzz_api(seconds=chosen.seconds)
    if chosen.node:
        from fuzz_node import fuzz_node

        return fuzz_node(seconds=chosen.seconds)
    if find_spec("atheris") is None:
        print(NO_ATHERIS, file=sys.stderr)
        return 1
    names = [chosen.target] if chosen.target else sorted(TARGETS)
    return fuzz_decoders(names, seconds=chosen.seconds, folder=chosen.folder)


def replay(path: Path, target: str | None) -> int:
    """Decode one input; its target is in its name unless it is given."""
    names = sorted([*TARGETS, ALL], key=len, reverse=True)
    name = target or next(each for each in names if path.name.startswith(f"crash-{each}-"))
    decoder, data = chosen(name, path.read_bytes())
    print(f"{decoder.name}: {'accepted' if check(decoder, data) else 'refused as documented'}")
    return 0


def fuzz_decoders(names: Sequence[str], *, seconds: float, folder: Path) -> int:
    """Each decoder in a process of its own, for its part of the time: the fuzzer never comes back from one."""
    folder.mkdir(parents=True, exist_ok=True)
    broken: list[str] = []
    for name in names:
        began = time.monotonic()
        lasts = max(1.0, seconds / len(names) - START_S)
        run = subprocess.run(
            [sys.executable, "-m", "tests.fuzzing.guided", name, str(folder), str(round(lasts))],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        said = run.stderr.splitlines()
        figures = next((line for line in reversed(said) if " cov: " in line), "")
        print(f"{name}: {time.monotonic() - began:.0f} s  {figures.partition('exec/s')[0][:100].strip()}", flush=True)
        if run.returncode != 0:
            broken.append(name)
            print("\n".join(line for line in said if not line.startswith(("#", "\\", '"'))), file=sys.stderr)
    for name in broken:
        for kept in sorted(folder.glob(f"crash-{name}-*")):
            print(f"{name} broke; see it again by: scripts/fuzz --replay {kept}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
