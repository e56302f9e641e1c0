"""Checkpoints: a regulator's observer signs what it saw final, so that history is safe from keys that leak later.

Whoever holds the consensus keys of a retired set can sign another past, which a light client that begins at genesis
cannot tell from the true one. An observer's signature over (height, block hash, block time), made when the block was
new and with a key that votes for nothing, can. A reader keeps it with the header that it names (`KeptCheckpoint`):

- at its height, another block is refused (`check_header`);
- above it, a block is refused unless the set known to be in force right after the checkpoint is the one that its header
  names as the next (`check_reigns`): so keys of a set that was retired by then sign nothing above it;
- below it, `check_reigns` tells nothing. There a block is believed only with the proof that it is in the history of the
  checkpointed header (`clients.verify`, `clients.changes`).

It guards against keys of sets that had been retired *by the checkpoint's height*. Whoever holds the keys of a set that
was in force later signs what he likes above it, and nothing else: that takes a newer checkpoint.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from consensus.blocks import HEIGHT_MAX, Header
from consensus.errors import CheckpointError
from consensus.light import Reign, in_force
from registry.codec import DIGEST_SIZE, CodecError, decode, encode
from registry.keys import (
    DOMAIN_CHECKPOINT,
    PUBLIC_KEY_SIZE,
    SIGNATURE_SIZE,
    SignatureInvalid,
    Signer,
    verify,
)

__all__ = ["CHECKPOINT_SIZE_MAX", "Checkpoint", "KeptCheckpoint", "check_header", "check_reigns", "cosign"]

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


@dataclass(frozen=True, slots=True)
class KeptCheckpoint:
    """What a reader keeps: a checkpoint, verified before, and the header that it names. Raises `CheckpointError`."""

    checkpoint: Checkpoint
    header: Header

    def __post_init__(self) -> None:
        if self.header.height != self.checkpoint.height:
            raise CheckpointError(f"height: a checkpoint of {self.checkpoint.height}, a header of {self.header.height}")
        check_header((self.checkpoint,), self.header)

    @property
    def height(self) -> int:
        """The height of both."""
        return self.header.height


def check_header(checkpoints: Collection[Checkpoint], header: Header) -> None:
    """Return unless one of these, verified before, is of the same height and another block. Raises `CheckpointError`.

    A header of another height passes: that is for `check_reigns`, and for a proof of its place in the history.
    """
    for checkpoint in checkpoints:
        if checkpoint.height == header.height and checkpoint.block_hash != header.hash:
            raise CheckpointError(
                f"height {header.height}: {checkpoint.signer.hex()[:16]} saw another block final, with the hash"
                f" {checkpoint.block_hash.hex()}: this history contradicts its checkpoint"
            )


def check_reigns(kept: Collection[KeptCheckpoint], reigns: Sequence[Reign], below: int) -> None:
    """Return if these reigns lead through every checkpoint below a height. Raises `CheckpointError`.

    Right after each of those heights the set must be in force that the checkpointed header names as the next one.
    Whatever is signed by the reigns above is then signed by that set, or by one that followed from it.
    """
    for each in kept:
        if each.height < below and in_force(reigns, each.height + 1).digest != each.header.next_authorities:
            raise CheckpointError(
                f"authorities: other ones than those known here decide after block {each.height}, as"
                f" {each.checkpoint.signer.hex()[:16]} saw it final: this history contradicts its checkpoint,"
                " or a change of the authorities is kept back"
            )


def _signed_bytes(height: int, block_hash: bytes, timestamp_ms: int) -> bytes:
    return encode([height, block_hash, timestamp_ms])
