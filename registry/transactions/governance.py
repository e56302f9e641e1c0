"""Operations on the network itself: authorities propose a change and approve it (registry.md 3)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar, TypeAlias

from registry.codec import Value
from registry.errors import FieldError
from registry.parties import Party, validate_party
from registry.transactions.disputes import OUTCOME, reduction
from registry.transactions.fields import Field, Ref, digest, language, ref, row

__all__ = ["Admit", "Approve", "Award", "Change", "Propose", "change_from", "change_value"]


@dataclass(frozen=True, slots=True)
class Admit:
    """A change: `party` becomes a member, with its identifiers, roles and keys."""

    party: Party


@dataclass(frozen=True, slots=True)
class Award:
    """A change: the authorities, as registrars, execute the award (or judgment) that ends a dispute at its last rung.

    `outcome` is one of "dismissed", "reduced" (by `reduction_share`, else 0) and "voided".
    """

    dispute: bytes
    outcome: str
    reduction_share: int
    award_digest: bytes
    language: str


Change: TypeAlias = Admit | Award


def change_value(change: Change) -> list[Value]:
    """The change as it stands in a transaction and in a proposal: ["admit", party] or ["award", dispute, ...]."""
    if isinstance(change, Award):
        return ["award", *(getattr(change, field.name) for field in fields(Award))]
    return ["admit", change.party.encode()]


def change_from(value: Value, field: str) -> Change:
    """The change of an encoding. Raises `FieldError`, also for a party that may not be admitted (bad check digits)."""
    if type(value) is list and value and value[0] == "award":
        return _award(value, f"{field}.award")
    if type(value) is not list or len(value) != 2 or value[0] != "admit":
        raise FieldError(field, 'is ["admit", party], or ["award", dispute, ...]')
    try:
        party = Party.decode(value[1])
        validate_party(party)
    except FieldError as error:
        raise FieldError(f"{field}.party.{error.field}", error.reason) from error
    if party.suspended:
        raise FieldError(f"{field}.party.suspended", "a party is not admitted suspended")
    return Admit(party)


def _award(value: list[Value], field: str) -> Award:
    _, dispute, outcome, reduction_share, award_digest, tongue = row(value, field, width=6)
    return Award(
        digest(dispute, f"{field}.dispute"),
        OUTCOME(outcome, f"{field}.outcome"),
        reduction(reduction_share, f"{field}.reduction_share"),
        digest(award_digest, f"{field}.award_digest"),
        language(tongue, f"{field}.language"),
    )


@dataclass(frozen=True, slots=True)
class Propose:
    """An authority proposes a change; that is its approval too. Creates a proposal."""

    NAME: ClassVar = "propose"
    FIELDS: ClassVar = (Field("change", change_from),)

    change: Change


@dataclass(frozen=True, slots=True)
class Approve:
    """An authority approves a proposal. The change is in force at the height after more than two thirds have."""

    NAME: ClassVar = "approve"
    FIELDS: ClassVar = (Field("proposal", ref),)

    proposal: Ref
