"""Operations on contacts between the two sides of a match: asked for, answered, opened by order (registry.md 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from registry.transactions.fields import Field, Ref, digest, language, one_of, party_id, ref

__all__ = ["ANSWERS", "AnswerContact", "AskContact", "OpenContact"]

ANSWERS = ("accept", "decline")


@dataclass(frozen=True, slots=True)
class AskContact:
    """Who stands on `receivable` asks whoever stands on `about`, which looks like it, to make themselves known.

    That is the asker's own consent. Creates a contact; `text_digest` pins what is asked, in `language` (ISO 639-1).
    """

    NAME: ClassVar = "ask_contact"
    FIELDS: ClassVar = (
        Field("receivable", ref),
        Field("about", ref),
        Field("text_digest", digest),
        Field("language", language),
    )

    receivable: Ref
    about: Ref
    text_digest: bytes
    language: str


@dataclass(frozen=True, slots=True)
class AnswerContact:
    """Who stands on the receivable that is asked about declines or, to be known to the asker and know it, accepts."""

    NAME: ClassVar = "answer_contact"
    FIELDS: ClassVar = (
        Field("contact", ref),
        Field("answer", one_of(ANSWERS, "answer")),
        Field("text_digest", digest),
        Field("language", language),
    )

    contact: Ref
    answer: str
    text_digest: bytes
    language: str


@dataclass(frozen=True, slots=True)
class OpenContact:
    """A change by governance: the authorities execute the order of a regulator that a contact's identities be opened.

    Who ordered it and the digest of the order stay on the ledger: that is the log.
    """

    NAME: ClassVar = "open_contact"
    FIELDS: ClassVar = (Field("contact", digest), Field("regulator", party_id), Field("order_digest", digest))

    contact: bytes
    regulator: str
    order_digest: bytes

    @property
    def subject(self) -> str:
        """The contact's id in hex, for events."""
        return self.contact.hex()
