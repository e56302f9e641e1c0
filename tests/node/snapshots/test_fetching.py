"""Starting from a state: what is fetched, what is proved, who is dropped, and that replays are refused all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from consensus.blocks import Block, Header, transactions_root
from consensus.ranges import Ask, Blocks, Tip, read_pair
from node import layout
from node.authorities import authority_set
from node.chain import Chain
from node.errors import Pruned, StoreError
from node.layout import JOINED_PART, JOINING_KEY, first_kept, state_entry
from node.snapshots import fetching, held
from node.snapshots.events import Enough, Finish, Heard, Joined, Left
from node.snapshots.fetching import PATIENCE_MS
from node.snapshots.held import HELD_MAX, HeldStates
from node.snapshots.landing import Landing, is_new
from node.snapshots.manifest import Manifest, read_manifest
from node.snapshots.messages import AskManifest, AskPart, Gone, Held, ManifestOf, PartOf, SyncMessage
from node.store import MemoryStore, Reader
from node.store import Store as NodeStore
from node.views import decided, open_view
from registry.errors import TransactionError
from registry.limits import VALIDITY_MAX_MS
from registry.merkle.parts import CUT_BITS, Entry
from registry.order import DRAWN_FROM
from registry.transactions.envelope import Transaction
from tests.node.chainworld import build, certificate_of, commit, proposer_of, registration, transaction_of
from tests.node.snapshots.world import LAST, MINUTE_MS, Peer, World, copy, written
from tests.registry.world import MEMBERS, START_MS, genesis, invoice, name_id

A, B, C = b"A", b"B", b"C"


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state of some kilobytes is cut into sixteen parts, and blocks are asked for four at a time."""
    monkeypatch.setattr(held, "PART_BYTES_MEANT", 4_000)
    monkeypatch.setattr(fetching, "RANGE_HEIGHTS_MAX", 4)


def joined(peers: dict[bytes, Peer]) -> tuple[World, Chain]:
    world = World(MemoryStore(), peers)
    ended = world.run()
    assert isinstance(ended, Finish)
    return world, Chain.open(world.store, genesis())


def state_of(store: NodeStore) -> dict[bytes, bytes]:
    return dict(state_entry(stored) for _, stored in store.scan(layout.STATE))


def test_a_state_from_several_peers_is_the_chains_tip_and_goes_on_like_any_other() -> None:
    peers = {name: Peer(copy(written())) for name in (A, B, C)}
    world, chain = joined(peers)
    whole = Chain.open(peers[A].store, genesis())
    assert chain.tip == whole.tip
    assert state_of(world.store) == state_of(peers[A].store)
    assert dict(world.store.scan(layout.PAGE)) == dict(peers[A].store.scan(layout.PAGE))
    assert sorted(world.stored) == list(range(16))
    assert all(any(isinstance(each, AskPart) for each in peer.asked) for peer in peers.values())
    block = build(whole, [registration(900)])
    for each in (whole, chain):
        each.commit(block, certificate_of(block), puts={})
    assert chain.tip == whole.tip


def test_only_the_blocks_are_fetched_in_which_a_transaction_may_still_be_valid() -> None:
    peers = {A: Peer(copy(written()))}
    world, chain = joined(peers)
    first, receipts = first_kept(world.store)
    assert receipts == LAST + 1
    assert first < LAST
    oldest_ms = chain.tip.timestamp_ms - VALIDITY_MAX_MS
    record = layout.HeightRecord.decode(world.store.get(layout.at_height(layout.HEIGHT, first)) or b"")
    assert Header.decode(record.header).timestamp_ms < oldest_ms
    assert sorted(set(world.kept)) == list(range(first, LAST + 1))
    assert len(world.kept) < LAST, "not the history"


def test_what_travels_depends_on_the_state_and_not_on_the_length_of_the_history() -> None:
    """The same records behind 40 blocks and behind 400."""
    short, long = ({A: Peer(copy(written(last)))} for last in (LAST, 10 * LAST))
    worlds = [joined(peers)[0] for peers in (short, long)]
    assert [len(world.stored) for world in worlds] == [16, 16]
    assert len(worlds[0].kept) == len(worlds[1].kept)
    asked = [len(peers[A].asked) for peers in (short, long)]
    assert asked[0] == asked[1]


def seen_at(chain: Chain, transaction: Transaction) -> str | None:
    """What a block with this transaction at the tip is refused for, the clock rule aside."""
    try:
        chain.admitted(transaction, now_ms=chain.tip.timestamp_ms)
    except TransactionError as error:
        return error.code
    return None


