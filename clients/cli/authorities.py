"""`nemodat authority ...`: who decides what is final, and how authorities change that."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from clients import authorities, parties, reads
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
from clients.errors import ClientError
from clients.financier import FinancierClient
from registry.cards import node_admission_of, seat_of
from registry.codec import decode, digest
from registry.keys import key_id
from registry.records import Misbehaviour, Proposal
from registry.transactions.authorities import AdmitNode, DismissNode, SeatAuthority, UnseatAuthority
from registry.transactions.governance import Admit, ReplaceOwnerKey, change_from
from registry.transactions.upgrades import ScheduleUpgrade

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, epilog=SETTINGS)

WhomArgument = Annotated[str, typer.Argument(metavar="ID", help="The party's id, as lei:... or uscc:...")]
NoteOption = Annotated[str, typer.Option("--reason", help="Why, in words; only their SHA-256 goes on the ledger.")]


@app.command("list")
def list_authorities(
    genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption, as_json: JsonOption = False
) -> None:
    """The authorities of the next block, in the order in which they lead, proved from genesis through all changes.

    Example: nemodat authority list
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        height, members = client.call(authorities.in_force)
        table = Table("party", "consensus key", title=f"Authorities of height {height}")
        for member in members:
            table.add_row(plain(member.name), member.public_key.hex())
        tabulate(table, as_json=as_json)


@app.command()
def seat(card: CardArgument, genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption) -> None:
    """As an authority: propose that the card's party is an authority, with the card's key, certificate and address.

    If it is one already, these replace its own: so keys are rotated. In force at the height after more than two thirds
    have approved (`nemodat party approve`). A new party is admitted first (`nemodat party propose`), and its node
    (`admit-node`), so that it has caught up when its vote counts.

    A new key has proved itself on the card: with --network of `nemodat node init`, or `node renew`.

    Example: nemodat authority seat fifth/card.toml
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        read = card_in(card)
        seated = client.call(authorities.consensus_key_of, read.party.id)
        with named(card):
            change = seat_of(read, client.genesis.id, seated=seated)
        tell("propose a seat", _node(change) | {"consensus_key": key_id(change.consensus_key)})
        show({"proposal": client.call(parties.propose_change, change).hex(), "party": change.party})


@app.command()
def unseat(
    whom: WhomArgument, reason: NoteOption, genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption
) -> None:
    """As an authority: propose that a party is no authority any more. Its node is still let in, and follows.

    Example: nemodat authority unseat lei:984500SGBANK00000120 --reason "leaves the network, minutes of 3 May"
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        change = UnseatAuthority(whom, digest(reason.encode()))
        show({"proposal": client.call(parties.propose_change, change).hex(), "party": whom})


@app.command()
def upgrade(
    version: Annotated[
        int, typer.Argument(metavar="VERSION", min=2, help="The protocol version after the present one.")
    ],
    from_height: Annotated[int, typer.Option(min=1, help="The height of the first block of it.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """As an authority: propose that blocks are of another protocol version from a height on.

    Install software that knows it on all nodes first, one after the other (`nemodat node status` says what each knows):
    a node that does not know it stops at that height. Leave days between the decision and the height.

    Example: nemodat authority upgrade 2 --from-height 1500000
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        change = ScheduleUpgrade(version, from_height)
        show({"proposal": client.call(parties.propose_change, change).hex(), "version": version})


@app.command("admit-node")
def admit_node(card: CardArgument, genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption) -> None:
    """As an authority: propose that the other nodes let the card's node in. It follows; a seat is another matter.

    Example: nemodat authority admit-node fifth/card.toml
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        read = card_in(card)
        with named(card):
            change = node_admission_of(read, client.genesis.id)
        tell("propose to let a node in", _node(change))
        node = digest(change.certificate).hex()
        show({"proposal": client.call(parties.propose_change, change).hex(), "party": change.party, "node": node})


@app.command("dismiss-node")
def dismiss_node(
    whom: WhomArgument,
    node: Annotated[str, typer.Argument(metavar="NODE", help="SHA-256 of its certificate, as `admit-node` says.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """As an authority: propose that a node is let in no more, such as one whose transport key has leaked.

    Example: nemodat authority dismiss-node lei:984500SGBANK00000120 4f...a1
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        change = DismissNode(whom, subject(node, "node"))
        show({"proposal": client.call(parties.propose_change, change).hex(), "party": whom})


@app.command("proposal")
def show_proposal(
    proposal: Annotated[str, typer.Argument(metavar="PROPOSAL", help="The proposal's id.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """What a proposal would change of parties, authorities and nodes, proved: compare it before you approve it.

    A newcomer's name, identifiers and the fingerprints of its keys are compared with what it told you.

    Example: nemodat authority proposal 4f...a1
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        record = client.call(reads.record, Proposal, subject(proposal, "proposal"))
        if record is None:
            raise ClientError("no such proposal")
        change = change_from(decode(record.change), "change")
        if isinstance(change, Admit):
            shown = {"party": change.party.id} | described(change.party)
        elif isinstance(change, SeatAuthority | UnseatAuthority | AdmitNode | DismissNode | ReplaceOwnerKey):
            shown = {name: getattr(change, name) for name, _ in change.FIELDS}
        else:
            raise ClientError(f"this proposal is to {change.NAME}: see nemodat party proposals")
        if certificate := shown.pop("certificate", b""):
            shown |= {"node": digest(certificate), "usable_certificate": authorities.is_usable(certificate)}
        for name in ("consensus_key", "owner_key"):
            if isinstance(shown.get(name), bytes):
                shown[f"{name}_fingerprint"] = key_id(shown[name])
        plainly = {name: value.hex() if isinstance(value, bytes) else value for name, value in shown.items()}
        show({"change": change.NAME, "state": record.state, "approvals": list(record.approvals)} | plainly)


@app.command()
def misbehaviour(
    consensus_key: Annotated[str, typer.Argument(metavar="KEY", help="A consensus key, 64 hexadecimal digits.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """What a consensus key provably did, proved: the evidence is two votes that no honest authority signs together.

    Example: nemodat authority misbehaviour 9f...e1
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        found = client.call(reads.record, Misbehaviour, subject(consensus_key, "key"))
        if found is None:
            raise ClientError("nothing is recorded against this key")
        show(
            {
                "consensus_key": found.id.hex(),
                "party": found.party,
                "height": found.height,
                "removed": found.removed,
                "reported_by": found.reported_by,
                "evidence": found.evidence.hex(),
            }
        )


def _node(change: SeatAuthority | AdmitNode) -> dict[str, str]:
    return {"party": change.party, "address": change.address, "node": digest(change.certificate).hex()}
