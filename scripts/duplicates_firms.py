"""Who trades in the duplicate benchmark: sellers and debtors in many countries, each known under several ids."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from random import Random

from demo_cast import AUTHORITIES, demo_key, demo_owner_key, synthetic_lei
from stdnum.cn import uscc

from registry.codec import digest
from registry.genesis import AuthorityEntry, Genesis, Parameters
from registry.parties import Party, validate_party

__all__ = ["CREATED_MS", "CURRENCIES", "Firm", "Firms", "firms", "genesis_of"]

CREATED_MS = 1_798_761_600_000  # 2027-01-01: the portfolio is two years old when it is brought in

# country -> (currencies it invoices in, the most usual first; how often as a seller; how often as a debtor)
CURRENCIES = {
    "CN": (("CNY", "USD", "EUR"), 6, 1),
    "VN": (("VND", "USD"), 4, 1),
    "DE": (("EUR",), 3, 5),
    "AE": (("AED", "USD"), 1, 3),
    "US": (("USD",), 2, 5),
    "JP": (("JPY",), 1, 2),
    "KW": (("KWD", "USD"), 1, 1),
    "BR": (("BRL", "USD"), 1, 1),
    "IN": (("INR", "USD"), 2, 1),
    "GB": (("GBP",), 1, 2),
}


@dataclass(frozen=True, slots=True)
class Firm:
    """One firm. `id` names it on the ledger, `alias` is its other id in the table of aliases; `unlisted` is an id under
    which it is taken for another firm, because nobody has told the ledger.
    """

    id: str
    alias: str
    unlisted: str
    country: str


@dataclass(frozen=True)
class Firms:
    """Everybody in a portfolio."""

    sellers: tuple[Firm, ...]
    debtors: tuple[Firm, ...]

    def of(self, identifier: str) -> Firm:
        """The firm with this id, whichever of its ids it is."""
        return self._by_id[identifier]

    @cached_property
    def _by_id(self) -> dict[str, Firm]:
        everybody = (*self.sellers, *self.debtors)
        return {identifier: firm for firm in everybody for identifier in (firm.id, firm.alias, firm.unlisted)}


def firms(rng: Random, *, sellers: int, debtors: int) -> Firms:
    """So many sellers and debtors; every country's turn comes by its weight."""
    return Firms(
        tuple(_firm(rng, f"seller {number}", _country(number, 0)) for number in range(sellers)),
        tuple(_firm(rng, f"debtor {number}", _country(number, 1)) for number in range(debtors)),
    )


def genesis_of(cast: Firms, seed: int) -> Genesis:
    """A network of the demonstration's four authorities, on which all these firms are parties."""
    members = [
        _party(name, party, (party,), country, "authority", "financier") for _, party, name, country in AUTHORITIES
    ]
    for firm in cast.sellers:
        members.append(_party("Seller", firm.id, (firm.id, firm.alias), firm.country, "exporter"))
        members.append(_party("The same seller again", firm.unlisted, (firm.unlisted,), firm.country, "exporter"))
    members += [_party("Debtor", firm.id, (firm.id, firm.alias), firm.country, "debtor") for firm in cast.debtors]
    return Genesis(
        name="duplicates benchmark",
        created_ms=CREATED_MS,
        authorities=tuple(
            AuthorityEntry(
                party=party,
                consensus_key=demo_key(f"consensus {name}").public_key,
                transport_certificate=name.encode(),
                address=f"{name}.example:7001",
            )
            for name, party, *_ in AUTHORITIES
        ),
        observers=(),
        parties=tuple(members),
        parameters=Parameters(),
        fingerprint_key=digest(f"duplicates benchmark {seed}".encode()),
    )


def _country(number: int, column: int) -> str:
    turns = [country for country, row in CURRENCIES.items() for _ in range(row[1:][column])]
    return turns[number * 17 % len(turns)]  # a step without a common factor: neighbours differ


def _firm(rng: Random, name: str, country: str) -> Firm:
    lei, second = synthetic_lei(f"{name} {rng.random()}"), synthetic_lei(f"{name} again {rng.random()}")
    digits = f"{rng.randrange(10**9, 10**10)}"
    if country == "CN":
        body = f"91{rng.randrange(110000, 660000)}{digits[:9]}"
        return Firm(f"uscc:{body}{uscc.calc_check_digit(body)}", lei, second, country)
    national = f"vat:DE{digits[:9]}" if country == "DE" else f"tax:{country}{digits}"
    return Firm(lei, national, second, country)


def _party(name: str, party: str, identifiers: tuple[str, ...], country: str, *roles: str) -> Party:
    made = Party(
        id=party,
        name=name,
        country=country,
        identifiers=identifiers,
        roles=roles,
        sign_keys=(demo_key(party).public_key,),
        owner_key=demo_owner_key(party).public_key,
    )
    validate_party(made)
    return made
