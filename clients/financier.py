"""For an assignee (financier): search, reserve, fund, hand on, release. What it pays out on is verified first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clients import governance, reads
from clients.base import AsyncClient, Client
from clients.dossier import Dossier
from clients.errors import ClientError, ProofInvalid
from clients.exchange import Procedure, posted
from clients.parts import CheckedDossier, PartFinding, part_finding
from clients.recent import recent
from clients.session import Draft, Session, accepted, compose, resume, submit
from clients.verify import Final
from registry.fingerprint import (
    ACCOUNT,
    BLANKET_KIND,
    Particulars,
    account_fingerprint,
    blanket_mark,
    register_fingerprints,
    search_fingerprints,
)
from registry.receipts import Receipt
from registry.records import Claim, Receivable
from registry.transactions.claims import Discharge, Fund, Reassign, Release, Reserve
from registry.transactions.envelope import ALL
from registry.transactions.governance import Admit
from registry.transactions.operations import Operation

__all__ = ["AsyncFinancierClient", "FinancierClient", "certified"]

RESERVE_MS = 10 * 60 * 1000  # default time to live of a reservation


def search(session: Session, particulars: Particulars, *, purpose: str) -> Procedure[dict[str, Any]]:
    """Search every kind of fingerprint these particulars have; the certificate's JSON, verified and fresh.

    Where the seller is known, blankets over its receivables as well: those matches are facilities, whoever holds them.
    Raises `Stale` (`Session.fresh`).
    """
    prints = search_fingerprints(session.genesis.fingerprint_key, particulars)
    if particulars.seller:
        prints = (*prints, (BLANKET_KIND, blanket_mark(particulars.seller)))
    return (yield from certified(session, prints, purpose=purpose))


def certified(session: Session, prints: Sequence[tuple[str, bytes]], *, purpose: str) -> Procedure[dict[str, Any]]:
    """The certificate of a search for these (kind, fingerprint), at most SEARCH_MAX, as `search` says of it."""
    body = {
        "fingerprints": [{"kind": kind, "fingerprint": fingerprint.hex()} for kind, fingerprint in prints],
        "purpose": purpose,
    }

    def read(certificate: dict[str, Any]) -> dict[str, Any]:
        checked = session.trust.search_certificate(certificate)
        if [(finding.kind, finding.fingerprint) for finding in checked.findings] != list(prints):
            raise ProofInvalid("results: the certificate answers another question")
        if (checked.requester, checked.purpose) != (session.party, purpose):
            raise ProofInvalid("requester: the certificate was not made for this party and purpose")
        session.fresh(checked.timestamp_ms)
        return certificate

    return (yield from recent(posted("/v1/search", body), read))


def check_dossier(session: Session, dossier: Dossier, parents: Sequence[Dossier] = ()) -> Procedure[CheckedDossier]:
    """The ledger's record, if it is about exactly this dossier. Raises `ClientError` naming what differs.

    An assignor could show one invoice and register another: the commitments and every fingerprint must agree. So must
    those of `parents`, the dossiers of what it is a part of, if this party may read their records; whether it is as
    large a part of each as the ledger was told, `parts` says, or why that was not compared.
    """
    record = yield from reads.receivable(session, dossier.receivable)
    if record is None:
        raise ClientError("dossier: no such receivable on the ledger")
    _agree(session, record, dossier, "dossier")
    at_hand = {parent.receivable: parent for parent in parents}
    if others := set(at_hand) - {link.receivable for link in record.parents}:
        raise ClientError(f"parents: {min(others).hex()} is no parent of this receivable")
    parts: list[PartFinding] = []
    for link in record.parents:
        parent = at_hand.get(link.receivable)
        whole = None if parent is None else (yield from reads.receivable(session, link.receivable))
        if parent is not None and whole is not None:
            _agree(session, whole, parent, f"dossier of the parent {parent.receivable.hex()}")
        parts.append(part_finding(link, dossier, parent, proved=whole is not None))
    return CheckedDossier(record=record, parts=tuple(parts))


def _agree(session: Session, record: Receivable, dossier: Dossier, name: str) -> None:
    """Return if the record is about exactly this dossier; else raise `ClientError`."""
    if record.commitment != dossier.commitment:
        raise ClientError(f"{name}: particulars: the record commits to others")
    if record.debtor_commitment != dossier.debtor_commitment:
        raise ClientError(f"{name}: debtor: the record commits to another")
    side = "debtor" if record.kind == "payable" else "seller"
    if record.registrant != getattr(dossier.particulars, side):
        raise ClientError(f"{name}: {side}: the record was registered by another party")
    key, known = session.genesis.fingerprint_key, dossier.particulars
    account = (ACCOUNT, account_fingerprint(key, seller=known.seller, debtor=known.debtor))
    expected = register_fingerprints(key, known)
    if sorted(each for each in record.fingerprints if each != account) != sorted(expected):
        raise ClientError(f"{name}: fingerprints: the record's are not those of these particulars")


def reserve(session: Session, claim: bytes, *, ttl_ms: int = RESERVE_MS) -> Procedure[Receipt]:
    """Reserve an offer made to this party. Raises `Refused` (for instance `over_residual`)."""
    return accepted((yield from submit(session, [Reserve(claim=claim, ttl_ms=ttl_ms)])))


def fund(session: Session, claim: bytes, *, acknowledged: Sequence[bytes] = ()) -> Procedure[Receipt]:
    """Fund a reserved claim; `acknowledged` are the matches this financier has looked at. Raises `Refused`."""
    return accepted((yield from submit(session, [Fund(claim=claim, acknowledged=tuple(sorted(acknowledged)))])))


def finance(session: Session, claim: bytes, *, acknowledged: Sequence[bytes] = ()) -> Procedure[Final]:
    """Reserve and fund in one transaction, all or none. Raises `Refused`: then nothing was recorded but the refusal."""
    operations: list[Operation] = [
        Reserve(claim=claim, ttl_ms=RESERVE_MS),
        Fund(claim=claim, acknowledged=tuple(sorted(acknowledged))),
    ]
    final = yield from submit(session, operations, mode=ALL)
    accepted(final)
    return final


def release(session: Session, claim: bytes) -> Procedure[Receipt]:
    """Give a claim up."""
    return accepted((yield from submit(session, [Release(claim=claim)])))


def discharge(session: Session, claim: bytes, *, share: int) -> Procedure[Receipt]:
    """Record that `share` (of WHOLE) of the claim was paid."""
    return accepted((yield from submit(session, [Discharge(claim=claim, share=share)])))


def compose_reassignment(session: Session, claim: bytes, *, to: str, taker_key: bytes) -> Draft:
    """A reassignment to party `to`, for this holder and the taker (its signing key) to sign."""
    signers = [session.signer.public_key, taker_key]
    return compose(session.genesis, [Reassign(claim=claim, to=to)], signers=signers, mode=ALL)


def send_draft(session: Session, made: Draft, signatures: Mapping[bytes, bytes]) -> Procedure[Final]:
    """Submit a draft that all have signed. Raises `Refused` if a rule refuses any of it."""
    return (yield from resume(session, made.sealed(session.genesis, signatures)))


class FinancierClient(Client):
    """Blocking client of a financier."""

    def search(self, particulars: Particulars, *, purpose: str) -> dict[str, Any]:
        """Search by particulars; the verified certificate as JSON, to keep as evidence."""
        return self._run(search(self._session, particulars, purpose=purpose))

    def check_dossier(self, dossier: Dossier, parents: Sequence[Dossier] = ()) -> CheckedDossier:
        """The proved record, if it is about exactly this dossier, and what was found of the parts it is said to be.

        `parents` are dossiers of what it is a part of. Raises `ClientError` naming what differs.
        """
        return self._run(check_dossier(self._session, dossier, parents))

    def claims(self, receivable: bytes) -> tuple[Claim, ...]:
        """The claims on a receivable that this party may see, proved."""
        return self._run(reads.claims(self._session, receivable))

    def reserve(self, claim: bytes, *, ttl_ms: int = RESERVE_MS) -> Receipt:
        """Reserve an offer made to this party. Raises `Refused` (for instance `over_residual`)."""
        return self._run(reserve(self._session, claim, ttl_ms=ttl_ms))

    def fund(self, claim: bytes, *, acknowledged: Sequence[bytes] = ()) -> Receipt:
        """Fund a reserved claim; `acknowledged` are the matches looked at. Raises `Refused`."""
        return self._run(fund(self._session, claim, acknowledged=acknowledged))

    def finance(self, claim: bytes, *, acknowledged: Sequence[bytes] = ()) -> Final:
        """Reserve and fund at once, all or none. Raises `Refused`."""
        return self._run(finance(self._session, claim, acknowledged=acknowledged))

    def release(self, claim: bytes) -> Receipt:
        """Give a claim up."""
        return self._run(release(self._session, claim))

    def discharge(self, claim: bytes, *, share: int) -> Receipt:
        """Record that `share` (of WHOLE) of the claim was paid."""
        return self._run(discharge(self._session, claim, share=share))

    def compose_reassignment(self, claim: bytes, *, to: str, taker_key: bytes) -> Draft:
        """A reassignment for this holder and the taker to sign (`Draft.sign`)."""
        return compose_reassignment(self._session, claim, to=to, taker_key=taker_key)

    def send(self, made: Draft, signatures: Mapping[bytes, bytes]) -> Final:
        """Submit a draft that all have signed (signatures by public key). Raises `Refused`."""
        return self._run(send_draft(self._session, made, signatures))

    def propose_admissions(self, admissions: Sequence[Admit]) -> tuple[bytes, ...]:
        """As an authority: propose to admit parties; the proposals' ids. Raises `FieldError`, `Refused`."""
        return self._run(governance.propose_admissions(self._session, admissions))

    def approve(self, proposals: Sequence[bytes]) -> tuple[Receipt, ...]:
        """As an authority: approve proposals. Raises `Refused`."""
        return self._run(governance.approve(self._session, proposals))


