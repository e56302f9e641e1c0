"""The command `nemodat`: what participants do (`clients.cli`), and what operators of nodes do.

A network begins like this: each member runs `node init` and hands on its card; somebody runs `genesis create`; each
member compares what `genesis show` prints with the others, runs `node join`, and then `node run`.
"""

from __future__ import annotations

import getpass
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from node import cli_operating
from node.cli_common import EXIT_CODES, FILE, AsJson, ConfigPath, print_json, told
from node.clock import clock_ms
from node.config import NodeConfig, load_config, read_secret_file
from node.errors import CeremonyError
from node.genesis import (
    assemble,
    card_toml,
    init_node,
    join,
    new_party,
    read_card,
    read_genesis,
    renew,
    write_genesis,
    write_public,
)
from node.keystore import describe, generate_key, load_key, save_key
from registry.errors import FieldError
from registry.genesis import Genesis
from registry.keys import POSSESSION_PURPOSES, prove_possession
from registry.parties import Party, vet_party

__all__ = ["app", "main"]

# Typer's own tracebacks show local variables: passphrases have no place there.
app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="nemodat: one receivable, one financier, provable by anyone.",
    epilog=EXIT_CODES,
)
node_app = typer.Typer(no_args_is_help=True, help="Make, run and check a node.")
genesis_app = typer.Typer(no_args_is_help=True, help="Make and read the file that a network begins with.")
key_app = typer.Typer(no_args_is_help=True, help="Make and show the key files of a party.")
cli_operating.register(node_app)
app.add_typer(node_app, name="node")
app.add_typer(genesis_app, name="genesis")
app.add_typer(key_app, name="key")

GenesisPath = Annotated[Path, typer.Argument(metavar="GENESIS", help="The network's genesis.toml.", **FILE)]
PassphraseFile = Annotated[
    Path | None, typer.Option(help="File with the passphrase of the keys, readable by you only. Default: asked for.")
]
PASSPHRASE_ENV = "NEMODAT_PASSPHRASE"  # noqa: S105 - the name of a variable


def main() -> None:
    """The console command."""
    if sys.argv[1:2] not in (["node"], ["genesis"], ["key"]):  # a starting node need not load what participants use
        _mount_participants()
    app()


