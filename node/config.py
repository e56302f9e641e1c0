"""The configuration of one node: a TOML file in, a checked value out; every error names the file and the key.

    [node]      name, party, role ("authority" or "observer"), data_dir, genesis
    [network]   listen; [network.peers] name = "host:port" where a member is not at its genesis address
    [api]       listen, operator_token_file, metrics_public, requests_per_s, requests_burst
    [keys]      transport, consensus and next_consensus (authorities only), checkpoint (regulators' observers),
                passphrase_env or passphrase_file
    [store]     engine, sync ("snapshot" or "blocks"), keep_days (0: every block for good)
    [mempool]   transactions_max, bytes_max, per_sender_max
    [log]       level, format

Paths are relative to the file. Anything unknown is an error: a misspelt key must not silently mean its default.
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import tomli_w

from node.errors import ConfigError
from node.fields import Fields
from node.mempool import Bounds
from node.store import ENGINES

__all__ = [
    "ApiConfig",
    "KeysConfig",
    "LogConfig",
    "NetworkConfig",
    "NodeConfig",
    "config_toml",
    "load_config",
    "read_secret_file",
]

FILE_BYTES_MAX = 1024 * 1024
SECRET_BYTES_MAX = 1024
NAME_CHARS_MAX = 64
PASSPHRASE_ENV = "NEMODAT_PASSPHRASE"  # noqa: S105 - the name of a variable
ROLES = ("authority", "observer")
KEEP_DAYS_MOST = 100_000
SYNCS = ("snapshot", "blocks")
LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("json", "console")
MIB = 1024 * 1024
REQUESTS_PER_S = 500
REQUESTS_BURST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkConfig:
    """Where the node listens for others, and where some of them are if not at their genesis address."""

    listen: str
    peers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiConfig:
    """The HTTP interface. `requests_per_s` and `requests_burst` are for each caller."""

    listen: str
    operator_token_file: Path | None = None
    metrics_public: bool = False
    requests_per_s: int = REQUESTS_PER_S
    requests_burst: int = REQUESTS_BURST


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysConfig:
    """The key files, and where their passphrase is: an environment variable, or a file only this user can read.

    `next_consensus` votes from the height at which the ledger names it: then it becomes `consensus`, at leisure.
    """

    transport: Path
    consensus: Path | None = None
    checkpoint: Path | None = None
    next_consensus: Path | None = None
    passphrase_env: str = PASSPHRASE_ENV
    passphrase_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfig:
    """What is logged, and how."""

    level: str = "info"
    format: Literal["json", "console"] = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    """One node. `file` is where this was read from; all paths are absolute. `party` is a party id."""

    file: Path
    name: str
    party: str
    role: Literal["authority", "observer"]
    data_dir: Path
    genesis: Path
    network: NetworkConfig
    api: ApiConfig
    keys: KeysConfig
    engine: str = "auto"
    sync: Literal["snapshot", "blocks"] = "snapshot"
    keep_days: int = 0
    mempool: Bounds = field(default_factory=Bounds)
    log: LogConfig = field(default_factory=LogConfig)

    def passphrase(self) -> bytes:
        """The passphrase of the key files. Raises `ConfigError` if it cannot be had; never shows it."""
        if self.keys.passphrase_file is not None:
            return read_secret_file(self.file, "keys.passphrase_file", self.keys.passphrase_file)
        passphrase = os.environb.get(self.keys.passphrase_env.encode())
        if not passphrase:
            reason = f"the environment variable {self.keys.passphrase_env} is not set: set it, or use passphrase_file"
            raise ConfigError(self.file, "keys.passphrase_env", reason)
        return passphrase


def load_config(file: Path) -> NodeConfig:
    """The configuration in a file; the files it names must exist. Raises `ConfigError`."""
    file = file.absolute()
    root = Fields(file, "", _parse(file))
    node, network, api = root.table("node"), root.table("network"), root.table("api")
    keys, store, mempool, log = (root.table(name) for name in ("keys", "store", "mempool", "log"))
    bounds = Bounds()
    config = NodeConfig(
        file=file,
        name=node.text("name", chars_max=NAME_CHARS_MAX),
        party=node.text("party", chars_max=NAME_CHARS_MAX),
        role=node.choice("role", ROLES),
        data_dir=node.path("data_dir"),
        genesis=node.path("genesis"),
        network=NetworkConfig(listen=network.address("listen"), peers=network.addresses("peers")),
        api=ApiConfig(
            listen=api.address("listen"),
            operator_token_file=api.optional_path("operator_token_file"),
            metrics_public=api.boolean("metrics_public", default=False),
            requests_per_s=api.integer("requests_per_s", 1, 1_000_000, default=REQUESTS_PER_S),
            requests_burst=api.integer("requests_burst", 1, 10_000_000, default=REQUESTS_BURST),
        ),
        keys=KeysConfig(
            transport=keys.path("transport"),
            consensus=keys.optional_path("consensus"),
            checkpoint=keys.optional_path("checkpoint"),
            next_consensus=keys.optional_path("next_consensus"),
            passphrase_env=keys.text("passphrase_env", chars_max=NAME_CHARS_MAX, default=PASSPHRASE_ENV),
            passphrase_file=keys.optional_path("passphrase_file"),
        ),
        engine=store.choice("engine", ENGINES, default="auto"),
        sync=store.choice("sync", SYNCS, default="snapshot"),
        keep_days=store.integer("keep_days", 0, KEEP_DAYS_MOST, default=0),
        mempool=Bounds(
            transactions_max=mempool.integer("transactions_max", 2, 10_000_000, default=bounds.transactions_max),
            bytes_max=mempool.integer("bytes_max", MIB, 64 * 1024 * MIB, default=bounds.bytes_max),
            per_sender_max=mempool.integer("per_sender_max", 1, 10_000_000, default=bounds.per_sender_max),
        ),
        log=LogConfig(
            level=log.choice("level", LOG_LEVELS, default="info"),
            format=log.choice("format", LOG_FORMATS, default="json"),
        ),
    )
    for table in (node, network, api, keys, store, mempool, log, root):
        table.done()
    _check(config, keys)
    return config


def config_toml(config: NodeConfig) -> str:
    """The TOML that `load_config` reads back to an equal value; paths below the file's folder are relative to it."""

    def shown(path: Path | None) -> str | None:
        if path is None:
            return None
        folder = config.file.parent
        return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)

    keys = config.keys
    tables: dict[str, dict[str, Any]] = {
        "node": {
            "name": config.name,
            "party": config.party,
            "role": config.role,
            "data_dir": shown(config.data_dir),
            "genesis": shown(config.genesis),
        },
        "network": {"listen": config.network.listen, "peers": dict(config.network.peers)},
        "api": {
            "listen": config.api.listen,
            "operator_token_file": shown(config.api.operator_token_file),
            "metrics_public": config.api.metrics_public,
            "requests_per_s": config.api.requests_per_s,
            "requests_burst": config.api.requests_burst,
        },
        "keys": {
            "transport": shown(keys.transport),
            "consensus": shown(keys.consensus),
            "checkpoint": shown(keys.checkpoint),
            "next_consensus": shown(keys.next_consensus),
            "passphrase_file": shown(keys.passphrase_file),
            "passphrase_env": keys.passphrase_env if keys.passphrase_file is None else None,
        },
        "store": {"engine": config.engine, "sync": config.sync, "keep_days": config.keep_days},
        "mempool": {
            "transactions_max": config.mempool.transactions_max,
            "bytes_max": config.mempool.bytes_max,
            "per_sender_max": config.mempool.per_sender_max,
        },
        "log": {"level": config.log.level, "format": config.log.format},
    }
    return tomli_w.dumps(
        {
            name: {key: value for key, value in table.items() if value not in (None, {})}
            for name, table in tables.items()
        }
    )


