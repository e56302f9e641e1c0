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

__all__ = ["DEBTOR", "EXPORTERS", "HONEST", "LIAR", "OBSERVER", "ChaosNet", "can_mount", "libfaketime", "network"]

HONEST = tuple(name for name, *_ in AUTHORITIES)
OBSERVER = REGULATOR[0]
LIAR = "two-faced"
EXPORTERS = tuple(synthetic_lei(f"Chaos exporter {number}") for number in range(3))
DEBTOR = synthetic_lei("Chaos debtor")
BYZANTINE = Path(__file__).with_name("chaos_byzantine.py")
DISK_BYTES = 160 * 1024 * 1024  # of a node's own small file system
LIBRARIES = Path("/usr/lib")


class ChaosNet(Devnet):
    """A network whose clocks, disks and links can be taken from it."""

    links: Links
    faketime: Path | None = None
    disks: tuple[Path, ...] = ()

    def command(self, name: str) -> list[str]:
        """The two-faced authority is run by a program of its own."""
        usual = super().command(name)
        return [sys.executable, str(BYZANTINE), *usual[3:]] if name == LIAR else usual

    def environment(self, name: str) -> dict[str, str]:
        """With a clock that is what a file says, where libfaketime is installed."""
        usual = super().environment(name)
        if self.faketime is None or name == LIAR:
            return usual
        return usual | {
            "LD_PRELOAD": str(self.faketime),
            "FAKETIME_TIMESTAMP_FILE": str(self.clock_path(name)),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

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
        """A node's clock is off by so much from now on (within a second)."""
        fresh = self.clock_path(name).with_suffix(".new")
        fresh.write_text(f"{offset_s:+.3f}s\n")
        fresh.replace(self.clock_path(name))

    def unexpected_end(self, name: str) -> int | None:
        """The exit code of a node that has ended by itself, else None."""
        process = self._processes.get(name)
        return None if process is None else process.poll()


def libfaketime() -> Path | None:
    """The library that shifts a process's clock, if it is installed."""
    return next(iter(sorted(LIBRARIES.glob("*/faketime/libfaketimeMT.so.1"))), None)


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
        made.links, made.faketime = links, libfaketime()
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
        peers = {}
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
