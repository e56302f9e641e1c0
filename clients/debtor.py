"""For a debtor (buyer, importer): confirm or reject a receivable that it holds the dossier of; tell two debts apart."""

from __future__ import annotations

from clients.base import AsyncClient, Client
from clients.dossier import Dossier
from clients.exchange import Procedure
from clients.session import Session, accepted, submit
from registry.money import WHOLE
from registry.receipts import Receipt
from registry.transactions.receivables import NO_DIGEST, Confirm, Distinguish, Reject

__all__ = ["AsyncDebtorClient", "DebtorClient", "confirm", "distinguish", "reject"]


def confirm(
    session: Session,
    dossier: Dossier,
    *,
    share: int = WHOLE,
    text: bytes = NO_DIGEST,
    waives_defences: bool = False,
    account: bytes = NO_DIGEST,
    language: str = "en",
) -> Procedure[Receipt]:
    """Confirm `share` (of WHOLE); `text` is the 32-byte digest of the wording that was shown, in `language`.

    `waives_defences` gives up defences and set-off against whoever finances; `account` commits to the account that
    will be paid (`Dossier.account_commitment`). By default nothing is waived and no account named.
    """
    operation = Confirm(
        receivable=dossier.receivable,
        salt=dossier.debtor_salt,
        identifier=dossier.particulars.debtor,
        commitment=dossier.commitment,
        share=share,
        text_digest=text,
        waives_defences=waives_defences,
        account_digest=account,
        language=language,
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


def distinguish(
    session: Session, receivable: bytes, other: bytes, *, text: bytes = NO_DIGEST, language: str = "en"
) -> Procedure[Receipt]:
    """State that two receivables that this debtor confirmed are two debts: it owes both, and both can be financed."""
    operation = Distinguish(receivable=receivable, other=other, text_digest=text, language=language)
    return accepted((yield from submit(session, [operation])))


class DebtorClient(Client):
    """Blocking client of a debtor."""

    def confirm(
        self,
        dossier: Dossier,
        *,
        share: int = WHOLE,
        text: bytes = NO_DIGEST,
        waives_defences: bool = False,
        account: bytes = NO_DIGEST,
        language: str = "en",
    ) -> Receipt:
        """Confirm the debt, or `share` of it; see `confirm`. Raises `Refused` (for instance `not_debtor`)."""
        return self._run(
            confirm(
                self._session,
                dossier,
                share=share,
                text=text,
                waives_defences=waives_defences,
                account=account,
                language=language,
            )
        )

    def reject(self, dossier: Dossier, *, reason: bytes = NO_DIGEST) -> Receipt:
        """Reject the debt: no new claims on it. Raises `Refused`."""
        return self._run(reject(self._session, dossier, reason=reason))


class AsyncDebtorClient(AsyncClient):
    """The same for asyncio."""

    async def confirm(
        self,
        dossier: Dossier,
        *,
        share: int = WHOLE,
        text: bytes = NO_DIGEST,
        waives_defences: bool = False,
        account: bytes = NO_DIGEST,
        language: str = "en",
    ) -> Receipt:
        """As `DebtorClient.confirm`."""
        return await self._run(
            confirm(
                self._session,
                dossier,
                share=share,
                text=text,
                waives_defences=waives_defences,
                account=account,
                language=language,
            )
        )

    async def reject(self, dossier: Dossier, *, reason: bytes = NO_DIGEST) -> Receipt:
        """As `DebtorClient.reject`."""
        return await self._run(reject(self._session, dossier, reason=reason))
