"""Wrong TOML at the real command line: exit code 1, one message that names file and key, and no traceback."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from clients.cli import app as participants
from node.cli import app as operators
from node.devnet import Devnet
from tests.registry.documents.builders import ubl
from tests.scenarios.bad_input.command import Ended, inside, nemodat, one_message, register
from tests.scenarios.bad_input.network import hard

NAME = "f-gb"
Table = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Files:
    """A node's configuration and its genesis in a folder of their own, to be spoilt."""

    folder: Path
    config: Table
    genesis: Table

    @property
    def config_path(self) -> Path:
        return self.folder / "node.toml"

    @property
    def genesis_path(self) -> Path:
        return self.folder / "genesis.toml"

    def write(self) -> None:
        self.config_path.write_text(tomli_w.dumps(self.config))
        self.genesis_path.write_text(tomli_w.dumps(self.genesis))


def files_of(devnet: Devnet, folder: Path) -> Files:
    folder.mkdir()
    home = devnet.config_path(NAME).parent
    config = tomllib.loads(devnet.config_path(NAME).read_text())
    for key in ("consensus", "transport", "passphrase_file"):
        config["keys"][key] = str(home / config["keys"][key])
    config["api"]["operator_token_file"] = str(home / config["api"]["operator_token_file"])
    config["node"] |= {"genesis": "genesis.toml", "data_dir": "data"}
    return Files(folder, config, tomllib.loads(devnet.genesis_path.read_text()))


def put(place: str, value: Any) -> Callable[[Files], None]:
    """Spoil one value of the configuration ("api.listen") or of genesis ("genesis:parameters.base_ms")."""
    name, _, path = place.rpartition(":")

    def spoil(files: Files) -> None:
        table: Any = files.genesis if name else files.config
        *parents, key = [int(part) if part.isdecimal() else part for part in path.split(".")]
        for parent in parents:
            table = table[parent]
        if value is None:
            del table[key]
        else:
            table[key] = value
        files.write()

    return spoil


def written(name: str, data: bytes) -> Callable[[Files], None]:
    """Spoil a whole file."""

    def spoil(files: Files) -> None:
        files.write()
        (files.folder / name).write_bytes(data)

    return spoil


def other_members_key(files: Files) -> None:
    home = Path(files.config["keys"]["transport"]).parents[2]
    files.config["keys"] |= {
        "transport": str(home / "f-de" / "keys" / "transport.json"),
        "passphrase_file": str(home / "f-de" / "passphrase"),
    }
    files.write()


def data_in_the_way(files: Files) -> None:
    files.write()
    (files.folder / "data").write_text("a file where a folder belongs")


def twice(name: str, key: str) -> Callable[[Files], None]:
    """Two entries of genesis with the same value."""

    def spoil(files: Files) -> None:
        files.genesis[name][1][key] = files.genesis[name][0][key]
        files.write()

    return spoil


