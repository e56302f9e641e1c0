"""A network on this machine: real processes on loopback, for demonstrations, measurements and tests. Never for money.

Keys are real but cheap to guess at, parties and files live in one folder:

    genesis.toml
    <member>/node.toml, card.toml, keys/*.json, passphrase, operator-token, data/, node.log

Whatever is started here is ended here, in any case: each node is a process group of its own, killed when the network is
closed or this process ends.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

import httpx

from node.clock import clock_ms
from node.config import ApiConfig, KeysConfig, LogConfig, NetworkConfig, NodeConfig, config_toml
from node.errors import NodeError
from node.genesis import assemble, init_node, write_public
from node.keystore import KDF_TEST, load_key
from registry.cards import Card, card_toml, proved
from registry.genesis import Genesis, Parameters
from registry.parties import Party

__all__ = ["Devnet", "DevnetError", "Member", "create", "free_ports", "hold_ports"]

READY_WITHIN_S = 60.0  # a machine that does much else starts Python slowly; waiting costs nothing where it is quick
STOP_WITHIN_S = 15.0
POLL_S = 0.02
PORTS = range(10_000, 30_000)
REQUEST_TIMEOUT_S = 5.0
UNLIMITED_PER_S = 1_000_000  # requests of one caller
LOG_TAIL_BYTES = 2_000


class DevnetError(NodeError):
    """A node of a local network did not do what it should; the end of its log is in the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A node to be: its name, its party, and whether it votes."""

    name: str
    party: Party
    role: Literal["authority", "observer"]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a member lives."""

    config: NodeConfig
    token: str


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens at or holds just now, outside the range that outgoing connections use."""
    with contextlib.ExitStack() as stack:
        return [stack.enter_context(each).getsockname()[1] for each in hold_ports(count)]


def hold_ports(count: int) -> list[socket.socket]:
    """Free ports, each with a socket that keeps it from `free_ports` and `hold_ports` of every process until it closes.

    It does not listen: on Linux, whoever is told of the port can, again and again.
    """
    held: list[socket.socket] = []
    while len(held) < count:
        port = secrets.choice(PORTS)
        each = socket.socket()
        try:
            each.bind(("127.0.0.1", port))  # fails beside any other socket at this port, those that are held too
        except OSError:
            each.close()
            continue
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # from now on, beside one that says the same
        held.append(each)
    return held


class Devnet:
    """The network in a folder. Use it as a context: nothing runs on when it is left."""

    def __init__(self, folder: Path, members: tuple[Member, ...], genesis: Genesis, places: dict[str, _Place]) -> None:
        self.folder = folder
        self.members = members
        self.genesis = genesis
        self._places = places
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._held: list[socket.socket] = []
        self._http = httpx.Client(timeout=REQUEST_TIMEOUT_S, trust_env=False)
        atexit.register(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- where things are -------------------------------------------------------------------------------------------

    @property
    def genesis_path(self) -> Path:
        """The genesis file."""
        return self.folder / "genesis.toml"

    def member(self, name: str) -> Member:
        """The member of this name."""
        return next(member for member in self.members if member.name == name)

    def config_path(self, name: str) -> Path:
        """A node's configuration file."""
        return self._places[name].config.file

    def data_dir(self, name: str) -> Path:
        """Where a node keeps its store."""
        return self._places[name].config.data_dir

    def log_path(self, name: str) -> Path:
        """A node's log."""
        return self.config_path(name).parent / "node.log"

    def url(self, name: str) -> str:
        """The address of a node's API."""
        return f"http://{self._places[name].config.api.listen}"

    def operator_token(self, name: str) -> str:
        """The token of a node's operator."""
        return self._places[name].token

    def environment(self, name: str) -> dict[str, str]:
        """The environment for commands about this node."""
        return {**os.environ, "PYTHONUNBUFFERED": "1"}

    def command(self, name: str) -> list[str]:
        """What runs a node."""
        return [sys.executable, "-m", "node.cli", "node", "run", str(self.config_path(name))]

    def pid(self, name: str) -> int:
        """The process id of a running node."""
        return self._processes[name].pid

    def add(self, member: Member) -> Path:
        """Lay out one more node, which genesis has not heard of; the path of its card for the authorities."""
        held = hold_ports(2)
        listen, api_listen = (f"127.0.0.1:{each.getsockname()[1]}" for each in held)
        _, place = _lay_out(
            self.folder,
            member,
            listen,
            api_listen,
            engine=self._places[self.members[0].name].config.engine,
            network=self.genesis.id,
        )
        place.config.file.write_text(config_toml(place.config))
        self.members = (*self.members, member)
        self._places[member.name] = place
        self.hold(held)
        return place.config.file.parent / "card.toml"

    def hold(self, ports: Iterable[socket.socket]) -> None:
        """These ports are this network's until it is closed, also while a node of it is down."""
        self._held += ports
        if sys.platform != "linux":  # there a node could not listen beside them
            self._let_go()

    def _let_go(self) -> None:
        for each in self._held:
            each.close()
        self._held.clear()

    # --- running ----------------------------------------------------------------------------------------------------

    def start(self, name: str) -> None:
        """Start a node; `wait_ready` says when it serves."""
        if self.is_running(name):
            raise DevnetError(f"{name} runs already")
        with self.log_path(name).open("ab") as log:
            self._processes[name] = subprocess.Popen(  # noqa: S603 - our own command
                self.command(name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment(name),
                start_new_session=True,
            )

    def start_all(self, names: Iterable[str] | None = None) -> None:
        """Start these nodes, or all, and wait until they are ready."""
        chosen = list(names) if names is not None else [member.name for member in self.members]
        for name in chosen:
            self.start(name)
        for name in chosen:
            self.wait_ready(name)

    def stop(self, name: str) -> int:
        """Ask a node to stop, and wait; its exit code. Raises `DevnetError` if it does not stop."""
        process = self._processes.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            _kill(process)
            raise DevnetError(f"{name} did not stop in {STOP_WITHIN_S:g} s: {self._log_tail(name)}") from None

    def kill(self, name: str) -> None:
        """SIGKILL: the node has no chance to say goodbye to its disk or its peers."""
        _kill(self._processes.pop(name))

    def close(self) -> None:
        """Kill whatever still runs."""
        for process in self._processes.values():
            _kill(process)
        self._processes.clear()
        self._let_go()
        self._http.close()
        atexit.unregister(self.close)

    def is_running(self, name: str) -> bool:
        """Whether the node's process lives."""
        process = self._processes.get(name)
        return process is not None and process.poll() is None

    def end_of(self, name: str) -> str:
        """How a node has ended by itself: its exit code and the end of its log. Empty if it has not."""
        process = self._processes.get(name)
        code = None if process is None else process.poll()
        return "" if code is None else f"{name} has ended by itself with exit code {code}: {self._log_tail(name)}"

    def is_ready(self, name: str) -> bool:
        """Whether the node answers that it serves clients well."""
        try:
            return self._http.get(f"{self.url(name)}/v1/ready").is_success
        except httpx.HTTPError:
            return False

    def wait_ready(self, name: str, timeout_s: float = READY_WITHIN_S) -> None:
        """Return when the node is ready. Raises `DevnetError` if its process ended or time is up."""
        deadline = time.monotonic() + timeout_s
        while not self.is_ready(name):
            if not self.is_running(name):
                raise DevnetError(self.end_of(name) or f"{name} does not run")
            if time.monotonic() > deadline:
                raise DevnetError(f"{name} is not ready after {timeout_s:g} s: {self._log_tail(name)}")
            time.sleep(POLL_S)

    def status(self, name: str) -> dict[str, Any]:
        """What the node says of itself to its operator."""
        headers = {"Authorization": f"Bearer {self.operator_token(name)}"}
        answer = self._http.get(f"{self.url(name)}/v1/status", headers=headers)
        if not answer.is_success:
            raise DevnetError(f"{name}: status {answer.status_code}: {answer.text[:500]}")
        found: dict[str, Any] = answer.json()
        return found

    def _log_tail(self, name: str) -> str:
        data = self.log_path(name).read_bytes()[-LOG_TAIL_BYTES:]
        return f"{self.log_path(name)} ends with\n{data.decode(errors='replace')}"


Network = TypeVar("Network", bound=Devnet)


def create(
    folder: Path,
    *,
    members: Sequence[Member],
    parties: Sequence[Party] = (),
    parameters: Parameters | None = None,
    rate_limits: bool = True,
    engine: str = "auto",
    hosts: Sequence[str] = (),
    kind: type[Network] = Devnet,  # type: ignore[assignment] # what it is unless said otherwise
) -> Network:
    """Make keys, genesis and configurations in `folder`. `parties` are those of genesis beside the members' own.

    `hosts` are the members' addresses, if not loopback; `kind` is what the network is in the hands of its caller.
    """
    held = hold_ports(2 * len(members))
    ports = [each.getsockname()[1] for each in held]
    homes = hosts or ["127.0.0.1"] * len(members)
    addresses = [f"{homes[number // 2]}:{port}" for number, port in enumerate(ports)]
    places: dict[str, _Place] = {}
    cards: list[Card] = []
    for member, listen, api_listen in zip(members, addresses[::2], addresses[1::2], strict=True):
        card, place = _lay_out(folder, member, listen, api_listen, engine=engine)
        if not rate_limits:
            api = replace(place.config.api, requests_per_s=UNLIMITED_PER_S, requests_burst=UNLIMITED_PER_S)
            place = replace(place, config=replace(place.config, api=api))
        place.config.file.write_text(config_toml(place.config))
        cards.append(card)
        places[member.name] = place
    genesis = assemble("local development", cards, created_ms=clock_ms(), parties=parties, parameters=parameters)
    (folder / "genesis.toml").write_text(genesis.to_toml())
    made = kind(folder, tuple(members), genesis, places)
    made.hold(held)
    return made


def _lay_out(
    folder: Path, member: Member, listen: str, api_listen: str, *, engine: str, network: bytes = b""
) -> tuple[Card, _Place]:
    """A member's folder: keys, passphrase and token; its card, and what its configuration will be.

    `network` is the genesis id of one that runs already: there the node's own key, if it is to vote, proves itself.
    """
    home = (folder / member.name).absolute()
    home.mkdir(parents=True)
    passphrase, token = secrets.token_hex(16), secrets.token_hex(16)
    _write_secret(home / "passphrase", passphrase)
    _write_secret(home / "operator-token", token)
    card = init_node(
        home / "keys",
        name=member.name,
        party=member.party,
        role=member.role,
        address=listen,
        passphrase=passphrase.encode(),
        cost=KDF_TEST,
    )
    if network and card.node is not None and card.node.consensus_key:
        consensus = load_key(home / "keys" / "consensus.json", passphrase.encode(), kind="consensus")
        card = proved(card, network, consensus=consensus.signing_key)
    config = NodeConfig(
        file=home / "node.toml",
        name=member.name,
        party=member.party.id,
        role=member.role,
        data_dir=home / "data",
        genesis=folder.absolute() / "genesis.toml",
        network=NetworkConfig(listen=listen),
        api=ApiConfig(listen=api_listen, operator_token_file=home / "operator-token"),
        keys=KeysConfig(
            transport=home / "keys" / "transport.json",
            consensus=home / "keys" / "consensus.json" if member.role == "authority" else None,
            checkpoint=home / "keys" / "checkpoint.json"
            if card.node is not None and card.node.checkpoint_key
            else None,
            passphrase_file=home / "passphrase",
        ),
        engine=engine,
        log=LogConfig(level="info", format="json"),
    )
    write_public(home / "card.toml", card_toml(card))
    return card, _Place(config, token)


def _write_secret(path: Path, text: str) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text + "\n")


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
