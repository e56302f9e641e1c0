"""`nemodat party ...`"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from clients import parties, reads
from clients.cli.context import (
    SETTINGS,
    GenesisOption,
    JsonOption,
    KeyOption,
    PartyOption,
    ProofsOption,
    UrlOption,
    access,
    plain,
    problems,
    proof_of,
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
from registry.parties import Party
from registry.records import Proposal
from registry.records.attestations import Attestation
from registry.transactions.governance import Admit, change_from

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
        "state": one.state,
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
def propose(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The party as TOML.")],
    proof: ProofsOption,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """As an authority: propose to admit a party.

    It is admitted when more than two thirds of the authorities have approved.

    The file says id, name, country, identifiers, roles, sign_keys (these three are lists),

    owner_key, receive_key and home (these two may be ""); keys as `nemodat key show` has them.

    Its keys prove themselves, each signing key in the order of the file with --purpose admit_sign of `nemodat key

    prove`, and then the owner key with --purpose admit_owner.

    Example: nemodat party propose party.toml --proof 5c...d0 --proof 77...1b
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        try:
            wanted = party_from_toml(text_of(file, "a party"))
        except FieldError as error:
            raise ClientError(f"{file}: {error}") from error
        (proposal,) = client.propose_admissions([Admit(wanted, tuple(map(proof_of, proof)))])
        show({"proposal": proposal.hex()})


@app.command()
def approve(
    proposal: Annotated[str, typer.Argument(metavar="PROPOSAL", help="The proposal's id.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """As an authority: approve a proposal.

    Example: nemodat party approve 9f86...0a08
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        (receipt,) = client.approve([subject(proposal, "proposal")])
        show({"approved": receipt.subject.hex(), "transaction": receipt.transaction.hex()})
