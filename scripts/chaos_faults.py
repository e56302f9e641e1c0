"""The faults: a schedule that a seed makes, and two hands that do it, one for processes and disks, one for links."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from chaos_links import Pair, Quality
from chaos_network import HONEST, OBSERVER, ChaosNet
from demo_cast import AUTHORITIES, demo_key

from clients import authorities as authority_calls
from clients import parties as party_calls
from clients.errors import ClientError
from clients.financier import FinancierClient
from node.config import config_toml, load_config
from node.keystore import KDF_TEST, generate_key, save_key
from registry.keys import prove_possession
from registry.transactions.authorities import SeatAuthority

__all__ = ["Fault", "Hands", "schedule"]

Done = TypeVar("Done")

READY_WITHIN_S = 60.0
DISK_PATIENCE_S = 15.0
NOTICE_S = 4.0  # how long a node with damage under its feet runs on
BALLAST = "ballast"
NODE_KINDS = ("kill", "pause", "clock", "kill", "pause", "disk full", "damage stopped", "kill", "damage running")
LINK_KINDS = ("slow", "partition", "one way", "lossy", "halves")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: what, when (seconds from the start), to whom, for how long; `salt` decides the details."""

    kind: str
    at_s: float
    target: str
    for_s: float
    salt: int


def schedule(seed: int, seconds: float, *, disks: bool) -> tuple[list[Fault], list[Fault]]:
    """Faults of processes and disks, and of links. At most one node at a time is down or away by the first hand."""
    possible = {"disk full": disks}
    made = []
    for hand, kinds, pause in (("node", NODE_KINDS, 2.5), ("link", LINK_KINDS, 4.0)):
        chance = random.Random(f"{seed} {hand}")
        faults: list[Fault] = []
        at_s = 1.5
        bag: list[str] = []
        while at_s < seconds - 4:
            if not bag:  # each kind comes up before any comes again
                bag = [kind for kind in kinds if possible.get(kind, True)]
                chance.shuffle(bag)
            names = HONEST if bag[-1] == "disk full" or hand == "link" else (*HONEST, OBSERVER)
            for_s = chance.uniform(0.5, 4.0)
            faults.append(Fault(bag.pop(), round(at_s, 3), chance.choice(names), for_s, chance.getrandbits(32)))
            at_s += for_s + chance.uniform(0.5, pause)
        made.append(faults)
    return made[0], made[1]


