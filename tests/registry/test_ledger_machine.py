"""Random histories, valid and invalid steps mixed: whatever happens, what must hold does hold.

After every block: the invariant on every open receivable that no credit note or part confirmation has over-advanced;
whenever a share is taken, the invariant on all that it weighs on, closed ancestors and lowered records included; shares
conserved, receivables and claims telling the same story, parts of parents within the whole, one receipt per operation,
refusals without effect, and the same bytes when the block is executed again.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from registry.ledger import BlockContext, execute
from registry.money import WHOLE
from registry.records import Claim, Dispute, Receivable, decode_record
from registry.records.disputes import GROUNDS, OUTCOMES
from registry.records.external_claims import END_GROUNDS, ExternalClaim
from registry.rules.rulebook import DAY_MS
from registry.rules.transitions import OPEN, VACATED
from registry.state import print_key
from registry.transactions.claims import Discharge, Fund, Offer, Reassign, Release, Reserve, Revoke
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
from registry.transactions.external_claims import EndExternalClaim, RecordExternalClaim, Shown
from registry.transactions.facilities import CarveOutReceivable, CloseFacility, Draw, OpenFacility, Scope
from registry.transactions.governance import Approve, Award, Propose
from registry.transactions.notices import Acknowledge, Deem, Notify, ProveReceipt
from registry.transactions.operations import Operation
from registry.transactions.receivables import Adjust, Confirm, Expire, Reject, debtor_commitment
from tests.registry.world import PERCENT, World, invoice, mark, name_id

FINANCIERS = ("F_CN", "F_SG")
EVERYBODY = ("EXP_CN", *FINANCIERS)
SIGNERS = st.sampled_from([EVERYBODY, EVERYBODY, EVERYBODY, ("F_CN",), ("F_SG",), ("EXP_CN",), ("stranger",)])
FINANCIER = st.sampled_from(FINANCIERS)
SHARES = st.one_of(st.integers(5, 60).map(lambda percent: percent * PERCENT), st.integers(1, WHOLE))
PICK = st.integers(0, 40)
SALT = mark("salt")
CHILE = {"seller_country": "CL", "debtor_country": "CL"}  # where silence is acceptance after a while
TEXT = (mark("text"), "en")
DISPUTANTS = (("IMP_DE",), ("EXP_CN",), ("F_CN",), ("IMP_DE", "EXP_CN"), ("EXP_CN", "F_CN"), ("IMP_DE", *EVERYBODY))
MOVES = ("answer", "escalate", "to the forum", "withdraw", "settle", "decide", "conclude", "award")
DUE_IS_OVER_MS = 1_785_585_600_000  # 2026-08-01T12:00Z: July, in which all are due, is over everywhere
COMMITMENT = debtor_commitment(salt=SALT, identifier=name_id("IMP_DE"))


def weight(record: Receivable, records: dict[bytes, Receivable], now_ms: int) -> Fraction:
    """direct + down + up, straight from registry.md 4 and without rounding: the rules are not asked."""

    def live(one: Receivable) -> int:
        return sum(live.share for live in one.live if live.until_ms == 0 or live.until_ms >= now_ms)

    def down(one: Receivable) -> Fraction:
        parents = [(records[link.receivable], link.part_of_child) for link in one.parents]
        return sum(((live(it) + it.paid + down(it)) * Fraction(part, WHOLE) for it, part in parents), Fraction(0))

    def up(one: Receivable) -> Fraction:
        children = [(records[link.receivable], link.part_of_parent) for link in one.children]
        return sum(((live(it) + it.paid + up(it)) * Fraction(part, WHOLE) for it, part in children), Fraction(0))

    return live(record) + down(record) + up(record)


class Ledger(RuleBasedStateMachine):
    """A network of one exporter, two financiers and a debtor, driven at random."""

    @initialize(part=st.integers(1, WHOLE - 1))
    def start(self, part: int) -> None:
        self.world = World()
        self.receivables: list[bytes] = []
        self.claims: list[bytes] = []
        self.notices: list[bytes] = []
        self.lowered: set[bytes] = set()  # receivables whose collectible share was cut
        self.notes: set[tuple[bytes, bytes]] = set()  # receivable and credit note, of those that counted
        self.disputes: list[bytes] = []
        self.blankets: dict[bytes, tuple[str, int]] = {}  # facility -> holder, until when its blanket stands
        self.carved: set[bytes] = set()  # receivables let go by the blanket's holder
        self.outside: dict[bytes, bool] = {}  # external claim -> whether it stands
        self.made = 0
        self.register(0, [], 1)
        self.register(0, [(0, part)], 1)
        self.register(0, [(0, WHOLE - part)], 1)

    def receivable(self, pick: int) -> bytes:
        return self.receivables[pick % len(self.receivables)]

    def claim(self, pick: int) -> bytes:
        """Mostly a live claim, else one of the latest, or none that exists."""
        live = [one for one in self.claims if self.world.claim(one).state in ("reserved", "funded")]
        some = live if live and pick % 4 else self.claims[-8:]
        return some[pick % len(some)] if some else mark("none")

    @rule(copy=st.integers(0, 9), parents=st.lists(st.tuples(PICK, SHARES), max_size=2), cut=st.integers(1, WHOLE - 1))
    def register(self, copy: int, parents: list[tuple[int, int]], cut: int) -> None:
        """A new receivable, or (`copy` 9) a certain duplicate of the one before."""
        self.made += copy != 9
        chosen = {self.receivable(pick): part for pick, part in parents}
        of_child = {0: [], 1: [WHOLE], 2: [cut, WHOLE - cut]}[len(chosen)]
        links = tuple((parent, up, down) for (parent, up), down in zip(chosen.items(), of_child, strict=True))
        prints = (("exact", mark(f"exact {self.made}")), ("number", mark(f"number {self.made // 2}")))
        operation = invoice("x", fingerprints=prints, debtor_commitment=COMMITMENT, parents=links, **CHILE)
        receipt = self.act("EXP_CN", [operation])[0]
        if receipt.done:
            self.receivables.append(receipt.subject)
            self.nothing_claimed_is_registered_beside(receipt.subject)

    def nothing_claimed_is_registered_beside(self, made: bytes) -> None:
        """Of one certain identity: what weighs on a record that is over weighs on what its registrant registers now."""
        records = self.records()
        new = records[made]
        for old in records.values():
            if {link.receivable for link in old.parents} & {link.receivable for link in new.parents}:
                continue  # their parent counts both
            if old.state in ("expired", "cancelled", "rejected") and old.fingerprints[0] == new.fingerprints[0]:
                alone = dataclasses.replace(old, parents=())
                now_ms = self.world.now_ms
                assert weight(alone, records, now_ms) == 0, "nothing on it or through its parts"
                assert weight(old, records, now_ms) == 0, "nor through its parents"

    @rule(pick=PICK)
    def expire(self, pick: int) -> None:
        """The exporter ends one that is over: judged here by walking, not by the rules."""
        before, now_ms = self.records(), self.world.now_ms + 1_000
        idle = [one.id for one in before.values() if one.state in OPEN and not one.live]
        target = idle[pick % len(idle)] if idle and pick % 4 else self.receivable(pick)
        old = before[target]
        (receipt,) = self.act("EXP_CN", [Expire(target)])
        now = self.records()
        if not receipt.done:
            return
        assert now_ms >= DUE_IS_OVER_MS
        assert old.state in OPEN
        assert weight(old, before, now_ms) == 0, "nothing is claimed, nor collected through others"
        below = self.reach(target, before, upwards=False)[1:]
        assert all(self.over(before[one]) for one in below), "a part that is not over keeps the whole"
        assert not self.standing_outside(target)
        assert not any(one.runs_at(now_ms) for one in map(self.found, self.disputes) if one.receivable == target)
        over = dataclasses.replace(old, state="expired")
        if old.paid:
            self.lowered.add(target)
            over = dataclasses.replace(old, state="settled", collectible=0)
        assert now == before | {target: over}, "nothing else changes"

    @rule(pick=PICK, to=FINANCIER, share=SHARES, ttl_ms=st.sampled_from([1_500, 600_000]), steps=st.integers(1, 3))
    def finance(self, pick: int, to: str, share: int, ttl_ms: int, steps: int) -> None:
        """Offer, and maybe reserve, and maybe fund."""
        offer = Offer(self.receivable(pick), name_id(to), share, mark("terms"), self.world.now_ms + 10_000)
        path = [offer, Reserve(0, ttl_ms), Fund(0, self.everything())]
        receipts = self.act(("EXP_CN", to), path[:steps])
        if receipts[0].done:
            self.claims.append(receipts[0].subject)

    @rule(pick=PICK, by=SIGNERS, acknowledge=st.booleans())
    def fund(self, pick: int, by: tuple[str, ...], acknowledge: bool) -> None:
        some = tuple(self.receivables) if pick % 2 else ()
        self.act(by, [Fund(self.claim(pick), self.everything() if acknowledge else some)])

    @rule(pick=PICK, by=SIGNERS)
    def reserve(self, pick: int, by: tuple[str, ...]) -> None:
        self.act(by, [Reserve(self.claim(pick), 5_000)])

    @rule(pick=PICK, by=SIGNERS, share=SHARES)
    def discharge(self, pick: int, by: tuple[str, ...], share: int) -> None:
        claim = self.claim(pick)
        if claim in self.claims and share % 2:
            share = max(1, self.world.claim(claim).share)  # all of it
        self.act(by, [Discharge(claim, share)])

    @rule(pick=PICK, by=SIGNERS)
    def release_or_revoke(self, pick: int, by: tuple[str, ...]) -> None:
        self.act(by, [Release(self.claim(pick)), Revoke(self.claim(pick))])

    @rule(pick=PICK, by=SIGNERS, to=st.sampled_from(EVERYBODY))
    def reassign(self, pick: int, by: tuple[str, ...], to: str) -> None:
        self.act(by, [Reassign(self.claim(pick), name_id(to))])

    @rule(pick=PICK, share=SHARES, answer=st.sampled_from(["credit note", "confirm", "part", "reject"]))
    def lower(self, pick: int, share: int, answer: str) -> None:
        """Rarely on purpose (every fourth receivable): what is lowered is out of the strict invariant."""
        target = self.receivable(pick - pick % 4 + 3)
        credited = self.world.receivable(target).collectible if share % 2 else share  # often all of it
        steps: dict[str, tuple[str, Operation]] = {
            "credit note": ("EXP_CN", Adjust(target, max(1, credited), mark(f"note {pick % 3}"))),
            "confirm": ("IMP_DE", Confirm(target, SALT, name_id("IMP_DE"), mark("commitment x"), WHOLE, mark("text"))),
            "part": ("IMP_DE", Confirm(target, SALT, name_id("IMP_DE"), mark("commitment x"), share, mark("text"))),
            "reject": ("IMP_DE", Reject(target, SALT, name_id("IMP_DE"), mark("reason"))),
        }
        by, operation = steps[answer]
        if self.act(by, [operation])[0].done and answer in ("credit note", "part"):
            self.lowered.add(target)
            if isinstance(operation, Adjust):
                note = (target, operation.document_digest)
                assert note not in self.notes, "a document lowers a receivable once"
                self.notes.add(note)

    @rule(pick=PICK, other=PICK, to=FINANCIER, share=SHARES)
    def take_out(self, pick: int, other: int, to: str, share: int) -> None:
        """All or nothing: an old claim is released and a new one funded in its place."""
        until = self.world.now_ms + 10_000
        steps = [
            Release(self.claim(pick)),
            Offer(self.receivable(other), name_id(to), share, mark("terms"), until),
            Reserve(1, 60_000),
            Fund(1, self.everything()),
        ]
        receipts = self.act(("EXP_CN", *FINANCIERS), steps, mode="all")
        codes = {receipt.done for receipt in receipts}
        assert len(codes) == 1, "all or none"
        if receipts[0].done:
            self.claims.append(receipts[1].subject)

    @rule(pick=PICK, same_links=st.booleans())
    def supersede(self, pick: int, same_links: bool) -> None:
        """A correction under the same fingerprints, with the links of the old one or with none."""
        old = self.world.receivable(self.receivable(pick))
        links = tuple(old.parents) if same_links else ()
        prints = old.fingerprints
        operation = invoice("x", fingerprints=prints, debtor_commitment=COMMITMENT, parents=links, supersedes=old.id)
        before = self.records()
        asserted = {one.id for one in self.all_outside() if one.stands and one.receivable == old.id}
        receipt = self.act("EXP_CN", [operation])[0]
        if receipt.done:
            self.receivables.append(receipt.subject)
            assert self.world.receivable(old.id).state == "superseded"
            assert asserted <= self.standing_outside(receipt.subject), "nor what is asserted of it"
            now_ms = self.world.now_ms
            now = self.records()
            assert weight(now[receipt.subject], now, now_ms) == weight(old, before, now_ms), "no claim is shaken off"

    @rule(pick=PICK, by=SIGNERS)
    def notify(self, pick: int, by: tuple[str, ...]) -> None:
        """And prove its receipt at once."""
        steps = [Notify(self.claim(pick), "edi", "en", mark("notice"), mark("account")), self.proof(0)]
        receipts = self.act(by, steps)
        if receipts[0].done:
            self.notices.append(receipts[0].subject)

    def proof(self, notice: int) -> ProveReceipt:
        return ProveReceipt(notice, self.world.now_ms + 1_000, mark("receipt"))

    @rule(pick=PICK, accepts=st.booleans())
    def acknowledge(self, pick: int, accepts: bool) -> None:
        notice = self.notices[pick % len(self.notices)] if self.notices else mark("none")
        shown = (mark("notice"), mark("account"))
        self.act("IMP_DE", [Acknowledge(notice, name_id("IMP_DE"), *shown, accepts, SALT)])

    @rule(pick=PICK, by=SIGNERS)
    def deem(self, pick: int, by: tuple[str, ...]) -> None:
        """Ten days after the last notice of all; what was reserved has lapsed by then."""
        if pick % 4 == 0:
            self.world.block([], after_ms=10 * 86_400_000)
        self.act(by, [Deem(notice) for notice in self.notices[-2:]] or [Deem(mark("none"))])

    @rule(by=FINANCIER, length_ms=st.sampled_from([1_500, 4_000, 30_000]))
    def blanket(self, by: str, length_ms: int) -> None:
        """All receivables of the exporter go to one financier, for a while."""
        until_ms = self.world.now_ms + length_ms
        terms = (mark("terms"), mark("rules"), Scope((), mark("filing"), until_ms))
        receipt = self.act(("EXP_CN", by), [OpenFacility(name_id("EXP_CN"), name_id(by), *terms)])[0]
        standing = {holder for holder, until in self.blankets.values() if until >= self.world.now_ms}
        assert receipt.done == (standing <= {name_id(by)})
        if receipt.done:
            self.blankets[receipt.subject] = (name_id(by), until_ms)

    @rule(pick=PICK, share=SHARES, acknowledged=st.booleans())
    def draw(self, pick: int, share: int, acknowledged: bool) -> None:
        """Both sides of a facility put a receivable into its pool."""
        if self.blankets:
            facility = list(self.blankets)[pick % len(self.blankets)]
            holder, _ = self.blankets[facility]
            seen = tuple(self.receivables) if acknowledged else ()
            sides = ("EXP_CN", next(name for name in FINANCIERS if name_id(name) == holder))
            receipt = self.act(sides, [Draw(facility, self.receivable(pick), share, seen)])[0]
            if receipt.done:
                self.claims.append(receipt.subject)

    @rule(pick=PICK, by=SIGNERS, ends=st.booleans())
    def let_go(self, pick: int, by: tuple[str, ...], ends: bool) -> None:
        """The holder of a blanket ends it, or carves one receivable out of it."""
        if self.blankets:
            facility, receivable = list(self.blankets)[pick % len(self.blankets)], self.receivable(pick)
            step = CloseFacility(facility) if ends else CarveOutReceivable(facility, receivable)
            if self.act(by, [step])[0].done:
                if ends:
                    del self.blankets[facility]
                else:
                    self.carved.add(receivable)

    def everything(self) -> tuple[bytes, ...]:
        """All that a funding may have to acknowledge."""
        return (*self.receivables, *self.outside, *self.disputes)

    @rule(pick=PICK, by=st.sampled_from(["IMP_DE", "F_GB", *EVERYBODY]), share=SHARES)
    def say_what_is_outside(self, pick: int, by: str, share: int) -> None:
        """By debtor, seller, a financier with a claim, one that searches, or one that may not."""
        target = self.receivable(pick)
        shown: Shown = ("debtor", SALT, name_id("IMP_DE")) if by == "IMP_DE" else ()
        if by == "F_GB" and pick % 2:
            shown = ("fingerprint", *self.world.receivable(target).fingerprints[0])
        receipt = self.beside(by, RecordExternalClaim(target, shown, "CL:RPETC", mark(f"AEC {pick % 3}"), share=share))
        if receipt.done:
            self.outside[receipt.subject] = True

    @rule(pick=PICK, by=st.sampled_from(["IMP_DE", "F_GB", *EVERYBODY]), ground=st.sampled_from(END_GROUNDS))
    def end_what_is_outside(self, pick: int, by: str, ground: str) -> None:
        latest = list(self.outside)[-4:]
        subject = latest[pick % len(latest)] if latest else mark("none")
        if self.beside(by, EndExternalClaim(subject, ground, mark("evidence"))).done:
            assert self.outside[subject], "it is ended once"
            self.outside[subject] = False

    def beside(self, by: str, operation: Operation) -> Any:
        """One step that decides nothing: no record of a receivable, claim, dispute or facility changes."""
        before = dict(self.world.state)
        (receipt,) = self.act(by, [operation])
        changed = {key for key, value in self.world.state.items() if before.get(key) != value}
        assert all(key.startswith(b"external") for key in changed)
        assert len(changed) == (2 if receipt.done else 0)
        return receipt

    def standing_outside(self, receivable: bytes) -> set[bytes]:
        """The external claims that stand on a receivable or what it is linked with, up and down, and is not over."""
        records = self.records()
        lineage = {receivable}
        for upwards in (True, False):
            queue = [receivable]
            for one in queue:  # grows while it is walked
                links = records[one].parents if upwards else records[one].children
                queue += [link.receivable for link in links if link.receivable not in queue]
            lineage |= {one for one in queue if records[one].state not in VACATED}
        found = [one for one in self.all_outside() if one.receivable in lineage and self.outside[one.id]]
        return {one.id for one in found}

    def all_outside(self) -> list[ExternalClaim]:
        state = self.world.state
        return [decode_record(ExternalClaim, state[ExternalClaim.PREFIX + one]) for one in self.outside]

    @rule(step_ms=st.sampled_from([1, 2_000, 20_000]))
    def time_passes(self, step_ms: int) -> None:
        self.world.block([], after_ms=step_ms)

    @rule(pick=PICK, by=st.sampled_from(["IMP_DE", *EVERYBODY]), ground=st.sampled_from(GROUNDS), share=SHARES)
    def raise_dispute(self, pick: int, by: str, ground: str, share: int) -> None:
        """By whoever may have standing; rarely on purpose, as `lower`."""
        target = self.receivable(pick - pick % 4 + 3)
        standing: Standing = ()
        if by == "IMP_DE":
            standing = ("debtor", SALT, name_id("IMP_DE"))
        elif by in FINANCIERS:
            standing = ("claim", self.claim(pick))
        receipt = self.dispute(by, RaiseDispute(target, standing, ground, share, *TEXT))
        if receipt.done:
            self.disputes.append(receipt.subject)

    @rule(
        pick=PICK,
        by=st.sampled_from(DISPUTANTS),
        move=st.sampled_from(MOVES),
        outcome=st.sampled_from(OUTCOMES),
        share=SHARES,
    )
    def go_on(self, pick: int, by: tuple[str, ...], move: str, outcome: str, share: int) -> None:
        """A step in one of the latest disputes, or in none."""
        latest = self.disputes[-3:]
        subject = latest[pick % len(latest)] if latest else mark("none")
        reduction = share if outcome == "reduced" else 0
        steps: dict[str, Operation] = {
            "answer": AnswerDispute(subject, *TEXT),
            "escalate": EscalateDispute(subject, (), *TEXT),
            "to the forum": EscalateDispute(subject, ("ICC", "SG"), *TEXT),
            "withdraw": WithdrawDispute(subject, *TEXT),
            "settle": SettleDispute(subject, reduction, *TEXT),
            "decide": DecideDispute(subject, outcome, reduction, mark("award"), "en"),
            "conclude": ConcludeDispute(subject),
        }
        if move != "award":
            self.dispute(by, steps[move])
            return
        proposed = self.dispute("F_CN", Propose(Award(subject, outcome, reduction, mark("award"), "en")))
        for authority in ("F_SG", "F_DE"):
            self.dispute(authority, Approve(proposed.subject))

    @rule(count=st.sampled_from([1, 31, 61, 1100]))
    def days_pass(self, count: int) -> None:
        self.world.block([], after_ms=count * DAY_MS)

    def dispute(self, by: str | tuple[str, ...], operation: Operation) -> Any:
        """One step of a dispute, which changes no claim's share, holder, state or place: only what is collectible."""
        claims, records = [self.world.claim(one) for one in self.claims], self.records()
        before = sum(one.collectible for one in records.values())
        taken = self.reductions()
        (receipt,) = self.act(by, [operation])
        assert [self.world.claim(one) for one in self.claims] == claims
        after = self.records()
        for record in records.values():
            now = after[record.id]
            kept = ("live", "claims", "paid", "parents", "children", "fingerprints", "registrant", "confirmed_share")
            assert all(getattr(now, name) == getattr(record, name) for name in kept)
            if now.collectible != record.collectible:
                self.lowered.add(record.id)
        assert before - sum(one.collectible for one in after.values()) == self.reductions() - taken
        return receipt

    def found(self, dispute: bytes) -> Dispute:
        return decode_record(Dispute, self.world.state[Dispute.PREFIX + dispute])

    def reductions(self) -> int:
        return sum(self.found(one).reduction for one in self.disputes)

    def suspended(self, now_ms: int, *, above: bool = True) -> set[bytes]:
        """The receivables on which a claim would weigh on a disputed one, found by walking from the disputed ones.

        Without those `above` a disputed one: on them no new claim is taken, but a funded one is sold.
        """
        records = self.records()
        disputed = {one.receivable for one in map(self.found, self.disputes) if one.suspends_at(now_ms)}
        disputed = {one for one in disputed if records[one].state not in VACATED}
        found = set(disputed)
        for upwards in (True, False) if above else (False,):
            queue = list(disputed)
            for one in queue:  # grows while it is walked
                links = records[one].parents if upwards else records[one].children
                queue += [link.receivable for link in links if link.receivable not in queue]
            found |= set(queue)
        return found

    def running(self, receivable: bytes) -> set[bytes]:
        """The disputes that run on a receivable, or on one of its lineage that is not over."""
        records = self.records()
        lineage = {*self.reach(receivable, records, upwards=True), *self.reach(receivable, records, upwards=False)}
        near = {one for one in lineage if one == receivable or records[one].state not in VACATED}
        found = map(self.found, self.disputes)
        return {one.id for one in found if one.receivable in near and one.runs_at(self.world.now_ms)}

    def act(self, signers: str | tuple[str, ...], operations: list[Any], mode: str = "each") -> list[Any]:
        """One transaction in a block of its own, executed twice and compared."""
        world = self.world
        transaction = world.transaction(signers, *operations, mode=mode)
        before = dict(world.state)
        suspended = self.suspended(world.now_ms + 1_000)
        unsold = self.suspended(world.now_ms + 1_000, above=False)
        context = BlockContext(world.genesis.id, world.height + 1, world.now_ms + 1_000)
        again = execute(dict(reversed(before.items())).get, context, [transaction], world.seen.__contains__)
        reserved = self.reserved()
        outcome = world.block([transaction])
        assert outcome == again
        self.nobody_reserves_under_a_blanket(reserved, outcome.writes)
        assert [receipt.operation for receipt in outcome.receipts] == list(range(len(operations)))
        if not any(receipt.done for receipt in outcome.receipts):
            assert world.state == before, "a refusal changes nothing"
        for operation, receipt in zip(operations, outcome.receipts, strict=True):
            if suspended and receipt.done and isinstance(operation, Offer | Reserve | Fund | Reassign):
                stopped = unsold if isinstance(operation, Reassign) else suspended
                assert world.claim(receipt.subject).receivable not in stopped, "a disputed one takes no new claim"
            if receipt.done and isinstance(operation, Fund):
                on = world.claim(receipt.subject).receivable
                assert self.running(on) <= set(operation.acknowledged), "who funds knows of the disputes"
                assert self.standing_outside(on) <= set(operation.acknowledged), "what stands outside is looked at"
            if receipt.done and isinstance(operation, Offer | Reserve | Fund | Draw):
                on, known = world.claim(receipt.subject).receivable, self.records()
                above = {known[one].state for one in self.reach(on, known, upwards=True)}
                assert not above & {"rejected", "voided"}, "what is denied is not sold in parts"
            if receipt.done and isinstance(operation, Reserve | Fund | Draw):
                self.fits_on_all_that_it_weighs_on(world.claim(receipt.subject).receivable)
        return list(outcome.receipts)

    def fits_on_all_that_it_weighs_on(self, receivable: bytes) -> None:
        """The strict invariant where a share was taken just now: whatever the state of ancestors, however lowered."""
        records = self.records()
        above, below = self.reach(receivable, records, upwards=True), self.reach(receivable, records, upwards=False)
        open_below = [one for one in below if records[one].state in OPEN and not self.over(records[one])]
        for one in (*above, *open_below):
            assert weight(records[one], records, self.world.now_ms) <= records[one].collectible

    @staticmethod
    def reach(start: bytes, records: dict[bytes, Receivable], *, upwards: bool) -> list[bytes]:
        """A receivable and all its ancestors, or all its descendants."""
        queue = [start]
        for one in queue:  # grows while it is walked
            links = records[one].parents if upwards else records[one].children
            queue += [link.receivable for link in links if link.receivable not in queue]
        return queue

    def reserved(self) -> set[bytes]:
        return {claim for claim in self.claims if self.world.claim(claim).state != "offered"}

    def nobody_reserves_under_a_blanket(self, before: set[bytes], writes: dict[bytes, bytes | None]) -> None:
        """A share that was taken just now was taken by the holder of every blanket that stands, or had been let go."""
        standing = {holder for holder, until in self.blankets.values() if until >= self.world.now_ms}
        for key in writes:
            if standing and key.startswith(Claim.PREFIX):
                claim = self.world.claim(key.removeprefix(Claim.PREFIX))
                taken = claim.state in ("reserved", "funded") and claim.id not in before
                assert not taken or standing == {claim.holder} or claim.receivable in self.carved

    # What must hold

    def over(self, record: Receivable) -> bool:
        """Whether another may take its place under its parent: so does what was credited away, once nothing is live."""
        if record.state in OPEN and not record.paid:
            return record.collectible == 0 and all(0 < one.until_ms < self.world.now_ms for one in record.live)
        return record.state in VACATED

    def records(self) -> dict[bytes, Receivable]:
        return {one: self.world.receivable(one) for one in self.receivables}

    @invariant()
    def no_double_financing(self) -> None:
        if not hasattr(self, "world"):
            return
        records = self.records()
        for record in records.values():
            if record.state in OPEN and record.id not in self.lowered:
                assert weight(record, records, self.world.now_ms) <= record.collectible

    @invariant()
    def shares_are_conserved(self) -> None:
        """Receivable and claims tell the same story, share by share."""
        if not hasattr(self, "world"):
            return
        now_ms = self.world.now_ms
        claims = [self.world.claim(claim) for claim in self.claims]
        for record in self.records().values():
            own = [claim for claim in claims if claim.receivable == record.id]
            assert [claim.id for claim in own] == list(record.claims)
            live = {
                (claim.id, claim.share, claim.reserved_until_ms if claim.state == "reserved" else 0)
                for claim in own
                if claim.state_at(now_ms) in ("reserved", "funded")
            }
            assert live == {tuple(one) for one in record.live if one.until_ms == 0 or one.until_ms >= now_ms}
            assert 0 <= record.collectible <= WHOLE
            assert record.paid >= 0
            if record.id not in self.lowered:
                assert record.collectible + record.paid == WHOLE
            if record.state in ("settled", "cancelled"):
                assert record.collectible == 0
            if record.state in ("settled", "cancelled", "expired"):
                assert not live

    @invariant()
    def links_agree_and_parts_fit(self) -> None:
        if not hasattr(self, "world"):
            return
        records = self.records()
        for record in records.values():
            assert not record.parents or sum(link.part_of_child for link in record.parents) == WHOLE
            for link in record.parents:
                back = [one for one in records[link.receivable].children if one.receivable == record.id]
                assert back == [link._replace(receivable=record.id)]
            parts = [link.part_of_parent for link in record.children if not self.over(records[link.receivable])]
            assert sum(parts) <= WHOLE

    @invariant()
    def each_says_whether_its_lineage_is_financed(self) -> None:
        if not hasattr(self, "world"):
            return
        records = self.records()
        for record in records.values():
            near = {*self.reach(record.id, records, upwards=True), *self.reach(record.id, records, upwards=False)}
            money = [records[one] for one in near - {record.id}]
            financed = any(one.paid or any(live.until_ms == 0 for live in one.live) for one in money)
            assert record.lineage_financed == financed

    @invariant()
    def certain_identity_is_held_once(self) -> None:
        """Of the open receivables with one blocking fingerprint, all belong to one lineage of wholly linked ones."""
        if not hasattr(self, "world"):
            return
        records = self.records()
        for record in records.values():
            for kind, value in record.fingerprints:
                holders = [one for one in records.values() if (kind, value) in one.fingerprints]
                stored = self.world.state[print_key(kind, value)]
                assert all(one.id in stored for one in holders)
                if kind == "exact" and not record.parents:
                    alone = [one for one in holders if one.state in OPEN and not one.parents]
                    assert len(alone) <= 1

    @invariant()
    def chains_of_holders_are_kept(self) -> None:
        if not hasattr(self, "world"):
            return
        for claim in map(self.world.claim, self.claims):
            assert isinstance(claim, Claim)
            assert not claim.holders or claim.holders[-1] == claim.holder
            assert bool(claim.holders) == (claim.state in ("funded", "discharged")) or claim.state == "released"


