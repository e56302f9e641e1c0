"""Genesis: what every member agrees on before the first block. Text in, value out; its digest is the chain id.

The file is TOML, made for people to read and compare; what counts is the canonical encoding of what it says, so
comments and layout change nothing. `Genesis.from_toml` bounds and validates everything by pinned rules only, so a file
that was once good stays good; whoever makes one also runs `registry.parties.vet_party` on each party.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, TypeVar

import tomli_w
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from registry.codec import digest, encode
from registry.errors import FieldError
from registry.keys import PUBLIC_KEY_SIZE
from registry.limits import TIME_MAX_MS
from registry.normalise import is_clean_text
from registry.parties import Party, validate_party
from registry.tables import Table

__all__ = [
    "AUTHORITIES_MAX",
    "CERTIFICATE_BYTES_MAX",
    "OBSERVERS_MAX",
    "PARTIES_MAX",
    "PARTY_FIELDS",
    "AuthorityEntry",
    "Genesis",
    "ObserverEntry",
    "Parameters",
    "is_address",
    "party_in",
    "party_table",
    "transport_public_key",
    "validate_genesis",
]

FORMAT = "nemodat-genesis-v1"
NAME_CHARS_MAX = 100  # characters of the network's name
AUTHORITIES_MAX = 64
OBSERVERS_MAX = 256
PARTIES_MAX = 10_000
CERTIFICATE_BYTES_MAX = 4096  # bytes of one certificate in DER
ADDRESS_CHARS_MAX = 260  # characters: a DNS name has at most 253
FINGERPRINT_KEY_SIZE = 32  # bytes

# Lowest and highest value of each parameter. The lower bounds of the block leave room for the largest transaction
# (1000 operations, 512 KiB), the upper ones keep a block within one encoded value (`codec.SIZE_MAX`).
_RANGES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "base_ms": (10, 60_000),
        "cap_ms": (10, 3_600_000),
        "heartbeat_ms": (100, 86_400_000),
        "block_operations_max": (1_000, 100_000),
        "block_bytes_max": (1024 * 1024, 6 * 1024 * 1024),
    }
)
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
_ADDRESS = re.compile(rf"{_HOST}:([1-9][0-9]{{0,4}})", re.ASCII)
PORT_MAX = 65_535
PARTY_FIELDS: Final = (
    "id",
    "name",
    "country",
    "identifiers",
    "roles",
    "sign_keys",
    "owner_key",
    "receive_key",
    "home",
)

_Distinct = TypeVar("_Distinct", str, bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """What the whole network runs by. Times in milliseconds (`consensus.md` R6, R11), sizes for one block."""

    base_ms: int = 1_000
    cap_ms: int = 30_000
    heartbeat_ms: int = 60_000
    block_operations_max: int = 10_000
    block_bytes_max: int = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityEntry:
    """One authority: its party, Ed25519 consensus key (32 bytes), TLS certificate (DER) and "host:port"."""

    party: str
    consensus_key: bytes
    transport_certificate: bytes
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObserverEntry:
    """One observer: its party, TLS certificate (DER) and "host:port".

    A regulator's may cosign checkpoints (`consensus.checkpoints`) with an Ed25519 key of its own (32 bytes, b"": none).
    """

    party: str
    transport_certificate: bytes
    address: str
    checkpoint_key: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """The agreed beginning. Order of authorities is the order of leaders (`consensus.md` 1).

    `created_ms` is the time of height 0, milliseconds since 1970. `fingerprint_key` belongs to the interim scheme of
    `registry.fingerprint.evaluate`. Construction checks nothing but that it can be encoded: see `validate_genesis`.
    """

    name: str
    created_ms: int
    authorities: tuple[AuthorityEntry, ...]
    observers: tuple[ObserverEntry, ...]
    parties: tuple[Party, ...]
    parameters: Parameters
    fingerprint_key: bytes = field(repr=False)
    id: bytes = field(init=False, compare=False)  # the chain id: SHA-256 of `canonical()`, 32 bytes

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", digest(self.canonical()))

    @classmethod
    def from_toml(cls, text: str) -> Genesis:
        """The genesis that a TOML text says. Raises `FieldError` naming e.g. `authorities[2].consensus_key`."""
        genesis = _read(text)
        validate_genesis(genesis)
        return genesis

    def to_toml(self) -> str:
        """The TOML text that `from_toml` reads back to an equal value.

        Raises `FieldError` for a suspended or attested party, which no genesis has: the file cannot say so, and would
        say another network.
        """
        _validate_unsuspended(self.parties)
        return tomli_w.dumps(_document(self))

    def canonical(self) -> bytes:
        """The canonical bytes: what the chain id is the digest of."""
        return encode(
            [
                FORMAT,
                self.name,
                self.created_ms,
                [[a.party, a.consensus_key, a.transport_certificate, a.address] for a in self.authorities],
                [[o.party, o.transport_certificate, o.address, o.checkpoint_key] for o in self.observers],
                [party.encode() for party in self.parties],
                [getattr(self.parameters, name) for name in _RANGES],
                self.fingerprint_key,
            ]
        )


def transport_public_key(certificate: bytes) -> bytes:
    """The Ed25519 public key of a self-signed DER certificate, 32 bytes. Raises `FieldError` for anything else.

    The signature says that whoever made the certificate has the key: another's public key is easily shown.
    """
    try:
        read = x509.load_der_x509_certificate(certificate)
        key = read.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise FieldError("transport_certificate", f"is not an X.509 certificate in DER: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise FieldError("transport_certificate", "its key must be Ed25519")
    try:
        read.verify_directly_issued_by(read)
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature) as error:
        raise FieldError("transport_certificate", "is not signed with its own key") from error
    return key.public_bytes_raw()


def is_address(text: str) -> bool:
    """Whether a text is "host:port" of a name, an IPv4 or a bracketed IPv6 address, by pinned rules."""
    found = _ADDRESS.fullmatch(text) if len(text) <= ADDRESS_CHARS_MAX else None
    return found is not None and int(found[1]) <= PORT_MAX


def validate_genesis(genesis: Genesis) -> None:
    """Return if a network can start from `genesis`; else raise `FieldError` naming the field."""
    if not is_clean_text(genesis.name, size_max=NAME_CHARS_MAX):
        raise FieldError("name", f"must be 1 to {NAME_CHARS_MAX} characters, NFC, trimmed, without control characters")
    _require_range("created_ms", genesis.created_ms, 0, TIME_MAX_MS)
    if len(genesis.fingerprint_key) != FINGERPRINT_KEY_SIZE:
        raise FieldError("fingerprint_key", f"must have {FINGERPRINT_KEY_SIZE} bytes")
    _validate_parameters(genesis.parameters)
    _require_range("parties (how many)", len(genesis.parties), 1, PARTIES_MAX)
    _require_range("authorities (how many)", len(genesis.authorities), 1, AUTHORITIES_MAX)
    _require_range("observers (how many)", len(genesis.observers), 0, OBSERVERS_MAX)
    for index, party in enumerate(genesis.parties):
        with _within(f"parties[{index}]"):
            validate_party(party)
    _validate_unsuspended(genesis.parties)
    _validate_members(genesis)
    _require_distinct(_identifiers(genesis), "belongs to two parties")
    _require_distinct(_keys(genesis), "is used twice; one key has one use")
    _require_distinct(_addresses(genesis), "is the address of two members")


def _validate_unsuspended(parties: tuple[Party, ...]) -> None:
    for index, party in enumerate(parties):
        if party.suspended:
            raise FieldError(f"parties[{index}].suspended", "a party of genesis is not suspended")
        if party.attestations:
            raise FieldError(f"parties[{index}].attestations", "a party of genesis is not attested yet")


def _validate_parameters(parameters: Parameters) -> None:
    for name, (lowest, highest) in _RANGES.items():
        _require_range(f"parameters.{name}", getattr(parameters, name), lowest, highest)
    for name in ("cap_ms", "heartbeat_ms"):
        if getattr(parameters, name) < parameters.base_ms:
            raise FieldError(f"parameters.{name}", "must not be below base_ms")


def _validate_members(genesis: Genesis) -> None:
    parties = {party.id: party for party in genesis.parties}
    voting: set[str] = set()
    for place, member in _members(genesis):
        party = parties.get(member.party)
        if party is None:
            raise FieldError(f"{place}.party", f"{member.party} is not among the parties")
        if len(member.transport_certificate) > CERTIFICATE_BYTES_MAX:
            raise FieldError(f"{place}.transport_certificate", f"has more than {CERTIFICATE_BYTES_MAX} bytes")
        if not is_address(member.address):
            raise FieldError(f"{place}.address", "must be host:port, such as node.example.org:7001")
        if isinstance(member, AuthorityEntry):
            if "authority" not in party.roles:
                raise FieldError(f"{place}.party", f"{member.party} does not have the role authority")
            if member.party in voting:
                raise FieldError(f"{place}.party", f"{member.party} is an authority twice; a party has one vote")
            if len(member.consensus_key) != PUBLIC_KEY_SIZE:
                raise FieldError(f"{place}.consensus_key", f"must have {PUBLIC_KEY_SIZE} bytes")
            voting.add(member.party)
        elif member.checkpoint_key:
            if "regulator" not in party.roles:
                raise FieldError(f"{place}.checkpoint_key", f"{member.party} does not have the role regulator")
            if len(member.checkpoint_key) != PUBLIC_KEY_SIZE:
                raise FieldError(f"{place}.checkpoint_key", f"must have {PUBLIC_KEY_SIZE} bytes")


def _members(genesis: Genesis) -> Iterator[tuple[str, AuthorityEntry | ObserverEntry]]:
    """Every node of genesis, with its place in the file."""
    yield from ((f"authorities[{index}]", entry) for index, entry in enumerate(genesis.authorities))
    yield from ((f"observers[{index}]", entry) for index, entry in enumerate(genesis.observers))


def _identifiers(genesis: Genesis) -> Iterator[tuple[str, str]]:
    for index, party in enumerate(genesis.parties):
        for position, identifier in enumerate(party.identifiers):
            yield f"parties[{index}].identifiers[{position}]", identifier


def _keys(genesis: Genesis) -> Iterator[tuple[str, bytes]]:
    """Every public key of the file, whatever its use."""
    for index, party in enumerate(genesis.parties):
        for position, key in enumerate(party.sign_keys):
            yield f"parties[{index}].sign_keys[{position}]", key
        yield f"parties[{index}].owner_key", party.owner_key
        if party.receive_key:
            yield f"parties[{index}].receive_key", party.receive_key
    for place, member in _members(genesis):
        if isinstance(member, AuthorityEntry):
            yield f"{place}.consensus_key", member.consensus_key
        elif member.checkpoint_key:
            yield f"{place}.checkpoint_key", member.checkpoint_key
        with _within(place):
            key = transport_public_key(member.transport_certificate)
        yield f"{place}.transport_certificate", key


def _addresses(genesis: Genesis) -> Iterator[tuple[str, str]]:
    for place, member in _members(genesis):
        yield f"{place}.address", member.address.lower()


def _require_distinct(places: Iterator[tuple[str, _Distinct]], reason: str) -> None:
    first: dict[_Distinct, str] = {}
    for place, value in places:
        if value in first:
            raise FieldError(place, f"{reason} (also at {first[value]})")
        first[value] = place


def _require_range(name: str, value: int, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        raise FieldError(name, f"must be {lowest} to {highest}, not {value}")


@contextmanager
def _within(place: str) -> Iterator[None]:
    """Errors about a field are about that field of `place`."""
    try:
        yield
    except FieldError as error:
        raise FieldError(f"{place}.{error.field}", error.reason) from error


def party_table(party: Party) -> dict[str, object]:
    """A party as TOML has it: what `party_in` reads back to an equal one."""
    return {
        "id": party.id,
        "name": party.name,
        "country": party.country,
        "identifiers": list(party.identifiers),
        "roles": list(party.roles),
        "sign_keys": [key.hex() for key in party.sign_keys],
        "owner_key": party.owner_key.hex(),
        "receive_key": party.receive_key.hex(),
        "home": party.home,
    }


def party_in(table: Table) -> Party:
    """The party in a table with PARTY_FIELDS. Raises `FieldError`; meaning is `vet_party`'s to check."""
    return Party(
        id=table.text("id"),
        name=table.text("name"),
        country=table.text("country"),
        identifiers=table.texts("identifiers"),
        roles=table.texts("roles"),
        sign_keys=table.hexes("sign_keys"),
        owner_key=table.hex("owner_key"),
        receive_key=table.hex("receive_key"),
        home=table.text("home"),
    )


