"""Whatever is done in disputes: claims keep share, holder and place, nothing new is taken meanwhile, shares add up.

An order, its invoice and an instalment of that, 60% of the invoice financed by two; the debtor, the seller and a holder
dispute any of them, everybody signs everything, and days go by.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from registry.ledger import BlockContext, execute
from registry.money import WHOLE
from registry.records import Dispute, Receivable, decode_record
from registry.records.disputes import DISPUTE_STATES, GROUNDS, OUTCOMES
from registry.rules.rulebook import DAY_MS
from registry.rules.transitions import OPEN
from registry.transactions.claims import Offer
from registry.transactions.disputes import (
    AnswerDispute,
    ConcludeDispute,
    DecideDispute,
    EscalateDispute,
    RaiseDispute,
    SettleDispute,
    Standing,
    WithdrawDispute,
)
from registry.transactions.governance import Approve, Award, Propose
from tests.registry.world import World, mark, name_id, salt_of

ALL = ("IMP_DE", "EXP_CN", "F_CN", "F_SG")
TEXT = (mark("text"), "en")
SHARES = st.one_of(st.integers(1, 100).map(lambda percent: percent * WHOLE // 100), st.integers(1, WHOLE))
RAISE = st.tuples(
    st.just("raise"), st.integers(0, 2), st.sampled_from(["IMP_DE", "EXP_CN", "F_CN"]), st.sampled_from(GROUNDS), SHARES
)
MOVE = st.tuples(
    st.sampled_from(["answer", "escalate", "forum", "withdraw", "settle", "decide", "conclude", "award"]),
    st.integers(0, 3),
    st.sampled_from([ALL, ALL, ("IMP_DE",), ("EXP_CN",), ("F_CN",), ("IMP_DE", "EXP_CN")]),
    st.sampled_from(OUTCOMES),
    SHARES,
)
# As disputes go: mostly the next step in one, at times all that it takes to come before a forum at once.
PATH = st.tuples(st.just("path"), st.integers(0, 3))
WAIT = st.tuples(st.just("wait"), st.sampled_from([1, 31, 61, 91, 1100]))


class Story:
    """The three receivables, their claims, and the disputes so far."""

    def __init__(self) -> None:
        self.world = World()
        order = self.world.registered("order", kind="purchase_order")
        whole = self.world.registered("invoice", parents=((order, WHOLE, WHOLE),))
        self.claims = [self.world.funded(whole, to="F_CN", percent=40), self.world.funded(whole, to="F_SG", percent=20)]
        part = self.world.registered("part", kind="instalment", parents=((whole, WHOLE // 2, WHOLE),))
        self.chain = {"order": order, "invoice": whole, "part": part}
        self.disputes: list[bytes] = []

    def found(self, dispute: bytes) -> Dispute:
        return decode_record(Dispute, self.world.state[Dispute.PREFIX + dispute])

    def do(self, step: tuple[Any, ...]) -> None:
        kind, *rest = step
        if kind == "wait":
            self.world.block([], after_ms=rest[0] * DAY_MS)
        elif kind == "raise":
            self.raise_(*rest)
        elif self.disputes:
            subject = self.disputes[-1 - rest[0] % len(self.disputes)]
            if kind == "path":
                for move in ("answer", "escalate", "answer", "forum"):
                    self.move(move, subject, ALL, "dismissed", 0)
            else:
                self.move(kind, subject, *rest[1:])

    def raise_(self, which: int, by: str, ground: str, share: int) -> None:
        tag = list(self.chain)[which]
        standing: dict[str, Standing] = {
            "IMP_DE": ("debtor", salt_of(tag), name_id("IMP_DE")),
            "EXP_CN": (),
            "F_CN": ("claim", self.claims[0]),
        }
        receipt = self.world.one(by, RaiseDispute(self.chain[tag], standing[by], ground, share, *TEXT))
        if receipt.done:
            self.disputes.append(receipt.subject)

    def move(self, kind: str, subject: bytes, by: tuple[str, ...], outcome: str, share: int) -> None:
        reduction = share if outcome == "reduced" else 0
        if kind == "award":
            proposed = self.world.one("F_CN", Propose(Award(subject, outcome, reduction, mark("award"), "en")))
            for authority in ("F_SG", "F_DE"):
                self.world.one(authority, Approve(proposed.subject))
            return
        operations = {
            "answer": AnswerDispute(subject, *TEXT),
            "escalate": EscalateDispute(subject, (), *TEXT),
            "forum": EscalateDispute(subject, ("HKIAC",), *TEXT),
            "withdraw": WithdrawDispute(subject, *TEXT),
            "settle": SettleDispute(subject, reduction, *TEXT),
            "decide": DecideDispute(subject, outcome, reduction, mark("award"), "en"),
            "conclude": ConcludeDispute(subject),
        }
        self.world.one(by, operations[kind])  # type: ignore[arg-type]

    def record(self, tag: str) -> Receivable:
        return self.world.receivable(self.chain[tag])

    def check(self, claims: list[Any]) -> None:
        found = [self.found(one) for one in self.disputes]
        assert [self.world.claim(one) for one in self.claims] == claims, "a dispute changes no claim"
        assert [live.claim for live in self.record("invoice").live] == self.claims, "nor their order"
        for tag, receivable in self.chain.items():
            own = [one for one in found if one.receivable == receivable]
            record = self.record(tag)
            assert record.collectible == WHOLE - sum(one.reduction for one in own), "shares add up"
            stored = [one.id for one in own if one.state == "open" and record.state != "voided"]
            assert set(record.disputes) <= set(stored)
            assert {one.id for one in own if one.suspends_at(self.world.now_ms)} & set(stored) <= set(record.disputes)
            for one in own:
                assert one.state in DISPUTE_STATES
                assert 0 <= one.reduction <= one.share
                assert one.state == "open" or one.state_at(2**48) == one.state
                assert (record.state == "voided") >= (one.state == "voided")

    def takes_claims_exactly_while_nothing_is_disputed(self) -> None:
        """All three are one line: a dispute on any of them stops all, and below a voided one nothing is sold."""
        now_ms = self.world.now_ms + 1_000
        running = any(self.found(one).suspends_at(now_ms) for tag in self.chain for one in self.record(tag).disputes)
        voided = False
        for tag, receivable in self.chain.items():  # from the order down
            voided = voided or self.record(tag).state == "voided"
            if self.record(tag).state in OPEN:
                offer = Offer(receivable, name_id("F_GB"), 1, mark("terms"), now_ms + DAY_MS)
                block = BlockContext(self.world.genesis.id, self.world.height + 1, now_ms)
                transaction = self.world.transaction("EXP_CN", offer)
                (receipt,) = execute(self.world.state.get, block, [transaction], lambda _: False).receipts
                assert receipt.code == ("bad_state" if voided else "disputed" if running else "ok")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(RAISE, MOVE, MOVE, PATH, WAIT), min_size=4, max_size=20), RAISE)
def test_no_sequence_of_dispute_operations_touches_a_claim(
    steps: list[tuple[Any, ...]], first: tuple[Any, ...]
) -> None:
    story = Story()
    claims = [story.world.claim(one) for one in story.claims]
    for step in (first, *steps):
        story.do(step)
        story.check(claims)
    story.takes_claims_exactly_while_nothing_is_disputed()


def test_the_property_meets_every_ending() -> None:
    """The steps above do reach what they claim to be about."""
    seen = set()
    for ending, outcome in (("withdraw", ""), ("settle", "reduced"), ("decide", "dismissed"), ("award", "voided")):
        story = Story()
        story.do(("raise", 1, "IMP_DE", "no_such_debt", WHOLE // 10))
        story.do(("path", 0))
        story.do((ending, 0, ALL, outcome, WHOLE // 20))
        seen.add(story.found(story.disputes[0]).state)
    story = Story()
    story.do(("raise", 0, "IMP_DE", "refusal", WHOLE // 10))
    story.do(("wait", 91))
    story.do(("conclude", 0, ALL, "", 0))
    seen.add(story.found(story.disputes[0]).state)
    assert seen == set(DISPUTE_STATES) - {"open"}
