"""Facilities: agreed, changed and certified by both sides, ended by the financier (registry.md 6.2).

A drawing is an ordinary claim, whose terms name the facility (`drawing_terms`). It is offered, reserved and funded in
one operation that both sides sign, and `rules.claims` says of each receivable whether it can be. What an end changes
for others is the blanket, which ends with it; that is why only the financier can end a facility, just as only a holder
can release a claim.
"""

from __future__ import annotations

import datetime
from dataclasses import replace

from registry.events import Event
from registry.fingerprint import BLANKET_KIND, blanket_mark
from registry.limits import BLANKET_TERM_MAX_MS, BLANKETS_MAX
from registry.reasons import (
    ALREADY_DONE,
    BAD_DATE,
    BAD_STATE,
    BLANKET,
    LIMIT_REACHED,
    NOT_AUTHORISED,
    NOT_FOUND,
    NOT_HOLDER,
    UNKNOWN_PARTY,
)
from registry.records.facilities import CarveOut, Facility, carve_out_id, drawing_terms
from registry.rules.blankets import carved_out, overlapping, standing
from registry.rules.claims import fund_at_once
from registry.rules.roles import may
from registry.rules.verdicts import Call, Effects, Refusal, Verdict, together
from registry.state import Put, print_key, put_of
from registry.transactions.claims import Offer
from registry.transactions.facilities import (
    AmendFacility,
    CarveOutReceivable,
    CertifyBase,
    CloseFacility,
    Draw,
    OpenFacility,
    RenewBlanket,
    Scope,
    day_number,
)
from registry.transactions.fields import Ref

__all__ = ["amend_facility", "carve_out", "certify_base", "close_facility", "draw", "open_facility", "renew_blanket"]

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_EARLIEST_ZONE = datetime.timedelta(hours=14)  # how far ahead of UTC the day begins somewhere


def open_facility(call: Call, operation: OpenFacility) -> Verdict:
    """A seller and a financier, who have both signed, agree on a facility."""
    if call.state.party(operation.seller) is None or call.state.party(operation.financier) is None:
        return Refusal(UNKNOWN_PARTY)
    seller, financier = call.signer(operation.seller), call.signer(operation.financier)
    if seller is None or financier is None or seller.id == financier.id:
        return Refusal(NOT_AUTHORISED)
    if not may(seller, "register") or not may(financier, "hold"):
        return Refusal(NOT_AUTHORISED)
    opened = Facility(
        id=call.created_id(),
        seller=seller.id,
        financier=financier.id,
        state="open",
        terms_digest=operation.terms_digest,
        rules_digest=operation.rules_digest,
        blanket="none",
        debtors=(),
        filing_digest=b"",
        blanket_until_ms=0,
        opened_ms=call.now_ms,
        changed_ms=call.now_ms,
    )
    return _placed(call, _scoped(call, opened, operation.blanket), "facility_opened")


def amend_facility(call: Call, operation: AmendFacility) -> Verdict:
    """Both sides agree on other terms, rules and blanket."""
    found = _agreed(call, operation.facility)
    if isinstance(found, Refusal):
        return found
    if found.state != "open":
        return Refusal(BAD_STATE, found.id)
    amended = replace(found, terms_digest=operation.terms_digest, rules_digest=operation.rules_digest)
    return _placed(call, _scoped(call, amended, operation.blanket), "facility_amended")


def renew_blanket(call: Call, operation: RenewBlanket) -> Verdict:
    """The financier continues a blanket that still stands; one that has lapsed begins anew, with the seller as well.

    As with UCC financing statements: a continuation is the secured party's alone and comes before the lapse (9-515(d)),
    a new filing needs the debtor's authorisation (9-509(a)).
    """
    found = _of_financier(call, operation.facility)
    if isinstance(found, Refusal):
        return found
    if found.state != "open" or found.blanket == "none":
        return Refusal(BAD_STATE, found.id)
    if not found.blanket_stands(call.now_ms) and call.signer(found.seller) is None:
        return Refusal(NOT_AUTHORISED, found.id)
    scope = Scope(found.debtors, operation.filing_digest, operation.until_ms)
    return _placed(call, _scoped(call, found, scope), "blanket_renewed")


def carve_out(call: Call, operation: CarveOutReceivable) -> Verdict:
    """The financier lets one of the seller's receivables go from its blanket."""
    found = _of_financier(call, operation.facility)
    if isinstance(found, Refusal):
        return found
    receivable = call.state.receivable(call.resolve(operation.receivable))
    if receivable is None or receivable.registrant != found.seller:
        return Refusal(NOT_FOUND, found.id)
    if not found.blanket_stands(call.now_ms):
        return Refusal(BAD_STATE, found.id)
    if carved_out(call.state, found, receivable):
        return Refusal(ALREADY_DONE, found.id, (receivable.id,))
    event = Event("carved_out", receivable.id, together(found.seller, found.financier), found.id.hex())
    made = CarveOut(carve_out_id(found.id, receivable.id), found.id, receivable.id)
    return Effects(found.id, puts=(put_of(made),), related=(receivable.id,), events=(event,))


