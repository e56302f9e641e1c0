"""Members make cards, cards make a genesis, a genesis makes configurations; what does not fit is named."""

from __future__ import annotations

import base64
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from node.chain import Chain
from node.config import load_config
from node.errors import CeremonyError, ConfigError, KeyFileError
from node.genesis import (
    assemble,
    init_node,
    join,
    member_of,
    new_party,
    proven,
    read_card,
    read_genesis,
    renew,
    write_public,
)
from node.keystore import KDF_TEST, load_key
from node.store import MemoryStore
from registry.cards import Card, CardNode, card_toml, proved, seat_of
from registry.genesis import Genesis, Parameters
from registry.parties import Party
from tests.node.network_of_nodes import forged_certificate, signing_key
from tests.registry.world import MEMBERS

PASSPHRASE = b"a passphrase for tests"
NOW_MS = 1_780_000_000_000
FORGED = base64.b64encode(forged_certificate(signing_key("somebody").public_key)).decode()


def described(name: str, roles: tuple[str, ...] = ("authority", "financier")) -> Party:
    identifier, country, _ = MEMBERS[name]
    return Party(
        id=identifier, name=name, country=country, identifiers=(identifier,), roles=roles, sign_keys=(), owner_key=b""
    )


def member(folder: Path, name: str, number: int, *, observer: bool = False) -> Card:
    """One member's part of the ceremony; its card has been through a file."""
    keys = folder / name
    party = new_party(keys, described(name), PASSPHRASE, cost=KDF_TEST)
    card = init_node(
        keys,
        name=name,
        party=party,
        role="observer" if observer else "authority",
        address=f"node{number}.example.org:7001",
        passphrase=PASSPHRASE,
        cost=KDF_TEST,
    )
    write_public(folder / f"{name}.card.toml", card_toml(card))
    return read_card(folder / f"{name}.card.toml")


@pytest.fixture
def cards(tmp_path: Path) -> list[Card]:
    names = ["F_CN", "F_SG", "F_DE", "F_GB"]
    made = [member(tmp_path, name, number) for number, name in enumerate(names)]
    return [*made, member(tmp_path, "F_BR", 9, observer=True)]


def test_a_network_begins(tmp_path: Path, cards: list[Card]) -> None:
    exporter = new_party(tmp_path / "exporter", described("EXP_CN", ("exporter",)), PASSPHRASE, cost=KDF_TEST)
    made = assemble("trade", cards, created_ms=NOW_MS, parties=[exporter], parameters=Parameters(base_ms=500))
    write_public(tmp_path / "genesis.toml", made.to_toml())
    genesis = read_genesis(tmp_path / "genesis.toml")
    assert genesis == made
    assert genesis.id == made.id
    assert [entry.party for entry in genesis.authorities] == [card.party.id for card in cards[:4]]
    assert [entry.party for entry in genesis.observers] == [cards[4].party.id]
    assert exporter in genesis.parties
    assert Chain.open(MemoryStore(), genesis).tip.block_hash == genesis.id
    (tmp_path / "secret").write_text(PASSPHRASE.decode())
    (tmp_path / "secret").chmod(0o600)
    for name, role in (("F_SG", "authority"), ("F_BR", "observer")):
        written = join(
            tmp_path / "nodes" / name,
            name=name,
            genesis=tmp_path / "genesis.toml",
            keys=tmp_path / name,
            listen="0.0.0.0:7001",
            api_listen="127.0.0.1:8001",
            passphrase_file=tmp_path / "secret",
        )
        config = load_config(tmp_path / "nodes" / name / "node.toml")
        assert config == written
        assert (config.role, config.party) == (role, MEMBERS[name][0])
        transport = load_key(config.keys.transport, config.passphrase(), kind="transport")
        entry = member_of(genesis, transport.public)
        assert entry.party == config.party
        if config.keys.consensus is not None:
            consensus = load_key(config.keys.consensus, config.passphrase(), kind="consensus")
            assert consensus.public == genesis.authorities[1].consensus_key


def test_nothing_is_ever_overwritten(tmp_path: Path, cards: list[Card]) -> None:
    with pytest.raises(KeyFileError, match="exists already"):
        member(tmp_path, "F_CN", 0)
    with pytest.raises(CeremonyError, match="exists already"):
        write_public(tmp_path / "F_CN.card.toml", "")
    assert read_card(tmp_path / "F_CN.card.toml") == cards[0]
    with pytest.raises(KeyFileError, match="may write to"):
        init_node(
            tmp_path / "F_CN.card.toml",
            name="x",
            party=cards[0].party,
            role="observer",
            address="localhost:1",
            passphrase=PASSPHRASE,
            cost=KDF_TEST,
        )
    with pytest.raises(CeremonyError, match="may write to"):
        write_public(tmp_path / "F_CN.card.toml" / "below", "")


