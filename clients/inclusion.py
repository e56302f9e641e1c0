"""When a transaction does not become final: who has it, by signed receipts, and the report that it was kept out.

An authority that has a transaction says so under its consensus key. Receipts of f + 1 authorities bind all: the
transaction is in one of the next n blocks, or anybody shows the ledger that it was kept out (`rules.inclusion`).
"""

from __future__ import annotations

from collections.abc import Sequence

from clients.errors import ClientError, ProofInvalid
from clients.exchange import Call, Procedure
from clients.session import Session, accepted, submit
from registry.errors import FieldError
from registry.inclusion import InclusionReceipt
from registry.receipts import Receipt
from registry.transactions.inclusion import Given, ReportExclusion

__all__ = ["inclusion_receipts", "report_exclusion"]


def inclusion_receipts(session: Session, transaction_id: bytes) -> Procedure[tuple[InclusionReceipt, ...]]:
    """The receipts of all reachable nodes for a transaction that waits, one of each authority, oldest height first.

    None if it waits nowhere. Raises `ProofInvalid` for a receipt that its authority did not sign, `Unreachable`.
    """
    found: dict[bytes, InclusionReceipt] = {}
    asked: set[str] = set()
    while True:
        reply = yield Call("GET", f"/v1/transactions/{transaction_id.hex()}", elsewhere=bool(asked))
        if reply.node in asked:
            return tuple(sorted(found.values(), key=lambda each: (each.height, each.authority)))
        asked.add(reply.node)
        given = reply.object().get("inclusion")
        if given is not None:
            receipt = _checked(session, transaction_id, given)
            found[receipt.authority] = receipt


def report_exclusion(session: Session, receipts: Sequence[InclusionReceipt]) -> Procedure[Receipt]:
    """Show the ledger that their transaction was kept out, by the f + 1 oldest of these receipts.

    Raises `ClientError` if there are too few, `Refused`: `not_proven` while fewer than n blocks have come since, or
    when the transaction has expired; `already_done` if it is on the ledger after all.
    """
    needed = session.trust.authorities.f + 1
    oldest = sorted(receipts, key=lambda each: (each.height, each.authority))[:needed]
    if len(oldest) < needed or len({(each.transaction, each.valid_until_ms) for each in oldest}) != 1:
        raise ClientError(f"receipts of {needed} authorities for one transaction are needed, {len(oldest)} are here")
    given = tuple(Given(each.authority, each.height, each.signature) for each in oldest)
    operation = ReportExclusion(oldest[0].transaction, oldest[0].valid_until_ms, given)
    return accepted((yield from submit(session, [operation])))


def _checked(session: Session, transaction_id: bytes, given: object) -> InclusionReceipt:
    try:
        receipt = InclusionReceipt.from_json(given)
    except FieldError as error:
        raise ProofInvalid(f"inclusion: {error}") from error
    if receipt.transaction != transaction_id or receipt.authority not in session.trust.authorities:
        raise ProofInvalid("inclusion: of another transaction, or by no authority")
    if not receipt.holds(session.genesis.id):
        raise ProofInvalid("inclusion: its authority did not sign it")
    return receipt
