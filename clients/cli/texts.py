"""`nemodat text ...`: nothing here touches the network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from clients.cli.context import JsonOption, console, plain, problems, show, tabulate, text_of
from clients.errors import ClientError
from registry.texts import LANGUAGES, Language, render, standard_text, text_digest, text_ids

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    epilog='PARAMETERS is a JSON object of strings, such as {"document": "0123...", "date": "2026-05-04", "amount": \
"USD 100000.00", "share": "800000000000", ...}; `nemodat text show ID` lists those of a text. "document" is a number \
of 32 hexadecimal digits drawn at random (openssl rand -hex 16), so that nobody can guess the digest.',
)

TextArgument = Annotated[str, typer.Argument(metavar="ID", help="The text's id, of `nemodat text list`.")]
ParametersArgument = Annotated[Path, typer.Argument(metavar="PARAMETERS", help="The parameters (JSON).")]
LanguageOption = Annotated[Language, typer.Option(help="en or zh.")]


@app.command("list")
def list_texts(as_json: JsonOption = False) -> None:
    """The standard texts: confirmations, notices, disputes, releases, certificates.

    Example: nemodat text list
    """
    table = Table("id", "version", *(f"title ({language})" for language in LANGUAGES))
    for text_id in text_ids():
        text = standard_text(text_id)
        table.add_row(text.id, str(text.version), *(text.titles[language] for language in LANGUAGES))
    tabulate(table, as_json=as_json)


@app.command("show")
def show_text(
    text_id: TextArgument,
    parameters: Annotated[
        Path | None, typer.Argument(metavar="[PARAMETERS]", help="The parameters (JSON); the bare text without.")
    ] = None,
    language: LanguageOption = "en",
) -> None:
    """The text filled in, as it is signed; without parameters the bare text, its parameters and their kinds.

    Example: nemodat text show notice-of-assignment parameters.json --language zh
    """
    with problems():
        if parameters is not None:
            typer.echo(render(text_id, language, _parameters(parameters)), nl=False)
            return
        text = standard_text(text_id)
    typer.echo(f"{text.titles[language]}\n\n{text.bodies[language]}\n")
    for name, kind in text.parameters.items():
        options = f": {', '.join(text.choices[name])}" if kind == "choice" else ""
        console.print(f"{name} ({kind}{options})", soft_wrap=True)
    console.print(f"Sources: {plain('; '.join(text.sources))}", soft_wrap=True)


@app.command()
def digest(text_id: TextArgument, parameters: ParametersArgument, language: LanguageOption = "en") -> None:
    """The digest of the text filled in, which a confirmation or notice on the ledger names.

    It is the SHA-256 of what `nemodat text show` prints: commands that take that as --text FILE pin the same.

    Example: nemodat text digest debtor-confirmation-whole parameters.json --language zh
    """
    with problems():
        found = text_digest(text_id, language, _parameters(parameters))
        show({"text": text_id, "version": standard_text(text_id).version, "language": language, "digest": found.hex()})


def _parameters(path: Path) -> dict[str, str]:
    try:
        given = json.loads(text_of(path, "parameters"))
    except (ValueError, RecursionError) as error:
        raise ClientError(f"{path}: not JSON: {error}") from error
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise ClientError(f"{path}: not a JSON object of strings")
    return given
