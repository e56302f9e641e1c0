"""Every engine passes the same tests: order, atomicity, snapshots, durability, damage, one process per folder."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from node.errors import StoreDamaged, StoreError, StoreLocked
from node.store import KEY_SIZE_MAX, VALUE_SIZE_MAX, MemoryStore, Store, open_store
from node.store.gate import ReaderGate
from node.store.lmdb import LmdbStore
from node.store.protocol import key_range

DISK_ENGINES = ["lmdb"]
try:
    import plyvel  # noqa: F401

    DISK_ENGINES.insert(0, "leveldb")
except ImportError:  # pragma: no cover - a machine without LevelDB
    pass
ENGINES = [*DISK_ENGINES, "memory"]


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "data", request.param)
    yield opened
    opened.close()


def keys(store: Store, prefix: bytes = b"", **arguments: object) -> list[bytes]:
    return [key for key, _ in store.scan(prefix, **arguments)]  # type: ignore[arg-type]


def test_what_is_written_is_read_and_what_is_deleted_is_gone(store: Store) -> None:
    store.write({b"a": b"1", b"b": b"", b"c": b"3"}, sync=True)
    assert (store.get(b"a"), store.get(b"b"), store.get(b"x")) == (b"1", b"", None)
    store.write({b"a": None, b"never there": None, b"c": b"4"}, sync=False)
    assert (store.get(b"a"), store.get(b"c")) == (None, b"4")
    assert list(store.scan(b"")) == [(b"b", b""), (b"c", b"4")]


def test_a_scan_is_ordered_bounded_by_its_prefix_and_begins_where_told(store: Store) -> None:
    names = [b"a", b"p", b"p\x00", b"p\x01", b"p\xff", b"p\xff\xff", b"q", b"\xff", b"\xff\xff"]
    store.write({name: name for name in reversed(names)}, sync=False)
    under_p = [b"p", b"p\x00", b"p\x01", b"p\xff", b"p\xff\xff"]
    assert keys(store) == sorted(names)
    assert keys(store, reverse=True) == sorted(names, reverse=True)
    assert keys(store, b"p") == under_p
    assert keys(store, b"p", reverse=True) == under_p[::-1]
    assert keys(store, b"\xff") == [b"\xff", b"\xff\xff"]
    assert keys(store, b"\xff", reverse=True) == [b"\xff\xff", b"\xff"]
    assert keys(store, b"p", start=b"p\x01") == [b"p\x01", b"p\xff", b"p\xff\xff"]
    assert keys(store, b"p", start=b"p\x02") == [b"p\xff", b"p\xff\xff"]
    assert keys(store, b"p", start=b"a") == under_p
    assert keys(store, b"p", start=b"z") == []
    assert keys(store, b"p", reverse=True, start=b"p\x01") == [b"p\x01", b"p\x00", b"p"]
    assert keys(store, b"p", reverse=True, start=b"z") == under_p[::-1]
    assert keys(store, b"p", reverse=True, start=b"a") == []
    assert keys(store, b"nothing") == keys(store, b"nothing", reverse=True) == []


def test_a_snapshot_does_not_move_while_the_store_is_written(store: Store) -> None:
    store.write({b"k%02d" % number: b"old" for number in range(10)}, sync=False)
    with store.snapshot() as before:
        store.write({b"k00": None, b"k05": b"new", b"k99": b"new"}, sync=True)
        with store.snapshot() as after:
            assert before.get(b"k00") == b"old"
            assert before.get(b"k99") is None
            assert [value for _, value in before.scan(b"k")] == [b"old"] * 10
            assert [key for key, _ in before.scan(b"k", reverse=True)][-1] == b"k00"
            assert after.get(b"k00") is None
            assert after.get(b"k05") == store.get(b"k05") == b"new"


def test_a_scan_under_way_does_not_see_later_writes(store: Store) -> None:
    store.write({b"a": b"1", b"c": b"1"}, sync=False)
    under_way = store.scan(b"")
    assert next(under_way) == (b"a", b"1")
    store.write({b"b": b"2", b"c": b"2"}, sync=False)
    assert list(under_way) == [(b"c", b"1")]


def test_a_refused_batch_changes_nothing(store: Store) -> None:
    store.write({b"a": b"1"}, sync=True)
    too_long = b"k" * (KEY_SIZE_MAX + 1)
    for batch in ({b"a": b"2", b"": b"x"}, {b"a": b"2", too_long: b"x"}, {b"a": b"2", b"b": bytes(VALUE_SIZE_MAX + 1)}):
        with pytest.raises(StoreError):
            store.write(batch, sync=True)
    assert list(store.scan(b"")) == [(b"a", b"1")]
    store.write({b"k" * KEY_SIZE_MAX: b"fits"}, sync=True)
    assert store.get(b"k" * KEY_SIZE_MAX) == b"fits"


def test_a_closed_store_only_raises(store: Store) -> None:
    store.write({b"a": b"1"}, sync=True)
    store.close()
    attempts: list[Callable[[], object]] = [
        lambda: store.get(b"a"),
        lambda: list(store.scan(b"")),
        lambda: store.write({b"a": b"2"}, sync=True),
        lambda: store.snapshot().__enter__(),
    ]
    for attempt in attempts:
        with pytest.raises(StoreError):
            attempt()


def test_other_threads_read_while_one_writes(store: Store) -> None:
    store.write({b"left": b"0", b"right": b"0"}, sync=False)
    stop = threading.Event()
    torn: list[tuple[bytes | None, bytes | None]] = []

    def read() -> None:
        while not stop.is_set():
            with store.snapshot() as reader:
                pair = (reader.get(b"left"), reader.get(b"right"))
            if pair[0] != pair[1]:
                torn.append(pair)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(200):
        store.write({b"left": b"%d" % number, b"right": b"%d" % number}, sync=False)
    stop.set()
    for reader in readers:
        reader.join()
    assert torn == []


_KEYS = st.binary(min_size=1, max_size=3)
_BATCHES = st.lists(st.dictionaries(_KEYS, st.none() | st.binary(max_size=4), max_size=6), max_size=6)


@pytest.mark.parametrize("engine", DISK_ENGINES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=_BATCHES, prefix=st.binary(max_size=2), start=st.none() | _KEYS)
@example(batches=[{b"a": b""}], prefix=b"a", start=None)  # the one key of the range is its lower bound
def test_every_engine_agrees_with_a_plain_map(
    tmp_path_factory: pytest.TempPathFactory,
    engine: str,
    batches: list[dict[bytes, bytes | None]],
    prefix: bytes,
    start: bytes | None,
) -> None:
    store = open_store(tmp_path_factory.mktemp("agrees"), engine)
    model = MemoryStore()
    for batch in batches:
        store.write(batch, sync=False)
        model.write(batch, sync=False)
    for reverse in (False, True):
        expected = list(model.scan(prefix, reverse=reverse, start=start))
        assert list(store.scan(prefix, reverse=reverse, start=start)) == expected
    store.close()


@given(key=_KEYS, prefix=st.binary(max_size=2), start=st.none() | _KEYS)
def test_the_range_of_a_scan_is_what_its_description_says(key: bytes, prefix: bytes, start: bytes | None) -> None:
    for reverse in (False, True):
        first, end = key_range(prefix, reverse=reverse, start=start)
        wanted = key.startswith(prefix) and (start is None or (key <= start if reverse else key >= start))
        assert (first <= key and (end is None or key < end)) == wanted


_WRITER = """
import sys
from pathlib import Path
from node.store import open_store
store = open_store(Path(sys.argv[1]), sys.argv[2])
number = 0
while True:
    number += 1
    store.write({b"last": b"%d" % number, b"n%08d" % number: bytes(2000), b"n%08d" % (number - 3): None}, sync=True)
    print(number, flush=True)
