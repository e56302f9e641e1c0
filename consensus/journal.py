"""What must be on disk first, and recovery from it: votes and certificates, not inputs to replay.

The record is a handful of keys of the height in progress, all cleared by the batch that decides it, and one key that
outlives heights: the standing of the node's consensus key. Values are canonical encodings; numbers in keys are 8 bytes
big-endian.

| key | value |
| --- | --- |
| `vote/` height view kind | own vote |
| `certificate/` height view kind | certificate that a later vote stands on |
| `block/` height hash | block that a vote of ours is for |
| `standing/` public key | whether this key may sign here |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from consensus.authorities import AuthoritySet
from consensus.blocks import Block
from consensus.errors import CertificateError, MessageError, RecordError
from consensus.votes import Certificate, Kind, Verifier, Vote
from registry.codec import CodecError, decode, encode
from registry.keys import SignatureInvalid, verify

__all__ = [
    "Journal",
    "Recovered",
    "Standing",
    "block_key",
    "certificate_key",
    "recover",
    "standing_put",
    "standings_in",
    "vote_key",
]

_VOTE, _CERTIFICATE, _BLOCK, _STANDING = b"vote/", b"certificate/", b"block/", b"standing/"


class Standing(Enum):
    """Whether a key may sign (R9). The values are on disk."""

    UNKNOWN = 0
    """No record: perhaps a first start, perhaps a lost disk. Others are asked before the first vote."""
    GOOD = 1
    """The record is complete."""
    BURNT = 2
    """Votes exist that are not in the record: this key never signs here again."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What the record of one height says."""

    votes: tuple[Vote, ...]
    certificates: tuple[Certificate, ...]
    blocks: tuple[Block, ...]
    keys: frozenset[bytes]
    """The keys of this height in the record."""
    stale: tuple[bytes, ...]
    """Keys of heights that are decided: to be deleted."""


class Journal:
    """What is in the record of the height in progress: makes puts of what is not there yet."""

    __slots__ = ("_height", "_keys")

    def __init__(self, height: int, keys: Iterable[bytes] = ()) -> None:
        self._height = height
        self._keys = set(keys)

    def puts(
        self, *, votes: Iterable[Vote], certificates: Iterable[Certificate], blocks: Iterable[Block]
    ) -> tuple[tuple[bytes, bytes], ...]:
        """The puts that bring these into the record; what is in it already is left out."""
        wanted: list[tuple[bytes, Vote | Certificate | Block]] = [(vote_key(vote), vote) for vote in votes]
        wanted += [(certificate_key(held.kind, held.height, held.view), held) for held in certificates]
        wanted += [(block_key(self._height, block.hash), block) for block in blocks]
        puts = tuple((key, _bytes_of(item)) for key, item in wanted if key not in self._keys)
        self._keys.update(key for key, _ in puts)
        return puts

    def clears(self) -> tuple[bytes, ...]:
        """Every key of this height in the record."""
        return tuple(sorted(self._keys))


def vote_key(vote: Vote) -> bytes:
    """Where an own vote stands in the record."""
    return _key(_VOTE, vote.height, _place(vote.kind, vote.view))


def certificate_key(kind: Kind, height: int, view: int) -> bytes:
    """Where a certificate that a vote stands on is in the record."""
    return _key(_CERTIFICATE, height, _place(kind, view))


def block_key(height: int, block: bytes) -> bytes:
    """Where a block that was voted for is in the record."""
    return _key(_BLOCK, height, block)


def standing_put(public_key: bytes, standing: Standing) -> tuple[bytes, bytes]:
    """The put that notes the standing of a consensus key."""
    return _STANDING + public_key, encode(standing.value)


def recover(
    record: Mapping[bytes, bytes],
    *,
    height: int,
    genesis_id: bytes,
    authorities: AuthoritySet,
    public_key: bytes | None,
    verifier: Verifier = verify,
) -> Recovered:
    """Read the record of a node whose next height is `height`, and check every signature in it.

    Raises `RecordError` for anything that this node did not write, or wrote at a height that the store has lost.
    """
    votes: list[Vote] = []
    certificates: list[Certificate] = []
    blocks: list[Block] = []
    keys: set[bytes] = set()
    stale: list[bytes] = []
    for key, value in sorted(record.items()):
        if key.startswith(_STANDING):
            continue
        if _height_in(key) < height:
            stale.append(key)
            continue
        if _height_in(key) > height:
            raise RecordError(f"the record is of height {_height_in(key)}, the store's next height is {height}")
        keys.add(key)
        try:
            if key.startswith(_VOTE):
                votes.append(_own_vote(key, value, height, genesis_id, public_key, verifier))
            elif key.startswith(_CERTIFICATE):
                certificates.append(_certificate(key, value, height, genesis_id, authorities, verifier))
            else:
                blocks.append(_block(key, value, height))
        except (CodecError, MessageError, CertificateError, SignatureInvalid) as error:
            raise RecordError(f"record {key!r}: {error}") from error
    if votes and public_key not in standings_in(record):
        raise RecordError("the record holds votes, but not the standing of their key")
    return Recovered(tuple(votes), tuple(certificates), tuple(blocks), frozenset(keys), tuple(stale))


def standings_in(record: Mapping[bytes, bytes]) -> dict[bytes, Standing]:
    """The standing of each consensus key that the record tells of. Raises `RecordError`."""
    known = {encode(standing.value): standing for standing in Standing}
    found = {key.removeprefix(_STANDING): value for key, value in record.items() if key.startswith(_STANDING)}
    if not known.keys() >= set(found.values()):
        raise RecordError("the standing of a key cannot be read")
    return {key: known[value] for key, value in found.items()}


def _own_vote(
    key: bytes, value: bytes, height: int, genesis_id: bytes, public_key: bytes | None, verifier: Verifier
) -> Vote:
    vote = Vote.from_value(decode(value))
    if vote_key(vote) != key or vote.height != height or vote.signer != public_key:
        raise RecordError(f"record {key!r}: not this node's vote of this place")
    vote.verify(genesis_id, verifier)
    return vote


def _certificate(
    key: bytes, value: bytes, height: int, genesis_id: bytes, authorities: AuthoritySet, verifier: Verifier
) -> Certificate:
    certificate = Certificate.from_value(decode(value))
    if certificate_key(certificate.kind, certificate.height, certificate.view) != key or certificate.height != height:
        raise RecordError(f"record {key!r}: not the certificate of this place")
    certificate.verify(genesis_id, authorities, verifier)
    return certificate


def _block(key: bytes, value: bytes, height: int) -> Block:
    block = Block.decode(value)
    if block_key(height, block.hash) != key or block.header.height != height:
        raise RecordError(f"record {key!r}: not the block of this hash")
    return block


def _key(prefix: bytes, height: int, rest: bytes) -> bytes:
    return prefix + height.to_bytes(8, "big") + rest


def _place(kind: Kind, view: int) -> bytes:
    return view.to_bytes(8, "big") + bytes([kind])


def _bytes_of(item: Vote | Certificate | Block) -> bytes:
    return item.encode() if isinstance(item, Block) else encode(item.to_value())


def _height_in(key: bytes) -> int:
    for prefix in (_VOTE, _CERTIFICATE, _BLOCK):
        if key.startswith(prefix) and len(key) > len(prefix) + 8:
            return int.from_bytes(key[len(prefix) : len(prefix) + 8], "big")
    raise RecordError(f"record {key!r}: not a key of the record")
