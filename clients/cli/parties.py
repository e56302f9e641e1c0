"""`nemodat party ...`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from clients import reads
from clients.cli.context import (
    SETTINGS,
    GenesisOption,
    KeyOption,
    PartyOption,
    UrlOption,
    access,
    plain,
    problems,
    show,
    subject,
    tabulate,
    text_of,
)
from clients.cli.standing import add_commands
from clients.errors import ClientError
from clients.financier import FinancierClient
from registry.codec import decode
from registry.errors import FieldError
from registry.genesis import party_from_toml
from registry.records import Proposal
from registry.transactions.governance import change_from

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, epilog=SETTINGS)
add_commands(app)


@app.command("show")
def show_party(
    wanted: Annotated[str, typer.Argument(metavar="ID", help="The party's id, as lei:... or uscc:...")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """The record of a party, proved against genesis.

    Example: nemodat party show lei:984500TJEXPORT000197
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        record = client.party(wanted)
        if record is None:
            raise ClientError(f"{wanted}: no such party")
        show(
            {
                "id": record.id,
                "name": record.name,
                "country": record.country,
                "identifiers": list(record.identifiers),
                "roles": list(record.roles),
                "sign_keys": [found.hex() for found in record.sign_keys],
                "suspended": record.suspended,
            }
        )


@app.command("proposals")
def list_proposals(genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption) -> None:
    """As an authority: the changes that were ever proposed, and how far each is."""
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        table = Table("id", "state", "change", "of", "proposer", "approvals")
        for record in client.call(reads.own_records, Proposal):
            change = change_from(decode(record.change), "change")
            said = (change.NAME, change.subject, record.proposer, str(len(record.approvals)))
            cells = (record.id.hex(), record.state, *said)
            table.add_row(*map(plain, cells))
        tabulate(table)


@app.command()
def propose(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The party as TOML.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """As an authority: propose to admit a party.

    It is admitted when more than two thirds of the authorities have approved.

    The file says id, name, country, identifiers, roles, sign_keys (these three are lists),

    owner_key, receive_key and home (these two may be ""); keys as `nemodat key show` has them.
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        try:
            wanted = party_from_toml(text_of(file, "a party"))
        except FieldError as error:
            raise ClientError(f"{file}: {error}") from error
        (proposal,) = client.propose_admissions([wanted])
        show({"proposal": proposal.hex()})


@app.command()
def approve(
    proposal: Annotated[str, typer.Argument(metavar="PROPOSAL", help="The proposal's id.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """As an authority: approve a proposal."""
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        (receipt,) = client.approve([subject(proposal, "proposal")])
        show({"approved": receipt.subject.hex(), "transaction": receipt.transaction.hex()})
