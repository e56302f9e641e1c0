"""How a network begins: members make keys and cards, the cards become one genesis file, members join with it.

    new_party     keys of a party, in encrypted files       (each member, secrets stay with it)
    init_node     keys of a node, and its card              (each member; only the card is handed on)
    assemble      cards -> genesis                          (anyone; all compare the genesis id)
    join          genesis -> node.toml                      (each member)

Later the ledger says who is a member: whoever joins then hands its card to an authority, which proposes it, and runs
its node from the same genesis file. `renew` makes the next consensus key of an authority, and a card with it.

A card holds public things only. Nobody needs to trust who assembles: a member checks that its own card is in the file,
and that all others have the same genesis id.
"""

from __future__ import annotations

import base64
import os
import secrets
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import tomli_w

from node.config import ApiConfig, KeysConfig, NetworkConfig, NodeConfig, config_toml
from node.errors import CeremonyError
from node.keystore import KDF_STANDARD, KdfCost, generate_key, generate_transport_key, read_public, save_key
from node.store.folder import sync_folder
from registry.errors import FieldError
from registry.genesis import (
    AuthorityEntry,
    Genesis,
    ObserverEntry,
    Parameters,
    party_from_toml,
    transport_public_key,
    validate_genesis,
)
from registry.parties import Party, vet_party
from registry.tables import Table

__all__ = [
    "NodeCard",
    "assemble",
    "card_toml",
    "init_node",
    "join",
    "member_of",
    "new_party",
    "read_card",
    "read_genesis",
    "renew",
    "write_genesis",
    "write_public",
]

CARD_FORMAT = "nemodat-card-v1"
CARD_BYTES_MAX = 64 * 1024
OPERATOR_TOKEN = "operator-token"  # noqa: S105 - the name of a file
OPERATOR_TOKEN_BYTES = 32
GENESIS_BYTES_MAX = 16 * 1024 * 1024
FINGERPRINT_KEY_SIZE = 32  # bytes

_CARD = ("format", "role", "address", "consensus_key", "checkpoint_key", "transport_certificate", "party")
_PARTY_KEYS = ("sign", "owner", "receive")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCard:
    """What a member tells the others of its node: party, role, "host:port", certificate (DER); its
    consensus key, or, for an observer of a regulator, the key that signs checkpoints."""

    party: Party
    role: Literal["authority", "observer"]
    address: str
    transport_certificate: bytes
    consensus_key: bytes = b""
    checkpoint_key: bytes = b""


def new_party(folder: Path, party: Party, passphrase: bytes, *, cost: KdfCost = KDF_STANDARD) -> Party:
    """Make the party's own keys (`sign`, `owner`, `receive`) in `folder`; the party with their public halves.

    The owner key recovers the party: it belongs offline. Raises `KeyFileError` if one is there already.
    """
    keys = {kind: generate_key(kind) for kind in _PARTY_KEYS}
    for kind, key in keys.items():
        save_key(folder / f"{kind}.json", key, passphrase, cost=cost)
    return Party(
        id=party.id,
        name=party.name,
        country=party.country,
        identifiers=party.identifiers,
        roles=party.roles,
        sign_keys=(keys["sign"].public,),
        owner_key=keys["owner"].public,
        receive_key=keys["receive"].public,
        home=party.home,
    )


def init_node(
    folder: Path,
    *,
    name: str,
    party: Party,
    role: Literal["authority", "observer"],
    address: str,
    passphrase: bytes,
    cost: KdfCost = KDF_STANDARD,
) -> NodeCard:
    """Make a node's keys in `folder`; the card to hand on.

    They are `transport`, for an authority `consensus`, for an observer of a regulator `checkpoint`. Raises
    `KeyFileError` if one is there already.
    """
    transport = generate_transport_key(name)
    save_key(folder / "transport.json", transport, passphrase, cost=cost)
    consensus_key = b""
    if role == "authority":
        consensus = generate_key("consensus")
        save_key(folder / "consensus.json", consensus, passphrase, cost=cost)
        consensus_key = consensus.public
    checkpoint_key = b""
    if role == "observer" and "regulator" in party.roles:
        checkpoint = generate_key("checkpoint")
        save_key(folder / "checkpoint.json", checkpoint, passphrase, cost=cost)
        checkpoint_key = checkpoint.public
    return NodeCard(
        party=party,
        role=role,
        address=address,
        transport_certificate=transport.public,
        consensus_key=consensus_key,
        checkpoint_key=checkpoint_key,
    )


