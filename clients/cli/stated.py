"""What a command line says of the receivables in the files: what they are, what they are parts of, which laws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import typer
from rich.table import Table

from clients.cli.context import share, subject, text_of
from clients.cli.found import Found, Sides, of_the_parties, row
from clients.documents import ids_of
from clients.dossier import Dossier
from clients.errors import ClientError
from clients.exporter import ExporterClient, Listing
from registry.errors import FieldError
from registry.fingerprint import ACCOUNT
from registry.money import WHOLE, Money, collectible_share, percent
from registry.records import Receivable
from registry.transactions.fields import law
from registry.transactions.receivables import Parent

__all__ = [
    "AccountOption",
    "Asked",
    "Kind",
    "KindOption",
    "LawOption",
    "ParentOption",
    "Stated",
    "SupersedesOption",
    "asked",
    "fitting",
    "stated",
]

Kind = Literal["purchase_order", "shipment", "invoice", "instalment", "payable"]

KindOption = Annotated[
    Kind | None, typer.Option(help="What they are, an invoice if not told; orders and shipments are rows of tables.")
]
ParentOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ID=PART[:PART]",
        help="What each is a part of: the other's id, which part of that it is, which part of it that is (100%); "
        "repeat it. ID alone: by the amounts, with its dossier in --dossiers.",
    ),
]
LawOption = Annotated[list[str] | None, typer.Option(help="A law that may govern it, as CN or US-NY; repeat it.")]
AccountOption = Annotated[
    bool, typer.Option("--account", help="Tag it by its debtor, for blankets on some debtors: every node sees that.")
]
SupersedesOption = Annotated[
    str | None,
    typer.Option(
        help="The id of your own registration that the one invoice in FILE corrects. Its kind, parents, laws and tag "
        "are kept unless you give others; --parent none takes the links off, and financiers are shown that.",
    ),
]

NO_PARENT = "none"
_AHEAD = frozenset({"purchase_order", "shipment"})  # of the invoice: no e-invoice is one
_OF_THE_DOCUMENT = frozenset({"invoice", "payable"})  # what a tax authority's id of an invoice is the id of


class Part(NamedTuple):
    """A parent; which share of it each receivable fulfils, or the parent's amount to compute it by; which share of the
    receivable is from it."""

    parent: bytes
    of_parent: int | Money
    of_child: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What holds of every receivable in the files. What is None or empty is as in the one that is corrected, if any."""

    kind: str | None
    parents: tuple[Part, ...] | None
    laws: tuple[str, ...]
    account: bool
    supersedes: bytes | None


def stated(
    *,
    kind: str | None,
    parents: Sequence[str],
    laws: Sequence[str],
    account: bool,
    supersedes: str | None,
    dossiers: Path,
) -> Stated:
    """What these options say. Raises `ClientError`, `FieldError`, `typer.BadParameter`."""
    named = tuple([_part(one, dossiers) for one in parents if one != NO_PARENT])
    if NO_PARENT in parents and named:
        raise ClientError(f"--parent: {NO_PARENT} or some, not both")
    if named and sum(one.of_child for one in named) != WHOLE:
        told = percent(sum(one.of_child for one in named))
        raise ClientError(f"--parent: the receivable must come wholly from its parents, these add up to {told} of it")
    return Stated(
        kind=kind,
        parents=named if parents else None,
        laws=tuple(law(one, "law") for one in laws),
        account=account,
        supersedes=None if supersedes is None else subject(supersedes, "supersedes"),
    )


class Asked(NamedTuple):
    """What the ledger says of the files' parties, by their ids, and of the record that is corrected, if one is."""

    corrected: Receivable | None
    seller: frozenset[str]
    debtor: frozenset[str]


def asked(client: ExporterClient, said: Stated, sides: Sides) -> Asked:
    """The same, proved. Raises `ClientError`."""
    corrected = None if said.supersedes is None else client.receivable(said.supersedes)
    if said.supersedes is not None and corrected is None:
        raise ClientError("supersedes: no such receivable, or none that this party may see")
    return Asked(corrected, client.call(ids_of, sides.seller), client.call(ids_of, sides.debtor))


def fitting(table: Table, found: Sequence[Found], said: Stated, asked: Asked) -> list[Found]:
    """Those that are the parties' and can be what is said of them; a row for each of the rest."""
    known = _as_stated(table, found, said, asked.corrected)
    return of_the_parties(table, known, seller=asked.seller, debtor=asked.debtor)


def _as_stated(table: Table, found: Sequence[Found], said: Stated, corrected: Receivable | None) -> list[Found]:
    """Those that can be what is said of them; a row for each of the rest. `corrected` if they correct a record."""
    made = []
    for one in found:
        try:
            made.append(one._replace(listing=_listing(one.listing, said, corrected)))
        except (ClientError, FieldError) as error:
            row(table, one.file, one.listing.particulars.number, "no receivable", str(error), "")
    return made


def _listing(listing: Listing, said: Stated, corrected: Receivable | None) -> Listing:
    kind = said.kind or ("invoice" if corrected is None else corrected.kind)
    particulars = listing.particulars
    if kind in _AHEAD and listing.grade == "document":
        raise ClientError(f"an e-invoice is no {kind.replace('_', ' ')}: name it as a row of a table")
    if kind == "purchase_order":  # its invoices name it, and so are found beside it
        particulars = replace(particulars, orders=tuple(dict.fromkeys((particulars.number, *particulars.orders))))
    if kind not in _OF_THE_DOCUMENT:
        particulars = replace(particulars, government_ids=())
    before = () if corrected is None else corrected.parents
    parts = None if said.parents is None else [_link(one, listing) for one in said.parents]
    tagged = corrected is not None and any(name == ACCOUNT for name, _ in corrected.fingerprints)
    return replace(
        listing,
        kind=kind,
        particulars=particulars,
        parents=before if parts is None else tuple(parts),
        laws=said.laws or (() if corrected is None else corrected.laws),
        account=said.account or tagged,
        supersedes=said.supersedes,
    )


def _part(text: str, dossiers: Path) -> Part:
    """A parent as ID=PART_OF_PARENT[:PART_OF_CHILD], shares as elsewhere; as ID alone, the part is by the amounts."""
    named, by_hand, parts = text.partition("=")
    parent = subject(named, "parent")
    if by_hand:
        of_parent, _, of_child = parts.partition(":")
        return Part(parent, share(of_parent), share(of_child) if of_child else WHOLE)
    file = dossiers / f"{parent.hex()}.json"
    if not file.exists():
        raise ClientError(f"--parent: say which part, as {named[:4]}...=60%: its dossier is not in {dossiers}")
    known = Dossier.from_json(text_of(file, "a dossier")).particulars
    return Part(parent, Money(known.currency, known.amount_minor), WHOLE)


def _link(part: Part, listing: Listing) -> Parent:
    if isinstance(part.of_parent, int):
        return (part.parent, part.of_parent, part.of_child)
    amount, whole = Money(listing.particulars.currency, listing.particulars.amount_minor), part.of_parent
    of_parent = collectible_share(amount, whole=whole)  # rounded down, so that parts never exceed their parent
    if not of_parent:
        raise ClientError(f"{amount} is no part of the {whole} of its parent")
    return (part.parent, of_parent, part.of_child)
