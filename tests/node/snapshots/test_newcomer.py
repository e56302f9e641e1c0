"""A newcomer that is there before anybody else, as real processes: it waits, says so, and begins with a state then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import httpx
import pytest

from node.devnet import Devnet, Member, create
from node.process import JOIN_PAUSE_MAX_S, JOIN_PAUSE_S, _pauses
from tests.cast import AUTHORITIES, EXP_CN, party_of
from tests.node.test_devnet import final, registration, submit

HEIGHT = 6
PATIENCE_S = 60.0  # two processes start in turn, each after seconds of imports on a busy machine
SOON = f"""
from node.snapshots import fetching
fetching.FAR_BEHIND, fetching.PATIENCE_MS = {HEIGHT}, 1_000  # before anything else takes them from there
from node.cli import main
main()
"""


class Impatient(Devnet):
    """Its nodes call some blocks far, and a second long."""

    def command(self, name: str) -> list[str]:
        return [sys.executable, "-c", SOON, "node", "run", str(self.config_path(name))]


@pytest.fixture
def devnet(tmp_path: Path) -> Iterator[Impatient]:
    """An authority that has some blocks, and an observer that has none; neither runs."""
    party = party_of(AUTHORITIES["f-cn"][0], "CN", "authority", "financier")
    members = [
        Member(name="f-cn", party=party, role="authority"),
        Member(name="newcomer", party=party, role="observer"),
    ]
    with create(tmp_path, members=members, parties=[party_of(EXP_CN, "CN", "exporter")], kind=Impatient) as made:
        made.start("f-cn")
        made.wait_ready("f-cn", PATIENCE_S)
        for _ in range(HEIGHT + 1):
            final(made, "f-cn", submit(made, "f-cn", [registration(made)])[0])
        made.stop("f-cn")
        yield made


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)


def answers(devnet: Devnet, name: str) -> bool:
    try:
        devnet.status(name)
    except httpx.HTTPError:
        assert devnet.is_running(name)
        return False
    return True


@pytest.mark.processes
def test_a_newcomer_waits_for_its_first_peer_and_begins_with_its_state(devnet: Impatient) -> None:
    devnet.start("newcomer")
    until(lambda: answers(devnet, "newcomer"))
    assert devnet.status("newcomer")["alarm"] == (
        "nobody_to_fetch_from: waiting for authorities to connect: 0 of at least 1 are there"
    )
    assert "a state will be looked for again" in devnet.log_path("newcomer").read_text()
    assert not devnet.is_ready("newcomer")
    assert devnet.stop("newcomer") == 0, "it ends when it is told to, and goes on the next time"
    devnet.start("newcomer")
    until(lambda: answers(devnet, "newcomer"))
    devnet.start("f-cn")
    until(lambda: "state complete" in devnet.log_path("newcomer").read_text())
    devnet.wait_ready("newcomer", PATIENCE_S)
    final(devnet, "newcomer", submit(devnet, "f-cn", [registration(devnet)])[0])
    assert devnet.status("newcomer")["alarm"] == ""


def test_pauses_grow_and_are_bounded() -> None:
    pauses = list(islice(_pauses(), 50))
    assert pauses[:4] == [0, JOIN_PAUSE_S, 2 * JOIN_PAUSE_S, 4 * JOIN_PAUSE_S]
    assert pauses == sorted(pauses)
    assert pauses[-1] == JOIN_PAUSE_MAX_S
