"""A configuration is read whole or refused with the file, the key and what to do."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.config import NodeConfig, config_toml, load_config, read_secret_file
from node.errors import ConfigError
from node.mempool import Bounds

GOOD: dict[str, dict[str, Any]] = {
    "node": {
        "name": "bank-de",
        "party": "lei:984500DEBANK00000124",
        "role": "authority",
        "data_dir": "data",
        "genesis": "genesis.toml",
    },
    "network": {"listen": "127.0.0.1:7001", "peers": {"bank-sg": "10.0.0.2:7001"}},
    "api": {"listen": "127.0.0.1:8001"},
    "keys": {"transport": "keys/transport.key", "consensus": "keys/consensus.key"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "keys").mkdir()
    for name in ("genesis.toml", "keys/transport.key", "keys/consensus.key"):
        (tmp_path / name).write_text("")
    for name, mode in (("passphrase", 0o600), ("token", 0o600), ("open", 0o644)):
        (tmp_path / name).write_text("a long secret\n")
        (tmp_path / name).chmod(mode)
    return tmp_path


def changed(**tables: dict[str, Any] | None) -> dict[str, Any]:
    """GOOD with these keys changed; a key with None is left out."""
    result: dict[str, Any] = {name: dict(table) for name, table in GOOD.items()}
    for name, table in tables.items():
        result.setdefault(name, {}).update(table or {})
        result[name] = {key: value for key, value in result[name].items() if value is not None}
    return result


def load(folder: Path, value: dict[str, Any]) -> NodeConfig:
    (folder / "node.toml").write_text(tomli_w.dumps(value))
    return load_config(folder / "node.toml")


def test_a_short_file_is_enough_and_paths_begin_at_it(folder: Path) -> None:
    config = load(folder, GOOD)
    assert (config.name, config.role, config.engine) == ("bank-de", "authority", "auto")
    assert config.data_dir == folder / "data"
    assert config.keys.consensus == folder / "keys" / "consensus.key"
    assert dict(config.network.peers) == {"bank-sg": "10.0.0.2:7001"}
    assert config.mempool == Bounds()
    assert (config.api.metrics_public, config.log.level, config.log.format) == (False, "info", "json")


def test_what_is_written_is_read_back(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("disk")
    config = load(
        folder,
        changed(
            node={"data_dir": str(elsewhere / "data")},
            api={"operator_token_file": "token", "metrics_public": True, "requests_per_s": 7, "requests_burst": 70},
            keys={"passphrase_file": "passphrase"},
            store={"engine": "lmdb"},
            mempool={"transactions_max": 10, "bytes_max": 2**20, "per_sender_max": 3},
            log={"level": "debug", "format": "console"},
        ),
    )
    for wanted in (config, load(folder, GOOD), replace(load(folder, GOOD), role="observer")):
        if wanted.role == "observer":
            wanted = replace(wanted, keys=replace(wanted.keys, consensus=None))
        text = config_toml(wanted)
        (folder / "again.toml").write_text(text)
        again = load_config(folder / "again.toml")
        assert replace(again, file=wanted.file) == wanted
        assert str(folder) not in text


@pytest.mark.parametrize(
    ("change", "key", "reason"),
    [
        ({"node": {"name": None}}, "node.name", "is missing: add it"),
        ({"node": {"name": 7}}, "node.name", "must be text, not int"),
        ({"node": {"name": ""}}, "node.name", "1 to 64"),
        ({"node": {"name": "a\nb"}}, "node.name", "printable"),
        ({"node": {"nmae": "x"}}, "node.nmae", "is not known here: correct its spelling"),
        ({"nodes": {"a": 1}}, "nodes", "is not known here"),
        ({"node": {"role": "validator"}}, "node.role", "must be one of authority, observer"),
        ({"node": {"genesis": "missing.toml"}}, "node.genesis", "no such file: create it"),
        ({"node": {"genesis": "~nobody-here/genesis.toml"}}, "node.genesis", "no such user"),
        ({"node": {"role": "observer"}}, "keys.consensus", "an observer does not vote"),
        ({"keys": {"consensus": None}}, "keys.consensus", "is missing: an authority votes"),
        ({"keys": {"transport": "nothing.key"}}, "keys.transport", "no such file"),
        ({"network": {"listen": "127.0.0.1"}}, "network.listen", "host:port"),
        ({"network": {"listen": "127.0.0.1:0"}}, "network.listen", "1 to 65535"),
        ({"network": {"listen": "127.0.0.1:65536"}}, "network.listen", "1 to 65535"),
        ({"network": {"listen": 7001}}, "network.listen", "must be text"),
        ({"network": {"peers": {"bank-sg": "here"}}}, "network.peers.bank-sg", "host:port"),
        ({"network": {"peers": {"bank-sg": 5}}}, "network.peers.bank-sg", "host:port"),
        ({"network": {"peers": "bank-sg"}}, "network.peers", "must be a table"),
        ({"api": {"metrics_public": 1}}, "api.metrics_public", "true or false"),
        ({"api": {"requests_per_s": True}}, "api.requests_per_s", "a whole number"),
        ({"api": {"requests_per_s": 0}}, "api.requests_per_s", "from 1 to"),
        ({"api": {"requests_per_s": 5.5}}, "api.requests_per_s", "a whole number, not float"),
        ({"api": {"requests_per_s": 5000}}, "api.requests_burst", "below requests_per_s"),
        ({"store": {"engine": "sqlite"}}, "store.engine", "must be one of auto, leveldb, lmdb, memory"),
        ({"mempool": {"bytes_max": 10}}, "mempool.bytes_max", "must be from"),
        ({"log": {"level": "loud"}}, "log.level", "must be one of"),
    ],
)
def test_what_is_wrong_is_named(folder: Path, change: dict[str, Any], key: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(reason)) as error:
        load(folder, changed(**change))
    assert error.value.key == key
    assert str(error.value).startswith(f"{folder / 'node.toml'}: {key}: ")


def test_a_table_that_is_none_and_a_file_that_is_no_toml_are_named(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"node: must be a table, not int"):
        load(folder, GOOD | {"node": 3})
    for data, reason in ((b"a = = 1", "not TOML"), (b"\xff\xfe", "not TOML"), (bytes(2**20 + 1), "larger than")):
        (folder / "bad.toml").write_bytes(data)
        with pytest.raises(ConfigError, match=reason):
            load_config(folder / "bad.toml")
    with pytest.raises(ConfigError, match="no such file: create one"):
        load_config(folder / "absent.toml")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(folder)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    table=st.sampled_from(["node", "network", "api", "keys", "store", "mempool", "log", "more"]),
    key=st.sampled_from(["name", "listen", "peers", "engine", "bytes_max", "consensus", "level", "role", "x"]),
    value=st.integers() | st.text(max_size=8) | st.booleans() | st.floats() | st.lists(st.integers(), max_size=2),
)
def test_any_change_is_read_or_refused_with_a_name(folder: Path, table: str, key: str, value: Any) -> None:
    try:
        load(folder, changed(**{table: {key: value}}))
    except ConfigError as error:
        named = error.key.startswith(table) or error.key == "keys.consensus" or "TOML" in error.reason
        assert named, error  # noqa: PT017 - whatever is not refused is read, and that is as good


def test_the_passphrase_comes_from_one_place_and_never_into_an_error(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load(folder, GOOD)
    monkeypatch.delenv("NEMODAT_PASSPHRASE", raising=False)
    with pytest.raises(ConfigError, match="NEMODAT_PASSPHRASE is not set: set it"):
        config.passphrase()
    monkeypatch.setenv("NEMODAT_PASSPHRASE", "from the environment")
    assert config.passphrase() == b"from the environment"
    assert load(folder, changed(keys={"passphrase_file": "passphrase"})).passphrase() == b"a long secret"
    with pytest.raises(ConfigError, match="chmod 600") as error:
        load(folder, changed(keys={"passphrase_file": "open"})).passphrase()
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("data", [b"", b"\n", b"two\nlines\n", bytes(1025)])
def test_a_secret_is_one_line(folder: Path, data: bytes) -> None:
    (folder / "token").write_bytes(data)
    with pytest.raises(ConfigError, match="one line"):
        read_secret_file(folder / "node.toml", "api.operator_token_file", folder / "token")
    with pytest.raises(ConfigError, match="create it"):
        read_secret_file(folder / "node.toml", "api.operator_token_file", folder / "absent")
