"""Network namespaces of `scripts/chaos`: what is cut is cut in one direction, and nothing is left behind."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import chaos_namespaces
import pytest
from chaos_links import Pair, Quality
from chaos_namespaces import (
    NOBODY,
    NamespaceLinks,
    Spaces,
    cuts,
    devices,
    inside,
    namespaces,
    netem,
    sweep,
    why_not,
)

NODES = ("a", "b", "c")
PAIRS = tuple(itertools.permutations(NODES, 2))
PLAN = Spaces("run-", NODES, netem=True)
CUT = Quality(cut=True)
PATIENCE_S = 10.0

REASON = why_not()
tried = pytest.mark.skipif(bool(REASON), reason=f"no network namespaces: {REASON}")


def around(node: str) -> list[Pair]:
    return [pair for pair in PAIRS if node in pair]


def test_delay_loss_and_reordering_are_said_as_netem_has_them() -> None:
    assert netem(Quality(delay_s=0.08, jitter_s=0.15)) == ["netem", "delay", "155000us", "75000us", "loss", "0%"]
    assert netem(Quality(loss=0.05)) == ["netem", "delay", "0us", "0us", "loss", "5%"]


def test_every_direction_is_shaped_by_one_device() -> None:
    assert devices(PLAN, around("b")) == [("run-b", "eth0"), ("run-hub", "node1")]
    assert devices(PLAN, PAIRS) == [("run-a", "eth0"), ("run-b", "eth0"), ("run-c", "eth0")]
    with pytest.raises(ValueError, match="no device has just these pairs"):
        devices(PLAN, [("a", "b")])


def test_the_sender_of_a_cut_direction_has_the_receiver_where_nobody_is() -> None:
    line = f"neighbour replace {{}} lladdr {NOBODY} dev eth0 nud permanent"
    assert cuts(PLAN, [("a", "b"), ("a", "c")]) == {"run-a": [line.format("10.0.0.3"), line.format("10.0.0.4")]}
    assert cuts(replace(PLAN, netem=False), [("b", "c")]) == {"run-b": [line.format("10.0.2.3")]}


@tried
def test_what_is_cut_is_lost_in_that_direction_only_until_it_is_healed() -> None:
    with namespaces(NODES) as made:
        spaces = replace(made, netem=True)  # the nodes have each other themselves: no proxies, and nothing is shaped
        links = NamespaceLinks(spaces, {}, dict.fromkeys(PAIRS, ""), seed=0)
        sockets = {node: listening(spaces, node) for node in NODES}
        links.set([("a", "b")], CUT)
        for said in ("one way", "healed"):
            for source, target in PAIRS:
                sockets[source].sendto(f"{said}: {source} to {target}".encode(), (spaces.address(target), 9))
            if said == "one way":
                assert heard(sockets["a"], 2) == {"one way: b to a", "one way: c to a"}
                assert heard(sockets["c"], 2) == {"one way: a to c", "one way: b to c"}
                links.heal()
        assert heard(sockets["b"], 3) == {"one way: c to b", "healed: a to b", "healed: c to b"}
        for each in sockets.values():
            each.close()


def listening(spaces: Spaces, node: str) -> socket.socket:
    with inside(spaces.of(node)):
        made = socket.socket(type=socket.SOCK_DGRAM)
    made.bind((spaces.address(node), 9))
    made.settimeout(PATIENCE_S)
    return made


def heard(by: socket.socket, count: int) -> set[str]:
    return {by.recv(100).decode() for _ in range(count)}


@tried
def test_nothing_is_left_of_a_run_and_of_those_that_ended_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = f"nemodat-test-{os.getpid()}"  # another run beside this one would be quicker
    monkeypatch.setattr(chaos_namespaces, "FAMILY", family)
    disk = tmp_path / "a disk"
    disk.mkdir()
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    left = f"{family}-{int(ended.stdout)}-1-hub"
    subprocess.run(["ip", "netns", "add", left], check=True)
    subprocess.run(["mount", "-t", "tmpfs", left.removesuffix("-hub"), str(disk)], check=True)
    still = subprocess.Popen(["ip", "netns", "exec", left, sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    while left not in named(still.pid):
        assert still.poll() is None
    before = os.readlink("/proc/thread-self/ns/net")
    with namespaces(NODES) as spaces:
        sweep()  # as another run does meanwhile
        assert {spaces.of(name) for name in ("hub", *NODES)} <= set(named())
        assert os.readlink("/proc/thread-self/ns/net") != before
    assert os.readlink("/proc/thread-self/ns/net") == before
    assert not [name for name in named() if name.startswith(family)]
    assert still.wait(PATIENCE_S) < 0
    assert str(tmp_path) not in Path("/proc/self/mounts").read_text()


def named(pid: int | None = None) -> list[str]:
    command = ["ip", "netns", "list"] if pid is None else ["ip", "netns", "identify", str(pid)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in told.splitlines() if line]
