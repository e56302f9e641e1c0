"""`nemodat contact ...`"""

from __future__ import annotations

import datetime
import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Table

from clients import contacts
from clients.cli.context import (
    SETTINGS,
    GenesisOption,
    JsonOption,
    KeyOption,
    PartyOption,
    UrlOption,
    access,
    plain,
    problems,
    show,
    subject,
    tabulate,
)
from clients.errors import ClientError
from clients.financier import FinancierClient

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, epilog=SETTINGS)

ContactArgument = Annotated[str, typer.Argument(metavar="CONTACT", help="The contact's id (token).")]
TextOption = Annotated[Path, typer.Option(help="What is said; only its digest goes on the ledger.")]
LanguageOption = Annotated[str, typer.Option(help="The language of the text, as en or zh.")]


@app.command()
def ask(
    receivable: Annotated[str, typer.Argument(metavar="RECEIVABLE", help="The one you registered or have a claim on.")],
    about: Annotated[str, typer.Argument(metavar="MATCH", help="One of `nemodat receivable matches`.")],
    text: TextOption,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    language: LanguageOption = "en",
) -> None:
    """Ask the other side of a match to make contact. Whoever of it accepts learns who you are, and you who it is.

    Example: nemodat contact ask 9f86...0a08 60303...ae22 --text question.txt --language en
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        ids = subject(receivable, "receivable"), subject(about, "match")
        receipt = client.call(contacts.ask, *ids, text=_digest(text), language=language)
        show({"contact": receipt.subject.hex(), "transaction": receipt.transaction.hex()})


@app.command()
def answer(
    contact: ContactArgument,
    given: Annotated[Literal["accept", "decline"], typer.Argument(metavar="accept|decline", help="Your answer.")],
    text: TextOption,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    language: LanguageOption = "en",
) -> None:
    """Answer the other side: accept, and you and the asker see who the other is; or decline, and stay unknown.

    Example: nemodat contact answer 9f86...0a08 accept --text answer.txt --language zh
    """
    procedure = contacts.accept if given == "accept" else contacts.decline
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        receipt = client.call(procedure, subject(contact, "contact"), text=_digest(text), language=language)
        show({"answered": receipt.subject.hex(), "answer": given, "transaction": receipt.transaction.hex()})


@app.command()
def order(
    contact: ContactArgument,
    regulator: Annotated[str, typer.Option(help="The party id of the regulator that ordered it.")],
    text: Annotated[Path, typer.Option(help="The order; only its digest goes on the ledger.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """As an authority: propose to execute a regulator's order to open a contact.

    The other authorities approve it by `nemodat party approve`.

    Example: nemodat contact order 9f86...0a08 --regulator lei:... --text order.pdf
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        receipt = client.call(contacts.order, subject(contact, "contact"), regulator=regulator, text=_digest(text))
        show({"proposal": receipt.subject.hex(), "transaction": receipt.transaction.hex()})


@app.command("show")
def show_contact(
    contact: ContactArgument, genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption
) -> None:
    """One contact; once it is open, who is known to whom, proved against genesis.

    Until then it is what the node says: the proof would show who the sides are.

    Example: nemodat contact show 9f86...0a08
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        found = client.call(contacts.contact, subject(contact, "contact"))
        if found is None:
            raise ClientError(f"{contact}: no such contact, or none that this party may see")
        show(_shown(found))


@app.command("list")
def list_contacts(
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    of: Annotated[str, typer.Option(help="As a regulator: the contacts of this party.")] = "me",
    as_json: JsonOption = False,
) -> None:
    """The contacts on your receivables and claims, asked for and received.

    Example: nemodat contact list
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        table = Table("id", "state", "severity", "answer by", "from", "about")
        for one in client.call(contacts.contacts_of, of):
            ids = (one.receivable.hex(), one.about.hex())
            table.add_row(*map(plain, (one.id.hex(), one.state, one.severity, _time(one.until_ms), *ids)))
        tabulate(table, as_json=as_json)


def _shown(found: contacts.Contact) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "id": found.id.hex(),
        "receivable": found.receivable.hex(),
        "about": found.about.hex(),
        "kinds": list(found.kinds),
        "severity": found.severity,
        "state": found.state,
        "answer_by": _time(found.until_ms),
        "steps": [
            {
                "step": one.step,
                "by": one.by or None,
                "text_digest": one.text_digest.hex(),
                "language": one.language,
                "at": _time(one.at_ms),
            }
            for one in found.steps
        ],
    }
    if found.sides:
        shape["sides"] = {side: list(who) for side, who in found.sides.items()}
    if found.opening is not None:
        shape["opened"] = {
            "asker": found.opening.asker,
            "asking": list(found.opening.asking),
            "asked": list(found.opening.asked),
            "by": found.opening.by,
            "how": found.opening.by_step,
            "text_digest": found.opening.text_digest.hex(),
            "at": _time(found.opening.opened_ms),
        }
    return shape


def _digest(file: Path) -> bytes:
    return hashlib.sha256(file.read_bytes()).digest()


def _time(time_ms: int) -> str:
    return datetime.datetime.fromtimestamp(time_ms // 1000, tz=datetime.UTC).isoformat()
