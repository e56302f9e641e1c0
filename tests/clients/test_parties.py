"""A party's keys and standing through the SDK and the command line, on four real nodes."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from pathlib import Path

import pytest

from clients import parties, reads
from clients.aliases import canonical
from clients.errors import ClientError, Refused, RequestFailed
from clients.exporter import canonical_listings
from node.keystore import KDF_TEST, SecretKey, save_key
from registry.cards import key_card, key_card_toml
from registry.keys import SigningKey, prove_possession
from registry.lei import read_lei_records
from registry.parties import Party
from registry.records.attestations import Attestation
from registry.transactions.governance import Amend, Suspend
from tests.cast import AUTHORITIES, Cast, owner_of
from tests.clients.stage import Stage, admit, digest, lei, newcomer, unlike, with_particulars
from tests.clients.test_cli import LOOK, PASSPHRASE, Desk, complaint, run
from tests.registry.test_lei import row
from tests.registry.test_lei_golden import MERGED, RECORD, as_csv
from tests.registry.test_lei_golden import row as csv_row

pytestmark = pytest.mark.processes

F_CN, F_SG, F_DE = (AUTHORITIES[name][0] for name in ("f-cn", "f-sg", "f-de"))


@pytest.fixture
def desk(cast: Cast, tmp_path: Path) -> Desk:
    return Desk(tmp_path, cast)


def key(name: str) -> SigningKey:
    return SigningKey.from_seed(digest(name))


def admitted(stage: Stage) -> tuple[Party, SigningKey]:
    """An exporter of the test's own on the ledger, and its owner key."""
    party = newcomer("exporter")
    admit(stage, [party])
    return party, owner_of(party.id)


def proof(stage: Stage, new: SigningKey, party: Party, purpose: str) -> bytes:
    return prove_possession(new, stage.cast.devnet.genesis.id, party.id, purpose)


def carded(stage: Stage, desk: Desk, new: SigningKey, party: Party, purpose: str) -> Path:
    """The card of a new key, as `nemodat key card` writes it."""
    path = desk.folder / "new.card.toml"
    path.write_text(key_card_toml(key_card(new, stage.cast.devnet.genesis.id, party.id, purpose)))
    return path


def test_a_key_is_rotated_and_lost_keys_are_recovered(stage: Stage) -> None:
    party, owner = admitted(stage)
    new, last = key(f"new {party.id}"), key(f"last {party.id}")
    with stage.exporter(party.id) as client:
        with pytest.raises(Refused, match="key_unproven"):
            client.call(parties.add_key, new.public_key, proof=proof(stage, last, party, "add_key"))
        client.call(parties.add_key, new.public_key, proof=proof(stage, new, party, "add_key"))
        with pytest.raises(ClientError, match="another live key"):
            client.call(parties.revoke_key, party.sign_keys[0])
        (by_old,) = client.prepare([unlike(seller=party.id)])
    with stage.exporter(party.id, signer=new) as client:
        client.call(parties.revoke_key, party.sign_keys[0])
        with pytest.raises(ClientError, match="unknown_party"):
            client.resume(by_old.submission)  # a transaction of the old key, carried by the new one
        client.register(unlike(seller=party.id))
    with stage.exporter(party.id) as client, pytest.raises(RequestFailed, match="unknown_party"):
        client.party(party.id)  # a request of the old key
    proofs = (proof(stage, last, party, "recover"),)
    with stage.financier("f-cn") as carrier:
        with pytest.raises(ClientError, match="unknown_party"):
            carrier.call(parties.recover, new, (last.public_key,), proofs=proofs)
        carrier.call(parties.recover, owner, (last.public_key,), proofs=proofs)
        assert carrier.party(party.id).sign_keys == (last.public_key,)
    with stage.exporter(party.id, signer=last) as client:
        client.register(unlike(seller=party.id))


