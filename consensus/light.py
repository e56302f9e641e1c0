"""What a client checks before it believes a block: one page, to be read by an auditor.

A block is final if, and only if, a quorum of the authorities of its height signed FINALIZE for its hash. Whoever has
the genesis (chain id and authorities) can check that with nothing else at hand, but for the *changes*: the headers
after which another set was in force, each certified by the set before it.

    reigns = follow(genesis_id, genesis_set, changes)       once; then, for any header:
    verify_header(genesis_id, in_force(reigns, header.height), header, certificate)

A change that is left out is noticed, because every header names the digest of the set that certifies it: whoever does
not know all changes below a header gets an error, never a wrong answer. (The one case without an error is harmless: a
member that came and left again leaves the very set that was before.) A set speaks for its own heights only, and a
consensus key that was retired is in none that follows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from consensus.authorities import AUTHORITIES_MAX, Authority, AuthoritySet
from consensus.blocks import Header
from consensus.errors import AuthorityError, BlockError, CertificateError, MessageError
from consensus.messages import Decided
from consensus.votes import Certificate, Kind, Verifier
from registry.codec import CodecError, Value, decode, encode
from registry.keys import verify

__all__ = [
    "CHANGES_MAX",
    "CHANGE_SIZE_MAX",
    "Change",
    "Reign",
    "extend",
    "follow",
    "in_force",
    "verify_decided",
    "verify_header",
]

CHANGE_SIZE_MAX = 20 * 1024  # bytes, encoded: 64 members with names of 128 bytes and all their signatures
CHANGES_MAX = 4096  # changes that one reader follows at a time


@dataclass(frozen=True, slots=True)
class Change:
    """A final header after which another set is in force, the certificate that makes it final, and that set."""

    header: Header
    certificate: Certificate
    authorities: AuthoritySet

    def encode(self) -> bytes:
        """The canonical bytes: `[header, certificate, [[name, public key], ...]]`."""
        members: Value = [[member.name, member.public_key] for member in self.authorities]
        return encode([self.header.to_value(), self.certificate.to_value(), members])

    @classmethod
    def decode(cls, data: bytes) -> Change:
        """The change of these canonical bytes (at most `CHANGE_SIZE_MAX`). Raises `CertificateError`."""
        try:
            value = decode(data, size_max=CHANGE_SIZE_MAX)
            if not isinstance(value, list) or len(value) != 3:
                raise CertificateError("change: a header, a certificate and the members of a set are expected")
            return cls(Header.from_value(value[0]), Certificate.from_value(value[1]), _authorities(value[2]))
        except (CodecError, BlockError, MessageError, AuthorityError) as error:
            raise CertificateError(f"change: {error}") from error


@dataclass(frozen=True, slots=True)
class Reign:
    """A set, and the first height at which it is in force; it is until the next one begins."""

    from_height: int
    authorities: AuthoritySet


def follow(genesis_id: bytes, genesis_set: AuthoritySet, changes: Iterable[Change]) -> tuple[Reign, ...]:
    """The sets that have been in force, in order, given all changes in order. Raises `CertificateError`."""
    reigns: tuple[Reign, ...] = (Reign(1, genesis_set),)
    for change in changes:
        reigns = extend(genesis_id, reigns, change)
    return reigns


def extend(genesis_id: bytes, reigns: tuple[Reign, ...], change: Change) -> tuple[Reign, ...]:
    """These reigns and the one that `change` begins. Raises `CertificateError` if it does not follow from them.

    The set in force must have made the header final, and the header must name exactly the new set as the next one.
    """
    current = reigns[-1]
    if change.header.height < current.from_height:
        raise CertificateError("height: the change is not after the one before it")
    verify_header(genesis_id, current.authorities, change.header, change.certificate)
    if change.header.next_authorities != change.authorities.digest:
        raise CertificateError("next_authorities: the header names another set")
    if change.authorities.digest == current.authorities.digest:
        raise CertificateError("next_authorities: the set does not change")
    return (*reigns, Reign(change.header.height + 1, change.authorities))


def in_force(reigns: Sequence[Reign], height: int) -> AuthoritySet:
    """The set in force at a height (1 or above), as far as these reigns know."""
    return next(reign.authorities for reign in reversed(reigns) if reign.from_height <= height)


def verify_header(
    genesis_id: bytes,
    authorities: AuthoritySet,
    header: Header,
    certificate: Certificate,
    verifier: Verifier = verify,
) -> None:
    """Return if `certificate` makes `header` final under `authorities`. Raises `CertificateError` saying what fails.

    `authorities` is the set in force at the header's height.
    """
    if header.genesis_id != genesis_id:
        raise CertificateError("genesis_id: the header is of another chain")
    if header.authorities != authorities.digest:
        raise CertificateError("authorities: the header names another set")
    if certificate.kind is not Kind.FINALIZE:
        raise CertificateError("kind: only a FINALIZE certificate makes a block final")
    if certificate.block != header.hash:
        raise CertificateError("block: the certificate is for another block")
    if certificate.height != header.height:
        raise CertificateError("height: the certificate is for another height")
    certificate.verify(genesis_id, authorities, verifier)


def verify_decided(genesis_id: bytes, authorities: AuthoritySet, decided: Decided, verifier: Verifier = verify) -> None:
    """Return if `decided` is a final block under `authorities`. Raises `CertificateError`.

    That its parent is the block below, and that executing it gives its roots, is for the caller to check; that the
    transactions are the header's was checked when the block was decoded.
    """
    verify_header(genesis_id, authorities, decided.block.header, decided.certificate, verifier)


def _authorities(value: object) -> AuthoritySet:
    if not isinstance(value, list) or len(value) > AUTHORITIES_MAX:
        raise CertificateError(f"change: a list of at most {AUTHORITIES_MAX} members is expected")
    members: list[Authority] = []
    for item in value:
        match item:
            case [str(name), bytes(public_key)]:
                members.append(Authority(name, public_key))
            case _:
                raise CertificateError("change: a member is a name and a public key")
    return AuthoritySet(tuple(members))
