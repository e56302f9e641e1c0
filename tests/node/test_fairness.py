"""Nobody holds more than is left free, and sources take turns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from node.fairness import FairQueue, Room


def filled(room: Room, name: str) -> int:
    """Take by ones until no more fits; what it holds then."""
    while room.fits(name, 1):
        room.take(name, 1)
    return room.held(name)


def test_each_of_k_who_want_all_gets_its_part_and_as_much_is_left() -> None:
    room = Room(most=120, each_max=120)
    assert filled(room, "one") == 60
    assert filled(room, "two") == 30, "half of what the first has left"
    room.give_back("one", 60)
    assert filled(room, "one") == 45
    assert not room.is_full(1)


def test_no_one_holds_more_than_its_own_bound() -> None:
    room = Room(most=100, each_max=10)
    assert filled(room, "one") == 10
    assert filled(room, "two") == 10


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(1, 40), st.booleans()), max_size=60))
def test_what_is_taken_fits_and_something_is_left_for_who_comes_next(steps: list[tuple[str, int, bool]]) -> None:
    room = Room(most=100, each_max=80)
    model = dict.fromkeys("abcde", 0)
    for name, size, takes in steps:
        if takes and room.fits(name, size):
            room.take(name, size)
            model[name] += size
            assert model[name] <= 100 - sum(model.values()), "no more than is left free"
        elif not takes and model[name] >= size:
            room.give_back(name, size)
            model[name] -= size
        assert room.total == sum(model.values()) < 100
        assert {each: room.held(each) for each in model} == model
        assert room.is_full(size) == (not room.fits("a newcomer", size))


@given(st.lists(st.sampled_from("abc"), max_size=40))
def test_an_item_waits_for_one_of_every_other_source_at_most(sources: list[str]) -> None:
    queue: FairQueue[tuple[str, int]] = FairQueue()
    for number, source in enumerate(sources):
        queue.put(source, (source, number))
    left = [queue.take() for _ in range(len(queue))]
    assert sorted(number for _, number in left) == list(range(len(sources)))
    for source in "abc":
        places = [place for place, item in enumerate(left) if item[0] == source]
        assert [left[place] for place in places] == sorted(item for item in left if item[0] == source), "in order"
        for before, after in zip([-1, *places], places, strict=False):
            between = [item[0] for item in left[before + 1 : after]]
            assert len(between) == len(set(between)), "each other source once"


def test_a_flood_of_one_source_delays_another_by_one_item() -> None:
    queue: FairQueue[str] = FairQueue()
    for _ in range(1_000):
        queue.put("flood", "noise")
    queue.put("member", "mine")
    assert [queue.take() for _ in range(3)] == ["noise", "mine", "noise"]
    assert len(queue) == 998
