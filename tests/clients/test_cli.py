"""Every command of a participant, as a person types it, against real nodes; and what is said when it goes wrong."""

from __future__ import annotations

import datetime
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import typer

from clients import reads
from clients.cli import app as participants
from clients.cli.context import percent, share
from clients.dossier import Dossier
from clients.financier import FinancierClient
from clients.keys import load_signing_key
from node.cli import app as operators
from node.keystore import KDF_TEST, SecretKey, describe, save_key
from registry.cards import Card, card_toml, proved
from registry.keys import key_id
from registry.money import WHOLE
from registry.parties import Party
from tests.cast import AUTHORITIES, EXP_CN, EXP_VN, IMP_DE, Cast, key_of, owner_of
from tests.clients.liar import lying
from tests.clients.stage import Stage, admit, newcomer, unlike
from tests.commands import invoke
from tests.registry.documents.builders import ubl, ubl_party

pytestmark = pytest.mark.processes

PASSPHRASE = "correct horse battery"
ID = re.compile(r"[0-9a-f]{64}")
DONE, FAILED, USAGE, LOOK = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == DONE, self
        return json.loads(self.out)


def run(*words: object, app: typer.Typer = participants, **environment: str) -> Ended:
    """A command line in this process; anything that is not an orderly end comes out of here."""
    done = invoke(app, words, **{"COLUMNS": "200", **environment})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Ended(done.exit_code, done.stdout, done.stderr)


def complaint(ended: Ended) -> str:
    """The one line that a failed command says."""
    assert (ended.code, ended.out) == (FAILED, ""), ended
    (line,) = ended.err.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


@dataclass(frozen=True, slots=True)
class Desk:
    """Where people sit: key files, the genesis file, the nodes."""

    folder: Path
    cast: Cast
    keys: dict[str, Path] = field(default_factory=dict)

    def by(self, party: str, *words: object, urls: list[str] | None = None, **changes: str) -> Ended:
        """A command of this party, its settings in the environment."""
        return run(*words, **(self.settings(party, urls) | changes))

    def settings(self, party: str, urls: list[str] | None = None) -> dict[str, str]:
        """This party's settings, as they stand in the environment."""
        return {
            "NEMODAT_GENESIS": str(self.cast.devnet.genesis_path),
            "NEMODAT_URL": " ".join(urls or [self.cast.devnet.url("f-cn"), self.cast.devnet.url("f-sg")]),
            "NEMODAT_PARTY": party,
            "NEMODAT_KEY": str(self.key(party)),
            "NEMODAT_PASSPHRASE": PASSPHRASE,
        }

    def key(self, party: str) -> Path:
        if party not in self.keys:
            path = self.folder / f"{party.replace(':', '-')}.json"
            key = key_of(party)
            save_key(path, SecretKey("sign", key.public_key, key.seed), PASSPHRASE.encode(), cost=KDF_TEST)
            self.keys[party] = path
        return self.keys[party]


@pytest.fixture(scope="module")
def desk(cast: Cast, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("desk"), cast)


@dataclass(frozen=True, slots=True)
class Registered:
    """A receivable that was registered by command, and its dossier's file."""

    id: str
    dossier: Path


def document(**changes: Any) -> bytes:
    """An e-invoice of EXP_CN that no other test knows."""
    particulars = unlike().particulars
    units = f"{particulars.amount_minor // 100}.{particulars.amount_minor % 100:02d}"
    return ubl(**({"number": f"CLI-{particulars.number}", "payable": units, "currency": "EUR"} | changes))


def registered(desk: Desk, folder: Path, data: bytes | None = None) -> Registered:
    folder.mkdir(exist_ok=True)
    (folder / "invoice.xml").write_bytes(data or document())
    dossiers = folder / "dossiers"
    before = set(dossiers.glob("*.json"))
    ended = desk.by(
        EXP_CN, "receivable", "register", folder / "invoice.xml", "--debtor", IMP_DE, "--dossiers", dossiers
    )
    assert ended.code == DONE, ended
    (dossier,) = set(dossiers.glob("*.json")) - before
    assert dossier.stem in ended.out
    return Registered(dossier.stem, dossier)


@pytest.fixture(scope="module")
def known(desk: Desk) -> Registered:
    """One receivable for all tests that change nothing about it."""
    return registered(desk, desk.folder / "known")


def offered(desk: Desk, tmp_path: Path, receivable: str, to: str, *words: str) -> str:
    (tmp_path / "terms.txt").write_text("80 percent, 4.2 percent a year")
    party = AUTHORITIES[to][0]
    made = desk.by(EXP_CN, "claim", "offer", receivable, "--to", party, "--terms", tmp_path / "terms.txt", *words).json
    assert made["to"] == party
    claim: str = made["claim"]
    return claim


