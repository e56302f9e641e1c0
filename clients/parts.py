"""Whether a receivable is the part of its parent that the ledger was told (registry.md 4).

A link's shares are the registrant's word, and no amount is on the ledger: too small a part of an order or an invoice
leaves room to finance the rest of it once more. Whoever has both dossiers can compare.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from clients.dossier import Dossier
from registry.money import WHOLE, Money, percent
from registry.records import Link, Receivable

__all__ = ["CheckedDossier", "PartFinding", "part_finding"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFinding:
    """What was found of one link to a `parent`: "agrees", "differs" (then do not pay out on it) or "not_compared".

    `reason` says why, with the amounts. `proved` if the parent's amount is the one that its record commits to, and not
    only what its dossier says, which who may not read that record cannot tell.
    """

    parent: bytes
    finding: Literal["agrees", "differs", "not_compared"]
    proved: bool
    reason: str

    def __str__(self) -> str:
        return f"{self.finding.replace('_', ' ')}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedDossier:
    """The ledger's record of a dossier, and for each link to a parent, in its order, what was found of that."""

    record: Receivable
    parts: tuple[PartFinding, ...]


def part_finding(link: Link, child: Dossier, parent: Dossier | None, *, proved: bool) -> PartFinding:
    """Compare a link with the amounts in the dossiers of its two ends; less than a minor unit apart is rounding."""

    def found(finding: Literal["agrees", "differs", "not_compared"], reason: str) -> PartFinding:
        return PartFinding(parent=link.receivable, finding=finding, proved=proved, reason=reason)

    if parent is None:
        return found("not_compared", "the parent's dossier is not at hand")
    part, whole = child.particulars, parent.particulars
    if part.currency != whole.currency:
        return found("not_compared", f"the amounts are in {part.currency} and in {whole.currency}")
    apart = part.amount_minor * link.part_of_child - whole.amount_minor * link.part_of_parent
    asks, of = Money(part.currency, part.amount_minor), Money(whole.currency, whole.amount_minor)
    reason = f"{percent(link.part_of_child)} of {asks} is held against {percent(link.part_of_parent)} of {of}"
    if not proved:
        reason += ", as the parent's dossier has it: its record is not for this party"
    return found("agrees" if abs(apart) < max(WHOLE, whole.amount_minor) else "differs", reason)