def _document(genesis: Genesis) -> dict[str, object]:
    """What the file says, as TOML types: keys in hex, certificates in base64."""
    return {
        "format": FORMAT,
        "name": genesis.name,
        "created_ms": genesis.created_ms,
        "fingerprint_key": genesis.fingerprint_key.hex(),
        "parameters": {name: getattr(genesis.parameters, name) for name in _RANGES},
        "authorities": [
            {"party": a.party, "address": a.address, "consensus_key": a.consensus_key.hex()}
            | {"transport_certificate": base64.b64encode(a.transport_certificate).decode()}
            for a in genesis.authorities
        ],
        "observers": [
            {"party": o.party, "address": o.address, "checkpoint_key": o.checkpoint_key.hex()}
            | {"transport_certificate": base64.b64encode(o.transport_certificate).decode()}
            for o in genesis.observers
        ],
        "parties": [party_table(party) for party in genesis.parties],
    }


def _read(text: str) -> Genesis:
    """The genesis of a TOML text; forms and types are checked here, meaning by `validate_genesis`."""
    top = Table.parse(text, _TOP)
    if top.text("format") != FORMAT:
        raise FieldError("format", f"must be {FORMAT}")
    parameters = top.table("parameters", _RANGES)
    return Genesis(
        name=top.text("name"),
        created_ms=top.integer("created_ms"),
        authorities=tuple(map(_authority, top.tables("authorities", _AUTHORITY))),
        observers=tuple(map(_observer, top.tables("observers", _OBSERVER))),
        parties=tuple(map(party_in, top.tables("parties", PARTY_FIELDS))),
        parameters=Parameters(**{name: parameters.integer(name) for name in _RANGES}),
        fingerprint_key=top.hex("fingerprint_key"),
    )


_TOP = ("format", "name", "created_ms", "fingerprint_key", "parameters", "authorities", "observers", "parties")
_NODE = ("party", "transport_certificate", "address")
_OBSERVER = (*_NODE, "checkpoint_key")
_AUTHORITY = (*_NODE, "consensus_key")


def _authority(table: Table) -> AuthorityEntry:
    return AuthorityEntry(
        party=table.text("party"),
        consensus_key=table.hex("consensus_key"),
        transport_certificate=table.base64("transport_certificate"),
        address=table.text("address"),
    )


def _observer(table: Table) -> ObserverEntry:
    return ObserverEntry(
        party=table.text("party"),
        transport_certificate=table.base64("transport_certificate"),
        address=table.text("address"),
        checkpoint_key=table.hex("checkpoint_key"),
    )
