"""The command `nemodat`: what participants do (`clients.cli`), and what operators of nodes do.

A network begins like this: each member runs `node init` and hands on its card; somebody runs `genesis create`; each
member compares what `genesis show` prints with the others, runs `node join`, and then `node run`.
"""

from __future__ import annotations

import getpass
import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.table import Table

from node import cli_keys, cli_operating
from node.cli_common import EXIT_CODES, FILE, AsJson, ConfigPath, print_json, told
from node.cli_keys import (
    CARD,
    NetworkOption,
    PassphraseFile,
    absent,
    network_of,
    new_passphrase,
    tell_card,
    wanted_party,
)
from node.clock import clock_ms
from node.config import NodeConfig, load_config
from node.genesis import (
    assemble,
    init_node,
    join,
    new_party,
    proven,
    read_card,
    read_genesis,
    renew,
    write_genesis,
    write_public,
)
from registry.cards import card_toml
from registry.genesis import Genesis

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
cli_operating.register(node_app)
app.add_typer(node_app, name="node")
app.add_typer(genesis_app, name="genesis")
app.add_typer(cli_keys.app, name="key")

GenesisPath = Annotated[Path, typer.Argument(metavar="GENESIS", help="The network's genesis.toml.", **FILE)]


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
    network: NetworkOption = "",
    passphrase_file: PassphraseFile = None,
) -> None:
    """Make the keys of a party and of its node, and the card to hand to whoever makes the genesis file.

    A network that runs already has made it: give its id with --network, so that the keys prove themselves on the card,
    and hand that to an authority (`nemodat party propose`, `authority admit-node`, `authority seat`). Keys of the party
    that are in the folder are kept.

    Example: nemodat node init member --name node-a --party lei:984500TJEXPORT000197 --party-name "A GmbH" --country
    DE --address node-a.example:7001
    """
    roles = set(party_role or []) | ({"authority"} if role == "authority" else set())
    with told():
        wanted = wanted_party(party, party_name, country, roles)
        network_id = network_of(network) if network else b""
        absent(folder / CARD)
        passphrase = new_passphrase(passphrase_file)
        keys = folder / "keys"
        made = new_party(keys, wanted, passphrase)
        card = init_node(keys, name=name, party=made, role=role, address=address, passphrase=passphrase)
        if network_id:
            card = proven(card, keys, network_id, passphrase)
        write_public(folder / CARD, card_toml(card))
    tell_card(card, folder, "an authority" if network else "whoever makes the genesis file")


@node_app.command("join")
def join_network(
    genesis: GenesisPath,
    *,
    folder: Annotated[Path, typer.Option(help="The folder of `node init`; node.toml and the data go here too.")],
    name: Annotated[str, typer.Option(help="A short name of the node, for logs.")],
    listen: Annotated[str, typer.Option(help="host:port to listen at for other nodes.")] = "0.0.0.0:7001",
    api_listen: Annotated[str, typer.Option(help="host:port of the HTTP interface.")] = "127.0.0.1:8001",
    passphrase_file: PassphraseFile = None,
) -> None:
    """Write the configuration of a node whose card is in the genesis file. Then: `nemodat node run`.

    A node that is new to a network that runs has the card in its folder, which was made with --network and an authority
    proposes (`nemodat authority admit-node`, then `seat`). It follows from when it is admitted, and votes from when it
    has a seat.

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
        )
    typer.echo(f"{config.role} of {config.party}: start it with `nemodat node run {config.file}`")


@node_app.command("renew")
def renew_key(
    folder: Annotated[Path, typer.Argument(help="The folder of `node init`.", exists=True, file_okay=False)],
    *,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Make the next consensus key of an authority, and the card to hand to an authority, which proposes it.

    Name the key in node.toml as next_consensus in \\[keys] and restart the node once: it votes with the key that the
    ledger names, and takes up the next one at that height. After that the file becomes `consensus`.

    The card has the key's proof for the network of node.toml: nemodat authority seat first/card-next.toml

    Example: nemodat node renew first
    """
    with told():
        card = renew(folder, new_passphrase(passphrase_file))
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


def _mount_participants() -> None:
    """Add the participants' commands beside the operator's. Nothing else of `node` imports `clients`."""
    from clients.cli import app as participants
    from clients.cli.parties import app as parties

    app.registered_commands += participants.registered_commands
    app.registered_groups += participants.registered_groups
    parties.command("init")(cli_keys.init_party)  # it writes key files, which clients cannot


if __name__ == "__main__":
    main()