def test_a_folder_is_registered_one_bad_file_stops_nothing_and_again_changes_nothing(
    desk: Desk, tmp_path: Path
) -> None:
    folder, dossiers = tmp_path / "in", tmp_path / "dossiers"
    folder.mkdir()
    data = document()
    (folder / "a.xml").write_bytes(data)
    (folder / "b-copy.xml").write_bytes(data.replace(b"CLI-SDK", b"cli sdk"))
    (folder / "c-broken.xml").write_bytes(b"<Invoice")
    (folder / "d.xml").write_bytes(document())
    command = ("receivable", "register", folder, "--debtor", IMP_DE, "--dossiers", dossiers)
    looked = desk.by(EXP_CN, *command, "--dry-run", urls=["http://127.0.0.1:9"])
    assert [looked.out.count(f"│ {word} ") for word in ("would be registered", "the same again")] == [2, 1]
    assert "nothing was looked up" in looked.err
    assert looked.out.count(", issued ") == looked.out.count("grade document") == 3
    assert looked.out.count("2 have this number") == 2
    assert looked.out.count(", due ") == 3
    assert not dossiers.exists()
    ended = desk.by(EXP_CN, *command)
    assert ended.code == LOOK, ended
    assert [ended.out.count(f"│ {word} ") for word in ("registered before", "unreadable", "registered")] == [1, 1, 3]
    kept = sorted(dossiers.glob("*"))
    assert len(kept) == 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
    assert all(Dossier.from_json(path.read_text()).receivable.hex() == path.stem for path in kept)
    (folder / "c-broken.xml").unlink()
    again = desk.by(EXP_CN, *command)
    assert (again.code, again.out.count("registered before")) == (DONE, 3)
    assert sorted(dossiers.glob("*")) == kept
    listed = desk.by(EXP_CN, "receivable", "list")
    assert all(path.stem in listed.out for path in kept)


def test_what_a_document_says_of_a_financier_is_noted_before_it_is_registered(desk: Desk, tmp_path: Path) -> None:
    payee = "<cac:PayeeParty><cac:PartyName><cbc:Name>Elbe Factoring</cbc:Name></cac:PartyName></cac:PayeeParty>"
    (tmp_path / "sold.xml").write_bytes(document(body=payee))
    command = ("receivable", "register", tmp_path / "sold.xml", "--debtor", IMP_DE, "--dossiers", tmp_path / "kept")
    for words in ((*command, "--dry-run"), command):
        noted = desk.by(EXP_CN, *words)
        assert (noted.code, "possibly_assigned" in noted.out, "Elbe Factoring" in noted.out) == (DONE, True, True)


def test_other_firms_invoices_in_the_folder_are_left_out(desk: Desk, tmp_path: Path) -> None:
    """A supplier's to us, and ours to another buyer; a number of the debtor's that only the ledger knows is its own."""
    firm = newcomer("debtor", country="AE")
    also_known_as = "vat:DE129274202"
    admit(Stage(desk.cast), [replace(firm, identifiers=(*firm.identifiers, also_known_as))])
    ours = ubl_party("Firm", "AE", firm.id.removeprefix("lei:"))
    theirs = ubl_party("Supplier", "VN", EXP_VN.removeprefix("lei:"))
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a-supplier.xml").write_bytes(document(seller=theirs))
    (folder / "b-to-de.xml").write_bytes(document())
    (folder / "c-to-firm.xml").write_bytes(document(buyer=ours))
    command = ("receivable", "register", folder, "--debtor", also_known_as, "--dossiers", tmp_path / "kept")
    looked = desk.by(EXP_CN, *command, "--dry-run", urls=["http://127.0.0.1:9"])
    assert looked.code == LOOK
    assert f"seller: {EXP_VN}, Supplier, and not {EXP_CN}" in looked.out
    assert "Haihe Bearings to Firm" in looked.out
    asked = desk.by(EXP_CN, *command, "--dry-run")
    assert asked.code == LOOK
    assert asked.out.count(f"buyer: {IMP_DE}, Rheinwerk GmbH, and not {firm.id}") == 1
    assert f"Haihe Bearings to Firm, debtor {firm.id}, " in asked.out, "under the id that the ledger has it by"
    ended = desk.by(EXP_CN, *command)
    assert ended.code == LOOK
    assert f"buyer: {IMP_DE}, Rheinwerk GmbH, and not {firm.id}" in ended.out
    assert len(list((tmp_path / "kept").iterdir())) == 1
    assert [ended.out.count(f"│ {word} ") for word in ("other parties", "registered")] == [2, 1]


def test_an_interrupted_registration_leaves_its_dossiers_and_is_taken_up_again(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "invoice.xml").write_bytes(document())
    dossiers = tmp_path / "dossiers"
    command = ("receivable", "register", tmp_path / "invoice.xml", "--debtor", IMP_DE, "--dossiers", dossiers)
    with lying(desk.cast.devnet.url("f-cn")) as relay:

        def silent(path: str, answer: Any) -> Any:
            named = path.startswith(("/v1/aliases/", "/v1/parties/"))
            relay.status = 202 if path == "/v1/transactions" else None if named else 503
            return answer

        relay.lie = silent
        ended = desk.by(EXP_CN, *command, urls=[relay.url])
    assert ended.code == FAILED
    assert "run the command again" in ended.err
    assert "error: no node answered" in ended.err
    (kept,) = dossiers.glob("*.json")
    again = desk.by(EXP_CN, *command)
    assert again.code == DONE
    assert kept.stem in again.out
    assert list(dossiers.glob("*.json")) == [kept]
    assert desk.by(EXP_CN, "receivable", "show", kept.stem).json["state"] == "registered"


