"""Real links: every node in a network namespace of its own, joined by a veth pair to a bridge in the run's own one.

This process, its clients and its proxies are where the bridge is, the hub: nothing of it touches, or is seen in, the
network of the machine. A direction is cut in the kernel: in the sender's neighbour table the receiver has a link
address that nobody has, so frames leave and are lost, and nobody is told. Delay, loss and reordering are netem's; where
the kernel has no netem, each pair of nodes talks by way of a proxy of ours, which makes them (`chaos_links`).

Namespaces and disks are named by the process that made them. What one leaves that is killed, the next run removes.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chaos_links import Links, Pair, Quality

__all__ = ["NamespaceLinks", "Spaces", "cuts", "devices", "inside", "mark", "namespaces", "netem", "sweep", "why_not"]

FAMILY = "nemodat-chaos"
HUB = "hub"
NETNS = Path("/run/netns")
CLONE_NEWNET = 0x4000_0000  # <sched.h>
NOBODY = "02:00:00:00:00:00"  # a link address of no device here


@dataclass(frozen=True, slots=True)
class Spaces:
    """The namespaces of one run: the hub's, and one for each of `nodes`. `netem` says whether the kernel has it."""

    prefix: str
    nodes: tuple[str, ...]
    netem: bool = False

    def of(self, name: str) -> str:
        """The name of the hub's or a node's namespace."""
        return f"{self.prefix}{name}"

    def address(self, node: str) -> str:
        """Where a node is."""
        return f"10.0.0.{self.nodes.index(node) + 2}"

    def face(self, source: str, target: str) -> str:
        """Where `source` has `target`: there itself, or where its proxy is, at an address that no other pair uses."""
        if self.netem:
            return self.address(target)
        return f"10.0.{self.nodes.index(source) + 1}.{self.nodes.index(target) + 1}"

    def port(self, node: str) -> str:
        """The hub's end of a node's veth pair."""
        return f"node{self.nodes.index(node)}"


def why_not() -> str:
    """Why this machine cannot have namespaces; empty if it can, for it was tried."""
    if sys.platform != "linux" or os.geteuid() or shutil.which("ip") is None:
        return "they need Linux, root and ip (iproute2)"
    try:
        with namespaces(("probe",)):
            return ""
    except (OSError, subprocess.CalledProcessError) as error:
        return f"{error}: {getattr(error, 'stderr', None) or ''}".strip()


@contextlib.contextmanager
def namespaces(nodes: Sequence[str]) -> Iterator[Spaces]:
    """Namespaces that exist, and with them links, as long as the context lasts; this thread is in the hub then.

    Raises `CalledProcessError`, `OSError` if the machine does not allow it.
    """
    spaces = Spaces(f"{mark()}-", tuple(nodes))
    with contextlib.ExitStack() as stack:
        for name in (HUB, *nodes):
            _run("ip", "netns", "add", spaces.of(name))
            stack.callback(_run, "ip", "netns", "delete", spaces.of(name))
        spaces = Spaces(spaces.prefix, spaces.nodes, netem=_has_netem(spaces.of(HUB)))
        _lay_out(spaces)
        stack.enter_context(inside(spaces.of(HUB)))
        yield spaces


def mark() -> str:
    """What everything that outlives a process is named with that is made here: whose it is."""
    return f"{FAMILY}-{os.getpid()}-{_begun(os.getpid())}"


def sweep() -> None:
    """Remove what runs that have ended left behind: namespaces, nodes that still run there, disks. Needs root."""
    for space in filter(_is_left, sorted(NETNS.glob(f"{FAMILY}-*"))):
        try:
            for pid in _run("ip", "netns", "pids", space.name).split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
            _run("ip", "netns", "delete", space.name)
        except subprocess.CalledProcessError:
            if space.exists():  # else another run was quicker
                raise
    for source, place, *_ in map(str.split, Path("/proc/self/mounts").read_text().splitlines()):
        if _is_left(Path(source)):
            _run("umount", "--lazy", place.replace(r"\040", " "))


def _is_left(named: Path) -> bool:
    made_by = re.match(rf"{FAMILY}-(\d+)-(\d+)", named.name)
    return made_by is not None and _begun(int(made_by[1])) != made_by[2]


