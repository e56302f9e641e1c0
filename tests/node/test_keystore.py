"""Key files: what opens them, what they refuse, and that no secret gets out on the way."""

from __future__ import annotations

import contextlib
import json
import ssl
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.certificates import certificate_key, make_certificate
from node.errors import KeyFileError
from node.keystore import (
    KDF_STANDARD,
    KDF_TEST,
    KEY_KINDS,
    SIGNING_KINDS,
    SecretKey,
    generate_key,
    generate_transport_key,
    load_key,
    read_public,
    save_key,
)
from node.network import Credentials
from node.network.tls import build_contexts
from registry.keyfile import KeyFileInvalid
from registry.keys import DOMAIN_VOTE, verify

PASSPHRASE = "correct horse 电池".encode()


def make(kind: str) -> SecretKey:
    return generate_transport_key("node-one") if kind == "transport" else generate_key(kind)


@pytest.mark.parametrize("kind", KEY_KINDS)
def test_a_key_comes_back_with_its_passphrase(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "keys" / f"{kind}.key"
    key = make(kind)
    save_key(path, key, PASSPHRASE, cost=KDF_TEST)
    assert load_key(path, PASSPHRASE, kind=kind) == key
    assert read_public(path, kind=kind) == key.public
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_the_standard_cost_is_64_mib_and_three_passes(tmp_path: Path) -> None:
    assert (KDF_STANDARD.memory_kib, KDF_STANDARD.passes) == (65536, 3)
    key = generate_key("owner")
    save_key(tmp_path / "owner.key", key, PASSPHRASE)
    assert load_key(tmp_path / "owner.key", PASSPHRASE, kind="owner") == key
    assert json.loads((tmp_path / "owner.key").read_text())["kdf"]["memory_kib"] == 65536


@pytest.mark.parametrize("kind", SIGNING_KINDS)
def test_signing_keys_sign(kind: str) -> None:
    key = generate_key(kind)
    signature = key.signing_key.sign(DOMAIN_VOTE, bytes(32), b"message")
    verify(key.public, DOMAIN_VOTE, bytes(32), b"message", signature)
    with pytest.raises(KeyFileInvalid, match="does not sign"):
        _ = generate_key("receive").signing_key


def test_keys_of_a_kind_that_is_not_made_here_are_refused() -> None:
    for kind in ("transport", "master"):
        with pytest.raises(KeyFileError, match="cannot make"):
            generate_key(kind)


def test_a_wrong_passphrase_kind_or_place_is_refused_without_a_secret_in_the_error(tmp_path: Path) -> None:
    path = tmp_path / "consensus.key"
    key = generate_key("consensus")
    save_key(path, key, PASSPHRASE, cost=KDF_TEST)
    before = path.read_bytes()
    with pytest.raises(KeyFileError, match="wrong passphrase") as wrong:
        load_key(path, b"another passphrase", kind="consensus")
    with pytest.raises(KeyFileError, match="holds a consensus key"):
        load_key(path, PASSPHRASE, kind="sign")
    with pytest.raises(KeyFileError, match="holds a consensus key"):
        read_public(path, kind="sign")
    with pytest.raises(KeyFileError, match="no such file"):
        load_key(tmp_path / "nothing.key", PASSPHRASE, kind="sign")
    with pytest.raises(KeyFileError, match="exists already"):
        save_key(path, generate_key("consensus"), PASSPHRASE, cost=KDF_TEST)
    with pytest.raises(KeyFileError, match="8 to 1024"):
        save_key(tmp_path / "new.key", key, b"short", cost=KDF_TEST)
    assert path.read_bytes() == before
    shown = f"{wrong.value!r} {key!r} {key.signing_key!r}"
    assert "passphrase'" not in shown.replace("wrong passphrase", "")
    assert key.secret.hex() not in shown
    assert repr(key.secret)[2:-1] not in shown
    assert key.secret.hex() not in path.read_text()


def rewrite(path: Path, **changes: Any) -> None:
    value = json.loads(path.read_text())
    value["kdf"].update({name: changes.pop(name) for name in list(changes) if name in value["kdf"]})
    path.write_text(json.dumps(value | changes))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"memory_kib": 2**31}, "not known|out of bounds"),
        ({"profile": "fast"}, "not known"),
        ({"profile": "standard"}, "out of bounds"),
        ({"profile": "standard", "memory_kib": 65536, "passes": 3, "lanes": 1}, "wrong passphrase, or the file"),
        ({"profile": "standard", "memory_kib": 2**21, "passes": 3}, "out of bounds"),
        ({"profile": "standard", "memory_kib": 65536, "passes": 10**9}, "out of bounds"),
        ({"profile": "standard", "memory_kib": 65536.0, "passes": 3}, "not known"),
        ({"memory_kib": 1024.0}, "not known"),
        ({"passes": True}, "not known"),
        ({"name": "scrypt"}, "not argon2id"),
        ({"kind": "owner"}, "wrong passphrase, or the file"),
        ({"public": "00" * 32}, "wrong passphrase, or the file"),
        ({"public": "00"}, "wrong length"),
        ({"salt": "00"}, "wrong length"),
        ({"sealed": "00" * 48}, "wrong passphrase, or the file"),
        ({"sealed": "zz"}, "not a key file"),
        ({"nonce": 7}, "not a key file"),
        ({"kdf": None}, "not argon2id"),
        ({"kind": "master"}, "not a key file of this version"),
        ({"format": "nemodat-key-v2"}, "not a key file of this version"),
    ],
)
def test_a_changed_file_never_opens_and_never_asks_for_much(
    change: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "sign.key"
    save_key(path, generate_key("sign"), PASSPHRASE, cost=KDF_TEST)
    rewrite(path, **change)
    kind = "owner" if change.get("kind") == "owner" else "sign"
    with pytest.raises(KeyFileError, match=reason):
        load_key(path, PASSPHRASE, kind=kind)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200) | st.text(max_size=50).map(lambda text: json.dumps([text]).encode()))
