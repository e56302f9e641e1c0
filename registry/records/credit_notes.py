"""What stands on the ledger of a credit note: that it has lowered a receivable, so that it does so once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from registry.codec import tagged_digest
from registry.records.core import SubjectId
from registry.records.row import Lists

__all__ = ["CreditNote"]


@dataclass(frozen=True, slots=True)
class CreditNote:
    """The document of `document_digest` has lowered what is collectible of `receivable` by `reduction_share`.

    Its id follows from the two (`id_of`), so that whoever has the document finds it.
    """

    PREFIX: ClassVar = b"credit-note/"
    LISTS: ClassVar[Lists] = {}

    id: SubjectId
    receivable: SubjectId
    document_digest: bytes
    reduction_share: int

    def concerns(self) -> tuple[str, ...]:
        """Nobody by itself: whoever may read the receivable (`families`)."""
        return ()

    @staticmethod
    def id_of(receivable: SubjectId, document_digest: bytes) -> SubjectId:
        """The id under which it stands that this document has lowered this receivable."""
        return tagged_digest(b"NEMODAT-v1-credit-note", receivable, document_digest)
