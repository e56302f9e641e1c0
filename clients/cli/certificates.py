"""`nemodat certificate ...`: verified with the genesis file alone; and checkpoints, which guard its authorities."""

from __future__ import annotations

import json
from dataclasses import dataclass
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
    bytes_of,
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
from registry.documents.pdf import MAGIC
from registry.genesis import Genesis
from registry.texts import Language

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)

CERTIFICATE_BYTES_MAX = 16 * 1024 * 1024
FILE_BYTES_MAX = 2 * CERTIFICATE_BYTES_MAX  # of a PDF: the certificate and the pages that list the same


FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="A search certificate: JSON, or a PDF that it is attached to.")
]
KeptOption = Annotated[
    Path | None,
    typer.Option(
        "--checkpoints", help="Checkpoints that were kept (`nemodat certificate checkpoints`), to hold it against."
    ),
]
AncestryOption = Annotated[
    Path | None,
    typer.Option(
        "--ancestry", help="What `nemodat certificate connect` wrote for a certificate older than the checkpoints."
    ),
]


@app.command()
def verify(
    file: FileArgument,
    genesis: GenesisOption,
    checkpoints: KeptOption = None,
    ancestry: AncestryOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify a search certificate with the genesis file alone, offline. Exit code 1 if it does not hold.

    Keys of authorities that left may have leaked since, and sign what they like; the genesis file cannot tell. Given
    checkpoints made after they left, such a certificate is refused. One of a block older than the newest checkpoint
    needs a proof that it is in the history as well (`nemodat certificate connect`).

    Of a PDF the attached certificate is verified, not what stands on its pages: compare them, or print it again.

    Example: nemodat certificate verify certificate.json --genesis genesis.toml --checkpoints checkpoints.json
    """
    with problems():
        verified = _verified(file, genesis, checkpoints, ancestry)
    if as_json:
        show(_shown(verified.checked) | {"checkpoint_height": verified.newest_checkpoint})
    else:
        _told(verified.checked, verified.newest_checkpoint)
        if verified.attached:
            unchecked = "It is attached to this PDF, whose pages were not checked: what counts is what stands here"
            console.print(unchecked, soft_wrap=True)


@app.command("print")
def print_certificate(
    file: FileArgument,
    genesis: GenesisOption,
    language: Annotated[Language, typer.Option(help="en or zh.")] = "en",
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the PDF is written.")] = Path("certificate.pdf"),
    checkpoints: KeptOption = None,
    ancestry: AncestryOption = None,
) -> None:
    """Verify a search certificate as `nemodat certificate verify` does, and write it as PDF, in English or Chinese.

    The certificate is attached to the PDF, so the PDF can be verified, too. Exit code 1, and nothing is written, if it
    does not hold.

    Example: nemodat certificate print certificate.json --genesis genesis.toml --language zh -o certificate.pdf
    """
    with problems():
        verified = _verified(file, genesis, checkpoints, ancestry)
        from clients.certificate_pdf import certificate_pdf  # as in `_certificate_in`

        data = certificate_pdf(verified.content, verified.checked, verified.network, language)
        output.write_bytes(data)
        show({"number": verified.checked.number, "language": language, "output": str(output)})


@dataclass(frozen=True, slots=True)
class _Verified:
    """The JSON object (`attached`: to a PDF) and what it proves; the height of the newest checkpoint that was kept."""

    network: Genesis
    content: dict[str, Any]
    attached: bool
    checked: SearchCertificate
    newest_checkpoint: int | None


def _verified(file: Path, genesis: Path, checkpoints: Path | None, ancestry: Path | None) -> _Verified:
    """Raises `ClientError`, `OSError`, `typer.BadParameter`."""
    if ancestry is not None and checkpoints is None:
        raise typer.BadParameter("--ancestry leads to one of --checkpoints")
    (content, attached), network = _certificate_in(file), load_genesis(genesis)
    kept = () if checkpoints is None else kept_checkpoints(checkpoints, network)
    trust = Trust(network, checkpoints=kept)
    if ancestry is not None:
        trust = connected(trust, _object(ancestry, bytes_of(ancestry, FILE_BYTES_MAX)))
    newest = max((each.height for each in kept), default=None)
    return _Verified(network, content, attached, trust.search_certificate(content), newest)


@app.command("connect", epilog=SETTINGS)
def connect_certificate(
    file: FileArgument,
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
        content, _ = _certificate_in(file)
        checked = Trust(client.genesis).search_certificate(content)
        proof = client.call(connect, checked.height, kept)
        trust = connected(Trust(client.genesis, checkpoints=kept), proof)
        trust.search_certificate(content)
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


def _certificate_in(file: Path) -> tuple[dict[str, Any], bool]:
    """The certificate in a file, and whether that is a PDF that it is attached to. Raises `ClientError`, `OSError`."""
    data = bytes_of(file, FILE_BYTES_MAX)
    if not (attached := data.startswith(MAGIC)):
        return _object(file, data), attached
    from clients.certificate_pdf import attached_certificate  # most commands never see a PDF: half a second

    try:
        data = attached_certificate(data)
    except ClientError as error:
        raise ClientError(f"{file}: {error}") from error
    return _object(file, data), attached


def _object(file: Path, data: bytes) -> dict[str, Any]:
    """The JSON object that these bytes of a file say. Raises `ClientError`."""
    if len(data) > CERTIFICATE_BYTES_MAX:
        raise ClientError(f"{file}: larger than {CERTIFICATE_BYTES_MAX} bytes of JSON")
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
