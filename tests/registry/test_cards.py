"""Cards: what is read back, what each of them becomes, and which field is named when one was changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.certificates import make_certificate
from registry.cards import (
    CARD_BYTES_MAX,
    Card,
    CardNode,
    CardProofs,
    KeyCard,
    admission_of,
    card_from_toml,
    card_toml,
    key_card,
    key_card_from_toml,
    key_card_toml,
    node_admission_of,
    proved,
    seat_of,
)
from registry.errors import FieldError
from registry.keys import SigningKey
from registry.transactions.authorities import AdmitNode
from registry.transactions.fields import NO_PROOF
from registry.transactions.governance import admission
from tests.cast import AUTHORITIES, EXP_CN, key_of, owner_of, party_of

NETWORK, OTHER = bytes(range(32)), bytes(32)
CONSENSUS = SigningKey.from_seed(b"consensus".ljust(32))
SECOND = SigningKey.from_seed(b"second key".ljust(32))
CERTIFICATE = make_certificate(bytes(32), "a node")
PARTY = replace(
    party_of(*AUTHORITIES["f-sg"], "authority"),
    sign_keys=(key_of(AUTHORITIES["f-sg"][0]).public_key, SECOND.public_key),
)
KEYS = [key_of(PARTY.id), SECOND, owner_of(PARTY.id)]
NODE = CardNode(
    role="authority",
    address="node.example:7001",
    transport_certificate=CERTIFICATE,
    consensus_key=CONSENSUS.public_key,
)
OBSERVER = replace(NODE, role="observer", consensus_key=b"")
BARE = Card(party=PARTY, node=NODE)
CARD = proved(BARE, NETWORK, party=KEYS, consensus=CONSENSUS)
KEY_CARD = key_card(SECOND, NETWORK, EXP_CN, "add_key")


def with_proofs(**changes: Any) -> Card:
    assert CARD.proofs is not None
    return replace(CARD, proofs=replace(CARD.proofs, **changes))


@pytest.mark.parametrize(
    "card", [CARD, BARE, Card(party=PARTY), replace(CARD, node=OBSERVER), proved(BARE, NETWORK, consensus=CONSENSUS)]
)
def test_a_card_is_read_back(card: Card) -> None:
    assert card_from_toml(card_toml(card)) == card
    assert key_card_from_toml(key_card_toml(KEY_CARD)) == KEY_CARD


def test_a_card_becomes_the_changes_that_it_asks_for() -> None:
    assert admission_of(CARD, NETWORK) == admission(PARTY, KEYS, NETWORK)
    assert node_admission_of(CARD, NETWORK) == AdmitNode(PARTY.id, CERTIFICATE, "node.example:7001")
    seat = seat_of(CARD, NETWORK)
    assert (seat.party, seat.consensus_key, seat.certificate) == (PARTY.id, CONSENSUS.public_key, CERTIFICATE)
    assert CARD.proofs is not None
    assert (seat.address, seat.proof) == ("node.example:7001", CARD.proofs.consensus_key)


def test_a_founder_moves_with_the_card_that_it_began_with() -> None:
    """Its consensus key stays, which needs no proof; another one would."""
    assert seat_of(BARE, NETWORK, seated=CONSENSUS.public_key).proof == NO_PROOF
    assert node_admission_of(BARE, NETWORK).party == PARTY.id
    with pytest.raises(FieldError, match=r"^proofs: is missing"):
        seat_of(BARE, NETWORK, seated=SECOND.public_key)


CHANGED: dict[str, tuple[Callable[[], object], str]] = {
    "another network's": (lambda: admission_of(CARD, OTHER), "proofs.network"),
    "another network's node": (lambda: node_admission_of(CARD, OTHER), "proofs.network"),
    "another network's seat": (lambda: seat_of(CARD, OTHER), "proofs.network"),
    "only the network's id was changed": (
        lambda: admission_of(with_proofs(network=OTHER), OTHER),
        "proofs.sign_keys[0]",
    ),
    "no proofs": (lambda: admission_of(BARE, NETWORK), "proofs"),
    "a signing key's proof is missing": (lambda: admission_of(with_proofs(sign_keys=()), NETWORK), "proofs.sign_keys"),
    "proofs in another order": (
        lambda: admission_of(with_proofs(sign_keys=CARD.proofs.sign_keys[::-1] if CARD.proofs else ()), NETWORK),
        "proofs.sign_keys[0]",
    ),
    "the second key is another": (
        lambda: admission_of(replace(CARD, party=replace(PARTY, sign_keys=(PARTY.sign_keys[0], OTHER))), NETWORK),
        "proofs.sign_keys[1]",
    ),
    "no proof of the owner key": (lambda: admission_of(with_proofs(owner_key=b""), NETWORK), "proofs.owner_key"),
    "no proof of the consensus key": (lambda: seat_of(with_proofs(consensus_key=b""), NETWORK), "proofs.consensus_key"),
    "another consensus key": (
        lambda: seat_of(replace(CARD, node=replace(NODE, consensus_key=SECOND.public_key)), NETWORK),
        "proofs.consensus_key",
    ),
    "an observer's": (lambda: seat_of(replace(CARD, node=OBSERVER), NETWORK), "node.consensus_key"),
    "no node": (lambda: seat_of(replace(CARD, node=None), NETWORK), "node"),
    "a key's card for another network": (lambda: KEY_CARD.require(OTHER, EXP_CN, "add_key"), "network"),
    "a key's card of another party": (lambda: KEY_CARD.require(NETWORK, PARTY.id, "add_key"), "party"),
    "a key's card for something else": (lambda: KEY_CARD.require(NETWORK, EXP_CN, "recover"), "purpose"),
    "a key's card with another key": (
        lambda: replace(KEY_CARD, key=CONSENSUS.public_key).require(NETWORK, EXP_CN, "add_key"),
        "proof",
    ),
    "a key's card for an admission": (lambda: key_card(SECOND, NETWORK, EXP_CN, "admit_sign"), "purpose"),
}


@pytest.mark.parametrize(("made", "field"), CHANGED.values(), ids=CHANGED)
def test_what_was_changed_is_named(made: Callable[[], object], field: str) -> None:
    with pytest.raises(FieldError) as error:
        made()
    assert error.value.field == field


def test_what_is_no_card_is_not_read() -> None:
    for text in ("", "x = 1", key_card_toml(KEY_CARD), "#" * (CARD_BYTES_MAX + 1), "\udcff"):
        with pytest.raises(FieldError):
            card_from_toml(text)
    with pytest.raises(FieldError):
        key_card_from_toml(card_toml(CARD))
    with pytest.raises(FieldError, match=r"^party\.identifiers\[0\]"):
        card_from_toml(card_toml(CARD).replace("120", "121"))


@given(st.binary(min_size=64, max_size=64), st.sampled_from(["sign", "owner", "seat", "key"]))
def test_no_other_bytes_prove_a_key(proof: bytes, which: str) -> None:
    network = CardProofs(network=NETWORK, sign_keys=(proof, proof), owner_key=proof, consensus_key=proof)
    forged: dict[str, Callable[[], object]] = {
        "sign": lambda: admission_of(replace(CARD, proofs=network), NETWORK),
        "owner": lambda: admission_of(with_proofs(owner_key=proof), NETWORK),
        "seat": lambda: seat_of(with_proofs(consensus_key=proof), NETWORK),
        "key": lambda: KeyCard(
            network=NETWORK, party=EXP_CN, purpose="add_key", key=SECOND.public_key, proof=proof
        ).require(NETWORK, EXP_CN, "add_key"),
    }
    with pytest.raises(FieldError, match="proof"):
        forged[which]()
