"""Certificates handed out are kept, the newest of them, however many there are."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node import layout
from node.issued import Issued
from node.store import MemoryStore, Store, open_store
from node.views import open_view
from registry.codec import encode


def certificate(number: int, size: int = 0) -> dict[str, object]:
    return {"number": f"{number:032x}", "purpose": "x" * size}


def kept(store: Store) -> list[int]:
    """The numbers in the store, oldest first; nothing else may be there."""
    keys = [key for key, _ in store.scan(layout.CERTIFICATE)]
    order = [value for key, value in store.scan(layout.CERTIFICATE + b"order/")]
    numbers = [layout.read_list(value, "entry", 2)[0] for value in order]
    assert len(keys) == 2 * len(numbers) + bool(keys)
    assert all(store.get(layout.CERTIFICATE + number) is not None for number in numbers)
    return [int(number, 16) for number in numbers]


def test_the_oldest_give_way_to_the_newest() -> None:
    store = MemoryStore()
    issued = Issued(store, count_max=3)
    for number in range(5):
        issued.keep(certificate(number))
    assert kept(store) == [2, 3, 4]


def test_what_is_kept_already_stays_where_it_is() -> None:
    store = MemoryStore()
    issued = Issued(store, count_max=3)
    for number in (1, 2, 1, 1, 3):
        issued.keep(certificate(number))
    assert kept(store) == [1, 2, 3]


@given(st.lists(st.integers(0, 400), max_size=30))
def test_no_more_bytes_than_allowed_are_kept_but_always_the_newest(sizes: list[int]) -> None:
    store = MemoryStore()
    for number, size in enumerate(sizes):
        Issued(store, bytes_max=1000).keep(certificate(number, size))  # as after a restart each time
        numbers = kept(store)
        assert numbers == list(range(numbers[0], number + 1))
        held = sum(len(store.get(layout.CERTIFICATE + b"%032x" % each) or b"") for each in numbers)
        assert held <= 1000


@pytest.mark.parametrize("engine", ["leveldb", "lmdb"])
def test_a_kept_one_is_found_by_a_view_of_a_store_on_disk(engine: str, tmp_path: Path) -> None:
    store = open_store(tmp_path / "store", engine)
    try:
        store.write({layout.TIP_KEY: encode([0, []])}, sync=True)
        issued = Issued(store, count_max=2)
        for number in range(3):
            issued.keep(certificate(number, 10))
        with store.snapshot() as reader:
            assert open_view(reader).issued_certificate(f"{2:032x}") == certificate(2, 10)
        assert kept(store) == [1, 2]
    finally:
        store.close()
