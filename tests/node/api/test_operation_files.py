"""The files for operators under scripts/operation say what is so: metrics, exit codes, commands, paths."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from node.process import EXIT_HALTED, EXIT_OUTDATED
from tests.fuzzing.memory import MIB, bound
from tests.node.api.conftest import Story
from tests.node.api.live import Live

FILES = Path(__file__).parents[3] / "scripts" / "operation"
_METRIC = re.compile(r"\bnemodat_[a-z_]+")


def test_the_dashboard_asks_for_every_metric_that_a_node_has_and_for_no_other(live: Live, story: Story) -> None:
    del story  # so that there has been something to count
    dashboard = json.loads((FILES / "grafana-dashboard.json").read_text())
    asked = {
        name for panel in dashboard["panels"] for target in panel["targets"] for name in _METRIC.findall(target["expr"])
    }
    told = set(re.findall(r"^# TYPE (nemodat_[a-z_]+) (\w+)$", live.get("/metrics", "operator").text, re.MULTILINE))
    names = {f"{name}_bucket" if kind == "histogram" else name for name, kind in told if not name.endswith("_created")}
    assert asked == names


def test_a_node_that_contradicts_itself_is_not_started_again() -> None:
    unit = (FILES / "nemodat-node@.service").read_text()
    assert f"RestartPreventExitStatus={EXIT_OUTDATED} {EXIT_HALTED}" in unit
    assert "nemodat node run" in unit
    assert "--restart" not in (FILES / "Containerfile").read_text(), "podman and docker look at no exit code"


@pytest.mark.parametrize(
    ("file", "limit"), [("nemodat-node@.service", r"^MemoryMax=(\d+)M$"), ("Containerfile", r"--memory (\d+)m\b")]
)
def test_a_node_may_take_the_memory_that_hostile_input_can_make_it_take_and_not_much_more(
    file: str, limit: str
) -> None:
    """With less, input that the node's README calls bounded would end the node."""
    found = re.search(limit, (FILES / file).read_text(), re.MULTILINE)
    assert found is not None
    left = int(found[1]) * MIB - bound(peers=4, callers=3)
    assert 512 * MIB <= left < 1024 * MIB, "for a node at rest"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_the_unit_is_one_that_systemd_reads(tmp_path: Path) -> None:
    unit = tmp_path / "nemodat-node@test.service"
    text = (FILES / "nemodat-node@.service").read_text()
    unit.write_text(text.replace("/opt/nemodat/bin/nemodat", shutil.which("true") or "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert "Unknown" not in done.stderr, done.stderr
    assert done.returncode == 0, done.stderr


def test_the_container_is_built_of_what_is_there() -> None:
    root = FILES.parents[1]
    lines = (FILES / "Containerfile").read_text().splitlines()
    copied = [
        word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]
    ]
    assert copied
    assert [path for path in copied if not (root / path).exists()] == []