def read_secret_file(file: Path, key: str, path: Path) -> bytes:
    """The one line in a secret's file, which only its owner may read. Raises `ConfigError` for `key` of `file`."""
    try:
        with path.open("rb") as secret_file:
            mode = stat.S_IMODE(os.fstat(secret_file.fileno()).st_mode)
            data = secret_file.read(SECRET_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigError(file, key, f"{path}: {error.strerror}: create it, readable by this user") from None
    if mode & 0o077:
        raise ConfigError(file, key, f"{path}: others can read it (mode {mode:o}): run `chmod 600 {path}`")
    secret = data.removesuffix(b"\n").removesuffix(b"\r")
    if not 0 < len(data) <= SECRET_BYTES_MAX or not secret or b"\n" in secret:
        raise ConfigError(file, key, f"{path}: holds one line of 1 to {SECRET_BYTES_MAX} bytes")
    return secret


def _parse(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            data = opened.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        raise ConfigError(file, "", "no such file: create one with `nemodat node join`") from None
    except OSError as error:
        raise ConfigError(file, "", f"cannot be read: {error.strerror}: check its owner and mode") from error
    if len(data) > FILE_BYTES_MAX:
        raise ConfigError(file, "", f"larger than {FILE_BYTES_MAX} bytes: not a configuration")
    try:
        return tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(file, "", f"not TOML: {error}") from None


def _check(config: NodeConfig, keys: Fields) -> None:
    """What holds between the fields, and that the named files are there."""
    if config.role == "authority" and config.keys.consensus is None:
        raise keys.error("consensus", "is missing: an authority votes with this key; give its file")
    if config.role == "observer" and config.keys.consensus is not None:
        raise keys.error("consensus", "an observer does not vote: remove this line, or set role to authority")
    if config.role == "observer" and config.keys.next_consensus is not None:
        raise keys.error("next_consensus", "an observer does not vote: remove this line, or set role to authority")
    if config.api.requests_burst < config.api.requests_per_s:
        raise ConfigError(config.file, "api.requests_burst", "is below requests_per_s: raise it")
    named = {
        "node.genesis": config.genesis,
        "keys.transport": config.keys.transport,
        "keys.consensus": config.keys.consensus,
        "keys.checkpoint": config.keys.checkpoint,
        "keys.next_consensus": config.keys.next_consensus,
        "keys.passphrase_file": config.keys.passphrase_file,
        "api.operator_token_file": config.api.operator_token_file,
    }
    for key, path in named.items():
        if path is not None and not path.is_file():
            raise ConfigError(config.file, key, f"{path}: no such file: create it, or correct the path")
