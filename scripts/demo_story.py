"""The story itself, through the SDK: read, enrol, register, confirm, credit, race, with a kill in the middle."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from demo_cast import AUTHORITIES, Cast, demo_admission, demo_key
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from clients.debtor import AsyncDebtorClient
from clients.documents import listing_of
from clients.errors import ClientError, Refused
from clients.exporter import AsyncExporterClient, Listing, Refusal, Registration
from clients.financier import AsyncFinancierClient
from registry.documents.errors import DocumentError
from registry.documents.invoice import Invoice
from registry.documents.reader import read_many
from registry.documents.receivable import Adjustment, Assigned, Receivable, receivable_of
from registry.documents.receivable import Refusal as DocumentRefusal
from registry.genesis import Genesis
from registry.keys import SigningKey
from registry.money import WHOLE
from registry.parties import Party

CONCURRENCY = 12  # conversations at a time
OFFER_VALID_MS = 30 * 60 * 1000
COPY_EVERY = 4  # every fourth registered invoice is presented again with a reformatted number
NO_DOCUMENTS = (".md", ".txt")  # what explains a folder of documents
VICTIM = "f-de"  # the authority that is killed in the middle

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Network:
    """Where the nodes are, and the members' signing keys by party id."""

    genesis: Genesis
    urls: dict[str, str]
    keys: dict[str, SigningKey]

    def urls_from(self, first: str) -> tuple[str, ...]:
        """Every authority's URL, `first`'s first: a client asks its own node and falls back on the others."""
        names = [name for name, *_ in AUTHORITIES]
        start = names.index(first)
        return tuple(self.urls[name] for name in names[start:] + names[:start])


@dataclass(slots=True)
class Entry:
    """One document and what became of it."""

    file: str
    invoice: Invoice | None = None
    status: str = ""
    detail: str = ""
    warnings: tuple[str, ...] = ()
    listing: Listing | None = None
    registration: Registration | None = None
    confirmed: bool = False
    funded_by: str = ""
    lost_by: str = ""
    finality_ms: float = 0.0
    copy_of: str = ""
    related: tuple[bytes, ...] = ()


