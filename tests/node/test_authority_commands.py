"""The same as `test_membership`, as operators type it: processes, disks, key files and commands."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer

from clients.cli import app as participants
from node.cli import app as operators
from node.devnet import Devnet, Member, create
from node.keystore import KDF_TEST, SecretKey, save_key
from registry.cards import Card, card_toml, proved
from tests.cast import AUTHORITIES, key_of, owner_of, party_of
from tests.commands import invoke

pytestmark = pytest.mark.processes

FIFTH = "lei:984500USIMPORT000143"
PASSPHRASE = "correct horse battery"
PATIENCE_S = 30.0
IDS = {name: party for name, (party, _) in AUTHORITIES.items()}


@dataclass(frozen=True, slots=True)
class Office:
    """Where the operators of a network sit."""

    devnet: Devnet
    folder: Path

    def by(self, party: str, *words: object, node: str = "f-cn") -> str:
        """A participant's command; what it printed."""
        key = self.folder / f"{party.replace(':', '-')}.json"
        if not key.exists():
            secret = key_of(party)
            save_key(key, SecretKey("sign", secret.public_key, secret.seed), PASSPHRASE.encode(), cost=KDF_TEST)
        settings = {
            "NEMODAT_GENESIS": str(self.devnet.genesis_path),
            "NEMODAT_URL": self.devnet.url(node),
            "NEMODAT_PARTY": party,
            "NEMODAT_KEY": str(key),
            "NEMODAT_PASSPHRASE": PASSPHRASE,
        }
        return run(participants, *words, **settings)

    def decide(self, *words: object, approvers: tuple[str, ...] = ("f-sg", "f-de")) -> None:
        """One authority proposes by this command, and these approve."""
        proposal = json.loads(self.by(IDS["f-cn"], *words))["proposal"]
        if words[0] == "authority":
            shown = json.loads(self.by(IDS["f-sg"], "authority", "proposal", proposal))
            assert (shown["state"], shown["approvals"]) == ("open", [IDS["f-cn"]])
            assert shown.get("usable_certificate", True)
        for name in approvers:
            self.by(IDS.get(name, FIFTH), "party", "approve", proposal)

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, "not in time"
            time.sleep(0.05)


def run(app: typer.Typer, *words: object, **environment: str) -> str:
    done = invoke(app, words, **{"COLUMNS": "250", **environment})
    assert done.exit_code == 0, (words, done.output)
    return done.stdout


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    members = [
        Member(name=name, party=party_of(party, country, "authority", "financier"), role="authority")
        for name, (party, country) in AUTHORITIES.items()
    ]
    with create(tmp_path / "network", members=members) as devnet:
        devnet.start_all()
        yield Office(devnet, tmp_path)


def test_operators_add_re_key_and_remove_authorities_by_commands(office: Office) -> None:
    devnet, folder = office.devnet, office.devnet.folder
    party = party_of(FIFTH, "US", "authority", "financier")
    own = office.folder / "fifth.toml"
    own.write_text(card_toml(proved(Card(party=party), devnet.genesis.id, party=[key_of(FIFTH), owner_of(FIFTH)])))
    office.decide("party", "propose", own)
    card = devnet.add(Member(name="fifth", party=party, role="authority"))
    office.decide("authority", "admit-node", card)
    devnet.start("fifth")
    devnet.wait_ready("fifth")
    assert (devnet.status("fifth")["role"], devnet.status("fifth")["voting"]) == ("observer", False)

    office.decide("authority", "seat", card)
    office.until(lambda: devnet.status("fifth")["voting"])

    run(operators, "node", "renew", folder / "f-sg", "--passphrase-file", folder / "f-sg" / "passphrase")
    config = devnet.config_path("f-sg")
    config.write_text(
        re.sub(r"(?m)^consensus = .*$", r'\g<0>\nnext_consensus = "keys/consensus-next.json"', config.read_text())
    )
    assert devnet.stop("f-sg") == 0
    devnet.start("f-sg")
    devnet.wait_ready("f-sg")
    seat = ("authority", "seat", folder / "f-sg" / "card-next.toml")
    office.decide(*seat, approvers=("f-de", "f-gb", "fifth"))
    next_key = json.loads((folder / "f-sg" / "keys" / "consensus-next.json").read_text())["public"]
    office.until(lambda: next_key in office.by(IDS["f-cn"], "authority", "list"))
    office.until(lambda: devnet.status("f-sg")["voting"])

    left = ("f-sg", "f-de", "fifth")
    office.decide("authority", "unseat", IDS["f-gb"], "--reason", "leaves the network", approvers=left)
    office.until(lambda: devnet.status("f-gb")["role"] == "observer")
    listed = office.by(IDS["f-cn"], "authority", "list", node="fifth")
    assert [each for each in (*IDS.values(), FIFTH) if each in listed] == [IDS["f-cn"], IDS["f-sg"], IDS["f-de"], FIFTH]

    names = [member.name for member in devnet.members]
    assert [devnet.stop(name) for name in names] == [0] * 5
    assert "blocks" in run(operators, "node", "check", devnet.config_path("fifth"))
    devnet.start_all(names)
    office.decide("authority", "admit-node", card_at_another_address(office, card))
    office.until(lambda: len({devnet.status(name)["state_root"] for name in names}) == 1)
    assert [devnet.status(name)["voting"] for name in names] == [True, True, True, False, True]


def card_at_another_address(office: Office, card: Path) -> Path:
    """A change that any quorum of the present set can make."""
    moved = office.folder / "moved.toml"
    moved.write_text(re.sub(r"(?m)^address = .*$", 'address = "fifth.example:7001"', card.read_text()))
    return moved
