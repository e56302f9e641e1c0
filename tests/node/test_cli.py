"""The operator's commands as a person meets them: the ceremony from keys to a node's configuration, and its errors."""

from __future__ import annotations

import stat
from functools import partial
from pathlib import Path

import pytest

from node import cli, keystore
from node.cli import app
from node.config import load_config
from node.genesis import init_node, new_party, read_card, read_genesis
from node.keystore import KDF_TEST
from registry.cards import admission_of, seat_of
from registry.keys import key_id
from tests.commands import Result, invoke

LEIS = ("lei:984500DEBANK00000124", "lei:984500SGBANK00000120")
PASSPHRASE = "correct horse battery"


@pytest.fixture(autouse=True)
def passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the commands find it; and keys that are cheap to guess at, for quick tests."""
    monkeypatch.setenv("NEMODAT_PASSPHRASE", PASSPHRASE)
    monkeypatch.setattr(cli, "init_node", partial(init_node, cost=KDF_TEST))
    monkeypatch.setattr(cli, "new_party", partial(new_party, cost=KDF_TEST))


def nemodat(*arguments: object) -> Result:
    return invoke(app, arguments)


def init(folder: Path, party: str, *more: object, port: int = 7001) -> Result:
    return nemodat(
        "node", "init", folder, "--name", folder.name, "--party", party, "--party-name", "A bank", "--country", "DE",
        "--address", f"localhost:{port}", "--party-role", "financier", *more,
    )  # fmt: skip


def join(genesis: Path, folder: Path, *more: object) -> Result:
    return nemodat("node", "join", genesis, "--folder", folder, "--name", folder.name, *more)


def test_from_keys_to_a_configuration(tmp_path: Path) -> None:
    bank, regulator, genesis = tmp_path / "bank", tmp_path / "regulator", tmp_path / "genesis.toml"
    assert init(bank, LEIS[0]).exit_code == 0
    assert init(regulator, LEIS[1], "--role", "observer", "--party-role", "regulator", port=7002).exit_code == 0
    made = nemodat("genesis", "create", bank / "card.toml", regulator / "card.toml", "--name", "Two", "--out", genesis)
    assert made.exit_code == 0, made.output
    assert stat.S_IMODE(genesis.stat().st_mode) == 0o600, "it holds the key of the fingerprints"
    id_ = read_genesis(genesis).id.hex()
    assert id_ in made.output
    assert id_ in nemodat("genesis", "show", genesis).output
    for folder, role in ((bank, "authority"), (regulator, "observer")):
        done = join(genesis, folder)
        assert done.exit_code == 0, done.output
        config = load_config(folder / "node.toml")
        assert (config.role, config.name) == (role, folder.name)
    early = nemodat("node", "check", bank / "node.toml")
    assert early.exit_code == 1
    assert "no chain yet" in early.stderr


def test_no_secret_is_shown(tmp_path: Path) -> None:
    done = init(tmp_path / "bank", LEIS[0])
    card = (tmp_path / "bank" / "card.toml").read_text()
    for kind in ("sign", "owner", "consensus", "transport"):
        secret = keystore.load_key(tmp_path / "bank" / "keys" / f"{kind}.json", PASSPHRASE.encode(), kind=kind).secret
        assert secret.hex() not in card + done.output
    assert PASSPHRASE not in done.output


def test_errors_are_one_line_and_leave_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bank = tmp_path / "bank"
    wrong = init(bank, LEIS[0].replace("124", "125"))
    assert (wrong.exit_code, wrong.stderr.count("\n")) == (1, 1)
    assert "check digits" in wrong.stderr
    assert not bank.exists()
    assert init(bank, LEIS[0]).exit_code == 0
    again = init(bank, LEIS[0])
    assert again.exit_code == 1
    assert "card.toml: exists already" in again.stderr
    (bank / "card.toml").unlink()
    again = init(bank, LEIS[0])
    assert again.exit_code == 1
    assert "never overwritten" in again.stderr, "a node's keys are its own"
    monkeypatch.delenv("NEMODAT_PASSPHRASE")
    unasked = init(tmp_path / "other", LEIS[1])
    assert unasked.exit_code == 1
    assert "passphrase" in unasked.stderr


def test_a_newcomer_has_a_card_with_proofs_for_the_network_that_runs(tmp_path: Path) -> None:
    bank, fifth, genesis = tmp_path / "bank", tmp_path / "fifth", tmp_path / "genesis.toml"
    init(bank, LEIS[0])
    nemodat("genesis", "create", bank / "card.toml", "--name", "One", "--out", genesis)
    network = read_genesis(genesis).id
    assert "64 hexadecimal digits" in init(fifth, LEIS[1], "--network", "9f").stderr
    assert not fifth.exists()
    made = init(fifth, LEIS[1], "--network", network.hex())
    assert made.exit_code == 0, made.output
    card = read_card(fifth / "card.toml")
    assert card.node is not None
    assert key_id(card.node.consensus_key) in made.output
    assert admission_of(card, network).party.id == seat_of(card, network).party == LEIS[1]
    done = join(genesis, fifth)
    assert done.exit_code == 0, done.output
    assert load_config(fifth / "node.toml").role == "authority"
    for name in ("card.toml", "keys/transport.json", "keys/consensus.json"):
        (fifth / name).unlink()
    (fifth / "keys" / "owner.json").rename(tmp_path / "offline.json")
    away = init(fifth, LEIS[1], "--network", network.hex())
    assert (away.exit_code, "owner.json: is away" in away.stderr) == (1, True)
    assert not (fifth / "keys" / "owner.json").exists(), "another owner key would recover nothing"
    (tmp_path / "offline.json").rename(fifth / "keys" / "owner.json")
    assert init(fifth, LEIS[1], "--network", network.hex()).exit_code == 0
    assert read_card(fifth / "card.toml").party == card.party, "the party's own keys are kept"


def test_files_that_are_not_what_they_should_be(tmp_path: Path) -> None:
    bank, genesis = tmp_path / "bank", tmp_path / "genesis.toml"
    init(bank, LEIS[0])
    assert nemodat("genesis", "create", bank / "card.toml", "--name", "One", "--out", genesis).exit_code == 0
    stranger = tmp_path / "stranger"
    init(stranger, LEIS[1])
    refused = join(genesis, stranger)
    assert refused.exit_code == 1
    assert "not in the genesis file" in refused.stderr
    for path, command in ((bank / "card.toml", ("genesis", "show")), (genesis, ("genesis", "create"))):
        more = ("--name", "x", "--out", tmp_path / "x.toml") if command[1] == "create" else ()
        done = nemodat(*command, path, *more)
        assert done.exit_code == 1
        assert str(path) in done.stderr
        assert "Traceback" not in done.output
    missing = nemodat("node", "run", tmp_path / "none.toml")
    assert missing.exit_code == 2


def test_a_wrong_passphrase_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bank, genesis = tmp_path / "bank", tmp_path / "genesis.toml"
    init(bank, LEIS[0])
    nemodat("genesis", "create", bank / "card.toml", "--name", "One", "--out", genesis)
    join(genesis, bank)
    monkeypatch.setenv("NEMODAT_PASSPHRASE", "another one")
    done = nemodat("node", "run", bank / "node.toml")
    assert done.exit_code == 1
    assert "wrong passphrase" in done.stderr
    assert "another one" not in done.output
