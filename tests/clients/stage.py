"""Clients of every role on the shared network, blocking and asyncio alike, and invoices unlike any other."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from clients.base import AsyncClient
from clients.debtor import AsyncDebtorClient, DebtorClient
from clients.exporter import AsyncExporterClient, ExporterClient, Listing
from clients.financier import AsyncFinancierClient, FinancierClient
from clients.regulator import AsyncRegulatorClient, RegulatorClient
from registry.money import WHOLE
from registry.parties import Party
from registry.transactions.governance import Admit, admission
from tests.cast import AUTHORITIES, EXP_CN, IMP_DE, TERMS, Cast, key_of, listing, owner_of, party_of

Kind = Literal["blocking", "asyncio"]

_CLIENTS: dict[tuple[str, Kind], type] = {
    ("exporter", "blocking"): ExporterClient,
    ("exporter", "asyncio"): AsyncExporterClient,
    ("financier", "blocking"): FinancierClient,
    ("financier", "asyncio"): AsyncFinancierClient,
    ("debtor", "blocking"): DebtorClient,
    ("debtor", "asyncio"): AsyncDebtorClient,
    ("regulator", "blocking"): RegulatorClient,
    ("regulator", "asyncio"): AsyncRegulatorClient,
}
_numbers = itertools.count(1)


class Driven:
    """An asyncio client, called like a blocking one."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._runner = asyncio.Runner()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)

        def call(*arguments: Any, **named: Any) -> Any:
            made = method(*arguments, **named)
            return self._runner.run(made) if inspect.iscoroutine(made) else made

        return call

    def __enter__(self) -> Self:
        self._runner.run(self._client.__aenter__())
        return self

    def __exit__(self, *error: Any) -> None:
        self._runner.run(self._client.__aexit__(*error))
        self._runner.close()


@dataclass(frozen=True, slots=True)
class Stage:
    """Who acts on the shared network, in one of the two ways."""

    cast: Cast
    kind: Kind = "blocking"

    def exporter(self, party: str = EXP_CN, node: str = "f-cn", **settings: Any) -> Any:
        return self._client("exporter", node, {"party": party} | settings)

    def debtor(self, party: str = IMP_DE, node: str = "f-de", **settings: Any) -> Any:
        return self._client("debtor", node, {"party": party} | settings)

    def financier(self, name: str, node: str | None = None, **settings: Any) -> Any:
        return self._client("financier", node or name, {"party": AUTHORITIES[name][0]} | settings)

    def regulator(self, party: str, node: str = "f-gb", **settings: Any) -> Any:
        return self._client("regulator", node, {"party": party} | settings)

    def level(self) -> None:
        """As `Cast.level`."""
        self.cast.level()

    def _client(self, role: str, node: str, settings: dict[str, Any]) -> Any:
        nodes = [node, *(name for name in AUTHORITIES if name != node)]
        usual = {
            "genesis": self.cast.devnet.genesis,
            "urls": [self.cast.devnet.url(name) for name in nodes],
            "signer": key_of(settings["party"]),
        }
        made = _CLIENTS[role, self.kind](**(usual | settings))
        return Driven(made) if isinstance(made, AsyncClient) else made


def unlike(**changes: Any) -> Listing:
    """An invoice that matches no other one of these tests, unless `changes` make it."""
    number = next(_numbers)
    return listing(f"SDK-{number}", 100_000_000 + number * 1_009, **changes)


def until_ms() -> int:
    return time.time_ns() // 1_000_000 + 600_000


def offered(exporter: Any, receivable: bytes, to: str, share: int = WHOLE) -> bytes:
    """An offer to this financier; the claim's id."""
    made = exporter.offer(receivable, to=AUTHORITIES[to][0], share=share, terms=TERMS, valid_until_ms=until_ms())
    claim: bytes = made.claim
    return claim


def lei(body: str) -> str:
    """A valid LEI that begins with these 18 characters (ISO 17442: check digits by ISO 7064)."""
    digits = "".join(str(int(char, 36)) for char in body + "00")
    return f"{body}{98 - int(digits) % 97:02d}"


def newcomer(*roles: str, country: str = "DE") -> Party:
    """A party that is not on the ledger yet."""
    body = f"984500SDKPARTY{next(_numbers):04d}"
    return party_of(f"lei:{lei(body)}", country, *roles)


def admissions(stage: Stage, parties: Sequence[Party]) -> list[Admit]:
    """The changes that admit these parties, with the proofs of their keys."""
    chain = stage.cast.devnet.genesis.id
    return [admission(party, [key_of(party.id), owner_of(party.id)], chain) for party in parties]


def admit(stage: Stage, parties: Sequence[Party]) -> None:
    """By a quorum of the authorities; returns when all of them are on the ledger."""
    with stage.financier("f-cn") as proposer:
        proposals = proposer.propose_admissions(admissions(stage, parties))
        for name in ("f-sg", "f-de"):
            with stage.financier(name, "f-cn") as approver:
                approver.approve(proposals)


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def with_particulars(made: Listing, **changes: Any) -> Listing:
    return replace(made, particulars=replace(made.particulars, **changes))