@node_app.command("init")
def init(
    folder: Annotated[Path, typer.Argument(help="Where the keys and the card go.")],
    *,
    name: Annotated[str, typer.Option(help="A short name of the node, for logs.")],
    party: Annotated[str, typer.Option(help="The party's identifier, such as lei:984500TJEXPORT000197.")],
    party_name: Annotated[str, typer.Option(help="The party's registered name.")],
    country: Annotated[str, typer.Option(help="Where it is registered: two letters.")],
    address: Annotated[str, typer.Option(help="host:port at which the other nodes reach this one.")],
    role: Annotated[Literal["authority", "observer"], typer.Option(help="Whether the node votes.")] = "authority",
    party_role: Annotated[
        list[str] | None, typer.Option(help="What the party is: financier, regulator, ... May be repeated.")
    ] = None,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Make the keys of a party and of its node, and the card to hand to whoever makes the genesis file.

    Example: nemodat node init member --name node-a --party lei:984500TJEXPORT000197 --party-name "A GmbH" --country
    DE --address node-a.example:7001
    """
    roles = set(party_role or []) | ({"authority"} if role == "authority" else set())
    wanted = Party(
        id=party,
        name=party_name,
        country=country,
        identifiers=(party,),
        roles=tuple(sorted(roles)),
        sign_keys=(),
        owner_key=b"",
    )
    with told():
        _vet(wanted)
        passphrase = _new_passphrase(passphrase_file)
        keys = folder / "keys"
        made = new_party(keys, wanted, passphrase)
        card = init_node(keys, name=name, party=made, role=role, address=address, passphrase=passphrase)
        write_public(folder / "card.toml", card_toml(card))
    typer.echo(f"keys in {keys}: move owner.json to a safe place offline")
    typer.echo(f"card in {folder / 'card.toml'}: hand it to whoever makes the genesis file")


@node_app.command("join")
def join_network(
    genesis: GenesisPath,
    *,
    folder: Annotated[Path, typer.Option(help="The folder of `node init`; node.toml and the data go here too.")],
    name: Annotated[str, typer.Option(help="A short name of the node, for logs.")],
    listen: Annotated[str, typer.Option(help="host:port to listen at for other nodes.")] = "0.0.0.0:7001",
    api_listen: Annotated[str, typer.Option(help="host:port of the HTTP interface.")] = "127.0.0.1:8001",
    passphrase_file: PassphraseFile = None,
    card: Annotated[
        Path | None,
        typer.Option(help="Its card, if the network runs already and genesis has not heard of it.", **FILE),
    ] = None,
) -> None:
    """Write the configuration of a node whose card is in the genesis file. Then: `nemodat node run`.

    A node that is new to a network that runs gives its card instead, which an authority proposes (`nemodat authority
    admit-node`, then `seat`). It follows from when it is admitted, and votes from when it has a seat.

    Example: nemodat node join genesis.toml --folder member --name node-a --api-listen 127.0.0.1:8001
    """
    with told():
        config = join(
            folder,
            name=name,
            genesis=genesis,
            keys=folder / "keys",
            listen=listen,
            api_listen=api_listen,
            passphrase_file=passphrase_file,
            card=card,
        )
    typer.echo(f"{config.role} of {config.party}: start it with `nemodat node run {config.file}`")


@node_app.command("renew")
def renew_key(
    folder: Annotated[Path, typer.Argument(help="The folder of `node init`.", exists=True, file_okay=False)],
    *,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Make the next consensus key of an authority, and the card to hand to an authority, which proposes it.

    Name the key in node.toml as next_consensus in [keys] and restart the node once: it votes with the key that the
    ledger names, and takes up the next one at that height. After that the file becomes `consensus`.

    The key proves itself (nemodat key prove first/keys/consensus-next.json --purpose seat_authority); then an authority

    proposes the card with that proof: nemodat authority seat first/card-next.toml --proof 5c...d0

    Example: nemodat node renew first
    """
    with told():
        card = renew(folder, _new_passphrase(passphrase_file))
    typer.echo(f"next key in {folder / 'keys' / 'consensus-next.json'}: name it in node.toml as keys.next_consensus")
    typer.echo(f"card in {card}: hand it to an authority, for `nemodat authority seat`")


@node_app.command("run")
def run(config: ConfigPath) -> None:
    """Run a node until SIGTERM or Ctrl-C.

    Exit code 69: the network uses a protocol version that this software does not know: install a newer one. Exit code
    70: it contradicted itself; do not restart it, look at its log.

    Example: nemodat node run member/node.toml
    """
    from node.process import run_node  # brings the web framework, which no other command needs

    with told():
        loaded = load_config(config)
        raise typer.Exit(run_node(loaded, _passphrase(loaded)))


@genesis_app.command("create")
def create(
    cards: Annotated[list[Path], typer.Argument(metavar="CARD...", help="The members' cards.", **FILE)],
    *,
    name: Annotated[str, typer.Option(help="The network's name.")],
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("genesis.toml"),
) -> None:
    """Make the genesis file of a network of these nodes; authorities lead in the order of their cards.

    It is for members only: it holds the key of the fingerprints.

    Example: nemodat genesis create a/card.toml b/card.toml c/card.toml d/card.toml --name trade-net --out
    genesis.toml
    """
    with told():
        genesis = assemble(name, [read_card(card) for card in cards], created_ms=clock_ms())
        write_genesis(out, genesis)
    _show(genesis)


@genesis_app.command("show")
def show(path: GenesisPath, as_json: AsJson = False) -> None:
    """Show what a genesis file says, and its id: compare it with the other members before you run a node.

    Example: nemodat genesis show genesis.toml
    """
    with told():
        genesis = read_genesis(path)
    if not as_json:
        _show(genesis)
        return
    members = [(entry.party, "authority", entry.address) for entry in genesis.authorities]
    members += [(entry.party, "observer", entry.address) for entry in genesis.observers]
    nodes = [dict(zip(("party", "role", "address"), member, strict=True)) for member in members]
    print_json(name=genesis.name, id=genesis.id.hex(), parties=[party.id for party in genesis.parties], nodes=nodes)


@key_app.command("new")
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
        save_key(file, made, _new_passphrase(passphrase_file))
    _tell_key(file, kind, made.public, as_json=as_json)


@key_app.command("show")
def show_key(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A key file.", **FILE)], as_json: AsJson = False
) -> None:
    """Show what a key file is for, and its public half. No passphrase is needed, so neither is proved.

    Example: nemodat key show sign.json
    """
    with told():
        kind, public = describe(file)
    _tell_key(file, kind, public, as_json=as_json)


@key_app.command("prove")
def prove(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file of the new key.", **FILE)],
    *,
    genesis: Annotated[Path, typer.Option(help="The network's genesis.toml.", **FILE)],
    party: Annotated[str, typer.Option(help="The id of the party whose key it is to be.")],
    purpose: Annotated[str, typer.Option(help=f"What it is brought by: {', '.join(POSSESSION_PURPOSES)}.")],
    passphrase_file: PassphraseFile = None,
    as_json: AsJson = False,
) -> None:
    """Sign that a new key is the party's, so that nobody else can take it: what --proof is for in other commands.

    Example: nemodat key prove new.json --genesis genesis.toml --party lei:984500TJEXPORT000197 --purpose add_key
    """
    with told():
        if purpose not in POSSESSION_PURPOSES:
            raise CeremonyError(f"--purpose: must be one of {', '.join(POSSESSION_PURPOSES)}")
        chain_id = read_genesis(genesis).id
        secret = load_key(file, _key_passphrase(passphrase_file, file), kind=POSSESSION_PURPOSES[purpose])
        proof = prove_possession(secret.signing_key, chain_id, party, purpose).hex()
    if as_json:
        print_json(public=secret.public.hex(), party=party, purpose=purpose, proof=proof)
    else:
        typer.echo(proof)


def _tell_key(file: Path, kind: str, public: bytes, *, as_json: bool) -> None:
    if as_json:
        print_json(kind=kind, file=str(file), public=public.hex())
        return
    typer.echo(f"{kind} key in {file}")
    typer.echo(f"public {public.hex()}")


def _vet(party: Party) -> None:
    """Say what is wrong with a party before keys are made for it. Raises `CeremonyError`."""
    sign, owner = (generate_key(kind).public for kind in ("sign", "owner"))
    try:
        vet_party(replace(party, sign_keys=(sign,), owner_key=owner))
    except FieldError as error:
        raise CeremonyError(f"the party cannot be a member: {error}") from error


def _show(genesis: Genesis) -> None:
    table = Table("party", "role", "address")
    for authority in genesis.authorities:
        table.add_row(authority.party, "authority", authority.address)
    for observer in genesis.observers:
        table.add_row(observer.party, "observer", observer.address)
    console = Console(markup=False, emoji=False)  # a name may have brackets
    console.print(f"{genesis.name}: {len(genesis.parties)} parties, {len(genesis.authorities)} authorities")
    console.print(table)
    typer.echo(f"genesis id {genesis.id.hex()}")


def _passphrase(config: NodeConfig) -> bytes:
    """From the file or variable that the configuration names, or asked for at a terminal."""
    asks = config.keys.passphrase_file is None and not os.environ.get(config.keys.passphrase_env)
    if asks and sys.stdin.isatty():
        return getpass.getpass(f"Passphrase of {config.name}: ").encode()
    return config.passphrase()


def _key_passphrase(file: Path | None, key: Path) -> bytes:
    """Of a key file that is there: from a file, the environment, or typed once."""
    if file is None and PASSPHRASE_ENV not in os.environ and sys.stdin.isatty():
        return getpass.getpass(f"Passphrase of {key}: ").encode()
    return _new_passphrase(file)


def _new_passphrase(file: Path | None) -> bytes:
    """For new keys: from a file, the environment, or typed twice."""
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


def _mount_participants() -> None:
    """Add the participants' commands beside the operator's. Nothing else of `node` imports `clients`."""
    from clients.cli import app as participants

    app.registered_commands += participants.registered_commands
    app.registered_groups += participants.registered_groups


if __name__ == "__main__":
    main()
