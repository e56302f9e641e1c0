"""The stories end as they should, and go as their transcripts say."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from consensus.messages import Message, Resend
from consensus.simulation.actors import Hoarder, Silent
from consensus.simulation.node import Node
from consensus.simulation.world import World, key_of
from consensus.votes import Kind, Vote
from tests.consensus import stories


@pytest.mark.parametrize("story", stories.STORIES, ids=lambda story: story.__name__)
def test_a_story_goes_as_its_transcript(story: Callable[[], World]) -> None:
    told = stories.transcript_of(story)
    kept = (stories.FOLDER / f"{story.__name__}.txt").read_text()
    assert told == kept, "the protocol behaves otherwise: if that is meant, run python -m tests.consensus.stories"


def test_the_two_faced_leader_is_accused_by_every_honest_node() -> None:
    world = stories.two_faced_leader()
    accusers = {node.name for node, _ in world.evidence}
    assert len(accusers) == 3
    assert {report.evidence.accused for _, report in world.evidence} == {key_of(1).public_key}


def test_finality_takes_three_network_delays_and_no_wait() -> None:
    """R11: from work to final in 3 delays, plus building and checking."""
    for delay_ms in (1, 10, 100):
        world = World(n=4, seed=1).start()
        world.network.weather.delay_least_ms = world.network.weather.delay_most_ms = delay_ms
        world.run_for(1_000)
        before_ms = world.clock.now_ms
        world.offer()
        world.run_until(lambda world=world: all(node.height == 1 for node in world.nodes), within_ms=1_000)  # type: ignore[misc]
        assert world.clock.now_ms - before_ms == 3 * delay_ms + 4


def test_a_notarization_shown_when_its_block_is_gone_stops_nobody() -> None:
    """R2, R10: NOTARIZE votes are lost for a while, so that thirty views fail; then the network is good for ever."""
    world = World(n=4, seed=1, byzantine={1: Hoarder}, transcribe=False)
    carry, weather = world.carry, world.network.weather

    def lose_notarize_votes(node: Node, peer: bytes | None, message: Message) -> None:
        votes = message.votes if isinstance(message, Resend) else (message,)
        lost = any(isinstance(vote, Vote) and vote.kind is Kind.NOTARIZE for vote in votes)
        weather.drop_percent = 100 if lost else 0
        carry(node, peer, message)
        weather.drop_percent = 0

    vars(world)["carry"] = lose_notarize_votes
    world.start().offer()
    (hoarder,) = world._actors
    assert isinstance(hoarder, Hoarder)
    world.run_until(lambda: hoarder.shown, within_ms=1_000_000)
    world.run_for(60_000)  # so that everybody has led again
    assert hoarder.hoard is not None
    for node in world.honest:
        assert node.engine is not None
        held = node.engine._state.h
        assert held.notarization(0) == hoarder.hoard
        assert hoarder.hoard.block not in held.blocks, "nobody has the block any more"
        assert held.has_voted(Kind.NOTARIZE, 0), "but all have voted for it"
    del vars(world)["carry"]
    world.run_until(lambda: all(node.height >= 1 for node in world.honest), within_ms=60_000)


def test_an_idle_chain_makes_no_block_but_the_heartbeat() -> None:
    """R11"""
    world = World(n=4, seed=1).start()
    world.run_for(59_000)
    carried = world.network.carried
    assert [node.height for node in world.nodes] == [0, 0, 0, 0]
    assert carried == 4 * 3 * 3, "two questions and an answer each, and then silence"
    world.run_for(2_000)
    assert [node.height for node in world.nodes] == [1, 1, 1, 1]
    carried = world.network.carried
    world.run_for(55_000)
    assert [node.height for node in world.nodes] == [1, 1, 1, 1]
    assert world.network.carried == carried


def test_observers_follow_live() -> None:
    """R7: without a key, and without a vote."""
    world = World(n=4, seed=1, observers=2).start()
    world.offer_every(100)
    world.run_until(lambda: all(node.height >= 10 for node in world.nodes), within_ms=2_000)
    assert world.nodes[4].engine is not None
    assert not world.nodes[4].engine.votes


def test_one_to_three_authorities_run_without_faults() -> None:
    for n in (1, 2, 3):
        world = World(n=n, seed=1).start()
        world.offer_every(30)
        world.run_until(lambda world=world: all(node.height >= 10 for node in world.nodes), within_ms=2_000)  # type: ignore[misc]


def test_a_run_is_a_function_of_its_seed() -> None:
    transcripts = []
    for _ in range(2):
        world = World(n=4, seed=7, twins=(2,)).start()
        world.network.weather.drop_percent = 20
        world.crash_percent = 3
        world.offer_every(200)
        world.run_for(5_000)
        transcripts.append(world.transcript)
    assert transcripts[0] == transcripts[1]
    assert len(transcripts[0]) > 50


def test_a_late_node_fetches_past_peers_that_lie_stall_dawdle_and_boast() -> None:
    """Following: whoever the bad source is, a node that slept through eighty blocks has them."""
    dropped = 0
    for seed in range(5):
        world = World(n=4, seed=seed, byzantine={3: Silent}, observers=1, following=True)
        late = world.nodes[3]
        for node in world.nodes[:3]:
            node.start()
        world.reconnect()
        world.offer_every(30)
        world.run_until(lambda world=world: world.nodes[0].height >= 80, within_ms=60_000)  # type: ignore[misc]
        late.start()
        late.connect(world.nodes[0].key)  # besides the bad source, the only one it knows
        world.nodes[0].connect(late.key)
        world.run_until(lambda world=world, late=late: late.height >= world.nodes[0].height - 1, within_ms=30_000)  # type: ignore[misc]
        assert world.deeds.fetched >= 60
        dropped += world.deeds.liars_dropped
    assert dropped > 0, "one of the sources lied and was asked"
