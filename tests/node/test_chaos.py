"""A short run of `scripts/chaos`: real processes, real faults, and the checker. The long run is for a release."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 7  # of faults; starting and checking six nodes takes longer than that


def test_nothing_final_is_lost_and_nothing_financed_twice_while_everything_breaks(tmp_path: Path) -> None:
    outcome = tmp_path / "chaos.json"
    arguments = ["--minutes", str(SECONDS / 60), "--seed", "320", "--json", str(outcome), "--workers", "1"]
    done = subprocess.run(
        [sys.executable, "scripts/chaos.py", *arguments, "--folder", str(tmp_path / "run")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    told = done.stderr[-6000:]
    assert done.returncode == 0, told + done.stdout[:6000]  # what broke first stands first in the summary
    summary = json.loads(outcome.read_text())
    assert summary["passed"], summary["broken"]
    assert sum(summary["faults"].values()) >= 2, told
    assert summary["counted"]["final"] > 0, told
    assert summary["counted"]["evidence on the ledger"] == 1, told
    mounts = Path("/proc/self/mounts")
    assert not mounts.exists() or str(tmp_path) not in mounts.read_text(), "file systems are left"