"""


@pytest.mark.parametrize("engine", DISK_ENGINES)
def test_what_was_written_synced_survives_sigkill(engine: str, tmp_path: Path) -> None:
    promised = 0
    for kills in (1, 2):
        process = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path), engine], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for line in process.stdout:
            promised = int(line)
            if promised >= 40 * kills:
                break
        process.send_signal(signal.SIGKILL)
        promised = max([promised, *(int(line) for line in process.stdout)])
        process.wait()
        process.stdout.close()
        store = open_store(tmp_path)
        last = int(store.get(b"last") or b"0")
        assert last in (promised, promised + 1)
        assert keys(store, b"n") == [b"n%08d" % number for number in range(last - 2, last + 1)]
        store.close()


@pytest.mark.parametrize("engine", DISK_ENGINES)
def test_one_folder_has_one_process(engine: str, tmp_path: Path) -> None:
    store = open_store(tmp_path, engine)
    with pytest.raises(StoreLocked, match=r"in use by process \d+.*stop that node"):
        open_store(tmp_path, engine)
    attempt = f"from pathlib import Path; from node.store import open_store; open_store(Path({str(tmp_path)!r}))"
    other = subprocess.run([sys.executable, "-c", attempt], capture_output=True, text=True, check=False)
    assert other.returncode != 0
    assert "StoreLocked" in other.stderr
    store.close()
    open_store(tmp_path, engine).close()


def test_a_folder_stays_with_the_engine_that_wrote_it(tmp_path: Path) -> None:
    store = open_store(tmp_path, "lmdb")
    store.write({b"vote": b"cast"}, sync=True)
    store.close()
    with pytest.raises(StoreError, match="was written by lmdb"):
        open_store(tmp_path, "leveldb")
    again = open_store(tmp_path, "auto")
    assert (again.engine, again.get(b"vote")) == ("lmdb", b"cast")
    again.close()
    (tmp_path / "engine").write_text("rocksdb\n")
    with pytest.raises(StoreError, match="rocksdb"):
        open_store(tmp_path)


def test_an_unknown_engine_and_an_unusable_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="one of auto, leveldb, lmdb, memory"):
        open_store(tmp_path, "sqlite")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="data_dir"):
        open_store(tmp_path / "file" / "data")


@pytest.mark.skipif("leveldb" not in DISK_ENGINES, reason="plyvel is not installed")
@pytest.mark.parametrize("victim", ["table", "manifest", "current"])
def test_a_damaged_leveldb_is_an_error_and_never_repaired(victim: str, tmp_path: Path) -> None:
    from node.store.leveldb import WRITE_BUFFER_BYTES

    store = open_store(tmp_path, "leveldb")
    for number in range(4):  # more than one write buffer, so that a table is written
        store.write({b"%d/%d" % (number, part): bytes([part]) * 2**20 for part in range(10)}, sync=True)
    assert WRITE_BUFFER_BYTES < 4 * 10 * 2**20
    store.close()
    open_store(tmp_path).close()
    folder = tmp_path / "leveldb"
    if victim == "current":
        (folder / "CURRENT").write_bytes(b"MANIFEST-999999\n")
    else:
        for file in folder.glob("*.ldb" if victim == "table" else "MANIFEST-*"):
            damaged = bytearray(file.read_bytes())
            damaged[10:200] = b"damage" * 30
            file.write_bytes(damaged)
    before = sorted(path.name for path in folder.glob("*.ldb"))
    with pytest.raises(StoreError, match=r"LevelDB.*(not repaired|check)"):  # noqa: PT012
        broken = open_store(tmp_path)
        try:
            assert all(len(value) == 2**20 for _, value in broken.scan(b""))
        finally:
            broken.close()
    assert sorted(path.name for path in folder.glob("*.ldb")) == before


def test_a_damaged_lmdb_is_an_error(tmp_path: Path) -> None:
    open_store(tmp_path, "lmdb").close()
    (tmp_path / "lmdb" / "data.mdb").write_bytes(b"not a database" * 1000)
    with pytest.raises(StoreDamaged, match="not repaired"):
        open_store(tmp_path)


def test_lmdb_grows_when_it_is_full_and_no_reader_is_inside(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path / "small", map_bytes=64 * 1024)
    for number in range(20):
        store.write({b"%d/%d" % (number, part): bytes(10_000) for part in range(5)}, sync=True)
    assert len(list(store.scan(b""))) == 100

    inside, leave = threading.Event(), threading.Event()

    def read() -> None:
        with store.snapshot() as reader:
            inside.set()
            leave.wait()
            assert reader.get(b"0/0") == bytes(10_000)

    thread = threading.Thread(target=read)
    thread.start()
    inside.wait()
    threading.Timer(0.05, leave.set).start()
    store.write({b"big": bytes(8 * 1024 * 1024)}, sync=True)
    thread.join()
    assert store.get(b"big") == bytes(8 * 1024 * 1024)
    store.close()


def test_a_reader_that_stays_inside_is_an_error_for_who_waits() -> None:
    gate = ReaderGate(wait_s=0.01)
    with gate.reading(), pytest.raises(StoreError, match="1 readers"), gate.alone():
        pass
    gate.close()
    with pytest.raises(StoreError, match="closed"), gate.reading():
        pass


@pytest.mark.skipif("leveldb" not in DISK_ENGINES, reason="plyvel is not installed")
def test_a_write_that_does_not_fit_says_what_to_do_and_is_tried_once(tmp_path: Path) -> None:
    """A process whose files may not grow stands for a full disk."""
    script = """
import resource, sys
from pathlib import Path
from node.errors import StoreError
from node.store import open_store
store = open_store(Path(sys.argv[1]), "leveldb")
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    store.write({b"large": bytes(200_000)}, sync=True)
except StoreError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "check free space" in done.stdout
    again = open_store(tmp_path, "leveldb")
    assert again.get(b"large") is None
    again.close()
