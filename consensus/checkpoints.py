"""Checkpoints: a regulator's observer signs what it saw final, so that history is safe from keys that leak later.

Whoever holds the consensus keys of a retired set can sign another past, which a light client that begins at genesis
cannot tell from the true one. An observer's signature over (height, block hash, block time), made when the block was
new and with a key that votes for nothing, can: a reader who has a checkpoint refuses another block at its height.

A checkpoint binds its own height alone. A forged header at any other height passes `check_header`; what tells it is the
proof that the checkpointed block is in its history (`clients.checkpoints.checked` demands that of the newest header).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from consensus.blocks import HEIGHT_MAX, Header
from consensus.errors import CheckpointError
from registry.codec import DIGEST_SIZE, CodecError, decode, encode
from registry.keys import (
    DOMAIN_CHECKPOINT,
    PUBLIC_KEY_SIZE,
    SIGNATURE_SIZE,
    SignatureInvalid,
    Signer,
    verify,
)

__all__ = ["CHECKPOINT_SIZE_MAX", "Checkpoint", "check_header", "cosign"]

CHECKPOINT_SIZE_MAX = 256  # bytes, encoded


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """An observer's word that the block of this hash and time (ms UTC) is the final one of a height."""

    height: int
    block_hash: bytes
    timestamp_ms: int
    signer: bytes
    signature: bytes

    def __post_init__(self) -> None:
        for name, number, least in (("height", self.height, 1), ("timestamp_ms", self.timestamp_ms, 0)):
            if type(number) is not int or not least <= number <= HEIGHT_MAX:
                raise CheckpointError(f"{name}: an integer from {least} to {HEIGHT_MAX} is expected")
        for name, size in (("block_hash", DIGEST_SIZE), ("signer", PUBLIC_KEY_SIZE), ("signature", SIGNATURE_SIZE)):
            data = getattr(self, name)
            if type(data) is not bytes or len(data) != size:
                raise CheckpointError(f"{name}: {size} bytes are expected")

    def verify(self, genesis_id: bytes, signers: Collection[bytes]) -> None:
        """Return if one of `signers`, the checkpoint keys of genesis, signed this. Raises `CheckpointError`."""
        if self.signer not in signers:
            raise CheckpointError("signer: not a checkpoint key of this network")
        message = _signed_bytes(self.height, self.block_hash, self.timestamp_ms)
        try:
            verify(self.signer, DOMAIN_CHECKPOINT, genesis_id, message, self.signature)
        except SignatureInvalid as error:
            raise CheckpointError("signature: not the signer's") from error

    def encode(self) -> bytes:
        """The canonical bytes."""
        return encode([self.height, self.block_hash, self.timestamp_ms, self.signer, self.signature])

    @classmethod
    def decode(cls, data: bytes) -> Checkpoint:
        """The checkpoint of these canonical bytes, not verified. Raises `CheckpointError`."""
        try:
            value = decode(data, size_max=CHECKPOINT_SIZE_MAX)
        except CodecError as error:
            raise CheckpointError(str(error)) from error
        match value:
            case [int(height), bytes(block_hash), int(timestamp_ms), bytes(signer), bytes(signature)]:
                return cls(
                    height=height,
                    block_hash=block_hash,
                    timestamp_ms=timestamp_ms,
                    signer=signer,
                    signature=signature,
                )
            case _:
                raise CheckpointError("checkpoint: height, hash, time, signer and signature are expected")


def cosign(genesis_id: bytes, header: Header, signer: Signer) -> Checkpoint:
    """The checkpoint of a final header by an observer's key."""
    message = _signed_bytes(header.height, header.hash, header.timestamp_ms)
    return Checkpoint(
        height=header.height,
        block_hash=header.hash,
        timestamp_ms=header.timestamp_ms,
        signer=signer.public_key,
        signature=signer.sign(DOMAIN_CHECKPOINT, genesis_id, message),
    )


def check_header(checkpoints: Collection[Checkpoint], header: Header) -> None:
    """Return unless one of these, verified before, is of the same height and another block. Raises `CheckpointError`.

    A header of another height passes whatever its history: whether both are of one is shown by the history root of
    the higher one alone.
    """
    for checkpoint in checkpoints:
        if checkpoint.height == header.height and checkpoint.block_hash != header.hash:
            raise CheckpointError(
                f"height {header.height}: {checkpoint.signer.hex()[:16]} saw another block final, with the hash"
                f" {checkpoint.block_hash.hex()}: this history contradicts its checkpoint"
            )


def _signed_bytes(height: int, block_hash: bytes, timestamp_ms: int) -> bytes:
    return encode([height, block_hash, timestamp_ms])
