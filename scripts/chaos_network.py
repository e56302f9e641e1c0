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

    links: Links
    disks: tuple[Path, ...] = ()

    def command(self, name: str) -> list[str]:
        """A program of ours runs the node: it shifts its clock, and has two faces if it is the liar."""
        _, _, _, *usual = super().command(name)
        return [sys.executable, str(PROGRAM), str(self.clock_path(name)), "2" if name == LIAR else "1", *usual]

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
def network(folder: Path, *, seed: int, disks: bool) -> Iterator[ChaosNet]:
    """The network in `folder`, not started; everything that was made for it is gone when it is left."""
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
        made = create(folder, members=members, parties=firms, parameters=parameters, rate_limits=False, kind=ChaosNet)
        links = link(made, seed)
        stack.callback(links.close)
        made.links = links
        for member in members:
            made.set_clock(member.name, 0)
        if disks:
            made.disks = tuple(stack.enter_context(disk(made.disk_path(name))) for name in HONEST)
        stack.enter_context(made)
        yield made


def link(net: Devnet, seed: int) -> Links:
    """Give every node the addresses of its own proxies for the others."""
    names = [member.name for member in net.members]
    configs = {name: load_config(net.config_path(name)) for name in names}
    pairs = [(one, other) for one in names for other in names if one != other]
    ports = dict(zip(pairs, free_ports(len(pairs)), strict=True))
    for name, config in configs.items():
        peers: dict[str, str] = {}
        for other in names:
            if other != name:
                party = configs[other].party
                address = f"127.0.0.1:{ports[name, other]}"
                peers |= {party: address, f"{party}/observer": address}
        changed = replace(config, network=replace(config.network, peers=peers), data_dir=net.data_dir(name))
        config.file.write_text(config_toml(changed))
    return Links({name: config.network.listen for name, config in configs.items()}, ports, seed)


@contextlib.contextmanager
def disk(folder: Path) -> Iterator[Path]:
    """A small file system of its own at `folder`. Needs root."""
    folder.mkdir(mode=0o700, parents=True)
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=0700", "nemodat-chaos", str(folder)], check=True
    )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def can_mount() -> bool:
    """Whether this process may make small file systems."""
    return os.geteuid() == 0 and Path("/proc/self/mounts").exists()
