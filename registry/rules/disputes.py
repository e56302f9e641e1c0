"""Disputes (registry.md 9): raised with standing, taken up a ladder under clocks, and ended by the sides or an award.

    raise -> (answer | time runs out) -> escalate -> ... -> last rung: an award
         at any time: withdraw (the opener), settle (both sides)

At each rung the side that moved waits for the other. Whoever answers in time stands, whoever does not has lost the
rung; the other side may go on for some days more. When they are over, the result is fixed by block time: `lapsed` (it
suspends nothing any more) or `upheld`, which anyone concerned puts on record with `conclude`. No job runs for it.

The opener wants less to be collectible, the respondents want it to stay: the registrant (the debtor, where the
registrant raised it) and, beside it, every other holder of a claim that weighs on it, who stands to lose. Any of them
answers and goes on; settling and recording an award takes the first of them, who may also do so by a credit note.
"""

from __future__ import annotations

from dataclasses import replace

from registry.events import Event
from registry.limits import DISPUTES_OPEN_MAX
from registry.reasons import (
    ALREADY_DONE,
    BAD_STATE,
    LIMIT_REACHED,
    NOT_AUTHORISED,
    NOT_FOUND,
    OUT_OF_TIME,
    OVER_RESIDUAL,
)
from registry.records import Dispute, Receivable
from registry.records.disputes import OPENER, RESPONDENT, STRANGERS, Raised, Step, other_side, raised_id
from registry.rules.consequences import holders_of_live, live_in_lineage
from registry.rules.resolution import UPHELD, concerned, ended, harmed_unheard, paid_or_unheard
from registry.rules.roles import may
from registry.rules.rulebook import in_force, rulebook
from registry.rules.standing import capacity_of
from registry.rules.transitions import DISPUTABLE, FALSIFIABLE
from registry.rules.verdicts import Call, Effects, Refusal, Verdict
from registry.state import Put, put_of
from registry.transactions.disputes import (
    AnswerDispute,
    ConcludeDispute,
    DecideDispute,
    EscalateDispute,
    RaiseDispute,
    SettleDispute,
    WithdrawDispute,
)
from registry.transactions.fields import Ref

__all__ = ["answer", "conclude", "decide", "escalate", "fits", "over", "raise_", "settle", "withdraw"]


def raise_(call: Call, operation: RaiseDispute) -> Verdict:
    """The sender, with standing, disputes a share: until it is over no new claim is taken.

    Who has no money in the debt stops that only until it is answered in time (`Dispute.suspends_at`).
    """
    subject = call.resolve(operation.receivable)
    receivable = call.state.receivable(subject)
    if receivable is None:
        return Refusal(NOT_FOUND, subject)
    capacity = capacity_of(call, receivable, operation)
    if isinstance(capacity, Refusal):
        return capacity
    states = FALSIFIABLE if UPHELD[operation.ground] == "voided" else DISPUTABLE
    if receivable.state not in states or not _respondents(call, receivable, call.sender.id):
        return Refusal(BAD_STATE, subject)
    mark = raised_id(subject, call.sender.id, operation.ground)
    barred = _lost_before(call, mark)
    if barred is not None:
        return Refusal(ALREADY_DONE, subject, (barred,))
    running = tuple([one for one in receivable.disputes if _found(call, one).runs_at(call.now_ms)])
    strange = capacity in STRANGERS
    if sum((_found(call, one).capacity in STRANGERS) == strange for one in running) >= DISPUTES_OPEN_MAX:
        return Refusal(LIMIT_REACHED, subject)
    book = in_force(call.now_ms)
    dispute = Dispute(
        id=call.created_id(),
        receivable=subject,
        opener=call.sender.id,
        capacity=capacity,
        ground=operation.ground,
        share=operation.share,
        rulebook=book.id,
        state="open",
        rung=0,
        mover=OPENER,
        answer_by_ms=0,
        answered_ms=0,
        closes_ms=0,
        carried="",
        forum="",
        seat="",
        reduction=0,
        award=b"",
        steps=(Step("raise", OPENER, call.now_ms, operation.text_digest, operation.language),),
    )
    dispute = _at_rung(call, dispute, 0)
    disputed = replace(receivable, disputes=(*running, dispute.id))
    puts = (put_of(dispute), put_of(Raised(mark, dispute.id)), put_of(disputed))
    return _heard(call, dispute, receivable, "dispute_raised", dispute.ground, puts)


