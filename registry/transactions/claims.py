"""Operations on claims: offer, reserve, fund, and what becomes of a funded claim (registry.md 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from registry.codec import Value
from registry.limits import ACKNOWLEDGED_MAX, RESERVATION_MAX_MS
from registry.records import FORMS
from registry.transactions.fields import (
    Field,
    Ref,
    digest,
    integer,
    items,
    one_of,
    party_id,
    party_id_or_none,
    ref,
    share,
    share_or_none,
    time_ms,
)

__all__ = ["Cover", "Discharge", "Fund", "Offer", "Reassign", "Release", "Reserve", "Revoke", "acknowledged_refs"]


def _ttl_ms(value: Value, field: str) -> int:
    """How long a reservation holds, in milliseconds."""
    return integer(value, field, low=1, high=RESERVATION_MAX_MS)


def acknowledged_refs(value: Value, field: str) -> tuple[Ref, ...]:
    """Reads the matches that whoever funds has looked at. Raises `FieldError`."""
    return items(value, field, ref, most=ACKNOWLEDGED_MAX)


@dataclass(frozen=True, slots=True)
class Offer:
    """The registrant offers `share` of a receivable to one financier, under the terms of `terms_digest`.

    Creates a claim. Valid while the block's time is at most `valid_until_ms`. `form` is one of `records.FORMS`;
    `import_factor` the debtor's side factor in the two-factor system (GRIF), "" for none. `concluded_ms` is when the
    assignment was agreed, for one that is older than its entry here; 0 if it is not said.
    """

    NAME: ClassVar = "offer"
    FIELDS: ClassVar = (
        Field("receivable", ref),
        Field("to", party_id),
        Field("share", share),
        Field("terms_digest", digest),
        Field("valid_until_ms", time_ms),
        Field("form", one_of(FORMS, "form of financing")),
        Field("import_factor", party_id_or_none),
        Field("concluded_ms", time_ms),
    )

    receivable: Ref
    to: str
    share: int
    terms_digest: bytes
    valid_until_ms: int
    form: str = "factoring"
    import_factor: str = ""
    concluded_ms: int = 0


@dataclass(frozen=True, slots=True)
class Revoke:
    """The assignor takes back an offer that is not reserved."""

    NAME: ClassVar = "revoke"
    FIELDS: ClassVar = (Field("claim", ref),)

    claim: Ref


@dataclass(frozen=True, slots=True)
class Reserve:
    """The financier takes up its offer: the share is held for it for `ttl_ms`, and lapses by itself after that."""

    NAME: ClassVar = "reserve"
    FIELDS: ClassVar = (Field("claim", ref), Field("ttl_ms", _ttl_ms))

    claim: Ref
    ttl_ms: int


@dataclass(frozen=True, slots=True)
class Fund:
    """The financier has paid out: the reserved claim becomes funded. It has looked at the matches
    and the claims outside this ledger that it lists as `acknowledged`."""

    NAME: ClassVar = "fund"
    FIELDS: ClassVar = (Field("claim", ref), Field("acknowledged", acknowledged_refs))

    claim: Ref
    acknowledged: tuple[Ref, ...] = ()


@dataclass(frozen=True, slots=True)
class Cover:
    """The import factor bears the credit risk for `share` of the receivable from now on (GRIF art. 16); 0 for none."""

    NAME: ClassVar = "cover"
    FIELDS: ClassVar = (Field("claim", ref), Field("share", share_or_none))

    claim: Ref
    share: int


@dataclass(frozen=True, slots=True)
class Reassign:
    """A funded claim goes from its holder to another financier, or back to the assignor; both sign."""

    NAME: ClassVar = "reassign"
    FIELDS: ClassVar = (Field("claim", ref), Field("to", party_id))

    claim: Ref
    to: str


@dataclass(frozen=True, slots=True)
class Release:
    """The holder gives up a reserved or funded claim; its share is free again."""

    NAME: ClassVar = "release"
    FIELDS: ClassVar = (Field("claim", ref),)

    claim: Ref


@dataclass(frozen=True, slots=True)
class Discharge:
    """The holder was paid `share` of the receivable by the debtor, all of the claim or a part."""

    NAME: ClassVar = "discharge"
    FIELDS: ClassVar = (Field("claim", ref), Field("share", share))

    claim: Ref
    share: int
