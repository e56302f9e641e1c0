"""For authorities: admit parties by quorum. A proposal is in force when more than two thirds have approved it."""

from __future__ import annotations

from collections.abc import Sequence

from clients.errors import Refused
from clients.exchange import Procedure
from clients.session import Session, submit
from registry.parties import vet_party
from registry.receipts import Receipt
from registry.transactions.governance import Admit, Approve, Propose

__all__ = ["approve", "propose_admissions"]

BATCH_MAX = 100  # operations under one signature; a party's record is large


def propose_admissions(session: Session, admissions: Sequence[Admit]) -> Procedure[tuple[bytes, ...]]:
    """Propose these admissions; the proposals' ids, in order. Proposing counts as approving.

    Each party is vetted first with all that libraries know of its identifiers (`FieldError` names the field): what is
    proposed here is what the other authorities will rely on. Raises `Refused` for the first that a rule refuses.
    """
    for admission in admissions:
        vet_party(admission.party)
    proposals: list[bytes] = []
    for start in range(0, len(admissions), BATCH_MAX):
        batch = admissions[start : start + BATCH_MAX]
        final = yield from submit(session, [Propose(change=admission) for admission in batch])
        proposals += [_done(receipt).subject for receipt in final.receipts]
    return tuple(proposals)


def approve(session: Session, proposals: Sequence[bytes]) -> Procedure[tuple[Receipt, ...]]:
    """Approve proposals. Raises `Refused` unless each is approved now or was in force already."""
    receipts: list[Receipt] = []
    for start in range(0, len(proposals), BATCH_MAX):
        batch = proposals[start : start + BATCH_MAX]
        final = yield from submit(session, [Approve(proposal=proposal) for proposal in batch])
        receipts += [receipt if receipt.code == "already_done" else _done(receipt) for receipt in final.receipts]
    return tuple(receipts)


def _done(receipt: Receipt) -> Receipt:
    if not receipt.done:
        raise Refused(receipt)
    return receipt
