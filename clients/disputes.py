"""For whoever has standing: raise a dispute on a receivable, answer it, take it up the ladder, and end it.

Texts stay with the parties: what goes on the ledger is `text`, the 32-byte digest of a text, and its `language`
("en", "zh"). Every procedure raises `Refused` with the reason: `not_authorised` (no standing), `out_of_time`, ...
"""

from __future__ import annotations

from collections.abc import Sequence

from clients import reads
from clients.dossier import Dossier
from clients.errors import ClientError, Refused
from clients.exchange import Procedure
from clients.session import Draft, Session, accepted, compose, submit
from registry.fingerprint import LEVELS, Particulars, register_fingerprints
from registry.reasons import NOT_AUTHORISED
from registry.receipts import Receipt
from registry.records import Dispute
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
from registry.transactions.envelope import ALL
from registry.transactions.governance import Award, Propose

__all__ = [
    "answer",
    "as_debtor",
    "compose_decision",
    "compose_settlement",
    "conclude",
    "escalate",
    "open_disputes",
    "propose_award",
    "raise_as_refused",
    "raise_dispute",
    "withdraw",
]


def as_debtor(dossier: Dossier) -> Standing:
    """The standing of a debtor that holds the dossier: it opens the registration's commitment, as confirming does."""
    return ("debtor", dossier.debtor_salt, dossier.particulars.debtor)


def raise_dispute(
    session: Session,
    receivable: bytes,
    *,
    ground: str,
    share: int,
    text: bytes,
    language: str,
    standing: Standing = (),
) -> Procedure[Receipt]:
    """Dispute `share` (of WHOLE) on a ground of `registry.records.disputes.GROUNDS`; the receipt's subject is its id.

    `standing` is () for the registrant and the known debtor, `as_debtor(...)`, ("claim", id) or ("receivable", id).
    """
    operation = RaiseDispute(receivable, standing, ground, share, text, language)
    return accepted((yield from submit(session, [operation])))


def raise_as_refused(
    session: Session,
    receivable: bytes,
    particulars: Particulars,
    *,
    ground: str,
    share: int,
    text: bytes,
    language: str,
) -> Procedure[Receipt]:
    """Dispute the receivable that these particulars were refused as a duplicate of: standing by what they share.

    Which of its certain fingerprints was in the way, the refusal does not say: they are tried one after the other.
    Raises `ClientError` if the particulars have none.
    """
    prints = register_fingerprints(session.genesis.fingerprint_key, particulars)
    certain = [(kind, value) for kind, value in prints if LEVELS[kind] == "block"]
    for left, (kind, value) in zip(reversed(range(len(certain))), certain, strict=True):
        operation = RaiseDispute(receivable, ("fingerprint", kind, value), ground, share, text, language)
        try:
            return accepted((yield from submit(session, [operation])))
        except Refused as refused:
            if refused.code != NOT_AUTHORISED or not left:
                raise
    raise ClientError("particulars: nothing in them is certain enough to be a duplicate")


def answer(session: Session, dispute: bytes, *, text: bytes, language: str) -> Procedure[Receipt]:
    """Answer, as the side that is waited for, in the rung's time."""
    return accepted((yield from submit(session, [AnswerDispute(dispute, text, language)])))


def escalate(
    session: Session, dispute: bytes, *, text: bytes, language: str, forum: str = "", seat: str = ""
) -> Procedure[Receipt]:
    """Go to the next rung; to the last one naming the `forum` (`FORUMS`), and the country of its `seat` (COURT)."""
    where = tuple(word for word in (forum, seat) if word)
    return accepted((yield from submit(session, [EscalateDispute(dispute, where, text, language)])))


def withdraw(session: Session, dispute: bytes, *, text: bytes, language: str) -> Procedure[Receipt]:
    """Give one's own dispute up, for good."""
    return accepted((yield from submit(session, [WithdrawDispute(dispute, text, language)])))


def conclude(session: Session, dispute: bytes) -> Procedure[Receipt]:
    """Put on record what the clocks have decided."""
    return accepted((yield from submit(session, [ConcludeDispute(dispute)])))


def compose_settlement(
    session: Session, dispute: bytes, *, reduction: int, text: bytes, language: str, others: Sequence[str]
) -> Procedure[Draft]:
    """A settlement for this party and the `others` (party ids) to sign: `reduction` less is collectible, or 0."""
    return (yield from _compose(session, SettleDispute(dispute, reduction, text, language), others))


def compose_decision(
    session: Session,
    dispute: bytes,
    *,
    outcome: str,
    reduction: int,
    award: bytes,
    language: str,
    others: Sequence[str],
) -> Procedure[Draft]:
    """The award of the last rung's forum for both sides to sign; one that voids, for holders of live claims too."""
    return (yield from _compose(session, DecideDispute(dispute, outcome, reduction, award, language), others))


def propose_award(session: Session, award: Award) -> Procedure[bytes]:
    """As an authority: propose to execute an award; the proposal's id, for the others to approve."""
    return accepted((yield from submit(session, [Propose(change=award)]))).subject


def open_disputes(session: Session, receivable: bytes) -> Procedure[tuple[Dispute, ...]]:
    """The open disputes of a receivable that this party may see, each proved; none is kept back.

    Raises `ClientError` if there is no such receivable.
    """
    record = yield from reads.receivable(session, receivable)
    if record is None:
        raise ClientError(f"{receivable.hex()}: no such receivable, or none that this party may see")
    found: list[Dispute] = []
    for subject in record.disputes:
        dispute = yield from reads.record(session, Dispute, subject)
        if dispute is None:
            raise ClientError(f"{subject.hex()}: a dispute of the receivable that this node does not show")
        found.append(dispute)
    return tuple(found)


def _compose(session: Session, operation: SettleDispute | DecideDispute, others: Sequence[str]) -> Procedure[Draft]:
    """For this party and the others, each by its first signing key on the ledger. Raises `ClientError`, `Rejected`."""
    signers = [session.signer.public_key]
    for party in others:
        record = yield from reads.party(session, party)
        if record is None:
            raise ClientError(f"{party}: no such party")
        signers.append(record.sign_keys[0])
    return compose(session.genesis, [operation], signers=signers, mode=ALL)
