"""What the laws say of a receivable on the ledger: its records, proved, and what the party knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from clients import external, filings, notices, reads
from clients.errors import ClientError
from clients.exchange import Procedure
from clients.session import Session
from registry.law.case import Case
from registry.law.from_ledger import case_from_ledger
from registry.law.profiles import Profile
from registry.law.ranking import Opinion, rank
from registry.records import Claim, Receivable
from registry.records.facilities import CarveOut, Facility, carve_out_id
from registry.records.filings import Filing
from registry.records.notices import Notice

__all__ = ["OfReceivable", "rank_receivable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OfReceivable:
    """The opinion, and what it leaves out because it is not shown to this party, or not known here.

    `claims_not_shown`: ids. `filings_not_shown`, `notices_not_shown`: holders of claims on the ledger. Of these claims
    only what the party itself sent or was told is weighed, and what it says that it knows. `without_profile`: laws.
    """

    opinion: Opinion
    claims_not_shown: tuple[bytes, ...]
    filings_not_shown: tuple[str, ...]
    notices_not_shown: tuple[str, ...]
    without_profile: tuple[str, ...]


def rank_receivable(
    session: Session,
    receivable: bytes,
    *,
    profiles: Sequence[Profile],
    known: Case | None = None,
    laws: Sequence[str] = (),
) -> Procedure[OfReceivable]:
    """Rank the claims on a receivable under `laws`; else those that `known` names; else its own candidate laws.

    `known` is what the party knows off the ledger (`registry.law.from_ledger`). Each record is proved. Who is not a
    side of a claim is not shown it; the filings and notices of a claim are shown to whoever holds it, also those of
    earlier holders, and to overseers, a notice to its sides, blankets to theirs: what is not shown is not weighed.
    Claims outside are, as what they are said to be. It is as of the newest block, or of when `known` says; no record
    is of before that block. Raises `ClientError` if there is no such receivable for this party, `Stale` if nodes
    give older records, `FieldError` for facts that do not fit.
    """
    newest = yield from reads.header(session, None)
    session = replace(session, from_height=newest.height)
    record = yield from reads.receivable(session, receivable)
    if record is None:
        raise ClientError(f"{receivable.hex()}: no such receivable, or none that this party may see")
    claims = yield from reads.claims(session, receivable)
    facts = yield from _facts(session, record, claims)
    outside = yield from external.of_receivable(session, receivable)
    facilities = yield from _blankets_over(session, record)
    case = case_from_ledger(
        record,
        claims,
        facts.filings.values(),
        facts.notices.values(),
        external=outside,
        facilities=facilities,
        profiles=profiles,
        now_ms=newest.timestamp_ms,
        known=known,
    )
    without: tuple[str, ...] = ()
    if laws:
        case = replace(case, laws=tuple(laws))
    elif known is None or not known.laws:
        codes = {profile.code for profile in profiles}
        without = tuple([law for law in case.laws if law not in codes])
        case = replace(case, laws=tuple([law for law in case.laws if law in codes]))
        if without and not case.laws:
            raise ClientError(f"no profile for any of its candidate laws: {', '.join(without)}; name others")
    said = {claim.id for claim in case.claims}
    shown = {claim.id for claim in claims}
    return OfReceivable(
        opinion=rank(case, profiles),
        claims_not_shown=tuple([one for one in record.claims if one not in shown and one.hex() not in said]),
        filings_not_shown=_claimants(case, facts.filings_hidden),
        notices_not_shown=_claimants(case, facts.notices_hidden),
        without_profile=without,
    )


def _blankets_over(session: Session, receivable: Receivable) -> Procedure[tuple[Facility, ...]]:
    """This party's facilities with a blanket over it that did not let it go (that it was not is the node's word)."""
    found: list[Facility] = []
    for facility in (yield from reads.own_records(session, Facility)):
        if facility.blanket == "none" or not facility.covers(receivable):
            continue
        if (yield from reads.record(session, CarveOut, carve_out_id(facility.id, receivable.id))) is None:
            found.append(facility)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Facts:
    """The filings and notices of claims that are shown, by id, and the claims (hex) of which some may not be shown."""

    filings: dict[bytes, Filing]
    notices: dict[bytes, Notice]
    filings_hidden: set[str]
    notices_hidden: set[str]


def _facts(session: Session, receivable: Receivable, claims: Sequence[Claim]) -> Procedure[_Facts]:
    ids = {claim.id for claim in claims}
    own_filings = yield from reads.own_records(session, Filing)
    own_notices = yield from reads.own_records(session, Notice)
    own = yield from reads.party(session, session.party)
    oversees = own is not None and "regulator" in own.roles
    unseen = {one.hex() for one in receivable.claims if one not in ids}
    facts = _Facts(
        filings={one.id: one for one in own_filings if one.claim in ids},
        notices={one.id: one for one in own_notices if one.claim in ids},
        filings_hidden=set(unseen),
        notices_hidden=set(unseen),
    )
    for claim in claims:
        if oversees or claim.holder == session.party:
            facts.filings.update({one.id: one for one in (yield from filings.filings_of(session, claim.id)) or ()})
            facts.notices.update({one.id: one for one in (yield from notices.notices_of(session, claim.id)) or ()})
            continue
        facts.filings_hidden.add(claim.id.hex())
        if claim.assignor != session.party:  # each notice names the assignor, so it is shown them all
            facts.notices_hidden.add(claim.id.hex())
    return facts


def _claimants(case: Case, hidden: set[str]) -> tuple[str, ...]:
    """Who has those of these claims that compete, each once."""
    return tuple(dict.fromkeys(claim.claimant for claim in case.claims if claim.id in hidden))
