"""Deemed acceptance: where a debtor's silence counts as acceptance, and after how long. Data, and one question to it.

A country that is not in the table has no such rule here. Every rule is about invoices under the country's own law, so
both seller and debtor must be of that country. `days` is the statute's period. The ledger knows no holidays: it waits
`wait_days` times 24 hours from receipt, which is longer than the period in any time zone and with four holidays on end,
so that nothing is deemed too early; a court may find that it was accepted some days before.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from registry.records import Receivable

__all__ = ["DEEMED", "Deemed", "waits_ms"]

DAY_MS: Final = 86_400_000
INVOICES: Final = frozenset({"invoice", "instalment"})  # an order or a shipment is nothing to be accepted by silence


class Deemed(NamedTuple):
    """One country's rule. `confidence` is "high", "medium" or "low".

    `unit` says how `days` are counted: "calendar", "business", or "calendar to business" if a last day without
    business moves to the next one with.
    """

    days: int
    unit: str
    wait_days: int
    citation: str
    confidence: str
    checked: str
    remark: str


DEEMED: Final[Mapping[str, Deemed]] = MappingProxyType(
    {
        "CL": Deemed(
            days=8,
            unit="calendar",
            wait_days=9,
            citation="Ley 19.983 art. 3, as amended by Ley 20.956 art. 4",
            confidence="high",
            checked="2026-11-26",
            remark="Irrevocably accepted unless claimed against within eight consecutive days of receipt.",
        ),
        "CO": Deemed(
            days=3,
            unit="business",
            wait_days=12,
            citation="Decreto 1074/2015 art. 2.2.2.53.4, as set by Decreto 1154/2020; Codigo de Comercio art. 773",
            confidence="medium",
            checked="2026-11-26",
            remark="Runs from receipt of the goods or the service, which the notice must not precede.",
        ),
        "PE": Deemed(
            days=8,
            unit="business",
            wait_days=19,
            citation="Ley 29623 art. 7; Decreto de Urgencia 013-2020 art. 7",
            confidence="medium",
            checked="2026-11-26",
            remark="Presumed conforming. Later law counts calendar days for some invoices; the longer count is used.",
        ),
        "BR": Deemed(
            days=10,
            unit="calendar to business",
            wait_days=17,
            citation="Lei 5.474/1968 arts. 1, 7 and 15; Lei 13.775/2018; Codigo Civil art. 132",
            confidence="low",
            checked="2026-11-26",
            remark="Acceptance is presumed from delivery without a refusal in time: delivery must be proved as well.",
        ),
    }
)


def waits_ms(receivable: Receivable, debtor_country: str) -> int | None:
    """How long after receipt silence is acceptance, in ms; None where it never is. The debtor's country decides."""
    rule = DEEMED.get(debtor_country)
    if rule is None or receivable.kind not in INVOICES or receivable.seller_country != debtor_country:
        return None
    return rule.wait_days * DAY_MS
