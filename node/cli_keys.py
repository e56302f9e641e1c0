"""Commands that make key files and cards: `nemodat key ...`, and `nemodat party init`."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from node.cli_common import FILE, AsJson, print_json, told
from node.config import read_secret_file
from node.errors import CeremonyError
from node.genesis import kept_key, new_party, proven, read_genesis, write_public
from node.keystore import describe, generate_key, save_key
from registry.cards import KEY_CARD_PURPOSES, Card, card_toml, key_card, key_card_toml
from registry.codec import DIGEST_SIZE, digest
from registry.errors import FieldError
from registry.keys import POSSESSION_PURPOSES, key_id
from registry.parties import Party, vet_party

__all__ = [
    "CARD",
    "NetworkOption",
    "PassphraseFile",
    "absent",
    "app",
    "init_party",
    "network_of",
    "new_passphrase",
    "tell_card",
    "wanted_party",
]

app = typer.Typer(no_args_is_help=True, help="Make and show the key files of a party.")

CARD = "card.toml"
PASSPHRASE_ENV = "NEMODAT_PASSPHRASE"  # noqa: S105 - the name of a variable
PassphraseFile = Annotated[
    Path | None, typer.Option(help="File with the passphrase of the keys, readable by you only. Default: asked for.")
]
NetworkOption = Annotated[
    str,
    typer.Option(
        "--network", help="The id of the network that runs, as its members tell you: `nemodat genesis show` has it."
    ),
]


@app.command("new")
def new_key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The key file to write; never over another.")],
    *,
    kind: Annotated[
        Literal["sign", "owner", "receive"],
        typer.Option(help="What it is for: daily signatures, recovery (keep it offline), or what others seal for you."),
    ] = "sign",
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Make a key of a party, sealed under a passphrase. One key has one use.

    Example: nemodat key new sign.json
    """
    with told():
        made = generate_key(kind)
        save_key(file, made, new_passphrase(passphrase_file))
    _tell_key(file, kind, made.public, as_json=as_json)


@app.command("show")
def show_key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A key file.", **FILE)], as_json: AsJson = False
) -> None:
    """Show what a key file is for, and its public half. No passphrase is needed, so neither is proved.

    Example: nemodat key show sign.json
    """
    with told():
        kind, public = describe(file)
    _tell_key(file, kind, public, as_json=as_json)


