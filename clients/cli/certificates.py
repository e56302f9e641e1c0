"""`nemodat certificate ...`: nothing here touches the network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from clients.cli.context import GenesisOption, JsonOption, console, load_genesis, plain, problems, show, tabulate
from clients.errors import ClientError
from clients.verify import Trust
from registry.certificates import SearchCertificate

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)

CERTIFICATE_BYTES_MAX = 16 * 1024 * 1024


@app.callback()
def _group() -> None:
    """Keeps `verify` a subcommand although it is the only one."""


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A search certificate (JSON).")],
    genesis: GenesisOption,
    as_json: JsonOption = False,
) -> None:
    """Verify a search certificate with the genesis file alone, offline. Exit code 1 if it does not hold.

    Example: nemodat certificate verify certificate.json --genesis genesis.toml
    """
    with problems():
        with file.open("rb") as opened:
            data = opened.read(CERTIFICATE_BYTES_MAX + 1)
        if len(data) > CERTIFICATE_BYTES_MAX:
            raise ClientError(f"{file}: larger than {CERTIFICATE_BYTES_MAX} bytes")
        try:
            content = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise ClientError(f"{file}: not JSON: {error}") from error
        if not isinstance(content, dict):
            raise ClientError(f"{file}: not a certificate")
        checked = Trust(load_genesis(genesis)).search_certificate(content)
    if as_json:
        show(_shown(checked))
    else:
        _told(checked)


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


def _told(checked: SearchCertificate) -> None:
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