@dataclass(slots=True)
class Hands:
    """Does faults, and says what was done. `broken` are things that must not happen; `down_s` is time off by node."""

    net: ChaosNet
    say: Callable[[str], None]
    done: Counter[str] = field(default_factory=Counter)
    down_s: Counter[str] = field(default_factory=Counter)
    healed: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def run(self, nodes: Sequence[Fault], links: Sequence[Fault], *, seconds: float) -> None:
        """Do them, each after the one before, until time is up and everything is healed: a slow machine does fewer."""
        started = time.monotonic()
        threads = [threading.Thread(target=self._each, args=(faults, started, seconds)) for faults in (nodes, links)]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            self.over.set()
            for thread in threads:
                if thread.ident is not None:  # a signal may have come before it began
                    thread.join()
            self.net.links.heal()

    def _each(self, faults: Sequence[Fault], started: float, seconds: float) -> None:
        for fault in faults:
            waited = self.over.wait(max(0.0, started + fault.at_s - time.monotonic()))
            if waited or time.monotonic() > started + seconds:
                return
            self.say(f"{time.monotonic() - started:6.1f} s  {fault.kind}: {fault.target} for {fault.for_s:.1f} s")
            try:
                _DO[fault.kind](self, fault)
            except Exception as error:  # noqa: BLE001 - a fault that could not be done or undone is a finding
                self.broken.append(f"{fault.kind} of {fault.target}: {type(error).__name__}: {error}")
                continue
            self.done[fault.kind] += 1

    # --- processes --------------------------------------------------------------------------------------------------

    def kill(self, fault: Fault) -> None:
        self.net.kill(fault.target)
        self._back(fault)

    def pause(self, fault: Fault) -> None:
        os.kill(self.net.pid(fault.target), signal.SIGSTOP)
        try:
            self.over.wait(fault.for_s)
        finally:
            os.kill(self.net.pid(fault.target), signal.SIGCONT)
        self.down_s[fault.target] += round(fault.for_s)
        self.net.wait_ready(fault.target, READY_WITHIN_S)

    def clock(self, fault: Fault) -> None:
        offset_s = random.Random(fault.salt).choice((-20.0, -5.0, -1.0, 1.0, 5.0, 20.0))
        self.net.set_clock(fault.target, offset_s)
        self.over.wait(fault.for_s + 1)
        self.net.set_clock(fault.target, 0)

    def _back(self, fault: Fault) -> None:
        """Start it again after the fault's time, and wait until it serves."""
        since = time.monotonic()
        self.over.wait(fault.for_s)
        self.net.start(fault.target)
        self.net.wait_ready(fault.target, READY_WITHIN_S)
        self.down_s[fault.target] += round(time.monotonic() - since)

    # --- disks ------------------------------------------------------------------------------------------------------

    def disk_full(self, fault: Fault) -> None:
        """Fill it. The node goes on while nothing has to be written, and ends when something has to."""
        ballast = self.net.disk_path(fault.target) / BALLAST
        fill(ballast)
        try:
            ended = self._ends_within(fault.target, DISK_PATIENCE_S)
        finally:
            ballast.unlink()
        if not ended:
            self.broken.append(f"{fault.target} ran on for {DISK_PATIENCE_S:g} s with a full disk")
            return
        if b"No space left" not in self.net.log_path(fault.target).read_bytes()[-20_000:]:
            self.broken.append(f"{fault.target} ended with a full disk and did not say why")
        self._back(fault)

    def damage_stopped(self, fault: Fault) -> None:
        self.net.kill(fault.target)
        self.say(f"          {damage(self.net.data_dir(fault.target), fault.salt)}")
        self._recover(fault.target)

    def damage_running(self, fault: Fault) -> None:
        self.say(f"          {damage(self.net.data_dir(fault.target), fault.salt)}")
        if not self._ends_within(fault.target, NOTICE_S):
            self.net.kill(fault.target)
        self._recover(fault.target)

    def _recover(self, name: str) -> None:
        """As its operator would: check it; if it is damaged, see that it is not served, and begin again."""
        since = time.monotonic()
        checked = self.nemodat("node", "check", str(self.net.config_path(name)))
        self.net.start(name)
        if checked.returncode == 0:
            self.healed["passes the check: no effect, or a lost tail"] += 1
        elif self._ends_within(name, NOTICE_S):
            self.healed["noticed by the node"] += 1
        else:
            self.healed["found by check only"] += 1
            self.net.kill(name)
        if checked.returncode:
            self._reset(name)
            self.net.start(name)
        self.net.wait_ready(name, READY_WITHIN_S)
        self.down_s[name] += round(time.monotonic() - since)
        if checked.returncode and name != OBSERVER:
            self._new_key(name)

    def _reset(self, name: str) -> None:
        done = self.nemodat("node", "reset", str(self.net.config_path(name)), "--yes")
        if done.returncode:
            raise RuntimeError(f"reset: {done.stderr}")

    def _new_key(self, name: str) -> None:
        """A quorum gives the party a seat with another key; until then its node follows."""
        config = load_config(self.net.config_path(name))
        number = sum(1 for _ in (config.file.parent / "keys").glob("consensus*.json"))
        file = config.file.parent / "keys" / f"consensus-{number}.json"
        key = generate_key("consensus")
        save_key(file, key, config.passphrase(), cost=KDF_TEST)
        last = config.keys.next_consensus or config.keys.consensus
        config.file.write_text(
            config_toml(replace(config, keys=replace(config.keys, consensus=last, next_consensus=file)))
        )
        self.net.stop(name)
        self.net.start(name)
        self.net.wait_ready(name, READY_WITHIN_S)
        entry = next(each for each in self.net.genesis.authorities if each.party == config.party)
        proof = prove_possession(key.signing_key, self.net.genesis.id, config.party, SeatAuthority.NAME)
        change = SeatAuthority(config.party, key.public, entry.transport_certificate, entry.address, proof)
        voters = [other for other in HONEST if other != name]
        proposal = self._as(voters[0], lambda client: client.call(party_calls.propose_change, change))
        for voter in voters[1:]:
            self._as(voter, lambda client: client.approve([proposal]))
        height, members = self._as(voters[0], lambda client: client.call(authority_calls.in_force))
        if key.public not in members:
            raise RuntimeError(f"{name} has no seat with its new key at height {height}")
        self.healed["new key voted in"] += 1

    def _as(self, name: str, do: Callable[[FinancierClient], Done]) -> Done:
        """`do` as this authority; repeated while the network does not get it done."""
        party = next(party for known, party, *_ in AUTHORITIES if known == name)
        urls = [self.net.url(each) for each in HONEST]
        with FinancierClient(self.net.genesis, urls=urls, party=party, signer=demo_key(party)) as client:
            try:
                return do(client)
            except ClientError as error:
                if error.submission is None:
                    raise
                client.resume(error.submission)
                return do(client)

    def _ends_within(self, name: str, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self.net.is_running(name):
                return True
            time.sleep(0.05)
        return False

    def nemodat(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """An operator's command."""
        command = [sys.executable, "-m", "node.cli", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)

    # --- links ------------------------------------------------------------------------------------------------------

    def slow(self, fault: Fault) -> None:
        self._links(around(self.net, {fault.target}), Quality(delay_s=0.08, jitter_s=0.15), fault)

    def lossy(self, fault: Fault) -> None:
        self._links(around(self.net, set(HONEST)), Quality(delay_s=0.005, jitter_s=0.02, loss=0.05), fault)

    def partition(self, fault: Fault) -> None:
        self._links(around(self.net, {fault.target}), Quality(cut=True), fault)

    def halves(self, fault: Fault) -> None:
        """Two and two: nobody has a quorum."""
        pair = set(random.Random(fault.salt).sample(HONEST, 2))
        self._links(around(self.net, pair), Quality(cut=True), fault)

    def one_way(self, fault: Fault) -> None:
        """It hears the others; they do not hear it, or the other way round."""
        outwards = random.Random(fault.salt).random() < 0.5
        pairs = [pair for pair in around(self.net, {fault.target}) if (pair[0] == fault.target) == outwards]
        self._links(pairs, Quality(cut=True), fault)

    def _links(self, pairs: Sequence[Pair], quality: Quality, fault: Fault) -> None:
        self.net.links.set(pairs, quality)
        self.over.wait(fault.for_s)
        self.net.links.heal()


_DO: dict[str, Callable[[Hands, Fault], None]] = {
    "kill": Hands.kill,
    "pause": Hands.pause,
    "clock": Hands.clock,
    "disk full": Hands.disk_full,
    "damage stopped": Hands.damage_stopped,
    "damage running": Hands.damage_running,
    "slow": Hands.slow,
    "lossy": Hands.lossy,
    "partition": Hands.partition,
    "halves": Hands.halves,
    "one way": Hands.one_way,
}


def around(net: ChaosNet, group: set[str]) -> list[Pair]:
    """All directions between a group and the others; within it too, if it is all authorities."""
    pairs = [pair for pair in net.links.pairs if (pair[0] in group) != (pair[1] in group)]
    return list(net.links.pairs) if group == set(HONEST) else pairs


def fill(ballast: Path) -> None:
    """Write until nothing more fits."""
    with ballast.open("wb", buffering=0) as file:
        for size in (1024 * 1024, 4096, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue


def damage(folder: Path, salt: int) -> str:
    """Flip bits in a file of the store, or cut it short; what was done."""
    chance = random.Random(salt)
    files = sorted(
        path for path in folder.glob("*/*") if path.suffix in (".log", ".ldb", ".mdb") and path.stat().st_size
    )
    files += sorted(folder.glob("*/MANIFEST-*")) if chance.random() < 0.2 else []
    path = chance.choice(files)
    size = path.stat().st_size
    if chance.random() < 0.3:
        left = chance.randrange(size)
        os.truncate(path, left)
        return f"{path.name}: cut from {size} to {left} bytes"
    with path.open("r+b") as file:
        places = sorted(chance.randrange(size) for _ in range(chance.randint(1, 8)))
        for place in places:
            file.seek(place)
            byte = file.read(1)
            file.seek(place)
            file.write(bytes([byte[0] ^ 1 << chance.randrange(8)]))
    return f"{path.name}: bits flipped at {places} of {size}"
