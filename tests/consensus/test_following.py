"""The rules of `consensus.following`, with scripted peers: who is asked, who is believed, who is dropped."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consensus.blocks import Block
from consensus.errors import MessageError
from consensus.following import (
    ADDING_MAX,
    ARRIVED_BYTES_MAX,
    LACKING_MS,
    PATIENCE_MS,
    RANGES_AHEAD_MAX,
    SERVED_MAX,
    Add,
    Drop,
    Following,
    Grown,
    Heard,
    Joined,
    Kept,
    Lacking,
    Left,
    Missed,
    Progress,
    Say,
    Serve,
    Served,
    Woken,
)
from consensus.ranges import (
    RANGE_HEIGHTS_MAX,
    Ask,
    Blocks,
    RangeMessage,
    Tip,
    decode_range_message,
    encode_range_message,
    read_pair,
)
from consensus.sources import ANSWER_TIMEOUT_MS, PASS_OVER_MS
from registry.codec import encode
from tests.consensus.fixtures import GENESIS_ID, authorities_of
from tests.consensus.scripted_peers import EXECUTION_MS, Pairs, Peer, World, chain, honest

A, B, C, D = b"A", b"B", b"C", b"D"
LENGTH = 300


def asked(world: World) -> dict[bytes, list[tuple[int, int]]]:
    return {name: peer.asked for name, peer in world.peers.items()}


# --- who is asked for what ------------------------------------------------------------------------------------------


def test_several_peers_are_asked_for_different_ranges_at_once() -> None:
    pairs = chain(LENGTH)
    world = World({A: honest(pairs), B: honest(pairs), C: honest(pairs)})
    for _ in range(6):
        world.step_next()
    assert asked(world) == {A: [(1, 64)], B: [(65, 128)], C: [(129, 192)]}


def test_everything_is_fetched_in_order_and_execution_never_waits_for_the_network_after_the_start() -> None:
    pairs = chain(LENGTH)
    world = World({A: honest(pairs), B: honest(pairs)})
    took_ms = world.run(to=LENGTH)
    assert [pair.block.encode() for pair in world.added] == [block for block, _ in pairs]
    assert took_ms <= 30 + LENGTH * EXECUTION_MS + 1
    assert not world.dropped
    assert not world.missed


def test_nobody_is_asked_beyond_the_window_whatever_is_claimed() -> None:
    pairs = chain(LENGTH)
    world = World({A: honest(pairs), D: Peer(lambda first, last: None, (1, 2**53 - 1))})
    world.run(to=100)
    assert all(last <= 100 + RANGES_AHEAD_MAX * RANGE_HEIGHTS_MAX for _, last in world.peers[D].asked)


def test_a_peer_that_has_pruned_is_not_asked_for_what_it_does_not_have() -> None:
    pairs = chain(LENGTH)
    pruned = honest(pairs)
    pruned.claim = (150, LENGTH)
    world = World({A: pruned, B: honest(pairs)})
    world.run(to=LENGTH)
    assert pruned.asked
    assert min(first for first, _ in pruned.asked) >= 150
    assert not world.missed


def test_a_range_that_comes_in_parts_is_asked_for_on() -> None:
    pairs = chain(100)
    world = World({A: honest(pairs, most=7)})
    world.run(to=100)
    assert [first for first, _ in world.peers[A].asked][:3] == [1, 8, 15]
    assert not world.missed


def test_a_tip_that_was_reached_before_goes_on_from_there() -> None:
    pairs = chain(100)
    world = World({A: honest(pairs)}, height=60)
    world.run(to=100)
    assert world.peers[A].asked == [(61, 100)]


def test_blocks_that_wait_are_bounded_in_bytes() -> None:
    pairs = chain(40, body=1_000_000)
    first = Peer(lambda first, last: None, (1, 40))  # the lowest range does not come for a while
    world = World({A: first, B: honest(pairs, most=2), C: honest(pairs, most=2)})
    world.run(to=40)
    assert world.waiting_bytes_max <= ARRIVED_BYTES_MAX + 4 * 1_000_100


# --- who is believed ------------------------------------------------------------------------------------------------


def swapped(pairs: Pairs) -> Pairs:
    return tuple((block, pairs[(index + 1) % len(pairs)][1]) for index, (block, _) in enumerate(pairs))


def forged(pairs: Pairs) -> Pairs:
    """The right blocks, each with its own certificate that too few have signed."""
    thin = []
    for index, (block, _) in enumerate(pairs):
        decided = read_pair(pairs[index], _height_of(pairs[index]))
        certificate = decided.certificate
        value = [*certificate.to_value()[:4], bytes((0b11,)), list(certificate.signatures[:2])]
        thin.append((block, encode(value)))
    return tuple(thin)


def _height_of(pair: tuple[bytes, bytes]) -> int:
    return Block.decode(pair[0]).header.height


LIES: dict[str, Callable[[Pairs], Pairs]] = {
    "garbage": lambda pairs: ((b"x", b"y"),),
    "blocks in another order": lambda pairs: pairs[::-1],
    "certificates of other blocks": swapped,
    "certificates without a quorum": forged,
    "a damaged signature": lambda pairs: tuple((block, proof[:-1] + b"\x00") for block, proof in pairs),
    "a damaged block": lambda pairs: tuple((block[:-1] + b"\x00", proof) for block, proof in pairs),
    "blocks again and again": lambda pairs: pairs[:1] * 3,
}


@pytest.mark.parametrize("lie", LIES)
def test_a_liar_is_dropped_passed_over_and_nothing_of_it_is_kept(lie: str) -> None:
    pairs = chain(LENGTH)
    liar = Peer(lambda first, last: Blocks(first, LIES[lie](pairs[first - 1 : last])), (1, LENGTH))
    world = World({D: liar, A: honest(pairs)})
    took_ms = world.run(to=LENGTH)
    assert [pair.block.encode() for pair in world.added] == [block for block, _ in pairs]
    assert world.dropped[0][0] == D
    assert {peer for peer, _ in world.dropped} == {D}
    assert len(liar.asked) <= 1 + took_ms // PASS_OVER_MS, "connecting again is not a clean sheet"


def test_a_certificate_of_the_old_set_does_not_count_where_the_set_has_changed() -> None:
    pairs = chain(60, changes_at=30)
    retired = pairs[:30] + chain(60)[30:]  # the old set goes on signing as if it had not been replaced
    world = World({D: honest(retired), A: honest(pairs)}, changes_at=30)
    world.run(to=60)
    assert [pair.block.encode() for pair in world.added] == [block for block, _ in pairs]
    assert [peer for peer, reason in world.dropped if "names another set" in reason] == [D]


def test_blocks_are_handed_on_ahead_of_execution_but_not_past_a_change_of_the_set() -> None:
    pairs = chain(20, changes_at=2)
    core = Following(genesis_id=GENESIS_ID, height=0, authorities=authorities_of(4), lag=1)
    core.handle(Joined(A, True), now_ms=0)
    core.handle(Heard(A, Tip(1, 20)), now_ms=0)
    actions = core.handle(Heard(A, Blocks(1, pairs)), now_ms=1)
    assert [action.decided.height for action in actions if isinstance(action, Add)] == [1, 2]
    actions = core.handle(Grown(1, authorities_of(4)), now_ms=2)
    assert not [action for action in actions if isinstance(action, Add)]
    actions = core.handle(Grown(2, authorities_of(7)), now_ms=3)
    heights = [action.decided.height for action in actions if isinstance(action, Add)]
    assert heights == list(range(3, 3 + ADDING_MAX))


# --- who does not answer --------------------------------------------------------------------------------------------


def test_a_silent_peer_costs_one_timeout_and_is_then_passed_over_for_longer_each_time() -> None:
    pairs = chain(LENGTH)
    silent = Peer(lambda first, last: None, (1, LENGTH))
    world = World({D: silent, A: honest(pairs)})
    took_ms = world.run(to=LENGTH)
    assert D in world.missed
    assert took_ms <= ANSWER_TIMEOUT_MS + LENGTH * EXECUTION_MS + 200
    assert not world.dropped, "silence is no lie"


def test_a_peer_that_claims_much_and_has_nothing_is_passed_over() -> None:
    pairs = chain(LENGTH)
    boaster = Peer(lambda first, last: Blocks(first, ()), (1, 1_000_000))
    world = World({D: boaster, A: honest(pairs)})
    world.run(to=LENGTH)
    assert len(boaster.asked) <= 2


def test_where_everybody_is_slow_late_answers_count() -> None:
    pairs = chain(100)
    slow = ANSWER_TIMEOUT_MS * 3
    world = World({A: honest(pairs, delay_ms=slow), B: honest(pairs, delay_ms=slow)})
    world.run(to=100, limit_ms=120_000)
    assert world.missed


def test_a_late_answer_to_a_longer_question_is_taken_for_what_is_still_asked() -> None:
    """A slow honest peer is asked again, for less, because others have brought the rest meanwhile."""
    pairs = chain(100)
    core = Following(genesis_id=GENESIS_ID, height=0, authorities=authorities_of(4), lag=1)
    core.handle(Joined(A, False), now_ms=0)
    assert Say(A, Ask(1, 64)) in core.handle(Heard(A, Tip(1, 100)), now_ms=0)
    core.handle(Woken(), now_ms=ANSWER_TIMEOUT_MS)
    for peer, tip in ((B, Tip(1, 10)), (C, Tip(11, 100))):
        core.handle(Joined(peer, False), now_ms=5_000)
        core.handle(Heard(peer, tip), now_ms=5_000)
    core.handle(Heard(C, Blocks(11, pairs[10:74])), now_ms=5_000)
    core.handle(Woken(), now_ms=9_000)
    assert Say(A, Ask(1, 10)) in core.handle(Woken(), now_ms=14_000)
    actions = core.handle(Heard(A, Blocks(1, pairs[:64])), now_ms=16_000)
    assert [action.decided.height for action in actions if isinstance(action, Add)] == [1, 2, 3, 4]
    assert not [action for action in actions if isinstance(action, Drop)]
    assert core.waiting_bytes == sum(len(block) for block, _ in pairs[4:74])


def test_a_peer_that_leaves_is_replaced_at_once() -> None:
    pairs = chain(64)
    world = World({A: Peer(lambda first, last: None, (1, 64)), B: honest(pairs)})
    world.peers[B].claim = (1, 0)
    for _ in range(4):
        world.step_next()
    world.step(Heard(B, Tip(1, 64)))
    assert asked(world) == {A: [(1, 64)], B: []}
    world.step(Left(A))
    assert asked(world)[B] == [(1, 64)]


# --- what nobody keeps ----------------------------------------------------------------------------------------------


def lacking(core: Following, *, until_ms: int, from_ms: int = 0) -> list[int]:
    """The heights that it says nobody keeps, woken each second."""
    actions = [each for now_ms in range(from_ms, until_ms + 1, 1_000) for each in core.handle(Woken(), now_ms=now_ms)]
    return [each.height for each in actions if isinstance(each, Lacking)]


def follower_of(tips: dict[bytes, Tip], *, height: int = 10) -> Following:
    core = Following(genesis_id=GENESIS_ID, height=height, authorities=authorities_of(4), lag=1)
    for peer, tip in tips.items():
        core.handle(Joined(peer, True), now_ms=0)
        core.handle(Heard(peer, tip), now_ms=0)
    return core


def test_where_nobody_keeps_the_next_block_it_is_said_once() -> None:
    core = follower_of(dict.fromkeys((A, B, C), Tip(500, 10_000)))
    assert core.lacking is None
    assert lacking(core, until_ms=3_600_000) == [11]
    assert core.lacking == 11
    core.handle(Left(A), now_ms=3_600_000)
    core.handle(Left(B), now_ms=3_600_000)
    assert core.lacking is None, "one alone may lie"
    for peer in (A, B):
        core.handle(Joined(peer, True), now_ms=3_600_000)
        core.handle(Heard(peer, Tip(600, 10_100)), now_ms=3_600_000)
    assert lacking(core, from_ms=3_601_000, until_ms=4_000_000) == []
    assert core.lacking == 11


def test_a_newcomer_without_a_block_lacks_the_first_one_too() -> None:
    core = follower_of(dict.fromkeys((A, B, C), Tip(500, 10_000)), height=0)
    assert lacking(core, until_ms=LACKING_MS) == [1]


def test_nothing_is_lacking_where_somebody_has_it_or_comes_soon_who_has() -> None:
    core = follower_of(dict.fromkeys((A, B, C), Tip(500, 10_000)))
    assert lacking(core, until_ms=LACKING_MS - 1_000) == []
    core.handle(Joined(D, False), now_ms=LACKING_MS - 1)
    actions = core.handle(Heard(D, Tip(1, 10_000)), now_ms=LACKING_MS - 1)
    assert Say(D, Ask(11, 74)) in actions
    core.handle(Heard(D, Blocks(11, chain(74)[10:])), now_ms=LACKING_MS)
    assert lacking(core, from_ms=LACKING_MS, until_ms=LACKING_MS) == []
    assert core.lacking is None
    assert lacking(follower_of(dict.fromkeys((A, B, C), Tip(5, 10))), until_ms=100_000) == [], "nobody is ahead"


def test_who_says_that_it_has_the_block_and_never_sends_it_does_not_hide_that_it_is_lacking() -> None:
    core = follower_of({A: Tip(500, 10_000), B: Tip(500, 10_000), D: Tip(1, 10_000)})
    assert lacking(core, until_ms=600_000) == [11]


# --- telling and serving --------------------------------------------------------------------------------------------


def test_the_target_is_what_more_authorities_claim_than_may_lie() -> None:
    core = Following(genesis_id=GENESIS_ID, height=5, authorities=authorities_of(4), lag=1)
    assert core.progress() == Progress(5, 0)
    for peer, claim, target in ((B, 2**40, 0), (A, 40, 40), (C, 38, 40)):
        core.handle(Joined(peer, True), now_ms=0)
        core.handle(Heard(peer, Tip(1, claim)), now_ms=0)
        assert core.progress() == Progress(5, target), "one alone may lie"
    core.handle(Joined(D, False), now_ms=0)
    core.handle(Heard(D, Tip(1, 2**40)), now_ms=0)
    assert core.progress() == Progress(5, 40)
    assert core.claim(C) == 38
    assert core.claim(b"nobody") is None


def test_an_authority_leaves_the_last_heights_to_its_engine_for_a_while() -> None:
    core = Following(genesis_id=GENESIS_ID, height=0, authorities=authorities_of(4), lag=3)
    core.handle(Joined(A, True), now_ms=0)
    actions = core.handle(Heard(A, Tip(1, 2)), now_ms=0)
    assert not [action for action in actions if isinstance(action, Say) and isinstance(action.message, Ask)]
    actions = core.handle(Woken(), now_ms=PATIENCE_MS)
    assert Say(A, Ask(1, 2)) in actions


def test_a_block_that_the_engine_decided_is_not_asked_for_again() -> None:
    pairs = chain(10)
    core = Following(genesis_id=GENESIS_ID, height=0, authorities=authorities_of(4), lag=1)
    core.handle(Joined(A, True), now_ms=0)
    core.handle(Heard(A, Tip(1, 10)), now_ms=0)
    for height in (1, 2, 3):
        core.handle(Grown(height, authorities_of(4)), now_ms=1)
    actions = core.handle(Heard(A, Blocks(1, pairs)), now_ms=2)
    assert [action.decided.height for action in actions if isinstance(action, Add)] == [4, 5, 6, 7]


def test_observers_hear_of_each_block_and_authorities_now_and_then() -> None:
    core = Following(genesis_id=GENESIS_ID, height=0, authorities=authorities_of(4), lag=1)
    core.handle(Joined(A, True), now_ms=0)
    core.handle(Joined(D, False), now_ms=0)
    actions = core.handle(Grown(1, authorities_of(4)), now_ms=10)
    assert [action.peer for action in actions if isinstance(action, Say)] == [D]
    core.handle(Kept(1), now_ms=20)
    actions = core.handle(Woken(), now_ms=1_000)
    assert [action for action in actions if isinstance(action, Say)] == [Say(A, Tip(1, 1))]


def test_questions_are_served_a_few_at_a_time() -> None:
    core = Following(genesis_id=GENESIS_ID, height=90, authorities=authorities_of(4), lag=1)
    core.handle(Joined(A, True), now_ms=0)
    for _ in range(SERVED_MAX):
        actions = core.handle(Heard(A, Ask(1, 1_000)), now_ms=0)
        assert Serve(A, 1, RANGE_HEIGHTS_MAX) in actions
    core.handle(Served(A), now_ms=1)
    assert Serve(A, 2, 3) in core.handle(Heard(A, Ask(2, 3)), now_ms=1)
    assert not core.handle(Heard(A, Ask(2, 3)), now_ms=1)


def test_who_connects_again_is_not_owed_more_answers_than_before() -> None:
    core = Following(genesis_id=GENESIS_ID, height=90, authorities=authorities_of(4), lag=1)

    def served(*questions: Ask) -> int:
        actions = [action for each in questions for action in core.handle(Heard(A, each), now_ms=0)]
        return sum(isinstance(action, Serve) for action in actions)

    core.handle(Joined(A, True), now_ms=0)
    assert served(*[Ask(1, 9)] * 5) == SERVED_MAX
    core.handle(Left(A), now_ms=0)
    core.handle(Joined(A, True), now_ms=0)
    assert served(Ask(1, 9)) == 0, "they are still being read"
    for _ in range(SERVED_MAX):
        core.handle(Served(A), now_ms=0)
    assert served(*[Ask(1, 9)] * 5) == SERVED_MAX


# --- any mix of peers -----------------------------------------------------------------------------------------------

PROPERTY_LENGTH = 130


def _script(kind: str, pairs: Pairs) -> Callable[[int, int], RangeMessage | None]:
    return {
        "silent": lambda first, last: None,
        "empty": lambda first, last: Blocks(first, ()),
        "one by one": lambda first, last: Blocks(first, pairs[first - 1 : first]),
        "another range": lambda first, last: Blocks(first + 1, pairs[first : last + 1]),
        **{
            name: (lambda first, last, lie=lie: Blocks(first, lie(pairs[first - 1 : last])))
            for name, lie in LIES.items()
        },
    }[kind]


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_one_honest_peer_among_any_others_is_enough(data: st.DataObject) -> None:
    pairs = chain(PROPERTY_LENGTH, changes_at=70)
    kinds = ("silent", "empty", "one by one", "another range", *LIES)
    peers: dict[bytes, Peer] = {}
    for number in range(data.draw(st.integers(0, 5), label="others")):
        kind = data.draw(st.sampled_from(kinds), label="kind")
        claim = data.draw(st.sampled_from([(1, PROPERTY_LENGTH), (1, 2**53 - 1), (50, 120)]), label="claim")
        delay_ms = data.draw(st.sampled_from([0, 40, 3_900, 9_000]), label="delay")
        peers[b"other %d" % number] = Peer(_script(kind, pairs), claim, delay_ms)
    most = data.draw(st.sampled_from([1, 9, 64]), label="blocks in an answer")
    delay_ms = data.draw(st.sampled_from([5, 300, 6_000]), label="delay of the honest one")
    place = data.draw(st.integers(0, len(peers)), label="place")
    everybody = [*peers.items()]
    everybody.insert(place, (A, honest(pairs, most=most, delay_ms=delay_ms)))
    world = World(dict(everybody), changes_at=70)
    world.run(to=PROPERTY_LENGTH, limit_ms=10_000_000)
    assert [pair.block.encode() for pair in world.added] == [block for block, _ in pairs]
    assert world.waiting_bytes_max <= ARRIVED_BYTES_MAX
    assert A not in {peer for peer, _ in world.dropped}


# --- bytes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("message", [Tip(1, 0), Tip(5, 90), Ask(1, 64), Blocks(7, ((b"block", b"proof"),))])
def test_messages_come_back_from_their_bytes(message: RangeMessage) -> None:
    assert decode_range_message(encode_range_message(message)) == message


@pytest.mark.parametrize(
    "value",
    [
        [],
        ["tip", 0, 1],
        ["tip", True, 1],
        ["tip", 1],
        ["ask", 5, 4],
        ["ask", 0, 4],
        ["blocks", 1, [[b"x"]]],
        ["blocks", 1, [[b"x", "y"]]],
        ["blocks", 1, [[b"x", b"y"]] * (RANGE_HEIGHTS_MAX + 1)],
        ["other"],
        b"bytes",
    ],
)
def test_what_is_no_message_is_refused(value: object) -> None:
    with pytest.raises(MessageError):
        decode_range_message(encode(value))  # type: ignore[arg-type]


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    try:
        message = decode_range_message(data)
    except MessageError:
        return
    assert encode_range_message(message) == data


def test_a_missed_answer_is_told_for_the_log() -> None:
    core = Following(genesis_id=GENESIS_ID, height=0, authorities=authorities_of(4), lag=1)
    core.handle(Joined(A, True), now_ms=0)
    core.handle(Heard(A, Tip(1, 9)), now_ms=0)
    assert Missed(A) in core.handle(Woken(), now_ms=ANSWER_TIMEOUT_MS)