def test_replays_are_refused_by_a_newcomer_exactly_as_by_the_others() -> None:
    """One transaction in each of the last blocks: those of the last hour replay as `replayed`, older ones `expired`."""
    store = MemoryStore()
    whole = Chain.open(store, genesis())
    transactions = []
    for height in range(1, 31):  # five minutes apart
        at_ms = START_MS + height * 300_000
        transaction = _valid_to(at_ms + VALIDITY_MAX_MS, number=height)
        transactions.append(transaction)
        block = whole.build([transaction], proposer=proposer_of(height), now_ms=at_ms)
        assert block.transactions, "it was let in"
        whole.commit(block, certificate_of(block), puts={})
    _, late = joined({A: Peer(copy(store))})
    both = [(seen_at(whole, each), seen_at(late, each)) for each in transactions]
    assert both[-12:] == [("replayed", "replayed")] * 12
    assert all(one == other for one, other in both)
    assert {one for one, _ in both} == {"expired", "replayed"}
    for transaction in (transactions[-1], transactions[-12], transactions[0]):
        bad = _with(build(whole, []), transaction)
        refusals = [chain.check(bad, now_ms=None) for chain in (whole, late)]
        assert refusals[0] == refusals[1]
        assert refusals[0] is not None
        assert "replayed" in refusals[0] or "expired" in refusals[0]


def _valid_to(until_ms: int, *, number: int) -> Transaction:
    return transaction_of("EXP_CN", invoice(f"replay {number}"), nonce=5_000 + number, until_ms=until_ms)


def _with(block: Block, transaction: Transaction) -> Block:
    wires = (transaction.wire,)
    return Block(replace(block.header, transactions_root=transactions_root(wires)), wires)


def in_lots(chain: Chain) -> Block:
    """A block with a transaction of each member, in the order that was drawn for it."""
    height = chain.tip.height + 1
    until_ms = chain.tip.timestamp_ms + MINUTE_MS
    waiting = [
        transaction_of(name, invoice(f"{name} at {height}"), nonce=height, until_ms=until_ms) for name in MEMBERS
    ]
    block = build(chain, waiting)
    assert len(block.transactions) == len(waiting)
    return block


@pytest.mark.parametrize("last", [1, 2, LAST, DRAWN_FROM, DRAWN_FROM + 1, DRAWN_FROM + 2, 100])
def test_a_newcomer_draws_the_order_of_a_block_like_everybody_else(last: int) -> None:
    """However young the chain; from a peer that has all of it, and from one that began with a state itself."""
    archive = copy(written(last))
    whole = Chain.open(archive, genesis())
    first, chain = joined({A: Peer(copy(archive))})
    for height in range(last + 1, last + 4):
        block = in_lots(whole)
        assert chain.check(block, now_ms=None) is None, height
        for each in (whole, chain):
            each.commit(block, certificate_of(block), puts={})
    second, later = joined({A: Peer(copy(first.store))})
    for store in (first.store, second.store):
        assert Chain.open(store, genesis()).check(in_lots(whole), now_ms=None) is None
    assert later.tip == whole.tip


def test_records_are_listed_as_a_partys_own_and_what_came_before_is_said_to_be_missing() -> None:
    peers = {A: Peer(copy(written()))}
    world, _ = joined(peers)
    with world.store.snapshot() as mine, peers[A].store.snapshot() as theirs:
        own, whole = open_view(mine), open_view(theirs)
        assert own.receivables_of(name_id("EXP_CN")) == whole.receivables_of(name_id("EXP_CN"))
        assert own.parties(after=None) == whole.parties(after=None)
        with pytest.raises(Pruned):
            own.block(1)
        with pytest.raises(Pruned):
            own.check_events(0)
        for height in (first_kept(mine)[0], LAST - 1, LAST):
            assert own.ancestry(height) == whole.ancestry(height)
        with pytest.raises(Pruned):
            own.ancestry(1)


# --- a newcomer that serves -----------------------------------------------------------------------------------------


def test_who_has_begun_with_a_state_serves_it_to_the_next() -> None:
    world, _ = joined({A: Peer(copy(written()))})
    second, chain = joined({B: Peer(copy(world.store))})
    assert chain.tip.height == LAST
    assert state_of(second.store) == state_of(world.store)


