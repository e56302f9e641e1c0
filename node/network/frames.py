"""Frames: how messages are cut out of a stream of bytes. Pure; no sockets here.

A frame is `length (4 bytes, big-endian, of what follows) || channel (1 byte) || payload`. The first frame each way
is the hello. Every bound is checked as soon as the five bytes of the head are there, before anything is buffered
for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from node.network.errors import FrameError, HandshakeError
from registry.codec import DIGEST_SIZE, decode, encode
from registry.errors import CodecError

__all__ = [
    "PAYLOAD_MAX",
    "PROTOCOL_VERSION",
    "Channel",
    "Frame",
    "FrameReader",
    "Ping",
    "Pong",
    "check_hello",
    "control",
    "encode_frame",
    "encode_hello",
    "encode_ping",
    "encode_pong",
]

PROTOCOL_VERSION = 1
LENGTH_SIZE = 4  # bytes
HEAD_SIZE = LENGTH_SIZE + 1  # bytes: length and channel
MIB = 1024 * 1024


class Channel(IntEnum):
    """What a frame is about; lower channels are sent first when a peer is slow."""

    CONTROL = 0
    CONSENSUS = 1
    SYNC = 2
    TRANSACTIONS = 3


PAYLOAD_MAX = {
    Channel.CONTROL: 1024,
    Channel.CONSENSUS: 6 * MIB,
    Channel.SYNC: 6 * MIB,
    Channel.TRANSACTIONS: 1 * MIB,
}  # bytes of payload, per channel
_CHANNELS = {int(channel): channel for channel in Channel}


@dataclass(frozen=True, slots=True)
class Frame:
    """One message as it came off the wire."""

    channel: Channel
    payload: bytes


@dataclass(frozen=True, slots=True)
class Ping:
    """Are you there? The number comes back in the `Pong`."""

    number: int


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to the `Ping` of this number."""

    number: int


def encode_frame(channel: Channel, payload: bytes) -> bytes:
    """The bytes of a frame. Raises `FrameError` for a payload larger than the channel carries."""
    if len(payload) > PAYLOAD_MAX[channel]:
        raise FrameError(f"{len(payload)} bytes on {channel.name.lower()}, at most {PAYLOAD_MAX[channel]}")
    return (len(payload) + 1).to_bytes(LENGTH_SIZE, "big") + bytes((channel,)) + payload


class FrameReader:
    """Collects bytes and cuts frames out of them. Holds at most one incomplete frame and one read."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def waiting(self) -> int:
        """Bytes that have come in and are not handed out."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take in bytes as they arrive; then ask for `next_frame` until there is none."""
        self._buffer += data

    def next_frame(self) -> Frame | None:
        """The next whole frame, or None until more bytes arrive. Raises `FrameError` for what is no frame."""
        buffer = self._buffer
        if len(buffer) < HEAD_SIZE:
            return None
        length = int.from_bytes(buffer[:LENGTH_SIZE], "big")
        channel = _CHANNELS.get(buffer[LENGTH_SIZE])
        if channel is None:
            raise FrameError(f"unknown channel {buffer[LENGTH_SIZE]}")
        if not 1 <= length <= PAYLOAD_MAX[channel] + 1:
            raise FrameError(f"frame of {length} bytes on {channel.name.lower()}")
        end = LENGTH_SIZE + length
        if len(buffer) < end:
            return None
        payload = bytes(memoryview(buffer)[HEAD_SIZE:end])
        del buffer[:end]
        return Frame(channel, payload)


def encode_hello(genesis_id: bytes) -> bytes:
    """The first frame of each side."""
    return encode_frame(Channel.CONTROL, encode(["hello", PROTOCOL_VERSION, genesis_id]))


def check_hello(frame: Frame, genesis_id: bytes) -> None:
    """Return if `frame` is the hello of our network and version; else raise `FrameError` or `HandshakeError`."""
    match _fields(frame):
        case ["hello", int(version), bytes(other)] if type(version) is int and len(other) == DIGEST_SIZE:
            if version != PROTOCOL_VERSION:
                raise HandshakeError(f"protocol version {version}, this node speaks {PROTOCOL_VERSION}")
            if other != genesis_id:
                raise HandshakeError(f"another network: genesis {other.hex()[:16]}, ours is {genesis_id.hex()[:16]}")
        case _:
            raise FrameError("the first frame is not a hello")


def encode_ping(number: int) -> bytes:
    """A ping frame."""
    return encode_frame(Channel.CONTROL, encode(["ping", number]))


def encode_pong(number: int) -> bytes:
    """A pong frame."""
    return encode_frame(Channel.CONTROL, encode(["pong", number]))


def control(frame: Frame) -> Ping | Pong:
    """What a control frame after the hello says. Raises `FrameError`."""
    match _fields(frame):
        case ["ping", int(number)] if type(number) is int:
            return Ping(number)
        case ["pong", int(number)] if type(number) is int:
            return Pong(number)
        case _:
            raise FrameError("a control frame that is neither ping nor pong")


def _fields(frame: Frame) -> object:
    if frame.channel is not Channel.CONTROL:
        raise FrameError(f"a frame on {frame.channel.name.lower()} where control is due")
    try:
        return decode(frame.payload, size_max=PAYLOAD_MAX[Channel.CONTROL])
    except CodecError as error:
        raise FrameError(f"control frame: {error}") from error
