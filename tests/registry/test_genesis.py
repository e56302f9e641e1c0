"""Genesis: a TOML text and a value are the same thing, every field counts, every error names its place."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import json
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import example, given, settings
from hypothesis import strategies as st

from registry.codec import digest
from registry.errors import FieldError
from registry.genesis import (
    AUTHORITIES_MAX,
    AuthorityEntry,
    Genesis,
    ObserverEntry,
    Parameters,
    transport_public_key,
    validate_genesis,
)
from registry.limits import WIRE_BYTES_MAX
from registry.parties import Attested, Party

VECTOR = Path(__file__).parent / "vectors" / "genesis.toml"
VECTOR_ID = json.loads((Path(__file__).parent / "vectors" / "genesis.json").read_text(encoding="utf-8"))["id"]

MEMBERS = {
    "F_CN": ("lei:984500CNFACTOR000128", "CN"),
    "F_SG": ("lei:984500SGBANK00000120", "SG"),
    "F_DE": ("lei:984500DEBANK00000124", "DE"),
    "F_GB": ("lei:984500GBBANK00000140", "GB"),
}
REGULATOR = "lei:984500AEIMPORT000133"


def key(name: str) -> bytes:
    """32 bytes that stand for a public key."""
    return digest(b"key " + name.encode())


def _certificate(name: str, private: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(datetime.datetime(2056, 1, 1, tzinfo=datetime.UTC))
    )


@cache
def certificate(name: str) -> bytes:
    """A self-signed Ed25519 certificate, always the same for a name."""
    private = Ed25519PrivateKey.from_private_bytes(digest(b"transport " + name.encode()))
    return _certificate(name, private).sign(private, None).public_bytes(Encoding.DER)


@cache
def genesis() -> Genesis:
    return Genesis(
        name="Testnetz 测试",
        created_ms=1_780_000_000_000,
        authorities=tuple(
            AuthorityEntry(
                party=identifier,
                consensus_key=key(f"consensus {name}"),
                transport_certificate=certificate(name),
                address=f"{name.lower().replace('_', '-')}.example:7001",
            )
            for name, (identifier, _) in MEMBERS.items()
        ),
        observers=(
            ObserverEntry(
                party=REGULATOR,
                transport_certificate=certificate("R"),
                address="[2001:db8::1]:7001",
                checkpoint_key=key("checkpoint R"),
            ),
        ),
        parties=(
            *(_party(name, *member, roles=("authority", "financier")) for name, member in MEMBERS.items()),
            _party("R", REGULATOR, "AE", roles=("regulator",)),
        ),
        parameters=Parameters(),
        fingerprint_key=key("fingerprint"),
    )


def document() -> dict[str, Any]:
    """The genesis as TOML types, to be changed."""
    return tomllib.loads(genesis().to_toml())


def refused(change: Callable[[dict[str, Any]], object]) -> FieldError:
    """The error of the genesis file after `change`."""
    changed = document()
    change(changed)
    with pytest.raises(FieldError) as caught:
        Genesis.from_toml(tomli_w.dumps(changed))
    return caught.value


def test_text_and_value_are_the_same() -> None:
    text = genesis().to_toml()
    again = Genesis.from_toml(text)
    assert again == genesis()
    assert again.id == genesis().id == digest(genesis().canonical())
    assert again.to_toml() == text


def test_golden_file() -> None:
    assert Genesis.from_toml(VECTOR.read_text(encoding="utf-8")) == genesis()
    assert genesis().id.hex() == VECTOR_ID


def test_comments_order_and_layout_do_not_count() -> None:
    shuffled = dict(reversed(list(document().items())))
    text = "# a comment\n\n" + tomli_w.dumps(shuffled).replace(" = ", "   =  ").replace("\n", "\r\n")
    assert Genesis.from_toml(text).id == genesis().id


def test_the_order_of_authorities_counts() -> None:
    changed = document()
    changed["authorities"].reverse()
    assert Genesis.from_toml(tomli_w.dumps(changed)).id != genesis().id


ENTRY_CHANGES = {
    "party": REGULATOR,
    "consensus_key": key("other"),
    "checkpoint_key": key("other"),
    "transport_certificate": certificate("other"),
    "address": "other:1",
}
PARTY_CHANGES = {
    "id": "lei:984500BRBANK00000175",
    "name": "x",
    "country": "BR",
    "identifiers": ("lei:984500BRBANK00000175",),
    "roles": ("debtor",),
    "sign_keys": (key("other"),),
    "owner_key": key("other"),
    "receive_key": key("other"),
    "home": "https://x.example",
    "suspended": True,
    "attestations": (Attested(bytes(32), "lei:984500SGBANK00000120", "kyc", 1),),
}


def _every_change() -> dict[str, Genesis]:
    base = genesis()
    changes: dict[str, dict[str, object]] = {
        "name": {"name": "x"},
        "created_ms": {"created_ms": 1},
        "fingerprint_key": {"fingerprint_key": key("other")},
        "authorities": {"authorities": base.authorities[:3]},
        "observers": {"observers": ()},
        "parties": {"parties": base.parties[:4]},
    }
    for name in (field.name for field in dataclasses.fields(Parameters)):
        changed = dataclasses.replace(base.parameters, **{name: getattr(base.parameters, name) + 1})
        changes[f"parameters.{name}"] = {"parameters": changed}
    for name in ("party", "consensus_key", "transport_certificate", "address"):
        entry_value = ENTRY_CHANGES[name]
        authority = dataclasses.replace(base.authorities[0], **{name: entry_value})  # type: ignore[arg-type]
        changes[f"authorities[0].{name}"] = {"authorities": (authority, *base.authorities[1:])}
    for name in ("transport_certificate", "address", "checkpoint_key"):
        observer = dataclasses.replace(base.observers[0], **{name: ENTRY_CHANGES[name]})  # type: ignore[arg-type]
        changes[f"observers[0].{name}"] = {"observers": (observer,)}
    for name, party_value in PARTY_CHANGES.items():
        party = dataclasses.replace(base.parties[0], **{name: party_value})  # type: ignore[arg-type]
        changes[f"parties[0].{name}"] = {"parties": (party, *base.parties[1:])}
    return {name: dataclasses.replace(base, **change) for name, change in changes.items()}  # type: ignore[arg-type]


def test_the_chain_id_changes_with_every_field() -> None:
    changed = _every_change()
    covered = {name.rpartition(".")[2].partition("[")[0] for name in changed}
    for class_ in (Genesis, Parameters, AuthorityEntry, ObserverEntry, Party):
        fields = {field.name for field in dataclasses.fields(class_) if field.init}
        assert fields - {"parameters"} <= covered
    ids = {other.id for other in changed.values()}
    assert len(ids) == len(changed)
    assert genesis().id not in ids


@settings(max_examples=40)
@given(
    st.text(st.characters(categories=["Lu", "Ll", "Nd"], max_codepoint=0x17F), min_size=1, max_size=30),
    st.integers(0, 2**48),
    st.integers(1, 4),
    st.booleans(),
    st.integers(10, 60_000),
    st.binary(min_size=32, max_size=32),
)
def test_any_good_genesis_goes_through_its_text(
    name: str, created_ms: int, members: int, observed: bool, base_ms: int, fingerprint_key: bytes
) -> None:
    some = dataclasses.replace(
        genesis(),
        name=name,
        created_ms=created_ms,
        authorities=genesis().authorities[:members],
        observers=genesis().observers if observed else (),
        parameters=Parameters(base_ms=base_ms, cap_ms=base_ms, heartbeat_ms=max(base_ms, 100)),
        fingerprint_key=fingerprint_key,
    )
    assert Genesis.from_toml(some.to_toml()) == some
    assert Genesis.from_toml(some.to_toml()).id == some.id


def _set(value: object, *path: str | int) -> Callable[[dict[str, Any]], None]:
    def change(changed: dict[str, Any]) -> None:
        target: Any = changed
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value

    return change


OTHER_CERTIFICATE = base64.b64encode(certificate("F_SG")).decode()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("format",), "nemodat-genesis-v2"),
        (("name",), ""),
        (("name",), "x" * 101),
        (("name",), "a\tb"),
        (("name",), 7),
        (("created_ms",), -1),
        (("created_ms",), 2**48 + 1),
        (("created_ms",), 1.5),
        (("created_ms",), True),
        (("created_ms",), datetime.date(2026, 1, 1)),
        (("fingerprint_key",), "00"),
        (("fingerprint_key",), "AB" * 32),
        (("fingerprint_key",), "0"),
        (("parameters",), 7),
        (("parameters", "base_ms"), 9),
        (("parameters", "base_ms"), 60_001),
        (("parameters", "base_ms"), "1000"),
        (("parameters", "cap_ms"), 999),
        (("parameters", "heartbeat_ms"), 999),
        (("parameters", "block_operations_max"), 999),
        (("parameters", "block_bytes_max"), 1024 * 1024 - 1),
        (("parameters", "block_bytes_max"), 6 * 1024 * 1024 + 1),
        (("parameters", "speed"), 1),
        (("authorities",), "none"),
        (("authorities", 1), "none"),
        (("authorities", 2, "consensus_key"), "00"),
        (("authorities", 2, "consensus_key"), 7),
        (("authorities", 2, "colour"), "red"),
        (("authorities", 1, "party"), "lei:984500BRBANK00000175"),
        (("authorities", 1, "party"), "lei:984500CNFACTOR000128"),
        (("authorities", 1, "party"), REGULATOR),
        (("authorities", 1, "address"), "example.org"),
        (("authorities", 1, "address"), "example.org:0"),
        (("authorities", 1, "address"), "example.org:70000"),
        (("authorities", 1, "address"), "exa mple.org:1"),
        (("authorities", 1, "address"), "example.org:１"),
        (("authorities", 1, "address"), "x" * 300 + ":1"),
        (("authorities", 1, "address"), "F-CN.example:7001"),
        (("authorities", 1, "transport_certificate"), "!"),
        (("authorities", 1, "transport_certificate"), "AAAA"),
        (("authorities", 1, "transport_certificate"), "A" * 8000),
        (("observers", 0, "transport_certificate"), OTHER_CERTIFICATE),
        (("observers", 0, "party"), "lei:984500BRBANK00000175"),
        (("observers", 0, "address"), ""),
        (("observers", 0, "address"), "f-cn.example:7001"),
        (("parties", 0, "identifiers"), "x"),
        (("parties", 0, "identifiers", 0), "lei:984500CNFACTOR000129"),
        (("parties", 1, "sign_keys", 0), key("sign F_CN").hex()),
        (("parties", 1, "owner_key"), key("consensus F_CN").hex()),
        (("parties", 1, "roles"), ["king"]),
        (("parties", 1, "country"), "sg"),
        (("parties", 1, "suspended"), False),
    ],
    ids=str,
)
def test_what_is_wrong_is_named_by_its_place(path: tuple[str | int, ...], value: object) -> None:
    error = refused(_set(value, *path))
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
    cross_checked = {  # where the clash is found at the later of two places
        "parties[1].owner_key": "authorities[0].consensus_key",
    }
    assert error.field == cross_checked.get(place, place)
    assert error.reason


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda d: d.pop("name"), "name"),
        (lambda d: d.pop("observers"), "observers"),
        (lambda d: d["authorities"][3].pop("address"), "authorities[3].address"),
        (lambda d: d["parties"][0].pop("owner_key"), "parties[0].owner_key"),
        (lambda d: d["authorities"].clear(), "authorities (how many)"),
        (lambda d: d["parties"].clear(), "parties (how many)"),
        (lambda d: d["authorities"].extend(d["authorities"] * 16), "authorities (how many)"),
        (lambda d: d["parties"].append(d["parties"][0]), "parties[5].identifiers[0]"),
        (lambda d: d["observers"].append(d["observers"][0]), "observers[1].checkpoint_key"),
        (lambda d: d.update({"x" * 500: 1}), "x" * 100),
    ],
)
def test_what_is_missing_or_too_much_is_named(change: Callable[[dict[str, Any]], object], field: str) -> None:
    assert refused(change).field == field


@pytest.mark.parametrize(
    "text",
    ["", "a = ", "a = 1\na = 2", "\x00", "[" * 5000 + "]" * 5000, "a = " + "[" * 5000, "d = 2026-13-45", "\ud800"],
    ids=lambda text: repr(text)[:20],
)
def test_what_is_no_toml_is_refused(text: str) -> None:
    with pytest.raises(FieldError):
        Genesis.from_toml(text)


@given(st.text(max_size=200))
@example("name = 1e400")
@example("created_ms = " + "9" * 5000)
def test_any_text_is_a_genesis_or_a_named_error(text: str) -> None:
    with pytest.raises(FieldError):
        Genesis.from_toml(text)


@settings(max_examples=150)
@given(st.data())
def test_any_changed_character_is_the_same_a_different_genesis_or_a_named_error(data: st.DataObject) -> None:
    text = genesis().to_toml()
    place = data.draw(st.integers(0, len(text) - 1))
    changed = text[:place] + data.draw(st.characters(codec="utf-8")) + text[place + 1 :]
    try:
        other = Genesis.from_toml(changed)
    except FieldError:
        return
    assert (other.id == genesis().id) == (other == genesis())


@pytest.mark.parametrize("field", ["suspended", "attestations"])
def test_a_suspended_or_attested_party_cannot_be_there_from_the_start(field: str) -> None:
    party = dataclasses.replace(genesis().parties[0], **{field: PARTY_CHANGES[field]})  # type: ignore[arg-type]
    with pytest.raises(FieldError, match=rf"parties\[0\]\.{field}"):
        validate_genesis(dataclasses.replace(genesis(), parties=(party, *genesis().parties[1:])))
    with pytest.raises(FieldError, match=rf"parties\[0\]\.{field}"):
        dataclasses.replace(genesis(), parties=(party, *genesis().parties[1:])).to_toml()


@given(st.data())
def test_the_order_of_a_partys_lists_goes_through_the_text_and_counts(data: st.DataObject) -> None:
    """Roles, identifiers, keys, parties: in whatever order they are written, that is the genesis."""
    shuffled = tuple(
        dataclasses.replace(
            party,
            roles=tuple(data.draw(st.permutations(party.roles))),
            identifiers=tuple(data.draw(st.permutations(party.identifiers))),
            sign_keys=tuple(data.draw(st.permutations(party.sign_keys))),
        )
        for party in data.draw(st.permutations(genesis().parties))
    )
    other = dataclasses.replace(genesis(), parties=shuffled)
    assert Genesis.from_toml(other.to_toml()).id == other.id
    assert (other.id == genesis().id) == (shuffled == genesis().parties)


def test_one_authority_is_enough_for_development() -> None:
    validate_genesis(dataclasses.replace(genesis(), authorities=genesis().authorities[:1]))
    assert AUTHORITIES_MAX == 64


def test_every_transaction_fits_a_block() -> None:
    changed = document()
    changed["parameters"]["block_bytes_max"] = 1024 * 1024
    assert Genesis.from_toml(tomli_w.dumps(changed)).parameters.block_bytes_max >= 2 * WIRE_BYTES_MAX


def test_the_fingerprint_key_stays_out_of_the_repr() -> None:
    assert repr(genesis().fingerprint_key) not in repr(genesis())


def test_a_certificate_with_a_key_that_did_not_sign_it_is_refused() -> None:
    """A public key is enough to make one: who shows it need not have the key."""
    mine, theirs = (Ed25519PrivateKey.from_private_bytes(digest(who)) for who in (b"mine", b"theirs"))
    forged = _certificate("theirs", theirs).sign(mine, None).public_bytes(Encoding.DER)
    with pytest.raises(FieldError, match="transport_certificate: is not signed with its own key"):
        transport_public_key(forged)


def test_the_key_of_a_certificate() -> None:
    private = Ed25519PrivateKey.from_private_bytes(digest(b"transport F_CN"))
    assert transport_public_key(certificate("F_CN")) == private.public_key().public_bytes_raw()
    other = ec.generate_private_key(ec.SECP256R1())
    weak = _certificate("P256", other).sign(other, hashes.SHA256()).public_bytes(Encoding.DER)
    for data, reason in ((weak, "Ed25519"), (b"", "X.509"), (certificate("F_CN")[:-1], "X.509")):
        with pytest.raises(FieldError, match=reason):
            transport_public_key(data)


@pytest.mark.filterwarnings("ignore::UserWarning")  # cryptography on odd serial numbers and versions
@given(st.integers(0, 10_000), st.integers(0, 255))
@example(9, 1)  # a version that X.509 does not have
def test_damaged_certificates_are_read_or_refused(place: int, byte: int) -> None:
    damaged = bytearray(certificate("F_CN"))
    damaged[place % len(damaged)] = byte
    try:
        found = transport_public_key(bytes(damaged))
    except FieldError:
        return
    assert found == transport_public_key(certificate("F_CN"))


def _party(name: str, identifier: str, country: str, *, roles: tuple[str, ...]) -> Party:
    return Party(
        id=identifier,
        name=name,
        country=country,
        identifiers=(identifier,),
        roles=roles,
        sign_keys=(key(f"sign {name}"),),
        owner_key=key(f"owner {name}"),
    )
