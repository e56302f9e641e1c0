"""`nemodat receivable pack` and `pack-verify`: all that can be shown of a receivable, in a file that proves itself."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from clients import packs
from clients.base import Client
from clients.cli.context import (
    GenesisOption,
    JsonOption,
    KeyOption,
    PartyOption,
    UrlOption,
    access,
    bytes_of,
    console,
    kept_checkpoints,
    load_genesis,
    plain,
    problems,
    rows_of,
    show,
    subject,
    tabulate,
    write_private,
)
from clients.pack_files import PACK_BYTES_MAX, REASONS, Missing, read_pack
from clients.pack_proofs import check_pack
from clients.verify import Trust

__all__ = ["pack", "pack_verify"]


def pack(
    receivable: Annotated[str, typer.Argument(metavar="RECEIVABLE", help="The receivable's id.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the pack is written.")] = Path("pack.zip"),
    dossier: Annotated[
        list[Path] | None, typer.Option(help="A dossier of it, or of its lineage, to go with it; repeat for each.")
    ] = None,
    document: Annotated[
        list[Path] | None,
        typer.Option(help="A document whose digest is in a record or dossier (invoice, notice); repeat for each."),
    ] = None,
    transaction: Annotated[
        list[str] | None,
        typer.Option(help="The id of a transaction about it, as the command that sent it printed; repeat for each."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write an audit pack: all that you may read around a receivable, each with its proof, and your own files.

    Record, lineage, claims, notices, filings, disputes, credit notes, carve-outs and claims outside; what is not yours
    to read is listed with the reason. A file that no record commits to is refused. Dossiers and documents are
    confidential, and a transaction shows all its receipts: think before you hand the pack on.

    Example: nemodat receivable pack 9f86...0a08 -o pack.zip --dossier dossiers/9f86...0a08.json --document invoice.xml
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        data = client.call(
            packs.pack,
            subject(receivable, "receivable"),
            dossiers=_files(dossier or []),
            documents=_files(document or []),
            transactions=[subject(one, "transaction") for one in transaction or []],
        )
        write_private(output, data)
    made = read_pack(data)
    left_out = _left_out(made.not_included)
    if as_json:
        content = {"pack": str(output), "number": made.number, "files": len(made.entries)}
        show(content | {"not_included": rows_of(left_out)})
        return
    tabulate(left_out, as_json=False)
    console.print(f"{plain(str(output))}: {len(made.entries)} files, number {made.number}", soft_wrap=True)


def pack_verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An audit pack (ZIP).")],
    genesis: GenesisOption,
    checkpoints: Annotated[
        Path | None,
        typer.Option(help="Checkpoints that were kept (`nemodat certificate checkpoints`), to hold it against."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Verify an audit pack with the genesis file alone, offline. Exit code 1 if anything in it does not hold.

    What was changed, is missing or was added is named. Given checkpoints, it is held against them as well; a pack whose
    newest block is older than the newest checkpoint is refused: have it made anew.

    Example: nemodat receivable pack-verify pack.zip --genesis genesis.toml --checkpoints checkpoints.json
    """
    with problems():
        network, made = load_genesis(genesis), read_pack(bytes_of(file, PACK_BYTES_MAX))
        kept = () if checkpoints is None else kept_checkpoints(checkpoints, network)
        checked = check_pack(made, Trust(network, checkpoints=kept))
    table = Table("kind", "id", "as of block", "state or outcome")
    for row in checked.rows:
        table.add_row(*map(plain, (row.kind, row.id.hex(), str(row.height or ""), row.said)))
    left_out = _left_out(made.not_included)
    content: dict[str, Any] = {
        "valid": True,
        "receivable": made.receivable.hex(),
        "reader": made.reader,
        "number": made.number,
        "height": checked.height,
        "timestamp_ms": checked.timestamp_ms,
        "checkpoint_height": max((each.height for each in kept), default=None),
    }
    if as_json:
        show(content | {"proved": rows_of(table), "not_included": rows_of(left_out)})
        return
    tabulate(table, as_json=False)
    tabulate(left_out, as_json=False)
    said = f"VALID up to block {checked.height} ({checked.timestamp_ms} ms UTC), number {made.number}"
    console.print(said, highlight=False, soft_wrap=True)
    if kept:
        newest = content["checkpoint_height"]
        console.print(f"In line with every checkpoint kept, up to that of block {newest}", highlight=False)


def _left_out(missing: Iterable[Missing]) -> Table:
    table = Table("not included", "id", "block", "why")
    for one in missing:
        table.add_row(*map(plain, (one.kind, one.id.hex(), str(one.height or ""), REASONS[one.reason])))
    return table


def _files(paths: Iterable[Path]) -> dict[str, bytes]:
    return {str(path): bytes_of(path, PACK_BYTES_MAX) for path in paths}
