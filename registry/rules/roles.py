"""Who may do what: the one table of roles (registry.md 3). Relations to a record (holder, registrant) come on top."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from registry.parties import Party

__all__ = ["MAY", "may"]

MAY: Final = MappingProxyType(
    {
        "register": frozenset({"exporter"}),
        "register_payable": frozenset({"debtor"}),  # buyer-led: the debtor registers what it owes
        "confirm": frozenset({"debtor"}),
        "reject": frozenset({"debtor"}),
        "adjust": frozenset({"exporter", "debtor"}),
        "expire": frozenset({"exporter", "debtor"}),
        "offer": frozenset({"exporter", "debtor"}),
        "revoke": frozenset({"exporter", "debtor"}),
        "attest": frozenset({"financier", "authority"}),
        "hold": frozenset({"financier"}),  # be offered, reserve, fund, take over
        "notify": frozenset({"exporter", "debtor", "financier"}),
        "acknowledge": frozenset({"debtor"}),
        "distinguish": frozenset({"debtor"}),
        "deem": frozenset({"exporter", "financier"}),
        "dispute": frozenset({"exporter", "debtor", "financier"}),  # with standing, see rules/standing.py
        "record_external": frozenset({"exporter", "debtor", "financier"}),  # see rules/external_claims.py
    }
)


def may(party: Party, action: str) -> bool:
    """Whether one of the party's roles allows the action."""
    return not MAY[action].isdisjoint(party.roles)