def young(*, to: int) -> MemoryStore:
    """What a peer has that began with the state of `LAST`, when the chain has grown by a block each two minutes."""
    world, chain = joined({A: Peer(copy(written()))})
    while chain.tip.height < to:
        now_ms = chain.tip.timestamp_ms + 2 * MINUTE_MS
        block = chain.build([], proposer=proposer_of(chain.tip.height + 1), now_ms=now_ms)
        chain.commit(block, certificate_of(block), puts={})
    return copy(world.store)


@pytest.mark.parametrize("to", [LAST + 5, LAST + 10, LAST + 20, LAST + 30])
def test_blocks_below_those_that_anybody_keeps_are_not_waited_for(to: int) -> None:
    """All peers began with a state themselves, and there are more blocks in an hour now than there were then."""
    store = young(to=to)
    world, chain = joined({name: Peer(copy(store)) for name in (A, B, C)})
    assert chain.tip == Chain.open(store, genesis()).tip
    assert min(world.kept) >= first_kept(store)[0]


def test_who_alone_has_old_blocks_and_stops_giving_them_does_not_keep_a_newcomer_waiting() -> None:
    store = young(to=LAST + 10)
    archive = copy(written())
    whole = Chain.open(archive, genesis())
    for block, certificate in _pairs(store, *range(LAST + 1, LAST + 11)):
        whole.commit(Block.decode(block), certificate, puts={})
    given: list[Blocks] = []

    def three_times(said: SyncMessage) -> SyncMessage | None:
        if isinstance(said, Blocks):
            given.append(said)
            return Blocks(said.first, said.pairs[:1]) if len(given) <= 3 else None
        return said

    world = World(MemoryStore(), {A: Peer(archive, three_times), B: Peer(copy(store))})
    assert isinstance(world.run(), Finish)
    assert Chain.open(world.store, genesis()).tip == whole.tip


# --- interruptions --------------------------------------------------------------------------------------------------


def test_after_a_kill_it_goes_on_with_the_parts_that_are_missing() -> None:
    store = MemoryStore()
    World(store, {A: Peer(copy(written()))}).run(parts=7)
    assert is_new(store)
    with pytest.raises(StoreError, match="part of a state"):
        Chain.open(store, genesis())
    here = len(list(store.scan(JOINED_PART)))
    assert here == 7
    again = World(store, {A: Peer(copy(written()))})
    assert isinstance(again.run(), Finish)
    assert len(again.stored) == 16 - here
    assert Chain.open(store, genesis()).tip.height == LAST


def test_if_nobody_serves_the_state_that_was_begun_a_newer_one_takes_its_place() -> None:
    store = MemoryStore()
    World(store, {A: Peer(copy(written()))}).run(parts=7)
    newer = copy(written())
    commit(Chain.open(newer, genesis()), registration(800))
    again = World(store, {A: Peer(newer)})
    assert isinstance(again.run(), Finish)
    assert len(again.stored) == 16
    assert Chain.open(store, genesis()).tip.height == LAST + 1
    assert state_of(store) == state_of(newer)


def test_what_was_signed_here_outlives_everything() -> None:
    store = MemoryStore()
    Chain.open(store, genesis())
    store.write({layout.CONSENSUS + b"vote": b"cast"}, sync=True)
    World(store, {A: Peer(copy(written()))}).run()
    assert store.get(layout.CONSENSUS + b"vote") == b"cast"
    Landing(store, genesis().id, Chain.open(store, genesis()).authorities).clear()
    assert Chain.open(store, genesis()).tip.height == 0
    assert store.get(layout.CONSENSUS + b"vote") == b"cast"
    assert store.get(JOINING_KEY) is None


# --- liars and sleepers ---------------------------------------------------------------------------------------------


def _forged(said: SyncMessage) -> SyncMessage:
    match said:
        case PartOf(height, number, entries):
            return PartOf(height, number, tuple((key, value + b"x") for key, value in entries))
    return said


def _short(said: SyncMessage) -> SyncMessage:
    match said:
        case PartOf(height, number, entries):
            return PartOf(height, number, entries[:-1])
    return said


def _another_manifest(said: SyncMessage) -> SyncMessage:
    match said:
        case ManifestOf(height, _):
            older = copy(written())
            commit(Chain.open(older, genesis()))
            other = Peer(older).held.manifest(LAST + 1)
            assert other is not None
            return ManifestOf(height, other.encode())
    return said


def _broken_manifest(said: SyncMessage) -> SyncMessage:
    match said:
        case ManifestOf(height, data):
            return ManifestOf(height, data[:-1] + b"\x00")
    return said


