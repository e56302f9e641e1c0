"""Operations on receivables: registration, the debtor's answer, credit notes, expiry (registry.md 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from registry.codec import DIGEST_SIZE, Value, tagged_digest
from registry.errors import FieldError
from registry.fingerprint import REGISTERED_KINDS
from registry.limits import FINGERPRINTS_MAX, LAWS_MAX, PARENTS_MAX, REFERENCES_MAX
from registry.money import WHOLE
from registry.records import GRADES, KINDS
from registry.transactions.fields import (
    Field,
    Ref,
    country,
    currency,
    digest,
    items,
    language,
    law,
    one_of,
    party_id,
    ref,
    row,
    share,
    truth,
    year_month,
)

__all__ = [
    "NO_DIGEST",
    "Adjust",
    "Confirm",
    "Distinguish",
    "Expire",
    "Parent",
    "Register",
    "Reject",
    "debtor_commitment",
]

NO_DIGEST: Final = bytes(DIGEST_SIZE)  # stands where a digest may be left out: no account, no text

Parent = tuple[Ref, int, int]  # the parent, part_of_parent, part_of_child; a `records.Link` is one too

_print_kind = one_of(REGISTERED_KINDS, "kind of fingerprint")


def debtor_commitment(*, salt: bytes, identifier: str) -> bytes:
    """What a registration says of its debtor: 32 bytes that only salt and identifier together open."""
    return tagged_digest(b"NEMODAT-v1-debtor", salt, identifier.encode())


def _fingerprint(value: Value, field: str) -> tuple[str, bytes]:
    kind, found = row(value, field, width=2)
    try:
        return _print_kind(kind, "kind"), digest(found, "fingerprint")
    except FieldError as error:
        raise FieldError(f"{field}.{error.field}", error.reason) from error


def _fingerprints(value: Value, field: str) -> tuple[tuple[str, bytes], ...]:
    """Fingerprints as kind and digest, at least one (registry.md 7)."""
    found = items(value, field, _fingerprint, most=FINGERPRINTS_MAX)
    if not found:
        raise FieldError(field, "names at least one fingerprint")
    return found


def _parent(value: Value, field: str) -> Parent:
    receivable, of_parent, of_child = row(value, field, width=3)
    return (
        ref(receivable, f"{field}.receivable"),
        share(of_parent, f"{field}.part_of_parent"),
        share(of_child, f"{field}.part_of_child"),
    )


def _parents(value: Value, field: str) -> tuple[Parent, ...]:
    """Parents, each with the share of it that this fulfils and the share of this that comes from it."""
    found = items(value, field, _parent, most=PARENTS_MAX)
    if not found:
        return found
    if len({parent[0] for parent in found}) != len(found):
        raise FieldError(field, "names a parent twice")
    # Were it less, a claim on the parents would weigh on less than the whole child.
    if sum(parent[2] for parent in found) != WHOLE:
        raise FieldError(field, f"the parts of the child do not add up to {WHOLE}")
    return found


def _laws(value: Value, field: str) -> tuple[str, ...]:
    """Candidate governing laws."""
    return items(value, field, law, most=LAWS_MAX)


def _superseded(value: Value, field: str) -> Ref | None:
    """A registration that this one replaces, or nothing."""
    return None if value is None else ref(value, field)


def _references(value: Value, field: str) -> tuple[bytes, ...]:
    """Commitments to external references."""
    return items(value, field, digest, most=REFERENCES_MAX)


@dataclass(frozen=True, slots=True)
class Register:
    """The primary signer registers a receivable as its registrant. Creates a receivable.

    `commitment` is the root over the particulars kept in the vault, `due_month` yyyymm or 0, `grade` what the
    registrant has to show for it, `references` commitments to external filings and documents. `supersedes` is the
    registrant's own earlier registration that this one corrects and takes the place of, None for none.
    """

    NAME: ClassVar = "register"
    FIELDS: ClassVar = (
        Field("kind", one_of(KINDS, "kind of receivable")),
        Field("fingerprints", _fingerprints),
        Field("commitment", digest),
        Field("debtor_commitment", digest),
        Field("seller_country", country),
        Field("debtor_country", country),
        Field("laws", _laws),
        Field("currency", currency),
        Field("due_month", year_month),
        Field("grade", one_of(GRADES, "grade of evidence")),
        Field("parents", _parents),
        Field("references", _references),
        Field("supersedes", _superseded),
    )

    kind: str
    fingerprints: tuple[tuple[str, bytes], ...]
    commitment: bytes
    debtor_commitment: bytes
    seller_country: str
    debtor_country: str
    laws: tuple[str, ...]
    currency: str
    due_month: int
    grade: str
    parents: tuple[Parent, ...] = ()
    references: tuple[bytes, ...] = ()
    supersedes: Ref | None = None


@dataclass(frozen=True, slots=True)
class Confirm:
    """The debtor opens its commitment and confirms that it owes `share` of exactly what it was shown.

    `commitment` is computed by the debtor from the particulars before it: an assignor cannot show one invoice and have
    another confirmed. `text_digest` pins the text it was shown, in `language`. With `waives_defences` the debtor gives
    up its defences and set-off against whoever finances (an acknowledgement of debt, an estoppel); `account_digest`
    commits to the account that it will pay to, all zero for none.
    """

    NAME: ClassVar = "confirm"
    FIELDS: ClassVar = (
        Field("receivable", ref),
        Field("salt", digest),
        Field("identifier", party_id),
        Field("commitment", digest),
        Field("share", share),
        Field("text_digest", digest),
        Field("waives_defences", truth),
        Field("account_digest", digest),
        Field("language", language),
    )

    receivable: Ref
    salt: bytes
    identifier: str
    commitment: bytes
    share: int
    text_digest: bytes
    waives_defences: bool = False
    account_digest: bytes = NO_DIGEST
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Reject:
    """The debtor opens its commitment and denies the debt; `reason_digest` pins its reasons."""

    NAME: ClassVar = "reject"
    FIELDS: ClassVar = (
        Field("receivable", ref),
        Field("salt", digest),
        Field("identifier", party_id),
        Field("reason_digest", digest),
    )

    receivable: Ref
    salt: bytes
    identifier: str
    reason_digest: bytes


@dataclass(frozen=True, slots=True)
class Adjust:
    """The registrant lowers what is collectible by `reduction_share`, by the credit note of `document_digest`.

    The reduction is rounded up (what stays collectible rounds down). A document counts once for each receivable: what
    one file takes from it by several notes is one reduction, or has the digest of each note by itself.
    """

    NAME: ClassVar = "adjust"
    FIELDS: ClassVar = (
        Field("receivable", ref),
        Field("reduction_share", share),
        Field("document_digest", digest),
    )

    receivable: Ref
    reduction_share: int
    document_digest: bytes


@dataclass(frozen=True, slots=True)
class Expire:
    """The registrant says that what nobody claims is over: paid to itself, say, or never fulfilled.

    It expires; what was paid in part to who financed it is settled.
    """

    NAME: ClassVar = "expire"
    FIELDS: ClassVar = (Field("receivable", ref),)

    receivable: Ref


@dataclass(frozen=True, slots=True)
class Distinguish:
    """The debtor that confirmed both says that two receivables are two debts, though they look like one; it owes both.

    `text_digest` pins its statement, in `language`.
    """

    NAME: ClassVar = "distinguish"
    FIELDS: ClassVar = (
        Field("receivable", ref),
        Field("other", ref),
        Field("text_digest", digest),
        Field("language", language),
    )

    receivable: Ref
    other: Ref
    text_digest: bytes
    language: str
