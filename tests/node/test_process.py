"""A node that cannot start says what to change, at once, and leaves its folder to the next attempt."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from node import process
from node.chain import Chain
from node.config import NodeConfig, load_config
from node.devnet import Member, create
from node.errors import ConfigError
from node.process import EXIT_OK, run_node
from node.store import open_store
from tests.conftest import PATIENCE_S
from tests.node.chainworld import commit, registration
from tests.registry.world import genesis, party_of


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NodeConfig:
    """A node that has a ledger with a block, so that it holds a snapshot of its store from its start on."""
    party = party_of("EXP_CN", "lei:984500TJEXPORT000197", "CN", ("authority",))
    net = create(tmp_path, members=[Member(name="one", party=party, role="authority")])
    net.close()
    made = load_config(net.config_path("one"))
    store = open_store(made.data_dir)
    commit(Chain.open(store, genesis()), registration(1))
    store.close()
    monkeypatch.setattr(process, "read_genesis", lambda _: genesis())
    monkeypatch.setattr(process, "configure_logs", lambda **_: None)  # those of this process stay, and so its collector
    monkeypatch.setattr(process, "COLLECTOR", gc.get_threshold())
    return made


def test_a_port_that_is_taken_is_named(config: NodeConfig) -> None:
    host, _, port = config.network.listen.rpartition(":")
    with socket.create_server((host, int(port))), pytest.raises(OSError, match=f"in use.*{port}"):
        run_node(config, config.passphrase())
    open_store(config.data_dir).close()


def test_a_token_that_can_be_guessed_is_named(config: NodeConfig, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("short\n")
    token.chmod(0o600)
    guessed = replace(config, api=replace(config.api, operator_token_file=token))
    with pytest.raises(ConfigError, match="can be guessed"):
        run_node(guessed, config.passphrase())
    open_store(config.data_dir).close()


@pytest.mark.parametrize("turns", range(4))
def test_a_signal_to_stop_is_heard_whenever_it_comes(
    config: NodeConfig, monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    """Above all in the turn of the loop in which the state that a new node begins with is whole."""
    unheard: list[bool] = []

    def again() -> None:
        unheard.append(True)
        signal.raise_signal(signal.SIGTERM)

    async def joined(**_: object) -> None:
        signal.raise_signal(signal.SIGTERM)
        asyncio.get_running_loop().call_later(PATIENCE_S, again)
        for _ in range(turns):
            await asyncio.sleep(0)

    monkeypatch.setattr(process, "is_new", lambda _: True)
    monkeypatch.setattr(process, "join", joined)
    assert run_node(config, config.passphrase()) == EXIT_OK
    assert not unheard
