"""Attestations, and when a party's have lapsed (registry.md 3).

Registering and funding ask `lapsed`. It reads nothing but the party's own record, which lists what counts: for each
author and kind the newest, and of a kind that has lapsed altogether one entry, so that this stays known. All of it
holds from the next height on, like everything that is said about a party.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from registry.events import Event
from registry.limits import ATTESTATIONS_MAX
from registry.parties import Attested, Party
from registry.reasons import ALREADY_DONE, BAD_DATES, LIMIT_REACHED, NOT_AUTHORISED, NOT_FOUND, UNKNOWN_PARTY
from registry.records.attestations import Attestation
from registry.rules.roles import may
from registry.rules.verdicts import Call, Effects, Refusal, Verdict, together
from registry.state import party_key, put_of
from registry.transactions.attestations import Attest, WithdrawAttestation

__all__ = ["attest", "lapsed", "withdraw"]


def lapsed(party: Party, now_ms: int) -> bool:
    """Whether of some kind the party was attested, and no attestation is live any more.

    A party that nobody ever attested has not lapsed: whether it must be attested is for its financiers to ask. One that
    somebody attested for a day, or took back, has, because registry.md 3 refuses business "for a party whose
    attestation has lapsed" and lets any financier attest: a doubt that one of them has is to stop the others too. It
    harms nobody who has paid, and any other financier or authority ends it by attesting that kind itself.
    """
    if not party.attestations:
        return False
    live = {entry.kind for entry in party.attestations if entry.expires_ms >= now_ms}
    return any(entry.kind not in live for entry in party.attestations)


def attest(call: Call, operation: Attest) -> Verdict:
    """A financier or an authority vouches for another party; what it said before of that kind no longer counts."""
    author = call.sender
    if not may(author, "attest") or operation.party == author.id:
        return Refusal(NOT_AUTHORISED)
    party = call.state.coming_party(operation.party)
    if party is None:
        return Refusal(UNKNOWN_PARTY)
    if not operation.issued_ms <= call.now_ms < operation.expires_ms:
        return Refusal(BAD_DATES)
    attestation = Attestation(
        id=call.created_id(),
        party=party.id,
        author=author.id,
        kind=operation.kind,
        provider=operation.provider,
        result_digest=operation.result_digest,
        issued_ms=operation.issued_ms,
        expires_ms=operation.expires_ms,
        warning=operation.warning,
        state="given",
    )
    others = [entry for entry in party.attestations if (entry.author, entry.kind) != (author.id, operation.kind)]
    entry = Attested(attestation.id, author.id, operation.kind, operation.expires_ms)
    counting = _counting([*others, entry], call.now_ms)
    if len(counting) > ATTESTATIONS_MAX:
        return Refusal(LIMIT_REACHED)
    return _effects(attestation, replace(party, attestations=counting), "attested")


def withdraw(call: Call, operation: WithdrawAttestation) -> Verdict:
    """The author takes its word back. If nobody else vouches for that kind, the party has lapsed."""
    subject = call.resolve(operation.attestation)
    attestation = call.state.find(Attestation, subject)
    if attestation is None:
        return Refusal(NOT_FOUND, subject)
    if call.signer(attestation.author) is None:
        return Refusal(NOT_AUTHORISED, subject)
    if attestation.state == "withdrawn":
        return Refusal(ALREADY_DONE, subject)
    party = call.state.coming_party(attestation.party)
    assert party is not None, "a party that was attested is there"
    entries = [entry._replace(expires_ms=0) if entry.attestation == subject else entry for entry in party.attestations]
    withdrawn = replace(attestation, state="withdrawn")
    changed = replace(party, attestations=_counting(entries, call.now_ms))
    return _effects(withdrawn, changed, "attestation_withdrawn")


def _counting(entries: Sequence[Attested], now_ms: int) -> tuple[Attested, ...]:
    """The entries that say whether the party has lapsed: all live ones, and the newest of each kind that has none."""
    live = {entry.kind for entry in entries if entry.expires_ms >= now_ms}
    newest = {entry.kind: entry for entry in entries}
    return tuple(
        [
            entry
            for entry in entries
            if entry.expires_ms >= now_ms or (entry.kind not in live and newest[entry.kind] == entry)
        ]
    )


def _effects(attestation: Attestation, party: Party, kind: str) -> Effects:
    event = Event(kind, attestation.id, together(attestation.author, party.id), attestation.kind)
    return Effects(attestation.id, puts=(put_of(attestation),), later=((party_key(party.id), party),), events=(event,))
