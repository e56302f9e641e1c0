"""Votes and the certificates they make.

What is signed is `"NEMODAT-v1-vote" || genesis id || canonical [kind, height, view, block hash or nil]`. q equal votes
of distinct members are a certificate; a FINALIZE certificate is the only thing that makes a block real.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import TypeAlias

from consensus.authorities import AUTHORITIES_MAX, Authority, AuthoritySet
from consensus.blocks import HEIGHT_MAX
from consensus.errors import CertificateError, MessageError
from registry.codec import DIGEST_SIZE, Value, encode
from registry.keys import DOMAIN_VOTE, PUBLIC_KEY_SIZE, SIGNATURE_SIZE, SignatureInvalid, verify

__all__ = ["Certificate", "Kind", "Verifier", "Vote", "assemble", "signed_bytes"]

BITMAP_SIZE_MAX = (AUTHORITIES_MAX + 7) // 8  # bytes

Verifier: TypeAlias = Callable[[bytes, bytes, bytes, bytes, bytes], None]
"""`registry.keys.verify`, or the same with a memory: public key, domain, chain id, message, signature."""


class Kind(IntEnum):
    """What a vote says. The numbers are on the wire and under signatures: they never change."""

    NOTARIZE = 1
    """Yes to this block."""
    NULLIFY = 2
    """This view failed; carries no block."""
    FINALIZE = 3
    """I saw this block's notarization in this view, and have not nullified the view."""


@lru_cache(maxsize=256, typed=True)  # the votes of a quorum say the same
def signed_bytes(kind: Kind, height: int, view: int, block: bytes | None) -> bytes:
    """The message under a vote's signature; the domain and the genesis id stand before it (`registry.keys`)."""
    return encode([int(kind), height, view, block])


@dataclass(frozen=True, slots=True)
class Vote:
    """One authority's signed word on one view. Raises `MessageError` for a field out of bounds.

    `block` is the 32-byte block hash, or None for NULLIFY; `signer` is the member's public key. Constructing a vote
    does not verify it: `verify` does.
    """

    kind: Kind
    height: int
    view: int
    block: bytes | None
    signer: bytes
    signature: bytes

    def __post_init__(self) -> None:
        _check_subject(self.kind, self.height, self.view, self.block)
        _check_size("signer", self.signer, PUBLIC_KEY_SIZE)
        _check_size("signature", self.signature, SIGNATURE_SIZE)

    def verify(self, genesis_id: bytes, verifier: Verifier = verify) -> None:
        """Return if the signature is the signer's. Raises `registry.errors.SignatureInvalid`."""
        message = signed_bytes(self.kind, self.height, self.view, self.block)
        verifier(self.signer, DOMAIN_VOTE, genesis_id, message, self.signature)

    def to_value(self) -> list[Value]:
        """`[kind, height, view, block, signer, signature]`."""
        return [int(self.kind), self.height, self.view, self.block, self.signer, self.signature]

    @classmethod
    def from_value(cls, value: object) -> Vote:
        """The vote of a decoded list. Raises `MessageError`."""
        kind, height, view, block, signer, signature = _fields("vote", value, 6)
        return cls(_kind(kind), height, view, block, signer, signature)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Certificate:
    """Equal votes of at least a quorum. Raises `MessageError` for a field out of bounds.

    Bit `i % 8` (least significant first) of `bitmap[i // 8]` stands for member i of the height's authority set;
    `signatures` are in the order of the members. Constructing a certificate does not verify it: `verify` does.
    """

    kind: Kind
    height: int
    view: int
    block: bytes | None
    bitmap: bytes
    signatures: tuple[bytes, ...]

    def __post_init__(self) -> None:
        _check_subject(self.kind, self.height, self.view, self.block)
        if type(self.bitmap) is not bytes or not 0 < len(self.bitmap) <= BITMAP_SIZE_MAX:
            raise MessageError(f"bitmap: 1 to {BITMAP_SIZE_MAX} bytes")
        if len(self.signatures) > AUTHORITIES_MAX:
            raise MessageError(f"signatures: at most {AUTHORITIES_MAX}")
        for signature in self.signatures:
            _check_size("signatures", signature, SIGNATURE_SIZE)

    def signers(self) -> list[int]:
        """The indices of the members whose bits are set, ascending."""
        bits = int.from_bytes(self.bitmap, "little")
        return [index for index in range(bits.bit_length()) if bits >> index & 1]

    def signed(self) -> Iterator[tuple[int, bytes]]:
        """The index and the signature of each signer; the shape must have been checked."""
        return zip(self.signers(), self.signatures, strict=True)

    def vote_by(self, member: Authority, signature: bytes) -> Vote:
        """The vote that this signature of a member is."""
        return Vote(self.kind, self.height, self.view, self.block, member.public_key, signature)

    def votes(self, authorities: AuthoritySet) -> list[Vote]:
        """The votes this certificate is made of; its shape must have been checked against `authorities`."""
        return [self.vote_by(authorities.members[index], signature) for index, signature in self.signed()]

    def check_shape(self, authorities: AuthoritySet) -> None:
        """Return if bitmap and signatures fit the set and are a quorum. Raises `CertificateError`."""
        if len(self.bitmap) != (authorities.n + 7) // 8:
            raise CertificateError(f"bitmap: {len(self.bitmap)} bytes for {authorities.n} authorities")
        signers = self.signers()
        if signers and signers[-1] >= authorities.n:
            raise CertificateError(f"bitmap: bit {signers[-1]} for {authorities.n} authorities")
        if len(signers) != len(self.signatures):
            raise CertificateError(f"signatures: {len(self.signatures)} for {len(signers)} signers")
        if len(signers) < authorities.quorum:
            raise CertificateError(f"signers: {len(signers)}, a quorum is {authorities.quorum}")

    def verify(self, genesis_id: bytes, authorities: AuthoritySet, verifier: Verifier = verify) -> None:
        """Return if a quorum of distinct members of `authorities` signed this. Raises `CertificateError`.

        `authorities` must be the set in force at `height`: the caller knows it from the block below.
        """
        self.check_shape(authorities)
        for vote in self.votes(authorities):
            try:
                vote.verify(genesis_id, verifier)
            except SignatureInvalid as error:
                raise CertificateError(f"signatures: one of member {vote.signer.hex()} fails") from error

    def to_value(self) -> list[Value]:
        """`[kind, height, view, block, bitmap, signatures]`."""
        return [int(self.kind), self.height, self.view, self.block, self.bitmap, self.signatures]

    @classmethod
    def from_value(cls, value: object) -> Certificate:
        """The certificate of a decoded list. Raises `MessageError`."""
        kind, height, view, block, bitmap, signatures = _fields("certificate", value, 6)
        if not isinstance(signatures, list):
            raise MessageError("certificate: signatures are a list")
        return cls(_kind(kind), height, view, block, bitmap, tuple(signatures))  # type: ignore[arg-type]


