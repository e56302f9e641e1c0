"""Parties: who they are, what they may be, and what must be true of one before it is admitted (`registry.md` 3).

`validate_party` is what execution and genesis rely on: it uses only rules that this package pins, so every node gives
the same answer whatever library versions it runs. `vet_party` adds what python-stdnum and pycountry know today; whoever
proposes, approves or imports a party runs it before signing, and nothing on the ledger depends on it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

import pycountry

from registry.codec import Value
from registry.errors import FieldError
from registry.identifiers import check_identifier, normalise_identifier, pinned_problem, split_identifier
from registry.keys import PUBLIC_KEY_SIZE
from registry.normalise import is_clean_text

__all__ = [
    "ATTESTATION_KINDS",
    "IDENTIFIERS_MAX",
    "NAME_CHARS_MAX",
    "ROLES",
    "SIGN_KEYS_MAX",
    "Attested",
    "Party",
    "Role",
    "check_home",
    "check_identifier",
    "mandatory_schemes",
    "normalise_identifier",
    "validate_party",
    "vet_party",
]

Role: TypeAlias = Literal["authority", "financier", "exporter", "debtor", "regulator"]
ROLES: Final[frozenset[str]] = frozenset(get_args(Role))
ATTESTATION_KINDS: Final = ("kyc", "aml", "sanctions", "lei")

NAME_CHARS_MAX = 200  # characters
IDENTIFIERS_MAX = 16  # per party
SIGN_KEYS_MAX = 8  # live signing keys per party
HOME_CHARS_MAX = 200  # characters of a node's URL

_FIELD_COUNT = 11
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
_HOME = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?", re.ASCII)


class Attested(NamedTuple):
    """What counts of an attestation of a party: its id, who vouches, its kind, and when it ends (0: withdrawn)."""

    attestation: bytes
    author: str
    kind: str
    expires_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One member of the network, as the ledger keeps it.

    `id` is one of `identifiers`, of a scheme in `mandatory_schemes(country)`; `country` is ISO 3166 alpha-2; keys are
    32-byte public keys: `sign_keys` and `owner_key` (offline recovery) Ed25519, `receive_key` X25519 or b"" if it has
    none yet; `home` is the URL of the node that takes its documents, or "". `attestations` are those that
    count now (`rules.attestations`), oldest first. Construction checks nothing: see
    `validate_party`.
    """

    id: str
    name: str
    country: str
    identifiers: tuple[str, ...]
    roles: tuple[str, ...]
    sign_keys: tuple[bytes, ...]
    owner_key: bytes
    receive_key: bytes = b""
    home: str = ""
    suspended: bool = False
    attestations: tuple[Attested, ...] = ()

    def encode(self) -> list[Value]:
        """The canonical list: the fields in their order."""
        return [
            self.id,
            self.name,
            self.country,
            list(self.identifiers),
            list(self.roles),
            list(self.sign_keys),
            self.owner_key,
            self.receive_key,
            self.home,
            self.suspended,
            [list(entry) for entry in self.attestations],
        ]

    @classmethod
    def decode(cls, value: Value) -> Party:
        """The party of a canonical list. Raises `FieldError` for wrong types; the rest is `validate_party`'s."""
        if not isinstance(value, list) or len(value) != _FIELD_COUNT:
            raise FieldError("party", f"must be a list of {_FIELD_COUNT} fields")
        id_, name, country, identifiers, roles, sign_keys, owner_key, receive_key, home, suspended, attestations = value
        if type(suspended) is not bool:
            raise FieldError("suspended", "must be true or false")
        return cls(
            id=_text("id", id_),
            name=_text("name", name),
            country=_text("country", country),
            identifiers=_texts("identifiers", identifiers),
            roles=_texts("roles", roles),
            sign_keys=_keys("sign_keys", sign_keys),
            owner_key=_bytes("owner_key", owner_key),
            receive_key=_bytes("receive_key", receive_key),
            home=_text("home", home),
            suspended=suspended,
            attestations=_attestations(attestations),
        )


def mandatory_schemes(country: str) -> tuple[str, ...]:
    """The schemes that may name a party of `country`, best first (`registry.md` 3): USCC in China, LEI anywhere."""
    return ("uscc", "lei") if country == "CN" else ("lei", "vat", "tax")