def test_no_secret_is_in_a_card(tmp_path: Path, cards: list[Card]) -> None:
    text = (tmp_path / "F_CN.card.toml").read_text()
    for kind in ("transport", "consensus", "sign", "owner", "receive"):
        assert load_key(tmp_path / "F_CN" / f"{kind}.json", PASSPHRASE, kind=kind).secret.hex() not in text


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": "v2"}, "format: must be nemodat-card-v1"),
        ({"node": {"role": "king"}}, r"node\.role: must be authority or observer"),
        ({"node": {"role": "observer"}}, r"node\.consensus_key: must be empty"),
        ({"node": {"consensus_key": ""}}, r"node\.consensus_key: must have 32 bytes"),
        ({"node": {"consensus_key": "xyz"}}, r"node\.consensus_key: must be lower-case hex"),
        ({"node": {"transport_certificate": "***"}}, r"node\.transport_certificate: must be base64"),
        ({"node": {"transport_certificate": "AAAA"}}, r"node\.transport_certificate: is not an X.509"),
        ({"node": {"transport_certificate": FORGED}}, r"node\.transport_certificate: is not signed with its own key"),
        ({"node": {"extra": 1}}, r"node\.extra: is not a known field"),
        ({"node": {"address": 5}}, r"node\.address: must be text"),
        ({"node": {"address": "nowhere"}}, r"node\.address: must be host:port"),
        ({"node": 5}, "node: must be a table"),
        ({"extra": 1}, "extra: is not a known field"),
        ({"party": 5}, "party: must be a table"),
        ({"party": {"id": 7}}, r"party\.id: must be text"),
        ({"proofs": {"network": ""}}, r"proofs\.sign_keys: is missing"),
    ],
)
def test_a_bad_card_is_named(change: dict[str, Any], reason: str, tmp_path: Path, cards: list[Card]) -> None:
    path = tmp_path / "bad.toml"
    table = tomllib.loads(card_toml(cards[0]))
    for name, value in change.items():
        table[name] = table.get(name, {}) | value if isinstance(value, dict) else value
    path.write_text(tomli_w.dumps(table))
    with pytest.raises(CeremonyError, match=f"bad.toml: {reason}"):
        read_card(path)


def test_a_party_with_a_wrong_check_digit_is_refused(tmp_path: Path, cards: list[Card]) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(card_toml(cards[0]).replace("984500CNFACTOR000128", "984500CNFACTOR000129"))
    with pytest.raises(CeremonyError, match=r"party\.identifiers\[0\]"):
        read_card(path)


