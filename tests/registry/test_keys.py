"""Ed25519: what is signed, and the pinned answers to every published edge case."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.errors import SignatureInvalid
from registry.keys import (
    DOMAIN_CHECKPOINT,
    DOMAIN_INCLUSION,
    DOMAIN_TRANSACTION,
    DOMAIN_VOTE,
    SEED_SIZE,
    SIGNATURE_SIZE,
    SigningKey,
    key_id,
    verify,
)

CHAIN = bytes(32)
SPECCHECK = Path(__file__).parents[3] / "shared" / "data" / "vectors" / "ed25519-speccheck.json"

# What libsodium answers to the cases of "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko; eprint 2020/1244), in
# their order. Observed with PyNaCl 1.6.2 and equal to the LibSodium row of the paper's table: only case 3 (mixed-order
# key and point, cofactorless equation holds) is accepted; small orders, S >= L and non-canonical encodings never are.
LIBSODIUM_ACCEPTS = (False, False, False, True, False, False, False, False, False, False, False, False)


def test_speccheck_answers_are_pinned() -> None:
    if not SPECCHECK.is_file():
        pytest.skip(f"EDGE CASES NOT CHECKED: {SPECCHECK} is missing")
    cases = json.loads(SPECCHECK.read_text(encoding="utf-8"))
    answers = tuple(
        _accepted(*(bytes.fromhex(case[name]) for name in ("pub_key", "message", "signature"))) for case in cases
    )
    assert answers == LIBSODIUM_ACCEPTS


def test_rfc_8032_vectors() -> None:
    # RFC 8032, 7.1, TEST 1 to 3: seed, public key, message, signature
    for seed, public_key, message, signature in (
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ):
        key = SigningKey.from_seed(bytes.fromhex(seed))
        assert key.public_key.hex() == public_key
        assert key.sign(b"", b"", bytes.fromhex(message)).hex() == signature


@settings(max_examples=30)
@given(st.binary(min_size=SEED_SIZE, max_size=SEED_SIZE), st.binary(max_size=100))
def test_what_is_signed_verifies_and_nothing_else_does(seed: bytes, message: bytes) -> None:
    key = SigningKey.from_seed(seed)
    signature = key.sign(DOMAIN_VOTE, CHAIN, message)
    assert len(signature) == SIGNATURE_SIZE
    verify(key.public_key, DOMAIN_VOTE, CHAIN, message, signature)
    for domain, chain, text in (
        (DOMAIN_TRANSACTION, CHAIN, message),
        (DOMAIN_VOTE, b"\x01" * 32, message),
        (DOMAIN_VOTE, CHAIN, message + b"\x00"),
    ):
        with pytest.raises(SignatureInvalid):
            verify(key.public_key, domain, chain, text, signature)


@settings(max_examples=30)
@given(st.integers(0, 8 * SIGNATURE_SIZE - 1))
def test_any_flipped_bit_invalidates(bit: int) -> None:
    key = SigningKey.from_seed(b"s" * SEED_SIZE)
    signature = bytearray(key.sign(DOMAIN_VOTE, CHAIN, b"message"))
    signature[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SignatureInvalid):
        verify(key.public_key, DOMAIN_VOTE, CHAIN, b"message", bytes(signature))


@pytest.mark.parametrize("sizes", [(31, 64), (33, 64), (32, 63), (32, 65), (0, 0)])
def test_wrong_sizes_are_refused(sizes: tuple[int, int]) -> None:
    with pytest.raises(SignatureInvalid, match="32 bytes"):
        verify(bytes(sizes[0]), DOMAIN_VOTE, CHAIN, b"", bytes(sizes[1]))


def test_domains_have_no_common_prefixes() -> None:
    domains = (DOMAIN_TRANSACTION, DOMAIN_VOTE, DOMAIN_CHECKPOINT, DOMAIN_INCLUSION)
    assert not [(a, b) for a in domains for b in domains if a is not b and a.startswith(b)]


def test_signatures_are_deterministic() -> None:
    key = SigningKey.from_seed(b"d" * SEED_SIZE)
    assert key.sign(DOMAIN_VOTE, CHAIN, b"m") == key.sign(DOMAIN_VOTE, CHAIN, b"m")


def test_seed_comes_back_and_secrets_stay_out_of_the_repr() -> None:
    seed = bytes(range(SEED_SIZE))
    key = SigningKey.from_seed(seed)
    assert key.seed == seed
    assert seed.hex() not in repr(key)
    assert repr(seed)[2:-1] not in repr(key)
    with pytest.raises(ValueError, match="32 bytes"):
        SigningKey.from_seed(seed[:-1])


def test_key_ids_are_short_names() -> None:
    public_key = SigningKey.from_seed(bytes(SEED_SIZE)).public_key
    assert key_id(public_key) == key_id(public_key)
    assert len(key_id(public_key)) == 16


def _accepted(public_key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        verify(public_key, b"", b"", message, signature)
    except SignatureInvalid:
        return False
    return True
