"""Checkpoints: an observer's word on one block, and what contradicts it."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.checkpoints import Checkpoint, check_header, cosign
from consensus.errors import CheckpointError
from registry.keys import DOMAIN_VOTE, SigningKey
from tests.consensus.fixtures import GENESIS_ID, authorities_of, block_of

KEY, OTHER = SigningKey.from_seed(b"o" * 32), SigningKey.from_seed(b"p" * 32)
HEADER = block_of(authorities_of(4), height=7, parent=bytes(32), proposer=1).header
FORGED = block_of(authorities_of(4), height=7, parent=bytes(32), proposer=2, transactions=(b"mine",)).header
MADE = cosign(GENESIS_ID, HEADER, KEY)


def test_a_checkpoint_is_its_signers_word_on_one_block() -> None:
    assert (MADE.height, MADE.block_hash, MADE.timestamp_ms) == (7, HEADER.hash, HEADER.timestamp_ms)
    MADE.verify(GENESIS_ID, {KEY.public_key})
    assert Checkpoint.decode(MADE.encode()) == MADE


def test_whose_key_is_not_in_genesis_cosigns_nothing() -> None:
    with pytest.raises(CheckpointError, match="signer"):
        MADE.verify(GENESIS_ID, {OTHER.public_key})


@pytest.mark.parametrize(
    "change", [{"height": 8}, {"block_hash": FORGED.hash}, {"timestamp_ms": 1}, {"signature": bytes(64)}]
)
def test_whatever_is_changed_it_is_nobodys_word(change: dict[str, object]) -> None:
    with pytest.raises(CheckpointError, match="signature"):
        dataclasses.replace(MADE, **change).verify(GENESIS_ID, {KEY.public_key})  # type: ignore[arg-type]


def test_a_checkpoint_of_another_network_is_none_here() -> None:
    with pytest.raises(CheckpointError, match="signature"):
        cosign(bytes(32), HEADER, KEY).verify(GENESIS_ID, {KEY.public_key})


def test_a_vote_is_no_checkpoint_even_under_the_same_key() -> None:
    signature = KEY.sign(DOMAIN_VOTE, GENESIS_ID, MADE.encode())
    with pytest.raises(CheckpointError, match="signature"):
        dataclasses.replace(MADE, signature=signature).verify(GENESIS_ID, {KEY.public_key})


def test_another_block_at_its_height_contradicts_it_and_nothing_else_does() -> None:
    check_header((MADE,), HEADER)
    check_header((MADE,), block_of(authorities_of(4), height=8, parent=bytes(32), proposer=1).header)
    check_header((), FORGED)
    elsewhere = cosign(GENESIS_ID, block_of(authorities_of(4), height=9, parent=bytes(32), proposer=0).header, KEY)
    with pytest.raises(CheckpointError, match="contradicts"):
        check_header((elsewhere, MADE), FORGED)


@pytest.mark.parametrize("change", [{"height": 0}, {"height": True}, {"block_hash": b"x"}, {"timestamp_ms": -1}])
def test_a_field_out_of_bounds_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(CheckpointError):
        dataclasses.replace(MADE, **change)  # type: ignore[arg-type]


@given(st.binary(max_size=300))
def test_any_bytes_are_a_checkpoint_or_refused(data: bytes) -> None:
    try:
        assert Checkpoint.decode(data).encode() == data
    except CheckpointError:
        return
