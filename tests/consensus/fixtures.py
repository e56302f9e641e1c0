"""Fixed keys, sets, blocks, votes and certificates for the tests of consensus."""

from __future__ import annotations

from functools import cache
from hashlib import sha256

from consensus.authorities import Authority, AuthoritySet
from consensus.blocks import Block, Header, transactions_root
from consensus.votes import Certificate, Kind, Vote, assemble, signed_bytes
from registry.keys import DOMAIN_VOTE, SigningKey

GENESIS_ID = sha256(b"a genesis for tests").digest()


@cache
def key_of(index: int) -> SigningKey:
    """The key of authority number `index`."""
    return SigningKey.from_seed(sha256(b"authority %d" % index).digest())


def set_of(*numbers: int) -> AuthoritySet:
    """The set of these authorities, in this order."""
    return AuthoritySet(tuple(Authority(f"authority-{number}", key_of(number).public_key) for number in numbers))


def header_of(height: int, authorities: AuthoritySet, following: AuthoritySet | None = None) -> Header:
    """A header of this height by the first member, after which `following` (or the same set) is in force."""
    return Header(
        genesis_id=GENESIS_ID,
        height=height,
        parent=bytes(32),
        proposer=authorities.members[0].public_key,
        timestamp_ms=height,
        transactions_root=transactions_root(()),
        results_root=bytes(32),
        state_root=bytes(32),
        history_root=bytes(32),
        authorities=authorities.digest,
        next_authorities=(following or authorities).digest,
    )


def finality_of(header: Header, authorities: AuthoritySet, *, kind: Kind = Kind.FINALIZE) -> Certificate:
    """A quorum of this set signs the header, whatever it says of its set."""
    numbers = {key_of(number).public_key: number for number in range(10)}
    signers = [numbers[member.public_key] for member in list(authorities)[: authorities.quorum]]
    signatures = {
        place: vote_of(signer, kind, header.height, 0, header.hash).signature for place, signer in enumerate(signers)
    }
    return assemble(kind=kind, height=header.height, view=0, block=header.hash, signatures=signatures, n=authorities.n)


@cache
def authorities_of(n: int) -> AuthoritySet:
    """A set of `n` members, authority-0 to authority-(n-1)."""
    return AuthoritySet(tuple(Authority(f"authority-{index}", key_of(index).public_key) for index in range(n)))


def vote_of(signer: int, kind: Kind, height: int, view: int, block: bytes | None) -> Vote:
    """A signed vote of authority number `signer`."""
    signature = key_of(signer).sign(DOMAIN_VOTE, GENESIS_ID, signed_bytes(kind, height, view, block))
    return Vote(kind, height, view, block, key_of(signer).public_key, signature)


def certificate_of(
    kind: Kind, height: int, view: int, block: bytes | None, signers: tuple[int, ...], n: int
) -> Certificate:
    """A certificate by these members of a set of `n`."""
    signatures = {signer: vote_of(signer, kind, height, view, block).signature for signer in signers}
    if max(signers) >= n:
        n = max(signers) + 1
    return assemble(kind=kind, height=height, view=view, block=block, signatures=signatures, n=n)


def block_of(
    authorities: AuthoritySet,
    *,
    height: int,
    parent: bytes,
    proposer: int,
    transactions: tuple[bytes, ...] = (),
    timestamp_ms: int = 1_700_000_000_000,
) -> Block:
    """A block by authority number `proposer`; its state is a hash of what it holds."""
    root = transactions_root(transactions)
    header = Header(
        genesis_id=GENESIS_ID,
        height=height,
        parent=parent,
        proposer=key_of(proposer).public_key,
        timestamp_ms=timestamp_ms,
        transactions_root=root,
        results_root=sha256(b"results" + root).digest(),
        state_root=sha256(b"state" + parent + root).digest(),
        history_root=sha256(b"history" + parent).digest(),
        authorities=authorities.digest,
        next_authorities=authorities.digest,
    )
    return Block(header, transactions)