def card_toml(card: NodeCard) -> str:
    """The TOML text that `read_card` reads back to an equal card."""
    party = card.party
    return tomli_w.dumps(
        {
            "format": CARD_FORMAT,
            "role": card.role,
            "address": card.address,
            "consensus_key": card.consensus_key.hex(),
            "checkpoint_key": card.checkpoint_key.hex(),
            "transport_certificate": base64.b64encode(card.transport_certificate).decode(),
            "party": {
                "id": party.id,
                "name": party.name,
                "country": party.country,
                "identifiers": list(party.identifiers),
                "roles": list(party.roles),
                "sign_keys": [key.hex() for key in party.sign_keys],
                "owner_key": party.owner_key.hex(),
                "receive_key": party.receive_key.hex(),
                "home": party.home,
            },
        }
    )


def read_card(path: Path) -> NodeCard:
    """The card in a file, its party vetted, its certificate too. Raises `CeremonyError` naming file and field."""
    text = _read_text(path, CARD_BYTES_MAX)
    try:
        table = Table.parse(text, _CARD)
        if table.text("format") != CARD_FORMAT:
            raise FieldError("format", f"must be {CARD_FORMAT}")
        role = table.text("role")
        consensus_key = table.hex("consensus_key")
        if role == "authority":
            if not consensus_key:
                raise FieldError("consensus_key", "is missing: an authority votes with it")
            return _card(table, text, role="authority", consensus_key=consensus_key)
        if role != "observer":
            raise FieldError("role", "must be authority or observer")
        if consensus_key:
            raise FieldError("consensus_key", "must be empty: an observer does not vote")
        return _card(table, text, role="observer", consensus_key=b"")
    except FieldError as error:
        raise CeremonyError(f"{path}: {error}") from error


def assemble(
    name: str,
    cards: Sequence[NodeCard],
    *,
    created_ms: int,
    parties: Sequence[Party] = (),
    parameters: Parameters | None = None,
) -> Genesis:
    """The genesis of a network of these nodes; authorities lead in the order of their cards.

    `parties` are further ones without a node, `created_ms` is now in milliseconds UTC. Raises `CeremonyError`.
    """
    everybody: dict[str, Party] = {}
    for party in (*(card.party for card in cards), *parties):
        if everybody.setdefault(party.id, party) != party:
            raise CeremonyError(f"{party.id}: two cards describe this party differently: use the same one in both")
    entries = [_entry(card) for card in cards]
    genesis = Genesis(
        name=name,
        created_ms=created_ms,
        authorities=tuple(entry for entry in entries if isinstance(entry, AuthorityEntry)),
        observers=tuple(entry for entry in entries if isinstance(entry, ObserverEntry)),
        parties=tuple(everybody.values()),
        parameters=parameters or Parameters(),
        fingerprint_key=secrets.token_bytes(FINGERPRINT_KEY_SIZE),
    )
    try:
        for party in genesis.parties:
            vet_party(party)
        validate_genesis(genesis)
    except FieldError as error:
        raise CeremonyError(f"these cards do not make a network: {error}") from error
    return genesis


def read_genesis(path: Path) -> Genesis:
    """The genesis in a TOML file. Raises `CeremonyError` naming file and field."""
    try:
        return Genesis.from_toml(_read_text(path, GENESIS_BYTES_MAX))
    except FieldError as error:
        raise CeremonyError(f"{path}: {error}") from error


def member_of(genesis: Genesis, certificate: bytes) -> AuthorityEntry | ObserverEntry:
    """The member with this transport certificate (DER). Raises `CeremonyError` if there is none."""
    entries: tuple[AuthorityEntry | ObserverEntry, ...] = (*genesis.authorities, *genesis.observers)
    for entry in entries:
        if entry.transport_certificate == certificate:
            return entry
    raise CeremonyError("this node's certificate is not in the genesis file: was another card used, or other keys?")


def renew(folder: Path, passphrase: bytes, *, cost: KdfCost = KDF_STANDARD) -> Path:
    """Make `keys/consensus-next.json` for the node whose card is in `folder`; the path of the new card.

    Raises `CeremonyError` for an observer's, `KeyFileError` if there is a next key already.
    """
    card = read_card(folder / "card.toml")
    if card.role != "authority":
        raise CeremonyError(f"{folder / 'card.toml'}: an observer does not vote: it has no consensus key")
    key = generate_key("consensus")
    save_key(folder / "keys" / "consensus-next.json", key, passphrase, cost=cost)
    made = folder / "card-next.toml"
    write_public(made, card_toml(replace(card, consensus_key=key.public)))
    return made