def assemble(
    *, kind: Kind, height: int, view: int, block: bytes | None, signatures: Mapping[int, bytes], n: int
) -> Certificate:
    """The certificate over these verified signatures, keyed by the index of the member in a set of `n`."""
    bitmap = bytearray((n + 7) // 8)
    for index in signatures:
        bitmap[index // 8] |= 1 << (index % 8)
    ordered = tuple(signatures[index] for index in sorted(signatures))
    return Certificate(kind, height, view, block, bytes(bitmap), ordered)


def _kind(value: object) -> Kind:
    if type(value) is not int or value not in Kind._value2member_map_:
        raise MessageError("kind: 1, 2 or 3 is expected")
    return Kind(value)


def _fields(name: str, value: object, count: int) -> list[object]:
    if not isinstance(value, list) or len(value) != count:
        raise MessageError(f"{name}: a list of {count} fields is expected")
    return value


def _check_subject(kind: object, height: object, view: object, block: object) -> None:
    if type(kind) is not Kind:
        raise MessageError("kind: a Kind is expected")
    if type(height) is not int or not 1 <= height <= HEIGHT_MAX:
        raise MessageError(f"height: an integer from 1 to {HEIGHT_MAX} is expected")
    if type(view) is not int or not 0 <= view <= HEIGHT_MAX:
        raise MessageError(f"view: an integer from 0 to {HEIGHT_MAX} is expected")
    if kind is Kind.NULLIFY:
        if block is not None:
            raise MessageError("block: a NULLIFY names none")
    else:
        _check_size("block", block, DIGEST_SIZE)


def _check_size(name: str, data: object, size: int) -> None:
    if type(data) is not bytes or len(data) != size:
        raise MessageError(f"{name}: {size} bytes are expected")
