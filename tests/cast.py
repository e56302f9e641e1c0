"""One network of four real node processes for all tests that need one, and the cast of registry.md 12."""

from __future__ import annotations

import datetime
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from clients.debtor import DebtorClient
from clients.exporter import ExporterClient, Listing
from clients.financier import FinancierClient
from node.devnet import Devnet, Member, create
from registry.fingerprint import Particulars
from registry.keys import SigningKey
from registry.money import WHOLE
from registry.parties import Party

AUTHORITIES = {
    "f-cn": ("lei:984500CNFACTOR000128", "CN"),
    "f-sg": ("lei:984500SGBANK00000120", "SG"),
    "f-de": ("lei:984500DEBANK00000124", "DE"),
    "f-gb": ("lei:984500GBBANK00000140", "GB"),
}
EXP_CN, EXP_VN = "lei:984500TJEXPORT000197", "lei:984500VNEXPORT000180"
IMP_DE, IMP_AE = "lei:984500DEIMPORT000108", "lei:984500AEIMPORT000133"
LEVEL_WITHIN_S = 20.0
TERMS = hashlib.sha256(b"terms").digest()


def key_of(party: str) -> SigningKey:
    return SigningKey.from_seed(hashlib.sha256(b"scenario " + party.encode()).digest())


def owner_of(party: str) -> SigningKey:
    return SigningKey.from_seed(hashlib.sha256(b"scenario owner " + party.encode()).digest())


def party_of(party: str, country: str, *roles: str) -> Party:
    return Party(
        id=party,
        name=f"{party} (test)",
        country=country,
        identifiers=(party,),
        roles=tuple(sorted(roles)),
        sign_keys=(key_of(party).public_key,),
        owner_key=owner_of(party).public_key,
    )


@dataclass(frozen=True, slots=True)
class Cast:
    """The network, and a client for whoever acts."""

    devnet: Devnet

    def exporter(self, party: str = EXP_CN, node: str = "f-cn") -> ExporterClient:
        return ExporterClient(self.devnet.genesis, **self._access(party, node))

    def debtor(self, party: str = IMP_DE, node: str = "f-de") -> DebtorClient:
        return DebtorClient(self.devnet.genesis, **self._access(party, node))

    def financier(self, name: str, node: str | None = None) -> FinancierClient:
        return FinancierClient(self.devnet.genesis, **self._access(AUTHORITIES[name][0], node or name))

    def level(self) -> None:
        """Return once every node has what any of them has now: another one is read than was written to."""
        height = max(self.devnet.status(name)["height"] for name in AUTHORITIES)
        deadline = time.monotonic() + LEVEL_WITHIN_S
        while any(self.devnet.status(name)["height"] < height for name in AUTHORITIES):
            assert time.monotonic() < deadline, "not in time"

    def _access(self, party: str, node: str) -> dict[str, Any]:
        names = [node, *(name for name in AUTHORITIES if name != node)]
        return {"urls": [self.devnet.url(name) for name in names], "party": party, "signer": key_of(party)}


def network(folder: Path) -> Devnet:
    """Four authorities, not started yet."""
    members = [
        Member(name=name, party=party_of(party, country, "authority", "financier"), role="authority")
        for name, (party, country) in AUTHORITIES.items()
    ]
    parties = [
        party_of(EXP_CN, "CN", "exporter"),
        party_of(EXP_VN, "VN", "exporter"),
        party_of(IMP_DE, "DE", "debtor"),
        party_of(IMP_AE, "AE", "debtor"),
    ]
    return create(folder, members=members, parties=parties)


@pytest.fixture(scope="session")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cast]:
    with network(tmp_path_factory.mktemp("scenarios")) as devnet:
        devnet.start_all()
        yield Cast(devnet)


def listing(
    number: str,
    amount_minor: int,
    *,
    currency: str = "EUR",
    seller: str = EXP_CN,
    debtor: str = IMP_DE,
    issued: datetime.date | None = datetime.date(2026, 4, 1),
    due: datetime.date | None = datetime.date(2026, 7, 31),
    orders: tuple[str, ...] = (),
    transports: tuple[str, ...] = (),
    government_ids: tuple[str, ...] = (),
    **ledger: Any,
) -> Listing:
    """An invoice of the scenarios."""
    particulars = Particulars(
        seller=seller,
        debtor=debtor,
        number=number,
        currency=currency,
        amount_minor=amount_minor,
        issue_date=issued,
        due_date=due,
        orders=orders,
        transports=transports,
        government_ids=government_ids,
    )
    return Listing(particulars=particulars, seller_country="CN", debtor_country="DE", **ledger)


def offer_to(exporter: ExporterClient, receivable: bytes, name: str, share: int = WHOLE) -> bytes:
    """An offer of `share` to this financier; the claim's id."""
    until = time.time_ns() // 1_000_000 + 600_000
    return exporter.offer(receivable, to=AUTHORITIES[name][0], share=share, terms=TERMS, valid_until_ms=until).claim
