"""The engine does not run its rules after an event that changes nothing they look at: here they run all the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from consensus import engine
from consensus.rules import apply_rules
from consensus.simulation.campaign import plans, run
from consensus.state import State
from consensus.talking import fetch_later

PLANS = [replace(plan, phases=1) for plan in plans(sizes=(2, 4), seeds=range(2_000, 2_002))]


@pytest.fixture
def skipped(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the rules were skipped, and found to have had nothing to do, by what had happened."""
    counts: Counter[str] = Counter()

    def checked(handler: Callable[[State, Any], None]) -> Callable[[State, Any], None]:
        def handle(state: State, event: Any) -> None:
            handler(state, event)
            if state.nothing_new:
                before = what_rules_change(state)
                apply_rules(state)
                fetch_later(state)
                what = type(getattr(event, "message", event)).__name__
                assert what_rules_change(state) == before, f"{what} has given the rules something to do"
                counts[what] += 1

        return handle

    for kind, handler in engine._HANDLERS.items():
        monkeypatch.setitem(engine._HANDLERS, kind, checked(handler))
    return counts


def what_rules_change(state: State) -> tuple[object, ...]:
    h = state.h
    return len(state.actions), h.view, state.committing, len(h.own), set(h.refused), dict(h.verdicts), h.building_in


def test_the_rules_have_nothing_to_do_where_they_are_skipped(skipped: Counter[str]) -> None:
    for plan in PLANS:
        run(plan)
    for what in ("Vote", "Certificate", "Resend", "Work", "Timer", "Connected", "DecidedRequest", "BlockRequest"):
        assert skipped[what] > 0, f"{what} never changed nothing: this shows nothing of it"
