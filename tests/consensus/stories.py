"""The stories people ask about, told by the simulator: each returns the world it played in.

Their transcripts are kept in `stories/*.txt`, to be read, and to notice when the protocol behaves otherwise.
`python -m tests.consensus.stories` writes them anew.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from consensus.journal import Standing
from consensus.messages import Bundle, Proposal
from consensus.simulation.actors import Silent, sign
from consensus.simulation.ledger import EPOCH_MS, build
from consensus.simulation.node import Crash, Node
from consensus.simulation.world import GENESIS_ID, World, key_of
from consensus.votes import Kind

__all__ = ["FOLDER", "STORIES"]

FOLDER = Path(__file__).with_name("stories")


def reached(nodes: list[Node], height: int) -> bool:
    """Whether all these nodes have this height."""
    return all(node.height >= height for node in nodes)


def everywhere(world: World, height: int) -> Callable[[], bool]:
    """Whether every honest node has this height."""
    return partial(reached, world.honest, height)


def happy_path() -> World:
    """One transaction, three network delays of 10 ms, 2 ms to build and 2 ms to check: final after 34 ms."""
    world = World(n=4, seed=1).start()
    world.run_for(50)
    world.transcript.clear()
    world.offer()
    world.run_until(everywhere(world, 1), within_ms=34)
    return world


def dead_leader() -> World:
    """Authority 1 leads height 1 and is dead: a second of patience, then authority 2 leads view 1."""
    world = World(n=4, seed=1, byzantine={1: Silent}).start()
    world.run_for(50)
    world.transcript.clear()
    world.offer()
    world.run_until(everywhere(world, 1), within_ms=1_100)
    return world


def two_faced_leader() -> World:
    """Authority 1 proposes one block to authorities 0 and 2, another to 3: one block wins, and it is accused."""
    world = World(n=4, seed=1, byzantine={1: Silent}).start()
    world.run_for(50)
    world.transcript.clear()
    world.offer()
    for salt, targets in ((b"left", world.nodes[:2]), (b"right", world.nodes[2:])):
        block = build(
            genesis_id=GENESIS_ID,
            authorities=world.authorities,
            height=1,
            parent=GENESIS_ID,
            parent_time_ms=EPOCH_MS,
            proposer=key_of(1).public_key,
            time_ms=EPOCH_MS + world.clock.now_ms,
            transactions=(salt,),
        )
        vote = sign(key_of(1), world, Kind.NOTARIZE, 1, 0, block.hash)
        world.inject(key_of(1), targets, Proposal(vote, block, Bundle(None, ())))
        world.inject(key_of(1), world.nodes, vote)
    world.run_until(everywhere(world, 2), within_ms=4_000)
    return world


def crash_after_finalize() -> World:
    """Authority 0 loses power between writing its FINALIZE and sending it; back up, it goes on from its record."""
    world = World(n=4, seed=1, byzantine={3: Silent}).start()
    world.run_for(50)
    world.transcript.clear()
    node = world.nodes[0]
    crash_at_next_finalize(world, node)
    world.offer()
    world.run_for(1_500)
    assert node.engine is None
    assert world.honest[1].height == world.honest[2].height == 0, "three are needed"
    node.start()
    world.reconnect()
    world.run_until(everywhere(world, 1), within_ms=2_000)
    return world


def crash_at_next_finalize(world: World, node: Node) -> None:
    """Make a node crash when its next FINALIZE is durable, before it is sent."""
    syncs = world.syncs

    def crash_once(who: Node) -> None:
        if who is node and any(b"certificate/" in key for key in who.disk.under(b"record/")):
            vars(world).pop("syncs")
            raise Crash
        syncs(who)

    vars(world)["syncs"] = crash_once


def partition_and_healing() -> World:
    """Two against two for twenty seconds: nothing is final; after healing everything is, at once."""
    world = World(n=4, seed=1).start()
    world.run_for(50)
    world.transcript.clear()
    world.part((0, 1), (2, 3))
    world.offer()
    world.run_for(20_000)
    assert not any(node.height for node in world.nodes)
    world.heal()
    world.run_until(everywhere(world, 1), within_ms=1_000)
    return world


def late_joiner() -> World:
    """Authority 3 starts when five blocks are final and the chain is idle: it asks, checks, follows, and then votes."""
    world = World(n=4, seed=1)
    for node in world.nodes[:3]:
        node.start()
    for height in range(1, 6):
        world.offer()
        world.run_until(partial(reached, world.nodes[:3], height), within_ms=3_000)
    world.run_for(5_000)
    world.transcript.clear()
    world.nodes[3].start()
    world.run_until(everywhere(world, 5), within_ms=1_000)
    world.run_for(2_100)
    assert world.nodes[3].engine is not None
    assert world.nodes[3].engine.votes
    return world


def lost_disk() -> World:
    """Authority 3 votes, and loses its disk: told of its own vote, it never signs again, but follows."""
    world = World(n=4, seed=1).start()
    world.run_for(50)
    world.transcript.clear()
    world.part((2, 3), (0, 1))
    world.offer()
    world.run_for(1_100)
    lost = world.nodes[3]
    lost.stop()
    lost.disk.wipe()
    lost.start()
    world.heal()
    world.run_until(everywhere(world, 1), within_ms=8_000)
    assert lost.engine is not None
    assert lost.engine.standing is Standing.BURNT
    return world


STORIES: tuple[Callable[[], World], ...] = (
    happy_path,
    dead_leader,
    two_faced_leader,
    crash_after_finalize,
    partition_and_healing,
    late_joiner,
    lost_disk,
)


def transcript_of(story: Callable[[], World]) -> str:
    """The text of a story: what it is about, and what happened."""
    world = story()
    return f"{story.__doc__}\n\n" + "\n".join(world.transcript) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for story in STORIES:
        (FOLDER / f"{story.__name__}.txt").write_text(transcript_of(story))
