"""Every command of `scripts/` begins: what it is made of is there, and it says what it is for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
PROGRAMS = ["bench", "chaos", "demo", "duplicates-benchmark", "fuzz", "simulate"]


def test_these_are_all() -> None:
    commands = {each.name for each in SCRIPTS.iterdir() if each.is_file() and not each.suffix}
    assert commands == {*PROGRAMS, "setup", "test"}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_command_says_what_it_is_for(name: str) -> None:
    program = SCRIPTS / f"{name.replace('-', '_')}.py"
    assert f'"$here/{program.name}" "$@"' in (SCRIPTS / name).read_text()
    done = subprocess.run([sys.executable, program, "--help"], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"usage: scripts/{name}" in done.stdout