@pytest.mark.parametrize("read", [read_card, read_genesis])
def test_files_that_cannot_be_read_are_named(read: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(CeremonyError, match="no such file"):
        read(tmp_path / "absent.toml")
    with pytest.raises(CeremonyError, match="cannot be read"):
        read(tmp_path)
    for data, reason in ((b"\xff", "not text"), (b"a = =", "file: is not TOML"), (b"", "is missing")):
        (tmp_path / "bad.toml").write_bytes(data)
        with pytest.raises(CeremonyError, match=reason):
            read(tmp_path / "bad.toml")
    with (tmp_path / "huge.toml").open("wb") as file:
        file.truncate(10**9)
    with pytest.raises(CeremonyError, match="larger than"):
        read(tmp_path / "huge.toml")


def test_cards_that_do_not_make_a_network_are_refused(tmp_path: Path, cards: list[Card]) -> None:
    def refused(*chosen: Card) -> str:
        with pytest.raises(CeremonyError) as error:
            assemble("trade", chosen, created_ms=NOW_MS)
        return str(error.value)

    assert "parties" in refused()
    assert "authorities" in refused(cards[4])
    assert "an authority twice" in refused(cards[0], cards[0])

    def with_node(card: Card, **changes: Any) -> Card:
        assert card.node is not None
        return replace(card, node=replace(card.node, **changes))

    renamed = replace(cards[4], party=replace(cards[0].party, name="Somebody else"))
    assert "describe this party differently" in refused(cards[0], renamed)
    assert cards[0].node is not None
    assert "also at" in refused(cards[0], with_node(cards[1], consensus_key=cards[0].node.consensus_key))
    assert "address" in refused(with_node(cards[0], address="nowhere"))
    assert "transport_certificate" in refused(with_node(cards[0], transport_certificate=b"junk"))
    assert "has no node" in refused(replace(cards[0], node=None))


def test_only_a_member_joins(tmp_path: Path, cards: list[Card]) -> None:
    genesis: Genesis = assemble("trade", cards[:4], created_ms=NOW_MS)
    write_public(tmp_path / "genesis.toml", genesis.to_toml())
    arguments: dict[str, Any] = {
        "name": "node",
        "genesis": tmp_path / "genesis.toml",
        "listen": "127.0.0.1:7001",
        "api_listen": "127.0.0.1:8001",
        "passphrase_file": None,
    }
    with pytest.raises(CeremonyError, match="not in the genesis file"):
        join(tmp_path / "new", keys=tmp_path / "F_BR", **arguments)
    with pytest.raises(KeyFileError, match="no such file"):
        join(tmp_path / "new", keys=tmp_path / "nothing", **arguments)
    (tmp_path / "F_CN" / "consensus.json").write_bytes((tmp_path / "F_SG" / "consensus.json").read_bytes())
    with pytest.raises(CeremonyError, match="not the consensus key"):
        join(tmp_path / "new", keys=tmp_path / "F_CN", **arguments)
    assert not (tmp_path / "new").exists()
    for folder, card, network in (("others", cards[1], genesis.id), ("elsewhere", cards[4], bytes(32))):
        write_public(tmp_path / folder / "card.toml", card_toml(proved(card, network)))
        with pytest.raises(CeremonyError, match=r"not that of the node's keys|--network " + genesis.id.hex()):
            join(tmp_path / folder, keys=tmp_path / "F_BR", **arguments)
        assert not (tmp_path / folder / "node.toml").exists()


def test_who_joins_a_network_that_runs_has_a_card_for_it(tmp_path: Path, cards: list[Card]) -> None:
    genesis: Genesis = assemble("trade", cards[1:4], created_ms=NOW_MS)
    write_public(tmp_path / "genesis.toml", genesis.to_toml())
    card = proven(cards[0], tmp_path / "F_CN", genesis.id, PASSPHRASE)
    write_public(tmp_path / "new" / "card.toml", card_toml(card))
    assert seat_of(card, genesis.id).party == MEMBERS["F_CN"][0]
    config = join(
        tmp_path / "new",
        name="newcomer",
        genesis=tmp_path / "genesis.toml",
        keys=tmp_path / "F_CN",
        listen="127.0.0.1:7001",
        api_listen="127.0.0.1:8001",
        passphrase_file=None,
    )
    assert (config.role, config.party) == ("authority", MEMBERS["F_CN"][0])


def test_the_next_consensus_key_comes_with_a_card_that_proves_it(tmp_path: Path, cards: list[Card]) -> None:
    home, genesis = tmp_path / "home", assemble("trade", cards, created_ms=NOW_MS)
    write_public(home / "card.toml", card_toml(cards[0]))
    with pytest.raises(ConfigError, match=r"node\.toml"):
        renew(home, PASSPHRASE, cost=KDF_TEST)
    write_public(home / "genesis.toml", genesis.to_toml())
    (tmp_path / "F_CN").rename(home / "keys")
    join(
        home,
        name="node",
        genesis=home / "genesis.toml",
        keys=home / "keys",
        listen="127.0.0.1:7001",
        api_listen="127.0.0.1:8001",
        passphrase_file=None,
    )
    made = read_card(renew(home, PASSPHRASE, cost=KDF_TEST))
    key = load_key(home / "keys" / "consensus-next.json", PASSPHRASE, kind="consensus")
    assert isinstance(made.node, CardNode)
    assert (made.party, made.node.consensus_key) == (cards[0].party, key.public)
    assert seat_of(made, genesis.id).consensus_key == key.public
    with pytest.raises(KeyFileError, match="exists already"):
        renew(home, PASSPHRASE, cost=KDF_TEST)
    write_public(tmp_path / "observer" / "card.toml", card_toml(cards[4]))
    with pytest.raises(CeremonyError, match="does not vote"):
        renew(tmp_path / "observer", PASSPHRASE, cost=KDF_TEST)
