"""Cards: what a party hands to an authority or to whoever makes a genesis file, and what its new keys prove with it.

A card is TOML, holds public things only, and goes to the ledger as the file that it is: nothing is copied by hand.

    a party's   who it is, and its keys; its node, if it runs one; the proofs of possession, made by the keys themselves
    a key's     one new key of a party that is a member, and its proof, for one purpose

Proofs are for one network (the genesis id), party and purpose (`rules.possession`). The id is all that a newcomer must
be told: the genesis file, which holds the key of the fingerprints, it gets when it is a member. A card for a network
that begins has no proofs, for there is no id yet and genesis needs none.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import tomli_w

from registry.errors import FieldError
from registry.genesis import PARTY_FIELDS, is_address, party_in, party_table, transport_public_key
from registry.keys import PUBLIC_KEY_SIZE, Signer, prove_possession, proves_possession
from registry.parties import Party, vet_party
from registry.tables import Table
from registry.transactions.authorities import AdmitNode, SeatAuthority
from registry.transactions.fields import NO_PROOF
from registry.transactions.governance import Admit, admission

__all__ = [
    "CARD_BYTES_MAX",
    "KEY_CARD_PURPOSES",
    "Card",
    "CardNode",
    "CardProofs",
    "KeyCard",
    "admission_of",
    "card_from_toml",
    "card_toml",
    "key_card",
    "key_card_from_toml",
    "key_card_toml",
    "node_admission_of",
    "proved",
    "seat_of",
]

CARD_FORMAT = "nemodat-card-v1"
KEY_CARD_FORMAT = "nemodat-key-card-v1"
CARD_BYTES_MAX = 64 * 1024
KEY_CARD_PURPOSES: Final = ("add_key", "recover", "replace_owner_key")  # the others are on a party's card

_NODE = ("role", "address", "consensus_key", "checkpoint_key", "transport_certificate")
_PROOFS = ("network", "sign_keys", "owner_key", "consensus_key")
_KEY_CARD = ("format", "network", "party", "purpose", "key", "proof")


@dataclass(frozen=True, slots=True, kw_only=True)
class CardNode:
    """A party's node: whether it votes, "host:port", certificate (DER); its Ed25519 consensus key, or, for an observer
    of a regulator, the key that signs checkpoints (32 bytes, b"": none)."""

    role: Literal["authority", "observer"]
    address: str
    transport_certificate: bytes
    consensus_key: bytes = b""
    checkpoint_key: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardProofs:
    """By each key that is new to the network with this genesis id (32 bytes); () and b"" for those that are not.

    `sign_keys` has one for each signing key, in their order ("admit_sign"), `owner_key` is for "admit_owner",
    `consensus_key` for "seat_authority".
    """

    network: bytes
    sign_keys: tuple[bytes, ...] = ()
    owner_key: bytes = b""
    consensus_key: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a party tells the others of itself. `proofs` is None if it was made for a network that begins."""

    party: Party
    node: CardNode | None = None
    proofs: CardProofs | None = None


def proved(card: Card, network: bytes, *, party: Sequence[Signer] = (), consensus: Signer | None = None) -> Card:
    """The card with proofs for this network by `party`, its signing keys and then the owner key, and by `consensus`."""
    *sign, owner = admission(card.party, party, network).proofs if party else (b"",)
    seat = b"" if consensus is None else prove_possession(consensus, network, card.party.id, SeatAuthority.NAME)
    made = CardProofs(network=network, sign_keys=tuple(sign), owner_key=owner, consensus_key=seat)
    return replace(card, proofs=made)


