"""Operations on the network itself: authorities propose a change and approve it (registry.md 3).

A change stands in a transaction and in a proposal as the list [name, fields in order], like an operation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Final, TypeAlias, cast, get_args

from registry.codec import Value
from registry.errors import FieldError
from registry.identifiers import pinned_problem, split_identifier
from registry.keys import Signer, prove_possession
from registry.normalise import is_clean_text
from registry.parties import IDENTIFIERS_MAX, NAME_CHARS_MAX, ROLES, SIGN_KEYS_MAX, Party, validate_party
from registry.transactions.authorities import AdmitNode, DismissNode, SeatAuthority, UnseatAuthority
from registry.transactions.contacts import OpenContact
from registry.transactions.disputes import OUTCOME, reduction
from registry.transactions.fields import NO_PROOF, Field, Ref, digest, items, language, one_of, party_id, ref, signature
from registry.transactions.upgrades import ScheduleUpgrade

__all__ = [
    "CHANGES",
    "Admit",
    "Amend",
    "Approve",
    "Award",
    "Change",
    "Propose",
    "Reinstate",
    "ReplaceOwnerKey",
    "Suspend",
    "admission",
    "change_from",
    "change_value",
]


def _newcomer(value: Value, field: str) -> Party:
    """The record of a party: id, name, country, identifiers, roles, keys, home."""
    try:
        party = Party.decode(value)
        validate_party(party)
    except FieldError as error:
        raise FieldError(f"{field}.{error.field}", error.reason) from error
    if party.suspended:
        raise FieldError(f"{field}.suspended", "a party is not admitted suspended")
    if party.attestations:
        raise FieldError(f"{field}.attestations", "a party is attested after it was admitted")
    return party


def _proofs(value: Value, field: str) -> tuple[bytes, ...]:
    """A proof of possession by each signing key, in their order, and one by the owner key."""
    return items(value, field, signature, most=SIGN_KEYS_MAX + 1)


def _name(value: Value, field: str) -> str:
    """A legal name, "" to keep the one there is."""
    if value != "" and not (type(value) is str and is_clean_text(value, size_max=NAME_CHARS_MAX)):
        raise FieldError(field, f"is a name of at most {NAME_CHARS_MAX} characters, or empty to keep the one there is")
    return value


def _identifier(value: Value, field: str) -> str:
    identifier = party_id(value, field)
    if problem := pinned_problem(*split_identifier(field, identifier)):
        raise FieldError(field, problem)
    return identifier


def _identifiers(value: Value, field: str) -> tuple[str, ...]:
    """Further identifiers of a party."""
    return items(value, field, _identifier, most=IDENTIFIERS_MAX)


def _roles(value: Value, field: str) -> tuple[str, ...]:
    """Roles of a party."""
    return items(value, field, one_of(sorted(ROLES), "role"), most=len(ROLES))


@dataclass(frozen=True, slots=True)
class Admit:
    """A change: `party` becomes a member, with its identifiers, roles and keys.

    `proofs` has a signature by each signing key ("admit_sign") and then one by the owner key ("admit_owner"), made by
    the newcomer (`keys.prove_possession`): it must not take keys that members will bring.
    """

    NAME: ClassVar = "admit"
    FIELDS: ClassVar = (Field("party", _newcomer), Field("proofs", _proofs))

    party: Party
    proofs: tuple[bytes, ...] = ()

    @property
    def subject(self) -> str:
        """The id of the party that is changed."""
        return self.party.id


@dataclass(frozen=True, slots=True)
class Suspend:
    """A change: the party can sign nothing and is offered nothing, until it is reinstated.

    What it has stays: claims on its receivables and claims that it holds keep share and priority.
    """

    NAME: ClassVar = "suspend"
    FIELDS: ClassVar = (Field("party", party_id), Field("reason_digest", digest))

    party: str
    reason_digest: bytes

    @property
    def subject(self) -> str:
        """The id of the party that is changed."""
        return self.party


@dataclass(frozen=True, slots=True)
class Reinstate:
    """A change: the party is no longer suspended."""

    NAME: ClassVar = "reinstate"
    FIELDS: ClassVar = (Field("party", party_id), Field("reason_digest", digest))

    party: str
    reason_digest: bytes

    @property
    def subject(self) -> str:
        """The id of the party that is changed."""
        return self.party


@dataclass(frozen=True, slots=True)
class Amend:
    """A change: the party has another name ("" keeps it), further identifiers (aliases), more or fewer roles.

    Identifiers are never taken away: an alias that was once a firm's must go on finding its duplicates.
    """

    NAME: ClassVar = "amend"
    FIELDS: ClassVar = (
        Field("party", party_id),
        Field("name", _name),
        Field("identifiers", _identifiers),
        Field("add_roles", _roles),
        Field("remove_roles", _roles),
    )

    party: str
    name: str = ""
    identifiers: tuple[str, ...] = ()
    add_roles: tuple[str, ...] = ()
    remove_roles: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """The id of the party that is changed."""
        return self.party


@dataclass(frozen=True, slots=True)
class ReplaceOwnerKey:
    """A change: the party, which lost its owner key, recovers with this one from now on.

    `proof` is a signature by it (`keys.prove_possession`, "replace_owner_key").
    """

    NAME: ClassVar = "replace_owner_key"
    FIELDS: ClassVar = (Field("party", party_id), Field("owner_key", digest), Field("proof", signature))

    party: str
    owner_key: bytes
    proof: bytes = NO_PROOF

    @property
    def subject(self) -> str:
        """The id of the party that is changed."""
        return self.party


@dataclass(frozen=True, slots=True)
class Award:
    """A change: the authorities, as registrars, execute the award (or judgment) that ends a dispute at its last rung.

    `outcome` is one of "dismissed", "reduced" (by `reduction_share`, else 0) and "voided".
    """

    NAME: ClassVar = "award"
    FIELDS: ClassVar = (
        Field("dispute", digest),
        Field("outcome", OUTCOME),
        Field("reduction_share", reduction),
        Field("award_digest", digest),
        Field("language", language),
    )

    dispute: bytes
    outcome: str
    reduction_share: int
    award_digest: bytes
    language: str

    @property
    def subject(self) -> str:
        """The id of the dispute that it ends, in hex."""
        return self.dispute.hex()


Change: TypeAlias = (
    Admit
    | Suspend
    | Reinstate
    | Amend
    | ReplaceOwnerKey
    | Award
    | OpenContact
    | SeatAuthority
    | UnseatAuthority
    | AdmitNode
    | DismissNode
    | ScheduleUpgrade
)

CHANGES: Final = MappingProxyType({kind.NAME: kind for kind in cast("tuple[type[Any], ...]", get_args(Change))})


def admission(party: Party, keys: Sequence[Signer], chain_id: bytes) -> Admit:
    """The admission of a party, with the proofs of its keys: those that sign, in their order, then the owner key."""
    *signing, owner = keys
    proofs = [prove_possession(key, chain_id, party.id, "admit_sign") for key in signing]
    return Admit(party, (*proofs, prove_possession(owner, chain_id, party.id, "admit_owner")))


def change_value(change: Change) -> list[Value]:
    """The change as it stands in a transaction and in a proposal."""
    if isinstance(change, Admit):
        return [change.NAME, change.party.encode(), list(change.proofs)]
    return [change.NAME, *(getattr(change, name) for name, _ in change.FIELDS)]


def change_from(value: Value, field: str) -> Change:
    """A change, of its encoding. Raises `FieldError`, also for a party that may not be admitted (bad check digits)."""
    if type(value) is not list or not value or type(value[0]) is not str or value[0] not in CHANGES:
        raise FieldError(field, f"is a list that starts with one of {', '.join(CHANGES)}")
    kind = CHANGES[value[0]]
    if len(value) != len(kind.FIELDS) + 1:
        raise FieldError(field, f"{kind.NAME} has {len(kind.FIELDS)} fields, not {len(value) - 1}")
    fields = zip(kind.FIELDS, value[1:], strict=True)
    return cast("Change", kind(*[read(item, f"{field}.{name}") for (name, read), item in fields]))


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
