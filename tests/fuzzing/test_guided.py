"""A short run of the coverage-guided fuzzer over all decoders; `scripts/fuzz` runs longer."""

from __future__ import annotations

import subprocess
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

import pytest

SECONDS = 8
ROOT = Path(__file__).parents[2]


def test_nothing_breaks_under_the_coverage_guided_fuzzer(tmp_path: Path) -> None:
    if find_spec("atheris") is None:
        reason = "atheris is not installed (pip install -e '.[fuzz]'): decoders are tested without guidance by coverage"
        warnings.warn(reason, stacklevel=1)
        pytest.skip(reason)
    words = [sys.executable, "-m", "tests.fuzzing.guided", "all", str(tmp_path), str(SECONDS)]
    run = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr[-4_000:]
    runs = int(run.stderr.rpartition("stat::number_of_executed_units:")[2].split()[0])
    assert runs > 500, "it ran, and did not only start"
