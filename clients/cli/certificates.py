"""`nemodat certificate ...`: verified with the genesis file alone; and checkpoints, which guard its authorities."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from clients.checkpoints import checked, read_checkpoints, written_checkpoints
from clients.cli.context import (
    CHECKPOINTS_VARIABLE,
    SETTINGS,
    GenesisOption,
    JsonOption,
    KeyOption,
    PartyOption,
    UrlOption,
    console,
    kept_checkpoints,
    load_genesis,
    plain,
    problems,
    show,
    tabulate,
    text_of,
    unguarded_access,
)
from clients.errors import ClientError
from clients.financier import FinancierClient
from clients.history import connect, connected
from clients.verify import Trust
from registry.certificates import SearchCertificate

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)

CERTIFICATE_BYTES_MAX = 16 * 1024 * 1024


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A search certificate (JSON).")],
    genesis: GenesisOption,
    checkpoints: Annotated[
        Path | None,
        typer.Option(help="Checkpoints that were kept (`nemodat certificate checkpoints`), to hold it against."),
    ] = None,
    ancestry: Annotated[
        Path | None,
        typer.Option(help="What `nemodat certificate connect` wrote for a certificate older than the checkpoints."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Verify a search certificate with the genesis file alone, offline. Exit code 1 if it does not hold.

    Keys of authorities that left may have leaked since, and sign what they like; the genesis file cannot tell. Given
    checkpoints made after they left, such a certificate is refused. One of a block older than the newest checkpoint
    needs a proof that it is in the history as well (`nemodat certificate connect`).

    Example: nemodat certificate verify certificate.json --genesis genesis.toml --checkpoints checkpoints.json
    """
    if ancestry is not None and checkpoints is None:
        raise typer.BadParameter("--ancestry leads to one of --checkpoints")
    with problems():
        content, network = _object_in(file), load_genesis(genesis)
        kept = () if checkpoints is None else kept_checkpoints(checkpoints, network)
        trust = Trust(network, checkpoints=kept)
        if ancestry is not None:
            trust = connected(trust, _object_in(ancestry))
        checked = trust.search_certificate(content)
    newest = max((each.height for each in kept), default=None)
    if as_json:
        show(_shown(checked) | {"checkpoint_height": newest})
    else:
        _told(checked, newest)


@app.command("connect", epilog=SETTINGS)
def connect_certificate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A search certificate (JSON).")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    checkpoints: Annotated[
        Path, typer.Option(envvar=CHECKPOINTS_VARIABLE, help="Where the checkpoints are kept.")
    ] = Path("checkpoints.json"),
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the proof is written.")] = Path("ancestry.json"),
) -> None:
    """Have a node prove that a certificate's block is in the history of the newest checkpoint, and keep the proof.

    With it, `nemodat certificate verify --checkpoints --ancestry` is offline again. Exit code 1 if it is not in there:
    then whoever gave you the certificate has it from keys that leaked.

    Example: nemodat certificate connect certificate.json --checkpoints checkpoints.json -o ancestry.json
    """
    with problems(), FinancierClient(**unguarded_access(genesis, url, party, key)) as client:
        kept = kept_checkpoints(checkpoints, client.genesis)
        checked = Trust(client.genesis).search_certificate(_object_in(file))
        proof = client.call(connect, checked.height, kept)
        trust = connected(Trust(client.genesis, checkpoints=kept), proof)
        trust.search_certificate(_object_in(file))
        output.write_text(json.dumps(proof, indent=1) + "\n", encoding="utf-8")
        show({"height": checked.height, "checkpoint_height": proof["within"], "ancestry": str(output)})


@app.command(epilog=SETTINGS)
def checkpoints(
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    keep: Annotated[
        Path,
        typer.Option(
            envvar=CHECKPOINTS_VARIABLE, help="Where the checkpoints that were seen are kept; those in it count, too."
        ),
    ] = Path("checkpoints.json"),
    as_json: JsonOption = False,
) -> None:
    """Fetch what regulators' observers saw final, hold the node's history against it, and keep it.

    Exit code 1 if the history contradicts a checkpoint, new or kept: then do not believe that node.

    Example: nemodat certificate checkpoints --keep checkpoints.json
    """
    network = load_genesis(genesis)
    with problems(), FinancierClient(**unguarded_access(genesis, url, party, key)) as client:
        known = read_checkpoints(text_of(keep, "checkpoints"), network) if keep.exists() else ()
        found = client.call(checked, known)
        fresh = keep.with_name(keep.name + ".new")  # cut off in the middle, it leaves those that were kept before
        fresh.write_text(written_checkpoints(found, network), encoding="utf-8")
        fresh.replace(keep)
    owners = {entry.checkpoint_key: entry.party for entry in network.observers}
    table = Table("height", "block", "seen final by", title="The history has all of these")
    for each in found:
        table.add_row(str(each.height), each.header.hash.hex(), owners[each.checkpoint.signer])
    tabulate(table, as_json=as_json)


def _object_in(file: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises `ClientError`, `OSError`."""
    with file.open("rb") as opened:
        data = opened.read(CERTIFICATE_BYTES_MAX + 1)
    if len(data) > CERTIFICATE_BYTES_MAX:
        raise ClientError(f"{file}: larger than {CERTIFICATE_BYTES_MAX} bytes")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ClientError(f"{file}: not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ClientError(f"{file}: not a JSON object, as it should be")
    return content


def _shown(checked: SearchCertificate) -> dict[str, Any]:
    findings = [
        {"kind": one.kind, "fingerprint": one.fingerprint.hex(), "proved": [match.hex() for match in one.matches]}
        for one in checked.findings
    ]
    return {
        "valid": True,
        "number": checked.number,
        "requester": checked.requester,
        "purpose": checked.purpose,
        "height": checked.height,
        "timestamp_ms": checked.timestamp_ms,
        "findings": findings,
        "not_searched": list(checked.not_searched),
    }


def _told(checked: SearchCertificate, newest_checkpoint: int | None) -> None:
    table = Table("kind", "fingerprint", "proved", title=f"Search certificate {checked.number}")
    for finding in checked.findings:
        found = ", ".join(match.hex()[:16] for match in finding.matches) or "nothing registered"
        table.add_row(finding.kind, finding.fingerprint.hex()[:16], found)
    tabulate(table, as_json=False)
    console.print(f"Not searched: {plain(', '.join(checked.not_searched))}")
    console.print(
        f"VALID as of height {checked.height} ({checked.timestamp_ms} ms UTC), for {plain(checked.requester)}",
        highlight=False,
        soft_wrap=True,
    )
    if newest_checkpoint is not None:
        console.print(f"In line with every checkpoint kept, up to that of block {newest_checkpoint}", highlight=False)
