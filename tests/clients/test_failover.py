"""Nodes die, are cut off and come back: what was submitted is decided once, and its outcome is had in the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from clients import exporter as exporter_module
from clients.errors import ClientError, NotFinal, Unreachable
from clients.exporter import Interrupted, Registration
from registry.money import WHOLE
from tests.cast import AUTHORITIES, Cast, network
from tests.clients.liar import lying
from tests.clients.stage import Stage, offered, unlike

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120)]

OTHERS = ("f-sg", "f-de", "f-gb")


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A network of these tests alone: its nodes may be killed."""
    with network(tmp_path_factory.mktemp("fragile")) as devnet:
        devnet.start_all()
        yield Stage(Cast(devnet))


@pytest.fixture
def mortal(fragile: Stage) -> Iterator[Stage]:
    """The same, all nodes up again after the test."""
    yield fragile
    devnet = fragile.cast.devnet
    devnet.start_all([name for name in AUTHORITIES if not devnet.is_running(name)])


@pytest.mark.parametrize("kind", ["blocking", "asyncio"])
def test_the_own_node_is_killed_in_the_middle(mortal: Stage, kind: Any) -> None:
    devnet, halfway, killed = mortal.cast.devnet, threading.Event(), threading.Event()
    outcomes: list[Registration] = []

    def work() -> None:
        with Stage(mortal.cast, kind).exporter() as client:
            for turn in range(6):
                outcomes.append(client.register(unlike()))
                if turn == 1:
                    halfway.set()

    def kill() -> None:
        assert halfway.wait(20)
        devnet.kill("f-cn")
        killed.set()

    threads = [threading.Thread(target=work), threading.Thread(target=kill)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert killed.is_set()
    assert len({outcome.receivable for outcome in outcomes}) == 6
    with mortal.exporter(node="f-sg") as reader:
        assert all(reader.receivable(outcome.receivable) is not None for outcome in outcomes)


def test_all_nodes_down_is_unreachable_and_the_same_wire_counts_later(mortal: Stage) -> None:
    devnet = mortal.cast.devnet
    with mortal.exporter() as exporter, mortal.financier("f-sg", "f-cn") as financier:
        receivable = exporter.register(unlike()).receivable
        claim = offered(exporter, receivable, "f-sg")
        (prepared,) = exporter.prepare([unlike()])
        for name in AUTHORITIES:
            devnet.kill(name)
        with pytest.raises(Unreachable) as unreachable:
            financier.finance(claim)
        with pytest.raises(Unreachable) as of_prepared:
            exporter.submit(prepared)
        assert of_prepared.value.submission == prepared.submission
        assert all(devnet.url(name) in str(unreachable.value) for name in AUTHORITIES)
        devnet.start_all(OTHERS)
        assert exporter.submit(prepared)[0].receipt.done
        assert unreachable.value.submission is not None
        final = financier.resume(unreachable.value.submission)
        assert [receipt.code for receipt in final.receipts] == ["ok", "ok"]
        assert financier.resume(unreachable.value.submission) == final
        assert sum(live.share for live in financier.receivable(receivable).live) == WHOLE


def test_without_a_quorum_nothing_is_final_and_later_it_is(mortal: Stage) -> None:
    devnet = mortal.cast.devnet
    with mortal.exporter(final_within_s=0.5) as hasty, mortal.exporter() as patient:
        known = patient.register(unlike()).receivable
        for name in OTHERS:
            devnet.kill(name)
        with pytest.raises(Interrupted) as failure:
            hasty.register(unlike())
        assert isinstance(failure.value.__cause__, NotFinal)
        assert failure.value.outcomes == ()
        (left,) = failure.value.left
        assert f"{left.submission.transaction_id.hex()} is not final after 0.5 s" in str(failure.value)
        assert hasty.receivable(known) is not None
        assert hasty.receivable(left.dossiers[0].receivable) is None
        devnet.start_all(OTHERS[:2])
        (outcome,) = patient.submit(left)
    assert outcome.dossier == left.dossiers[0]
    assert outcome.receipt.done


def test_registering_many_goes_on_where_it_stopped(mortal: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter_module, "BATCH_MAX", 2)
    listings = [unlike() for _ in range(5)]
    with lying(mortal.cast.devnet.url("f-cn")) as relay:
        taken = 0

        def breaks_down(path: str, answer: Any) -> Any:
            nonlocal taken
            taken += path == "/v1/transactions"
            relay.status = 503 if taken > 1 else None
            return answer

        relay.lie = breaks_down
        with mortal.exporter(urls=[relay.url]) as client, pytest.raises(Interrupted) as failure:
            client.register_all(listings)
    stopped = failure.value
    assert isinstance(stopped.__cause__, Unreachable)
    assert [len(batch.listings) for batch in stopped.left] == [2, 1]
    assert stopped.submission == stopped.left[0].submission
    with mortal.exporter() as client:
        outcomes = [*stopped.outcomes, *(outcome for batch in stopped.left for outcome in client.submit(batch))]
    assert [outcome.dossier.particulars for outcome in outcomes] == [made.particulars for made in listings]


@pytest.mark.parametrize(
    "url", ["localhost:8001", "http://", "ftp://node.example", "http://node.example:99999", "http://[::1", "a b"]
)
def test_what_is_no_url_is_said_at_once(mortal: Stage, url: str) -> None:
    with pytest.raises(ClientError, match="URL"):
        mortal.exporter(urls=[url])
