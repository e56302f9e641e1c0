"""The ordered set of authorities of a height: who leads, how many make a quorum.

`f = (n - 1) // 3` members may be faulty; a quorum is `q = n - f`, "more than two thirds". It is not 2f + 1: at n = 5
and n = 6 two quorums of that size share no honest member, and the ledger forks. n < 4 means f = 0: development only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from consensus.errors import AuthorityError
from registry.codec import Value, digest, encode
from registry.keys import PUBLIC_KEY_SIZE

__all__ = ["AUTHORITIES_MAX", "NAME_SIZE_MAX", "Authority", "AuthoritySet", "faulty_max", "quorum_of"]

AUTHORITIES_MAX = 64  # members; plain signatures in certificates are meant for a small n
NAME_SIZE_MAX = 128  # bytes of UTF-8


@dataclass(frozen=True, slots=True)
class Authority:
    """One member: a name for people (1 to 128 bytes of UTF-8) and its Ed25519 consensus key (32 bytes)."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        if not 0 < len(self.name.encode()) <= NAME_SIZE_MAX:
            raise AuthorityError(f"name: 1 to {NAME_SIZE_MAX} bytes of UTF-8")
        if len(self.public_key) != PUBLIC_KEY_SIZE:
            raise AuthorityError(f"public_key: {PUBLIC_KEY_SIZE} bytes, not {len(self.public_key)}")


@dataclass(frozen=True, slots=True)
class AuthoritySet:
    """`V_h`: the members in force at a height, in their order, which is part of the set's identity.

    Raises `AuthorityError` for an empty or too large set and for a name or key that occurs twice.
    """

    members: tuple[Authority, ...]
    digest: bytes = field(init=False, repr=False, compare=False)
    """SHA-256 of the canonical encoding `[[name, public_key], ...]`: what headers carry. 32 bytes."""
    n: int = field(init=False, repr=False, compare=False)
    """How many members there are."""
    f: int = field(init=False, repr=False, compare=False)
    """How many members may be faulty."""
    quorum: int = field(init=False, repr=False, compare=False)
    """How many equal votes of distinct members make a certificate."""
    _indices: dict[bytes, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not 0 < len(self.members) <= AUTHORITIES_MAX:
            raise AuthorityError(f"members: 1 to {AUTHORITIES_MAX}, not {len(self.members)}")
        if len({member.name for member in self.members}) != len(self.members):
            raise AuthorityError("members: a name occurs twice")
        indices = {member.public_key: index for index, member in enumerate(self.members)}
        if len(indices) != len(self.members):
            raise AuthorityError("members: a public key occurs twice")
        listed: Value = [[member.name, member.public_key] for member in self.members]
        object.__setattr__(self, "digest", digest(encode(listed)))
        object.__setattr__(self, "n", len(self.members))
        object.__setattr__(self, "f", faulty_max(len(self.members)))
        object.__setattr__(self, "quorum", quorum_of(len(self.members)))
        object.__setattr__(self, "_indices", indices)

    def __len__(self) -> int:
        return len(self.members)

    def __iter__(self) -> Iterator[Authority]:
        return iter(self.members)

    def __contains__(self, public_key: object) -> bool:
        return public_key in self._indices

    def leader(self, height: int, view: int) -> Authority:
        """`leader(h, v) = V_h[(h + v) mod n]`."""
        return self.members[(height + view) % self.n]

    def index_of(self, public_key: bytes) -> int | None:
        """The place of a member's key in the order, or None if it is nobody's here."""
        return self._indices.get(public_key)


def faulty_max(n: int) -> int:
    """`f`: how many of `n` members may be faulty."""
    return (n - 1) // 3


def quorum_of(n: int) -> int:
    """`q = n - f`: two sets of this size share at least f + 1 members, so one honest one."""
    return n - faulty_max(n)