def answer(call: Call, operation: AnswerDispute) -> Verdict:
    """The side that is waited for answers in the rung's time: then it stands for that side, until the other goes on."""
    found = _open(call, operation.dispute)
    if isinstance(found, Refusal):
        return found
    dispute, receivable = found
    side = other_side(dispute.mover)
    if side not in _sides(call, dispute, receivable):
        return Refusal(NOT_AUTHORISED, dispute.id)
    if dispute.at_last_rung:
        return Refusal(BAD_STATE, dispute.id)
    if dispute.answered_ms:
        return Refusal(ALREADY_DONE, dispute.id)
    if call.now_ms > dispute.answer_by_ms:
        return Refusal(OUT_OF_TIME, dispute.id)
    rung = rulebook(dispute.rulebook).rungs[dispute.rung]
    answered = replace(
        dispute,
        answered_ms=call.now_ms,
        closes_ms=call.now_ms + rung.pursue_ms,
        steps=(*dispute.steps, Step("answer", side, call.now_ms, operation.text_digest, operation.language)),
    )
    return _heard(call, answered, receivable, "dispute_answered", rung.name, (put_of(answered),))


def escalate(call: Call, operation: EscalateDispute) -> Verdict:
    """Either side goes to the next rung, once the answer is in or its time is over, and before all time is."""
    found = _open(call, operation.dispute)
    if isinstance(found, Refusal):
        return found
    dispute, receivable = found
    sides = _sides(call, dispute, receivable)
    if not sides:
        return Refusal(NOT_AUTHORISED, dispute.id)
    book = rulebook(dispute.rulebook)
    if book.is_last(dispute.rung):
        return Refusal(BAD_STATE, dispute.id)
    carried = dispute.stands_for(call.now_ms)
    if not carried or call.now_ms > dispute.closes_ms:
        return Refusal(OUT_OF_TIME, dispute.id)
    rung = book.rungs[dispute.rung + 1]
    forum, seat = (*operation.forum, "", "")[:2]
    chosen = forum in rung.forums if rung.forums else not forum
    if not chosen or (forum == "COURT" and not seat):
        return Refusal(BAD_STATE, dispute.id)
    # With both signatures it is the losing side's move: the other one has no reason to go on.
    side = other_side(carried) if other_side(carried) in sides else carried
    step = Step("escalate", side, call.now_ms, operation.text_digest, operation.language)
    moved = replace(dispute, mover=side, carried=carried, forum=forum, seat=seat, steps=(*dispute.steps, step))
    moved = _at_rung(call, moved, dispute.rung + 1)
    return _heard(call, moved, receivable, "dispute_escalated", rung.name, (put_of(moved),))


def withdraw(call: Call, operation: WithdrawDispute) -> Verdict:
    """The opener gives it up; it cannot raise the same ground again."""
    found = _open(call, operation.dispute)
    if isinstance(found, Refusal):
        return found
    dispute, receivable = found
    if call.signer(dispute.opener) is None:
        return Refusal(NOT_AUTHORISED, dispute.id)
    step = Step("withdraw", OPENER, call.now_ms, operation.text_digest, operation.language)
    return ended(call, dispute, receivable, "withdrawn", event="dispute_withdrawn", steps=(step,))


