"""For an assignor (exporter): register receivables, offer them, adjust them by credit notes.

A registration commits to salts that exist nowhere but in its dossier: without the dossier no debtor can confirm. So
whoever registers for real first `prepare`s, keeps the dossiers, and only then `submit`s, as often as need be.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from clients.aliases import canonical
from clients.base import AsyncClient, Client
from clients.dossier import Dossier, particulars_commitment
from clients.errors import ClientError, ProofInvalid, Refused
from clients.exchange import Procedure
from clients.session import Session, accepted, send, signed, submit
from clients.submission import Submission
from registry.codec import encode
from registry.fingerprint import ACCOUNT, Particulars, account_fingerprint, register_fingerprints
from registry.receipts import Receipt
from registry.transactions.claims import Offer, Revoke
from registry.transactions.envelope import subject_id
from registry.transactions.operations import operation_value
from registry.transactions.receivables import Adjust, Expire, Parent, Register, debtor_commitment

__all__ = [
    "AsyncExporterClient",
    "Drafted",
    "ExporterClient",
    "Interrupted",
    "Listing",
    "Offered",
    "Prepared",
    "Refusal",
    "Registration",
    "canonical_listings",
    "drafted",
    "expire",
]

BATCH_MAX = 200  # registrations under one signature
BATCH_BYTES_MAX = 256 * 1024  # of their operations; `WIRE_BYTES_MAX` is for the whole transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One receivable to register: its particulars and what the ledger says of it openly.

    `kind` as in registry.md 4 (`invoice`, `purchase_order`, ...); countries ISO 3166 alpha-2; `document` the SHA-256
    of the source document, empty for none; `grade` `document` if the particulars were read from an e-invoice;
    `supersedes` the id of this party's own registration that this one corrects.
    of the source document, empty for none; `grade` `document` if the particulars were read from an e-invoice.
    `account` says, under the network's key, on which debtor it is: for sellers with a blanket on some debtors only,
    because every node then sees which of their receivables are on one debtor (`registry.rules.blankets`).
    """

    particulars: Particulars
    seller_country: str
    debtor_country: str
    kind: str = "invoice"
    grade: str = "self_asserted"
    laws: tuple[str, ...] = ()
    parents: tuple[Parent, ...] = ()
    document: bytes = b""
    supersedes: bytes | None = None
    account: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """Listings signed in one transaction, and the dossier that each will have if it is registered."""

    submission: Submission
    listings: tuple[Listing, ...]
    dossiers: tuple[Dossier, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A receivable that is on the ledger, finally. `matches` are the ids of records that people should look at."""

    receivable: bytes
    matches: tuple[bytes, ...]
    dossier: Dossier
    receipt: Receipt
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A listing that a rule refused, on the record. `related` are the records it collides with."""

    listing: Listing
    code: str
    related: tuple[bytes, ...]
    receipt: Receipt
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """An offer on the ledger: the claim that its financier can now reserve."""

    claim: bytes
    receivable: bytes
    to: str
    share: int
    height: int


class Interrupted(ClientError):
    """Registering stopped in the middle; the error that stopped it is the cause.

    `outcomes` are of the first listings, in order; `left` are the others, of which the first batch may be on the
    ledger or get there later: `submit` each of them to know, and keep their dossiers.
    """

    def __init__(
        self, cause: ClientError, outcomes: tuple[Registration | Refusal, ...], left: tuple[Prepared, ...]
    ) -> None:
        super().__init__(str(cause))
        self.submission = cause.submission
        self.outcomes = outcomes
        self.left = left


def prepare(session: Session, listings: Sequence[Listing]) -> tuple[Prepared, ...]:
    """Listings in batches under one signature each, to `submit` within ten minutes. Raises `ClientError`."""
    batches: list[list[Drafted]] = []
    size = 0
    for listing in listings:
        made = drafted(session, listing)
        length = len(encode(operation_value(made.operation)))
        if not batches or len(batches[-1]) == BATCH_MAX or size + length > BATCH_BYTES_MAX:
            batches.append([])
            size = 0
        batches[-1].append(made)
        size += length
    return tuple([_signed_batch(session, batch) for batch in batches])


def submit_prepared(session: Session, prepared: Prepared) -> Procedure[tuple[Registration | Refusal, ...]]:
    """One outcome per listing, in order. May be repeated: the outcomes are the same."""
    final = yield from send(session, prepared.submission)
    rows = zip(prepared.listings, prepared.dossiers, final.receipts, strict=True)
    return tuple([_outcome(listing, dossier, receipt, final.height) for listing, dossier, receipt in rows])


def canonical_listings(
    session: Session, listings: Sequence[Listing], *, known: dict[str, str] | None = None
) -> Procedure[tuple[Listing, ...]]:
    """The listings with parties under the ids that the ledger has them by, not an alias: do this before registering.

    A duplicate that names its debtor otherwise would only be found for review. `known`: see `aliases.canonical`.
    """
    named = yield from canonical(session, [listing.particulars for listing in listings], known=known)
    return tuple([replace(one, particulars=known) for one, known in zip(listings, named, strict=True)])


def register(session: Session, listing: Listing) -> Procedure[Registration]:
    """Register one receivable. Raises `Refused` (for instance `duplicate`)."""
    (outcome,) = yield from register_all(session, [listing])
    if isinstance(outcome, Refusal):
        raise Refused(outcome.receipt)
    return outcome


def register_all(session: Session, listings: Sequence[Listing]) -> Procedure[tuple[Registration | Refusal, ...]]:
    """Register many, each on its own, in batches under one signature each; one outcome per listing, in order.

    Parties are named by the ids that the ledger has them by: see `canonical_listings`. Raises `Interrupted`, which
    holds all that is needed to go on.
    """
    batches = prepare(session, listings)
    outcomes: list[Registration | Refusal] = []
    for index, batch in enumerate(batches):
        try:
            outcomes += yield from submit_prepared(session, batch)
        except ClientError as error:
            raise Interrupted(error, tuple(outcomes), batches[index:]) from error
    return tuple(outcomes)


def offer(
    session: Session,
    receivable: bytes,
    *,
    to: str,
    share: int,
    terms: bytes,
    valid_until_ms: int,
    form: str = "factoring",
    import_factor: str = "",
) -> Procedure[Offered]:
    """Offer `share` (of WHOLE) to financier `to`; `terms` is the digest of the agreed terms, 32 bytes.

    `form` is one of `registry.records.FORMS`, `import_factor` the other factor where there are two.
    """
    operation = Offer(
        receivable=receivable,
        to=to,
        share=share,
        terms_digest=terms,
        valid_until_ms=valid_until_ms,
        form=form,
        import_factor=import_factor,
    )
    final = yield from submit(session, [operation])
    receipt = accepted(final)
    return Offered(claim=receipt.subject, receivable=receivable, to=to, share=share, height=final.height)


def revoke(session: Session, claim: bytes) -> Procedure[Receipt]:
    """Withdraw an offer that nobody has reserved yet."""
    return accepted((yield from submit(session, [Revoke(claim=claim)])))


def adjust(session: Session, receivable: bytes, *, reduction: int, document: bytes) -> Procedure[Receipt]:
    """A credit note over `reduction` (share of WHOLE); `document` is its digest, 32 bytes.

    Raises `Refused`: as `already_done` if that document has lowered this receivable before.
    """
    operation = Adjust(receivable=receivable, reduction_share=reduction, document_digest=document)
    return accepted((yield from submit(session, [operation])))


def expire(session: Session, receivable: bytes) -> Procedure[Receipt]:
    """End a receivable that nobody claims, once its due month is over: it was paid to this party, or came to nothing.

    It is expired then, or settled if part of it was paid to who had financed it. Raises `Refused` (`too_early`,
    `encumbered`, `disputed`).
    """
    return accepted((yield from submit(session, [Expire(receivable=receivable)])))


@dataclass(frozen=True, slots=True)
class Drafted:
    """A registration that is not signed yet, and the salts that open its commitments."""

    listing: Listing
    operation: Register
    salt: bytes
    debtor_salt: bytes

    def dossier(self, receivable: bytes) -> Dossier:
        """What its parties keep, once it is registered under this id."""
        return Dossier(
            receivable=receivable,
            particulars=self.listing.particulars,
            salt=self.salt,
            debtor_salt=self.debtor_salt,
            document=self.listing.document,
        )


def drafted(session: Session, listing: Listing) -> Drafted:
    """The registration of a listing with fresh salts. Raises `ClientError`."""
    salt, debtor_salt = secrets.token_bytes(32), secrets.token_bytes(32)
    return Drafted(listing, _operation(session, listing, salt, debtor_salt), salt, debtor_salt)


def _signed_batch(session: Session, batch: Sequence[Drafted]) -> Prepared:
    submission = signed(session, [made.operation for made in batch])
    dossiers = [made.dossier(subject_id(submission.transaction_id, index)) for index, made in enumerate(batch)]
    return Prepared(submission, tuple([made.listing for made in batch]), tuple(dossiers))


def _operation(session: Session, listing: Listing, salt: bytes, debtor_salt: bytes) -> Register:
    particulars = listing.particulars
    side = "debtor" if listing.kind == "payable" else "seller"  # a payable is registered by who owes it
    registrant = getattr(particulars, side)
    if registrant != session.party:
        raise ClientError(f"{side}: {registrant} is not {session.party}, whose key signs")
    due = particulars.due_date
    key = session.genesis.fingerprint_key
    prints = register_fingerprints(key, particulars)
    if listing.account:
        account = account_fingerprint(key, seller=particulars.seller, debtor=particulars.debtor)
        prints = (*prints, (ACCOUNT, account))
    return Register(
        kind=listing.kind,
        fingerprints=prints,
        commitment=particulars_commitment(particulars, salt, listing.document),
        debtor_commitment=debtor_commitment(salt=debtor_salt, identifier=particulars.debtor),
        seller_country=listing.seller_country,
        debtor_country=listing.debtor_country,
        laws=listing.laws,
        currency=particulars.currency,
        due_month=due.year * 100 + due.month if due else 0,
        grade=listing.grade,
        parents=listing.parents,
        references=(),
        supersedes=listing.supersedes,
    )


def _outcome(listing: Listing, dossier: Dossier, receipt: Receipt, height: int) -> Registration | Refusal:
    if not receipt.done:
        return Refusal(listing=listing, code=str(receipt.code), related=receipt.related, receipt=receipt, height=height)
    if receipt.subject != dossier.receivable:
        raise ProofInvalid("receipts: a registration created another id than it had to")
    return Registration(
        receivable=receipt.subject, matches=receipt.related, dossier=dossier, receipt=receipt, height=height
    )


class ExporterClient(Client):
    """Blocking client of an exporter."""

    def prepare(self, listings: Sequence[Listing]) -> tuple[Prepared, ...]:
        """Sign listings in batches and send nothing: keep their dossiers, then `submit` within ten minutes."""
        return prepare(self._session, listings)

    def submit(self, prepared: Prepared) -> tuple[Registration | Refusal, ...]:
        """Register what was prepared; one outcome per listing, in order. Repeat it after an error: nothing doubles."""
        return self._run(submit_prepared(self._session, prepared))

    def register(self, listing: Listing) -> Registration:
        """Register one receivable. Raises `Refused` (for instance `duplicate`), `Interrupted`."""
        return self._run(register(self._session, listing))

    def register_all(self, listings: Sequence[Listing]) -> tuple[Registration | Refusal, ...]:
        """Register many; one outcome per listing, in order. A refused one stops nothing. Raises `Interrupted`."""
        return self._run(register_all(self._session, listings))

    def offer(self, receivable: bytes, *, to: str, share: int, terms: bytes, valid_until_ms: int) -> Offered:
        """Offer `share` (of WHOLE) to financier `to` until `valid_until_ms`; `terms` is a 32-byte digest."""
        return self._run(
            offer(self._session, receivable, to=to, share=share, terms=terms, valid_until_ms=valid_until_ms)
        )

    def revoke(self, claim: bytes) -> Receipt:
        """Withdraw an offer that nobody has reserved yet."""
        return self._run(revoke(self._session, claim))

    def adjust(self, receivable: bytes, *, reduction: int, document: bytes) -> Receipt:
        """Record a credit note over `reduction` (share of WHOLE)."""
        return self._run(adjust(self._session, receivable, reduction=reduction, document=document))


class AsyncExporterClient(AsyncClient):
    """The same for asyncio."""

    def prepare(self, listings: Sequence[Listing]) -> tuple[Prepared, ...]:
        """As `ExporterClient.prepare`."""
        return prepare(self._session, listings)

    async def submit(self, prepared: Prepared) -> tuple[Registration | Refusal, ...]:
        """As `ExporterClient.submit`."""
        return await self._run(submit_prepared(self._session, prepared))

    async def register(self, listing: Listing) -> Registration:
        """As `ExporterClient.register`."""
        return await self._run(register(self._session, listing))

    async def register_all(self, listings: Sequence[Listing]) -> tuple[Registration | Refusal, ...]:
        """As `ExporterClient.register_all`."""
        return await self._run(register_all(self._session, listings))

    async def offer(self, receivable: bytes, *, to: str, share: int, terms: bytes, valid_until_ms: int) -> Offered:
        """As `ExporterClient.offer`."""
        return await self._run(
            offer(self._session, receivable, to=to, share=share, terms=terms, valid_until_ms=valid_until_ms)
        )

    async def revoke(self, claim: bytes) -> Receipt:
        """As `ExporterClient.revoke`."""
        return await self._run(revoke(self._session, claim))

    async def adjust(self, receivable: bytes, *, reduction: int, document: bytes) -> Receipt:
        """As `ExporterClient.adjust`."""
        return await self._run(adjust(self._session, receivable, reduction=reduction, document=document))
