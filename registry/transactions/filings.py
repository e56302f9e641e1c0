"""Operations on official filings: a register outside (Zhongdeng, UCC-1, ...) knows of a claim (registry.md 1, 10)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from registry.codec import Value
from registry.transactions.fields import Field, Ref, digest, ref, text, time_ms

__all__ = ["ContinueFiling", "EndFiling", "RecordFiling", "register"]

_REGISTER = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?:[A-Z0-9-]{2,24}")


def register(value: Value, field: str) -> str:
    """A register outside, by its law and name."""
    return text(value, field, pattern=_REGISTER, what="a law and its register, such as CN:ZHONGDENG or US-NY:UCC1")


@dataclass(frozen=True, slots=True)
class RecordFiling:
    """The holder records that its claim was filed officially. Creates a filing.

    `register` names law and register, `number_digest` pins the filing's number and text, `filed_ms` is when it was made
    (not later than the block), `lapses_ms` when it lapses unless continued, 0 if it does not (UCC 9-515: five years).
    """

    NAME: ClassVar = "record_filing"
    FIELDS: ClassVar = (
        Field("claim", ref),
        Field("register", register),
        Field("number_digest", digest),
        Field("filed_ms", time_ms),
        Field("lapses_ms", time_ms),
    )

    claim: Ref
    register: str
    number_digest: bytes
    filed_ms: int
    lapses_ms: int


@dataclass(frozen=True, slots=True)
class ContinueFiling:
    """The holder records a continuation (renewal) that the official register has accepted before the filing lapsed."""

    NAME: ClassVar = "continue_filing"
    FIELDS: ClassVar = (Field("filing", ref), Field("number_digest", digest), Field("lapses_ms", time_ms))

    filing: Ref
    number_digest: bytes
    lapses_ms: int


@dataclass(frozen=True, slots=True)
class EndFiling:
    """The holder records that the filing was taken off the official register."""

    NAME: ClassVar = "end_filing"
    FIELDS: ClassVar = (Field("filing", ref), Field("number_digest", digest))

    filing: Ref
    number_digest: bytes
