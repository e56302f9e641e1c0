"""For a debtor (buyer, importer): confirm or reject a receivable that it holds the dossier of."""

from __future__ import annotations

from clients.base import AsyncClient, Client
from clients.dossier import Dossier
from clients.exchange import Procedure
from clients.session import Session, accepted, submit
from registry.money import WHOLE
from registry.receipts import Receipt
from registry.transactions.receivables import Confirm, Reject

__all__ = ["AsyncDebtorClient", "DebtorClient"]

_NOTHING = bytes(32)  # digest of a text that was not given


def confirm(session: Session, dossier: Dossier, *, share: int, text: bytes) -> Procedure[Receipt]:
    """Confirm `share` (of WHOLE); `text` is the 32-byte digest of the wording that was shown."""
    operation = Confirm(
        receivable=dossier.receivable,
        salt=dossier.debtor_salt,
        identifier=dossier.particulars.debtor,
        commitment=dossier.commitment,
        share=share,
        text_digest=text,
    )
    return accepted((yield from submit(session, [operation])))


def reject(session: Session, dossier: Dossier, *, reason: bytes) -> Procedure[Receipt]:
    """Reject it; `reason` is the 32-byte digest of the reasons in words."""
    operation = Reject(
        receivable=dossier.receivable,
        salt=dossier.debtor_salt,
        identifier=dossier.particulars.debtor,
        reason_digest=reason,
    )
    return accepted((yield from submit(session, [operation])))


class DebtorClient(Client):
    """Blocking client of a debtor."""

    def confirm(self, dossier: Dossier, *, share: int = WHOLE, text: bytes = _NOTHING) -> Receipt:
        """Confirm the debt, or `share` of it. Raises `Refused` (for instance `not_debtor`)."""
        return self._run(confirm(self._session, dossier, share=share, text=text))

    def reject(self, dossier: Dossier, *, reason: bytes = _NOTHING) -> Receipt:
        """Reject the debt: no new claims on it. Raises `Refused`."""
        return self._run(reject(self._session, dossier, reason=reason))


class AsyncDebtorClient(AsyncClient):
    """The same for asyncio."""

    async def confirm(self, dossier: Dossier, *, share: int = WHOLE, text: bytes = _NOTHING) -> Receipt:
        """As `DebtorClient.confirm`."""
        return await self._run(confirm(self._session, dossier, share=share, text=text))

    async def reject(self, dossier: Dossier, *, reason: bytes = _NOTHING) -> Receipt:
        """As `DebtorClient.reject`."""
        return await self._run(reject(self._session, dossier, reason=reason))
