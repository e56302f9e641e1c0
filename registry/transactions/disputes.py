"""Operations on disputes: raise, answer, escalate, and the ways in which one ends (registry.md 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from registry.codec import Value
from registry.errors import FieldError
from registry.fingerprint import LEVELS
from registry.money import WHOLE
from registry.records.disputes import FORUMS, GROUNDS, OUTCOMES
from registry.transactions.fields import Field, Ref, country, digest, integer, language, one_of, party_id, ref, share

__all__ = [
    "OUTCOME",
    "AnswerDispute",
    "ConcludeDispute",
    "DecideDispute",
    "EscalateDispute",
    "RaiseDispute",
    "SettleDispute",
    "Standing",
    "WithdrawDispute",
    "reduction",
]

# What shows that the opener may dispute the receivable:
#     ()                                  it is the registrant, or the debtor that is known already
#     ("debtor", salt, identifier)        it is the debtor: this opens the registration's commitment to it
#     ("claim", claim)                    it holds this claim or offer, on the receivable or on one that is alike
#     ("receivable", receivable)          it registered this one, which is alike
#     ("fingerprint", kind, fingerprint)  it was refused as a duplicate, by this certain fingerprint
Standing: TypeAlias = tuple[()] | tuple[str, Ref] | tuple[str, bytes, str] | tuple[str, str, bytes]

_certain = one_of([kind for kind, level in LEVELS.items() if level == "block"], "certain kind of fingerprint")
_institution = one_of(FORUMS, "forum")
OUTCOME = one_of(OUTCOMES, "outcome of a dispute")


def _standing(value: Value, field: str) -> Standing:
    """What shows that the opener may dispute it: (), or one of debtor, claim, receivable, fingerprint and its proof."""
    if type(value) is not list:
        raise FieldError(field, "is a list")
    match value:
        case []:
            return ()
        case ["debtor", salt, identifier]:
            return ("debtor", digest(salt, f"{field}.salt"), party_id(identifier, f"{field}.identifier"))
        case [("claim" | "receivable") as kind, subject]:
            return (str(kind), ref(subject, f"{field}.{kind}"))
        case ["fingerprint", kind, found]:
            return ("fingerprint", _certain(kind, f"{field}.kind"), digest(found, f"{field}.fingerprint"))
    raise FieldError(field, "is no known way to show standing")


def _forum(value: Value, field: str) -> tuple[str, ...]:
    """[] below the last rung, [forum] or [forum, country of its seat] at it."""
    if type(value) is not list or len(value) > 2:
        raise FieldError(field, "is a forum, a forum and the country of its seat, or nothing")
    return tuple([read(item, field) for read, item in zip((_institution, country), value, strict=False)])


def reduction(value: Value, field: str) -> int:
    """A share by which an outcome lowers what is collectible; 0 for none."""
    return integer(value, field, low=0, high=WHOLE)


@dataclass(frozen=True, slots=True)
class RaiseDispute:
    """The primary signer disputes `share` of a receivable on a ground, with a text. Creates a dispute."""

    NAME: ClassVar = "raise_dispute"
    FIELDS: ClassVar = (
        Field("receivable", ref),
        Field("standing", _standing),
        Field("ground", one_of(GROUNDS, "ground of a dispute")),
        Field("share", share),
        Field("text_digest", digest),
        Field("language", language),
    )

    receivable: Ref
    standing: Standing
    ground: str
    share: int
    text_digest: bytes
    language: str


@dataclass(frozen=True, slots=True)
class AnswerDispute:
    """The side that did not bring the dispute to its rung answers, in the rung's time."""

    NAME: ClassVar = "answer_dispute"
    FIELDS: ClassVar = (Field("dispute", ref), Field("text_digest", digest), Field("language", language))

    dispute: Ref
    text_digest: bytes
    language: str


@dataclass(frozen=True, slots=True)
class EscalateDispute:
    """Either side takes the dispute to the next rung; to the last one naming the forum, and its seat."""

    NAME: ClassVar = "escalate_dispute"
    FIELDS: ClassVar = (
        Field("dispute", ref),
        Field("forum", _forum),
        Field("text_digest", digest),
        Field("language", language),
    )

    dispute: Ref
    forum: tuple[str, ...]
    text_digest: bytes
    language: str


@dataclass(frozen=True, slots=True)
class WithdrawDispute:
    """The opener gives the dispute up."""

    NAME: ClassVar = "withdraw_dispute"
    FIELDS: ClassVar = (Field("dispute", ref), Field("text_digest", digest), Field("language", language))

    dispute: Ref
    text_digest: bytes
    language: str


@dataclass(frozen=True, slots=True)
class SettleDispute:
    """Both sides agree, by the agreement of `text_digest`: so much less is collectible, or (0) nothing changes."""

    NAME: ClassVar = "settle_dispute"
    FIELDS: ClassVar = (
        Field("dispute", ref),
        Field("reduction_share", reduction),
        Field("text_digest", digest),
        Field("language", language),
    )

    dispute: Ref
    reduction_share: int
    text_digest: bytes
    language: str


@dataclass(frozen=True, slots=True)
class DecideDispute:
    """Both sides record the award that the forum of the last rung has made. `reduction_share` is of "reduced" only."""

    NAME: ClassVar = "decide_dispute"
    FIELDS: ClassVar = (
        Field("dispute", ref),
        Field("outcome", OUTCOME),
        Field("reduction_share", reduction),
        Field("award_digest", digest),
        Field("language", language),
    )

    dispute: Ref
    outcome: str
    reduction_share: int
    award_digest: bytes
    language: str


@dataclass(frozen=True, slots=True)
class ConcludeDispute:
    """Record what missed clocks have decided already: whoever is concerned may."""

    NAME: ClassVar = "conclude_dispute"
    FIELDS: ClassVar = (Field("dispute", ref),)

    dispute: Ref