def test_a_suspension_by_command_and_its_end(stage: Stage, desk: Desk) -> None:
    party, _ = admitted(stage)
    for word in ("suspend", "reinstate"):
        proposed = desk.by(F_CN, "party", word, party.id, "--reason", "file 2026-17").json["proposal"]
        assert f"{word} " in desk.by(F_CN, "party", "proposals").out
        for authority in (F_SG, F_DE):
            desk.by(authority, "party", "approve", proposed).json  # noqa: B018 (it is done, or this raises)
        with stage.exporter(party.id) as client:
            if word == "suspend":
                with pytest.raises(RequestFailed, match="suspended"):
                    client.party(party.id)
            else:
                assert not client.party(party.id).suspended
    with stage.exporter(party.id) as client, pytest.raises(Refused, match="not_authorised"):
        client.call(parties.propose_change, Suspend(party.id, digest("myself")))


def test_an_amendment_and_another_owner_key_by_command(stage: Stage, desk: Desk) -> None:
    party, _ = admitted(stage)
    bad = desk.by(F_CN, "party", "amend", party.id, "--alias", "vat:DE136695977")
    assert complaint(bad).startswith("identifiers[0]")
    owner = key(f"new owner {party.id}")
    new, card = owner.public_key.hex(), carded(stage, desk, owner, party, "replace_owner_key")
    for words in (
        ("amend", party.id, "--name", "Renamed", "--add-role", "debtor"),
        ("replace-owner-key", card),
    ):
        proposed = desk.by(F_CN, "party", *words).json["proposal"]
        for authority in (F_SG, F_DE):
            assert desk.by(authority, "party", "approve", proposed).json["approved"] == proposed
    with stage.financier("f-cn") as client:
        found = client.party(party.id)
    assert (found.name, found.roles, found.owner_key.hex()) == ("Renamed", ("exporter", "debtor"), new)


def test_keys_by_command(stage: Stage, desk: Desk) -> None:
    party, owner = admitted(stage)
    new, last = key(f"new {party.id}"), key(f"last {party.id}")
    for name, kind, made in (("new", "sign", new), ("owner", "owner", owner)):
        secret = SecretKey(kind, made.public_key, made.seed)
        save_key(desk.folder / f"{name}.json", secret, PASSPHRASE.encode(), cost=KDF_TEST)
    card = carded(stage, desk, new, party, "add_key")
    for other, fault in (
        (F_SG, f"party: is {party.id}, where {F_SG} is needed"),
        (party.id, "proof: is not by the key"),
    ):
        assert f"{card}: {fault}" in complaint(desk.by(other, "party", "add-key", card))
        card.write_text(card.read_text().replace(new.public_key.hex(), last.public_key.hex()))
    added = desk.by(party.id, "party", "add-key", carded(stage, desk, new, party, "add_key"))
    assert added.json["added"] == new.public_key.hex()
    by_new = {"NEMODAT_KEY": str(desk.folder / "new.json")}
    assert desk.by(party.id, "party", "revoke-key", party.sign_keys[0].hex(), **by_new).json["revoked"]
    assert desk.by(party.id, "party", "set-home", "https://node.example", **by_new).json["home"]
    received = digest("x25519").hex()
    assert desk.by(party.id, "party", "set-receive-key", received, **by_new).json["receive_key"] == received
    words = ("recover", "--owner-key", desk.folder / "owner.json", "--sign-key")
    wrong = desk.by(F_CN, "party", *words, carded(stage, desk, last, party, "add_key"))
    assert "purpose: is add_key, where recover is needed" in complaint(wrong)
    words = (*words, carded(stage, desk, last, party, "recover"))
    done = desk.by(F_CN, "party", *words, NEMODAT_OWNER_PASSPHRASE=PASSPHRASE)
    assert done.json["sign_keys"] == [last.public_key.hex()]
    again = desk.by(F_CN, "party", *words, NEMODAT_OWNER_PASSPHRASE=PASSPHRASE)
    assert complaint(again) == "refused: duplicate"