def test_no_bytes_at_all_do_more_than_raise(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "garbage.key"
    path.write_bytes(data)
    with pytest.raises(KeyFileError, match="not a key file"):
        load_key(path, PASSPHRASE, kind="sign")


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.key"
    with path.open("wb") as file:
        file.truncate(10**9)
    with pytest.raises(KeyFileError, match="larger than"):
        load_key(path, PASSPHRASE, kind="sign")


def test_a_transport_certificate_names_its_node_and_holds_its_key(tmp_path: Path) -> None:
    key = generate_transport_key("authority-cn")
    certificate = x509.load_der_x509_certificate(key.public)
    assert certificate.subject == certificate.issuer
    assert certificate.subject.rfc4514_string() == "CN=authority-cn"
    assert certificate.not_valid_before_utc < datetime(2021, 1, 1, tzinfo=UTC)
    assert certificate.not_valid_after_utc > datetime(2100, 1, 1, tzinfo=UTC)
    certificate.verify_directly_issued_by(certificate)
    assert certificate_key(key.public) == SecretKey("sign", b"", key.secret).signing_key.public_key


def test_two_nodes_with_such_certificates_shake_hands() -> None:
    one, two = generate_transport_key("one"), generate_transport_key("two")
    trusted = [one.public, two.public]
    server = build_contexts(Credentials(one.public, one.secret), trusted).server
    client = build_contexts(Credentials(two.public, two.secret), trusted).client
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_side=False),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for side in (*sides, *sides):
        with contextlib.suppress(ssl.SSLWantReadError):
            side.do_handshake()
    assert [side.getpeercert(binary_form=True) for side in sides] == trusted


def test_what_is_no_certificate_is_refused() -> None:
    for data, reason in ((b"junk", "not a transport certificate"), (bytes(5000), "at most 2048 bytes")):
        with pytest.raises(KeyFileError, match=reason):
            certificate_key(data)
    for name in ("", "n" * 65):
        with pytest.raises(KeyFileError, match="1 to 64 characters"):
            make_certificate(bytes(32), name)
