"""Nobody is kept out for long (privacy.md 5): what more than f authorities had must be in one of the next n blocks.

An inclusion receipt is an authority's word that it has a transaction. One of more than f is honest, and an honest
authority gives every other what it has; n blocks are a turn of each as a leader. So a transaction that is in none of n
blocks after such receipts was left out by leaders who had it: that is recorded, with the receipts, for good. Nobody
loses a seat by it alone, for a leader's block may have been full: people look at the headers of those heights.
"""

from __future__ import annotations

from registry.events import Event
from registry.inclusion import InclusionReceipt
from registry.reasons import ALREADY_DONE, NOT_PROVEN
from registry.records import Exclusion
from registry.rules.authorities import quorum
from registry.rules.verdicts import Call, Effects, Refusal, Verdict, together
from registry.state import put_of
from registry.transactions.inclusion import ReportExclusion

__all__ = ["report"]


def report(call: Call, operation: ReportExclusion) -> Verdict:
    """Record that a transaction was kept out, once."""
    if call.seen(operation.transaction) or call.state.find(Exclusion, operation.transaction) is not None:
        return Refusal(ALREADY_DONE, operation.transaction)
    network = call.state.network()
    authorities = len(network.seats)
    givers = {given.authority for given in operation.receipts}
    if len(givers) != len(operation.receipts) or not givers <= {seat.consensus_key for seat in network.seats}:
        return Refusal(NOT_PROVEN, operation.transaction)
    if len(givers) != authorities - quorum(authorities) + 1 or not all(_holds(call, operation)):
        return Refusal(NOT_PROVEN, operation.transaction)
    since = max(given.height for given in operation.receipts)
    if call.height - 1 - since < authorities or call.now_ms > operation.valid_until_ms:
        return Refusal(NOT_PROVEN, operation.transaction)
    record = Exclusion(
        id=operation.transaction,
        reported_by=call.sender.id,
        first_height=since + 1,
        last_height=call.height - 1,
        valid_until_ms=operation.valid_until_ms,
        receipts=operation.receipts,
    )
    hearers = together(*network.authorities, call.sender.id)
    event = Event("exclusion", operation.transaction, hearers, str(since + 1))
    return Effects(operation.transaction, puts=(put_of(record),), events=(event,))


def _holds(call: Call, operation: ReportExclusion) -> list[bool]:
    return [
        InclusionReceipt(
            operation.transaction, given.height, operation.valid_until_ms, given.authority, given.signature
        ).holds(call.chain_id)
        for given in operation.receipts
    ]