def admission_of(card: Card, network: bytes) -> Admit:
    """The change that admits the party. Raises `FieldError` if a key has not proved itself for this network."""
    proofs = _proofs(card, network)
    if len(proofs.sign_keys) != len(card.party.sign_keys):
        raise FieldError("proofs.sign_keys", f"must be {len(card.party.sign_keys)}, one for each of party.sign_keys")
    for index, (key, proof) in enumerate(zip(card.party.sign_keys, proofs.sign_keys, strict=True)):
        _require(f"proofs.sign_keys[{index}]", key, network, card.party.id, "admit_sign", proof)
    _require("proofs.owner_key", card.party.owner_key, network, card.party.id, "admit_owner", proofs.owner_key)
    return Admit(card.party, (*proofs.sign_keys, proofs.owner_key))


def node_admission_of(card: Card, network: bytes) -> AdmitNode:
    """The change that lets the node in. Raises `FieldError` if there is none, or if the card is for another network."""
    node = _node_of(card)
    if card.proofs is not None:
        _proofs(card, network)
    return AdmitNode(card.party.id, node.transport_certificate, node.address)


def seat_of(card: Card, network: bytes, *, seated: bytes = b"") -> SeatAuthority:
    """The change that gives the party a seat with this key and node. Raises `FieldError`, also for an observer's.

    `seated` is the consensus key that it has a seat with now: where that stays, the card needs no proof.
    """
    node, proof = _node_of(card), NO_PROOF
    if not node.consensus_key:
        raise FieldError("node.consensus_key", "is empty: the card is an observer's, which does not vote")
    if node.consensus_key != seated:
        proof = _proofs(card, network).consensus_key
        _require("proofs.consensus_key", node.consensus_key, network, card.party.id, SeatAuthority.NAME, proof)
    return SeatAuthority(card.party.id, node.consensus_key, node.transport_certificate, node.address, proof)


def card_toml(card: Card) -> str:
    """The TOML text that `card_from_toml` reads back to an equal card."""
    tables: dict[str, object] = {"format": CARD_FORMAT, "party": party_table(card.party)}
    if card.node is not None:
        tables["node"] = {
            "role": card.node.role,
            "address": card.node.address,
            "consensus_key": card.node.consensus_key.hex(),
            "checkpoint_key": card.node.checkpoint_key.hex(),
            "transport_certificate": base64.b64encode(card.node.transport_certificate).decode(),
        }
    if card.proofs is not None:
        tables["proofs"] = {
            "network": card.proofs.network.hex(),
            "sign_keys": [proof.hex() for proof in card.proofs.sign_keys],
            "owner_key": card.proofs.owner_key.hex(),
            "consensus_key": card.proofs.consensus_key.hex(),
        }
    return tomli_w.dumps(tables)


def card_from_toml(text: str) -> Card:
    """The card that a text says, its party vetted and its certificate too. Raises `FieldError`.

    Proofs are only read: whether they are good depends on the network (`admission_of`, `seat_of`).
    """
    table = _parsed(text, ("format", "party"), CARD_FORMAT, optional=("node", "proofs"))
    party = party_in(table.table("party", PARTY_FIELDS))
    try:
        vet_party(party)
    except FieldError as error:
        raise FieldError(f"party.{error.field}", error.reason) from error
    node = _node_in(table.table("node", _NODE)) if table.has("node") else None
    proofs = _proofs_in(table.table("proofs", _PROOFS)) if table.has("proofs") else None
    return Card(party=party, node=node, proofs=proofs)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCard:
    """A key that a member brings: the genesis id, its party, for what (KEY_CARD_PURPOSES), public key and proof."""

    network: bytes
    party: str
    purpose: str
    key: bytes
    proof: bytes

    def require(self, network: bytes, party: str, purpose: str) -> None:
        """Return if the key has proved itself for these; else raise `FieldError` naming what differs."""
        _require_network("network", self.network, network)
        for field, found, wanted in (("party", self.party, party), ("purpose", self.purpose, purpose)):
            if found != wanted:
                raise FieldError(field, f"is {found}, where {wanted} is needed")
        _require("proof", self.key, network, party, purpose, self.proof)


