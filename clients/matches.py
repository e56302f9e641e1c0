"""What looks like a receivable: what a financier must look at before it funds, and says that it has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from clients.errors import ProofInvalid
from clients.exchange import Procedure, get
from clients.session import Session
from registry.fingerprint import LEVELS, SEVERITIES
from registry.records.disputes import CAPACITIES, GROUNDS

__all__ = ["Disputed", "Match", "ToAcknowledge", "to_acknowledge"]

_ID = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Another receivable that looks alike: by which kinds of fingerprint, how much that says, and its state.

    Or, if `kinds` are none, one that this one or its lineage was said to be a part of, until a correction; or a part of
    it that was paid.

    `level` "block" or "review"; `severity` one of `fingerprint.SEVERITIES`; `own` if the same party registered it.
    `to_acknowledge` unless it is for information only: a stranger's, registered after this party reserved its claim.
    """

    receivable: bytes
    level: str
    severity: str
    kinds: tuple[str, ...]
    state: str
    own: bool
    to_acknowledge: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Disputed:
    """A dispute that runs, on `receivable`: the one asked about, or one of its lineage.

    Fields as in `registry.records.disputes.Dispute`, which those who may see that receivable read (`reads.record`).
    """

    id: bytes
    receivable: bytes
    ground: str
    capacity: str
    share: int
    rung: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ToAcknowledge:
    """What must be acknowledged when funding a claim on a receivable, beside claims outside (`external.to_look_at`).

    - `matches`, the most severe first: what is like it, or like what is of its lineage. Some may be for information.
    - `disputes` that run, its lineage included. One that was answered stops nothing, and may be right: is the
      registration the seller's own?
    - `blankets_beside`: of a payable, others' facilities with blankets over what is owed to its registrant. Is it
      really the debtor (`financier.check_dossier`)? It may have sold what it calls payable.
    """

    matches: tuple[Match, ...]
    disputes: tuple[Disputed, ...]
    blankets_beside: tuple[bytes, ...]


def to_acknowledge(session: Session, receivable: bytes) -> Procedure[ToAcknowledge]:
    """What to look at before funding a claim on `receivable`.

    It is the node's word: whether anything is left out, the funding shows, which is refused then. Raises
    `RequestFailed` if there is no such receivable, or none that this party may see.
    """
    answer = yield from get(f"/v1/receivables/{receivable.hex()}/matches")
    found, running, beside = (answer.get(name) for name in ("matches", "disputes", "blankets_beside"))
    if not isinstance(found, list):
        raise ProofInvalid("matches: a list is expected")
    if not isinstance(running, list):
        raise ProofInvalid("disputes: a list is expected")
    if not isinstance(beside, list) or not all(isinstance(one, str) and _ID.fullmatch(one) for one in beside):
        raise ProofInvalid("blankets_beside: a list of ids is expected")
    return ToAcknowledge(
        matches=tuple([_match(item) for item in found]),
        disputes=tuple([_disputed(item) for item in running]),
        blankets_beside=tuple(map(bytes.fromhex, beside)),
    )


def _disputed(item: Any) -> Disputed:
    try:
        made = Disputed(
            id=bytes.fromhex(item["id"]) if _ID.fullmatch(item["id"]) else b"",
            receivable=bytes.fromhex(item["receivable"]) if _ID.fullmatch(item["receivable"]) else b"",
            ground=item["ground"],
            capacity=item["capacity"],
            share=item["share"],
            rung=item["rung"],
        )
    except (TypeError, KeyError) as error:
        raise ProofInvalid("disputes: id, receivable, ground, capacity, share and rung are expected") from error
    known = made.ground in GROUNDS and made.capacity in CAPACITIES
    if not (made.id and made.receivable and known and type(made.share) is type(made.rung) is int):
        raise ProofInvalid("disputes: ids, a known ground and capacity, a share and a rung are expected")
    return made


def _match(item: Any) -> Match:
    try:
        made = Match(
            receivable=bytes.fromhex(item["id"]) if _ID.fullmatch(item["id"]) else b"",
            level=item["level"],
            severity=item["severity"],
            kinds=tuple(item["kinds"]),
            state=item["state"],
            own=item["own"],
            to_acknowledge=item["to_acknowledge"],
        )
    except (TypeError, KeyError) as error:
        expected = "id, level, severity, kinds, state, own and to_acknowledge"
        raise ProofInvalid(f"matches: {expected} are expected") from error
    if type(made.to_acknowledge) is not bool:
        raise ProofInvalid("matches: to_acknowledge: true or false is expected")
    if not made.receivable or made.severity not in SEVERITIES or not set(made.kinds) <= set(LEVELS):
        raise ProofInvalid("matches: an id, a known severity and known kinds are expected")
    return made
