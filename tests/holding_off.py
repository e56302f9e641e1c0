"""For how long nodes of tests hold off who broke a rule: the one place that changes it.

In one process a test sets the constants (`for_an_hour`). Processes of their own run this module instead of the node's
command (`Forgiving`): hundreds of bad frames come from the same two members there, and each must be heard.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import node.cli
from node.devnet import Devnet
from node.network import holdoff

if TYPE_CHECKING:
    import pytest

MOST_S = 1.0  # of `Forgiving` nodes


def for_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever breaks a rule from now on is not seen again in this test."""
    for name in ("HELD_OFF_FIRST_S", "HELD_OFF_MOST_S"):
        monkeypatch.setattr(holdoff, name, 3_600.0)


class Forgiving(Devnet):
    """A network whose nodes hold off whoever broke a rule for `MOST_S` at most, however often it does."""

    def environment(self, name: str) -> dict[str, str]:
        root = str(Path(__file__).parent.parent)
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        return super().environment(name) | {"PYTHONPATH": os.pathsep.join(paths)}

    def command(self, name: str) -> list[str]:
        return [sys.executable, "-m", "tests.holding_off", "node", "run", str(self.config_path(name))]


if __name__ == "__main__":
    holdoff.HELD_OFF_MOST_S = MOST_S
    node.cli.main()