WRONG_TOML: dict[str, tuple[Callable[[Files], None], str, str]] = {
    "no TOML": (written("node.toml", b"[node\nname ="), "node.toml", "not TOML"),
    "no text": (written("node.toml", b"\xff\xfe\x00\x01"), "node.toml", "not TOML"),
    "empty": (written("node.toml", b""), "node.toml", "node.name"),
    "a key that is missing": (put("node.party", None), "node.toml", "node.party"),
    "a key that is misspelt": (put("api.lisden", "127.0.0.1:1"), "node.toml", "api.lisden"),
    "a number for a text": (put("network.listen", 7001), "node.toml", "network.listen"),
    "no port": (put("api.listen", "localhost"), "node.toml", "api.listen"),
    "out of range": (put("mempool", {"bytes_max": 1}), "node.toml", "mempool.bytes_max"),
    "no such role": (put("node.role", "leader"), "node.toml", "node.role"),
    "no such genesis": (put("node.genesis", "elsewhere.toml"), "node.toml", "node.genesis"),
    "another party's certificate": (other_members_key, "node.toml", "node.party"),
    "a key file that is none": (put("keys.transport", "genesis.toml"), "genesis.toml", "key"),
    "data that are no folder": (data_in_the_way, "data", ""),
    "genesis: no TOML": (written("genesis.toml", b"name = = 1"), "genesis.toml", "not TOML"),
    "genesis: no text": (written("genesis.toml", b"\xff\xfe\x00\x01"), "genesis.toml", "not"),
    "genesis: empty": (written("genesis.toml", b""), "genesis.toml", "format"),
    "genesis: another format": (put("genesis:format", "nemodat-genesis-v9"), "genesis.toml", "format"),
    "genesis: unknown key": (put("genesis:colour", "blue"), "genesis.toml", "colour"),
    "genesis: wrong type": (put("genesis:parameters.base_ms", "fast"), "genesis.toml", "parameters.base_ms"),
    "genesis: out of range": (put("genesis:parameters.base_ms", 1), "genesis.toml", "parameters.base_ms"),
    "genesis: no authorities": (put("genesis:authorities", []), "genesis.toml", "authorities"),
    "genesis: one key, two members": (
        twice("authorities", "consensus_key"),
        "genesis.toml",
        "authorities[1].consensus_key",
    ),
    "genesis: no certificate": (
        put("genesis:authorities.0.transport_certificate", "AAAA"),
        "genesis.toml",
        "authorities[0].transport_certificate",
    ),
    "genesis: wrong check digits": (
        put("genesis:parties.0.identifiers", ["lei:984500CNFACTOR000129"]),
        "genesis.toml",
        "parties[0].identifiers[0]",
    ),
    "genesis: a party that steers terminals": (
        put("genesis:authorities.0.party", "lei:\x1b[2J\nerror: all is well"),
        "genesis.toml",
        "authorities[0].party",
    ),
    "genesis: an authority that is none": (
        put("genesis:parties.0.roles", ["financier"]),
        "genesis.toml",
        "authorities[0].party",
    ),
}
RUN_ONLY = {"another party's certificate", "a key file that is none"}  # only a node that starts looks at its keys
REALLY_RUN = ("a key that is misspelt", "genesis: wrong type", *sorted(RUN_ONLY))


def check(files: Files, name: str, ended: Ended) -> None:
    _, file, key = WRONG_TOML[name]
    message = one_message(ended)
    assert message.startswith(f"{files.folder / file}: "), message
    assert key in message, message
    assert not (files.folder / "data").is_dir()


@pytest.mark.parametrize("name", sorted(set(WRONG_TOML) - RUN_ONLY))
def test_wrong_toml_is_told_by_file_and_key(devnet: Devnet, tmp_path: Path, name: str) -> None:
    files = files_of(devnet, tmp_path / "node")
    WRONG_TOML[name][0](files)
    check(files, name, inside(operators, "node", "check", files.config_path))


def test_a_node_does_not_start_with_it(devnet: Devnet, tmp_path: Path) -> None:
    spoilt = {name: files_of(devnet, tmp_path / str(number)) for number, name in enumerate(REALLY_RUN)}
    for name, files in spoilt.items():
        WRONG_TOML[name][0](files)
    with ThreadPoolExecutor(2) as threads:
        ends = list(threads.map(lambda files: nemodat("node", "run", files.config_path), spoilt.values()))
    for (name, files), ended in zip(spoilt.items(), ends, strict=True):
        check(files, name, ended)


texts = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(
    ['"', "=", "[", "[[", "\n", "nan", "{}", "#"]
)


@hard(60)
@given(place=st.integers(0, 2**16), cut=st.integers(0, 40), text=texts, which=st.sampled_from(["config", "genesis"]))
def test_any_change_of_a_text_is_harmless_or_told(
    devnet: Devnet, tmp_path_factory: pytest.TempPathFactory, place: int, cut: int, text: str, which: str
) -> None:
    files = files_of(devnet, tmp_path_factory.mktemp("edit") / "node")
    files.write()
    path = files.config_path if which == "config" else files.genesis_path
    before = path.read_text()
    at = place % len(before)
    path.write_text(before[:at] + text + before[at + cut :])
    if which == "genesis":
        ended = inside(operators, "genesis", "show", path)
        if ended.code == 0:
            assert "genesis id " in ended.out
            return
    else:
        files.genesis_path.write_text("no longer TOML")
        ended = inside(operators, "node", "check", path)
    assert one_message(ended).startswith(str(files.folder)), ended


def test_participants_hear_which_file_is_wrong(tmp_path: Path) -> None:
    wrong = tmp_path / "genesis.toml"
    invoice, key = tmp_path / "invoice.xml", tmp_path / "key.json"
    invoice.write_bytes(ubl())
    key.write_text("no key")
    for text in ('name = "a"', "name = = 1", "[/bold]", ""):
        wrong.write_text(text)
        ended = inside(participants, *register(invoice, genesis=wrong, key=key))
        assert one_message(Ended(ended.code, "", ended.err)).startswith(f"{wrong}: "), ended
