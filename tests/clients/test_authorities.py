"""Cards as authorities read them before they propose: what is not right is named, and no node is let in by it."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import tomli_w

from clients.authorities import is_usable, read_card
from clients.errors import ClientError
from node.certificates import make_certificate
from node.genesis import NodeCard, card_toml
from registry.transactions.authorities import AdmitNode, SeatAuthority
from tests.cast import AUTHORITIES, party_of
from tests.node.network_of_nodes import forged_certificate, signing_key

PARTY = party_of(*AUTHORITIES["f-sg"], "authority")
CERTIFICATE = make_certificate(bytes(32), "a node")
CARD = NodeCard(
    party=PARTY,
    role="authority",
    address="node.example:7001",
    transport_certificate=CERTIFICATE,
    consensus_key=bytes(range(32)),
)


def test_a_card_becomes_the_changes_that_it_asks_for() -> None:
    card = read_card(card_toml(CARD))
    assert card.admission() == AdmitNode(PARTY.id, CERTIFICATE, "node.example:7001")
    assert card.seat(bytes(64)) == SeatAuthority(
        PARTY.id, bytes(range(32)), CERTIFICATE, "node.example:7001", bytes(64)
    )


def test_an_observer_gets_no_seat() -> None:
    card = NodeCard(party=PARTY, role="observer", address="node.example:7001", transport_certificate=CERTIFICATE)
    with pytest.raises(ClientError, match="has no consensus key"):
        read_card(card_toml(card)).seat(bytes(64))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": "nemodat-card-v2"}, "format: must be"),
        ({"transport_certificate": "***"}, "transport_certificate: must be base64"),
        ({"transport_certificate": "AAAA"}, "transport_certificate: is not an X.509"),
        ({"consensus_key": "XY"}, "consensus_key: must be lower-case hex"),
        ({"party": {"id": "x"}}, r"party\.name: is missing"),
        ({"extra": 1}, "extra: is not a known field"),
    ],
)
def test_a_bad_card_is_named(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ClientError, match=f"card: {reason}"):
        read_card(tomli_w.dumps(tomllib.loads(card_toml(CARD)) | change))


def test_a_certificate_that_is_none_is_said_to_be_of_no_use() -> None:
    assert is_usable(CERTIFICATE)
    assert not is_usable(b"no certificate")
    assert not is_usable(forged_certificate(signing_key("somebody").public_key))
