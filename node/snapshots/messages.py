"""What nodes say to each other about states and checkpoints, and its bytes; on the channel of `consensus.ranges`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, TypeGuard

from consensus.blocks import HEIGHT_MAX
from consensus.checkpoints import CHECKPOINT_SIZE_MAX
from consensus.errors import MessageError
from consensus.ranges import (
    RANGE_MESSAGE_MAX,
    SMALL_MESSAGE_MAX,
    Ask,
    Blocks,
    RangeMessage,
    Tip,
    decode_range_message,
    encode_range_message,
)
from registry.codec import DIGEST_SIZE, CodecError, decode, encode
from registry.merkle.parts import CUT_BITS, Entry

__all__ = [
    "MANIFEST_BYTES_MAX",
    "OFFERS_MAX",
    "PART_BYTES_MAX",
    "AskHeld",
    "AskManifest",
    "AskPart",
    "Cosigned",
    "Gone",
    "Held",
    "ManifestOf",
    "PartOf",
    "SnapshotMessage",
    "SyncMessage",
    "decode_snapshot_message",
    "decode_sync",
    "encode_snapshot_message",
    "encode_sync",
    "is_answer",
]

OFFERS_MAX = 4  # states of one node
PART_BYTES_MAX = 5 * 1024 * 1024  # of keys and values in one part
MANIFEST_BYTES_MAX = RANGE_MESSAGE_MAX - 64  # what is left for it beside tag, height and lengths
_PARTS_MAX = 1 << CUT_BITS[-1]
_RANGE_TAGS = tuple(encode([tag])[1:] for tag in ("tip", "ask", "blocks"))
_LARGE_TAGS = tuple(encode([tag])[1:] for tag in ("manifest", "part"))
_ANSWER_TAGS = (*_LARGE_TAGS, *(encode([tag])[1:] for tag in ("held", "gone")))


@dataclass(frozen=True, slots=True)
class AskHeld:
    """Which states do you serve?"""


@dataclass(frozen=True, slots=True)
class Held:
    """These, by height and block hash."""

    offers: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class AskManifest:
    """Asks for the manifest of the state at a height."""

    height: int


@dataclass(frozen=True, slots=True)
class ManifestOf:
    """An answer: the manifest in canonical bytes (`node.snapshots.manifest`)."""

    height: int
    manifest: bytes


@dataclass(frozen=True, slots=True)
class AskPart:
    """Asks for a part of the state at a height, cut at the level of `bits` bits."""

    height: int
    bits: int
    number: int


@dataclass(frozen=True, slots=True)
class PartOf:
    """An answer: all entries of the part, in the order of their paths."""

    height: int
    number: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Gone:
    """An answer: the state at this height is not served here (any more), or the answer is too large for a message."""

    height: int


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A checkpoint in canonical bytes (`consensus.checkpoints`)."""

    checkpoint: bytes


SyncMessage: TypeAlias = "RangeMessage | SnapshotMessage"
SnapshotMessage: TypeAlias = "AskHeld | Held | AskManifest | ManifestOf | AskPart | PartOf | Gone | Cosigned"


def encode_snapshot_message(message: SnapshotMessage) -> bytes:
    """The canonical bytes of a message."""
    match message:
        case AskHeld():
            return encode(["held?"])
        case Held(offers):
            return encode(["held", [list(offer) for offer in offers]])
        case AskManifest(height):
            return encode(["manifest?", height])
        case ManifestOf(height, manifest):
            return encode(["manifest", height, manifest])
        case AskPart(height, bits, number):
            return encode(["part?", height, bits, number])
        case PartOf(height, number, entries):
            return encode(["part", height, number, [list(entry) for entry in entries]])
        case Gone(height):
            return encode(["gone", height])
        case Cosigned(checkpoint):
            return encode(["checkpoint", checkpoint])


def decode_snapshot_message(data: bytes) -> SnapshotMessage:
    """The message of these bytes. Raises `MessageError` for anything that is not exactly one."""
    size_max = RANGE_MESSAGE_MAX if data[1:].startswith(_LARGE_TAGS) else SMALL_MESSAGE_MAX
    try:
        value = decode(data, size_max=size_max)
    except CodecError as error:
        raise MessageError(f"sync: {error}") from error
    match value:
        case ["held?"]:
            return AskHeld()
        case ["held", list(offers)] if len(offers) <= OFFERS_MAX:
            return Held(tuple(_offer(offer) for offer in offers))
        case ["manifest?", height] if _is_number(height, 1, HEIGHT_MAX):
            return AskManifest(height)
        case ["manifest", height, bytes(manifest)] if _is_number(height, 1, HEIGHT_MAX):
            return ManifestOf(height, manifest)
        case ["part?", int(height), int(bits), int(number)] if (
            _is_part(height, number) and type(bits) is int and bits in CUT_BITS
        ):
            return AskPart(height, bits, number)
        case ["part", int(height), int(number), list(entries)] if _is_part(height, number):
            return PartOf(height, number, tuple(_entry(entry) for entry in entries))
        case ["checkpoint", bytes(checkpoint)] if len(checkpoint) <= CHECKPOINT_SIZE_MAX:
            return Cosigned(checkpoint)
        case ["gone", height] if _is_number(height, 1, HEIGHT_MAX):
            return Gone(height)
        case _:
            raise MessageError("sync: not a message of this protocol")


def is_answer(payload: bytes) -> bool:
    """Whether it calls itself an answer about states: those belong to nobody once a node has started."""
    return payload[1:].startswith(_ANSWER_TAGS)


def decode_sync(payload: bytes) -> SyncMessage:
    """Any message of the sync channel. Raises `MessageError`."""
    return decode_range_message(payload) if payload[1:].startswith(_RANGE_TAGS) else decode_snapshot_message(payload)


def encode_sync(message: SyncMessage) -> bytes:
    """The bytes of any message of the sync channel."""
    if isinstance(message, Tip | Ask | Blocks):
        return encode_range_message(message)
    return encode_snapshot_message(message)


def _is_number(value: object, least: int, most: int) -> TypeGuard[int]:
    return type(value) is int and least <= value <= most


def _is_part(height: object, number: object) -> bool:
    return _is_number(height, 1, HEIGHT_MAX) and _is_number(number, 0, _PARTS_MAX - 1)


def _offer(value: object) -> tuple[int, bytes]:
    match value:
        case [height, bytes(block_hash)] if _is_number(height, 1, HEIGHT_MAX) and len(block_hash) == DIGEST_SIZE:
            return height, block_hash
        case _:
            raise MessageError("held: a height and a block hash are expected")


def _entry(value: object) -> Entry:
    match value:
        case [bytes(key), bytes(stored)]:
            return key, stored
        case _:
            raise MessageError("part: a state key and its value are expected")