class NamespaceLinks:
    """The links of a network in namespaces, as `chaos_links.Links` has them. `faces` say where each node has each."""

    def __init__(self, spaces: Spaces, targets: Mapping[str, str], faces: Mapping[Pair, str], seed: int) -> None:
        self._spaces = spaces
        self._proxies = None if spaces.netem else Links(targets, faces, seed)
        self._shaped: set[tuple[str, str]] = set()
        self.pairs = tuple(faces)
        self.kind = "namespaces+netem" if spaces.netem else "namespaces, proxy"

    @property
    def lost(self) -> int | None:
        """How many segments were lost at first; None if only the kernel knows."""
        return None if self._proxies is None else self._proxies.lost

    def set(self, pairs: Iterable[Pair], quality: Quality) -> None:
        """These directions are like this from now on."""
        if quality.cut:
            for space, lines in cuts(self._spaces, pairs).items():
                _ip(space, *lines)
        elif self._proxies is not None:
            self._proxies.set(pairs, quality)
        else:
            for space, device in devices(self._spaces, pairs):
                _run("tc", "-n", space, "qdisc", "replace", "dev", device, "root", *netem(quality))
                self._shaped.add((space, device))

    def heal(self) -> None:
        """All links are perfect."""
        for node in self._spaces.nodes:
            _ip(self._spaces.of(node), "neighbour flush dev eth0 nud permanent")
        if self._proxies is not None:
            self._proxies.heal()
        while self._shaped:
            space, device = self._shaped.pop()
            _run("tc", "-n", space, "qdisc", "delete", "dev", device, "root")

    def close(self) -> None:
        """Close the proxies; the rest goes with the namespaces."""
        if self._proxies is not None:
            self._proxies.close()


def cuts(spaces: Spaces, pairs: Iterable[Pair]) -> dict[str, list[str]]:
    """What `ip` is to do in which namespace, so that nothing gets from the first to the second of each pair."""
    made: dict[str, list[str]] = {}
    for source, target in pairs:
        line = f"neighbour replace {spaces.face(source, target)} lladdr {NOBODY} dev eth0 nud permanent"
        made.setdefault(spaces.of(source), []).append(line)
    return made


def devices(spaces: Spaces, pairs: Iterable[Pair]) -> list[tuple[str, str]]:
    """Namespaces and devices by which these pairs leave: each has all that one node sends, or all that is sent to it.

    Raises `ValueError` if these pairs are not all of a device.
    """
    left = set(pairs)
    chosen = []
    out = [(spaces.of(node), "eth0", _from(spaces, node)) for node in spaces.nodes]
    into = [(spaces.of(HUB), spaces.port(node), {pair[::-1] for pair in _from(spaces, node)}) for node in spaces.nodes]
    for space, device, directions in out + into:
        if directions <= left:
            chosen.append((space, device))
            left -= directions
    if left:
        raise ValueError(f"no device has just these pairs: {sorted(left)}")
    return chosen


def _from(spaces: Spaces, node: str) -> set[Pair]:
    return {(node, other) for other in spaces.nodes if other != node}


def netem(quality: Quality) -> list[str]:
    """What `tc` calls this quality. Netem reorders by itself what jitter lets overtake."""
    half_s = quality.jitter_s / 2
    times = (f"{round(seconds * 1e6)}us" for seconds in (quality.delay_s + half_s, half_s))
    return ["netem", "delay", *times, "loss", f"{quality.loss * 100:g}%"]


def _lay_out(spaces: Spaces) -> None:
    faces = {spaces.face(one, other) for one in spaces.nodes for other in spaces.nodes if one != other}
    own = {"10.0.0.1"} if spaces.netem else {"10.0.0.1", *faces}
    _ip(
        spaces.of(HUB),
        "link set lo up",
        f"link add {HUB} type bridge",
        *(f"address add {address}/16 dev {HUB}" for address in sorted(own)),
        f"link set {HUB} up",
        *(f"link add {spaces.port(node)} type veth peer name eth0 netns {spaces.of(node)}" for node in spaces.nodes),
        *(f"link set {spaces.port(node)} master {HUB} up" for node in spaces.nodes),
    )
    for node in spaces.nodes:
        address = f"address add {spaces.address(node)}/16 dev eth0"
        _ip(spaces.of(node), "link set lo up", address, "link set eth0 up")


def _has_netem(space: str) -> bool:
    if shutil.which("tc") is None:
        return False
    command = ["tc", "-n", space, "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1us"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def inside(space: str) -> Iterator[None]:
    """This thread, and what it starts from now on, is in that namespace."""
    with Path("/proc/thread-self/ns/net").open() as before, (NETNS / space).open() as there:
        _enter(there.fileno())
        try:
            yield
        finally:
            _enter(before.fileno())


def _enter(namespace: int) -> None:
    """`os.setns`, which Python has from 3.12 on."""
    if ctypes.CDLL(None, use_errno=True).setns(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _begun(pid: int) -> str:
    """When a process began, in the kernel's ticks; empty if there is none. An id may be given again, not both."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _ip(space: str, *lines: str) -> None:
    _run("ip", "-n", space, "-batch", "-", text="\n".join(lines) + "\n")


def _run(*command: str, text: str = "") -> str:
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