def settle(call: Call, operation: SettleDispute) -> Verdict:
    """Both sides agree on how much less is collectible, at most the share in dispute; 0 ends it as it was.

    It takes nothing from a financier without its signature: see `resolution.harmed_unheard`.
    """
    found = _open(call, operation.dispute)
    if isinstance(found, Refusal):
        return found
    dispute, receivable = found
    if not _both_signed(call, dispute, receivable):
        return Refusal(NOT_AUTHORISED, dispute.id)
    if operation.reduction_share > min(dispute.share, receivable.collectible):
        return Refusal(OVER_RESIDUAL, dispute.id)
    harmed = harmed_unheard(call, dispute, receivable, operation.reduction_share)
    if harmed:
        return Refusal(NOT_AUTHORISED, dispute.id, harmed)
    return ended(
        call,
        dispute,
        receivable,
        "settled",
        event="dispute_settled",
        steps=_by_both(call, "settle", operation.text_digest, operation.language),
        reduction=operation.reduction_share,
    )


def decide(call: Call, operation: DecideDispute) -> Verdict:
    """Both sides record the award of the last rung's forum.

    One that voids also needs the holders of live claims, and that nothing was paid (`paid_or_unheard`); one that leaves
    funded claims uncovered needs their holders: the ledger cannot tell an award from an agreement that is called one.
    The authorities can (`awards`).
    """
    found = _open(call, operation.dispute)
    if isinstance(found, Refusal):
        return found
    dispute, receivable = found
    if not _both_signed(call, dispute, receivable):
        return Refusal(NOT_AUTHORISED, dispute.id)
    if not dispute.at_last_rung:
        return Refusal(BAD_STATE, dispute.id)
    if not fits(dispute, operation.outcome, operation.reduction_share):
        return Refusal(OVER_RESIDUAL, dispute.id)
    voids = operation.outcome == "voided"
    unheard = (
        paid_or_unheard(call, dispute, receivable)
        if voids
        else harmed_unheard(call, dispute, receivable, operation.reduction_share)
    )
    if unheard:
        return Refusal(NOT_AUTHORISED, dispute.id, unheard)
    return ended(
        call,
        dispute,
        receivable,
        operation.outcome,
        event="dispute_decided",
        steps=_by_both(call, "decide", operation.award_digest, operation.language),
        reduction=operation.reduction_share,
        award=operation.award_digest,
    )


def conclude(call: Call, operation: ConcludeDispute) -> Verdict:
    """Put on record what the clocks have decided: dismissed, or what the ground comes to when it is upheld."""
    dispute = call.state.find(Dispute, call.resolve(operation.dispute))
    if dispute is None:
        return Refusal(NOT_FOUND, call.resolve(operation.dispute))
    if dispute.state != "open":
        return Refusal(ALREADY_DONE, dispute.id)
    receivable = _receivable(call, dispute)
    if not _sides(call, dispute, receivable):
        return Refusal(NOT_AUTHORISED, dispute.id)
    state = dispute.state_at(call.now_ms)
    if state == "open":
        return Refusal(OUT_OF_TIME, dispute.id)
    outcome = UPHELD[dispute.ground] if state == "upheld" else "dismissed"
    if outcome == "voided":
        unheard = paid_or_unheard(call, dispute, receivable)
        if unheard:
            return Refusal(NOT_AUTHORISED, dispute.id, unheard)
    reduction = dispute.share if outcome == "reduced" else 0
    return ended(call, dispute, receivable, outcome, event="dispute_concluded", reduction=reduction)


def _at_rung(call: Call, dispute: Dispute, rung: int) -> Dispute:
    """The dispute with the clocks of a rung started. At the last one no answer is due, but an award."""
    book = rulebook(dispute.rulebook)
    answer_ms, pursue_ms = book.rungs[rung].answer_ms, book.rungs[rung].pursue_ms
    return replace(
        dispute,
        rung=rung,
        answer_by_ms=0 if book.is_last(rung) else call.now_ms + answer_ms,
        answered_ms=0,
        closes_ms=call.now_ms + answer_ms + pursue_ms,
    )


