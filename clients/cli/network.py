"""`nemodat network ...`: who decides and whose nodes are let in; evidence against an authority."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clients import governance, parties
from clients.base import Client
from clients.cli.context import (
    SETTINGS,
    GenesisOption,
    KeyOption,
    PartyOption,
    UrlOption,
    access,
    problems,
    show,
    text_of,
)
from clients.errors import ClientError
from registry.codec import digest
from registry.errors import FieldError
from registry.genesis import AuthorityEntry
from registry.limits import EVIDENCE_BYTES_MAX
from registry.transactions.authorities import DismissNode, UnseatAuthority

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, epilog=SETTINGS)

CardArgument = Annotated[Path, typer.Argument(metavar="CARD", help="The node's card, as `nemodat node init` made it.")]


@app.command()
def seat(card: CardArgument, genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption) -> None:
    """As an authority: propose that the party of a card is one too, or gets the card's keys in place of its own.

    The party must have been admitted as an authority; the others approve by `nemodat party approve`.

    Example: nemodat network seat card.toml
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        show({"proposal": client.call(governance.propose_seat, _card(card)).hex()})


@app.command()
def unseat(
    whom: Annotated[str, typer.Argument(metavar="ID", help="The authority's party id, as lei:... or uscc:...")],
    reason: Annotated[str, typer.Option("--reason", help="Why, in words; only their SHA-256 goes on the ledger.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """As an authority: propose that another one is none any more. Its node is still let in, and follows.

    Example: nemodat network unseat lei:984500GBBANK00000140 --reason "leaves by 2027-01-01"
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        change = UnseatAuthority(whom, digest(reason.encode()))
        show({"proposal": client.call(parties.propose_change, change).hex()})


@app.command()
def admit(card: CardArgument, genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption) -> None:
    """As an authority: propose to let the node of a card in, which then follows.

    Example: nemodat network admit card.toml
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        show({"proposal": client.call(governance.propose_node, _card(card)).hex()})


@app.command()
def dismiss(card: CardArgument, genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption) -> None:
    """As an authority: propose to let the node of a card in no more. An authority's is replaced or unseated first.

    Example: nemodat network dismiss card.toml
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        found = _card(card)
        change = DismissNode(found.party, digest(found.transport_certificate))
        show({"proposal": client.call(parties.propose_change, change).hex()})


@app.command()
def report(
    evidence: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Two conflicting votes, as canonical bytes.", exists=True, dir_okay=False),
    ],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """Put evidence against an authority on the ledger: it loses its seat if enough others are left.

    Example: nemodat network report votes.bin
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        if evidence.stat().st_size > EVIDENCE_BYTES_MAX:
            raise ClientError(f"{evidence}: evidence has at most {EVIDENCE_BYTES_MAX} bytes")
        receipt = client.call(governance.report_misbehaviour, evidence.read_bytes())
        show({"accused": receipt.subject.hex(), "transaction": receipt.transaction.hex()})


def _card(path: Path) -> AuthorityEntry:
    try:
        return governance.card_from_toml(text_of(path, "a node's card"))
    except FieldError as error:
        raise ClientError(f"{path}: {error}") from error
