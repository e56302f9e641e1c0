"""Operations on notices of assignment, and on a debtor's silence (registry.md 6.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from registry.records.notices import CHANNELS
from registry.transactions.fields import Field, Ref, digest, language, one_of, party_id, ref, time_ms, truth
from registry.transactions.receivables import NO_DIGEST

__all__ = ["Acknowledge", "Deem", "Notify", "ProveReceipt"]


@dataclass(frozen=True, slots=True)
class Notify:
    """The assignor or the holder of a claim gives the debtor notice of the assignment. Creates a notice.

    `text_digest` pins its text, in `language`; `account_digest` commits to the account that the debtor shall pay to.
    """

    NAME: ClassVar = "notify"
    FIELDS: ClassVar = (
        Field("claim", ref),
        Field("channel", one_of(CHANNELS, "channel")),
        Field("language", language),
        Field("text_digest", digest),
        Field("account_digest", digest),
    )

    claim: Ref
    channel: str
    language: str
    text_digest: bytes
    account_digest: bytes


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """The debtor has the notice. With `accepts` it promises to pay the claim's holder to the account named there.

    `salt` and `identifier` open the receivable's debtor commitment; a debtor that the record names already may leave
    the salt all zero. `text_digest` and `account_digest` are of what the debtor was shown: nobody can show it one
    notice and have another acknowledged. May be repeated to accept what was only acknowledged.
    """

    NAME: ClassVar = "acknowledge"
    FIELDS: ClassVar = (
        Field("notice", ref),
        Field("identifier", party_id),
        Field("text_digest", digest),
        Field("account_digest", digest),
        Field("accepts", truth),
        Field("salt", digest),
    )

    notice: Ref
    identifier: str
    text_digest: bytes
    account_digest: bytes
    accepts: bool
    salt: bytes = NO_DIGEST


@dataclass(frozen=True, slots=True)
class ProveReceipt:
    """The sender of a notice shows that it arrived at `received_ms`, by the evidence of `evidence_digest`."""

    NAME: ClassVar = "prove_receipt"
    FIELDS: ClassVar = (Field("notice", ref), Field("received_ms", time_ms), Field("evidence_digest", digest))

    notice: Ref
    received_ms: int
    evidence_digest: bytes


@dataclass(frozen=True, slots=True)
class Deem:
    """The debtor has received this notice and not answered in time: the receivable counts as accepted by its law."""

    NAME: ClassVar = "deem"
    FIELDS: ClassVar = (Field("notice", ref),)

    notice: Ref