class AsyncFinancierClient(AsyncClient):
    """The same for asyncio."""

    async def search(self, particulars: Particulars, *, purpose: str) -> dict[str, Any]:
        """As `FinancierClient.search`."""
        return await self._run(search(self._session, particulars, purpose=purpose))

    async def check_dossier(self, dossier: Dossier, parents: Sequence[Dossier] = ()) -> CheckedDossier:
        """As `FinancierClient.check_dossier`."""
        return await self._run(check_dossier(self._session, dossier, parents))

    async def claims(self, receivable: bytes) -> tuple[Claim, ...]:
        """As `FinancierClient.claims`."""
        return await self._run(reads.claims(self._session, receivable))

    async def reserve(self, claim: bytes, *, ttl_ms: int = RESERVE_MS) -> Receipt:
        """As `FinancierClient.reserve`."""
        return await self._run(reserve(self._session, claim, ttl_ms=ttl_ms))

    async def fund(self, claim: bytes, *, acknowledged: Sequence[bytes] = ()) -> Receipt:
        """As `FinancierClient.fund`."""
        return await self._run(fund(self._session, claim, acknowledged=acknowledged))

    async def finance(self, claim: bytes, *, acknowledged: Sequence[bytes] = ()) -> Final:
        """As `FinancierClient.finance`."""
        return await self._run(finance(self._session, claim, acknowledged=acknowledged))

    async def release(self, claim: bytes) -> Receipt:
        """As `FinancierClient.release`."""
        return await self._run(release(self._session, claim))

    async def discharge(self, claim: bytes, *, share: int) -> Receipt:
        """As `FinancierClient.discharge`."""
        return await self._run(discharge(self._session, claim, share=share))

    def compose_reassignment(self, claim: bytes, *, to: str, taker_key: bytes) -> Draft:
        """As `FinancierClient.compose_reassignment`."""
        return compose_reassignment(self._session, claim, to=to, taker_key=taker_key)

    async def send(self, made: Draft, signatures: Mapping[bytes, bytes]) -> Final:
        """As `FinancierClient.send`."""
        return await self._run(send_draft(self._session, made, signatures))

    async def propose_admissions(self, admissions: Sequence[Admit]) -> tuple[bytes, ...]:
        """As `FinancierClient.propose_admissions`."""
        return await self._run(governance.propose_admissions(self._session, admissions))

    async def approve(self, proposals: Sequence[bytes]) -> tuple[Receipt, ...]:
        """As `FinancierClient.approve`."""
        return await self._run(governance.approve(self._session, proposals))