def validate_party(party: Party) -> None:
    """Return if `party` may stand on the ledger; else raise `FieldError` naming the field and what is wrong.

    Deterministic for ever: safe to call during execution. That no other party has its identifiers or keys is the
    ledger's to check.
    """
    if not is_clean_text(party.name, size_max=NAME_CHARS_MAX):
        raise FieldError("name", f"must be 1 to {NAME_CHARS_MAX} characters, NFC, trimmed, without control characters")
    if not _COUNTRY.fullmatch(party.country):
        raise FieldError("country", "must be two capital letters (ISO 3166)")
    _validate_identifiers(party)
    if not party.roles or len(set(party.roles)) != len(party.roles) or not ROLES.issuperset(party.roles):
        raise FieldError("roles", f"must be one or more of {', '.join(sorted(ROLES))}, each once")
    _validate_keys(party)
    if party.home:
        check_home("home", party.home)


def check_home(field: str, home: str) -> None:
    """Return if this is the URL of a node; else raise `FieldError` naming `field`."""
    if not (len(home) <= HOME_CHARS_MAX and _HOME.fullmatch(home)):
        raise FieldError(field, f"must be an http or https URL of at most {HOME_CHARS_MAX} characters, or empty")


def vet_party(party: Party) -> None:
    """`validate_party`, and what libraries know: check digits of VAT, tax and register numbers, existing countries.

    For the edges (proposing, approving, importing), never for execution. Raises `FieldError`.
    """
    validate_party(party)
    if pycountry.countries.get(alpha_2=party.country) is None:
        raise FieldError("country", f"{party.country} is not a country of ISO 3166")
    for index, identifier in enumerate(party.identifiers):
        scheme, _, value = identifier.partition(":")
        if problem := check_identifier(scheme, value):
            raise FieldError(f"identifiers[{index}]", problem)


def _validate_identifiers(party: Party) -> None:
    if not 0 < len(party.identifiers) <= IDENTIFIERS_MAX:
        raise FieldError("identifiers", f"must be 1 to {IDENTIFIERS_MAX}")
    for index, identifier in enumerate(party.identifiers):
        field = f"identifiers[{index}]"
        if problem := pinned_problem(*split_identifier(field, identifier)):
            raise FieldError(field, problem)
    if len(set(party.identifiers)) != len(party.identifiers):
        raise FieldError("identifiers", "one is given twice")
    schemes = mandatory_schemes(party.country)
    if party.id not in party.identifiers or party.id.partition(":")[0] not in schemes:
        raise FieldError("id", f"must be one of the party's identifiers, of scheme {' or '.join(schemes)}")


def _validate_keys(party: Party) -> None:
    """One key, one use (`registry.md` 3)."""
    if not 0 < len(party.sign_keys) <= SIGN_KEYS_MAX:
        raise FieldError("sign_keys", f"must be 1 to {SIGN_KEYS_MAX}")
    named = [(f"sign_keys[{index}]", key) for index, key in enumerate(party.sign_keys)]
    named.append(("owner_key", party.owner_key))
    if party.receive_key:
        named.append(("receive_key", party.receive_key))
    seen: set[bytes] = set()
    for field, key in named:
        if len(key) != PUBLIC_KEY_SIZE:
            raise FieldError(field, f"must have {PUBLIC_KEY_SIZE} bytes")
        if key in seen:
            raise FieldError(field, "is used twice; one key has one use")
        seen.add(key)


def _text(field: str, value: Value) -> str:
    if not isinstance(value, str):
        raise FieldError(field, "must be text")
    return value


def _bytes(field: str, value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise FieldError(field, "must be bytes")
    return value


def _texts(field: str, value: Value) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise FieldError(field, "must be a list")
    return tuple(_text(f"{field}[{index}]", item) for index, item in enumerate(value))


def _keys(field: str, value: Value) -> tuple[bytes, ...]:
    if not isinstance(value, list):
        raise FieldError(field, "must be a list")
    return tuple(_bytes(f"{field}[{index}]", item) for index, item in enumerate(value))


def _attestations(value: Value) -> tuple[Attested, ...]:
    if not isinstance(value, list):
        raise FieldError("attestations", "must be a list")
    return tuple([_attested(f"attestations[{index}]", item) for index, item in enumerate(value)])


def _attested(field: str, value: Value) -> Attested:
    if not isinstance(value, list) or [type(item) for item in value] != [bytes, str, str, int]:
        raise FieldError(field, "must be id, author, kind and time")
    return Attested._make(value)