def _with_manifest(said: SyncMessage, change: Callable[[Manifest], Manifest]) -> SyncMessage:
    match said:
        case ManifestOf(height, data):
            manifest = read_manifest(data, genesis().id, authority_set(genesis()))
            return ManifestOf(height, change(manifest).encode())
    return said


def _other_leaves(said: SyncMessage) -> SyncMessage:
    return _with_manifest(said, lambda true: replace(true, recent=(true.recent[1], true.recent[0], *true.recent[2:])))


def _fewer_leaves(said: SyncMessage) -> SyncMessage:
    def moved(true: Manifest) -> Manifest:
        return replace(true, older=true.older.append(true.recent[0]), recent=true.recent[1:])

    return _with_manifest(said, moved)


def _foreign_blocks(said: SyncMessage) -> SyncMessage:
    match said:
        case Blocks(first, pairs) if pairs:
            return Blocks(first, tuple((block, proof[:-1] + b"\x00") for block, proof in pairs))
    return said


LIES: dict[str, Callable[[SyncMessage], SyncMessage | None]] = {
    "values that are not the state's": _forged,
    "an entry left out": _short,
    "the manifest of another height": _another_manifest,
    "a manifest that proves nothing": _broken_manifest,
    "a manifest with other leaves of the history": _other_leaves,
    "a manifest with fewer leaves of the history": _fewer_leaves,
    "blocks without a certificate": _foreign_blocks,
}


@pytest.mark.parametrize("lie", LIES)
def test_a_liar_is_caught_at_its_first_bad_word_and_the_rest_comes_from_others(lie: str) -> None:
    peers = {A: Peer(copy(written()), LIES[lie]), B: Peer(copy(written()))}
    world, chain = joined(peers)
    assert set(world.dropped) == {A}
    assert chain.tip == Chain.open(peers[B].store, genesis()).tip
    assert state_of(world.store) == state_of(peers[B].store)


def _grown(store: NodeStore, *, to: int) -> tuple[MemoryStore, Chain]:
    """The chain of a store, and a transaction in each block above."""
    made = copy(store)
    chain = Chain.open(made, genesis())
    while chain.tip.height < to:
        at_ms = chain.tip.timestamp_ms + MINUTE_MS
        transaction = _valid_to(at_ms + MINUTE_MS, number=chain.tip.height)
        block = chain.build([transaction], proposer=proposer_of(chain.tip.height + 1), now_ms=at_ms)
        assert block.transactions, "it was let in"
        chain.commit(block, certificate_of(block), puts={})
    return made, chain


def _pairs(store: NodeStore, *heights: int) -> tuple[tuple[bytes, bytes], ...]:
    found = [decided(store, height) for height in heights]
    return tuple(pair for pair in found if pair is not None)


def _goes_on(newcomer: Chain, store: NodeStore, whole: Chain) -> bool:
    """Whether a newcomer executes what is above its state as everybody else has."""
    for block, certificate in _pairs(store, *range(newcomer.tip.height + 1, whole.tip.height + 1)):
        newcomer.commit(Block.decode(block), certificate, puts={})
    return newcomer.tip == whole.tip


@pytest.mark.parametrize("liars", [{A}, {B}, {C}, {A, B, C}])
def test_true_blocks_above_the_state_are_not_taken_for_they_would_count_as_executed(liars: set[bytes]) -> None:
    longer, whole = _grown(written(), to=LAST + 2)

    def more(said: SyncMessage) -> SyncMessage:
        match said:
            case Blocks(first, pairs) if first + len(pairs) == LAST + 1:
                return Blocks(first, pairs + _pairs(longer, LAST + 1, LAST + 2))
        return said

    peers = {name: Peer(copy(written()), *([more] if name in liars else [])) for name in (A, B, C)}
    world, chain = joined(peers)
    assert max(world.kept) == LAST
    assert _goes_on(chain, longer, whole)


