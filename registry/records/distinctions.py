"""What a debtor said of two receivables that look like one debt: it owes both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from registry.codec import tagged_digest
from registry.records.core import SubjectId
from registry.records.row import Lists

__all__ = ["Distinction"]


@dataclass(frozen=True, slots=True)
class Distinction:
    """`debtor` stated at `stated_ms` (block time) that the two `receivables` are two debts, by the text of the digest.

    Its id follows from the two (`id_of`), so that it is found from either.
    """

    PREFIX: ClassVar = b"distinct/"
    LISTS: ClassVar[Lists] = {"receivables": tuple}

    id: SubjectId
    receivables: tuple[SubjectId, ...]
    debtor: str
    text_digest: bytes
    language: str
    stated_ms: int

    @staticmethod
    def id_of(one: SubjectId, other: SubjectId) -> SubjectId:
        """The id of the statement on these two, in whichever order."""
        return tagged_digest(b"NEMODAT-v1-distinct", *sorted((one, other)))