def key_card(key: Signer, network: bytes, party: str, purpose: str) -> KeyCard:
    """The card of a new key. Raises `FieldError` unless the purpose is one of KEY_CARD_PURPOSES."""
    if purpose not in KEY_CARD_PURPOSES:
        raise FieldError("purpose", f"must be one of {', '.join(KEY_CARD_PURPOSES)}")
    proof = prove_possession(key, network, party, purpose)
    return KeyCard(network=network, party=party, purpose=purpose, key=key.public_key, proof=proof)


def key_card_toml(card: KeyCard) -> str:
    """The TOML text that `key_card_from_toml` reads back to an equal card."""
    values = (KEY_CARD_FORMAT, card.network.hex(), card.party, card.purpose, card.key.hex(), card.proof.hex())
    return tomli_w.dumps(dict(zip(_KEY_CARD, values, strict=True)))


def key_card_from_toml(text: str) -> KeyCard:
    """The key's card that a text says. Raises `FieldError`; whether the proof is good is `KeyCard.require`'s."""
    table = _parsed(text, _KEY_CARD, KEY_CARD_FORMAT)
    network, key, proof = (table.hex(name) for name in ("network", "key", "proof"))
    return KeyCard(network=network, party=table.text("party"), purpose=table.text("purpose"), key=key, proof=proof)


def _parsed(text: str, names: Sequence[str], format_: str, *, optional: Sequence[str] = ()) -> Table:
    if len(text.encode(errors="replace")) > CARD_BYTES_MAX:
        raise FieldError("file", f"has more than {CARD_BYTES_MAX} bytes: not a card")
    table = Table.parse(text, names, optional=optional)
    if table.text("format") != format_:
        raise FieldError("format", f"must be {format_}")
    return table


def _node_in(table: Table) -> CardNode:
    role, consensus_key = table.text("role"), table.hex("consensus_key")
    if role not in ("authority", "observer"):
        raise FieldError("node.role", "must be authority or observer")
    if role == "observer" and consensus_key:
        raise FieldError("node.consensus_key", "must be empty: an observer does not vote")
    if role == "authority" and len(consensus_key) != PUBLIC_KEY_SIZE:
        raise FieldError("node.consensus_key", f"must have {PUBLIC_KEY_SIZE} bytes: an authority votes with it")
    if not is_address(address := table.text("address")):
        raise FieldError("node.address", "must be host:port, such as node.example.org:7001")
    certificate = table.base64("transport_certificate")
    try:
        transport_public_key(certificate)
    except FieldError as error:
        raise FieldError(f"node.{error.field}", error.reason) from error
    return CardNode(
        role="authority" if role == "authority" else "observer",
        address=address,
        transport_certificate=certificate,
        consensus_key=consensus_key,
        checkpoint_key=table.hex("checkpoint_key"),
    )


def _proofs_in(table: Table) -> CardProofs:
    return CardProofs(
        network=table.hex("network"),
        sign_keys=table.hexes("sign_keys"),
        owner_key=table.hex("owner_key"),
        consensus_key=table.hex("consensus_key"),
    )


def _node_of(card: Card) -> CardNode:
    if card.node is None:
        raise FieldError("node", "is missing: the card is of a party without a node; `nemodat node init` makes one")
    return card.node


def _proofs(card: Card, network: bytes) -> CardProofs:
    """The proofs of a card that is for this network."""
    if card.proofs is None:
        raise FieldError("proofs", f"is missing: make the card for this network, with --network {network.hex()}")
    _require_network("proofs.network", card.proofs.network, network)
    return card.proofs


def _require_network(field: str, found: bytes, network: bytes) -> None:
    if found != network:
        raise FieldError(field, f"is another network's: the id of this one is {network.hex()}")


def _require(field: str, key: bytes, network: bytes, party: str, purpose: str, proof: bytes) -> None:
    if not proves_possession(key, network, party, purpose, proof):
        raise FieldError(field, f"is not by the key {key.hex()} for {party}: the card was changed, or is not its own")
