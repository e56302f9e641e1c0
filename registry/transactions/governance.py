"""Operations on the network itself: authorities propose a change and approve it (registry.md 3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from registry.codec import Value
from registry.errors import FieldError
from registry.parties import Party, validate_party
from registry.transactions.contacts import OpenContact
from registry.transactions.fields import Field, Ref, ref, row

__all__ = ["Admit", "Approve", "Change", "Propose", "change_from", "change_value"]


@dataclass(frozen=True, slots=True)
class Admit:
    """A change: `party` becomes a member, with its identifiers, roles and keys."""

    party: Party

    @property
    def subject(self) -> str:
        """The id of the party, for events."""
        return self.party.id


Change: TypeAlias = Admit | OpenContact


def change_value(change: Change) -> list[Value]:
    """The change as it stands in a transaction and a proposal: ["admit", party] or ["open_contact", contact, ...]."""
    if isinstance(change, OpenContact):
        return [change.NAME, *(getattr(change, name) for name, _ in change.FIELDS)]
    return ["admit", change.party.encode()]


def change_from(value: Value, field: str) -> Change:
    """The change of an encoding. Raises `FieldError`, also for a party that may not be admitted (bad check digits)."""
    if type(value) is list and value and value[0] == OpenContact.NAME:
        return _open_contact(value, field)
    if type(value) is not list or len(value) != 2 or value[0] != "admit":
        raise FieldError(field, 'is ["admit", party], or ["open_contact", contact, ...]')
    try:
        party = Party.decode(value[1])
        validate_party(party)
    except FieldError as error:
        raise FieldError(f"{field}.party.{error.field}", error.reason) from error
    if party.suspended:
        raise FieldError(f"{field}.party.suspended", "a party is not admitted suspended")
    return Admit(party)


def _open_contact(value: Value, field: str) -> OpenContact:
    _, *rest = row(value, field, width=len(OpenContact.FIELDS) + 1)
    fields = zip(OpenContact.FIELDS, rest, strict=True)
    return OpenContact(*[read(item, f"{field}.{name}") for (name, read), item in fields])


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
