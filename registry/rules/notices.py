"""Notices of assignment, their receipt, and the debtor's silence (registry.md 6.1).

A notice changes no share and no priority on this ledger; it is evidence for the laws that rank by notice and for whom
the debtor may safely pay (`registry.md` 10). A debtor that promises more than there is to two financiers is not
refused either: that it did so is what everybody must know, so it is recorded and the alarm is raised.
"""

from __future__ import annotations

from dataclasses import replace

from registry.events import Event
from registry.limits import NOTICES_BY_MAX
from registry.parties import Party
from registry.reasons import (
    ALREADY_DONE,
    BAD_STATE,
    DISPUTED,
    IMPOSSIBLE_TIME,
    LIMIT_REACHED,
    NO_DEEMED_ACCEPTANCE,
    NOT_AUTHORISED,
    NOT_FOUND,
    NOT_RECEIVED,
    OTHER_NOTICE,
    TOO_EARLY,
)
from registry.records import Claim, Receivable
from registry.records.notices import Notice, Notified
from registry.rules.consequences import parties_concerned, standing_on
from registry.rules.debtors import debtor_of
from registry.rules.deemed import waits_ms
from registry.rules.roles import may
from registry.rules.suspension import stopping_on
from registry.rules.transitions import ASSIGNED, OPEN, receivable_obstacle
from registry.rules.verdicts import Call, Effects, Refusal, Verdict, first, together
from registry.state import Put, put_of
from registry.transactions.fields import Ref
from registry.transactions.notices import Acknowledge, Deem, Notify, ProveReceipt
from registry.transactions.receivables import NO_DIGEST

__all__ = ["acknowledge", "deem", "notify", "prove_receipt"]


def notify(call: Call, operation: Notify) -> Verdict:
    """The holder or the assignor of a claim that is offered, reserved or funded tells the debtor of it."""
    subject = call.resolve(operation.claim)
    claim = call.state.claim(subject)
    if claim is None:
        return Refusal(NOT_FOUND, subject)
    sender = call.signer(claim.holder) or call.signer(claim.assignor)
    if sender is None or not may(sender, "notify"):
        return Refusal(NOT_AUTHORISED, subject)
    if not _assigned(claim, call.now_ms):
        return Refusal(BAD_STATE, subject)
    notified = call.state.find(Notified, subject) or Notified(subject, ())
    if sum(_notice(call, one).sender == sender.id for one in notified.notices) >= NOTICES_BY_MAX:
        return Refusal(LIMIT_REACHED, subject)
    notice = Notice(
        id=call.created_id(),
        claim=subject,
        receivable=claim.receivable,
        sender=sender.id,
        assignor=claim.assignor,
        holder=claim.holder,
        debtor=_receivable(call, claim.receivable).debtor,
        channel=operation.channel,
        language=operation.language,
        text_digest=operation.text_digest,
        account_digest=operation.account_digest,
        sent_ms=call.now_ms,
    )
    listed = replace(notified, notices=(*notified.notices, notice.id))
    return _changed("notified", notice, operation.channel, puts=(put_of(listed),))


def acknowledge(call: Call, operation: Acknowledge) -> Verdict:
    """The debtor has the notice, and with `accepts` promises to pay the claim's holder to the account named in it."""
    notice = _found(call, operation.notice)
    if isinstance(notice, Refusal):
        return notice
    receivable = _receivable(call, notice.receivable)
    debtor = _debtor(call, operation, receivable)
    if isinstance(debtor, Refusal):
        return replace(debtor, subject=notice.id)
    if (operation.text_digest, operation.account_digest) != (notice.text_digest, notice.account_digest):
        return Refusal(OTHER_NOTICE, notice.id)
    if notice.acknowledged_ms and (notice.accepted_ms or not operation.accepts):
        return Refusal(ALREADY_DONE, notice.id)
    known = replace(receivable, debtor=debtor.id)
    acknowledged = replace(notice, debtor=debtor.id, acknowledged_ms=notice.acknowledged_ms or call.now_ms)
    puts: tuple[Put, ...] = () if receivable.debtor else (put_of(known),)
    if not operation.accepts:
        return _changed("notice_acknowledged", acknowledged, "", puts=puts)
    claim = _claim(call, notice.claim)
    if not _assigned(claim, call.now_ms) or claim.holder != notice.holder or receivable.state not in OPEN:
        return Refusal(BAD_STATE, notice.id)  # there is nothing to pay to that holder, or not any more
    notified = call.state.find(Notified, claim.id)
    assert notified is not None, "a notice is listed with its claim"
    promised = replace(notified, accepted=claim.holder)
    accepted = replace(acknowledged, accepted_ms=call.now_ms)
    alarm = _promised_twice(call, known, promised)
    return _changed("notice_acknowledged", accepted, "accepted", puts=(*puts, put_of(promised)), events=alarm)


