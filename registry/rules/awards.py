"""Awards that the authorities execute, as a registrar executes a judgment it is shown (registry.md 9).

Two thirds of them say only that there is such an award; its text is pinned by digest. This is how a registration is
voided against the will, or over the silence, of those who hold claims on it.
"""

from __future__ import annotations

from registry.reasons import BAD_STATE, NOT_FOUND, OVER_RESIDUAL
from registry.records import Dispute
from registry.records.disputes import Step
from registry.rules.disputes import fits, over
from registry.rules.resolution import ended
from registry.rules.verdicts import Call, Effects, Refusal
from registry.transactions.governance import Award

__all__ = ["executed", "obstacle"]


def obstacle(call: Call, award: Award) -> Refusal | None:
    """Why the award cannot be executed: the dispute must be at its last rung, or upheld by the clocks at any."""
    dispute = call.state.find(Dispute, award.dispute)
    if dispute is None:
        return Refusal(NOT_FOUND, award.dispute)
    obstacle = over(dispute, call.now_ms)
    if obstacle is not None:
        return Refusal(obstacle, award.dispute)
    if dispute.state_at(call.now_ms) == "open" and not dispute.at_last_rung:
        return Refusal(BAD_STATE, award.dispute)
    return None if fits(dispute, award.outcome, award.reduction_share) else Refusal(OVER_RESIDUAL, award.dispute)


def executed(call: Call, award: Award) -> Effects:
    """The effects of an award that nothing stands in the way of."""
    dispute = call.state.find(Dispute, award.dispute)
    assert dispute is not None, "an award without a dispute has an obstacle"
    receivable = call.state.receivable(dispute.receivable)
    assert receivable is not None, "a dispute is about a receivable that is not there"
    return ended(
        call,
        dispute,
        receivable,
        award.outcome,
        event="dispute_decided",
        steps=(Step("award", "authorities", call.now_ms, award.award_digest, award.language),),
        reduction=award.reduction_share,
        award=award.award_digest,
    )
