"""`nemodat party ...`"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.table import Table

from clients import parties, reads
from clients.cli.cards import CardArgument, card_in, described, named, tell
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
from clients.cli.standing import add_commands
from clients.errors import ClientError
from clients.financier import FinancierClient
from registry.cards import admission_of
from registry.codec import decode
from registry.parties import Party
from registry.records import Proposal
from registry.records.attestations import Attestation
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
    """The record of a party with its keys and what is vouched for about it, all proved against genesis.

    Example: nemodat party show lei:984500TJEXPORT000197
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        record = client.party(wanted)
        if record is None:
            raise ClientError(f"{wanted}: no such party")
        show(_shown(record, client.call(parties.attestations, wanted)))


def _shown(record: Party, vouched: Sequence[Attestation]) -> dict[str, Any]:
    """Every field of the record; its aliases are the identifiers beside its id."""
    return {
        "id": record.id,
        "name": record.name,
        "country": record.country,
        "identifiers": list(record.identifiers),
        "aliases": [one for one in record.identifiers if one != record.id],
        "roles": list(record.roles),
        "suspended": record.suspended,
        "sign_keys": [key.hex() for key in record.sign_keys],
        "owner_key": record.owner_key.hex(),
        "receive_key": record.receive_key.hex(),
        "home": record.home,
        "attestations": [_attestation(one) for one in vouched],
    }


def _attestation(one: Attestation) -> dict[str, Any]:
    return {
        "id": one.id.hex(),
        "kind": one.kind,
        "author": one.author,
        "issued_ms": one.issued_ms,
        "expires_ms": one.expires_ms,
        "warning": one.warning,
        "state": one.state_at(time.time_ns() // 1_000_000),
    }


@app.command("proposals")
def list_proposals(
    genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption, as_json: JsonOption = False
) -> None:
    """As an authority: the changes that were ever proposed, and how far each is.

    Example: nemodat party proposals
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        table = Table("id", "state", "change", "of", "proposer", "approvals")
        for record in client.call(reads.own_records, Proposal):
            change = change_from(decode(record.change), "change")
            said = (change.NAME, change.subject, record.proposer, str(len(record.approvals)))
            cells = (record.id.hex(), record.state, *said)
            table.add_row(*map(plain, cells))
        tabulate(table, as_json=as_json)


@app.command()
def propose(card: CardArgument, genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption) -> None:
    """As an authority: propose to admit the party of a card. It is shown first, on standard error.

    It is admitted when more than two thirds of the authorities have approved (`nemodat party approve`).

    The party makes its card with the proofs of its keys: `nemodat party init`, or `node init` with --network.

    Compare what is shown with what the party tells you: its keys prove themselves, its name and roles do not.

    Example: nemodat party propose card.toml
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        read = card_in(card)
        with named(card):
            change = admission_of(read, client.genesis.id)
        tell("propose to admit", described(read.party))
        (proposal,) = client.propose_admissions([change])
        show({"proposal": proposal.hex(), "party": read.party.id})


@app.command()
def approve(
    proposal: Annotated[str, typer.Argument(metavar="PROPOSAL", help="The proposal's id.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """As an authority: approve a proposal. `nemodat authority proposal` shows what it would change.

    Example: nemodat party approve 9f86...0a08
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        (receipt,) = client.approve([subject(proposal, "proposal")])
        show({"approved": receipt.subject.hex(), "transaction": receipt.transaction.hex()})
