"""Procedures about who decides: the authorities in force, and the changes of them that authorities propose."""

from __future__ import annotations

from dataclasses import dataclass

from clients import reads
from clients.changes import catch_up
from clients.errors import ClientError, ProofInvalid
from clients.exchange import Procedure
from clients.session import Session
from consensus.authorities import AuthoritySet
from consensus.light import in_force as authorities_at
from registry.errors import FieldError
from registry.genesis import transport_public_key
from registry.tables import Table
from registry.transactions.authorities import AdmitNode, SeatAuthority

__all__ = ["Card", "in_force", "is_usable", "read_card"]

CARD_FORMAT = "nemodat-card-v1"
_FIELDS = ("format", "role", "address", "consensus_key", "checkpoint_key", "transport_certificate", "party")

_PARTY = ("id", "name", "country", "identifiers", "roles", "sign_keys", "owner_key", "receive_key", "home")


@dataclass(frozen=True, slots=True)
class Card:
    """What a member's card says of its node: party id, "host:port", certificate (DER), consensus key or b""."""

    party: str
    address: str
    certificate: bytes
    consensus_key: bytes

    def admission(self) -> AdmitNode:
        """The change that lets the node in."""
        return AdmitNode(self.party, self.certificate, self.address)

    def seat(self, proof: bytes) -> SeatAuthority:
        """The change that gives the party a seat with this key and node. Raises `ClientError` for an observer's.

        `proof` is the consensus key's own (`nemodat key prove`): a card that names another's key is refused.
        """
        if not self.consensus_key:
            raise ClientError("the card is an observer's: it has no consensus key")
        return SeatAuthority(self.party, self.consensus_key, self.certificate, self.address, proof)


def read_card(text: str) -> Card:
    """The card in a TOML text (`nemodat node init`), its certificate parsed as nodes will. Raises `ClientError`."""
    try:
        table = Table.parse(text, _FIELDS)
        if table.text("format") != CARD_FORMAT:
            raise FieldError("format", f"must be {CARD_FORMAT}")
        certificate = table.base64("transport_certificate")
        transport_public_key(certificate)
        party = table.table("party", _PARTY).text("id")
        return Card(party, table.text("address"), certificate, table.hex("consensus_key"))
    except FieldError as error:
        raise ClientError(f"card: {error}") from error


def is_usable(certificate: bytes) -> bool:
    """Whether nodes can let somebody in by this certificate: the ledger does not parse it, people look at it."""
    try:
        transport_public_key(certificate)
    except FieldError:
        return False
    return True


def in_force(session: Session) -> Procedure[tuple[int, AuthoritySet]]:
    """The height after the newest, and the authorities that will make its block final, proved from genesis."""
    header = yield from reads.header(session, None)
    if header.next_authorities != header.authorities:
        yield from catch_up(session)
    coming = authorities_at(session.trust.reigns, header.height + 1)
    if coming.digest != header.next_authorities:
        raise ProofInvalid("changes: the newest header names a set that they do not lead to")
    return header.height + 1, coming
