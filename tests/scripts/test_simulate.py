"""`scripts/simulate`: what it prints, and how it ends."""

from __future__ import annotations

import json

import pytest
import simulate

from consensus.simulation.campaign import Failed, Plan


def test_a_campaign_says_what_it_has_exercised(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.main(["--seeds", "0..5", "--n", "4", "--fault", "equivocator,twins", "--jobs", "1", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["runs"] == 6
    assert summary["heights"] >= 12
    assert summary["delivered"] > 1_000
    assert summary["violations"] == []


def test_a_replay_is_read_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.main(["--replay", "n=4 seed=1 fault=silent"]) == 0
    told = capsys.readouterr().out
    assert "commits height 1" in told
    assert "good" in told.splitlines()[-2]


def test_a_violation_ends_with_1_and_the_command_that_replays_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(plan: Plan) -> None:
        raise Failed(plan, "two blocks are decided at height 3", ["a line"])

    monkeypatch.setattr(simulate, "run", broken)
    monkeypatch.setattr(simulate, "shrink", lambda plan: Plan(plan.n, plan.seed, plan.fault, phases=1))
    assert simulate.main(["--seeds", "7..7", "--n", "4", "--fault", "twins", "--jobs", "1"]) == 1
    told = capsys.readouterr().out
    assert 'scripts/simulate --replay "n=4 seed=7 fault=twins"' in told
    assert 'scripts/simulate --replay "n=4 seed=7 fault=twins phases=1"' in told
    assert "violations: 1" in told


def test_the_search_prints_what_there_was(capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate.main(["--exhaustive", "--views", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["byzantine"] for each in found] == ["leads_first", "leads_second", "leads_neither"]
    assert all(each["complete"] for each in found)


@pytest.mark.parametrize(
    "arguments", [["--seeds", "5"], ["--seeds", "9..1"], ["--n", "x"], ["--fault", "rain"], ["--replay", "n=4"]]
)
def test_what_it_does_not_understand(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        simulate.main(arguments)
