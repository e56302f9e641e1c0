"""Backups: what is restored is what was copied but for the votes; what is damaged in any way is not restored."""

from __future__ import annotations

import errno
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.journal import Standing, recover, standings_in
from node import operating, process
from node.backup import Head, backup_frames, restore
from node.chain import Chain
from node.config import NodeConfig, load_config
from node.devnet import Member, create
from node.errors import BackupError, NodeError, StoreError, StoreLocked
from node.genesis import read_genesis
from node.keystore import KDF_TEST, generate_key, read_public, save_key
from node.layout import CONSENSUS
from node.operating import back_up, reset_node
from node.process import run_node
from node.store import MemoryStore, open_store
from tests.node.chainworld import commit, registration
from tests.registry.world import START_MS, genesis, key_of, party_of

VOTER = key_of("consensus F_CN").public_key
MADE_MS = START_MS + 1


@cache
def stored() -> MemoryStore:
    """A node's store with two blocks, and votes of the third height."""
    store = MemoryStore()
    chain = Chain.open(store, genesis())
    commit(chain, registration(1), registration(2))
    commit(chain, registration(3))
    store.write({CONSENSUS + b"vote/": b"cast"}, sync=True)
    return store


@cache
def backed_up() -> bytes:
    with stored().snapshot() as reader:
        return b"".join(backup_frames(reader, made_ms=MADE_MS))


def restored(data: bytes, *, voted_with: tuple[bytes, ...] = ()) -> tuple[MemoryStore, Head]:
    store = MemoryStore()
    return store, restore(BytesIO(data), store, genesis(), voted_with=voted_with, progress=lambda _: None)


def test_what_is_restored_is_what_was_copied_without_the_votes() -> None:
    store, head = restored(backed_up())
    assert dict(store.scan(b"")) == {key: value for key, value in stored().scan(b"") if not key.startswith(CONSENSUS)}
    assert (head.height, head.made_ms) == (2, MADE_MS)
    chain = Chain.open(store, genesis())
    assert chain.tip.block_hash == head.block_hash
    commit(chain, registration(4))


def test_the_key_that_voted_never_votes_again() -> None:
    store, _ = restored(backed_up(), voted_with=(VOTER,))
    chain = Chain.open(store, genesis())
    record = {key[len(CONSENSUS) :]: value for key, value in store.scan(CONSENSUS)}
    recover(record, height=3, genesis_id=genesis().id, authorities=chain.authorities, public_key=VOTER)
    assert standings_in(record) == {VOTER: Standing.BURNT}


@given(st.integers(0, 10**9))
def test_a_backup_cut_short_anywhere_is_refused(cut: int) -> None:
    data = backed_up()
    with pytest.raises(BackupError):
        restored(data[: cut % len(data)])


@given(st.integers(0, 10**9), st.integers(1, 255))
def test_a_backup_with_one_byte_changed_is_refused(place: int, change: int) -> None:
    data = bytearray(backed_up())
    data[place % len(data)] ^= change
    with pytest.raises(NodeError):
        restored(bytes(data))


def test_a_backup_of_another_network_is_refused() -> None:
    another = replace(genesis(), name="another")
    with pytest.raises(BackupError, match="network"):
        restore(BytesIO(backed_up()), MemoryStore(), another, voted_with=(), progress=lambda _: None)


def test_before_the_first_start_there_is_nothing_to_copy() -> None:
    with pytest.raises(BackupError, match="no chain"):
        next(backup_frames(MemoryStore(), made_ms=MADE_MS))


def test_a_node_that_begins_again_keeps_what_it_had_aside_and_votes_with_none_of_its_keys(tmp_path: Path) -> None:
    config = reset_config(tmp_path)
    keys = [read_public(file, kind="consensus") for file in (config.keys.consensus, config.keys.next_consensus) if file]
    with pytest.raises(StoreLocked):
        reset_while_it_runs(config)
    (config.data_dir / "engine").write_text("damaged")
    aside = reset_node(config)
    assert aside == config.data_dir.with_name("data.damaged-1")
    assert (aside / "engine").read_text() == "damaged"
    store = open_store(config.data_dir)
    record = {key[len(CONSENSUS) :]: value for key, value in store.scan(CONSENSUS)}
    assert standings_in(record) == dict.fromkeys(keys, Standing.BURNT)
    assert Chain.open(store, read_genesis(config.genesis)).tip.height == 0
    store.close()
    assert reset_node(config) == config.data_dir.with_name("data.damaged-2")


@pytest.mark.parametrize("made_again", [False, True])
def test_a_reset_that_was_cut_off_between_its_renames_is_not_taken_for_a_new_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_again: bool
) -> None:
    """An empty folder, as systemd or a volume makes it, would know nothing of the keys that must not vote again."""
    config = reset_config(tmp_path)

    def cut_off(folder: Path) -> NoReturn:
        set_aside(folder)
        fill_the_disk()

    set_aside = operating._set_aside
    with monkeypatch.context() as patched:
        patched.setattr(operating, "_set_aside", cut_off)
        with pytest.raises(StoreError, match="No space left"):
            reset_node(config)
    assert not config.data_dir.exists()
    if made_again:
        config.data_dir.mkdir()
    monkeypatch.setattr(process, "configure_logs", lambda **_: None)
    for use in (
        lambda: open_store(config.data_dir),
        lambda: back_up(config, tmp_path / "ledger.backup", lambda _: None),
        lambda: run_node(config, config.passphrase()),
    ):
        with pytest.raises(StoreError, match="a reset was cut off: run `nemodat node reset` again"):
            use()
    assert config.data_dir.exists() is made_again
    with monkeypatch.context() as patched:  # and once more before them
        patched.setattr(operating, "burn", lambda *_, **__: fill_the_disk())
        with pytest.raises(StoreError, match="No space left"):
            reset_node(config)
    with pytest.raises(StoreError, match="a reset was cut off"):
        open_store(config.data_dir)
    assert (reset_node(config) is not None) is made_again
    store = open_store(config.data_dir)
    record = {key[len(CONSENSUS) :]: value for key, value in store.scan(CONSENSUS)}
    assert set(standings_in(record).values()) == {Standing.BURNT}
    store.close()


def fill_the_disk() -> NoReturn:
    raise OSError(errno.ENOSPC, "No space left on device")


def reset_config(folder: Path) -> NodeConfig:
    """An authority of a local network that has a store, and a next key."""
    party = party_of("EXP_CN", "lei:984500TJEXPORT000197", "CN", ("authority",))
    net = create(folder, members=[Member(name="one", party=party, role="authority")])
    net.close()
    config = load_config(net.config_path("one"))
    second = config.file.parent / "keys" / "second.json"
    save_key(second, generate_key("consensus"), config.passphrase(), cost=KDF_TEST)
    open_store(config.data_dir).close()
    return replace(config, keys=replace(config.keys, next_consensus=second))


def reset_while_it_runs(config: NodeConfig) -> None:
    store = open_store(config.data_dir)
    try:
        reset_node(config)
    finally:
        store.close()
