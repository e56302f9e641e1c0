"""A store that has lost votes is noticed, even where LevelDB notices nothing; a crash or a power cut is no damage."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.errors import StoreDamaged
from node.guard import GUARD_NAME, VoteGuard
from node.layout import CONSENSUS
from node.store import MemoryStore, Store, open_store

VOTES = 20


def vote(store: Store, guard: VoteGuard, number: int) -> None:
    """What the runtime does with a `Persist`."""
    key, value = guard.put()
    store.write({key: value, CONSENSUS + b"vote %d" % number: bytes(200)}, sync=True)
    guard.written()


def voted(folder: Path, count: int = VOTES) -> None:
    store = open_store(folder, "leveldb")
    guard = VoteGuard(store, folder / GUARD_NAME)
    for number in range(count):
        vote(store, guard, number)
    guard.close()
    store.close()


def guarded(folder: Path) -> int:
    """Open store and guard, as a node does when it starts; how many writes of votes there have been."""
    store = open_store(folder, "leveldb")
    try:
        guard = VoteGuard(store, folder / GUARD_NAME)
        guard.close()
    finally:
        store.close()
    return written(guard)


def written(guard: VoteGuard) -> int:
    _, following = guard.put()
    return int.from_bytes(following, "big") - 1


def test_what_is_whole_goes_on(tmp_path: Path) -> None:
    for times in (1, 2, 3):
        voted(tmp_path)
        assert guarded(tmp_path) == times * VOTES


def test_a_log_that_lost_its_tail_is_noticed(tmp_path: Path) -> None:
    voted(tmp_path)
    (log,) = (tmp_path / "leveldb").glob("*.log")
    size = log.stat().st_size
    with log.open("r+b") as file:
        file.truncate(size // 2)
    assert size > VOTES * 200, "the votes are in the log"
    with pytest.raises(StoreDamaged, match="lost this node's last votes"):
        guarded(tmp_path)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(behind=st.integers(1, VOTES))
def test_a_file_that_a_power_cut_left_behind_is_no_damage(
    tmp_path_factory: pytest.TempPathFactory, behind: int
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    voted(folder, VOTES - behind)
    older = (folder / GUARD_NAME).read_bytes()
    voted(folder, behind)
    (folder / GUARD_NAME).write_bytes(older)
    assert guarded(folder) == VOTES


def test_a_new_file_is_on_the_disk_before_there_are_votes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a power cut soon after the first start leaves it empty, or without a name, beside a store with votes."""
    store = open_store(tmp_path, "leveldb")
    synced: list[os.stat_result] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor)))
    VoteGuard(store, tmp_path / GUARD_NAME).close()
    store.close()
    file, folder = synced
    assert (file.st_ino, folder.st_ino) == ((tmp_path / GUARD_NAME).stat().st_ino, tmp_path.stat().st_ino)
    assert file.st_size == (tmp_path / GUARD_NAME).stat().st_size > 0, "what is in it was synced, not an empty file"


def test_one_torn_slot_leaves_the_other(tmp_path: Path) -> None:
    voted(tmp_path)
    whole = (tmp_path / GUARD_NAME).read_bytes()
    (tmp_path / GUARD_NAME).write_bytes(bytes(8) + whole[8:])
    assert guarded(tmp_path) == VOTES


@pytest.mark.parametrize("data", [None, b"", b"\xff" * 32])
def test_a_store_with_votes_and_no_count_beside_it_is_not_trusted(tmp_path: Path, data: bytes | None) -> None:
    voted(tmp_path)
    (tmp_path / GUARD_NAME).unlink()
    if data is not None:
        (tmp_path / GUARD_NAME).write_bytes(data)
    with pytest.raises(StoreDamaged, match="copied in parts"):
        guarded(tmp_path)


def test_a_store_in_memory_needs_no_guard() -> None:
    store = MemoryStore()
    guard = VoteGuard(store, None)
    vote(store, guard, 1)
    guard.close()
    assert written(VoteGuard(store, None)) == 1
