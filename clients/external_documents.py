"""From a document to what it asserts outside: the assignments that it records, or the factor that it names. Pure."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from clients.errors import ClientError
from registry.codec import tagged_digest
from registry.documents import ExternalClaim, Invoice, Party
from registry.fingerprint import Particulars, register_fingerprints
from registry.money import WHOLE, Money, claim_share
from registry.transactions.external_claims import assignee_commitment
from registry.transactions.receivables import NO_DIGEST

__all__ = ["Stated", "commitment_to", "government_fingerprint", "stated_in"]

# Registers write local time without a zone. Taken as the earliest instant that it can be, so that a claim from outside
# is never made younger than it is: Chile's mainland is at UTC-3 in summer and at UTC-4 in winter.
_EARLIEST_ZONES: Final = {"CL:RPETC": datetime.timezone(datetime.timedelta(hours=-3))}
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MS: Final = datetime.timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """One claim as a document states it: the fields of `RecordExternalClaim`, and whose it is in clear.

    `identifiers` are those of the assignee ("scheme:VALUE", or "name:..." if the document has nothing better), the
    first of which the `commitment` opens; none if the document names nobody. `said` is what the document says.
    """

    source: str
    reference: bytes
    identifiers: tuple[str, ...]
    commitment: bytes
    share: int
    concluded_ms: int
    name: str
    said: str


def stated_in(invoice: Invoice, document: bytes) -> tuple[Stated, ...]:
    """What `document`, which was read as `invoice`, asserts: the claims that it records, else what its signals say.

    Of a chain of assignments the last assignee of each part has the claim, concluded when the first one was: who takes
    a claim over has its rank. When it was entered in the register such a record does not say. Raises `ClientError`.
    """
    if invoice.external_claims:
        return tuple(_recorded(invoice, document))
    if not invoice.signals:
        return ()
    said = "; ".join(dict.fromkeys(signal.text for signal in invoice.signals))
    named = {_identifiers(signal.party): signal.party for signal in invoice.signals if signal.party is not None}
    return tuple([_stated(document, "document", party, said=said) for party in named.values() or (None,)])


def commitment_to(identifier: str, document: bytes) -> bytes:
    """What the ledger holds in place of an assignee that is no member: who has the document can open it, nobody else.

    The salt is made of the whole document, of which the ledger knows another digest.
    """
    return assignee_commitment(salt=tagged_digest(b"NEMODAT-v1-assignee-salt", document), identifier=identifier)


def government_fingerprint(key: bytes, invoice: Invoice) -> bytes | None:
    """The fingerprint of the id that a tax authority gave the invoice, under the network's key; None if it has none."""
    government = invoice.government_id
    if government is None:
        return None
    particulars = Particulars(
        seller="",
        debtor="",
        number="",
        currency=invoice.currency,
        amount_minor=1,
        issue_date=None,
        government_ids=(f"{government.country}:{government.value}",),
    )
    ((_, fingerprint),) = register_fingerprints(key, particulars)
    return fingerprint


@dataclass(frozen=True, slots=True)
class _Held:
    """A part of the debt on its way through the chain: who has it now, since when it is out of the seller's hands."""

    claim: ExternalClaim
    amount: Money
    concluded_ms: int


def _recorded(invoice: Invoice, document: bytes) -> Iterator[Stated]:
    whole = invoice.gross or invoice.payable
    assert whole is not None, "a document that records assignments states what was assigned"
    for part in _at_the_end(invoice.external_claims):
        amount = min(part.amount, whole, key=lambda money: money.minor)
        said = f"{part.amount} assigned to {part.claim.assignee.name or 'an unnamed party'}"
        yield replace(
            _stated(document, part.claim.register, part.claim.assignee, said=said),
            share=claim_share(amount, whole=whole),
            concluded_ms=part.concluded_ms,
        )


def _at_the_end(claims: Iterable[ExternalClaim]) -> list[_Held]:
    """Who holds what after all assignments of the chain, in its order."""
    held: list[_Held] = []
    for claim in claims:
        since_ms = _instant_ms(claim)
        kept: list[_Held] = []
        left = claim.amount.minor
        for part in held:
            if left and _same_party(part.claim.assignee, claim.assignor):
                taken = min(left, part.amount.minor)
                left -= taken
                since_ms = min(since_ms, part.concluded_ms)
                part = replace(part, amount=Money(part.amount.currency, part.amount.minor - taken))
            if part.amount.minor:
                kept.append(part)
        held = [*kept, _Held(claim, claim.amount, since_ms)]
    return held


def _stated(document: bytes, source: str, party: Party | None, *, said: str) -> Stated:
    identifiers = () if party is None else _identifiers(party)
    return Stated(
        source=source,
        reference=hashlib.sha256(document).digest(),
        identifiers=identifiers,
        commitment=commitment_to(identifiers[0], document) if identifiers else NO_DIGEST,
        share=WHOLE,
        concluded_ms=0,
        name="" if party is None else party.name,
        said=said,
    )


def _identifiers(party: Party) -> tuple[str, ...]:
    named = (f"name:{party.name}",) if party.name else ()
    return tuple([one.text for one in party.identifiers]) or named


def _same_party(one: Party, other: Party) -> bool:
    return not set(_identifiers(one)).isdisjoint(_identifiers(other))


def _instant_ms(claim: ExternalClaim) -> int:
    moment = claim.concluded
    if moment.tzinfo is None:
        zone = _EARLIEST_ZONES.get(claim.register)
        if zone is None:
            raise ClientError(f"{claim.register}: in which zone it writes {moment.isoformat()} is not known")
        moment = moment.replace(tzinfo=zone)
    return (moment - _EPOCH) // _MS
