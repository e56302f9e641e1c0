"""The network that is to suffer: four authorities, a fifth that is two-faced, an observer, and links between them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from chaos_links import Links
from chaos_namespaces import NamespaceLinks, Spaces, mark, namespaces
from demo_cast import AUTHORITIES, REGULATOR, firm, member_party, synthetic_lei

from node.config import config_toml, load_config
from node.devnet import Devnet, Member, create, free_ports
from registry.genesis import Parameters

__all__ = ["DEBTOR", "EXPORTERS", "HONEST", "LIAR", "OBSERVER", "ChaosNet", "can_mount", "network"]

HONEST = tuple(name for name, *_ in AUTHORITIES)
OBSERVER = REGULATOR[0]
LIAR = "two-faced"
EXPORTERS = tuple(synthetic_lei(f"Chaos exporter {number}") for number in range(3))
DEBTOR = synthetic_lei("Chaos debtor")
PROGRAM = Path(__file__).with_name("chaos_node.py")
DISK_BYTES = 160 * 1024 * 1024  # of a node's own small file system


class ChaosNet(Devnet):
    """A network whose clocks, disks and links can be taken from it."""

    links: Links | NamespaceLinks
    spaces: Spaces | None = None
    disks: tuple[Path, ...] = ()

    def command(self, name: str) -> list[str]:
        """A program of ours runs the node: it shifts its clock, and has two faces if it is the liar."""
        _, _, _, *usual = super().command(name)
        where = [] if self.spaces is None else ["ip", "netns", "exec", self.spaces.of(name)]
        faces = "2" if name == LIAR else "1"
        return [*where, sys.executable, str(PROGRAM), str(self.clock_path(name)), faces, *usual]

    def disk_path(self, name: str) -> Path:
        """A node's disk; a file system of its own where that can be."""
        return self.config_path(name).parent / "disk"

    def data_dir(self, name: str) -> Path:
        """On the node's disk."""
        return self.disk_path(name) / "data"

    def clock_path(self, name: str) -> Path:
        """The file that says how far a node's clock is off."""
        return self.config_path(name).parent / "clock"

    def set_clock(self, name: str, offset_s: float) -> None:
        """A node's clock is off by so much from now on."""
        fresh = self.clock_path(name).with_suffix(".new")
        fresh.write_text(f"{round(offset_s * 1000)}\n")
        fresh.replace(self.clock_path(name))


@contextlib.contextmanager
def network(folder: Path, *, seed: int, disks: bool, apart: bool) -> Iterator[ChaosNet]:
    """The network in `folder`, not started; everything that was made for it is gone when it is left.

    `apart` is whether each node is in a network namespace of its own.
    """
    members = [
        Member(name=name, party=member_party(party, title, country, "authority"), role="authority")
        for name, party, title, country in AUTHORITIES
    ]
    liar = member_party(synthetic_lei("Two-faced"), "Two-faced (chaos)", "SG", "authority")
    members.append(Member(name=LIAR, party=liar, role="authority"))
    name, title, country = REGULATOR
    overseer = member_party(synthetic_lei(title), title, country, "regulator")
    members.append(Member(name=name, party=overseer, role="observer"))
    firms = [firm(party, f"Exporter {party[-4:]}", "CN", "exporter") for party in EXPORTERS]
    firms.append(firm(DEBTOR, "Debtor", "DE", "debtor"))
    parameters = Parameters(base_ms=500, heartbeat_ms=5_000)
    with contextlib.ExitStack() as stack:
        names = [member.name for member in members]
        spaces = stack.enter_context(namespaces(names)) if apart else None
        made = create(
            folder,
            members=members,
            parties=firms,
            parameters=parameters,
            rate_limits=False,
            hosts=[] if spaces is None else [spaces.address(name) for name in names],
            kind=ChaosNet,
        )
        made.spaces = spaces
        made.links = link(made, seed)
        stack.callback(made.links.close)
        for member in members:
            made.set_clock(member.name, 0)
        if disks:
            made.disks = tuple(stack.enter_context(disk(made.disk_path(name))) for name in HONEST)
        stack.enter_context(made)
        yield made


def link(net: ChaosNet, seed: int) -> Links | NamespaceLinks:
    """Give every node the addresses at which it is to have the others."""
    names = [member.name for member in net.members]
    configs = {name: load_config(net.config_path(name)) for name in names}
    pairs = [(one, other) for one in names for other in names if one != other]
    targets = {name: config.network.listen for name, config in configs.items()}
    if net.spaces is None:
        faces = {pair: f"127.0.0.1:{port}" for pair, port in zip(pairs, free_ports(len(pairs)), strict=True)}
    else:
        faces = {pair: f"{net.spaces.face(*pair)}:{targets[pair[1]].rsplit(':', 1)[1]}" for pair in pairs}
    for name, config in configs.items():
        peers: dict[str, str] = {}
        for other in names:
            if other != name:
                party = configs[other].party
                peers |= dict.fromkeys((party, f"{party}/observer"), faces[name, other])
        changed = replace(config, network=replace(config.network, peers=peers), data_dir=net.data_dir(name))
        config.file.write_text(config_toml(changed))
    if net.spaces is None:
        return Links(targets, faces, seed)
    return NamespaceLinks(net.spaces, targets, faces, seed)


@contextlib.contextmanager
def disk(folder: Path) -> Iterator[Path]:
    """A small file system of its own at `folder`. Needs root."""
    folder.mkdir(mode=0o700, parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0700", mark(), str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def can_mount() -> bool:
    """Whether this process may make small file systems."""
    return os.geteuid() == 0 and Path("/proc/self/mounts").exists()
