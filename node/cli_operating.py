"""The commands for a node that there is already: how it is, copies of its ledger, a new beginning, a check of all."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from node.cli_common import FILE, AsJson, ConfigPath, bytes_bar, print_json, told
from node.config import NodeConfig, load_config
from node.errors import NodeError
from node.genesis import read_genesis
from node.guard import GUARD_NAME, VoteGuard
from node.layout import GENESIS_KEY
from node.operating import back_up, node_status, reset_node, restore_node, status_table
from node.store import open_store
from node.verification import Verified, verify_chain
from registry.genesis import Genesis

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add these commands to an application."""
    for name, command in (
        ("status", status),
        ("backup", backup),
        ("restore", restore),
        ("reset", reset),
        ("check", check),
    ):
        app.command(name)(command)


def status(
    config: ConfigPath,
    *,
    as_json: AsJson = False,
) -> None:
    """How the running node is: height, lag, peers and who of them is slow, the last failed views.

    Exit code 1 if it does not answer.

    Example: nemodat node status me/node.toml
    """
    with told():
        found = node_status(load_config(config))
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    behind = f", {found['lag']} behind" if found["lag"] else ""
    votes = "votes" if found["voting"] else "does not vote"
    typer.echo(f"{found['name']} ({found['role']}, {votes}) at height {found['height']}{behind}")
    typer.echo(f"newest block {found['block_hash']}, {found['tip_age_ms'] / 1000:.0f} s old")
    typer.echo(f"{found['mempool']} transactions wait")
    protocol = found["protocol"]
    if protocol["next_version"] is not None:
        typer.echo(f"protocol version {protocol['next_version']} from height {protocol['from_height']}")
        if protocol["next_version"] > protocol["known"]:
            typer.echo(f"UPGRADE: this software knows versions up to {protocol['known']} and will stop there")
    if found["alarm"]:
        typer.echo(f"ALARM {found['alarm']}")
    for accused in found["accused"]:
        typer.echo(f"ACCUSED {accused}: it has provably misbehaved")
    Console(markup=False, emoji=False).print(status_table(found))
    for change in found["view_changes"]:
        at = datetime.fromtimestamp(change["at_ms"] / 1000, UTC).isoformat(timespec="seconds")
        typer.echo(f"{at} height {change['height']} view {change['view']} failed, leader {change['leader']}")


def backup(
    config: ConfigPath,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write; never over another.")],
) -> None:
    """Copy the node's ledger into one file, while it runs or while it is stopped. Its votes are not copied.

    A running node is asked with its operator token.

    Example: nemodat node backup me/node.toml ledger.backup
    """
    with told(), bytes_bar("bytes written") as progress:
        head = back_up(load_config(config), file, progress)
    typer.echo(f"{file}: the ledger up to height {head.height}, block {head.block_hash.hex()}")


def restore(
    config: ConfigPath,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of `node backup`.", **FILE)],
) -> None:
    """Make the node's data folder, which must be empty, of a backup. Then run the node.

    A backup knows nothing of what the node has voted since, so an authority's consensus key never votes again: the
    node follows, until its party enrols a new key.

    Example: nemodat node restore me/node.toml ledger.backup
    """
    with told(), bytes_bar("bytes read") as progress:
        loaded = load_config(config)
        head = restore_node(loaded, file, progress)
    typer.echo(f"{loaded.data_dir}: the ledger up to height {head.height}, block {head.block_hash.hex()}")
    typer.echo(f"to execute all of it again from genesis, if it has all blocks: nemodat node check {config}")


def reset(
    config: ConfigPath,
    *,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do it: this node's present consensus keys never vote again.")
    ] = False,
) -> None:
    """Begin again with an empty ledger, after damage: the node fetches it from the others. The node must be stopped.

    What was in the data folder is moved beside it. What the node has voted may be lost with it, so its consensus keys
    never vote again: an authority follows, until its party enrols a new key (`nemodat node renew`).

    Example: nemodat node reset me/node.toml --yes
    """
    if not yes:
        raise typer.BadParameter("say --yes: this node's present consensus keys never vote again")
    with told():
        loaded = load_config(config)
        aside = reset_node(loaded)
    typer.echo(f"{loaded.data_dir}: empty" + ("" if aside is None else f"; what was there is in {aside}"))
    typer.echo(f"it fetches the ledger from the others: nemodat node run {config}")


def check(config: ConfigPath, as_json: AsJson = False) -> None:
    """Check the whole ledger on this node's disk again, from genesis: every signature, root and index, offline.

    The node must be stopped, and keep all blocks: one that prunes, or began with a state, cannot be checked (exit code
    1). Exit code 70: it differs.

    Example: nemodat node check me/node.toml
    """
    with told():
        loaded = load_config(config)
        genesis = read_genesis(loaded.genesis)
        found = _verify(loaded, genesis)
    if as_json:
        print_json(
            genesis=genesis.id.hex(),
            state_root=found.state_root.hex(),
            height=found.height,
            transactions=found.transactions,
            block_hash=found.block_hash.hex(),
        )
        return
    typer.echo(f"genesis {genesis.id.hex()}")
    typer.echo(f"state root {found.state_root.hex()}")
    typer.echo(f"{found.height} blocks with {found.transactions} transactions are good, up to {found.block_hash.hex()}")


def _verify(config: NodeConfig, genesis: Genesis) -> Verified:
    columns = (TextColumn("blocks"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    store = open_store(config.data_dir, config.engine)
    try:
        if store.get(GENESIS_KEY) is None:
            raise NodeError(f"{config.data_dir}: there is no chain yet: run the node first")
        if config.keys.consensus is not None:
            VoteGuard(store, config.data_dir / GUARD_NAME).close()
        with (
            TemporaryDirectory(prefix="verify-", dir=config.data_dir) as folder,
            store.snapshot() as stored,
            Progress(*columns, console=Console(stderr=True), transient=True) as bar,
        ):
            task = bar.add_task("blocks", total=None)
            scratch = open_store(Path(folder))
            try:
                return verify_chain(
                    stored,
                    genesis,
                    scratch=scratch,
                    progress=lambda done, total: bar.update(task, completed=done, total=total),
                )
            finally:
                scratch.close()
    finally:
        store.close()