def test_the_debtor_confirms_or_rejects_and_a_credit_note_counts(desk: Desk, tmp_path: Path) -> None:
    first, second = registered(desk, tmp_path / "1"), registered(desk, tmp_path / "2")
    said = desk.by(IMP_DE, "receivable", "confirm", first.dossier, "--share", "80%").json
    assert said["confirmed"] == first.id
    assert said["number"].startswith("CLI-SDK")
    assert said["amount"].startswith("EUR ")
    assert desk.by(IMP_DE, "receivable", "reject", second.dossier, "--reason", "not ours").json["rejected"] == second.id
    again = complaint(desk.by(IMP_DE, "receivable", "confirm", first.dossier))
    assert again.startswith("refused: already_done")
    stranger = AUTHORITIES["f-de"][0]
    assert complaint(desk.by(stranger, "receivable", "confirm", first.dossier)) == "refused: not_debtor"
    note = tmp_path / "credit-note.xml"
    note.write_text("credit")
    adjust = ("receivable", "adjust", first.dossier, "--amount", "100000.00", "--document", note)
    assert desk.by(EXP_CN, *adjust).json["adjusted"] == first.id
    shown = desk.by(EXP_CN, "receivable", "show", first.id).json
    assert (shown["state"], shown["debtor"], shown["registrant"]) == ("part_confirmed", IMP_DE, EXP_CN)
    assert 0.69 * WHOLE < shown["collectible"] < 0.71 * WHOLE
    repeated = desk.by(EXP_CN, *adjust)
    assert (repeated.code, repeated.json["already_done"], repeated.json["adjusted"]) == (DONE, True, first.id)
    assert desk.by(EXP_CN, "receivable", "show", first.id).json == shown, "a document counts once"
    too_exact = ("receivable", "adjust", first.dossier, "--amount", "1.001", "--document", note)
    assert "more decimals than EUR has" in complaint(desk.by(EXP_CN, *too_exact))


def test_what_was_never_claimed_is_ended_by_command_once_it_is_over(desk: Desk, tmp_path: Path) -> None:
    over = document(issue="2024-01-02", due="<cbc:DueDate>2024-02-29</cbc:DueDate>")
    made = registered(desk, tmp_path / "over", over)
    assert desk.by(EXP_CN, "receivable", "expire", made.id).json["ended"] == made.id
    assert desk.by(EXP_CN, "receivable", "show", made.id).json["state"] == "expired"
    later = registered(desk, tmp_path / "due", document(due="<cbc:DueDate>2199-12-31</cbc:DueDate>"))
    assert complaint(desk.by(EXP_CN, "receivable", "expire", later.id)).startswith("refused: too_early")


