"""`nemodat search`"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from clients.aliases import canonical
from clients.cli.context import (
    EXIT_LOOK,
    GenesisOption,
    JsonOption,
    KeyOption,
    PartyOption,
    UrlOption,
    access,
    console,
    problems,
    show,
    text_of,
)
from clients.dossier import Dossier
from clients.financier import FinancierClient

__all__ = ["search"]


def search(
    dossier: Annotated[Path, typer.Argument(metavar="DOSSIER", help="The receivable's dossier (JSON).")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    purpose: Annotated[str, typer.Option(help="Why, in words; stands in the certificate.")] = "financing",
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write the certificate.")] = Path(
        "certificate.json"
    ),
    as_json: JsonOption = False,
) -> None:
    """As a financier: search everything that resembles a receivable, and keep the certificate.

    The certificate proves what was found, and what was not (`nemodat certificate verify`).

    Exit code 3 if something matches besides the receivable itself.

    Example: nemodat search dossier.json --purpose "offer 2026-118" -o certificate.json
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        known = Dossier.from_json(text_of(dossier, "a dossier"))
        (particulars,) = client.call(canonical, [known.particulars])
        certificate = client.search(particulars, purpose=purpose)
        output.write_text(json.dumps(certificate) + "\n", encoding="utf-8")
    matches = 0
    found: list[dict[str, Any]] = []
    for result in certificate["results"]:
        others = [match for match in result["matches"] if match != known.receivable.hex()]
        matches += len(others)
        found.append({"kind": result["kind"], "level": result["level"], "others": others})
    if as_json:
        show({"certificate": certificate["number"], "output": str(output), "results": found})
    else:
        for each in found:
            named = ", ".join(each["others"]) or "no other"
            console.print(f"{each['kind']:12} {each['level']:7} {named}", soft_wrap=True)
        console.print(f"Certificate {certificate['number']} written to {output}")
    if matches:
        raise typer.Exit(EXIT_LOOK)
