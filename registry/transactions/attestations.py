"""What a financier or an authority vouches for about another party (registry.md 3): digests and dates, never data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from registry.codec import Value
from registry.errors import FieldError
from registry.parties import ATTESTATION_KINDS
from registry.transactions.fields import Field, Ref, digest, one_of, party_id, ref, time_ms

__all__ = ["WARNINGS", "Attest", "WithdrawAttestation"]

# What an attestation warns of although it is given. The words are GLEIF's for what has become of an LEI
# (registration status of the LEI Common Data File format 3.1, "inactive" of its entity status).
WARNINGS: Final = ("none", "lapsed", "retired", "merged", "duplicate", "annulled", "pending", "transferred", "inactive")


def _provider(value: Value, field: str) -> bytes | str:
    """Who looked: the id of a member, or a digest of another's name."""
    if type(value) is str:
        return party_id(value, field)
    try:
        return digest(value, field)
    except FieldError as error:
        raise FieldError(field, "is a party as scheme:VALUE, or a digest of 32 bytes") from error


@dataclass(frozen=True, slots=True)
class Attest:
    """The sender vouches that `provider` looked at `party`; creates an attestation, live until `expires_ms`.

    `kind` is one of ATTESTATION_KINDS, `provider` who looked (a party's id or the digest of a name), `result_digest`
    pins what was found, `issued_ms` is when. `warning` is one of WARNINGS.
    """

    NAME: ClassVar = "attest"
    FIELDS: ClassVar = (
        Field("party", party_id),
        Field("kind", one_of(ATTESTATION_KINDS, "kind of attestation")),
        Field("provider", _provider),
        Field("result_digest", digest),
        Field("issued_ms", time_ms),
        Field("expires_ms", time_ms),
        Field("warning", one_of(WARNINGS, "warning")),
    )

    party: str
    kind: str
    provider: bytes | str
    result_digest: bytes
    issued_ms: int
    expires_ms: int
    warning: str = "none"


@dataclass(frozen=True, slots=True)
class WithdrawAttestation:
    """Its author no longer vouches for it."""

    NAME: ClassVar = "withdraw_attestation"
    FIELDS: ClassVar = (Field("attestation", ref),)

    attestation: Ref