def test_attestations_by_command(stage: Stage, desk: Desk) -> None:
    party, _ = admitted(stage)
    report, record = desk.folder / "report.pdf", desk.folder / "gleif.json"
    report.write_bytes(b"nothing found")
    record.write_text(json.dumps({"data": row(lei=party.id.removeprefix("lei:"), registration_status="LAPSED")}))
    kyc = ("--provider", "A Bureau", "--result", report, "--expires", "2999-12-31")
    assert desk.by(F_CN, "party", "attest", party.id, *kyc).json["expires"] == "2999-12-31"
    assert run("party", "lei", record).code == LOOK
    golden_copy = desk.folder / "golden.csv.zip"
    with zipfile.ZipFile(golden_copy, "w") as archive:
        mine = dataclasses.replace(MERGED, lei=party.id.removeprefix("lei:"), registration_status="RETIRED")
        archive.writestr("golden.csv", as_csv(csv_row(RECORD), csv_row(mine)))
    listed = run("party", "lei", golden_copy, "--only", mine.lei)
    assert (listed.code, "RETIRED" in listed.out, RECORD.name in listed.out) == (LOOK, True, False)
    from_it = desk.by(F_SG, "party", "attest", party.id, "--lei", golden_copy, "--expires", "2999-12-31").json
    assert from_it["warning"] == "merged"
    said = desk.by(F_SG, "party", "attest", party.id, "--lei", record, "--expires", "2999-12-31").json
    assert (said["kind"], said["warning"]) == ("lei", "lapsed")
    listed = desk.by(F_DE, "party", "attestations", party.id).out
    assert "kyc" in listed
    assert "lapsed" in listed
    with stage.exporter(party.id) as client:
        first, _ = client.call(parties.attestations, party.id)
        assert first in client.call(reads.own_records, Attestation)
        client.register(unlike(seller=party.id))
        assert desk.by(F_CN, "party", "withdraw", first.id.hex()).json["withdrawn"] == first.id.hex()
        with pytest.raises(Refused, match="attestation_lapsed"):
            client.register(unlike(seller=party.id))


def test_an_lei_is_attested_for_its_own_party_and_with_an_end_ahead(stage: Stage) -> None:
    party, _ = admitted(stage)
    own = json.dumps({"data": row(lei=party.id.removeprefix("lei:"), next_renewal="2020-01-01T00:00:00Z")}).encode()
    (record,) = read_lei_records(own, file="own")
    (others,) = read_lei_records(json.dumps({"data": row()}).encode(), file="others")
    with stage.financier("f-cn") as client:
        with pytest.raises(ClientError, match="has not the LEI"):
            client.call(parties.attest_lei, party.id, others)
        with pytest.raises(ClientError, match="no renewal of it lies ahead"):
            client.call(parties.attest_lei, party.id, record)
        assert client.call(parties.attest_lei, party.id, record, expires_ms=2**45).warning == "lapsed"
        assert [one.warning for one in client.call(parties.attestations, party.id)] == ["lapsed"]


def test_a_firm_named_by_an_alias_is_the_same_firm(stage: Stage) -> None:
    debtor = newcomer("debtor")
    admit(stage, [debtor])
    alias = f"lei:{lei('984500ALIAS' + debtor.id[-7:])}"
    with stage.financier("f-cn") as proposer:
        proposal = proposer.call(parties.propose_change, Amend(party=debtor.id, identifiers=(alias,)))
        for name in ("f-sg", "f-de"):
            with stage.financier(name, "f-cn") as approver:
                approver.approve([proposal])
    with stage.exporter() as exporter:
        first = unlike(debtor=debtor.id)
        known = exporter.register(first)
        (again,) = exporter.call(canonical_listings, [with_particulars(first, debtor=alias)])
        with pytest.raises(Refused, match="duplicate"):
            exporter.register(again)
    stage.level()
    with stage.financier("f-sg") as financier:
        (asked,) = financier.call(canonical, [dataclasses.replace(first.particulars, debtor=alias)])
        found = financier.search(asked, purpose="offer")
    exact = [result["matches"] for result in found["results"] if result["kind"] == "exact"]
    assert exact == [[known.receivable.hex()]]
