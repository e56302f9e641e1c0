"""How a network begins: members make keys and cards, the cards become one genesis file, members join with it.

    new_party     keys of a party, in encrypted files       (each member, secrets stay with it)
    init_node     keys of a node, and its card              (each member; only the card is handed on)
    assemble      cards -> genesis                          (anyone; all compare the genesis id)
    join          genesis -> node.toml                      (each member)

Later the ledger says who is a member: whoever joins then has its keys prove themselves on its card (`proven`), hands
it to an authority, which proposes it, and runs its node from the same genesis file. `renew` makes the next consensus
key of an authority, and a card with it.

A card (`registry.cards`) holds public things only. Nobody needs to trust who assembles: a member checks that its own
card is in the file, and that all others have the same genesis id.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from node.config import ApiConfig, KeysConfig, NetworkConfig, NodeConfig, config_toml, load_config
from node.errors import CeremonyError
from node.keystore import (
    KDF_STANDARD,
    KdfCost,
    SecretKey,
    generate_key,
    generate_transport_key,
    load_key,
    read_public,
    save_key,
)
from node.store.folder import sync_folder
from registry.cards import CARD_BYTES_MAX, Card, CardNode, card_from_toml, card_toml, proved
from registry.errors import FieldError
from registry.genesis import (
    AuthorityEntry,
    Genesis,
    ObserverEntry,
    Parameters,
    validate_genesis,
)
from registry.parties import Party, vet_party

__all__ = [
    "assemble",
    "init_node",
    "join",
    "kept_key",
    "member_of",
    "new_party",
    "proven",
    "read_card",
    "read_genesis",
    "renew",
    "write_genesis",
    "write_public",
]

OPERATOR_TOKEN = "operator-token"  # noqa: S105 - the name of a file
OPERATOR_TOKEN_BYTES = 32
GENESIS_BYTES_MAX = 16 * 1024 * 1024
FINGERPRINT_KEY_SIZE = 32  # bytes

_PARTY_KEYS = ("owner", "sign", "receive")  # in this order: a signing key without its owner key has had one


def new_party(folder: Path, party: Party, passphrase: bytes, *, cost: KdfCost = KDF_STANDARD) -> Party:
    """The party with the public halves of its own keys (`sign`, `owner`, `receive`) in `folder`, made where missing.

    The owner key recovers the party: it belongs offline. Raises `KeyFileError` for one that does not open, and
    `CeremonyError` where it is offline already: another one would recover nothing.
    """
    if (folder / "sign.json").exists() and not (folder / "owner.json").exists():
        raise CeremonyError(f"{folder / 'owner.json'}: is away, and the card needs it: bring it back for this command")
    keys = {kind: kept_key(folder / f"{kind}.json", kind, passphrase, cost=cost).public for kind in _PARTY_KEYS}
    return replace(party, sign_keys=(keys["sign"],), owner_key=keys["owner"], receive_key=keys["receive"])


def kept_key(path: Path, kind: str, passphrase: bytes, *, cost: KdfCost = KDF_STANDARD) -> SecretKey:
    """The key of this kind in a file, made if there is none. Raises `KeyFileError`."""
    if path.exists():
        return load_key(path, passphrase, kind=kind)
    made = generate_key(kind)
    save_key(path, made, passphrase, cost=cost)
    return made


def proven(card: Card, keys: Path, network: bytes, passphrase: bytes) -> Card:
    """The card with proofs for the network with this genesis id, by the key files in `keys`. Raises `KeyFileError`."""
    party = [load_key(keys / f"{kind}.json", passphrase, kind=kind).signing_key for kind in ("sign", "owner")]
    votes = card.node is not None and card.node.role == "authority"
    consensus = load_key(keys / "consensus.json", passphrase, kind="consensus").signing_key if votes else None
    return proved(card, network, party=party, consensus=consensus)


def init_node(
    folder: Path,
    *,
    name: str,
    party: Party,
    role: Literal["authority", "observer"],
    address: str,
    passphrase: bytes,
    cost: KdfCost = KDF_STANDARD,
) -> Card:
    """Make a node's keys in `folder`; the card to hand on, without proofs.

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
    node = CardNode(
        role=role,
        address=address,
        transport_certificate=transport.public,
        consensus_key=consensus_key,
        checkpoint_key=checkpoint_key,
    )
    return Card(party=party, node=node)


def read_card(path: Path) -> Card:
    """The card in a file, its party vetted, its certificate too. Raises `CeremonyError` naming file and field."""
    try:
        return card_from_toml(_read_text(path, CARD_BYTES_MAX))
    except FieldError as error:
        raise CeremonyError(f"{path}: {error}") from error


def assemble(
    name: str,
    cards: Sequence[Card],
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
    raise CeremonyError(
        "this node's certificate is not in the genesis file: was another card used, or other keys? A newcomer's card is"
        f" made with --network {genesis.id.hex()}"
    )


def renew(folder: Path, passphrase: bytes, *, cost: KdfCost = KDF_STANDARD) -> Path:
    """Make `keys/consensus-next.json` for the node in `folder` that has joined; the path of the new card.

    The card has the proof of the key, for the network that `node.toml` names. Raises `CeremonyError` for an observer's,
    `ConfigError` before the node has joined, `KeyFileError` if there is a next key already.
    """
    card = read_card(folder / "card.toml")
    if card.node is None or card.node.role != "authority":
        raise CeremonyError(f"{folder / 'card.toml'}: an observer does not vote: it has no consensus key")
    network = read_genesis(load_config(folder / "node.toml").genesis).id
    key = generate_key("consensus")
    save_key(folder / "keys" / "consensus-next.json", key, passphrase, cost=cost)
    made = folder / "card-next.toml"
    next_card = replace(card, node=replace(card.node, consensus_key=key.public))
    write_public(made, card_toml(proved(next_card, network, consensus=key.signing_key)))
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
) -> NodeConfig:
    """Write `folder/node.toml` for the member whose key files are in the folder `keys`; what was written.

    Party and role are those of genesis, or of `folder/card.toml` if that was made for this network, which runs already.
    Raises `CeremonyError` if the keys are not those of either, `KeyFileError`.
    """
    certificate = read_public(keys / "transport.json", kind="transport")
    found = _joining(folder / "card.toml", read_genesis(genesis), certificate)
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


def _joining(card: Path, genesis: Genesis, certificate: bytes) -> AuthorityEntry | ObserverEntry:
    """The member of genesis with this certificate, or the newcomer that this card is for."""
    newcomer = read_card(card) if card.exists() else None
    if newcomer is None or newcomer.proofs is None or newcomer.proofs.network != genesis.id:
        return member_of(genesis, certificate)
    entry = _entry(newcomer)
    if entry.transport_certificate != certificate:
        raise CeremonyError(f"{card}: the certificate is not that of the node's keys: use its own card")
    return entry


def _entry(card: Card) -> AuthorityEntry | ObserverEntry:
    """The node of a card as a member."""
    if card.node is None:
        raise CeremonyError(f"the card of {card.party.id} has no node: `nemodat node init` makes one with a node")
    party, certificate, address = card.party.id, card.node.transport_certificate, card.node.address
    if card.node.role == "observer":
        key = card.node.checkpoint_key
        return ObserverEntry(party=party, transport_certificate=certificate, address=address, checkpoint_key=key)
    key = card.node.consensus_key
    return AuthorityEntry(party=party, consensus_key=key, transport_certificate=certificate, address=address)


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
