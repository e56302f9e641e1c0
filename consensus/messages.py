"""What engines say to each other, and its bytes: `encode_message`, `decode_message`.

Every message is a canonical list whose first item is its number. Everything is bounded before it is decoded, and
whatever is not exactly a message of this protocol is a `MessageError`. Signatures are not verified here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from consensus.blocks import BLOCK_SIZE_MAX, HEIGHT_MAX, Block
from consensus.errors import MessageError
from consensus.votes import Certificate, Kind, Vote
from registry.codec import DIGEST_SIZE, CodecError, Value, decode, encode

__all__ = [
    "BUNDLE_SIZE_MAX",
    "ITEMS_MAX",
    "MESSAGE_SIZE_MAX",
    "SKIPS_MAX",
    "SMALL_SIZE_MAX",
    "VOTES_MAX",
    "BlockRequest",
    "Body",
    "Bundle",
    "Decided",
    "DecidedRequest",
    "HeldVotes",
    "Message",
    "Proposal",
    "Resend",
    "VotesRequest",
    "check_size",
    "decode_message",
    "encode_message",
]

SKIPS_MAX = 256  # NULLIFY certificates in one message (R10)
VOTES_MAX = 32  # votes in one message
MESSAGE_SIZE_MAX = BLOCK_SIZE_MAX + 2 * 1024 * 1024  # bytes, encoded: a full block with a full bundle
BUNDLE_SIZE_MAX = 2 * 1024 * 1024  # bytes, encoded: a full bundle of 64 authorities has 1.1 MB
SMALL_SIZE_MAX = 8 * 1024  # bytes, encoded: everything else; 32 votes have 5 KB, a certificate of 64 authorities 4 KB
ITEMS_MAX = 20_000  # in all lists of a message together: a full bundle and 32 votes have 18,476


@dataclass(frozen=True, slots=True)
class Bundle:
    """The proof that a view may exist: a NOTARIZE certificate of this height or none, and NULLIFY certificates.

    A complete bundle for view v has the skips of every view after the parent's (from 0 without a parent) up to v - 1.
    Past `SKIPS_MAX` failed views a message carries a part, and the reader's own certificates are the rest.
    """

    parent: Certificate | None
    skips: tuple[Certificate, ...]

    def __post_init__(self) -> None:
        if self.parent is not None and self.parent.kind is not Kind.NOTARIZE:
            raise MessageError("bundle: the parent is a NOTARIZE certificate")
        if len(self.skips) > SKIPS_MAX:
            raise MessageError(f"bundle: at most {SKIPS_MAX} skips, not {len(self.skips)}")
        if any(skip.kind is not Kind.NULLIFY for skip in self.skips):
            raise MessageError("bundle: skips are NULLIFY certificates")

    def certificates(self) -> tuple[Certificate, ...]:
        """All certificates in it."""
        return self.skips if self.parent is None else (self.parent, *self.skips)


@dataclass(frozen=True, slots=True)
class Proposal:
    """The leader's own NOTARIZE vote, the block it is for, and the bundle that lets the view exist.

    Proposing is voting, so a double proposal is a double vote.
    """

    vote: Vote
    block: Block
    bundle: Bundle

    def __post_init__(self) -> None:
        if self.vote.kind is not Kind.NOTARIZE or self.vote.block != self.block.hash:
            raise MessageError("proposal: its vote is a NOTARIZE of its block")
        if self.block.header.height != self.vote.height:
            raise MessageError("proposal: vote and block differ in height")
        _check_bundle(self.vote.height, self.bundle)

    @property
    def height(self) -> int:
        """The height it is for."""
        return self.vote.height


@dataclass(frozen=True, slots=True)
class Resend:
    """R8: where the sender is, its own votes of its view and the one before, and its bundle (or a part of it)."""

    height: int
    votes: tuple[Vote, ...]
    bundle: Bundle

    def __post_init__(self) -> None:
        _check_height(self.height)
        _check_votes(self.height, self.votes)
        _check_bundle(self.height, self.bundle)


@dataclass(frozen=True, slots=True)
class Decided:
    """An answer: a final block with its FINALIZE certificate. `consensus.light.verify_decided` checks it."""

    block: Block
    certificate: Certificate

    def __post_init__(self) -> None:
        certificate = self.certificate
        if certificate.kind is not Kind.FINALIZE or certificate.block != self.block.hash:
            raise MessageError("decided: its certificate is a FINALIZE of its block")
        if certificate.height != self.block.header.height:
            raise MessageError("decided: certificate and block differ in height")

    @property
    def height(self) -> int:
        """The height that is decided."""
        return self.certificate.height


@dataclass(frozen=True, slots=True)
class Body:
    """An answer: the block that was asked for by its hash, not yet decided."""

    block: Block

    @property
    def height(self) -> int:
        """The height the block is for."""
        return self.block.header.height


@dataclass(frozen=True, slots=True)
class HeldVotes:
    """An answer: those votes of the asking authority at `height` that the sender holds."""

    height: int
    votes: tuple[Vote, ...]

    def __post_init__(self) -> None:
        _check_height(self.height)
        _check_votes(self.height, self.votes)


@dataclass(frozen=True, slots=True)
class DecidedRequest:
    """Asks for the decided block of a height."""

    height: int

    def __post_init__(self) -> None:
        _check_height(self.height)


@dataclass(frozen=True, slots=True)
class BlockRequest:
    """Asks for a block of an undecided height by its hash (32 bytes)."""

    height: int
    block: bytes

    def __post_init__(self) -> None:
        _check_height(self.height)
        if type(self.block) is not bytes or len(self.block) != DIGEST_SIZE:
            raise MessageError(f"block: {DIGEST_SIZE} bytes are expected")


@dataclass(frozen=True, slots=True)
class VotesRequest:
    """An authority without a record of its votes asks which of them others have seen at `height`."""

    height: int

    def __post_init__(self) -> None:
        _check_height(self.height)


Message: TypeAlias = (
    "Proposal | Vote | Certificate | Resend | Decided | Body | HeldVotes | DecidedRequest | BlockRequest | VotesRequest"
)
"""Everything that travels. Each has a `height`."""


def encode_message(message: Message) -> bytes:
    """The canonical bytes of a message: `[number, field, ...]`."""
    number, fields = _ENCODERS[type(message)](message)
    return encode([number, *fields])


def check_size(data: bytes) -> None:
    """Return if these bytes are no more than a message of their kind has; nothing is decoded for it.

    Every message begins with the mark of a list of so many fields and its number, a byte each. Raises `MessageError`.
    """
    if len(data) < 2 or data[0] & 0xF0 != _SHORT_LIST or data[1] > _SMALL_NUMBER_MAX:
        raise MessageError("a list that begins with a message number is expected")
    if data[1] not in _DECODERS:
        raise MessageError(f"message number {data[1]} is not known")
    count, size_max, _ = _DECODERS[data[1]]
    if data[0] & 0x0F != count + 1:
        raise MessageError(f"message {data[1]} has {count} fields, not {(data[0] & 0x0F) - 1}")
    if len(data) > size_max:
        raise MessageError(f"message {data[1]} has at most {size_max} bytes, not {len(data)}")


def decode_message(data: bytes) -> Message:
    """The message of these bytes. Raises `MessageError` for anything that is not exactly one."""
    check_size(data)
    try:
        value = decode(data, size_max=MESSAGE_SIZE_MAX, items_max=ITEMS_MAX)
    except CodecError as error:
        raise MessageError(str(error)) from error
    assert isinstance(value, list), "its first byte says so"
    return _DECODERS[data[1]][2](value[1:])


def _bundle_value(bundle: Bundle) -> list[Value]:
    parent = None if bundle.parent is None else bundle.parent.to_value()
    return [parent, [skip.to_value() for skip in bundle.skips]]


def _votes_value(votes: tuple[Vote, ...]) -> list[Value]:
    return [vote.to_value() for vote in votes]


_ENCODERS: dict[type, Callable[..., tuple[int, list[Value]]]] = {
    Proposal: lambda m: (1, [m.vote.to_value(), m.block.encode(), _bundle_value(m.bundle)]),
    Vote: lambda m: (2, [m.to_value()]),
    Certificate: lambda m: (3, [m.to_value()]),
    Resend: lambda m: (4, [m.height, _votes_value(m.votes), _bundle_value(m.bundle)]),
    Decided: lambda m: (5, [m.block.encode(), m.certificate.to_value()]),
    Body: lambda m: (6, [m.block.encode()]),
    HeldVotes: lambda m: (7, [m.height, _votes_value(m.votes)]),
    DecidedRequest: lambda m: (8, [m.height]),
    BlockRequest: lambda m: (9, [m.height, m.block]),
    VotesRequest: lambda m: (10, [m.height]),
}


def _bundle(value: object) -> Bundle:
    if not isinstance(value, list) or len(value) != 2:
        raise MessageError("bundle: a list of 2 fields is expected")
    parent = None if value[0] is None else Certificate.from_value(value[0])
    return Bundle(parent, tuple(Certificate.from_value(skip) for skip in _items("skips", value[1], SKIPS_MAX)))


def _votes(value: object) -> tuple[Vote, ...]:
    return tuple(Vote.from_value(vote) for vote in _items("votes", value, VOTES_MAX))


def _items(name: str, value: object, most: int) -> list[object]:
    if not isinstance(value, list) or len(value) > most:
        raise MessageError(f"{name}: a list of at most {most} is expected")
    return value


def _block(value: object) -> Block:
    if type(value) is not bytes:
        raise MessageError("block: bytes are expected")
    return Block.decode(value)


_SHORT_LIST = 0x90  # MessagePack: the upper half of the byte that begins a list of at most 15 items
_SMALL_NUMBER_MAX = 0x7F  # MessagePack: what is one byte and itself

_DECODERS: dict[int, tuple[int, int, Callable[..., Message]]] = {
    1: (3, MESSAGE_SIZE_MAX, lambda v: Proposal(Vote.from_value(v[0]), _block(v[1]), _bundle(v[2]))),
    2: (1, SMALL_SIZE_MAX, lambda v: Vote.from_value(v[0])),
    3: (1, SMALL_SIZE_MAX, lambda v: Certificate.from_value(v[0])),
    4: (3, BUNDLE_SIZE_MAX, lambda v: Resend(v[0], _votes(v[1]), _bundle(v[2]))),
    5: (2, MESSAGE_SIZE_MAX, lambda v: Decided(_block(v[0]), Certificate.from_value(v[1]))),
    6: (1, MESSAGE_SIZE_MAX, lambda v: Body(_block(v[0]))),
    7: (2, SMALL_SIZE_MAX, lambda v: HeldVotes(v[0], _votes(v[1]))),
    8: (1, SMALL_SIZE_MAX, lambda v: DecidedRequest(v[0])),
    9: (2, SMALL_SIZE_MAX, lambda v: BlockRequest(v[0], v[1])),
    10: (1, SMALL_SIZE_MAX, lambda v: VotesRequest(v[0])),
}
"""By message number: how many fields, how many bytes at most, and what reads the fields."""


def _check_height(height: object) -> None:
    if type(height) is not int or not 1 <= height <= HEIGHT_MAX:
        raise MessageError(f"height: an integer from 1 to {HEIGHT_MAX} is expected")


def _check_votes(height: int, votes: tuple[Vote, ...]) -> None:
    if len(votes) > VOTES_MAX:
        raise MessageError(f"votes: at most {VOTES_MAX}")
    if any(vote.height != height for vote in votes):
        raise MessageError("votes: all are of the message's height")


def _check_bundle(height: int, bundle: Bundle) -> None:
    if any(certificate.height != height for certificate in bundle.certificates()):
        raise MessageError("bundle: all certificates are of the message's height")
