"""For authorities: admit parties and nodes, and seat authorities, by quorum; and evidence against one.

A proposal is in force when more than two thirds have approved it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from clients.errors import Refused
from clients.exchange import Procedure
from clients.session import Session, accepted, submit
from registry.genesis import PARTY_FIELDS, AuthorityEntry, transport_public_key
from registry.parties import Party, vet_party
from registry.receipts import Receipt
from registry.tables import Table
from registry.transactions.authorities import AdmitNode, ReportMisbehaviour, SeatAuthority
from registry.transactions.governance import Admit, Approve, Propose

__all__ = ["approve", "card_from_toml", "propose_admissions", "propose_node", "propose_seat", "report_misbehaviour"]

_CARD: Final = ("format", "role", "address", "consensus_key", "transport_certificate", "party")
BATCH_MAX = 100  # operations under one signature; a party's record is large


def propose_admissions(session: Session, parties: Sequence[Party]) -> Procedure[tuple[bytes, ...]]:
    """Propose to admit these parties; the proposals' ids, in order. Proposing counts as approving.

    Each party is vetted first with all that libraries know of its identifiers (`FieldError` names the field): what is
    proposed here is what the other authorities will rely on. Raises `Refused` for the first that a rule refuses.
    """
    for party in parties:
        vet_party(party)
    proposals: list[bytes] = []
    for start in range(0, len(parties), BATCH_MAX):
        batch = parties[start : start + BATCH_MAX]
        final = yield from submit(session, [Propose(change=Admit(party=party)) for party in batch])
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


def card_from_toml(text: str) -> AuthorityEntry:
    """What a node's card (`nemodat node init`) says of it; an observer's consensus key is empty.

    Raises `FieldError` naming the field, also for a certificate that nodes would not take.
    """
    table = Table.parse(text, _CARD)
    card = AuthorityEntry(
        party=table.table("party", PARTY_FIELDS).text("id"),
        consensus_key=table.hex("consensus_key"),
        transport_certificate=table.base64("transport_certificate"),
        address=table.text("address"),
    )
    transport_public_key(card.transport_certificate)
    return card


def propose_seat(session: Session, card: AuthorityEntry) -> Procedure[bytes]:
    """Propose that the card's party is an authority with this node; the proposal's id. Raises `Refused`, `Rejected`.

    One that has a seat gets these keys in place of its own.
    """
    change = SeatAuthority(card.party, card.consensus_key, card.transport_certificate, card.address)
    return accepted((yield from submit(session, [Propose(change)]))).subject


def propose_node(session: Session, card: AuthorityEntry) -> Procedure[bytes]:
    """Propose to let the card's node in, which then follows; the proposal's id. Raises `Refused`, `Rejected`."""
    change = AdmitNode(card.party, card.transport_certificate, card.address)
    return accepted((yield from submit(session, [Propose(change)]))).subject


def report_misbehaviour(session: Session, evidence: bytes) -> Procedure[Receipt]:
    """Record evidence (canonical, `consensus.evidence`) against an authority, which loses its seat if enough are left.

    Anybody may; the subject is the accused key. Raises `Refused`, also if it proves nothing.
    """
    return accepted((yield from submit(session, [ReportMisbehaviour(evidence)])))


def _done(receipt: Receipt) -> Receipt:
    if not receipt.done:
        raise Refused(receipt)
    return receipt