def test_a_claim_from_offer_to_payment(desk: Desk, tmp_path: Path) -> None:
    made = registered(desk, tmp_path / "1")
    holder, taker = AUTHORITIES["f-sg"][0], AUTHORITIES["f-de"][0]
    claim = offered(desk, tmp_path, made.id, "f-sg", "--share", "60%", "--hours", "1")
    other = offered(desk, tmp_path, made.id, "f-de", "--share", str(WHOLE // 2))
    gone = offered(desk, tmp_path, made.id, "f-de")
    assert desk.by(EXP_CN, "claim", "revoke", gone).json["revoked"] == gone
    assert desk.by(holder, "claim", "reserve", claim, "--minutes", "5").json["reserved"] == claim
    assert desk.by(holder, "claim", "fund", claim).json["funded"] == claim
    refused = complaint(desk.by(taker, "claim", "finance", other))
    assert refused == f"refused: over_residual (see {made.id}, {claim})"
    draft = tmp_path / "draft.json"
    assert desk.by(holder, "claim", "reassign", claim, "--to", taker, "-o", draft).json["to_sign"]
    assert "not the reassignment of that claim" in complaint(desk.by(taker, "claim", "accept", other, draft))
    assert "not among the draft's signers" in complaint(desk.by(EXP_CN, "claim", "accept", claim, draft))
    assert desk.by(taker, "claim", "accept", claim, draft).json["reassigned"] == claim
    assert desk.by(taker, "claim", "accept", claim, draft).json["reassigned"] == claim  # the same wire: once
    assert complaint(desk.by(holder, "claim", "release", claim)) == "refused: not_holder"
    assert desk.by(taker, "claim", "discharge", claim, "--share", "20%").json["discharged"] == claim
    assert desk.by(taker, "claim", "discharge", claim).json["discharged"] == claim
    shown = desk.by(taker, "claim", "show", claim).json
    assert (shown["state"], shown["holder"], shown["holders"]) == ("discharged", taker, [holder, taker])
    assert desk.by(taker, "claim", "finance", other).code == FAILED  # 40% are left
    smaller = offered(desk, tmp_path, made.id, "f-de", "--share", "40%")
    assert desk.by(taker, "claim", "finance", smaller).json["funded"] == smaller
    assert desk.by(taker, "claim", "release", smaller).json["released"] == smaller
    listed = desk.by(EXP_CN, "claim", "list", made.id)
    assert len(re.findall(r"\d{4}-\d\d-\d\dT", listed.out)) == 1, "the open offer says when it ends"
    assert re.findall(r"discharged|offered|revoked|released", listed.out) == [
        "discharged",
        "offered",
        "revoked",
        "released",
    ]
    assert "40%" in listed.out


def test_what_was_not_looked_at_is_listed_and_then_acknowledged(desk: Desk, tmp_path: Path) -> None:
    first = registered(desk, tmp_path / "1")
    data = (tmp_path / "1" / "invoice.xml").read_bytes()
    second = registered(desk, tmp_path / "2", re.sub(rb"CLI-SDK-", b"CLI-SDX-9", data))
    claim, financier = offered(desk, tmp_path, second.id, "f-sg"), AUTHORITIES["f-sg"][0]
    assert complaint(desk.by(financier, "claim", "finance", claim)) == f"refused: unacknowledged_match (see {first.id})"
    listed = desk.by(financier, "receivable", "matches", second.id)
    assert listed.code == LOOK
    (row,) = [line for line in listed.out.splitlines() if first.id in line]
    assert "high" in row
    assert "particulars" in row
    assert row.count("yes") == 2, "by the same registrant, and to be acknowledged"
    nobody = desk.by(AUTHORITIES["f-gb"][0], "receivable", "matches", second.id)
    assert "not_found" in complaint(nobody), "what is not this party's to see is not there"
    desk.by(financier, "claim", "reserve", claim)
    assert desk.by(financier, "claim", "fund", claim, "--acknowledged", first.id).json["funded"] == claim


def test_a_search_and_its_certificate_offline(desk: Desk, known: Registered, tmp_path: Path) -> None:
    financier, genesis = AUTHORITIES["f-gb"][0], desk.cast.devnet.genesis_path
    file = tmp_path / "certificate.json"
    ended = desk.by(financier, "search", known.dossier, "--purpose", "offer 2026-118", "-o", file)
    assert (ended.code, ended.out.count("no other") > 3) == (DONE, True), ended
    verify = ("certificate", "verify", file)
    command = [sys.executable, "-m", "node.cli", *map(str, verify), "--genesis", str(genesis)]
    offline = subprocess.run(command, capture_output=True, text=True, timeout=60, env={"COLUMNS": "200"}, check=True)
    assert "VALID as of height" in offline.stdout
    assert financier in offline.stdout
    assert known.id[:16] in offline.stdout
    content = json.loads(file.read_text())
    for name, told in tampered(content).items():
        file.write_text(told)
        assert complaint(run(*verify, "--genesis", genesis)), name
    file.write_text(json.dumps(content))
    renamed = tmp_path / "genesis.toml"
    renamed.write_text(genesis.read_text().replace("local development", "another network"))
    assert "another chain" in complaint(run(*verify, "--genesis", renamed))
    assert run(*verify, "--genesis", genesis).code == DONE
    paper = tmp_path / "certificate.pdf"
    assert run("certificate", "print", file, "--genesis", genesis, "--language", "zh", "-o", paper).code == DONE
    assert "VALID as of height" in run("certificate", "verify", paper, "--genesis", genesis).out


def tampered(content: dict[str, Any]) -> dict[str, str]:
    """Certificates that must not verify."""
    empty = content["results"][0] | {"matches": [], "value": None}
    changes: dict[str, dict[str, Any]] = {
        "purpose": {"purpose": "another"},
        "time": {"timestamp_ms": content["timestamp_ms"] + 1},
        "number": {"number": "0" * 32},
        "cut": {"results": content["results"][:-1]},
        "emptied": {"results": [empty, *content["results"][1:]]},
        "header": {"header": f"{content['header'][:-2]}{int(content['header'][-2:], 16) ^ 1:02x}"},
    }
    return {name: json.dumps(content | change) for name, change in changes.items()} | {"half": json.dumps(content)[:-9]}


def test_a_search_that_finds_something_asks_to_look(desk: Desk, tmp_path: Path) -> None:
    first = registered(desk, tmp_path / "1")
    alike = tmp_path / "alike.json"
    known = Dossier.from_json(first.dossier.read_text())
    alike.write_text(replace(known, receivable=bytes(32)).to_json())
    ended = desk.by(AUTHORITIES["f-gb"][0], "search", alike, "-o", tmp_path / "certificate.json")
    assert ended.code == LOOK
    assert first.id in ended.out
    assert (tmp_path / "certificate.json").exists()


def typed(*words: object, **environment: str) -> Ended:
    """A command of an operator, in a process of its own."""
    command = [sys.executable, "-m", "node.cli", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, check=False)
    return Ended(done.returncode, done.stdout, done.stderr)


def newly_made(desk: Desk, folder: Path, party: Party, network: bytes) -> Ended:
    """What a firm types that joins without a node: nothing of the network is there but its id."""
    said = ("--party", party.id, "--party-name", "Nieuwe Firma", "--country", party.country, "--party-role", "exporter")
    return typed("party", "init", folder, *said, "--network", network.hex(), NEMODAT_PASSPHRASE=PASSPHRASE)


def test_a_firm_joins_by_one_command_and_is_admitted_by_one(desk: Desk, tmp_path: Path) -> None:
    party, firm, card = newcomer("exporter"), tmp_path / "firm", tmp_path / "firm" / "card.toml"
    made = newly_made(desk, firm, party, desk.cast.devnet.genesis.id)
    assert made.code == DONE, made
    fingerprints = {kind: key_id(describe(firm / "keys" / f"{kind}.json")[1]) for kind in ("sign", "owner", "receive")}
    secrets = [
        load_signing_key(firm / "keys" / f"{kind}.json", PASSPHRASE.encode(), use=kind) for kind in ("sign", "owner")
    ]
    assert not any(secret.seed.hex() in card.read_text() + made.out for secret in secrets)
    ended = desk.by(AUTHORITIES["f-cn"][0], "party", "propose", card)
    for told in (party.id, "Nieuwe Firma", *fingerprints.values()):
        assert told in ended.err, "it is shown before it is sent"
    assert all(fingerprint in made.out for fingerprint in fingerprints.values())
    proposal = ended.json["proposal"]
    shown = desk.by(AUTHORITIES["f-sg"][0], "authority", "proposal", proposal).json
    assert (shown["name"], shown["owner_key"]) == ("Nieuwe Firma", fingerprints["owner"])
    assert complaint(desk.by(EXP_CN, "party", "approve", proposal)) == "refused: not_authorised"
    assert complaint(desk.by(EXP_CN, "party", "show", party.id)) == f"{party.id}: no such party"
    listed = desk.by(AUTHORITIES["f-gb"][0], "party", "proposals").out
    assert any(proposal in line and "open" in line and party.id in line for line in listed.splitlines())
    for name in ("f-sg", "f-de"):
        assert desk.by(AUTHORITIES[name][0], "party", "approve", proposal).json["approved"] == proposal
    own = desk.by(party.id, "party", "show", party.id, NEMODAT_KEY=str(firm / "keys" / "sign.json")).json
    assert (own["name"], own["roles"]) == ("Nieuwe Firma", ["exporter"])
    assert own["sign_keys"] == [secrets[0].public_key.hex()]


def test_a_member_makes_a_new_key_with_its_card_and_adds_it(desk: Desk, tmp_path: Path) -> None:
    party = newcomer("exporter")
    admit(Stage(desk.cast), [party])
    new = tmp_path / "new.json"
    making = partial(run, "key", "card", new, app=operators, **desk.settings(party.id))
    assert "new.card.toml" in making("--purpose", "add_key").out
    assert "move it away first" in complaint(making("--purpose", "recover"))
    assert "--purpose: must be one of" in complaint(making("--purpose", "admit_owner"))
    added = desk.by(party.id, "party", "add-key", tmp_path / "new.card.toml").json["added"]
    assert added == load_signing_key(new, PASSPHRASE.encode()).public_key.hex()
    assert added in desk.by(party.id, "party", "show", party.id, NEMODAT_KEY=str(new)).json["sign_keys"]


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda text, other: re.sub("lei:[0-9A-Z]{20}", EXP_VN, text), "proofs.sign_keys[0]: is not by the key"),
        (lambda text, other: other, "proofs.network: is another network's: the id of this one is"),
        (lambda text, other: text[: text.index("[proofs]")], "proofs: is missing: make the card for this network"),
        (lambda text, other: re.sub(r'(owner_key = ")[0-9a-f]{64}"', rf'\g<1>{"ab" * 32}"', text), "proofs.owner_key"),
        (lambda text, other: text.replace('"exporter"', '"exporter", "king"'), "party.roles: must be one or more of"),
        (lambda text, other: "id = 7", "format: is missing"),
    ],
    ids=["another party", "another network", "no proofs", "another key", "no such role", "no card"],
)
def test_a_card_that_was_changed_is_not_sent(
    desk: Desk, tmp_path: Path, spoil: Callable[[str, str], str], fault: str
) -> None:
    party, card = newcomer("exporter"), tmp_path / "card.toml"
    keys = [key_of(party.id), owner_of(party.id)]
    good, other = (
        card_toml(proved(Card(party=party), network, party=keys))
        for network in (desk.cast.devnet.genesis.id, bytes(32))
    )
    card.write_text(spoil(good, other))
    said = complaint(desk.by(AUTHORITIES["f-cn"][0], "party", "propose", card))
    assert said.startswith(f"{card}: {fault}"), said