Ledger.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestLedger = Ledger.TestCase


def some_share(rng: random.Random) -> int:
    return rng.choice([rng.randint(5, 60) * PERCENT, rng.randint(1, WHOLE)])


def some_signers(rng: random.Random) -> tuple[str, ...]:
    return rng.choice([EVERYBODY] * 9 + [("F_CN",), ("F_SG",), ("EXP_CN",), ("stranger",)])


def some_parents(rng: random.Random) -> list[tuple[int, int]]:
    return [(rng.randrange(40), some_share(rng)) for _ in range(rng.choice([0, 1, 1, 2]))]


# step -> how often, and its arguments
WALK: dict[str, tuple[int, Callable[[random.Random], tuple[Any, ...]]]] = {
    "register": (4, lambda rng: (rng.randrange(10), some_parents(rng), rng.randint(1, WHOLE - 1))),
    "finance": (
        12,
        lambda rng: (
            rng.randrange(40),
            rng.choice(FINANCIERS),
            some_share(rng),
            rng.choice([1_500, 600_000]),
            rng.choice([1, 2, 3, 3, 3]),
        ),
    ),
    "fund": (3, lambda rng: (rng.randrange(40), some_signers(rng), rng.random() < 0.8)),
    "reserve": (2, lambda rng: (rng.randrange(40), some_signers(rng))),
    "discharge": (4, lambda rng: (rng.randrange(40), some_signers(rng), some_share(rng))),
    "release_or_revoke": (2, lambda rng: (rng.randrange(40), some_signers(rng))),
    "reassign": (2, lambda rng: (rng.randrange(40), some_signers(rng), rng.choice(EVERYBODY))),
    "lower": (
        1,
        lambda rng: (rng.randrange(40), some_share(rng), rng.choice(["credit note", "confirm", "part", "reject"])),
    ),
    "take_out": (2, lambda rng: (rng.randrange(40), rng.randrange(40), rng.choice(FINANCIERS), some_share(rng))),
    "raise_dispute": (
        1,
        lambda rng: (rng.randrange(40), rng.choice(["IMP_DE", *EVERYBODY]), rng.choice(GROUNDS), some_share(rng)),
    ),
    "go_on": (
        4,
        lambda rng: (
            rng.randrange(40),
            rng.choice(DISPUTANTS),
            rng.choice(MOVES),
            rng.choice(OUTCOMES),
            some_share(rng),
        ),
    ),
    "days_pass": (1, lambda rng: (rng.choice([1, 31, 61, 1100]),)),
    "supersede": (2, lambda rng: (rng.randrange(40), rng.random() < 0.7)),
    "notify": (3, lambda rng: (rng.randrange(40), some_signers(rng))),
    "acknowledge": (1, lambda rng: (rng.randrange(40), rng.random() < 0.5)),
    "deem": (1, lambda rng: (rng.randrange(40), some_signers(rng))),
    "say_what_is_outside": (
        3,
        lambda rng: (rng.randrange(40), rng.choice(["IMP_DE", "F_GB", *EVERYBODY]), some_share(rng)),
    ),
    "end_what_is_outside": (
        1,
        lambda rng: (rng.randrange(40), rng.choice(["IMP_DE", "F_GB", *EVERYBODY]), rng.choice(END_GROUNDS)),
    ),
    "blanket": (1, lambda rng: (rng.choice(FINANCIERS), rng.choice([1_500, 4_000, 30_000]))),
    "let_go": (1, lambda rng: (rng.randrange(40), some_signers(rng), rng.random() < 0.5)),
    "expire": (3, lambda rng: (rng.randrange(40),)),
    "time_passes": (1, lambda rng: (rng.choice([1, 2_000, 20_000]),)),
}


@pytest.mark.parametrize("seed", range(10))
def test_long_walks(seed: int) -> None:
    """The same steps and checks, further than Hypothesis goes: 150 steps, weighted towards what succeeds."""
    rng = random.Random(seed)
    machine = Ledger()
    machine.start(rng.randint(1, WHOLE - 1))
    names = list(WALK)
    for name in rng.choices(names, [WALK[name][0] for name in names], k=150):
        getattr(machine, name)(*WALK[name][1](rng))
        for check in CHECKS:
            check(machine)


CHECKS = (
    Ledger.no_double_financing,
    Ledger.shares_are_conserved,
    Ledger.links_agree_and_parts_fit,
    Ledger.each_says_whether_its_lineage_is_financed,
    Ledger.certain_identity_is_held_once,
    Ledger.chains_of_holders_are_kept,
)
