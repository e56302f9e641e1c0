"""`nemodat network`: nodes are let in and dismissed, authorities proposed and evidence judged, as people type it."""

from __future__ import annotations

from pathlib import Path

import pytest

from clients import reads
from clients.governance import card_from_toml
from node.genesis import card_toml, init_node
from node.keystore import KDF_TEST
from registry.codec import decode
from registry.errors import FieldError
from registry.parties import Party
from registry.records import Proposal
from registry.transactions.governance import change_from
from tests.cast import AUTHORITIES, Cast
from tests.clients.stage import Stage, admit, newcomer
from tests.clients.test_cli import Desk, complaint

F_CN, F_GB = (AUTHORITIES[name][0] for name in ("f-cn", "f-gb"))


def card_in(folder: Path, party: Party) -> Path:
    """The card that `nemodat node init` writes."""
    made = init_node(
        folder / "keys",
        name="new",
        party=party,
        role="authority",
        address="127.0.0.1:9",
        passphrase=b"passphrase",
        cost=KDF_TEST,
    )
    path = folder / "card.toml"
    path.write_text(card_toml(made), encoding="utf-8")
    return path


def test_a_card_is_read_as_it_was_made(tmp_path: Path) -> None:
    party = newcomer("authority", "financier")
    text = card_in(tmp_path, party).read_text(encoding="utf-8")
    card = card_from_toml(text)
    assert (card.party, card.address, len(card.consensus_key)) == (party.id, "127.0.0.1:9", 32)
    for wrong, field in (
        (text.replace("transport_certificate", "certificate"), "transport_certificate"),
        (text.replace('transport_certificate = "', 'transport_certificate = "AAAA'), "transport_certificate"),
        (text.replace('consensus_key = "', 'consensus_key = "x'), "consensus_key"),
    ):
        with pytest.raises(FieldError, match=field):
            card_from_toml(wrong)


@pytest.mark.processes
def test_nodes_and_authorities_are_proposed_by_their_cards(cast: Cast, tmp_path: Path) -> None:
    desk, stage, party = Desk(tmp_path, cast), Stage(cast), newcomer("authority", "financier")
    admit(stage, [party])
    card = card_in(tmp_path, party)

    def proposed(*words: str | Path) -> bytes:
        return bytes.fromhex(desk.by(F_CN, "network", *words).json["proposal"])

    with stage.financier("f-sg") as second, stage.financier("f-de") as third:
        for step, refusal in (("admit", "already_done"), ("dismiss", "not_found")):
            proposal = proposed(step, card)
            for authority in (second, third):
                authority.approve([proposal])
            assert complaint(desk.by(F_CN, "network", step, card)) == f"refused: {refusal}"
        seat, unseat = proposed("seat", card), proposed("unseat", F_GB, "--reason", "leaves")
        for proposal, name in ((seat, "seat_authority"), (unseat, "unseat_authority")):
            record = second.call(reads.record, Proposal, proposal)
            assert (record.state, change_from(decode(record.change), "change").NAME) == ("open", name)


@pytest.mark.processes
def test_evidence_that_proves_nothing_is_refused(cast: Cast, tmp_path: Path) -> None:
    desk = Desk(tmp_path, cast)
    file = tmp_path / "votes.bin"
    file.write_bytes(b"two votes")
    assert complaint(desk.by(F_CN, "network", "report", file)) == "refused: not_proven"
    file.write_bytes(bytes(513))
    assert "at most 512 bytes" in complaint(desk.by(F_CN, "network", "report", file))