@dataclass(slots=True)
class Story:
    """Everything that happens, in order; `entries` is what it leaves behind."""

    network: Network
    console: Console
    kill: Callable[[str], None]
    start: Callable[[str], None]
    cast: Cast = field(default_factory=Cast)
    entries: list[Entry] = field(default_factory=list)
    credits: list[tuple[Entry, Adjustment]] = field(default_factory=list)

    async def play(self, folder: Path, *, also: Sequence[Party] = ()) -> None:
        """From a folder of documents to funded receivables; `also` are enrolled beside the firms in them."""
        self.read(folder)
        self.cast.parties.update({party.id: party for party in also})
        await self.enrol()
        originals = [entry for entry in self.entries if entry.listing is not None]
        await self.each("Registering", originals, self.register)
        copies = self.reformatted_copies()
        self.entries += copies
        await self.each("Presenting reformatted copies", copies, self.register)
        self.name_originals()
        registered = [entry for entry in self.entries if entry.registration is not None]
        await self.each("Debtors confirm", registered, self.confirm)
        await self.each("Credit notes", self.credits, lambda pair: self.credit(*pair))
        half = len(registered) // 2
        await self.each("Financiers race (first half)", registered[:half], self.race)
        self.kill(VICTIM)
        self.console.print(f"[bold red]SIGKILL[/] to {VICTIM}'s node; the race goes on with three of four")
        await self.each("Financiers race (one node down)", registered[half:], self.race)
        self.start(VICTIM)
        self.console.print(f"{VICTIM}'s node is back and catches up")

    def read(self, folder: Path) -> None:
        """Every file of the folder: receivables, credit notes, refusals, unreadable ones."""
        files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix not in NO_DOCUMENTS)
        named = ((str(path.relative_to(folder)), path.read_bytes()) for path in files)
        with progress(self.console) as bar:
            for file, reading in read_many(bar.track(named, total=len(files), description="Reading documents")):
                self.entries.append(self.entry_of(file, reading))

    def entry_of(self, file: str, reading: Invoice | DocumentError) -> Entry:
        if isinstance(reading, DocumentError):
            where = f" at {reading.element}" if reading.element else ""
            return Entry(file, status="unreadable", detail=f"{reading.reason}{where}")
        if reading.container and ":" not in reading.container:  # one of several in the file
            file = f"{file} {reading.container}"
        made = receivable_of(reading)
        if isinstance(made, DocumentRefusal):
            return Entry(file, reading, status="no receivable", detail=f"{made.element}: {made.detail}")
        if isinstance(made, Assigned):
            return Entry(file, reading, status="no receivable", detail=f"assigned to {made.claims[-1].assignee.name}")
        entry = Entry(file, reading, warnings=tuple(str(notice.code) for notice in made.warnings))
        if isinstance(made, Adjustment):
            self.credits.append((entry, made))
            return entry
        try:
            entry.listing = self.listing(made)
        except ClientError as error:
            entry.status, entry.detail = "no receivable", str(error)
        return entry

    def listing(self, made: Receivable) -> Listing:
        seller = self.cast.enrol(made.invoice.seller, "exporter")
        debtor = self.cast.enrol(made.invoice.buyer, "debtor")
        return listing_of(
            made, seller=seller.id, debtor=debtor.id, seller_country=seller.country, debtor_country=debtor.country
        )

    async def enrol(self) -> None:
        """One authority proposes every firm, two more approve: a quorum of four."""
        members = {party for _, party, *_ in AUTHORITIES}
        parties = [party for party in self.cast.parties.values() if party.id not in members]
        async with self.financier("f-cn") as proposer:
            admissions = [demo_admission(party, self.network.genesis.id) for party in parties]
            proposals = await proposer.propose_admissions(admissions)
        for name in ("f-sg", "f-gb"):
            async with self.financier(name) as approver:
                await approver.approve(proposals)
        self.console.print(f"Enrolled {len(parties)} exporters and debtors by the quorum of authorities")

    async def register(self, entry: Entry) -> None:
        """The exporter registers; a duplicate is refused, on the record."""
        assert entry.listing is not None
        seller = entry.listing.particulars.seller
        started = time.monotonic()
        async with self.exporter(seller) as client:
            (outcome,) = await client.register_all([entry.listing])
        entry.finality_ms = (time.monotonic() - started) * 1000
        if isinstance(outcome, Refusal):
            entry.status, entry.detail, entry.related = "refused", outcome.code, outcome.related
        else:
            entry.status, entry.registration = "registered", outcome

    def reformatted_copies(self) -> list[Entry]:
        """Some registered invoices again, as a seller might present them elsewhere: another spelling of the number."""
        copies = []
        for entry in [found for found in self.entries if found.registration is not None][::COPY_EVERY]:
            assert entry.listing is not None
            number = reformatted(entry.listing.particulars.number)
            listing = replace(entry.listing, particulars=replace(entry.listing.particulars, number=number))
            copies.append(Entry(f"{entry.file} (copy: {number})", entry.invoice, listing=listing, copy_of=entry.file))
        return copies

    async def confirm(self, entry: Entry) -> None:
        """The debtor got the dossier from the seller, and confirms."""
        assert entry.registration is not None
        dossier = entry.registration.dossier
        async with self.debtor(dossier.particulars.debtor) as client:
            await client.confirm(dossier)
        entry.confirmed = True

    async def credit(self, entry: Entry, adjustment: Adjustment) -> None:
        """A credit note takes its part from the receivable it names."""
        target = self.named_by(adjustment)
        if target is None or target.registration is None or target.listing is None:
            entry.status, entry.detail = "no receivable", "the invoice that this credit note names is not registered"
            return
        particulars = target.listing.particulars
        if adjustment.amount.currency != particulars.currency:
            entry.status, entry.detail = "no receivable", "the credit note is in another currency than its invoice"
            return
        share = min(WHOLE, -(-adjustment.amount.minor * WHOLE // particulars.amount_minor))
        async with self.exporter(particulars.seller) as client:
            try:
                await client.adjust(target.registration.receivable, reduction=share, document=adjustment.document)
            except Refused as refusal:
                entry.status, entry.detail = "refused", f"{refusal.code} ({target.file})"
                return
        entry.status, entry.detail = "adjusted", f"takes {adjustment.amount} from {target.file}"

    async def race(self, entry: Entry) -> None:
        """The seller offers the whole to two financiers; both try to reserve and fund it at their own node at once."""
        assert entry.registration is not None
        first, second = next(self._pairs)
        receivable = entry.registration.receivable
        async with self.exporter(entry.registration.dossier.particulars.seller) as seller:
            record = await seller.receivable(receivable)
            share = record.collectible if record is not None else 0
            if share == 0:
                entry.status, entry.detail = "registered", "nothing is left to collect"
                return
            terms = hashlib.sha256(b"demo terms").digest()
            until = time.time_ns() // 1_000_000 + OFFER_VALID_MS
            offers = [
                await seller.offer(receivable, to=_party(name), share=share, terms=terms, valid_until_ms=until)
                for name in (first, second)
            ]
        started = time.monotonic()
        results = await asyncio.gather(
            self.finance(first, entry, offers[0].claim), self.finance(second, entry, offers[1].claim)
        )
        entry.finality_ms = (time.monotonic() - started) * 1000
        winners = [name for name, code in results if code == "ok"]
        losers = [f"{name}: {code}" for name, code in results if code != "ok"]
        entry.funded_by, entry.lost_by = ", ".join(winners), ", ".join(losers)
        if winners:
            entry.status = "funded"

    async def finance(self, name: str, entry: Entry, claim: bytes) -> tuple[str, str]:
        """One financier: checks the dossier, searches, looks at the matches, then reserves and funds."""
        assert entry.registration is not None
        async with self.financier(name) as client:
            await client.check_dossier(entry.registration.dossier)
            certificate = await client.search(entry.registration.dossier.particulars, purpose="financing")
            matches = {bytes.fromhex(match) for result in certificate["results"] for match in result["matches"]}
            try:
                await client.finance(claim, acknowledged=sorted(matches - {entry.registration.receivable}))
            except Refused as refusal:
                return name, refusal.code
        return name, "ok"

    # --- the small print -------------------------------------------------------------------------------------------

    _pairs = itertools.cycle(itertools.permutations([name for name, *_ in AUTHORITIES], 2))
    _homes = itertools.cycle([name for name, *_ in AUTHORITIES])

    def exporter(self, party: str) -> AsyncExporterClient:
        return AsyncExporterClient(**self.access(party, next(self._homes)))

    def debtor(self, party: str) -> AsyncDebtorClient:
        return AsyncDebtorClient(**self.access(party, next(self._homes)))

    def financier(self, name: str) -> AsyncFinancierClient:
        return AsyncFinancierClient(**self.access(_party(name), name))

    def access(self, party: str, node: str) -> dict[str, Any]:
        signer = self.network.keys.get(party) or demo_key(party)
        urls = self.network.urls_from(node)
        return {"genesis": self.network.genesis, "urls": urls, "party": party, "signer": signer}

    def name_originals(self) -> None:
        """Says of each duplicate which document it repeats; known only when all registrations are in."""
        files = {e.registration.receivable: e.file for e in self.entries if e.registration is not None}
        for entry in self.entries:
            if entry.related:
                entry.detail = f"{entry.detail} of {files[entry.related[0]]}"

    def named_by(self, adjustment: Adjustment) -> Entry | None:
        seller = self.cast.enrol(adjustment.invoice.seller, "exporter").id if adjustment.invoice.seller.name else ""
        numbers = {reference.number for reference in adjustment.adjusts}
        for entry in self.entries:
            if entry.registration is not None and entry.listing is not None and not entry.copy_of:
                particulars = entry.listing.particulars
                if particulars.number in numbers and particulars.seller == seller:
                    return entry
        return None

    async def each(self, title: str, items: Sequence[T], do: Callable[[T], Awaitable[U]]) -> None:
        """`do` for every item, a few at a time, with progress."""
        if not items:
            return
        gate = asyncio.Semaphore(CONCURRENCY)
        with progress(self.console) as bar:
            task = bar.add_task(title, total=len(items))

            async def one(item: T) -> None:
                async with gate:
                    await do(item)
                bar.advance(task)

            await asyncio.gather(*(one(item) for item in items))


def progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:36}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
    )


def reformatted(number: str) -> str:
    """The same number as another system might print it: full width, spaced, lower case."""
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in number.upper())
    return wide.replace("－", " ").replace("／", "-")


def _party(name: str) -> str:
    return next(party for found, party, *_ in AUTHORITIES if found == name)
