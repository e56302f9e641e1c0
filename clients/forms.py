"""Transactions that several parties sign: take-out, syndicate; and what an import factor says of its cover.

A draft goes from hand to hand (`drafts`, `nemodat draft`); whoever signs reads its operations first. All of these take
effect whole or not at all, and within ten minutes, for which a transaction is valid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clients.exchange import Procedure
from clients.session import Draft, Session, accepted, compose, submit
from registry.receipts import Receipt
from registry.transactions.claims import Cover, Fund, Offer, Release, Reserve
from registry.transactions.envelope import ALL
from registry.transactions.operations import Operation

__all__ = ["RESERVE_MS", "Part", "cover", "syndicate", "take_out"]

RESERVE_MS = 60_000  # between reserve and fund of one transaction no time passes at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one financier takes: its party id and signing key, its share of WHOLE, the matches it has looked at."""

    party: str
    key: bytes
    share: int
    acknowledged: tuple[bytes, ...] = ()


def cover(session: Session, claim: bytes, *, share: int) -> Procedure[Receipt]:
    """As the import factor: bear the credit risk for `share` (of WHOLE) of a claim; 0 ends it. Raises `Refused`."""
    return accepted((yield from submit(session, [Cover(claim=claim, share=share)])))


def take_out(
    session: Session,
    old: bytes,
    receivable: bytes,
    *,
    seller_key: bytes,
    holder_key: bytes,
    new: Part,
    terms: bytes,
    valid_until_ms: int,
) -> Draft:
    """The claim `old` (on the order, say) is released, and `new` funds its share of `receivable`: both or neither.

    For seller, old holder and new financier to sign.
    """
    operations: list[Operation] = [Release(claim=old), *_financed(1, receivable, new, terms, valid_until_ms)]
    return compose(session.genesis, operations, signers=_distinct(seller_key, holder_key, new.key), mode=ALL)


def syndicate(
    session: Session,
    receivable: bytes,
    *,
    seller_key: bytes,
    parts: Sequence[Part],
    terms: bytes,
    valid_until_ms: int,
) -> Draft:
    """Each financier funds its part of one receivable, all of them or none; for the seller and all of them to sign.

    `registry.limits.SIGNERS_MAX` parties sign one transaction. Raises `Rejected` if there are more.
    """
    operations: list[Operation] = []
    for part in parts:
        operations += _financed(len(operations), receivable, part, terms, valid_until_ms)
    signers = _distinct(seller_key, *(part.key for part in parts))
    return compose(session.genesis, operations, signers=signers, mode=ALL)


def _financed(at: int, receivable: bytes, part: Part, terms: bytes, valid_until_ms: int) -> list[Operation]:
    """Offer, reserve, fund, the offer being operation `at` of its transaction."""
    return [
        Offer(
            receivable=receivable, to=part.party, share=part.share, terms_digest=terms, valid_until_ms=valid_until_ms
        ),
        Reserve(claim=at, ttl_ms=RESERVE_MS),
        Fund(claim=at, acknowledged=tuple(sorted(part.acknowledged))),
    ]


def _distinct(*keys: bytes) -> list[bytes]:
    return list(dict.fromkeys(keys))