def _open(call: Call, ref: Ref) -> Refusal | tuple[Dispute, Receivable]:
    """A dispute in which something can still be done, and its receivable."""
    dispute = call.state.find(Dispute, call.resolve(ref))
    if dispute is None:
        return Refusal(NOT_FOUND, call.resolve(ref))
    obstacle = over(dispute, call.now_ms)
    return Refusal(obstacle, dispute.id) if obstacle is not None else (dispute, _receivable(call, dispute))


def over(dispute: Dispute, now_ms: int) -> str | None:
    """The reason why nothing can be done in the dispute any more, None if something can.

    Where the clocks have upheld it, the sides may still agree otherwise, and an award may still say so.
    """
    state = dispute.state_at(now_ms)
    if state in ("open", "upheld"):
        return None
    return OUT_OF_TIME if state == "lapsed" else ALREADY_DONE


def _lost_before(call: Call, mark: bytes) -> bytes | None:
    """The sender's dispute on this ground that still runs or came to nothing: it is not raised twice.

    Else somebody could keep a receivable from being financed for ever, one baseless dispute after the other.
    """
    raised = call.state.find(Raised, mark)
    return None if raised is None or _found(call, raised.dispute).reduction else raised.dispute


def _principal(receivable: Receivable, opener: str) -> str:
    """Who binds the respondents' side: the registrant, or the debtor if the registrant raised it; "" if unknown."""
    answering = receivable.registrant if opener != receivable.registrant else receivable.debtor
    return "" if answering == opener else answering


def _respondents(call: Call, receivable: Receivable, opener: str) -> set[str]:
    holders = holders_of_live(call, live_in_lineage(call, receivable))
    return {_principal(receivable, opener), *holders} - {opener, ""}


def _sides(call: Call, dispute: Dispute, receivable: Receivable) -> set[str]:
    """The sides that have signed."""
    signed = {party.id for party in call.parties if may(party, "dispute")}
    sides = {OPENER} if dispute.opener in signed else set()
    if not signed.isdisjoint(_respondents(call, receivable, dispute.opener)):
        sides.add(RESPONDENT)
    return sides


def _both_signed(call: Call, dispute: Dispute, receivable: Receivable) -> bool:
    """Whether the opener and whoever binds the other side have signed: its principal or, where none is known, a holder.

    So this gives nobody a power that it lacks: the opener alone may withdraw, the registrant alone may credit.
    """
    principal = _principal(receivable, dispute.opener)
    if principal and call.signer(principal) is None:
        return False
    return _sides(call, dispute, receivable) == {OPENER, RESPONDENT}


def _by_both(call: Call, kind: str, text_digest: bytes, language: str) -> tuple[Step, ...]:
    return tuple([Step(kind, side, call.now_ms, text_digest, language) for side in (OPENER, RESPONDENT)])


def fits(dispute: Dispute, outcome: str, reduction: int) -> bool:
    """Whether the reduction is one of the outcome, and none beyond the share in dispute."""
    return 1 <= reduction <= dispute.share if outcome == "reduced" else reduction == 0


def _receivable(call: Call, dispute: Dispute) -> Receivable:
    found = call.state.receivable(dispute.receivable)
    assert found is not None, "a dispute is about a receivable that is not there"
    return found


def _found(call: Call, dispute: bytes) -> Dispute:
    found = call.state.find(Dispute, dispute)
    assert found is not None, "a record names a dispute that is not there"
    return found


def _heard(
    call: Call, dispute: Dispute, receivable: Receivable, kind: str, detail: str, puts: tuple[Put, ...]
) -> Effects:
    event = Event(kind, dispute.id, concerned(call, dispute, receivable), detail)
    return Effects(dispute.id, puts=puts, related=(receivable.id,), events=(event,))