def join(
    folder: Path,
    *,
    name: str,
    genesis: Path,
    keys: Path,
    listen: str,
    api_listen: str,
    passphrase_file: Path | None,
    card: Path | None = None,
) -> NodeConfig:
    """Write `folder/node.toml` for the member whose key files are in the folder `keys`; what was written.

    Party and role are those of genesis, or of `card` for whoever joins a network that runs already. Raises
    `CeremonyError` if the keys are not those of either, `KeyFileError`.
    """
    certificate = read_public(keys / "transport.json", kind="transport")
    if card is None:
        found: AuthorityEntry | ObserverEntry = member_of(read_genesis(genesis), certificate)
    else:
        read_genesis(genesis)
        found = _entry(read_card(card))
        if found.transport_certificate != certificate:
            raise CeremonyError(f"{card}: the certificate is not that of {keys / 'transport.json'}: use its own card")
    consensus: Path | None = None
    if isinstance(found, AuthorityEntry):
        consensus = keys / "consensus.json"
        if read_public(consensus, kind="consensus") != found.consensus_key:
            raise CeremonyError(f"{consensus}: not the consensus key that genesis, or the card, has for {found.party}")
    checkpoint: Path | None = None
    if isinstance(found, ObserverEntry) and found.checkpoint_key:
        checkpoint = keys / "checkpoint.json"
        if read_public(checkpoint, kind="checkpoint") != found.checkpoint_key:
            raise CeremonyError(f"{checkpoint}: not the checkpoint key that genesis has for {found.party}")
    folder = folder.absolute()
    config = NodeConfig(
        file=folder / "node.toml",
        name=name,
        party=found.party,
        role="observer" if consensus is None else "authority",
        data_dir=folder / "data",
        genesis=genesis.absolute(),
        network=NetworkConfig(listen=listen),
        api=ApiConfig(listen=api_listen, operator_token_file=_operator_token(folder / OPERATOR_TOKEN)),
        keys=KeysConfig(
            transport=(keys / "transport.json").absolute(),
            consensus=None if consensus is None else consensus.absolute(),
            checkpoint=None if checkpoint is None else checkpoint.absolute(),
            passphrase_file=None if passphrase_file is None else passphrase_file.absolute(),
        ),
    )
    write_public(config.file, config_toml(config))
    return config


def _operator_token(path: Path) -> Path:
    """A file with a new operator token, for `nemodat node status` and `backup`; one that is there already stays."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(OPERATOR_TOKEN_BYTES) + "\n")
    except FileExistsError:
        return path
    except OSError as error:
        raise CeremonyError(f"{path}: {error.strerror}: choose a folder this user may write to") from error
    return path


def write_public(path: Path, text: str) -> None:
    """A new file that everybody may read, durable when this returns. Raises `CeremonyError` if it is there already."""
    _write_new(path, text, mode=0o666)


def write_genesis(path: Path, genesis: Genesis) -> None:
    """The same for a genesis file, which is for members only: it holds the key of the fingerprints (mode 0600)."""
    _write_new(path, genesis.to_toml(), mode=0o600)


def _write_new(path: Path, text: str, *, mode: int) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CeremonyError(f"{path.parent}: {error.strerror}: choose a folder this user may write to") from error
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)
    except FileExistsError:
        raise CeremonyError(f"{path}: exists already: move it away first") from None
    except OSError as error:
        raise CeremonyError(f"{path}: {error.strerror}: choose a folder this user may write to") from error


def _entry(card: NodeCard) -> AuthorityEntry | ObserverEntry:
    """The node of a card as a member."""
    party, certificate, address = card.party.id, card.transport_certificate, card.address
    if card.role == "observer":
        key = card.checkpoint_key
        return ObserverEntry(party=party, transport_certificate=certificate, address=address, checkpoint_key=key)
    key = card.consensus_key
    return AuthorityEntry(party=party, consensus_key=key, transport_certificate=certificate, address=address)


def _card(table: Table, text: str, *, role: Literal["authority", "observer"], consensus_key: bytes) -> NodeCard:
    values: dict[str, Any] = tomllib.loads(text)
    if not isinstance(values["party"], dict):
        raise FieldError("party", "must be a table")
    try:
        party = party_from_toml(tomli_w.dumps(values["party"]))
        vet_party(party)
    except FieldError as error:
        raise FieldError(f"party.{error.field}", error.reason) from error
    certificate = table.base64("transport_certificate")
    transport_public_key(certificate)
    return NodeCard(
        party=party,
        role=role,
        address=table.text("address"),
        transport_certificate=table.base64("transport_certificate"),
        consensus_key=consensus_key,
        checkpoint_key=table.hex("checkpoint_key"),
    )


def _read_text(path: Path, bytes_max: int) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(bytes_max + 1)
        if len(data) > bytes_max:
            raise CeremonyError(f"{path}: larger than {bytes_max} bytes: not what it is said to be")
        return data.decode()
    except FileNotFoundError:
        raise CeremonyError(f"{path}: no such file: check the path") from None
    except OSError as error:
        raise CeremonyError(f"{path}: cannot be read: {error.strerror}: check its owner and mode") from error
    except UnicodeDecodeError as error:
        raise CeremonyError(f"{path}: not text: {error}") from None