# --- what goes wrong -------------------------------------------------------------------------------------------------


def test_what_is_missing_or_nobodys(desk: Desk, tmp_path: Path) -> None:
    nobody = "ab" * 32
    for words in (("receivable", "show"), ("claim", "show"), ("claim", "discharge")):
        assert "that this party may see" in complaint(desk.by(EXP_CN, *words, nobody))
    assert "not_found" in complaint(desk.by(EXP_CN, "claim", "list", nobody))
    assert complaint(desk.by(EXP_CN, "claim", "show", "xyz")) == "claim: 64 hexadecimal digits are expected"
    gone = tmp_path / "gone.json"
    propose = ("party", "propose")
    for words in (("receivable", "confirm", gone), ("search", gone), (*propose, gone)):
        assert complaint(desk.by(EXP_CN, *words)) == f"{gone}: No such file or directory"
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for words in (("receivable", "confirm"), ("search",), propose):
        assert "not text" in complaint(desk.by(EXP_CN, *words, tmp_path / "binary"))
    assert complaint(desk.by(EXP_CN, "party", "show", "lei:../../x")) == "lei:../../x: no such party"


def test_no_node_answers(desk: Desk) -> None:
    said = complaint(desk.by(EXP_CN, "party", "show", EXP_CN, urls=["http://127.0.0.1:9"]))
    assert said.startswith("no node answered: http://127.0.0.1:9: ConnectError")
    assert "not a node's URL" in complaint(desk.by(EXP_CN, "party", "show", EXP_CN, urls=["127.0.0.1:9"]))