def prove_receipt(call: Call, operation: ProveReceipt) -> Verdict:
    """The sender shows when the notice arrived, whether or not the debtor acknowledges it."""
    notice = _found(call, operation.notice)
    if isinstance(notice, Refusal):
        return notice
    if call.signer(notice.sender) is None:
        return Refusal(NOT_AUTHORISED, notice.id)
    if notice.proved_ms:
        return Refusal(ALREADY_DONE, notice.id)
    if not notice.sent_ms <= operation.received_ms <= call.now_ms:
        return Refusal(IMPOSSIBLE_TIME, notice.id)
    proved = replace(notice, proved_ms=operation.received_ms, evidence_digest=operation.evidence_digest)
    return _changed("notice_proved", proved, str(operation.received_ms))


def deem(call: Call, operation: Deem) -> Verdict:
    """The debtor had notice and was silent for as long as its law asks: the receivable counts as accepted.

    By the registrant, or the holder of the claim. Silence is no evidence that the debt exists, so the grade stays as
    it is; the debtor may still confirm the whole, and an objection is a dispute.
    """
    notice = _found(call, operation.notice)
    if isinstance(notice, Refusal):
        return notice
    receivable = _receivable(call, notice.receivable)
    claim = _claim(call, notice.claim)
    holder = call.signer(claim.holder) if _assigned(claim, call.now_ms) else None
    signer = call.signer(receivable.registrant) or holder
    if signer is None or not may(signer, "deem"):
        return Refusal(NOT_AUTHORISED, receivable.id)
    obstacle = receivable_obstacle(receivable, "deem")
    if obstacle is not None:
        return Refusal(obstacle, receivable.id)
    disputes = first(stopping_on(call, receivable))
    if disputes:  # who disputes is not silent
        return Refusal(DISPUTED, receivable.id, disputes)
    debtor = call.state.party(receivable.debtor) if receivable.debtor else None
    wait_ms = waits_ms(receivable, receivable.debtor_country if debtor is None else debtor.country)
    if wait_ms is None:
        return Refusal(NO_DEEMED_ACCEPTANCE, receivable.id)
    if not notice.received_ms:
        return Refusal(NOT_RECEIVED, receivable.id, (notice.id,))
    if call.now_ms <= notice.received_ms + wait_ms:
        return Refusal(TOO_EARLY, receivable.id, (notice.id,))
    accepted = replace(receivable, state="deemed", confirmed_share=receivable.collectible)
    parties = together(*notice.concerns(), *standing_on(call, receivable))
    event = Event("deemed", receivable.id, parties, str(receivable.collectible))
    return Effects(receivable.id, puts=(put_of(accepted),), related=(notice.id,), events=(event,))


def _debtor(call: Call, operation: Acknowledge, receivable: Receivable) -> Party | Refusal:
    """The debtor that has signed: the one that the record names already, or the one that opens its commitment."""
    known = call.signer(receivable.debtor) if receivable.debtor else None
    if known is not None and operation.salt == NO_DIGEST:
        return known if may(known, operation.NAME) else Refusal(NOT_AUTHORISED)
    return debtor_of(call, receivable, salt=operation.salt, identifier=operation.identifier, action=operation.NAME)


def _promised_twice(call: Call, receivable: Receivable, newest: Notified) -> tuple[Event, ...]:
    """The alarm, if the debtor has now promised several holders more than there is to collect."""
    shares: dict[str, int] = {}
    for subject in receivable.claims:
        notified = newest if subject == newest.id else call.state.find(Notified, subject)
        claim = _claim(call, subject)
        if notified is not None and notified.accepted == claim.holder and _assigned(claim, call.now_ms):
            shares[claim.holder] = shares.get(claim.holder, 0) + claim.share
    excess = sum(shares.values()) - receivable.collectible
    if len(shares) < 2 or excess <= 0:
        return ()
    parties = together(receivable.debtor, *shares, *parties_concerned(call, receivable.id))
    return (Event("double_confirmation", receivable.id, parties, str(excess)),)


def _assigned(claim: Claim, now_ms: int) -> bool:
    """Whether the claim is one that a debtor can be told to pay on: an offer that stands, a reservation, a funding."""
    state = claim.state_at(now_ms)
    return state in ASSIGNED and (state != "offered" or claim.offer_valid_until_ms >= now_ms)


def _found(call: Call, ref: Ref) -> Notice | Refusal:
    subject = call.resolve(ref)
    notice = call.state.find(Notice, subject)
    return Refusal(NOT_FOUND, subject) if notice is None else notice


def _notice(call: Call, subject: bytes) -> Notice:
    notice = call.state.find(Notice, subject)
    assert notice is not None, "a claim lists a notice that is not there"
    return notice


def _claim(call: Call, subject: bytes) -> Claim:
    claim = call.state.claim(subject)
    assert claim is not None, "a claim that is referred to is recorded"
    return claim


def _receivable(call: Call, subject: bytes) -> Receivable:
    receivable = call.state.receivable(subject)
    assert receivable is not None, "a receivable that is referred to is recorded"
    return receivable


def _changed(
    kind: str, notice: Notice, detail: str, *, puts: tuple[Put, ...] = (), events: tuple[Event, ...] = ()
) -> Effects:
    """The effects of a change of a notice: everyone it concerns hears of it."""
    event = Event(kind, notice.id, notice.concerns(), detail)
    return Effects(notice.id, puts=(put_of(notice), *puts), events=(event, *events))
