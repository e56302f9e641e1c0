"""What one transaction may cost every node: counted in what is read, the same everywhere, and bounded."""

from __future__ import annotations

import pytest

from registry import ledger
from registry.ledger import BlockContext, Outcome, execute
from registry.limits import FINGERPRINTS_MAX, WORK_MAX
from registry.merkle.log import root
from registry.money import WHOLE
from registry.rules.matches import Matches, matches_of
from registry.state import OutOfWork, State, party_key
from registry.transactions.contacts import AskContact
from registry.transactions.envelope import ALL
from tests.registry.world import World, invoice, mark, name_id


def asked(own: bytes, about: bytes) -> AskContact:
    return AskContact(own, about, mark("text"), "en")


def test_asking_about_what_has_no_fingerprint_in_common_compares_nothing() -> None:
    world = World()
    own = world.registered("a")
    world.registered("b", by="EXP_VN", fingerprints=(("number", mark("number a")),))
    other = world.registered("c", by="EXP_VN")
    read: list[bytes] = []
    shown = world.state

    class Watched(dict[bytes, bytes]):
        def get(self, key: bytes, default: bytes | None = None) -> bytes | None:  # type: ignore[override]
            read.append(key)
            return super().get(key, default)

    world.state = Watched(shown)
    assert [receipt.code for receipt in world.do("EXP_CN", asked(own, other), asked(own, mark("no such")))] == [
        "no_match",
        "no_match",
    ]
    assert not [key for key in read if key.startswith(b"print/")]


def test_beyond_its_work_the_rest_of_a_transaction_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    alike = (("order", mark("frame order")),)
    for number in range(20):
        world.registered(f"a{number}", fingerprints=alike)
    monkeypatch.setattr(ledger, "WORK_MAX", 1_000)
    codes = [each.code for each in world.do("EXP_CN", *(invoice(f"b{n}", fingerprints=alike) for n in range(60)))]
    done = codes.count("ok")
    assert 0 < done < 60
    assert codes == ["ok"] * done + ["limit_reached"] * (60 - done)
    assert world.one("EXP_CN", invoice("next", fingerprints=alike)).code == "ok", "the next has work of its own"


def test_all_or_nothing_leaves_nothing_when_its_work_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    alike = (("order", mark("frame order")),)
    for number in range(20):
        world.registered(f"a{number}", fingerprints=alike)
    before = dict(world.state)
    monkeypatch.setattr(ledger, "WORK_MAX", 1_000)
    receipts = world.do("EXP_CN", *(invoice(f"b{n}", fingerprints=alike) for n in range(60)), mode=ALL)
    assert {each.code for each in receipts} == {"rolled_back", "limit_reached"}
    assert world.state == before


def test_work_is_what_is_read_and_more_where_it_is_decoded_first() -> None:
    world = World()
    size = len(world.state[party_key(name_id("EXP_CN"))])
    for work, enough in ((13 + size // 64, False), (14 + size // 64, True)):
        state = State(world.state.get)
        state.allow(work)
        assert state.party(name_id("EXP_CN")) is not None
        if enough:
            assert state.party(name_id("EXP_CN")) is not None
        for _ in range(2):
            with pytest.raises(OutOfWork):
                state.party(name_id("EXP_CN"))


def test_a_batch_of_the_costliest_questions_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many registrations of one exporter with the same fingerprints: what costs the most for the least."""
    world = World()
    prints = tuple(("transport", mark(f"t{n}")) for n in range(FINGERPRINTS_MAX // 4))
    made = [each.subject for each in world.do("EXP_VN", *(invoice(f"J{n}", fingerprints=prints) for n in range(60)))]
    monkeypatch.setattr(ledger, "WORK_MAX", WORK_MAX // 20)
    codes = [each.code for each in world.do("EXP_VN", *[asked(made[0], made[-1])] * 1000)]
    assert 0 < codes.index("limit_reached") < 200
    assert set(codes[codes.index("limit_reached") :]) == {"limit_reached"}


def test_an_honest_batch_under_one_frame_order_stays_below() -> None:
    """256 invoices that have order, carrier's document and debtor's side in common, in one transaction."""
    world = World()
    alike = (("order", mark("frame")), ("transport", mark("B/L")), ("debtor_side", mark("500.00 on the 30th")))
    batch = [invoice(f"i{n}", fingerprints=(("exact", mark(f"exact {n}")), *alike)) for n in range(256)]
    assert {each.code for each in world.do("EXP_CN", *batch)} == {"ok"}


def test_a_block_begins_nothing_that_could_lead_beyond_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    alike = (("order", mark("frame order")),)
    for number in range(20):
        world.registered(f"a{number}", fingerprints=alike)
    batch = [invoice(f"b{n}", fingerprints=alike) for n in range(60)]
    waiting = [world.transaction("EXP_CN", *batch) for _ in range(5)]
    context = BlockContext(world.genesis.id, world.height + 1, world.now_ms + 1_000)

    def executed() -> Outcome:
        return execute(world.state.get, context, waiting, world.seen.__contains__)

    monkeypatch.setattr(ledger, "WORK_MAX", 1_000)
    assert executed().executed == len(waiting)
    for room, count in ((0, 1), (999, 1), (1_500, 2), (2_500, 3)):  # each does all that it may
        monkeypatch.setattr(ledger, "BLOCK_WORK_MAX", 1_000 + room)
        outcome = executed()
        assert outcome.executed == count
        assert len(outcome.receipts) == 60 * count
        assert outcome.transactions_root == root([transaction.wire for transaction in waiting[:count]])


def test_a_pair_that_a_link_explains_is_compared_once_for_a_kind() -> None:
    """However many fingerprints it has in common."""
    work: dict[int, int] = {}
    for count in (10, 40):
        world = World()
        prints = tuple(("transport", mark(f"t{n}")) for n in range(count))
        order = world.registered("order", fingerprints=prints)
        parents = ((order, WHOLE // 20, WHOLE),)
        batch = [invoice(f"k{n}", fingerprints=prints, parents=parents) for n in range(20)]
        assert {each.code for each in world.do("EXP_CN", *batch)} == {"ok"}
        state = State(world.state.get)
        for _ in range(2):  # nothing is decoded the second time
            state.allow(10**9)
            before = state.work_done
            assert matches_of(world.receivable(order), state, world.now_ms) == Matches()
        work[count] = state.work_done - before
    assert work[40] - work[10] <= 2 * 30, "a list is found, and gone through"