def test_a_node_that_lies_is_named(desk: Desk, known: Registered) -> None:
    with lying(desk.cast.devnet.url("f-cn")) as liar:
        liar.lie = lambda path, answer: {"record": {"state": "funded"}}
        said = complaint(desk.by(EXP_CN, "receivable", "show", known.id, urls=[liar.url]))
    assert said == f"{liar.url}: not proved: the answer carries no proof"


def test_wrong_keys(desk: Desk, tmp_path: Path) -> None:
    show = ("party", "show", EXP_CN)
    assert "wrong passphrase" in complaint(desk.by(EXP_CN, *show, NEMODAT_PASSPHRASE="something else"))
    assert "nemodat key new" in complaint(desk.by(EXP_CN, *show, NEMODAT_KEY=str(tmp_path / "none.json")))
    owner = tmp_path / "owner.json"
    assert run("key", "new", owner, "--kind", "owner", app=operators, NEMODAT_PASSPHRASE=PASSPHRASE).code == DONE
    assert "one key has one use" in complaint(desk.by(EXP_CN, *show, NEMODAT_KEY=str(owner)))
    assert "unknown_party" in complaint(desk.by(EXP_CN, *show, NEMODAT_KEY=str(desk.key(newcomer("debtor").id))))
    settings = {
        "NEMODAT_GENESIS": str(desk.cast.devnet.genesis_path),
        "NEMODAT_URL": desk.cast.devnet.url("f-cn"),
        "NEMODAT_PARTY": EXP_CN,
        "NEMODAT_KEY": str(desk.key(EXP_CN)),
    }
    assert "set the variable NEMODAT_PASSPHRASE" in complaint(run(*show, **settings))
    assert run(*show, **settings, NEMODAT_PASSPHRASE=PASSPHRASE).code == DONE


@pytest.mark.parametrize(
    "words",
    [
        ("claim", "offer", "x"),
        ("claim", "reserve", "ab" * 32, "--minutes", "16"),
        ("receivable", "confirm", "dossier.json", "--share", "0%"),
        ("receivable", "confirm", "dossier.json", "--share", "101%"),
        ("receivable", "confirm", "dossier.json", "--share", "half"),
        ("claim", "discharge", "ab" * 32, "--share", "-1"),
        ("receivable", "register", "invoice.xml"),
        ("receivable", "register", "invoice.xml", "--debtor", IMP_DE, "--kind", "payable"),
        ("receivable", "register", "invoice.xml", "--seller", EXP_VN, "--kind", "invoice"),
        ("receivable", "register", "invoice.xml", "--debtor", IMP_DE, "--parent", f"{'ab' * 32}=half"),
        ("receivable", "register", "invoice.xml", "--debtor", IMP_DE, "--kind", "wish"),
        ("receivable", "settle"),
    ],
)
def test_wrong_usage(desk: Desk, words: tuple[str, ...]) -> None:
    ended = desk.by(EXP_CN, *words)
    assert (ended.code, ended.out) == (USAGE, "")
    assert "Usage:" in ended.err
    assert "Traceback" not in ended.err


# --- keys, shares, help ----------------------------------------------------------------------------------------------