@pytest.mark.parametrize("last", [pytest.param(LAST, id="below the window"), pytest.param(12, id="above the state")])
def test_a_block_in_answer_to_a_question_for_a_part_of_the_same_number_is_not_taken(last: int) -> None:
    """A number of a part is no height: a peer that never sent the part sends the true block of that height instead."""
    longer, whole = _grown(written(last), to=16)
    unanswered: list[int] = []

    def keeps_back(said: SyncMessage) -> SyncMessage | None:
        match said:
            case PartOf(_, number, _) if number > 12 or last == LAST:
                unanswered.append(number)
                return None
        return said

    def meanwhile(said: SyncMessage) -> SyncMessage:
        if isinstance(said, Blocks) and (len(said.pairs) > 1 or last == LAST):
            height = unanswered[-1]
            world.later(0, Heard(A, Blocks(height, _pairs(longer, height))))
        return said

    world = World(MemoryStore(), {A: Peer(copy(written(last)), keeps_back), B: Peer(copy(written(last)), meanwhile)})
    assert isinstance(world.run(), Finish)
    assert unanswered
    without, _ = joined({B: Peer(copy(written(last)))})
    assert sorted(set(world.kept)) == sorted(set(without.kept))
    assert _goes_on(Chain.open(world.store, genesis()), longer, whole)


def test_a_landing_keeps_no_block_above_its_state() -> None:
    landing, peer = Landing(MemoryStore(), genesis().id, authority_set(genesis())), Peer(copy(written()))
    manifest = peer.held.manifest(LAST)
    assert manifest is not None
    landing.begin(manifest)
    longer, _ = _grown(written(), to=LAST + 1)
    (pair,) = _pairs(longer, LAST + 1)
    with pytest.raises(AssertionError, match="executed"):
        landing.keep([read_pair(pair, LAST + 1)])


def test_a_silent_peer_is_passed_over() -> None:
    silent = Peer(copy(written()), lambda said: said if isinstance(said, Held) else None)
    world, _ = joined({A: silent, B: Peer(copy(written()))})
    assert A in world.missed
    assert not world.dropped


def test_a_peer_that_does_not_serve_the_state_any_more_says_so_and_is_not_blamed() -> None:
    forgetful = Peer(copy(written()), lambda said: Gone(said.height) if isinstance(said, PartOf) else said)
    world, _ = joined({A: forgetful, B: Peer(copy(written()))})
    assert not world.dropped
    assert not world.missed


def come_later(world: World, peers: dict[bytes, Peer], *, after_ms: int) -> None:
    world.peers |= peers
    for name, peer in peers.items():
        world.later(after_ms, Joined(name, True))
        world.later(after_ms + 1, Heard(name, Tip(first_kept(peer.store)[0], peer.height)))


def _offers_what_it_never_shows(said: SyncMessage) -> SyncMessage | None:
    return Held(((LAST - 1, b"x" * 32),)) if isinstance(said, Held) else None


def _shows_the_manifest_only(said: SyncMessage) -> SyncMessage | None:
    return None if isinstance(said, PartOf) else said


def _calls_a_block_by_another_name(said: SyncMessage) -> SyncMessage | None:
    return Held(((LAST, b"x" * 32),)) if isinstance(said, Held) else said


STALLS: dict[str, Callable[[SyncMessage], SyncMessage | None]] = {
    "a state that it never shows": _offers_what_it_never_shows,
    "a state of which it sends no part": _shows_the_manifest_only,
    "a state by the hash of another block": _calls_a_block_by_another_name,
}


@pytest.mark.parametrize("liars", [1, 2])
@pytest.mark.parametrize("lie", STALLS)
def test_who_offers_a_state_first_and_does_not_give_it_does_not_keep_a_newcomer_from_the_others(
    lie: str, liars: int
) -> None:
    """What they offer is served by nobody else, and was chosen before the honest ones had said a word."""
    newer, whole = _grown(written(), to=LAST + 1)
    world = World(MemoryStore(), {b"L%d" % number: Peer(copy(written()), STALLS[lie]) for number in range(liars)})
    come_later(world, {A: Peer(newer), B: Peer(copy(newer))}, after_ms=PATIENCE_MS + 500)
    assert isinstance(world.run(limit_ms=200_000), Finish)
    assert Chain.open(world.store, genesis()).tip == whole.tip


def test_where_everybody_is_slow_a_late_manifest_counts_and_what_is_stored_is_not_given_up() -> None:
    """Six seconds for every answer, and two states to choose from."""
    newer, _ = _grown(written(), to=LAST + 1)
    world = World(MemoryStore(), {A: Peer(copy(written())), B: Peer(copy(written())), C: Peer(newer)}, delay_ms=6_000)
    assert isinstance(world.run(limit_ms=2_000_000), Finish)
    assert world.begun == 1
    assert sorted(world.stored) == list(range(16)), "each once"
    assert not world.dropped


