"""Notices of assignment: telling the debtor, its receipt, what it promises, and what its silence means.

Digests are 32 bytes: `text` of the notice as the debtor gets it, `account` of the account to pay, which is
`Dossier.account_commitment` and so the same for both sides. The ledger delivers nothing: the sender hands the notice
over by the channel that it names, with the notice's id.
"""

from __future__ import annotations

from clients import reads
from clients.dossier import Dossier
from clients.errors import ClientError
from clients.exchange import Procedure
from clients.session import Session, accepted, submit
from registry.receipts import Receipt
from registry.records.notices import Notice, Notified
from registry.transactions.notices import Acknowledge, Deem, Notify, ProveReceipt
from registry.transactions.receivables import NO_DIGEST

__all__ = ["acknowledge", "deem", "notices_of", "notify", "prove_receipt"]


def notify(
    session: Session, claim: bytes, *, channel: str, text: bytes, account: bytes, language: str = "en"
) -> Procedure[bytes]:
    """As the assignor or the holder of a claim: record a notice to its debtor; the notice's id.

    `channel` is one of `registry.records.notices.CHANNELS`. Raises `Refused` (for instance `not_authorised`).
    """
    operation = Notify(claim=claim, channel=channel, language=language, text_digest=text, account_digest=account)
    return accepted((yield from submit(session, [operation]))).subject


def acknowledge(
    session: Session,
    notice: bytes,
    *,
    text: bytes,
    account: bytes,
    dossier: Dossier | None = None,
    accepts: bool = False,
) -> Procedure[Receipt]:
    """As the debtor: acknowledge a notice; with `accepts` promise to pay the claim's holder to that account.

    `text` and `account` are digests of what this debtor was shown. The dossier proves that it is the debtor; a debtor
    that confirmed the receivable, or acknowledged a notice of it, needs none. Raises `Refused` (`other_notice`, say).
    """
    operation = Acknowledge(
        notice=notice,
        identifier=session.party if dossier is None else dossier.particulars.debtor,
        text_digest=text,
        account_digest=account,
        accepts=accepts,
        salt=NO_DIGEST if dossier is None else dossier.debtor_salt,
    )
    return accepted((yield from submit(session, [operation])))


def prove_receipt(session: Session, notice: bytes, *, received_ms: int, evidence: bytes) -> Procedure[Receipt]:
    """As the sender: record that it arrived at `received_ms` (UTC), by evidence of this digest. Raises `Refused`."""
    operation = ProveReceipt(notice=notice, received_ms=received_ms, evidence_digest=evidence)
    return accepted((yield from submit(session, [operation])))


def deem(session: Session, notice: bytes) -> Procedure[Receipt]:
    """As the registrant or the holder: the debtor had this notice and was silent for as long as its law asks.

    Raises `Refused` (`too_early`, `no_deemed_acceptance`, `not_received`).
    """
    return accepted((yield from submit(session, [Deem(notice=notice)])))


def notices_of(session: Session, claim: bytes) -> Procedure[tuple[Notice, ...] | None]:
    """All notices of a claim, in order, each proved: for who holds it now, and overseers; None if none are shown.

    Raises `ClientError` if the node keeps one of them back.
    """
    listed = yield from reads.record(session, Notified, claim)
    if listed is None:
        return None
    found = []
    for subject in listed.notices:
        notice = yield from reads.record(session, Notice, subject)
        if notice is None:
            raise ClientError(f"{subject.hex()}: a notice of the claim that this node does not show")
        found.append(notice)
    return tuple(found)