def test_keys_are_made_and_shown(tmp_path: Path) -> None:
    file = tmp_path / "sign.json"
    made = run("key", "new", file, app=operators, NEMODAT_PASSPHRASE=PASSPHRASE)
    assert made.code == DONE, made
    shown = run("key", "show", file, app=operators)
    assert shown.out == made.out
    key = load_signing_key(file, PASSPHRASE.encode())
    assert f"public {key.public_key.hex()}" in shown.out
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "never overwritten" in complaint(run("key", "new", file, app=operators, NEMODAT_PASSPHRASE=PASSPHRASE))
    short = run("key", "new", tmp_path / "b.json", app=operators, NEMODAT_PASSPHRASE="short")
    assert "8 to 1024 bytes" in complaint(short)
    assert "a passphrase is needed" in complaint(run("key", "new", tmp_path / "c.json", app=operators))
    (tmp_path / "d.json").write_text("{}")
    assert "not a key file" in complaint(run("key", "show", tmp_path / "d.json", app=operators))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("80%", 8 * WHOLE // 10),
        ("12.5%", WHOLE // 8),
        ("0.0000000001%", 1),
        ("100%", WHOLE),
        (str(WHOLE // 2), WHOLE // 2),
        (str(WHOLE), WHOLE),
    ],
)
def test_shares_are_exact(text: str, parts: int) -> None:
    assert share(text) == parts
    assert share(percent(parts)) == parts


@pytest.mark.parametrize(
    "text",
    [
        "",
        "%",
        "0",
        "0%",
        "101%",
        "100.0000000001%",
        "0.00000000001%",
        "-1",
        "1e3",
        "٣%",
        "٣",
        "9" * 5000,
        "1.5",
        "1",
        "80",
    ],
)
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="80%"):
        share(text)


def commands() -> Iterator[tuple[str, ...]]:
    """Every command that a participant has."""
    for command in participants.registered_commands:
        yield (str(command.name),)
    for group in participants.registered_groups:
        assert group.typer_instance is not None
        for command in group.typer_instance.registered_commands:
            name = command.name or getattr(command.callback, "__name__", "")
            yield str(group.name), name.replace("_", "-")


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_help_says_what_it_is_for(words: tuple[str, ...]) -> None:
    ended = run(*words, "--help", COLUMNS="100")
    assert ended.code == DONE
    assert f"{' '.join(words)} [OPTIONS]" in ended.out
    text = ended.out.partition("Arguments")[0]
    assert len(text.split()) > 8
    assert "{" not in text.partition("\n\n")[2]


# --- reconciliation --------------------------------------------------------------------------------------------------


def test_a_book_is_compared_with_the_ledger_and_with_another_book(desk: Desk, tmp_path: Path) -> None:
    newly = newcomer("financier", country="SG")  # its claims are those of this test
    newly = replace(newly, identifiers=(newly.id, "duns:123456789"))
    admit(Stage(desk.cast), [newly])
    made = registered(desk, tmp_path / "1")
    desk.by(EXP_CN, "claim", "offer", made.id, "--to", newly.id, "--share", "60%", "--terms", made.dossier)
    (claim,) = (each.hex() for each in own_claims(desk, newly.id))
    assert desk.by(newly.id, "claim", "finance", claim).json["funded"] == claim
    book = tmp_path / "book.csv"
    book.write_text(f"claim,share,state,holder,date\n{claim},60%,funded,{newly.id},{utc_day().isoformat()}\n")
    same = desk.by(newly.id, "reconcile", "ledger", book)
    assert (same.code, same.out.strip()) == (DONE, "1 entries, 0 breaks")
    alias = tmp_path / "alias.csv"
    alias.write_text(book.read_text().replace(newly.id, "duns:123456789"))
    assert desk.by(newly.id, "reconcile", "ledger", alias).code == DONE
    alias.write_text(book.read_text().replace(newly.id, "duns:987654321"))  # nobody's
    assert "holder" in desk.by(newly.id, "reconcile", "ledger", alias).out
    stale = tmp_path / "stale.csv"
    stale.write_text(f"claim;share;state\n{claim};80%;reserved\n{'0' * 63}1;10%;funded\n")
    report = tmp_path / "breaks.xlsx"
    ended = desk.by(newly.id, "reconcile", "ledger", stale, "--json", "-o", report)
    assert ended.code == LOOK
    assert report.read_bytes().startswith(b"PK")
    assert [found["kind"] for found in json.loads(ended.out)["breaks"]] == ["missing_there", "state", "share"]
    assert desk.by(newly.id, "reconcile", "books", book, book).code == DONE
    between = desk.by(newly.id, "reconcile", "books", book, stale)
    assert between.code == LOOK
    assert "missing_here" in between.out
    stale.write_text("claim\nx\n")
    assert "row 2, column 'claim'" in complaint(desk.by(newly.id, "reconcile", "ledger", stale))


def own_claims(desk: Desk, party: str) -> list[bytes]:
    with FinancierClient(
        desk.cast.devnet.genesis, urls=[desk.cast.devnet.url("f-cn")], party=party, signer=key_of(party)
    ) as client:
        return [record.id for record in client.call(reads.own_claims)]


def utc_day() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


POOL_HEADER = "receivable,debtor,debtor_country,currency,amount,issue_date,due_date"


def test_a_pool_from_its_rules_to_its_end(desk: Desk, tmp_path: Path) -> None:
    """One side writes what both must sign, the other types the same command and accepts it."""
    financier, drafts, terms = AUTHORITIES["f-gb"][0], tmp_path / "drafts", tmp_path / "contract.txt"
    terms.write_text("factoring contract")
    rules = tmp_path / "rules.toml"
    made = run("pool", "rules", rules, "--new").json
    assert made["advance_rate"] == "85%"
    assert "File exists" in complaint(run("pool", "rules", rules, "--new"))
    rules.write_text(rules.read_text().replace("USD", "EUR").replace('"25%"', '"100%"'))

    def both(first: str, second: str, *command: object) -> Any:
        """The last command's JSON; the drafts are gone after it."""
        assert desk.by(first, *command, "--drafts", drafts).json["to_sign"] == second
        ended = desk.by(second, *command, "--drafts", drafts, "--accept")
        for draft in drafts.glob("*.json"):
            draft.unlink()
        return ended

    opening = ("pool", "open", "--seller", EXP_CN, "--financier", financier, "--terms", terms, "--rules", rules)
    facility = both(financier, EXP_CN, *opening).json["opened"]
    shown = desk.by(EXP_CN, "pool", "show", facility).json
    assert (shown["state"], shown["blanket"], shown["financier"]) == ("open", "none", financier)
    assert facility in desk.by(financier, "pool", "list").out
    assert "no such facility" in complaint(desk.by(AUTHORITIES["f-sg"][0], "pool", "show", facility))

    first, second = registered(desk, tmp_path / "1"), registered(desk, tmp_path / "2")
    pool = tmp_path / "pool.csv"
    row = f"{IMP_DE},DE,EUR,1000.00,2026-04-01,2026-07-01"
    pool.write_text(f"{POOL_HEADER}\n{first.id},{row}\n")
    desk.by(EXP_CN, "pool", "draw", facility, pool, "--drafts", drafts)
    accepting = ("pool", "draw", facility, pool, "--drafts", drafts, "--accept")
    with lying(desk.cast.devnet.url("f-cn")) as relay:
        relay.lie = lambda path, answer: b"cut off" if path.startswith("/v1/transactions/") else answer
        cut_off = desk.by(financier, *accepting, urls=[relay.url])
    assert cut_off.code == FAILED
    assert "run the command again with the same drafts" in cut_off.err
    assert "not this command again" not in cut_off.err
    drawn = desk.by(financier, *accepting)
    assert (drawn.code, drawn.out.count("drawn")) == (DONE, 1), drawn
    for draft in drafts.glob("*.json"):
        draft.unlink()
    (claim,) = set(ID.findall(drawn.out)) - {first.id}
    again = both(EXP_CN, financier, "pool", "draw", facility, pool)
    assert (again.code, again.out.count("over_residual")) == (LOOK, 1)

    day = ("--rules", rules, "--as-of", "2026-05-20", "--drawn")
    covered = run("pool", "base", facility, pool, *day, "850.00")
    assert (covered.code, "1 of 1 receivables count; covered" in covered.out) == (DONE, True), covered
    assert run("pool", "base", facility, pool, *day, "850.01", "-o", tmp_path / "outcomes.csv").code == LOOK
    assert (tmp_path / "outcomes.csv").read_text().splitlines()[1:] == [f"{first.id},1000.00,1000.00,"]
    assert "is not the rules document" in complaint(
        desk.by(EXP_CN, "pool", "certify", facility, pool, *day, "1", "--rules", changed_rules(rules))
    )
    desk.by(EXP_CN, "pool", "certify", facility, pool, *day, "850.00", "--drafts", drafts)
    other = ("pool", "certify", facility, pool, *day, "850.01", "--drafts", drafts, "--accept")
    assert "is not what this command would write" in complaint(desk.by(financier, *other))
    assert "has drafts already" in complaint(
        desk.by(EXP_CN, "pool", "certify", facility, pool, *day, "1", "--drafts", drafts)
    )
    for draft in drafts.glob("*.json"):
        draft.unlink()
    assert both(EXP_CN, financier, "pool", "certify", facility, pool, *day, "850.00").json["covered"] == facility
    assert desk.by(financier, "pool", "show", facility).json["base_finding"] == "covered"

    swap = ("pool", "substitute", facility, "--out", claim, "--in", second.id)
    substituted = both(EXP_CN, financier, *swap).json["substituted"]
    assert complaint(desk.by(EXP_CN, "pool", "close", facility)) == "refused: not_holder"
    assert desk.by(financier, "pool", "close", facility).json["closed"] == facility
    assert "closed: no new drawings" in complaint(desk.by(EXP_CN, "pool", "draw", facility, pool, "--drafts", drafts))
    released = desk.by(financier, "pool", "release", substituted, claim)
    assert (released.code, json.loads(released.out)) == (LOOK, {substituted: "ok", claim: "already_done"})


def changed_rules(rules: Path) -> Path:
    other = rules.with_name("other.toml")
    other.write_text(rules.read_text().replace("85%", "90%"))
    return other


def test_a_blanket_by_command(desk: Desk, tmp_path: Path) -> None:
    party, financier = newcomer("exporter"), AUTHORITIES["f-gb"][0]
    admit(Stage(desk.cast), [party])
    for name, text in (("contract.txt", "contract"), ("ucc-1.txt", "UCC-1 2026-118"), ("ucc-3.txt", "UCC-3 2031-7")):
        (tmp_path / name).write_text(text)
    rules, drafts = tmp_path / "rules.toml", tmp_path / "drafts"
    run("pool", "rules", rules, "--new")
    common = ("--terms", tmp_path / "contract.txt", "--rules", rules, "--drafts", drafts, "--blanket")
    opening = ("pool", "open", "--seller", party.id, "--financier", financier, *common)
    assert "needs --filing and --until" in complaint(desk.by(party.id, *opening, "all"))
    scope = (f"{IMP_DE},{EXP_CN}", "--filing", tmp_path / "ucc-1.txt", "--until", "2031-06-01")
    desk.by(party.id, *opening, *scope)
    facility = desk.by(financier, *opening, *scope, "--accept").json["opened"]
    shown = desk.by(party.id, "pool", "show", facility).json
    assert (shown["blanket"], shown["blanket_debtors"]) == ("listed", 2)
    assert shown["blanket_until"].startswith("2031-06-01T23:59:59")
    continued = ("--filing", tmp_path / "ucc-3.txt", "--until", "2036-06-01")
    assert desk.by(financier, "pool", "renew", facility, *continued).json["renewed"] == facility
    with Stage(desk.cast).exporter(party=party.id) as exporter:
        receivable = exporter.register(unlike(seller=party.id)).receivable.hex()
    assert desk.by(financier, "pool", "carve-out", facility, receivable).json["carved_out"] == receivable
    (drafts / "0001.json").unlink()
    amended = ("pool", "amend", facility, *common[:-1])
    assert "keeps" in complaint(desk.by(party.id, *amended, *scope[1:]))
    desk.by(party.id, *amended)
    assert desk.by(financier, *amended, "--accept").json["amended"] == facility
    shown = desk.by(party.id, "pool", "show", facility).json
    assert (shown["blanket"], shown["blanket_debtors"]) == ("listed", 2), "other terms take no blanket away"
    assert shown["blanket_until"].startswith("2036-06-01")
    (drafts / "0001.json").unlink()
    amended = ("pool", "amend", facility, *common, "none")
    desk.by(party.id, *amended)
    assert desk.by(financier, *amended, "--accept").json["amended"] == facility
    assert desk.by(party.id, "pool", "show", facility).json["blanket"] == "none"