def test_who_shows_a_manifest_in_time_has_answered_though_a_late_one_came_before() -> None:
    """A takes six seconds, B three: B is asked after four, and A's manifest is there when B's comes."""
    slow, quicker = Peer(copy(written()), manifest_ms=6_000), Peer(copy(written()), manifest_ms=3_000)
    world = World(MemoryStore(), {A: slow, B: quicker})
    assert isinstance(world.run(), Finish)
    assert AskManifest(LAST) in slow.asked
    assert AskManifest(LAST) in quicker.asked
    assert B not in world.missed


def test_parts_of_a_state_that_is_given_up_are_not_taken_for_those_of_the_next() -> None:
    """The disk is slow: parts of the first state become durable after the manifest of the second has come."""
    newer, whole = _grown(written(), to=LAST + 1)
    parts: list[int] = []

    def forgets(said: SyncMessage) -> SyncMessage:
        if isinstance(said, PartOf):
            parts.append(said.number)
            return said if len(parts) <= 4 else Gone(said.height)
        return said

    world = World(MemoryStore(), {A: Peer(copy(written()), forgets)}, disk_ms=500)
    come_later(world, {B: Peer(newer)}, after_ms=PATIENCE_MS + 500)
    assert isinstance(world.run(), Finish)
    assert world.begun == 2
    assert Chain.open(world.store, genesis()).tip == whole.tip


# --- who begins with blocks -----------------------------------------------------------------------------------------


def test_who_is_close_behind_alone_or_without_a_state_to_fetch_begins_with_blocks() -> None:
    near = World(MemoryStore(), {name: Peer(copy(written())) for name in (A, B)}, far_behind=LAST + 1)
    assert not ended(near).again
    assert not ended(World(MemoryStore(), {})).again

    def serves_none(said: SyncMessage) -> SyncMessage:
        return Held(()) if isinstance(said, Held) else said

    without = {name: Peer(copy(written()), serves_none) for name in (A, B)}
    world = World(MemoryStore(), without)
    assert not ended(world).again
    assert world.now_ms >= PATIENCE_MS
    assert not any(isinstance(each, Ask) for peer in without.values() for each in peer.asked)


def test_who_finds_nobody_or_nobody_with_a_state_or_all_blocks_is_to_look_again() -> None:
    absent = World(MemoryStore(), {A: Peer(copy(written()))})
    absent.later(0, Left(A))
    assert ended(absent).again
    assert absent.now_ms >= PATIENCE_MS
    pruned = {name: Peer(copy(written()), lambda said: Held(()) if isinstance(said, Held) else said) for name in (A, B)}
    world = World(MemoryStore(), pruned)
    for name in pruned:
        world.later(2, Heard(name, Tip(LAST - 1, LAST)))
    assert ended(world).again


def ended(world: World) -> Enough:
    found = world.run()
    assert isinstance(found, Enough)
    return found


# --- what is held ---------------------------------------------------------------------------------------------------


def test_the_states_after_the_first_blocks_of_periods_are_held_the_newest_two() -> None:
    store = MemoryStore()
    chain = Chain.open(store, genesis())
    states = HeldStates(store, period_ms=10_000)
    heights = []
    for _ in range(35):  # a second apart
        before = chain.tip
        commit(chain)
        states.grown(before, chain.tip)
        heights.append([height for height, _ in states.offers()])
    assert heights[-1] == [20, 30]
    assert max(map(len, heights)) == HELD_MAX
    manifest = states.manifest(20)
    assert manifest is not None
    assert manifest.height == 20
    assert states.manifest(19) is None
    assert states.part(19, 0, 0) is None
    assert states.part(20, 0, 1) is None
    assert states.part(20, manifest.bits, 0) is not None
    states.close()
    assert states.offers() == ()


def test_a_part_of_another_cut_than_the_manifests_is_not_even_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question of some bytes would else cost megabytes of reading, for an answer that is always `Gone`."""
    peer = Peer(copy(written()))
    read: list[int] = []
    part = held._part

    def counted(reader: Reader, bits: int, number: int, bytes_max: int) -> tuple[Entry, ...] | None:
        read.append(bits)
        return part(reader, bits, number, bytes_max)

    monkeypatch.setattr(held, "_part", counted)
    manifest = peer.held.manifest(LAST)
    assert manifest is not None
    read.clear()
    for bits in CUT_BITS:
        assert (peer.held.part(LAST, bits, 0) is not None) == (bits == manifest.bits)
    assert read == [manifest.bits]
    assert peer.held.manifest(LAST) is manifest, "made once"
    assert read == [manifest.bits]