@app.command("card")
def make_key_card(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The new key's file; made if it is not there.")],
    *,
    purpose: Annotated[str, typer.Option(help=f"What it is brought by: {', '.join(KEY_CARD_PURPOSES)}.")],
    genesis: Annotated[Path, typer.Option(envvar="NEMODAT_GENESIS", help="The network's genesis.toml.", **FILE)],
    party: Annotated[str, typer.Option(envvar="NEMODAT_PARTY", help="The id of the party whose key it is to be.")],
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Make the card of a member's new key, with its proof that it is there: for add-key, recover, replace-owner-key.

    The card is public, and lies beside the key file: new.json has new.card.toml.

    Example: nemodat key card new.json --purpose add_key
    """
    with told():
        if purpose not in KEY_CARD_PURPOSES:
            raise CeremonyError(f"--purpose: must be one of {', '.join(KEY_CARD_PURPOSES)}")
        card, network = file.with_suffix(".card.toml"), read_genesis(genesis).id
        absent(card)
        passphrase = _key_passphrase(passphrase_file, file) if file.exists() else new_passphrase(passphrase_file)
        secret = kept_key(file, POSSESSION_PURPOSES[purpose], passphrase)
        write_public(card, key_card_toml(key_card(secret.signing_key, network, party, purpose)))
    if as_json:
        print_json(card=str(card), party=party, purpose=purpose, public=secret.public.hex())
        return
    typer.echo(f"card in {card}: for nemodat party {purpose.replace('_', '-')}")
    typer.echo(f"{secret.kind} key {key_id(secret.public)}")


def init_party(
    folder: Annotated[Path, typer.Argument(help="Where the keys and the card go.")],
    *,
    party: Annotated[str, typer.Option(help="Your identifier, such as lei:984500TJEXPORT000197.")],
    party_name: Annotated[str, typer.Option(help="Your registered name.")],
    country: Annotated[str, typer.Option(help="Where you are registered: two letters.")],
    party_role: Annotated[list[str], typer.Option(help="What you are: exporter, debtor, financier. May be repeated.")],
    network: NetworkOption,
    alias: Annotated[
        list[str] | None, typer.Option(help="A further identifier, scheme:VALUE. May be repeated.")
    ] = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Make the keys of a party that joins without a node, and the card to hand to an authority.

    Keys that are in the folder already are kept. The authority admits you with the card alone: compare the fingerprints
    of the keys with what it is shown. When you are admitted it gives you the genesis file.

    Example: nemodat party init me --party lei:984500TJEXPORT000197 --party-name "Tianjin Export" --country CN
    --party-role exporter --network 9f86...0a08
    """
    with told():
        wanted = wanted_party(party, party_name, country, set(party_role), alias or ())
        network_id = network_of(network)
        absent(folder / CARD)
        passphrase = new_passphrase(passphrase_file)
        made = new_party(folder / "keys", wanted, passphrase)
        card = proven(Card(party=made), folder / "keys", network_id, passphrase)
        write_public(folder / CARD, card_toml(card))
    tell_card(card, folder, "an authority")


def wanted_party(id_: str, name: str, country: str, roles: Collection[str], aliases: Collection[str] = ()) -> Party:
    """A party without keys. Raises `CeremonyError` that says what is wrong with it before keys are made for it."""
    identifiers = (id_, *(alias for alias in aliases if alias != id_))
    roles = tuple(sorted(roles))
    party = Party(id=id_, name=name, country=country, identifiers=identifiers, roles=roles, sign_keys=(), owner_key=b"")
    sign, owner = (generate_key(kind).public for kind in ("sign", "owner"))
    try:
        vet_party(replace(party, sign_keys=(sign,), owner_key=owner))
    except FieldError as error:
        raise CeremonyError(f"the party cannot be a member: {error}") from error
    return party


def network_of(text: str) -> bytes:
    """The id of a network. Raises `CeremonyError`."""
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(found) != DIGEST_SIZE:
        raise CeremonyError("--network: 64 hexadecimal digits are expected, as `nemodat genesis show` prints them")
    return found


def absent(path: Path) -> None:
    """Return if there is no such file yet. Raises `CeremonyError` before keys are made in vain."""
    if path.exists():
        raise CeremonyError(f"{path}: exists already: move it away first")


def tell_card(card: Card, folder: Path, to: str) -> None:
    """What was made, and the fingerprints by which whoever gets the card is sure of it."""
    party = card.party
    typer.echo(f"keys in {folder / 'keys'}: move owner.json to a safe place offline")
    typer.echo(f"card in {folder / CARD}: hand it to {to}")
    typer.echo(f"sign key {', '.join(map(key_id, party.sign_keys))}")
    typer.echo(f"owner key {key_id(party.owner_key)}")
    typer.echo(f"receive key {key_id(party.receive_key)}")
    if card.node is not None:
        typer.echo(f"node {digest(card.node.transport_certificate).hex()}")
        if card.node.consensus_key:
            typer.echo(f"consensus key {key_id(card.node.consensus_key)}")


def _tell_key(file: Path, kind: str, public: bytes, *, as_json: bool) -> None:
    if as_json:
        print_json(kind=kind, file=str(file), public=public.hex())
        return
    typer.echo(f"{kind} key in {file}")
    typer.echo(f"public {public.hex()}")


def _key_passphrase(file: Path | None, key: Path) -> bytes:
    """Of a key file that is there: from a file, the environment, or typed once."""
    if file is None and PASSPHRASE_ENV not in os.environ and sys.stdin.isatty():
        return getpass.getpass(f"Passphrase of {key}: ").encode()
    return new_passphrase(file)


def new_passphrase(file: Path | None) -> bytes:
    """For new keys: from a file, the environment, or typed twice. Raises `CeremonyError`."""
    if file is not None:
        return read_secret_file(file, "passphrase", file)
    if given := os.environb.get(PASSPHRASE_ENV.encode()):
        return given
    if not sys.stdin.isatty():
        raise CeremonyError(f"a passphrase is needed: --passphrase-file, or the variable {PASSPHRASE_ENV}")
    first = getpass.getpass("Passphrase of the new keys: ")
    if getpass.getpass("The same again: ") != first:
        raise CeremonyError("the passphrases differ: nothing was made")
    return first.encode()
