"""`nemodat party ...`, the part that changes a party: keys, suspension, amendment, attestations, LEI records."""

from __future__ import annotations

import datetime
import hashlib
import time
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from clients import parties
from clients.cli.cards import KeyCardArgument, key_card_in, named, tell
from clients.cli.context import (
    EXIT_LOOK,
    GenesisOption,
    JsonOption,
    KeyOption,
    PartyOption,
    UrlOption,
    access,
    owner_signer,
    plain,
    problems,
    show,
    subject,
    tabulate,
)
from clients.cli.lei_files import RECORDS_MAX, records
from clients.errors import ClientError
from clients.financier import FinancierClient
from registry.codec import digest
from registry.errors import FieldError
from registry.keys import key_id
from registry.lei import warning_of
from registry.transactions.attestations import Attest
from registry.transactions.governance import Amend, Change, Reinstate, ReplaceOwnerKey, Suspend

__all__ = ["add_commands"]

KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="A public key, 64 hexadecimal digits.")]
WhomArgument = Annotated[str, typer.Argument(metavar="ID", help="The party's id, as lei:... or uscc:...")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, in words; only their SHA-256 goes on the ledger.")]
FilesArgument = Annotated[
    list[Path],
    typer.Argument(metavar="FILE...", help="JSON as GLEIF's API answers, or a golden copy (CSV or XML, also zipped)."),
]


def add_commands(app: typer.Typer) -> None:
    """Hook these commands into the group of parties."""
    app.command("add-key")(add_key)
    app.command("revoke-key")(revoke_key)
    app.command("set-receive-key")(set_receive_key)
    app.command("set-home")(set_home)
    app.command("recover")(recover)
    app.command("suspend")(suspend)
    app.command("reinstate")(reinstate)
    app.command("amend")(amend)
    app.command("replace-owner-key")(replace_owner_key)
    app.command("attest")(attest)
    app.command("withdraw")(withdraw)
    app.command("attestations")(attestations)
    app.command("lei")(lei)


def add_key(card: KeyCardArgument, genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption) -> None:
    """Sign with one more key, from the next block on. To rotate: add the new one, then revoke the old one with it.

    The new key comes with its card: nemodat key card new.json --purpose add_key

    Example: nemodat party add-key new.card.toml
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        new = key_card_in(card)
        with named(card):
            new.require(client.genesis.id, party, "add_key")
        receipt = client.call(parties.add_key, new.key, proof=new.proof)
        show({"added": new.key.hex(), "transaction": receipt.transaction.hex()})


def revoke_key(old: KeyArgument, genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption) -> None:
    """Stop signing with a key, for good. What it has signed stays valid. Sign this with another live key.

    Example: nemodat party revoke-key 9f...e1 --key new.json
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        receipt = client.call(parties.revoke_key, subject(old, "key"))
        show({"revoked": old, "transaction": receipt.transaction.hex()})


def set_receive_key(
    new: KeyArgument, genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption
) -> None:
    """Let documents be encrypted for you under another X25519 key.

    Example: nemodat party set-receive-key 3c...77
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        receipt = client.call(parties.set_receive_key, subject(new, "key"))
        show({"receive_key": new, "transaction": receipt.transaction.hex()})


def set_home(
    home: Annotated[str, typer.Argument(metavar="URL", help="The node that takes your documents.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """Let documents for you go to another node.

    Example: nemodat party set-home https://node.example:8443
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        receipt = client.call(parties.set_home, home)
        show({"home": home, "transaction": receipt.transaction.hex()})


def recover(
    owner_key: Annotated[Path, typer.Option("--owner-key", help="The owner key file of the party that recovers.")],
    sign_key: Annotated[
        list[Path], typer.Option("--sign-key", help="A new signing key's card; repeat it for several.")
    ],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    receive_key: Annotated[str, typer.Option("--receive-key", help="A new receive key.")] = "",
) -> None:
    """Replace all signing keys of a party by its owner key, after they were lost or stolen.

    --party and --key are any member's that carries it to a node: lost keys sign no request.

    Each new key comes with its card: nemodat key card new.json --purpose recover

    The owner key file's passphrase is in NEMODAT_OWNER_PASSPHRASE, or asked for.

    Example: nemodat party recover --owner-key owner.json --sign-key new.card.toml
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        cards = [key_card_in(path) for path in sign_key]
        for path, card in zip(sign_key, cards, strict=True):
            with named(path):
                card.require(client.genesis.id, cards[0].party, "recover")
        received = subject(receive_key, "--receive-key") if receive_key else b""
        keys, proofs = tuple([card.key for card in cards]), tuple([card.proof for card in cards])
        owner = owner_signer(owner_key)
        receipt = client.call(parties.recover, owner, keys, proofs=proofs, receive_key=received)
        show({"sign_keys": [one.hex() for one in keys], "transaction": receipt.transaction.hex()})


def suspend(
    whom: WhomArgument,
    reason: ReasonOption,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """As an authority: propose to suspend a party. It signs nothing and is offered nothing; what it has stays.

    Example: nemodat party suspend lei:984500TJEXPORT000197 --reason "keys stolen, file 2026-17"
    """
    _propose((genesis, url, party, key), Suspend(whom, digest(reason.encode())))


def reinstate(
    whom: WhomArgument,
    reason: ReasonOption,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """As an authority: propose to lift a suspension.

    Example: nemodat party reinstate lei:984500TJEXPORT000197 --reason "keys replaced"
    """
    _propose((genesis, url, party, key), Reinstate(whom, digest(reason.encode())))


def amend(
    whom: WhomArgument,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    name: Annotated[str, typer.Option("--name", help="The new legal name.")] = "",
    alias: Annotated[list[str] | None, typer.Option("--alias", help="A further identifier, scheme:VALUE.")] = None,
    add_role: Annotated[list[str] | None, typer.Option("--add-role", help="A role more.")] = None,
    remove_role: Annotated[list[str] | None, typer.Option("--remove-role", help="A role less.")] = None,
) -> None:
    """As an authority: propose another name, further identifiers, or other roles of a party.

    Example: nemodat party amend lei:984500DEIMPORT000108 --alias vat:DE136695976
    """
    change = Amend(whom, name, tuple(alias or ()), tuple(add_role or ()), tuple(remove_role or ()))
    _propose((genesis, url, party, key), change)


def replace_owner_key(
    card: KeyCardArgument, genesis: GenesisOption, url: UrlOption, party: PartyOption, key: KeyOption
) -> None:
    """As an authority: propose another owner key for a party that has lost its own. It is shown first.

    The party makes the key and its card: nemodat key card owner.json --purpose replace_owner_key

    Example: nemodat party replace-owner-key owner.card.toml
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        new = key_card_in(card)
        with named(card):
            new.require(client.genesis.id, new.party, "replace_owner_key")
        tell("propose another owner key", {"party": new.party, "owner_key": key_id(new.key)})
        change = ReplaceOwnerKey(new.party, new.key, new.proof)
        show({"proposal": client.call(parties.propose_change, change).hex()})


def attest(
    whom: WhomArgument,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    kind: Annotated[str, typer.Option("--kind", help="kyc, aml, sanctions or lei.")] = "kyc",
    provider: Annotated[str, typer.Option("--provider", help="Who looked: a party's id, or a name.")] = "",
    result: Annotated[Path | None, typer.Option("--result", help="The report; only its SHA-256 is recorded.")] = None,
    lei_file: Annotated[
        Path | None, typer.Option("--lei", help="GLEIF's record of the party, or a golden copy, for kind lei.")
    ] = None,
    expires: Annotated[str, typer.Option("--expires", help="Until when it counts, YYYY-MM-DD.")] = "",
) -> None:
    """As a financier or an authority: vouch for a check of another party. No data is recorded, digests only.

    Example: nemodat party attest lei:984500TJEXPORT000197 --provider "A Bureau" --result r.pdf --expires 2027-01-31

    Example: nemodat party attest lei:984500TJEXPORT000197 --lei record.json
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        expires_ms = _end_of(expires) if expires else 0
        if lei_file is not None:
            found = client.party(whom)
            own = [one for one in (found.identifiers if found else ()) if one.startswith("lei:")]
            record = next(records(lei_file, {one.removeprefix("lei:") for one in own}), None)
            if record is None:
                raise ClientError(f"{lei_file}: has no record of an LEI of {whom}")
            made = client.call(parties.attest_lei, whom, record, expires_ms=expires_ms)
        else:
            if not provider or result is None or not expires_ms:
                raise ClientError("--provider, --result and --expires are needed, or --lei")
            looked = provider if ":" in provider else digest(provider.encode())
            now_ms = time.time_ns() // 1_000_000
            with result.open("rb") as report:
                found_digest = hashlib.file_digest(report, "sha256").digest()
            made = Attest(whom, kind, looked, found_digest, now_ms, expires_ms)
            client.call(parties.attest, made)
        show({"party": whom, "kind": made.kind, "warning": made.warning, "expires": _day(made.expires_ms)})


def withdraw(
    attestation: Annotated[str, typer.Argument(metavar="ATTESTATION", help="The attestation's id.")],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """As its author: no longer vouch for a party. If nobody else does, it can neither register nor be funded.

    Example: nemodat party withdraw 5a...0c
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        receipt = client.call(parties.withdraw_attestation, subject(attestation, "attestation"))
        show({"withdrawn": attestation, "transaction": receipt.transaction.hex()})


def attestations(
    whom: WhomArgument,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    as_json: JsonOption = False,
) -> None:
    """What is vouched for about a party, proved against genesis.

    Example: nemodat party attestations lei:984500TJEXPORT000197
    """
    with problems(), FinancierClient(**access(genesis, url, party, key)) as client:
        table = Table("id", "kind", "author", "issued", "expires", "warning", "state")
        now_ms = time.time_ns() // 1_000_000
        for record in client.call(parties.attestations, whom):
            dates = (_day(record.issued_ms), _day(record.expires_ms))
            table.add_row(record.id.hex(), record.kind, record.author, *dates, record.warning, record.state_at(now_ms))
        tabulate(table, as_json=as_json)


def lei(
    files: FilesArgument,
    only: Annotated[list[str] | None, typer.Option("--only", help="Only this LEI; repeat it for several.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show GLEIF's records and the attestation that each supports. Offline; `attest --lei` is what records it.

    Exit code 3 if one of them has a warning.

    Example: nemodat party lei gleif/*.json

    Example: nemodat party lei 20261125-gleif-goldencopy-lei2.csv.zip --only 984500TJEXPORT000197
    """
    with problems():
        now_ms = time.time_ns() // 1_000_000
        table = Table("LEI", "name", "country", "entity", "registration", "attest until", "warning", "successor")
        warned = False
        for file in files:
            for record in islice(records(file, only), RECORDS_MAX):
                warning = warning_of(record, now_ms=now_ms)
                warned |= warning != "none"
                until = _day(record.next_renewal_ms) if record.next_renewal_ms else "not stated"
                statuses = (record.entity_status, record.registration_status)
                cells = (record.lei, record.name, record.country, *statuses, until, warning, record.successor)
                table.add_row(*map(plain, cells))
        tabulate(table, as_json=as_json)
        if warned:
            raise typer.Exit(EXIT_LOOK)


def _propose(settings: tuple[Path, list[str], str, Path], change: Change) -> None:
    with problems(), FinancierClient(**access(*settings)) as client:
        show({"proposal": client.call(parties.propose_change, change).hex()})


def _end_of(day: str) -> int:
    """The last millisecond (UTC) of a day."""
    try:
        start = datetime.datetime.combine(datetime.date.fromisoformat(day), datetime.time(), datetime.UTC)
    except ValueError as error:
        raise FieldError("--expires", "is a day as YYYY-MM-DD") from error
    return int(start.timestamp()) * 1_000 + 86_399_999


def _day(time_ms: int) -> str:
    return datetime.datetime.fromtimestamp(time_ms // 1_000, datetime.UTC).date().isoformat()