def draw(call: Call, operation: Draw) -> Verdict:
    """Both sides put one of the seller's receivables into the pool: a funded claim of the financier, or nothing."""
    found = _agreed(call, operation.facility)
    if isinstance(found, Refusal):
        return found
    if found.state != "open":
        return Refusal(BAD_STATE, found.id)
    receivable = call.state.receivable(call.resolve(operation.receivable))
    if receivable is not None and (receivable.registrant != found.seller or receivable.kind == "payable"):
        return Refusal(NOT_AUTHORISED, receivable.id)
    offer = Offer(operation.receivable, found.financier, operation.share, drawing_terms(found), call.now_ms)
    return fund_at_once(call, offer, operation.acknowledged)


def certify_base(call: Call, operation: CertifyBase) -> Verdict:
    """Both sides sign the digest of a borrowing base; of a day after the last one's, or that day's corrected.

    Also of a closed facility: its claims run off, and both still count.
    """
    found = _agreed(call, operation.facility)
    if isinstance(found, Refusal):
        return found
    latest = _EPOCH + datetime.timedelta(milliseconds=call.now_ms) + _EARLIEST_ZONE
    if not found.base_as_of <= operation.as_of <= day_number(latest.date()):
        return Refusal(BAD_DATE, found.id)
    if operation.as_of == found.base_as_of and operation.base_digest == found.base_digest:
        return Refusal(ALREADY_DONE, found.id)
    certified = replace(
        found,
        base_as_of=operation.as_of,
        base_digest=operation.base_digest,
        base_finding=operation.finding,
        changed_ms=call.now_ms,
    )
    kind = "base_breach" if operation.finding == "breach" else "base_certified"
    event = Event(kind, found.id, together(found.seller, found.financier), str(operation.as_of))
    return Effects(found.id, puts=(put_of(certified),), events=(event,))


def close_facility(call: Call, operation: CloseFacility) -> Verdict:
    """The financier ends the facility, and with it the blanket; claims stay as they are."""
    found = _of_financier(call, operation.facility)
    if isinstance(found, Refusal):
        return found
    if found.state != "open":
        return Refusal(ALREADY_DONE, found.id)
    return _placed(call, _scoped(call, replace(found, state="closed"), ()), "facility_closed")


def _found(call: Call, reference: Ref) -> Refusal | Facility:
    subject = call.resolve(reference)
    return call.state.find(Facility, subject) or Refusal(NOT_FOUND, subject)


def _of_financier(call: Call, reference: Ref) -> Refusal | Facility:
    """The facility, if its financier has signed."""
    found = _found(call, reference)
    if isinstance(found, Facility) and call.signer(found.financier) is None:
        return Refusal(NOT_HOLDER, found.id)
    return found


def _agreed(call: Call, reference: Ref) -> Refusal | Facility:
    """The facility, if both of its sides have signed."""
    found = _found(call, reference)
    if isinstance(found, Facility) and (call.signer(found.seller) is None or call.signer(found.financier) is None):
        return Refusal(NOT_AUTHORISED, found.id)
    return found


def _scoped(call: Call, facility: Facility, scope: Scope | tuple[()]) -> Facility:
    """The facility with this blanket, which begins now unless it stood already over all that it is over."""
    if not scope:
        return replace(facility, blanket="none", debtors=(), filing_digest=b"", blanket_until_ms=0, blanket_since_ms=0)
    narrower = bool(scope.debtors) and set(scope.debtors) <= set(facility.debtors)
    goes_on = facility.blanket_stands(call.now_ms) and (facility.blanket == "all" or narrower)
    return replace(
        facility,
        blanket="listed" if scope.debtors else "all",
        debtors=scope.debtors,
        filing_digest=scope.filing_digest,
        blanket_until_ms=scope.until_ms,
        blanket_since_ms=facility.blanket_since_ms if goes_on else call.now_ms,
    )


def _placed(call: Call, facility: Facility, kind: str) -> Verdict:
    """The facility in its place and on the list of its seller's blankets, or why its blanket cannot be."""
    listed = call.state.holders(BLANKET_KIND, blanket_mark(facility.seller))
    kept = [one.id for one in standing(call.state, facility.seller, call.now_ms) if one.id != facility.id]
    if facility.blanket != "none":
        if not call.now_ms < facility.blanket_until_ms <= call.now_ms + BLANKET_TERM_MAX_MS:
            return Refusal(BAD_DATE, facility.id)
        others = overlapping(call, facility)
        if others:
            return Refusal(BLANKET, facility.id, others)
        kept.append(facility.id)
    if len(kept) > BLANKETS_MAX:
        return Refusal(LIMIT_REACHED, facility.id)
    placed = replace(facility, changed_ms=call.now_ms)
    puts: list[Put] = [put_of(placed)]
    if tuple(kept) != listed:
        puts.append((print_key(BLANKET_KIND, blanket_mark(facility.seller)), tuple(kept)))
    event = Event(kind, placed.id, together(placed.seller, placed.financier), placed.blanket)
    return Effects(placed.id, puts=tuple(puts), events=(event,))
