"""Who may do what: one closed table. A route names its `Resource`; what is not in the table is refused.

For single records the table only says who may ask; what is shown depends on whose they are:

- a receivable: its registrant, its confirmed debtor, everyone it was offered to, every factor ever of a claim on it;
- a claim: its assignor, whom it was offered to, who held it, its import factor, registrant and confirmed debtor of
  its receivable;
- a contact: who stands on either side of it, who asked or answered, whom its opening names;
- a record of a family: the parties that it says it concerns; where the family says of which receivable it is (a
  dispute, an external claim), also whoever may see that; where of which claim (filings, notices), also its holder;
- regulators and the operator of the node see all (`registry.md` 3: a regulator's node verifies everything).

What a caller may not see is answered exactly like what does not exist.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from node.api.problems import Problem
from registry.parties import ROLES, Party
from registry.records import Claim, Receivable

__all__ = [
    "ACCESS",
    "OPERATOR",
    "Caller",
    "Resource",
    "may_see_claim",
    "may_see_receivable",
    "require",
]

OPERATOR: Final = "operator"  # beside the roles of parties: whoever holds the node's token


class Resource(Enum):
    """What the API has."""

    SUBMIT = "submit transactions"
    RECEIPTS = "read receipts"
    GENESIS = "read the genesis file"
    BLOCKS = "read blocks"
    PARTIES = "read parties"
    RECEIVABLES = "read receivables"
    CLAIMS = "read claims"
    RECORDS = "read records"
    SEARCH = "search"
    CERTIFICATES = "read certificates"
    EVENTS = "listen to events"
    OPERATIONS = "read what can be done"
    STATUS = "read the node's status"
    METRICS = "read the node's metrics"
    BACKUP = "copy the node's ledger"


_ANYONE: Final = ROLES | {OPERATOR}

ACCESS: Final[Mapping[Resource, frozenset[str]]] = MappingProxyType(
    {
        # The ledger judges the signatures inside; who carries a transaction here does not matter.
        Resource.SUBMIT: _ANYONE,
        # Whoever knows the id of a transaction (a digest over its random nonce) made it or was given it.
        Resource.RECEIPTS: _ANYONE,
        Resource.GENESIS: _ANYONE,  # not for strangers: it holds the key of the fingerprints
        Resource.BLOCKS: _ANYONE,
        Resource.PARTIES: _ANYONE,
        Resource.RECEIVABLES: _ANYONE,
        Resource.CLAIMS: _ANYONE,
        Resource.RECORDS: _ANYONE,
        Resource.SEARCH: frozenset({"financier", "regulator", "authority", "exporter", OPERATOR}),
        Resource.CERTIFICATES: frozenset({"financier", "regulator", "authority", "exporter", OPERATOR}),
        Resource.EVENTS: _ANYONE,
        Resource.OPERATIONS: _ANYONE,
        Resource.STATUS: _ANYONE,
        Resource.METRICS: frozenset({OPERATOR}),
        Resource.BACKUP: frozenset({OPERATOR}),
    }
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request: a party, or the operator of this node (`party` is None then)."""

    party: Party | None

    @property
    def name(self) -> str:
        """The party's id, or "operator"."""
        return OPERATOR if self.party is None else self.party.id

    @property
    def roles(self) -> Iterable[str]:
        """The roles that the table knows."""
        return (OPERATOR,) if self.party is None else self.party.roles

    @property
    def sees_all(self) -> bool:
        """Whether records of all parties are open to it."""
        return self.party is None or "regulator" in self.party.roles


def require(caller: Caller, resource: Resource) -> None:
    """Return if the table lets the caller do this. Raises `Problem`."""
    if ACCESS[resource].isdisjoint(caller.roles):
        raise Problem("not_authorised", f"{caller.name} has no role that may {resource.value}")


def may_see_receivable(caller: Caller, receivable: Receivable, claims: Iterable[Claim]) -> bool:
    """Whether `receivable`, on which `claims` were ever offered, is open to the caller."""
    return (
        caller.sees_all
        or caller.name in (receivable.registrant, receivable.debtor)
        or any(caller.name in (claim.holder, claim.import_factor, *claim.holders) for claim in claims)
    )


def may_see_claim(caller: Caller, claim: Claim, receivable: Receivable) -> bool:
    """Whether `claim` on `receivable` is open to the caller."""
    return (
        caller.sees_all
        or caller.name in (claim.assignor, claim.holder, claim.import_factor, receivable.registrant, receivable.debtor)
        or caller.name in claim.holders
    )
