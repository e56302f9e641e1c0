"""What nodes say to each other to catch up, and its bytes: tips, questions for ranges of blocks, and answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, TypeGuard

from consensus.blocks import BLOCK_SIZE_MAX, HEIGHT_MAX, Block
from consensus.errors import MessageError
from consensus.messages import SMALL_SIZE_MAX, Decided
from consensus.votes import Certificate
from registry.codec import CodecError, decode, encode

__all__ = [
    "RANGE_BYTES_MAX",
    "RANGE_HEIGHTS_MAX",
    "RANGE_MESSAGE_MAX",
    "SMALL_MESSAGE_MAX",
    "Ask",
    "Blocks",
    "RangeMessage",
    "Tip",
    "decode_range_message",
    "encode_range_message",
    "read_pair",
]

RANGE_HEIGHTS_MAX = 64  # blocks in one answer
RANGE_BYTES_MAX = 2 * 1024 * 1024  # of blocks and certificates in one answer; a single block may be larger
RANGE_MESSAGE_MAX = BLOCK_SIZE_MAX + 2 * 1024 * 1024  # bytes, encoded
SMALL_MESSAGE_MAX = 1024  # bytes, encoded: tips and questions, which have 23
ITEMS_MAX = 256  # in all lists of a message together: 64 blocks have 195

_BLOCKS = encode(["blocks"])[1:]


@dataclass(frozen=True, slots=True)
class Tip:
    """The sender has the blocks of heights `first` to `last`, it says; `last` 0: none yet."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Ask:
    """Asks for the blocks of heights `first` to `last`."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Blocks:
    """An answer: blocks from height `first` on, as many as the sender has and one message carries.

    Each is `(block, FINALIZE certificate)` in canonical bytes, not decoded yet: see `read_pair`.
    """

    first: int
    pairs: tuple[tuple[bytes, bytes], ...]


RangeMessage: TypeAlias = "Tip | Ask | Blocks"


def encode_range_message(message: RangeMessage) -> bytes:
    """The canonical bytes of a message."""
    match message:
        case Tip(first, last):
            return encode(["tip", first, last])
        case Ask(first, last):
            return encode(["ask", first, last])
        case Blocks(first, pairs):
            return encode(["blocks", first, [list(pair) for pair in pairs]])


def decode_range_message(data: bytes) -> RangeMessage:
    """The message of these bytes. Raises `MessageError` for anything that is not exactly one."""
    size_max = RANGE_MESSAGE_MAX if data[1:].startswith(_BLOCKS) else SMALL_MESSAGE_MAX
    try:
        value = decode(data, size_max=size_max, items_max=ITEMS_MAX)
    except CodecError as error:
        raise MessageError(f"sync: {error}") from error
    match value:
        case ["tip", first, last] if _is_height(first, 1) and _is_height(last, 0):
            return Tip(first, last)
        case ["ask", first, last] if _is_height(first, 1) and _is_height(last, first):
            return Ask(first, last)
        case ["blocks", first, list(items)] if _is_height(first, 1) and len(items) <= RANGE_HEIGHTS_MAX:
            return Blocks(first, tuple(_pair(item) for item in items))
        case _:
            raise MessageError("sync: not a message of this protocol")


def read_pair(pair: tuple[bytes, bytes], height: int) -> Decided:
    """The block of this height with its certificate, which is not verified here. Raises `MessageError`."""
    block = Block.decode(pair[0])
    if block.header.height != height:
        raise MessageError(f"block: of height {block.header.height} where {height} was asked for")
    try:
        return Decided(block, Certificate.from_value(decode(pair[1], size_max=SMALL_SIZE_MAX)))
    except CodecError as error:
        raise MessageError(f"certificate: {error}") from error


def _is_height(value: object, least: int) -> TypeGuard[int]:
    return type(value) is int and least <= value <= HEIGHT_MAX


def _pair(item: object) -> tuple[bytes, bytes]:
    match item:
        case [bytes(block), bytes(certificate)]:
            return block, certificate
        case _:
            raise MessageError("blocks: a block and its certificate are expected")
