"""Contacts between the two sides of a match, and what is opened by them (registry.md 8).

Every node executes these records, so they hold ids of parties; a node's API hands out an `Opening` only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from registry.records.core import SubjectId
from registry.records.row import Lists

__all__ = ["CONTACT_STATES", "AskedAbout", "AskedBy", "Contact", "Opening", "Request", "Step"]

CONTACT_STATES = ("waiting", "declined", "open", "lapsed")


class Step(NamedTuple):
    """What one party did: `step` is "asked", "declined", "accepted" or "ordered" (then `by` is the regulator).

    `text_digest` pins what it said, in `language` ("" for an order); `at_ms` is the time of the block.
    """

    by: str
    step: str
    text_digest: bytes
    language: str
    at_ms: int


class Request(NamedTuple):
    """A contact that counts against the bounds of its asker and of the receivable it is about, until `until_ms`."""

    contact: SubjectId
    by: str
    until_ms: int


def _steps(rows: list[Any]) -> tuple[Step, ...]:
    return tuple(map(Step._make, rows))


def _requests(rows: list[Any]) -> tuple[Request, ...]:
    return tuple(map(Request._make, rows))


@dataclass(frozen=True, slots=True)
class Contact:
    """A question from the side of `receivable` to the side of `about`, which was found by fingerprints of `kinds`.

    They are those of `receivable` or of its lineage; none if a correction took a link to `about` back.
    Its id is the contact token. `state` is one of CONTACT_STATES but "lapsed", which a waiting one is after `until_ms`.
    """

    PREFIX: ClassVar = b"contact/"
    LISTS: ClassVar[Lists] = {"kinds": tuple, "steps": _steps}

    id: SubjectId
    receivable: SubjectId
    about: SubjectId
    kinds: tuple[str, ...]
    state: str
    until_ms: int
    steps: tuple[Step, ...]

    @property
    def asker(self) -> str:
        """Who asked."""
        return self.steps[0].by

    @property
    def decliners(self) -> tuple[str, ...]:
        """Who declined, in order."""
        return tuple([step.by for step in self.steps if step.step == "declined"])

    @property
    def answerers(self) -> tuple[str, ...]:
        """Who declined or accepted, in order."""
        return tuple([step.by for step in self.steps if step.step in ("declined", "accepted")])

    @property
    def ordered(self) -> bool:
        """Whether an order has opened all of it."""
        return any(step.step == "ordered" for step in self.steps)

    def state_at(self, now_ms: int) -> str:
        """The state at block time `now_ms`: the stored one, or "lapsed" if nobody accepted in time."""
        return "lapsed" if self.state == "waiting" and self.until_ms < now_ms else self.state


@dataclass(frozen=True, slots=True)
class Opening:
    """Who is known to whom by a contact, which has the same id.

    `by_step` is "accepted": `asking` is the asker, `asked` those who accepted, and `by` the first of them. Or it is
    "ordered": both sides are all that stood there then, and `by` is the regulator whose order the authorities executed.
    `text_digest` pins that answer or the order, `opened_ms` is the time of its block.
    """

    PREFIX: ClassVar = b"contact-opening/"
    LISTS: ClassVar[Lists] = {"asking": tuple, "asked": tuple}

    id: SubjectId
    receivable: SubjectId
    about: SubjectId
    asker: str
    asking: tuple[str, ...]
    asked: tuple[str, ...]
    by: str
    by_step: str
    text_digest: bytes
    opened_ms: int


@dataclass(frozen=True, slots=True)
class AskedAbout:
    """The contacts that were asked about a receivable of late; `id` is the receivable's."""

    PREFIX: ClassVar = b"contacts-about/"
    LISTS: ClassVar[Lists] = {"requests": _requests}

    id: SubjectId
    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class AskedBy:
    """The contacts that a party asked for of late; `id` is the party's, as UTF-8."""

    PREFIX: ClassVar = b"contacts-by/"
    LISTS: ClassVar[Lists] = {"requests": _requests}

    id: bytes
    requests: tuple[Request, ...]
