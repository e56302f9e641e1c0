"""When a transaction is said to have never taken effect: by one node, recent, that knows all it could stand in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from clients import reads
from clients.changes import following
from clients.errors import ProofInvalid, Stale
from clients.session import Session
from clients.submission import Submission
from clients.transport import Settings, Transport
from consensus.blocks import Block
from node.api.transactions import _answer
from node.chain import Chain
from node.layout import BLOCK, at_height
from node.store import MemoryStore, Store
from node.views import open_view
from tests.node.chainworld import certificate_of, transaction_of
from tests.node.snapshots.world import LAST, MINUTE_MS, Peer, World, written
from tests.registry.world import MEMBERS, START_MS, genesis, invoice, key_of

TIP_MS = START_MS + LAST * 5 * MINUTE_MS
IDLE: Any = SimpleNamespace(service=SimpleNamespace(is_pending=lambda _: False, inclusion=lambda _: None))


def test_what_is_in_no_block_until_after_its_expiry_never_took_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    with asking(monkeypatch, written()) as nodes:
        assert lapsed(nodes, never_sent(TIP_MS - 1))
        assert not lapsed(nodes, never_sent(TIP_MS)), "the next block may have it"
        assert not lapsed(nodes, sent_in(1))


def test_a_node_that_began_with_a_state_says_nothing_of_what_is_older(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not know the transactions of the blocks before."""
    young = begun_with_a_state()
    with asking(monkeypatch, young) as nodes:
        for old in (sent_in(1), never_sent(START_MS + 30 * MINUTE_MS)):
            with pytest.raises(Stale, match="archive"):
                lapsed(nodes, old)
        assert lapsed(nodes, never_sent(TIP_MS - 5 * MINUTE_MS)), "of the last hour it knows all"
    with asking(monkeypatch, young, written()) as nodes:
        assert not lapsed(nodes, sent_in(1)), "the next one is asked, and knows it"
        assert lapsed(nodes, never_sent(START_MS + 30 * MINUTE_MS))


@pytest.mark.parametrize("last", [0, 3])
def test_the_newest_block_of_one_node_makes_nothing_of_the_word_of_another(
    monkeypatch: pytest.MonkeyPatch, last: int
) -> None:
    """The first gives its newest block and has no time for the rest; the second is behind, and has not heard of it."""
    with asking(monkeypatch, written(), caught_up_to(last), busy=True) as nodes, pytest.raises(Stale):
        lapsed(nodes, sent_in(5))
    with asking(monkeypatch, caught_up_to(last), written()) as nodes:
        assert not lapsed(nodes, sent_in(5))


@pytest.mark.parametrize("since", [None, "0", -1, True, 1.5])
def test_since_when_a_node_knows_all_is_a_time(monkeypatch: pytest.MonkeyPatch, since: object) -> None:
    with asking(monkeypatch, written(), lie={"known_since_ms": since}) as nodes, pytest.raises(ProofInvalid):
        lapsed(nodes, never_sent(TIP_MS - 1))


def lapsed(nodes: Transport, submission: Submission) -> bool:
    session = Session(genesis=genesis(), party=MEMBERS["EXP_CN"][0], signer=key_of("EXP_CN"))
    return nodes.run(following(session, reads.lapsed(session, submission)))


@contextmanager
def asking(
    monkeypatch: pytest.MonkeyPatch, *stores: Store, busy: bool = False, lie: dict[str, object] | None = None
) -> Iterator[Transport]:
    """Nodes with these stores, asked in this order a second after the newest block.

    If `busy`, the first has no time for questions about transactions.
    """

    def answer(request: httpx.Request) -> httpx.Response:
        number = int(request.url.host.removeprefix("node"))
        with stores[number].snapshot() as reader:
            view = open_view(reader)
            if request.url.path == "/v1/blocks/latest":
                return httpx.Response(200, json=view.block(view.height))
            if busy and not number:
                return httpx.Response(429, json={"code": "rate_limited"})
            found = _answer(IDLE, view, bytes.fromhex(request.url.path.rpartition("/")[2]))
            return httpx.Response(200, json=found | (lie or {}))

    monkeypatch.setattr("clients.session.time.time_ns", lambda: (TIP_MS + 1_000) * 1_000_000)
    urls = tuple(f"http://node{number}" for number in range(len(stores)))
    with Transport(Settings(urls=urls, signer=None), sleep=lambda _: None) as transport:
        transport._http = httpx.Client(transport=httpx.MockTransport(answer))
        yield transport


def sent_in(height: int) -> Submission:
    """A transaction that is final in this block."""
    block = Block.decode(written().get(at_height(BLOCK, height)) or b"")
    return Submission.of(block.transactions[0], genesis().id)


def never_sent(until_ms: int) -> Submission:
    made = transaction_of("EXP_CN", invoice("never sent"), until_ms=until_ms)
    return Submission.of(made.wire, genesis().id)


def begun_with_a_state() -> Store:
    store = MemoryStore()
    World(store, {bytes([n]) * 32: Peer(written()) for n in range(1, 4)}).run()
    return store


def caught_up_to(last: int) -> Store:
    store = MemoryStore()
    chain = Chain.open(store, genesis())
    for height in range(1, last + 1):
        block = Block.decode(written().get(at_height(BLOCK, height)) or b"")
        chain.commit(block, certificate_of(block), puts={})
    return store
