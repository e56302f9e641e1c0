"""Official filings: recorded, continued before they lapse, ended. They are evidence; the ledger's order is its own."""

from __future__ import annotations

from dataclasses import replace

from registry.events import Event
from registry.limits import CONTINUATIONS_MAX, FILINGS_MAX
from registry.reasons import ALREADY_DONE, BAD_STATE, EXPIRED, IMPOSSIBLE_TIME, LIMIT_REACHED, NOT_FOUND, NOT_HOLDER
from registry.records import Claim
from registry.records.filings import Filed, Filing
from registry.rules.verdicts import Call, Effects, Refusal, Verdict, together
from registry.state import Put, put_of
from registry.transactions.fields import Ref
from registry.transactions.filings import ContinueFiling, EndFiling, RecordFiling

__all__ = ["continue_filing", "end_filing", "record_filing"]


def record_filing(call: Call, operation: RecordFiling) -> Verdict:
    """The holder of a live claim says where it is filed; a filing of the future, or one that has lapsed, is none."""
    subject = call.resolve(operation.claim)
    claim = call.state.claim(subject)
    if claim is None:
        return Refusal(NOT_FOUND, subject)
    holder = call.signer(claim.holder)
    if holder is None:
        return Refusal(NOT_HOLDER, subject)
    if claim.state_at(call.now_ms) not in ("offered", "reserved", "funded"):  # pre-filing is allowed (UCC 9-502(d))
        return Refusal(BAD_STATE, subject)
    if operation.filed_ms > call.now_ms:
        return Refusal(IMPOSSIBLE_TIME, subject)
    if _lapsed(operation.lapses_ms, call.now_ms):
        return Refusal(EXPIRED, subject)
    filed = call.state.find(Filed, subject) or Filed(subject, ())
    if sum(_filing(call, one).by == holder.id for one in filed.filings) >= FILINGS_MAX:
        return Refusal(LIMIT_REACHED, subject)
    filing = Filing(
        id=call.created_id(),
        claim=claim.id,
        receivable=claim.receivable,
        by=holder.id,
        register=operation.register,
        digests=(operation.number_digest,),
        filed_ms=operation.filed_ms,
        lapses_ms=operation.lapses_ms,
        recorded_ms=call.now_ms,
        state="live",
    )
    listed = replace(filed, filings=(*filed.filings, filing.id))
    return _changed(filing, "filed", together(claim.assignor, holder.id), puts=(put_of(listed),))


def continue_filing(call: Call, operation: ContinueFiling) -> Verdict:
    """Refused once it has lapsed: what lapsed is filed anew, with the rank of that day."""
    found = _live(call, operation.filing)
    if isinstance(found, Refusal):
        return found
    if _lapsed(operation.lapses_ms, call.now_ms) or 0 < operation.lapses_ms <= found.lapses_ms:
        return Refusal(BAD_STATE, found.id)
    if len(found.digests) > CONTINUATIONS_MAX:
        return Refusal(LIMIT_REACHED, found.id)
    continued = replace(found, digests=(*found.digests, operation.number_digest), lapses_ms=operation.lapses_ms)
    return _changed(continued, "filing_continued", _sides(call, found))


def end_filing(call: Call, operation: EndFiling) -> Verdict:
    """It is off the official register."""
    found = _live(call, operation.filing)
    if isinstance(found, Refusal):
        return found
    ended = replace(found, digests=(*found.digests, operation.number_digest), state="ended")
    return _changed(ended, "filing_ended", _sides(call, found))


def _live(call: Call, ref: Ref) -> Refusal | Filing:
    """The live filing of a claim whose holder has signed: a filing goes with its claim (UCC 9-310(c), 9-514)."""
    subject = call.resolve(ref)
    filing = call.state.find(Filing, subject)
    if filing is None:
        return Refusal(NOT_FOUND, subject)
    if call.signer(_claim(call, filing).holder) is None:
        return Refusal(NOT_HOLDER, subject)
    state = filing.state_at(call.now_ms)
    if state == "lapsed":
        return Refusal(EXPIRED, subject)
    return filing if state == "live" else Refusal(ALREADY_DONE, subject)


def _sides(call: Call, filing: Filing) -> tuple[str, ...]:
    """Both sides of the claim, as when it was filed, and who filed it."""
    claim = _claim(call, filing)
    return together(claim.assignor, claim.holder, filing.by)


def _filing(call: Call, subject: bytes) -> Filing:
    filing = call.state.find(Filing, subject)
    assert filing is not None, "a claim lists a filing that is not there"
    return filing


def _claim(call: Call, filing: Filing) -> Claim:
    claim = call.state.claim(filing.claim)
    assert claim is not None, "a filing is of a claim that is recorded"
    return claim


def _lapsed(lapses_ms: int, now_ms: int) -> bool:
    return 0 < lapses_ms <= now_ms


def _changed(filing: Filing, kind: str, parties: tuple[str, ...], *, puts: tuple[Put, ...] = ()) -> Effects:
    event = Event(kind, filing.id, parties, filing.register)
    return Effects(filing.id, puts=(put_of(filing), *puts), related=(filing.claim,), events=(event,))
