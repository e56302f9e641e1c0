"""For a regulator: reads only. Its own observer node serves them, and every one is verified again here."""

from __future__ import annotations

from typing import Any

from clients import reads
from clients.base import AsyncClient, Client
from clients.exchange import Procedure, get
from clients.session import Session
from consensus.blocks import Header
from registry.records import Claim

__all__ = ["AsyncRegulatorClient", "RegulatorClient"]


def status(session: Session) -> Procedure[dict[str, Any]]:
    """What the node says of itself; claims, not proofs."""
    return (yield from get("/v1/status"))


class RegulatorClient(Client):
    """Blocking client of a regulator."""

    def header(self, height: int | None = None) -> Header:
        """The final header at `height`, or the latest one, verified."""
        return self._run(reads.header(self._session, height))

    def claims(self, receivable: bytes) -> tuple[Claim, ...]:
        """Every claim ever offered on a receivable, proved, and proved to be all."""
        return self._run(reads.all_claims(self._session, receivable))

    def status(self) -> dict[str, Any]:
        """What the node says of itself (height, peers, ...)."""
        return self._run(status(self._session))


class AsyncRegulatorClient(AsyncClient):
    """The same for asyncio."""

    async def header(self, height: int | None = None) -> Header:
        """As `RegulatorClient.header`."""
        return await self._run(reads.header(self._session, height))

    async def claims(self, receivable: bytes) -> tuple[Claim, ...]:
        """As `RegulatorClient.claims`."""
        return await self._run(reads.all_claims(self._session, receivable))

    async def status(self) -> dict[str, Any]:
        """As `RegulatorClient.status`."""
        return await self._run(status(self._session))
